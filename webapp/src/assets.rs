//! The files in `static/`: embedded in a release, read from the disk in a debug build.

use std::{fmt::Write, sync::LazyLock};

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// How browsers and what is between may keep a file whose address changes with its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// How they may keep what has to be asked for again.
const ASK_AGAIN: &str = "no-cache";
/// How many bytes of the hash are in an address.
const BUILD_BYTES: usize = 6;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// Names this build's files: a hash of them all. While developing files change under a running
/// server, so there it is a word and nothing is kept.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    if cfg!(debug_assertions) {
        return "dev".to_owned();
    }
    let mut hash = Sha256::new();
    for path in paths() {
        if let Some(file) = Static::get(&path) {
            hash.update(path.as_bytes());
            hash.update(file.metadata.sha256_hash());
        }
    }
    hash.finalize().iter().take(BUILD_BYTES).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string can be written to");
        hex
    })
});

/// `/a/<build>/<path in static>`, and the few files that browsers ask for by fixed names.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/a/{build}/{*path}", get(of_build))
        .route("/favicon.ico", get(async || file("icon.svg", ASK_AGAIN)))
        .route("/apple-touch-icon.png", get(async || file("icon-180.png", ASK_AGAIN)))
}

/// Where this build's files are, without a slash at the end.
pub(crate) fn base() -> String {
    format!("/a/{}", *BUILD)
}

/// Paths of all files with this ending, in a fixed order.
pub(crate) fn ending_in(end: &str) -> Vec<String> {
    paths().into_iter().filter(|path| path.ends_with(end)).collect()
}

async fn of_build(Path((build, path)): Path<(String, String)>) -> Response {
    if build != *BUILD {
        return StatusCode::NOT_FOUND.into_response();
    }
    file(&path, if cfg!(debug_assertions) { ASK_AGAIN } else { FOR_EVER })
}

fn file(path: &str, keep: &'static str) -> Response {
    match (Static::get(path), media_type(path)) {
        (Some(file), Some(media_type)) => (
            [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, keep)],
            file.data.into_owned(),
        )
            .into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = Static::iter().map(|path| path.into_owned()).collect();
    paths.sort();
    paths
}

/// `None` for what is not meant to be served.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => return None,
    })
}

//! The pages' shell and the web app manifest.

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crate::assets;

/// What every page is made of: the styles, and the one script that shows the rest.
#[derive(Template)]
#[template(path = "pages/shell.html")]
struct Shell {
    base: String,
    styles: Vec<String>,
    modules: Vec<String>,
    /// What went wrong on the way here, as a code that the browser's code has words for.
    problem: String,
}

/// What a browser needs to know to put the page on a home screen.
#[derive(Template)]
#[template(path = "pages/manifest.json", escape = "none")]
struct Manifest {
    base: String,
}

/// Every address that has a screen. The browser's code knows which (`static/lib/router.js`).
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/queue/{game}", get(page))
        .route("/match/{id}", get(page))
        .route("/replay/{id}", get(page))
        .route("/rooms", get(page))
        .route("/rooms/{code}", get(page))
        .route("/practice/{game}", get(page))
        .route("/shots", get(page))
        .route("/shots/{id}", get(page))
        .route("/me", get(page))
        .route("/security", get(page))
        .route("/reset", get(page))
        .route("/confirm", get(page))
        .route("/handoff", get(page))
        .route("/users/{id}", get(page))
        .route("/top", get(page))
        .route("/friends", get(page))
        .route("/desk", get(page))
        .route("/desk/{id}", get(page))
        .route("/manifest.webmanifest", get(manifest))
}

async fn page() -> Response {
    shell(StatusCode::OK, "")
}

/// The shell again: the browser's code finds no screen for the address and says so.
pub(crate) async fn missing() -> Response {
    shell(StatusCode::NOT_FOUND, "")
}

/// The shell with a code: the browser's code explains what went wrong.
pub(crate) fn problem(status: StatusCode, code: &str) -> Response {
    shell(status, code)
}

fn shell(status: StatusCode, problem: &str) -> Response {
    let shell = Shell {
        base: assets::base(),
        styles: assets::ending_in(".css"),
        modules: assets::ending_in(".js"),
        problem: problem.to_owned(),
    };
    match shell.render() {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-cache")], Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn manifest() -> Response {
    match (Manifest { base: assets::base() }).render() {
        Ok(manifest) => (
            [
                (header::CONTENT_TYPE, "application/manifest+json"),
                (header::CACHE_CONTROL, "no-cache"),
            ],
            manifest,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

//! The OpenAPI document and a page to read it, which loads nothing from elsewhere.

use std::sync::LazyLock;

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use bytes::Bytes;

use crate::{Api, openapi::openapi};

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi().to_string().into());

pub(crate) fn router() -> Router<Api> {
    let file = |kind, text| get(async move || ([(header::CONTENT_TYPE, kind)], text));
    Router::new()
        .route("/api/openapi.json", get(document))
        .route("/api/docs", get(async || Html(include_str!("../docs/docs.html"))))
        .route(
            "/api/docs/docs.css",
            file("text/css; charset=utf-8", include_str!("../docs/docs.css")),
        )
        .route(
            "/api/docs/docs.js",
            file("text/javascript; charset=utf-8", include_str!("../docs/docs.js")),
        )
}

async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

//! The Mini App and the web: pages and the browser's code.
//!
//! Every page is the same small shell; the browser's code in `static/` reads the address and shows
//! the screen for it. Files are served as they lie in the repository, under an address that names
//! the build, so that a browser keeps them for ever and never mixes two builds.

mod assets;
mod pages;

use axum::{Router, http::StatusCode, response::Response};

/// The pages, their files, and the page that is shown where nothing is.
///
/// It has a fallback of its own: merge it into a router without one.
pub fn router() -> Router {
    Router::new().merge(pages::router()).merge(assets::router()).fallback(pages::missing)
}

/// The page that explains what went wrong, by a code of the API's.
pub fn problem_page(status: StatusCode, code: &str) -> Response {
    pages::problem(status, code)
}

#[cfg(test)]
mod tests;

//! What the router answers, asked without a socket.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn ask(path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).expect("the path is valid");
    let (head, body) = crate::router().oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("the body is whole").to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn every_screen_has_its_page() {
    for path in [
        "/",
        "/queue/pong",
        "/match/0123456789a",
        "/replay/0123456789a",
        "/rooms",
        "/rooms/KWBTRM",
        "/practice/pyramid",
        "/shots",
        "/shots/draw",
        "/me",
        "/security",
        "/reset",
        "/confirm",
        "/handoff",
        "/users/0123456789a",
        "/top",
    ] {
        let (status, headers, page) = ask(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(page.contains("/main.js"), "{path}");
    }
}

#[tokio::test]
async fn where_nothing_is_the_page_says_so() {
    let (status, headers, page) = ask("/no/such/place").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(page.contains("/main.js"));
}

#[tokio::test]
async fn a_problem_is_told_and_escaped() {
    let page = crate::problem_page(StatusCode::CONFLICT, "\"><script>");
    assert_eq!(page.status(), StatusCode::CONFLICT);
    let page = page.into_body().collect().await.expect("the body is whole").to_bytes();
    let page = String::from_utf8_lossy(&page).into_owned();
    assert!(page.contains(r#"<meta name="artel-problem" content=""#), "{page}");
    assert!(!page.contains("><script>"), "{page}");
}

#[tokio::test]
async fn the_shell_is_strict_and_whole() {
    let (_, _, page) = ask("/").await;
    for tag in page.split('<').filter(|tag| tag.starts_with("script")) {
        assert!(tag.contains(" src=") && tag.ends_with('>'), "an inline script: {tag}");
    }
    assert!(!page.contains("style=") && !page.contains("<style"));
    for after in page.split(" on").skip(1) {
        let word = after.split([' ', '"', '>']).next().unwrap_or_default();
        assert!(!word.contains('='), "an inline handler: on{word}");
    }

    // Everything that the shell names is there.
    let named = page.split('"').filter(|text| text.starts_with("/a/"));
    let mut count = 0;
    for path in named {
        assert_eq!(ask(path).await.0, StatusCode::OK, "{path}");
        count += 1;
    }
    assert!(count > 20, "only {count} files are named");
}

#[tokio::test]
async fn files_have_their_types() {
    let base = crate::assets::base();
    for (path, expected) in [
        ("main.js", "text/javascript; charset=utf-8"),
        ("style/0-tokens.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("games/billiards/shots.json", "application/json"),
        ("games/billiards/reference.json", "application/json"),
    ] {
        let (status, headers, _) = ask(&format!("{base}/{path}")).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (StatusCode::OK, &expected.parse().unwrap())
        );
    }
    assert_eq!(ask("/manifest.webmanifest").await.1["content-type"], "application/manifest+json");
    assert_eq!(ask("/favicon.ico").await.1["content-type"], "image/svg+xml");
}

#[tokio::test]
async fn nothing_else_is_served() {
    let base = crate::assets::base();
    for path in [
        "/a/another/main.js".to_owned(),
        format!("{base}/no-such-file.js"),
        format!("{base}/../src/lib.rs"),
        format!("{base}/..%2fCargo.toml"),
        format!("{base}/%2e%2e/package.json"),
    ] {
        assert_eq!(ask(&path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

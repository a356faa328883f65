//! What every request passes, whatever it asks for.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span, field::Empty};
use url::Url;

use crate::{Api, Origins, problem};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Names the request, in the log and in the answer; counts and times it; writes the document of a
/// problem; sets the headers that keep browsers safe.
///
/// What is logged of a request is its method and its path: the values after the `?` and the headers
/// may hold tickets and tokens.
pub(crate) async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // A trace is named by its route: addresses are too many. What is of no use there is left out.
    let name = format!("{method} {}", route.as_ref().map_or("unmatched", MatchedPath::as_str));
    let span = tracing::info_span!(
        "request",
        request_id = id,
        %method,
        path,
        status = Empty,
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
    );
    // Answers of the API are somebody's, and of the moment.
    let is_private = path.starts_with("/api/");
    let started = Instant::now();
    async move {
        let response = next.run(request).await;
        let mut response = problem::write_out(response, &id);
        let took = started.elapsed();
        let status = response.status();
        let span = Span::current();
        span.record("status", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "error");
        }
        tracing::debug!(status = status.as_u16(), ms = took.as_millis(), "Answered {status}");
        let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
        api.metrics.answered(&method, route, status, took);
        let id = HeaderValue::from_str(&id).expect("an id is letters and digits");
        response.headers_mut().insert(REQUEST_ID.clone(), id);
        if is_private {
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
        }
        guard(response.headers_mut(), &api, is_private);
        response
    }
    .instrument(span)
    .await
}

/// The headers that keep browsers safe. A page that needs another policy has set it already.
fn guard(headers: &mut HeaderMap, api: &Api, is_private: bool) {
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    set(header::CONTENT_SECURITY_POLICY, api.content_security_policy.clone());
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    set(
        PERMISSIONS_POLICY.clone(),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    );
    // Pages that we open, such as Telegram's, may talk to ours; no other page shares its process.
    set(OPENER_POLICY.clone(), HeaderValue::from_static("same-origin-allow-popups"));
    if is_private {
        set(RESOURCE_POLICY.clone(), HeaderValue::from_static("same-origin"));
    }
    if api.https() {
        let year = HeaderValue::from_static("max-age=31536000");
        set(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

/// What pages may load and who may frame them: everything comes from here, but for people's
/// pictures. There is no `X-Frame-Options`, because it can't name Telegram.
pub(crate) fn content_security_policy(public_url: &Url, frame_ancestors: &Origins) -> HeaderValue {
    // Some browsers don't count a page's sockets as its 'self'.
    let sockets = public_url.origin().ascii_serialization().replacen("http", "ws", 1);
    let policy = format!(
        "default-src 'self'; img-src 'self' https: data:; connect-src 'self' {sockets}; \
         object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self' https://web.telegram.org https://*.telegram.org {frame_ancestors}"
    );
    HeaderValue::from_str(policy.trim_end()).expect("origins are ASCII without line ends")
}

//! The one error of this door, and the document that it becomes: RFC 9457.

use std::{any::Any, borrow::Cow, sync::Arc, time::Duration};

use arena::{Error, Refused, Why};
use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not answered as asked.
///
/// As a response it is only a status: [`border::observe`](crate::border::observe), which knows the
/// request's id, writes the document and logs what is ours to mend, once.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<WrongField>,
    retry_after: Option<Duration>,
    fault: Option<anyhow::Error>,
}

/// One value of a request that was wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WrongField {
    /// Its name, with the names of what it is inside of before it.
    #[schema(example = "username")]
    pub(crate) field: String,
    /// What was wrong, and what would be right.
    pub(crate) message: String,
}

/// What went wrong, and what would be right (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// Always `about:blank`: `code` says which problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    #[schema(example = "Conflict")]
    title: &'static str,
    #[schema(example = 409)]
    status: u16,
    /// For people: what was wrong, and what would be right.
    detail: &'a str,
    /// A stable word for programs.
    #[schema(example = "already_in_match")]
    code: &'a str,
    /// Names this request in the server's log.
    request_id: &'a str,
    /// Which values were wrong, when that was the problem.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [WrongField],
}

impl Problem {
    /// A problem with a stable `code`, and a sentence that says what would be right.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Problem {
        let (errors, retry_after, fault) = (Vec::new(), None, None);
        Problem { status, code: code.into(), detail: detail.into(), errors, retry_after, fault }
    }

    /// There is no such thing, or none that you may know of.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// A value of the request is wrong.
    pub(crate) fn invalid(field: String, message: String) -> Problem {
        let detail = match field.as_str() {
            "" => message.clone(),
            field => format!("{field}: {message}"),
        };
        let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        problem.errors.extend((!field.is_empty()).then_some(WrongField { field, message }));
        problem
    }

    /// What stands behind a status that came without a body of ours.
    fn of_status(status: StatusCode) -> Problem {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "the request could not be read"),
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method_not_allowed", "this address answers other methods: see the Allow header")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("payload_too_large", "the request is too large"),
            StatusCode::UPGRADE_REQUIRED => {
                ("upgrade_required", "this address is a WebSocket: ask for an upgrade to one")
            }
            status if status.is_client_error() => ("refused", "the request was refused"),
            _ => ("internal", INTERNAL),
        };
        Problem::new(status, code, detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Whether a response is a problem with this code.
    pub(crate) fn is(response: &Response, code: &str) -> bool {
        response.extensions().get::<Arc<Problem>>().is_some_and(|it| it.code == code)
    }
}

/// All that anyone outside learns of a fault.
const INTERNAL: &str = "something went wrong on our side: tell us the request_id if it goes on";

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        let status = match refused.why {
            Why::Unauthenticated => StatusCode::UNAUTHORIZED,
            Why::Forbidden => StatusCode::FORBIDDEN,
            Why::NotFound => StatusCode::NOT_FOUND,
            Why::Malformed => StatusCode::BAD_REQUEST,
            Why::Conflict => StatusCode::CONFLICT,
            Why::Gone => StatusCode::GONE,
            Why::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Why::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Why::BadGateway => StatusCode::BAD_GATEWAY,
            Why::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        let errors = refused.fields.into_iter();
        Problem {
            status,
            code: refused.code.into(),
            detail: refused.detail.into(),
            errors: errors
                .map(|it| WrongField { field: it.field.into_owned(), message: it.message })
                .collect(),
            retry_after: refused.retry_after,
            fault: None,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Refused(refused) => refused.into(),
            Error::Fault(fault) => fault.into(),
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(fault: anyhow::Error) -> Problem {
        let mut problem = Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
        problem.fault = Some(fault);
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// What a panic in a handler answers.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words");
    Problem::from(anyhow::anyhow!("a handler panicked: {words}")).into_response()
}

/// Gives a refusal its document, and logs it once where it is ours to mend. Answers that are not
/// problems pass.
pub(crate) fn write_out(response: Response, request_id: &str) -> Response {
    let problem = match response.extensions().get::<Arc<Problem>>() {
        Some(problem) => Arc::clone(problem),
        None if is_bare(&response) => Arc::new(Problem::of_status(response.status())),
        None => return response,
    };
    if let Some(fault) = &problem.fault {
        tracing::error!(error = format!("{fault:#}"), "The request failed");
    }
    let document = Json(Document {
        kind: "about:blank",
        title: problem.status.canonical_reason().unwrap_or("Error"),
        status: problem.status.as_u16(),
        detail: &problem.detail,
        code: &problem.code,
        request_id,
        errors: &problem.errors,
    });
    let (document, body) = document.into_response().into_parts();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(document.headers);
    let kind = HeaderValue::from_static("application/problem+json");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    if let Some(after) = problem.retry_after {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        parts.headers.insert(header::RETRY_AFTER, seconds.max(1).into());
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        parts.headers.insert(header::WWW_AUTHENTICATE, bearer);
    }
    Response::from_parts(parts, body)
}

/// Whether an error came from a library that says nothing, or nothing that a program could read.
fn is_bare(response: &Response<Body>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let silent = kind.is_none_or(|it| it.starts_with(b"text/plain"));
    silent && (response.status().is_client_error() || response.status().is_server_error())
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn what_breaks_inside_stays_inside() {
        for response in [
            panicked(Box::new("at secret.rs:7")),
            panicked(Box::new("secret".to_owned())),
            Problem::from(anyhow::anyhow!("no such table: secret")).into_response(),
            Problem::from(Error::Fault(anyhow::anyhow!("secret"))).into_response(),
            StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            (StatusCode::BAD_GATEWAY, "secret").into_response(),
        ] {
            let response = write_out(response, "7");
            assert!(response.status().is_server_error());
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
            let body = to_bytes(response.into_body(), 1024).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&body["code"], &body["detail"]), (&"internal".into(), &INTERNAL.into()));
            assert_eq!(body["request_id"], "7");
        }
    }
}

//! What handlers take from a request, each parsed before it is used. Every refusal says what was
//! wrong and what would be right.

use std::time::Duration;

use arena::{Device, MatchId, Principal, ReportId, RequestKey, SanctionId, UserId};
use axum::{
    body::BodyDataStream,
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, OptionalFromRequestParts, Path, Query,
        Request,
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use games::Kind;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{Api, Problem, address::ClientAddress, patience::TooSlow};

/// No request body needs more.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How much of a body that is too large is read all the same, and for how long.
const DISCARDED_BYTES_MAX: usize = 2 * 1024 * 1024;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(1);
/// What a message may quote of the request.
const MESSAGE_CHARS_MAX: usize = 300;
/// By which a request that came twice is done once.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Who acts: the bearer of an access token. A handler that takes none is public.
pub(crate) struct By(pub(crate) Principal);

impl FromRequestParts<Api> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<By, Problem> {
        let by = match parts.extensions.get::<Principal>() {
            Some(principal) => *principal,
            None => principal(&parts.headers, api)?,
        };
        let address = parts.extensions.get::<ClientAddress>().map(|it| it.0);
        Ok(By(Principal { address, ..by }))
    }
}

impl OptionalFromRequestParts<Api> for By {
    type Rejection = Problem;

    /// Nobody, where no token is or none that is good.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Option<By>, Problem> {
        Ok(<By as FromRequestParts<Api>>::from_request_parts(parts, api).await.ok())
    }
}

/// Who a request says it is from, checked.
pub(crate) fn principal(headers: &HeaderMap, api: &Api) -> Result<Principal, Problem> {
    let token = headers.get(header::AUTHORIZATION).and_then(|it| {
        let (scheme, token) = it.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let token = token.ok_or_else(|| {
        let detail = "sign in first: send `Authorization: Bearer` and an access token";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    })?;
    Ok(api.arena.authenticate(token)?)
}

/// A JSON object as the body. `Option<Body<T>>` where there need not be one.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Body<T>, Problem> {
        require_json(request.headers())?;
        parse(&read(request).await?).map(Body)
    }
}

/// A JSON object as the body of a request that makes something, and the key by which to do it once.
pub(crate) struct Once<T> {
    pub(crate) body: T,
    pub(crate) key: Option<RequestKey>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Once<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Once<T>, Problem> {
        require_json(request.headers())?;
        let name = request.headers().get(IDEMPOTENCY_KEY).cloned();
        let path = format!("{} {}", request.method(), request.uri().path());
        let bytes = read(request).await?;
        let body = parse(&bytes)?;
        let key = name.map(|name| {
            // However it was written: a value's names come sorted.
            let asked: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            RequestKey::new(name.to_str().unwrap_or(""), &format!("{path}\n{asked}"))
        });
        Ok(Once { body, key: key.transpose()? })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Body<T>>, Problem> {
        let typed = require_json(request.headers());
        let bytes = read(request).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        typed?;
        parse(&bytes).map(|it| Some(Body(it)))
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "the body must be JSON: send `Content-Type: application/json`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok()).unwrap_or(0);
    let mut chunks = request.into_body().into_data_stream();
    let mut bytes = BytesMut::new();
    let all = async {
        while length <= BODY_BYTES_MAX && bytes.len() <= BODY_BYTES_MAX {
            let Some(chunk) = chunks.next().await.transpose()? else { return Ok(true) };
            bytes.extend_from_slice(&chunk);
        }
        Ok::<_, axum::Error>(false)
    };
    match all.await {
        Ok(true) if bytes.len() <= BODY_BYTES_MAX => Ok(bytes.freeze()),
        Ok(_) => {
            discard(chunks, length).await;
            let detail = format!("the body is too large: at most {BODY_BYTES_MAX} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail))
        }
        Err(error) => Err(match error.into_inner().is::<TooSlow>() {
            true => {
                let detail = "the body did not come in time: send it at once";
                Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
            }
            false => Problem::new(StatusCode::BAD_REQUEST, "bad_request", "the body broke off"),
        }),
    }
}

/// Throws away what a client sends that is not listening yet, so that it hears the answer.
async fn discard(mut chunks: BodyDataStream, length: usize) {
    let rest = async {
        let mut total = 0;
        while length <= DISCARDED_BYTES_MAX && total <= DISCARDED_BYTES_MAX {
            let Some(Ok(chunk)) = chunks.next().await else { return };
            total += chunk.len();
        }
    };
    // Who takes longer has lost it.
    let _ = tokio::time::timeout(DISCARD_TIME_MAX, rest).await;
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed =
        |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    // Serde would also read a struct from an array of its values.
    if bytes.trim_ascii_start().first().is_some_and(|&it| matches!(it, b'[')) {
        let message = "the body must be a JSON object, not an array".to_owned();
        return Err(Problem::invalid(String::new(), message));
    }
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize::<_, T>(&mut from).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        let message = error.to_string();
        if !error.is_data() || message.starts_with("duplicate field") {
            return malformed(format!("the body is not well-formed JSON: {}", cut(&message)));
        }
        let place = format!(" at line {} column {}", error.line(), error.column());
        wrong_value(&path, message.strip_suffix(&place).unwrap_or(&message))
    })?;
    from.end()
        .map_err(|_| malformed("the body must be one JSON object and nothing else".into()))?;
    Ok(value)
}

/// A refusal of a value, from what serde says of it.
fn wrong_value(path: &str, message: &str) -> Problem {
    let inside = if path == "." { "" } else { path };
    let named =
        ["unknown field `", "missing field `", "duplicate field `"].iter().find_map(|start| {
            let (name, _) = message.strip_prefix(start)?.split_once('`')?;
            // Serde's path may or may not end in the name already.
            let outer = inside.strip_suffix(name).map_or(inside, |it| it.trim_end_matches('.'));
            Some(if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") })
        });
    Problem::invalid(cut(&named.unwrap_or_else(|| inside.to_owned())), cut(message))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The values after the `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Problem> {
        let Query(value) = Query::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            match text.split_once(": ") {
                Some((path, message)) if !path.contains(['`', ' ']) => wrong_value(path, message),
                _ => wrong_value(".", text),
            }
        })?;
        Ok(Asked(value))
    }
}

/// Reads a yes or no after the `?`: `cookie=1`.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match String::deserialize(from)?.as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(serde::de::Error::custom("expected 1 or 0")),
    }
}

/// What the one variable part of a path names. One that can't be parsed names nothing: 404.
pub(crate) struct Named<T>(pub(crate) T);

/// What can be named in a path.
pub(crate) trait InPath: Sized {
    /// What a name stands for; the error is a sentence.
    fn parse(name: &str) -> Result<Self, &'static str>;
}

impl InPath for UserId {
    fn parse(name: &str) -> Result<UserId, &'static str> {
        name.parse().map_err(|_| "there is no such user")
    }
}

impl InPath for MatchId {
    fn parse(name: &str) -> Result<MatchId, &'static str> {
        name.parse().map_err(|_| "there is no such match")
    }
}

impl InPath for SanctionId {
    fn parse(name: &str) -> Result<SanctionId, &'static str> {
        name.parse().map_err(|_| "nothing like that was done about anybody")
    }
}

impl InPath for ReportId {
    fn parse(name: &str) -> Result<ReportId, &'static str> {
        name.parse().map_err(|_| "there is no such report")
    }
}

/// A room's code, as people write it: whether there is such a room is the arena's to say.
impl InPath for String {
    fn parse(name: &str) -> Result<String, &'static str> {
        Ok(name.to_owned())
    }
}

impl InPath for Kind {
    fn parse(name: &str) -> Result<Kind, &'static str> {
        name.parse().map_err(|_| "there is no such game: GET /api/games lists them")
    }
}

impl<T: InPath, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named<T>, Problem> {
        let name = <Path<String> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        let name = name.map(|Path(name)| name).unwrap_or_default();
        T::parse(&name).map(Named).map_err(Problem::not_found)
    }
}

/// What signs in: the client's own name, the language that its user reads, and where it is.
pub(crate) struct OnDevice(pub(crate) Device);

impl<S: Send + Sync> FromRequestParts<S> for OnDevice {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<OnDevice, Problem> {
        let text = |name| parts.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or("");
        Ok(OnDevice(Device {
            user_agent: text(header::USER_AGENT).to_owned(),
            language: Some(text(header::ACCEPT_LANGUAGE).to_owned()),
            address: parts.extensions.get::<ClientAddress>().map(|it| it.0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it parses matters")]
    struct Person {
        name: String,
        #[serde(default)]
        age: u8,
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let found = match parse::<Person>(body.as_bytes()) {
            Ok(_) => "good".to_owned(),
            Err(problem) => format!("{} {problem}", problem.status().as_u16()),
        };
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn a_body_is_refused_with_the_field_that_was_wrong() {
        check(r#"{"name":"Ann"}"#, "good");
        check(r#"{"nam":1}"#, "422 nam: unknown field `nam`, expected `name` or `age`");
        check(r#"{"age":1}"#, "422 name: missing field `name`");
        check(r#"{"name":1}"#, "422 name: invalid type: integer `1`, expected a string");
        check(r#"{"name":"","age":300}"#, "422 age: invalid value: integer `300`, expected u8");
        check(r#"["Ann"]"#, "422 the body must be a JSON object, not an array");
        check("5", "422 invalid type: integer `5`, expected struct Person");
        check(
            r#"{"name":"","name":""}"#,
            "400 the body is not well-formed JSON: duplicate field `name` at line 1 column 17",
        );
        check(
            r#"{"name":"""#,
            "400 the body is not well-formed JSON: EOF while parsing an object at line 1 column 10",
        );
        check(r#"{"name":""} x"#, "400 the body must be one JSON object and nothing else");
    }
}

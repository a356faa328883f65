//! Signing in, staying so and signing out.
//!
//! A browser asks with `?cookie=1` and gets the refresh token as a cookie that its scripts can't
//! read. A cookie is sent by the browser whoever made it ask, so who relies on it must also send
//! the header `X-Artel: 1`: another site's page can't without our leave, which it does not have.

use arena::{NewAccount, User};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    address::ClientAddress,
    extract::{Asked, Body, OnDevice, flag},
    security::page,
};

const COOKIE: &str = "artel_refresh";
/// Says that somebody has signed in by a name in this browser: it opens nothing, but tries of that
/// name here are counted apart from those of others.
const KNOWN_COOKIE: &str = "artel_known";
const KNOWN_SECONDS: u32 = 180 * 24 * 60 * 60;
/// As long as the token in it lives.
const COOKIE_SECONDS: u32 = 30 * 24 * 60 * 60;
static CSRF_HEADER: HeaderName = HeaderName::from_static("x-artel");

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(telegram))
        .routes(routes!(refresh))
        .routes(routes!(logout))
}

/// A sign-in: what proves it, and who it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// A JWT: send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token is good for nothing.
    #[schema(example = 900)]
    expires_in: u64,
    /// Gives the next session, once. Absent when it went into the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    user: User,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// `1`: put the refresh token into an HttpOnly cookie instead of the body.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<u8>, example = 1)]
    pub(crate) cookie: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// A username or an e-mail address.
    #[schema(example = "ann_b")]
    login: String,
    #[schema(format = Password)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TelegramSignIn {
    /// The raw string that Telegram gave the page.
    init_data: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshToken {
    refresh_token: String,
}

/// Makes an account with a password and signs it in
#[utoipa::path(
    post, path = "/api/auth/register", tag = "Sign-in",
    params(Wish), request_body = NewAccount, responses((status = 201, body = Session))
)]
async fn register(
    State(api): State<Api>,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    Body(new): Body<NewAccount>,
) -> Result<Response, Problem> {
    let has_email = new.email.is_some();
    let session = api.arena.register(new, &device).await?;
    if has_email {
        api.arena.ask_to_confirm(session.user.id, page(&api, "/confirm")).await?;
    }
    Ok((StatusCode::CREATED, signed_in(&api, session, wish.cookie)).into_response())
}

/// Signs in with a password
#[utoipa::path(
    post, path = "/api/auth/login", tag = "Sign-in",
    params(Wish), request_body = Login, responses((status = 200, body = Session))
)]
async fn login(
    State(api): State<Api>,
    headers: HeaderMap,
    address: ClientAddress,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    Body(Login { login, password }): Body<Login>,
) -> Result<Response, Problem> {
    let known = cookie(&headers, KNOWN_COOKIE).filter(|it| api.arena.knows_browser(&login, it));
    api.log_in(address, &login, known).await?;
    let session = api.arena.login(&login, &password, &device).await?;
    let known = api.arena.know_browser(&login);
    let response = signed_in(&api, session, wish.cookie);
    let known = wish.cookie.then(|| set_cookie(&api, KNOWN_COOKIE, &known, KNOWN_SECONDS));
    Ok((AppendHeaders(known), response).into_response())
}

/// Signs in with what Telegram told the Mini App; the first time makes the account
#[utoipa::path(
    post, path = "/api/auth/telegram", tag = "Sign-in",
    params(Wish), request_body = TelegramSignIn, responses((status = 200, body = Session))
)]
async fn telegram(
    State(api): State<Api>,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    Body(TelegramSignIn { init_data }): Body<TelegramSignIn>,
) -> Result<Response, Problem> {
    let session = api.arena.telegram_sign_in(&init_data, &device).await?;
    Ok(signed_in(&api, session, wish.cookie))
}

/// Spends a refresh token and gives its successor
///
/// Without a body the cookie is spent; then the header `X-Artel: 1` must be there.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "Sign-in",
    params(Wish), request_body = Option<RefreshToken>, responses((status = 200, body = Session))
)]
async fn refresh(
    State(api): State<Api>,
    headers: HeaderMap,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    body: Option<Body<RefreshToken>>,
) -> Result<Response, Problem> {
    if let Some(Body(RefreshToken { refresh_token })) = body {
        let session = api.arena.refresh(&refresh_token, &device).await?;
        return Ok(signed_in(&api, session, wish.cookie));
    }
    let Some(token) = from_cookie(&headers)? else {
        let detail = "send a refresh_token in the body, or its cookie: sign in to get one";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "refresh_token_missing", detail));
    };
    match api.arena.refresh(token, &device).await.map_err(Problem::from) {
        Ok(session) => Ok(signed_in(&api, session, true)),
        // The browser would go on sending it.
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            Ok((forget_cookie(&api), problem).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Ends the session that a refresh token belongs to
///
/// Without a body it is the cookie's; then the header `X-Artel: 1` must be there.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "Sign-in",
    request_body = Option<RefreshToken>,
    responses((status = 204, description = "Signed out, also if it was so already"))
)]
async fn logout(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Option<Body<RefreshToken>>,
) -> Result<Response, Problem> {
    if let Some(Body(RefreshToken { refresh_token })) = body {
        api.arena.logout(&refresh_token).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if let Some(token) = from_cookie(&headers)? {
        api.arena.logout(token).await?;
    }
    Ok((StatusCode::NO_CONTENT, forget_cookie(&api)).into_response())
}

pub(crate) fn signed_in(api: &Api, session: arena::Session, by_cookie: bool) -> Response {
    let arena::Session { access_token, expires_in, refresh_token, user } = session;
    let cookie = by_cookie.then(|| refresh_cookie(api, &refresh_token));
    let refresh_token = (!by_cookie).then_some(refresh_token);
    let token_type = "Bearer";
    let session = Session { access_token, token_type, expires_in, refresh_token, user };
    (AppendHeaders(cookie), Json(session)).into_response()
}

/// The cookie with a new refresh token.
pub(crate) fn refresh_cookie(api: &Api, token: &str) -> (HeaderName, HeaderValue) {
    set_cookie(api, COOKIE, token, COOKIE_SECONDS)
}

fn forget_cookie(api: &Api) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    AppendHeaders([set_cookie(api, COOKIE, "", 0)])
}

fn set_cookie(api: &Api, name: &str, token: &str, seconds: u32) -> (HeaderName, HeaderValue) {
    // Within the frame of web.telegram.org ours is the third party, whose cookies must be named as
    // such; browsers take that by https only.
    let site = match api.https() {
        true => "SameSite=None; Secure; Partitioned",
        false => "SameSite=Lax",
    };
    let cookie = format!("{name}={token}; Path=/api/auth; Max-Age={seconds}; HttpOnly; {site}");
    let cookie = HeaderValue::from_str(&cookie).expect("tokens are letters, digits, - and _");
    (header::SET_COOKIE, cookie)
}

/// The refresh token of the request's cookie, if there is one.
fn from_cookie(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let token = cookie(headers, COOKIE);
    if token.is_some() && headers.get(&CSRF_HEADER).is_none_or(|it| it != "1") {
        let detail = "who relies on the cookie must also send the header `X-Artel: 1`";
        return Err(Problem::new(StatusCode::FORBIDDEN, "csrf_header_missing", detail));
    }
    Ok(token)
}

/// The value of a cookie, if there is one of this name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(its_name, _)| *its_name == name).map(|(_, value)| value)
}

//! Signing in by another's word: the way to a provider and back, and on to where one was.
//!
//! A browser at a provider keeps a cookie of ours, which the provider's answer is bound to. It is
//! never sent along with requests that other sites make, but for the one that leads back here.

use arena::{Answer, Handoff, HandoffResult, Linking, ResetBy, Returned, Visit, Way};
use axum::{
    Extension, Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    address::ClientAddress,
    auth::{Wish, cookie, refresh_cookie, signed_in},
    extract::{Asked, Body, By, OnDevice},
};

/// As long as somebody may take at the provider.
const COOKIE_SECONDS: u32 = 10 * 60;
/// By how much of its secret a handoff is told from others.
const SECRET_SHOWN: usize = 8;
/// What we make is as long.
const COOKIE_BYTES: usize = 43;

/// What people see of a refusal on their way to a provider or back: a page of this status, that
/// explains this code.
#[derive(Clone, Copy)]
pub struct ProblemPage(pub fn(StatusCode, &str) -> Response);

/// The addresses that browsers go to.
pub(crate) fn pages() -> Router<Api> {
    Router::new().route("/auth/{way}", get(go)).route("/auth/{way}/callback", get(back))
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(options))
        .routes(routes!(begin_link))
        .routes(routes!(link_telegram))
        .routes(routes!(link_password))
        .routes(routes!(begin_handoff))
        .routes(routes!(finish_handoff))
}

#[derive(Deserialize)]
struct Question {
    next: Option<String>,
    link: Option<String>,
    handoff: Option<String>,
}

/// Sends a browser to a provider: `/auth/google?next=/me`; with `link=1` to join what they are
/// there to the account of the access token.
async fn go(
    State(api): State<Api>,
    by: Option<By>,
    Extension(page): Extension<ProblemPage>,
    headers: HeaderMap,
    Path(way): Path<String>,
    Query(question): Query<Question>,
) -> Response {
    let visit = match (question.link, by, question.handoff) {
        (Some(_), Some(By(by)), _) => Visit::Link(by),
        // A browser that goes somewhere sends no token: who is signed in there is known to the
        // page only, which begins to link when its button is pressed.
        (Some(_), None, _) => return see("/security", None),
        (None, _, Some(ticket)) => Visit::Handoff(ticket),
        (None, _, None) => Visit::SignIn(question.next.unwrap_or_default()),
    };
    let went = async { begin(&api, known(&way)?, visit, &headers).await };
    match went.await {
        Ok((url, cookie)) => see(url.as_str(), Some(cookie)),
        Err(problem) => explained(page, problem),
    }
}

/// Takes a browser that a provider sends back.
async fn back(
    State(api): State<Api>,
    Extension(page): Extension<ProblemPage>,
    OnDevice(device): OnDevice,
    headers: HeaderMap,
    Path(way): Path<String>,
    Query(said): Query<Vec<(String, String)>>,
) -> Response {
    let one = |name: &str| {
        let mut found = said.iter().filter(|it| it.0 == name).map(|it| it.1.clone());
        found.next().filter(|_| found.next().is_none())
    };
    let code = match one("error") {
        Some(error) => Err(error),
        None => Ok(one("code").unwrap_or_default()),
    };
    let answer = Answer { state: one("state").unwrap_or_default(), code, issuer: one("iss") };
    let returned = async {
        let way = known(&way)?;
        let browser = cookie(&headers, cookie_name(&api));
        let address = callback(&api, way, &headers);
        let arena = &api.arena;
        let returned = arena.back_from_provider(way, answer, browser, &address, &device).await;
        returned.map_err(Problem::from)
    };
    match returned.await {
        Ok(Returned::SignedIn(session, next)) => {
            let cookie = refresh_cookie(&api, &session.refresh_token);
            see(&next, Some(cookie))
        }
        Ok(Returned::Linked(Linking::Linked)) => see("/security#linked", None),
        Ok(Returned::Linked(Linking::Offered(_))) => {
            explained(page, Problem::new(StatusCode::CONFLICT, "merge_offered", MERGE_OFFERED))
        }
        // What is after the # is not sent to anybody.
        Ok(Returned::HandedOff(code)) => see(&format!("/handoff#{code}"), None),
        Err(problem) => explained(page, problem),
    }
}

const MERGE_OFFERED: &str = "this leads to another account of yours: the two can be made one, see \
                             GET /api/me/sign-in";

fn explained(ProblemPage(page): ProblemPage, problem: Problem) -> Response {
    page(problem.status(), problem.code())
}

/// Leads a browser on. Nothing of an address with secrets in it is kept.
fn see(place: &str, cookie: Option<(HeaderName, HeaderValue)>) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let no_store = HeaderValue::from_static("no-store");
    let headers = [(header::LOCATION, place), (header::CACHE_CONTROL, no_store)];
    (StatusCode::SEE_OTHER, AppendHeaders(headers), AppendHeaders(cookie)).into_response()
}

fn known(way: &str) -> Result<Way, Problem> {
    let unknown = || Problem::not_found("there is no such way to sign in");
    way.parse::<Way>().ok().filter(|it| *it != Way::Password).ok_or_else(unknown)
}

/// Where a provider is to send a browser back to: to the name of ours that it knows us by, since
/// its cookie belongs to that. Only names that are set or this machine's own.
fn callback(api: &Api, way: Way, headers: &HeaderMap) -> Url {
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let origin = format!("{}://{host}", api.public_url.scheme());
    let known = api.origins.iter().find(|it| **it == origin).and_then(|it| it.parse().ok());
    let mut url = known.unwrap_or_else(|| api.public_url.clone());
    url.set_path(&format!("/auth/{}/callback", way.name()));
    url
}

/// Where to send a browser, and the cookie that it is to keep meanwhile.
async fn begin(
    api: &Api,
    way: Way,
    visit: Visit,
    headers: &HeaderMap,
) -> Result<(Url, (HeaderName, HeaderValue)), Problem> {
    // Two tabs that begin at once share it: what an answer is bound to differs by its state.
    let plain = |it: &u8| it.is_ascii_alphanumeric() || b"-_".contains(it);
    let kept = cookie(headers, cookie_name(api));
    let kept = kept.filter(|it| it.len() == COOKIE_BYTES && it.as_bytes().iter().all(plain));
    let browser = kept.map_or_else(|| api.arena.new_browser(), str::to_owned);
    let url = api.arena.go_to_provider(way, visit, &browser, &callback(api, way, headers)).await?;
    let name = cookie_name(api);
    let secure = if api.https() { "; Secure" } else { "" };
    let text = format!(
        "{name}={browser}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    );
    let value = HeaderValue::from_str(&text).expect("it is letters, digits, - and _");
    Ok((url, (header::SET_COOKIE, value)))
}

/// By https, a name that no other host of the same site can set.
fn cookie_name(api: &Api) -> &'static str {
    if api.https() { "__Host-artel_flow" } else { "artel_flow" }
}

/// Which ways to sign in this server has.
#[derive(Serialize, ToSchema)]
struct SignInOptions {
    /// By Google: `GET /auth/google`.
    google: bool,
    /// By Telegram on the web: `GET /auth/telegram`.
    telegram: bool,
    /// By Telegram in the Mini App.
    mini_app: bool,
    /// Where a lost password can be asked for; nowhere when empty.
    reset: Vec<ResetBy>,
}

/// Which ways to sign in this server has
#[utoipa::path(
    get, path = "/api/auth/options", tag = "Sign-in",
    responses((status = 200, body = SignInOptions))
)]
async fn options(State(api): State<Api>) -> Json<SignInOptions> {
    Json(SignInOptions {
        google: api.arena.knows_provider(Way::Google),
        telegram: api.arena.knows_provider(Way::Telegram),
        mini_app: api.arena.has_telegram(),
        reset: api.arena.reset_ways(),
    })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLink {
    /// `google` or `telegram`.
    way: Way,
}

/// Where a browser is to go.
#[derive(Serialize, ToSchema)]
struct GoThere {
    #[schema(value_type = String)]
    url: Url,
}

/// Begins to join what I am at a provider to my account: the answer says where to go
#[utoipa::path(
    post, path = "/api/auth/links", tag = "Sign-in", security(("bearer" = [])),
    request_body = NewLink, responses((status = 200, body = GoThere))
)]
async fn begin_link(
    State(api): State<Api>,
    By(by): By,
    headers: HeaderMap,
    Body(NewLink { way }): Body<NewLink>,
) -> Result<Response, Problem> {
    let way = known(way.name())?;
    let (url, cookie) = begin(&api, way, Visit::Link(by), &headers).await?;
    Ok((AppendHeaders([cookie]), Json(GoThere { url })).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InitDataLink {
    /// The raw string that Telegram gave the page.
    init_data: String,
}

/// Joins my Telegram account, from inside the Mini App
///
/// `merge_offered` when it leads to another account: see `GET /api/me/sign-in`.
#[utoipa::path(
    post, path = "/api/auth/link/telegram", tag = "Sign-in", security(("bearer" = [])),
    request_body = InitDataLink, responses((status = 204, description = "Joined"))
)]
async fn link_telegram(
    State(api): State<Api>,
    By(by): By,
    Body(InitDataLink { init_data }): Body<InitDataLink>,
) -> Result<StatusCode, Problem> {
    linked(api.arena.link_by_init_data(&by, &init_data).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordLink {
    /// A username or an e-mail address.
    #[schema(example = "ann_b")]
    login: String,
    #[schema(format = Password)]
    password: String,
}

/// Shows that another account is mine, by its password: then the two can be merged
#[utoipa::path(
    post, path = "/api/auth/link/password", tag = "Sign-in", security(("bearer" = [])),
    request_body = PasswordLink, responses((status = 204, description = "Joined"))
)]
async fn link_password(
    State(api): State<Api>,
    By(by): By,
    address: ClientAddress,
    Body(PasswordLink { login, password }): Body<PasswordLink>,
) -> Result<StatusCode, Problem> {
    // Who is signed in guesses no faster than who is not.
    api.log_in(address, &login, None).await?;
    linked(api.arena.link_password(&by, &login, &password).await?)
}

fn linked(linking: Linking) -> Result<StatusCode, Problem> {
    match linking {
        Linking::Linked => Ok(StatusCode::NO_CONTENT),
        Linking::Offered(_) => {
            Err(Problem::new(StatusCode::CONFLICT, "merge_offered", MERGE_OFFERED))
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHandoff {
    /// `google` or `telegram`.
    way: Way,
    /// Whether to join it to my account, rather than to sign in.
    #[serde(default)]
    link: bool,
}

/// Begins a sign-in in another browser, for a page whose own the provider refuses
///
/// The page opens `/auth/{way}?handoff={ticket}` there, and asks its user for the code that they
/// are shown when they come back. To join it to an account, send that account's access token.
#[utoipa::path(
    post, path = "/api/auth/handoffs", tag = "Sign-in",
    request_body = NewHandoff, responses((status = 201, body = Handoff))
)]
async fn begin_handoff(
    State(api): State<Api>,
    by: Option<By>,
    Body(NewHandoff { way, link }): Body<NewHandoff>,
) -> Result<Response, Problem> {
    let by = match (link, &by) {
        (false, _) => None,
        (true, Some(By(by))) => Some(by),
        (true, None) => {
            let detail = "sign in first: send `Authorization: Bearer` and an access token";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail));
        }
    };
    let handoff = api.arena.begin_handoff(known(way.name())?, by).await?;
    Ok((StatusCode::CREATED, Json(handoff)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandoffCode {
    /// As it was answered when this began.
    secret: String,
    /// Six digits that the other browser shows.
    #[schema(example = "482193")]
    code: String,
}

/// Finishes a sign-in that was begun in another browser
///
/// Answers a session; or, with the access token of who began it to join, 204, or `merge_offered`
/// when that leads to another account.
#[utoipa::path(
    post, path = "/api/auth/handoffs/finish", tag = "Sign-in",
    params(Wish), request_body = HandoffCode,
    responses((status = 200, body = crate::auth::Session), (status = 204, description = "Joined"))
)]
async fn finish_handoff(
    State(api): State<Api>,
    by: Option<By>,
    address: ClientAddress,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    Body(HandoffCode { secret, code }): Body<HandoffCode>,
) -> Result<Response, Problem> {
    // A code has six digits: trying them is guessing, as with passwords. What stands for the
    // handoff is too little of its secret to be one.
    let which = secret.get(..SECRET_SHOWN).unwrap_or_default();
    api.log_in(address, &format!("code {which}"), None).await?;
    let by = by.map(|By(by)| by);
    match api.arena.finish_handoff(&secret, &code, by.as_ref(), &device).await? {
        HandoffResult::SignedIn(session) => Ok(signed_in(&api, *session, wish.cookie)),
        HandoffResult::Linked(linking) => linked(linking).map(IntoResponse::into_response),
    }
}

//! How I sign in: my ways in, my password and address, where I am signed in, and two accounts of
//! mine made one.

use arena::{MergeId, MySession, MyWays, NewPassword, ResetBy, SessionId, User, Way};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    address::ClientAddress,
    auth::{Wish, signed_in},
    extract::{Asked, Body, By, InPath, Named, OnDevice, flag},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(my_ways))
        .routes(routes!(unlink))
        .routes(routes!(set_password))
        .routes(routes!(set_email))
        .routes(routes!(merge, decline_merge))
        .routes(routes!(my_sessions, end_sessions))
        .routes(routes!(end_session))
        .routes(routes!(forgot_password))
        .routes(routes!(reset_password))
        .routes(routes!(confirm_email))
}

impl InPath for Way {
    fn parse(name: &str) -> Result<Way, &'static str> {
        name.parse().map_err(|()| "there is no such way to sign in")
    }
}

impl InPath for SessionId {
    fn parse(name: &str) -> Result<SessionId, &'static str> {
        name.parse().map_err(|_| "you have no such sign-in")
    }
}

/// A page of ours.
pub(crate) fn page(api: &Api, path: &str) -> Url {
    let mut url = api.public_url.clone();
    url.set_path(path);
    url
}

/// How I sign in
#[utoipa::path(
    get, path = "/api/me/sign-in", tag = "Me", security(("bearer" = [])),
    responses((status = 200, body = MyWays))
)]
async fn my_ways(State(api): State<Api>, By(by): By) -> Result<Json<MyWays>, Problem> {
    Ok(Json(api.arena.my_ways(&by).await?))
}

/// Gives up a way in, unless it is the last
#[utoipa::path(
    delete, path = "/api/me/ways/{way}", tag = "Me", security(("bearer" = [])),
    params(("way" = Way, Path)), responses((status = 204, description = "Given up"))
)]
async fn unlink(
    State(api): State<Api>,
    By(by): By,
    Named(way): Named<Way>,
) -> Result<StatusCode, Problem> {
    api.arena.unlink(&by, way).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets my password, and ends my other sign-ins
#[utoipa::path(
    put, path = "/api/me/password", tag = "Me", security(("bearer" = [])),
    request_body = NewPassword, responses((status = 200, body = User))
)]
async fn set_password(
    State(api): State<Api>,
    By(by): By,
    address: ClientAddress,
    Body(new): Body<NewPassword>,
) -> Result<Json<User>, Problem> {
    // Whoever has somebody's phone for a minute guesses no faster than at the door.
    api.log_in(address, &format!("account {}", by.user_id), None).await?;
    Ok(Json(api.arena.set_password(&by, new).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Email {
    /// Null to have none.
    #[schema(max_length = 254, format = "email")]
    email: Option<String>,
}

/// Says which e-mail address is mine; a letter asks to confirm it
#[utoipa::path(
    put, path = "/api/me/email", tag = "Me", security(("bearer" = [])),
    request_body = Email, responses((status = 204, description = "Noted"))
)]
async fn set_email(
    State(api): State<Api>,
    By(by): By,
    Body(Email { email }): Body<Email>,
) -> Result<StatusCode, Problem> {
    api.arena.set_email(&by, email, page(&api, "/confirm")).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Merge {
    /// The offer's, from `GET /api/me/sign-in`.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    id: MergeId,
}

/// Makes the other account that was shown to be mine one with this
#[utoipa::path(
    post, path = "/api/me/merge", tag = "Me", security(("bearer" = [])),
    request_body = Merge, responses((status = 200, body = User))
)]
async fn merge(
    State(api): State<Api>,
    By(by): By,
    Body(Merge { id }): Body<Merge>,
) -> Result<Json<User>, Problem> {
    Ok(Json(api.arena.merge(&by, id).await?))
}

/// Lets an offer to merge go
#[utoipa::path(
    delete, path = "/api/me/merge", tag = "Me", security(("bearer" = [])),
    responses((status = 204, description = "Gone"))
)]
async fn decline_merge(State(api): State<Api>, By(by): By) -> Result<StatusCode, Problem> {
    api.arena.decline_merge(&by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where somebody is signed in.
#[derive(Serialize, ToSchema)]
struct MySessions {
    /// The last used first.
    items: Vec<MySession>,
}

/// Where I am signed in
#[utoipa::path(
    get, path = "/api/me/sessions", tag = "Me", security(("bearer" = [])),
    responses((status = 200, body = MySessions))
)]
async fn my_sessions(State(api): State<Api>, By(by): By) -> Result<Json<MySessions>, Problem> {
    Ok(Json(MySessions { items: api.arena.my_sessions(&by).await? }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `1`: all but the one that asks.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<u8>, example = 1)]
    others: bool,
}

/// Signs me out everywhere
#[utoipa::path(
    delete, path = "/api/me/sessions", tag = "Me", security(("bearer" = [])),
    params(Which), responses((status = 204, description = "Signed out"))
)]
async fn end_sessions(
    State(api): State<Api>,
    By(by): By,
    Asked(which): Asked<Which>,
) -> Result<StatusCode, Problem> {
    api.arena.end_my_sessions(&by, which.others).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs me out on one device
#[utoipa::path(
    delete, path = "/api/me/sessions/{id}", tag = "Me", security(("bearer" = [])),
    params(("id" = String, Path)), responses((status = 204, description = "Signed out"))
)]
async fn end_session(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<SessionId>,
) -> Result<StatusCode, Problem> {
    api.arena.end_my_session(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lost {
    /// A username or an e-mail address.
    #[schema(example = "ann_b")]
    login: String,
}

/// Where a link was sent, if there is such an account.
#[derive(Serialize, ToSchema)]
struct LookThere {
    /// Nowhere when empty: then only the operator of this server can help.
    ways: Vec<ResetBy>,
}

/// Asks for a new password
///
/// The answer is the same whether there is such an account or not.
#[utoipa::path(
    post, path = "/api/auth/password/forgot", tag = "Sign-in",
    request_body = Lost, responses((status = 202, body = LookThere))
)]
async fn forgot_password(
    State(api): State<Api>,
    address: ClientAddress,
    Body(Lost { login }): Body<Lost>,
) -> Result<(StatusCode, Json<LookThere>), Problem> {
    api.log_in(address, &format!("lost {login}"), None).await?;
    api.arena.forgot_password(login, page(&api, "/reset"));
    Ok((StatusCode::ACCEPTED, Json(LookThere { ways: api.arena.reset_ways() })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// What came in the link.
    token: String,
    #[schema(min_length = 8, max_length = 128, format = Password)]
    password: String,
}

/// Sets a new password by what came in a link, ends all sign-ins, and signs in
#[utoipa::path(
    post, path = "/api/auth/password/reset", tag = "Sign-in",
    params(Wish), request_body = Reset, responses((status = 200, body = crate::auth::Session))
)]
async fn reset_password(
    State(api): State<Api>,
    address: ClientAddress,
    OnDevice(device): OnDevice,
    Asked(wish): Asked<Wish>,
    Body(Reset { token, password }): Body<Reset>,
) -> Result<Response, Problem> {
    api.log_in(address, "a link", None).await?;
    let session = api.arena.reset_password(&token, password, &device).await?;
    Ok(signed_in(&api, session, wish.cookie))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// What came in the link.
    token: String,
}

/// Confirms an e-mail address by what came in a letter
#[utoipa::path(
    post, path = "/api/auth/email/confirm", tag = "Sign-in",
    request_body = Confirmation, responses((status = 204, description = "Confirmed"))
)]
async fn confirm_email(
    State(api): State<Api>,
    Body(Confirmation { token }): Body<Confirmation>,
) -> Result<StatusCode, Problem> {
    api.arena.confirm_email(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

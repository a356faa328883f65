//! Friends, and those whom somebody keeps away from.

use arena::{Ask, Friends, Shun, Shunned, UserId};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Body, By, Named},
};

type Done = Result<StatusCode, Problem>;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(friends))
        .routes(routes!(unfriend))
        .routes(routes!(ask_friend))
        .routes(routes!(withdraw_friend))
        .routes(routes!(accept_friend))
        .routes(routes!(decline_friend))
        .routes(routes!(blocks))
        .routes(routes!(block, unblock))
}

/// Whom to ask: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskWhom {
    #[schema(value_type = Option<String>, example = "4fQ9zKx02Lb")]
    user_id: Option<UserId>,
    /// The unique name, whatever its capitals, with or without an @ before it.
    #[schema(example = "ann_b")]
    username: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Asked {
    status: Ask,
}

#[derive(Serialize, ToSchema)]
struct Blocks {
    /// The latest first.
    items: Vec<Shunned>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBlock {
    kind: Shun,
}

/// My friends, and who may become one
#[utoipa::path(
    get, path = "/api/friends", tag = "Friends", security(("bearer" = [])),
    responses((status = 200, body = Friends))
)]
async fn friends(State(api): State<Api>, By(by): By) -> Result<Json<Friends>, Problem> {
    Ok(Json(api.arena.friends(by.user_id).await?))
}

/// Ends a friendship; the other is not told
#[utoipa::path(
    delete, path = "/api/friends/{id}", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Not friends any more"))
)]
async fn unfriend(State(api): State<Api>, By(by): By, Named(id): Named<UserId>) -> Done {
    api.arena.unfriend(by.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks somebody to be my friend; when they have asked too, we are
#[utoipa::path(
    post, path = "/api/friends/requests", tag = "Friends", security(("bearer" = [])),
    request_body = AskWhom, responses((status = 201, body = Asked))
)]
async fn ask_friend(
    State(api): State<Api>,
    By(by): By,
    Body(AskWhom { user_id, username }): Body<AskWhom>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let whom = match (user_id, username) {
        (Some(id), None) => id,
        (None, Some(name)) => api.arena.user_named(&name).await?,
        (Some(_), Some(_)) | (None, None) => {
            let message = "one of user_id and username".to_owned();
            return Err(Problem::invalid("user_id".to_owned(), message));
        }
    };
    let status = api.arena.ask_friend(by.user_id, whom).await?;
    Ok((StatusCode::CREATED, Json(Asked { status })))
}

/// Takes back what I asked somebody
#[utoipa::path(
    delete, path = "/api/friends/requests/{id}", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Taken back"))
)]
async fn withdraw_friend(State(api): State<Api>, By(by): By, Named(id): Named<UserId>) -> Done {
    api.arena.withdraw_friend(by.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says yes to somebody who asked me
#[utoipa::path(
    post, path = "/api/friends/requests/{id}/accept", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Friends"))
)]
async fn accept_friend(State(api): State<Api>, By(by): By, Named(id): Named<UserId>) -> Done {
    api.arena.accept_friend(by.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says no to somebody who asked me; they are not told
#[utoipa::path(
    post, path = "/api/friends/requests/{id}/decline", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Declined"))
)]
async fn decline_friend(State(api): State<Api>, By(by): By, Named(id): Named<UserId>) -> Done {
    api.arena.decline_friend(by.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom I keep away from
#[utoipa::path(
    get, path = "/api/blocks", tag = "Friends", security(("bearer" = [])),
    responses((status = 200, body = Blocks))
)]
async fn blocks(State(api): State<Api>, By(by): By) -> Result<Json<Blocks>, Problem> {
    Ok(Json(Blocks { items: api.arena.shunned(by.user_id).await? }))
}

/// Keeps somebody away: their chat (`mute`), or all of them (`block`); they are not told
#[utoipa::path(
    put, path = "/api/blocks/{id}", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    request_body = NewBlock, responses((status = 204, description = "Kept away, as said"))
)]
async fn block(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<UserId>,
    Body(NewBlock { kind }): Body<NewBlock>,
) -> Done {
    api.arena.shun(by.user_id, id, kind).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps somebody away no more
#[utoipa::path(
    delete, path = "/api/blocks/{id}", tag = "Friends", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Not kept away, also if it was so already"))
)]
async fn unblock(State(api): State<Api>, By(by): By, Named(id): Named<UserId>) -> Done {
    api.arena.unshun(by.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The queue of each game.

use arena::{QueueStatus, Queued};
use axum::{Json, extract::State, http::StatusCode};
use games::Kind;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Body, By, Named},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(queue_status))
        .routes(routes!(queue_join))
        .routes(routes!(queue_leave))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Join {
    /// The Telegram chat that the player came from.
    chat_id: Option<String>,
}

/// My place in a queue, and how many wait
#[utoipa::path(
    get, path = "/api/queue/{game}", tag = "Queue", security(("bearer" = [])),
    params(("game" = String, Path, example = "pong")),
    responses((status = 200, body = QueueStatus))
)]
async fn queue_status(
    State(api): State<Api>,
    By(by): By,
    Named(game): Named<Kind>,
) -> Result<Json<QueueStatus>, Problem> {
    Ok(Json(api.arena.queue_status(by.user_id, game).await?))
}

/// Waits for an opponent; joining twice is one entry
#[utoipa::path(
    post, path = "/api/queue/{game}/join", tag = "Queue", security(("bearer" = [])),
    params(("game" = String, Path, example = "pong")), request_body = Option<Join>,
    responses((status = 200, body = Queued))
)]
async fn queue_join(
    State(api): State<Api>,
    By(by): By,
    Named(game): Named<Kind>,
    body: Option<Body<Join>>,
) -> Result<Json<Queued>, Problem> {
    let Join { chat_id } = body.map(|Body(it)| it).unwrap_or_default();
    Ok(Json(api.arena.queue_join(by.user_id, game, chat_id).await?))
}

/// Waits no more
#[utoipa::path(
    post, path = "/api/queue/{game}/leave", tag = "Queue", security(("bearer" = [])),
    params(("game" = String, Path, example = "pong")),
    responses((status = 204, description = "Not in the queue, also if it was so already"))
)]
async fn queue_leave(
    State(api): State<Api>,
    By(by): By,
    Named(game): Named<Kind>,
) -> Result<StatusCode, Problem> {
    api.arena.queue_leave(by.user_id, game).await?;
    Ok(StatusCode::NO_CONTENT)
}

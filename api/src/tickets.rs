//! Tickets, which open sockets.

use arena::{MatchId, Ticket};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{By, Named},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(issue_ticket)).routes(routes!(issue_watch_ticket))
}

/// A ticket that opens one socket, once, within 30 seconds
#[utoipa::path(
    post, path = "/api/ws-tickets", tag = "Sockets", security(("bearer" = [])),
    responses((status = 200, body = Ticket))
)]
async fn issue_ticket(State(api): State<Api>, By(by): By) -> Result<Json<Ticket>, Problem> {
    Ok(Json(api.arena.issue_ticket(&by).await?))
}

/// A ticket to watch a match, for anybody
///
/// It opens one socket of this match, once, within 30 seconds. It opens no seat: who plays opens
/// theirs with a ticket of `/api/ws-tickets`.
#[utoipa::path(
    post, path = "/api/matches/{id}/watch-tickets", tag = "Sockets",
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = Ticket))
)]
async fn issue_watch_ticket(
    State(api): State<Api>,
    Named(id): Named<MatchId>,
) -> Result<Json<Ticket>, Problem> {
    Ok(Json(api.arena.issue_watch_ticket(id).await?))
}

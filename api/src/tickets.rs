//! Tickets, which open sockets.

use arena::Ticket;
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Api, Problem, extract::By};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(issue_ticket))
}

/// A ticket that opens one socket, once, within 30 seconds
#[utoipa::path(
    post, path = "/api/ws-tickets", tag = "Sockets", security(("bearer" = [])),
    responses((status = 200, body = Ticket))
)]
async fn issue_ticket(State(api): State<Api>, By(by): By) -> Result<Json<Ticket>, Problem> {
    Ok(Json(api.arena.issue_ticket(&by)?))
}

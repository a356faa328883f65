//! What platforms ask.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Api, Problem};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz))
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`: a server that is not answers with a problem, or not at all.
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "Operations", responses((status = 200, body = Health))
)]
async fn healthz() -> Json<Health> {
    OK
}

/// Whether the server can do its work now
///
/// Not while its database, or Redis where it is set, does not answer, nor while it drains.
#[utoipa::path(
    get, path = "/readyz", tag = "Operations", responses((status = 200, body = Health))
)]
async fn readyz(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    let unavailable = |code, detail| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    if api.closing.is_cancelled() {
        return Err(unavailable("draining", "the server is going away: ask another"));
    }
    match api.arena.ready().await {
        Ok(()) => Ok(OK),
        Err(error) => {
            tracing::warn!(error = error.report(), "Not ready");
            Err(unavailable("not_ready", "the database or Redis does not answer"))
        }
    }
}

//! People, as others see them.

use arena::{History, Profile, Stats, UserId};
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Asked, Named},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(user_profile))
        .routes(routes!(user_stats))
        .routes(routes!(user_history))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// Who somebody is
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "Users",
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = Profile))
)]
async fn user_profile(
    State(api): State<Api>,
    Named(id): Named<UserId>,
) -> Result<Json<Profile>, Problem> {
    Ok(Json(api.arena.profile(id).await?))
}

/// How well somebody plays
#[utoipa::path(
    get, path = "/api/users/{id}/stats", tag = "Users",
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = Stats))
)]
async fn user_stats(
    State(api): State<Api>,
    Named(id): Named<UserId>,
) -> Result<Json<Stats>, Problem> {
    Ok(Json(api.arena.stats(id).await?))
}

/// What somebody played, the last first
#[utoipa::path(
    get, path = "/api/users/{id}/history", tag = "Users",
    params(("id" = String, Path, example = "4fQ9zKx02Lb"), Page),
    responses((status = 200, body = History))
)]
async fn user_history(
    State(api): State<Api>,
    Named(id): Named<UserId>,
    Asked(Page { cursor, limit }): Asked<Page>,
) -> Result<Json<History>, Problem> {
    Ok(Json(api.arena.history(id, cursor.as_deref(), limit).await?))
}

//! Keeping order: reports, what is done about people, roles, and the audit.

use arena::{
    AuditFilter, AuditKind, AuditPage, NewReport, NewSanction, PersonFile, ReportFilter, ReportId,
    Reports, Role, Sanction, SanctionId, User, UserId, Verdict,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Asked, Body, By, Named, flag},
};

type Done = Result<StatusCode, Problem>;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(reports))
        .routes(routes!(close_report))
        .routes(routes!(person_file))
        .routes(routes!(sanction))
        .routes(routes!(lift_sanction))
        .routes(routes!(set_role))
        .routes(routes!(audit))
}

#[derive(Serialize, ToSchema)]
struct Reported {
    #[schema(value_type = String)]
    id: ReportId,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhichReports {
    /// `1`: those that were dealt with, instead of those that are open.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<u8>, example = 1)]
    closed: bool,
    /// Only those about somebody.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Closing {
    verdict: Verdict,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: Role,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhichLines {
    /// Only those of a kind.
    #[param(inline)]
    kind: Option<AuditKind>,
    /// Only what somebody did, or what was done to them.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// Tells those who keep order about somebody
#[utoipa::path(
    post, path = "/api/reports", tag = "Keeping order", security(("bearer" = [])),
    request_body = NewReport, responses((status = 201, body = Reported))
)]
async fn report(
    State(api): State<Api>,
    By(by): By,
    Body(new): Body<NewReport>,
) -> Result<(StatusCode, Json<Reported>), Problem> {
    let id = api.arena.report(by.user_id, new).await?;
    Ok((StatusCode::CREATED, Json(Reported { id })))
}

/// Reports, the latest first (moderators)
#[utoipa::path(
    get, path = "/api/moderation/reports", tag = "Keeping order", security(("bearer" = [])),
    params(WhichReports), responses((status = 200, body = Reports))
)]
async fn reports(
    State(api): State<Api>,
    By(by): By,
    Asked(WhichReports { closed, user_id, cursor, limit }): Asked<WhichReports>,
) -> Result<Json<Reports>, Problem> {
    let filter = ReportFilter { closed, about: user_id, cursor, limit };
    Ok(Json(api.arena.reports(by.user_id, filter).await?))
}

/// Deals with a report and its like (moderators)
#[utoipa::path(
    post, path = "/api/moderation/reports/{id}/close", tag = "Keeping order",
    security(("bearer" = [])), params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    request_body = Closing, responses((status = 204, description = "Dealt with"))
)]
async fn close_report(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<ReportId>,
    Body(Closing { verdict }): Body<Closing>,
) -> Done {
    api.arena.close_report(&by, id, verdict).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody and what was done about them (moderators)
#[utoipa::path(
    get, path = "/api/moderation/users/{id}", tag = "Keeping order", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = PersonFile))
)]
async fn person_file(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<UserId>,
) -> Result<Json<PersonFile>, Problem> {
    Ok(Json(api.arena.person_file(by.user_id, id).await?))
}

/// Shuts somebody out, or has them not chat (moderators)
#[utoipa::path(
    post, path = "/api/moderation/users/{id}/sanctions", tag = "Keeping order",
    security(("bearer" = [])), params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    request_body = NewSanction, responses((status = 201, body = Sanction))
)]
async fn sanction(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<UserId>,
    Body(new): Body<NewSanction>,
) -> Result<(StatusCode, Json<Sanction>), Problem> {
    Ok((StatusCode::CREATED, Json(api.arena.sanction(&by, id, new).await?)))
}

/// Takes back what was done about somebody (moderators)
#[utoipa::path(
    delete, path = "/api/moderation/sanctions/{id}", tag = "Keeping order",
    security(("bearer" = [])), params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 204, description = "Taken back, also if it was so already"))
)]
async fn lift_sanction(State(api): State<Api>, By(by): By, Named(id): Named<SanctionId>) -> Done {
    api.arena.lift_sanction(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets somebody do more, or less (administrators)
#[utoipa::path(
    put, path = "/api/admin/users/{id}/role", tag = "Keeping order", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    request_body = NewRole, responses((status = 200, body = User))
)]
async fn set_role(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<UserId>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<Json<User>, Problem> {
    Ok(Json(api.arena.set_role(&by, id, role).await?))
}

/// Who did what, when and from where, the latest first (administrators)
#[utoipa::path(
    get, path = "/api/admin/audit", tag = "Keeping order", security(("bearer" = [])),
    params(WhichLines), responses((status = 200, body = AuditPage))
)]
async fn audit(
    State(api): State<Api>,
    By(by): By,
    Asked(WhichLines { kind, user_id, cursor, limit }): Asked<WhichLines>,
) -> Result<Json<AuditPage>, Problem> {
    let filter = AuditFilter { kind, user: user_id, cursor, limit };
    Ok(Json(api.arena.audit(by.user_id, filter).await?))
}

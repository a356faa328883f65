//! Rooms: a lobby around one or more matches in a row.

use arena::{ListedRoom, NewRoom, RoomView, UserId};
use axum::{Json, extract::State, http::StatusCode};
use games::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Asked, Body, By, InPath, Named, Once},
};

type Answer = Result<Json<RoomView>, Problem>;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(rooms, open_room))
        .routes(routes!(room))
        .routes(routes!(join_room))
        .routes(routes!(leave_room))
        .routes(routes!(sit))
        .routes(routes!(ready))
        .routes(routes!(set_options))
        .routes(routes!(hand_on))
        .routes(routes!(kick))
        .routes(routes!(start_room))
        .routes(routes!(invite))
}

#[derive(Serialize, ToSchema)]
struct Rooms {
    items: Vec<ListedRoom>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only rooms of this game.
    #[param(example = "pong")]
    game: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sit {
    /// False: to watch.
    seated: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ready {
    /// False: not any more.
    ready: bool,
}

/// What to set; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Of the game; those left out have their defaults.
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
    /// Whether the room is reached by its code only.
    private: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Whom {
    /// A member of the room.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    user_id: UserId,
}

/// Public rooms, the newest first
///
/// With an access token, without those of people of whom one has blocked the other.
#[utoipa::path(
    get, path = "/api/rooms", tag = "Rooms",
    params(Which), responses((status = 200, body = Rooms))
)]
async fn rooms(
    State(api): State<Api>,
    by: Option<By>,
    Asked(Which { game }): Asked<Which>,
) -> Result<Json<Rooms>, Problem> {
    let game = game.as_deref().map(Kind::parse).transpose();
    let game = game.map_err(|it| Problem::invalid("game".to_owned(), it.to_owned()))?;
    Ok(Json(Rooms { items: api.arena.rooms(by.map(|By(by)| by.user_id), game).await? }))
}

/// Opens a room
///
/// Whoever waited in a queue waits no more. The same `Idempotency-Key` opens one room.
#[utoipa::path(
    post, path = "/api/rooms", tag = "Rooms", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255)),
    request_body = NewRoom, responses((status = 201, body = RoomView))
)]
async fn open_room(
    State(api): State<Api>,
    By(by): By,
    Once { body, key }: Once<NewRoom>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let open = api.arena.open_room(by.user_id, body);
    Ok((StatusCode::CREATED, Json(api.arena.once(by.user_id, key.as_ref(), open).await?)))
}

/// A room; what was said in it, for its members
#[utoipa::path(
    get, path = "/api/rooms/{code}", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")), responses((status = 200, body = RoomView))
)]
async fn room(State(api): State<Api>, By(by): By, Named(code): Named<String>) -> Answer {
    Ok(Json(api.arena.room(by.user_id, &code).await?))
}

/// Comes in, to a seat while there is one; else to watch
#[utoipa::path(
    post, path = "/api/rooms/{code}/join", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")), responses((status = 200, body = RoomView))
)]
async fn join_room(State(api): State<Api>, By(by): By, Named(code): Named<String>) -> Answer {
    Ok(Json(api.arena.join_room(by.user_id, &code).await?))
}

/// Goes out; a match that is played goes on
#[utoipa::path(
    post, path = "/api/rooms/{code}/leave", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    responses((status = 204, description = "Not in the room, also if it was so already"))
)]
async fn leave_room(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
) -> Result<StatusCode, Problem> {
    api.arena.leave_room(by.user_id, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a seat, or watches
#[utoipa::path(
    post, path = "/api/rooms/{code}/seat", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Sit, responses((status = 200, body = RoomView))
)]
async fn sit(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Sit { seated }): Body<Sit>,
) -> Answer {
    Ok(Json(api.arena.sit_in_room(by.user_id, &code, seated).await?))
}

/// Is ready for the next match, or not
#[utoipa::path(
    post, path = "/api/rooms/{code}/ready", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Ready, responses((status = 200, body = RoomView))
)]
async fn ready(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Ready { ready }): Body<Ready>,
) -> Answer {
    Ok(Json(api.arena.ready_in_room(by.user_id, &code, ready).await?))
}

/// Sets what the next match is played by (the host)
#[utoipa::path(
    post, path = "/api/rooms/{code}/options", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Settings, responses((status = 200, body = RoomView))
)]
async fn set_options(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Settings { options, private }): Body<Settings>,
) -> Answer {
    Ok(Json(api.arena.set_room(by.user_id, &code, options, private).await?))
}

/// Makes somebody else the host (the host)
#[utoipa::path(
    post, path = "/api/rooms/{code}/host", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Whom, responses((status = 200, body = RoomView))
)]
async fn hand_on(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Whom { user_id }): Body<Whom>,
) -> Answer {
    Ok(Json(api.arena.hand_on_room(by.user_id, &code, user_id).await?))
}

/// Puts somebody out for good (the host)
#[utoipa::path(
    post, path = "/api/rooms/{code}/kick", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Whom, responses((status = 200, body = RoomView))
)]
async fn kick(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Whom { user_id }): Body<Whom>,
) -> Answer {
    Ok(Json(api.arena.kick_from_room(by.user_id, &code, user_id).await?))
}

/// Starts the next match with those who are seated (the host)
#[utoipa::path(
    post, path = "/api/rooms/{code}/start", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")), responses((status = 200, body = RoomView))
)]
async fn start_room(State(api): State<Api>, By(by): By, Named(code): Named<String>) -> Answer {
    Ok(Json(api.arena.start_room(by.user_id, &code).await?))
}

/// Invites a friend: they are told on the pages that they have open (a member)
#[utoipa::path(
    post, path = "/api/rooms/{code}/invite", tag = "Rooms", security(("bearer" = [])),
    params(("code" = String, Path, example = "KWBTRM")),
    request_body = Whom, responses((status = 204, description = "Told, if they look"))
)]
async fn invite(
    State(api): State<Api>,
    By(by): By,
    Named(code): Named<String>,
    Body(Whom { user_id }): Body<Whom>,
) -> Result<StatusCode, Problem> {
    api.arena.invite_to_room(by.user_id, &code, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

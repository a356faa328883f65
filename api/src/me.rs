//! Who is signed in, and where they are in the arena.

use arena::{Language, MatchId, Moment, TelegramLink, User};
use axum::{Json, extract::State};
use games::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Body, By},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(me, change_me)).routes(routes!(telegram_link))
}

#[derive(Serialize, ToSchema)]
struct Me {
    user: User,
    /// The match to go back to.
    #[serde(rename = "match")]
    live: Option<MyMatch>,
    queue: Option<MyQueue>,
    room: Option<MyRoom>,
    /// Whether this server has a Telegram bot, and so Telegram's way in.
    telegram: bool,
    /// How links lead into Telegram's Mini App, where they do: with `=` and a start parameter after
    /// this.
    #[schema(example = "https://t.me/artel_bot/play?startapp")]
    app_link: Option<String>,
    /// Whether Telegram is a way in to this account.
    telegram_linked: bool,
}

#[derive(Serialize, ToSchema)]
struct MyMatch {
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    id: MatchId,
    #[schema(value_type = String, example = "pong")]
    game: Kind,
}

#[derive(Serialize, ToSchema)]
struct MyQueue {
    #[schema(value_type = String, example = "pong")]
    game: Kind,
    since: Moment,
}

#[derive(Serialize, ToSchema)]
struct MyRoom {
    #[schema(example = "KWBTRM")]
    code: String,
    #[schema(value_type = String, example = "pong")]
    game: Kind,
    /// The match that it plays now.
    #[schema(value_type = Option<String>)]
    match_id: Option<MatchId>,
    /// The match that it played last.
    #[schema(value_type = Option<String>)]
    last_match_id: Option<MatchId>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    language: Option<Language>,
    /// 1 to 32 characters.
    #[schema(min_length = 1, max_length = 32)]
    display_name: Option<String>,
}

/// Who I am, and where
#[utoipa::path(
    get, path = "/api/me", tag = "Me", security(("bearer" = [])),
    responses((status = 200, body = Me))
)]
async fn me(State(api): State<Api>, By(by): By) -> Result<Json<Me>, Problem> {
    let user = api.arena.user(by.user_id).await?;
    let user = user.ok_or_else(|| Problem::not_found("your account is gone"))?;
    let live = api.arena.live_match_of(user.id).await?;
    let live = live.map(|(id, game, _)| MyMatch { id, game });
    let queue = api.arena.queue_of(user.id).await?;
    let queue = queue.map(|(game, since)| MyQueue { game, since });
    let room = api.arena.room_of(user.id).await?.map(|it| MyRoom {
        code: it.code,
        game: it.game,
        match_id: it.match_id,
        last_match_id: it.last_match_id,
    });
    let telegram_linked = api.arena.is_linked(user.id).await?;
    let telegram = api.arena.has_telegram();
    let app_link = api.arena.app_link().map(str::to_owned);
    Ok(Json(Me { user, live, queue, room, telegram, app_link, telegram_linked }))
}

/// Makes a link to the bot by which a Telegram user is let in to my account
///
/// Good once, for ten minutes; the bot asks whoever follows it. An earlier link is void.
#[utoipa::path(
    post, path = "/api/me/telegram-link", tag = "Me", security(("bearer" = [])),
    responses((status = 200, body = TelegramLink))
)]
async fn telegram_link(State(api): State<Api>, By(by): By) -> Result<Json<TelegramLink>, Problem> {
    Ok(Json(api.arena.telegram_link(by.user_id).await?))
}

/// Changes my name or language
#[utoipa::path(
    patch, path = "/api/me", tag = "Me", security(("bearer" = [])),
    request_body = Changes, responses((status = 200, body = User))
)]
async fn change_me(
    State(api): State<Api>,
    By(by): By,
    Body(Changes { language, display_name }): Body<Changes>,
) -> Result<Json<User>, Problem> {
    Ok(Json(api.arena.update_me(by.user_id, language, display_name).await?))
}

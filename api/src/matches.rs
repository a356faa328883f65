//! Matches, as they are and were. Anyone may watch, so anyone may ask.

use arena::{BadReplay, MatchId, MatchInfo, NewComputerMatch, Replay};
use axum::{Json, extract::State, http::StatusCode};
use games::Kind;
use live::wire::Player;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Asked, By, InPath, Named, Once, flag},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(match_info))
        .routes(routes!(live_matches))
        .routes(routes!(replay))
        .routes(routes!(make_match))
        .routes(routes!(share))
}

#[derive(Serialize, ToSchema)]
struct Matches {
    items: Vec<MatchInfo>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `1`: only matches that can be watched now. Others are in the histories of users.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = u8, example = 1)]
    live: bool,
    /// Only matches of this game.
    #[param(example = "pong")]
    game: Option<String>,
}

/// A match
#[utoipa::path(
    get, path = "/api/matches/{id}", tag = "Matches",
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = MatchInfo))
)]
async fn match_info(
    State(api): State<Api>,
    Named(id): Named<MatchId>,
) -> Result<Json<MatchInfo>, Problem> {
    Ok(Json(api.arena.match_info(id).await?))
}

/// What can be watched now
#[utoipa::path(
    get, path = "/api/matches", tag = "Matches",
    params(Which), responses((status = 200, body = Matches))
)]
async fn live_matches(
    State(api): State<Api>,
    Asked(Which { live, game }): Asked<Which>,
) -> Result<Json<Matches>, Problem> {
    if !live {
        let message = "only live matches are listed: ask for live=1".to_owned();
        return Err(Problem::invalid("live".to_owned(), message));
    }
    let game = game.as_deref().map(Kind::parse).transpose();
    let game = game.map_err(|it| Problem::invalid("game".to_owned(), it.to_owned()))?;
    Ok(Json(Matches { items: api.arena.live_matches(game).await? }))
}

/// A match to watch again.
#[derive(Serialize, ToSchema)]
struct Replayed {
    /// What was decided and when: enough to run the match again.
    #[serde(flatten)]
    #[schema(inline)]
    replay: Replay,
    /// By seat.
    players: Vec<Player>,
    /// What the crowd heard: the messages of the game socket, in order.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<Box<RawValue>>,
}

/// A finished match, to watch again and to verify
///
/// `entries` is the journal: `[microseconds since the match was opened, input]`. Run by the game's
/// rules of the version `rules`, with `options` and `seed`, it gives `outcome`. `messages` is what
/// that says to those who watch.
#[utoipa::path(
    get, path = "/api/matches/{id}/replay", tag = "Matches",
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = Replayed))
)]
async fn replay(
    State(api): State<Api>,
    Named(id): Named<MatchId>,
) -> Result<Json<Replayed>, Problem> {
    let (replay, players) = api.arena.replay(id).await?;
    let messages = live::heavy(|| replay.messages(&players)).map_err(|bad| match bad {
        // It was recorded before an update of the rules, which would play it wrongly.
        BadReplay::Rules { .. } => Problem::new(StatusCode::GONE, "older_rules", bad.to_string()),
        BadReplay::Unreadable(_) | BadReplay::Journal(_) | BadReplay::Outcome { .. } => {
            anyhow::Error::from(bad).into()
        }
    })?;
    Ok(Json(Replayed { replay, players, messages }))
}

/// A message that the Mini App sends.
#[derive(Serialize, ToSchema)]
struct Shared {
    /// For `web_app_send_prepared_message`, which `Telegram.WebApp.shareMessage` says.
    prepared_message_id: String,
}

/// Has a message prepared that shows how a match ended, to send from the Mini App
///
/// For those who played it and whose account Telegram is a way in to.
#[utoipa::path(
    post, path = "/api/matches/{id}/share", tag = "Matches", security(("bearer" = [])),
    params(("id" = String, Path, example = "4fQ9zKx02Lb")),
    responses((status = 200, body = Shared))
)]
async fn share(
    State(api): State<Api>,
    By(by): By,
    Named(id): Named<MatchId>,
) -> Result<Json<Shared>, Problem> {
    let prepared_message_id = api.arena.share_match(by.user_id, id).await?;
    Ok(Json(Shared { prepared_message_id }))
}

/// Play against the computer
///
/// At once, and without a change of ratings. At Kolkhoz there are two: one of the level, and one of
/// that next to it. The same `Idempotency-Key` makes one match.
#[utoipa::path(
    post, path = "/api/matches", tag = "Matches", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255)),
    request_body = NewComputerMatch, responses((status = 201, body = MatchInfo))
)]
async fn make_match(
    State(api): State<Api>,
    By(by): By,
    Once { body, key }: Once<NewComputerMatch>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let make = api.arena.play_computer(by.user_id, body);
    Ok((StatusCode::CREATED, Json(api.arena.once(by.user_id, key.as_ref(), make).await?)))
}

//! The games that there are.

use arena::TopList;
use axum::{Json, extract::State};
use games::Kind;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Api, Problem, extract::Named};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(games)).routes(routes!(game_top))
}

#[derive(Serialize, ToSchema)]
struct Games {
    items: Vec<Game>,
}

#[derive(Serialize, ToSchema)]
struct Game {
    /// Its word in addresses.
    #[schema(example = "pong")]
    name: &'static str,
    /// Its name for people, in English.
    #[schema(example = "Pong")]
    title: &'static str,
    seats: Seats,
    options: GameOptions,
    /// Whether matches from its queue change ratings.
    rated: bool,
    /// Whether it can be played against the computer.
    computer: bool,
}

/// How many can play.
#[derive(Serialize, ToSchema)]
struct Seats {
    min: u8,
    max: u8,
}

/// What can be set for a match.
#[derive(Serialize, ToSchema)]
struct GameOptions {
    /// A JSON schema.
    #[schema(value_type = Object)]
    schema: Value,
    /// What is set unless somebody sets it otherwise.
    #[schema(value_type = Object)]
    default: Value,
}

/// Every game
#[utoipa::path(
    get, path = "/api/games", tag = "Games", responses((status = 200, body = Games))
)]
async fn games() -> Json<Games> {
    Json(Games { items: Kind::ALL.map(game).into() })
}

/// The best at a game
#[utoipa::path(
    get, path = "/api/games/{game}/top", tag = "Games",
    params(("game" = String, Path, example = "pong")), responses((status = 200, body = TopList))
)]
async fn game_top(
    State(api): State<Api>,
    Named(game): Named<Kind>,
) -> Result<Json<TopList>, Problem> {
    Ok(Json(api.arena.top(game).await?))
}

fn game(kind: Kind) -> Game {
    let (seats, schema, default) = (kind.seats(), kind.options_schema(), kind.default_options());
    Game {
        name: kind.name(),
        title: title(kind),
        seats: Seats { min: *seats.start(), max: *seats.end() },
        options: GameOptions { schema, default },
        rated: kind.rated(),
        computer: live::computer::plays(kind),
    }
}

pub(crate) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Pong => "Pong",
        Kind::EightBall => "8-ball",
        Kind::NineBall => "9-ball",
        Kind::Pyramid => "Pyramid",
        Kind::Kolkhoz => "Kolkhoz",
    }
}

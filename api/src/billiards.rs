//! Billiards outside of matches: the tables, and what a stroke would lead to. For practice alone.

use axum::Json;
use games::billiards::{
    Aim, Discipline, EightBall, Pyramid,
    physics::{Ball, BallSpec, Laws, Shot, Strike, Table, simulate},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api, Problem,
    extract::{Body, InPath, Named},
};

/// As many as pyramid has; no game here has more.
const BALLS_MAX: usize = 16;
/// Balls that were at rest touching each other are told with rounded places: so much may overlap.
const OVERLAP_MAX: f64 = 1e-6;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(table)).routes(routes!(shot))
}

/// Which table.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Cloth {
    /// 9 ft, for 8-ball and 9-ball.
    Pool,
    /// 12 ft, for pyramid and Kolkhoz.
    Pyramid,
}

impl Cloth {
    fn of(self) -> (Table, BallSpec) {
        match self {
            Cloth::Pool => (EightBall::table(), EightBall::SPEC),
            Cloth::Pyramid => (Pyramid::table(), Pyramid::SPEC),
        }
    }
}

impl InPath for Cloth {
    fn parse(name: &str) -> Result<Cloth, &'static str> {
        match name {
            "pool" => Ok(Cloth::Pool),
            "pyramid" => Ok(Cloth::Pyramid),
            _ => Err("there is no such table: the tables are pool and pyramid"),
        }
    }
}

/// A table and what its balls are like.
#[derive(Serialize, ToSchema)]
struct Setting {
    /// Its cushions, pockets and marks: lengths in metres, x across and y along it.
    #[schema(value_type = Object)]
    table: Table,
    /// Mass, size and frictions, in SI units.
    #[schema(value_type = Object)]
    ball: BallSpec,
}

/// A stroke to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Trial {
    table: Cloth,
    /// `[number, x, y]` of each ball, all at rest.
    #[schema(value_type = Vec<Vec<f64>>, example = json!([[0, 0.635, 0.6], [1, 0.635, 1.9]]))]
    balls: Vec<(u8, f64, f64)>,
    /// `ball` is the number of the one that is struck; as in a match otherwise.
    #[schema(value_type = Object, example = json!({"ball": 0, "speed": 3.0, "heading": 1.57, "side": 0.0, "height": 0.0}))]
    strike: Aim,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct Tried {
    /// How the balls move, in the order in which they were given.
    #[schema(value_type = Object)]
    path: Shot,
}

/// A billiard table
#[utoipa::path(
    get, path = "/api/billiards/tables/{table}", tag = "Billiards",
    params(("table" = Cloth, Path)), responses((status = 200, body = Setting))
)]
async fn table(Named(cloth): Named<Cloth>) -> Json<Setting> {
    let (table, ball) = cloth.of();
    Json(Setting { table, ball })
}

/// What a stroke leads to
///
/// Nothing is kept: this is for practice, and for judging whether the physics looks right.
#[utoipa::path(
    post, path = "/api/billiards/shots", tag = "Billiards",
    request_body = Trial, responses((status = 200, body = Tried))
)]
async fn shot(Body(Trial { table, balls, strike }): Body<Trial>) -> Result<Json<Tried>, Problem> {
    let wrong = |field: &str, message: &str| Problem::invalid(field.to_owned(), message.to_owned());
    let (table, spec) = table.of();
    if balls.is_empty() || balls.len() > BALLS_MAX {
        return Err(wrong("balls", "from 1 to 16 balls"));
    }
    // A cushion's nose is above a ball's middle: a ball rests against it nearer than its radius.
    let over = table.nose - spec.radius;
    let least = (spec.radius * spec.radius - over * over).max(0.0).sqrt() - OVERLAP_MAX;
    let inside = |at: f64, size: f64| (least..=size - least).contains(&at);
    for (index, &(number, x, y)) in balls.iter().enumerate() {
        if !inside(x, table.width) || !inside(y, table.length) {
            return Err(wrong("balls", "each ball must lie within the cushions"));
        }
        for &(other, other_x, other_y) in &balls[..index] {
            if other == number {
                return Err(wrong("balls", "each ball stands once in the list"));
            }
            if (x - other_x).hypot(y - other_y) < 2.0 * spec.radius - OVERLAP_MAX {
                return Err(wrong("balls", "no two balls may overlap"));
            }
        }
    }
    strike.valid().map_err(|refusal| wrong("strike", refusal.message))?;
    if strike.speed <= 0.0 {
        return Err(wrong("strike", "the stick's speed must be over 0 and at most 10 m/s"));
    }
    let Some(struck) = balls.iter().position(|it| it.0 == strike.ball) else {
        return Err(wrong("strike", "ball must be the number of one that lies on the table"));
    };
    let strike = Strike {
        ball: struck,
        speed: strike.speed,
        heading: strike.heading,
        elevation: strike.elevation,
        side: strike.side,
        height: strike.height,
    };
    let balls: Vec<Ball> = balls.iter().map(|&(_, x, y)| Ball::at_rest([x, y])).collect();
    let path = live::heavy(|| simulate(&table, &spec, &balls, Some(&strike), &Laws::play()));
    Ok(Json(Tried { path }))
}

//! Plays Pong: sees where the ball will come, a moment late and not quite exactly.

use std::time::Duration;

use games::{Seat, pong};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Level, Mind, Thought};

impl Level {
    /// How long it takes to see where a ball goes.
    fn reaction(self) -> Duration {
        Duration::from_millis(match self {
            Level::Easy => 420,
            Level::Medium => 260,
            Level::Hard => 140,
        })
    }

    /// How far it is off the mark at most, in field units. A paddle reaches 53.
    fn error(self) -> f64 {
        match self {
            Level::Easy => 85.0,
            Level::Medium => 62.0,
            Level::Hard => 48.0,
        }
    }
}

/// What it needs of a message.
#[derive(Deserialize)]
struct Heard {
    game: Option<Shown>,
    ball: Option<[f64; 5]>,
    serve: Option<Value>,
}

#[derive(Deserialize)]
struct Shown {
    ball: Option<[f64; 5]>,
}

pub(super) struct Player {
    seat: Seat,
    level: Level,
}

impl Player {
    pub(super) fn new(seat: Seat, level: Level) -> Player {
        Player { seat, level }
    }
}

impl Mind for Player {
    fn hear(&mut self, message: &[u8], luck: &mut dyn FnMut() -> f64) -> Thought {
        let Ok(heard) = serde_json::from_slice::<Heard>(message) else { return Thought::Nothing };
        // Where to send the paddle, in heights of the field.
        let y = if let Some(ball) = heard.ball.or_else(|| heard.game?.ball) {
            let off = (luck() * 2.0 - 1.0) * self.level.error();
            pong::meets(ball, self.seat).map_or_else(
                // It flies away: back to the middle, more or less.
                || 0.5 + (luck() - 0.5) * 0.2,
                |y| ((y + off) / pong::HEIGHT).clamp(0.0, 1.0),
            )
        } else if heard.serve.is_some() {
            0.5 + (luck() - 0.5) * 0.1
        } else {
            return Thought::Nothing;
        };
        Thought::Plan(vec![(self.level.reaction(), json!({ "type": "player_move", "y": y }))])
    }
}

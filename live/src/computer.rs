//! A computer opponent. It holds a chair like any player: it sees what a player's page is shown,
//! and sends what a player's hands could.

use std::time::Duration;

use games::{Kind, Seat};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

use crate::{Chair, wire::Message};

/// How well it plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For a first match.
    Easy,
    /// For somebody who has played.
    #[default]
    Medium,
    /// For somebody who wins.
    Hard,
}

impl Level {
    /// All of them, the weakest first.
    pub const ALL: [Level; 3] = [Level::Easy, Level::Medium, Level::Hard];

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

/// Whether there is a computer opponent for a game.
pub const fn plays(game: Kind) -> bool {
    match game {
        Kind::Pong => true,
        Kind::EightBall | Kind::NineBall | Kind::Pyramid | Kind::Kolkhoz => false,
    }
}

/// Plays from a chair until the match is over. `luck` gives numbers from 0 to 1.
pub async fn play(mut chair: Chair, level: Level, mut luck: impl FnMut() -> f64) {
    let Some(seat) = chair.seat() else { return };
    let mut player = Pong { seat, level, n: 0, plan: None };
    loop {
        let due = player.plan.map_or_else(Instant::now, |it| it.0);
        let say = tokio::select! {
            heard = chair.hear() => match heard {
                // What it does not understand it passes over, as a page would.
                Ok(heard) => match serde_json::from_slice(&heard) {
                    Ok(heard) => player.hear(heard, &mut luck),
                    Err(_) => None,
                },
                Err(_) => return,
            },
            () = sleep_until(due), if player.plan.is_some() => player.act(),
        };
        if let Some(say) = say {
            chair.say(Message::parse(&say.to_string())).await;
        }
    }
}

/// What it needs of a message.
#[derive(Deserialize)]
struct Heard {
    r#type: String,
    status: Option<String>,
    ack: Option<u64>,
    game: Option<Shown>,
    ball: Option<[f64; 5]>,
    serve: Option<Value>,
    seats: Option<Vec<Seat>>,
}

#[derive(Deserialize)]
struct Shown {
    ball: Option<[f64; 5]>,
}

struct Pong {
    seat: Seat,
    level: Level,
    /// The last message's number.
    n: u64,
    /// When to send the paddle where, in heights of the field.
    plan: Option<(Instant, f64)>,
}

impl Pong {
    fn hear(&mut self, heard: Heard, luck: &mut impl FnMut() -> f64) -> Option<Value> {
        if heard.r#type == "game_state" {
            self.n = self.n.max(heard.ack.unwrap_or_default());
            if heard.status.as_deref() == Some("pending") {
                return Some(self.number(json!({ "type": "player_ready" })));
            }
        }
        if heard.r#type == "rematch" && heard.seats.is_some_and(|it| !it.contains(&self.seat)) {
            return Some(self.number(json!({ "type": "rematch" })));
        }
        let seen = Instant::now() + self.level.reaction();
        if let Some(ball) = heard.ball.or_else(|| heard.game?.ball) {
            let off = (luck() * 2.0 - 1.0) * self.level.error();
            self.plan = Some((
                seen,
                games::pong::meets(ball, self.seat).map_or_else(
                    // It flies away: back to the middle, more or less.
                    || 0.5 + (luck() - 0.5) * 0.2,
                    |y| ((y + off) / games::pong::HEIGHT).clamp(0.0, 1.0),
                ),
            ));
        } else if heard.serve.is_some() {
            self.plan = Some((seen, 0.5 + (luck() - 0.5) * 0.1));
        }
        None
    }

    fn act(&mut self) -> Option<Value> {
        let (_, y) = self.plan.take()?;
        Some(self.number(json!({ "type": "player_move", "y": y })))
    }

    fn number(&mut self, mut message: Value) -> Value {
        self.n += 1;
        message["n"] = self.n.into();
        message
    }
}

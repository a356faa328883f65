//! A computer opponent. It holds a chair like any player: it sees what a player's page is shown,
//! and sends what a player's hands could.

mod billiards;
mod pong;
mod shots;
mod thinker;

use std::{collections::VecDeque, time::Duration};

use games::{Kind, Seat};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    task::{self, JoinHandle},
    time::{Instant, sleep_until},
};
use utoipa::ToSchema;

use crate::{Chair, wire::Message};

pub use thinker::{Skill, Thinker};

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
}

/// Whether there is a computer opponent for a game.
pub const fn plays(game: Kind) -> bool {
    match game {
        Kind::Pong | Kind::EightBall | Kind::NineBall | Kind::Pyramid | Kind::Kolkhoz => true,
    }
}

/// What to say, each after a while, instead of what was meant to be said before.
type Plan = Vec<(Duration, Value)>;

/// What hearing something leads to.
enum Thought {
    /// Nothing new.
    Nothing,
    /// A plan.
    Plan(Plan),
    /// Something to work out, on a thread where that keeps nobody waiting.
    Work(Box<dyn FnOnce() -> Plan + Send>),
}

/// One game's player.
trait Mind: Send {
    /// Hears a message of the match; `luck` gives numbers from 0 to 1.
    fn hear(&mut self, message: &[u8], luck: &mut dyn FnMut() -> f64) -> Thought;
}

/// What every match says, whatever the game.
#[derive(Deserialize)]
struct Heard {
    r#type: String,
    status: Option<String>,
    ack: Option<u64>,
    seats: Option<Vec<Seat>>,
    players: Option<Vec<Player>>,
    game: Option<View>,
    sheet: Option<Sheet>,
}

#[derive(Deserialize)]
struct Player {
    seat: Seat,
    computer: Option<Level>,
}

#[derive(Deserialize)]
struct View {
    sheet: Option<Sheet>,
}

/// Who plays no more, by seat, in games that go on without them.
#[derive(Deserialize)]
struct Sheet {
    out: Vec<bool>,
}

/// Plays `game` from a chair until the match is over. `luck` gives numbers from 0 to 1.
pub async fn play<L>(mut chair: Chair, game: Kind, level: Level, mut luck: L)
where
    L: FnMut() -> f64 + Clone + Send + 'static,
{
    let Some(seat) = chair.seat() else { return };
    let mut mind: Box<dyn Mind> = match game {
        Kind::Pong => Box::new(pong::Player::new(seat, level)),
        Kind::EightBall | Kind::NineBall | Kind::Pyramid | Kind::Kolkhoz => {
            Box::new(billiards::Player::new(game, seat, level, luck.clone()))
        }
    };
    // The last message's number.
    let mut n = 0;
    // The seats of people.
    let mut people = Vec::new();
    let mut plan: VecDeque<(Instant, Value)> = VecDeque::new();
    let mut work: Option<JoinHandle<Plan>> = None;
    loop {
        let due = plan.front().map_or_else(Instant::now, |it| it.0);
        let mut say = None;
        tokio::select! {
            heard = chair.hear() => {
                let Ok(message) = heard else { return };
                // What it does not understand it passes over, as a page would.
                if let Ok(heard) = serde_json::from_slice::<Heard>(&message) {
                    n = n.max(heard.ack.unwrap_or_default());
                    if let Some(players) = &heard.players {
                        let of_people = players.iter().filter(|it| it.computer.is_none());
                        people = of_people.map(|it| it.seat).collect();
                    }
                    say = manners(&heard, seat, &people);
                }
                match mind.hear(&message, &mut luck) {
                    Thought::Nothing => {}
                    Thought::Plan(it) => (plan, work) = (timed(it), None),
                    Thought::Work(it) => {
                        (plan, work) = (VecDeque::new(), Some(task::spawn_blocking(it)));
                    }
                }
            }
            done = async { work.as_mut().expect("only while there is some").await }, if work.is_some() => {
                work = None;
                // A mind that panicked has said so in the log, and its clock will run out.
                plan = timed(done.unwrap_or_default());
            }
            () = sleep_until(due), if !plan.is_empty() => say = plan.pop_front().map(|it| it.1),
        }
        if let Some(mut say) = say {
            if say["type"] != "gesture" {
                n += 1;
                say["n"] = n.into();
            }
            chair.say(Message::parse(&say.to_string())).await;
        }
    }
}

/// Ready when asked, and glad to play again; but not without people.
fn manners(heard: &Heard, seat: Seat, people: &[Seat]) -> Option<Value> {
    let sheet = heard.sheet.as_ref().or(heard.game.as_ref().and_then(|it| it.sheet.as_ref()));
    let is_out = |sheet: &Sheet, seat: Seat| sheet.out.get(seat.index()) == Some(&true);
    let alone = |it: &Sheet| !people.is_empty() && people.iter().all(|&seat| is_out(it, seat));
    if sheet.is_some_and(|it| alone(it) && !is_out(it, seat)) {
        return Some(json!({ "type": "game_action", "action": "resign" }));
    }
    match heard.r#type.as_str() {
        "game_state" if heard.status.as_deref() == Some("pending") => {
            Some(json!({ "type": "player_ready" }))
        }
        "rematch" if heard.seats.as_ref().is_some_and(|it| !it.contains(&seat)) => {
            Some(json!({ "type": "rematch" }))
        }
        _ => None,
    }
}

/// From whiles one after another to moments.
fn timed(plan: Plan) -> VecDeque<(Instant, Value)> {
    let mut at = Instant::now();
    let moments = plan.into_iter().map(|(after, say)| {
        at += after;
        (at, say)
    });
    moments.collect()
}

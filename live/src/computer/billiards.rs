//! Plays billiards: keeps in mind where the balls lie, and when it is its turn thinks of strokes,
//! tries them on the physics, and plays one as well as its hands can.

use std::time::{Duration, Instant};

use games::{
    Kind, Seat,
    billiards::{Discipline, EightBall, Kolkhoz, NineBall, Pyramid},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Level, Mind, Plan, Thought,
    shots::{self, Cloth, Hands, Sight, Stroke},
};

impl Level {
    /// How long it may think of one stroke.
    pub(super) fn patience(self) -> Duration {
        Duration::from_millis(match self {
            Level::Easy => 40,
            Level::Medium => 80,
            Level::Hard => 160,
        })
    }

    /// How steady its hands are, and what they know.
    pub(super) fn hands(self) -> Hands {
        let (heading, speed, tries) = match self {
            Level::Easy => (0.020, 0.12, 1),
            Level::Medium => (0.007, 0.07, 3),
            Level::Hard => (0.0015, 0.03, 6),
        };
        let expert = self == Level::Hard;
        Hands { heading, speed, tries, plans: expert, spins: expert }
    }
}

/// How long it looks at the table before it bends down, and then aims.
const LOOKS: Duration = Duration::from_millis(900);
const AIMS: Duration = Duration::from_millis(1_100);
/// How long it takes to choose between two things.
const CHOOSES: Duration = Duration::from_millis(1_500);

#[derive(Deserialize)]
struct Heard {
    game: Option<View>,
    balls: Option<Balls>,
    shot: Option<Shot>,
    placed: Option<(u8, f64, f64)>,
    took: Option<(Seat, u8)>,
    turn: Option<Turn>,
}

#[derive(Deserialize)]
struct View {
    balls: Vec<(u8, f64, f64)>,
    shot: Option<Shot>,
    turn: Option<Turn>,
}

#[derive(Deserialize)]
struct Balls {
    at: Vec<(u8, f64, f64)>,
}

#[derive(Deserialize)]
struct Shot {
    path: Path,
}

/// By ball: rows that begin with the time, the state, and the place.
#[derive(Deserialize)]
struct Path {
    motions: Vec<Vec<Vec<f64>>>,
}

#[derive(Clone, Deserialize)]
struct Turn {
    seat: Seat,
    phase: String,
    hand: Option<String>,
    strikers: Vec<u8>,
    on: Vec<u8>,
    calls: bool,
    choices: Vec<String>,
    takes: Vec<u8>,
}

/// A ball that has fallen is in this state: see the physics' `State`.
const POCKETED: f64 = 4.0;

/// How long it thinks of one stroke.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    Time(Duration),
    /// Ideas, each tried at a few speeds.
    Ideas(u32),
}

pub(super) struct Player<L> {
    game: Kind,
    seat: Seat,
    hands: Hands,
    patience: Patience,
    luck: L,
    /// The balls on the table: their numbers and places.
    balls: Vec<(u8, [f64; 2])>,
}

impl<L: FnMut() -> f64 + Clone + Send + 'static> Player<L> {
    pub(super) fn new(game: Kind, seat: Seat, level: Level, luck: L) -> Player<L> {
        Player::with(game, seat, level.hands(), Patience::Time(level.patience()), luck)
    }

    /// One with hands and patience of its own.
    pub(super) fn with(
        game: Kind,
        seat: Seat,
        hands: Hands,
        patience: Patience,
        luck: L,
    ) -> Player<L> {
        Player { game, seat, hands, patience, luck, balls: Vec::new() }
    }

    fn lie(&mut self, at: Vec<(u8, f64, f64)>) {
        self.balls = at.into_iter().map(|(ball, x, y)| (ball, [x, y])).collect();
    }

    /// Where a shot leaves the balls.
    fn after(&mut self, shot: &Shot) {
        self.balls.retain_mut(|(ball, place)| {
            let rows = shot.path.motions.get(usize::from(*ball));
            let Some([_, state, x, y, ..]) = rows.and_then(|it| it.last()).map(Vec::as_slice)
            else {
                return true;
            };
            *place = [*x, *y];
            *state != POCKETED
        });
    }

    fn turn(&mut self, turn: Turn, luck: &mut dyn FnMut() -> f64) -> Thought {
        let any = |from: usize, luck: &mut dyn FnMut() -> f64| (luck() * from as f64) as usize;
        match turn.phase.as_str() {
            "choose" => match turn.choices.first() {
                Some(choice) => Thought::Plan(vec![(
                    CHOOSES,
                    json!({ "type": "game_action", "action": "choose", "choice": choice }),
                )]),
                None => Thought::Nothing,
            },
            "take" => match turn.takes.get(any(turn.takes.len(), luck)) {
                Some(ball) => Thought::Plan(vec![(
                    CHOOSES,
                    json!({ "type": "game_action", "action": "take", "ball": ball }),
                )]),
                None => Thought::Nothing,
            },
            _ => {
                let sight = Sight {
                    cloth: cloth(self.game),
                    balls: self.balls.clone(),
                    strikers: turn.strikers,
                    on: turn.on,
                    opens: turn.phase == "break",
                    anywhere: turn.hand.as_deref() == Some("anywhere"),
                    pool: matches!(self.game, Kind::EightBall | Kind::NineBall),
                    lowest: self.game == Kind::NineBall,
                    calls: turn.calls,
                };
                let (hands, patience, mut luck) = (self.hands, self.patience, self.luck.clone());
                Thought::Work(Box::new(move || {
                    let begun = Instant::now();
                    let mut ideas = 0;
                    let spent = || {
                        ideas += 1;
                        match patience {
                            Patience::Time(most) => begun.elapsed().div_duration_f64(most),
                            Patience::Ideas(most) => f64::from(ideas - 1) / f64::from(most),
                        }
                    };
                    said(&shots::choose(&sight, hands, &mut luck, spent))
                }))
            }
        }
    }
}

impl<L: FnMut() -> f64 + Clone + Send + 'static> Mind for Player<L> {
    fn hear(&mut self, message: &[u8], luck: &mut dyn FnMut() -> f64) -> Thought {
        let Ok(heard) = serde_json::from_slice::<Heard>(message) else { return Thought::Nothing };
        let mut turn = heard.turn;
        if let Some(view) = heard.game {
            self.lie(view.balls);
            if let Some(shot) = view.shot {
                self.after(&shot);
            }
            turn = view.turn;
        }
        if let Some(balls) = heard.balls {
            self.lie(balls.at);
        }
        if let Some(shot) = heard.shot {
            self.after(&shot);
        }
        if let Some((moved, x, y)) = heard.placed {
            self.balls.iter_mut().filter(|it| it.0 == moved).for_each(|it| it.1 = [x, y]);
        }
        if let Some((_, taken)) = heard.took {
            self.balls.retain(|it| it.0 != taken);
        }
        match turn {
            Some(turn) if turn.seat == self.seat => self.turn(turn, luck),
            _ => Thought::Nothing,
        }
    }
}

/// What a game is played on.
fn cloth(game: Kind) -> Cloth {
    fn of<D: Discipline>() -> Cloth {
        Cloth { table: D::table(), spec: D::SPEC }
    }
    match game {
        Kind::NineBall => of::<NineBall>(),
        Kind::Pyramid => of::<Pyramid>(),
        Kind::Kolkhoz => of::<Kolkhoz>(),
        Kind::EightBall | Kind::Pong => of::<EightBall>(),
    }
}

/// The stroke as hands play it: the ball is placed, the stick points roughly, then exactly.
fn said(stroke: &Stroke) -> Plan {
    let Stroke { ball, heading, speed, height, place, call, safety } = *stroke;
    let aim = |heading: f64, speed: f64| -> Value {
        json!({ "type": "gesture", "ball": ball, "heading": heading, "speed": speed,
                "side": 0.0, "height": height })
    };
    let mut plan = Vec::new();
    if let Some([x, y]) = place {
        let place =
            json!({ "type": "game_action", "action": "place", "ball": ball, "x": x, "y": y });
        plan.push((LOOKS, place));
    }
    plan.push((LOOKS, aim(heading + 0.08, 0.0)));
    plan.push((AIMS / 2, aim(heading, 0.0)));
    plan.push((AIMS / 2, aim(heading, speed)));
    let call = call.map(|(ball, pocket)| json!({ "ball": ball, "pocket": pocket }));
    let strike = json!({
        "type": "game_action", "action": "strike", "ball": ball, "heading": heading,
        "speed": speed, "side": 0.0, "height": height, "call": call, "safety": safety,
    });
    plan.push((AIMS / 2, strike));
    plan
}

//! The one trait of all games, and the words it is written in.

use alloc::{string::String, vec::Vec};
use core::{
    fmt,
    ops::{Add, RangeInclusive, Sub},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Seed;

/// A pure state machine that is told the time and never asks for it.
///
/// Five calls change a game: [`act`](Game::act), [`away`](Game::away), [`back`](Game::back),
/// [`leave`](Game::leave) and [`wake`](Game::wake). Each is told when it happens and says in `out`
/// what came of it. Times never go backwards, and a game is woken at every moment that it asked
/// for before it hears of anything later.
///
/// `tests/laws.rs` checks the laws that every game keeps.
pub trait Game: Clone + PartialEq + fmt::Debug + Sized + Send + 'static {
    /// What a room can set: length, difficulty …
    type Options: Clone + Default + fmt::Debug + Serialize + DeserializeOwned + JsonSchema + Send;
    /// What a seat may do. Arrives from strangers: `act` checks every value in it.
    type Action: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + JsonSchema + Send;
    /// What changed: the event on the wire. Serialises to a JSON object whose names are none of
    /// `type`, `seq`, `at`, `seat` and `n`, since it stands beside them.
    type Update: Clone + PartialEq + fmt::Debug + Serialize + JsonSchema + Send;
    /// All that one viewer may know now: what a socket is told when it joins or comes back.
    type View: PartialEq + fmt::Debug + Serialize + JsonSchema + Send;
    /// What a hand is doing before it acts, shown to others and forgotten: never part of the match,
    /// nor of its journal. [`NoGesture`] where there is nothing to show.
    type Gesture: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + JsonSchema + Send;

    /// The version of the rules. Raised when the same journal would give another match.
    const RULES: u32;
    /// How many can play.
    const SEATS: RangeInclusive<u8>;
    /// Whether players hear of an action before or after it is on disk.
    const PACE: Pace;

    /// Sets up a match for `seats` players that begins at `at`.
    ///
    /// # Errors
    /// When an option is out of range; the message names it and what would be right.
    fn deal(options: Self::Options, seats: u8, seed: Seed, at: Time) -> Result<Self, BadOptions>;

    /// A seat acts.
    ///
    /// # Errors
    /// A refusal leaves the game exactly as it was, and is heard only by that seat.
    fn act(
        &mut self,
        at: Time,
        seat: Seat,
        action: Self::Action,
        out: &mut Out<Self::Update>,
    ) -> Result<(), Refusal>;

    /// A seat's connection is lost. Answers until when the game waits for it, if it does.
    fn away(
        &mut self,
        at: Time,
        seat: Seat,
        absence: Absence,
        out: &mut Out<Self::Update>,
    ) -> Option<Time>;

    /// A seat that was away is here again.
    fn back(&mut self, at: Time, seat: Seat, out: &mut Out<Self::Update>);

    /// A seat is gone for good. The game decides what that means, and must still end.
    fn leave(&mut self, at: Time, seat: Seat, out: &mut Out<Self::Update>);

    /// The moment named by [`next_wake`](Game::next_wake) has come.
    fn wake(&mut self, at: Time, out: &mut Out<Self::Update>);

    /// When to be woken; `None` when only a player can move the game on, or when it is over.
    fn next_wake(&self) -> Option<Time>;

    /// All that `viewer` may know at `at`. Secrets stay in because this and addressed updates are
    /// the only ways out.
    fn view(&self, at: Time, viewer: Viewer) -> Self::View;

    /// Points by seat.
    fn scores(&self) -> Vec<i64>;

    /// The seat that all others wait for, where one acts at a time.
    fn awaits(&self) -> Option<Seat> {
        None
    }

    /// The result, once there is one.
    fn outcome(&self) -> Option<Outcome>;

    /// Whether a seat may show this now. Arrives from strangers, as actions do.
    ///
    /// # Errors
    /// A refusal is heard only by that seat.
    fn gesture(&self, seat: Seat, gesture: &Self::Gesture) -> Result<(), Refusal>;
}

/// The gestures of a game without any: there is none, and nothing parses as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoGesture {}

/// Why a seat is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Its connection was lost.
    Lost,
    /// The server was: no fault of theirs, and not to cost them anything.
    Interrupted,
}

/// When players hear of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Continuous control: told first, written to the journal just behind. Points wait for it.
    TellFirst,
    /// Decisions: written first, told after.
    WriteFirst,
}

/// Microseconds since the match was opened.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// `n` milliseconds.
    pub const fn millis(n: u64) -> Time {
        Time(n.saturating_mul(1_000))
    }

    /// `n` seconds.
    pub const fn secs(n: u64) -> Time {
        Time(n * 1_000_000)
    }

    /// In whole milliseconds, rounded down: the `at` of the wire.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// In seconds, for formulas. Exact for any match shorter than 285 years.
    pub const fn as_secs(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The first whole microsecond at or after `secs`: an event is never handled before its time.
    pub fn at_or_after(secs: f64) -> Time {
        Time(libm::ceil(secs * 1e6) as u64)
    }
}

impl Add for Time {
    type Output = Time;

    fn add(self, other: Time) -> Time {
        Time(self.0.saturating_add(other.0))
    }
}

impl Sub for Time {
    type Output = Time;

    /// Zero when `other` is later.
    fn sub(self, other: Time) -> Time {
        Time(self.0.saturating_sub(other.0))
    }
}

/// A place in a match, numbered from 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Seat(pub u8);

impl Seat {
    /// As an index into what is kept by seat.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// The other seat of a game of two.
    pub fn other(self) -> Seat {
        Seat(1 - self.0.min(1))
    }
}

/// Who looks at a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// A player.
    Seat(Seat),
    /// Anyone else.
    Crowd,
}

/// Why an action was refused: a stable code for programs, and a sentence for people that says what
/// would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable word, such as `not_your_turn`.
    pub code: &'static str,
    /// What was wrong, and what would be right.
    pub message: &'static str,
}

/// Which option was wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOptions {
    /// The option's name in JSON.
    pub field: &'static str,
    /// What was wrong, and what would be right.
    pub message: String,
}

/// How a match ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Nobody in a draw or a match that does not count.
    pub winner: Option<Seat>,
    /// What ended it.
    pub reason: Reason,
    /// Points by seat.
    pub scores: Vec<i64>,
}

/// What ended a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Played to its end.
    Score,
    /// Someone left, stayed away too long or did nothing for too long.
    Forfeit,
    /// Nobody was left to win it: it does not count.
    Abandoned,
    /// Somebody was not ready in time, so it never began: it does not count.
    CalledOff,
}

/// What a step made happen, in order, and who may hear of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Out<U>(Vec<Said<U>>);

/// One thing that a step made happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Said<U> {
    /// The state changed.
    Update(Audience, U),
    /// The score changed; these are the points by seat now.
    Scores(Vec<i64>),
}

/// Who may hear of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    All,
    /// One seat.
    Only(Seat),
    /// Everybody but one seat.
    Except(Seat),
}

impl Audience {
    /// Whether `viewer` belongs to it.
    pub fn includes(self, viewer: Viewer) -> bool {
        match self {
            Audience::All => true,
            Audience::Only(seat) => viewer == Viewer::Seat(seat),
            Audience::Except(seat) => viewer != Viewer::Seat(seat),
        }
    }
}

impl<U> Default for Out<U> {
    fn default() -> Self {
        Out(Vec::new())
    }
}

impl<U> Out<U> {
    /// Tells everybody.
    pub fn tell(&mut self, update: U) {
        self.tell_to(Audience::All, update);
    }

    /// Tells some.
    pub fn tell_to(&mut self, audience: Audience, update: U) {
        self.0.push(Said::Update(audience, update));
    }

    /// The score has become `scores`.
    pub fn score(&mut self, scores: Vec<i64>) {
        self.0.push(Said::Scores(scores));
    }

    /// Takes what was said so far, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Said<U>> + '_ {
        self.0.drain(..)
    }

    /// Whether the score was said to have changed.
    pub fn scored(&self) -> bool {
        self.0.iter().any(|it| matches!(it, Said::Scores(_)))
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

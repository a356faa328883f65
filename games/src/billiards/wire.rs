//! What billiards says: the same for every discipline.
//!
//! Times are in milliseconds of the match, lengths in metres, angles in radians. The origin is the
//! corner of the cushions' nose lines; x goes across the table, y along it, from the head to the
//! foot.

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    action::{Choice, Limits, Strike},
    physics::{self, BallSpec},
    sheet::Sheet,
};
use crate::{Seat, Time};

/// Where a ball in hand may be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// Wherever it does not touch another ball.
    Anywhere,
    /// Behind the head string.
    Behind,
}

/// What a stroke can be blamed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Foul {
    /// The cue ball fell.
    Scratch,
    /// The striker met no ball.
    NoContact,
    /// The striker met a ball first that was not on.
    WrongBallFirst,
    /// Nothing fell, and too little reached a cushion after the contact.
    NoCushion,
    /// A ball left the table.
    BallOffTable,
    /// The striker fell and had met no ball.
    OwnBallWithoutContact,
    /// Nothing fell on the break, and too few balls reached a cushion.
    IllegalBreak,
    /// The shot clock and the bank ran out.
    Clock,
    /// The 8 fell before its turn.
    EarlyEight,
    /// The 8 fell elsewhere than called, or uncalled.
    EightInWrongPocket,
    /// The 8 fell with a foul.
    EightOnFoul,
    /// The 8 left the table.
    EightOffTable,
    /// The third foul running.
    ThreeFouls,
}

/// What a stroke comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// Its seat plays on.
    GoesOn,
    /// The next seat plays.
    TurnPasses,
    /// The next seat plays, after a foul.
    Foul,
    /// The other seat chooses, after a bad break of 8-ball.
    IllegalBreak,
    /// The 8 fell on the break: a choice follows.
    EightOnBreak,
    /// The other seat chooses, after a push-out.
    PushOut,
    /// The other seat takes a ball, after a foul.
    Penalty,
    /// Its seat has won the rack.
    RackWon,
    /// Its seat has lost the rack.
    RackLost,
    /// The rack is over, and nobody's.
    RackOver,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    /// Whose turn it is, and what they may do.
    Turn(Turn),
    /// A stroke, and all that comes of it until the balls rest.
    Shot(Shot),
    /// What the referee says, once the balls rest or the clock has run out.
    Verdict(Told),
    /// The balls lie so now.
    Balls(Balls),
    /// `[ball, x, y]`: the ball in hand was put there.
    Placed((u8, f64, f64)),
    /// `[seat, choice]`.
    Chose((Seat, Choice)),
    /// `[seat, ball]`: a penalty ball was taken off the table.
    Took((Seat, u8)),
    /// How the match stands.
    Sheet(Sheet),
}

/// What kind of thing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TurnPhase")]
pub enum Doing {
    /// Strike the first stroke of a rack.
    Break,
    /// Strike.
    Shoot,
    /// Choose.
    Choose,
    /// Take a ball.
    Take,
}

/// A turn.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Turn {
    /// Whose.
    pub seat: Seat,
    /// What they are to do.
    pub phase: Doing,
    /// When the shot clock has run out and the seat's bank begins to; nothing while it stands still
    /// for a seat that the server itself cut off.
    pub until: Option<f64>,
    /// What is left in the banks of time, by seat.
    pub bank: Vec<f64>,
    /// Whether the first ball is in hand, and where it may be placed.
    pub hand: Option<Hand>,
    /// The balls that may be struck.
    pub strikers: Vec<u8>,
    /// The balls that may be hit first.
    pub on: Vec<u8>,
    /// Whether a call or a safety must come with the strike.
    pub calls: bool,
    /// Whether a safety may be declared.
    pub safety: bool,
    /// Whether a push-out may be declared.
    pub push_out: bool,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// The balls that may be taken.
    pub takes: Vec<u8>,
}

/// A stroke under way.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Shot {
    /// Whose.
    pub seat: Seat,
    /// When it was struck.
    pub began: f64,
    /// When the balls will be at rest.
    pub rest: f64,
    /// The stroke.
    pub strike: Strike,
    /// How the balls move; its times are in seconds from `began`.
    pub path: physics::Shot,
}

/// What the referee says of a stroke, or of a clock that ran out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Verdict")]
pub struct Told {
    /// Whose stroke or clock.
    pub seat: Seat,
    /// What it comes to.
    pub ruling: Ruling,
    /// What was wrong with it.
    pub fouls: Vec<Foul>,
    /// `[ball, pocket]` of every ball that fell, in order, those that come back included.
    pub potted: Vec<(u8, u8)>,
    /// The balls that left the table.
    pub off: Vec<u8>,
    /// The balls that come back to the table.
    pub spotted: Vec<u8>,
    /// What it gave, by seat.
    pub points: Vec<i64>,
    /// When the next rack will be set up, if this one is over and the match is not.
    pub next_rack_at: Option<f64>,
}

/// Where the balls lie.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Balls {
    /// Why it is told.
    pub why: Why,
    /// `[ball, x, y]` of every ball on the table.
    pub at: Vec<(u8, f64, f64)>,
}

/// Why balls lie elsewhere than a shot left them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BallsMoved")]
pub enum Why {
    /// They were set up.
    Rack,
    /// Some came back to the table.
    Spotted,
    /// The first ball is in hand, and was put on a free place.
    Hand,
}

/// All that can be seen.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct View {
    /// Which game of billiards it is.
    pub discipline: &'static str,
    /// The table.
    pub table: physics::Table,
    /// What the balls are like.
    pub ball: BallSpec,
    /// The marks on the cloth.
    pub spots: Spots,
    /// `[ball, x, y]` of every ball on the table; during a shot, where they lay when it began.
    pub balls: Vec<(u8, f64, f64)>,
    /// The shot under way.
    pub shot: Option<Shot>,
    /// Whose turn it is; nobody's while balls roll and between racks.
    pub turn: Option<Turn>,
    /// What the referee said last.
    pub verdict: Option<Told>,
    /// How the match stands.
    pub sheet: Sheet,
    /// How many racks win the match; in Kolkhoz, how many are played.
    pub target: u8,
    /// When the next rack will be set up.
    pub next_rack_at: Option<f64>,
    /// What a strike is held to.
    pub limits: Limits,
    /// When the match ends whatever the score.
    pub ends_at: f64,
}

/// The marks on the cloth.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Spots {
    /// In the middle of the head string.
    pub head: [f64; 2],
    /// Where the first ball of a rack stands.
    pub foot: [f64; 2],
    /// The `y` of the line behind which a ball in hand may have to lie.
    pub head_string: f64,
    /// The `y` of the line between the middle pockets.
    pub centre: f64,
}

/// To milliseconds of the wire, exact to the microsecond.
pub(super) fn millis(at: Time) -> f64 {
    at.0 as f64 / 1e3
}

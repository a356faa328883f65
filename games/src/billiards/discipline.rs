//! What the disciplines of billiards have in common, and the words in which they rule.

use alloc::{format, vec, vec::Vec};
use core::{fmt, ops::RangeInclusive};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    action::{Call, Choice},
    physics::{self, BallSpec},
    rack::Layout,
    record::Seen,
    sheet::Sheet,
    wire::{Foul, Hand, Ruling},
};
use crate::{BadOptions, Seat, seed::Luck};

/// A discipline: its options, and its referee, who knows no physics. Each of its rulings is a
/// function of the score sheet, the stroke and what was seen of it.
pub trait Discipline:
    Clone
    + Default
    + PartialEq
    + fmt::Debug
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Send
    + 'static
{
    /// Its word on the wire.
    const NAME: &'static str;
    /// The version of its rules.
    const RULES: u32;
    /// How many can play.
    const SEATS: RangeInclusive<u8>;
    /// How many balls, numbered from 0, which is the first striker.
    const BALLS: u8;
    /// What they are like.
    const SPEC: BallSpec;

    /// The table that it is played on.
    fn table() -> physics::Table;

    /// Refuses options that are out of range.
    ///
    /// # Errors
    /// Names the option and what would be right.
    fn check(&self) -> Result<(), BadOptions>;

    /// The shot clock, and the bank of time of each seat for the whole match, in seconds.
    fn clock(&self) -> (u16, u16);

    /// How many racks win the match, or make it.
    fn target(&self) -> u8;

    /// The balls of a new rack.
    fn rack(table: &physics::Table, luck: &mut Luck) -> Layout;

    /// What `seat` may do with its stroke.
    fn permit(&self, sheet: &Sheet, seat: Seat) -> Permit;

    /// Rules on a stroke.
    fn judge(&self, sheet: &Sheet, stroke: &Stroke, seen: &[Seen]) -> Verdict;

    /// Rules on a seat that did not strike in time.
    fn out_of_time(&self, sheet: &Sheet, seat: Seat) -> Verdict;

    /// `seat` has taken `ball` off the table, as [`Next::Take`] lets it.
    fn took(&self, sheet: &mut Sheet, seat: Seat, ball: u8) -> Next {
        sheet.shelve(seat, ball);
        Next::Play { seat, hand: None }
    }

    /// Points by seat, as the match stands.
    fn scores(&self, sheet: &Sheet) -> Vec<i64>;

    /// Whether the match is over now that a rack is.
    fn is_over(&self, sheet: &Sheet) -> bool;

    /// What tells apart seats whose scores are level; the greater is ahead.
    fn tie_break(&self, sheet: &Sheet, seat: Seat) -> i64 {
        sheet.points[seat.index()]
    }
}

/// What a seat may do with its stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    /// The balls that it may strike.
    pub strikers: Vec<u8>,
    /// The balls that may be hit first, and so be called.
    pub on: Vec<u8>,
    /// Whether it must call a ball and its pocket, or declare a safety.
    pub calls: bool,
    /// Whether it may declare a push-out.
    pub push_out: bool,
}

/// A stroke, as far as it matters to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// Whose.
    pub seat: Seat,
    /// The ball that was struck.
    pub striker: u8,
    /// What was called.
    pub call: Option<Call>,
    /// A safety was declared.
    pub safety: bool,
    /// A push-out was declared.
    pub push_out: bool,
}

/// What a referee makes of a stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What it comes to.
    pub ruling: Ruling,
    /// What was wrong with it.
    pub fouls: Vec<Foul>,
    /// The balls that come back to the table, in this order.
    pub spotted: Vec<u8>,
    /// What it gives each seat.
    pub points: Vec<i64>,
    /// The sheet after it.
    pub sheet: Sheet,
    /// What follows.
    pub next: Next,
}

impl Verdict {
    /// One that gives no points and brings nothing back.
    pub fn new(ruling: Ruling, sheet: Sheet, next: Next) -> Verdict {
        let points = vec![0; sheet.seats()];
        Verdict { ruling, fouls: Vec::new(), spotted: Vec::new(), points, sheet, next }
    }

    /// With these fouls.
    #[must_use]
    pub fn for_fouls(self, fouls: Vec<Foul>) -> Verdict {
        Verdict { fouls, ..self }
    }

    /// With these balls brought back to the table.
    #[must_use]
    pub fn spotting(mut self, balls: impl IntoIterator<Item = u8>) -> Verdict {
        for ball in balls {
            self.sheet.bring_back(ball);
            self.spotted.push(ball);
        }
        self
    }
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// A seat plays, with the ball in hand or from where everything lies.
    Play {
        /// Who.
        seat: Seat,
        /// Where it may put ball 0.
        hand: Option<Hand>,
    },
    /// A seat chooses among these.
    Choose {
        /// Who.
        seat: Seat,
        /// Among what; never nothing. The first is what the clock chooses.
        offers: Vec<Offer>,
    },
    /// A seat takes a ball off the table.
    Take {
        /// Who.
        seat: Seat,
    },
    /// The same rack is set up again, and a seat breaks.
    Break {
        /// Who.
        seat: Seat,
    },
    /// The rack is over.
    Rack {
        /// Whose it is, where racks are won.
        winner: Option<Seat>,
        /// Who would begin the next one.
        breaker: Seat,
    },
}

/// One thing to choose, and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Its word.
    pub choice: Choice,
    /// A ball that then comes back to the table.
    pub spot: Option<u8>,
    /// What follows.
    pub next: Next,
}

/// Refuses the value of an option that is out of range.
pub(super) fn in_range(
    field: &'static str,
    value: u16,
    range: RangeInclusive<u16>,
) -> Result<(), BadOptions> {
    if range.contains(&value) {
        return Ok(());
    }
    let message = format!("from {} to {}, not {value}", range.start(), range.end());
    Err(BadOptions { field, message })
}

/// Refuses a shot clock or a bank of time that is out of range.
pub(super) fn check_clock(clock: u16, bank: u16) -> Result<(), BadOptions> {
    in_range("clock", clock, 10..=120)?;
    in_range("bank", bank, 0..=300)
}

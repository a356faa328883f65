//! What a run is made of: who plays, how bad the weather is, and which fault is planted.

use std::{ops::RangeInclusive, time::Duration};

use super::luck::Luck;

/// Drawn from the seed. Each trouble is missing from many runs, so that what only shows without
/// another is found too.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How many play.
    pub(super) people: i64,
    /// How many only watch.
    pub(super) watchers: u64,
    /// Points to win.
    pub(super) points: u8,
    /// How long the troubles last, before everybody finishes in peace.
    pub(super) storm: Duration,
    /// How often the server is stopped …
    pub(super) stop_every: Option<Duration>,
    /// … and how many of those are deploys and not crashes.
    pub(super) deploys: f64,
    /// How often a connection breaks.
    pub(super) cut_every: Option<Duration>,
    /// How long a message is on its way, in milliseconds.
    pub(super) delay: RangeInclusive<u64>,
    /// How many statements fail, half of them after they were done.
    pub(super) failing: f64,
    /// How many statements are slow, and how slow at most, in milliseconds.
    pub(super) slow: (f64, u64),
    /// How often the database does not answer at all for a while.
    pub(super) outage_every: Option<Duration>,
    /// What is wrong on purpose.
    pub(super) plant: Option<Plant>,
}

impl Plan {
    pub(super) fn draw(luck: &mut Luck, plant: Option<Plant>) -> Plan {
        let mut sometimes = |of: f64, range: RangeInclusive<u64>| {
            let drawn = luck.millis(range);
            luck.chance(of).then_some(drawn)
        };
        let stop_every = sometimes(0.6, 2_000..=30_000);
        let cut_every = sometimes(0.7, 1_000..=20_000);
        let outage_every = sometimes(0.4, 5_000..=30_000);
        let slow = sometimes(0.5, 5..=800).map_or((0.0, 0), |most| (0.1, most.as_millis() as u64));
        let far = sometimes(0.5, 20..=300).map_or(3, |most| most.as_millis() as u64);
        Plan {
            people: 3 + luck.below(8) as i64,
            watchers: luck.below(3),
            points: if luck.chance(0.2) { 5 } else { 3 },
            storm: luck.millis(30_000..=100_000),
            stop_every,
            deploys: luck.unit(),
            cut_every,
            delay: 1..=far,
            failing: if luck.chance(0.5) { 0.3 * luck.unit() } else { 0.0 },
            slow,
            outage_every,
            plant,
        }
    }
}

/// Faults that are made on purpose, in tests of the simulation itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// A match that is settled is settled again.
    SettleTwice,
    /// A rating is not kept.
    ForgetRating,
    /// The points of the two are swapped as they are stored.
    SwapScores,
    /// A line of the journal is not written.
    LoseLine,
    /// Two lines of a match change places.
    SwapLines,
    /// Lines are said to be written before they are.
    SayWritten,
    /// A match is made of people who play another.
    PairPlayers,
    /// A match is not taken up again.
    ForgetMatch,
    /// Nobody looks for a match whose insertion was not answered.
    ForgetUnanswered,
    /// A message gets lost in the middle of a connection.
    LoseMessage,
    /// The result is told before it is stored.
    TellFirst,
}

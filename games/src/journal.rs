//! The journal of a match, and the one way in which its entries reach the game: live, and again
//! when it is replayed, resumed or verified.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Absence, BadOptions, Game, Out, Outcome, Refusal, Seat, Seed, Time};

/// Something from outside that a game was told. Small as JSON: a match has thousands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input<A> {
    /// The match began.
    Deal,
    /// A seat acted; the number is that of its message, so that a resumed match knows which were
    /// dealt with.
    Act(Seat, u64, A),
    /// A seat's connection was lost.
    Away(Seat, Absence),
    /// A seat that was away is here again.
    Back(Seat),
    /// A seat is gone for good.
    Leave(Seat),
    /// Nothing came in, and something happened by itself: a mark of how far the match had come,
    /// for when it is resumed.
    Reached,
}

/// An input and its time.
pub type Entry<A> = (Time, Input<A>);

/// A game on its way through time. It sees the moments that it asked for and those of its inputs,
/// whether they come from people or from a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<G> {
    game: G,
    now: Time,
}

/// The message that made something happen: whose, and its number.
pub type Cause = Option<(Seat, u64)>;

/// What is said goes here, with its time and its cause.
pub type Tell<'a, U> = &'a mut dyn FnMut(Time, Cause, Out<U>);

impl<G: Game> Table<G> {
    /// Begins a match.
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn deal(
        options: G::Options,
        seats: u8,
        seed: Seed,
        at: Time,
    ) -> Result<Table<G>, BadOptions> {
        Ok(Table { game: G::deal(options, seats, seed, at)?, now: at })
    }

    /// The game as it is now.
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The last moment that the game has seen: nothing can happen before it any more.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Wakes the game at each moment up to `to` that it asked for.
    pub fn catch_up(&mut self, to: Time, tell: Tell<'_, G::Update>) {
        while let Some(due) = self.game.next_wake().filter(|&it| it <= to) {
            let mut out = Out::default();
            self.now = due;
            self.game.wake(due, &mut out);
            tell(due, None, out);
        }
    }

    /// Lets an input in, after everything that was due. Answers until when the game waits for a
    /// seat that is away.
    ///
    /// # Errors
    /// When the game refuses an action: it is as it was, and the input is no part of the journal.
    pub fn enter(
        &mut self,
        at: Time,
        input: Input<G::Action>,
        tell: Tell<'_, G::Update>,
    ) -> Result<Option<Time>, Refusal> {
        self.catch_up(at, tell);
        let mut out = Out::default();
        let mut until = None;
        let cause = match input {
            Input::Act(seat, n, _) => Some((seat, n)),
            Input::Deal | Input::Away(..) | Input::Back(_) | Input::Leave(_) | Input::Reached => {
                None
            }
        };
        match input {
            Input::Deal | Input::Reached => {}
            Input::Act(seat, _, action) => self.game.act(at, seat, action, &mut out)?,
            Input::Away(seat, absence) => until = self.game.away(at, seat, absence, &mut out),
            Input::Back(seat) => self.game.back(at, seat, &mut out),
            Input::Leave(seat) => self.game.leave(at, seat, &mut out),
        }
        self.now = self.now.max(at);
        tell(at, cause, out);
        Ok(until)
    }
}

/// Why a journal is not one of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadJournal {
    /// It does not begin with a deal, or has another one.
    Deal,
    /// An entry is older than the one before it.
    Order,
    /// The options are refused.
    Options(BadOptions),
    /// An entry is refused by the rules.
    Refused(Time, Refusal),
}

/// Runs a journal, and tells what was said.
///
/// # Errors
/// When it is not the journal of a match.
pub fn run<G: Game>(
    options: G::Options,
    seats: u8,
    seed: Seed,
    entries: Vec<Entry<G::Action>>,
    tell: Tell<'_, G::Update>,
) -> Result<Table<G>, BadJournal> {
    let mut entries = entries.into_iter();
    let Some((begun, Input::Deal)) = entries.next() else { return Err(BadJournal::Deal) };
    let mut table = Table::<G>::deal(options, seats, seed, begun).map_err(BadJournal::Options)?;
    let mut last = begun;
    for (at, input) in entries {
        if input == Input::Deal {
            return Err(BadJournal::Deal);
        }
        if at < last {
            return Err(BadJournal::Order);
        }
        last = at;
        table.enter(at, input, tell).map_err(|it| BadJournal::Refused(at, it))?;
    }
    Ok(table)
}

/// How a match ends that nobody touches any more: the outcome that its journal stands for.
pub fn outcome<G: Game>(mut table: Table<G>, tell: Tell<'_, G::Update>) -> Option<Outcome> {
    table.catch_up(Time(u64::MAX), tell);
    table.game.outcome()
}

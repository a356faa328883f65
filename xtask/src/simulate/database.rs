//! The stand-in for the database: the tables of a match's life in memory, with the steps that the
//! arena's transactions have.
//!
//! A transaction is all or nothing, takes its time, and may fail: before anything was done, or
//! after everything was and only the answer is lost. What is in the tables survives crashes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use games::{Outcome, Reason, Seat, Time};
use live::{Line, Status, wire::RatingChange};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    luck::Luck,
    plan::{Plan, Plant},
};

pub(super) type Person = i64;
pub(super) type MatchId = i64;

/// Everybody's first rating.
pub(super) const NEW_RATING: i64 = 1500;

/// Why a transaction did not work out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nobody knows whether it was done.
    NoAnswer,
    /// A rule of the tables forbids it.
    Refused,
}

pub(super) struct Database {
    plan: Plan,
    /// One transaction at a time, in line.
    turn: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

struct Inner {
    rows: Rows,
    luck: Luck,
    calm: bool,
    out: bool,
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) queue: BTreeMap<Person, u64>,
    pub(super) playing: BTreeMap<Person, MatchId>,
    pub(super) matches: BTreeMap<MatchId, MatchRow>,
    pub(super) journal: BTreeMap<MatchId, BTreeMap<u64, (Time, String)>>,
    pub(super) ratings: BTreeMap<Person, Standing>,
    /// No table: every result as it was stored, to see that each is only once.
    pub(super) results: Vec<(MatchId, Outcome)>,
    /// Likewise every change of a rating: of whom, before and after.
    pub(super) changes: Vec<(MatchId, Person, i64, i64)>,
    /// Likewise everybody who was put in a match while they were in another.
    pub(super) overlaps: Vec<(Person, [MatchId; 2])>,
    /// How many transactions made changes; decides where planted faults strike.
    ticks: u64,
}

/// A match that is about to be inserted.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewMatch {
    pub(super) id: MatchId,
    pub(super) players: [Person; 2],
    pub(super) seed: u64,
    pub(super) rematch_of: Option<MatchId>,
    pub(super) now: u64,
}

#[derive(Clone, Debug)]
pub(super) struct MatchRow {
    pub(super) players: [Person; 2],
    pub(super) seed: u64,
    pub(super) options: Value,
    pub(super) created_at: u64,
    pub(super) status: Status,
    pub(super) rematch_of: Option<MatchId>,
    pub(super) outcome: Option<Outcome>,
    pub(super) ratings: Option<Vec<RatingChange>>,
    /// The folded journal of a match that was played to its end.
    pub(super) replay: Option<Vec<(Time, String)>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) rating: i64,
    pub(super) games: u64,
}

/// What sort of end a match has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Played,
    CalledOff,
}

impl Database {
    pub(super) fn new(plan: Plan, luck: Luck) -> Database {
        let inner = Inner { rows: Rows::default(), luck, calm: false, out: false };
        Database { plan, turn: tokio::sync::Mutex::new(()), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is quick and never fails.
    pub(super) fn calm(&self) {
        let mut inner = self.inner();
        (inner.calm, inner.out) = (true, false);
    }

    /// It does not answer, or does again.
    pub(super) fn set_out(&self, out: bool) {
        let mut inner = self.inner();
        inner.out = out && !inner.calm;
    }

    /// Looks at the tables from outside of the simulation.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Rows) -> T) -> T {
        at(&self.inner().rows)
    }

    /// Runs a transaction. Dropped before `work` it was never there; dropped after it, it was
    /// done and nobody knows.
    pub(super) async fn transact<T>(
        &self,
        work: impl FnOnce(&mut Rows) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let turn = self.turn.lock().await;
        let (before, after, [fails_before, fails_after]) = self.inner().fate(&self.plan);
        sleep(before).await;
        if fails_before {
            return Err(Failed::NoAnswer);
        }
        let done = work(&mut self.inner().rows);
        drop(turn);
        sleep(after).await;
        if fails_after { Err(Failed::NoAnswer) } else { done }
    }
}

impl Inner {
    /// How long a transaction takes before and after it is done, and where it fails.
    fn fate(&mut self, plan: &Plan) -> (Duration, Duration, [bool; 2]) {
        let luck = &mut self.luck;
        let mut times = [luck.millis(0..=1), luck.millis(0..=1)];
        let mut fails = luck.chance(plan.failing);
        if luck.chance(plan.slow.0) {
            times[luck.below(2) as usize] = luck.millis(1..=plan.slow.1.max(1));
        }
        let late = luck.chance(0.5);
        if self.calm {
            (times, fails) = ([Duration::ZERO; 2], false);
        }
        (times[0], times[1], [self.out || (fails && !late), fails && late])
    }
}

impl Rows {
    fn strikes(&mut self, plan: &Plan, plant: Plant, every: u64) -> bool {
        self.ticks += 1;
        plan.plant == Some(plant) && self.ticks.is_multiple_of(every)
    }

    /// Makes a match whose players wait no more and play from now on.
    pub(super) fn insert_match(&mut self, plan: &Plan, new: NewMatch) -> Result<(), Failed> {
        let NewMatch { id, players, seed, rematch_of, now } = new;
        let plays = players.iter().any(|it| self.playing.contains_key(it));
        let again =
            rematch_of.is_some() && self.matches.values().any(|it| it.rematch_of == rematch_of);
        if again || (plays && plan.plant != Some(Plant::PairPlayers)) {
            return Err(Failed::Refused);
        }
        let row = MatchRow {
            players,
            seed,
            options: json!({ "points": plan.points }),
            created_at: now,
            status: Status::Pending,
            rematch_of,
            outcome: None,
            ratings: None,
            replay: None,
        };
        self.matches.insert(id, row);
        for player in players {
            let other = self.matches.iter().find(|(other, it)| {
                **other != id && it.status != Status::Finished && it.players.contains(&player)
            });
            self.overlaps.extend(other.map(|(&other, _)| (player, [other, id])));
            self.playing.insert(player, id);
            if plan.plant != Some(Plant::PairPlayers) {
                self.queue.remove(&player);
            }
        }
        Ok(())
    }

    /// Appends lines; those that are there already stay as they are.
    pub(super) fn insert_lines(&mut self, plan: &Plan, lines: &[Line]) {
        let mut rows: Vec<_> =
            lines.iter().map(|it| (it.key, it.seq, it.at, it.entry.clone())).collect();
        if self.strikes(plan, Plant::LoseLine, 40) {
            rows.pop();
        }
        if let [.., one, two] = &mut rows[..]
            && one.0 == two.0
            && self.strikes(plan, Plant::SwapLines, 20)
        {
            std::mem::swap(&mut one.1, &mut two.1);
        }
        for (id, seq, at, entry) in rows {
            self.journal.entry(id).or_default().entry(seq).or_insert((at, entry));
        }
    }

    pub(super) fn entries(&self, id: MatchId) -> Vec<(Time, String)> {
        self.journal.get(&id).map(|it| it.values().cloned().collect()).unwrap_or_default()
    }

    /// Writes down how a match ended and all that follows from it, once; answers what became of
    /// the ratings.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        id: MatchId,
        outcome: &Outcome,
        ending: Ending,
    ) -> Result<Option<Vec<RatingChange>>, Failed> {
        let entries = self.entries(id);
        let row = self.matches.get_mut(&id).ok_or(Failed::Refused)?;
        if row.status == Status::Finished && plan.plant != Some(Plant::SettleTwice) {
            return Ok(row.ratings.clone());
        }
        let mut outcome = outcome.clone();
        if plan.plant == Some(Plant::SwapScores) {
            outcome.scores.reverse();
        }
        row.status = Status::Finished;
        row.outcome = Some(outcome.clone());
        if ending == Ending::Played {
            row.replay = Some(entries);
            self.journal.remove(&id);
        }
        let players = row.players;
        self.results.push((id, outcome.clone()));
        self.playing.retain(|_, playing| *playing != id);
        let ratings = self.rate(plan, id, players, &outcome);
        if let Some(row) = self.matches.get_mut(&id) {
            row.ratings.clone_from(&ratings);
        }
        Ok(ratings)
    }

    /// A simple rating in place of Glicko-2: each change follows from both ratings, so that one
    /// that is lost, doubled or out of turn shows in all later ones.
    fn rate(
        &mut self,
        plan: &Plan,
        id: MatchId,
        players: [Person; 2],
        outcome: &Outcome,
    ) -> Option<Vec<RatingChange>> {
        if !matches!(outcome.reason, Reason::Score | Reason::Forfeit) {
            return None;
        }
        let before = players.map(|it| self.ratings.get(&it).map_or(NEW_RATING, |it| it.rating));
        let forgets = self.strikes(plan, Plant::ForgetRating, 7);
        let mut changes = Vec::with_capacity(2);
        for (index, seat) in [Seat(0), Seat(1)].into_iter().enumerate() {
            let after = before[index] + points(before[index], before[1 - index], seat, outcome);
            let games = self.ratings.get(&players[index]).map_or(0, |it| it.games) + 1;
            if !(forgets && seat == Seat(1)) {
                self.ratings.insert(players[index], Standing { rating: after, games });
            }
            self.changes.push((id, players[index], before[index], after));
            changes.push(RatingChange { seat, before: before[index], after, provisional: false });
        }
        Some(changes)
    }
}

/// What a result is worth to a seat.
fn points(own: i64, others: i64, seat: Seat, outcome: &Outcome) -> i64 {
    let expected = 16 + ((own - others) / 20).clamp(-15, 15);
    match outcome.winner {
        Some(winner) if winner == seat => 32 - expected,
        Some(_) => -expected,
        None => 16 - expected,
    }
}

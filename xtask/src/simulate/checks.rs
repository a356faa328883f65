//! What must hold once everybody has come to an end.

use std::collections::BTreeMap;

use games::{
    Outcome, Reason, Seed, Time,
    journal::{self, Entry},
    pong::{Action, Options, Pong},
};
use live::Status;

use super::{
    database::{MatchId, MatchRow, NEW_RATING, Rows},
    person::Final,
    stream::{Told, without_number},
    table::shown,
    world::{RunEnd, World},
};

/// Checks a run that is over, and complains of what is wrong.
pub(super) fn check(world: &World) {
    let mut told: BTreeMap<MatchId, Vec<Told>> = BTreeMap::new();
    for it in world.take_told() {
        told.entry(it.id).or_default().push(it);
    }
    let mut wrong = Vec::new();
    world.database.look(|rows| {
        check_results(rows, &mut wrong);
        check_ratings(rows, &mut wrong);
        for (&id, row) in &rows.matches {
            if let Some(end) = Final::of(row) {
                check_finals(world, id, row, &end, &mut wrong);
            }
            let told = told.remove(&id).unwrap_or_default();
            if let Err(bad) = check_replay(world, row, &told) {
                wrong.push(format!("match {id}: {bad}"));
            }
        }
    });
    for what in wrong {
        world.complain(what);
    }
}

/// One result a match, nobody in two at once, and nothing left behind.
fn check_results(rows: &Rows, wrong: &mut Vec<String>) {
    for (&id, row) in &rows.matches {
        let results: Vec<&Outcome> =
            rows.results.iter().filter(|it| it.0 == id).map(|it| &it.1).collect();
        if results.len() != 1 || row.status != Status::Finished {
            wrong.push(format!("match {id} is {:?} with the results {results:?}", row.status));
        }
    }
    for (who, [one, other]) in &rows.overlaps {
        wrong.push(format!("player {who} was in match {one} and in match {other}"));
    }
    for (who, id) in &rows.playing {
        wrong.push(format!("player {who} is still in match {id}"));
    }
    for (id, lines) in &rows.journal {
        wrong.push(format!("the journal of match {id}, which is over, has {} lines", lines.len()));
    }
}

/// Every match that counts changed both ratings once, each from where the last one left it.
fn check_ratings(rows: &Rows, wrong: &mut Vec<String>) {
    let mut standings = BTreeMap::new();
    for &(id, who, before, after) in &rows.changes {
        let (rating, games) = standings.entry(who).or_insert((NEW_RATING, 0));
        if *rating != before {
            let what = format!("match {id} changed {who}'s rating from {before}, not {rating}");
            wrong.push(what);
        }
        (*rating, *games) = (after, *games + 1);
    }
    let stored = rows.ratings.iter().map(|(&who, it)| (who, (it.rating, it.games)));
    let stored: BTreeMap<_, _> = stored.collect();
    if stored != standings {
        wrong.push(format!("the ratings are {stored:?}, and the matches gave {standings:?}"));
    }
    for (&id, row) in &rows.matches {
        let counts = row
            .outcome
            .as_ref()
            .is_some_and(|it| matches!(it.reason, Reason::Score | Reason::Forfeit));
        let changes = rows.changes.iter().filter(|it| it.0 == id).count();
        if changes != if counts { 2 } else { 0 } || row.ratings.is_some() != counts {
            wrong.push(format!("match {id} changed {changes} ratings, and ended as {row:?}"));
        }
    }
}

/// Everybody who was there was told the same end, and it is the one that is stored.
fn check_finals(world: &World, id: MatchId, row: &MatchRow, end: &Final, wrong: &mut Vec<String>) {
    let finals = world.finals();
    for who in row.players {
        match finals.get(&(id, who)) {
            Some(told) if told == end => {}
            Some(told) => {
                wrong.push(format!("match {id} ended as {end:?}, and {who} was told {told:?}"));
            }
            // Who did not come may not have heard of it at all.
            None if end.outcome.reason == Reason::CalledOff => {}
            None => wrong.push(format!("player {who} does not know how match {id} ended")),
        }
    }
}

/// The replay ends as the match did, and tells what was told live.
fn check_replay(world: &World, row: &MatchRow, told: &[Told]) -> Result<(), String> {
    let played = row.outcome.as_ref().filter(|it| it.reason != Reason::CalledOff);
    let (outcome, entries) = match (played, &row.replay) {
        (Some(outcome), Some(entries)) => (outcome, entries),
        (None, None) => return Ok(()),
        (outcome, replay) => {
            let there = replay.is_some();
            return Err(format!("it ended as {outcome:?}, and has a replay: {there}"));
        }
    };
    let messages = replay(row, entries, outcome)?;
    for told in told {
        let end = world.end_of(told.run);
        let mut rest = messages.iter();
        for (at, message) in &told.messages {
            if rest.any(|it| it == message) {
                continue;
            }
            // What was told last before a crash may be lost, and all that came of it with it.
            if let Some(RunEnd::Crash { kept_before }) = end
                && *at >= kept_before
            {
                break;
            }
            return Err(format!("in run {} it told {message}: not in its replay", told.run));
        }
    }
    Ok(())
}

/// What the crowd hears when the match is run again, without numbers.
fn replay(
    row: &MatchRow,
    entries: &[(Time, String)],
    outcome: &Outcome,
) -> Result<Vec<String>, String> {
    let bad = |bad: &dyn std::fmt::Debug| format!("its journal is none: {bad:?}");
    let options: Options = serde_json::from_value(row.options.clone()).map_err(|it| bad(&it))?;
    let entry = |(at, input): &(_, String)| Ok((*at, serde_json::from_str(input)?));
    let entries: serde_json::Result<Vec<Entry<Action>>> = entries.iter().map(entry).collect();
    let entries = entries.map_err(|it| bad(&it))?;
    let run = |entries, tell: journal::Tell<'_, _>| {
        journal::run::<Pong>(options.clone(), 2, Seed(row.seed), entries, tell)
    };
    let dealt = entries.get(..1).unwrap_or_default().to_vec();
    let dealt = run(dealt, &mut |_, _, _| {}).map_err(|it| bad(&it))?;
    let mut told = Vec::new();
    let mut tell = |at, cause, out| told.push((at, cause, out));
    let table = run(entries, &mut tell).map_err(|it| bad(&it))?;
    let found = journal::outcome(table, &mut tell);
    if found.as_ref() != Some(outcome) {
        return Err(format!("it ended as {outcome:?}, and its journal ends as {found:?}"));
    }
    let messages = live::replay(&dealt, &row.options, &shown(row.players), told, outcome);
    Ok(messages.iter().map(|it| without_number(it.get())).collect())
}

//! What must be true once it is calm, looked at from outside: each match ended, once, as all who
//! heard of it were told and as its journal says when it is run again; each rating was changed by
//! each counted match once; and nobody was ever in two matches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    player::Player,
    server::Server,
    world::{Seen, World},
};

/// Everybody's first rating.
const FIRST_RATING: i64 = 1500;
/// More matches than these between the same two within a day don't change their ratings.
const RATED_GAMES_MAX: u64 = 5;
/// How many questions are asked at once, and how many programs run.
const ASK_AT_ONCE: usize = 16;
const VERIFY_AT_ONCE: usize = 4;
/// How long those may wait in vain whose opponents have left: the time to get ready, and more.
const LEFT_ALONE_MAX: Duration = Duration::from_secs(40);

/// A match in somebody's history.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Past {
    match_id: String,
    finished_at: String,
    reason: String,
    players: Vec<PastPlayer>,
}

impl Past {
    /// Whether it counts in the records of its players.
    fn counts(&self) -> bool {
        matches!(self.reason.as_str(), "score" | "forfeit")
    }

    /// Of one player, and of the other.
    fn sides(&self, id: &str) -> Option<[&PastPlayer; 2]> {
        match self.players.as_slice() {
            [one, two] if one.user.id == id => Some([one, two]),
            [one, two] if two.user.id == id => Some([two, one]),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct PastPlayer {
    user: User,
    score: i64,
    rating_before: Option<i64>,
    rating_after: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Past>,
    next_cursor: Option<String>,
}

/// What the server says of one player: matches from the first to the last, and the record.
struct Record {
    id: String,
    past: Vec<Past>,
    stats: Value,
}

/// A match as anyone may see it.
#[derive(Deserialize)]
struct Info {
    status: String,
    winner: Option<String>,
    created_at: String,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Summary {
    reasons: BTreeMap<String, u64>,
    verified: u64,
    changes: u64,
}

/// Looks at everything, and notes what is wrong.
pub(crate) async fn check(world: &World, server: &Server, people: &[Player]) -> Result<Summary> {
    let mut summary = Summary::default();
    let judge = Judge { world };
    let seen = world.seen();
    let infos = judge.wait_for_ends(seen.keys()).await?;
    let records: Vec<Record> = stream::iter(people)
        .map(|player| judge.record(player))
        .buffer_unordered(ASK_AT_ONCE)
        .try_collect()
        .await?;

    let mut played: BTreeMap<&str, Vec<&Past>> = BTreeMap::new();
    for record in &records {
        for past in &record.past {
            played.entry(&past.match_id).or_default().push(past);
        }
        summary.changes += judge.ratings(record);
        judge.one_at_a_time(record, &infos);
    }
    for (match_id, seen) in &seen {
        let tellings = played.get(match_id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let reason = judge.result(match_id, seen, &infos[match_id], tellings);
        *summary.reasons.entry(reason.to_owned()).or_default() += 1;
    }
    let unseen: BTreeSet<_> = played.keys().filter(|id| !seen.contains_key(**id)).collect();
    for match_id in unseen {
        world.broken("a match was played that no player was in", (*match_id).to_owned());
    }
    let verdicts: Vec<Option<String>> = stream::iter(played.keys())
        .map(|match_id| server.verify(match_id))
        .buffer_unordered(VERIFY_AT_ONCE)
        .try_collect()
        .await?;
    summary.verified = verdicts.iter().filter(|it| it.is_none()).count() as u64;
    for complaint in verdicts.into_iter().flatten() {
        world.broken("a result is not what its journal says", complaint);
    }
    Ok(summary)
}

struct Judge<'a> {
    world: &'a World,
}

impl Judge<'_> {
    /// All matches that anyone was in, each once it has ended.
    async fn wait_for_ends(
        &self,
        matches: impl Iterator<Item = &String>,
    ) -> Result<BTreeMap<String, Info>> {
        let deadline = Instant::now() + LEFT_ALONE_MAX;
        let look = async |id: &String| {
            loop {
                let path = format!("/api/matches/{id}");
                let info = self.world.rest.call("GET", &path, None, None).await?;
                let info: Info = serde_json::from_value(info)?;
                if info.status == "finished" || Instant::now() >= deadline {
                    return anyhow::Ok((id.clone(), info));
                }
                sleep(Duration::from_millis(500)).await;
            }
        };
        let infos: Vec<_> =
            stream::iter(matches).map(look).buffer_unordered(ASK_AT_ONCE).try_collect().await?;
        Ok(infos.into_iter().collect())
    }

    async fn record(&self, player: &Player) -> Result<Record> {
        let get = async |path: String| {
            self.world.rest.call("GET", &path, Some(&player.account), None).await
        };
        let id = player.id.clone();
        if !get("/api/me".to_owned()).await?["match"].is_null() {
            self.world.broken("somebody is still in a match", id.clone());
        }
        let mut past = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = get(format!("/api/users/{id}/history?limit=100{cursor}")).await?;
            let page: Page = serde_json::from_value(page).context("a page of a history")?;
            past.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        past.reverse();
        let stats = get(format!("/api/users/{id}/stats")).await?["games"][0].clone();
        Ok(Record { id, past, stats })
    }

    /// Each match took the rating on from where the one before had left it, and counts once in
    /// the record. Answers how many changed the rating.
    fn ratings(&self, record: &Record) -> u64 {
        let Record { id, past, stats } = record;
        let mut rating = FIRST_RATING;
        let mut changes = 0;
        let mut met: BTreeMap<&str, u64> = BTreeMap::new();
        for past in past.iter().filter(|it| it.counts()) {
            let Some([ours, theirs]) = past.sides(id) else {
                self.world.broken("somebody is not in a match of theirs", past.match_id.clone());
                continue;
            };
            let met = met.entry(&theirs.user.id).or_default();
            let (Some(before), Some(after)) = (ours.rating_before, ours.rating_after) else {
                if *met < RATED_GAMES_MAX {
                    let example = format!("{id}: {}", past.match_id);
                    self.world.broken("a match did not change a rating", example);
                }
                continue;
            };
            if before != rating {
                let example = format!("{id}: {rating}, then {before} before {}", past.match_id);
                self.world.broken("a rating was changed by something else than matches", example);
            }
            rating = after;
            changes += 1;
            *met += 1;
        }
        let number = |key: &str| stats[key].as_i64().unwrap_or_default();
        let stored = number("wins") + number("losses") + number("draws");
        let counted = past.iter().filter(|it| it.counts()).count();
        if stored != counted as i64 {
            let example = format!("{id}: {counted} counted matches, and {stats}");
            self.world.broken("a record does not count each match once", example);
        }
        if counted > 0 && number("rating") != rating {
            let example = format!("{id}: {rating} after the last match, and {stats}");
            self.world.broken("a rating is not what the last match made of it", example);
        }
        changes
    }

    /// No match was made before the one before it was over.
    fn one_at_a_time(&self, record: &Record, infos: &BTreeMap<String, Info>) {
        for two in record.past.windows(2) {
            let [before, after] = two else { continue };
            // In one time zone and of one length: they compare as they are.
            if infos.get(&after.match_id).is_some_and(|it| it.created_at < before.finished_at) {
                let example = format!("{}: {} and {}", record.id, before.match_id, after.match_id);
                self.world.broken("somebody was in two matches at a time", example);
            }
        }
    }

    /// The one result of a match: what its players were told, and what both find in their
    /// histories. Answers how it ended.
    fn result<'a>(
        &self,
        match_id: &str,
        seen: &Seen,
        info: &Info,
        tellings: &[&'a Past],
    ) -> &'a str {
        let broken = |rule, example: String| {
            self.world.broken(rule, format!("match {match_id}: {example}"));
        };
        if info.status != "finished" {
            broken("a match has not ended", info.status.clone());
            return "no end";
        }
        let reasons: BTreeSet<_> =
            seen.overs.iter().map(|it| it["outcome"]["reason"].as_str().unwrap_or("?")).collect();
        let Some((first, others)) = tellings.split_first() else {
            // Matches that never began are in no history.
            if info.winner.is_some()
                || seen.scores != [0, 0]
                || reasons != reasons_of_none(&reasons)
            {
                broken("a match that was played is in no history", format!("{seen:?}"));
            }
            return "called_off";
        };
        if others.len() != 1 || others[0] != *first {
            broken("two players' histories do not agree", format!("{tellings:?}"));
        }
        let scores: Vec<_> = first.players.iter().map(|it| it.score).collect();
        for over in &seen.overs {
            let outcome = &over["outcome"];
            let winner = outcome["winner"].as_u64().and_then(|it| first.players.get(it as usize));
            let same = outcome["reason"] == first.reason.as_str()
                && outcome["scores"] == Value::from(scores.clone())
                && winner.map(|it| &it.user.id) == info.winner.as_ref();
            if !same {
                broken("a player was told another result", format!("{over}, and {first:?}"));
            }
            for (seat, player) in first.players.iter().enumerate() {
                let told = &over["ratings"][seat];
                if told["before"].as_i64() != player.rating_before
                    || told["after"].as_i64() != player.rating_after
                {
                    broken("a player was told another rating", format!("{over}, and {first:?}"));
                }
            }
        }
        if scores.iter().zip(seen.scores).any(|(stored, told)| *stored < told) {
            broken("a point was told and is not in the result", format!("{seen:?}, {first:?}"));
        }
        if first.reason == "abandoned" {
            broken(
                "a match was abandoned, though its players always come back",
                format!("{first:?}"),
            );
        }
        &first.reason
    }
}

/// The reasons that a match may give to end which is in no history.
fn reasons_of_none<'a>(heard: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    heard.iter().copied().filter(|it| *it == "called_off").collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { reasons, verified, changes } = self;
        let all: u64 = reasons.values().sum();
        let reasons: Vec<_> =
            reasons.iter().map(|(name, count)| format!("{count} {name}")).collect();
        write!(
            f,
            "{all} matches ended ({}); {verified} verified; {changes} changes of ratings",
            reasons.join(", "),
        )
    }
}

//! What a client hears, message by message, and what must hold of it.

use std::collections::BTreeMap;

use games::{Outcome, Seat};
use live::Status;
use serde::Deserialize;
use tokio::time::Instant;

use super::database::MatchId;

/// How far back an action may count.
const BACK_MAX: u64 = 100;

/// A message of the game socket, as far as a client of this simulation cares.
#[derive(Debug, Deserialize)]
pub(super) struct Heard {
    pub(super) r#type: String,
    seq: Option<u64>,
    at: Option<u64>,
    pub(super) status: Option<String>,
    pub(super) ack: Option<u64>,
    pub(super) seat: Option<Seat>,
    pub(super) n: Option<u64>,
    players: Option<Vec<SeatHeard>>,
    scores: Option<Vec<i64>>,
    pub(super) outcome: Option<Outcome>,
    pub(super) ratings: Option<Vec<RatingHeard>>,
    pub(super) ball: Option<[f64; 5]>,
    pub(super) match_id: Option<String>,
    pub(super) code: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SeatHeard {
    score: i64,
}

/// What became of a rating, as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RatingHeard {
    pub(super) before: i64,
    pub(super) after: i64,
}

/// What was told of a match on one connection: when, and what without its number.
pub(super) struct Told {
    pub(super) id: MatchId,
    /// The run of the server.
    pub(super) run: u64,
    pub(super) messages: Vec<(Instant, String)>,
}

/// One viewer's way through a match, over however many connections.
pub(super) struct Stream {
    id: MatchId,
    seat: Option<Seat>,
    /// The number of the last message.
    pub(super) last: Option<u64>,
    /// The run of the server that it came from.
    run: u64,
    zero: Option<Instant>,
    /// The first message of a connection may be a view or what was missed …
    first: bool,
    /// … but not what was missed of another run of the server.
    fresh: bool,
    last_at: u64,
    scores: Option<Vec<i64>>,
    /// When actions were sent on this connection, in the match's time.
    sent: BTreeMap<u64, u64>,
    told: Vec<(Instant, String)>,
}

impl Stream {
    pub(super) fn new(id: MatchId, seat: Option<Seat>) -> Stream {
        Stream {
            id,
            seat,
            last: None,
            run: 0,
            zero: None,
            first: true,
            fresh: true,
            last_at: 0,
            scores: None,
            sent: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// A new connection, which was asked to go on after the message `after`.
    pub(super) fn connect(&mut self, run: u64, zero: Instant, after: Option<u64>) {
        self.fresh = run != self.run;
        if self.fresh {
            self.scores = None;
        }
        (self.run, self.zero) = (run, Some(zero));
        (self.last, self.first, self.last_at) = (after, true, 0);
        self.sent.clear();
    }

    /// The connection is over: gives what was told on it.
    pub(super) fn disconnect(&mut self) -> Told {
        Told { id: self.id, run: self.run, messages: std::mem::take(&mut self.told) }
    }

    /// The match's time.
    pub(super) fn now(&self) -> u64 {
        self.zero.map_or(0, |zero| zero.elapsed().as_millis() as u64)
    }

    /// An action is sent.
    pub(super) fn send(&mut self, n: u64) {
        self.sent.insert(n, self.now());
    }

    /// Takes in a message that was told at `told`.
    pub(super) fn hear(&mut self, told: Instant, text: &str) -> Result<Heard, String> {
        let heard: Heard = serde_json::from_str(text)
            .map_err(|error| format!("can't be read: {error}: {text}"))?;
        let first = std::mem::replace(&mut self.first, false);
        match (heard.r#type.as_str(), heard.seq) {
            ("game_state", Some(seq)) => self.hear_view(seq, &heard, first)?,
            ("game_update" | "score_update" | "game_over", Some(seq)) => {
                if first && self.fresh {
                    return Err(format!("a new run goes on with the numbers of another: {text}"));
                }
                self.hear_number(seq, &heard)?;
                if heard.r#type != "game_over" {
                    self.told.push((told, without_number(text)));
                }
            }
            ("game_state" | "game_update" | "score_update" | "game_over", None) => {
                return Err(format!("it has no number: {text}"));
            }
            _ => {}
        }
        Ok(heard)
    }

    fn hear_view(&mut self, seq: u64, heard: &Heard, first: bool) -> Result<(), String> {
        let status = heard.status.as_deref().unwrap_or_default();
        // A match whose beginning was lost in a crash begins again.
        if self.last.is_some_and(|last| seq < last) && !(first && status == "pending") {
            return Err(format!("the view {seq} comes after message {:?}", self.last));
        }
        if self.seat.is_some() && heard.ack.is_none() {
            return Err("a view has no ack".to_owned());
        }
        let players = heard.players.as_ref().ok_or("a view has no players")?;
        self.last = Some(seq);
        self.scores = Some(players.iter().map(|it| it.score).collect());
        if let Some(outcome) = &heard.outcome {
            self.check_end(outcome)?;
        }
        Ok(())
    }

    fn hear_number(&mut self, seq: u64, heard: &Heard) -> Result<(), String> {
        if self.last.map(|last| last + 1) != Some(seq) {
            return Err(format!("message {seq} comes after message {:?}", self.last));
        }
        self.last = Some(seq);
        let at = heard.at.ok_or("a message has no time")?;
        if at < self.last_at {
            return Err(format!("message {seq} goes back from {} to {at} ms", self.last_at));
        }
        self.last_at = at;
        if let Some(n) = heard.n.filter(|_| heard.seat == self.seat)
            && let Some(sent) = self.sent.get(&n)
            && at + BACK_MAX < *sent
        {
            return Err(format!("action {n} was sent at {sent} ms and counts from {at} ms"));
        }
        if let Some(scores) = &heard.scores {
            if self.scores.as_ref().is_some_and(|before| !one_more(before, scores)) {
                return Err(format!("the score goes from {:?} to {scores:?}", self.scores));
            }
            self.scores = Some(scores.clone());
        }
        match (&heard.outcome, heard.r#type == "game_over") {
            (Some(outcome), true) => self.check_end(outcome),
            (None, true) => Err("a game is over without an outcome".to_owned()),
            (_, false) => Ok(()),
        }
    }

    /// The outcome's points are those that were told.
    fn check_end(&self, outcome: &Outcome) -> Result<(), String> {
        match &self.scores {
            Some(scores) if *scores != outcome.scores => {
                Err(format!("the score was {scores:?}, and it ended as {outcome:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether one of the two has one point more.
fn one_more(before: &[i64], now: &[i64]) -> bool {
    let more: Vec<i64> = now.iter().zip(before).map(|(now, before)| now - before).collect();
    before.len() == now.len() && more.iter().all(|it| *it >= 0) && more.iter().sum::<i64>() == 1
}

/// Where a match stands, by its word.
pub(super) fn is(heard: &Heard, status: Status) -> bool {
    heard.status.as_deref()
        == Some(match status {
            Status::Pending => "pending",
            Status::Active => "active",
            Status::Finished => "finished",
        })
}

/// A message's text but for its number, which differs between audiences and runs.
pub(super) fn without_number(text: &str) -> String {
    let Some((before, after)) = text.split_once("\"seq\":") else { return text.to_owned() };
    let after = after.trim_start_matches(|it: char| it.is_ascii_digit());
    format!("{before}{after}")
}

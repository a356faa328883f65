//! A match that is over, as the crowd heard it.

use games::{Game, Outcome, Said, Seat, Viewer, journal::Table};
use serde_json::{Value, value::RawValue};

use crate::{
    runner::{Told, beside, json},
    wire::{GameOver, GameState, GameUpdate, Player, ScoreUpdate, SeatState, Status},
};

/// The messages of a match from its beginning: the state as it was dealt, all that the crowd was
/// told, and how it ended.
pub fn replay<G: Game>(
    dealt: &Table<G>,
    options: &Value,
    players: &[Player],
    told: Vec<Told<G>>,
    outcome: &Outcome,
) -> Vec<Box<RawValue>> {
    let mut last = dealt.now();
    let mut messages = vec![beginning(dealt, options, players)];
    for (at, cause, mut out) in told {
        last = at;
        let (seat, n) = cause.unzip();
        for said in out.drain() {
            let (seq, at) = (messages.len() as u64, at.as_millis());
            match said {
                Said::Update(audience, update) if audience.includes(Viewer::Crowd) => {
                    messages.push(beside(&GameUpdate { seq, at, seat, n }, &update));
                }
                Said::Update(..) => {}
                Said::Scores(scores) => {
                    messages.push(json(&ScoreUpdate { seq, at, scores: &scores }));
                }
            }
        }
    }
    let (seq, at) = (messages.len() as u64, last.as_millis());
    messages.push(json(&GameOver { seq, at, outcome, ratings: None }));
    messages.into_iter().map(raw).collect()
}

fn beginning<G: Game>(dealt: &Table<G>, options: &Value, players: &[Player]) -> Vec<u8> {
    let at = dealt.now();
    let scores = dealt.game().scores();
    let seats = players.iter().zip(scores).zip(0..).map(|((player, score), seat)| SeatState {
        seat: Seat(seat),
        side: side(Seat(seat), players.len()),
        player,
        score,
        ready: true,
        connected: true,
        waiting_until: None,
        rtt: None,
    });
    let view = dealt.game().view(at, Viewer::Crowd);
    json(&GameState {
        seq: 0,
        at: at.as_millis(),
        status: Status::Active,
        you: None,
        ack: 0,
        players: seats.collect(),
        ready_until: None,
        options,
        game: Some(serde_json::to_value(view).expect("a view is plain data")),
        outcome: None,
        ratings: None,
        rematch: Vec::new(),
    })
}

/// The side of a seat in a game of two.
pub(crate) fn side(seat: Seat, seats: usize) -> Option<&'static str> {
    match (seat.0, seats) {
        (0, 2) => Some("left"),
        (1, 2) => Some("right"),
        _ => None,
    }
}

fn raw(message: Vec<u8>) -> Box<RawValue> {
    let text = String::from_utf8(message).expect("what serde_json writes is UTF-8");
    RawValue::from_string(text).expect("what serde_json writes is JSON")
}

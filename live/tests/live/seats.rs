//! A match of more than two.

use std::{ops::RangeInclusive, time::Duration};

use games::{
    Absence, BadOptions, Game, NoGesture, Out, Outcome, Pace, Reason, Refusal, Seat, Seed, Time,
    Viewer,
};
use live::{Handle, Match};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{hear_of, open_with, run, say, sit};

/// The first to take two stones has won.
#[derive(Clone, Debug, PartialEq)]
struct Stones {
    taken: Vec<i64>,
    left: Vec<bool>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct NoOptions {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action {
    Take {},
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct Taken {
    taken_by: u8,
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct View {
    taken: Vec<i64>,
    mine: Option<i64>,
}

impl Game for Stones {
    type Options = NoOptions;
    type Action = Action;
    type Update = Taken;
    type View = View;
    type Gesture = NoGesture;

    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 3..=6;
    const PACE: Pace = Pace::WriteFirst;

    fn deal(_: NoOptions, seats: u8, _: Seed, _: Time) -> Result<Stones, BadOptions> {
        let seats = usize::from(seats);
        Ok(Stones { taken: vec![0; seats], left: vec![false; seats] })
    }

    fn act(&mut self, _: Time, seat: Seat, _: Action, out: &mut Out<Taken>) -> Result<(), Refusal> {
        self.taken[seat.index()] += 1;
        out.tell(Taken { taken_by: seat.0 });
        out.score(self.taken.clone());
        Ok(())
    }

    fn away(&mut self, at: Time, _: Seat, _: Absence, _: &mut Out<Taken>) -> Option<Time> {
        Some(at + Time::secs(1))
    }

    fn back(&mut self, _: Time, _: Seat, _: &mut Out<Taken>) {}

    fn leave(&mut self, _: Time, seat: Seat, _: &mut Out<Taken>) {
        self.left[seat.index()] = true;
    }

    fn wake(&mut self, _: Time, _: &mut Out<Taken>) {}

    fn next_wake(&self) -> Option<Time> {
        None
    }

    fn view(&self, _: Time, viewer: Viewer) -> View {
        let mine = match viewer {
            Viewer::Seat(seat) => Some(self.taken[seat.index()]),
            Viewer::Crowd => None,
        };
        View { taken: self.taken.clone(), mine }
    }

    fn scores(&self) -> Vec<i64> {
        self.taken.clone()
    }

    fn outcome(&self) -> Option<Outcome> {
        let winner = self.taken.iter().position(|it| *it >= 2)?;
        let winner = Some(Seat(winner as u8));
        Some(Outcome { winner, reason: Reason::Score, scores: self.taken.clone() })
    }

    fn gesture(&self, _: Seat, gesture: &NoGesture) -> Result<(), Refusal> {
        match *gesture {}
    }
}

fn open(names: &[&str]) -> (Handle, Match<Stones>) {
    open_with(json!({}), names)
}

#[tokio::test(start_paused = true)]
async fn three_play_from_the_deal_to_the_rematch() {
    let (handle, table) = open(&["ann", "bob", "eve"]);
    let task = run(table);
    let mut chairs = Vec::new();
    for seat in 0..3 {
        chairs.push(sit(&handle, Some(seat), None).await);
    }
    let mut crowd = sit(&handle, None, None).await;
    // Two of three are not all.
    for chair in &chairs[..2] {
        say(chair, json!({"type": "player_ready", "n": 1})).await;
    }
    hear_of(&mut chairs[2], json!({"type": "player_update", "seat": 1, "status": "ready"})).await;
    assert_eq!(handle.glance().ready, [true, true, false]);
    say(&chairs[2], json!({"type": "player_ready", "n": 1})).await;
    for (seat, chair) in chairs.iter_mut().enumerate() {
        let begun = json!({"type": "game_state", "status": "active", "you": seat});
        let state = hear_of(chair, begun).await;
        assert_eq!(state["players"].as_array().unwrap().len(), 3);
        assert!(state["players"].as_array().unwrap().iter().all(|it| it["side"].is_null()));
        assert_eq!(state["game"]["mine"], 0);
    }
    for n in [2, 3] {
        say(&chairs[2], json!({"type": "game_action", "n": n, "action": "take"})).await;
        let taken = hear_of(&mut chairs[0], json!({"type": "game_update", "taken_by": 2})).await;
        assert_eq!((&taken["seat"], &taken["n"]), (&json!(2), &json!(n)));
    }
    let over = hear_of(&mut crowd, json!({"type": "game_over"})).await;
    let outcome = json!({"winner": 2, "reason": "score", "scores": [0, 0, 2]});
    assert_eq!(over["outcome"], outcome);
    say(&chairs[1], json!({"type": "chat", "text": "well done"})).await;
    hear_of(&mut chairs[0], json!({"type": "chat", "seat": 1})).await;
    // All three want another, or there is none.
    for (seat, seats) in [(0, json!([0])), (2, json!([0, 2])), (1, json!([0, 1, 2]))] {
        say(&chairs[seat], json!({"type": "rematch"})).await;
        hear_of(&mut crowd, json!({"type": "rematch", "seats": seats})).await;
    }
    assert_eq!(task.await.unwrap().unwrap().winner, Some(Seat(2)));
}

#[tokio::test(start_paused = true)]
async fn six_who_are_not_all_ready_are_called_off() {
    let (handle, table) = open(&["a", "b", "c", "d", "e", "f"]);
    let task = run(table);
    let mut last = sit(&handle, Some(5), None).await;
    say(&last, json!({"type": "player_ready", "n": 1})).await;
    tokio::time::sleep(Duration::from_secs(16)).await;
    let over = hear_of(&mut last, json!({"type": "game_over"})).await;
    assert_eq!(over["outcome"]["scores"], json!([0, 0, 0, 0, 0, 0]));
    assert_eq!(task.await.unwrap(), None);
}

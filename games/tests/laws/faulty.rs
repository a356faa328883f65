//! A game that keeps the laws, unless a fault is planted in it.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
};

use games::{
    Absence, Audience, BadOptions, Game, NoGesture, Out, Outcome, Pace, Reason, Refusal, Seat,
    Seed, Time, Viewer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::harness::{Input, Step, check};

const NONE: u8 = 0;
const ASKS_OUTSIDE: u8 = 1;
const REFUSAL_CHANGES: u8 = 2;
const REFUSAL_IS_HEARD: u8 = 3;
const WAKE_STANDS: u8 = 4;
const WAKES_WHEN_OVER: u8 = 5;
const WAKES_IN_THE_PAST: u8 = 6;
const PLAYS_WITH_NOBODY: u8 = 7;
const LEAKS: u8 = 8;
const PANICS: u8 = 9;
const NO_OBJECT: u8 = 10;
const NEVER_RESTS: u8 = 11;

/// Something outside of the game that changes by itself, as a clock does.
static OUTSIDE: AtomicU64 = AtomicU64::new(0);

/// Everybody keeps a secret number; after ten seconds the greatest wins.
#[derive(Clone, Debug, PartialEq)]
struct Secrets<const FAULT: u8> {
    secrets: Vec<u8>,
    left: Vec<bool>,
    refused: u64,
    seconds: u64,
    next: Time,
    over: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Keep {
    secret: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Event {
    Kept { kept: u64 },
    Second(u64),
    Tick { tick: u64 },
}

impl<const FAULT: u8> Game for Secrets<FAULT> {
    type Options = Nothing;
    type Action = Keep;
    type Update = Event;
    type View = (Vec<u8>, u64);
    type Gesture = NoGesture;

    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 2..=2;
    const PACE: Pace = Pace::WriteFirst;

    fn deal(_: Nothing, seats: u8, _: Seed, at: Time) -> Result<Self, BadOptions> {
        Ok(Secrets {
            secrets: vec![0; seats.into()],
            left: vec![false; seats.into()],
            refused: 0,
            seconds: 0,
            next: at + Time::secs(1),
            over: false,
        })
    }

    fn act(
        &mut self,
        _: Time,
        seat: Seat,
        Keep { secret }: Keep,
        out: &mut Out<Event>,
    ) -> Result<(), Refusal> {
        if self.over || seat.index() >= self.secrets.len() || secret > 100 {
            if FAULT == REFUSAL_CHANGES {
                self.refused += 1;
            }
            if FAULT == REFUSAL_IS_HEARD {
                out.tell(Event::Tick { tick: 0 });
            }
            return Err(Refusal { code: "no", message: "no" });
        }
        assert!(FAULT != PANICS || secret != 13, "thirteen");
        self.secrets[seat.index()] = secret;
        let kept = match FAULT {
            ASKS_OUTSIDE => OUTSIDE.fetch_add(1, Ordering::Relaxed),
            _ => secret.into(),
        };
        out.tell_to(Audience::Only(seat), Event::Kept { kept });
        Ok(())
    }

    fn away(&mut self, _: Time, _: Seat, _: Absence, _: &mut Out<Event>) -> Option<Time> {
        None
    }

    fn back(&mut self, _: Time, _: Seat, _: &mut Out<Event>) {}

    fn leave(&mut self, _: Time, seat: Seat, _: &mut Out<Event>) {
        if let Some(left) = self.left.get_mut(seat.index()) {
            *left = true;
        }
        self.over |= self.left.iter().all(|&it| it) && FAULT != PLAYS_WITH_NOBODY;
    }

    fn wake(&mut self, at: Time, out: &mut Out<Event>) {
        self.seconds += 1;
        out.tell(match FAULT {
            NO_OBJECT => Event::Second(self.seconds),
            _ => Event::Tick { tick: self.seconds },
        });
        match FAULT {
            WAKE_STANDS => {}
            NEVER_RESTS => self.next = at + Time(1),
            _ => self.next = at + Time::secs(1),
        }
        self.over |= self.seconds >= 10 && FAULT != PLAYS_WITH_NOBODY && FAULT != NEVER_RESTS;
    }

    fn next_wake(&self) -> Option<Time> {
        match FAULT {
            WAKES_IN_THE_PAST if self.seconds == 0 => Some(Time(1)),
            WAKES_WHEN_OVER => Some(self.next),
            PLAYS_WITH_NOBODY if self.seconds >= 10 => None,
            _ => (!self.over).then_some(self.next),
        }
    }

    fn view(&self, _: Time, viewer: Viewer) -> (Vec<u8>, u64) {
        let mine = |seat: usize| viewer == Viewer::Seat(Seat(seat as u8)) || FAULT == LEAKS;
        let secrets = self.secrets.iter().enumerate();
        (secrets.filter(|&(seat, _)| mine(seat)).map(|(_, &it)| it).collect(), self.seconds)
    }

    fn scores(&self) -> Vec<i64> {
        self.secrets.iter().map(|&it| it.into()).collect()
    }

    fn outcome(&self) -> Option<Outcome> {
        let outcome = Outcome { winner: None, reason: Reason::Score, scores: self.scores() };
        self.over.then_some(outcome)
    }

    fn gesture(&self, _: Seat, gesture: &NoGesture) -> Result<(), Refusal> {
        match *gesture {}
    }
}

#[track_caller]
fn assert_found<const FAULT: u8>(expected: Option<u8>) {
    let keep = |secret: u64| Input::Act(json!({ "secret": secret }));
    let steps: Vec<Step> =
        [keep(1), keep(200), keep(13), Input::Away(Absence::Lost), Input::Back, keep(5)]
            .into_iter()
            .zip([0, 1, 0, 1, 1, 3])
            .map(|(input, seat)| Step { wait: 700_000, seat, input })
            .collect();
    let found = check::<Secrets<FAULT>>(1, &steps);
    let law = found.as_ref().err().map(|it| it[4..5].parse().expect("a law has a number"));
    assert_eq!(law, expected, "{found:?}");
}

#[test]
fn a_good_game_is_found_good() {
    assert_found::<NONE>(None);
}

#[test]
fn each_fault_is_found() {
    assert_found::<ASKS_OUTSIDE>(Some(2));
    assert_found::<REFUSAL_CHANGES>(Some(3));
    assert_found::<REFUSAL_IS_HEARD>(Some(3));
    assert_found::<WAKE_STANDS>(Some(4));
    assert_found::<WAKES_WHEN_OVER>(Some(4));
    assert_found::<WAKES_IN_THE_PAST>(Some(4));
    assert_found::<PLAYS_WITH_NOBODY>(Some(5));
    assert_found::<NEVER_RESTS>(Some(5));
    assert_found::<LEAKS>(Some(6));
    assert_found::<PANICS>(Some(7));
    assert_found::<NO_OBJECT>(Some(7));
}

//! Whole games and single steps of them: with strokes whose outcome is made up, by the thousands,
//! and with real ones.

mod course;
mod refusals;
mod whole;

use super::*;
use crate::Said;

/// Acts and keeps time as `live` does, with made-up outcomes of strokes.
struct Play<D> {
    game: Billiards<D>,
    now: Time,
    luck: Luck,
    said: Vec<Update>,
}

fn dealt<D: Discipline>(rules: D, seed: u64) -> Play<D> {
    let game = Billiards::deal(rules, *D::SEATS.start(), Seed(seed), Time(0)).unwrap();
    Play { game, now: Time(0), luck: Seed(!seed).luck(), said: Vec::new() }
}

impl<D: Discipline> Play<D> {
    fn hear(&mut self, mut out: Out<Update>) {
        self.said = out
            .drain()
            .filter_map(|it| match it {
                Said::Update(_, update) => Some(update),
                Said::Scores(_) => None,
            })
            .collect();
    }

    fn act(&mut self, seat: Seat, action: Action) -> Result<(), &'static str> {
        let mut out = Out::default();
        let done = self.game.act(self.now, seat, action, &mut out).map_err(|it| it.code);
        self.hear(out);
        done
    }

    /// Goes on to the next moment that the game asked for.
    fn wake(&mut self) {
        self.now = self.game.next_wake().unwrap();
        let mut out = Out::default();
        self.game.wake(self.now, &mut out);
        self.hear(out);
    }

    fn turn(&self) -> Turn {
        self.game.view(self.now, Viewer::Crowd).turn.unwrap()
    }

    /// The seat whose turn it is strikes, and this is seen. The balls stay where they are.
    fn strike_seeing(&mut self, strike: Strike, seen: &[Seen]) {
        let lie = self.game.lie.clone();
        self.strike(strike, seen, lie);
        self.wake();
    }

    fn strike(&mut self, strike: Strike, seen: &[Seen], lie: Layout) {
        let Phase::Turn(turn) = self.game.phase.clone() else { panic!("balls roll") };
        let stroke = self.game.check_strike(&turn, &strike).unwrap();
        let path = physics::Shot { ball: D::SPEC, motions: vec![], events: vec![], rest: 6.0 };
        let mut out = Out::default();
        self.game.struck(self.now, strike, stroke, path, seen, lie, &mut out);
        self.hear(out);
    }

    fn told(&self) -> Told {
        self.game.told.clone().unwrap()
    }
}

fn strike(ball: u8) -> Strike {
    Strike {
        ball,
        speed: 3.0,
        heading: 1.5,
        side: 0.0,
        height: 0.0,
        elevation: 0.0,
        call: None,
        safety: false,
        push_out: false,
    }
}

fn safety() -> Strike {
    Strike { safety: true, ..strike(0) }
}

const GOOD_BREAK: [Seen; 5] =
    [Seen::Hit(0, 1), Seen::Cushion(1), Seen::Cushion(2), Seen::Cushion(3), Seen::Cushion(4)];

/// Refused with this code, and nothing has changed.
#[track_caller]
fn assert_refused<D: Discipline>(play: &mut Play<D>, seat: Seat, action: Action, code: &str) {
    let was = play.game.clone();
    assert_eq!(play.act(seat, action.clone()), Err(code), "{action:?}");
    assert_eq!(play.game, was);
    assert!(play.said.is_empty());
}

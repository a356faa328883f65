//! Billiards: 8-ball, 9-ball, free pyramid and Kolkhoz, played stroke by stroke.
//!
//! A stroke is simulated whole when it is struck, and ruled on at once; but the ruling is told when
//! the balls are at rest by the match's clock, and nobody may act before that. [`Billiards`] keeps
//! the turns, the clocks and the balls; a [`Discipline`] is one game's rules. What may be done is
//! in `action`, what is said in `wire`, where balls are put in `rack`, and how they move in
//! [`physics`].

mod action;
mod check;
mod discipline;
mod eight_ball;
mod follow;
mod kolkhoz;
mod nine_ball;
pub mod physics;
mod pool;
mod pyramid;
mod rack;
mod record;
mod sheet;
mod standing;
#[cfg(test)]
mod tests;
mod turn;
mod wire;

use alloc::{boxed::Box, format, vec, vec::Vec};
use core::ops::RangeInclusive;

pub use action::{Action, Aim, Call, Choice, Limits, Strike};
pub use check::check;
pub use discipline::{Discipline, Next, Offer, Permit, Stroke, Verdict};
pub use eight_ball::EightBall;
pub use kolkhoz::{Kolkhoz, Settlement, settle};
pub use nine_ball::NineBall;
pub use pyramid::Pyramid;
pub use rack::Layout;
pub use record::Seen;
pub use sheet::{Group, Sheet, Stage};
pub use wire::{Balls, Doing, Foul, Hand, Ruling, Shot, Spots, Told, Turn, Update, View, Why};

use crate::{
    Absence, BadOptions, Game, Out, Outcome, Pace, Reason, Refusal, Seat, Seed, Time, Viewer,
    seed::Luck,
};
use turn::{NOT_IN_HAND, shooting};
use wire::millis;

/// How long a finished rack stays to be seen.
const BETWEEN_RACKS: Time = Time::secs(3);
/// Who is away for this long is out of the match. The shot clock goes on meanwhile.
const GRACE: Time = Time::secs(60);
/// Who lets the clock run out so often running is out of the match.
const IDLE_MAX: u8 = 3;
/// Two careful players could go on for ever: at this age of the match the leader wins.
const LONGEST: Time = Time::secs(2 * 60 * 60);

/// A match of billiards by the rules of `D`.
#[derive(Clone, Debug, PartialEq)]
pub struct Billiards<D> {
    rules: D,
    luck: Luck,
    sheet: Sheet,
    /// Where the balls lie, by number. The place of a ball that is gone means nothing.
    lie: Layout,
    players: Vec<Player>,
    phase: Phase,
    /// What the referee said last.
    told: Option<Told>,
    ends_at: Time,
}

#[derive(Clone, Debug, PartialEq)]
struct Player {
    /// What is left of the bank of time.
    bank: Time,
    /// How often running the clock has run out.
    idle: u8,
    away: Option<Away>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Away {
    /// When the seat is out.
    until: Time,
    /// The server's own fault: the seat's clock stands still.
    interrupted: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// A seat is to act.
    Turn(At),
    /// Balls roll.
    Rolling(Box<Rolling>),
    /// A rack is over, and the next is not yet set up.
    Between {
        until: Time,
        breaker: Seat,
    },
    Over(Outcome),
}

/// A turn, as it is kept.
#[derive(Clone, Debug, PartialEq)]
struct At {
    seat: Seat,
    task: Task,
    /// When the bank of time begins to run.
    until: Time,
}

#[derive(Clone, Debug, PartialEq)]
enum Task {
    Shoot { hand: Option<Hand> },
    Choose(Vec<Offer>),
    Take,
}

/// A stroke on its way to rest, and what is told there.
#[derive(Clone, Debug, PartialEq)]
struct Rolling {
    rest: Time,
    shot: Shot,
    lie: Layout,
    potted: Vec<(u8, u8)>,
    off: Vec<u8>,
    verdict: Verdict,
}

impl<D: Discipline> Game for Billiards<D> {
    type Options = D;
    type Action = Action;
    type Update = Update;
    type View = View;
    type Gesture = Aim;

    const RULES: u32 = D::RULES;
    const SEATS: RangeInclusive<u8> = D::SEATS;
    const PACE: Pace = Pace::WriteFirst;

    fn deal(rules: D, seats: u8, seed: Seed, at: Time) -> Result<Billiards<D>, BadOptions> {
        rules.check()?;
        if !D::SEATS.contains(&seats) {
            let (least, most) = (D::SEATS.start(), D::SEATS.end());
            let message = format!("{} is for {least} to {most} players, not {seats}", D::NAME);
            return Err(BadOptions { field: "seats", message });
        }
        let mut luck = seed.luck();
        let mut order: Vec<Seat> = (0..seats).map(Seat).collect();
        luck.shuffle(&mut order);
        let seat = order[0];
        let (clock, bank) = rules.clock();
        let player = Player { bank: Time::secs(bank.into()), idle: 0, away: None };
        let lie = D::rack(&D::table(), &mut luck);
        let task = Task::Shoot { hand: Some(Hand::Behind) };
        Ok(Billiards {
            sheet: Sheet::new(order, D::BALLS),
            phase: Phase::Turn(At { seat, task, until: at + Time::secs(clock.into()) }),
            players: vec![player; seats.into()],
            rules,
            luck,
            lie,
            told: None,
            ends_at: at + LONGEST,
        })
    }

    fn act(
        &mut self,
        at: Time,
        seat: Seat,
        action: Action,
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        self.check_seat(seat)?;
        if action == (Action::Resign {}) {
            self.drop_out(at, seat, false, out);
            return Ok(());
        }
        let turn = self.turn_of(seat)?;
        match action {
            Action::Strike(strike) => self.strike(at, &turn, strike, out)?,
            Action::Place { ball, x, y } => self.place(&turn, ball, [x, y], out)?,
            Action::Choose { choice } => self.choose(at, &turn, choice, out)?,
            Action::Take { ball } => self.take(at, &turn, ball, out)?,
            Action::Resign {} => {}
        }
        Ok(())
    }

    fn away(
        &mut self,
        at: Time,
        seat: Seat,
        absence: Absence,
        out: &mut Out<Update>,
    ) -> Option<Time> {
        if self.check_seat(seat).is_err() {
            return None;
        }
        let player = &mut self.players[seat.index()];
        if let Some(away) = player.away {
            return Some(away.until);
        }
        let until = at + GRACE;
        let interrupted = absence == Absence::Interrupted;
        player.away = Some(Away { until, interrupted });
        if interrupted {
            self.tell_turn_of(seat, out);
        }
        Some(until)
    }

    fn back(&mut self, at: Time, seat: Seat, out: &mut Out<Update>) {
        if self.check_seat(seat).is_err() {
            return;
        }
        let Some(away) = self.players[seat.index()].away.take() else { return };
        if !away.interrupted {
            return;
        }
        let clock = self.clock();
        if let Phase::Turn(turn) = &mut self.phase
            && turn.seat == seat
        {
            turn.until = at + clock;
            self.tell_turn_of(seat, out);
        }
    }

    fn leave(&mut self, at: Time, seat: Seat, out: &mut Out<Update>) {
        if self.check_seat(seat).is_ok() {
            self.drop_out(at, seat, false, out);
        }
    }

    fn wake(&mut self, at: Time, out: &mut Out<Update>) {
        // Several things can be due at one instant: each is handled once, in this order.
        while self.next_wake().is_some_and(|due| due <= at) {
            let seats = (0..self.players.len()).map(|seat| Seat(seat as u8));
            let gone =
                seats.into_iter().find(|&seat| self.gone_at(seat).is_some_and(|due| due <= at));
            if let Some(gone) = gone {
                self.drop_out(at, gone, true, out);
            } else if self.ends_at <= at {
                self.finish(self.leader(), Reason::Score);
            } else {
                self.play_on(at, out);
            }
        }
    }

    fn next_wake(&self) -> Option<Time> {
        let play = match &self.phase {
            Phase::Turn(turn) => self.out_at(turn),
            Phase::Rolling(rolling) => Some(rolling.rest),
            Phase::Between { until, .. } => Some(*until),
            Phase::Over(_) => return None,
        };
        let seats = (0..self.players.len()).map(|seat| Seat(seat as u8));
        let gone = seats.filter_map(|seat| self.gone_at(seat));
        gone.chain(play).chain([self.ends_at]).min()
    }

    fn view(&self, _at: Time, _viewer: Viewer) -> View {
        let table = D::table();
        let (shot, turn, next_rack_at) = match &self.phase {
            Phase::Turn(turn) => (None, Some(self.turn(turn)), None),
            Phase::Rolling(rolling) => (Some(rolling.shot.clone()), None, None),
            Phase::Between { until, .. } => (None, None, Some(millis(*until))),
            Phase::Over(_) => (None, None, None),
        };
        View {
            discipline: D::NAME,
            ball: D::SPEC,
            spots: Spots {
                head: rack::head_spot(&table),
                foot: table.foot_spot,
                head_string: table.head_string,
                centre: table.length / 2.0,
            },
            table,
            balls: self.balls(),
            shot,
            turn,
            verdict: self.told.clone(),
            sheet: self.sheet.clone(),
            target: self.rules.target(),
            next_rack_at,
            limits: Limits::ALL,
            ends_at: millis(self.ends_at),
        }
    }

    fn scores(&self) -> Vec<i64> {
        self.rules.scores(&self.sheet)
    }

    fn awaits(&self) -> Option<Seat> {
        match &self.phase {
            Phase::Turn(turn) => Some(turn.seat),
            Phase::Rolling(_) | Phase::Between { .. } | Phase::Over(_) => None,
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        match &self.phase {
            Phase::Over(outcome) => Some(outcome.clone()),
            Phase::Turn(_) | Phase::Rolling(_) | Phase::Between { .. } => None,
        }
    }

    fn gesture(&self, seat: Seat, aim: &Aim) -> Result<(), Refusal> {
        self.check_seat(seat)?;
        let turn = self.turn_of(seat)?;
        let hand = shooting(&turn)?;
        aim.valid()?;
        self.check_striker(seat, aim.ball)?;
        if hand.is_none() && (aim.x.is_some() || aim.y.is_some()) {
            return Err(NOT_IN_HAND);
        }
        Ok(())
    }
}

//! How things stand: turns, clocks, balls, and who leads.

use alloc::vec::Vec;

use super::{
    At, Billiards, Phase, Task,
    discipline::Discipline,
    rack::Layout,
    sheet::Stage,
    wire::{Doing, Turn, Update, millis},
};
use crate::{Game, Out, Seat, Time};

impl<D: Discipline> Billiards<D> {
    pub(super) fn clock(&self) -> Time {
        Time::secs(self.rules.clock().0.into())
    }

    /// Who leads, of those who still play; nobody when two do.
    pub(super) fn leader(&self) -> Option<Seat> {
        let scores = self.scores();
        let standing = |seat: Seat| (scores[seat.index()], self.rules.tie_break(&self.sheet, seat));
        let playing = || self.sheet.order.iter().filter(|it| !self.sheet.out[it.index()]);
        let best = playing().map(|&seat| standing(seat)).max()?;
        let mut leaders = playing().filter(|&&seat| standing(seat) == best);
        let leader = leaders.next().copied();
        leader.filter(|_| leaders.next().is_none())
    }

    /// When a turn is lost; none while its seat's clock stands still.
    pub(super) fn out_at(&self, turn: &At) -> Option<Time> {
        let player = &self.players[turn.seat.index()];
        let stands = player.away.is_some_and(|it| it.interrupted);
        (!stands).then_some(turn.until + player.bank)
    }

    /// When a seat that is away is out of the match.
    pub(super) fn gone_at(&self, seat: Seat) -> Option<Time> {
        let away = self.players[seat.index()].away.filter(|_| !self.sheet.out[seat.index()]);
        away.map(|it| it.until)
    }

    /// Where the balls on the table lie, but for ball 0.
    pub(super) fn others(&self) -> Layout {
        let others = self.sheet.on_table().filter(|&ball| ball != 0);
        others.map(|ball| self.lie[usize::from(ball)]).collect()
    }

    pub(super) fn balls(&self) -> Vec<(u8, f64, f64)> {
        let told = |ball: u8| {
            let [x, y] = self.lie[usize::from(ball)];
            (ball, x, y)
        };
        self.sheet.on_table().map(told).collect()
    }

    pub(super) fn turn(&self, turn: &At) -> Turn {
        let permit = self.rules.permit(&self.sheet, turn.seat);
        let (phase, hand) = match &turn.task {
            Task::Shoot { hand } if self.sheet.stage == Stage::Break => (Doing::Break, *hand),
            Task::Shoot { hand } => (Doing::Shoot, *hand),
            Task::Choose(_) => (Doing::Choose, None),
            Task::Take => (Doing::Take, None),
        };
        let choices = match &turn.task {
            Task::Choose(offers) => offers.iter().map(|it| it.choice).collect(),
            Task::Shoot { .. } | Task::Take => Vec::new(),
        };
        let takes = match &turn.task {
            Task::Take => self.sheet.on_table().collect(),
            Task::Shoot { .. } | Task::Choose(_) => Vec::new(),
        };
        Turn {
            seat: turn.seat,
            phase,
            until: self.out_at(turn).map(|_| millis(turn.until)),
            bank: self.players.iter().map(|it| millis(it.bank)).collect(),
            hand,
            strikers: permit.strikers,
            on: permit.on,
            calls: permit.calls,
            safety: permit.calls,
            push_out: permit.push_out,
            choices,
            takes,
        }
    }

    /// Tells the turn, if it is this seat's.
    pub(super) fn tell_turn_of(&self, seat: Seat, out: &mut Out<Update>) {
        if let Phase::Turn(turn) = &self.phase
            && turn.seat == seat
        {
            out.tell(Update::Turn(self.turn(turn)));
        }
    }

    pub(super) fn tell_scores(&self, before: &[i64], out: &mut Out<Update>) {
        let scores = self.scores();
        if scores != before {
            out.score(scores);
        }
    }
}

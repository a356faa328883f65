//! What follows a stroke, a choice or a clock that has run out.

use alloc::vec::Vec;

use super::{
    At, BETWEEN_RACKS, Billiards, IDLE_MAX, Phase, Task,
    discipline::{Discipline, Next, Verdict},
    rack::{self, Layout},
    sheet::Sheet,
    wire::{Balls, Hand, Told, Update, Why, millis},
};
use crate::{Game, Out, Outcome, Reason, Seat, Time};

impl<D: Discipline> Billiards<D> {
    /// Balls at rest, the next rack, or a clock that has run out.
    pub(super) fn play_on(&mut self, at: Time, out: &mut Out<Update>) {
        match &self.phase {
            Phase::Rolling(rolling) => {
                let (seat, verdict) = (rolling.shot.seat, rolling.verdict.clone());
                let falls = (rolling.potted.clone(), rolling.off.clone());
                self.lie = rolling.lie.clone();
                self.rule(at, seat, verdict, falls, out);
            }
            Phase::Between { breaker, .. } => {
                let breaker = self.sheet.present(*breaker);
                self.sheet.next_rack(breaker);
                self.set_up(at, breaker, out);
            }
            Phase::Turn(turn) => {
                let turn = turn.clone();
                self.run_out(at, &turn, out);
            }
            Phase::Over(_) => {}
        }
    }

    /// The clock and the bank of a turn have run out.
    pub(super) fn run_out(&mut self, at: Time, turn: &At, out: &mut Out<Update>) {
        let player = &mut self.players[turn.seat.index()];
        player.bank = Time(0);
        player.idle += 1;
        if player.idle >= IDLE_MAX {
            self.drop_out(at, turn.seat, true, out);
            return;
        }
        match &turn.task {
            Task::Shoot { .. } => {
                let verdict = self.rules.out_of_time(&self.sheet, turn.seat);
                self.rule(at, turn.seat, verdict, (Vec::new(), Vec::new()), out);
            }
            Task::Choose(offers) => self.chosen(at, turn.seat, &offers[0], out),
            Task::Take => {
                let ball = self.sheet.on_table().next().unwrap_or(0);
                self.taken(at, turn.seat, ball, out);
            }
        }
    }

    /// The referee speaks.
    pub(super) fn rule(
        &mut self,
        at: Time,
        seat: Seat,
        verdict: Verdict,
        (potted, off): (Vec<(u8, u8)>, Vec<u8>),
        out: &mut Out<Update>,
    ) {
        // Somebody may have left while the balls rolled.
        let sheet = Sheet { out: self.sheet.out.clone(), ..verdict.sheet };
        let before = (self.scores(), core::mem::replace(&mut self.sheet, sheet));
        let over = self.close_rack(&verdict.next);
        let goes_on = matches!(verdict.next, Next::Rack { .. }) && !over;
        let next_rack_at = goes_on.then(|| millis(at + BETWEEN_RACKS));
        let told = Told {
            seat,
            ruling: verdict.ruling,
            fouls: verdict.fouls,
            potted,
            off,
            spotted: verdict.spotted.clone(),
            points: verdict.points,
            next_rack_at,
        };
        self.told = Some(told.clone());
        out.tell(Update::Verdict(told));
        if !verdict.spotted.is_empty() {
            self.spot(&verdict.spotted, out);
        }
        if self.sheet != before.1 {
            out.tell(Update::Sheet(self.sheet.clone()));
        }
        self.tell_scores(&before.0, out);
        if !over {
            self.proceed(at, verdict.next, out);
        }
    }

    /// Counts a rack that is over. Answers whether the match is, too.
    pub(super) fn close_rack(&mut self, next: &Next) -> bool {
        let Next::Rack { winner, .. } = next else { return false };
        if let Some(winner) = winner {
            self.sheet.racks[winner.index()] += 1;
        }
        let over = self.rules.is_over(&self.sheet);
        if over {
            self.finish(self.leader(), Reason::Score);
        }
        over
    }

    pub(super) fn proceed(&mut self, at: Time, next: Next, out: &mut Out<Update>) {
        match next {
            Next::Play { seat, hand } => {
                if let Some(hand) = hand {
                    self.give_in_hand(hand, out);
                }
                self.begin(at, seat, Task::Shoot { hand }, out);
            }
            Next::Choose { seat, offers } => self.begin(at, seat, Task::Choose(offers), out),
            Next::Take { seat } => self.begin(at, seat, Task::Take, out),
            Next::Break { seat } => {
                self.sheet.clear_rack();
                self.set_up(at, seat, out);
            }
            Next::Rack { breaker, .. } => {
                self.phase = Phase::Between { until: at + BETWEEN_RACKS, breaker };
            }
        }
    }

    /// Sets up the balls for `breaker`.
    pub(super) fn set_up(&mut self, at: Time, breaker: Seat, out: &mut Out<Update>) {
        self.lie = D::rack(&D::table(), &mut self.luck);
        out.tell(Update::Balls(Balls { why: Why::Rack, at: self.balls() }));
        out.tell(Update::Sheet(self.sheet.clone()));
        self.begin(at, breaker, Task::Shoot { hand: Some(Hand::Behind) }, out);
    }

    pub(super) fn begin(&mut self, at: Time, seat: Seat, task: Task, out: &mut Out<Update>) {
        let seat = self.sheet.present(seat);
        self.phase = Phase::Turn(At { seat, task, until: at + self.clock() });
        self.tell_turn_of(seat, out);
    }

    /// These balls, which are on the table again, are put on the spot.
    pub(super) fn spot(&mut self, balls: &[u8], out: &mut Out<Update>) {
        for (place, &ball) in balls.iter().enumerate() {
            // Those that are spotted after it do not lie there yet.
            let others = self.sheet.on_table().filter(|it| !balls[place..].contains(it));
            let others: Layout = others.map(|it| self.lie[usize::from(it)]).collect();
            self.lie[usize::from(ball)] = rack::spot(&D::table(), &D::SPEC, &others);
        }
        out.tell(Update::Balls(Balls { why: Why::Spotted, at: self.balls() }));
    }

    /// Ball 0 is in hand, and first put where it may lie.
    pub(super) fn give_in_hand(&mut self, hand: Hand, out: &mut Out<Update>) {
        let place = rack::hand_place(&D::table(), &D::SPEC, hand, self.lie[0], &self.others());
        if place != self.lie[0] {
            self.lie[0] = place;
            out.tell(Update::Balls(Balls { why: Why::Hand, at: self.balls() }));
        }
    }

    /// A seat plays no more. `late` says that it was away or idle: then nobody wins who is not
    /// there to see it.
    pub(super) fn drop_out(&mut self, at: Time, seat: Seat, late: bool, out: &mut Out<Update>) {
        self.sheet.out[seat.index()] = true;
        let mut staying = self.sheet.order.iter().filter(|it| !self.sheet.out[it.index()]);
        match (staying.next(), staying.next()) {
            (Some(&last), None) => {
                let player = &self.players[last.index()];
                let there = player.away.is_none() && player.idle + 1 < IDLE_MAX;
                let counts = there || !late;
                let reason = if counts { Reason::Forfeit } else { Reason::Abandoned };
                self.finish(counts.then_some(last), reason);
            }
            (None, _) => self.finish(None, Reason::Abandoned),
            (Some(_), Some(_)) => {
                out.tell(Update::Sheet(self.sheet.clone()));
                if let Phase::Turn(turn) = &self.phase
                    && turn.seat == seat
                {
                    let task = turn.task.clone();
                    self.begin(at, seat, task, out);
                }
            }
        }
    }

    pub(super) fn finish(&mut self, winner: Option<Seat>, reason: Reason) {
        self.phase = Phase::Over(Outcome { winner, reason, scores: self.scores() });
    }
}

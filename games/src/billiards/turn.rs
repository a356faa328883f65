//! What a seat does in its turn: strike, place, choose, take; and what is refused.

use alloc::{boxed::Box, vec::Vec};

use super::{
    At, Billiards, Phase, Rolling, Task,
    action::{self, Call, Choice, Strike},
    discipline::{Discipline, Offer, Permit, Stroke},
    physics::{self, Ball, Laws, State, simulate},
    rack::{self, Layout},
    record::{self, Seen},
    wire::{Hand, Shot, Update, millis},
};
use crate::{Game, Out, Refusal, Seat, Time};

impl<D: Discipline> Billiards<D> {
    /// Refuses a seat that there is not, or that plays no more.
    pub(super) fn check_seat(&self, seat: Seat) -> Result<(), Refusal> {
        if matches!(self.phase, Phase::Over(_)) {
            return Err(Refusal { code: "match_over", message: "this match is over" });
        }
        match self.sheet.out.get(seat.index()) {
            None => Err(Refusal { code: "no_such_seat", message: "there is no such seat" }),
            Some(true) => Err(Refusal { code: "you_left", message: "you have left this match" }),
            Some(false) => Ok(()),
        }
    }

    /// The turn, if it is this seat's.
    pub(super) fn turn_of(&self, seat: Seat) -> Result<At, Refusal> {
        let Phase::Turn(turn) = &self.phase else {
            let message = "wait until the balls are at rest and set up";
            return Err(Refusal { code: "balls_moving", message });
        };
        if turn.seat != seat {
            return Err(Refusal { code: "not_your_turn", message: "it is not your turn" });
        }
        Ok(turn.clone())
    }

    pub(super) fn check_striker(&self, seat: Seat, ball: u8) -> Result<(), Refusal> {
        self.check_ball(ball)?;
        if self.rules.permit(&self.sheet, seat).strikers.contains(&ball) {
            return Ok(());
        }
        let message = "that ball may not be struck now: the turn's `strikers` may";
        Err(Refusal { code: "not_the_striker", message })
    }

    pub(super) fn check_ball(&self, ball: u8) -> Result<(), Refusal> {
        if self.sheet.has(ball) {
            return Ok(());
        }
        Err(Refusal { code: "no_such_ball", message: "that ball is not on the table" })
    }

    pub(super) fn strike(
        &mut self,
        at: Time,
        turn: &At,
        strike: Strike,
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        let stroke = self.check_strike(turn, &strike)?;
        let table = D::table();
        let balls: Vec<Ball> = (0..)
            .zip(&self.lie)
            .map(|(ball, &place)| {
                let state = if self.sheet.has(ball) { State::Stationary } else { State::Pocketed };
                Ball { state, ..Ball::at_rest(place) }
            })
            .collect();
        let path = simulate(&table, &D::SPEC, &balls, Some(&strike.stick()), &Laws::play());
        let seen: Vec<Seen> = path.seen(&table).into_iter().map(Seen::from).collect();
        let ends = path.motions.iter().map(|it| it.last().map(|motion| motion.r));
        let lie = ends.zip(&self.lie).map(|(end, &lay)| end.unwrap_or(lay)).collect();
        self.struck(at, strike, stroke, path, &seen, lie, out);
        Ok(())
    }

    /// Refuses what may not be struck so.
    pub(super) fn check_strike(&self, turn: &At, strike: &Strike) -> Result<Stroke, Refusal> {
        shooting(turn)?;
        strike.check()?;
        self.check_striker(turn.seat, strike.ball)?;
        let permit = self.rules.permit(&self.sheet, turn.seat);
        if strike.push_out && !permit.push_out {
            let message =
                "a push-out may be declared only right after a legal break, where it is set";
            return Err(Refusal { code: "no_push_out_here", message });
        }
        if strike.safety && !permit.calls {
            let message = "a safety is declared only where a shot must be called";
            return Err(Refusal { code: "no_safety_here", message });
        }
        if strike.safety && strike.call.is_some() {
            let message = "either call a ball or declare a safety";
            return Err(Refusal { code: "call_and_safety", message });
        }
        match strike.call {
            Some(call) => self.check_call(call, &permit)?,
            None if permit.calls && !strike.safety => {
                let message = "call a ball and its pocket, or declare a safety";
                return Err(Refusal { code: "call_needed", message });
            }
            None => {}
        }
        Ok(Stroke {
            seat: turn.seat,
            striker: strike.ball,
            call: strike.call,
            safety: strike.safety,
            push_out: strike.push_out,
        })
    }

    pub(super) fn check_call(&self, call: Call, permit: &Permit) -> Result<(), Refusal> {
        if usize::from(call.pocket) >= D::table().pockets.len() {
            let message = "the pockets are numbered from 0 to 5";
            return Err(Refusal { code: "no_such_pocket", message });
        }
        if !self.sheet.has(call.ball) {
            let message = "the called ball is not on the table";
            return Err(Refusal { code: "call_of_a_ball_that_is_gone", message });
        }
        if permit.calls && !permit.on.contains(&call.ball) {
            let message = "call a ball that you may play: one of the turn's `on`";
            return Err(Refusal { code: "call_of_a_wrong_ball", message });
        }
        Ok(())
    }

    /// A stroke was made, its balls roll along `path`, and `lie` at its end; `seen` is all that the
    /// referee knows of it.
    #[expect(clippy::too_many_arguments, reason = "all that a stroke is")]
    pub(super) fn struck(
        &mut self,
        at: Time,
        strike: Strike,
        stroke: Stroke,
        path: physics::Shot,
        seen: &[Seen],
        lie: Layout,
        out: &mut Out<Update>,
    ) {
        self.acted(at, stroke.seat);
        let rest = (at + Time::at_or_after(path.rest)).max(at + Time(1));
        let shot = Shot { seat: stroke.seat, began: millis(at), rest: millis(rest), strike, path };
        out.tell(Update::Shot(shot.clone()));
        self.phase = Phase::Rolling(Box::new(Rolling {
            rest,
            shot,
            lie,
            potted: record::potted(seen).collect(),
            off: record::off(seen).collect(),
            verdict: self.rules.judge(&self.sheet, &stroke, seen),
        }));
    }

    pub(super) fn place(
        &mut self,
        turn: &At,
        ball: u8,
        place: [f64; 2],
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        let hand = shooting(turn)?.filter(|_| ball == 0).ok_or(NOT_IN_HAND)?;
        for number in place {
            action::finite(number)?;
        }
        rack::check_place(&D::table(), &D::SPEC, hand, place, &self.others())?;
        self.lie[0] = place;
        out.tell(Update::Placed((ball, place[0], place[1])));
        Ok(())
    }

    pub(super) fn choose(
        &mut self,
        at: Time,
        turn: &At,
        choice: Choice,
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        let Task::Choose(offers) = &turn.task else {
            let message = "there is nothing to choose now";
            return Err(Refusal { code: "nothing_to_choose", message });
        };
        let Some(offer) = offers.iter().find(|it| it.choice == choice) else {
            let message = "choose one of the turn's `choices`";
            return Err(Refusal { code: "not_a_choice", message });
        };
        self.acted(at, turn.seat);
        self.chosen(at, turn.seat, offer, out);
        Ok(())
    }

    pub(super) fn chosen(&mut self, at: Time, seat: Seat, offer: &Offer, out: &mut Out<Update>) {
        out.tell(Update::Chose((seat, offer.choice)));
        if let Some(ball) = offer.spot {
            self.sheet.bring_back(ball);
            self.spot(&[ball], out);
            out.tell(Update::Sheet(self.sheet.clone()));
        }
        self.proceed(at, offer.next.clone(), out);
    }

    pub(super) fn take(
        &mut self,
        at: Time,
        turn: &At,
        ball: u8,
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        if turn.task != Task::Take {
            let message = "there is no ball to take now";
            return Err(Refusal { code: "nothing_to_take", message });
        }
        self.check_ball(ball)?;
        self.acted(at, turn.seat);
        self.taken(at, turn.seat, ball, out);
        Ok(())
    }

    pub(super) fn taken(&mut self, at: Time, seat: Seat, ball: u8, out: &mut Out<Update>) {
        out.tell(Update::Took((seat, ball)));
        let before = self.scores();
        let next = self.rules.took(&mut self.sheet, seat, ball);
        let over = self.close_rack(&next);
        out.tell(Update::Sheet(self.sheet.clone()));
        self.tell_scores(&before, out);
        if !over {
            self.proceed(at, next, out);
        }
    }

    /// The seat whose turn it is has done what it was to do.
    pub(super) fn acted(&mut self, at: Time, seat: Seat) {
        if let Phase::Turn(turn) = &self.phase {
            let player = &mut self.players[seat.index()];
            player.bank = player.bank - (at - turn.until);
            player.idle = 0;
        }
    }
}

pub(super) const NOT_IN_HAND: Refusal =
    Refusal { code: "not_in_hand", message: "that ball is not in hand" };

/// What of the table is in the hand of somebody who is to strike.
pub(super) fn shooting(turn: &At) -> Result<Option<Hand>, Refusal> {
    match &turn.task {
        Task::Shoot { hand } => Ok(*hand),
        Task::Choose(_) => {
            let message = "choose first: one of the turn's `choices`";
            Err(Refusal { code: "choose_first", message })
        }
        Task::Take => {
            let message = "take a ball off the table first: one of the turn's `takes`";
            Err(Refusal { code: "take_first", message })
        }
    }
}

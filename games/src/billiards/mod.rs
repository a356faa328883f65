//! Billiards: 8-ball, 9-ball, free pyramid and Kolkhoz, played stroke by stroke.
//!
//! A stroke is simulated whole when it is struck, and ruled on at once; but the ruling is told when
//! the balls are at rest by the match's clock, and nobody may act before that. [`Billiards`] keeps
//! the turns, the clocks and the balls; a [`Discipline`] is one game's rules. What is said is in
//! [`wire`], where balls are put in `rack`, and how they move in [`physics`].

mod discipline;
mod eight_ball;
mod kolkhoz;
mod nine_ball;
pub mod physics;
mod pool;
mod pyramid;
mod rack;
mod record;
mod sheet;
#[cfg(test)]
mod tests;
mod wire;

use alloc::{boxed::Box, format, vec, vec::Vec};
use core::ops::RangeInclusive;

pub use discipline::{Discipline, Next, Offer, Permit, Stroke, Verdict};
pub use eight_ball::EightBall;
pub use kolkhoz::{Kolkhoz, Settlement, settle};
pub use nine_ball::NineBall;
pub use pyramid::Pyramid;
pub use rack::Layout;
pub use record::Seen;
pub use sheet::{Group, Sheet, Stage};
pub use wire::{
    Action, Aim, Balls, Call, Choice, Doing, Foul, Hand, Limits, Ruling, Shot, Spots, Strike, Told,
    Turn, Update, View, Why,
};

use crate::{
    Absence, BadOptions, Game, Out, Outcome, Pace, Reason, Refusal, Seat, Seed, Time, Viewer,
    seed::Luck,
};
use physics::{Ball, Laws, State, simulate};
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

/// What a seat does in its turn.
impl<D: Discipline> Billiards<D> {
    /// Refuses a seat that there is not, or that plays no more.
    fn check_seat(&self, seat: Seat) -> Result<(), Refusal> {
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
    fn turn_of(&self, seat: Seat) -> Result<At, Refusal> {
        let Phase::Turn(turn) = &self.phase else {
            let message = "wait until the balls are at rest and set up";
            return Err(Refusal { code: "balls_moving", message });
        };
        if turn.seat != seat {
            return Err(Refusal { code: "not_your_turn", message: "it is not your turn" });
        }
        Ok(turn.clone())
    }

    fn check_striker(&self, seat: Seat, ball: u8) -> Result<(), Refusal> {
        self.check_ball(ball)?;
        if self.rules.permit(&self.sheet, seat).strikers.contains(&ball) {
            return Ok(());
        }
        let message = "that ball may not be struck now: the turn's `strikers` may";
        Err(Refusal { code: "not_the_striker", message })
    }

    fn check_ball(&self, ball: u8) -> Result<(), Refusal> {
        if self.sheet.has(ball) {
            return Ok(());
        }
        Err(Refusal { code: "no_such_ball", message: "that ball is not on the table" })
    }

    fn strike(
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
    fn check_strike(&self, turn: &At, strike: &Strike) -> Result<Stroke, Refusal> {
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

    fn check_call(&self, call: Call, permit: &Permit) -> Result<(), Refusal> {
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
    fn struck(
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

    fn place(
        &mut self,
        turn: &At,
        ball: u8,
        place: [f64; 2],
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        let hand = shooting(turn)?.filter(|_| ball == 0).ok_or(NOT_IN_HAND)?;
        for number in place {
            wire::finite(number)?;
        }
        rack::check_place(&D::table(), &D::SPEC, hand, place, &self.others())?;
        self.lie[0] = place;
        out.tell(Update::Placed((ball, place[0], place[1])));
        Ok(())
    }

    fn choose(
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

    fn chosen(&mut self, at: Time, seat: Seat, offer: &Offer, out: &mut Out<Update>) {
        out.tell(Update::Chose((seat, offer.choice)));
        if let Some(ball) = offer.spot {
            self.sheet.bring_back(ball);
            self.spot(&[ball], out);
            out.tell(Update::Sheet(self.sheet.clone()));
        }
        self.proceed(at, offer.next.clone(), out);
    }

    fn take(
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

    fn taken(&mut self, at: Time, seat: Seat, ball: u8, out: &mut Out<Update>) {
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
    fn acted(&mut self, at: Time, seat: Seat) {
        if let Phase::Turn(turn) = &self.phase {
            let player = &mut self.players[seat.index()];
            player.bank = player.bank - (at - turn.until);
            player.idle = 0;
        }
    }
}

/// What follows from it.
impl<D: Discipline> Billiards<D> {
    /// Balls at rest, the next rack, or a clock that has run out.
    fn play_on(&mut self, at: Time, out: &mut Out<Update>) {
        match &self.phase {
            Phase::Rolling(rolling) => {
                let rolling = Rolling::clone(rolling);
                self.lie = rolling.lie;
                let falls = (rolling.potted, rolling.off);
                self.rule(at, rolling.shot.seat, rolling.verdict, falls, out);
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
    fn run_out(&mut self, at: Time, turn: &At, out: &mut Out<Update>) {
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
    fn rule(
        &mut self,
        at: Time,
        seat: Seat,
        verdict: Verdict,
        (potted, off): (Vec<(u8, u8)>, Vec<u8>),
        out: &mut Out<Update>,
    ) {
        let before = (self.scores(), core::mem::replace(&mut self.sheet, verdict.sheet));
        let over = self.close_rack(&verdict.next);
        let next_rack_at = match &verdict.next {
            Next::Rack { .. } if !over => Some(millis(at + BETWEEN_RACKS)),
            _ => None,
        };
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
    fn close_rack(&mut self, next: &Next) -> bool {
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

    fn proceed(&mut self, at: Time, next: Next, out: &mut Out<Update>) {
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
    fn set_up(&mut self, at: Time, breaker: Seat, out: &mut Out<Update>) {
        self.lie = D::rack(&D::table(), &mut self.luck);
        out.tell(Update::Balls(Balls { why: Why::Rack, at: self.balls() }));
        out.tell(Update::Sheet(self.sheet.clone()));
        self.begin(at, breaker, Task::Shoot { hand: Some(Hand::Behind) }, out);
    }

    fn begin(&mut self, at: Time, seat: Seat, task: Task, out: &mut Out<Update>) {
        let seat = self.sheet.present(seat);
        self.phase = Phase::Turn(At { seat, task, until: at + self.clock() });
        self.tell_turn_of(seat, out);
    }

    /// These balls, which are on the table again, are put on the spot.
    fn spot(&mut self, balls: &[u8], out: &mut Out<Update>) {
        for (place, &ball) in balls.iter().enumerate() {
            // Those that are spotted after it do not lie there yet.
            let others = self.sheet.on_table().filter(|it| !balls[place..].contains(it));
            let others: Layout = others.map(|it| self.lie[usize::from(it)]).collect();
            self.lie[usize::from(ball)] = rack::spot(&D::table(), &D::SPEC, &others);
        }
        out.tell(Update::Balls(Balls { why: Why::Spotted, at: self.balls() }));
    }

    /// Ball 0 is in hand, and first put where it may lie.
    fn give_in_hand(&mut self, hand: Hand, out: &mut Out<Update>) {
        let place =
            rack::hand_place(&D::table(), &D::SPEC, hand, Some(self.lie[0]), &self.others());
        if place != self.lie[0] {
            self.lie[0] = place;
            out.tell(Update::Balls(Balls { why: Why::Hand, at: self.balls() }));
        }
    }

    /// A seat plays no more. `late` says that it was away or idle: then nobody wins who is not
    /// there to see it.
    fn drop_out(&mut self, at: Time, seat: Seat, late: bool, out: &mut Out<Update>) {
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

    fn finish(&mut self, winner: Option<Seat>, reason: Reason) {
        self.phase = Phase::Over(Outcome { winner, reason, scores: self.scores() });
    }
}

/// How things stand.
impl<D: Discipline> Billiards<D> {
    fn clock(&self) -> Time {
        Time::secs(self.rules.clock().0.into())
    }

    /// Who leads, of those who still play; nobody when two do.
    fn leader(&self) -> Option<Seat> {
        let scores = self.scores();
        let standing = |seat: Seat| (scores[seat.index()], self.rules.tie_break(&self.sheet, seat));
        let playing = || self.sheet.order.iter().filter(|it| !self.sheet.out[it.index()]);
        let best = playing().map(|&seat| standing(seat)).max()?;
        let mut leaders = playing().filter(|&&seat| standing(seat) == best);
        let leader = leaders.next().copied();
        leader.filter(|_| leaders.next().is_none())
    }

    /// When a turn is lost; none while its seat's clock stands still.
    fn out_at(&self, turn: &At) -> Option<Time> {
        let player = &self.players[turn.seat.index()];
        let stands = player.away.is_some_and(|it| it.interrupted);
        (!stands).then_some(turn.until + player.bank)
    }

    /// When a seat that is away is out of the match.
    fn gone_at(&self, seat: Seat) -> Option<Time> {
        let away = self.players[seat.index()].away.filter(|_| !self.sheet.out[seat.index()]);
        away.map(|it| it.until)
    }

    /// Where the balls on the table lie, but for ball 0.
    fn others(&self) -> Layout {
        let others = self.sheet.on_table().filter(|&ball| ball != 0);
        others.map(|ball| self.lie[usize::from(ball)]).collect()
    }

    fn balls(&self) -> Vec<(u8, f64, f64)> {
        let told = |ball: u8| {
            let [x, y] = self.lie[usize::from(ball)];
            (ball, x, y)
        };
        self.sheet.on_table().map(told).collect()
    }

    fn turn(&self, turn: &At) -> Turn {
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
    fn tell_turn_of(&self, seat: Seat, out: &mut Out<Update>) {
        if let Phase::Turn(turn) = &self.phase
            && turn.seat == seat
        {
            out.tell(Update::Turn(self.turn(turn)));
        }
    }

    fn tell_scores(&self, before: &[i64], out: &mut Out<Update>) {
        let scores = self.scores();
        if scores != before {
            out.score(scores);
        }
    }
}

const NOT_IN_HAND: Refusal = Refusal { code: "not_in_hand", message: "that ball is not in hand" };

/// What of the table is in the hand of somebody who is to strike.
fn shooting(turn: &At) -> Result<Option<Hand>, Refusal> {
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

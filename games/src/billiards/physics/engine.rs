//! From one event to the next.
//!
//! Every ball has its motion, and the time at which that ends by itself: because its closed form
//! does, or at a cushion or a pocket. Every pair of balls has the time of its next contact, within
//! both balls' motions. An event changes one or two balls, and only what concerns those is
//! predicted anew: the cost of a shot grows with its events.

use alloc::{vec, vec::Vec};

use super::{
    ball::{Ball, BallSpec, State},
    cue::Strike,
    laws::Laws,
    meeting::{self, Course},
    shot::{Event, EventKind, Motion, Shot},
    table::Table,
    vector::{dot, norm, sub, unit},
};

/// After so many events whatever still moves stops dead. No break comes near it; it bounds what
/// anybody can make the engine do.
const EVENTS_MAX: usize = 2_000;

/// Two things that meet again within this time, with nothing between, are pressed together by the
/// cloth's friction rather than thrown.
const AGAIN: f64 = 0.010;
/// So many such contacts are played as they come; later ones are pressed.
const PATIENCE: u8 = 3;
/// Slower contacts than this, in m/s, are pressed at once.
const BARELY: f64 = 1e-6;
/// How much of the cloth's friction acts at once in a pressed contact, in seconds.
const PRESSED: f64 = 0.020;

/// Plays a shot out: `strike` on balls that lie as given (or no strike, if they move already), until
/// all rest. A strike that does not [hold](Strike::holds), or on a ball that is not there or has been
/// pocketed, moves nothing.
///
/// Always ends, after at most some 2,000 events: whatever still moves then stops dead.
pub fn simulate(
    table: &Table,
    spec: &BallSpec,
    balls: &[Ball],
    strike: Option<&Strike>,
    laws: &Laws,
) -> Shot {
    let mut engine = Engine::new(table, spec, balls, laws);
    if let Some(strike) = strike {
        engine.strike(strike);
    }
    engine.predict_all();
    while engine.step() {}
    engine.finish()
}

struct Engine<'a> {
    table: &'a Table,
    spec: &'a BallSpec,
    laws: &'a Laws,
    /// How far from a nose a ball's centre is when they touch.
    reach: f64,
    now: f64,
    /// When the last event was.
    before: f64,
    bodies: Vec<Body>,
    /// When each pair meets next, by [`Engine::pair`].
    pairs: Vec<f64>,
    shot: Shot,
}

/// A ball and what is known of its future.
struct Body {
    course: Course,
    /// When its motion ends by itself, and how.
    ends: f64,
    end: End,
    met: Met,
}

/// How a motion ends if no other ball is in the way.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Transition,
    Rail(usize),
    Jaw(usize),
    Pocket(usize),
}

/// What a ball met last.
#[derive(Clone, Copy)]
struct Met {
    what: EventKind,
    t: f64,
    /// How often before that, in quick succession.
    times: u8,
}

impl<'a> Engine<'a> {
    fn new(table: &'a Table, spec: &'a BallSpec, balls: &[Ball], laws: &'a Laws) -> Engine<'a> {
        let bodies: Vec<Body> = balls
            .iter()
            .map(|ball| Body {
                course: Course::new(0.0, &settled(*ball, spec), spec),
                ends: f64::INFINITY,
                end: End::Transition,
                met: Met { what: EventKind::Strike(0), t: f64::NEG_INFINITY, times: 0 },
            })
            .collect();
        let motions = bodies.iter().map(|body| vec![motion(0.0, &body.course.ball)]).collect();
        Engine {
            table,
            spec,
            laws,
            reach: laws.reach(table.nose, spec),
            now: 0.0,
            before: 0.0,
            pairs: vec![f64::INFINITY; balls.len() * balls.len() / 2],
            bodies,
            shot: Shot { ball: *spec, motions, events: Vec::new(), rest: 0.0 },
        }
    }

    fn strike(&mut self, strike: &Strike) {
        let there = self.bodies.get(strike.ball).map(|body| body.course.ball);
        let Some(ball) = there.filter(|ball| strike.holds() && ball.state != State::Pocketed)
        else {
            return;
        };
        let struck = strike.hit(&ball, self.spec, &self.laws.stick);
        self.record(EventKind::Strike(strike.ball), strike.speed);
        self.set(strike.ball, settled(struck, self.spec));
    }

    /// Lets the soonest event happen. False when there is none: everything rests.
    fn step(&mut self) -> bool {
        let mut soonest = (f64::INFINITY, 0, 0);
        for (i, body) in self.bodies.iter().enumerate() {
            if body.ends < soonest.0 {
                soonest = (body.ends, i, i);
            }
        }
        // A motion that ends at the very moment of a contact ends first: the contact is predicted
        // anew from the next one.
        for j in 1..self.bodies.len() {
            for i in 0..j {
                let t = self.pairs[Engine::pair(i, j)];
                if t < soonest.0 {
                    soonest = (t, i, j);
                }
            }
        }
        let (t, i, j) = soonest;
        if t == f64::INFINITY {
            return false;
        }
        if self.shot.events.len() >= EVENTS_MAX {
            self.stop_all();
            return false;
        }
        (self.before, self.now) = (self.now, t);
        if i != j {
            self.meet(i, j);
            return true;
        }
        let ball = self.ball(i);
        match self.bodies[i].end {
            End::Transition => {
                let next = ball.next_state(self.spec);
                self.record(EventKind::Transition(i, ball.state, next.state), 0.0);
                self.set(i, next);
            }
            End::Pocket(pocket) => {
                self.record(EventKind::Pocket(i, pocket), norm(ball.v));
                let centre = self.table.pockets[pocket].centre;
                self.set(i, Ball { state: State::Pocketed, ..Ball::at_rest(centre) });
            }
            End::Rail(rail) => {
                let segment = &self.table.segments[rail];
                let n = segment.normal;
                let ball = self.pressed_on(i, ball, EventKind::Rail(i, rail), n);
                let after = self.laws.rail(ball, segment, self.table.nose, self.spec);
                self.set(i, settled(after, self.spec));
            }
            End::Jaw(jaw) => {
                let round = &self.table.jaws[jaw];
                let n = unit(sub(ball.r, round.centre));
                let ball = self.pressed_on(i, ball, EventKind::Jaw(i, jaw), n);
                let after = self.laws.jaw(ball, round, self.table.nose, self.spec);
                self.set(i, settled(after, self.spec));
            }
        }
        self.predict(i);
        true
    }

    /// Two balls meet.
    fn meet(&mut self, i: usize, j: usize) {
        let (mut one, mut two) = (self.ball(i), self.ball(j));
        let n = unit(sub(two.r, one.r));
        let closing = |one: &Ball, two: &Ball| dot(sub(one.v, two.v), n);
        let kind = EventKind::BallBall(i, j);
        self.record(kind, closing(&one, &two).max(0.0));
        let again = self.again(i, kind).min(self.again(j, kind));
        if again >= PATIENCE || closing(&one, &two) < BARELY {
            let pressed = (press(&one, self.spec), press(&two, self.spec));
            if closing(&pressed.0, &pressed.1) > closing(&one, &two) {
                (one, two) = pressed;
            }
        }
        let met = Met { what: kind, t: self.now, times: again };
        (self.bodies[i].met, self.bodies[j].met) = (met, met);
        if closing(&one, &two) > 0.0 {
            let spare = self.spare();
            [one, two] = self.laws.balls(one, two, self.spec, spare);
        }
        self.set(i, settled(one, self.spec));
        self.set(j, settled(two, self.spec));
        self.predict(i);
        self.predict(j);
    }

    /// The ball as it meets a cushion with that normal: pressed if it is not the first time.
    fn pressed_on(&mut self, i: usize, ball: Ball, kind: EventKind, n: [f64; 2]) -> Ball {
        let closing = -dot(ball.v, n);
        self.record(kind, closing.max(0.0));
        let again = self.again(i, kind);
        self.bodies[i].met = Met { what: kind, t: self.now, times: again };
        if again < PATIENCE && closing >= BARELY {
            return ball;
        }
        let pressed = press(&ball, self.spec);
        if -dot(pressed.v, n) > closing { pressed } else { ball }
    }

    /// How often, in quick succession, the ball has done just that.
    fn again(&self, i: usize, kind: EventKind) -> u8 {
        let met = &self.bodies[i].met;
        if met.what == kind && self.now - met.t < AGAIN { met.times.saturating_add(1) } else { 0 }
    }

    /// What the cloth has taken since the last event, for laws that ask for it.
    fn spare(&self) -> f64 {
        if !self.laws.reference {
            return 0.0;
        }
        let lost = |body: &Body| {
            let before = body.course.at(self.before, self.spec).energy(self.spec);
            before - body.course.at(self.now, self.spec).energy(self.spec)
        };
        self.bodies.iter().map(lost).sum()
    }

    fn stop_all(&mut self) {
        for i in 0..self.bodies.len() {
            let ball = self.ball(i);
            if ball.state != State::Pocketed && ball.state != State::Stationary {
                self.set(i, Ball::at_rest(ball.r));
            }
        }
    }

    fn finish(mut self) -> Shot {
        self.shot.rest = self.now;
        self.shot
    }

    fn record(&mut self, kind: EventKind, strength: f64) {
        self.shot.events.push(Event { t: self.now, kind, strength });
    }

    /// The ball as it is now.
    fn ball(&self, i: usize) -> Ball {
        self.bodies[i].course.at(self.now, self.spec)
    }

    /// From now on the ball moves as given.
    fn set(&mut self, i: usize, ball: Ball) {
        self.bodies[i].course = Course::new(self.now, &ball, self.spec);
        let motions = &mut self.shot.motions[i];
        let motion = motion(self.now, &ball);
        match motions.last_mut() {
            Some(last) if last.t == self.now => *last = motion,
            _ => motions.push(motion),
        }
    }

    fn predict_all(&mut self) {
        for i in 0..self.bodies.len() {
            self.predict_alone(i);
        }
        for j in 1..self.bodies.len() {
            for i in 0..j {
                self.predict_pair(i, j);
            }
        }
    }

    /// Predicts anew what concerns this ball.
    fn predict(&mut self, i: usize) {
        self.predict_alone(i);
        for j in 0..self.bodies.len() {
            if j != i {
                self.predict_pair(i.min(j), i.max(j));
            }
        }
    }

    /// When and how the ball's motion ends, other balls aside.
    fn predict_alone(&mut self, i: usize) {
        let course = &self.bodies[i].course;
        let (mut span, mut end) = (course.ball.lasts(self.spec), End::Transition);
        if matches!(course.ball.state, State::Sliding | State::Rolling) {
            for (rail, segment) in self.table.segments.iter().enumerate() {
                if let Some(t) = meeting::with_segment(course, segment, self.reach, span) {
                    (span, end) = (t, End::Rail(rail));
                }
            }
            let within = course.bounds(span);
            for (jaw, round) in self.table.jaws.iter().enumerate() {
                let apart = round.radius + self.reach;
                if !within.near(round.centre, apart) {
                    continue;
                }
                if let Some(t) = meeting::with_circle(course, round.centre, apart, span) {
                    (span, end) = (t, End::Jaw(jaw));
                }
            }
            for (pocket, hole) in self.table.pockets.iter().enumerate() {
                if !within.near(hole.centre, hole.radius) {
                    continue;
                }
                if let Some(t) = meeting::with_hole(course, hole.centre, hole.radius, span) {
                    (span, end) = (t, End::Pocket(pocket));
                }
            }
        }
        let body = &mut self.bodies[i];
        body.course.limit(span);
        (body.ends, body.end) = (self.now + span, end);
    }

    /// When two balls meet, within their present motions. The first index is the lower.
    fn predict_pair(&mut self, i: usize, j: usize) {
        let (one, two) = (&self.bodies[i], &self.bodies[j]);
        let until = one.ends.min(two.ends);
        let t = if until == f64::INFINITY {
            None
        } else {
            meeting::of_balls(&one.course, &two.course, self.now, until, self.spec)
        };
        self.pairs[Engine::pair(i, j)] = t.unwrap_or(f64::INFINITY);
    }

    fn pair(i: usize, j: usize) -> usize {
        j * (j - 1) / 2 + i
    }
}

fn motion(t: f64, ball: &Ball) -> Motion {
    Motion { t, state: ball.state, r: ball.r, v: ball.v, w: ball.w }
}

/// Speeds and spins below this, in m/s at the ball's surface, are rounding.
const NOTHING: f64 = 1e-10;

/// The ball with the state that its velocity and spin make, free of what rounding left.
fn settled(ball: Ball, spec: &BallSpec) -> Ball {
    let mut ball = ball;
    if ball.state == State::Pocketed {
        return Ball { state: State::Pocketed, ..Ball::at_rest(ball.r) };
    }
    if ball.w[2].abs() * spec.radius < NOTHING {
        ball.w[2] = 0.0;
    }
    if norm(ball.slip(spec)) >= NOTHING {
        ball.state = State::Sliding;
        return ball;
    }
    // Without slip it rolls, if it moves.
    ball.state = State::Sliding;
    ball = ball.next_state(spec);
    if norm(ball.v) < NOTHING { ball.next_state(spec) } else { ball }
}

/// The ball after some of the cloth's friction has acted, where it is. Two things pressed together
/// by that friction would meet ever sooner, in ever smaller contacts; taking the friction of a short
/// time at once makes one contact of many. Friction only takes energy, so this does too.
fn press(ball: &Ball, spec: &BallSpec) -> Ball {
    let lasts = ball.lasts(spec);
    let after = ball.after(PRESSED.min(lasts), spec);
    let after = if lasts <= PRESSED { after.next_state(spec) } else { after };
    Ball { r: ball.r, ..after }
}

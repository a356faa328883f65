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
    pressing::{CRUMB, EASE, LEAVE, Met, PASSES, at_ease, moment, press, pressing, settled},
    shot::{Event, EventKind, Motion, Shot},
    table::Table,
    vector::{add, dot, norm, scale, sub, unit},
};

/// Plays a shot out: `strike` on balls that lie as given (or no strike, if they move already),
/// until all rest. A strike that does not [hold](Strike::holds), or on a ball that is not there or
/// has been pocketed, moves nothing.
///
/// Always ends, and soon: the more events a shot has had, the longer a motion has to last to go on
/// at all. Some 400 are the most that a stick can cause; of thousands of random breaks hardly any
/// has over 250.
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
    /// What each pair has met.
    met: Vec<Met>,
    shot: Shot,
}

/// A ball and what is known of its future.
struct Body {
    course: Course,
    /// When its motion ends by itself, and how.
    ends: f64,
    end: End,
    /// The last cushion, and its contact.
    cushion: (End, Met),
}

/// How a motion ends if no other ball is in the way.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Transition,
    Rail(usize),
    Jaw(usize),
    Pocket(usize),
}

impl<'a> Engine<'a> {
    fn new(table: &'a Table, spec: &'a BallSpec, balls: &[Ball], laws: &'a Laws) -> Engine<'a> {
        let bodies: Vec<Body> = balls
            .iter()
            .map(|ball| Body {
                course: Course::new(0.0, &settled(*ball, spec), spec),
                ends: f64::INFINITY,
                end: End::Transition,
                cushion: (End::Transition, Met::NEVER),
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
            met: vec![Met::NEVER; balls.len() * balls.len() / 2],
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
        (self.before, self.now) = (self.now, t);
        if i != j {
            self.meet(i, j);
            return true;
        }
        let ball = self.ball(i);
        match self.bodies[i].end {
            End::Transition => {
                let next = at_ease(ball.next_state(self.spec), self.moment(), self.spec);
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
                self.record(EventKind::Rail(i, rail), -dot(ball.v, segment.normal));
                let ball = self.against(i, ball, segment.normal);
                let after = self.laws.rail(ball, segment, self.table.nose, self.spec);
                self.set(i, at_ease(after, self.moment(), self.spec));
            }
            End::Jaw(jaw) => {
                let round = &self.table.jaws[jaw];
                let n = unit(sub(ball.r, round.centre));
                self.record(EventKind::Jaw(i, jaw), -dot(ball.v, n));
                let ball = self.against(i, ball, n);
                let after = self.laws.jaw(ball, round, self.table.nose, self.spec);
                self.set(i, at_ease(after, self.moment(), self.spec));
            }
        }
        self.predict(i);
        true
    }

    /// Two balls meet.
    fn meet(&mut self, i: usize, j: usize) {
        let spec = self.spec;
        let (mut one, mut two) = (self.ball(i), self.ball(j));
        let n = unit(sub(two.r, one.r));
        let closing = |one: &Ball, two: &Ball| dot(sub(one.v, two.v), n);
        let speed = closing(&one, &two).max(0.0);
        self.record(EventKind::BallBall(i, j), speed);

        let faster = sub(one.v, two.v);
        let round = (dot(faster, faster) - speed * speed) / (2.0 * spec.radius);
        let pull = dot(sub(one.acceleration(spec), two.acceleration(spec)), n) - round;
        let met = &mut self.met[Engine::pair(i, j)];
        met.again(self.now, speed, pull);
        let (often, pressed) = (met.often(), met.pressed(speed, pull));
        if pressed {
            let time = pressing(pull, one.lasts(spec).min(two.lasts(spec)));
            (one, two) = (press(&one, time, spec), press(&two, time, spec));
        }
        let spare = (!often).then(|| self.spare());
        let eased = pressed || often || speed < CRUMB;
        let moment = if eased { self.moment().max(EASE) } else { self.moment() };
        // A ball that friction stops at once may leave the other still closing in on it, slower:
        // that is the same contact, to be played to its end.
        for pass in 0..PASSES {
            if closing(&one, &two) > 0.0 {
                let places = [one.r, two.r];
                [one, two] = self.laws.balls(one, two, spec, spare);
                // A law may move the balls a little, but once only and not into others.
                let moved = places != [one.r, two.r];
                let crowded = || self.crowded(i, j, one.r) || self.crowded(j, i, two.r);
                if moved && (pass > 0 || crowded()) {
                    [one.r, two.r] = places;
                }
            }
            let short = closing(&one, &two) + LEAVE;
            if short > 0.0 {
                one.v = sub(one.v, scale(n, 0.5 * short));
                two.v = add(two.v, scale(n, 0.5 * short));
            }
            (one, two) = (at_ease(one, moment, spec), at_ease(two, moment, spec));
            if moment == 0.0 || closing(&one, &two) <= 0.0 {
                break;
            }
        }
        self.set(i, one);
        self.set(j, two);
        self.predict(i);
        self.predict(j);
    }

    /// The ball as it meets the cushion with that normal: pressed, if it has done so often.
    fn against(&mut self, i: usize, ball: Ball, n: [f64; 2]) -> Ball {
        let (closing, pull) = (-dot(ball.v, n), -dot(ball.acceleration(self.spec), n));
        let body = &mut self.bodies[i];
        if body.cushion.0 != body.end {
            body.cushion = (body.end, Met::NEVER);
        }
        let met = &mut body.cushion.1;
        met.again(self.now, closing, pull);
        if !met.pressed(closing, pull) {
            return ball;
        }
        press(&ball, pressing(pull, ball.lasts(self.spec)), self.spec)
    }

    /// How long a motion has to last, by now, to be one.
    fn moment(&self) -> f64 {
        moment(self.shot.events.len())
    }

    /// Whether the first ball, there, would be in another than the second.
    fn crowded(&self, i: usize, but: usize, r: [f64; 2]) -> bool {
        let apart = 2.0 * self.spec.radius;
        (0..self.bodies.len()).any(|j| {
            if j == i || j == but || !self.bodies[j].course.near(r, apart) {
                return false;
            }
            let other = self.ball(j);
            other.state != State::Pocketed && norm(sub(other.r, r)) < apart
        })
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
            meeting::of_balls([&one.course, &two.course], self.now, until, self.spec)
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

//! Things that the cloth's friction presses together.
//!
//! A ball with topspin that follows another pushes it: a contact that lasts. Played as contacts in
//! an instant, it is a ball that bounces on another ever lower and ever sooner, thousands of times.
//! So two things that have met a few times in a row, each time to part by less than a tenth of a
//! millimetre, are pressed: the cloth's friction of the next moment acts on both at once, then they
//! part by the same law as ever. They meet again when that moment is over, and what each gives the
//! other in the long run is what it was. Friction only takes energy, so pressing does too.
//!
//! The same bounds the events of a shot: the more there have been, the longer a motion has to last
//! to be played ([`moment`]).

use super::{
    ball::{Ball, BallSpec, State},
    vector::norm,
};

/// Two things that part by less than this, in metres, before friction brings them together again,
/// may be pressed.
const GAP: f64 = 1e-4;
/// And so may two that meet again within this time, in seconds.
const AGAIN: f64 = 0.010;
/// So many such contacts in a row are played as they come.
const PATIENCE: u8 = 3;
/// Slower contacts than this, in m/s, are pressed at once.
const BARELY: f64 = 1e-6;
/// How much friction acts at once: at the least (unless the motion ends) and at the most, in
/// seconds.
const PRESSED: [f64; 2] = [0.005, 0.250];
/// After a pressed contact, motions shorter than this, in seconds, are over at once.
pub(super) const EASE: f64 = 1e-3;
/// From so many events of a shot on, after any event.
const MANY: usize = 150;
/// And with every so many more, motions twice as long.
const DOUBLES: f64 = 12.0;
/// How often the law acts at the most in one contact of two balls that friction stops between.
pub(super) const PASSES: u8 = 32;
/// After contacts slower than this, in m/s, too.
pub(super) const CRUMB: f64 = 1e-5;
/// What two balls part with at least, in m/s. The energy of that is less than rounding.
pub(super) const LEAVE: f64 = 1e-7;
/// Speeds and spins below this, in m/s at the ball's surface, are rounding.
const NOTHING: f64 = 1e-10;

/// The last contact of two things.
#[derive(Clone, Copy)]
pub(super) struct Met {
    t: f64,
    /// How many before it were such that the two may be pressed.
    times: u8,
}

impl Met {
    pub(super) const NEVER: Met = Met { t: f64::NEG_INFINITY, times: 0 };

    /// After another contact, now, at the speed `closing` of two things that the cloth accelerates
    /// towards each other by `pull`, in m/s².
    pub(super) fn again(&mut self, now: f64, closing: f64, pull: f64) {
        let low = closing * closing < 2.0 * GAP * pull;
        self.times = if low || now - self.t < AGAIN { self.times.saturating_add(1) } else { 0 };
        self.t = now;
    }

    /// Whether they have met often in a row.
    pub(super) fn often(&self) -> bool {
        self.times >= PATIENCE
    }

    /// Whether it is time to press.
    pub(super) fn pressed(&self, closing: f64, pull: f64) -> bool {
        pull > 0.0 && (self.often() || closing < BARELY)
    }
}

/// For how long friction acts at once on two things that it presses together by `pull`: so that the
/// gap they then open is small, and a motion that lasts so long is not used up in a few steps.
pub(super) fn pressing(pull: f64, lasts: f64) -> f64 {
    let [least, most] = PRESSED;
    libm::sqrt(8.0 * GAP / pull).min(0.25 * lasts).clamp(least, most)
}

/// The ball after that much of the cloth's friction has acted, where it is.
pub(super) fn press(ball: &Ball, time: f64, spec: &BallSpec) -> Ball {
    let lasts = ball.lasts(spec);
    let after = ball.after(time.min(lasts), spec);
    let after = if lasts <= time { after.next_state(spec) } else { after };
    Ball { r: ball.r, ..after }
}

/// The ball with the state that its velocity and spin make, free of what rounding left.
pub(super) fn settled(ball: Ball, spec: &BallSpec) -> Ball {
    let mut ball = ball;
    if ball.state == State::Pocketed {
        return Ball { state: State::Pocketed, ..Ball::at_rest(ball.r) };
    }
    if ball.w[2].abs() * spec.radius < NOTHING {
        ball.w[2] = 0.0;
    }
    ball.state = State::Sliding;
    if norm(ball.slip(spec)) >= NOTHING {
        return ball;
    }
    // Without slip it rolls, if it moves.
    ball = ball.next_state(spec);
    if norm(ball.v) < NOTHING { ball.next_state(spec) } else { ball }
}

/// The ball after an event: what it does for less than `moment` seconds, it has done.
pub(super) fn at_ease(ball: Ball, moment: f64, spec: &BallSpec) -> Ball {
    let mut ball = settled(ball, spec);
    while ball.lasts(spec) < moment {
        ball = press(&ball, moment, spec);
    }
    ball
}

/// How long a motion has to last, in seconds, to be one after so many events of a shot.
///
/// Balls that crawl in a heap or are jammed in a pocket's mouth meet again and again, ever slower
/// and sooner, all but in their places. No count of contacts between any two of them tells that
/// from a rattle at speed; how much has happened in the shot does. So from a number of events on
/// that few shots come to, what would last less than a moment is over at once, and the moment
/// grows. After 200 events it is 18 ms: that stops balls which would roll for less than 20
/// micrometres, and cuts slides short by less than a third of a millimetre. After 400 it is longer
/// than whatever a stick can make a ball do: each event then leaves what it concerns at rest, and
/// the shot is over within as many events as there are balls. Friction only takes energy, and so
/// does this.
pub(super) fn moment(events: usize) -> f64 {
    if events < MANY { 0.0 } else { EASE * libm::exp2((events - MANY) as f64 / DOUBLES) }
}

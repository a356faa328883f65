//! What happened in a shot: every ball's motions, and every event.

use alloc::vec::Vec;

use super::{
    ball::{Ball, BallSpec, State},
    table::Table,
    vector::{Vec2, Vec3},
};

/// A shot, from the strike until everything rests.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// What the balls are like.
    pub ball: BallSpec,
    /// By ball: its motions, each from `t` until the next one's `t`, the last for ever. The first
    /// starts at 0, and none lasts no time.
    pub motions: Vec<Vec<Motion>>,
    /// All events, in order.
    pub events: Vec<Event>,
    /// When the last ball came to rest, in seconds after the strike.
    pub rest: f64,
}

/// A stretch of a ball's path with one closed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// When it begins, in seconds after the strike.
    pub t: f64,
    /// How the ball moves.
    pub state: State,
    /// Where it begins, in metres.
    pub r: Vec2,
    /// The velocity that it begins with, in m/s.
    pub v: Vec2,
    /// The spin that it begins with, in rad/s.
    pub w: Vec3,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Seconds after the strike.
    pub t: f64,
    /// What.
    pub kind: EventKind,
    /// How fast the two came together along the line between them, in m/s: how loud it is. For the
    /// strike, the stick's speed; for a pocket, the ball's; nothing for a transition.
    pub strength: f64,
}

/// What happened. Balls, segments, jaws and pockets are told by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The stick met the ball.
    Strike(usize),
    /// Two balls met; the lower index stands first.
    BallBall(usize, usize),
    /// The ball met a straight part of a cushion.
    Rail(usize, usize),
    /// The ball met the round point of a cushion.
    Jaw(usize, usize),
    /// The ball fell into a pocket.
    Pocket(usize, usize),
    /// The ball goes on otherwise.
    Transition(usize, State, State),
}

/// What a referee sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Two balls met.
    Hit(usize, usize),
    /// The ball met a cushion, straight or round.
    Cushion(usize),
    /// The ball fell into the pocket.
    Pot(usize, usize),
    /// The ball's centre went over the line between the middle pockets.
    Crossed(usize),
}

impl Motion {
    /// The ball `dt` seconds after the motion began; exact for as long as the motion lasts.
    pub fn at(&self, dt: f64, spec: &BallSpec) -> Ball {
        self.ball().after(dt, spec)
    }

    fn ball(&self) -> Ball {
        Ball { r: self.r, v: self.v, w: self.w, state: self.state }
    }
}

impl Shot {
    /// The ball of that index `t` seconds after the strike.
    pub fn at(&self, ball: usize, t: f64) -> Ball {
        let motions = &self.motions[ball];
        let next = motions.partition_point(|motion| motion.t <= t);
        let motion = &motions[next.saturating_sub(1)];
        motion.at((t - motion.t).max(0.0), &self.ball)
    }

    /// What a referee sees of it, in order of time: contacts, pots, and balls that cross the line
    /// between the middle pockets, there or back.
    pub fn seen(&self, table: &Table) -> Vec<Seen> {
        let mut seen = Vec::new();
        for event in &self.events {
            let what = match event.kind {
                EventKind::BallBall(a, b) => Seen::Hit(a, b),
                EventKind::Rail(ball, _) | EventKind::Jaw(ball, _) => Seen::Cushion(ball),
                EventKind::Pocket(ball, pocket) => Seen::Pot(ball, pocket),
                EventKind::Strike(_) | EventKind::Transition(..) => continue,
            };
            seen.push((event.t, what));
        }
        for (ball, motions) in self.motions.iter().enumerate() {
            for (at, motion) in motions.iter().enumerate() {
                let until = motions.get(at + 1).map_or(motion.t, |next| next.t);
                crossings(motion, until - motion.t, table.length / 2.0, &self.ball, |dt| {
                    seen.push((motion.t + dt, Seen::Crossed(ball)));
                });
            }
        }
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        seen.into_iter().map(|(_, what)| what).collect()
    }
}

/// Calls `found` with every time in `(0, lasts]` at which the motion crosses the line `y = line`.
fn crossings(motion: &Motion, lasts: f64, line: f64, spec: &BallSpec, mut found: impl FnMut(f64)) {
    let ball = motion.ball();
    let side = |dt: f64| ball.after(dt, spec).r[1] > line;
    let (v, a) = (ball.v[1], ball.acceleration(spec)[1]);
    // The path is a parabola in y: monotone before its vertex and after it.
    let vertex = if a == 0.0 { lasts } else { (-v / a).clamp(0.0, lasts) };
    for (from, to) in [(0.0, vertex), (vertex, lasts)] {
        if side(from) == side(to) {
            continue;
        }
        let y = ball.r[1] - line;
        let root = libm::sqrt((v * v - 2.0 * a * y).max(0.0));
        // Of the two roots, the one on this side of the vertex, in the form that does not cancel.
        let towards = if from == 0.0 { v } else { -v };
        let q = v + root.copysign(v);
        let (near, far) = (-2.0 * y / q, -q / a);
        let dt = if towards == v { near } else { far };
        found(if dt.is_finite() { dt.clamp(from, to) } else { from });
    }
}

//! What the reference simulator (pooltool 0.6.0) does around its contact laws.
//!
//! These belong to its sets of [`Laws`](super::Laws) and to no other; with them our shots agree
//! with its own to rounding.

use super::{
    ball::{Ball, BallSpec},
    vector::{Vec2, add, dot, norm, scale, sub, unit},
};

/// The gap that it leaves between things that touch, in metres.
const SPACER: f64 = 1e-6;
/// How far it lets the "kiss" move things before it pushes them straight apart instead.
const FARTHEST: f64 = 5.0 * SPACER;

/// "Kiss" of two balls: both are moved along their velocities, in no time, until the gap between
/// them is the spacer; or straight apart, if that would move the point of contact too far.
pub(super) fn kiss_balls(one: &mut Ball, two: &mut Ball, spec: &BallSpec) {
    let apart = 2.0 * spec.radius + SPACER;
    let (between, faster) = (sub(two.r, one.r), sub(two.v, one.v));
    let gap = dot(between, between) - apart * apart;
    if let Some(dt) = nearest_root(dot(faster, faster), 2.0 * dot(between, faster), gap) {
        let moved = scale(add(one.v, two.v), 0.5 * dt);
        if norm(moved) <= FARTHEST {
            one.r = add(one.r, scale(one.v, dt));
            two.r = add(two.r, scale(two.v, dt));
            return;
        }
    }
    let push = scale(unit(between), 0.5 * (apart - norm(between)));
    one.r = sub(one.r, push);
    two.r = add(two.r, push);
}

/// "Kiss" of a ball and a cushion: the same, where `from` is what the ball is to be `away` (and the
/// spacer) from, in the direction that counts.
pub(super) fn kiss_cushion(ball: &mut Ball, from: Vec2, away: f64, along: Option<Vec2>) {
    let target = away + SPACER;
    let only = |vector: Vec2| along.map_or(vector, |n| scale(n, dot(vector, n)));
    let (between, v) = (only(sub(ball.r, from)), only(ball.v));
    let gap = dot(between, between) - target * target;
    if let Some(dt) = nearest_root(dot(v, v), 2.0 * dot(between, v), gap) {
        let moved = scale(ball.v, dt);
        if norm(moved) <= FARTHEST {
            ball.r = add(ball.r, moved);
            return;
        }
    }
    ball.r = add(ball.r, scale(unit(between), target - norm(between)));
}

/// "Keep touching": after a contact of two balls that move almost alike, one takes a tenth of the
/// other's speed along the line of centres. Skipped where the two would have more than `energy`.
pub(super) fn keep_touching(one: &mut Ball, two: &mut Ball, spec: &BallSpec, energy: f64) {
    let (speed1, speed2) = (norm(one.v), norm(two.v));
    if speed1 == 0.0 || speed2 == 0.0 {
        return;
    }
    let n = unit(sub(two.r, one.r));
    let (along1, along2) = (dot(one.v, n), dot(two.v, n));
    let alike = dot(one.v, two.v) / (speed1 * speed2) > 0.9;
    if (along2 - along1).abs() >= 0.01 || !alike {
        return;
    }
    let taken = 0.1 * along1.max(along2);
    let taken = scale(n, if along1 > along2 { taken } else { -taken });
    let (v1, v2) = (sub(one.v, taken), add(two.v, taken));
    let after = Ball { v: v1, ..*one }.energy(spec) + Ball { v: v2, ..*two }.energy(spec);
    if after <= energy {
        (one.v, two.v) = (v1, v2);
    }
}

/// The root of `a t² + b t + c` nearest to zero.
fn nearest_root(a: f64, b: f64, c: f64) -> Option<f64> {
    if a == 0.0 {
        return None;
    }
    let inside = b * b - 4.0 * a * c;
    if inside < 0.0 {
        return None;
    }
    let q = -0.5 * (b + libm::sqrt(inside).copysign(b));
    // Of `q / a` and `c / q` the second is the smaller.
    if q == 0.0 { Some(0.0) } else { Some(c / q) }
}

//! How a ball leaves a cushion.

use core::f64::consts::{FRAC_PI_2, PI};

use super::{
    ball::{Ball, BallSpec},
    laws::Cushion,
    vector::{Vec2, Vec3, add, add3, cross, dot, dot3, left, norm3, scale, scale3, sub3},
};

/// Where a ball touches a cushion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    /// From the cushion to the ball, level, of length one.
    pub(super) normal: Vec2,
    /// How far the ball's centre is from the nose, level.
    pub(super) arm: f64,
    /// How high the nose is above the cloth.
    pub(super) nose: f64,
}

/// The ball right after the law has acted. Its place and state are left as they are.
pub(super) fn rebound(law: Cushion, ball: &Ball, touch: &Touch, spec: &BallSpec) -> Ball {
    match law {
        Cushion::Mirror { restitution } => {
            let e = if restitution { spec.cushion_restitution } else { 1.0 };
            let along = dot(ball.v, touch.normal);
            Ball { v: add(ball.v, scale(touch.normal, -(1.0 + e) * along)), ..*ball }
        }
        Cushion::Impulse => tilted(ball, touch, spec, |normal, across| {
            let stick = across * 2.0 / 7.0;
            let most = spec.cushion_friction * (1.0 + spec.cushion_restitution) * normal;
            most.min(stick)
        }),
        Cushion::Stronge { ratio } => tilted(ball, touch, spec, |normal, across| {
            let (e, mu) = (spec.cushion_restitution, spec.cushion_friction);
            (stronge(normal, across, e, mu, ratio) + across) / BETA
        }),
        Cushion::Han => han(ball, touch, spec),
    }
}

/// A contact along the line from the nose to the ball's centre, which is tilted: restitution along
/// it, and across it whatever impulse per mass `rub` gives for the two speeds.
fn tilted(ball: &Ball, touch: &Touch, spec: &BallSpec, rub: impl FnOnce(f64, f64) -> f64) -> Ball {
    let radius = spec.radius;
    let n: Vec3 = [touch.normal[0] * touch.arm, touch.normal[1] * touch.arm, radius - touch.nose];
    let n = scale3(n, 1.0 / norm3(n));
    let v = [ball.v[0], ball.v[1], 0.0];
    let surface = sub3(v, scale3(cross(ball.w, n), radius));
    let along = dot3(surface, n);
    let slip = sub3(surface, scale3(n, along));
    let across = norm3(slip);
    let knock = scale3(n, -(1.0 + spec.cushion_restitution) * along);
    let against = if across > 0.0 { scale3(slip, -rub(-along, across) / across) } else { [0.0; 3] };
    // What throws the ball up is dropped: it stays on the cloth.
    let v = add3(v, add3(knock, against));
    let turn = scale3(cross(n, against), -2.5 / radius);
    Ball { v: [v[0], v[1]], w: add3(ball.w, turn), ..*ball }
}

/// One over a sphere's tangential inertia at its surface, times its mass.
const BETA: f64 = 3.5;

/// Stronge's planar impact with springs along the normal and the tangent (W. J. Stronge, Impact
/// Mechanics, 2000, 5.1): the tangential speed after a contact that begins with `-across`, at
/// normal speed `normal`. Time is in units of one over the normal frequency; `ratio` is the
/// tangential one.
fn stronge(normal: f64, across: f64, e: f64, mu: f64, ratio: f64) -> f64 {
    let eta = BETA / (ratio * ratio);
    let steep = across / normal;
    if steep > mu * ((1.0 + e) * BETA - eta / e) {
        return -across + mu * BETA * (1.0 + e) * normal;
    }
    let phase = |t: f64| t / e + FRAC_PI_2 * (1.0 - 1.0 / e);
    let closed = FRAC_PI_2;
    let parted = (1.0 + e) * FRAC_PI_2;

    // When it begins to stick, with the tangential spring's length and speed then.
    let (from, u0, v0) = if steep < mu * eta {
        (0.0, 0.0, -across)
    } else {
        let (t, sine, lost) = if steep <= mu * BETA {
            let t = libm::acos(((steep / mu - BETA) / (eta - BETA)).clamp(-1.0, 1.0));
            (t, libm::sin(t), 1.0 - libm::cos(t))
        } else {
            let angle = libm::acos(((steep / mu - BETA) / (eta / e - e * BETA)).clamp(-1.0, 1.0));
            let t = (angle - FRAC_PI_2 * (1.0 - 1.0 / e)) * e;
            (t, libm::sin(angle), 1.0 - e * libm::cos(angle))
        };
        (t, mu * normal * eta * sine, -across + mu * BETA * normal * lost)
    };
    let spring = |t: f64| {
        let (sin, cos) = (libm::sin(ratio * (t - from)), libm::cos(ratio * (t - from)));
        (u0 * cos - v0 / ratio * sin, ratio * u0 * sin + v0 * cos)
    };
    // It sticks until the spring pulls harder than friction holds.
    let pull = |t: f64| spring(t).0.abs() - mu * normal * eta * libm::sin(phase(t));
    // Where it begins to stick the two are equal for an instant, which is no crossing.
    let begin = if from < closed { closed } else { from + 1e-3 * (parted - from) };
    let until = crossing(pull, begin, parted);
    let (_, v) = spring(until);
    v - BETA * mu * normal * e * (1.0 + libm::cos(phase(until)))
}

/// Where `f`, not positive at `low` and not negative at `high`, crosses zero: false position with
/// Illinois' halving.
fn crossing(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let (mut at_low, mut at_high) = (f(low), f(high));
    if at_low >= 0.0 {
        return low;
    }
    if at_high <= 0.0 {
        return high;
    }
    let mut side = 0;
    for _ in 0..100 {
        let x = (low * at_high - high * at_low) / (at_high - at_low);
        let x = if x > low && x < high { x } else { 0.5 * (low + high) };
        let value = f(x);
        if value == 0.0 || high - low <= 1e-15 * PI {
            return x;
        }
        if value < 0.0 {
            (low, at_low) = (x, value);
            if side == -1 {
                at_high *= 0.5;
            }
            side = -1;
        } else {
            (high, at_high) = (x, value);
            if side == 1 {
                at_low *= 0.5;
            }
            side = 1;
        }
    }
    0.5 * (low + high)
}

/// Han's closed form (I. Han, Dynamics in carom and three cushion billiards, J. Mech. Sci. Technol.
/// 19, 2005), with constant restitution and friction. Its x goes into the cushion.
fn han(ball: &Ball, touch: &Touch, spec: &BallSpec) -> Ball {
    let radius = spec.radius;
    let x = scale(touch.normal, -1.0);
    let y = left(x);
    let [vx, wx, wy] =
        [dot(ball.v, x), dot([ball.w[0], ball.w[1]], x), dot([ball.w[0], ball.w[1]], y)];
    let vy = dot(ball.v, y);
    let wz = ball.w[2];
    let sin = touch.nose / radius - 1.0;
    let cos = libm::sqrt((1.0 - sin * sin).max(0.0));

    let slip_x = vx * sin + radius * wy;
    let slip_y = -vy - radius * wz * cos + radius * wx * sin;
    let slip = libm::sqrt(slip_x * slip_x + slip_y * slip_y);
    // Impulses per mass.
    let normal = (1.0 + spec.cushion_restitution) * vx * cos;
    let rub = (slip / 3.5).min(spec.cushion_friction * normal);
    let share = if slip > 0.0 { rub / slip } else { 0.0 };
    let (px, py) = (slip_x * share, slip_y * share);

    let knock_x = -px * sin - normal * cos;
    let knock_z = px * cos - normal * sin;
    let turn = 2.5 / radius;
    let turn_x = -turn * py * sin;
    let turn_y = turn * (knock_x * sin - knock_z * cos);
    let turn_z = turn * py * cos;
    let v = add(ball.v, add(scale(x, knock_x), scale(y, py)));
    let w = add(scale(x, turn_x), scale(y, turn_y));
    Ball { v, w: [ball.w[0] + w[0], ball.w[1] + w[1], wz + turn_z], ..*ball }
}

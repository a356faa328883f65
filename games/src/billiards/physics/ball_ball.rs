//! How two balls part.

use super::{
    ball::{Ball, BallSpec},
    laws::{BallBall, Friction},
    vector::{Vec2, add, add3, cross, dot, flat, norm3, scale, scale3, sub, sub3},
};

/// Both balls right after the law has acted along `n`, the unit vector from the first to the
/// second. Their places and states are left as they are.
pub(super) fn part(law: BallBall, [one, two]: [&Ball; 2], n: Vec2, spec: &BallSpec) -> [Ball; 2] {
    match law {
        BallBall::Elastic => {
            let swap = scale(n, dot(sub(one.v, two.v), n));
            [Ball { v: sub(one.v, swap), ..*one }, Ball { v: add(two.v, swap), ..*two }]
        }
        BallBall::Frictional { friction, reference_bound } => {
            frictional(friction, reference_bound, [one, two], n, spec)
        }
    }
}

/// Restitution along the line of centres; across it a friction impulse against the slip of the two
/// surfaces, at most what stops that slip (Alciatore, TP A.5, A.6 and A.14, in three dimensions).
fn frictional(
    friction: Friction,
    reference_bound: bool,
    [one, two]: [&Ball; 2],
    n: Vec2,
    spec: &BallSpec,
) -> [Ball; 2] {
    let (e, radius) = (spec.ball_restitution, spec.radius);
    let (v1n, v2n) = (dot(one.v, n), dot(two.v, n));
    let closing = (v1n - v2n).abs();
    let n3 = flat(n);

    let across = sub3(flat(sub(one.v, scale(n, v1n))), flat(sub(two.v, scale(n, v2n))));
    let slip = add3(across, scale3(cross(add3(one.w, two.w), n3), radius));
    let slipping = norm3(slip);
    let mu = match friction {
        Friction::Constant => spec.ball_friction,
        Friction::Alciatore => 0.009951 + 0.108 * libm::exp(-1.088 * slipping),
    };
    let normal = if reference_bound { e * closing } else { 0.5 * (1.0 + e) * closing };
    // Impulses are per mass. A seventh of the slip from each ball stops it.
    let rub = if slipping > 0.0 {
        scale3(slip, -(mu * normal).min(slipping / 7.0) / slipping)
    } else {
        [0.0; 3]
    };
    // Balls stay on the cloth: what friction lifts them by is dropped, the spin of it stays.
    let turn = scale3(cross(n3, rub), 2.5 / radius);
    let rub = [rub[0], rub[1]];
    let knock = 0.5 * (1.0 + e) * (v1n - v2n);
    let change = sub(rub, scale(n, knock));
    [
        Ball { v: add(one.v, change), w: add3(one.w, turn), ..*one },
        Ball { v: sub(two.v, change), w: add3(two.w, turn), ..*two },
    ]
}

//! Single laws, motions and times.

use alloc::{format, string::String, vec::Vec};
use core::f64::consts::PI;

use super::{
    Compared, Outcome,
    cases::{PairTime, PartTime, Two},
    file::File,
    same, told,
};
use crate::billiards::physics::{
    Ball, BallBall, Cushion, EventKind, Friction, Laws, State, Strike, Table, ball_ball,
    cushion::{Touch, rebound},
    roots::first_descent,
    simulate,
    vector::{norm, sub, unit},
};

/// How far a law's result may be off, absolutely and relatively.
const ROUNDING: f64 = 1e-9;

pub(super) fn all(file: &File, all: &mut Vec<Compared>) {
    for (at, case) in file.unit.cue_strike.iter().enumerate() {
        let result = file.spec(&case.ball_params).and_then(|spec| {
            let strike = Strike {
                ball: 0,
                speed: case.cue.speed,
                heading: case.cue.phi * (PI / 180.0),
                elevation: case.cue.theta * (PI / 180.0),
                side: case.cue.a,
                height: case.cue.b,
            };
            let ball = strike.hit(&Ball::at_rest([0.0; 2]), &spec, &file.stick());
            same(&ball.v, &case.v[..2], ROUNDING)?;
            same(&ball.w, &case.w, ROUNDING)
        });
        told(all, "unit cue_strike".into(), &format!("{at}"), result);
    }
    for (at, case) in file.unit.evolve.iter().enumerate() {
        let result = file.spec(&case.ball_params).and_then(|spec| {
            let start = ball([0.0; 2], &case.v, case.w, case.s)?;
            case.at.iter().try_for_each(|instant| {
                let ball = start.alone(instant.t, &spec);
                same(&ball.r, &instant.r, ROUNDING)?;
                same(&ball.v, &instant.v, ROUNDING)?;
                same(&ball.w, &instant.w, ROUNDING)
            })
        });
        told(all, "unit evolve".into(), &format!("{at}"), result);
    }
    laws(file, all);
    times(file, all);
    for (at, case) in file.unit.quartic_hard.rows.iter().enumerate() {
        let [a, b, c, d, e] = case.coeffs;
        // Without a root there is none within twice what the others need.
        let span = case.smallest.map_or(1.0, |root| 2.0 * root);
        let root = first_descent(&[e, d, c, b, a], span);
        let result = match (root, case.smallest) {
            (None, None) => Ok(()),
            (Some(ours), Some(theirs)) if (ours - theirs).abs() <= 1e-6 * theirs => Ok(()),
            (_, Some(root)) if undecided(&[e, d, c, b, a], root) => Ok(()),
            (ours, theirs) => Err(format!("{ours:?}, not {theirs:?}")),
        };
        told(all, "unit quartic_hard".into(), &format!("{at}"), result);
    }
}

/// Whether the polynomial touches zero at that root rather than crossing it, so that rounding of
/// its coefficients decides where its roots are, and if there are any.
fn undecided(c: &[f64; 5], root: f64) -> bool {
    let (mut value, mut slope, mut size, mut power) = (0.0, 0.0, 0.0, 1.0);
    for (degree, c) in c.iter().enumerate() {
        value += c * power;
        slope += degree as f64 * c * power;
        size += (c * power).abs();
        power *= root;
    }
    value.abs() <= 1e-9 * size && slope.abs() <= 1e-3 * size
}

fn ball(r: [f64; 2], v: &[f64], w: [f64; 3], state: u8) -> Result<Ball, String> {
    Ok(Ball { r, v: [v[0], v[1]], w, state: State::try_from(state)? })
}

fn laws(file: &File, all: &mut Vec<Compared>) {
    for case in &file.unit.ball_ball {
        for (name, out) in &case.out {
            let group = format!("unit ball_ball {name}");
            let frictional =
                |friction| Some(BallBall::Frictional { friction, reference_bound: true });
            let law = match name.as_str() {
                "FRICTIONLESS_ELASTIC" => Some(BallBall::Elastic),
                "FRICTIONAL_INELASTIC/ALCIATORE" => frictional(Friction::Alciatore),
                "FRICTIONAL_INELASTIC/AVERAGE" => frictional(Friction::Constant),
                _ => None,
            };
            let Some(law) = law else {
                let outcome = Outcome::NotOffered;
                all.push(Compared { group, name: case.tag.clone(), outcome });
                continue;
            };
            let result = file.spec(&case.ball_params).and_then(|spec| {
                let angle = case.centre_line_angle_rad;
                let n = [libm::cos(angle), libm::sin(angle)];
                let Two { v1, w1, v2, w2 } = case.before;
                let (one, two) = (ball([0.0; 2], &v1, w1, 2)?, ball([0.0; 2], &v2, w2, 2)?);
                let [one, two] = ball_ball::part(law, [&one, &two], n, &spec);
                same(&one.v, &out.v1[..2], ROUNDING)?;
                same(&one.w, &out.w1, ROUNDING)?;
                same(&two.v, &out.v2[..2], ROUNDING)?;
                same(&two.w, &out.w2, ROUNDING)
            });
            told(all, group, &case.tag, result);
        }
    }
    for case in &file.unit.ball_cushion {
        for (name, out) in &case.out {
            let group = format!("unit ball_cushion {name}");
            let law = match name.split_once('/').unwrap_or((name, "")) {
                ("UNREALISTIC", "") => Some(Cushion::Mirror { restitution: false }),
                ("UNREALISTIC", "e_c") => Some(Cushion::Mirror { restitution: true }),
                ("IMPULSE_FRICTIONAL_INELASTIC", "") => Some(Cushion::Impulse),
                ("HAN_2005", "") => Some(Cushion::Han),
                ("STRONGE_COMPLIANT", ratio) => {
                    ratio.parse().ok().map(|ratio| Cushion::Stronge { ratio })
                }
                _ => None,
            };
            let Some(law) = law else {
                let outcome = Outcome::NotOffered;
                all.push(Compared { group, name: case.tag.clone(), outcome });
                continue;
            };
            let result = file.spec(&case.ball_params).and_then(|spec| {
                // The nose is the line x = 0, or a circle around (1, 1).
                let [x, _] = case.ball_xy;
                let from = sub(case.ball_xy, [1.0, 1.0]);
                let (normal, arm) = if case.kind.starts_with("circular") {
                    (unit(from), norm(from))
                } else {
                    ([1.0, 0.0], x)
                };
                let before = ball(case.ball_xy, &case.before.v, case.before.w, 2)?;
                let after = rebound(law, &before, &Touch { normal, arm, nose: case.h }, &spec);
                same(&after.v, &out.v[..2], ROUNDING)?;
                same(&after.w, &out.w, ROUNDING)
            });
            told(all, group, &case.tag, result);
        }
    }
}

/// Times of contacts, found by playing what stands there with nothing else on the table.
///
/// The file extends motions past their ends; a contact after the first end of a motion is not one.
fn times(file: &File, all: &mut Vec<Compared>) {
    for (at, case) in file.unit.ball_ball_time.rows.iter().enumerate() {
        let result = pair_time(file, case);
        told(all, "unit ball_ball_time".into(), &format!("{at}"), result);
    }
    let groups = [
        ("unit linear_cushion_time", &file.unit.linear_cushion_time_7ft),
        ("unit circular_cushion_time", &file.unit.circular_cushion_time_7ft),
        ("unit pocket_time", &file.unit.pocket_time_7ft),
    ];
    for (group, cases) in groups {
        for (at, case) in cases.iter().enumerate() {
            told(all, group.into(), &format!("{at}"), part_time(file, case));
        }
    }
}

fn pair_time(file: &File, case: &PairTime) -> Result<(), String> {
    let one = ball(case.r1, &case.v1, case.w1, case.s1)?;
    let two = ball(case.r2, &case.v2, case.w2, case.s2)?;
    let empty = Table::of_parts("empty", [1.0; 2], 0.0, Vec::new(), Vec::new(), Vec::new());
    contact(file, &empty, &[one, two], case.t)
}

fn part_time(file: &File, case: &PartTime) -> Result<(), String> {
    let table = file.parts("pool_7ft")?.only(&case.id);
    contact(file, &table, &[ball(case.r, &case.v, case.w, case.s)?], case.t)
}

fn contact(file: &File, table: &Table, balls: &[Ball], t: Option<f64>) -> Result<(), String> {
    let spec = file.spec("pool_generic")?;
    let first_end = balls.iter().map(|ball| ball.lasts(&spec)).fold(f64::INFINITY, f64::min);
    let theirs = t.filter(|t| *t < first_end);
    let shot = simulate(table, &spec, balls, None, &Laws::default_laws());
    let first = shot.events.first();
    let ours = first.filter(|event| !matches!(event.kind, EventKind::Transition(..)));
    match (ours.map(|event| event.t), theirs) {
        (None, None) => Ok(()),
        (Some(ours), Some(theirs)) => same(&[ours], &[theirs], ROUNDING),
        (ours, theirs) => Err(format!("contact at {ours:?}, not {theirs:?}")),
    }
}

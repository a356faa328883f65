//! Whole shots: scenarios, breaks, and shots that the reference gets wrong.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::f64::consts::PI;

use serde_json::Value;

use super::{
    Compared, Outcome,
    file::{File, Happened, Names, Run, Start, Tolerance},
    told,
};
use crate::billiards::physics::{
    Ball, BallSpec, EventKind, Laws, Shot, State, Strike, Table, simulate,
    vector::{norm, sub},
};

/// How many times the file's own tolerance is allowed.
const TIMES: f64 = 3.0;
/// Breaks have no tolerance of their own: at least this, in metres and seconds, and as much as a
/// rounding error grows there.
const OF_BREAKS: f64 = 1e-6;
/// A rounding error, in metres.
const ROUNDING: f64 = 1e-14;
/// A transition so soon after the ball's last event is none, in seconds.
const AT_ONCE: f64 = 1e-9;

/// A shot ready to be played.
pub struct Setup {
    /// The table.
    pub table: Table,
    /// The balls' make.
    pub spec: BallSpec,
    /// The balls.
    pub balls: Vec<Ball>,
    /// The stroke, if there is one.
    pub strike: Option<Strike>,
    names: Names,
    ids: Vec<String>,
}

/// Makes ready a break of the file.
///
/// # Errors
///
/// What it names and the file has not.
pub fn setup(file: &File, of: &super::Break) -> Result<Setup, String> {
    ready(file, &of.start)
}

fn ready(file: &File, start: &Start) -> Result<Setup, String> {
    let (table, names) = file.parts(&start.table)?.table(&start.table);
    let spec = file.spec(&start.ball_params)?;
    let ids: Vec<String> = start.balls.iter().map(|ball| ball.id.clone()).collect();
    let balls = start.balls.iter().map(|placed| {
        let mut ball = Ball::at_rest([placed.x, placed.y]);
        let number = |list: &[f64], at: usize| list.get(at).copied().unwrap_or(0.0);
        ball.v = [number(&placed.v, 0), number(&placed.v, 1)];
        ball.w = [number(&placed.w, 0), number(&placed.w, 1), number(&placed.w, 2)];
        ball
    });
    let balls = balls.collect();
    let cue = &start.cue;
    let ball = ids.iter().position(|id| *id == cue.cue_ball_id).unwrap_or(0);
    let strike = (cue.speed > 0.0).then_some(Strike {
        ball,
        speed: cue.speed,
        heading: cue.phi * (PI / 180.0),
        elevation: cue.theta * (PI / 180.0),
        side: cue.a,
        height: cue.b,
    });
    Ok(Setup { table, spec, balls, strike, names, ids })
}

impl Setup {
    fn play(&self, laws: &Laws) -> Shot {
        simulate(&self.table, &self.spec, &self.balls, self.strike.as_ref(), laws)
    }
}

/// The laws of a variant of the file, with the file's stick.
fn laws(file: &File, variant: &str) -> Option<Laws> {
    let laws = Laws::named(variant).filter(|laws| laws.reference)?;
    Some(Laws { stick: file.stick(), ..laws })
}

/// A run of the file as we play it.
pub struct Played {
    /// The list that it is in: `scenarios` or `breaks`.
    pub list: &'static str,
    /// Which one there.
    pub at: usize,
    /// By which laws, as the file names them.
    pub variant: String,
    /// What comes of it, with the balls in the file's order.
    pub shot: Shot,
}

/// Plays every run of the file whose laws are offered here.
///
/// # Errors
///
/// What a run names and the file has not.
pub fn played(file: &File) -> Result<Vec<Played>, String> {
    let scenarios = file.scenarios.iter().map(|it| (&it.start, &it.runs)).enumerate();
    let breaks = file.breaks.iter().map(|it| (&it.start, &it.runs)).enumerate();
    let scenarios = scenarios.map(|(at, it)| ("scenarios", at, it));
    let mut all = Vec::new();
    for (list, at, (start, runs)) in scenarios.chain(breaks.map(|(at, it)| ("breaks", at, it))) {
        let setup = ready(file, start)?;
        for variant in runs.keys() {
            let Some(laws) = laws(file, variant) else { continue };
            all.push(Played { list, at, variant: variant.clone(), shot: setup.play(&laws) });
        }
    }
    Ok(all)
}

pub(super) fn scenarios(file: &File, all: &mut Vec<Compared>) {
    for scenario in &file.scenarios {
        for (variant, run) in &scenario.runs {
            let group = format!("scenario {variant}");
            compare(file, &scenario.start, variant, run, (group, &scenario.id), all);
        }
    }
}

pub(super) fn breaks(file: &File, all: &mut Vec<Compared>) {
    for of in &file.breaks {
        for (variant, run) in &of.runs {
            compare(file, &of.start, variant, run, (format!("break {variant}"), &of.id), all);
        }
    }
}

fn compare(
    file: &File,
    start: &Start,
    variant: &str,
    run: &Run,
    (group, name): (String, &str),
    all: &mut Vec<Compared>,
) {
    let flag = if run.events_truncated {
        Some("its events are cut short")
    } else if run.pooltool_fault.is_some() {
        Some("the reference is wrong there")
    } else if run.error.is_some() || run.events.is_none() {
        Some("the reference crashed")
    } else if run.suggested_tol.is_none() && is_chaotic(run) {
        Some("there, by the file, a shift of the start too small to see changes what happens")
    } else if run.false_contacts.is_empty() {
        None
    } else {
        Some("the reference saw false contacts")
    };
    let outcome = match (laws(file, variant), flag) {
        (None, _) => Outcome::NotOffered,
        (Some(_), Some(why)) => Outcome::Flagged(why.into()),
        (Some(laws), None) => {
            let result = ready(file, start).and_then(|setup| {
                let shot = setup.play(&laws);
                agrees(&setup, &shot, run)
            });
            return told(all, group, name, result);
        }
    };
    all.push(Compared { group, name: name.into(), outcome });
}

fn is_chaotic(run: &Run) -> bool {
    run.sensitivity.is_some_and(|it| it.same_collision_sequence == Some(false))
}

/// What happened to one ball: when, what, and with what.
type OfBall = Vec<(f64, String)>;

fn agrees(setup: &Setup, shot: &Shot, run: &Run) -> Result<(), String> {
    let tolerance = run.suggested_tol.unwrap_or_else(|| {
        let grows = run.sensitivity.and_then(|it| Some(it.final_shift_m? / it.shift_m?));
        let least = OF_BREAKS.max(ROUNDING * grows.unwrap_or(0.0));
        Tolerance { final_pos_m: least, collision_time_s: least }
    });
    let late = TIMES * tolerance.collision_time_s;
    let (ours, theirs) = (our_events(setup, shot), their_events(run));
    for id in &setup.ids {
        let none = OfBall::new();
        let ours = ours.get(id).unwrap_or(&none);
        let theirs = theirs.get(id).unwrap_or(&none);
        for (at, pair) in ours.iter().zip(theirs).enumerate() {
            let ((t, what), (true_t, true_what)) = pair;
            if what != true_what {
                return Err(format!(
                    "event {at} of {id}: {what} at {t}, not {true_what} at {true_t}"
                ));
            }
            if (t - true_t).abs() > late {
                let off = t - true_t;
                return Err(format!("event {at} of {id}, {what} at {true_t}: {off:e} s off"));
            }
        }
        if ours.len() != theirs.len() {
            let (more, next) = (ours.len(), ours.get(theirs.len()).or(theirs.get(ours.len())));
            return Err(format!("{id} has {more} events, not {}: {next:?}", theirs.len()));
        }
    }
    if let Some(rest) = run.t_rest
        && (shot.rest - rest).abs() > late
    {
        return Err(format!("rests at {}, not {rest}", shot.rest));
    }
    for (at, id) in setup.ids.iter().enumerate() {
        let Some([x, y, .., state]) = run.r#final.get(id).map(Vec::as_slice) else { continue };
        let Some(last) = shot.motions[at].last() else { continue };
        let off = norm(sub(last.r, [*x, *y]));
        if off > TIMES * tolerance.final_pos_m {
            return Err(format!("{id} rests {off:e} m off"));
        }
        if f64::from(u8::from(last.state)) != *state {
            return Err(format!("{id} ends as {:?}", last.state));
        }
    }
    Ok(())
}

fn our_events(setup: &Setup, shot: &Shot) -> BTreeMap<String, OfBall> {
    let mut of = BTreeMap::new();
    let ball = |i: usize| setup.ids[i].as_str();
    for event in &shot.events {
        let t = event.t;
        match event.kind {
            EventKind::Strike(a) => push(&mut of, t, ball(a), "stick_ball", "cue_stick"),
            EventKind::BallBall(a, b) => {
                push(&mut of, t, ball(a), "ball_ball", ball(b));
                push(&mut of, t, ball(b), "ball_ball", ball(a));
            }
            EventKind::Rail(a, i) => {
                push(&mut of, t, ball(a), "ball_linear_cushion", &setup.names.segments[i]);
            }
            EventKind::Jaw(a, i) => {
                push(&mut of, t, ball(a), "ball_circular_cushion", &setup.names.jaws[i]);
            }
            EventKind::Pocket(a, i) => {
                push(&mut of, t, ball(a), "ball_pocket", &setup.names.pockets[i]);
            }
            EventKind::Transition(a, from, to) => {
                let kind = match (from, to) {
                    (State::Sliding, _) => "sliding_rolling",
                    (State::Rolling, State::Spinning) => "rolling_spinning",
                    (State::Rolling, _) => "rolling_stationary",
                    _ => "spinning_stationary",
                };
                push(&mut of, t, ball(a), kind, "");
            }
        }
    }
    of
}

fn their_events(run: &Run) -> BTreeMap<String, OfBall> {
    let mut of = BTreeMap::new();
    for event in run.events.iter().flatten() {
        let (t, kind, ids) = match event {
            Happened::Named { t, r#type, ids } => (*t, r#type.as_str(), ids),
            Happened::Row(t, kind, ids) => (*t, kind.as_str(), ids),
        };
        match (kind, ids.as_slice()) {
            ("ball_ball", [a, b]) => {
                push(&mut of, t, a, kind, b);
                push(&mut of, t, b, kind, a);
            }
            ("stick_ball", [stick, ball]) => push(&mut of, t, ball, kind, stick),
            ("none", _) => {}
            (_, [ball]) => push(&mut of, t, ball, kind, ""),
            (_, [ball, other, ..]) => push(&mut of, t, ball, kind, other),
            (_, []) => {}
        }
    }
    of
}

fn push(of: &mut BTreeMap<String, OfBall>, t: f64, ball: &str, kind: &str, with: &str) {
    let events = of.entry(ball.into()).or_default();
    let transition = with.is_empty();
    if transition && events.last().is_some_and(|(last, _)| t - last <= AT_ONCE) {
        return;
    }
    events.push((t, format!("{kind} {with}")));
}

/// Shots that the reference gets wrong: we give the right answers.
pub(super) fn faults(file: &File, all: &mut Vec<Compared>) {
    for fault in &file.known_faults {
        for laws in Laws::ALL {
            let result = ready(file, &fault.start).and_then(|setup| {
                let shot = setup.play(&Laws { stick: file.stick(), ..laws });
                fault.correct.iter().try_for_each(|(what, value)| right(&setup, &shot, what, value))
            });
            told(all, format!("known fault {}", laws.name), &fault.id, result);
        }
    }
}

/// Whether what is said to be right of that shot holds for ours, to as many digits as it is said.
fn right(setup: &Setup, shot: &Shot, what: &str, value: &Value) -> Result<(), String> {
    let contacts: Vec<f64> = shot
        .events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::BallBall(..)))
        .map(|event| event.t)
        .collect();
    let close = |name: &str, ours: Option<f64>, theirs: &Value| {
        let within = match theirs.as_f64() {
            Some(theirs) => ours.is_some_and(|ours| (ours - theirs).abs() <= 1e-4),
            None => ours.is_none(),
        };
        if within { Ok(()) } else { Err(format!("{name}: {ours:?}, not {theirs}")) }
    };
    match what {
        "collisions" => close(what, Some(contacts.len() as f64), value),
        "first_contact_t" => close(what, contacts.first().copied(), value),
        "t_rest" => close(what, Some(shot.rest), value),
        "rest_x" | "rest_y" => {
            let axis = usize::from(what == "rest_y");
            let Value::Object(balls) = value else { return Err(format!("{what}: {value}")) };
            balls.iter().try_for_each(|(id, x)| {
                let ball = setup.ids.iter().position(|ball| ball == id);
                let last = ball.and_then(|ball| shot.motions[ball].last());
                close(what, last.map(|last| last.r[axis]), x)
            })
        }
        // Said in words, or of something that is not measured here.
        _ => Ok(()),
    }
}

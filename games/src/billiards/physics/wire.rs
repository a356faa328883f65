//! A shot on the wire: short rows of numbers, from which a page computes every frame.
//!
//! ```json
//! {"ball": {"mass": 0.170097, "radius": 0.028575, "slide": 0.2, "roll": 0.01, "spin": 0.0127, …},
//!  "rest": 3.705194284,
//!  "motions": [[[0, 2, 0.7, 0.95, -1.1298, -1.83375, 0, 0, 0], [0.313652966, 3, …], …], …],
//!  "hits": [[0, "strike", 0, null, 1.4], [0.324341923, "ball", 0, 1, 1.520], …]}
//! ```
//!
//! A motion's row is as long as its state needs; what the state implies is left out:
//!
//! | state | row |
//! |---|---|
//! | 0 stationary | `[t, 0, x, y]` |
//! | 1 spinning | `[t, 1, x, y, wz]` |
//! | 2 sliding | `[t, 2, x, y, vx, vy, wx, wy, wz]` |
//! | 3 rolling | `[t, 3, x, y, vx, vy, wz]`, with `wx = -vy / radius`, `wy = vx / radius` |
//! | 4 pocketed | `[t, 4, x, y]`, the pocket's centre |
//!
//! Numbers are rounded: times and velocities to a thousand-millionth, places to a hundredth of a
//! micrometre, spins to a millionth. That keeps every frame within a micrometre.

use alloc::vec::Vec;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    ball::{BallSpec, State},
    shot::{Event, EventKind, Motion, Shot},
};

/// A shot's message. Reading it gives a [`Shot`] back without its transitions.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BilliardsShot")]
struct Wire {
    /// What the balls are like.
    ball: BallSpec,
    /// When the last ball came to rest, in seconds after the strike.
    rest: f64,
    /// By ball: its motions, as rows of numbers that begin with the time and the state.
    motions: Vec<Vec<Vec<f64>>>,
    /// Contacts in order: when, with what, the ball, the other ball or the segment, jaw or pocket,
    /// and how fast they came together.
    hits: Vec<(f64, Hit, usize, Option<usize>, f64)>,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BilliardsHit")]
enum Hit {
    Strike,
    Ball,
    Rail,
    Jaw,
    Pocket,
}

fn rounded(x: f64, scale: f64) -> f64 {
    // Adding zero makes a zero of a negative zero, which is a digit shorter.
    libm::round(x * scale) / scale + 0.0
}

fn row(motion: &Motion) -> Vec<f64> {
    let place = |x| rounded(x, 1e8);
    let fine = |x| rounded(x, 1e9);
    let spin = |x| rounded(x, 1e6);
    let Motion { t, state, r: [x, y], v: [vx, vy], w: [wx, wy, wz] } = *motion;
    let mut row = alloc::vec![fine(t), f64::from(state as u8), place(x), place(y)];
    match state {
        State::Stationary | State::Pocketed => {}
        State::Spinning => row.push(spin(wz)),
        State::Sliding => row.extend([fine(vx), fine(vy), spin(wx), spin(wy), spin(wz)]),
        State::Rolling => row.extend([fine(vx), fine(vy), spin(wz)]),
    }
    row
}

fn motion(row: &[f64], spec: &BallSpec) -> Option<Motion> {
    let [t, state, x, y, rest @ ..] = row else { return None };
    let state = (0..=4).find(|n: &u8| f64::from(*n) == *state)?;
    let state = State::try_from(state).ok()?;
    let (v, w) = match (state, rest) {
        (State::Stationary | State::Pocketed, []) => ([0.0; 2], [0.0; 3]),
        (State::Spinning, [wz]) => ([0.0; 2], [0.0, 0.0, *wz]),
        (State::Sliding, [vx, vy, wx, wy, wz]) => ([*vx, *vy], [*wx, *wy, *wz]),
        (State::Rolling, [vx, vy, wz]) => ([*vx, *vy], [-vy / spec.radius, vx / spec.radius, *wz]),
        _ => return None,
    };
    Some(Motion { t: *t, state, r: [*x, *y], v, w })
}

impl Serialize for Shot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hits = self.events.iter().filter_map(|event| {
            let (hit, a, b) = match event.kind {
                EventKind::Strike(ball) => (Hit::Strike, ball, None),
                EventKind::BallBall(a, b) => (Hit::Ball, a, Some(b)),
                EventKind::Rail(ball, segment) => (Hit::Rail, ball, Some(segment)),
                EventKind::Jaw(ball, jaw) => (Hit::Jaw, ball, Some(jaw)),
                EventKind::Pocket(ball, pocket) => (Hit::Pocket, ball, Some(pocket)),
                EventKind::Transition(..) => return None,
            };
            Some((rounded(event.t, 1e9), hit, a, b, rounded(event.strength, 1e3)))
        });
        let motions = self.motions.iter().map(|motions| motions.iter().map(row).collect());
        let wire = Wire {
            ball: self.ball,
            rest: rounded(self.rest, 1e9),
            motions: motions.collect(),
            hits: hits.collect(),
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shot, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let motions = wire.motions.iter().map(|rows| {
            let motions: Option<Vec<Motion>> =
                rows.iter().map(|row| motion(row, &wire.ball)).collect();
            motions.filter(|motions| !motions.is_empty())
        });
        let motions: Option<Vec<Vec<Motion>>> = motions.collect();
        let events = wire.hits.iter().map(|&(t, hit, a, b, strength)| {
            let kind = match (hit, b) {
                (Hit::Strike, None) => EventKind::Strike(a),
                (Hit::Ball, Some(b)) => EventKind::BallBall(a, b),
                (Hit::Rail, Some(b)) => EventKind::Rail(a, b),
                (Hit::Jaw, Some(b)) => EventKind::Jaw(a, b),
                (Hit::Pocket, Some(b)) => EventKind::Pocket(a, b),
                _ => return None,
            };
            Some(Event { t, kind, strength })
        });
        let events: Option<Vec<Event>> = events.collect();
        Ok(Shot {
            ball: wire.ball,
            motions: motions.ok_or_else(|| D::Error::custom("a motion's row is not one"))?,
            events: events.ok_or_else(|| D::Error::custom("a hit is not one"))?,
            rest: wire.rest,
        })
    }
}

impl JsonSchema for Shot {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        Wire::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Wire::json_schema(generator)
    }
}

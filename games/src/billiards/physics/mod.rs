//! How balls move: exact between events, and every event solved for.
//!
//! A ball slides, rolls, spins or rests; each of these has a closed form, so that a ball's path is
//! a short list of [`Motion`]s. [`simulate`] finds the moment of whatever comes next (a ball meets
//! a ball, a cushion, a jaw or a pocket, or its way of moving ends), applies the law for it, and
//! goes on until everything rests. Nothing is stepped through time.
//!
//! Units are SI: metres, seconds, kilograms, radians. The origin is the corner of the cushions'
//! nose lines; x goes across the table (`0..width`), y along it (`0..length`), z up.

mod ball;
mod ball_ball;
pub mod check;
mod cue;
mod cushion;
mod engine;
mod laws;
mod meeting;
mod pressing;
mod quirks;
pub mod reference;
mod roots;
mod shot;
mod table;
mod vector;
mod wire;

pub use ball::{Ball, BallSpec, State};
pub use cue::{Stick, Strike};
pub use engine::simulate;
pub use laws::{BallBall, Cushion, Friction, Laws};
pub use shot::{Event, EventKind, Motion, Seen, Shot};
pub use table::{Jaw, Measures, Opening, Pocket, Segment, Table};

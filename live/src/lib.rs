//! One live match: its task, its clock, its fan-out. No SQL, no HTTP.
//!
//! [`open`] gives a [`Handle`], which anyone may keep, and a [`Match`], which its opener drives
//! from stage to stage in one task: [`gather`](Match::gather) the players, [`play`](Match::play),
//! record the result while it [`attend`](Match::attend)s, [`announce`](Match::announce) it, and
//! [`linger`](Match::linger) for a rematch. That task is the only place where the game meets the
//! clock and the wire.

#![warn(missing_docs)]

mod chair;
mod fan_out;
mod runner;
pub mod wire;

pub use chair::{Chair, End, Full, Glance, Handle, Status};
pub use runner::{Gathered, Match, Setup, open};

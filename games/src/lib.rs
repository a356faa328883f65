//! The rules of every game, and nothing else.
//!
//! This crate is `no_std` so that it cannot ask the time, open a socket, iterate a randomly seeded
//! map or call the platform's `sin`. That is what makes a match a pure function of its journal:
//! the same seed and the same inputs at the same times give the same match, on any machine.

#![no_std]
#![warn(missing_docs)]

extern crate alloc;

pub mod billiards;
mod game;
pub mod journal;
mod kind;
pub mod pong;
mod seed;

pub use game::{
    Absence, Audience, BadOptions, Game, NoGesture, Out, Outcome, Pace, Reason, Refusal, Said,
    Seat, Time, Viewer,
};
pub use kind::Kind;
pub use seed::Seed;

//! Billiards: balls, cushions and a cue.

pub mod physics;

//! A match as those at its table see it. Time is driven by hand.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing there has failed")]

mod computers;
mod full;
mod play;
mod resume;
mod seats;
mod support;

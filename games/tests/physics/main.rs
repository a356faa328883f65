//! The physics of billiards: against a reference's runs, against closed forms, and against what
//! must hold of any shot.

#![expect(clippy::unwrap_used, reason = "a test that cannot look has failed")]

mod acceptance;
mod always;
mod reference;

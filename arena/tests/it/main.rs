//! Everything that lasts, on both databases.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod accounts;
mod bus;
mod caches;
mod cards;
mod clocks;
mod init_data;
mod limits;
mod lobby;
mod merging;
mod moderation;
mod notices;
mod once;
mod people;
mod profiles;
mod queue;
mod ratings;
mod room_matches;
mod rooms;
mod sessions;
mod support;
mod table;
#[expect(dead_code, reason = "the tests of the whole server break more of it")]
mod wire;

//! The whole server from outside: the real binary, through real connections, on either database.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "here they are failures like any other, and words for whoever runs the tests"
)]

mod auth;
mod billiards;
mod border;
mod chats;
mod cluster;
mod config;
mod crash;
mod deploy;
mod elsewhere;
mod faults;
mod forged;
mod frames;
mod groups;
mod limits;
mod logs;
mod mailbox;
mod metrics;
mod migrations;
mod odd;
mod operator;
mod order;
mod pairs;
mod play;
mod provider;
mod providers;
mod refusals;
mod rest;
mod rooms;
mod security;
mod slow;
mod sockets;
#[expect(dead_code, reason = "the bot's own tests break more of it")]
#[path = "../../bot/tests/it/standin.rs"]
mod standin;
mod support;
mod telegram;
mod telegram_web;
mod timing;
mod told;
mod ways_in;
#[path = "../../arena/tests/it/wire.rs"]
mod wire;

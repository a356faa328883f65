//! `cargo xtask …`: the project's own tools. `cargo xtask help` lists them.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these tools talk to a terminal")]

use std::{env, path::Path, process::ExitCode};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

mod bench;
mod chaos;
mod child;
mod folder;
mod services;
mod shots;
mod simulate;
mod telegram;
mod test;
mod tools;
mod types;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tools")]
enum Task {
    /// Check everything: formatting, lints, types, tests in Rust and in real browsers.
    Test(test::Options),
    /// Start a throw-away PostgreSQL and Redis for tests, until interrupted.
    Services,
    /// Write webapp/wire.d.ts, the browser's types, from the server's OpenAPI document.
    Types(types::Options),
    /// Measure what the server can carry.
    Bench(bench::Options),
    /// Kill the server in the middle of live matches, and see that nothing is lost.
    Chaos(chaos::Options),
    /// Play matches on a clock of their own, with seeded troubles, and check that all ends well.
    Simulate(simulate::Options),
    /// Serve a page that frames the app as Telegram does, for development.
    Telegram(telegram::Options),
    /// Print shots of billiards for the page that shows them, or random ones for its tests.
    Shots(shots::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let task = Task::parse();
    // An interrupted task is dropped, and with it the processes that it started.
    let done = tokio::select! {
        done = run(task) => done,
        code = interrupted() => return ExitCode::from(code),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in a workspace");
    env::set_current_dir(root)?;
    match task {
        Task::Test(options) => test::run(&options).await,
        Task::Services => services::run().await,
        Task::Types(options) => types::run(&options).await,
        Task::Bench(options) => bench::run(options).await,
        Task::Chaos(options) => chaos::run(options).await,
        Task::Simulate(options) => simulate::run(options).await,
        Task::Telegram(options) => telegram::run(options).await,
        Task::Shots(options) => shots::run(&options),
    }
}

/// Waits for Ctrl-C or SIGTERM; gives the exit code that a shell would show for it.
async fn interrupted() -> u8 {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => 130,
        _ = terminate.recv() => 143,
    }
}

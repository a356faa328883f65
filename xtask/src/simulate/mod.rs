//! `cargo xtask simulate`: many small arenas, each with its own bad luck.
//!
//! A run is a server, a database and a few people in one thread, on a clock that jumps from event
//! to event, so that minutes pass in milliseconds. Everything that could differ from run to run
//! comes from its seed: who plays whom and how well, how long messages take, when connections
//! break, which statements fail or are slow, when the server crashes or is deployed. The same seed
//! gives the same run, event for event, so a seed that fails is all that is needed to see it fail
//! again.
//!
//! What is real here is `live` and `games`: matches with their clocks, fan-out, chairs and journal
//! lines, opened and opened again as the arena does it. What is not: SQL, HTTP and WebSockets,
//! which need threads and sockets that no seed rules. In their place are `database.rs` and
//! `link.rs`, and what the arena does between them is written again: `server.rs` has its start,
//! its end and the journal's writer, `table.rs` the steps of `arena/src/matches.rs`, `queue.rs`
//! those of its queue. Who changes the order of those steps changes it here. The arena's own SQL
//! is tested in `arena/tests`, and the whole server by `cargo xtask chaos`.
//!
//! In every run, once the weather is fine again and all have come to an end: each match has one
//! result, which is the one that its journal leads to and that everybody was told; the ratings are
//! what the results made of them; nobody was in two matches at once; what was told live is in the
//! replay, but for the last moments before a crash; and every viewer heard numbers without gaps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, bail};
use tokio::sync::mpsc;

use self::world::Report;

mod checks;
mod database;
mod link;
mod luck;
mod person;
mod plan;
mod queue;
mod server;
mod socket;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod world;

/// How much of a failed run's story is shown.
const STORY_LINES: usize = 40;

/// Play matches on a clock of their own, with seeded troubles, and check that all ends well.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Simulate for this long [default: 1].
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Begin with this seed [default: another one each time]; without --minutes run it alone, and
    /// tell its story.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many runs at once [default: as many as there are cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// `cargo xtask simulate`.
pub(crate) async fn run(options: Options) -> Result<()> {
    match (options.seed, options.minutes) {
        (Some(seed), None) => tell(seed),
        _ => search(options).await,
    }
}

/// Runs one seed and tells what happened.
fn tell(seed: u64) -> Result<()> {
    let report = world::run(seed, None, true);
    for line in &report.story {
        println!("{line}");
    }
    println!("{}", summary(&report));
    match report.complaints.is_empty() {
        true => Ok(()),
        false => bail!("seed {seed}:\n  {}", report.complaints.join("\n  ")),
    }
}

fn summary(it: &Report) -> String {
    format!(
        "{} matches, {} messages, {} stops of the server in {:.0} s; digest {:016x}",
        it.matches,
        it.messages,
        it.stops,
        it.passed.as_secs_f64(),
        it.digest
    )
}

/// Runs seed after seed, until the time is up or one fails.
async fn search(options: Options) -> Result<()> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let first = options.seed.unwrap_or(time.as_secs() * 1_000);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let minutes = options.minutes.unwrap_or(1.0).clamp(0.0, 1e6);
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    println!("Seeds from {first} on, for {minutes} min");

    let (next, done) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicBool::new(false)));
    let (to_reports, mut reports) = mpsc::unbounded_channel();
    // Threads and not tasks: a run has a runtime of its own.
    for _ in 0..options.threads.unwrap_or(cores).max(1) {
        let (next, done, reports) = (next.clone(), done.clone(), to_reports.clone());
        thread::spawn(move || {
            while Instant::now() < until && !done.load(Relaxed) {
                let seed = next.fetch_add(1, Relaxed);
                if reports.send((seed, world::run(seed, None, false))).is_err() {
                    return;
                }
            }
        });
    }
    drop(to_reports);
    let mut all = Report::default();
    let (mut runs, mut failed) = (0u64, Vec::new());
    while let Some((seed, report)) = reports.recv().await {
        runs += 1;
        all.matches += report.matches;
        all.messages += report.messages;
        all.stops += report.stops;
        all.passed += report.passed;
        if !report.complaints.is_empty() {
            done.store(true, Relaxed);
            failed.push(seed);
        }
    }
    println!(
        "{runs} runs: {} matches, {} messages, {} stops of the server in {:.1} h",
        all.matches,
        all.messages,
        all.stops,
        all.passed.as_secs_f64() / 3600.0
    );
    match failed.iter().min() {
        None => Ok(()),
        Some(&seed) => bail!("{}", failure(seed)),
    }
}

/// What there is to know of a seed that failed.
fn failure(seed: u64) -> String {
    let report = world::run(seed, None, true);
    let from = report.story.len().saturating_sub(STORY_LINES);
    format!(
        "seed {seed}:\n  {}\n\nThe end of its story (all of it: cargo xtask simulate --seed {seed}):\n{}",
        report.complaints.join("\n  "),
        report.story[from..].join("\n")
    )
}

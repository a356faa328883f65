//! `cargo xtask bench match`: how many live matches of Pong one core carries. (And `bench
//! billiards`, see `billiards.rs`.)
//!
//! A release server on a new SQLite file runs on one core, all players on another, with real
//! WebSockets over loopback between them. Players sign in as Telegram's users do, queue, get ready,
//! change their minds about five times a second, and offer a rematch when a match ends. Others may
//! watch one of the matches.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rand::{RngExt as _, SeedableRng, rngs::SmallRng};
use tokio::{process::Command, runtime::Runtime, sync::watch, time::sleep};

use self::{
    play::{Pair, World},
    report::Report,
    rest::{Account, Rest},
    server::{CpuTime, Server},
    tally::Tally,
    watcher::Watcher,
};
use crate::{child, types};

mod billiards;
mod chair;
mod clock;
mod cluster;
mod computers;
mod person;
mod play;
mod random;
mod report;
pub(crate) mod rest;
pub(crate) mod server;
mod socket;
mod tally;
mod watcher;
mod wire;

const SERVER_CORE: usize = 0;
const PLAYERS_CORE: usize = 1;
/// Where the search begins, and how closely it looks.
const SEARCH_FROM: usize = 500;
const SEARCH_STEP: usize = 250;
/// Files that the server and the players open beside the sockets.
const FILES_BESIDE: u64 = 500;
/// How many sign in at once.
const SIGN_IN_AT_ONCE: usize = 64;
/// How long the last matches may take to begin, and then all to get into their stride.
const BEGIN_MAX: Duration = Duration::from_secs(30);
const STRIDE: Duration = Duration::from_secs(8);
/// First matches are given up within this time, so that ends are spread as in a busy arena.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(180);

/// Measure what the server can carry.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Bench,
}

#[derive(clap::Subcommand)]
enum Bench {
    /// Play live matches over real sockets, and search for the most that one core carries.
    Match(MatchOptions),
    /// Play over two processes, and see what each carries and what a way over Redis costs.
    Cluster(cluster::Options),
    /// Compare the physics of billiards with a reference's, time breaks, and try random shots.
    Billiards(billiards::Options),
    /// Play whole matches of billiards between computers, and see that every rule holds.
    Computers(computers::Options),
}

#[derive(clap::Args)]
struct MatchOptions {
    /// Play just so many matches at a time, instead of searching; several numbers are several runs.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    matches: Vec<usize>,
    /// How long to measure each run, once its matches are in their stride.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Let so many watch one of the matches, each with an account and a socket of their own.
    #[arg(long, value_name = "N", default_value_t = 0)]
    watchers: usize,
}

/// `cargo xtask bench`.
pub(crate) async fn run(options: Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_optimised().await;
    }
    let options = match options.what {
        Bench::Match(options) => options,
        Bench::Cluster(options) => return cluster::run(&options).await,
        Bench::Billiards(options) => return billiards::run(&options),
        Bench::Computers(options) => return computers::run(&options),
    };
    let binary = types::binary("artel")?;
    server::stay_on(PLAYERS_CORE)?;
    let measure = Duration::from_secs(options.seconds.max(1));
    let bench = MatchBench { binary, measure, watchers: options.watchers };
    println!("{}", report::head(bench.watchers > 0));
    if options.matches.is_empty() {
        return bench.search().await;
    }
    for &matches in &options.matches {
        bench.print(matches).await?;
    }
    Ok(())
}

/// Builds the server as it is shipped, and this program likewise: it plays ten thousand people on
/// one core. Then that one does it.
async fn run_optimised() -> Result<()> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "artel", "--package", "xtask"]);
    child::run(&mut build).await?;
    let ours = env::current_exe()?;
    let target = ours.parent().and_then(Path::parent).context("the target folder")?;
    child::run(Command::new(target.join("release/xtask")).args(env::args_os().skip(1))).await
}

struct MatchBench {
    binary: PathBuf,
    measure: Duration,
    watchers: usize,
}

impl MatchBench {
    /// Doubles the matches until they don't hold, then halves the gap.
    async fn search(&self) -> Result<()> {
        let (mut holds, mut too_many) = (0, None);
        let mut matches = SEARCH_FROM;
        loop {
            match self.print(matches).await? {
                true => holds = matches,
                false => too_many = Some(matches),
            }
            matches = match too_many {
                None => matches * 2,
                Some(too_many) if too_many - holds <= SEARCH_STEP => break,
                Some(too_many) => (holds + too_many) / 2 / SEARCH_STEP * SEARCH_STEP,
            };
        }
        println!("\n{holds} live matches hold on one core.");
        Ok(())
    }

    /// Runs so many matches, prints what came of it, and says whether it holds.
    async fn print(&self, matches: usize) -> Result<bool> {
        let report = self.measure(matches).await?;
        println!("{report}");
        Ok(report.holds())
    }

    async fn measure(&self, matches: usize) -> Result<Report> {
        ensure!(matches > 0, "at least one match must be played");
        let watchers = self.watchers;
        ensure!(watchers == 0 || matches > 1, "beside the watched match there must be another");
        server::open_files((2 * matches + watchers) as u64 + FILES_BESIDE)?;
        let server = Server::start(&self.binary, SERVER_CORE).await?;
        let world = World {
            rest: Rest::new(server.address),
            tally: Tally::default(),
            began: Instant::now(),
            watched: watch::Sender::default(),
        };
        let world = Arc::new(world);
        let (players, crowd) = (People::new()?, People::new()?);
        // What the watchers' reading takes is then not taken for the players' latency.
        crowd.run(async { server::give_way() }).await?;

        let mut accounts = players.run(sign_in(world.clone(), 2 * matches + watchers)).await?;
        let audience = accounts.split_off(2 * matches);
        let empty = server.resident()?;
        let seated = players.run(seat(world.clone(), accounts, watchers > 0)).await;
        if let Err(error) = &seated {
            world.tally.fault(format!("not all could be matched: {error:#}"));
        }
        let Tally { live, watching, .. } = &world.tally;
        if seated.is_ok() {
            begun(live, matches).await;
            crowd.run(gather(world.clone(), audience)).await?;
            begun(watching, watchers).await;
        }
        sleep(STRIDE).await;

        let before = CpuTime::now(&server)?;
        let started = Instant::now();
        world.tally.record(true);
        let (mut lives, mut watchings) = (Vec::new(), Vec::new());
        while started.elapsed() < self.measure {
            lives.push(live.load(Relaxed));
            if watchers > 0 {
                watchings.push(watching.load(Relaxed));
            }
            sleep(Duration::from_millis(500)).await;
        }
        world.tally.record(false);
        let seconds = started.elapsed().as_secs_f64();
        let after = CpuTime::now(&server)?;
        let cpu = report::Cpu::between(before, after, seconds)?;
        let kib = server.resident()?.saturating_sub(empty);
        let report = Report::new(matches, &lives, &watchings, seconds, cpu, kib, &world.tally);
        if !report.holds() {
            eprint!("{}", report.complaints());
            eprintln!("{}", server.complaints());
        }
        Ok(report)
    }
}

/// Waits until so many have begun, but not for ever.
async fn begun(count: &AtomicU64, all: usize) {
    let waited = Instant::now();
    while count.load(Relaxed) < all as u64 && waited.elapsed() < BEGIN_MAX {
        sleep(Duration::from_millis(100)).await;
    }
}

/// The thread that all players live on, or all watchers.
struct People(Option<Runtime>);

impl People {
    fn new() -> Result<People> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Ok(People(Some(runtime.worker_threads(1).enable_all().build()?)))
    }

    /// Does this among them.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.0.as_ref().context("they have left")?.spawn(work).await?
    }
}

impl Drop for People {
    fn drop(&mut self) {
        // Dropping a runtime inside another would wait for it, which tokio forbids.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes so many accounts.
async fn sign_in(world: Arc<World>, accounts: usize) -> Result<Vec<Account>> {
    stream::iter(1..=accounts as u64)
        .map(|telegram_id| world.rest.sign_in(telegram_id))
        .buffered(SIGN_IN_AT_ONCE)
        .try_collect()
        .await
}

/// Queues two after two, and lets those play who were matched. The first match may be watched.
async fn seat(world: Arc<World>, accounts: Vec<Account>, mut watched: bool) -> Result<()> {
    let mut luck = SmallRng::seed_from_u64(1);
    let mut accounts = accounts.into_iter();
    while let (Some(left), Some(right)) = (accounts.next(), accounts.next()) {
        let accounts = [left, right];
        let match_id = world.rest.pair(&accounts).await?;
        let give_up = Instant::now() + GIVE_UP_WITHIN.mul_f64(luck.random());
        let give_up = Some(give_up).filter(|_| !watched);
        let luck = SmallRng::from_rng(&mut luck);
        tokio::spawn(Pair { accounts, match_id, luck, give_up, watched }.play(world.clone()));
        watched = false;
    }
    Ok(())
}

/// Lets all of them watch.
async fn gather(world: Arc<World>, accounts: Vec<Account>) -> Result<()> {
    let mut luck = SmallRng::seed_from_u64(2);
    for account in accounts {
        let luck = SmallRng::from_rng(&mut luck);
        tokio::spawn(Watcher { account, luck }.watch(world.clone()));
    }
    Ok(())
}

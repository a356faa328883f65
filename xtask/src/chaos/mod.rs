//! `cargo xtask chaos crash`: whether live matches survive a server that dies again and again.
//!
//! A few hundred matches of Pong are played over real sockets while the server is killed at random
//! moments, many of them in the middle of a burst of results, and asked to leave now and then as a
//! deploy does. It is started again each time, and the players come back by themselves. In the end
//! all that they saw is compared with all that is stored: see [`check`].

use std::{
    cmp::Reverse,
    env, mem,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng, seq::SliceRandom as _};
use tokio::{process::Command, task::JoinSet, time::sleep};

use self::{player::Player, server::Server, world::World};
use crate::{bench::server::open_files, child};

mod check;
mod cluster;
mod player;
mod proxy;
pub(crate) mod server;
mod world;

/// Two players a match, a socket and a connection each on both sides, and a few beside.
const FILES_A_MATCH: u64 = 4;
const FILES_BESIDE: u64 = 500;
/// How many sign in at once.
const SIGN_IN_AT_ONCE: usize = 32;
/// How long after the last stop the last matches may take to end.
const FINISH_MAX: Duration = Duration::from_secs(120);
/// A deploy must not wait longer for the server to leave.
const LEAVE_MAX: Duration = Duration::from_secs(5);
/// How many examples of each violation are printed.
const EXAMPLES_MAX: usize = 5;

/// Break things on purpose, and see that nothing is lost.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Chaos,
}

#[derive(clap::Subcommand)]
enum Chaos {
    /// Kill the server in the middle of live matches, many times.
    Crash(Crash),
    /// Kill, pause and drain one of several processes, and cut them off, many times.
    Cluster(cluster::Cluster),
}

#[derive(clap::Args)]
struct Crash {
    /// How many matches are live at a time.
    #[arg(long, value_name = "N", default_value_t = 300)]
    matches: usize,
    /// How often the server is stopped.
    #[arg(long, value_name = "N", default_value_t = 10)]
    kills: u32,
    /// How long that goes on; without it, 6 seconds for each stop.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// An empty PostgreSQL or SQLite database; without it, a new SQLite file.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Plan the same stops as an earlier run.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Let the debug build of the server play, instead of the release build.
    #[arg(long)]
    debug: bool,
}

/// How the server is stopped.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// SIGKILL at any moment.
    Kill,
    /// SIGKILL while a burst of matches is being settled.
    KillAtEnds,
    /// SIGKILL, and once more while it starts again.
    KillTwice,
    /// SIGTERM, as a deploy.
    Deploy,
}

/// The stops of each five, so that none of their kinds is missing for long.
const BLOWS: [Blow; 5] =
    [Blow::KillAtEnds, Blow::Kill, Blow::Deploy, Blow::KillAtEnds, Blow::KillTwice];

/// `cargo xtask chaos`.
pub(crate) async fn run(options: Options) -> Result<()> {
    match options.what {
        Chaos::Crash(crash) => run_crash(crash).await,
        Chaos::Cluster(cluster) => cluster::run(&cluster).await,
    }
}

async fn run_crash(crash: Crash) -> Result<()> {
    let seed = crash.seed.unwrap_or_else(rand::random);
    println!("Seed {seed}");
    let program = build(crash.debug).await?;
    open_files(crash.matches as u64 * FILES_A_MATCH + FILES_BESIDE)?;
    let mut server = Server::new(program, crash.database.as_deref())?;
    server.start().await?;

    let world = Arc::new(World::new(server.address));
    let mut luck = SmallRng::seed_from_u64(seed);
    let mut players = seat(&world, crash.matches, &mut luck).await?;
    storm(&world, &mut server, &crash, &mut luck).await?;

    println!("{}  the last stop is over: the players finish", world.clock());
    world.finish();
    let deadline = tokio::time::Instant::now() + FINISH_MAX;
    let mut people = Vec::new();
    while let Ok(Some(player)) = tokio::time::timeout_at(deadline, players.join_next()).await {
        people.push(player?);
    }
    if !players.is_empty() {
        let late = players.len();
        world.broken("players are still at it 2 minutes after the last stop", late.to_string());
        players.abort_all();
    }
    let summary = check::check(&world, &server, &people).await?;
    println!("{}  {summary}", world.clock());
    for panic in server.panics() {
        world.broken("the server panicked", panic);
    }
    judge(&world, vec![server], seed)
}

/// Builds the server, and gives the program's path.
async fn build(debug: bool) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--package", "artel", "--bin", "artel"]);
    if !debug {
        command.arg("--release");
    }
    child::run(&mut command).await?;
    let ours = env::current_exe()?;
    let target = ours.parent().and_then(|folder| folder.parent()).context("the target folder")?;
    Ok(target.join(if debug { "debug/artel" } else { "release/artel" }))
}

/// How many times these are, and how long.
fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_millis();
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    format!("{} times, p50 {p50} ms, p99 {p99} ms, max {max} ms", times.len())
}

/// Lets two people for each match sign in and play on until they are told to finish.
async fn seat(world: &Arc<World>, matches: usize, luck: &mut SmallRng) -> Result<JoinSet<Player>> {
    let mut players = JoinSet::new();
    let mut arriving = JoinSet::new();
    // New people, also where the database has some.
    let first = u64::from(rand::random::<u32>()) << 16;
    for number in 0..2 * matches as u64 {
        if arriving.len() >= SIGN_IN_AT_ONCE {
            let arrived: Result<Player> = arriving.join_next().await.context("nobody")??;
            players.spawn(arrived?.play(world.clone()));
        }
        let (world, luck) = (world.clone(), SmallRng::from_rng(luck));
        arriving.spawn(async move { Player::sign_in(&world, first + number, luck).await });
    }
    while let Some(arrived) = arriving.join_next().await {
        players.spawn(arrived??.play(world.clone()));
    }
    println!("{}  {} people play", world.clock(), 2 * matches);
    Ok(players)
}

/// Stops the server again and again.
async fn storm(
    world: &World,
    server: &mut Server,
    crash: &Crash,
    luck: &mut SmallRng,
) -> Result<()> {
    let seconds = crash.seconds.unwrap_or(6 * u64::from(crash.kills));
    let lull = Duration::from_secs(seconds).checked_div(crash.kills).unwrap_or_default();
    let mut blows = Vec::new();
    while blows.len() < crash.kills as usize {
        let mut five = BLOWS;
        five.shuffle(luck);
        blows.extend(five);
    }
    blows.truncate(crash.kills as usize);
    for blow in blows {
        sleep(lull.mul_f64(luck.random_range(0.5..1.5))).await;
        strike(world, server, blow, luck).await?;
        sleep(Duration::from_millis(luck.random_range(0..300))).await;
        if let Blow::KillTwice = blow {
            server.start_and_kill(Duration::from_millis(luck.random_range(0..250))).await?;
        }
        let started = Instant::now();
        server.start().await?;
        let ms = started.elapsed().as_millis();
        println!("{}  serves again, after {ms} ms", world.clock());
    }
    Ok(())
}

/// Stops the server once.
async fn strike(world: &World, server: &mut Server, blow: Blow, luck: &mut SmallRng) -> Result<()> {
    let mut what = "SIGKILL";
    if let Blow::KillAtEnds = blow {
        world.resign_some();
        sleep(Duration::from_millis(luck.random_range(0..60))).await;
        what = "SIGKILL while matches end";
    }
    let graceful = matches!(blow, Blow::Deploy);
    if graceful {
        what = "SIGTERM";
    }
    let (live, ended) = (world.live(), world.ended());
    println!("{}  {what}: {live} matches are live, {ended} have ended", world.clock());
    let stop = world.stop(graceful);
    if graceful {
        let asked = Instant::now();
        let status = server.end("TERM").await?;
        let taken = asked.elapsed();
        println!("{}  it left in {} ms", world.clock(), taken.as_millis());
        if taken > LEAVE_MAX {
            world.broken("it took more than 5 s to leave", format!("{taken:?}"));
        }
        if !status.success() {
            world.broken("it did not leave in peace", status.to_string());
        }
    } else {
        server.end("KILL").await?;
    }
    world.stopped(stop);
    Ok(())
}

/// Prints what is wrong, if anything is.
fn judge(world: &World, servers: Vec<Server>, seed: u64) -> Result<()> {
    let taken_back = world.taken_back();
    if !taken_back.is_empty() {
        println!("Play that went with its process: {}", spread(&taken_back));
    }
    let mut broken: Vec<_> = world.violations().into_iter().collect();
    if broken.is_empty() {
        println!("Nothing was lost, and everything counts once.");
        return Ok(());
    }
    broken.sort_by_key(|(_, examples)| Reverse(examples.len()));
    println!();
    for (what, examples) in &broken {
        println!("VIOLATION, {} times: {what}", examples.len());
        for example in examples.iter().take(EXAMPLES_MAX) {
            println!("    {example}");
        }
    }
    for server in servers {
        println!("\nThe end of the log:\n{}", server.complaints());
        println!("What it wrote is left in {}", server.folder().display());
        // What is dropped takes its folder with it.
        mem::forget(server.into_folder());
    }
    bail!("{} rules are broken (seed {seed})", broken.len())
}

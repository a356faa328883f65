//! `cargo xtask chaos cluster`: whether live matches survive processes that die, stand still, leave
//! and come back, and a Redis and a PostgreSQL that are cut off.
//!
//! The players come through a proxy that brings each connection to any process, so that sockets are
//! rarely where their matches are. In the end all that they saw is compared with all that is
//! stored, as after `chaos crash`.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng, seq::SliceRandom as _};
use tokio::time::sleep;

use super::{
    FILES_A_MATCH, FILES_BESIDE, FINISH_MAX, LEAVE_MAX, build, check, judge, proxy::Proxy, seat,
    server::Server, spread, world::World,
};
use crate::{bench::server::open_files, services::Services, tools, tools::Needs};

/// Each connection passes a proxy here.
const FILES_MORE: u64 = 3;
/// How long it takes a proxy to find out that a process is not well.
const HEALTH_CHECK: Duration = Duration::from_millis(500);
/// How long a process stands still, and a service is cut off, in ms.
const PAUSE_MS: [u64; 2] = [4_000, 10_000];
const CUT_MS: [u64; 2] = [2_000, 8_000];

#[derive(clap::Args)]
pub(super) struct Cluster {
    /// How many matches are live at a time.
    #[arg(long, value_name = "N", default_value_t = 200)]
    matches: usize,
    /// How many processes there are.
    #[arg(long, value_name = "N", default_value_t = 3)]
    processes: usize,
    /// How long things are broken.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// How long a player may be away because of it, in ms.
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    away: u64,
    /// Break the same things as an earlier run.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Let the debug build of the server play, instead of the release build.
    #[arg(long)]
    debug: bool,
}

/// What is done to them.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// SIGKILL at any moment.
    Kill,
    /// SIGKILL while a burst of matches is being settled.
    KillAtEnds,
    /// SIGSTOP, and SIGCONT long after others have taken over.
    Pause,
    /// SIGTERM, as a deploy.
    Drain,
    /// Redis is cut off from all.
    CutRedis,
    /// PostgreSQL is.
    CutPostgres,
}

const BLOWS: [Blow; 6] =
    [Blow::Kill, Blow::Pause, Blow::Drain, Blow::CutRedis, Blow::KillAtEnds, Blow::CutPostgres];

struct Storm<'a> {
    world: &'a World,
    servers: Vec<Server>,
    proxy: Proxy,
    redis: (Proxy, SocketAddr),
    postgres: (Proxy, SocketAddr),
    luck: SmallRng,
}

pub(super) async fn run(options: &Cluster) -> Result<()> {
    let seed = options.seed.unwrap_or_else(rand::random);
    println!("Seed {seed}");
    tools::ensure(Needs { services: true, ..Needs::default() }).await?;
    let program = build(options.debug).await?;
    let files = FILES_A_MATCH + FILES_MORE;
    open_files(options.matches as u64 * files + FILES_BESIDE)?;
    let services = Services::new().await?;
    let url = |name: &str| {
        let found = services.variables.iter().find(|it| it.0 == name);
        found.map(|it| it.1.clone()).context("no such service")
    };
    let (database, redis) = (url("ARTEL_TEST_POSTGRES")?, url("ARTEL_TEST_REDIS")?);
    let (postgres, through_postgres) = Proxy::before_url(&database).await?;
    let (redis_proxy, through_redis) = Proxy::before_url(&redis).await?;

    let mut servers = Vec::new();
    for _ in 0..options.processes {
        let mut server = Server::new(program.clone(), Some(&through_postgres))?;
        server.variables.push(("REDIS_URL", through_redis.clone()));
        server.start().await?;
        servers.push(server);
    }
    let proxy = Proxy::before(servers.iter().map(|it| it.address).collect()).await?;
    let world = Arc::new(World::of_several(proxy.address));
    let mut luck = SmallRng::seed_from_u64(seed);
    let mut players = seat(&world, options.matches, &mut luck).await?;
    let mut storm = Storm {
        world: &world,
        servers,
        proxy,
        redis: (redis_proxy, place(&redis)?),
        postgres: (postgres, place(&database)?),
        luck,
    };
    storm.rage(Duration::from_secs(options.seconds)).await?;

    println!("{}  the storm is over: the players finish", world.clock());
    world.finish();
    let deadline = tokio::time::Instant::now() + FINISH_MAX;
    let mut people = Vec::new();
    while let Ok(Some(player)) = tokio::time::timeout_at(deadline, players.join_next()).await {
        people.push(player?);
    }
    if !players.is_empty() {
        let late = players.len();
        world.broken("players are still at it 2 minutes after the last blow", late.to_string());
        players.abort_all();
    }
    let witness = Server::new(program, Some(&database))?;
    let summary = check::check(&world, &witness, &people).await?;
    println!("{}  {summary}", world.clock());
    tell_away(&world, Duration::from_millis(options.away));
    for panic in storm.servers.iter().flat_map(Server::panics) {
        world.broken("a process panicked", panic);
    }
    judge(&world, storm.servers, seed)
}

/// How long players were away, for each kind of blow.
fn tell_away(world: &World, bound: Duration) {
    for (kind, times) in world.away() {
        println!("Away after {kind}: {}", spread(&times));
        if let Some(longest) = times.iter().max().filter(|it| **it > bound) {
            let late = times.iter().filter(|it| **it > bound).count();
            let example = format!("{late} times after {kind}, at most for {longest:?}");
            world.broken("a player was away for too long", example);
        }
    }
}

/// Where an address leads.
fn place(url: &str) -> Result<SocketAddr> {
    let rest = url.split_once("://").context("not an address")?.1;
    let place = rest.split(['/', '?']).next().unwrap_or_default();
    Ok(place.rsplit_once('@').map_or(place, |it| it.1).parse()?)
}

impl Storm<'_> {
    async fn rage(&mut self, lasts: Duration) -> Result<()> {
        let until = Instant::now() + lasts;
        loop {
            let mut blows = BLOWS;
            blows.shuffle(&mut self.luck);
            for blow in blows {
                sleep(self.some([1_000, 4_000])).await;
                if Instant::now() >= until {
                    return Ok(());
                }
                self.strike(blow).await?;
            }
        }
    }

    fn some(&mut self, [low, high]: [u64; 2]) -> Duration {
        Duration::from_millis(self.luck.random_range(low..high))
    }

    fn say(&self, what: &str) {
        let (live, ended) = (self.world.live(), self.world.ended());
        println!("{}  {what}: {live} matches are live, {ended} have ended", self.world.clock());
    }

    async fn strike(&mut self, blow: Blow) -> Result<()> {
        let index = self.luck.random_range(0..self.servers.len());
        let address = self.servers[index].address;
        match blow {
            Blow::Kill | Blow::KillAtEnds => {
                if let Blow::KillAtEnds = blow {
                    self.world.resign_some();
                    sleep(self.some([0, 60])).await;
                }
                self.say(&format!("SIGKILL to process {index}"));
                let stop = self.world.stop_of("a kill", false);
                self.servers[index].end("KILL").await?;
                self.proxy.set(address, false);
                sleep(self.some([0, 6_000])).await;
                self.start(index).await?;
                self.world.stopped(stop);
            }
            Blow::Pause => {
                let pause = self.some(PAUSE_MS);
                self.say(&format!("SIGSTOP to process {index} for {} ms", pause.as_millis()));
                let stop = self.world.stop_of("a pause", false);
                self.servers[index].signal("STOP")?;
                sleep(HEALTH_CHECK).await;
                self.proxy.set(address, false);
                sleep(pause - HEALTH_CHECK).await;
                self.servers[index].signal("CONT")?;
                // What it says now must not be heard; and is not, if nothing is said.
                self.proxy.set(address, true);
                sleep(HEALTH_CHECK).await;
                self.world.stopped(stop);
            }
            Blow::Drain => {
                self.say(&format!("SIGTERM to process {index}"));
                let stop = self.world.stop_of("a drain", true);
                self.proxy.set_new(address, false);
                let asked = Instant::now();
                let status = self.servers[index].end("TERM").await?;
                let taken = asked.elapsed();
                println!("{}  it left in {} ms", self.world.clock(), taken.as_millis());
                if taken > LEAVE_MAX || !status.success() {
                    self.world
                        .broken("a process did not leave well", format!("{taken:?}, {status}"));
                }
                self.start(index).await?;
                self.world.stopped(stop);
            }
            Blow::CutRedis => self.cut("Redis").await,
            Blow::CutPostgres => self.cut("PostgreSQL").await,
        }
        Ok(())
    }

    async fn cut(&mut self, which: &str) {
        let lasts = self.some(CUT_MS);
        self.say(&format!("{which} is cut off for {} ms", lasts.as_millis()));
        let (proxy, target) = if which == "Redis" { &self.redis } else { &self.postgres };
        // What is told and not written yet is written later, and nothing is lost.
        self.world.cut(true);
        proxy.set(*target, false);
        sleep(lasts).await;
        proxy.set(*target, true);
        // Until all are connected again.
        sleep(2 * HEALTH_CHECK).await;
        self.world.cut(false);
    }

    async fn start(&mut self, index: usize) -> Result<()> {
        self.servers[index].start().await?;
        self.proxy.set(self.servers[index].address, true);
        Ok(())
    }
}

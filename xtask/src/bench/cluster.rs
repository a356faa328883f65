//! `cargo xtask bench cluster`: how capacity grows from one process to two, and what a way over
//! Redis adds to the time from a move to the opponent's screen.
//!
//! Each match is Pong between two who move four times a second. A process that carries `matches` of
//! them takes some share of a core; what is left says how many more it would carry. Then the same
//! matches are played by people who are all connected to the other process.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{
    rest::{Account, Rest},
    server::{ORIGIN, open_files, process_ticks, ticks_per_second},
};
use crate::{
    chaos::server::Server,
    services::Services,
    tools::{self, Needs},
    types,
};

/// How often somebody moves.
const MOVE_EVERY: Duration = Duration::from_millis(250);
/// How long a match may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(20);
/// Sockets, connections for requests, and what is beside them.
const FILES_A_MATCH: u64 = 6;
const FILES_BESIDE: u64 = 500;

#[derive(clap::Args)]
pub(super) struct Options {
    /// How many matches a process runs.
    #[arg(long, value_name = "N", default_value_t = 200)]
    matches: usize,
    /// How long each of the three runs is measured.
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u64,
}

type Socket = WebSocketStream<TcpStream>;

/// A match that is played: both sockets, and the highest number that each has said.
struct Table {
    sockets: [Socket; 2],
    said: [u64; 2],
}

/// What a run showed.
struct Measured {
    /// From a move to its arrival at the opponent, sorted.
    times: Vec<Duration>,
    /// The share of a core that each process took.
    cores: Vec<f64>,
}

pub(super) async fn run(options: &Options) -> Result<()> {
    tools::ensure(Needs { services: true, ..Needs::default() }).await?;
    let Options { matches, seconds } = *options;
    open_files(2 * matches as u64 * FILES_A_MATCH + FILES_BESIDE)?;
    let services = Services::new().await?;
    let binary = types::binary("artel")?;
    let url = |name: &str| {
        let found = services.variables.iter().find(|it| it.0 == name);
        found.map(|it| it.1.clone()).context("no such service")
    };
    let (database, redis) = (url("ARTEL_TEST_POSTGRES")?, url("ARTEL_TEST_REDIS")?);
    let mut servers = Vec::new();
    for _ in 0..2 {
        let mut server = Server::new(binary.clone(), Some(&database))?;
        server.variables.push(("REDIS_URL", redis.clone()));
        server.start().await?;
        servers.push(server);
    }
    let (one, two) = (Rest::new(servers[0].address), Rest::new(servers[1].address));
    let lasts = Duration::from_secs(seconds);

    let near = tables(&one, &one, matches, 0).await?;
    let first = measure(near, &servers, lasts).await?;
    first.print("one process, all connected to it");
    let far = tables(&one, &two, matches, 1).await?;
    let hop = measure(far, &servers, lasts).await?;
    hop.print("the same, all connected to the other");
    // One after the other: who queues at the same time may be paired with each other.
    let here = tables(&one, &one, matches, 2).await?;
    let there = tables(&two, &two, matches, 3).await?;
    let both = here.into_iter().chain(there).collect();
    let second = measure(both, &servers, lasts).await?;
    second.print("two processes, each with its own");

    let added = hop.at(0.99).saturating_sub(first.at(0.99));
    println!("A way over Redis adds {:.2} ms at p99", added.as_secs_f64() * 1e3);
    let alone = matches as f64 / first.cores[0];
    let together: f64 = second.cores.iter().map(|it| matches as f64 / it).sum();
    println!(
        "A core carries some {alone:.0} such matches, and two cores {together:.0}: {:.2} times as \
         many",
        together / alone
    );
    Ok(())
}

/// Matches that are made at one process and played over sockets at another.
async fn tables(made: &Rest, played: &Rest, count: usize, series: u64) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    let first = 1_000_000 * (series + 1);
    for number in 0..count as u64 {
        let mut accounts =
            [made.sign_in(first + 2 * number).await?, made.sign_in(first + 2 * number + 1).await?];
        let id = made.pair(&accounts).await?;
        let [left, right] = &mut accounts;
        let sockets = [sit(played, left, &id).await?, sit(played, right, &id).await?];
        tables.push(Table { sockets, said: [0; 2] });
    }
    let begin = tables.into_iter().map(|it| timeout(BEGIN_MAX, it.begin()));
    join_all(begin).await.into_iter().map(|it| it.context("a match did not begin")?).collect()
}

async fn sit(rest: &Rest, account: &mut Account, id: &str) -> Result<Socket> {
    let ticket = rest.ticket(account).await?;
    let stream = rest.connect().await?;
    let url = format!("ws://{}/ws/game/{id}?ticket={ticket}", rest.server());
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("origin", ORIGIN.parse()?);
    Ok(client_async(request, stream).await?.0)
}

/// Plays at all tables, and measures.
async fn measure(tables: Vec<Table>, servers: &[Server], lasts: Duration) -> Result<Measured> {
    let ticks = || -> Result<Vec<u64>> {
        servers.iter().map(|it| process_ticks(&it.id()?.to_string())).collect()
    };
    let (before, began) = (ticks()?, Instant::now());
    let until = began + lasts;
    let played: Vec<_> = tables.into_iter().map(|it| tokio::spawn(it.play(until))).collect();
    let mut times = Vec::new();
    for table in played {
        times.append(&mut table.await??);
    }
    let elapsed = began.elapsed().as_secs_f64() * ticks_per_second()?;
    let cores = ticks()?.into_iter().zip(before);
    let cores = cores.map(|(now, before)| (now - before) as f64 / elapsed).collect();
    times.sort_unstable();
    if times.is_empty() {
        bail!("no move arrived");
    }
    Ok(Measured { times, cores })
}

impl Measured {
    fn at(&self, share: f64) -> Duration {
        self.times[((self.times.len() - 1) as f64 * share) as usize]
    }

    fn print(&self, what: &str) {
        let [p50, p99] = [0.5, 0.99].map(|it| self.at(it).as_secs_f64() * 1e3);
        let cores: Vec<_> = self.cores.iter().map(|it| format!("{:.0} %", it * 100.0)).collect();
        println!(
            "{what}: {} moves, p50 {p50:.2} ms, p99 {p99:.2} ms; of a core each: {}",
            self.times.len(),
            cores.join(", ")
        );
    }
}

impl Table {
    /// Gets both ready, and waits until the match is on.
    async fn begin(mut self) -> Result<Table> {
        for seat in 0..2 {
            self.say(seat, json!({"type": "player_ready"})).await?;
        }
        for socket in &mut self.sockets {
            while hear(socket).await?["status"] != "active" {}
        }
        Ok(self)
    }

    async fn say(&mut self, seat: usize, mut message: Value) -> Result<()> {
        self.said[seat] += 1;
        message["n"] = json!(self.said[seat]);
        Ok(self.sockets[seat].send(Message::text(message.to_string())).await?)
    }

    /// Moves until it is time, or the match is over; answers how long moves took to the opponent.
    async fn play(mut self, until: Instant) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        let mut sent: [Option<(u64, Instant)>; 2] = [None; 2];
        let mut moves = interval(MOVE_EVERY);
        moves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Not all in the same moment.
        moves.reset_after(MOVE_EVERY.mul_f64(rand::rng().random()));
        loop {
            let [left, right] = &mut self.sockets;
            let (seat, heard) = tokio::select! {
                heard = hear(left) => (1, heard?),
                heard = hear(right) => (0, heard?),
                _ = moves.tick() => {
                    if Instant::now() >= until {
                        return Ok(times);
                    }
                    for (seat, sent) in sent.iter_mut().enumerate() {
                        let y: f64 = rand::rng().random();
                        self.say(seat, json!({"type": "player_move", "y": y})).await?;
                        *sent = Some((self.said[seat], Instant::now()));
                    }
                    continue;
                }
            };
            if heard["type"] == "game_over" {
                return Ok(times);
            }
            if heard["seat"] == seat
                && let Some((_, at)) = sent[seat].take_if(|it| heard["n"] == it.0)
            {
                times.push(at.elapsed());
            }
        }
    }
}

/// The next message. May be dropped and called again.
async fn hear(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.context("a socket was closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(_) => bail!("a socket was closed"),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

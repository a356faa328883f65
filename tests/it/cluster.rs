//! Several processes over one PostgreSQL and one Redis are one arena, while they are killed,
//! stopped and cut off. `cargo xtask chaos cluster` does the same to hundreds of matches.

use std::{collections::HashMap, time::Duration};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Client, Home, PATIENCE, Server, Socket, Wire};

const PROCESSES: usize = 3;
const RESTART: u16 = 1012;
const OVER: u16 = 4410;
/// How long a match may be away: what is promised is 3 s, on a machine that has time.
const AWAY_MAX: Duration = Duration::from_secs(6);

/// Processes that are one arena.
struct Cluster {
    // First, so that they are gone when their database is dropped.
    servers: Vec<Option<Server>>,
    home: Home,
    postgres: Wire,
    redis: Wire,
}

impl Cluster {
    /// Nothing without services to test on.
    async fn start() -> Option<Cluster> {
        let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
            println!("ARTEL_TEST_REDIS is not set: not tested with several processes");
            return None;
        };
        let home = Home::postgres().await?;
        let (postgres, redis) = (Wire::to(home.database_url()).await, Wire::to(&redis).await);
        let mut cluster = Cluster { home, postgres, redis, servers: Vec::new() };
        for index in 0..PROCESSES {
            cluster.servers.push(None);
            cluster.run(index).await;
        }
        Some(cluster)
    }

    async fn run(&mut self, index: usize) {
        let machine = format!("m{index}");
        let variables = [
            ("DATABASE_URL", self.postgres.url.as_str()),
            ("REDIS_URL", &self.redis.url),
            ("FLY_MACHINE_ID", &machine),
            ("ARTEL_RATE_LIMITS", "off"),
            ("PUBLIC_URL", "http://localhost:8080"),
        ];
        let server = Server::run(self.home.beside(), &variables).await;
        self.servers[index] = Some(server);
    }

    fn server(&self, index: usize) -> &Server {
        self.servers[index].as_ref().unwrap()
    }

    /// Which process runs a match, by what is stored.
    async fn owner(&self, match_id: &str) -> usize {
        let id = id_of(match_id);
        let sql = format!(
            "select cast(substr(p.machine, 2) as bigint) from owners o
             join processes p on p.id = o.process where o.match_id = {id}"
        );
        self.home.number(&sql).await as usize
    }

    /// Any other process than these.
    fn other_than(&self, these: &[usize]) -> usize {
        (0..PROCESSES).find(|it| !these.contains(it)).unwrap()
    }

    async fn kill(&mut self, index: usize) {
        let mut server = self.servers[index].take().unwrap();
        server.signal("KILL");
        server.ended().await;
    }

    /// Two people at different processes, in a match that has begun.
    async fn match_of(&self, one: &str, two: &str, at: [usize; 2]) -> [Player; 2] {
        let (left, right, id) = self.server(0).pair(one, two).await;
        let mut players = Vec::new();
        for (seat, (client, at)) in [left, right].into_iter().zip(at).enumerate() {
            let client = Client { base: self.server(at).base.clone(), ..client };
            let mut player = Player::sit(client, &id, seat).await;
            player.say(json!({"type": "player_ready"})).await;
            players.push(player);
        }
        for player in &mut players {
            while player.hear("game_state").await["status"] != "active" {}
        }
        players.try_into().ok().unwrap()
    }

    /// That everything counts once, and is as its journal says.
    async fn check(&self, matches: &[&str]) {
        for (sql, expected) in [
            ("select count(*) from matches where status <> 'finished'", 0),
            ("select count(*) from playing", 0),
            ("select count(*) from journal", 0),
            ("select count(*) from replays", matches.len()),
            ("select count(*) from ratings where wins + losses + draws > 1", 0),
            ("select count(*) from ratings where wins + losses = 1", 2 * matches.len()),
        ] {
            assert_eq!(self.home.number(sql).await, expected as i64, "{sql}");
        }
        for id in matches {
            let ran = self.home.artel(&["replay", "verify", id], &[]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
    }
}

/// The number behind the letters of an id.
fn id_of(letters: &str) -> i64 {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    letters.bytes().fold(0, |id, letter| {
        id * 62 + ALPHABET.iter().position(|&it| it == letter).unwrap() as i64
    })
}

/// Somebody in a match, at whatever process.
struct Player {
    client: Client,
    match_id: String,
    seat: usize,
    socket: Socket,
    n: u64,
    ack: u64,
}

impl Player {
    async fn sit(client: Client, match_id: &str, seat: usize) -> Player {
        let socket = open(&client, match_id).await;
        let (match_id, n, ack) = (match_id.to_owned(), 0, 0);
        Player { client, match_id, seat, socket, n, ack }
    }

    async fn say(&mut self, mut message: Value) {
        self.n += 1;
        message["n"] = json!(self.n);
        self.socket.try_send(message.to_string().into()).await;
    }

    async fn hear(&mut self, kind: &str) -> Value {
        self.socket.hear(kind).await
    }

    /// Moves, and waits until `other` has seen it.
    async fn moves_before(&mut self, other: &mut Player) {
        // Not where it is already: that would be no news.
        let y = 0.1 + 0.8 * f64::from((self.n % 2) as u32);
        self.say(json!({"type": "player_move", "y": y})).await;
        loop {
            let update = other.hear("game_update").await;
            if update["seat"] == self.seat && update["n"] == self.n {
                self.ack = self.n;
                return;
            }
        }
    }

    /// Waits until the socket is closed, or the process gone.
    async fn put_out(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.socket.next_or_end().await {
                return code;
            }
        }
    }

    /// Comes back at a process, to a match that knows what was told.
    async fn come_back(&mut self, base: &str) {
        self.client.base = base.to_owned();
        let back = async {
            loop {
                self.socket = open(&self.client, &self.match_id).await;
                match self.socket.next_or_end().await {
                    Ok(state) => return state,
                    Err(code) => assert_ne!(code, Some(OVER), "the match is over"),
                }
            }
        };
        let state = timeout(PATIENCE, back).await.unwrap();
        assert_eq!((&state["type"], &state["status"]), (&json!("game_state"), &json!("active")));
        assert!(state["ack"].as_u64().unwrap() >= self.ack, "{} and {state}", self.ack);
        self.n = self.n.max(state["ack"].as_u64().unwrap());
    }

    async fn resign(&mut self) {
        self.say(json!({"type": "game_action", "action": "resign"})).await;
    }
}

async fn open(client: &Client, match_id: &str) -> Socket {
    let ticket = client.ticket().await;
    let address = format!("/ws/game/{match_id}?ticket={ticket}");
    client.knock(&address, Some("http://localhost:8080")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_outlive_their_processes() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [1, 2]).await;
    let id = ann.match_id.clone();
    // Each at another process, and perhaps the match at the third.
    for _ in 0..5 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }

    // Killed.
    let owner = cluster.owner(&id).await;
    sleep(Duration::from_millis(100)).await;
    let killed = Instant::now();
    cluster.kill(owner).await;
    let (one, two) = tokio::join!(ann.put_out(), bob.put_out());
    for code in [one, two] {
        assert!(matches!(code, None | Some(RESTART)), "{code:?}");
    }
    let place = cluster.other_than(&[owner]);
    let base = cluster.server(place).base.clone();
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    println!("Back {} ms after the kill", killed.elapsed().as_millis());
    assert!(killed.elapsed() < AWAY_MAX, "away for {:?}", killed.elapsed());
    ann.moves_before(&mut bob).await;
    cluster.run(owner).await;

    // Stopped for so long that others take over: whoever goes on hears nothing of it here.
    let paused = cluster.owner(&id).await;
    let elsewhere = cluster.other_than(&[paused]);
    let base = cluster.server(elsewhere).base.clone();
    let stranger = cluster.server(paused).stranger();
    let ticket = stranger.post(&format!("/api/matches/{id}/watch-tickets"), json!({})).await;
    let ticket = ticket.is(200).body["ticket"].as_str().unwrap().to_owned();
    let address = format!("/ws/game/{id}?ticket={ticket}");
    let mut watcher = stranger.knock(&address, Some("http://localhost:8080")).await.unwrap();
    watcher.hear("game_state").await;
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    cluster.server(paused).signal("STOP");
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    bob.moves_before(&mut ann).await;
    // What is in its sockets' buffers was told before.
    while watcher.next_within(Duration::from_millis(200)).await.is_some() {}
    cluster.server(paused).signal("CONT");
    assert_eq!(watcher.closed_or_next().await, Err(RESTART), "a paused owner told something");
    assert_ne!(cluster.owner(&id).await, paused);
    ann.moves_before(&mut bob).await;

    // Asked to leave.
    let left = cluster.owner(&id).await;
    let elsewhere = cluster.other_than(&[left]);
    let base = cluster.server(elsewhere).base.clone();
    let asked = Instant::now();
    cluster.server(left).signal("TERM");
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    println!("Back {} ms after SIGTERM", asked.elapsed().as_millis());
    assert!(asked.elapsed() < AWAY_MAX, "away for {:?}", asked.elapsed());
    bob.moves_before(&mut ann).await;

    ann.resign().await;
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&id]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_matches_outlive_redis_and_postgres() {
    let Some(cluster) = Cluster::start().await else { return };
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [0, 0]).await;
    let id = ann.match_id.clone();
    let owner = cluster.owner(&id).await;
    let base = cluster.server(owner).base.clone();
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    let carol = cluster.server(owner).person("carol").await;
    let waits = async |path: &str| {
        let refused = async {
            loop {
                let asked = Instant::now();
                let answer = carol.post(path, json!({})).await;
                if answer.status == 503 {
                    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
                    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                    return;
                }
                answer.is(200);
                carol.post("/api/queue/pong/leave", json!({})).await;
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, refused).await.unwrap();
    };

    // Longer than a lease, which PostgreSQL keeps.
    cluster.redis.cut();
    waits("/api/queue/pong/join").await;
    carol.get("/readyz").await.refuses(503, "not_ready");
    for _ in 0..3 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }
    cluster.redis.mend();
    let ready = async {
        while carol.get("/readyz").await.status != 200 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, ready).await.unwrap();

    cluster.postgres.cut();
    waits("/api/queue/pong/join").await;
    let body = json!({"username": "dan", "password": "correct horse battery"});
    let answer = carol.post("/api/auth/register", body).await;
    assert!(answer.status == 503 && !answer.header("retry-after").is_empty(), "{answer:?}");
    for _ in 0..3 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }
    // The result waits until it is stored.
    ann.resign().await;
    let early = timeout(Duration::from_secs(1), bob.hear("game_over")).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(cluster.home.number("select count(*) from replays").await, 0);
    cluster.postgres.mend();
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&id]).await;
}

/// People come and go at random at three processes: each pair is made once, and in the end nobody
/// waits who could play.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_make_each_pair_once() {
    const PEOPLE: usize = 16;
    const LASTS: Duration = Duration::from_secs(4);
    let Some(cluster) = Cluster::start().await else { return };
    let seed = rand::random();
    println!("The seed is {seed}");
    let mut luck = SmallRng::seed_from_u64(seed);
    let names: Vec<_> = (0..PEOPLE).map(|it| format!("person_{it}")).collect();
    let people = names.iter().enumerate();
    let people = people.map(|(index, name)| cluster.server(index % PROCESSES).person(name));
    let people = futures_util::future::join_all(people).await;
    let bases: Vec<_> = (0..PROCESSES).map(|it| cluster.server(it).base.clone()).collect();
    let until = Instant::now() + LASTS;
    let about = people.into_iter().map(|person| {
        let (bases, mut luck) = (bases.clone(), SmallRng::from_rng(&mut luck));
        tokio::spawn(async move {
            let mut person = person;
            let mut seen: HashMap<String, u64> = HashMap::new();
            while Instant::now() < until {
                // Each request at any of them.
                person.base = bases[luck.random_range(0..PROCESSES)].clone();
                let what = if luck.random_bool(0.7) { "join" } else { "leave" };
                let answer = person.post(&format!("/api/queue/pong/{what}"), json!({})).await;
                assert!(matches!(answer.status, 200 | 204 | 409), "{answer:?}");
                if let Some(id) = answer.body["match_id"].as_str() {
                    *seen.entry(id.to_owned()).or_default() += 1;
                }
                sleep(Duration::from_millis(luck.random_range(0..40))).await;
            }
            // Whoever still waits says so once more.
            person.post("/api/queue/pong/join", json!({})).await.is(200);
            assert!(seen.len() <= 1, "in several matches at a time: {seen:?}");
            person
        })
    });
    let people = futures_util::future::join_all(about).await;
    assert!(people.iter().all(Result::is_ok));
    let calm = async {
        while cluster.home.number("select count(*) from queue_entries").await > 1 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, calm).await.expect("two wait who could play");
    for (what, sql) in [
        (
            "in several matches",
            "select count(*) from (select user_id from match_players
          join matches on id = match_id where status <> 'finished'
          group by user_id having count(*) > 1) as twice",
        ),
        (
            "half a pair",
            "select count(*) from (select match_id from match_players
          group by match_id having count(*) <> 2) as half",
        ),
        (
            "waits and plays",
            "select count(*) from queue_entries
          where user_id in (select user_id from playing)",
        ),
        (
            "without an owner",
            "select count(*) from matches
          where id not in (select match_id from owners)",
        ),
        (
            "playing and not",
            "select count(*) from playing p where not exists (
          select 1 from match_players mp join matches m on m.id = mp.match_id
          where mp.user_id = p.user_id and mp.match_id = p.match_id and m.status <> 'finished')",
        ),
    ] {
        assert_eq!(cluster.home.number(sql).await, 0, "{what}");
    }
    let playing = cluster.home.number("select count(*) from playing").await;
    assert!(playing >= PEOPLE as i64 - 1, "{playing} play");
}

//! Several processes that are one arena, and people who play on whichever.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{Client, Home, PATIENCE, Server, Socket};
use crate::wire::Wire;

pub(crate) const PROCESSES: usize = 3;
/// Where the pages of all of them are, as browsers say it.
pub(crate) const ORIGIN: &str = "http://localhost:8080";
const OVER: u16 = 4410;

/// Processes that are one arena.
pub(crate) struct Cluster {
    // First, so that they are gone when their database is dropped.
    pub(crate) servers: Vec<Option<Server>>,
    pub(crate) home: Home,
    pub(crate) postgres: Wire,
    pub(crate) redis: Wire,
    /// What each is told besides.
    more: Vec<(String, String)>,
}

impl Cluster {
    /// Nothing without services to test on.
    pub(crate) async fn start() -> Option<Cluster> {
        Cluster::start_with(&[]).await
    }

    /// The same, with more variables.
    pub(crate) async fn start_with(more: &[(&str, &str)]) -> Option<Cluster> {
        let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
            println!("ARTEL_TEST_REDIS is not set: not tested with several processes");
            return None;
        };
        let home = Home::postgres().await?;
        let (postgres, redis) = (Wire::to(home.database_url()).await, Wire::to(&redis).await);
        let more = more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut cluster = Cluster { home, postgres, redis, more, servers: Vec::new() };
        for index in 0..PROCESSES {
            cluster.servers.push(None);
            cluster.run(index).await;
        }
        Some(cluster)
    }

    pub(crate) async fn run(&mut self, index: usize) {
        let machine = format!("m{index}");
        let variables = [
            ("DATABASE_URL", self.postgres.url.as_str()),
            ("REDIS_URL", &self.redis.url),
            ("FLY_MACHINE_ID", &machine),
            ("ARTEL_RATE_LIMITS", "off"),
            ("PUBLIC_URL", ORIGIN),
        ];
        let more = self.more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = variables.into_iter().chain(more).collect();
        let server = Server::run(self.home.beside(), &variables).await;
        self.servers[index] = Some(server);
    }

    pub(crate) fn server(&self, index: usize) -> &Server {
        self.servers[index].as_ref().unwrap()
    }

    /// Which process runs a match, by what is stored.
    pub(crate) async fn owner(&self, match_id: &str) -> usize {
        let id = id_of(match_id);
        let sql = format!(
            "select cast(substr(p.machine, 2) as bigint) from owners o
             join processes p on p.id = o.process where o.match_id = {id}"
        );
        self.home.number(&sql).await as usize
    }

    /// Waits until somebody's last move is in the journal, which comes after it is told.
    pub(crate) async fn written(&self, player: &Player) {
        let (id, Player { seat, n, .. }) = (id_of(&player.match_id), player);
        let sql = format!(
            "select count(*) from journal
             where match_id = {id} and entry like '{{\"act\":[{seat},{n},%'"
        );
        let written = async {
            while self.home.number(&sql).await == 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, written).await.expect("a move was never written");
    }

    /// Any other process than these.
    pub(crate) fn other_than(&self, these: &[usize]) -> usize {
        (0..PROCESSES).find(|it| !these.contains(it)).unwrap()
    }

    pub(crate) async fn kill(&mut self, index: usize) {
        let mut server = self.servers[index].take().unwrap();
        server.signal("KILL");
        server.ended().await;
    }

    /// Two people at different processes, in a match that has begun.
    pub(crate) async fn match_of(&self, one: &str, two: &str, at: [usize; 2]) -> [Player; 2] {
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
    pub(crate) async fn check(&self, matches: &[&str]) {
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
pub(crate) fn id_of(letters: &str) -> i64 {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    letters.bytes().fold(0, |id, letter| {
        id * 62 + ALPHABET.iter().position(|&it| it == letter).unwrap() as i64
    })
}

/// Somebody in a match, at whatever process.
pub(crate) struct Player {
    pub(crate) client: Client,
    pub(crate) match_id: String,
    pub(crate) seat: usize,
    pub(crate) socket: Socket,
    pub(crate) n: u64,
    pub(crate) ack: u64,
}

impl Player {
    pub(crate) async fn sit(client: Client, match_id: &str, seat: usize) -> Player {
        let socket = open(&client, &format!("/ws/game/{match_id}")).await;
        let (match_id, n, ack) = (match_id.to_owned(), 0, 0);
        Player { client, match_id, seat, socket, n, ack }
    }

    pub(crate) async fn say(&mut self, mut message: Value) {
        self.n += 1;
        message["n"] = json!(self.n);
        self.socket.try_send(message.to_string().into()).await;
    }

    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        self.socket.hear(kind).await
    }

    /// Moves, and waits until `other` has seen it.
    pub(crate) async fn moves_before(&mut self, other: &mut Player) {
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
    pub(crate) async fn put_out(&mut self) -> Option<u16> {
        self.socket.end().await
    }

    /// Comes back at a process, to a match that knows what was told.
    pub(crate) async fn come_back(&mut self, base: &str) {
        self.client.base = base.to_owned();
        let back = async {
            loop {
                self.socket = open(&self.client, &format!("/ws/game/{}", self.match_id)).await;
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

    pub(crate) async fn resign(&mut self) {
        self.say(json!({"type": "game_action", "action": "resign"})).await;
    }
}

/// A socket as a page opens it, at whatever process its person speaks to.
pub(crate) async fn open(client: &Client, path: &str) -> Socket {
    let ticket = client.ticket().await;
    client.knock(&format!("{path}?ticket={ticket}"), Some(ORIGIN)).await.unwrap()
}

//! The server dies in the middle of several matches and of their settlement, and nothing that
//! counts is lost or counted twice. `cargo xtask chaos crash` does the same to hundreds of matches.

use std::time::Duration;

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};

use crate::support::{Client, Home, PATIENCE, Server, Socket};

const MATCHES: usize = 5;
/// What was told so long before a crash must be stored; a point, however shortly.
const LOST_MAX: Duration = Duration::from_millis(50);
/// A deploy must not wait longer for the server to leave; and how long it takes to start.
const LEAVE_MAX: Duration = Duration::from_secs(5);
/// How the server is stopped, after how many ms, and in how many matches somebody resigns then. At
/// first it takes its time: a point is made after 4 s.
const STOPS: [(&str, [u64; 2], usize); 3] =
    [("KILL", [4_500, 5_500], 0), ("KILL", [500, 1_500], 2), ("TERM", [500, 1_500], 1)];
const OVER: u16 = 4410;
const RESTART: u16 = 1012;

/// A stop, and when it was.
type Stop = (Instant, &'static str);

/// What a player was told, and may rely on.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// The number of the last own move that the match has seen.
    ack: u64,
    at: u64,
    points: u64,
}

/// Somebody in a match, over all their sockets.
struct Player {
    client: Client,
    match_id: String,
    socket: Socket,
    seat: u64,
    n: u64,
    told: Told,
    /// What was told, and when, since the socket was opened.
    marks: Vec<(Instant, Told)>,
    resign_at: Option<Instant>,
    over: bool,
    luck: SmallRng,
}

impl Player {
    async fn new(client: Client, match_id: &str, seat: u64, luck: SmallRng) -> Player {
        let socket = client.open(&format!("/ws/game/{match_id}")).await;
        let mut player = Player {
            client,
            match_id: match_id.to_owned(),
            socket,
            seat,
            n: 0,
            told: Told::default(),
            marks: Vec::new(),
            resign_at: None,
            over: false,
            luck,
        };
        player.say(json!({"type": "player_ready"})).await;
        player
    }

    /// Says something with the next number; a server that is gone does not hear it.
    async fn say(&mut self, mut message: Value) {
        self.n += 1;
        message["n"] = json!(self.n);
        self.socket.try_send(message.to_string().into()).await;
    }

    /// Moves about, and resigns when it is time. Answers how the socket was closed.
    async fn play(&mut self) -> Option<u16> {
        let mut next = Instant::now();
        loop {
            tokio::select! {
                heard = self.socket.next_or_end() => match heard {
                    Ok(message) => self.hear(&message),
                    Err(code) => return code,
                },
                () = sleep_until(next), if !self.over => {
                    self.act().await;
                    next += Duration::from_millis(self.luck.random_range(50..150));
                    next = self.resign_at.map_or(next, |it| it.min(next));
                }
            }
        }
    }

    async fn act(&mut self) {
        if self.resign_at.take_if(|it| *it <= Instant::now()).is_some() {
            return self.say(json!({"type": "game_action", "action": "resign"})).await;
        }
        let y: f64 = self.luck.random();
        self.say(json!({"type": "player_move", "y": y})).await;
    }

    fn hear(&mut self, message: &Value) {
        match message["type"].as_str() {
            Some("game_update") => {
                self.told.at = number(message, "at");
                if message["seat"] == self.seat {
                    self.told.ack = number(message, "n");
                }
            }
            Some("score_update") => self.told.points = points(&message["scores"]),
            Some("game_over") => self.over = true,
            Some("error") => {
                let harmless = ["not_begun", "match_over"];
                assert!(harmless.iter().any(|it| message["code"] == *it), "{message}");
            }
            _ => {}
        }
        self.marks.push((Instant::now(), self.told));
    }

    /// Comes back to the server that was started again, which must know what was told in time.
    async fn come_back(&mut self, base: &str, (at, signal): Stop) {
        self.client.base = base.to_owned();
        let in_time = |heard: Instant| signal == "TERM" || heard + LOST_MAX <= at;
        let safe = self.marks.iter().rev().find(|it| in_time(it.0));
        let safe = safe.map_or_else(Told::default, |it| it.1);
        let safe = Told { points: self.told.points, ..safe };
        let state = self.sit().await;
        if self.over {
            return;
        }
        assert_eq!(state["type"], "game_state", "{state}");
        if state["status"] == "pending" {
            // So it had not begun in time.
            assert_eq!((safe.ack, safe.at, safe.points), (0, 0, 0), "{state}");
            return self.say(json!({"type": "player_ready"})).await;
        }
        assert!(number(&state, "ack") >= safe.ack, "{safe:?} was told, and then {state}");
        assert!(number(&state, "at") >= safe.at, "{safe:?} was told, and then {state}");
        let points = points(&state["game"]["scores"]);
        assert!(points >= safe.points, "{safe:?} was told, and then {state}");
        self.n = self.n.max(number(&state, "ack"));
        self.told = safe;
        self.marks = vec![(at, safe)];
    }

    /// Opens a new socket, and gives the first message.
    async fn sit(&mut self) -> Value {
        self.socket = self.client.open(&format!("/ws/game/{}", self.match_id)).await;
        self.socket.next_or_end().await.unwrap_or_else(|code| {
            assert_eq!(code, Some(OVER));
            self.over = true;
            Value::Null
        })
    }

    /// Resigns.
    async fn finish(&mut self) {
        self.resign_at = Some(Instant::now());
        let over = async {
            self.act().await;
            while !self.over {
                match self.socket.next_or_end().await {
                    Ok(message) => self.hear(&message),
                    Err(code) => return assert_eq!(code, Some(OVER)),
                }
            }
        };
        let over = timeout(PATIENCE, over).await;
        over.unwrap_or_else(|_| panic!("match {} does not end", self.match_id));
    }
}

fn number(message: &Value, key: &str) -> u64 {
    message[key].as_u64().unwrap_or_default()
}

fn points(scores: &Value) -> u64 {
    scores.as_array().into_iter().flatten().filter_map(Value::as_u64).sum()
}

/// Two players for each match.
async fn seated(server: &Server, luck: &mut SmallRng) -> Vec<Player> {
    let mut players = Vec::new();
    for pair in 0..MATCHES {
        let (left, right, id) =
            server.pair(&format!("left_{pair}"), &format!("right_{pair}")).await;
        players.push(Player::new(left, &id, 0, SmallRng::from_rng(luck)).await);
        players.push(Player::new(right, &id, 1, SmallRng::from_rng(luck)).await);
    }
    players
}

/// However the server is stopped, its matches go on, end, and count once.
async fn survive(home: Home) {
    let seed = rand::random();
    println!("The seed is {seed}");
    let mut luck = SmallRng::seed_from_u64(seed);
    let mut server = Server::run(home, &[]).await;
    let mut players = seated(&server, &mut luck).await;

    for (signal, [from, to], resigning) in STOPS {
        let stop_at = Instant::now() + Duration::from_millis(luck.random_range(from..to));
        // Those right before the stop, so that it comes while they are settled.
        let playing = players.iter_mut().filter(|it| !it.over && it.seat == 0);
        for player in playing.take(resigning) {
            player.resign_at = Some(stop_at - Duration::from_millis(luck.random_range(0..60)));
        }
        let restart = async {
            sleep_until(stop_at).await;
            let at = Instant::now();
            let server = server.restart(signal, &[]).await;
            assert!(at.elapsed() < 2 * LEAVE_MAX, "a {signal} took {:?}", at.elapsed());
            (server, (at, signal))
        };
        let playing = players.iter_mut().filter(|it| !it.over).map(Player::play);
        let (codes, (started, stop)) = tokio::join!(join_all(playing), restart);
        server = started;
        if signal == "TERM" {
            assert!(codes.iter().all(|it| matches!(*it, Some(RESTART | OVER))), "{codes:?}");
        }
        let playing = players.iter_mut().filter(|it| !it.over);
        join_all(playing.map(|it| it.come_back(&server.base, stop))).await;
        nobody_is_in_two_matches(&server).await;
    }
    join_all(players.iter_mut().filter(|it| !it.over).map(Player::finish)).await;
    everything_counts_once(&server, &players).await;
}

async fn nobody_is_in_two_matches(server: &Server) {
    let twice = "select count(*) from (
        select user_id from match_players join matches on id = match_id
        where status <> 'finished' group by user_id having count(*) > 1) as twice";
    assert_eq!(server.home.number(twice).await, 0);
    let still = "select count(*) from playing join matches on id = match_id
                 where status = 'finished'";
    assert_eq!(server.home.number(still).await, 0);
}

async fn everything_counts_once(server: &Server, players: &[Player]) {
    for (sql, expected) in [
        ("select count(*) from matches where status = 'finished'", MATCHES),
        ("select count(*) from matches", MATCHES),
        ("select count(*) from replays", MATCHES),
        ("select count(*) from journal", 0),
        ("select count(*) from playing", 0),
        ("select count(*) from ratings where wins + losses + draws = 1", 2 * MATCHES),
        (
            "select count(*) from ratings r join match_players p on p.user_id = r.user_id
             where p.rating_before = 1500 and p.rating_after = r.rating",
            2 * MATCHES,
        ),
    ] {
        assert_eq!(server.home.number(sql).await, expected as i64, "{sql}");
    }
    for player in players.iter().filter(|it| it.seat == 0) {
        let ran = server.home.artel(&["replay", "verify", &player.match_id], &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_survive_crashes_on_sqlite() {
    survive(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_survive_crashes_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    survive(home).await;
}

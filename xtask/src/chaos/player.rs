//! Somebody who plays one match after another, and comes back whenever the connection is lost: with
//! the number of the last message heard, and all that may not have been dealt with.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use rand::{RngExt as _, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

use super::world::World;
use crate::bench::{rest::Account, server::ORIGIN};

/// How long to wait, in ms, before the server is asked again.
const RETRY_MS: [u64; 2] = [50, 200];
/// How often to ask whether there is a match.
const LOOK_MS: [u64; 2] = [200, 400];
/// How often the paddle is moved.
const MOVE_MS: [u64; 2] = [250, 600];
/// Opening a socket takes no longer.
const OPEN_MAX: Duration = Duration::from_secs(20);
/// A match that says nothing for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How many of the last messages said may have to be said again.
const SAID_MAX: usize = 32;
/// How far back messages heard are remembered: much longer than it takes to hear of a stop.
const REMEMBERED: Duration = Duration::from_secs(10);

/// When a match is given up, in ms after it began …
const GIVE_UP_MS: [u64; 2] = [2_000, 20_000];
/// … by so many players, while the others play to the end.
const GIVE_UP: f64 = 0.8;
/// The share that gives up in a burst.
const IN_A_BURST: f64 = 0.25;
/// When they give up if they are to finish, in ms.
const FINISH_MS: [u64; 2] = [500, 15_000];
/// How often, at each move, the connection is dropped for no reason.
const DROP: f64 = 0.005;
/// How many want to play on with the same opponent, and how long they wait for that.
const REMATCH: f64 = 0.4;
const REMATCH_MAX: Duration = Duration::from_secs(2);

/// Refusals that a resumed match may give to what is said again.
const HARMLESS: [&str; 2] = ["match_over", "not_begun"];
const RESTART: u16 = 1012;
const TRY_LATER: u16 = 1013;
const REPLACED: u16 = 4409;
const MATCH_OVER: u16 = 4410;

type Socket = WebSocketStream<TcpStream>;

pub(crate) struct Player {
    pub(crate) account: Account,
    pub(crate) id: String,
    luck: SmallRng,
}

/// What the server has told about a match, and must not forget.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Known {
    begun: bool,
    /// The number of an own action that the game has seen.
    ack: u64,
    /// Match time, in ms.
    at: u64,
    scores: [i64; 2],
}

/// A player's seat in one match, over all its connections.
struct Seat<'a> {
    world: &'a World,
    player: &'a mut Player,
    match_id: &'a str,
    /// Which it is, once that was heard.
    index: Option<usize>,
    /// The number of the last message heard.
    seq: Option<u64>,
    /// The number of the last message said.
    n: u64,
    /// The last messages said.
    said: VecDeque<(u64, String)>,
    known: Known,
    /// What was known after each message of this connection, and before all of them.
    marks: VecDeque<(Instant, Known)>,
    before: Known,
    /// When the connection was opened that the marks are of.
    opened: Option<Instant>,
    /// When the match was last heard of, and whether the connection was lost since.
    heard: Option<Instant>,
    lost: bool,
    give_up: Option<Instant>,
    over: bool,
    counted: bool,
}

/// How a connection ended.
#[derive(Debug, PartialEq)]
enum End {
    /// The match is over.
    Over,
    /// With this code, if the server gave one.
    Lost(Option<u16>),
    /// We dropped it.
    Dropped,
}

impl Player {
    pub(crate) async fn sign_in(world: &World, number: u64, luck: SmallRng) -> Result<Player> {
        let account = world.rest.sign_in(number).await?;
        let me = world.rest.call("GET", "/api/me", Some(&account), None).await?;
        let id = me["user"]["id"].as_str().context("no id")?.to_owned();
        Ok(Player { account, id, luck })
    }

    /// Plays until told to finish.
    pub(crate) async fn play(mut self, world: Arc<World>) -> Player {
        while let Some(match_id) = self.next_match(&world).await {
            world.sees(&match_id);
            Seat::new(&world, &mut self, &match_id).play().await;
        }
        self
    }

    /// Waits for a match, in the queue if need be; none once it is time to finish.
    async fn next_match(&mut self, world: &World) -> Option<String> {
        loop {
            // It may be that the server does not answer now.
            if let Ok(found) = self.look(world).await {
                match found {
                    Some(match_id) => return Some(match_id),
                    None if world.mood().borrow().finish => return None,
                    None => {}
                }
            }
            sleep(self.some(LOOK_MS)).await;
        }
    }

    /// Queues, or leaves the queue when it is time, and looks for a match.
    async fn look(&self, world: &World) -> Result<Option<String>> {
        // Looked at first: whoever left the queue is in no match that is made later.
        let (finish, call) = (world.mood().borrow().finish, &world.rest);
        if finish {
            call.call("POST", "/api/queue/pong/leave", Some(&self.account), Some(&json!({})))
                .await?;
        }
        let me = call.call("GET", "/api/me", Some(&self.account), None).await?;
        if let Some(match_id) = me["match"]["id"].as_str() {
            return Ok(Some(match_id.to_owned()));
        }
        if !finish && me["queue"].is_null() {
            call.call("POST", "/api/queue/pong/join", Some(&self.account), Some(&json!({})))
                .await?;
        }
        anyhow::ensure!(finish == world.mood().borrow().finish, "the mood changed meanwhile");
        Ok(None)
    }

    fn some(&mut self, [low, high]: [u64; 2]) -> Duration {
        Duration::from_millis(self.luck.random_range(low..high))
    }
}

impl<'a> Seat<'a> {
    fn new(world: &'a World, player: &'a mut Player, match_id: &'a str) -> Seat<'a> {
        Seat {
            world,
            player,
            match_id,
            index: None,
            seq: None,
            n: 0,
            said: VecDeque::new(),
            known: Known::default(),
            marks: VecDeque::new(),
            before: Known::default(),
            opened: None,
            heard: None,
            lost: false,
            give_up: None,
            over: false,
            counted: false,
        }
    }

    /// Stays until the match is over.
    async fn play(mut self) {
        loop {
            let pause = self.player.some(RETRY_MS);
            // Opened no earlier than now, which matters where a stop comes between.
            let opened = Instant::now();
            match self.open().await {
                Ok(mut socket) => match self.talk(&mut socket, opened).await {
                    End::Over => break,
                    End::Dropped => {}
                    End::Lost(code) => self.lost(code, opened),
                },
                // Nobody is there, or the ticket was given by a server that is gone.
                Err(_) => sleep(pause).await,
            }
            if self.over {
                break;
            }
        }
        self.count(false);
        self.settle();
        self.world.scored(self.match_id, self.known.scores);
    }

    async fn open(&mut self) -> Result<Socket> {
        let ticket = self.world.rest.ticket(&mut self.player.account).await?;
        let stream = self.world.rest.connect().await?;
        let after = self.seq.map(|seq| format!("&after={seq}")).unwrap_or_default();
        let (server, id) = (self.world.rest.server(), self.match_id);
        let url = format!("ws://{server}/ws/game/{id}?ticket={ticket}{after}");
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("origin", ORIGIN.parse()?);
        Ok(timeout(OPEN_MAX, client_async(request, stream)).await??.0)
    }

    /// Plays over one connection until it ends.
    async fn talk(&mut self, socket: &mut Socket, opened: Instant) -> End {
        let mut mood = self.world.mood();
        let bursts = mood.borrow_and_update().bursts;
        let mut next = Instant::now() + self.player.some(MOVE_MS);
        let mut heard = Instant::now();
        let mut first = true;
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    let message = match message {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(Message::Close(close))) => return ended(close),
                        Some(Ok(_)) => continue,
                        Some(Err(_)) | None => return End::Lost(None),
                    };
                    let message: Value = serde_json::from_str(&message).unwrap_or_default();
                    let before = self.heard.replace(heard);
                    if std::mem::take(&mut self.lost)
                        && let Some(before) = before
                    {
                        self.world.back(before);
                    }
                    if std::mem::take(&mut first) {
                        self.resume(&message, opened);
                    }
                    if self.hear(&message, heard, socket).await.is_err() {
                        return End::Lost(None);
                    }
                    if self.over {
                        self.after_the_end(socket).await;
                        return End::Over;
                    }
                }
                () = sleep_until(next.into()) => {
                    next += self.player.some(MOVE_MS);
                    if heard.elapsed() > SILENCE_MAX {
                        self.broken("a match was silent for 30 s", String::new());
                        return End::Dropped;
                    }
                    if self.player.luck.random_bool(DROP) {
                        return End::Dropped;
                    }
                    if self.act(socket).await.is_err() {
                        return End::Lost(None);
                    }
                }
                Ok(()) = mood.changed() => {
                    let now = *mood.borrow_and_update();
                    if now.bursts > bursts && self.player.luck.random_bool(IN_A_BURST) {
                        self.give_up = Some(Instant::now());
                        next = Instant::now();
                    }
                }
            }
        }
    }

    /// The first message of a connection is here: it may be the first of a new server's, which must
    /// know all that was told in time by the one before.
    fn resume(&mut self, message: &Value, opened: Instant) {
        let stopped = self.opened.and_then(|it| self.world.stop_after(it)).is_some();
        let told_until = self.known.at;
        self.settle();
        let again = self.opened.replace(opened).is_some();
        if !again {
            return;
        }
        let known = self.known;
        if message["type"] != "game_state" {
            if stopped && known.begun && !self.world.several {
                self.broken("a resumed match went on without its state", message.to_string());
            }
            return;
        }
        let now = Known {
            begun: message["status"] != "pending",
            ack: message["ack"].as_u64().unwrap_or_default(),
            at: message["at"].as_u64().unwrap_or_default(),
            scores: scores(&message["game"]["scores"]),
        };
        if stopped && now.begun && now.at < told_until {
            self.world.took_back(Duration::from_millis(told_until - now.at));
        }
        if known.begun && !now.begun {
            self.broken("a match that had begun waits again", format!("{known:?}"));
        }
        if now.ack < known.ack {
            self.broken("an action was acknowledged and lost", format!("{known:?}, then {now:?}"));
        }
        if now.begun && now.scores.iter().zip(known.scores).any(|(now, known)| *now < known) {
            self.broken("a point was told and lost", format!("{known:?}, then {now:?}"));
        }
        if now.begun && now.at < known.at {
            self.broken("a match's clock went back", format!("{known:?}, then {now:?}"));
        }
        let seq = message["seq"].as_u64();
        if stopped && known.begun && seq <= self.seq && !self.world.several {
            let example = format!("{:?}, then {seq:?}", self.seq);
            self.broken("a resumed match numbers messages as before", example);
        }
    }

    /// Forgets what a stop may have taken with it.
    fn settle(&mut self) {
        let Some(opened) = self.opened else { return };
        let last = self.marks.back().map_or(opened, |(heard, _)| *heard);
        let stops = self.world.stops_that_ended(opened, last);
        if !stops.is_empty() {
            let spares = |heard: Instant| stops.iter().all(|it| it.spares(heard));
            let spared = self.marks.iter().rev().find(|(heard, _)| spares(*heard));
            let scores = self.known.scores;
            self.known = spared.map_or(self.before, |(_, known)| *known);
            // Points are written before they are told, unless the database is away.
            if !self.world.cut_since(last) {
                self.known.scores = scores;
            }
        }
        self.before = self.known;
        self.marks.clear();
    }

    async fn hear(&mut self, message: &Value, now: Instant, socket: &mut Socket) -> Result<()> {
        let seq = message["seq"].as_u64();
        let kind = message["type"].as_str().unwrap_or_default();
        if let Some(seq) = seq {
            if kind != "game_state" && self.seq.is_some_and(|last| seq != last + 1) {
                self.broken("a gap in seq", format!("{:?}, then {message}", self.seq));
            }
            self.seq = Some(seq);
        }
        match kind {
            "game_state" => self.see(message, socket).await?,
            "player_update" => {
                // A match that had not begun forgets in a crash who was ready.
                let ours = message["seat"].as_u64() == self.index.map(|it| it as u64);
                let unready = matches!(message["status"].as_str(), Some("joined" | "back"));
                if ours && unready && !self.known.begun && self.n > 0 {
                    self.say(r#""type":"player_ready""#, socket).await?;
                }
            }
            "game_update" => {
                self.begin();
                self.known.at = self.known.at.max(message["at"].as_u64().unwrap_or_default());
                if message["seat"].as_u64() == self.index.map(|it| it as u64)
                    && let Some(n) = message["n"].as_u64()
                {
                    self.known.ack = self.known.ack.max(n);
                }
                self.mark(now);
            }
            "score_update" => {
                self.known.at = self.known.at.max(message["at"].as_u64().unwrap_or_default());
                self.known.scores = scores(&message["scores"]);
                self.mark(now);
            }
            "game_over" => {
                self.over = true;
                self.count(true);
                self.world.hears_of_end(self.match_id, message.clone());
            }
            "error" => {
                let code = message["code"].as_str().unwrap_or_default();
                if !HARMLESS.contains(&code) {
                    self.broken("a player was refused", message.to_string());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A fresh view: gets ready, or goes on with what the match has not heard.
    async fn see(&mut self, state: &Value, socket: &mut Socket) -> Result<()> {
        self.index = state["you"].as_u64().map(|it| it as usize);
        let Some(index) = self.index else {
            self.broken("a player was seated in the crowd", state.to_string());
            return Ok(());
        };
        let ack = state["ack"].as_u64().unwrap_or_default();
        self.n = self.n.max(ack);
        match state["status"].as_str() {
            Some("pending") if state["players"][index]["ready"] != true => {
                self.say(r#""type":"player_ready""#, socket).await?;
            }
            Some("active") => {
                self.begin();
                let again: Vec<_> =
                    self.said.iter().filter(|(n, _)| *n > ack).map(|it| it.1.clone()).collect();
                for text in again {
                    socket.send(Message::text(text)).await?;
                }
            }
            Some("finished") => self.over = true,
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.known.begun = true;
        self.count(true);
        if self.give_up.is_none() && self.player.luck.random_bool(GIVE_UP) {
            self.give_up = Some(Instant::now() + self.player.some(GIVE_UP_MS));
        }
    }

    /// Counts a player in when the match has begun, and out when it is over.
    fn count(&mut self, at_play: bool) {
        let at_play = at_play && !self.over;
        if std::mem::replace(&mut self.counted, at_play) != at_play {
            match at_play {
                true => self.world.at_play.fetch_add(1, Relaxed),
                false => self.world.at_play.fetch_sub(1, Relaxed),
            };
        }
    }

    fn mark(&mut self, now: Instant) {
        self.marks.push_back((now, self.known));
        while self.marks.get(1).is_some_and(|(heard, _)| *heard + REMEMBERED < now) {
            self.before = self.marks.pop_front().map_or(self.before, |(_, known)| known);
        }
    }

    /// Moves, or gives up if it is time.
    async fn act(&mut self, socket: &mut Socket) -> Result<()> {
        if !self.known.begun {
            return Ok(());
        }
        let now = Instant::now();
        if self.world.mood().borrow().finish {
            let soon = now + self.player.some(FINISH_MS);
            self.give_up = Some(self.give_up.map_or(soon, |it| it.min(soon)));
        }
        if self.give_up.is_some_and(|moment| moment <= now) {
            // Said again only if the match does not hear it.
            self.give_up = None;
            return self.say(r#""type":"game_action","action":"resign""#, socket).await;
        }
        let y: f64 = self.player.luck.random();
        self.say(&format!(r#""type":"player_move","y":{y:.4}"#), socket).await
    }

    /// Says a text with the next number.
    async fn say(&mut self, fields: &str, socket: &mut Socket) -> Result<()> {
        self.n += 1;
        let text = format!("{{{fields},\"n\":{}}}", self.n);
        self.said.push_back((self.n, text.clone()));
        if self.said.len() > SAID_MAX {
            self.said.pop_front();
        }
        Ok(socket.send(Message::text(text)).await?)
    }

    /// Waits for a rematch, perhaps.
    async fn after_the_end(&mut self, socket: &mut Socket) {
        if !self.player.luck.random_bool(REMATCH) {
            return;
        }
        let rematch = async {
            socket.send(Message::text(r#"{"type":"rematch"}"#)).await.ok()?;
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                let message: Value = serde_json::from_str(&text).unwrap_or_default();
                if message["type"] == "rematch" && message["match_id"].is_string() {
                    break;
                }
            }
            Some(())
        };
        // Where it leads is found as any match is.
        let _ = timeout(REMATCH_MAX, rematch).await;
    }

    /// The server ended a connection, or it broke.
    fn lost(&mut self, code: Option<u16>, opened: Instant) {
        self.lost = true;
        // One that has not been heard yet may be refused in any way while the server goes.
        let heard = self.opened == Some(opened);
        match (self.world.stop_after(opened), code) {
            (_, Some(MATCH_OVER)) => self.over = true,
            (Some(stop), code)
                if stop.graceful && heard && code != Some(RESTART) && !self.world.several =>
            {
                self.broken(
                    "a deploy closed a socket with another code than 1012",
                    format!("{code:?}"),
                );
            }
            (_, None | Some(RESTART | TRY_LATER | REPLACED)) => {}
            (_, Some(code)) => self.broken("a socket was closed", format!("with {code}")),
        }
    }

    fn broken(&self, rule: &'static str, example: String) {
        let (clock, id, who) = (self.world.clock(), self.match_id, &self.player.id);
        self.world.broken(rule, format!("{clock}  match {id}, player {who}: {example}"));
    }
}

fn ended(close: Option<CloseFrame>) -> End {
    End::Lost(close.map(|it| it.code.into()))
}

fn scores(value: &Value) -> [i64; 2] {
    [0, 1].map(|seat: usize| value[seat].as_i64().unwrap_or_default())
}

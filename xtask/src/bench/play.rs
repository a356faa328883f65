//! One match after another between the same two people.

use std::{
    mem::MaybeUninit,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rand::{SeedableRng, rngs::SmallRng};
use tokio::{
    io::ReadBuf,
    sync::watch,
    time::{Sleep, sleep_until},
};

use super::{
    chair::Chair,
    clock::MatchClock,
    person::{Ball, Person},
    rest::{Account, Rest},
    socket::READ_BYTES,
    tally::Tally,
    wire::{self, Frame, Message, read_frame},
};

const PING_EVERY: Duration = Duration::from_secs(5);
/// A match that says nothing for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What all players share.
pub(crate) struct World {
    pub(crate) rest: Rest,
    pub(crate) tally: Tally,
    pub(crate) began: Instant,
    /// The match that all watchers are at.
    pub(crate) watched: watch::Sender<String>,
}

/// Two people who play until they are stopped.
pub(crate) struct Pair {
    pub(crate) accounts: [Account; 2],
    pub(crate) match_id: String,
    pub(crate) luck: SmallRng,
    /// When they give their first match up, so that the matches of a run end at different times.
    /// Those who are watched play on.
    pub(crate) give_up: Option<Instant>,
    pub(crate) watched: bool,
}

impl Pair {
    pub(crate) async fn play(mut self, world: Arc<World>) {
        let mut give_up = self.give_up;
        loop {
            match self.one(&world, give_up.take()).await {
                Ok(next) => self.match_id = next,
                Err(error) => return world.tally.fault(format!("match lost: {error:#}")),
            }
        }
    }

    /// Plays one match and returns the next.
    async fn one(&mut self, world: &World, give_up: Option<Instant>) -> Result<String> {
        if self.watched {
            world.watched.send_replace(self.match_id.clone());
        }
        let mut chairs = Vec::with_capacity(2);
        for account in &mut self.accounts {
            let person = Person::new(SmallRng::from_rng(&mut self.luck));
            chairs.push(Chair::take(world, account, &self.match_id, person).await?);
        }
        let chairs = chairs.try_into().ok().context("two chairs")?;
        let mut table = Table::new(world, chairs, give_up, self.watched);
        let mut alarm = pin!(sleep_until(Instant::now().into()));
        let next = std::future::poll_fn(|context| table.poll(context, alarm.as_mut())).await;
        if table.phase == Phase::Active {
            world.tally.live.fetch_sub(1, Relaxed);
        }
        for chair in table.chairs {
            chair.socket.leave();
        }
        next
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Pending,
    Active,
    Over,
}

/// A match as its two players see it.
struct Table<'a> {
    world: &'a World,
    chairs: [Chair; 2],
    phase: Phase,
    clock: MatchClock,
    ball: Option<Ball>,
    give_up: Option<Instant>,
    watched: bool,
    heard: Instant,
    /// The match to go to after this one.
    next: Option<String>,
}

impl Table<'_> {
    fn new(
        world: &World,
        chairs: [Chair; 2],
        give_up: Option<Instant>,
        watched: bool,
    ) -> Table<'_> {
        Table {
            world,
            chairs,
            phase: Phase::Pending,
            clock: MatchClock::new(),
            ball: None,
            give_up,
            watched,
            heard: Instant::now(),
            next: None,
        }
    }

    /// Hears all that came, does what is due, and ends when the next match has a name.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut alarm: Pin<&mut Sleep>,
    ) -> Poll<Result<String>> {
        for index in 0..2 {
            let listened = self.listen(index, context);
            if let Some(next) = self.next.take() {
                return Poll::Ready(Ok(next));
            }
            if let Err(error) = listened {
                return Poll::Ready(Err(error));
            }
        }
        loop {
            let due = self.chairs[0].next.min(self.chairs[1].next).into();
            if alarm.deadline() != due {
                alarm.as_mut().reset(due);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            for index in 0..2 {
                if let Err(error) = self.act(index) {
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Reads until there is no more.
    fn listen(&mut self, index: usize, context: &mut Context<'_>) -> Result<()> {
        if self.chairs[index].seq.is_none() {
            let first = self.chairs[index].socket.take_cut();
            self.hear(index, &first)?;
        }
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        while self.chairs[index].socket.read(context, &mut read)? {
            self.hear(index, read.filled())?;
        }
        Ok(())
    }

    /// Hears each whole frame, and keeps the rest.
    fn hear(&mut self, index: usize, mut bytes: &[u8]) -> Result<()> {
        let now = Instant::now();
        while let Some((frame, length)) = read_frame(bytes)? {
            bytes = &bytes[length..];
            self.heard = now;
            self.world.tally.frame(&self.world.tally.heard, length);
            match frame {
                Frame::Text(text) => self.understand(index, &Message::read(text), now)?,
                Frame::Ping(payload) => {
                    self.chairs[index].send(self.world, &wire::pong(payload))?;
                }
                Frame::Close(code) => bail!("closed with {}", code.unwrap_or(1005)),
                Frame::Other => {}
            }
        }
        self.chairs[index].socket.keep_cut(bytes);
        Ok(())
    }

    fn understand(&mut self, index: usize, message: &Message<'_>, now: Instant) -> Result<()> {
        let time = self.by_our_clock(now);
        if let Some(at) = message.at {
            self.clock.hear(at, time);
        }
        self.follow(index, message);
        match message.kind {
            "game_state" => {
                self.chairs[index].seat = message.you;
                match message.status {
                    "pending" => {
                        self.chairs[index].say_numbered(self.world, r#""type":"player_ready""#)?;
                    }
                    "active" => self.begin(index, message.ball, now),
                    _ => {}
                }
            }
            "game_update" => {
                self.begin(index, message.ball.or(self.ball.filter(|_| !message.serve)), now);
                if let (Some(ball), Some(time)) = (message.ball, self.clock.time(time)) {
                    self.world.tally.lateness(time - ball.t);
                }
                if message.seat.is_some() && message.seat != self.chairs[index].seat {
                    self.opponent_moved(1 - index, message.n, now);
                }
            }
            "pong" => {
                if let (Some(sent), Some(at)) = (message.t, message.at) {
                    self.clock.answered(at, sent);
                }
            }
            "game_over" => self.end(now),
            "rematch" => self.next = message.match_id.map(str::to_owned).or(self.next.take()),
            // A move that crossed the end of the match.
            "error" if message.code == "match_over" => {}
            "error" => self.world.tally.fault(format!("refused: {}", message.code)),
            _ => {}
        }
        Ok(())
    }

    /// Checks that nothing was lost on the way.
    fn follow(&mut self, index: usize, message: &Message<'_>) {
        let Some(seq) = message.seq else { return };
        let chair = &mut self.chairs[index];
        let last = chair.seq.replace(seq);
        match message.kind {
            "game_state" if chair.active && message.status == "active" => {
                self.world.tally.fault("fell behind, and was sent the state".to_owned());
            }
            "game_state" => {}
            _ if last.is_some_and(|last| seq != last + 1) => {
                self.world.tally.fault("a gap in seq".to_owned());
            }
            _ => {}
        }
    }

    /// It is active now, if it wasn't, and the ball flies so.
    fn begin(&mut self, index: usize, ball: Option<Ball>, now: Instant) {
        self.ball = ball;
        self.chairs[index].active = true;
        if self.phase == Phase::Pending {
            self.phase = Phase::Active;
            self.world.tally.live.fetch_add(1, Relaxed);
            for chair in &mut self.chairs {
                chair.next = now + chair.person.pause();
            }
        }
    }

    fn end(&mut self, now: Instant) {
        if self.phase == Phase::Active {
            self.world.tally.live.fetch_sub(1, Relaxed);
            self.world.tally.count(&self.world.tally.ended);
        }
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            for chair in &mut self.chairs {
                chair.next = now + chair.person.between(0.3, 1.0);
            }
        }
    }

    fn opponent_moved(&mut self, opponent: usize, n: Option<u64>, now: Instant) {
        while let Some((sent, at)) = self.chairs[opponent].moves.front().copied() {
            if n < Some(sent) {
                break;
            }
            self.chairs[opponent].moves.pop_front();
            if n == Some(sent) {
                self.world.tally.latency(self.watched, now - at);
            } else {
                self.world.tally.count(&self.world.tally.unheard);
            }
        }
    }

    /// Does what a player has to do by now.
    fn act(&mut self, index: usize) -> Result<()> {
        let now = Instant::now();
        ensure!(now - self.heard < SILENCE_MAX, "silent for 30 s");
        let time = self.by_our_clock(now);
        let world = self.world;
        let chair = &mut self.chairs[index];
        if chair.next > now {
            return Ok(());
        }
        if chair.next_ping <= now {
            chair.next_ping = now + PING_EVERY;
            chair.say(world, &format!(r#"{{"type":"ping","t":{time:.3}}}"#))?;
        }
        match (self.phase, chair.seat) {
            (Phase::Active, Some(seat)) => {
                chair.next = now + chair.person.pause();
                if self.give_up.is_some_and(|moment| moment <= now) {
                    self.give_up = None;
                    chair.say_numbered(world, r#""type":"game_action","action":"resign""#)?;
                    return Ok(());
                }
                let match_time = self.clock.time(time).unwrap_or_default();
                let y = chair.person.aim(seat, self.ball.as_ref(), match_time);
                let n =
                    chair.say_numbered(world, &format!(r#""type":"player_move","y":{y:.4}"#))?;
                chair.moves.push_back((n, now));
            }
            (Phase::Over, _) if !chair.offered => {
                chair.next = now + Duration::from_secs(1);
                chair.offered = true;
                chair.say(world, r#"{"type":"rematch"}"#)?;
            }
            (Phase::Pending | Phase::Active | Phase::Over, _) => {
                chair.next = now + Duration::from_secs(1);
            }
        }
        Ok(())
    }

    /// Milliseconds by the clock of all players.
    fn by_our_clock(&self, now: Instant) -> f64 {
        (now - self.world.began).as_secs_f64() * 1000.0
    }
}

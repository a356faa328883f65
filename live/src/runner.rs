//! The task of one match, and the only place where its game meets the clock and the wire.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use games::{
    Audience, BadOptions, Game, Out, Outcome, Reason, Refusal, Said, Seat, Seed, Time, Viewer,
};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    chair::{Chair, End, Full, Glance, Handle, Inbound, Place},
    fan_out::FanOut,
    wire::{
        BadMessage, ChatSaid, GameOver, GameState, GameUpdate, Message, Player, PlayerStatus,
        PlayerUpdate, PongReply, RatingChange, RematchUpdate, Says, ScoreUpdate, SeatState,
        SocketError, Status,
    },
};

/// How long a match waits until everybody is ready.
const READY_WINDOW: Time = Time::secs(15);
/// How long it waits for a rematch once it is over.
const REMATCH_WINDOW: Time = Time::secs(60);
/// How often a player may chat.
const CHAT_PAUSE: Time = Time::secs(1);
/// How many may watch one match.
const WATCHERS_MAX: usize = 200;
/// How many messages may wait for the match; who says more waits.
const INBOX_MAX: usize = 256;
/// A sleep that only an earlier alarm ends.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a match is opened with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The game's options, as JSON.
    pub options: Value,
    /// The game's luck.
    pub seed: Seed,
    /// Who plays, by seat.
    pub players: Vec<Player>,
}

/// How the wait for the players ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// All are ready.
    All,
    /// Some were not, in time.
    CalledOff {
        /// Who was, by seat.
        ready: Vec<bool>,
    },
}

/// A match, for the task that runs it: see the crate's own page for the order of its stages.
pub struct Match<G: Game> {
    opened: Instant,
    options: Value,
    deal: G::Options,
    seed: Seed,
    /// None while pending.
    game: Option<G>,
    status: Status,
    outcome: Option<Outcome>,
    ratings: Option<Vec<RatingChange>>,
    seats: Vec<SeatNow>,
    fan_out: FanOut,
    last_place: Place,
    inbox: mpsc::Receiver<Inbound>,
    left: mpsc::UnboundedReceiver<Place>,
    handle: Handle,
    alarm: Pin<Box<Sleep>>,
}

struct SeatNow {
    player: Player,
    /// Where it is connected from.
    place: Option<Place>,
    /// Whether it has been connected before.
    seen: bool,
    ready: bool,
    /// The highest number of its messages that was dealt with.
    ack: u64,
    /// When it forfeits unless it is back.
    waiting_until: Option<Time>,
    chatted_at: Option<Time>,
    rematch: bool,
}

/// Why a message was refused.
struct Refused<'a> {
    code: &'a str,
    message: &'a str,
}

impl From<Refusal> for Refused<'static> {
    fn from(Refusal { code, message }: Refusal) -> Self {
        Refused { code, message }
    }
}

/// Opens a match: a handle to find it by, and the match for the task that will run it.
///
/// # Errors
/// When the options are not the game's, or not for this many players.
pub fn open<G: Game>(setup: Setup) -> Result<(Handle, Match<G>), BadOptions> {
    let Setup { options, seed, players } = setup;
    let deal: G::Options = serde_json::from_value(options.clone())
        .map_err(|error| BadOptions { field: "options", message: error.to_string() })?;
    let seats = u8::try_from(players.len()).unwrap_or(u8::MAX);
    let dealt = G::deal(deal.clone(), seats, seed, Time(0))?;

    let (to_inbox, inbox) = mpsc::channel(INBOX_MAX);
    let (to_left, left) = mpsc::unbounded_channel();
    let opened = Instant::now();
    let glance = Glance {
        status: Status::Pending,
        scores: dealt.scores(),
        ready: vec![false; players.len()],
    };
    let glance = Arc::new(Mutex::new(glance));
    let handle = Handle { inbox: to_inbox, left: to_left, glance, opened };
    let seats: Vec<SeatNow> = players.into_iter().map(SeatNow::new).collect();
    let it = Match {
        opened,
        options,
        deal,
        seed,
        game: None,
        status: Status::Pending,
        outcome: None,
        ratings: None,
        fan_out: FanOut::new(seats.len()),
        seats,
        last_place: 0,
        inbox,
        left,
        handle: handle.clone(),
        alarm: Box::pin(sleep_until(opened + NEVER)),
    };
    Ok((handle, it))
}

impl<G: Game> Match<G> {
    /// Waits until all are ready, or until it is clear that they will not be.
    pub async fn gather(&mut self) -> Gathered {
        loop {
            if self.seats.iter().all(|it| it.ready) {
                return Gathered::All;
            }
            if self.now() >= READY_WINDOW {
                let ready = self.seats.iter().map(|it| it.ready).collect();
                return Gathered::CalledOff { ready };
            }
            self.step(Some(READY_WINDOW)).await;
        }
    }

    /// Plays from the deal to the outcome, which only the opener knows until it is announced.
    pub async fn play(&mut self) -> Outcome {
        self.begin();
        loop {
            self.catch_up(self.now());
            let game = self.game.as_ref().expect("it has begun");
            if let Some(outcome) = game.outcome() {
                return outcome;
            }
            let due = game.next_wake();
            self.step(due).await;
        }
    }

    /// Goes on serving its players and viewers until `work` is done.
    pub async fn attend<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.step(None) => {}
            }
        }
    }

    /// Tells everybody how it ended. To be called once that is recorded.
    pub fn announce(&mut self, outcome: Outcome, ratings: Option<Vec<RatingChange>>) {
        let at = self.now().as_millis();
        self.status = Status::Finished;
        self.fan_out.number(Audience::All, |seq| {
            json(&GameOver { seq, at, outcome: &outcome, ratings: ratings.as_deref() })
        });
        for seat in &mut self.seats {
            seat.waiting_until = None;
        }
        self.outcome = Some(outcome);
        self.ratings = ratings;
        self.show();
    }

    /// The outcome of a match that never began.
    pub fn called_off(&self) -> Outcome {
        Outcome { winner: None, reason: Reason::CalledOff, scores: vec![0; self.seats.len()] }
    }

    /// Waits for a rematch: true when everybody wants one, false when that is not to be.
    pub async fn linger(&mut self) -> bool {
        let until = self.now() + REMATCH_WINDOW;
        loop {
            if self.seats.iter().all(|it| it.rematch) {
                return true;
            }
            let nobody = self.seats.iter().all(|it| it.place.is_none());
            if nobody || self.now() >= until {
                return false;
            }
            self.step(Some(until)).await;
        }
    }

    /// Sends everybody on to the rematch.
    pub fn lead_to(&self, match_id: &str) {
        self.tell_rematch(Some(match_id));
    }

    /// Waits for one thing to happen, until `until` at most, and deals with it. May be dropped at
    /// any time: what happened is taken and dealt with in one go.
    async fn step(&mut self, until: Option<Time>) {
        let until = until.map_or(NEVER, |it| Duration::from_micros(it.0));
        if self.alarm.deadline() != self.opened + until {
            self.alarm.as_mut().reset(self.opened + until);
        }
        tokio::select! {
            // In this order, so that the last words of who leaves are heard.
            biased;
            Some(inbound) = self.inbox.recv() => self.receive(inbound),
            Some(place) = self.left.recv() => self.vacate(place),
            () = &mut self.alarm => {}
        }
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Deals the game and shows it to everybody.
    fn begin(&mut self) {
        let now = self.now();
        let seats = self.seats.len() as u8;
        let game = G::deal(self.deal.clone(), seats, self.seed, now);
        self.game = Some(game.expect("the same options were dealt when the match was opened"));
        self.status = Status::Active;
        self.show();
        self.fan_out.turn_page();
        for (place, seat) in self.fan_out.places().collect::<Vec<_>>() {
            self.fan_out.tell_one(place, self.view(seat));
        }
        // Whoever was lost since they were ready.
        for seat in 0..seats {
            if self.seats[usize::from(seat)].place.is_none() {
                self.away(now, Seat(seat));
            }
        }
    }

    /// Wakes the game at each moment that it asked for, up to `now`: it sees those moments and
    /// never how late we are.
    fn catch_up(&mut self, now: Time) {
        while let Some(game) = &mut self.game
            && let Some(due) = game.next_wake().filter(|&it| it <= now)
        {
            let mut out = Out::default();
            game.wake(due, &mut out);
            self.tell(due, out, None);
        }
    }

    fn receive(&mut self, inbound: Inbound) {
        match inbound {
            // Who asked and went away meanwhile has dropped the chair, which tells us.
            Inbound::Sit { seat, after, reply } => drop(reply.send(self.sit(seat, after))),
            Inbound::Says { place, message } => {
                // The place may have been taken away since this was said.
                if let Some(seat) = self.fan_out.seat_at(place) {
                    self.hear(place, seat, message);
                }
            }
            Inbound::CaughtUp { place } => {
                if let Some(seat) = self.fan_out.seat_at(place) {
                    self.catch_up(self.now());
                    self.fan_out.bring_up(place, self.view(seat));
                }
            }
        }
    }

    fn sit(&mut self, seat: Option<Seat>, after: Option<u64>) -> Result<Chair, Full> {
        let now = self.now();
        self.catch_up(now);
        if seat.is_none() && self.fan_out.watchers() >= WATCHERS_MAX {
            return Err(Full);
        }
        self.last_place += 1;
        let place = self.last_place;
        if let Some(seat) = seat {
            self.return_to(now, seat, place);
        }
        let (queue, shared) = self.fan_out.add(place, seat);
        match after.and_then(|after| self.fan_out.missed(seat, after)) {
            Some(missed) => {
                missed.into_iter().for_each(|it| self.fan_out.tell_one(place, it));
                // What has no number may have been missed too.
                for (index, it) in self.seats.iter().enumerate() {
                    let update = self.player_update(Seat(index as u8), it.status_now());
                    self.fan_out.tell_one(place, update);
                }
            }
            None => self.fan_out.tell_one(place, self.view(seat)),
        }
        let Handle { inbox, left, opened, .. } = self.handle.clone();
        Ok(Chair { place, seat, inbox, left, queue, shared, opened, asked: false })
    }

    /// A seat is connected, from `place`.
    fn return_to(&mut self, now: Time, seat: Seat, place: Place) {
        let it = &mut self.seats[seat.index()];
        let status = if it.seen { PlayerStatus::Back } else { PlayerStatus::Joined };
        it.seen = true;
        it.waiting_until = None;
        if let Some(older) = it.place.replace(place) {
            self.fan_out.end(older, End::Replaced);
            return;
        }
        if let Some(game) = &mut self.game {
            let mut out = Out::default();
            game.back(now, seat, &mut out);
            self.tell(now, out, None);
        }
        self.fan_out.tell(self.player_update(seat, status));
    }

    fn vacate(&mut self, place: Place) {
        let Some(Some(seat)) = self.fan_out.remove(place) else { return };
        self.seats[seat.index()].place = None;
        let now = self.now();
        self.catch_up(now);
        match self.status {
            Status::Pending => {
                self.seats[seat.index()].ready = false;
                self.show();
                self.fan_out.tell(self.player_update(seat, PlayerStatus::Reconnecting));
            }
            Status::Active => self.away(now, seat),
            Status::Finished => {
                self.fan_out.tell(self.player_update(seat, PlayerStatus::Left));
                if std::mem::take(&mut self.seats[seat.index()].rematch) {
                    self.tell_rematch(None);
                }
            }
        }
    }

    /// A seat's connection is lost in mid-game.
    fn away(&mut self, now: Time, seat: Seat) {
        let mut out = Out::default();
        let game = self.game.as_mut().expect("it has begun");
        self.seats[seat.index()].waiting_until = game.away(now, seat, &mut out);
        self.tell(now, out, None);
        self.fan_out.tell(self.player_update(seat, PlayerStatus::Reconnecting));
    }

    fn hear(&mut self, place: Place, seat: Option<Seat>, message: Result<Message, BadMessage>) {
        let n = match &message {
            Ok(message) => message.n,
            Err(bad) => bad.n,
        };
        // A ping changes nothing, so that it is as good the second time.
        if let Ok(Message { says: Says::Ping(t), .. }) = message {
            let at = self.now().as_millis();
            self.fan_out.tell_one(place, json(&PongReply { t, at }));
            return;
        }
        if let (Some(seat), Some(n)) = (seat, n) {
            let ack = &mut self.seats[seat.index()].ack;
            if n <= *ack {
                return;
            }
            *ack = n;
        }
        let refuse = |fan_out: &FanOut, code: &str, message: &str| {
            fan_out.tell_one(place, json(&SocketError { code, message, n }));
        };
        let says = match message {
            Ok(message) => message.says,
            Err(bad) => return refuse(&self.fan_out, bad.code, &bad.message),
        };
        let Some(seat) = seat else {
            return refuse(&self.fan_out, "not_a_player", "you watch this match; its players act");
        };
        let heard = match says {
            Says::Ready => self.ready(seat),
            Says::Act(action) => match serde_json::from_value(action) {
                Ok(action) => self.act(seat, n, action),
                Err(error) => {
                    return refuse(&self.fan_out, "bad_action", &error.to_string());
                }
            },
            Says::Chat(text) => self.chat(seat, &text),
            Says::Rematch => self.rematch(seat),
            Says::Ping(_) => Ok(()),
        };
        if let Err(Refused { code, message }) = heard {
            refuse(&self.fan_out, code, message);
        }
    }

    fn ready(&mut self, seat: Seat) -> Result<(), Refused<'static>> {
        if self.status == Status::Pending && !self.seats[seat.index()].ready {
            self.seats[seat.index()].ready = true;
            self.show();
            self.fan_out.tell(self.player_update(seat, PlayerStatus::Ready));
        }
        Ok(())
    }

    fn act(
        &mut self,
        seat: Seat,
        n: Option<u64>,
        action: G::Action,
    ) -> Result<(), Refused<'static>> {
        let now = self.now();
        self.catch_up(now);
        let Some(game) = &mut self.game else {
            let message = "this match has not begun: it does when everybody is ready";
            return Err(Refused { code: "not_begun", message });
        };
        let mut out = Out::default();
        game.act(now, seat, action, &mut out)?;
        self.tell(now, out, n.map(|n| (seat, n)));
        Ok(())
    }

    fn chat(&mut self, seat: Seat, text: &str) -> Result<(), Refused<'static>> {
        let now = self.now();
        let last = self.seats[seat.index()].chatted_at;
        if last.is_some_and(|it| now < it + CHAT_PAUSE) {
            let message = "one chat message a second";
            return Err(Refused { code: "too_fast", message });
        }
        self.seats[seat.index()].chatted_at = Some(now);
        self.fan_out.tell(json(&ChatSaid { at: now.as_millis(), seat, text }));
        Ok(())
    }

    fn rematch(&mut self, seat: Seat) -> Result<(), Refused<'static>> {
        if self.status != Status::Finished {
            let message = "this match is not over yet";
            return Err(Refused { code: "not_over", message });
        }
        if !std::mem::replace(&mut self.seats[seat.index()].rematch, true) {
            self.tell_rematch(None);
        }
        Ok(())
    }

    /// Numbers what the game said at `at` and sends it to whom it concerns. `cause` is the message
    /// that made it happen.
    fn tell(&mut self, at: Time, mut out: Out<G::Update>, cause: Option<(Seat, u64)>) {
        let (seat, n) = cause.unzip();
        let at = at.as_millis();
        for said in out.drain() {
            match said {
                Said::Update(audience, update) => self
                    .fan_out
                    .number(audience, |seq| beside(&GameUpdate { seq, at, seat, n }, &update)),
                Said::Scores(scores) => {
                    self.fan_out.number(Audience::All, |seq| {
                        json(&ScoreUpdate { seq, at, scores: &scores })
                    });
                    self.show();
                }
            }
        }
    }

    fn tell_rematch(&self, match_id: Option<&str>) {
        let seats = self.rematch_seats();
        self.fan_out.tell(json(&RematchUpdate { seats, match_id }));
    }

    fn rematch_seats(&self) -> Vec<Seat> {
        let offers = self.seats.iter().enumerate().filter(|(_, it)| it.rematch);
        offers.map(|(index, _)| Seat(index as u8)).collect()
    }

    fn player_update(&self, seat: Seat, status: PlayerStatus) -> Vec<u8> {
        let at = self.now().as_millis();
        let waiting_until = self.seats[seat.index()].waiting_until.map(Time::as_millis);
        json(&PlayerUpdate { at, seat, status, waiting_until })
    }

    /// All that a viewer may know now, as a message.
    fn view(&self, seat: Option<Seat>) -> Vec<u8> {
        let now = self.now();
        let viewer = seat.map_or(Viewer::Crowd, Viewer::Seat);
        let scores = self.scores();
        let pair = self.seats.len() == 2;
        let players =
            self.seats.iter().zip(scores).enumerate().map(|(index, (it, score))| SeatState {
                seat: Seat(index as u8),
                side: pair.then_some(["left", "right"][index.min(1)]),
                player: &it.player,
                score,
                ready: it.ready,
                connected: it.place.is_some(),
                waiting_until: it.waiting_until.map(Time::as_millis),
            });
        let game = self.game.as_ref().map(|it| it.view(now, viewer));
        json(&GameState {
            seq: self.fan_out.seq(seat),
            at: now.as_millis(),
            status: self.status,
            you: seat,
            ack: seat.map_or(0, |it| self.seats[it.index()].ack),
            players: players.collect(),
            ready_until: (self.status == Status::Pending).then_some(READY_WINDOW.as_millis()),
            options: &self.options,
            game: game.map(|it| serde_json::to_value(it).expect("a view is plain data")),
            outcome: self.outcome.as_ref(),
            ratings: self.ratings.as_deref(),
            rematch: self.rematch_seats(),
        })
    }

    fn scores(&self) -> Vec<i64> {
        self.game.as_ref().map_or_else(|| vec![0; self.seats.len()], G::scores)
    }

    /// Brings up to date what can be seen without sitting down.
    fn show(&self) {
        let ready = self.seats.iter().map(|it| it.ready).collect();
        let glance = Glance { status: self.status, scores: self.scores(), ready };
        *self.handle.glance.lock().unwrap_or_else(PoisonError::into_inner) = glance;
    }
}

impl SeatNow {
    fn new(player: Player) -> SeatNow {
        SeatNow {
            player,
            place: None,
            seen: false,
            ready: false,
            ack: 0,
            waiting_until: None,
            chatted_at: None,
            rematch: false,
        }
    }

    fn status_now(&self) -> PlayerStatus {
        match (self.place.is_some(), self.ready) {
            (false, _) => PlayerStatus::Reconnecting,
            (true, true) => PlayerStatus::Ready,
            (true, false) => PlayerStatus::Joined,
        }
    }
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message is plain data with text for keys")
}

/// The fields of one object after those of another, in one object.
fn beside(head: &impl Serialize, event: &impl Serialize) -> Vec<u8> {
    let mut text = json(head);
    text.pop();
    let event = json(event);
    debug_assert_eq!(event.first(), Some(&b'{'), "an update is an object");
    text.push(b',');
    text.extend_from_slice(&event[1..]);
    text
}

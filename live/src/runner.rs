//! The task of one match, and the only place where its game meets the clock and the wire.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use games::{
    Absence, Audience, BadOptions, Game, Out, Outcome, Pace, Reason, Refusal, Said, Seat, Seed,
    Time, Viewer,
    journal::{self, Cause, Entry, Input, Table},
};
use prometheus_client::metrics::histogram::Histogram;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    runtime::{self, RuntimeFlavor},
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    chair::{Awaited, Chair, End, Full, Glance, Handle, Inbound, MatchClock, Place},
    fan_out::FanOut,
    journal::Journal,
    lease::Lease,
    metrics,
    replay::side,
    wire::{
        BadMessage, ChatSaid, GameOver, GameState, GameUpdate, GestureSeen, Message, Player,
        PlayerStatus, PlayerUpdate, PongReply, RatingChange, RematchUpdate, Says, ScoreUpdate,
        SeatState, SocketError, Status,
    },
};

/// How long a match waits until everybody is ready.
const READY_WINDOW: Time = Time::secs(15);
/// How long it waits for a rematch once it is over.
const REMATCH_WINDOW: Time = Time::secs(60);
/// How often a player may chat.
const CHAT_PAUSE: Time = Time::secs(1);
/// How often a player's gestures are passed on; what comes sooner is left out.
const GESTURE_PAUSE: Time = Time::millis(40);
/// How far back an action may count: so much of what the way of a message takes is made good.
const BACKDATE_MAX: Time = Time::millis(100);
/// How long a point may wait for the journal in a game that tells first: while the database is away
/// play goes on.
const POINT_WAIT: Duration = Duration::from_millis(250);
/// A connection is weak from the first on, and steady again below the second.
const WEAK: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(180)];
/// How many may watch one match.
const WATCHERS_MAX: usize = 2_000;
/// How many messages may wait for the match; who says more waits.
const INBOX_MAX: usize = 256;
/// A sleep that only an earlier alarm ends.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a match is opened with.
#[derive(Debug)]
pub struct Setup {
    /// The game's options, as JSON.
    pub options: Value,
    /// The game's luck.
    pub seed: Seed,
    /// Who plays, by seat.
    pub players: Vec<Player>,
    /// Where it writes what happens.
    pub journal: Journal,
    /// While this does not hold, nobody hears anything.
    pub lease: Lease,
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
    clock: MatchClock,
    options: Value,
    deal: G::Options,
    seed: Seed,
    /// None while pending.
    table: Option<Table<G>>,
    journal: Journal,
    /// What was said and must not be told until its cause is written: all that a game of
    /// [`Pace::WriteFirst`] says, and points with what comes after them.
    held: Vec<Told<G>>,
    status: Status,
    outcome: Option<Outcome>,
    ratings: Option<Vec<RatingChange>>,
    seats: Vec<SeatNow>,
    /// Whose turn it is, while they are away.
    awaited: Option<Awaited>,
    fan_out: FanOut,
    last_place: Place,
    inbox: mpsc::Receiver<Inbound>,
    /// When the message came that is dealt with.
    came: Instant,
    /// How long actions wait.
    latency: Histogram,
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
    /// The last action that was let in and not told yet: its number, and when it came.
    acted: Option<(u64, Instant)>,
    /// When it forfeits unless it is back.
    waiting_until: Option<Time>,
    /// Since when it is away in mid-game.
    away_since: Option<Time>,
    chatted_at: Option<Time>,
    gestured_at: Option<Time>,
    rematch: bool,
    rtt: Option<Duration>,
    weak: bool,
}

/// What a game said, when, and because of which message.
pub(crate) type Told<G> = (Time, Cause, Out<<G as Game>::Update>);

/// Why a message was refused.
struct Refused<'a> {
    code: &'a str,
    message: &'a str,
}

const NOT_BEGUN: Refused<'static> = Refused {
    code: "not_begun",
    message: "this match has not begun: it does when everybody is ready",
};

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
    let deal = crate::options::<G>(&setup.options)?;
    // Tried out now, so that beginning can't fail.
    G::deal(deal.clone(), seats_of(&setup.players), setup.seed, Time(0))?;
    let it = Match::new(setup, deal, Time(0));
    Ok((it.handle.clone(), it))
}

/// Opens a match again where its journal ends. Its clock goes on from there, and it waits for its
/// players, whose fault the interruption was not.
///
/// Its messages are numbered above `seq`, so that no number means two things: that must be more
/// than any number before, also of messages whose cause was never written. The milliseconds since
/// the match was made are, since it never sends so many.
///
/// # Errors
/// When that is not a journal of this game.
pub fn reopen<G: Game>(
    setup: Setup,
    entries: Vec<Entry<G::Action>>,
    seq: u64,
) -> Result<(Handle, Match<G>), journal::BadJournal> {
    let deal = crate::options::<G>(&setup.options).map_err(journal::BadJournal::Options)?;
    let since = entries.last().map_or(Time(0), |it| it.0);
    let seats = seats_of(&setup.players);
    let mut it = Match::<G>::new(setup, deal.clone(), since);
    for (_, input) in &entries {
        if let Input::Act(seat, n, _) = input
            && let Some(seat) = it.seats.get_mut(seat.index())
        {
            seat.ack = seat.ack.max(*n);
        }
    }
    let mut told = Vec::new();
    let table = journal::run::<G>(deal, seats, it.seed, entries, &mut |at, cause, out| {
        told.push((at, cause, out));
    })?;
    it.table = Some(table);
    for (at, cause, out) in told {
        it.fan(at, cause, out);
    }
    it.fan_out.jump(seq);
    it.status = Status::Active;
    for seat in 0..seats {
        it.seats[usize::from(seat)].ready = true;
        it.seats[usize::from(seat)].seen = true;
        it.away(since, Seat(seat), Absence::Interrupted);
    }
    it.show();
    Ok((it.handle.clone(), it))
}

fn seats_of(players: &[Player]) -> u8 {
    u8::try_from(players.len()).unwrap_or(u8::MAX)
}

impl<G: Game> Match<G> {
    fn new(setup: Setup, deal: G::Options, since: Time) -> Match<G> {
        let Setup { options, seed, players, journal, lease } = setup;
        let (to_inbox, inbox) = mpsc::channel(INBOX_MAX);
        let (to_left, left) = mpsc::unbounded_channel();
        let opened = Instant::now();
        let glance = Glance {
            status: Status::Pending,
            scores: vec![0; players.len()],
            ready: vec![false; players.len()],
            awaited: None,
        };
        let glance = Arc::new(Mutex::new(glance));
        let clock = MatchClock { opened, since };
        let handle = Handle { inbox: to_inbox, left: to_left, glance, clock, lease };
        let seats: Vec<SeatNow> = players.into_iter().map(SeatNow::new).collect();
        Match {
            clock,
            options,
            deal,
            seed,
            table: None,
            journal,
            held: Vec::new(),
            status: Status::Pending,
            outcome: None,
            ratings: None,
            awaited: None,
            fan_out: FanOut::new(seats.len()),
            seats,
            last_place: 0,
            inbox,
            came: opened,
            latency: metrics::action_to_update(G::PACE),
            left,
            handle,
            alarm: Box::pin(sleep_until(opened + NEVER)),
        }
    }

    /// Waits until all are ready, or until it is clear that they will not be.
    pub async fn gather(&mut self) -> Gathered {
        self.gather_within(READY_WINDOW).await
    }

    /// The same for players who may be further away than in the lobby.
    pub async fn gather_within(&mut self, window: Time) -> Gathered {
        loop {
            if self.table.is_some() || self.seats.iter().all(|it| it.ready) {
                return Gathered::All;
            }
            if self.clock.now() >= window {
                let ready = self.seats.iter().map(|it| it.ready).collect();
                return Gathered::CalledOff { ready };
            }
            self.step(Some(window)).await;
        }
    }

    /// Plays from the deal to the outcome, which only the opener knows until it is announced.
    pub async fn play(&mut self) -> Outcome {
        if self.table.is_none() {
            self.begin();
        }
        loop {
            self.catch_up(self.clock.now());
            let game = self.table.as_ref().expect("it has begun").game();
            // What ended it is not handed on yet: only so can `written` wait for it.
            if let Some(outcome) = game.outcome() {
                return outcome;
            }
            let due = game.next_wake();
            self.hand_on().await;
            self.step(due).await;
        }
    }

    /// Waits until everything that happened is written, and tells what could not be told before.
    /// To be called between [`play`](Match::play) and the record of its outcome.
    pub async fn written(&mut self) {
        self.write(Duration::MAX).await;
    }

    /// Hands what happened on to the journal, as the game's pace is. A point would be missed by
    /// those who saw it if it were lost in a crash: it waits also where the rest does not.
    async fn hand_on(&mut self) {
        match G::PACE {
            Pace::TellFirst if self.held.is_empty() => self.journal.send().await,
            Pace::TellFirst => self.write(POINT_WAIT).await,
            Pace::WriteFirst => self.written().await,
        }
    }

    async fn write(&mut self, patience: Duration) {
        self.journal.write(patience).await;
        for (at, cause, out) in std::mem::take(&mut self.held) {
            self.fan(at, cause, out);
        }
    }

    /// Goes on serving its players and viewers until `work` is done.
    pub async fn attend<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let turn = async {
                self.step(None).await;
                // What was told is not to wait for `work` to be written; what ended the match is,
                // for `written`.
                let over = self.table.as_ref().is_some_and(|it| it.game().outcome().is_some());
                if G::PACE == Pace::TellFirst && !over {
                    self.hand_on().await;
                }
            };
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = turn => {}
            }
        }
    }

    /// Tells everybody how it ended. To be called once that is recorded.
    pub fn announce(&mut self, outcome: Outcome, ratings: Option<Vec<RatingChange>>) {
        let at = self.clock.now().as_millis();
        self.status = Status::Finished;
        self.fan_out.number(Audience::All, |seq| {
            json(&GameOver { seq, at, outcome: &outcome, ratings: ratings.as_deref() })
        });
        for seat in &mut self.seats {
            seat.waiting_until = None;
        }
        self.awaited = None;
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
        let until = self.clock.now() + REMATCH_WINDOW;
        loop {
            if self.seats.iter().all(|it| it.rematch) {
                return true;
            }
            let nobody = self.seats.iter().all(|it| it.place.is_none());
            if nobody || self.clock.now() >= until {
                return false;
            }
            self.step(Some(until)).await;
        }
    }

    /// It is over for all who are still here. A match that is dropped without this goes on
    /// elsewhere.
    pub fn close(mut self) {
        self.fan_out.end_all(End::Over);
    }

    /// Sends everybody on to the rematch.
    pub fn lead_to(&self, match_id: &str) {
        self.tell_rematch(Some(match_id));
    }

    /// Waits for one thing to happen, until `until` at most, and deals with it. May be dropped at
    /// any time: what happened is taken and dealt with in one go.
    async fn step(&mut self, until: Option<Time>) {
        let until = until.map_or(self.clock.opened + NEVER, |it| self.clock.instant(it));
        if self.alarm.deadline() != until {
            self.alarm.as_mut().reset(until);
        }
        tokio::select! {
            // In this order, so that the last words of who leaves are heard.
            biased;
            Some(inbound) = self.inbox.recv() => self.receive(inbound),
            Some(place) = self.left.recv() => self.vacate(place),
            () = &mut self.alarm => {}
        }
    }

    /// Deals the game and shows it to everybody.
    fn begin(&mut self) {
        let now = self.clock.now();
        let seats = self.seats.len() as u8;
        let table = Table::deal(self.deal.clone(), seats, self.seed, now);
        self.table = Some(table.expect("the same options were dealt when the match was opened"));
        self.journal.push(now, text(&Input::<G::Action>::Deal));
        self.status = Status::Active;
        self.show();
        self.fan_out.turn_page();
        for (place, seat) in self.fan_out.places().collect::<Vec<_>>() {
            self.fan_out.tell_one(place, self.view(seat));
        }
        // Whoever was lost since they were ready.
        for seat in 0..seats {
            if self.seats[usize::from(seat)].place.is_none() {
                self.away(now, Seat(seat), Absence::Lost);
            }
        }
    }

    /// Wakes the game at each moment that it asked for, up to `now`: it sees those moments and
    /// never how late we are.
    fn catch_up(&mut self, now: Time) {
        let Some(table) = &mut self.table else { return };
        let mut told = Vec::new();
        table.catch_up(now, &mut |at, cause, out| told.push((at, cause, out)));
        for (at, cause, out) in told {
            self.journal.push(at, text(&Input::<G::Action>::Reached));
            self.tell(at, cause, out);
        }
        self.look_for_awaited();
    }

    /// Lets an input in, and into the journal unless the game refuses it. Answers until when the
    /// game waits for a seat that is away; none before the match has begun.
    fn enter(&mut self, at: Time, input: Input<G::Action>) -> Result<Option<Time>, Refusal> {
        self.catch_up(at);
        let Some(table) = &mut self.table else { return Ok(None) };
        // What comes after the end is no part of the match.
        let over = table.game().outcome().is_some();
        let entry = text(&input);
        let mut told = Vec::new();
        let mut tell = |at, cause, out| told.push((at, cause, out));
        // A decision may take a game long to think through; a paddle's move never does.
        let entered = match (G::PACE, &input) {
            (Pace::WriteFirst, Input::Act(..)) => heavy(|| table.enter(at, input, &mut tell)),
            _ => table.enter(at, input, &mut tell),
        }?;
        if !over {
            self.journal.push(at, entry);
        }
        for (at, cause, out) in told {
            self.tell(at, cause, out);
        }
        self.look_for_awaited();
        Ok(entered)
    }

    /// Shows whether everybody waits for somebody who is away, when that has changed.
    fn look_for_awaited(&mut self) {
        let table = self.table.as_ref().filter(|_| self.status == Status::Active);
        let awaited = table.and_then(|it| it.game().awaits()).and_then(|seat| {
            let since = self.seats.get(seat.index())?.away_since?;
            Some(Awaited { seat, since })
        });
        if self.awaited != awaited {
            self.awaited = awaited;
            self.show();
        }
    }

    fn receive(&mut self, inbound: Inbound) {
        match inbound {
            // Who asked and went away meanwhile has dropped the chair, which tells us.
            Inbound::Sit { seat, after, reply } => drop(reply.send(self.sit(seat, after))),
            Inbound::Says { place, message, came } => {
                self.came = came;
                // The place may have been taken away since this was said.
                if let Some(seat) = self.fan_out.seat_at(place) {
                    self.hear(place, seat, message);
                }
            }
            Inbound::Measured { place, rtt } => {
                if let Some(Some(seat)) = self.fan_out.seat_at(place) {
                    self.measured(seat, rtt);
                }
            }
            Inbound::CaughtUp { place } => {
                if let Some(seat) = self.fan_out.seat_at(place) {
                    self.catch_up(self.clock.now());
                    self.fan_out.bring_up(place, self.view(seat));
                }
            }
        }
    }

    fn sit(&mut self, seat: Option<Seat>, after: Option<u64>) -> Result<Chair, Full> {
        let now = self.clock.now();
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
        // Who has heard nothing yet has nothing to add to.
        let heard = after.filter(|&it| it > 0);
        match heard.and_then(|it| self.fan_out.missed(seat, it)) {
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
        let Handle { inbox, left, clock, lease, .. } = self.handle.clone();
        let (asked, kept) = (false, None);
        Ok(Chair { place, seat, inbox, left, queue, shared, clock, asked, lease, kept })
    }

    /// A seat is connected, from `place`.
    fn return_to(&mut self, now: Time, seat: Seat, place: Place) {
        let it = &mut self.seats[seat.index()];
        let status = if it.seen { PlayerStatus::Back } else { PlayerStatus::Joined };
        it.seen = true;
        it.waiting_until = None;
        it.away_since = None;
        if let Some(older) = it.place.replace(place) {
            self.fan_out.end(older, End::Replaced);
            return;
        }
        // Only actions are refused.
        let _ = self.enter(now, Input::Back(seat));
        self.fan_out.tell(self.player_update(seat, status));
    }

    /// Tells both whose connection is weak, as that changes.
    fn measured(&mut self, seat: Seat, rtt: Duration) {
        let it = &mut self.seats[seat.index()];
        it.rtt = Some(rtt);
        let weak = rtt >= WEAK[usize::from(it.weak)];
        if std::mem::replace(&mut it.weak, weak) != weak {
            let status = if weak { PlayerStatus::Weak } else { PlayerStatus::Steady };
            self.fan_out.tell(self.player_update(seat, status));
        }
    }

    fn vacate(&mut self, place: Place) {
        let Some(Some(seat)) = self.fan_out.remove(place) else { return };
        self.seats[seat.index()].place = None;
        let now = self.clock.now();
        self.catch_up(now);
        match self.status {
            Status::Pending => {
                self.seats[seat.index()].ready = false;
                self.show();
                self.fan_out.tell(self.player_update(seat, PlayerStatus::Reconnecting));
            }
            Status::Active => self.away(now, seat, Absence::Lost),
            Status::Finished => {
                self.fan_out.tell(self.player_update(seat, PlayerStatus::Left));
                if std::mem::take(&mut self.seats[seat.index()].rematch) {
                    self.tell_rematch(None);
                }
            }
        }
    }

    /// A seat is not connected in mid-game.
    fn away(&mut self, now: Time, seat: Seat, absence: Absence) {
        self.seats[seat.index()].away_since = Some(now);
        let until = self.enter(now, Input::Away(seat, absence));
        self.seats[seat.index()].waiting_until = until.ok().flatten();
        self.fan_out.tell(self.player_update(seat, PlayerStatus::Reconnecting));
    }

    fn hear(&mut self, place: Place, seat: Option<Seat>, message: Result<Message, BadMessage>) {
        let n = match &message {
            Ok(message) => message.n,
            Err(bad) => bad.n,
        };
        // A ping changes nothing, so that it is as good the second time.
        if let Ok(Message { says: Says::Ping(t), .. }) = message {
            let at = self.clock.now().as_millis();
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
        let (says, at) = match message {
            Ok(message) => (message.says, message.at),
            Err(bad) => return refuse(&self.fan_out, &bad.code, &bad.message),
        };
        let Some(seat) = seat else {
            return refuse(&self.fan_out, "not_a_player", "you watch this match; its players act");
        };
        let heard = match says {
            Says::Ready => self.ready(seat),
            Says::Act(action) => match serde_json::from_value(action) {
                Ok(action) => self.act(seat, n, at, action),
                Err(error) => {
                    return refuse(&self.fan_out, "bad_action", &error.to_string());
                }
            },
            Says::Gesture(gesture) => match serde_json::from_value(gesture) {
                Ok(gesture) => self.gesture(place, seat, &gesture),
                Err(error) => {
                    return refuse(&self.fan_out, "bad_gesture", &error.to_string());
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
        at: Option<u64>,
        action: G::Action,
    ) -> Result<(), Refused<'static>> {
        if self.table.is_none() {
            return Err(NOT_BEGUN);
        }
        let n = n.unwrap_or_default();
        let at = self.counts_from(at);
        self.seats[seat.index()].acted = Some((n, self.came));
        self.enter(at, Input::Act(seat, n, action))?;
        Ok(())
    }

    /// When an action counts that was made at `made`, by its client's reckoning. A client that lies
    /// gains [`BACKDATE_MAX`] and no more, and nobody changes what the match has already seen.
    fn counts_from(&self, made: Option<u64>) -> Time {
        let now = self.clock.now();
        let seen = self.table.as_ref().map_or(now, Table::now);
        let made = made.map_or(now, Time::millis);
        made.max(now - BACKDATE_MAX).max(seen).min(now)
    }

    /// Shows the others what a hand is doing.
    fn gesture(
        &mut self,
        place: Place,
        seat: Seat,
        gesture: &G::Gesture,
    ) -> Result<(), Refused<'static>> {
        let now = self.clock.now();
        self.catch_up(now);
        let Some(table) = &self.table else { return Err(NOT_BEGUN) };
        table.game().gesture(seat, gesture)?;
        let last = &mut self.seats[seat.index()].gestured_at;
        if last.is_none_or(|it| it + GESTURE_PAUSE <= now) {
            *last = Some(now);
            let gesture = serde_json::to_value(gesture).expect("a gesture is plain data");
            let seen = GestureSeen { at: now.as_millis(), seat, gesture };
            self.fan_out.glimpse(place, json(&seen));
        }
        Ok(())
    }

    fn chat(&mut self, seat: Seat, text: &str) -> Result<(), Refused<'static>> {
        let now = self.clock.now();
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

    /// Sends what the game said to whom it concerns, as soon as its pace allows.
    fn tell(&mut self, at: Time, cause: Cause, out: Out<G::Update>) {
        match G::PACE {
            Pace::TellFirst if self.held.is_empty() && !out.scored() => self.fan(at, cause, out),
            Pace::TellFirst | Pace::WriteFirst => self.held.push((at, cause, out)),
        }
    }

    /// Numbers what the game said at `at` and sends it to whom it concerns. `cause` is the message
    /// that made it happen.
    fn fan(&mut self, at: Time, cause: Cause, mut out: Out<G::Update>) {
        let (seat, n) = cause.unzip();
        let at = at.as_millis();
        let mut told = false;
        for said in out.drain() {
            told = true;
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
        if let (true, Some((seat, n))) = (told, cause)
            && let Some(acted) = self.seats.get_mut(seat.index()).map(|it| &mut it.acted)
            && let Some((_, came)) = acted.take_if(|it| it.0 == n)
        {
            self.latency.observe(came.elapsed().as_secs_f64());
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
        let at = self.clock.now().as_millis();
        let it = &self.seats[seat.index()];
        let waiting_until = it.waiting_until.map(Time::as_millis);
        json(&PlayerUpdate { at, seat, status, waiting_until, rtt: it.rtt() })
    }

    /// All that a viewer may know now, as a message.
    fn view(&self, seat: Option<Seat>) -> Vec<u8> {
        let now = self.clock.now();
        let viewer = seat.map_or(Viewer::Crowd, Viewer::Seat);
        let scores = self.scores();
        let players =
            self.seats.iter().zip(scores).enumerate().map(|(index, (it, score))| SeatState {
                seat: Seat(index as u8),
                side: side(Seat(index as u8), self.seats.len()),
                player: &it.player,
                score,
                ready: it.ready,
                connected: it.place.is_some(),
                waiting_until: it.waiting_until.map(Time::as_millis),
                rtt: it.rtt(),
            });
        let game = self.table.as_ref().map(|it| it.game().view(now, viewer));
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
        match &self.table {
            Some(table) => table.game().scores(),
            None => vec![0; self.seats.len()],
        }
    }

    /// Brings up to date what can be seen without sitting down.
    fn show(&self) {
        let ready = self.seats.iter().map(|it| it.ready).collect();
        let awaited = self.awaited;
        let glance = Glance { status: self.status, scores: self.scores(), ready, awaited };
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
            acted: None,
            waiting_until: None,
            away_since: None,
            chatted_at: None,
            gestured_at: None,
            rematch: false,
            rtt: None,
            weak: false,
        }
    }

    fn rtt(&self) -> Option<u64> {
        self.rtt.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
    }

    fn status_now(&self) -> PlayerStatus {
        match (self.place.is_some(), self.ready) {
            (false, _) => PlayerStatus::Reconnecting,
            (true, true) => PlayerStatus::Ready,
            (true, false) => PlayerStatus::Joined,
        }
    }
}

/// Does what may take a millisecond or more where it keeps no other task waiting: this worker's
/// other tasks are handed to another thread meanwhile.
pub fn heavy<T>(work: impl FnOnce() -> T) -> T {
    match runtime::Handle::try_current().map(|it| it.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // There is one thread, or no runtime: nobody to hand them to.
        _ => work(),
    }
}

fn text(input: &impl Serialize) -> String {
    serde_json::to_string(input).expect("an input is plain data")
}

pub(crate) fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message is plain data with text for keys")
}

/// The fields of one object after those of another, in one object.
pub(crate) fn beside(head: &impl Serialize, event: &impl Serialize) -> Vec<u8> {
    let mut text = json(head);
    text.pop();
    let event = json(event);
    debug_assert_eq!(event.first(), Some(&b'{'), "an update is an object");
    text.push(b',');
    text.extend_from_slice(&event[1..]);
    text
}

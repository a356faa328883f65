//! One run of the server, from its start to a crash or a deploy: what the arena does around the
//! live matches, step for step, over the stand-in database.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use games::{Seat, pong::Pong};
use live::{
    Chair, End, Handle, Line, Status,
    wire::{Message, Player, PlayerUser},
};
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    database::{Failed, MatchId, MatchRow, NewMatch, Person, Rows},
    link::{Body, Side, link},
    luck::Luck,
    plan::Plant,
    world::{RunEnd, World},
};

/// As in the arena.
const LINES_MAX: usize = 64 * 1024;
const GATHER: Duration = Duration::from_millis(5);
const GROUP_MAX: usize = 4_000;
const GROUP_RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
const OPEN_RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(15)];
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// As at the server's sockets.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(5);
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// What was told so long before a crash must be in the journal, while the database answers.
const LOST_MAX: Duration = Duration::from_millis(50);

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Server(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    /// Which run of the server this is, from 1.
    run: u64,
    lines: mpsc::Sender<Line>,
    running: Mutex<BTreeMap<MatchId, Running>>,
    pairing: tokio::sync::Mutex<()>,
    luck: Mutex<Luck>,
    /// Since when lines wait to be written.
    writing_since: Mutex<Option<Instant>>,
    closing: CancellationToken,
    /// Nothing writes to the journal any more.
    written: CancellationToken,
    /// The process is gone.
    killed: CancellationToken,
    players: TaskTracker,
    tasks: TaskTracker,
    others: TaskTracker,
}

#[derive(Clone)]
struct Running {
    handle: Handle,
    players: [Person; 2],
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Idle,
    Waiting,
    Matched(MatchId),
}

/// What a client holds once it is connected.
pub(super) struct Connected {
    pub(super) side: Side,
    /// The run of the server that it is connected to.
    pub(super) run: u64,
    /// When the match's clock showed 0, or would have.
    pub(super) zero: Instant,
}

/// Why a socket was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    Over,
    NotNow,
}

impl Server {
    /// Starts it, and gives it once it serves.
    pub(super) async fn start(world: Arc<World>, run: u64, luck: Luck) -> Result<Server, Failed> {
        let (lines, to_write) = mpsc::channel(LINES_MAX);
        let server = Server(Arc::new(Inner {
            world,
            run,
            lines,
            running: Mutex::default(),
            pairing: tokio::sync::Mutex::default(),
            luck: Mutex::new(luck),
            writing_since: Mutex::default(),
            closing: CancellationToken::new(),
            written: CancellationToken::new(),
            killed: CancellationToken::new(),
            players: TaskTracker::new(),
            tasks: TaskTracker::new(),
            others: TaskTracker::new(),
        }));
        server.spawn(&server.0.tasks, server.clone().write_lines(to_write));
        server.spawn(&server.0.tasks, server.clone().run_matcher());
        if let Err(failed) = server.recover().await {
            server.kill().await;
            return Err(failed);
        }
        Ok(server)
    }

    pub(super) fn run(&self) -> u64 {
        self.0.run
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.0.world
    }

    pub(super) fn luck(&self) -> MutexGuard<'_, Luck> {
        self.0.luck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<MatchId, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The matches that can be watched.
    pub(super) fn listed(&self) -> Vec<MatchId> {
        self.running().keys().copied().collect()
    }

    pub(super) async fn transact<T>(
        &self,
        work: impl FnOnce(&mut Rows) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        self.0.world.database.transact(work).await
    }

    /// Lets a part of the server run until that ends, or the process does.
    fn spawn(&self, tracker: &TaskTracker, work: impl Future<Output = ()> + Send + 'static) {
        let killed = self.0.killed.clone();
        tracker.spawn(async move {
            tokio::select! {
                biased;
                () = killed.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Answers a request: dropped when the process ends, with or without what it asked for done.
    pub(super) fn answer(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.spawn(&self.0.others, work);
    }

    /// The process ends at once, wherever it is.
    pub(super) async fn kill(&self) {
        let now = Instant::now();
        let waits = *self.0.writing_since.lock().unwrap_or_else(PoisonError::into_inner);
        let kept_before = waits.unwrap_or(now).min(now - LOST_MAX.min(now - self.0.world.began));
        self.0.world.ended(self.0.run, RunEnd::Crash { kept_before });
        self.0.killed.cancel();
        for tracker in [&self.0.players, &self.0.tasks, &self.0.others] {
            tracker.close();
            tracker.wait().await;
        }
    }

    /// A deploy: lets go of the matches, writes what is left, and ends.
    pub(super) async fn stop(&self) {
        self.0.closing.cancel();
        let drain = async {
            self.0.players.close();
            self.0.players.wait().await;
            self.0.written.cancel();
            self.0.tasks.close();
            self.0.tasks.wait().await;
        };
        if timeout(DRAIN_TIME_MAX, drain).await.is_err() {
            return self.kill().await;
        }
        self.0.world.ended(self.0.run, RunEnd::Deploy);
        self.0.killed.cancel();
        self.0.others.close();
        self.0.others.wait().await;
    }

    /// The writer of the journal: groups of lines, each one statement.
    async fn write_lines(self, mut lines: mpsc::Receiver<Line>) {
        let waits = |since| {
            *self.0.writing_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
        };
        let mut group = Vec::new();
        let mut gathered = Instant::now();
        loop {
            // Lines that are here already came while the last group was written.
            let since = Some(gathered).filter(|_| !lines.is_empty());
            tokio::select! {
                biased;
                _ = lines.recv_many(&mut group, GROUP_MAX) => {}
                () = self.0.written.cancelled() => return,
            }
            waits(since.or(Some(Instant::now())));
            if group.len() < GROUP_MAX && !self.0.written.is_cancelled() {
                sleep(GATHER).await;
                while group.len() < GROUP_MAX
                    && let Ok(line) = lines.try_recv()
                {
                    group.push(line);
                }
            }
            gathered = Instant::now();
            let say = |group: &mut Vec<Line>| {
                for told in group.iter_mut().filter_map(|it| it.written.take()) {
                    let _ = told.send(());
                }
            };
            let plan = self.0.world.plan.clone();
            if plan.plant == Some(Plant::SayWritten) {
                say(&mut group);
            }
            let [mut pause, longest] = GROUP_RETRY;
            let insert = |rows: &mut Rows| {
                rows.insert_lines(&plan, &group);
                Ok(())
            };
            while self.transact(insert).await.is_err() {
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            waits(None);
            say(&mut group);
            group.clear();
        }
    }

    /// Goes on with the matches that the last run left unfinished.
    async fn recover(&self) -> Result<(), Failed> {
        let unfinished = |rows: &mut Rows| {
            let live = rows.matches.iter().filter(|(_, it)| it.status != Status::Finished);
            Ok(live.map(|(&id, _)| id).collect::<Vec<_>>())
        };
        for id in self.transact(unfinished).await? {
            let forgotten = self.0.world.plan.plant == Some(Plant::ForgetMatch) && id % 3 == 0;
            if !forgotten && !self.running().contains_key(&id) {
                self.open_match(id).await;
            }
        }
        Ok(())
    }

    pub(super) async fn open_match(&self, id: MatchId) {
        if self.try_open(id).await.is_ok() {
            return;
        }
        let server = self.clone();
        let retry = async move {
            let [mut pause, longest] = OPEN_RETRY;
            loop {
                tokio::select! {
                    biased;
                    () = server.0.closing.cancelled() => return,
                    () = sleep(pause) => {}
                }
                if server.try_open(id).await.is_ok() {
                    return;
                }
                pause = (pause * 2).min(longest);
            }
        };
        self.spawn(&self.0.tasks, retry);
    }

    pub(super) fn new_match(&self, players: [Person; 2], of: Option<MatchId>) -> NewMatch {
        let (id, seed, now) = (self.0.world.new_id(), self.luck().next(), self.0.world.millis());
        NewMatch { id, players, seed, rematch_of: of, now }
    }

    /// Opens a match whose insertion was not answered, if it was inserted.
    pub(super) fn open_if_made(&self, id: MatchId) {
        let server = self.clone();
        let look = async move {
            let [mut pause, longest] = OPEN_RETRY;
            loop {
                tokio::select! {
                    biased;
                    () = server.0.closing.cancelled() => return,
                    () = sleep(pause) => {}
                }
                match server.info(id).await {
                    Ok(_) => return server.open_match(id).await,
                    Err(Failed::Refused) => return,
                    Err(Failed::NoAnswer) => pause = (pause * 2).min(longest),
                }
            }
        };
        self.spawn(&self.0.tasks, look);
    }

    async fn try_open(&self, id: MatchId) -> Result<(), Failed> {
        let read = |rows: &mut Rows| {
            let row = rows.matches.get(&id).cloned().ok_or(Failed::Refused)?;
            Ok((row, rows.entries(id)))
        };
        let (row, entries) = self.transact(read).await?;
        if let Err(bad) = self.open(id, row, entries) {
            self.0.world.complain(format!("match {id} can't be opened: {bad}"));
        }
        Ok(())
    }

    fn open(
        &self,
        id: MatchId,
        row: MatchRow,
        entries: Vec<(games::Time, String)>,
    ) -> Result<(), String> {
        let players = row.players;
        let journal = live::Journal::new(id, entries.len() as u64, self.0.lines.clone());
        let seed = games::Seed(row.seed);
        let setup = live::Setup { options: row.options, seed, players: shown(players), journal };
        let (handle, table) = if entries.is_empty() {
            live::open::<Pong>(setup).map_err(|bad| bad.message)?
        } else {
            let age = self.0.world.millis() - row.created_at;
            let entry = |(at, input): &(_, String)| Ok((*at, serde_json::from_str(input)?));
            let entries: serde_json::Result<Vec<_>> = entries.iter().map(entry).collect();
            let entries = entries.map_err(|error| error.to_string())?;
            live::reopen::<Pong>(setup, entries, age).map_err(|bad| format!("{bad:?}"))?
        };
        if self.running().insert(id, Running { handle, players }).is_some() {
            self.0.world.complain(format!("match {id} has two tasks"));
        }
        let server = self.clone();
        let work = async move {
            let work = AssertUnwindSafe(server.clone().run_match(id, players, table));
            let done = tokio::select! {
                biased;
                () = server.0.closing.cancelled() => Ok(()),
                done = work.catch_unwind() => done,
            };
            server.running().remove(&id);
            if done.is_err() {
                server.0.world.complain(format!("the task of match {id} panicked"));
            }
        };
        self.spawn(&self.0.players, work);
        Ok(())
    }

    async fn run_matcher(self) {
        loop {
            tokio::select! {
                biased;
                () = self.0.closing.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            // What fails now is tried again with the next look.
            let _ = self.pair_up().await;
        }
    }

    async fn pair_up(&self) -> Result<(), Failed> {
        let _turn = self.0.pairing.lock().await;
        let waiting = |rows: &mut Rows| {
            let mut waiting: Vec<_> = rows.queue.iter().map(|(&who, &at)| (at, who)).collect();
            waiting.sort_unstable();
            Ok(waiting)
        };
        let waiting = self.transact(waiting).await?;
        for pair in waiting.chunks_exact(2) {
            if self.0.closing.is_cancelled() {
                break;
            }
            let mut players = [pair[0].1, pair[1].1];
            if self.luck().chance(0.5) {
                players.reverse();
            }
            let (plan, new) = (&self.0.world.plan, self.new_match(players, None));
            let make = |rows: &mut Rows| {
                if players.iter().any(|it| !rows.queue.contains_key(it)) {
                    return Err(Failed::Refused);
                }
                rows.insert_match(plan, new)
            };
            match self.transact(make).await {
                Ok(()) => self.open_match(new.id).await,
                Err(Failed::Refused) => {}
                Err(Failed::NoAnswer) => {
                    self.open_if_made(new.id);
                    return Err(Failed::NoAnswer);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn join(self, who: Person) -> Result<Whereabouts, Failed> {
        let now = self.0.world.millis();
        let enter = |rows: &mut Rows| {
            if !rows.playing.contains_key(&who) {
                rows.queue.entry(who).or_insert(now);
            }
            Ok(())
        };
        self.transact(enter).await?;
        self.pair_up().await?;
        self.whereabouts(who).await
    }

    pub(super) async fn leave(self, who: Person) -> Result<Whereabouts, Failed> {
        let leave = |rows: &mut Rows| {
            rows.queue.remove(&who);
            Ok(())
        };
        self.transact(leave).await?;
        self.whereabouts(who).await
    }

    pub(super) async fn whereabouts(&self, who: Person) -> Result<Whereabouts, Failed> {
        let look = |rows: &mut Rows| {
            Ok(match (rows.playing.get(&who), rows.queue.contains_key(&who)) {
                (Some(&id), _) => Whereabouts::Matched(id),
                (None, true) => Whereabouts::Waiting,
                (None, false) => Whereabouts::Idle,
            })
        };
        self.transact(look).await
    }

    /// A match as it is stored.
    pub(super) async fn info(&self, id: MatchId) -> Result<MatchRow, Failed> {
        self.transact(|rows| rows.matches.get(&id).cloned().ok_or(Failed::Refused)).await
    }

    /// Opens a socket at a match.
    pub(super) async fn sit(
        self,
        who: Option<Person>,
        id: MatchId,
        after: Option<u64>,
    ) -> Result<Connected, NoSeat> {
        let found = self.running().get(&id).cloned();
        let Some(Running { handle, players }) = found else {
            let info = self.info(id).await.map_err(|_| NoSeat::NotNow)?;
            return Err(match info.status {
                Status::Finished => NoSeat::Over,
                Status::Pending | Status::Active => NoSeat::NotNow,
            });
        };
        let seat = players.iter().position(|&it| Some(it) == who).map(|it| Seat(it as u8));
        let chair = handle.sit(seat, after).await.map_err(|_| NoSeat::Over)?;
        let chair = chair.map_err(|_| NoSeat::NotNow)?;
        let (ours, side) = link(&mut self.luck(), self.0.world.delay());
        let zero = Instant::now() - Duration::from_millis(chair.at()).min(self.0.world.elapsed());
        self.answer(self.clone().talk(chair, ours));
        Ok(Connected { side, run: self.0.run, zero })
    }

    /// Carries messages both ways until one side ends it, as the server's sockets do.
    async fn talk(self, mut chair: Chair, mut side: Side) {
        let mut pings = interval(PING_EVERY);
        let mut said = 0u64;
        loop {
            tokio::select! {
                biased;
                heard = chair.hear() => {
                    let (body, last) = match heard {
                        Ok(message) => (String::from_utf8(message.into()).map(Body::Text), false),
                        Err(End::Replaced) => (Ok(Body::Close(4409)), true),
                        Err(End::Over) if self.0.closing.is_cancelled() => {
                            (Ok(Body::Close(1012)), true)
                        }
                        Err(End::Over) => (Ok(Body::Close(4410)), true),
                    };
                    let Ok(body) = body else {
                        return self.0.world.complain("a message is not text".to_owned());
                    };
                    said += 1;
                    let lost = self.0.world.plan.plant == Some(Plant::LoseMessage);
                    if lost && said == 7 {
                        continue;
                    }
                    let done = timeout(WRITE_TIME_MAX, side.say(body)).await;
                    if last || !matches!(done, Ok(Ok(()))) {
                        return;
                    }
                }
                said = side.hear() => match said {
                    Ok(frame) => {
                        if let Body::Text(text) = frame.body {
                            chair.say(Message::parse(&text)).await;
                        }
                    }
                    Err(_) => return,
                },
                _ = pings.tick() => chair.measured(side.round_trip()).await,
            }
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.0.closing.is_cancelled()
    }
}

/// How players are shown at the table.
pub(super) fn shown(players: [Person; 2]) -> Vec<Player> {
    let player = |id: Person| Player {
        user: PlayerUser {
            id: id.to_string(),
            username: None,
            display_name: format!("Player {id}"),
            avatar_url: None,
        },
        rating: super::database::NEW_RATING,
        provisional: true,
        computer: None,
    };
    players.map(player).to_vec()
}

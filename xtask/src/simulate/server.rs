//! One run of the server, from its start to a crash or a deploy: what the arena does around the
//! live matches, step for step, over the stand-in database.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use live::{Handle, Line};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    database::{Failed, MatchId, Person, Rows},
    luck::Luck,
    plan::Plant,
    world::{RunEnd, World},
};

/// As in the arena.
const LINES_MAX: usize = 64 * 1024;
const GATHER: Duration = Duration::from_millis(5);
const GROUP_MAX: usize = 4_000;
const GROUP_RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// How long a deploy may take.
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

/// A match that this run of the server runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) handle: Handle,
    pub(super) players: [Person; 2],
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

    pub(super) fn lines(&self) -> mpsc::Sender<Line> {
        self.0.lines.clone()
    }

    /// Those who make pairs take turns.
    pub(super) async fn pairing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.pairing.lock().await
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<MatchId, Running>> {
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

    pub(super) fn is_closing(&self) -> bool {
        self.0.closing.is_cancelled()
    }

    /// Waits; false when the server closes meanwhile.
    pub(super) async fn pause(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.closing.cancelled() => false,
            () = sleep(pause) => true,
        }
    }

    /// Lets something go on in the background until that ends, or the process does.
    pub(super) fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.spawn(&self.0.tasks, work);
    }

    /// Lets the task of a match run until that ends, or the server lets go of it.
    pub(super) fn run_task(&self, id: MatchId, task: impl Future<Output = ()> + Send + 'static) {
        let server = self.clone();
        let work = async move {
            let task = AssertUnwindSafe(task).catch_unwind();
            let done = tokio::select! {
                biased;
                () = server.0.closing.cancelled() => Ok(()),
                done = task => done,
            };
            server.running().remove(&id);
            if done.is_err() {
                server.world().complain(format!("the task of match {id} panicked"));
            }
        };
        self.spawn(&self.0.players, work);
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
}

//! One run: a world of its own with its own time, its troubles, and what came of them.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    checks,
    database::{Database, MatchId, Person},
    luck::Luck,
    person::{self, Final},
    plan::{Plan, Plant},
    server::Server,
    stream::Told,
};

/// How long everybody may take to finish in peace: longer than the longest match.
const PEACE_MAX: Duration = Duration::from_secs(60 * 60);
/// How many complaints of a run are kept.
const COMPLAINTS_MAX: usize = 10;

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What went wrong, if anything.
    pub(super) complaints: Vec<String>,
    /// What happened, where that was asked for.
    pub(super) story: Vec<String>,
    /// Stands for everything that happened: the same seed gives the same.
    pub(super) digest: u64,
    pub(super) matches: usize,
    pub(super) messages: u64,
    pub(super) stops: u64,
    /// How much time passed in it.
    pub(super) passed: Duration,
}

/// How a run of the server ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum RunEnd {
    /// What was told before this moment had to be kept.
    Crash { kept_before: Instant },
    /// Everything that was told had to be kept.
    Deploy,
}

/// What everybody in a run can reach.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) database: Database,
    pub(super) began: Instant,
    /// The troubles are over, and nobody begins anything new.
    pub(super) calm: CancellationToken,
    server: Mutex<Option<Server>>,
    last_id: AtomicI64,
    log: Mutex<Log>,
    tracing: bool,
}

#[derive(Default)]
struct Log {
    report: Report,
    hasher: DefaultHasher,
    ends: BTreeMap<u64, RunEnd>,
    told: Vec<Told>,
    finals: BTreeMap<(MatchId, Person), Final>,
    /// What everybody does now, for when somebody never comes to an end.
    doing: BTreeMap<String, String>,
}

/// The server can't be reached, or was gone before it answered.
#[derive(Debug)]
pub(super) struct Down;

/// Runs the world of a seed, on a clock that stands still while anybody has something to do.
pub(super) fn run(seed: u64, plant: Option<Plant>, tracing: bool) -> Report {
    // In a thread of its own, since the caller's may belong to another runtime already.
    let run = thread::spawn(move || run_here(seed, plant, tracing));
    run.join().unwrap_or_else(|_| Report {
        complaints: vec!["the simulation itself panicked".to_owned()],
        ..Report::default()
    })
}

fn run_here(seed: u64, plant: Option<Plant>, tracing: bool) -> Report {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without sockets needs nothing of the system");
    runtime.block_on(async {
        let mut luck = Luck::new(seed);
        let plan = Plan::draw(&mut luck, plant);
        let world = Arc::new(World {
            database: Database::new(plan.clone(), luck.fork()),
            plan,
            began: Instant::now(),
            calm: CancellationToken::new(),
            server: Mutex::default(),
            last_id: AtomicI64::new(0),
            log: Mutex::default(),
            tracing,
        });
        world.tell(|| format!("{:?}", world.plan));
        world.live(luck).await;
        checks::check(&world);
        world.report()
    })
}

impl World {
    async fn live(self: &Arc<World>, mut luck: Luck) {
        let troubles = TaskTracker::new();
        let people = TaskTracker::new();
        self.start(0, &mut luck).await;
        troubles.spawn(self.clone().stop_and_start(luck.fork()));
        troubles.spawn(self.clone().fail_now_and_then(luck.fork()));
        for who in 1..=self.plan.people {
            people.spawn(person::play(self.clone(), who, luck.fork()));
        }
        for number in 1..=self.plan.watchers {
            people.spawn(person::watch(self.clone(), number, luck.fork()));
        }
        sleep(self.plan.storm).await;
        self.calm.cancel();
        self.database.calm();
        troubles.close();
        troubles.wait().await;
        people.close();
        if timeout(PEACE_MAX, people.wait()).await.is_err() {
            let doing = self.log().doing.clone();
            for (who, what) in doing {
                self.complain(format!("{who} never comes to an end: {what}"));
            }
        }
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// Starts the server, again and again until it serves.
    async fn start(self: &Arc<World>, last: u64, luck: &mut Luck) {
        let mut run = last;
        loop {
            run += 1;
            self.tell(|| format!("run {run} of the server starts"));
            if let Ok(server) = Server::start(self.clone(), run, luck.fork()).await {
                *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
                return;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Crashes and deploys.
    async fn stop_and_start(self: Arc<World>, mut luck: Luck) {
        let Some(every) = self.plan.stop_every else { return };
        while self.has_trouble(luck.around(every)).await {
            let Some(server) = self.server() else { return };
            match luck.chance(self.plan.deploys) {
                true => {
                    self.tell(|| "a deploy".to_owned());
                    server.stop().await;
                }
                false => {
                    self.tell(|| "a crash".to_owned());
                    server.kill().await;
                }
            }
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.log().report.stops += 1;
            sleep(luck.millis(50..=4_000)).await;
            self.start(server.run(), &mut luck).await;
        }
    }

    /// Times in which the database does not answer.
    async fn fail_now_and_then(self: Arc<World>, mut luck: Luck) {
        let Some(every) = self.plan.outage_every else { return };
        while self.has_trouble(luck.around(every)).await {
            self.tell(|| "the database is out".to_owned());
            self.database.set_out(true);
            self.has_trouble(luck.millis(50..=5_000)).await;
            self.database.set_out(false);
            self.tell(|| "the database is back".to_owned());
        }
    }

    /// Waits for the next trouble; false when there will be no more.
    async fn has_trouble(&self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.calm.cancelled() => false,
            () = sleep(wait) => true,
        }
    }

    pub(super) fn server(&self) -> Option<Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the server something, as a request that dies with it.
    pub(super) async fn call<T, F>(
        &self,
        luck: &mut Luck,
        ask: impl FnOnce(Server) -> F,
    ) -> Result<T, Down>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        sleep(luck.millis(self.delay())).await;
        let server = self.server().filter(|it| !it.is_closing()).ok_or(Down)?;
        let (reply, answer) = oneshot::channel();
        let work = ask(server.clone());
        server.answer(async move {
            let _ = reply.send(work.await);
        });
        let answer = answer.await.map_err(|_| Down)?;
        sleep(luck.millis(self.delay())).await;
        Ok(answer)
    }

    /// How long a message is on its way.
    pub(super) fn delay(&self) -> RangeInclusive<u64> {
        match self.calm.is_cancelled() {
            true => 1..=3,
            false => self.plan.delay.clone(),
        }
    }

    /// An id that no match has had.
    pub(super) fn new_id(&self) -> MatchId {
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn millis(&self) -> u64 {
        self.elapsed().as_millis() as u64
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is not as it must be.
    pub(super) fn complain(&self, what: String) {
        let what = format!("at {:.3} s: {what}", self.elapsed().as_secs_f64());
        self.tell(|| format!("WRONG: {what}"));
        let complaints = &mut self.log().report.complaints;
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(what);
        }
    }

    /// A line of the story.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tracing {
            let line = format!("{:9.3} {}", self.elapsed().as_secs_f64(), what());
            self.log().report.story.push(line);
        }
    }

    /// What somebody does now.
    pub(super) fn does(&self, who: &str, what: String) {
        self.tell(|| format!("{who}: {what}"));
        self.log().doing.insert(who.to_owned(), what);
    }

    /// Somebody has come to an end.
    pub(super) fn is_done(&self, who: &str) {
        self.log().doing.remove(who);
    }

    pub(super) fn ended(&self, run: u64, end: RunEnd) {
        self.log().ends.insert(run, end);
    }

    pub(super) fn end_of(&self, run: u64) -> Option<RunEnd> {
        self.log().ends.get(&run).copied()
    }

    /// A message has reached a client.
    pub(super) fn count(&self, message: &str) {
        let now = self.elapsed();
        let mut log = self.log();
        log.report.messages += 1;
        (now, message).hash(&mut log.hasher);
    }

    /// What was heard on a connection that is over.
    pub(super) fn keep_told(&self, told: Told) {
        self.log().told.push(told);
    }

    pub(super) fn take_told(&self) -> Vec<Told> {
        std::mem::take(&mut self.log().told)
    }

    /// How a match ended, for one who was in it. Not to change any more.
    pub(super) fn keep_final(&self, id: MatchId, who: Person, end: Final) {
        let before = self.log().finals.insert((id, who), end.clone());
        if let Some(before) = before.filter(|it| *it != end) {
            let what = format!("match {id} ended for player {who} as {before:?}, and as {end:?}");
            self.complain(what);
        }
    }

    pub(super) fn finals(&self) -> BTreeMap<(MatchId, Person), Final> {
        self.log().finals.clone()
    }

    fn report(&self) -> Report {
        let passed = self.elapsed();
        let mut log = self.log();
        let mut report = std::mem::take(&mut log.report);
        self.database.look(|rows| {
            report.matches = rows.matches.len();
            format!("{rows:?}").hash(&mut log.hasher);
        });
        report.complaints.hash(&mut log.hasher);
        report.passed = passed;
        report.digest = log.hasher.finish();
        report
    }
}

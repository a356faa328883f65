//! Several processes over one PostgreSQL and one Redis: who lives, who runs which match, and who
//! takes over. `docs/cluster.md` has the rules, and why they suffice.
//!
//! On SQLite, and on PostgreSQL without Redis, there is one process, which [`alone`] sees to.

mod alone;
mod beats;
mod owners;
mod relay;
mod watch;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use live::Lease;
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};

pub(crate) use alone::{Place, check};
pub(crate) use owners::{Owner, OwnerRows};
pub(crate) use relay::Relay;

use crate::{Arena, Error, MatchId, Options, Refused, Result, Why, bus::ProcessId};
use watch::Watch;

/// How often a process says that it lives, and looks who else does.
const BEAT_EVERY: Duration = Duration::from_millis(240);
/// How long a beat keeps the lease, from when it was sent …
const LEASE: Duration = Duration::from_millis(1_500);
/// … and for how long others must have seen none: longer, and so certainly after it.
const SILENT: Duration = Duration::from_millis(1_600);
/// Shares of matches of which who waits for one may not have heard yet.
const SHARES_KEPT: usize = 64;
/// Redis is away when it has not answered for so long.
const REDIS_AWAY: Duration = Duration::from_secs(3);

/// What a process knows of itself among others.
pub(crate) struct Cluster {
    /// This process; 0 on SQLite, where nobody asks.
    pub(crate) me: ProcessId,
    /// While it holds, what happens in our matches may be told.
    pub(crate) lease: Lease,
    /// Whether there may be others.
    several: bool,
    began: Instant,
    /// When Redis last answered, in milliseconds since `began`, and 1.
    redis_answered: AtomicU64,
    watch: Mutex<Watch>,
    free: Notify,
    /// Matches that others have taken over, share by share.
    taken: broadcast::Sender<Arc<Share>>,
    /// Matches that are being opened.
    opening: Mutex<HashSet<MatchId>>,
}

/// A number for this process; 0 on SQLite, where there is no other.
pub(crate) fn new_process(options: &Options) -> ProcessId {
    match options.database_url.starts_with("sqlite:") {
        true => 0,
        false => (rand::random::<u64>() >> 1).max(1) as ProcessId,
    }
}

/// What PostgreSQL calls the connections of a process.
pub(crate) fn connections_of(process: ProcessId) -> String {
    format!("artel {process}")
}

/// Matches that another process has taken over, and runs.
pub(crate) struct Share {
    pub(crate) by: ProcessId,
    pub(crate) ids: Vec<MatchId>,
}

/// Keeps a match from being opened twice at a time.
pub(crate) struct Opening<'a> {
    cluster: &'a Cluster,
    id: MatchId,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        lock(&self.cluster.opening).remove(&self.id);
    }
}

impl Cluster {
    /// `me` is of [`new_process`].
    pub(crate) fn new(me: ProcessId, options: &Options) -> Cluster {
        let several = options.redis_url.is_some();
        Cluster {
            me,
            lease: if several { Lease::lapsed() } else { Lease::unlimited() },
            several,
            began: Instant::now(),
            redis_answered: AtomicU64::new(0),
            watch: Mutex::default(),
            free: Notify::new(),
            taken: broadcast::channel(SHARES_KEPT).0,
            opening: Mutex::default(),
        }
    }

    /// Whether there may be other processes.
    pub(crate) fn is_several(&self) -> bool {
        self.several
    }

    /// Whether a process lives, as far as was seen.
    pub(crate) fn lives(&self, process: ProcessId) -> bool {
        self.watch().knows(process) && !self.is_silent(process)
    }

    /// Whether a process is silent, and its matches are about to be taken over.
    pub(crate) fn is_silent(&self, process: ProcessId) -> bool {
        self.watch().silent(SILENT).iter().any(|it| it.0 == process)
    }

    /// The other processes that live, as far as was seen.
    pub(crate) fn others(&self) -> Vec<ProcessId> {
        let watch = self.watch();
        let silent: HashSet<ProcessId> = watch.silent(SILENT).into_iter().map(|it| it.0).collect();
        watch.listed().filter(|it| *it != self.me && !silent.contains(it)).collect()
    }

    /// Whether this process has been there longest of those that live, as far as was seen: two may
    /// take themselves for it for a moment.
    fn is_eldest(&self) -> bool {
        !self.several || self.watch().eldest(SILENT) == Some(self.me)
    }

    /// There may be matches to take: look now.
    pub(crate) fn look_for_matches(&self) {
        self.free.notify_one();
    }

    /// These run in another process from now on.
    pub(crate) fn others_have(&self, share: Share) {
        // Perhaps nobody waits.
        let _ = self.taken.send(Arc::new(share));
    }

    /// Hears of matches that others take over.
    pub(crate) fn hear_of_taken(&self) -> broadcast::Receiver<Arc<Share>> {
        self.taken.subscribe()
    }

    /// Keeps others here from opening a match; none while another does.
    pub(crate) fn opening(&self, id: MatchId) -> Option<Opening<'_>> {
        lock(&self.opening).insert(id).then_some(Opening { cluster: self, id })
    }

    /// Whether Redis answers, as far as was seen.
    pub(crate) fn has_redis(&self) -> bool {
        let answered = self.redis_answered.load(Ordering::Relaxed);
        let since = Duration::from_millis(answered);
        answered > 0 && self.began.elapsed() < since + REDIS_AWAY
    }

    fn redis_answers(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.redis_answered.store(now + 1, Ordering::Relaxed);
    }

    /// That a new match can be made: without Redis nobody could reach it from another process, nor
    /// take it over.
    pub(crate) fn check_open(&self) -> Result<()> {
        if !self.several || self.has_redis() {
            return Ok(());
        }
        Err(Error::Refused(Refused {
            why: Why::Unavailable,
            code: "unavailable",
            detail: "no new matches for a moment: the server waits for its Redis; try again in a \
                     few seconds"
                .to_owned(),
            fields: Vec::new(),
            retry_after: Some(REDIS_AWAY),
        }))
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    /// When to look at beats again, after a look that was asked for at `asked`: at the pace of
    /// beats, but as soon as a silence may show.
    fn next_look(&self, asked: Instant) -> Instant {
        let next = asked + BEAT_EVERY;
        self.watch().due(SILENT, asked).map_or(next, |due| due.min(next))
    }
}

impl Arena {
    /// Whether this process can do its work, as one of several.
    pub(crate) fn check_lease(&self) -> Result<()> {
        if self.cluster.lease.holds() {
            return Ok(());
        }
        let detail = "this process has lost touch with the others: try again in a few seconds";
        Err(Error::refused(Why::Unavailable, "unavailable", detail))
    }

    /// Whether this is the process of the arena that does what one at a time should do. While that
    /// changes, two may or none.
    pub fn leads(&self) -> bool {
        self.cluster.is_eldest()
    }

    /// News were missed: what they told is in the database.
    pub(crate) fn look_again(&self) {
        self.queue.stir();
        self.cluster.look_for_matches();
        let arena = self.clone();
        self.tasks.spawn(self.closing.clone().run_until_cancelled_owned(async move {
            if let Err(error) = arena.refresh_lobby().await {
                tracing::warn!(error = error.report(), "The lobby's pages are not up to date");
            }
        }));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing between lock and unlock can panic halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

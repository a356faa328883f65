//! What is asked often and changes seldom is kept for a while: in Redis where several processes are
//! one arena, else in this process.
//!
//! What is kept is the same for everybody who asks: who may see it is found out each time.
//!
//! Whatever is kept has a *slot* with a *generation*. A reader takes note of the generation, reads
//! the database, and stores what it found into the slot of that generation only; whoever has
//! changed something deletes the slot, and the next generation is another. So what was read before
//! a change can't be stored after it.
//!
//! A process that can't say what it has changed, since Redis does not answer, has a *debt*: it
//! reads from the database, and empties all slots of the arena once Redis is there again, by
//! another *epoch*. Every process begins so: it may be the next of one that died with a debt.

mod changes;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use games::Kind;
use redis::Script;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Arena, Millis, Result, UserId, clock::millis, ids::RoomId, metrics::METRICS, shared::Shared,
};

pub(crate) use changes::Change;

/// How often it is tried to pay what is owed.
pub(crate) const PAY_EVERY: Duration = Duration::from_millis(500);
/// How many slots a process keeps by itself.
const SLOTS_MAX: usize = 4096;
/// What is longer as JSON is not kept.
const BYTES_MAX: usize = 256 * 1024;
/// Changes with the form of what is kept, so that no version reads another's.
const FORMAT: u32 = 1;

/// What can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cached {
    /// The best at a game.
    Top(Kind),
    /// The best at a game of those who play it in a chat.
    GroupTop(i64, Kind),
    /// How well somebody plays.
    Stats(UserId),
    /// A room.
    Room(RoomId),
}

/// Every [`Cached::name`].
pub(crate) const NAMES: [&str; 4] = ["top", "group_top", "stats", "room"];

impl Cached {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cached::Top(_) => "top",
            Cached::GroupTop(..) => "group_top",
            Cached::Stats(_) => "stats",
            Cached::Room(_) => "room",
        }
    }

    fn life(self) -> Duration {
        match self {
            Cached::Top(_) | Cached::GroupTop(..) => Duration::from_secs(5 * 60),
            Cached::Stats(_) => Duration::from_secs(10 * 60),
            Cached::Room(_) => Duration::from_secs(2 * 60 * 60),
        }
    }

    /// The name of its slot in Redis.
    fn slot(self, redis: &Shared) -> String {
        let name = self.name();
        match self {
            Cached::Top(game) => redis.name(format_args!("cache:{FORMAT}:{name}:{game}")),
            Cached::GroupTop(chat, game) => {
                redis.name(format_args!("cache:{FORMAT}:{name}:{chat}:{game}"))
            }
            Cached::Stats(user) => redis.name(format_args!("cache:{FORMAT}:{name}:{user}")),
            Cached::Room(room) => redis.name(format_args!("cache:{FORMAT}:{name}:{}", room.0)),
        }
    }
}

/// What is kept, and where.
pub(crate) enum Cache {
    Own(Mutex<Slots>),
    Shared {
        redis: Arc<Shared>,
        /// How often something was changed that the others could not be told yet.
        debts: AtomicU64,
    },
}

/// The slots of a process that is alone.
#[derive(Default)]
pub(crate) struct Slots {
    slots: HashMap<Cached, Slot>,
    /// Of the last slot that was made.
    generation: u64,
}

struct Slot {
    generation: u64,
    since: Millis,
    /// As JSON.
    value: Option<String>,
}

/// What there is in a slot.
struct Found {
    generation: u64,
    value: Option<String>,
}

/// KEYS: the slot, the epoch. ARGV: a number by luck, the slot's life in milliseconds. Answers the
/// slot's generation and value, and makes the slot where there is none of this epoch.
static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local epoch = redis.call('GET', KEYS[2])
        if not epoch then
            epoch = ARGV[1]
            redis.call('SET', KEYS[2], epoch)
        end
        local slot = redis.call('HMGET', KEYS[1], 'epoch', 'generation', 'value')
        if slot[1] ~= epoch then
            redis.call('DEL', KEYS[1])
            redis.call('HSET', KEYS[1], 'epoch', epoch, 'generation', ARGV[1])
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return {ARGV[1], false}
        end
        return {slot[2], slot[3]}
        ",
    )
});

/// KEYS: the slot. ARGV: the generation, the value, the slot's life in milliseconds.
static KEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
            return 0
        end
        redis.call('HSET', KEYS[1], 'value', ARGV[2])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return 1
        ",
    )
});

/// KEYS: slots.
static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new("for _, key in ipairs(KEYS) do redis.call('UNLINK', key) end return 0")
});

/// KEYS: the epoch. ARGV: a number by luck.
static EMPTY: LazyLock<Script> =
    LazyLock::new(|| Script::new("redis.call('SET', KEYS[1], ARGV[1]) return 0"));

impl Cache {
    pub(crate) fn new(redis: Option<Arc<Shared>>) -> Cache {
        match redis {
            None => Cache::Own(Mutex::default()),
            Some(redis) => Cache::Shared { redis, debts: AtomicU64::new(1) },
        }
    }

    /// What is kept, when it is `good`; else what `load` reads, which is kept when it is `good`.
    pub(crate) async fn get<T: Serialize + DeserializeOwned>(
        &self,
        what: Cached,
        now: Millis,
        good: impl Fn(&T) -> bool,
        load: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let found = self.look(what, now).await;
        let kept = found.as_ref().and_then(|it| serde_json::from_str(it.value.as_deref()?).ok());
        if let Some(kept) = kept.filter(&good) {
            METRICS.cache(what.name(), true);
            return Ok(kept);
        }
        METRICS.cache(what.name(), false);
        let value = load.await?;
        if let (Some(found), true) = (found, good(&value)) {
            let json = serde_json::to_string(&value).map_err(anyhow::Error::from)?;
            if json.len() <= BYTES_MAX {
                self.keep(what, now, found.generation, json).await;
            }
        }
        Ok(value)
    }

    /// None when nothing can be kept now.
    async fn look(&self, what: Cached, now: Millis) -> Option<Found> {
        match self {
            Cache::Own(slots) => Some(lock(slots).look(what, now)),
            Cache::Shared { .. } if self.owes() => None,
            Cache::Shared { redis, .. } => {
                let mut script = LOOK.prepare_invoke();
                script.key(what.slot(redis)).key(epoch(redis));
                script.arg(any_number()).arg(millis(what.life()));
                let (generation, value) = redis.run("cache_look", &script).await?;
                Some(Found { generation, value })
            }
        }
    }

    async fn keep(&self, what: Cached, now: Millis, generation: u64, value: String) {
        match self {
            Cache::Own(slots) => lock(slots).keep(what, now, generation, value),
            Cache::Shared { redis, .. } => {
                let mut script = KEEP.prepare_invoke();
                script.key(what.slot(redis)).arg(generation).arg(value).arg(millis(what.life()));
                let _: Option<u64> = redis.run("cache_keep", &script).await;
            }
        }
    }

    /// To be called after what has changed these is committed.
    pub(crate) async fn forget(&self, what: &[Cached]) {
        match self {
            Cache::Own(slots) => {
                let mut slots = lock(slots);
                for it in what {
                    slots.slots.remove(it);
                }
            }
            Cache::Shared { redis, debts } => {
                let mut script = FORGET.prepare_invoke();
                for it in what {
                    script.key(it.slot(redis));
                }
                let done: Option<u64> = redis.run("cache_forget", &script).await;
                if done.is_none() {
                    debts.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// Forgets everything, here and elsewhere, as soon as can be.
    pub(crate) fn forget_all(&self) {
        match self {
            Cache::Own(slots) => lock(slots).slots.clear(),
            Cache::Shared { debts, .. } => {
                debts.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Whether there is something that the other processes could not be told yet.
    pub(crate) fn owes(&self) -> bool {
        matches!(self, Cache::Shared { debts, .. } if debts.load(Ordering::SeqCst) > 0)
    }

    /// Pays what is owed, if Redis answers.
    pub(crate) async fn pay(&self) {
        let Cache::Shared { redis, debts } = self else { return };
        let owed = debts.load(Ordering::SeqCst);
        if owed == 0 {
            return;
        }
        let mut script = EMPTY.prepare_invoke();
        script.key(epoch(redis)).arg(any_number());
        let paid: Option<u64> = redis.run("cache_empty", &script).await;
        if paid.is_some() {
            // What came to it meanwhile is paid the next time, with all the rest again.
            let _ = debts.compare_exchange(owed, 0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }
}

impl Slots {
    fn look(&mut self, what: Cached, now: Millis) -> Found {
        let lives =
            |what: &Cached, it: &Slot| (it.since..it.since + millis(what.life())).contains(&now);
        if let Some(slot) = self.slots.get(&what).filter(|it| lives(&what, it)) {
            return Found { generation: slot.generation, value: slot.value.clone() };
        }
        if self.slots.len() >= SLOTS_MAX {
            self.slots.retain(|what, it| lives(what, it));
        }
        if self.slots.len() >= SLOTS_MAX {
            let oldest = self.slots.iter().min_by_key(|(_, it)| it.since).map(|it| *it.0);
            if let Some(oldest) = oldest {
                self.slots.remove(&oldest);
            }
        }
        self.generation += 1;
        let generation = self.generation;
        self.slots.insert(what, Slot { generation, since: now, value: None });
        Found { generation, value: None }
    }

    fn keep(&mut self, what: Cached, now: Millis, generation: u64, value: String) {
        if let Some(slot) = self.slots.get_mut(&what).filter(|it| it.generation == generation) {
            (slot.since, slot.value) = (now, Some(value));
        }
    }
}

impl Arena {
    /// What is [kept](Cache::get) of something.
    pub(crate) async fn cached<T: Serialize + DeserializeOwned>(
        &self,
        what: Cached,
        good: impl Fn(&T) -> bool,
        load: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.cache.get(what, self.clock.now(), good, load).await
    }

    /// Tells the other processes what they could not be told before.
    pub(crate) async fn pay_caches(self) -> Result<()> {
        self.cache.pay().await;
        Ok(())
    }
}

/// The name of the epoch in Redis.
fn epoch(redis: &Shared) -> String {
    redis.name(format_args!("cache:epoch"))
}

/// Never the same twice.
fn any_number() -> u64 {
    rand::random()
}

fn lock(slots: &Mutex<Slots>) -> std::sync::MutexGuard<'_, Slots> {
    // OK because nothing between lock and unlock can panic halfway through a change.
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

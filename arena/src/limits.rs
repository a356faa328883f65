//! How often something may be done, by whoever does it.
//!
//! Each limit is a bucket, counted by the generic cell rate algorithm (GCRA): all that is kept of
//! it is when it will be full again, as if each use pushed that moment on by one pause. With Redis
//! the processes of an arena count together, by Redis's clock, so that no two clocks are compared;
//! without it, and while it does not answer, a process counts by itself. Either way what is refused
//! takes nothing from any bucket.
//!
//! Buckets are named by a keyed hash of whose they are: no address, and nothing that somebody
//! typed, can be read in Redis.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use redis::Script;
use sha2::Sha256;

use crate::{Arena, Error, Result, known::Known, shared::Shared};

/// How often it is forgotten who has been quiet.
pub(crate) const FORGET_EVERY: Duration = Duration::from_secs(10);
/// For how long a refusal is remembered, so that who asks on does not trouble Redis. Not until its
/// end, since uses may be given back meanwhile.
const REMEMBER: Duration = Duration::from_millis(250);

/// How often: at most so often at once, and once more after each pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// One word, for metrics and in Redis.
    pub name: &'static str,
    /// How often at once; at least once.
    pub burst: u32,
    /// How long until once more.
    pub pause: Duration,
}

impl Quota {
    /// With a pause in milliseconds.
    pub const fn new(name: &'static str, burst: u32, pause: u64) -> Quota {
        Quota { name, burst, pause: Duration::from_millis(pause) }
    }

    /// Uses a bucket that will be full at `full`, in microseconds as `now` is; answers when it
    /// will be full then.
    ///
    /// # Errors
    /// How many microseconds until it can be used.
    fn take(&self, full: u64, now: u64) -> Result<u64, u64> {
        let (pause, all) = (self.pause_us(), self.pause_us() * u64::from(self.burst));
        // It can't have been used up for longer than that: the clock was set back, or the quota has
        // become smaller.
        let full = if full > now + all { now } else { full.max(now) } + pause;
        match full.saturating_sub(now + all) {
            0 => Ok(full),
            wait => Err(wait),
        }
    }

    fn pause_us(&self) -> u64 {
        us(self.pause)
    }
}

/// One use of somebody's bucket.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    quota: Quota,
    bucket: Bucket,
}

/// Which bucket, to those who can't know whose it is.
type Bucket = [u8; 16];

/// Too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// By which [`Quota::name`].
    pub quota: &'static str,
    /// When to try again.
    pub retry_after: Duration,
}

impl From<Limited> for Error {
    fn from(limited: Limited) -> Error {
        Error::too_many(limited.retry_after)
    }
}

/// The buckets of an arena.
pub(crate) struct Limits {
    names: Hmac<Sha256>,
    own: Buckets,
    shared: Option<SharedBuckets>,
    began: Instant,
}

/// Those that this process counts by itself: when each will be full, in microseconds.
#[derive(Default)]
struct Buckets(Mutex<HashMap<Bucket, u64>>);

/// Those in Redis.
struct SharedBuckets {
    redis: Arc<Shared>,
    /// Buckets that were empty a moment ago.
    refused: Mutex<HashMap<Bucket, Refused>>,
}

/// In microseconds, by this process's clock.
struct Refused {
    /// When it can be used again, unless uses are given back.
    until: u64,
    /// For how long that is believed.
    believed: u64,
}

/// KEYS: buckets. ARGV: for each the pause in microseconds, and the burst.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local full = {}
        for i, key in ipairs(KEYS) do
            local pause = tonumber(ARGV[2 * i - 1])
            local last = now + pause * ARGV[2 * i]
            full[i] = tonumber(redis.call('GET', key) or now)
            if full[i] > last then
                full[i] = now
            end
            full[i] = math.max(full[i], now) + pause
            if full[i] > last then
                return {i, full[i] - last}
            end
        end
        for i, key in ipairs(KEYS) do
            local left = math.ceil((full[i] - now) / 1000)
            redis.call('SET', key, string.format('%.0f', full[i]), 'PX', left)
        end
        return {0, 0}
        ",
    )
});

/// KEYS: buckets. ARGV: for each the pause in microseconds.
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i, key in ipairs(KEYS) do
            local full = redis.call('GET', key)
            if full then
                full = string.format('%.0f', full - ARGV[i])
                redis.call('SET', key, full, 'KEEPTTL')
            end
        end
        return 0
        ",
    )
});

impl Limits {
    pub(crate) fn new(known: &Known, redis: Option<Arc<Shared>>) -> Limits {
        let names = Hmac::new_from_slice(&known.derive("limits"));
        Limits {
            names: names.expect("HMAC takes keys of any length"),
            own: Buckets::default(),
            shared: redis.map(|redis| SharedBuckets { redis, refused: Mutex::default() }),
            began: Instant::now(),
        }
    }

    fn bucket(&self, quota: &Quota, whose: &str) -> Bucket {
        let name = self.names.clone().chain_update(quota.name).chain_update([0]);
        let name = name.chain_update(whose).finalize().into_bytes();
        std::array::from_fn(|at| name[at])
    }

    fn now(&self) -> u64 {
        us(self.began.elapsed())
    }

    async fn take(&self, uses: &[Use]) -> Result<(), Limited> {
        if uses.is_empty() {
            return Ok(());
        }
        let taken = match &self.shared {
            Some(shared) => shared.take(uses, self.now()).await,
            None => None,
        };
        let taken = taken.unwrap_or_else(|| self.own.take(uses, self.now()));
        taken.map_err(|(at, wait)| Limited {
            quota: uses[at].quota.name,
            retry_after: Duration::from_micros(wait),
        })
    }

    async fn give_back(&self, uses: &[Use]) {
        // Whoever counted them: where they were not counted nothing happens.
        self.own.give_back(uses);
        if let Some(shared) = &self.shared {
            shared.give_back(uses).await;
        }
    }

    fn forget(&self) {
        let now = self.now();
        self.own.forget(now);
        if let Some(shared) = &self.shared {
            lock(&shared.refused).retain(|_, it| now < it.believed);
        }
    }
}

impl Buckets {
    /// Uses all, or none and tells which was empty and for how many microseconds yet.
    fn take(&self, uses: &[Use], now: u64) -> Result<(), (usize, u64)> {
        let mut buckets = lock(&self.0);
        let mut full = Vec::with_capacity(uses.len());
        for (at, it) in uses.iter().enumerate() {
            let before = buckets.get(&it.bucket).copied().unwrap_or_default();
            full.push(it.quota.take(before, now).map_err(|wait| (at, wait))?);
        }
        buckets.extend(uses.iter().map(|it| it.bucket).zip(full));
        Ok(())
    }

    fn give_back(&self, uses: &[Use]) {
        let mut buckets = lock(&self.0);
        for it in uses {
            if let Some(full) = buckets.get_mut(&it.bucket) {
                *full = full.saturating_sub(it.quota.pause_us());
            }
        }
    }

    /// Forgets those that are full.
    fn forget(&self, now: u64) {
        lock(&self.0).retain(|_, full| now < *full);
    }
}

impl SharedBuckets {
    /// As [`Buckets::take`]; none when Redis does not answer.
    async fn take(&self, uses: &[Use], now: u64) -> Option<Result<(), (usize, u64)>> {
        if let Some(refused) = self.refused(uses, now) {
            return Some(Err(refused));
        }
        let mut script = TAKE.prepare_invoke();
        for it in uses {
            script.key(self.name(it)).arg(it.quota.pause_us()).arg(it.quota.burst);
        }
        let (which, wait): (usize, u64) = self.redis.run("limit", &script).await?;
        let Some(at) = which.checked_sub(1).filter(|it| *it < uses.len()) else {
            return Some(Ok(()));
        };
        let refused = Refused { until: now + wait, believed: now + wait.min(us(REMEMBER)) };
        lock(&self.refused).insert(uses[at].bucket, refused);
        Some(Err((at, wait)))
    }

    /// Which of these was refused a moment ago.
    fn refused(&self, uses: &[Use], now: u64) -> Option<(usize, u64)> {
        let refused = lock(&self.refused);
        let mut found = uses.iter().map(|it| refused.get(&it.bucket)).enumerate();
        found.find_map(|(at, it)| Some((at, it.filter(|it| now < it.believed)?.until - now)))
    }

    async fn give_back(&self, uses: &[Use]) {
        let mut script = GIVE_BACK.prepare_invoke();
        for it in uses {
            script.key(self.name(it)).arg(it.quota.pause_us());
        }
        let _: Option<u64> = self.redis.run("give_back", &script).await;
        let mut refused = lock(&self.refused);
        for it in uses {
            refused.remove(&it.bucket);
        }
    }

    fn name(&self, it: &Use) -> String {
        let bucket = BASE64_URL_SAFE_NO_PAD.encode(it.bucket);
        self.redis.name(format_args!("limit:{}:{bucket}", it.quota.name))
    }
}

impl Arena {
    /// One use of the bucket that `whose` has of a quota, whatever that says.
    pub fn one_use(&self, quota: Quota, whose: &str) -> Use {
        Use { quota, bucket: self.limits.bucket(&quota, whose) }
    }

    /// Takes all of these; or none, when one is too many. A bucket may be in it once.
    ///
    /// # Errors
    /// The first that is too many.
    pub async fn take(&self, uses: &[Use]) -> Result<(), Limited> {
        self.limits.take(uses).await
    }

    /// Puts back what was taken and needed not be.
    pub async fn give_back(&self, uses: &[Use]) {
        self.limits.give_back(uses).await;
    }

    /// Forgets the buckets that are full: else everybody who was ever here would stay in memory.
    pub(crate) async fn forget_limits(self) -> Result<()> {
        self.limits.forget();
        Ok(())
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // OK because nothing between lock and unlock can panic halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const TEN: Quota = Quota::new("ten", 10, 10_000);

    fn of(quota: Quota, whose: u8) -> Use {
        Use { quota, bucket: [whose; 16] }
    }

    #[test]
    fn a_bucket_fills_again_one_by_one() {
        let (buckets, three) = (Buckets::default(), of(Quota::new("three", 3, 10_000), 1));
        let now = 7 * SECOND;
        for _ in 0..3 {
            assert_eq!(buckets.take(&[three], now), Ok(()));
        }
        assert_eq!(buckets.take(&[three], now), Err((0, 10 * SECOND)));
        assert_eq!(buckets.take(&[three], now + 4 * SECOND), Err((0, 6 * SECOND)));
        assert_eq!(buckets.take(&[three], now + 10 * SECOND), Ok(()));
        assert_eq!(buckets.take(&[three], now + 10 * SECOND), Err((0, 10 * SECOND)));
        assert_eq!(buckets.take(&[of(three.quota, 2)], now + 10 * SECOND), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let buckets = Buckets::default();
        buckets.take(&[of(TEN, 1)], 1_000_000 * SECOND).unwrap();
        for _ in 0..10 {
            assert_eq!(buckets.take(&[of(TEN, 1)], SECOND), Ok(()));
        }
        assert!(buckets.take(&[of(TEN, 1)], SECOND).is_err());
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let (buckets, one) = (Buckets::default(), of(Quota::new("one", 1, 10_000), 9));
        assert_eq!(buckets.take(&[of(TEN, 1), one], SECOND), Ok(()));
        for _ in 0..100 {
            assert_eq!(buckets.take(&[of(TEN, 1), one], SECOND), Err((1, 10 * SECOND)));
        }
        for _ in 0..9 {
            assert_eq!(buckets.take(&[of(TEN, 1)], SECOND), Ok(()));
        }
    }

    #[test]
    fn what_is_given_back_costs_nothing() {
        let buckets = Buckets::default();
        for n in 0..1000 {
            assert_eq!(buckets.take(&[of(TEN, 1)], n), Ok(()));
            buckets.give_back(&[of(TEN, 1)]);
        }
        for _ in 0..10 {
            buckets.take(&[of(TEN, 1)], 2000).unwrap();
        }
        assert!(buckets.take(&[of(TEN, 1)], 2000).is_err());
    }

    #[test]
    fn who_has_been_quiet_is_forgotten() {
        let buckets = Buckets::default();
        buckets.take(&[of(TEN, 1)], 0).unwrap();
        buckets.take(&[of(TEN, 2)], 5 * SECOND).unwrap();
        buckets.forget(10 * SECOND);
        assert_eq!(lock(&buckets.0).keys().collect::<Vec<_>>(), [&[2; 16]]);
        buckets.forget(15 * SECOND);
        assert!(lock(&buckets.0).is_empty());
    }
}

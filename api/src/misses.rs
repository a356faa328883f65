//! Guesses that missed, such as codes of rooms that there are not, and how many anyone has free.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Counts misses by key, in this process. A guess counts as a miss while it is being answered, so
/// that guessing side by side gains nothing.
pub(crate) struct Misses<K> {
    /// How many are free at once.
    burst: f64,
    /// One more is free after so long.
    one_each: Duration,
    kept: Mutex<HashMap<K, Missed>>,
}

/// How many misses somebody had, less those that have become free again since.
struct Missed {
    count: f64,
    at: Instant,
}

impl<K: Eq + Hash> Misses<K> {
    pub(crate) fn new(burst: u16, one_each: Duration) -> Misses<K> {
        Misses { burst: f64::from(burst), one_each, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Missed>> {
        // OK because nothing between lock and unlock can panic halfway through a change.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody guess, and counts that as a miss until it is [taken back](Self::hit).
    ///
    /// # Errors
    /// When they have none free: how long until they do.
    pub(crate) fn guess(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut kept = self.lock();
        let missed = kept.entry(key).or_insert(Missed { count: 0.0, at: now });
        missed.count = self.left(missed, now);
        missed.at = now;
        let over = missed.count + 1.0 - self.burst;
        if over > 0.0 {
            return Err(self.one_each.mul_f64(over));
        }
        missed.count += 1.0;
        Ok(())
    }

    /// A guess was no miss.
    pub(crate) fn hit(&self, key: &K) {
        if let Some(missed) = self.lock().get_mut(key) {
            missed.count = (missed.count - 1.0).max(0.0);
        }
    }

    /// Forgets whoever has all of theirs free.
    pub(crate) fn forget(&self, now: Instant) {
        self.lock().retain(|_, missed| self.left(missed, now) > 0.0);
    }

    fn left(&self, missed: &Missed, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(missed.at);
        (missed.count - passed.div_duration_f64(self.one_each)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn misses_are_counted_and_become_free_again() {
        let (misses, begun) = (Misses::new(3, 10 * SECOND), Instant::now());
        for _ in 0..3 {
            assert_eq!(misses.guess("ann", begun), Ok(()));
        }
        assert_eq!(misses.guess("ann", begun), Err(10 * SECOND));
        assert_eq!(misses.guess("bob", begun), Ok(()));
        assert_eq!(misses.guess("ann", begun + 4 * SECOND), Err(6 * SECOND));
        assert_eq!(misses.guess("ann", begun + 10 * SECOND), Ok(()));
        assert!(misses.guess("ann", begun + 10 * SECOND).is_err());
    }

    #[test]
    fn what_is_no_miss_costs_nothing() {
        let (misses, now) = (Misses::new(3, 10 * SECOND), Instant::now());
        for _ in 0..100 {
            assert_eq!(misses.guess("ann", now), Ok(()));
            misses.hit(&"ann");
        }
        // While they are being answered they count.
        for _ in 0..3 {
            assert_eq!(misses.guess("ann", now), Ok(()));
        }
        assert!(misses.guess("ann", now).is_err());
    }

    #[test]
    fn who_has_been_quiet_is_forgotten() {
        let (misses, now) = (Misses::new(3, 10 * SECOND), Instant::now());
        misses.guess("ann", now).unwrap();
        misses.guess("bob", now + 5 * SECOND).unwrap();
        misses.forget(now + 10 * SECOND);
        assert_eq!(misses.lock().keys().collect::<Vec<_>>(), [&"bob"]);
        misses.forget(now + 15 * SECOND);
        assert!(misses.lock().is_empty());
    }
}

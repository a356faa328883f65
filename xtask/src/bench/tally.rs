//! What the players saw and did.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Counts and samples of one run. All but `live`, `watching` and `faults` count only while
/// recording.
#[derive(Default)]
pub(crate) struct Tally {
    recording: AtomicBool,
    /// Matches in play now.
    pub(crate) live: AtomicU64,
    /// Watchers at their match now.
    pub(crate) watching: AtomicU64,
    /// Matches played to their end.
    pub(crate) ended: AtomicU64,
    pub(crate) heard: Traffic,
    pub(crate) said: Traffic,
    /// What the watchers heard; the rest is the players'.
    pub(crate) watched: Traffic,
    /// Moves that the opponent was never told of, because a later one came first.
    pub(crate) unheard: AtomicU64,
    latency: Mutex<Vec<i32>>,
    watched_latency: Mutex<Vec<i32>>,
    lateness: Mutex<Vec<i32>>,
    faults: Mutex<BTreeMap<String, u64>>,
}

/// Messages and bytes in one direction: whole WebSocket frames, without TCP and IP around them.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Tally {
    pub(crate) fn record(&self, on: bool) {
        self.recording.store(on, Relaxed);
    }

    pub(crate) fn count(&self, counter: &AtomicU64) {
        if self.recording.load(Relaxed) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn frame(&self, traffic: &Traffic, bytes: usize) {
        if self.recording.load(Relaxed) {
            traffic.messages.fetch_add(1, Relaxed);
            traffic.bytes.fetch_add(bytes as u64, Relaxed);
        }
    }

    /// From a player's move to the opponent's knowing of it, in the watched match or in another.
    pub(crate) fn latency(&self, watched: bool, taken: Duration) {
        let samples = if watched { &self.watched_latency } else { &self.latency };
        self.sample(samples, taken.as_secs_f64() * 1000.0);
    }

    /// From an event's moment to a player's knowing of it.
    pub(crate) fn lateness(&self, ms: f64) {
        self.sample(&self.lateness, ms);
    }

    /// Something went wrong. What, in words that are the same each time it does.
    pub(crate) fn fault(&self, what: String) {
        *lock(&self.faults).entry(what).or_default() += 1;
    }

    pub(crate) fn faults(&self) -> BTreeMap<String, u64> {
        lock(&self.faults).clone()
    }

    /// The latencies in order, and the latenesses.
    pub(crate) fn samples(&self) -> (Samples, Samples) {
        (Samples::new(&self.latency), Samples::new(&self.lateness))
    }

    /// The latencies in the watched match, in order.
    pub(crate) fn watched_latency(&self) -> Samples {
        Samples::new(&self.watched_latency)
    }

    fn sample(&self, samples: &Mutex<Vec<i32>>, ms: f64) {
        if self.recording.load(Relaxed) {
            lock(samples).push((ms * 1000.0) as i32);
        }
    }
}

/// Sorted samples in microseconds.
pub(crate) struct Samples(Vec<i32>);

impl Samples {
    fn new(samples: &Mutex<Vec<i32>>) -> Samples {
        let mut sorted = std::mem::take(&mut *lock(samples));
        sorted.sort_unstable();
        Samples(sorted)
    }

    /// In ms, the value that this share of the samples doesn't exceed. Without samples there is
    /// nothing good to say.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let index = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(index.saturating_sub(1)).map_or(f64::INFINITY, |us| f64::from(*us) / 1000.0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_recorded() {
        let tally = Tally::default();
        tally.latency(false, Duration::from_secs(9));
        tally.record(true);
        (1..=100).rev().for_each(|ms| tally.latency(false, Duration::from_millis(ms)));
        tally.latency(true, Duration::from_millis(500));
        let (latency, lateness) = tally.samples();
        assert_eq!([0.5, 0.99, 1.0].map(|share| latency.quantile(share)), [50.0, 99.0, 100.0]);
        assert_eq!(lateness.quantile(0.5), f64::INFINITY);
        assert_eq!(tally.watched_latency().quantile(0.5), 500.0);
    }
}

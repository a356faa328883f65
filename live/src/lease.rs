//! Until when a match may be heard from here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// The right to say what happens in matches. Where others may take them over, it lapses unless it
/// is renewed in time, by a clock that also runs while the process stands still; until it is
/// renewed, nobody hears anything. Clones are one lease.
#[derive(Clone, Debug)]
pub struct Lease(Option<Arc<Term>>);

#[derive(Debug)]
struct Term {
    began: Instant,
    /// Microseconds since `began`.
    until: AtomicU64,
    renewed: Notify,
}

impl Lease {
    /// Where nobody takes anything over.
    pub fn unlimited() -> Lease {
        Lease(None)
    }

    /// One that does not hold until it is renewed.
    pub fn lapsed() -> Lease {
        let (until, renewed) = (AtomicU64::new(0), Notify::new());
        Lease(Some(Arc::new(Term { began: Instant::now(), until, renewed })))
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        let Some(term) = &self.0 else { return true };
        term.began.elapsed() < Duration::from_micros(term.until.load(Ordering::Acquire))
    }

    /// Makes it hold until a moment, or longer if it did.
    pub fn renew(&self, until: Instant) {
        let Some(term) = &self.0 else { return };
        let until = until.saturating_duration_since(term.began).as_micros();
        term.until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Ordering::AcqRel);
        term.renewed.notify_waiters();
    }

    /// Waits until it holds.
    pub async fn held(&self) {
        let Some(term) = &self.0 else { return };
        loop {
            // Listens before it looks, so that no renewal comes between.
            let renewed = term.renewed.notified();
            if self.holds() {
                return;
            }
            renewed.await;
        }
    }
}

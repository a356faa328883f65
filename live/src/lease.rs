//! Until when a match may be heard from here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// The right to say what happens in matches. Where others may take them over, it lapses unless it
/// is renewed in time, by a clock that also runs while the process stands still; until it is
/// renewed, nobody hears anything. Clones are one lease.
#[derive(Clone, Debug)]
pub struct Lease {
    /// None where nobody takes anything over.
    term: Option<Arc<Term>>,
    given_up: Arc<AtomicBool>,
}

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
        Lease { term: None, given_up: Arc::default() }
    }

    /// One that does not hold until it is renewed.
    pub fn lapsed() -> Lease {
        let (until, renewed) = (AtomicU64::new(0), Notify::new());
        let term = Term { began: Instant::now(), until, renewed };
        Lease { term: Some(Arc::new(term)), given_up: Arc::default() }
    }

    /// One for a single match, that is renewed with this and can be given up alone.
    pub fn of_match(&self) -> Lease {
        Lease { term: self.term.clone(), given_up: Arc::default() }
    }

    /// Ends it for good, also for what was said already and not heard yet.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        if self.given_up.load(Ordering::Acquire) {
            return false;
        }
        let Some(term) = &self.term else { return true };
        term.began.elapsed() < Duration::from_micros(term.until.load(Ordering::Acquire))
    }

    /// Makes it hold until a moment, or longer if it did.
    pub fn renew(&self, until: Instant) {
        let Some(term) = &self.term else { return };
        let until = until.saturating_duration_since(term.began).as_micros();
        term.until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), Ordering::AcqRel);
        term.renewed.notify_waiters();
    }

    /// Waits until it holds: forever once it is given up.
    pub async fn held(&self) {
        let Some(term) = &self.term else {
            match self.holds() {
                true => return,
                false => std::future::pending().await,
            }
        };
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

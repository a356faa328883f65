//! What others hold of a match: a handle to find it, a chair to sit in it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use games::{Seat, Time};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

pub use crate::wire::Status;
use crate::{
    lease::Lease,
    wire::{BadMessage, Message},
};

/// A match, for those who don't run it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) inbox: mpsc::Sender<Inbound>,
    pub(crate) left: mpsc::UnboundedSender<Place>,
    pub(crate) glance: Arc<Mutex<Glance>>,
    pub(crate) clock: MatchClock,
    pub(crate) lease: Lease,
}

/// From this process's clock to the match's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatchClock {
    pub(crate) opened: Instant,
    /// What the match's clock showed as it was opened: not 0 when it was opened again.
    pub(crate) since: Time,
}

impl MatchClock {
    /// Microseconds since the match was first opened.
    pub(crate) fn now(self) -> Time {
        let passed = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.since + Time(passed)
    }

    pub(crate) fn instant(self, at: Time) -> Instant {
        self.opened + Duration::from_micros((at - self.since).0)
    }
}

/// What can be seen of a match without sitting down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// Where it stands.
    pub status: Status,
    /// Points by seat.
    pub scores: Vec<i64>,
    /// Who is ready, by seat.
    pub ready: Vec<bool>,
    /// Whose turn it is, while they are away. Other processes are not told.
    #[serde(skip)]
    pub awaited: Option<Awaited>,
}

/// A seat whose turn it is and that nobody is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Which.
    pub seat: Seat,
    /// Since when it is away, by the match's clock.
    pub since: Time,
}

/// The number of a chair in its match.
pub(crate) type Place = u64;

#[derive(Debug)]
pub(crate) enum Inbound {
    Sit { seat: Option<Seat>, after: Option<u64>, reply: oneshot::Sender<Result<Chair, Full>> },
    Says { place: Place, message: Result<Message, BadMessage>, came: Instant },
    CaughtUp { place: Place },
    Measured { place: Place, rtt: Duration },
}

/// Too many watch this match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Why a chair was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum End {
    /// The match is over.
    Over = 0,
    /// The same player sat down elsewhere.
    Replaced = 1,
    /// The match goes on, but not here: look for it again.
    Moved = 2,
}

/// What a chair and its match share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The queue was full, so something was left out: a fresh view is due.
    pub(crate) behind: AtomicBool,
    /// An [`End`], read once the queue is closed.
    pub(crate) end: AtomicU8,
}

impl Default for Shared {
    /// Until its match says another end, it is none: whoever ran it let go of it.
    fn default() -> Shared {
        Shared { behind: AtomicBool::new(false), end: AtomicU8::new(End::Moved as u8) }
    }
}

/// A place at a match: what it says comes in here in order, and what is said here goes to it.
/// Dropping it leaves the place.
#[derive(Debug)]
pub struct Chair {
    pub(crate) place: Place,
    pub(crate) seat: Option<Seat>,
    pub(crate) inbox: mpsc::Sender<Inbound>,
    /// Unbounded, since a chair sends one word in its life.
    pub(crate) left: mpsc::UnboundedSender<Place>,
    pub(crate) queue: mpsc::Receiver<Bytes>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: MatchClock,
    /// Whether the fresh view has been asked for.
    pub(crate) asked: bool,
    /// Only while it holds is anything heard.
    pub(crate) lease: Lease,
    /// What was taken from the queue as the lease had just lapsed.
    pub(crate) kept: Option<Bytes>,
}

impl Handle {
    /// Takes a seat, or a place in the crowd. The first message heard is the state now, or what
    /// was missed since the message numbered `after`; nothing is lost between that and the next.
    ///
    /// # Errors
    /// [`End::Moved`] when the match's task is gone; [`Full`] when too many watch.
    pub async fn sit(
        &self,
        seat: Option<Seat>,
        after: Option<u64>,
    ) -> Result<Result<Chair, Full>, End> {
        let (reply, answer) = oneshot::channel();
        let sit = Inbound::Sit { seat, after, reply };
        self.inbox.send(sit).await.map_err(|_| End::Moved)?;
        answer.await.map_err(|_| End::Moved)
    }

    /// What can be seen without sitting down.
    pub fn glance(&self) -> Glance {
        self.glance.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the match's clock shows.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Whether the match's task is gone.
    pub fn is_over(&self) -> bool {
        self.inbox.is_closed()
    }
}

impl Chair {
    /// The seat, unless this place is in the crowd.
    pub fn seat(&self) -> Option<Seat> {
        self.seat
    }

    /// Milliseconds since the match was opened.
    pub fn at(&self) -> u64 {
        self.clock.now().as_millis()
    }

    /// Says something to the match; waits while its inbox is full. What could not be read is said
    /// too: its number is spent, and the match answers it in its turn.
    pub async fn say(&self, message: Result<Message, BadMessage>) {
        // A closed inbox is told by `hear`.
        let says = Inbound::Says { place: self.place, message, came: Instant::now() };
        let _ = self.inbox.send(says).await;
    }

    /// Tells the match how long a message takes to this place and back.
    pub async fn measured(&self, rtt: Duration) {
        let _ = self.inbox.send(Inbound::Measured { place: self.place, rtt }).await;
    }

    /// The next message, as JSON. May be dropped and called again at any time.
    ///
    /// # Errors
    /// When the place was taken away, after the last message.
    pub async fn hear(&mut self) -> Result<Bytes, End> {
        loop {
            if !self.lease.holds() {
                tokio::select! {
                    () = self.lease.held() => {}
                    // Nobody renews it for a match that is gone.
                    () = self.inbox.closed() => return Err(self.end()),
                }
            }
            if let Some(message) = self.kept.take() {
                return Ok(message);
            }
            let message = self.next().await?;
            self.kept = Some(message);
        }
    }

    async fn next(&mut self) -> Result<Bytes, End> {
        match self.queue.try_recv() {
            Ok(message) => return Ok(message),
            Err(mpsc::error::TryRecvError::Disconnected) => return Err(self.end()),
            Err(mpsc::error::TryRecvError::Empty) => {}
        }
        match self.shared.behind.load(Ordering::Acquire) {
            true if !self.asked => {
                let _ = self.inbox.send(Inbound::CaughtUp { place: self.place }).await;
                self.asked = true;
            }
            true => {}
            false => self.asked = false,
        }
        self.queue.recv().await.ok_or_else(|| self.end())
    }

    /// Asks for a fresh view, for who has lost something on the way from here.
    pub async fn ask_for_view(&self) {
        let _ = self.inbox.send(Inbound::CaughtUp { place: self.place }).await;
    }

    /// A message that is here already.
    pub fn heard(&mut self) -> Option<Bytes> {
        match self.lease.holds() {
            true => self.kept.take().or_else(|| self.queue.try_recv().ok()),
            false => None,
        }
    }

    fn end(&self) -> End {
        match self.shared.end.load(Ordering::Acquire) {
            it if it == End::Replaced as u8 => End::Replaced,
            it if it == End::Over as u8 => End::Over,
            _ => End::Moved,
        }
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        let _ = self.left.send(self.place);
    }
}

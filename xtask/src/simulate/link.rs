//! A connection between a client and the server, as slow and unreliable as the plan says.
//!
//! As on a real socket messages arrive in order or not at all: they are late, and when a
//! connection breaks those on their way are lost, in both directions. The server may take a while
//! to notice.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::luck::Luck;

/// How many messages fit in what lies between: who sends more waits.
const ON_THE_WAY_MAX: usize = 16;

/// The other side is gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Something that is sent.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) sent: Instant,
    arrives: Instant,
    pub(super) body: Body,
}

/// What is in a frame.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Text(String),
    /// The last one: a close code of PROTOCOL.
    Close(u16),
}

/// One side of a connection.
pub(super) struct Side {
    to: mpsc::Sender<Frame>,
    from: mpsc::Receiver<Frame>,
    /// Has come so far that it can be read at `arrives`.
    next: Option<Frame>,
    /// When the last one that was sent arrives: none overtakes it.
    last: Instant,
    delay: RangeInclusive<u64>,
    luck: Luck,
    /// When the connection broke.
    cut: Arc<Mutex<Option<Instant>>>,
}

/// Both sides of a new connection.
pub(super) fn link(luck: &mut Luck, delay: RangeInclusive<u64>) -> (Side, Side) {
    let (up, from_client) = mpsc::channel(ON_THE_WAY_MAX);
    let (down, from_server) = mpsc::channel(ON_THE_WAY_MAX);
    let cut = Arc::new(Mutex::new(None));
    let mut side = |to, from| Side {
        to,
        from,
        next: None,
        last: Instant::now(),
        delay: delay.clone(),
        luck: luck.fork(),
        cut: cut.clone(),
    };
    (side(up, from_server), side(down, from_client))
}

impl Side {
    /// Waits while too much is on its way. Not to be dropped halfway.
    pub(super) async fn say(&mut self, body: Body) -> Result<(), Gone> {
        let place = self.to.reserve().await.map_err(|_| Gone)?;
        let sent = Instant::now();
        let arrives = self.last.max(sent + self.luck.millis(self.delay.clone()));
        self.last = arrives;
        place.send(Frame { sent, arrives, body });
        Ok(())
    }

    /// The next frame. May be dropped and called again at any time.
    pub(super) async fn hear(&mut self) -> Result<Frame, Gone> {
        loop {
            if self.next.is_none() {
                self.next = Some(self.from.recv().await.ok_or(Gone)?);
            }
            if let Some(next) = &self.next {
                sleep_until(next.arrives).await;
            }
            let cut = *self.cut.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(frame) = self.next.take()
                && cut.is_none_or(|cut| frame.arrives < cut)
            {
                return Ok(frame);
            }
        }
    }

    /// Breaks the connection: nothing arrives any more, and the other side hears of it `later`.
    pub(super) fn cut(self, later: Duration) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        tokio::spawn(async move {
            tokio::time::sleep(later).await;
            drop(self);
        });
    }

    /// How long a message takes there and back.
    pub(super) fn round_trip(&mut self) -> Duration {
        self.luck.millis(self.delay.clone()) + self.luck.millis(self.delay.clone())
    }
}

//! A chair far from its match: in one process somebody sits down on a [`Chair`] as on any other,
//! and what they say and hear is carried to and from a chair at the match, in another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use games::{Seat, Time};
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    chair::{Chair, End, Inbound, MatchClock, Place, Shared},
    fan_out::QUEUE_MAX,
    lease::Lease,
    wire::{BadMessage, Message},
};

/// How many messages may wait to be carried to the match; who says more waits.
const SAID_MAX: usize = 32;
/// How the one message begins that makes good for all that was left out.
const VIEW: &[u8] = br#"{"type":"game_state""#;

/// What is carried from a far chair to its match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FarWord {
    /// Somebody says something.
    Says(Result<Message, BadMessage>),
    /// They have read all that was here and missed something: a fresh view is due.
    CaughtUp,
    /// How long a message takes to them and back.
    Measured(Duration),
    /// They left.
    Left,
}

/// What somebody at a far chair does.
#[derive(Debug)]
pub struct Far {
    inbox: mpsc::Receiver<Inbound>,
    left: mpsc::UnboundedReceiver<Place>,
}

/// What somebody at a far chair hears. Dropping it takes the chair away: the match is elsewhere.
#[derive(Debug)]
pub struct Fed {
    queue: mpsc::Sender<Bytes>,
    shared: Arc<Shared>,
}

/// A chair far from its match, whose clock shows `at` milliseconds now.
pub fn far_chair(seat: Option<Seat>, at: u64) -> (Chair, Far, Fed) {
    let (to_inbox, inbox) = mpsc::channel(SAID_MAX);
    let (to_left, left) = mpsc::unbounded_channel();
    let (queue, heard) = mpsc::channel(QUEUE_MAX);
    let shared = Arc::new(Shared::default());
    let chair = Chair {
        place: 0,
        seat,
        inbox: to_inbox,
        left: to_left,
        queue: heard,
        shared: shared.clone(),
        clock: MatchClock { opened: Instant::now(), since: Time::millis(at) },
        asked: false,
        // That of the process where the match is counts, and is kept there.
        lease: Lease::unlimited(),
        kept: None,
    };
    (chair, Far { inbox, left }, Fed { queue, shared })
}

impl Far {
    /// What they do next; last that they left. May be dropped and called again.
    pub async fn next(&mut self) -> FarWord {
        loop {
            tokio::select! {
                biased;
                inbound = self.inbox.recv() => match inbound {
                    Some(Inbound::Says { message, .. }) => return FarWord::Says(message),
                    Some(Inbound::CaughtUp { .. }) => return FarWord::CaughtUp,
                    Some(Inbound::Measured { rtt, .. }) => return FarWord::Measured(rtt),
                    // Nobody has a handle to ask by.
                    Some(Inbound::Sit { .. }) => {}
                    None => return FarWord::Left,
                },
                _ = self.left.recv() => return FarWord::Left,
            }
        }
    }
}

impl Fed {
    /// Lets them hear a message. Never waits: who does not read is left out until they have read
    /// what waits for them, and then given a fresh view.
    pub fn feed(&self, message: Bytes) {
        if self.shared.behind.load(Ordering::Acquire) {
            if !message.starts_with(VIEW) {
                return;
            }
            self.shared.behind.store(false, Ordering::Release);
        }
        if self.queue.try_send(message).is_err() {
            self.shared.behind.store(true, Ordering::Release);
        }
    }

    /// Takes the chair away, once what is here is heard.
    pub fn end(self, end: End) {
        self.shared.end.store(end as u8, Ordering::Release);
    }
}

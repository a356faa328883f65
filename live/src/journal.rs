//! From a match to whoever writes its journal down.

use std::{future::pending, time::Duration};

use games::Time;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

/// One line for the journal.
#[derive(Debug)]
pub struct Line {
    /// Of which match, in the words of who opened it.
    pub key: i64,
    /// By which right it is written: where matches change hands, whose owner's line this is.
    pub fence: i64,
    /// From 1, without gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Time,
    /// A [`games::journal::Input`] as JSON.
    pub entry: String,
    /// When it was put here.
    pub made: Instant,
    /// Told once this and all lines before it are written, where the match waits for that.
    pub written: Option<oneshot::Sender<()>>,
}

/// A match's way to its journal.
#[derive(Debug)]
pub struct Journal {
    key: i64,
    fence: i64,
    /// The last line's number.
    seq: u64,
    lines: mpsc::Sender<Line>,
    /// What could not be handed over yet.
    unsent: Vec<Line>,
    /// Tells that the last line is written which [`write`](Journal::write) waited for.
    told: Option<oneshot::Receiver<()>>,
}

impl Journal {
    /// The journal of the match `key`, which has `seq` lines already; `lines` go to its writer,
    /// under `fence`.
    pub fn new(key: i64, fence: i64, seq: u64, lines: mpsc::Sender<Line>) -> Journal {
        Journal { key, fence, seq, lines, unsent: Vec::new(), told: None }
    }

    pub(crate) fn push(&mut self, at: Time, entry: String) {
        self.seq += 1;
        let (key, fence, seq) = (self.key, self.fence, self.seq);
        let line = Line { key, fence, seq, at, entry, made: Instant::now(), written: None };
        self.unsent.push(line);
    }

    /// Hands the lines over; waits while the writer has too many. May be dropped and called again.
    pub(crate) async fn send(&mut self) {
        while !self.unsent.is_empty() {
            // Without its writer the server is going down: what is not written will be lost.
            let Ok(place) = self.lines.reserve().await else {
                self.unsent.clear();
                return;
            };
            place.send(self.unsent.remove(0));
        }
    }

    /// Hands the lines over and waits until they are written, for so long: for ever if they will
    /// not be, since what is not written must not be told. The match is dropped then. May be
    /// dropped and called again.
    pub(crate) async fn write(&mut self, patience: Duration) {
        if let Some(last) = self.unsent.last_mut() {
            let (written, told) = oneshot::channel();
            last.written = Some(written);
            self.told = Some(told);
        }
        let written = async {
            self.send().await;
            match &mut self.told {
                Some(told) => told.await.is_ok(),
                None => true,
            }
        };
        match timeout(patience, written).await {
            Ok(true) => self.told = None,
            Ok(false) => pending().await,
            // It is behind.
            Err(_) => {}
        }
    }
}

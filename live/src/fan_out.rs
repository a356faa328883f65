//! From one match to all who see it: numbering, bounded queues, and a short memory for those who
//! were away for a moment.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use games::{Audience, Seat, Viewer};
use tokio::sync::mpsc;

use crate::chair::{End, Place, Shared};

/// How many messages may wait for one viewer.
pub(crate) const QUEUE_MAX: usize = 32;
/// How many of the last messages are kept: about as many bytes as a fresh view.
const MEMORY_MAX: usize = 16;

/// All who see a match. An audience is a seat, or the crowd after the last seat; each has its own
/// numbering, so that it has no gaps for anyone.
pub(crate) struct FanOut {
    seats: usize,
    /// The last number sent, by audience.
    seqs: Vec<u64>,
    viewers: Vec<Seen>,
    /// The last messages: for which audiences (a bit each), under which number.
    memory: VecDeque<(u32, u64, Bytes)>,
}

struct Seen {
    place: Place,
    seat: Option<Seat>,
    queue: mpsc::Sender<Bytes>,
    shared: Arc<Shared>,
}

impl FanOut {
    pub(crate) fn new(seats: usize) -> FanOut {
        let seqs = vec![0; seats + 1];
        FanOut { seats, seqs, viewers: Vec::with_capacity(2), memory: VecDeque::new() }
    }

    fn audience(&self, seat: Option<Seat>) -> usize {
        seat.map_or(self.seats, Seat::index)
    }

    /// The number of the last message that this seat, or the crowd, was sent.
    pub(crate) fn seq(&self, seat: Option<Seat>) -> u64 {
        self.seqs[self.audience(seat)]
    }

    pub(crate) fn watchers(&self) -> usize {
        self.viewers.iter().filter(|it| it.seat.is_none()).count()
    }

    /// Adds a viewer; the messages that it hears are those sent from now on.
    pub(crate) fn add(
        &mut self,
        place: Place,
        seat: Option<Seat>,
    ) -> (mpsc::Receiver<Bytes>, Arc<Shared>) {
        let (queue, hears) = mpsc::channel(QUEUE_MAX);
        let shared = Arc::new(Shared::default());
        self.viewers.push(Seen { place, seat, queue, shared: shared.clone() });
        (hears, shared)
    }

    /// Removes a viewer; answers its seat.
    pub(crate) fn remove(&mut self, place: Place) -> Option<Option<Seat>> {
        let index = self.viewers.iter().position(|it| it.place == place)?;
        Some(self.viewers.swap_remove(index).seat)
    }

    /// Takes a viewer's place away: it hears what it was sent before, and then why.
    pub(crate) fn end(&mut self, place: Place, end: End) {
        if let Some(index) = self.viewers.iter().position(|it| it.place == place) {
            let seen = self.viewers.swap_remove(index);
            seen.shared.end.store(end as u8, Ordering::Release);
        }
    }

    /// Takes all places away.
    pub(crate) fn end_all(&mut self, end: End) {
        for seen in self.viewers.drain(..) {
            seen.shared.end.store(end as u8, Ordering::Release);
        }
    }

    /// The seat at a place; none when the place is gone.
    pub(crate) fn seat_at(&self, place: Place) -> Option<Option<Seat>> {
        self.viewers.iter().find(|it| it.place == place).map(|it| it.seat)
    }

    /// What a seat, or the crowd, missed after message `after`; none when that is not remembered.
    pub(crate) fn missed(&self, seat: Option<Seat>, after: u64) -> Option<Vec<Bytes>> {
        let last = self.seq(seat);
        let count = usize::try_from(last.checked_sub(after)?).ok()?;
        let bit = 1u32 << self.audience(seat);
        let missed: Vec<Bytes> = self
            .memory
            .iter()
            .filter(|(bits, seq, _)| bits & bit != 0 && *seq > after)
            .map(|(_, _, message)| message.clone())
            .collect();
        (missed.len() == count).then_some(missed)
    }

    /// Sends a numbered message: `write` gives its text under a number.
    pub(crate) fn number(&mut self, audience: Audience, write: impl Fn(u64) -> Vec<u8>) {
        let mut written: Vec<(u32, u64, Bytes)> = Vec::with_capacity(1);
        for (index, seq) in self.seqs.iter_mut().enumerate() {
            let viewer = match index == self.seats {
                true => Viewer::Crowd,
                false => Viewer::Seat(Seat(index as u8)),
            };
            if !audience.includes(viewer) {
                continue;
            }
            *seq += 1;
            // Usually all audiences were sent as many, and one text serves them all.
            match written.iter_mut().find(|it| it.1 == *seq) {
                Some((bits, _, _)) => *bits |= 1 << index,
                None => written.push((1 << index, *seq, write(*seq).into())),
            }
        }
        for (bits, _, message) in &written {
            for seen in &self.viewers {
                if bits & 1 << seen.seat.map_or(self.seats, Seat::index) != 0 {
                    seen.push(message.clone());
                }
            }
        }
        for message in written {
            if self.memory.len() >= MEMORY_MAX {
                self.memory.pop_front();
            }
            self.memory.push_back(message);
        }
    }

    /// Spends a number on what is told to each viewer in its own words, such as a fresh view: who
    /// was away meanwhile is then known to have missed it.
    pub(crate) fn turn_page(&mut self) {
        self.seqs.iter_mut().for_each(|it| *it += 1);
        self.memory.clear();
    }

    /// Leaves numbers out: those of what is sent from now on are above `seq`.
    pub(crate) fn jump(&mut self, seq: u64) {
        self.turn_page();
        self.seqs.iter_mut().for_each(|it| *it = seq.max(*it));
    }

    /// Sends everybody a message without a number.
    pub(crate) fn tell(&self, message: Vec<u8>) {
        let message = Bytes::from(message);
        for seen in &self.viewers {
            seen.push(message.clone());
        }
    }

    /// Shows everybody but one what is worth nothing later: who has much to read is left out.
    pub(crate) fn glimpse(&self, but: Place, message: Vec<u8>) {
        let message = Bytes::from(message);
        let reads = |it: &&Seen| it.place != but && it.queue.capacity() > QUEUE_MAX / 2;
        self.viewers.iter().filter(reads).for_each(|it| it.push(message.clone()));
    }

    /// Sends one viewer a message without a number.
    pub(crate) fn tell_one(&self, place: Place, message: impl Into<Bytes>) {
        if let Some(seen) = self.viewers.iter().find(|it| it.place == place) {
            seen.push(message.into());
        }
    }

    /// Sends one viewer the fresh view that makes good for what was left out.
    pub(crate) fn bring_up(&self, place: Place, view: Vec<u8>) {
        if let Some(seen) = self.viewers.iter().find(|it| it.place == place) {
            seen.shared.behind.store(false, Ordering::Release);
            seen.push(view.into());
        }
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = (Place, Option<Seat>)> + '_ {
        self.viewers.iter().map(|it| (it.place, it.seat))
    }
}

impl Seen {
    /// Never waits: who does not read is left out until they have read what waits for them.
    fn push(&self, message: Bytes) {
        if !self.shared.behind.load(Ordering::Acquire) && self.queue.try_send(message).is_err() {
            self.shared.behind.store(true, Ordering::Release);
        }
    }
}

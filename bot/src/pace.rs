//! How fast we may write: Telegram's limits, over messages and edits alike.
//!
//! Whoever wants to write first waits for their chat and then for all chats together, so a chat
//! that has to wait holds up no other.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::metrics::METRICS;

/// In all, in a second.
const GLOBAL_MAX: usize = 30;
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// To one chat.
const CHAT_PAUSE: Duration = Duration::from_secs(1);
/// To one group, in a minute.
const GROUP_MAX: usize = 20;
const GROUP_WINDOW: Duration = Duration::from_secs(60);
/// Chats that are remembered before those that were quiet are forgotten.
const REMEMBERED: usize = 1024;

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Chat(i64),
    /// A message that was sent by way of us.
    Inline(String),
}

impl Target {
    /// Whether the limit of groups holds there: where we don't know, it does.
    fn is_group(&self) -> bool {
        !matches!(self, Target::Chat(id) if *id > 0)
    }
}

/// Gives turns to write.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Book>);

#[derive(Default)]
struct Book {
    all: VecDeque<Instant>,
    chats: HashMap<Target, Turns>,
}

/// The turns of a chat.
#[derive(Default)]
struct Turns {
    /// Given so far, in order, the last minute's and those to come.
    given: VecDeque<Instant>,
    /// Telegram said not to write before this.
    not_before: Option<Instant>,
}

impl Pace {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing between lock and unlock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one message or edit may be sent there.
    pub(crate) async fn turn(&self, to: &Target) {
        let asked = Instant::now();
        let turn = self.book().chat_turn(to, asked);
        sleep_until(turn).await;
        loop {
            let held = self.book().held(to, Instant::now());
            let Some(until) = held else { break };
            sleep_until(until).await;
        }
        let turn = self.book().global_turn(Instant::now());
        sleep_until(turn).await;
        METRICS.waited(asked.elapsed());
    }

    /// Keeps quiet there for a while, since Telegram says so.
    pub(crate) fn hold(&self, to: &Target, time: Duration) {
        let until = Instant::now() + time;
        let mut book = self.book();
        let turns = book.chats.entry(to.clone()).or_default();
        turns.not_before = turns.not_before.max(Some(until));
    }
}

impl Book {
    fn chat_turn(&mut self, to: &Target, now: Instant) -> Instant {
        if self.chats.len() >= REMEMBERED {
            self.chats.retain(|_, it| {
                it.given.back().is_some_and(|it| *it + GROUP_WINDOW > now)
                    || it.not_before.is_some_and(|it| it > now)
            });
        }
        let turns = self.chats.entry(to.clone()).or_default();
        while turns.given.front().is_some_and(|it| *it + GROUP_WINDOW <= now) {
            turns.given.pop_front();
        }
        let mut turn = now;
        if let Some(last) = turns.given.back() {
            turn = turn.max(*last + CHAT_PAUSE);
        }
        let nth = turns.given.len().checked_sub(GROUP_MAX).and_then(|it| turns.given.get(it));
        if let (true, Some(nth)) = (to.is_group(), nth) {
            turn = turn.max(*nth + GROUP_WINDOW);
        }
        turns.given.push_back(turn);
        turn
    }

    fn held(&self, to: &Target, now: Instant) -> Option<Instant> {
        self.chats.get(to)?.not_before.filter(|it| *it > now)
    }

    fn global_turn(&mut self, now: Instant) -> Instant {
        let mut turn = now;
        if self.all.len() == GLOBAL_MAX
            && let Some(first) = self.all.pop_front()
        {
            turn = turn.max(first + GLOBAL_WINDOW);
        }
        self.all.push_back(turn);
        turn
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    /// When each of so many messages goes out, in milliseconds, if all are there at once.
    async fn sent(to: impl IntoIterator<Item = i64>) -> Vec<(i64, u64)> {
        let (pace, began) = (Pace::default(), Instant::now());
        let turns = to.into_iter().map(|chat| {
            let pace = &pace;
            async move {
                pace.turn(&Target::Chat(chat)).await;
                (chat, began.elapsed().as_millis() as u64)
            }
        });
        join_all(turns).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_hears_once_a_second_and_a_group_twenty_times_a_minute() {
        let times: Vec<_> = sent([7; 30]).await.into_iter().map(|it| it.1 / 1000).collect();
        assert_eq!(times, (0..30).collect::<Vec<_>>());
        let times: Vec<_> = sent([-7; 45]).await.into_iter().map(|it| it.1 / 1000).collect();
        let minutes = (0..20).chain(60..80).chain(120..125);
        assert_eq!(times, minutes.collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_chats_take_their_share() {
        let mut times: Vec<_> = sent(1..=1000).await.into_iter().map(|it| it.1).collect();
        times.sort_unstable();
        for (early, late) in times.iter().zip(&times[GLOBAL_MAX..]) {
            assert!(late - early >= 1000, "31 between {early} and {late} ms");
        }
        // Nobody waits longer than the limit makes the last wait.
        assert!(times[999] <= 34_000, "the last went at {} ms", times[999]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_chat_that_waits_holds_up_no_other() {
        let times = sent([-1; 200].into_iter().chain([2, 3])).await;
        assert!(times[200..].iter().all(|it| it.1 < 1000), "{:?}", &times[200..]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_telegram_asks_for_is_kept() {
        let (pace, began) = (Pace::default(), Instant::now());
        pace.hold(&Target::Chat(1), Duration::from_secs(90));
        pace.turn(&Target::Chat(2)).await;
        assert!(began.elapsed() < Duration::from_secs(1));
        pace.turn(&Target::Chat(1)).await;
        assert!(began.elapsed() >= Duration::from_secs(90));
    }
}

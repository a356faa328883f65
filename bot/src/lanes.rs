//! Messages of one chat in order, chats side by side.
//!
//! teloxide's dispatcher does this too, but a panic in one handler takes it down, and one chat that
//! floods it holds up all the others.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use teloxide::types::ChatId;
use tokio::{select, sync::mpsc};

use crate::{answers, updates::Update};

/// Chats that are served at once; more wait at Telegram.
const CHATS_MAX: usize = 256;
/// Messages of one chat that may wait for their turn. Whoever writes faster is not answered each
/// time.
const WAITING_MAX: usize = 32;

/// What comes from a chat.
pub(crate) trait FromChat {
    fn chat(&self) -> ChatId;
}

impl FromChat for Update {
    fn chat(&self) -> ChatId {
        answers::lane(&self.event)
    }
}

/// Handles all that comes until the inlet is closed and nothing waits any more; a panic costs only
/// the message it met.
pub(crate) async fn serve<T: FromChat, H: Future<Output = ()>>(
    mut incoming: mpsc::Receiver<T>,
    handle: impl Fn(T) -> H,
) {
    let handle = &handle;
    let turn = |message: T| async move {
        let chat = message.chat();
        if AssertUnwindSafe(handle(message)).catch_unwind().await.is_err() {
            tracing::error!(chat = chat.0, "A message was not answered: its handling broke");
        }
        chat
    };
    let mut turns = FuturesUnordered::new();
    // Has a chat as long as one of its messages is being handled.
    let mut waiting = HashMap::<ChatId, VecDeque<T>>::new();
    let mut open = true;
    loop {
        select! {
            Some(chat) = turns.next() => {
                match waiting.get_mut(&chat).and_then(VecDeque::pop_front) {
                    Some(next) => turns.push(turn(next)),
                    None => drop(waiting.remove(&chat)),
                }
            }
            message = incoming.recv(), if open && turns.len() < CHATS_MAX => {
                let Some(message) = message else {
                    open = false;
                    continue;
                };
                match waiting.get_mut(&message.chat()) {
                    None => {
                        waiting.insert(message.chat(), VecDeque::new());
                        turns.push(turn(message));
                    }
                    Some(queue) if queue.len() < WAITING_MAX => queue.push_back(message),
                    Some(_) => {
                        let chat = message.chat().0;
                        tracing::info!(chat, "A chat writes too fast; a message was left out");
                    }
                }
            }
            else => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Duration};

    use tokio::time::sleep;

    use super::*;

    /// The chat, which message, and what becomes of it.
    type Said = (i64, u32, Fate);

    #[derive(Clone, Copy, PartialEq)]
    enum Fate {
        Quick,
        Slow,
        Broken,
    }

    impl FromChat for Said {
        fn chat(&self) -> ChatId {
            ChatId(self.0)
        }
    }

    /// Which messages were answered, in order, when all of `said` come at once
    /// and nothing after it.
    async fn answered(said: impl IntoIterator<Item = Said>) -> Vec<(i64, u32)> {
        let answers = RefCell::new(Vec::new());
        let (inlet, incoming) = mpsc::channel(1);
        let serving = serve(incoming, |(chat, message, fate): Said| {
            let answers = &answers;
            async move {
                match fate {
                    Fate::Quick => {}
                    Fate::Slow => sleep(Duration::from_secs(1)).await,
                    Fate::Broken => panic!("broken"),
                }
                answers.borrow_mut().push((chat, message));
            }
        });
        let saying = async {
            for it in said {
                inlet.send(it).await.unwrap();
            }
            drop(inlet);
        };
        tokio::join!(serving, saying);
        answers.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_in_order_and_chats_side_by_side() {
        use Fate::*;
        let said = [(1, 1, Slow), (1, 2, Quick), (2, 1, Quick), (1, 3, Slow), (2, 2, Quick)];
        assert_eq!(answered(said).await, [(2, 1), (2, 2), (1, 1), (1, 2), (1, 3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_costs_one_message() {
        use Fate::*;
        let said = [(1, 1, Broken), (1, 2, Quick), (1, 3, Broken), (2, 1, Quick), (1, 4, Quick)];
        let answers = answered(said).await;
        let of_the_first: Vec<_> = answers.iter().filter(|it| it.0 == 1).map(|it| it.1).collect();
        assert_eq!(of_the_first, [2, 4]);
        assert!(answers.contains(&(2, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_holds_up_nobody_else() {
        let flood = (1..=100).map(|it| (1, it, Fate::Slow));
        let answers = answered(flood.chain([(2, 1, Fate::Quick)])).await;
        assert_eq!(answers[0], (2, 1));
        let of_the_flood: Vec<_> = answers[1..].iter().map(|it| it.1).collect();
        assert_eq!(of_the_flood, (1..=33).collect::<Vec<_>>());
    }
}

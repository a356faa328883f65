//! The Telegram bot: it greets whoever writes to it and opens the Mini App.
//!
//! Thin, like every door: an update becomes an answer, and what lasts is the arena's. Updates come
//! by long polling ([`updates`]), are handled in order within a chat and side by side among chats
//! ([`lanes`]), and are answered by [`answers`] at the pace that Telegram allows. Telegram may be
//! away for a day, and any update may be the one that breaks us; neither stops the server.

mod answers;
mod commands;
mod faults;
mod lanes;
mod links;
mod menu;
mod options;
mod updates;
mod words;

use std::{panic::AssertUnwindSafe, time::Duration};

use arena::Secret;
use futures_util::FutureExt;
use teloxide::{
    Bot, RequestError,
    adaptors::throttle::{Limits, Throttle},
    net::default_reqwest_settings,
    requests::Requester,
};
use tokio::{select, sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    answers::Desk,
    faults::{Backoff, insist, plain},
    links::Links,
};

pub use options::Options;

/// Messages that were fetched and wait for their turn; fetching pauses when there are as many.
const MESSAGES_MAX: usize = 100;
/// How long the last answers may take when the bot stops.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(2);

/// Runs the bot until `closing` is cancelled, and finishes the answers that it has begun. Whatever
/// Telegram does or an update brings, this neither fails nor panics; when Telegram does not know
/// the token, it says so and returns.
pub async fn run(options: Options, token: Secret, public_url: Url, closing: CancellationToken) {
    let client = match default_reqwest_settings().build() {
        Ok(client) => client,
        Err(error) => {
            let error = plain(&error.into());
            tracing::error!(error, "The bot is off: its HTTP client can't be made");
            return;
        }
    };
    let bot = Bot::with_client(token.expose(), client).set_api_url(options.telegram_api_url);
    let app = options.telegram_app_name;
    let ended = keep_alive(&closing, || life(&bot, &public_url, app.as_deref(), &closing)).await;
    if let Some(Err(error)) = ended {
        tracing::error!(error = plain(&error), "The bot is off: Telegram turned it away");
    }
}

/// One life of the bot, from its introduction until `closing` is cancelled or Telegram turns it
/// away.
async fn life(
    bot: &Bot,
    page: &Url,
    app: Option<&str>,
    closing: &CancellationToken,
) -> Result<(), RequestError> {
    let introduction = insist("Telegram can't be reached", bot.get_me());
    let Some(me) = closing.run_until_cancelled(introduction).await else { return Ok(()) };
    let me = me?;
    tracing::info!("The bot is @{}", me.username());

    let (sender, pacing) = Throttle::new(bot.clone(), Limits::default());
    let links = Links::new(page.clone(), &me, app);
    let desk = &Desk { bot: sender, name: me.username().to_owned(), links };
    let (inlet, incoming) = mpsc::channel(MESSAGES_MAX);
    let work = async {
        let (listened, (), _) = tokio::join!(
            // The inlet goes with the listener, and the last answer is the end of the answering.
            closing.run_until_cancelled(updates::listen(bot, inlet)),
            lanes::serve(incoming, |message| desk.answer(message)),
            closing.run_until_cancelled(menu::set(bot, &desk.links)),
        );
        listened.unwrap_or(Ok(()))
    };
    let too_late = async {
        closing.cancelled().await;
        sleep(LAST_ANSWERS_MAX).await;
    };
    select! {
        ended = work => ended,
        () = too_late => {
            tracing::warn!("The bot stops with answers that could not be sent");
            Ok(())
        }
        () = pacing => unreachable!("it goes on as long as there is a sender"),
    }
}

/// Starts `life` again when it panics, at growing intervals. None if `closing` was cancelled while
/// waiting for the next.
async fn keep_alive<L: Future>(
    closing: &CancellationToken,
    life: impl Fn() -> L,
) -> Option<L::Output> {
    let mut backoff = Backoff::default();
    loop {
        if let Ok(ended) = AssertUnwindSafe(life()).catch_unwind().await {
            return Some(ended);
        }
        let delay = backoff.next();
        tracing::error!("The bot broke; it starts again in {} s", delay.as_secs());
        closing.run_until_cancelled(sleep(delay)).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_starts_another_life() {
        let (lives, closing) = (AtomicU32::new(0), CancellationToken::new());
        let life = || async {
            let life = lives.fetch_add(1, Ordering::Relaxed) + 1;
            assert!(life == 4, "broken");
            life
        };
        assert_eq!(keep_alive(&closing, life).await, Some(4));
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_the_lives() {
        let closing = CancellationToken::new();
        let life = || async {
            closing.cancel();
            panic!("broken");
        };
        assert_eq!(keep_alive(&closing, life).await, None::<()>);
    }
}

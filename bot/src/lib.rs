//! The Telegram bot: games in groups, challenges in any chat, and the way to the Mini App.
//!
//! Thin, like every door: an update becomes a call to the arena, which decides and remembers.
//! Updates come by long polling ([`updates`]) and are handled in order within a chat and side by
//! side among chats ([`lanes`]) by [`answers`]. What is said leaves through [`delivery`], at the
//! pace that Telegram allows. Telegram may be away for a day, and any update may be the one that
//! breaks us; neither stops the server.

mod answers;
mod buttons;
mod cards;
mod commands;
mod delivery;
mod errands;
mod faults;
mod inline;
mod lanes;
mod linking;
mod links;
mod menu;
mod metrics;
mod notices;
mod options;
mod pace;
mod records;
mod taps;
mod updates;
mod webhook;
mod words;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use arena::{Arena, Carrier, Secret};
use futures_util::FutureExt;
use teloxide::{Bot, RequestError, net::default_reqwest_settings, requests::Requester};
use tokio::{select, sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use url::Url;

use crate::{
    answers::Desk,
    delivery::Delivery,
    faults::{Backoff, insist, plain},
    links::Links,
    pace::Pace,
    updates::Update,
};

pub use metrics::register_metrics;
pub use options::Options;
pub use webhook::Webhook;

/// Updates that were fetched and wait for their turn; fetching pauses when there are as many.
const UPDATES_MAX: usize = 100;
/// Answers that wait to be sent; more are left out.
const ANSWERS_MAX: usize = 1000;
/// How long the last answers may take when the bot stops.
const LAST_ANSWERS_MAX: Duration = Duration::from_secs(2);

/// Runs the bot until `closing` is cancelled, and finishes the answers that it has begun. Whatever
/// Telegram does or an update brings, this neither fails nor panics; when Telegram does not know
/// the token, it says so and returns. Updates are fetched, unless Telegram is to bring them to a
/// `webhook`, whose router is served at `public_url`.
pub async fn run(
    options: Options,
    token: Secret,
    arena: Arena,
    public_url: Url,
    webhook: Option<Webhook>,
    closing: CancellationToken,
) {
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
    let around = Around { arena, page: public_url, app, webhook };
    let ended = keep_alive(&closing, || life(&bot, &around, &closing)).await;
    if let Some(Err(error)) = ended {
        tracing::error!(error = plain(&error), "The bot is off: Telegram turned it away");
    }
}

/// What is around the bot.
struct Around {
    arena: Arena,
    page: Url,
    /// The Mini App's short name.
    app: Option<String>,
    webhook: Option<Webhook>,
}

/// One life of the bot, from its introduction until `closing` is cancelled or Telegram turns it
/// away.
async fn life(bot: &Bot, around: &Around, closing: &CancellationToken) -> Result<(), RequestError> {
    let Around { arena, page, app, webhook } = around;
    let introduction = insist("Telegram can't be reached", bot.get_me());
    let Some(me) = closing.run_until_cancelled(introduction).await else { return Ok(()) };
    let me = me?;
    tracing::info!("The bot is @{}", me.username());

    let links = &Links::new(page.clone(), &me, app.as_deref());
    if let Some(app) = &links.app {
        arena.set_app_link(app.as_str());
    }
    let (inlet, incoming) = mpsc::channel(UPDATES_MAX);
    let (answers, to_send) = mpsc::channel(ANSWERS_MAX);
    let pace = Pace::default();
    let carrier = new_carrier(arena, closing).await;
    let Some(carrier) = carrier else { return Ok(()) };
    let delivery = Delivery { bot, arena, links, pace: &pace, closing, carrier };
    let errands = arena.bot_is_on(me.username());
    let desk = Desk {
        bot,
        arena,
        links,
        name: me.username().to_owned(),
        inline: me.supports_inline_queries,
        answers,
    };
    let handling = async {
        // The desk goes with the last update, and the last answer is the end of the sending.
        let desk = desk;
        lanes::serve(incoming, |update| handle(&desk, update)).await;
    };
    let listening = async {
        match webhook {
            Some(webhook) => webhook.listen(bot, page, carrier, inlet).await,
            None => updates::listen(bot, arena, carrier, inlet).await,
        }
    };
    let work = async {
        let (listened, (), (), _) = tokio::join!(
            // The inlet goes with the listener.
            closing.run_until_cancelled(listening),
            handling,
            delivery.run(to_send),
            closing.run_until_cancelled(menu::set(bot, links)),
        );
        listened.unwrap_or(Ok(()))
    };
    let too_late = async {
        closing.cancelled().await;
        sleep(LAST_ANSWERS_MAX).await;
    };
    // Beside the work, which ends when nobody listens and nothing is to be sent any more.
    let service = async {
        tokio::join!(arena.keep_carrier(carrier), errands::run(bot, arena, links, errands));
    };
    let ended = select! {
        ended = work => ended,
        () = service => Ok(()),
        () = too_late => {
            tracing::warn!("The bot stops with answers that could not be sent");
            Ok(())
        }
    };
    if let Err(error) = arena.carrier_leaves(carrier).await {
        tracing::debug!(error = error.report(), "Others find out that this bot has left");
    }
    ended
}

/// A carrier of letters, as soon as the database has it; none if `closing` was cancelled before.
async fn new_carrier(arena: &Arena, closing: &CancellationToken) -> Option<Carrier> {
    let mut backoff = Backoff::default();
    loop {
        match arena.new_carrier().await {
            Ok(carrier) => return Some(carrier),
            Err(error) => {
                tracing::error!(error = error.report(), "The outbox can't be read yet");
                closing.run_until_cancelled(sleep(backoff.next())).await?;
            }
        }
    }
}

/// Handles an update and strikes it off.
async fn handle(desk: &Desk<'_>, update: Update) {
    let id = update.id;
    let span = tracing::info_span!(parent: None, "update", update_id = id, otel.kind = "consumer");
    once(desk.arena, id, desk.handle(update).instrument(span)).await;
}

/// Strikes an update off after the `work` on it, also when that broke us: it would do so again.
async fn once(arena: &Arena, id: i64, work: impl Future<Output = ()>) {
    let handled = AssertUnwindSafe(work).catch_unwind().await;
    updates::handled(arena, id).await;
    if let Err(panic) = handled {
        resume_unwind(panic);
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

    /// What broke us is not brought again, neither by Telegram nor by the next start.
    #[tokio::test]
    async fn an_update_that_breaks_us_does_so_once() {
        let options = arena::Options {
            database_url: "sqlite::memory:".to_owned(),
            redis_url: None,
            machine: None,
            jwt_secret: None,
            telegram_token: None,
            init_data_max_age: Duration::from_secs(60),
            init_data_max_ahead: Duration::from_secs(60),
            sign_in: arena::SignInOptions::default(),
        };
        let arena = Arena::open(options, arena::Clock::System).await.unwrap();
        let updates = [(7, "{}".to_owned()), (8, "{}".to_owned())];
        assert_eq!(arena.take_updates(&updates).await.unwrap(), [7, 8]);
        let broken = AssertUnwindSafe(once(&arena, 7, async { panic!("broken") }));
        assert!(broken.catch_unwind().await.is_err());
        assert_eq!(arena.updates_left().await.unwrap(), updates[1..]);
        assert_eq!(arena.take_updates(&updates).await.unwrap(), [0_i64; 0]);
        once(&arena, 8, async {}).await;
        assert!(arena.updates_left().await.unwrap().is_empty());
        arena.close().await;
    }

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

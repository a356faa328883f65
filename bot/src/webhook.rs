//! What Telegram brings by itself, to the listener that serves everything else.
//!
//! Who knows the secret is Telegram: it is made once for all processes and told to nobody else. An
//! update is put down before it is answered, so Telegram may forget it then; while the bot can't
//! take it, Telegram is told to come again.

use std::sync::{Arc, Mutex, PoisonError};

use arena::{Arena, Carrier};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde::Serialize;
use subtle::ConstantTimeEq;
use teloxide::{
    Bot, RequestError,
    requests::{JsonRequest, Payload},
    types::{AllowedUpdate, True},
};
use tokio::sync::mpsc;
use url::Url;

use crate::{
    faults::insist,
    updates::{self, ALLOWED, Update},
};

const PATH: &str = "/telegram/webhook";
/// Telegram's largest update is far smaller.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Where Telegram brings updates to: a handle for whoever serves HTTP, and for the bot.
#[derive(Clone)]
pub struct Webhook(Arc<Inner>);

struct Inner {
    arena: Arena,
    secret: String,
    /// To the bot, while it runs.
    inlet: Mutex<Option<mpsc::Sender<Update>>>,
}

/// setWebhook without a certificate, and so in JSON.
#[derive(Clone, Serialize)]
struct SetWebhook {
    url: Url,
    secret_token: String,
    allowed_updates: [AllowedUpdate; 5],
}

impl Payload for SetWebhook {
    type Output = True;

    const NAME: &'static str = "SetWebhook";
}

impl Webhook {
    /// One with the arena's secret.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(arena: Arena) -> arena::Result<Webhook> {
        let secret = arena.webhook_secret().await?;
        Ok(Webhook(Arc::new(Inner { arena, secret, inlet: Mutex::default() })))
    }

    /// The route to merge into what is served.
    pub fn router(&self) -> Router {
        Router::new()
            .route(PATH, post(receive))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }

    /// Has Telegram bring updates, and hands them on for as long as this is awaited.
    pub(crate) async fn listen(
        &self,
        bot: &Bot,
        page: &Url,
        carrier: Carrier,
        inlet: mpsc::Sender<Update>,
    ) -> Result<(), RequestError> {
        if !updates::resume(&self.0.arena, &inlet).await {
            return Ok(());
        }
        let open = Open(self);
        *self.inlet() = Some(inlet.clone());
        let mut url = page.clone();
        url.set_path(&format!("{}{PATH}", page.path().trim_end_matches('/')));
        let secret_token = self.0.secret.clone();
        let set = SetWebhook { url, secret_token, allowed_updates: ALLOWED };
        insist("The webhook can't be set", JsonRequest::new(bot.clone(), set)).await?;
        tracing::info!("Telegram brings updates to {PATH}");
        updates::take_up(&self.0.arena, carrier, &inlet).await;
        drop(open);
        Ok(())
    }

    fn inlet(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Update>>> {
        self.0.inlet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the inlet when the bot stops listening, however it does.
struct Open<'a>(&'a Webhook);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.inlet() = None;
    }
}

async fn receive(State(hook): State<Webhook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let said = headers.get("x-telegram-bot-api-secret-token").map(|it| it.as_bytes());
    // In constant time.
    if !bool::from(said.unwrap_or_default().ct_eq(hook.0.secret.as_bytes())) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(update) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    let inlet = hook.inlet().clone();
    let Some(inlet) = inlet else { return StatusCode::SERVICE_UNAVAILABLE };
    match updates::take(&hook.0.arena, &inlet, vec![update]).await {
        // What was put down and not handed on is handled at the next start.
        Some(true) | None => StatusCode::OK,
        Some(false) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

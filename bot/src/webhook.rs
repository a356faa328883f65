//! What Telegram brings by itself, to the listener that serves everything else.
//!
//! Who knows the secret is Telegram. It comes from the bot's token, so that it is the same at all
//! processes that Telegram may reach, and at the next start. An update is put down before it is
//! answered, so Telegram may forget it then; while the bot can't take it, Telegram is told to come
//! again.

use std::sync::{Arc, Mutex, PoisonError};

use arena::Secret;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use teloxide::{
    Bot, RequestError,
    requests::{JsonRequest, Payload},
    types::{AllowedUpdate, True},
};
use url::Url;

use crate::{
    faults::insist,
    updates::{ALLOWED, Inlet},
};

const PATH: &str = "/telegram/webhook";
/// Telegram's largest update is far smaller.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Where Telegram brings updates to: a handle for whoever serves HTTP, and for the bot.
#[derive(Clone)]
pub struct Webhook(Arc<Inner>);

struct Inner {
    secret: String,
    /// To the bot, while it runs.
    inlet: Mutex<Option<Inlet>>,
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
    /// That of the bot with this token.
    pub fn new(token: &Secret) -> Webhook {
        let key = token.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length are good");
        mac.update(b"artel webhook");
        // In letters that Telegram allows.
        let secret = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Webhook(Arc::new(Inner { secret, inlet: Mutex::default() }))
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
        inlet: Inlet,
    ) -> Result<(), RequestError> {
        let open = Open(self);
        *self.inlet() = Some(inlet);
        let mut url = page.clone();
        url.set_path(&format!("{}{PATH}", page.path().trim_end_matches('/')));
        let secret_token = self.0.secret.clone();
        let set = SetWebhook { url, secret_token, allowed_updates: ALLOWED };
        insist("The webhook can't be set", JsonRequest::new(bot.clone(), set)).await?;
        tracing::info!("Telegram brings updates to {PATH}");
        std::future::pending::<()>().await;
        drop(open);
        Ok(())
    }

    fn inlet(&self) -> std::sync::MutexGuard<'_, Option<Inlet>> {
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
    match inlet.take(vec![update]).await {
        // What was put down and not handed on is handled later.
        Some(true) | None => StatusCode::OK,
        Some(false) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

//! What Telegram brings, by long polling.
//!
//! teloxide's own polling reads a message that holds anything newer than itself as an empty one, so
//! that a command in it is lost without a trace. Here only what we need of a message is read.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::{
    ApiError, Bot, RequestError,
    requests::{JsonRequest, Payload, Request, Requester},
    types::{AllowedUpdate, ChatId, MessageId},
};
use tokio::sync::mpsc;

use crate::faults::{Backoff, insist};

/// How long Telegram may hold a request open; the HTTP client gives up after 17 s.
const HOLD_MAX: Duration = Duration::from_secs(10);

/// What we read of a message.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    #[serde(flatten)]
    pub(crate) message_id: MessageId,
    pub(crate) chat: Chat,
    /// Whoever wrote it, unless a channel did.
    pub(crate) from: Option<Writer>,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chat {
    pub(crate) id: ChatId,
    #[serde(rename = "type")]
    pub(crate) kind: ChatKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatKind {
    /// One person and the bot.
    Private,
    /// Any other: buttons that open the Mini App don't work there.
    #[serde(other)]
    Shared,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Writer {
    pub(crate) is_bot: bool,
    pub(crate) language_code: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    message: Message,
}

/// getUpdates, answered as it is.
#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    timeout: u64,
    allowed_updates: [AllowedUpdate; 1],
}

impl Payload for GetUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(HOLD_MAX)
    }
}

/// Hands on each message that comes, for as long as somebody takes them. The error is that Telegram
/// knows the bot no more.
pub(crate) async fn listen(bot: &Bot, inlet: mpsc::Sender<Message>) -> Result<(), RequestError> {
    // While a webhook is set, Telegram refuses to be polled.
    insist("The bot can't be set to listen", bot.delete_webhook()).await?;
    let mut backoff = Backoff::default();
    let mut offset = None;
    loop {
        let (timeout, allowed_updates) = (HOLD_MAX.as_secs(), [AllowedUpdate::Message]);
        let request =
            JsonRequest::new(bot.clone(), GetUpdates { offset, timeout, allowed_updates });
        let updates = match request.send().await {
            Ok(updates) => updates,
            Err(error @ RequestError::Api(ApiError::InvalidToken)) => return Err(error),
            Err(error) => {
                backoff.pause("Telegram does not tell what is new", &error).await;
                continue;
            }
        };
        if backoff.over() {
            tracing::info!("Telegram answers again");
        }
        for update in updates {
            // To ask for what comes after an update is to confirm it, whether it was read or not.
            let id = update.get("update_id").and_then(Value::as_i64);
            offset = id.map(|it| it + 1).or(offset);
            match serde_json::from_value(update) {
                Ok(Update { message }) => {
                    if inlet.send(message).await.is_err() {
                        return Ok(());
                    }
                }
                Err(_) => tracing::warn!(id, "An update could not be read and was left out"),
            }
        }
    }
}

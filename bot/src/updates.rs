//! What Telegram brings, by long polling.
//!
//! teloxide's own polling reads a message that holds anything newer than itself as an empty one, so
//! that a command in it is lost without a trace. Here only what we need of an update is read.
//!
//! An update is put down in the arena before Telegram may forget it, and struck off once it is
//! handled: so it is handled once, also when it comes twice or the process dies between.

use std::time::Duration;

use arena::{Arena, Carrier, TelegramUser};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::{
    ApiError, Bot, RequestError,
    requests::{JsonRequest, Payload, Request, Requester},
    types::{AllowedUpdate, ChatId, MessageId, ThreadId},
};
use tokio::sync::mpsc;

use crate::{
    faults::{Backoff, insist},
    metrics::METRICS,
};

/// How long Telegram may hold a request open; the HTTP client gives up after 17 s.
const HOLD_MAX: Duration = Duration::from_secs(10);
/// How often a process that does not listen to Telegram looks whether it is to.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked what other processes have left.
const TAKE_UP_EVERY: Duration = Duration::from_secs(20);
/// What we want to hear of.
pub(crate) const ALLOWED: [AllowedUpdate; 5] = [
    AllowedUpdate::Message,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::InlineQuery,
    AllowedUpdate::ChosenInlineResult,
    AllowedUpdate::MyChatMember,
];

/// Something that happened in Telegram.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    pub(crate) event: Event,
}

/// What happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Somebody wrote.
    Message(Message),
    /// Somebody pressed a button of ours.
    CallbackQuery(Tap),
    /// Somebody writes our name in any chat.
    InlineQuery(Inquiry),
    /// … and chose what we offered.
    ChosenInlineResult(Chosen),
    /// We were let in, thrown out, blocked or unblocked.
    MyChatMember(Membership),
}

/// What we read of a message.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    #[serde(flatten)]
    pub(crate) message_id: MessageId,
    pub(crate) chat: Chat,
    /// Whoever wrote it, unless a channel did.
    pub(crate) from: Option<TelegramUser>,
    pub(crate) text: Option<String>,
    #[serde(rename = "message_thread_id")]
    pub(crate) thread: Option<ThreadId>,
    /// Whether the thread is a topic of a forum, and not just a row of replies.
    #[serde(default, rename = "is_topic_message")]
    pub(crate) in_topic: bool,
    /// This group is a supergroup from now on, with this number.
    pub(crate) migrate_to_chat_id: Option<ChatId>,
}

#[derive(Clone, Debug, Deserialize)]
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

/// A button of ours that was pressed.
#[derive(Debug, Deserialize)]
pub(crate) struct Tap {
    /// To answer it by.
    pub(crate) id: String,
    pub(crate) from: TelegramUser,
    pub(crate) message: Option<Tapped>,
    /// The message, when it was sent by way of us.
    pub(crate) inline_message_id: Option<String>,
    /// What the button says of itself. Anybody may send anything.
    pub(crate) data: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tapped {
    #[serde(flatten)]
    pub(crate) message_id: MessageId,
    pub(crate) chat: Chat,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Inquiry {
    pub(crate) id: String,
    pub(crate) from: TelegramUser,
    pub(crate) query: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    pub(crate) result_id: String,
    pub(crate) from: TelegramUser,
    pub(crate) inline_message_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Membership {
    pub(crate) chat: Chat,
    pub(crate) new_chat_member: Member,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    status: String,
    #[serde(default)]
    can_send_messages: Option<bool>,
}

impl Member {
    /// Whether we may write there.
    pub(crate) fn may_write(&self) -> bool {
        match self.status.as_str() {
            "left" | "kicked" => false,
            "restricted" => self.can_send_messages.unwrap_or(false),
            _ => true,
        }
    }
}

impl Update {
    /// What is in an update; none for what is not for us or can't be read.
    fn read(id: i64, mut update: Value) -> Option<Update> {
        let fields = update.as_object_mut()?;
        fields.remove("update_id");
        match serde_json::from_value(update) {
            Ok(event) => Some(Update { id, event }),
            Err(_) => {
                tracing::warn!(id, "An update could not be read and was left out");
                None
            }
        }
    }
}

/// getUpdates, answered as it is.
#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    timeout: u64,
    allowed_updates: [AllowedUpdate; 5],
}

impl Payload for GetUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(HOLD_MAX)
    }
}

/// Hands on what an earlier run has taken and not handled. False when nobody takes it.
pub(crate) async fn resume(arena: &Arena, inlet: &mpsc::Sender<Update>) -> bool {
    let left = match arena.updates_left().await {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(error = error.report(), "What was left of updates can't be read");
            return true;
        }
    };
    let left = left.into_iter().map(|(id, body)| (id, serde_json::from_str(&body).ok()));
    for (id, body) in left {
        if !hand_on(arena, inlet, id, body.unwrap_or_default()).await {
            return false;
        }
    }
    true
}

/// Hands on what other processes have left, for as long as somebody takes it.
pub(crate) async fn take_up(arena: &Arena, carrier: Carrier, inlet: &mpsc::Sender<Update>) {
    while !inlet.is_closed() {
        tokio::time::sleep(TAKE_UP_EVERY).await;
        if listens(arena, carrier).await && !resume(arena, inlet).await {
            return;
        }
    }
}

/// Whether this process is to listen to Telegram; not when that is not known.
async fn listens(arena: &Arena, carrier: Carrier) -> bool {
    let listens = arena.listens(carrier).await;
    if let Err(error) = &listens {
        tracing::warn!(error = error.report(), "It is not known who listens to Telegram");
    }
    listens.unwrap_or_default()
}

/// Puts updates down and hands on those that are new. None when nobody takes them any more; false
/// when they could not be put down, so that Telegram has to bring them again.
pub(crate) async fn take(
    arena: &Arena,
    inlet: &mpsc::Sender<Update>,
    updates: Vec<Value>,
) -> Option<bool> {
    let id_of = |it: &Value| it.get("update_id").and_then(Value::as_i64);
    let rows: Vec<_> = updates.iter().filter_map(|it| Some((id_of(it)?, it.to_string()))).collect();
    let new = match arena.take_updates(&rows).await {
        Ok(new) => new,
        Err(error) => {
            tracing::error!(error = error.report(), "Updates can't be put down");
            return Some(false);
        }
    };
    for update in updates {
        match id_of(&update) {
            Some(id) if new.contains(&id) => {
                if !hand_on(arena, inlet, id, update).await {
                    return None;
                }
            }
            Some(id) => tracing::debug!(id, "An update came again"),
            None => tracing::warn!("An update without a number was left out"),
        }
    }
    Some(true)
}

/// Hands on one; what we can't read is done with.
async fn hand_on(arena: &Arena, inlet: &mpsc::Sender<Update>, id: i64, body: Value) -> bool {
    match Update::read(id, body) {
        Some(update) => {
            METRICS.update(&update.event);
            inlet.send(update).await.is_ok()
        }
        None => {
            handled(arena, id).await;
            true
        }
    }
}

/// Strikes an update off.
pub(crate) async fn handled(arena: &Arena, id: i64) {
    if let Err(error) = arena.update_handled(id).await {
        tracing::error!(id, error = error.report(), "An update can't be struck off");
    }
}

/// Hands on each update that comes, for as long as somebody takes them. Of several processes one
/// does: Telegram tells each update once, and refuses two who ask. The error is that Telegram knows
/// the bot no more.
pub(crate) async fn listen(
    bot: &Bot,
    arena: &Arena,
    carrier: Carrier,
    inlet: mpsc::Sender<Update>,
) -> Result<(), RequestError> {
    let left = async {
        take_up(arena, carrier, &inlet).await;
        Ok(())
    };
    tokio::select! {
        ended = poll(bot, arena, carrier, &inlet) => ended,
        ended = left => ended,
    }
}

async fn poll(
    bot: &Bot,
    arena: &Arena,
    carrier: Carrier,
    inlet: &mpsc::Sender<Update>,
) -> Result<(), RequestError> {
    if !resume(arena, inlet).await {
        return Ok(());
    }
    // While a webhook is set, Telegram refuses to be polled.
    insist("The bot can't be set to listen", bot.delete_webhook()).await?;
    let mut backoff = Backoff::default();
    let mut offset = None;
    loop {
        if !listens(arena, carrier).await {
            // Whoever listens confirms what it takes.
            offset = None;
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let (timeout, allowed_updates) = (HOLD_MAX.as_secs(), ALLOWED);
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
        let last = updates.iter().filter_map(|it| it.get("update_id")?.as_i64()).max();
        match take(arena, inlet, updates).await {
            // To ask for what comes after an update is to confirm it.
            Some(true) => offset = last.map(|it| it + 1).or(offset),
            Some(false) => tokio::time::sleep(backoff.next()).await,
            None => return Ok(()),
        }
    }
}

//! What leaves for Telegram: answers, and what the arena's outbox holds. One task sends all of it,
//! at the pace that Telegram allows.

use std::time::Duration;

use arena::{Arena, Card, CardPlace, CardStage, Carrier, Letter, Notice, Reach, Topic};
use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt, pending},
    stream::FuturesUnordered,
};
use teloxide::{
    ApiError, Bot, RequestError,
    payloads::{EditMessageTextInlineSetters, EditMessageTextSetters, SendMessageSetters},
    requests::{Request, Requester},
    types::{
        ChatId, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageId,
        ParseMode, ReplyParameters, ThreadId,
    },
};
use tokio::{
    select,
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    cards,
    faults::{insist, plain},
    links::Links,
    metrics::METRICS,
    notices::Notices,
    pace::{Pace, Target},
    updates, words,
};

/// What is on its way at once, waiting for its turn or for Telegram.
const ON_THE_WAY_MAX: usize = 1024;
/// How often the outbox is looked at when nobody says that there is something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest wait between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(15 * 60);

/// An answer to somebody who wrote.
pub(crate) struct Answer {
    /// What it answers, which is done with once this is sent.
    pub(crate) update: i64,
    pub(crate) chat: ChatId,
    /// Where many speak, an answer says to whom; and it stays within the group's topic.
    pub(crate) to: Option<MessageId>,
    pub(crate) text: String,
    pub(crate) buttons: Vec<Vec<InlineKeyboardButton>>,
}

/// What it takes to send.
pub(crate) struct Delivery<'a> {
    pub(crate) bot: &'a Bot,
    pub(crate) arena: &'a Arena,
    pub(crate) links: &'a Links,
    pub(crate) pace: &'a Pace,
    pub(crate) closing: &'a CancellationToken,
    pub(crate) carrier: Carrier,
}

/// What became of something that was sent.
pub(crate) enum Sent {
    /// It is there: as which message, where that is new.
    Done(Option<MessageId>),
    /// The message that was to be changed is gone.
    Lost,
    /// The chat takes nothing any more.
    Quiet,
    /// The group has another number.
    Moved(ChatId),
    /// Not now.
    Later(Duration),
    /// Telegram won't have it.
    Refused,
}

impl Delivery<'_> {
    /// Sends until no more answers can come and those that there were are sent. Letters that have
    /// to wait when the bot is stopped are given back.
    pub(crate) async fn run(&self, mut answers: mpsc::Receiver<Answer>) {
        let mut work: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        // Asked for beside the work and not between: what the work does may have to end first.
        let mut letters: BoxFuture<'_, arena::Result<Vec<Letter>>> = pending().boxed();
        let (mut open, mut looking) = (true, false);
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = ON_THE_WAY_MAX.saturating_sub(work.len());
            if !open && !looking && work.is_empty() {
                return;
            }
            // Letters wait for the next run once nobody answers any more.
            let may_look = open && room > 0 && !looking && !self.closing.is_cancelled();
            let look = select! {
                Some(()) = work.next() => false,
                answer = answers.recv(), if open && room > 0 => {
                    match answer {
                        Some(answer) => work.push(self.answer(answer).boxed()),
                        None => open = false,
                    }
                    false
                }
                found = &mut letters, if looking => {
                    looking = false;
                    match found {
                        Ok(found) => {
                            work.extend(found.into_iter().map(|it| self.deliver(it).boxed()));
                        }
                        Err(error) => {
                            tracing::error!(error = error.report(), "The outbox can't be read");
                        }
                    }
                    false
                }
                () = self.arena.letters_stirred(), if may_look => true,
                _ = ticks.tick(), if may_look => true,
            };
            if look {
                letters = self.arena.letters_due(self.carrier, room as u32).boxed();
                looking = true;
            }
        }
    }

    async fn answer(&self, answer: Answer) {
        let Answer { update, chat, to, text, buttons } = answer;
        self.pace.turn(&Target::Chat(chat.0)).await;
        let mut request = self
            .bot
            .send_message(chat, text)
            .parse_mode(ParseMode::Html)
            .link_preview_options(no_preview());
        if !buttons.is_empty() {
            request = request.reply_markup(InlineKeyboardMarkup::new(buttons));
        }
        if let Some(to) = to {
            request =
                request.reply_parameters(ReplyParameters::new(to).allow_sending_without_reply());
        }
        let answered = insist("An answer could not be sent", request).await.map(|it| Some(it.id));
        if let Err(error) = &answered {
            tracing::info!(error = plain(error), "An answer was refused");
        }
        if let Sent::Quiet = sent(answered) {
            self.hush(chat.0).await;
        }
        updates::handled(self.arena, update).await;
    }

    /// Delivers a letter, or sees to it that it is tried again.
    async fn deliver(&self, letter: Letter) {
        if let Err(error) = self.try_deliver(&letter).await {
            tracing::error!(error = error.report(), "A letter can't be delivered yet");
            // If the database is away now, the letter comes again when its lease is over.
            let _ = self.arena.letter_later(&letter, wait_after(letter.attempts)).await;
        }
    }

    async fn try_deliver(&self, letter: &Letter) -> arena::Result<()> {
        let Some(revision) = self.arena.letter_revision(letter).await? else { return Ok(()) };
        let target = match &letter.notice {
            Notice::Card { card } => match self.arena.card(*card).await? {
                Some(Card { place: CardPlace::Chat { chat, .. }, .. }) => {
                    let quiet = self.arena.is_chat_quiet(chat).await?;
                    (!quiet).then_some(Target::Chat(chat))
                }
                Some(Card { place: CardPlace::Inline { message }, .. }) => {
                    Some(Target::Inline(message))
                }
                None => None,
            },
            notice @ (Notice::Matched { .. }
            | Notice::Challenged { .. }
            | Notice::Result { .. }
            | Notice::PasswordReset { .. }
            | Notice::YourTurn { .. }
            | Notice::FriendRequest { .. }) => {
                self.reach(notice).await?.map(|it| Target::Chat(it.chat))
            }
        };
        let Some(target) = target else {
            return self.arena.letter_done(letter, revision).await;
        };
        if self.closing.run_until_cancelled(self.pace.turn(&target)).await.is_none() {
            return self.arena.letter_later(letter, Duration::ZERO).await;
        }
        // How things are is read only now, after the revision that it belongs to at least.
        let Some(revision) = self.arena.letter_revision(letter).await? else { return Ok(()) };
        let sent = match &letter.notice {
            Notice::Card { card } => self.send_card(*card).await?,
            notice @ (Notice::Matched { .. }
            | Notice::Challenged { .. }
            | Notice::Result { .. }
            | Notice::PasswordReset { .. }
            | Notice::YourTurn { .. }
            | Notice::FriendRequest { .. }) => self.send_notice(notice).await?,
        };
        match sent {
            Sent::Done(_) | Sent::Lost | Sent::Refused => {
                self.arena.letter_done(letter, revision).await
            }
            Sent::Quiet => {
                if let Target::Chat(chat) = target {
                    self.hush(chat).await;
                }
                self.arena.letter_done(letter, revision).await
            }
            Sent::Moved(to) => {
                if let Target::Chat(from) = target {
                    self.arena.chat_moved(from, to.0).await?;
                }
                self.arena.letter_later(letter, Duration::ZERO).await
            }
            Sent::Later(asked) => {
                self.pace.hold(&target, asked);
                let wait = asked.max(wait_after(letter.attempts));
                self.arena.letter_later(letter, wait).await
            }
        }
    }

    async fn hush(&self, chat: i64) {
        tracing::info!(chat, "A chat takes nothing any more");
        if let Err(error) = self.arena.set_chat_quiet(chat, true).await {
            tracing::error!(chat, error = error.report(), "A quiet chat can't be remembered");
        }
    }

    /// Shows a card as it is now.
    async fn send_card(&self, id: arena::CardId) -> arena::Result<Sent> {
        let Some(card) = self.arena.card(id).await? else { return Ok(Sent::Lost) };
        let (text, buttons) = cards::shown(&card, self.links);
        let sent = match (&card.place, card.message) {
            (CardPlace::Inline { message }, _) => {
                let edit = self.bot.edit_message_text_inline(message, text);
                let edit = edit.parse_mode(ParseMode::Html).reply_markup(buttons);
                sent(edit.send().await.map(|_| None))
            }
            (CardPlace::Chat { chat, .. }, Some(message)) => {
                let message = MessageId(i32::try_from(message).unwrap_or_default());
                let edit = self.bot.edit_message_text(ChatId(*chat), message, text);
                let edit = edit.parse_mode(ParseMode::Html).reply_markup(buttons);
                sent(edit.link_preview_options(no_preview()).send().await.map(|_| None))
            }
            // Nobody saw it open, so nobody need see it closed.
            (CardPlace::Chat { .. }, None) if card.stage == CardStage::Closed => Sent::Lost,
            (CardPlace::Chat { chat, thread }, None) => {
                let mut post = self.bot.send_message(ChatId(*chat), text);
                post = post.parse_mode(ParseMode::Html).reply_markup(buttons);
                post = post.link_preview_options(no_preview());
                if let Some(thread) = thread.and_then(|it| i32::try_from(it).ok()) {
                    post = post.message_thread_id(ThreadId(MessageId(thread)));
                }
                sent(post.send().await.map(|it| Some(it.id)))
            }
        };
        if let Sent::Done(Some(message)) = sent {
            self.arena.card_posted(id, message.0.into()).await?;
        }
        Ok(sent)
    }

    /// Whom a notice goes to, and where.
    async fn reach(&self, notice: &Notice) -> arena::Result<Option<Reach>> {
        let (user, topic) = match notice {
            Notice::Card { .. } => return Ok(None),
            Notice::Matched { user, .. } => (user, Topic::Matched),
            Notice::Challenged { user, .. } => (user, Topic::Challenged),
            Notice::Result { user, .. } => (user, Topic::Result),
            Notice::YourTurn { user, .. } => (user, Topic::YourTurn),
            Notice::FriendRequest { user, .. } => (user, Topic::FriendRequest),
            // Asked for, so not to be turned off.
            Notice::PasswordReset { user, .. } => return self.arena.chat_of(*user).await,
        };
        self.arena.reach(*user, topic).await
    }

    /// Tells somebody something in private.
    async fn send_notice(&self, notice: &Notice) -> arena::Result<Sent> {
        let Some(Reach { chat, language }) = self.reach(notice).await? else {
            return Ok(Sent::Lost);
        };
        let notices = Notices { arena: self.arena, links: self.links, language };
        let Some((text, button)) = notices.said(notice).await? else { return Ok(Sent::Lost) };
        let mut request = self.bot.send_message(ChatId(chat), text);
        request = request.parse_mode(ParseMode::Html).link_preview_options(no_preview());
        if let Some(button) = button {
            request = request.reply_markup(InlineKeyboardMarkup::new([[button]]));
        }
        Ok(sent(request.send().await.map(|it| Some(it.id))))
    }
}

/// Names in a row, none of which turns its neighbours.
pub(crate) fn names<'a>(users: impl Iterator<Item = &'a arena::PublicUser>) -> String {
    users.map(|it| words::isolated(&it.display_name)).collect::<Vec<_>>().join(" – ")
}

pub(crate) fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// How long to wait after so many failures: a second, doubled each time.
fn wait_after(attempts: u32) -> Duration {
    Duration::from_secs(1 << attempts.min(16)).min(RETRY_MAX)
}

/// What an answer of Telegram's means for what was sent.
fn sent(answer: Result<Option<MessageId>, RequestError>) -> Sent {
    let error = match answer {
        Ok(message) => return METRICS.sent(Sent::Done(message), None),
        Err(error) => error,
    };
    let sent = match &error {
        RequestError::RetryAfter(time) => Sent::Later(time.duration()),
        RequestError::MigrateToChatId(to) => Sent::Moved(*to),
        RequestError::Api(ApiError::MessageNotModified) => Sent::Done(None),
        RequestError::Api(
            ApiError::MessageToEditNotFound
            | ApiError::MessageCantBeEdited
            | ApiError::MessageIdInvalid,
        ) => Sent::Lost,
        RequestError::Api(
            ApiError::BotBlocked
            | ApiError::BotKicked
            | ApiError::BotKickedFromSupergroup
            | ApiError::BotKickedFromChannel
            | ApiError::UserDeactivated
            | ApiError::CantInitiateConversation
            | ApiError::CantTalkWithBots
            | ApiError::ChatNotFound
            | ApiError::GroupDeactivated,
        ) => Sent::Quiet,
        RequestError::Api(ApiError::Unknown(text)) => match text.as_str() {
            // Whatever else is forbidden, such as writing at all, is so for the whole chat.
            text if text.starts_with("Forbidden") => Sent::Quiet,
            text if text.contains("not enough rights") || text.contains("CHAT_WRITE_FORBIDDEN") => {
                Sent::Quiet
            }
            text if text.starts_with("Bad Request") => Sent::Refused,
            _ => Sent::Later(Duration::from_secs(1)),
        },
        // The bot ends with it, and another run may have a better token.
        RequestError::Api(ApiError::InvalidToken) => Sent::Later(Duration::from_secs(1)),
        RequestError::Api(_) => Sent::Refused,
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => {
            Sent::Later(Duration::from_secs(1))
        }
    };
    match sent {
        Sent::Refused => tracing::warn!(error = plain(&error), "Telegram won't have a message"),
        Sent::Later(_) => tracing::info!(error = plain(&error), "A message has to wait"),
        Sent::Done(_) | Sent::Lost | Sent::Quiet | Sent::Moved(_) => {}
    }
    METRICS.sent(sent, Some(&error))
}

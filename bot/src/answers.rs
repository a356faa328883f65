//! A message comes, an answer goes.

use arena::Language;
use teloxide::{
    Bot,
    adaptors::Throttle,
    payloads::SendMessageSetters,
    requests::Requester,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, ParseMode, ReplyParameters, WebAppInfo},
};

use crate::{
    commands::Command,
    faults::{insist, plain},
    links::Links,
    updates::{ChatKind, Message},
    words,
};

/// What it takes to answer.
pub(crate) struct Desk {
    /// Sends no faster than Telegram allows, and waits when Telegram says so.
    pub(crate) bot: Throttle<Bot>,
    /// The bot's user name.
    pub(crate) name: String,
    pub(crate) links: Links,
}

impl Desk {
    /// Answers a message, if it is for us.
    pub(crate) async fn answer(&self, message: Message) {
        let Some(command) = self.asked(&message) else { return };
        let tag = message.from.and_then(|it| it.language_code);
        let language = tag.and_then(|it| Language::preferred(&it)).unwrap_or_default();

        let open = words::open(language);
        let page = &self.links.page;
        let (button, address) = match message.chat.kind {
            ChatKind::Private if self.links.page_is_secure() => {
                (Some(InlineKeyboardButton::web_app(open, WebAppInfo { url: page.clone() })), None)
            }
            ChatKind::Private => (None, Some(page)),
            ChatKind::Shared => {
                (Some(InlineKeyboardButton::url(open, self.links.telegram.clone())), None)
            }
        };

        let text = words::answer(command, language, address);
        let mut answer = self.bot.send_message(message.chat.id, text).parse_mode(ParseMode::Html);
        if let Some(button) = button {
            answer = answer.reply_markup(InlineKeyboardMarkup::new([[button]]));
        }
        if message.chat.kind == ChatKind::Shared {
            // Where many speak, an answer says to whom; and it stays within the group's topic.
            let to = ReplyParameters::new(message.message_id).allow_sending_without_reply();
            answer = answer.reply_parameters(to);
        }
        if let Err(error) = insist("An answer could not be sent", answer).await {
            tracing::info!(error = plain(&error), "An answer was refused");
        }
    }

    /// What a message asks of us. Whoever writes anything else gets help when alone with us, and
    /// silence where others speak.
    fn asked(&self, message: &Message) -> Option<Command> {
        let command = Command::parse(message.text.as_deref()?, &self.name);
        match message.chat.kind {
            // Two bots that help each other would never stop.
            ChatKind::Private if message.from.as_ref().is_some_and(|it| it.is_bot) => None,
            ChatKind::Private => command.or(Some(Command::Help)),
            ChatKind::Shared => command,
        }
    }
}

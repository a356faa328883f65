//! Challenges that are sent by way of the bot in any chat, also where it is not a member.

use arena::{CardPlace, Error, Language, NewCard};
use games::Kind;
use teloxide::{
    payloads::AnswerInlineQuerySetters,
    requests::{Request, Requester},
    types::{
        InlineKeyboardButton, InlineKeyboardMarkup, InlineQueryId, InlineQueryResult,
        InlineQueryResultArticle, InputMessageContent, InputMessageContentText, ParseMode,
    },
};

use crate::{
    answers::Desk,
    commands,
    faults::plain,
    taps::Press,
    updates::{Chosen, Inquiry},
    words::{self, Label, Say},
};

/// For how long Telegram may show the same offers to the same person, in seconds.
const OFFERS_CACHED: u32 = 60;

impl Desk<'_> {
    /// Offers challenges to whoever writes our name in a chat.
    pub(crate) async fn offer(&self, inquiry: Inquiry) {
        let tag = inquiry.from.language_code.as_deref().unwrap_or_default();
        let language = match self.arena.telegram_account(&inquiry.from).await {
            Ok(user) => user.language,
            Err(_) => Language::preferred(tag).unwrap_or_default(),
        };
        let wanted = inquiry.query.trim().to_lowercase();
        let fits = |game: &Kind| {
            let title = words::game(*game, language).to_lowercase();
            wanted.is_empty()
                || commands::game(&wanted) == Some(*game)
                || game.name().starts_with(&wanted)
                || title.contains(&wanted)
        };
        let offers = Kind::ALL.into_iter().filter(fits).map(|game| {
            let text = words::say(&Say::Offer { game }, language, None);
            let content = InputMessageContentText::new(text).parse_mode(ParseMode::Html);
            let content = InputMessageContent::Text(content);
            let join = words::label(Label::Join, language);
            let join = InlineKeyboardButton::callback(join, Press::JoinInline.to_string());
            let title = words::game(game, language);
            let article = InlineQueryResultArticle::new(game.name(), title, content)
                .reply_markup(InlineKeyboardMarkup::new([[join]]))
                .description(words::label(Label::Invite, language));
            InlineQueryResult::Article(article)
        });
        let answer =
            self.bot.answer_inline_query(InlineQueryId(inquiry.id), offers.collect::<Vec<_>>());
        let answer = answer.is_personal(true).cache_time(OFFERS_CACHED);
        if let Err(error) = answer.send().await {
            tracing::debug!(error = plain(&error), "An inline query's answer was not taken");
        }
    }

    /// Somebody sent a challenge by way of us: they are its host.
    pub(crate) async fn chosen(&self, chosen: Chosen) -> arena::Result<()> {
        let (Ok(game), Some(message)) = (chosen.result_id.parse(), chosen.inline_message_id) else {
            return Ok(());
        };
        let user = self.arena.telegram_account(&chosen.from).await?;
        let new = NewCard {
            game,
            origin: origin(&message),
            place: CardPlace::Inline { message },
            language: user.language,
            invited: None,
        };
        match self.arena.open_card(user.id, new).await {
            Ok(_) => Ok(()),
            // Their message stays as it is, and whoever joins is told that it is not open.
            Err(Error::Refused(refused)) => {
                tracing::debug!("A challenge was not opened: {refused}");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// What the card of an inline message is made for.
pub(crate) fn origin(message: &str) -> String {
    format!("inline {message}")
}

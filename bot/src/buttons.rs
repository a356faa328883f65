//! A button is pressed, the arena decides, and whoever pressed it is told.

use arena::{Error, Joined, Language, User};
use teloxide::{
    payloads::{AnswerCallbackQuerySetters, EditMessageTextSetters},
    requests::{Request, Requester},
    types::{CallbackQueryId, InlineKeyboardButton, InlineKeyboardMarkup, ParseMode},
};

use crate::{
    answers::{Desk, code_of},
    faults::plain,
    inline,
    links::Place,
    taps::Press,
    updates::{ChatKind, Tap, Tapped},
    words::{self, Label, Say, Toast},
};

impl Desk<'_> {
    /// A button was pressed.
    pub(crate) async fn feel(&self, tap: Tap) {
        let tag = tap.from.language_code.as_deref().unwrap_or_default();
        let mut language = Language::preferred(tag).unwrap_or_default();
        let toast = match self.press(&tap, &mut language).await {
            Ok(toast) => toast,
            Err(error) => Toast::Refused { code: code_of(&error) },
        };
        let text = words::toast(toast, language);
        // Not paced, since Telegram does not count it; and not tried again, since it is soon void.
        let answer = self.bot.answer_callback_query(CallbackQueryId(tap.id)).text(text);
        if let Err(error) = answer.send().await {
            tracing::debug!(error = plain(&error), "A button's answer was not taken");
        }
    }

    async fn press(&self, tap: &Tap, language: &mut Language) -> arena::Result<Toast<'static>> {
        let press = tap.data.as_deref().and_then(Press::parse);
        let (Some(press), false) = (press, tap.from.is_bot) else { return Ok(Toast::Old) };
        let user = self.arena.telegram_account(&tap.from).await?;
        *language = user.language;
        let name = tap.from.username.as_deref();
        let card = match press {
            Press::JoinInline => {
                let origin = tap.inline_message_id.as_deref().map(inline::origin);
                match origin {
                    Some(origin) => self.arena.card_of(&origin).await?,
                    None => return Ok(Toast::Old),
                }
            }
            Press::Join(card) | Press::Leave(card) | Press::Start(card) | Press::Rematch(card) => {
                Some(card)
            }
            Press::Toggle(_) | Press::Speak(_) | Press::Link(..) => None,
        };
        match (press, card) {
            (Press::Join(_) | Press::JoinInline, Some(card)) => {
                let joined = self.arena.join_card(user.id, name, card).await?;
                Ok(match joined {
                    Joined::Waiting { missing } => Toast::Joined { missing },
                    Joined::Started(_) => Toast::Started,
                })
            }
            (Press::Leave(_), Some(card)) => {
                self.arena.leave_card(user.id, card).await.map(|()| Toast::Left)
            }
            (Press::Start(_), Some(card)) => {
                self.arena.start_card(user.id, card).await.map(|_| Toast::Started)
            }
            (Press::Rematch(_), Some(card)) => {
                self.arena.rematch_card(user.id, card).await.map(|_| Toast::Rematch)
            }
            (Press::JoinInline, None) => Ok(Toast::NotYet),
            (Press::Toggle(topic), _) => {
                let settings = self.arena.notice_settings(user.id).await?.toggled(topic);
                self.arena.set_notice_settings(user.id, settings).await?;
                self.show_settings(tap, &user).await
            }
            (Press::Speak(spoken), _) => {
                let user = self.arena.update_me(user.id, Some(spoken), None).await?;
                *language = spoken;
                self.show_settings(tap, &user).await
            }
            (Press::Link(token, yes), _) => self.link_pressed(tap, token, yes, language).await,
            (Press::Join(_) | Press::Leave(_) | Press::Start(_) | Press::Rematch(_), None) => {
                Ok(Toast::Old)
            }
        }
    }

    /// Shows changed settings where they were changed.
    async fn show_settings(&self, tap: &Tap, user: &User) -> arena::Result<Toast<'static>> {
        let Some(message) = &tap.message else { return Ok(Toast::Old) };
        if message.chat.kind == ChatKind::Private {
            let (say, buttons) = self.settings(user).await?;
            self.put(message, words::say(&say, user.language, None), buttons).await;
        }
        Ok(Toast::Saved)
    }

    /// Yes or no to a link: the question becomes the answer.
    async fn link_pressed(
        &self,
        tap: &Tap,
        token: &str,
        yes: bool,
        language: &mut Language,
    ) -> arena::Result<Toast<'static>> {
        let private = tap.message.as_ref().filter(|it| it.chat.kind == ChatKind::Private);
        let Some(message) = private else { return Ok(Toast::Old) };
        let said = match self.link_or_not(&tap.from, token, yes).await {
            Ok(said) => said,
            // Both were used: they can be made one where both can be shown to be one person's.
            Err(Error::Refused(it)) if it.code == "account_in_use" => {
                Say::LinkMerge { address: self.links.address(Place::Security).into() }
            }
            Err(error) => Say::Refused { code: code_of(&error) },
        };
        // They may read another language there.
        *language = self.arena.telegram_account(&tap.from).await?.language;
        let mut buttons = Vec::new();
        if matches!(said, Say::LinkMerge { .. }) {
            let label = words::label(Label::MakeOne, *language);
            let button = self.links.in_private(label, Place::Security);
            buttons.extend(button.map(|it| vec![it]));
        }
        self.put(message, words::say(&said, *language, None), buttons).await;
        Ok(Toast::Done)
    }

    /// Has a message of ours in a private chat say something else.
    async fn put(&self, message: &Tapped, text: String, buttons: Vec<Vec<InlineKeyboardButton>>) {
        let edit = self.bot.edit_message_text(message.chat.id, message.message_id, text);
        let edit = edit.parse_mode(ParseMode::Html);
        let edit = edit.reply_markup(InlineKeyboardMarkup::new(buttons));
        if let Err(error) = edit.send().await {
            tracing::debug!(error = plain(&error), "A message is not shown as it is");
        }
    }
}

//! Letting a Telegram user in to an account that was made on the web: asked here, since the link
//! may have been somebody else's idea.

use arena::{TelegramUser, User};
use teloxide::types::InlineKeyboardButton;

use crate::{
    answers::{Asking, Desk, Said, only},
    links::Place,
    taps::{Press, is_token},
    words::{self, Label, Say},
};

/// The token in what a link to the bot says after `start=`.
pub(crate) fn token_of(payload: &str) -> Option<&str> {
    payload.strip_prefix("link_").filter(|it| is_token(it))
}

impl Desk<'_> {
    /// How a Telegram user gets to an account that was made on the web.
    pub(crate) async fn link<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        if let Some(token) = token_of(asking.rest) {
            return self.ask_to_link(asking.user, token).await;
        }
        let name = asking.user.username.as_deref().map(words::isolated);
        Ok(only(match name {
            Some(name) => Say::LinkedAlready { name },
            None => Say::LinkHow { address: self.links.address(Place::Me).into() },
        }))
    }

    /// Asks whether they want to be let in to the account of a link.
    pub(crate) async fn ask_to_link<'a>(
        &self,
        user: &User,
        token: &str,
    ) -> arena::Result<Said<'a>> {
        let target = self.arena.link_target(token).await?;
        let button = |label, yes| {
            let label = words::label(label, user.language);
            InlineKeyboardButton::callback(label, Press::Link(token, yes).to_string())
        };
        let buttons = vec![vec![button(Label::Yes, true), button(Label::No, false)]];
        let name = words::isolated(&target.display_name);
        let username = target.username.unwrap_or_default();
        Ok((Say::LinkAsk { name, username }, buttons))
    }

    /// They have answered: what is said to that.
    pub(crate) async fn link_or_not<'a>(
        &self,
        from: &TelegramUser,
        token: &str,
        yes: bool,
    ) -> arena::Result<Say<'a>> {
        if !yes {
            self.arena.drop_link(token).await?;
            return Ok(Say::NotLinked);
        }
        let user = self.arena.link_telegram(from, token).await?;
        Ok(Say::Linked { name: words::isolated(&user.display_name) })
    }
}

//! What is said in private of what happens in the arena.

use arena::{Arena, CardStage, Language, MatchId, Notice, UserId};
use teloxide::types::InlineKeyboardButton;

use crate::{
    delivery::names,
    links::{Links, Place},
    taps::Press,
    words::{self, Label, Say},
};

/// What it takes to say it.
pub(crate) struct Notices<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) links: &'a Links,
    /// What the reader reads.
    pub(crate) language: Language,
}

/// A text, and what one can press.
type Said = (String, Option<InlineKeyboardButton>);

impl Notices<'_> {
    /// What is said, as things are now; none when there is nothing to say any more.
    pub(crate) async fn said(&self, notice: &Notice) -> arena::Result<Option<Said>> {
        let label = |it| words::label(it, self.language);
        let said = match notice {
            Notice::Card { .. } => return Ok(None),
            Notice::Matched { user, match_id } => {
                let info = self.arena.match_info(*match_id).await?;
                let names =
                    names(info.players.iter().filter(|it| it.user.id != *user).map(|it| &it.user));
                let say = Say::WasMatched { game: info.game, names };
                self.leading(&say, Label::Play, Place::Match(*match_id))
            }
            Notice::Challenged { user, card } => {
                let Some(card) = self.arena.card(*card).await? else { return Ok(None) };
                if card.stage != CardStage::Open {
                    return Ok(None);
                }
                let names =
                    names(card.players.iter().map(|it| &it.user).filter(|it| it.id != *user));
                let say = Say::WasChallenged { game: card.game, names };
                let join = Press::Join(card.id).to_string();
                let join = InlineKeyboardButton::callback(label(Label::Join), join);
                (words::say(&say, self.language, None), Some(join))
            }
            Notice::Result { user, match_id } => {
                let say = self.result(*user, *match_id).await?;
                let button = self.links.in_private(label(Label::Replay), Place::Replay(*match_id));
                (words::say(&say, self.language, None), button)
            }
            Notice::PasswordReset { user, .. } => {
                let mut page = self.links.page.clone();
                page.set_path("/reset");
                let Some(link) = self.arena.reset_link(*user, page).await? else {
                    return Ok(None);
                };
                let say = Say::PasswordReset { link: link.as_str() };
                (words::say(&say, self.language, None), None)
            }
            Notice::YourTurn { user, match_id, .. } => {
                if !self.arena.is_awaited(*user, *match_id).await? {
                    return Ok(None);
                }
                let info = self.arena.match_info(*match_id).await?;
                let others = info.players.iter().map(|it| &it.user).filter(|it| it.id != *user);
                let say = Say::YourTurn { game: info.game, names: names(others) };
                self.leading(&say, Label::Play, Place::Match(*match_id))
            }
            Notice::FriendRequest { from, .. } => {
                let Some(from) = self.arena.user(*from).await? else { return Ok(None) };
                let say = Say::FriendRequest { name: words::isolated(&from.display_name) };
                self.leading(&say, Label::Profile, Place::User(from.id))
            }
        };
        Ok(Some(said))
    }

    /// What is said in private, with the way to a place: a button, or its address.
    fn leading(
        &self,
        say: &Say<'_>,
        label: Label,
        place: Place<'_>,
    ) -> (String, Option<InlineKeyboardButton>) {
        let address = self.links.address(place);
        let address = (!self.links.page_is_secure()).then_some(&address);
        let button = self.links.in_private(words::label(label, self.language), place);
        (words::say(say, self.language, address), button)
    }

    async fn result(&self, user: UserId, id: MatchId) -> arena::Result<Say<'static>> {
        let info = self.arena.match_info(id).await?;
        let past = self.arena.history(user, None, Some(20)).await?.items;
        let past = past.into_iter().find(|it| it.match_id == id);
        let mine = past.and_then(|it| it.players.into_iter().find(|it| it.user.id == user));
        let change =
            mine.and_then(|it| Some(format!("{} → {}", it.rating_before?, it.rating_after?)));
        Ok(Say::Result {
            game: info.game,
            won: info.winner.map(|it| it == user),
            names: names(info.players.iter().map(|it| &it.user)),
            score: words::figures(info.players.iter().map(|it| it.score)),
            change,
        })
    }
}

//! Where the bot's buttons lead.

use arena::{MatchId, UserId};
use teloxide::types::{InlineKeyboardButton, Me, WebAppInfo};
use url::Url;

/// The addresses of the page and of the Mini App.
pub(crate) struct Links {
    /// The page itself: what a button of the Mini App opens in a private chat.
    pub(crate) page: Url,
    /// A link for groups, where buttons of the Mini App don't work. It opens the Mini App or, if
    /// nothing is set at @BotFather that could be linked to, the chat with the bot.
    pub(crate) telegram: Url,
    /// The Mini App, if it can be linked to: with `=` and a start parameter after it.
    pub(crate) app: Option<Url>,
}

/// A place in the Mini App.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// A match: players find their seats, everybody else watches.
    Match(MatchId),
    /// A match that is over.
    Replay(MatchId),
    /// The queue of a game.
    Queue(games::Kind),
    /// A room, by its code.
    Room(&'a str),
    /// Somebody's profile.
    User(UserId),
    /// One's own profile.
    Me,
    /// How one signs in, and where two accounts are made one.
    Security,
}

impl Place<'_> {
    /// As a link of Telegram's says it in `startapp`.
    fn start_param(self) -> String {
        match self {
            Place::Match(id) => format!("m_{id}"),
            Place::Replay(id) => format!("r_{id}"),
            Place::Queue(game) => format!("q_{game}"),
            Place::Room(code) => format!("room_{code}"),
            Place::User(id) => format!("u_{id}"),
            Place::Me | Place::Security => String::new(),
        }
    }

    /// As an address of the page says it.
    fn path(self) -> String {
        match self {
            Place::Match(id) => format!("/match/{id}"),
            Place::Replay(id) => format!("/replay/{id}"),
            Place::Queue(game) => format!("/queue/{game}"),
            Place::Room(code) => format!("/rooms/{}", code.to_ascii_uppercase()),
            Place::User(id) => format!("/users/{id}"),
            Place::Me => "/me".to_owned(),
            Place::Security => "/security".to_owned(),
        }
    }

    /// Reads what a link to the bot says after `start=`.
    pub(crate) fn parse(payload: &str) -> Option<Place<'_>> {
        let (kind, id) = payload.split_once('_')?;
        match kind {
            "m" => id.parse().ok().map(Place::Match),
            "r" => id.parse().ok().map(Place::Replay),
            "q" => id.parse().ok().map(Place::Queue),
            "u" => id.parse().ok().map(Place::User),
            "room" if is_code(id) => Some(Place::Room(id)),
            _ => None,
        }
    }
}

/// Whether this can be a room's code.
fn is_code(text: &str) -> bool {
    (4..=16).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

impl Links {
    /// `app` is the Mini App's short name.
    pub(crate) fn new(page: Url, me: &Me, app: Option<&str>) -> Links {
        let bot = me.username();
        let url = |text: String| text.parse::<Url>().expect("names of bots and apps are letters");
        let app = match app {
            Some(app) => Some(url(format!("https://t.me/{bot}/{app}?startapp"))),
            None if me.has_main_web_app => Some(url(format!("https://t.me/{bot}?startapp"))),
            None => None,
        };
        let telegram = app.clone().unwrap_or_else(|| url(format!("https://t.me/{bot}?start=play")));
        Links { page, telegram, app }
    }

    /// Whether Telegram opens the page in a button: it wants https.
    pub(crate) fn page_is_secure(&self) -> bool {
        self.page.scheme() == "https"
    }

    /// The page's address of a place.
    pub(crate) fn address(&self, place: Place<'_>) -> Url {
        let mut url = self.page.clone();
        url.set_path(&format!("{}{}", self.page.path().trim_end_matches('/'), place.path()));
        url
    }

    /// A link to a place that can be handed to anybody.
    pub(crate) fn link(&self, place: Place<'_>) -> Url {
        match &self.app {
            Some(app) => {
                let mut url = app.clone();
                url.set_query(Some(&format!("startapp={}", place.start_param())));
                url
            }
            None => self.address(place),
        }
    }

    /// A button that leads to a place from any chat; none where Telegram opens no address of ours.
    pub(crate) fn anywhere(&self, text: String, place: Place<'_>) -> Option<InlineKeyboardButton> {
        let opens = self.app.is_some() || self.page_is_secure();
        opens.then(|| InlineKeyboardButton::url(text, self.link(place)))
    }

    /// The same in a private chat, where the Mini App opens without a question.
    pub(crate) fn in_private(
        &self,
        text: String,
        place: Place<'_>,
    ) -> Option<InlineKeyboardButton> {
        let url = self.address(place);
        self.page_is_secure().then(|| InlineKeyboardButton::web_app(text, WebAppInfo { url }))
    }
}

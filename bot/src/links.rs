//! Where the bot's buttons lead.

use teloxide::types::Me;
use url::Url;

/// The addresses of the page and of the Mini App.
pub(crate) struct Links {
    /// The page itself: what a button of the Mini App opens in a private chat.
    pub(crate) page: Url,
    /// A link for groups, where buttons of the Mini App don't work. It opens the Mini App or, if
    /// nothing is set at @BotFather that could be linked to, the chat with the bot.
    pub(crate) telegram: Url,
}

impl Links {
    /// `app` is the Mini App's short name.
    pub(crate) fn new(page: Url, me: &Me, app: Option<&str>) -> Links {
        let bot = me.username();
        let telegram = match app {
            Some(app) => format!("https://t.me/{bot}/{app}?startapp"),
            None if me.has_main_web_app => format!("https://t.me/{bot}?startapp"),
            None => format!("https://t.me/{bot}?start=play"),
        };
        let telegram = telegram.parse().expect("names of bots and apps are plain letters");
        Links { page, telegram }
    }

    /// Whether Telegram opens the page in a button: it wants https.
    pub(crate) fn page_is_secure(&self) -> bool {
        self.page.scheme() == "https"
    }
}

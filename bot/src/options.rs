//! What an operator may set of the bot.

use url::Url;

/// What an operator may set of the bot.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The Bot API server
    #[arg(
        long,
        env = "TELEGRAM_API_URL",
        default_value = "https://api.telegram.org",
        value_parser = api_url
    )]
    pub telegram_api_url: Url,

    /// The Mini App's short name from @BotFather, for links from groups
    #[arg(long, env = "TELEGRAM_APP_NAME", value_parser = app_name)]
    pub telegram_app_name: Option<String>,

    /// 1 to let Telegram bring updates to PUBLIC_URL, which takes https; 0 to fetch them
    #[arg(long, env = "ARTEL_TELEGRAM_WEBHOOK", default_value = "0", value_parser = flag)]
    pub telegram_webhook: bool,
}

fn api_url(text: &str) -> Result<Url, String> {
    let help = "not a Bot API server's address; for example https://api.telegram.org";
    let url = Url::parse(text.trim_end_matches('/')).map_err(|_| help)?;
    match matches!(url.scheme(), "http" | "https") && url.has_host() {
        true => Ok(url),
        false => Err(help.to_owned()),
    }
}

fn flag(text: &str) -> Result<bool, String> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("neither 0 nor 1".to_owned()),
    }
}

fn app_name(text: &str) -> Result<String, String> {
    let good = (3..=30).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    match good {
        true => Ok(text.to_owned()),
        false => Err("not a Mini App's short name: 3 to 30 letters, digits and underscores, for \
                      example the play of https://t.me/your_bot/play"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        assert_eq!(api_url("http://127.0.0.1:8081/").unwrap().as_str(), "http://127.0.0.1:8081/");
        assert_eq!(api_url("https://a.example/bots/").unwrap().path(), "/bots");
        for wrong in ["", "api.telegram.org", "ftp://a.example", "mailto:a@a.example"] {
            assert!(api_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_apps() {
        assert!(app_name("play").is_ok());
        for wrong in ["", "ab", "my app", "https://t.me/bot/play", "игра"] {
            assert!(app_name(wrong).is_err(), "{wrong}");
        }
    }
}

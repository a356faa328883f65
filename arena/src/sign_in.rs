//! What an operator may set of signing in.

use lettre::message::Mailbox;
use url::{Host, Url};

use crate::{Secret, options::jwt_secret};

const GOOGLE: &str = "https://accounts.google.com";
const TELEGRAM: &str = "https://oauth.telegram.org";

/// What an operator may set of signing in.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct SignInOptions {
    /// The value of JWT_SECRET before this one: what it has signed stays good
    #[arg(long, env = "JWT_OLD_SECRET", value_parser = jwt_secret, hide_env_values = true)]
    pub jwt_old_secret: Option<Secret>,

    /// Google's id of this server, from its console; with the secret, people sign in by Google
    #[arg(long, env = "GOOGLE_CLIENT_ID", requires = "google_client_secret")]
    pub google_client_id: Option<String>,

    /// The secret that goes with GOOGLE_CLIENT_ID
    #[arg(
        long,
        env = "GOOGLE_CLIENT_SECRET",
        value_parser = secret,
        hide_env_values = true,
        requires = "google_client_id"
    )]
    pub google_client_secret: Option<Secret>,

    /// Who vouches for Google's people: another, to test with
    #[arg(long, env = "GOOGLE_ISSUER", default_value = GOOGLE, value_parser = issuer)]
    pub google_issuer: String,

    /// The secret of the bot's Web Login, from @BotFather; with it, people sign in by Telegram on
    /// the web
    #[arg(long, env = "TELEGRAM_CLIENT_SECRET", value_parser = secret, hide_env_values = true)]
    pub telegram_client_secret: Option<Secret>,

    /// The bot's id for Web Login [default: the number in TELOXIDE_TOKEN]
    #[arg(long, env = "TELEGRAM_CLIENT_ID", requires = "telegram_client_secret")]
    pub telegram_client_id: Option<String>,

    /// Who vouches for Telegram's people on the web: another, to test with
    #[arg(long, env = "TELEGRAM_ISSUER", default_value = TELEGRAM, value_parser = issuer)]
    pub telegram_issuer: String,

    /// Who takes letters: smtps://USER:PASSWORD@HOST or smtp://HOST:25; without it none are sent
    #[arg(long, env = "ARTEL_SMTP_URL", value_parser = smtp, hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<Secret>,

    /// Who letters are from; for example Artel <artel@artel.example>
    #[arg(long = "mail-from", env = "ARTEL_MAIL_FROM", value_parser = mailbox)]
    pub mail_from: Option<Mailbox>,
}

impl Default for SignInOptions {
    /// Passwords and the Mini App, and nothing that has to be set up elsewhere.
    fn default() -> SignInOptions {
        SignInOptions {
            jwt_old_secret: None,
            google_client_id: None,
            google_client_secret: None,
            google_issuer: GOOGLE.to_owned(),
            telegram_client_secret: None,
            telegram_client_id: None,
            telegram_issuer: TELEGRAM.to_owned(),
            smtp_url: None,
            mail_from: None,
        }
    }
}

/// Whether something may be fetched from there: by https, or from this machine itself.
pub(crate) fn is_safe(url: &Url) -> bool {
    let own = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && own))
}

fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

fn issuer(text: &str) -> Result<String, String> {
    let good = Url::parse(text).is_ok_and(|it| {
        is_safe(&it) && it.query().is_none() && it.fragment().is_none() && it.username() == ""
    });
    match good && !text.ends_with('/') {
        true => Ok(text.to_owned()),
        false => Err("not https:// with a host and no / at the end; for example \
                      https://accounts.google.com"
            .to_owned()),
    }
}

fn smtp(text: &str) -> Result<Secret, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "smtp" | "smtps") && url.has_host() => {
            Ok(Secret::new(text))
        }
        _ => Err("not a mail server's address; for example \
                  smtps://user:password@mail.artel.example"
            .to_owned()),
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "not who letters can be from; for example Artel <artel@artel.example>".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers() {
        for good in ["https://accounts.google.com", "http://127.0.0.1:8080", "https://a.b/tenant"] {
            assert_eq!(issuer(good).as_deref(), Ok(good));
        }
        for bad in ["", "accounts.google.com", "http://a.b", "https://a.b/", "https://a.b?x=1"] {
            assert!(issuer(bad).is_err(), "{bad}");
        }
    }
}

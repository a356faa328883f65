//! Letters by e-mail, through the operator's mail server.

use anyhow::Context;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use url::Url;

use crate::{Language, Options};

/// Sends letters; there is none without a mail server.
pub(crate) struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What a letter is about. `link` is where it leads.
pub(crate) enum Letter<'a> {
    /// A new password can be set.
    Reset { link: &'a Url, login: &'a str },
    /// Somebody says that this is their address.
    Confirm { link: &'a Url, name: &'a str },
}

impl Mail {
    pub(crate) fn open(options: &Options) -> anyhow::Result<Option<Mail>> {
        let set = &options.sign_in;
        let (Some(url), Some(from)) = (&set.smtp_url, &set.mail_from) else { return Ok(None) };
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose())
            .context("ARTEL_SMTP_URL: can't send letters there")?
            .build();
        Ok(Some(Mail { server, from: from.clone() }))
    }

    /// Hands a letter over to the mail server.
    pub(crate) async fn send(
        &self,
        to: &str,
        letter: &Letter<'_>,
        language: Language,
    ) -> anyhow::Result<()> {
        let (subject, body) = letter.written(language);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.parse().context("reading an address")?))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .context("writing a letter")?;
        self.server.send(message).await.context("sending a letter")?;
        Ok(())
    }
}

impl Letter<'_> {
    fn written(&self, language: Language) -> (&'static str, String) {
        match (self, language) {
            (Letter::Reset { link, login }, Language::En) => (
                "A new password for Artel",
                format!(
                    "Somebody, hopefully you, asked for a new password for {login} at Artel.\n\n\
                     Set it here within 30 minutes:\n{link}\n\n\
                     If it was not you, do nothing: your password stays as it is.\n"
                ),
            ),
            (Letter::Reset { link, login }, Language::Ru) => (
                "Новый пароль в Артели",
                format!(
                    "Кто-то, надеемся, что вы, просит новый пароль для {login} в Артели.\n\n\
                     Задайте его здесь в течение 30 минут:\n{link}\n\n\
                     Если это не вы, ничего не делайте: пароль останется прежним.\n"
                ),
            ),
            (Letter::Confirm { link, name }, Language::En) => (
                "Is this your address?",
                format!(
                    "{name} at Artel says that this is their address.\n\n\
                     If it is yours and you are {name}, confirm it here within a day:\n{link}\n\n\
                     If not, do nothing.\n"
                ),
            ),
            (Letter::Confirm { link, name }, Language::Ru) => (
                "Это ваш адрес?",
                format!(
                    "Игрок {name} в Артели указал этот адрес.\n\n\
                     Если адрес ваш и {name} это вы, подтвердите его здесь в течение суток:\n\
                     {link}\n\n\
                     Если нет, ничего не делайте.\n"
                ),
            ),
        }
    }
}

//! What goes wrong between us and Telegram: how it is told, and how long we wait.

use std::{error::Error, fmt::Write, time::Duration};

use teloxide::{
    ApiError, RequestError,
    requests::{Output, Request},
};

use crate::metrics::METRICS;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double from one second to half a minute.
#[derive(Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait now; the next wait is longer.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = FIRST.saturating_mul(1 << self.failures.min(5)).min(LONGEST);
        self.failures += 1;
        delay
    }

    /// Says what failed and waits: as long as Telegram asks, if it does, or else ever longer.
    pub(crate) async fn pause(&mut self, what: &str, error: &RequestError) {
        let delay = if let RequestError::RetryAfter(asked) = error {
            METRICS.throttled();
            asked.duration().max(FIRST)
        } else {
            self.next()
        };
        tracing::warn!(error = plain(error), "{what}; trying again in {} s", delay.as_secs());
        tokio::time::sleep(delay).await;
    }

    /// Whether something failed since the last success. It starts from the shortest wait again.
    pub(crate) fn over(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}

/// Sends a request until Telegram has decided on it; the error is a refusal.
pub(crate) async fn insist<R>(what: &str, request: R) -> Result<Output<R>, RequestError>
where
    R: Request<Err = RequestError>,
{
    let mut backoff = Backoff::default();
    loop {
        match request.send_ref().await {
            Err(error) if !is_refusal(&error) => backoff.pause(what, &error).await,
            decided => return decided,
        }
    }
}

/// Whether Telegram read the request and won't have it, so that sending it again is of no use.
fn is_refusal(error: &RequestError) -> bool {
    match error {
        // What teloxide has no name for may as well be "Internal Server Error".
        RequestError::Api(ApiError::Unknown(text)) => {
            ["Bad Request", "Forbidden", "Unauthorized"].iter().any(|it| text.starts_with(it))
        }
        RequestError::Api(_) | RequestError::MigrateToChatId(_) => true,
        RequestError::RetryAfter(_)
        | RequestError::Network(_)
        | RequestError::InvalidJson { .. }
        | RequestError::Io(_) => false,
    }
}

/// The error without what must not be logged: an address of the Bot API holds the bot's token, and
/// an answer that could not be read holds people's messages.
pub(crate) fn plain(error: &RequestError) -> String {
    let (mut text, cause) = match error {
        RequestError::Network(error) => {
            let what = match () {
                () if error.is_timeout() => "no answer in time",
                () if error.is_connect() => "no connection",
                () => "the connection broke",
            };
            (what.to_owned(), error.source())
        }
        RequestError::InvalidJson { source, .. } => {
            let (line, column) = (source.line(), source.column());
            (format!("the answer makes no sense (line {line}, column {column})"), None)
        }
        RequestError::Api(ApiError::InvalidToken) => {
            ("Telegram does not know this token: check TELOXIDE_TOKEN".to_owned(), None)
        }
        RequestError::Api(ApiError::TerminatedByOtherGetUpdates) => {
            ("another process listens with the same token".to_owned(), None)
        }
        RequestError::Api(_)
        | RequestError::MigrateToChatId(_)
        | RequestError::RetryAfter(_)
        | RequestError::Io(_) => (error.to_string(), None),
    };
    for cause in std::iter::successors(cause, |&it| it.source()) {
        // OK because writing into a string cannot fail.
        let _ = write!(text, ": {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use teloxide::{Bot, requests::Requester};

    use super::*;

    #[test]
    fn doubles_to_its_limit() {
        let mut backoff = Backoff::default();
        let seconds: Vec<_> = (0..7).map(|_| backoff.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert!(backoff.over());
        assert!(!backoff.over());
        assert_eq!(backoff.next(), FIRST);
    }

    #[tokio::test]
    async fn tokens_are_not_told() {
        let nowhere = "http://127.0.0.1:1".parse().unwrap();
        let bot = Bot::new("123456:a-secret").set_api_url(nowhere);
        let error = bot.get_me().send().await.unwrap_err();
        let text = plain(&error);
        assert!(text.starts_with("no connection: "), "{text}");
        assert!(!text.contains("123456") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn refusals() {
        let said = |text: &str| is_refusal(&RequestError::Api(ApiError::Unknown(text.to_owned())));
        assert!(said("Bad Request: BUTTON_TYPE_INVALID"));
        assert!(!said("Internal Server Error"));
        assert!(!said("Bad Gateway"));
        assert!(is_refusal(&RequestError::Api(ApiError::BotBlocked)));
    }
}

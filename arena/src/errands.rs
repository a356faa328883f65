//! What people ask of the bot from elsewhere and wait for: the doors don't know each other, so the
//! arena takes it to the bot of this process and brings the answer.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{Arena, Error, Language, MatchId, Result, UserId, Why, cards::CardStage, db::on};

/// Errands that wait for the bot.
const WAITING_MAX: usize = 64;
/// How long somebody waits for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The bot of this process, while it runs.
#[derive(Default)]
pub(crate) struct Bot(Mutex<Option<Desk>>);

struct Desk {
    name: String,
    errands: mpsc::Sender<Errand>,
}

/// To prepare a message that shows how a match ended, for its player to send.
#[derive(Debug)]
pub struct Errand {
    /// The match.
    pub match_id: MatchId,
    /// Telegram's number of who will send it.
    pub sender: i64,
    /// What they read.
    pub language: Language,
    answer: oneshot::Sender<Result<String>>,
}

impl Errand {
    /// Answers with the number that Telegram gave the message.
    pub fn done(self, answer: Result<String>) {
        // Whoever asked may have gone.
        let _ = self.answer.send(answer);
    }
}

impl Bot {
    fn desk(&self) -> MutexGuard<'_, Option<Desk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arena {
    /// The bot of this process runs under this user name, and does what it is asked for as long as
    /// it keeps the receiver.
    pub fn bot_is_on(&self, name: &str) -> mpsc::Receiver<Errand> {
        let (errands, receiver) = mpsc::channel(WAITING_MAX);
        *self.bot.desk() = Some(Desk { name: name.to_owned(), errands });
        receiver
    }

    /// The user name of this process's bot, while it runs.
    pub fn bot_name(&self) -> Option<String> {
        let desk = self.bot.desk();
        desk.as_ref().filter(|it| !it.errands.is_closed()).map(|it| it.name.clone())
    }

    /// Has a message prepared in which one of its players shows how a match ended; answers the
    /// number by which the Mini App sends it.
    ///
    /// # Errors
    /// Not found; `not_over`; `not_a_player`; `nothing_to_share` when it never began or could not
    /// go on; `telegram_missing` when Telegram is no way in to their account; `bot_off`.
    pub async fn share_match(&self, by: UserId, id: MatchId) -> Result<String> {
        let info = self.match_info(id).await?;
        if !info.players.iter().any(|it| it.user.id == by) {
            return Err(Error::forbidden("not_a_player", "those who played can share a match"));
        }
        match self.card_of_match(id).await?.stage {
            CardStage::Over(..) => {}
            CardStage::CalledOff(_) => {
                let detail = "this match was not played to an end";
                return Err(Error::conflict("nothing_to_share", detail));
            }
            _ => return Err(Error::conflict("not_over", "this match is not over")),
        }
        let (sender, language) = self.telegram_of(by).await?.ok_or_else(|| {
            Error::conflict("telegram_missing", "link your account to Telegram first")
        })?;
        let (answer, answered) = oneshot::channel();
        let errand = Errand { match_id: id, sender, language, answer };
        let errands = self.bot.desk().as_ref().map(|it| it.errands.clone());
        let errands = errands.filter(|it| !it.is_closed()).ok_or_else(bot_off)?;
        errands.try_send(errand).map_err(|_| bot_off())?;
        match timeout(ANSWERED_WITHIN, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(bot_off()),
        }
    }

    /// Telegram's number of somebody, and what they read; none when they came another way.
    pub(crate) async fn telegram_of(&self, user: UserId) -> Result<Option<(i64, Language)>> {
        let found: Option<(String, Language)> = on!(self.db, pool => {
            sqlx::query_as(
                "select i.subject, u.language from identities i join users u on u.id = i.user_id
                 where i.user_id = $1 and i.provider = 'telegram'",
            )
            .bind(user)
            .fetch_optional(pool)
            .await
        })?;
        Ok(found.and_then(|(subject, language)| Some((subject.parse().ok()?, language))))
    }
}

/// There is no bot here that could do it.
pub(crate) fn bot_off() -> Error {
    let detail = "the Telegram bot does not answer right now: try again in a moment";
    Error::refused(Why::Unavailable, "bot_off", detail)
}

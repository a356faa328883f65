//! Passwords that are set, changed and lost, and the e-mail address that helps with that.
//!
//! A lost password is set anew by a link that goes where only its owner reads: their chat with the
//! bot, or an address that they have confirmed. Whoever asks for it learns nothing of whether there
//! is such an account, by the answer or by how long it takes: the work is done afterwards.

mod by_hand;
mod rows;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

pub(crate) use rows::RecoveryRows;

use crate::{
    Arena, Device, Error, Language, MyEmail, Notice, Principal, Result, Session, SessionId, User,
    UserId, Why,
    accounts::{wrong_email, wrong_password, wrong_username},
    audit::{AuditKind, AuditRows, Deed},
    cache::Change,
    clock::millis,
    db::{Turns, on},
    mail::Letter,
    names::NameRows,
    outbox::OutboxRows,
    passwords::PASSWORD_CHARS_MAX,
    sessions::random_token,
};

const RESET_LIFE: Duration = Duration::from_secs(30 * 60);
const CONFIRM_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Letters to one account within an hour.
const LETTERS_MAX: i64 = 4;
const LETTERS_PER: Duration = Duration::from_secs(60 * 60);
/// The bot tells somebody this often at most.
const TELL_EVERY: Duration = Duration::from_secs(10 * 60);
/// Requests that are worked on at once; more are dropped, as if nobody were found.
pub(crate) const LOOKING_MAX: usize = 16;

/// Where a lost password can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetBy {
    /// By a message of the bot, if the account is linked with Telegram.
    Telegram,
    /// By a letter, if the account has a confirmed address.
    Email,
}

/// A new password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password so far, where there is one.
    #[schema(format = Password)]
    pub current: Option<String>,
    /// 8 to 128 characters of any kind.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub password: String,
    /// The name to sign in with, where there is none yet.
    #[schema(min_length = 3, max_length = 20, pattern = "^[A-Za-z][A-Za-z0-9_]{2,19}$")]
    pub username: Option<String>,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPassword").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Somebody who may have lost their password.
#[derive(sqlx::FromRow)]
struct Lost {
    id: UserId,
    username: Option<String>,
    email: Option<String>,
    language: Language,
}

impl Arena {
    /// Where a lost password can be asked for.
    pub fn reset_ways(&self) -> Vec<ResetBy> {
        let telegram = self.has_telegram().then_some(ResetBy::Telegram);
        let email = self.mail.is_some().then_some(ResetBy::Email);
        telegram.into_iter().chain(email).collect()
    }

    /// Sets the password of `by`, and ends their other sign-ins.
    ///
    /// # Errors
    /// Wrong values; `wrong_password` when the current one is not right; `username_taken`.
    pub async fn set_password(&self, by: &Principal, new: NewPassword) -> Result<User> {
        let NewPassword { current, password, username } = new;
        let user = self.user(by.user_id).await?;
        let user = user.ok_or_else(|| Error::not_found("your account is gone"))?;
        if let Some(message) = wrong_password(&password) {
            return Err(Error::invalid("password", message));
        }
        let secret: Option<String> = on!(self.db, pool => sqlx::query_scalar(
            "select secret from identities where user_id = $1 and provider = 'password'",
        )
        .bind(user.id)
        .fetch_optional(pool)
        .await)?;
        if let Some(secret) = secret {
            let current = current.unwrap_or_default();
            let long = current.chars().count() > PASSWORD_CHARS_MAX;
            if long || !self.hashing.verify(current, Some(secret)).await? {
                self.note_failed_sign_in(by.address).await?;
                let detail = "the current password is not right";
                return Err(Error::forbidden("wrong_password", detail));
            }
        }
        let username = match (&user.username, username) {
            (Some(_), _) => None,
            (None, Some(name)) => match wrong_username(&name) {
                Some(message) => return Err(Error::invalid("username", message)),
                None if !self.is_username_free(&name).await? => return Err(username_taken()),
                None => Some(name),
            },
            (None, None) => {
                return Err(Error::invalid("username", "choose a name to sign in with"));
            }
        };
        let secret = self.hashing.hash(password).await?;
        let now = self.clock.now();
        let telling = username.is_some().then(|| self.telling(Change::People(vec![user.id])));
        let set = on!(self.db, pool => async {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[user.id]).await?;
            if let Some(name) = &username {
                sqlx::query(
                    "update users set username = $1, username_key = $2, updated_at = $3 \
                     where id = $4 and username is null",
                )
                .bind(name)
                .bind(name.to_ascii_lowercase())
                .bind(now)
                .bind(user.id)
                .execute(&mut *tx)
                .await?;
                tx.keep_looks(user.id, Some(name), &user.display_name).await?;
            }
            tx.set_secret(user.id, &secret, now).await?;
            tx.note(now, &Deed::of(AuditKind::PasswordChanged, user.id, by.address)).await?;
            let ended = tx.end_sessions(user.id, by.session_id, now).await?;
            tx.commit().await?;
            Ok::<_, sqlx::Error>(ended)
        }
        .await);
        let ended = match set {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                return Err(username_taken());
            }
            set => set?,
        };
        if let Some(telling) = telling {
            telling.done().await;
        }
        self.sessions_ended(&ended, now);
        tracing::info!(user.id = %user.id, "Account {} has a new password", user.id);
        let user = self.user(user.id).await?;
        user.ok_or_else(|| Error::not_found("your account is gone"))
    }

    /// Sends who has lost the password of `login` a link to set another, if there is such an
    /// account and a way to reach its owner. `page` is where it leads to. Returns at once.
    pub fn forgot_password(&self, login: String, page: Url) {
        let Ok(turn) = self.looking.clone().try_acquire_owned() else { return };
        let arena = self.clone();
        self.tasks.spawn(async move {
            if let Err(error) = arena.help(&login, page).await {
                tracing::error!(error = error.report(), "A lost password can't be helped with");
            }
            drop(turn);
        });
    }

    async fn help(&self, login: &str, page: Url) -> Result<()> {
        let login = login.replace('\0', " ").to_ascii_lowercase();
        let lost: Option<Lost> = on!(self.db, pool => sqlx::query_as(
            "select u.id, u.username, u.email, u.language from users u \
             join identities i on i.user_id = u.id and i.provider = 'password' \
             where u.username_key = $1 or u.email = $1",
        )
        .bind(login)
        .fetch_optional(pool)
        .await)?;
        let Some(lost) = lost else { return Ok(()) };
        let now = self.clock.now();
        if self.has_telegram() && self.chat_of(lost.id).await?.is_some() {
            let period = now / millis(TELL_EVERY);
            let notice = Notice::PasswordReset { user: lost.id, period };
            on!(self.db, pool => {
                let mut tx = pool.begin_with(self.db.begin()).await?;
                tx.post(&notice, now).await?;
                tx.commit().await?;
            });
            self.stir_letters();
            return Ok(());
        }
        if let (Some(mail), Some(email)) = (&self.mail, &lost.email)
            && let Some(link) = self.link_with("reset", lost.id, email, page).await?
        {
            let login = lost.username.as_deref().unwrap_or(email);
            mail.send(email, &Letter::Reset { link: &link, login }, lost.language).await?;
        }
        Ok(())
    }

    /// A link by which somebody can set another password, once: to be sent where only they read,
    /// and kept nowhere. `page` is the page that takes it. None when too many were made.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn reset_link(&self, user: UserId, page: Url) -> Result<Option<Url>> {
        self.link_with("reset", user, "", page).await
    }

    /// A link to `page` with a new token; none when somebody was written to too often.
    async fn link_with(
        &self,
        purpose: &'static str,
        user: UserId,
        email: &str,
        mut page: Url,
    ) -> Result<Option<Url>> {
        let (token, now) = (random_token(), self.clock.now());
        let life = if purpose == "reset" { RESET_LIFE } else { CONFIRM_LIFE };
        let may = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            // Of many at once, each sees those before.
            tx.take_turns(&[user]).await?;
            let may = tx.letters(user, now - millis(LETTERS_PER)).await? < LETTERS_MAX;
            if may {
                tx.keep_token(&token, purpose, user, email, [now, now + millis(life)]).await?;
            }
            tx.commit().await?;
            may
        });
        // What is after the # is not sent to a server, and so is in no log.
        page.set_fragment(Some(&token));
        Ok(may.then_some(page))
    }

    /// Sets another password by what came in a link, ends all sign-ins, and signs in.
    ///
    /// # Errors
    /// A wrong value; `link_gone` when the token was used or has expired.
    pub async fn reset_password(
        &self,
        token: &str,
        password: String,
        device: &Device,
    ) -> Result<Session> {
        if let Some(message) = wrong_password(&password) {
            return Err(Error::invalid("password", message));
        }
        let secret = self.hashing.hash(password).await?;
        let now = self.clock.now();
        let (user, ended) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let user = tx.token_owner(token).await?.ok_or_else(link_gone)?;
            tx.take_turns(&[user]).await?;
            tx.take_token(token, "reset", now).await?.ok_or_else(link_gone)?;
            tx.set_secret(user, &secret, now).await?;
            tx.note(now, &Deed::of(AuditKind::PasswordChanged, user, device.address)).await?;
            let ended = tx.end_sessions(user, SessionId(0), now).await?;
            tx.commit().await?;
            (user, ended)
        });
        self.sessions_ended(&ended, now);
        tracing::info!(user.id = %user, "Account {user} has a new password by a link");
        let user = self.user(user).await?.ok_or_else(link_gone)?;
        self.begin_session(user, device).await
    }

    /// Says which e-mail address is that of `by`; none takes back what was said. `page` is where
    /// the letter leads to that asks to confirm it.
    ///
    /// # Errors
    /// When it is not an address; too many letters.
    pub async fn set_email(&self, by: &Principal, email: Option<String>, page: Url) -> Result<()> {
        let email = email.map(|it| it.to_ascii_lowercase());
        if let Some(message) = email.as_deref().and_then(wrong_email) {
            return Err(Error::invalid("email", message));
        }
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by.user_id]).await?;
            let letters = tx.letters(by.user_id, now - millis(LETTERS_PER)).await?;
            if email.is_some() && self.mail.is_some() && letters >= LETTERS_MAX {
                return Err(Error::too_many(LETTERS_PER));
            }
            tx.claim_email(by.user_id, email.as_deref(), now).await?;
            tx.commit().await?;
        });
        if email.is_some() {
            self.ask_to_confirm(by.user_id, page).await?;
        }
        Ok(())
    }

    /// Sends the letter that asks whether an address is somebody's, where letters are sent.
    /// Returns before it has arrived.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn ask_to_confirm(&self, user: UserId, page: Url) -> Result<()> {
        let Some(MyEmail { address, confirmed: false }) = self.my_email(user).await? else {
            return Ok(());
        };
        if self.mail.is_none() {
            return Ok(());
        }
        let Some(link) = self.link_with("email", user, &address, page).await? else {
            return Ok(());
        };
        let Some(user) = self.user(user).await? else { return Ok(()) };
        let arena = self.clone();
        self.tasks.spawn(async move {
            let Some(mail) = &arena.mail else { return };
            let name = user.username.as_deref().unwrap_or(&user.display_name);
            let letter = Letter::Confirm { link: &link, name };
            if let Err(error) = mail.send(&address, &letter, user.language).await {
                tracing::error!("A letter was not sent: {error:#}");
            }
        });
        Ok(())
    }

    /// Confirms an address by what came in a letter to it. Whoever has shown last that they read
    /// it has it.
    ///
    /// # Errors
    /// `link_gone` when the token was used or has expired, or the address was changed since.
    pub async fn confirm_email(&self, token: &str) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let (user, email) = tx.take_token(token, "email", now).await?.ok_or_else(link_gone)?;
            if !tx.confirm(user, &email, now).await? {
                return Err(link_gone());
            }
            tx.commit().await?;
        });
        Ok(())
    }

    /// The address that somebody says is theirs.
    pub(crate) async fn my_email(&self, user: UserId) -> Result<Option<MyEmail>> {
        let found: Option<(Option<String>, Option<String>)> = on!(self.db, pool => sqlx::query_as(
            "select u.email, c.email from users u left join email_claims c on c.user_id = u.id \
             where u.id = $1",
        )
        .bind(user)
        .fetch_optional(pool)
        .await)?;
        Ok(found.and_then(|(confirmed, claimed)| match (claimed, confirmed) {
            (Some(address), _) => Some(MyEmail { address, confirmed: false }),
            (None, Some(address)) => Some(MyEmail { address, confirmed: true }),
            (None, None) => None,
        }))
    }
}

fn username_taken() -> Error {
    let detail = "somebody has this username, or one that looks like it: choose another";
    Error::conflict("username_taken", detail)
}

fn link_gone() -> Error {
    Error::refused(Why::Gone, "link_gone", "this link was used or has expired: ask for another")
}

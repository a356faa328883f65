//! Letting a Telegram user in to an account that was made on the web.
//!
//! A page that is signed in asks for a link to the bot, which holds a token: whoever follows it in
//! Telegram and says yes is let in to that account from then on. The token is good once, for ten
//! minutes, and nobody but the page's owner and whoever they show the link to has it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Arena, Error, Moment, PublicUser, Result, SessionId, TelegramUser, User, UserId, Why,
    clock::millis,
    db::{Turns, on, on_both},
    errands::bot_off,
    sessions::{digest, hex, random_token},
};

/// How long a link is good.
const GOOD_FOR: Duration = Duration::from_secs(10 * 60);
/// A payload of the bot's link that holds a token begins so.
const PAYLOAD: &str = "link_";

/// A way from a page to the bot, to be let in to the page's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TelegramLink {
    /// What to open in Telegram.
    #[schema(example = "https://t.me/artel_bot?start=link_…")]
    pub url: String,
    /// Until when it is good.
    pub expires_at: Moment,
}

impl Arena {
    /// Makes a link by which a Telegram user can be let in to this account. Earlier ones are void.
    ///
    /// # Errors
    /// `telegram_linked` when somebody is let in already; `bot_off`.
    pub async fn telegram_link(&self, by: UserId) -> Result<TelegramLink> {
        let bot = self.bot_name().ok_or_else(bot_off)?;
        let token = random_token();
        let expires_at = self.clock.now() + millis(GOOD_FOR);
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            tx.refuse_linked(by).await?;
            sqlx::query("delete from link_tokens where user_id = $1")
                .bind(by)
                .execute(&mut *tx)
                .await?;
            sqlx::query("insert into link_tokens (hash, user_id, expires_at) values ($1, $2, $3)")
                .bind(hex(&digest(&token)))
                .bind(by)
                .bind(expires_at)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        });
        let url = format!("https://t.me/{bot}?start={PAYLOAD}{token}");
        Ok(TelegramLink { url, expires_at: Moment(expires_at) })
    }

    /// Whether a Telegram user is let in to this account.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_linked(&self, user: UserId) -> Result<bool> {
        Ok(self.telegram_of(user).await?.is_some())
    }

    /// The account that a link's token lets in to.
    ///
    /// # Errors
    /// `link_expired` when it is good no more, or never was.
    pub async fn link_target(&self, token: &str) -> Result<PublicUser> {
        let found: Option<PublicUser> = on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url
                 from link_tokens t join users u on u.id = t.user_id
                 where t.hash = $1 and t.expires_at > $2",
            )
            .bind(hex(&digest(token)))
            .bind(self.clock.now())
            .fetch_optional(pool)
            .await
        })?;
        found.ok_or_else(link_expired)
    }

    /// Makes a token void.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drop_link(&self, token: &str) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query("delete from link_tokens where hash = $1")
                .bind(hex(&digest(token)))
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Lets a Telegram user in to the account of a link, instead of the one that they had: which
    /// they may leave only if nothing is in it.
    ///
    /// # Errors
    /// `link_expired`; `telegram_linked` when somebody is let in to the account already;
    /// `account_in_use` when they have an account that they have played with or can sign in to
    /// otherwise.
    pub async fn link_telegram(&self, person: &TelegramUser, token: &str) -> Result<User> {
        let now = self.clock.now();
        let subject = person.id.to_string();
        let old = self.telegram_account(person).await?.id;
        let target = self.link_target(token).await?.id;
        let ended: Vec<SessionId> = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[old, target]).await?;
            // Once: whoever comes second finds none.
            let spent = sqlx::query(
                "delete from link_tokens where hash = $1 and user_id = $2 and expires_at > $3",
            )
            .bind(hex(&digest(token)))
            .bind(target)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            if spent.rows_affected() == 0 {
                return Err(link_expired());
            }
            tx.refuse_linked(target).await?;
            if tx.is_used(old).await? {
                let detail = "this Telegram user has played here with an account of their own";
                return Err(Error::conflict("account_in_use", detail));
            }
            let moved = tx.move_telegram(&subject, old, target).await?;
            if moved == 0 {
                // It was let in elsewhere meanwhile.
                return Err(Error::conflict("account_in_use", "this Telegram user has an account"));
            }
            let ended = sqlx::query_scalar(
                "update sessions set ended_at = $1 where user_id = $2 and ended_at is null
                 returning id",
            )
            .bind(now)
            .bind(old)
            .fetch_all(&mut *tx)
            .await?;
            tx.commit().await?;
            ended
        });
        self.sessions_ended(&ended, now);
        tracing::info!(user.id = %target, "Telegram is a way in to account {target} now");
        self.user(target).await?.ok_or_else(|| Error::not_found("the account is gone"))
    }
}

fn link_expired() -> Error {
    Error::refused(Why::NotFound, "link_expired", "this link is good no more: ask for a new one")
}

/// Links within a transaction, on either database.
trait LinkRows {
    /// Refuses when a Telegram user is let in to this account.
    async fn refuse_linked(&mut self, user: UserId) -> Result<()>;

    /// Whether there is anything to lose in an account that was made by Telegram.
    async fn is_used(&mut self, user: UserId) -> sqlx::Result<bool>;

    /// Lets a Telegram user in to another account, with what is known of them; answers whether it
    /// was so, as a number.
    async fn move_telegram(&mut self, subject: &str, from: UserId, to: UserId)
    -> sqlx::Result<u64>;
}

on_both! { impl LinkRows {
    async fn refuse_linked(&mut self, user: UserId) -> Result<()> {
        let linked: i64 = sqlx::query_scalar(
            "select count(*) from identities where user_id = $1 and provider = 'telegram'",
        )
        .bind(user)
        .fetch_one(self)
        .await?;
        match linked {
            0 => Ok(()),
            _ => Err(Error::conflict("telegram_linked", "this account has a Telegram user already")),
        }
    }

    async fn is_used(&mut self, user: UserId) -> sqlx::Result<bool> {
        let found: i64 = sqlx::query_scalar(
            "select (select count(*) from match_players where user_id = $1)
                  + (select count(*) from queue_entries where user_id = $1)
                  + (select count(*) from room_members where user_id = $1)
                  + (select count(*) from card_seats where user_id = $1)
                  + (select count(*) from identities
                     where user_id = $1 and provider <> 'telegram')",
        )
        .bind(user)
        .fetch_one(self)
        .await?;
        Ok(found > 0)
    }

    async fn move_telegram(
        &mut self,
        subject: &str,
        from: UserId,
        to: UserId,
    ) -> sqlx::Result<u64> {
        let moved = sqlx::query(
            "update identities set user_id = $1
             where provider = 'telegram' and subject = $2 and user_id = $3",
        )
        .bind(to)
        .bind(subject)
        .bind(from)
        .execute(&mut *self)
        .await?
        .rows_affected();
        for table in ["telegram_names", "telegram_members", "notice_settings"] {
            // What is left of a Telegram user who was let in before.
            let sql = format!("delete from {table} where user_id = $1");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to).execute(&mut *self).await?;
            let sql = format!("update {table} set user_id = $1 where user_id = $2");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to).bind(from).execute(&mut *self).await?;
        }
        Ok(moved)
    }
} }

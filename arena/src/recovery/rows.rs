//! What setting passwords and addresses does within a transaction.

use crate::{
    Millis, SessionId, UserId, Way,
    db::on_both,
    sessions::{digest, hex},
};

/// Passwords, addresses and what was sent to somebody, within a transaction, on either database.
pub(crate) trait RecoveryRows {
    /// How many tokens somebody was sent since.
    async fn letters(&mut self, user: UserId, since: Millis) -> sqlx::Result<i64>;

    /// Keeps the hash of a token; of one purpose a person has one, the newest.
    async fn keep_token(
        &mut self,
        token: &str,
        purpose: &str,
        user: UserId,
        email: &str,
        from_to: [Millis; 2],
    ) -> sqlx::Result<()>;

    /// Whose a token is, or was.
    async fn token_owner(&mut self, token: &str) -> sqlx::Result<Option<UserId>>;

    /// Spends a token: whose it is, and where it was sent.
    async fn take_token(
        &mut self,
        token: &str,
        purpose: &str,
        now: Millis,
    ) -> sqlx::Result<Option<(UserId, String)>>;

    /// Sets what the password is checked against.
    async fn set_secret(&mut self, user: UserId, secret: &str, now: Millis) -> sqlx::Result<()>;

    /// Ends all sign-ins of somebody but one; answers which.
    async fn end_sessions(
        &mut self,
        user: UserId,
        but: SessionId,
        now: Millis,
    ) -> sqlx::Result<Vec<SessionId>>;

    /// Somebody says that an address is theirs; without one, that they have none.
    async fn claim_email(
        &mut self,
        user: UserId,
        email: Option<&str>,
        now: Millis,
    ) -> sqlx::Result<()>;

    /// An address is somebody's, and nobody else's; false when they don't say so any more.
    async fn confirm(&mut self, user: UserId, email: &str, now: Millis) -> sqlx::Result<bool>;
}

on_both! { impl RecoveryRows {
    async fn letters(&mut self, user: UserId, since: Millis) -> sqlx::Result<i64> {
        sqlx::query_scalar(
            "select count(*) from mail_tokens where user_id = $1 and created_at > $2",
        )
        .bind(user)
        .bind(since)
        .fetch_one(self)
        .await
    }

    async fn keep_token(
        &mut self,
        token: &str,
        purpose: &str,
        user: UserId,
        email: &str,
        from_to: [Millis; 2],
    ) -> sqlx::Result<()> {
        let [now, until] = from_to;
        // Those before are worth nothing any more, but count as letters that were sent.
        sqlx::query("update mail_tokens set expires_at = $1 where user_id = $2 and purpose = $3")
            .bind(now)
            .bind(user)
            .bind(purpose)
            .execute(&mut *self)
            .await?;
        sqlx::query(
            "insert into mail_tokens (hash, purpose, user_id, email, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(hex(&digest(token)))
        .bind(purpose)
        .bind(user)
        .bind(email)
        .bind(now)
        .bind(until)
        .execute(self)
        .await
        .map(drop)
    }

    async fn token_owner(&mut self, token: &str) -> sqlx::Result<Option<UserId>> {
        sqlx::query_scalar("select user_id from mail_tokens where hash = $1")
            .bind(hex(&digest(token)))
            .fetch_optional(self)
            .await
    }

    async fn take_token(
        &mut self,
        token: &str,
        purpose: &str,
        now: Millis,
    ) -> sqlx::Result<Option<(UserId, String)>> {
        sqlx::query_as(
            "update mail_tokens set expires_at = $1 \
             where hash = $2 and purpose = $3 and expires_at > $1 returning user_id, email",
        )
        .bind(now)
        .bind(hex(&digest(token)))
        .bind(purpose)
        .fetch_optional(self)
        .await
    }

    async fn set_secret(&mut self, user: UserId, secret: &str, now: Millis) -> sqlx::Result<()> {
        sqlx::query(
            "insert into identities (provider, subject, user_id, secret, created_at) \
             values ($1, $2, $3, $4, $5) \
             on conflict (provider, subject) do update set secret = excluded.secret",
        )
        .bind(Way::Password)
        .bind(user.to_string())
        .bind(user)
        .bind(secret)
        .bind(now)
        .execute(self)
        .await
        .map(drop)
    }

    async fn end_sessions(
        &mut self,
        user: UserId,
        but: SessionId,
        now: Millis,
    ) -> sqlx::Result<Vec<SessionId>> {
        sqlx::query_scalar(
            "update sessions set ended_at = $1 \
             where user_id = $2 and id <> $3 and ended_at is null returning id",
        )
        .bind(now)
        .bind(user)
        .bind(but)
        .fetch_all(self)
        .await
    }

    async fn claim_email(
        &mut self,
        user: UserId,
        email: Option<&str>,
        now: Millis,
    ) -> sqlx::Result<()> {
        sqlx::query("delete from email_claims where user_id = $1")
            .bind(user)
            .execute(&mut *self)
            .await?;
        sqlx::query("update users set email = null, updated_at = $1 where id = $2")
            .bind(now)
            .bind(user)
            .execute(&mut *self)
            .await?;
        if let Some(email) = email {
            sqlx::query(
                "insert into email_claims (user_id, email, claimed_at) values ($1, $2, $3)",
            )
            .bind(user)
            .bind(email)
            .bind(now)
            .execute(self)
            .await?;
        }
        Ok(())
    }

    async fn confirm(&mut self, user: UserId, email: &str, now: Millis) -> sqlx::Result<bool> {
        let claims = sqlx::query("delete from email_claims where user_id = $1 and email = $2")
            .bind(user)
            .bind(email)
            .execute(&mut *self)
            .await?
            .rows_affected();
        if claims == 0 {
            return Ok(false);
        }
        sqlx::query("update users set email = null where email = $1")
            .bind(email)
            .execute(&mut *self)
            .await?;
        sqlx::query("update users set email = $1, updated_at = $2 where id = $3")
            .bind(email)
            .bind(now)
            .bind(user)
            .execute(self)
            .await?;
        Ok(true)
    }
} }

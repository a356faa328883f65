//! Friendships in SQL.

use crate::{Millis, UserId, db::on_both};

/// Friendships within a transaction, on either database. The turns of both have been taken.
pub(crate) trait FriendRows {
    /// Whether two are friends.
    async fn are_friends(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool>;

    /// Makes two friends; what was asked is answered.
    async fn make_friends(&mut self, a: UserId, b: UserId, now: Millis) -> sqlx::Result<()>;

    /// Ends a friendship; false when there was none.
    async fn end_friendship(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool>;

    /// Whether somebody asked, and whether that is hidden from whom it was asked of.
    async fn request(&mut self, from: UserId, to: UserId) -> sqlx::Result<Option<bool>>;

    /// Takes a question back; false when there was none.
    async fn drop_request(&mut self, from: UserId, to: UserId) -> sqlx::Result<bool>;

    /// Hides a question from whom it was asked of.
    async fn hide_request(&mut self, from: UserId, to: UserId) -> sqlx::Result<()>;

    /// How many friends somebody has.
    async fn friend_count(&mut self, user: UserId) -> sqlx::Result<i64>;
}

on_both! { impl FriendRows {
    async fn are_friends(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool> {
        let found: i64 = sqlx::query_scalar(
            "select count(*) from friends where user_id = $1 and friend_id = $2",
        )
        .bind(a)
        .bind(b)
        .fetch_one(self)
        .await?;
        Ok(found > 0)
    }

    async fn make_friends(&mut self, a: UserId, b: UserId, now: Millis) -> sqlx::Result<()> {
        sqlx::query(
            "insert into friends (user_id, friend_id, since) values ($1, $2, $3), ($2, $1, $3)
             on conflict do nothing",
        )
        .bind(a)
        .bind(b)
        .bind(now)
        .execute(&mut *self)
        .await?;
        self.drop_request(a, b).await?;
        self.drop_request(b, a).await.map(drop)
    }

    async fn end_friendship(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool> {
        let ended = sqlx::query(
            "delete from friends where (user_id = $1 and friend_id = $2)
                or (user_id = $2 and friend_id = $1)",
        )
        .bind(a)
        .bind(b)
        .execute(self)
        .await?;
        Ok(ended.rows_affected() > 0)
    }

    async fn request(&mut self, from: UserId, to: UserId) -> sqlx::Result<Option<bool>> {
        sqlx::query_scalar("select hidden from friend_requests where from_id = $1 and to_id = $2")
            .bind(from)
            .bind(to)
            .fetch_optional(self)
            .await
    }

    async fn drop_request(&mut self, from: UserId, to: UserId) -> sqlx::Result<bool> {
        let gone = sqlx::query("delete from friend_requests where from_id = $1 and to_id = $2")
            .bind(from)
            .bind(to)
            .execute(self)
            .await?;
        Ok(gone.rows_affected() > 0)
    }

    async fn hide_request(&mut self, from: UserId, to: UserId) -> sqlx::Result<()> {
        sqlx::query("update friend_requests set hidden = true where from_id = $1 and to_id = $2")
            .bind(from)
            .bind(to)
            .execute(self)
            .await
            .map(drop)
    }

    async fn friend_count(&mut self, user: UserId) -> sqlx::Result<i64> {
        sqlx::query_scalar("select count(*) from friends where user_id = $1")
            .bind(user)
            .fetch_one(self)
            .await
    }
} }

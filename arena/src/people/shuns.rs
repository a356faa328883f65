//! Whom somebody does not want to hear, or to have to do with at all.
//!
//! The other is not told. Somebody who is blocked is to the blocker as if they were not there: what
//! they ask comes to nothing, the queue never brings the two together, and the blocker's rooms and
//! cards don't let them in.

use std::collections::HashSet;

use games::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, Moment, PublicUser, Result, UserId, computers,
    db::{Turns, on, on_both},
    people::friend_rows::FriendRows,
};

/// How many somebody may keep away from.
const SHUNS_MAX: i64 = 1000;

/// How far somebody keeps away from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Shun {
    /// Does not hear what they say.
    Mute,
    /// Does not want to have to do with them at all.
    Block,
}

/// Somebody whom one keeps away from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Shunned {
    /// Whom.
    pub user: PublicUser,
    /// How far.
    pub kind: Shun,
    /// Since when.
    pub since: Moment,
}

#[derive(sqlx::FromRow)]
struct ShunnedRow {
    #[sqlx(flatten)]
    user: PublicUser,
    kind: Shun,
    since: Moment,
}

/// Who keeps away from whom, within a transaction, on either database.
pub(crate) trait ShunRows {
    /// How far somebody keeps away from another.
    async fn shun_of(&mut self, user: UserId, other: UserId) -> sqlx::Result<Option<Shun>>;

    /// Whether one of two has blocked the other.
    async fn are_apart(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool>;

    /// Who of those who wait for a game has blocked whom of them.
    async fn apart_in_queue(&mut self, game: Kind) -> sqlx::Result<HashSet<(UserId, UserId)>>;
}

on_both! { impl ShunRows {
    async fn shun_of(&mut self, user: UserId, other: UserId) -> sqlx::Result<Option<Shun>> {
        sqlx::query_scalar("select kind from shuns where user_id = $1 and other_id = $2")
            .bind(user)
            .bind(other)
            .fetch_optional(self)
            .await
    }

    async fn are_apart(&mut self, a: UserId, b: UserId) -> sqlx::Result<bool> {
        let found: i64 = sqlx::query_scalar(
            "select count(*) from shuns where kind = 'block'
               and ((user_id = $1 and other_id = $2) or (user_id = $2 and other_id = $1))",
        )
        .bind(a)
        .bind(b)
        .fetch_one(self)
        .await?;
        Ok(found > 0)
    }

    async fn apart_in_queue(&mut self, game: Kind) -> sqlx::Result<HashSet<(UserId, UserId)>> {
        let apart: Vec<(UserId, UserId)> = sqlx::query_as(
            "select s.user_id, s.other_id from queue_entries a
             join shuns s on s.user_id = a.user_id and s.kind = 'block'
             join queue_entries b on b.user_id = s.other_id
             where a.game = $1 and b.game = $1",
        )
        .bind(game.name())
        .fetch_all(self)
        .await?;
        Ok(apart.into_iter().collect())
    }
} }

impl Arena {
    /// Whom somebody keeps away from, the latest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shunned(&self, by: UserId) -> Result<Vec<Shunned>> {
        let rows: Vec<ShunnedRow> = on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, s.kind,
                     s.created_at as since
                 from shuns s join users u on u.id = s.other_id
                 where s.user_id = $1 order by s.created_at desc, u.id limit $2",
            )
            .bind(by)
            .bind(SHUNS_MAX)
            .fetch_all(pool)
            .await
        })?;
        let rows = rows.into_iter();
        Ok(rows.map(|ShunnedRow { user, kind, since }| Shunned { user, kind, since }).collect())
    }

    /// Keeps somebody away, as far as `kind` says, whatever it was before. A block ends a
    /// friendship and what was asked of each other.
    ///
    /// # Errors
    /// When there is no such person; `yourself`; `too_many_shunned`.
    pub async fn shun(&self, by: UserId, whom: UserId, kind: Shun) -> Result<()> {
        if by == whom {
            return Err(Error::conflict("yourself", "that is you"));
        }
        if computers::level(whom).is_some() || self.user(whom).await?.is_none() {
            return Err(Error::not_found("there is no such account"));
        }
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, whom]).await?;
            let (all,): (i64,) = sqlx::query_as("select count(*) from shuns where user_id = $1")
                .bind(by)
                .fetch_one(&mut *tx)
                .await?;
            if all >= SHUNS_MAX && tx.shun_of(by, whom).await?.is_none() {
                let detail = format!("you keep away from {SHUNS_MAX} people: take somebody off");
                return Err(Error::conflict("too_many_shunned", detail));
            }
            sqlx::query(
                "insert into shuns (user_id, other_id, kind, created_at) values ($1, $2, $3, $4)
                 on conflict (user_id, other_id) do update set kind = excluded.kind",
            )
            .bind(by)
            .bind(whom)
            .bind(kind)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            if kind == Shun::Block {
                tx.end_friendship(by, whom).await?;
                tx.drop_request(by, whom).await?;
                // Who is blocked goes on seeing what they asked, and no answer.
                tx.hide_request(whom, by).await?;
            }
            tx.commit().await?;
        });
        Ok(())
    }

    /// Keeps somebody away no more. Who was not kept away has nothing to be let back from.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unshun(&self, by: UserId, whom: UserId) -> Result<()> {
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, whom]).await?;
            sqlx::query("delete from shuns where user_id = $1 and other_id = $2")
                .bind(by)
                .bind(whom)
                .execute(&mut *tx)
                .await?;
            // They may ask again, and be heard.
            sqlx::query(
                "delete from friend_requests where from_id = $1 and to_id = $2 and hidden = true",
            )
            .bind(whom)
            .bind(by)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        Ok(())
    }
}

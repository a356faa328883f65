//! What a merge does within a transaction, beside the steps that are the same for all tables.

use super::OfferRow;
use crate::{Millis, Role, UserId, db::on_both};

/// What somebody is at a game.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
struct Standing {
    game: String,
    rating: f64,
    deviation: f64,
    volatility: f64,
    wins: i64,
    losses: i64,
    draws: i64,
    streak: i64,
    best_streak: i64,
    rated_at: Millis,
}

impl Standing {
    /// Of both: the results of all matches, the rating that is better known, and the streak that
    /// goes on.
    fn joined(self, other: Standing) -> Standing {
        let known = if other.deviation < self.deviation { &other } else { &self };
        let later = if other.rated_at > self.rated_at { &other } else { &self };
        Standing {
            rating: known.rating,
            deviation: known.deviation,
            volatility: known.volatility,
            streak: later.streak,
            rated_at: later.rated_at,
            wins: self.wins + other.wins,
            losses: self.losses + other.losses,
            draws: self.draws + other.draws,
            best_streak: self.best_streak.max(other.best_streak),
            game: self.game,
        }
    }
}

/// Two accounts within a transaction, on either database.
pub(super) trait MergeRows {
    /// Takes an offer, once; false when it is taken, or the identity leads elsewhere by now.
    async fn take_offer(&mut self, row: &OfferRow, now: Millis) -> sqlx::Result<bool>;

    /// A way in that both have, of those that can't be told apart afterwards.
    async fn way_of_both(&mut self, keep: UserId, other: UserId) -> sqlx::Result<Option<String>>;

    /// The password of the one that stays stays; else it has the other's from now on.
    async fn move_password(&mut self, keep: UserId, other: UserId) -> sqlx::Result<()>;

    /// The other ways in; and the username, the address and the role where they are missing or
    /// less.
    async fn move_names(&mut self, keep: UserId, other: UserId, now: Millis) -> sqlx::Result<()>;

    /// What they are at each game.
    async fn move_ratings(&mut self, keep: UserId, other: UserId) -> sqlx::Result<()>;
}

#[derive(sqlx::FromRow)]
struct Names {
    username: Option<String>,
    username_key: Option<String>,
    email: Option<String>,
    role: Role,
}

on_both! { impl MergeRows {
    async fn take_offer(&mut self, row: &OfferRow, now: Millis) -> sqlx::Result<bool> {
        let taken = sqlx::query("delete from merge_offers where id = $1 and expires_at > $2")
            .bind(row.id)
            .bind(now)
            .execute(&mut *self)
            .await?
            .rows_affected();
        let holds: i64 = sqlx::query_scalar(
            "select count(*) from identities \
             where provider = $1 and subject = $2 and user_id = $3",
        )
        .bind(row.provider)
        .bind(&row.subject)
        .bind(row.other_id)
        .fetch_one(self)
        .await?;
        Ok(taken > 0 && holds > 0)
    }

    async fn way_of_both(&mut self, keep: UserId, other: UserId) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar(
            "select provider from identities where user_id = $1 and provider <> 'password' \
             and provider in (select provider from identities where user_id = $2) limit 1",
        )
        .bind(other)
        .bind(keep)
        .fetch_optional(self)
        .await
    }

    async fn move_password(&mut self, keep: UserId, other: UserId) -> sqlx::Result<()> {
        sqlx::query(
            "delete from identities where user_id = $1 and provider = 'password' and exists \
             (select 1 from identities where user_id = $2 and provider = 'password')",
        )
        .bind(other)
        .bind(keep)
        .execute(&mut *self)
        .await?;
        sqlx::query(
            "update identities set subject = $1 where user_id = $2 and provider = 'password'",
        )
        .bind(keep.to_string())
        .bind(other)
        .execute(self)
        .await
        .map(drop)
    }

    async fn move_names(&mut self, keep: UserId, other: UserId, now: Millis) -> sqlx::Result<()> {
        sqlx::query("update identities set user_id = $1 where user_id = $2")
            .bind(keep)
            .bind(other)
            .execute(&mut *self)
            .await?;
        let names = "select username, username_key, email, role from users where id = $1";
        let mine: Names = sqlx::query_as(names).bind(keep).fetch_one(&mut *self).await?;
        let theirs: Names = sqlx::query_as(names).bind(other).fetch_one(&mut *self).await?;
        let takes_name = mine.username.is_none() && theirs.username.is_some();
        let (name, key) = match takes_name {
            true => (None, None),
            // Nobody else is to come by it.
            false => (theirs.username.clone(), theirs.username_key.clone()),
        };
        sqlx::query(
            "update users set username = $1, username_key = $2, email = null, avatar_url = null, \
             role = 'player', merged_into = $3, updated_at = $4 where id = $5",
        )
        .bind(name)
        .bind(key)
        .bind(keep)
        .bind(now)
        .bind(other)
        .execute(&mut *self)
        .await?;
        let (name, key) = match takes_name {
            true => (theirs.username, theirs.username_key),
            false => (mine.username, mine.username_key),
        };
        sqlx::query(
            "update users set username = $1, username_key = $2, email = $3, role = $4, \
             updated_at = $5 where id = $6",
        )
        .bind(name)
        .bind(key)
        .bind(mine.email.or(theirs.email))
        .bind(mine.role.max(theirs.role))
        .bind(now)
        .bind(keep)
        .execute(self)
        .await
        .map(drop)
    }

    async fn move_ratings(&mut self, keep: UserId, other: UserId) -> sqlx::Result<()> {
        let of = "select game, rating, deviation, volatility, wins, losses, draws, streak, \
                  best_streak, rated_at from ratings where user_id = $1";
        let mut mine: Vec<Standing> = sqlx::query_as(of).bind(keep).fetch_all(&mut *self).await?;
        let theirs: Vec<Standing> = sqlx::query_as(of).bind(other).fetch_all(&mut *self).await?;
        for theirs in theirs {
            let at = mine.iter().position(|it| it.game == theirs.game);
            let joined = match at {
                Some(at) => mine.swap_remove(at).joined(theirs),
                None => theirs,
            };
            sqlx::query("delete from ratings where game = $1 and user_id in ($2, $3)")
                .bind(&joined.game)
                .bind(keep)
                .bind(other)
                .execute(&mut *self)
                .await?;
            sqlx::query(
                "insert into ratings (user_id, game, rating, deviation, volatility, wins, losses, \
                 draws, streak, best_streak, rated_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(keep)
            .bind(joined.game)
            .bind(joined.rating)
            .bind(joined.deviation)
            .bind(joined.volatility)
            .bind(joined.wins)
            .bind(joined.losses)
            .bind(joined.draws)
            .bind(joined.streak)
            .bind(joined.best_streak)
            .bind(joined.rated_at)
            .execute(&mut *self)
            .await?;
        }
        Ok(())
    }
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_known_rating_and_the_later_streak_stay() {
        let mine = Standing {
            game: "pong".into(),
            rating: 1700.0,
            deviation: 60.0,
            volatility: 0.06,
            wins: 3,
            losses: 2,
            draws: 1,
            streak: 2,
            best_streak: 2,
            rated_at: 10,
        };
        let theirs = Standing {
            rating: 1500.0,
            deviation: 200.0,
            volatility: 0.05,
            streak: -1,
            best_streak: 5,
            rated_at: 20,
            ..mine.clone()
        };
        let both = mine.clone().joined(theirs.clone());
        assert_eq!((both.rating, both.deviation, both.volatility), (1700.0, 60.0, 0.06));
        assert_eq!((both.wins, both.losses, both.draws), (6, 4, 2));
        assert_eq!((both.streak, both.best_streak, both.rated_at), (-1, 5, 20));
        assert_eq!(theirs.joined(mine), both, "whichever stays");
    }
}

//! Two accounts of one person made into one.
//!
//! Both were shown to be theirs: the one that stays by being signed in to, the other by its own way
//! in, within the last ten minutes. All that the other has moves in one transaction: history,
//! ratings, rooms, ways in. What is left of it is a name at matches that its person played against
//! themselves, and nothing leads in to it.

#[cfg(test)]
mod columns;
mod rows;

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use rows::MergeRows;

use crate::{
    Arena, Error, MergeId, Moment, Principal, PublicUser, Result, SessionId, User, UserId, Way,
    Why,
    audit::{AuditKind, AuditRows, Deed},
    cache::Change,
    db::{Turns, on},
    staff::StaffRows,
};

/// How long an offer stands.
pub(crate) const OFFER_LIFE: Duration = Duration::from_secs(10 * 60);

/// Another account that was shown to be mine, and can be made one with this.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MergeOffer {
    /// What to accept it by, once.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub id: MergeId,
    /// By what it was shown to be mine.
    pub way: Way,
    /// The other account.
    pub other: PublicUser,
    /// Since when it is there.
    pub since: Moment,
    /// How many matches it has played.
    pub matches: i64,
    /// Until when the offer stands.
    pub expires_at: Moment,
}

/// A statement of a merge. `$1` is the account that stays and `$2` the one that goes.
enum Step {
    /// Takes over what can be the one's as well as the other's.
    Move(&'static str),
    /// Drops what is only worth something to the one that goes, which is `$1` here.
    Forget(&'static str),
}

use Step::{Forget, Move};

/// All that refers to a person and is neither a way in nor a rating, in an order in which it can be
/// moved. Whoever adds a table that refers to people adds its line here.
const STEPS: &[Step] = &[
    // A match that both sat at stays as it is: it was played against oneself.
    Move(
        "update matches set winner = $1 where winner = $2 and id not in \
         (select match_id from match_players where user_id = $1)",
    ),
    Move(
        "update match_players set user_id = $1 where user_id = $2 and match_id not in \
         (select match_id from match_players where user_id = $1)",
    ),
    Move("update rooms set host_id = $1 where host_id = $2"),
    Move("update room_lines set user_id = $1 where user_id = $2"),
    Move(
        "insert into room_scores (room_id, user_id, matches, wins, points) \
         select room_id, cast($1 as bigint), matches, wins, points from room_scores \
         where user_id = $2 on conflict (room_id, user_id) do update set \
         matches = room_scores.matches + excluded.matches, \
         wins = room_scores.wins + excluded.wins, points = room_scores.points + excluded.points",
    ),
    Forget("delete from room_scores where user_id = $1"),
    Move(
        "insert into room_kicked (room_id, user_id) select room_id, cast($1 as bigint) \
         from room_kicked where user_id = $2 on conflict (room_id, user_id) do nothing",
    ),
    Forget("delete from room_kicked where user_id = $1"),
    Move("update cards set host = $1 where host = $2"),
    Move(
        "insert into card_seats (card_id, user_id, joined_at) \
         select card_id, cast($1 as bigint), joined_at from card_seats where user_id = $2 \
         on conflict (card_id, user_id) do nothing",
    ),
    Forget("delete from card_seats where user_id = $1"),
    Move(
        "insert into telegram_members (chat_id, user_id) select chat_id, cast($1 as bigint) \
         from telegram_members where user_id = $2 on conflict (chat_id, user_id) do nothing",
    ),
    Forget("delete from telegram_members where user_id = $1"),
    Move(
        "insert into telegram_names (user_id, name, seen_at) \
         select cast($1 as bigint), name, seen_at from telegram_names where user_id = $2 \
         on conflict (user_id) do nothing",
    ),
    Forget("delete from telegram_names where user_id = $1"),
    Move(
        "update notice_settings set user_id = $1 where user_id = $2 and not exists \
         (select 1 from notice_settings where user_id = $1)",
    ),
    Forget("delete from notice_settings where user_id = $1"),
    Move(
        "update email_claims set user_id = $1 where user_id = $2 and not exists \
         (select 1 from email_claims where user_id = $1)",
    ),
    Forget("delete from email_claims where user_id = $1"),
    // A username goes along where the one that stays has none; else it stays taken.
    Move(
        "update looks set user_id = $1 where user_id = $2 and of_what = 'username' \
         and not exists (select 1 from looks where user_id = $1 and of_what = 'username')",
    ),
    Forget("delete from looks where user_id = $1 and of_what = 'display_name'"),
    Move(
        "insert into friends (user_id, friend_id, since) \
         select cast($1 as bigint), friend_id, since from friends \
         where user_id = $2 and friend_id <> $1 on conflict (user_id, friend_id) do nothing",
    ),
    Move(
        "insert into friends (user_id, friend_id, since) \
         select user_id, cast($1 as bigint), since from friends \
         where friend_id = $2 and user_id <> $1 on conflict (user_id, friend_id) do nothing",
    ),
    Forget("delete from friends where user_id = $1"),
    Forget("delete from friends where friend_id = $1"),
    Move(
        "insert into friend_requests (from_id, to_id, created_at, hidden) \
         select cast($1 as bigint), to_id, created_at, hidden from friend_requests \
         where from_id = $2 and to_id <> $1 on conflict (from_id, to_id) do nothing",
    ),
    Move(
        "insert into friend_requests (from_id, to_id, created_at, hidden) \
         select from_id, cast($1 as bigint), created_at, hidden from friend_requests \
         where to_id = $2 and from_id <> $1 on conflict (from_id, to_id) do nothing",
    ),
    Forget("delete from friend_requests where from_id = $1"),
    Forget("delete from friend_requests where to_id = $1"),
    // What was asked of somebody who is a friend by now.
    Move(
        "delete from friend_requests where (from_id in ($1, $2) or to_id in ($1, $2)) and exists \
         (select 1 from friends f where f.user_id = from_id and f.friend_id = to_id)",
    ),
    Move(
        "insert into shuns (user_id, other_id, kind, created_at) \
         select cast($1 as bigint), other_id, kind, created_at from shuns \
         where user_id = $2 and other_id <> $1 on conflict (user_id, other_id) do nothing",
    ),
    Move(
        "insert into shuns (user_id, other_id, kind, created_at) \
         select user_id, cast($1 as bigint), kind, created_at from shuns \
         where other_id = $2 and user_id <> $1 on conflict (user_id, other_id) do nothing",
    ),
    Forget("delete from shuns where user_id = $1"),
    Forget("delete from shuns where other_id = $1"),
    Move("update sanctions set user_id = $1 where user_id = $2"),
    Move("update sanctions set by_id = $1 where by_id = $2"),
    Move("update sanctions set lifted_by = $1 where lifted_by = $2"),
    Move("update reports set by_id = $1 where by_id = $2"),
    Move("update reports set about_id = $1 where about_id = $2"),
    Move("update reports set closed_by = $1 where closed_by = $2"),
    Forget("delete from answers where user_id = $1"),
    Forget("delete from mail_tokens where user_id = $1"),
    Forget("delete from link_tokens where user_id = $1"),
    Forget("delete from flows where user_id = $1"),
    Forget("delete from handoffs where user_id = $1"),
    Forget("delete from merge_offers where user_id = $1"),
    Forget("delete from merge_offers where other_id = $1"),
];

/// Where somebody is who is busy, by what they are told.
const BUSY: [(&str, &str); 4] = [
    ("select count(*) from playing where user_id = $1", "the other account is in a match"),
    ("select count(*) from queue_entries where user_id = $1", "the other account is in a queue"),
    ("select count(*) from room_members where user_id = $1", "the other account is in a room"),
    (
        "select count(*) from cards c left join card_seats s \
         on s.card_id = c.id and s.user_id = $1 \
         where c.status in ('open', 'playing') and (c.host = $1 or s.user_id is not null)",
        "the other account has a game open in a chat",
    ),
];

#[derive(sqlx::FromRow)]
struct OfferRow {
    id: MergeId,
    other_id: UserId,
    provider: Way,
    subject: String,
    expires_at: Moment,
}

impl Arena {
    async fn offer_row(&self, by: &Principal) -> Result<Option<OfferRow>> {
        let now = self.clock.now();
        Ok(on!(self.db, pool => sqlx::query_as(
            "select id, other_id, provider, subject, expires_at from merge_offers \
             where user_id = $1 and session_id = $2 and expires_at > $3",
        )
        .bind(by.user_id)
        .bind(by.session_id)
        .bind(now)
        .fetch_optional(pool)
        .await)?)
    }

    /// What was offered to a sign-in.
    pub(crate) async fn merge_offer(&self, by: &Principal) -> Result<Option<MergeOffer>> {
        let Some(row) = self.offer_row(by).await? else { return Ok(None) };
        let Some(other) = self.user(row.other_id).await? else { return Ok(None) };
        let matches = on!(self.db, pool => sqlx::query_scalar(
            "select count(*) from match_players where user_id = $1 and finished_at is not null",
        )
        .bind(other.id)
        .fetch_one(pool)
        .await)?;
        let OfferRow { id, provider: way, expires_at, .. } = row;
        let (since, other) = (other.created_at, other.public());
        Ok(Some(MergeOffer { id, way, other, since, matches, expires_at }))
    }

    /// Makes the other account of an offer one with that of `by`, who stays signed in.
    ///
    /// # Errors
    /// `merge_gone` when there is no such offer, or it was accepted; `merge_busy` while the other
    /// is in a match, a queue, a room or a chat's game; `merge_both_have` when both have a Telegram
    /// or a Google account. Then nothing has changed.
    pub async fn merge(&self, by: &Principal, id: MergeId) -> Result<User> {
        let gone = || {
            Error::refused(
                Why::Gone,
                "merge_gone",
                "this offer does not stand any more: show again that the other account is yours",
            )
        };
        let row = self.offer_row(by).await?.filter(|it| it.id == id).ok_or_else(gone)?;
        let (now, keep, other) = (self.clock.now(), by.user_id, row.other_id);
        let telling = self.telling(Change::People(vec![keep, other]));
        let ended: Vec<SessionId> = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[keep, other]).await?;
            // Nobody gets rid of a ban so.
            tx.require_good(other, now).await?;
            if !tx.take_offer(&row, now).await? {
                return Err(gone());
            }
            for (busy, detail) in BUSY {
                let found: i64 =
                    sqlx::query_scalar(busy).bind(other).fetch_one(&mut *tx).await?;
                if found > 0 {
                    let detail = format!("{detail}: let it end, or leave, and try again");
                    return Err(Error::conflict("merge_busy", detail));
                }
            }
            if let Some(way) = tx.way_of_both(keep, other).await? {
                let detail = format!("both accounts have a way in by {way}: unlink one first");
                return Err(Error::conflict("merge_both_have", detail));
            }
            tx.move_password(keep, other).await?;
            tx.move_names(keep, other, now).await?;
            tx.move_ratings(keep, other).await?;
            for step in STEPS {
                match step {
                    Move(text) => sqlx::query(*text).bind(keep).bind(other),
                    Forget(text) => sqlx::query(*text).bind(other),
                }
                .execute(&mut *tx)
                .await?;
            }
            let ended = sqlx::query_scalar(
                "update sessions set ended_at = $1 where user_id = $2 and ended_at is null \
                 returning id",
            )
            .bind(now)
            .bind(other)
            .fetch_all(&mut *tx)
            .await?;
            let deed = Deed::of(AuditKind::Merged, keep, by.address);
            tx.note(now, &Deed { about: Some(other), ..deed }).await?;
            tx.commit().await?;
            ended
        });
        telling.done().await;
        self.sessions_ended(&ended, now);
        tracing::info!(user.id = %keep, "Account {other} was merged into {keep}");
        let user = self.user(keep).await?;
        user.ok_or_else(|| Error::not_found("your account is gone"))
    }

    /// Lets an offer go.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn decline_merge(&self, by: &Principal) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query("delete from merge_offers where session_id = $1")
                .bind(by.session_id)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

//! Who stays in a room: those whose pages are open, and those who play. Others are out after a
//! while, so that no room stands empty for ever.

use std::time::Duration;

use crate::{Arena, Millis, Result, UserId, clock::millis, db::on, ids::RoomId, rooms::Parting};

/// How long somebody is kept in a room without a page of theirs in the lobby.
const LEASE: Duration = Duration::from_secs(5 * 60);
/// A stay is made longer when it is shorter than the lease by so much.
const KEEP_FROM: Duration = Duration::from_secs(60);
/// How often it is looked who is there.
pub(crate) const TEND_EVERY: Duration = Duration::from_secs(15);

pub(super) fn lease() -> Millis {
    millis(LEASE)
}

impl Arena {
    /// Lets those stay in their rooms who have a page open here or play, and takes those out who
    /// were not seen for too long.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tend_rooms(self) -> Result<()> {
        let now = self.clock.now();
        let until = now + lease();
        let soon: Vec<(UserId, RoomId, Millis, i64)> = on!(self.db, pool => {
            sqlx::query_as(
                "select m.user_id, m.room_id, m.expires_at,
                     count(r.match_id) + count(p.match_id)
                 from room_members m
                 join rooms r on r.id = m.room_id
                 left join playing p on p.user_id = m.user_id
                 where m.expires_at <= $1
                 group by m.user_id, m.room_id, m.expires_at",
            )
            .bind(until - millis(KEEP_FROM))
            .fetch_all(pool)
            .await
        })?;
        for (user, room, expires_at, plays) in soon {
            // While their room plays, people look at the match, and not at the lobby.
            if plays > 0 || self.lobby.has(user) {
                self.keep_in_room(user).await?;
            } else if expires_at <= now {
                let due = |it: &super::room::Member| it.expires_at <= now;
                self.part(user, room, Parting::Away, due).await?;
            }
        }
        Ok(())
    }

    /// Keeps somebody in their room who opened a page.
    pub(crate) async fn keep_in_room(&self, user: UserId) -> Result<()> {
        let until = self.clock.now() + lease();
        on!(self.db, pool => {
            sqlx::query("update room_members set expires_at = $1 where user_id = $2")
                .bind(until)
                .bind(user)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

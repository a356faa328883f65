//! What people in a room say to each other. Only the last lines are kept.

use std::time::Duration;

use live::wire::chat_text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, Millis, Moment, PublicUser, Result, UserId, Why,
    clock::millis,
    db::{on, on_both},
    ids::RoomId,
    lobby::LobbyMessage,
    staff::StaffRows,
};

use super::room::not_member;

/// How many lines of a room are kept.
const LINES_MAX: i64 = 50;
/// How often somebody may say something.
const PAUSE: Duration = Duration::from_secs(1);

/// Something that was said in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomLine {
    /// By whom.
    pub user: PublicUser,
    /// When.
    pub at: Moment,
    /// What, as plain text.
    pub text: String,
}

/// Something was said in the reader's room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomChat {
    /// The room's code.
    #[schema(example = "KWBTRM")]
    pub room: String,
    /// What.
    #[serde(flatten)]
    #[schema(inline)]
    pub line: RoomLine,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    #[sqlx(flatten)]
    user: PublicUser,
    at: Moment,
    text: String,
}

/// What was said, within a transaction, on either database.
trait Lines {
    /// Takes the number of the next line, and keeps others from the room.
    async fn next_line(&mut self, room: RoomId) -> sqlx::Result<Option<i64>>;

    /// Whether somebody is in a room.
    async fn is_in(&mut self, user: UserId, room: RoomId) -> sqlx::Result<bool>;

    /// Who is in a room and hears what somebody says.
    async fn hearers_in(&mut self, room: RoomId, by: UserId) -> sqlx::Result<Vec<UserId>>;

    /// When somebody last said something in a room, as far as that is kept.
    async fn spoke_at(&mut self, user: UserId, room: RoomId) -> sqlx::Result<Option<Millis>>;

    /// Keeps a line, and forgets the oldest.
    async fn keep_line(
        &mut self,
        room: RoomId,
        seq: i64,
        by: UserId,
        at: Millis,
        text: &str,
    ) -> sqlx::Result<()>;
}

on_both! { impl Lines {
    async fn next_line(&mut self, room: RoomId) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar("update rooms set said = said + 1 where id = $1 returning said")
            .bind(room)
            .fetch_optional(self)
            .await
    }

    async fn is_in(&mut self, user: UserId, room: RoomId) -> sqlx::Result<bool> {
        let found: i64 = sqlx::query_scalar(
            "select count(*) from room_members where user_id = $1 and room_id = $2",
        )
        .bind(user)
        .bind(room)
        .fetch_one(self)
        .await?;
        Ok(found > 0)
    }

    async fn hearers_in(&mut self, room: RoomId, by: UserId) -> sqlx::Result<Vec<UserId>> {
        sqlx::query_scalar(
            "select user_id from room_members where room_id = $1
               and user_id not in (select user_id from shuns where other_id = $2)
             order by place",
        )
        .bind(room)
        .bind(by)
        .fetch_all(self)
        .await
    }

    async fn spoke_at(&mut self, user: UserId, room: RoomId) -> sqlx::Result<Option<Millis>> {
        sqlx::query_scalar("select max(at) from room_lines where room_id = $1 and user_id = $2")
            .bind(room)
            .bind(user)
            .fetch_one(self)
            .await
    }

    async fn keep_line(
        &mut self,
        room: RoomId,
        seq: i64,
        by: UserId,
        at: Millis,
        text: &str,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "insert into room_lines (room_id, seq, user_id, at, text) values ($1, $2, $3, $4, $5)",
        )
        .bind(room)
        .bind(seq)
        .bind(by)
        .bind(at)
        .bind(text)
        .execute(&mut *self)
        .await?;
        sqlx::query("delete from room_lines where room_id = $1 and seq <= $2")
            .bind(room)
            .bind(seq - LINES_MAX)
            .execute(self)
            .await
            .map(drop)
    }
} }

impl Arena {
    /// Says something to everybody in a room who wants to hear them. Who is not in it hears the
    /// same whether there is such a room or not: nobody is to find codes by talking.
    ///
    /// # Errors
    /// `not_member`; `bad_text`; `muted`; `too_fast` more often than once a second.
    pub async fn say_in_room(&self, by: UserId, code: &str, text: &str) -> Result<()> {
        let text = chat_text(text).map_err(|it| Error::refused(Why::Invalid, "bad_text", it))?;
        let id = self.find_room(code).await?.ok_or_else(not_member)?;
        let user = self.public_user(by).await?;
        let now = self.clock.now();
        let people = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let seq = tx.next_line(id).await?.ok_or_else(not_member)?;
            if !tx.is_in(by, id).await? {
                return Err(not_member());
            }
            tx.require_voice(by, now).await?;
            if tx.spoke_at(by, id).await?.is_some_and(|it| now < it + millis(PAUSE)) {
                return Err(Error::refused(Why::TooMany, "too_fast", "one chat message a second"));
            }
            tx.keep_line(id, seq, by, now, &text).await?;
            let people = tx.hearers_in(id, by).await?;
            tx.commit().await?;
            people
        });
        let line = RoomLine { user, at: Moment(now), text };
        let said = LobbyMessage::Chat(RoomChat { room: code.to_ascii_uppercase(), line });
        for person in people {
            self.tell(person, said.clone());
        }
        Ok(())
    }

    /// The last lines of a room that somebody wants to hear, the oldest first.
    pub(super) async fn room_lines(&self, by: UserId, id: RoomId) -> Result<Vec<RoomLine>> {
        let rows: Vec<LineRow> = on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, l.at, l.text
                 from room_lines l join users u on u.id = l.user_id
                 where l.room_id = $1
                   and l.user_id not in (select other_id from shuns where user_id = $2)
                 order by l.seq",
            )
            .bind(id)
            .bind(by)
            .fetch_all(pool)
            .await
        })?;
        Ok(rows.into_iter().map(|LineRow { user, at, text }| RoomLine { user, at, text }).collect())
    }
}

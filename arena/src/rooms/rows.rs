//! Rooms in SQL: each is read whole, changed by its rules, and what has changed is written.

use games::Kind;
use sqlx::AssertSqlSafe;

use crate::{
    MatchId, Millis, PublicUser, UserId,
    db::on_both,
    ids::RoomId,
    rooms::room::{Member, Room, RoomScore},
};

/// Rooms within a transaction, on either database.
pub(crate) trait RoomRows {
    /// The room that somebody is in.
    async fn room_of(&mut self, user: UserId) -> sqlx::Result<Option<RoomId>>;

    /// The code of the room that somebody is in.
    async fn room_code_of(&mut self, user: UserId) -> sqlx::Result<Option<String>>;

    /// The room of a code.
    async fn room_by_code(&mut self, code: &str) -> sqlx::Result<Option<RoomId>>;

    /// A room as it is.
    async fn read_room(&mut self, id: RoomId) -> sqlx::Result<Option<Room>>;

    /// A room that is about to be changed, its revision raised already: others who would change it
    /// wait for the end of this transaction. Whoever changes people too has taken their turns
    /// before, and holds one room only.
    async fn hold_room(&mut self, id: RoomId) -> sqlx::Result<Option<Room>>;

    /// Inserts a room without anything in it.
    async fn insert_room(&mut self, room: &Room) -> sqlx::Result<()>;

    /// Writes what has changed; a room without members is gone.
    async fn save_room(&mut self, before: &Room, after: &Room) -> sqlx::Result<()>;

    /// What else there is of a room.
    async fn fill_room(&mut self, row: RoomRow) -> sqlx::Result<Room>;

    /// Forgets a room and all that was in it.
    async fn delete_room(&mut self, id: RoomId) -> sqlx::Result<()>;

    /// Writes one member as they are now.
    async fn save_member(&mut self, id: RoomId, it: &Member) -> sqlx::Result<()>;

    /// Takes somebody out of the queue that they wait in; answers which.
    async fn leave_queues(&mut self, user: UserId) -> sqlx::Result<Option<String>>;
}

/// The columns of a [`RoomRow`].
const COLUMNS: &str = "id, code, game, options, private, host_id, match_id, last_match_id, \
                       matches, revision, created_at";

#[derive(sqlx::FromRow)]
pub(crate) struct RoomRow {
    id: RoomId,
    code: String,
    game: String,
    options: String,
    private: bool,
    host_id: UserId,
    match_id: Option<MatchId>,
    last_match_id: Option<MatchId>,
    matches: i64,
    revision: i64,
    created_at: Millis,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    #[sqlx(flatten)]
    user: PublicUser,
    seat: Option<i64>,
    ready: bool,
    place: i64,
    expires_at: Millis,
}

#[derive(sqlx::FromRow)]
struct ScoreRow {
    #[sqlx(flatten)]
    user: PublicUser,
    matches: i64,
    wins: i64,
    points: i64,
}

on_both! { impl RoomRows {
    async fn room_code_of(&mut self, user: UserId) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar(
            "select r.code from room_members m join rooms r on r.id = m.room_id
             where m.user_id = $1",
        )
        .bind(user)
        .fetch_optional(self)
        .await
    }

    async fn room_of(&mut self, user: UserId) -> sqlx::Result<Option<RoomId>> {
        sqlx::query_scalar("select room_id from room_members where user_id = $1")
            .bind(user)
            .fetch_optional(self)
            .await
    }

    async fn room_by_code(&mut self, code: &str) -> sqlx::Result<Option<RoomId>> {
        sqlx::query_scalar("select id from rooms where code = $1")
            .bind(code)
            .fetch_optional(self)
            .await
    }

    async fn read_room(&mut self, id: RoomId) -> sqlx::Result<Option<Room>> {
        // The revision first: what is read after it is no older.
        let sql = format!("select {COLUMNS} from rooms where id = $1");
        let row: Option<RoomRow> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *self).await?;
        match row {
            Some(row) => Ok(Some(self.fill_room(row).await?)),
            None => Ok(None),
        }
    }

    async fn hold_room(&mut self, id: RoomId) -> sqlx::Result<Option<Room>> {
        let sql = format!(
            "update rooms set revision = revision + 1 where id = $1 returning {COLUMNS}"
        );
        let row: Option<RoomRow> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *self).await?;
        match row {
            Some(row) => Ok(Some(self.fill_room(row).await?)),
            None => Ok(None),
        }
    }

    async fn insert_room(&mut self, room: &Room) -> sqlx::Result<()> {
        sqlx::query(
            "insert into rooms (id, code, game, options, private, host_id, matches, said,
                                revision, created_at)
             values ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8)",
        )
        .bind(room.id)
        .bind(&room.code)
        .bind(room.game.name())
        .bind(room.options.to_string())
        .bind(room.private)
        .bind(room.host)
        .bind(room.revision)
        .bind(room.created_at)
        .execute(self)
        .await
        .map(drop)
    }

    async fn save_room(&mut self, before: &Room, after: &Room) -> sqlx::Result<()> {
        if after.members.is_empty() {
            return self.delete_room(after.id).await;
        }
        sqlx::query(
            "update rooms set options = $1, private = $2, host_id = $3, match_id = $4,
                              last_match_id = $5, matches = $6
             where id = $7",
        )
        .bind(after.options.to_string())
        .bind(after.private)
        .bind(after.host)
        .bind(after.match_id)
        .bind(after.last_match_id)
        .bind(after.matches)
        .bind(after.id)
        .execute(&mut *self)
        .await?;
        // Those who went first, since others may have their seats.
        for gone in before.members.iter().filter(|it| after.member(it.user.id).is_none()) {
            sqlx::query("delete from room_members where user_id = $1 and room_id = $2")
                .bind(gone.user.id)
                .bind(after.id)
                .execute(&mut *self)
                .await?;
        }
        for member in after.members.iter().filter(|it| !before.members.contains(it)) {
            self.save_member(after.id, member).await?;
        }
        for score in after.scores.iter().filter(|it| !before.scores.contains(it)) {
            sqlx::query(
                "insert into room_scores (room_id, user_id, matches, wins, points)
                 values ($1, $2, $3, $4, $5)
                 on conflict (room_id, user_id) do update set
                     matches = excluded.matches, wins = excluded.wins, points = excluded.points",
            )
            .bind(after.id)
            .bind(score.user.id)
            .bind(score.matches)
            .bind(score.wins)
            .bind(score.points)
            .execute(&mut *self)
            .await?;
        }
        for user in after.kicked.iter().filter(|it| !before.kicked.contains(it)) {
            sqlx::query("insert into room_kicked (room_id, user_id) values ($1, $2)")
                .bind(after.id)
                .bind(user)
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }

    async fn fill_room(&mut self, row: RoomRow) -> sqlx::Result<Room> {
        let members: Vec<MemberRow> = sqlx::query_as(
            "select u.id, u.username, u.display_name, u.avatar_url,
                    m.seat, m.ready, m.place, m.expires_at
             from room_members m join users u on u.id = m.user_id
             where m.room_id = $1 order by m.place, m.user_id",
        )
        .bind(row.id)
        .fetch_all(&mut *self)
        .await?;
        let scores: Vec<ScoreRow> = sqlx::query_as(
            "select u.id, u.username, u.display_name, u.avatar_url, s.matches, s.wins, s.points
             from room_scores s join users u on u.id = s.user_id where s.room_id = $1",
        )
        .bind(row.id)
        .fetch_all(&mut *self)
        .await?;
        let kicked: Vec<UserId> =
            sqlx::query_scalar("select user_id from room_kicked where room_id = $1")
                .bind(row.id)
                .fetch_all(self)
                .await?;
        let members = members.into_iter().map(|it| Member {
            user: it.user,
            // OK because only seats of a game are written, which are few.
            seat: it.seat.map(|it| it as u8),
            ready: it.ready,
            place: it.place,
            expires_at: it.expires_at,
        });
        let scores = scores.into_iter().map(|ScoreRow { user, matches, wins, points }| {
            RoomScore { user, matches, wins, points }
        });
        let unread = |what: String| sqlx::Error::Decode(what.into());
        Ok(Room {
            game: row.game.parse::<Kind>().map_err(|_| unread(format!("the game {}", row.game)))?,
            options: serde_json::from_str(&row.options).map_err(|it| unread(it.to_string()))?,
            id: row.id,
            code: row.code,
            private: row.private,
            host: row.host_id,
            match_id: row.match_id,
            last_match_id: row.last_match_id,
            matches: row.matches,
            revision: row.revision,
            created_at: row.created_at,
            members: members.collect(),
            scores: scores.collect(),
            kicked,
        })
    }

    async fn delete_room(&mut self, id: RoomId) -> sqlx::Result<()> {
        for sql in [
            "delete from room_lines where room_id = $1",
            "delete from room_kicked where room_id = $1",
            "delete from room_scores where room_id = $1",
            "delete from room_members where room_id = $1",
            "delete from rooms where id = $1",
        ] {
            sqlx::query(sql).bind(id).execute(&mut *self).await?;
        }
        Ok(())
    }

    async fn save_member(&mut self, id: RoomId, it: &Member) -> sqlx::Result<()> {
        sqlx::query(
            "insert into room_members (user_id, room_id, seat, ready, place, expires_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (user_id) do update set
                 seat = excluded.seat, ready = excluded.ready, expires_at = excluded.expires_at",
        )
        .bind(it.user.id)
        .bind(id)
        .bind(it.seat.map(i64::from))
        .bind(it.ready)
        .bind(it.place)
        .bind(it.expires_at)
        .execute(self)
        .await
        .map(drop)
    }

    async fn leave_queues(&mut self, user: UserId) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar("delete from queue_entries where user_id = $1 returning game")
            .bind(user)
            .fetch_optional(self)
            .await
    }
} }

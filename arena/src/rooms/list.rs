//! The list of public rooms.

use games::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Arena, Moment, PublicUser, Result, UserId, db::on, rooms::RoomSeats};

/// How many rooms a list shows.
const LISTED_MAX: i64 = 50;

/// A public room, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ListedRoom {
    /// Six letters that lead to it.
    #[schema(example = "KWBTRM")]
    pub code: String,
    /// What is played.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// Who has it.
    pub host: PublicUser,
    /// How many can play.
    pub seats: RoomSeats,
    /// How many seats are taken.
    pub seated: i64,
    /// How many are in it, watchers included.
    pub members: i64,
    /// Whether a match is played.
    pub playing: bool,
    /// When it was opened.
    pub created_at: Moment,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    code: String,
    game: String,
    #[sqlx(flatten)]
    host: PublicUser,
    seated: i64,
    members: i64,
    playing: i64,
    created_at: Moment,
}

impl Arena {
    /// Public rooms, the newest first; of one game, or of all. `by` does not see those of people
    /// whom they have blocked, or who have blocked them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rooms(&self, by: Option<UserId>, game: Option<Kind>) -> Result<Vec<ListedRoom>> {
        let rows: Vec<ListedRow> = on!(self.db, pool => {
            sqlx::query_as(
                "select r.code, r.game, r.created_at,
                     u.id, u.username, u.display_name, u.avatar_url,
                     count(m.seat) as seated, count(*) as members, count(r.match_id) as playing
                 from rooms r
                 join users u on u.id = r.host_id
                 join room_members m on m.room_id = r.id
                 where r.private = false and ($1 is null or r.game = $1)
                   and not exists (select 1 from shuns s where s.kind = 'block'
                       and ((s.user_id = r.host_id and s.other_id = $3)
                         or (s.user_id = $3 and s.other_id = r.host_id)))
                 group by r.id, r.code, r.game, r.created_at,
                     u.id, u.username, u.display_name, u.avatar_url
                 order by r.created_at desc, r.id limit $2",
            )
            .bind(game.map(Kind::name))
            .bind(LISTED_MAX)
            .bind(by)
            .fetch_all(pool)
            .await
        })?;
        let listed = rows.into_iter().filter_map(|it| {
            // A game that this version does not know was made by a newer one.
            let game: Kind = it.game.parse().ok()?;
            Some(ListedRoom {
                code: it.code,
                game,
                host: it.host,
                seats: RoomSeats { min: *game.seats().start(), max: *game.seats().end() },
                seated: it.seated,
                members: it.members,
                playing: it.playing > 0,
                created_at: it.created_at,
            })
        });
        Ok(listed.collect())
    }
}

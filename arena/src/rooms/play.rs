//! The matches of a room: starting the next, and what the end of one does to it.

use games::{Outcome, Seat};

use crate::{
    Arena, Error, MatchId, PublicUser, Result, UserId,
    db::{Turns, on, on_both},
    ids::RoomId,
    lobby::LobbyMessage,
    matches::{MatchRows, NewMatch},
    queue::{Matched, Side},
    rooms::{Room, RoomRows, RoomView, bad_options, room::no_room},
};

/// How often a start is tried again when others took or left seats meanwhile.
const TRIES_MAX: usize = 4;

/// A match that a room has made.
struct Started {
    room: Room,
    match_id: MatchId,
    /// By seat.
    players: Vec<UserId>,
}

/// What a room learns from its match, within the match's settlement.
pub(crate) trait AfterMatch {
    /// Counts the end of a match in the room that plays it; answers that room. Its players' turns
    /// have been taken.
    async fn end_in_room(
        &mut self,
        room: RoomId,
        id: MatchId,
        users: &[UserId],
        outcome: &Outcome,
    ) -> sqlx::Result<Option<Room>>;

    /// Somebody, as others see them.
    async fn person(&mut self, user: UserId) -> sqlx::Result<PublicUser>;
}

on_both! { impl AfterMatch {
    async fn end_in_room(
        &mut self,
        room: RoomId,
        id: MatchId,
        users: &[UserId],
        outcome: &Outcome,
    ) -> sqlx::Result<Option<Room>> {
        let Some(mut room) = self.hold_room(room).await? else { return Ok(None) };
        // A settlement that is tried again counts once.
        if room.match_id == Some(id) {
            let before = room.clone();
            let mut people = Vec::with_capacity(users.len());
            for &user in users {
                people.push(self.person(user).await?);
            }
            room.end(id, &people, outcome);
            self.save_room(&before, &room).await?;
        }
        Ok(Some(room))
    }

    async fn person(&mut self, user: UserId) -> sqlx::Result<PublicUser> {
        sqlx::query_as("select id, username, display_name, avatar_url from users where id = $1")
            .bind(user)
            .fetch_one(self)
            .await
    }
} }

impl Arena {
    /// Starts the next match of a room with those who are seated. They are told where it is.
    ///
    /// # Errors
    /// `room_not_found`, `not_host`, `room_playing`, `not_enough_players`, `not_ready`;
    /// `member_in_match` when somebody plays elsewhere; `bad_options` when so many can't play by
    /// them.
    pub async fn start_room(&self, by: UserId, code: &str) -> Result<RoomView> {
        self.cluster.check_open()?;
        let id = self.room_id(code).await?;
        for _ in 0..TRIES_MAX {
            if let Some(Started { room, match_id, players }) = self.try_start_match(by, id).await? {
                let game = room.game;
                tracing::info!(r#match = %match_id, "A room plays match {match_id} of {game}");
                self.open_match(match_id).await;
                self.tell_room(&room);
                for (seat, &user) in (0..).map(Seat).zip(&players) {
                    let side = Side::of(seat, players.len());
                    self.tell(user, LobbyMessage::Matched(Matched { game, match_id, side, seat }));
                }
                return self.room_view(by, &room).await;
            }
        }
        Err(Error::conflict("not_ready", "seats are being taken and left: try again"))
    }

    /// Nothing when others are seated than were a moment ago.
    async fn try_start_match(&self, by: UserId, id: RoomId) -> Result<Option<Started>> {
        let now = self.clock.now();
        let seen = on!(self.db, pool => pool.acquire().await?.read_room(id).await)?;
        let people = seen.ok_or_else(no_room)?.players();
        let made = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&people).await?;
            let mut room = tx.hold_room(id).await?.ok_or_else(no_room)?;
            let before = room.clone();
            room.check_start(by)?;
            let players = room.players();
            if players.iter().any(|it| !people.contains(it)) {
                return Ok(None);
            }
            for &player in &players {
                if tx.plays(player).await? {
                    return Err(plays_elsewhere(&room, player));
                }
            }
            live::check_options(room.game, &room.options, players.len() as u8)
                .map_err(bad_options)?;
            let new = NewMatch {
                game: room.game,
                options: &room.options,
                rated: room.is_rated(players.len()),
                players: &players,
                rematch_of: None,
                process: self.cluster.me,
            };
            let match_id = tx.insert_match(&new, now).await?;
            room.begin(match_id);
            tx.save_room(&before, &room).await?;
            tx.commit().await.inspect_err(|_| self.open_if_made(match_id))?;
            Started { room, match_id, players }
        });
        Ok(Some(made))
    }

    /// Tells the people of a room what the end of its match made of it.
    pub(crate) fn tell_after_match(&self, room: Option<Room>) {
        if let Some(room) = room {
            self.tell_room(&room);
        }
    }
}

fn plays_elsewhere(room: &Room, player: UserId) -> Error {
    let name = room.member(player).map_or("somebody", |it| &it.user.display_name);
    let detail = format!("{name} plays another match: wait for its end");
    Error::conflict("member_in_match", detail)
}

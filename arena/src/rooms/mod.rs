//! Rooms: a lobby around one or more matches in a row. A host opens one; others come by its code,
//! its link or the list of public rooms.
//!
//! A room is read whole, changed by [its rules](room), and written, in one transaction that keeps
//! others away from it; then everybody in it is told how it is. Nobody is in two rooms, or in a
//! room and a queue: coming into a room leaves the queue, and who is in a room can't join one.

mod chat;
mod list;
mod play;
mod room;
mod rows;
mod stay;

use games::Kind;
use rand::seq::IndexedRandom;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Arena, Error, FieldError, PublicUser, Result, UserId,
    cache::Cached,
    db::{Turns, on},
    ids::RoomId,
    lobby::LobbyMessage,
    people::ShunRows,
};

use room::no_room;
pub(crate) use stay::TEND_EVERY;
use stay::lease;

pub use chat::{RoomChat, RoomLine};
pub use list::ListedRoom;
pub use room::{Parting, RoomInfo, RoomMember, RoomScore, RoomSeats};
pub(crate) use {
    play::AfterMatch,
    room::{Member, Room},
    rows::RoomRows,
};

/// No vowels, so that no code is a word, and none of those that are taken for each other.
const LETTERS: &[u8] = b"BCDFGHJKMNPRSTWXYZ";
/// Of 34 million codes.
const CODE_LETTERS: usize = 6;
/// How often a code is drawn until one is free.
const DRAWS_MAX: usize = 8;

/// A room to be opened.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoom {
    /// What is played.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// What to set, where not the defaults.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub options: Option<Value>,
    /// Whether it is to be reached by its code only.
    #[serde(default)]
    pub private: bool,
}

/// A room with what was said in it lately.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoomView {
    /// As the lobby's `room_update` has it.
    #[serde(flatten)]
    #[schema(inline)]
    pub room: RoomInfo,
    /// The last lines, the oldest first; none for who is not in the room.
    pub chat: Vec<RoomLine>,
}

/// The lobby says how a room is, or that its reader is in it no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoomUpdate {
    /// Which.
    #[schema(example = "KWBTRM")]
    pub code: String,
    /// How it is; null for who is out of it.
    pub room: Option<Box<RoomInfo>>,
    /// Why they are out of it.
    pub parting: Option<Parting>,
}

/// What somebody finds at the door of a room.
#[derive(sqlx::FromRow)]
struct Door {
    id: RoomId,
    revision: i64,
    /// Whether they are in it: 1 or 0.
    member: i64,
    host_id: UserId,
}

impl Arena {
    /// Opens a room and goes in, out of the queue if need be.
    ///
    /// # Errors
    /// `in_room` when they are in one; `bad_options`.
    pub async fn open_room(&self, by: UserId, new: NewRoom) -> Result<RoomView> {
        let NewRoom { game, options, private } = new;
        let options = checked_options(game, options)?;
        let user = self.public_user(by).await?;
        let now = self.clock.now();
        let mut room = Room {
            id: RoomId::random(),
            code: String::new(),
            game,
            options,
            private,
            host: by,
            match_id: None,
            last_match_id: None,
            matches: 0,
            revision: 1,
            created_at: now,
            members: Vec::new(),
            scores: Vec::new(),
            kicked: Vec::new(),
        };
        let empty = room.clone();
        room.join(user, now + lease())?;
        let queue = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            if let Some(other) = tx.room_of(by).await? {
                let other = tx.read_room(other).await?;
                return Err(in_room(other.map(|it| it.code)));
            }
            for _ in 0..DRAWS_MAX {
                room.code = draw();
                if tx.room_by_code(&room.code).await?.is_none() {
                    break;
                }
            }
            tx.insert_room(&room).await?;
            tx.save_room(&empty, &room).await?;
            let queue = tx.leave_queues(by).await?;
            tx.commit().await?;
            queue
        });
        self.after_queue(by, queue).await?;
        self.tell_room(&room);
        Ok(RoomView { room: room.info(), chat: Vec::new() })
    }

    /// A room, as anyone may see it who knows its code.
    ///
    /// # Errors
    /// `room_not_found`.
    pub async fn room(&self, by: UserId, code: &str) -> Result<RoomView> {
        let door = self.door(by, code).await?.ok_or_else(no_room)?;
        if door.member == 0 && self.are_apart(by, door.host_id).await? {
            return Err(no_room());
        }
        let room = self.room_info(door.id, door.revision).await?.ok_or_else(no_room)?;
        let chat = match door.member {
            0 => Vec::new(),
            _ => self.room_lines(by, door.id).await?,
        };
        Ok(RoomView { room, chat })
    }

    /// The room that somebody is in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn room_of(&self, user: UserId) -> Result<Option<RoomInfo>> {
        let found: Option<(RoomId, i64)> = on!(self.db, pool => {
            sqlx::query_as(
                "select r.id, r.revision from room_members m join rooms r on r.id = m.room_id
                 where m.user_id = $1",
            )
            .bind(user)
            .fetch_optional(pool)
            .await
        })?;
        match found {
            Some((id, revision)) => self.room_info(id, revision).await,
            None => Ok(None),
        }
    }

    /// Comes into a room, to a seat while there is one, and leaves the queue. Coming twice changes
    /// nothing.
    ///
    /// # Errors
    /// `room_not_found`, `room_full`, `kicked`; `in_room` when they are in another.
    pub async fn join_room(&self, by: UserId, code: &str) -> Result<RoomView> {
        let id = self.room_id(code).await?;
        let user = self.public_user(by).await?;
        let until = self.clock.now() + lease();
        let (room, queue) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            if let Some(other) = tx.room_of(by).await?.filter(|it| *it != id) {
                let other = tx.read_room(other).await?;
                return Err(in_room(other.map(|it| it.code)));
            }
            let mut room = tx.hold_room(id).await?.ok_or_else(no_room)?;
            let before = room.clone();
            // To whom the host has blocked, there is no such room; nor to who has blocked the host.
            if room.member(by).is_none() && tx.are_apart(room.host, by).await? {
                return Err(no_room());
            }
            room.join(user, until)?;
            tx.save_room(&before, &room).await?;
            let queue = tx.leave_queues(by).await?;
            tx.commit().await?;
            (room, queue)
        });
        self.after_queue(by, queue).await?;
        self.tell_room(&room);
        self.room_view(by, &room).await
    }

    /// Goes out of a room; a match that they play goes on. Who is not in it has nothing to leave.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn leave_room(&self, by: UserId, code: &str) -> Result<()> {
        let Some(id) = self.find_room(code).await? else { return Ok(()) };
        self.part(by, id, Parting::Left, |_| true).await
    }

    /// Takes a seat, or gives it up to watch.
    ///
    /// # Errors
    /// `room_not_found`, `not_member`, `seats_taken`.
    pub async fn sit_in_room(&self, by: UserId, code: &str, seated: bool) -> Result<RoomView> {
        self.change_room(by, code, |room| room.sit(by, seated)).await
    }

    /// Says whether the next match may start, as far as they are concerned.
    ///
    /// # Errors
    /// `room_not_found`, `not_member`, `not_seated`, `room_playing`.
    pub async fn ready_in_room(&self, by: UserId, code: &str, ready: bool) -> Result<RoomView> {
        self.change_room(by, code, |room| room.ready(by, ready)).await
    }

    /// Sets what the next match is played by, and whether the room is listed; what is none stays.
    /// Options that `options` leaves out have their defaults.
    ///
    /// # Errors
    /// `room_not_found`, `not_host`, `bad_options`.
    pub async fn set_room(
        &self,
        by: UserId,
        code: &str,
        options: Option<Value>,
        private: Option<bool>,
    ) -> Result<RoomView> {
        self.change_room(by, code, |room| room.set(by, options, private)).await
    }

    /// Makes another member the host.
    ///
    /// # Errors
    /// `room_not_found`, `not_host`, `member_not_found`.
    pub async fn hand_on_room(&self, by: UserId, code: &str, to: UserId) -> Result<RoomView> {
        self.change_room(by, code, |room| room.hand_on(by, to)).await
    }

    /// Puts a member out; they can't come back.
    ///
    /// # Errors
    /// `room_not_found`, `not_host`, `member_not_found`.
    pub async fn kick_from_room(&self, by: UserId, code: &str, whom: UserId) -> Result<RoomView> {
        let id = self.room_id(code).await?;
        let (room, ()) = self.change(&[whom], id, |room| room.kick(by, whom)).await?;
        self.tell_parted(whom, &room, Parting::Kicked);
        self.room_view(by, &room).await
    }

    /// Changes a room by a rule, and tells its members.
    async fn change_room(
        &self,
        by: UserId,
        code: &str,
        rule: impl FnOnce(&mut Room) -> Result<()>,
    ) -> Result<RoomView> {
        let id = self.room_id(code).await?;
        let (room, ()) = self.change(&[], id, rule).await?;
        self.room_view(by, &room).await
    }

    /// Changes a room by a rule that may change who of `people` is in it, and tells its members.
    async fn change<T>(
        &self,
        people: &[UserId],
        id: RoomId,
        rule: impl FnOnce(&mut Room) -> Result<T>,
    ) -> Result<(Room, T)> {
        let (room, answer) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(people).await?;
            let mut room = tx.hold_room(id).await?.ok_or_else(no_room)?;
            let before = room.clone();
            let answer = rule(&mut room)?;
            tx.save_room(&before, &room).await?;
            tx.commit().await?;
            (room, answer)
        });
        self.tell_room(&room);
        Ok((room, answer))
    }

    /// Takes somebody out of a room if they are in it and `due` says so.
    pub(crate) async fn part(
        &self,
        user: UserId,
        id: RoomId,
        why: Parting,
        due: impl FnOnce(&Member) -> bool,
    ) -> Result<()> {
        let rule = |room: &mut Room| {
            let goes = room.member(user).is_some_and(due);
            Ok(goes && room.leave(user))
        };
        match self.change(&[user], id, rule).await {
            Ok((room, true)) => self.tell_parted(user, &room, why),
            Ok((_, false)) => {}
            // It was closed meanwhile.
            Err(Error::Refused(refused)) if refused.code == "room_not_found" => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Tells everybody in a room how it is.
    fn tell_room(&self, room: &Room) {
        let (code, info) = (room.code.clone(), Box::new(room.info()));
        let update = RoomUpdate { code, room: Some(info), parting: None };
        for member in &room.members {
            self.tell(member.user.id, LobbyMessage::RoomUpdate(update.clone()));
        }
    }

    fn tell_parted(&self, user: UserId, room: &Room, why: Parting) {
        let code = room.code.clone();
        let update = RoomUpdate { code, room: None, parting: Some(why) };
        self.tell(user, LobbyMessage::RoomUpdate(update));
    }

    /// Tells somebody that they wait no more, in the queue that they were taken out of.
    async fn after_queue(&self, user: UserId, queue: Option<String>) -> Result<()> {
        if let Some(game) = queue.and_then(|it| it.parse().ok()) {
            let status = self.whereabouts(user, game).await?;
            self.tell(user, LobbyMessage::of(game, status));
            self.queue.stir();
        }
        Ok(())
    }

    async fn room_view(&self, by: UserId, room: &Room) -> Result<RoomView> {
        let chat = match room.member(by) {
            Some(_) => self.room_lines(by, room.id).await?,
            None => Vec::new(),
        };
        Ok(RoomView { room: room.info(), chat })
    }

    async fn are_apart(&self, a: UserId, b: UserId) -> Result<bool> {
        Ok(on!(self.db, pool => pool.acquire().await?.are_apart(a, b).await)?)
    }

    /// What decides who may see a room is never cached.
    async fn door(&self, by: UserId, code: &str) -> Result<Option<Door>> {
        if code.len() != CODE_LETTERS {
            return Ok(None);
        }
        let code = code.to_ascii_uppercase();
        Ok(on!(self.db, pool => {
            sqlx::query_as(
                "select r.id, r.revision, r.host_id,
                        (select count(*) from room_members m
                         where m.room_id = r.id and m.user_id = $2) as member
                 from rooms r where r.code = $1",
            )
            .bind(code)
            .bind(by)
            .fetch_optional(pool)
            .await
        })?)
    }

    /// A room that has this revision, or a later one.
    async fn room_info(&self, id: RoomId, revision: i64) -> Result<Option<RoomInfo>> {
        let read = async {
            let room = on!(self.db, pool => pool.acquire().await?.read_room(id).await)?;
            Ok(room.map(|it| it.info()))
        };
        let new = |it: &Option<RoomInfo>| it.as_ref().is_some_and(|it| it.revision >= revision);
        self.cached(Cached::Room(id), new, read).await
    }

    /// The code and the game of a room that somebody is in and may invite another to.
    ///
    /// # Errors
    /// `room_not_found`, `not_member`; `kicked`.
    pub(crate) async fn room_for_invitation(
        &self,
        by: UserId,
        code: &str,
        whom: UserId,
    ) -> Result<(String, Kind)> {
        let id = self.room_id(code).await?;
        let room = on!(self.db, pool => pool.acquire().await?.read_room(id).await)?;
        let room = room.ok_or_else(no_room)?;
        room.check_invitation(by, whom)?;
        Ok((room.code, room.game))
    }

    /// The room of a code, if somebody is in it.
    pub(crate) async fn my_room(&self, by: UserId, code: &str) -> Result<Option<RoomId>> {
        let room = self.find_room(code).await?;
        let theirs = self.room_id_of(by).await?;
        Ok(theirs.filter(|it| Some(*it) == room))
    }

    /// The room that somebody is in.
    pub(crate) async fn room_id_of(&self, user: UserId) -> Result<Option<RoomId>> {
        Ok(on!(self.db, pool => pool.acquire().await?.room_of(user).await)?)
    }

    async fn room_id(&self, code: &str) -> Result<RoomId> {
        self.find_room(code).await?.ok_or_else(no_room)
    }

    /// The room of a code as people write it.
    async fn find_room(&self, code: &str) -> Result<Option<RoomId>> {
        if code.len() != CODE_LETTERS {
            return Ok(None);
        }
        let code = code.to_ascii_uppercase();
        Ok(on!(self.db, pool => pool.acquire().await?.room_by_code(&code).await)?)
    }

    pub(crate) async fn public_user(&self, id: UserId) -> Result<PublicUser> {
        let user = self.user(id).await?;
        Ok(user.ok_or_else(|| Error::not_found("your account is gone"))?.public())
    }
}

/// A code by luck.
fn draw() -> String {
    let mut luck = rand::rng();
    let letter = || char::from(*LETTERS.choose(&mut luck).expect("there are letters"));
    std::iter::repeat_with(letter).take(CODE_LETTERS).collect()
}

/// All options of a game from those that somebody set.
///
/// # Errors
/// `bad_options`, with the name of the wrong one.
pub(crate) fn checked_options(game: Kind, set: Option<Value>) -> Result<Value> {
    let set = set.unwrap_or_else(|| game.default_options());
    live::full_options(game, &set).map_err(bad_options)
}

fn bad_options(live::WrongOption { field, message }: live::WrongOption) -> Error {
    let field = match field.as_str() {
        "" => "options".to_owned(),
        name => format!("options.{name}"),
    };
    Error::wrong("bad_options", vec![FieldError { field: field.into(), message }])
}

/// Somebody is in a room and can't be in another or in a queue.
pub(crate) fn in_room(code: Option<String>) -> Error {
    let which = code.map(|it| format!(" {it}")).unwrap_or_default();
    Error::conflict("in_room", format!("you are in the room{which}: leave it first"))
}

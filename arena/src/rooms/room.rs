//! A room and its rules, without a database: who may do what, and what follows.

use std::ops::RangeInclusive;

use games::{Kind, Outcome, Reason};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Error, MatchId, Millis, Moment, PublicUser, Result, UserId, Why, ids::RoomId,
    rooms::checked_options,
};

/// How many may be in a room, players and watchers.
pub(crate) const MEMBERS_MAX: usize = 32;

/// A room, as anyone with its code may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoomInfo {
    /// Six letters that lead to it.
    #[schema(example = "KWBTRM")]
    pub code: String,
    /// The game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// What is set for the next match.
    #[schema(value_type = Object)]
    pub options: Value,
    /// Whether it is reached by its code only.
    pub private: bool,
    /// Whether its matches change ratings: those of two players by the game's default options do,
    /// in a game that is rated.
    pub rated: bool,
    /// How many can play.
    pub seats: RoomSeats,
    /// Who opened it, or has had it handed on.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub host: UserId,
    /// Who is in it, the longest there first.
    pub members: Vec<RoomMember>,
    /// The match that is played now.
    #[schema(value_type = Option<String>)]
    pub match_id: Option<MatchId>,
    /// The match that was played last.
    #[schema(value_type = Option<String>)]
    pub last_match_id: Option<MatchId>,
    /// The running table, the best first; who has left stays in it.
    pub table: Vec<RoomScore>,
    /// Grows with every change: of two, the larger is the newer.
    pub revision: i64,
    /// When it was opened.
    pub created_at: Moment,
}

/// How many can play in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomSeats {
    /// At least.
    pub min: u8,
    /// At most; who comes after that watches.
    pub max: u8,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomMember {
    /// Who.
    pub user: PublicUser,
    /// Their seat, from 0; null for who watches.
    pub seat: Option<u8>,
    /// Whether the match may start, as far as they are concerned. The host need not say so.
    pub ready: bool,
}

/// A line of a room's running table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomScore {
    /// Who.
    pub user: PublicUser,
    /// How many matches they played.
    pub matches: i64,
    /// How many they won.
    pub wins: i64,
    /// What they scored in all.
    pub points: i64,
}

/// Why somebody is in a room no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parting {
    /// They left.
    Left,
    /// The host put them out.
    Kicked,
    /// They were not seen for long.
    Away,
}

/// A room, as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) code: String,
    pub(crate) game: Kind,
    pub(crate) options: Value,
    pub(crate) private: bool,
    pub(crate) host: UserId,
    pub(crate) match_id: Option<MatchId>,
    pub(crate) last_match_id: Option<MatchId>,
    /// How many it has begun.
    pub(crate) matches: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: Millis,
    /// The longest there first.
    pub(crate) members: Vec<Member>,
    pub(crate) scores: Vec<RoomScore>,
    pub(crate) kicked: Vec<UserId>,
}

/// Somebody in a room, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) user: PublicUser,
    pub(crate) seat: Option<u8>,
    pub(crate) ready: bool,
    /// The room's revision as they came.
    pub(crate) place: i64,
    pub(crate) expires_at: Millis,
}

pub(crate) fn no_room() -> Error {
    let detail = "there is no such room: it may be closed, or the code mistyped";
    Error::refused(Why::NotFound, "room_not_found", detail)
}

/// Somebody is not in the room.
pub(super) fn not_member() -> Error {
    Error::forbidden("not_member", "you are not in this room: join it first")
}

impl Room {
    pub(crate) fn member(&self, user: UserId) -> Option<&Member> {
        self.members.iter().find(|it| it.user.id == user)
    }

    fn member_mut(&mut self, user: UserId) -> Result<&mut Member> {
        self.members.iter_mut().find(|it| it.user.id == user).ok_or_else(not_member)
    }

    fn check_host(&self, by: UserId) -> Result<()> {
        if self.host == by {
            return Ok(());
        }
        Err(Error::forbidden("not_host", "only the host of the room may do that"))
    }

    fn check_idle(&self) -> Result<()> {
        match self.match_id {
            None => Ok(()),
            Some(_) => {
                Err(Error::conflict("room_playing", "the room plays: wait for the match's end"))
            }
        }
    }

    pub(crate) fn seats(&self) -> RangeInclusive<u8> {
        self.game.seats()
    }

    fn free_seat(&self) -> Option<u8> {
        let taken = |seat| self.members.iter().any(|it| it.seat == Some(seat));
        (0..*self.seats().end()).find(|&seat| !taken(seat))
    }

    /// Lets somebody in, to a seat while there is one. Who is in it already stays as they are.
    pub(crate) fn join(&mut self, user: PublicUser, expires_at: Millis) -> Result<()> {
        if let Ok(member) = self.member_mut(user.id) {
            member.expires_at = expires_at;
            return Ok(());
        }
        if self.kicked.contains(&user.id) {
            return Err(Error::forbidden("kicked", "the host put you out of this room"));
        }
        if self.members.len() >= MEMBERS_MAX {
            let detail = format!("this room is full: {MEMBERS_MAX} are in it");
            return Err(Error::conflict("room_full", detail));
        }
        let (seat, place) = (self.free_seat(), self.revision);
        self.members.push(Member { user, seat, ready: false, place, expires_at });
        Ok(())
    }

    /// Lets somebody out; a host's place is taken by who is there longest. False when they were
    /// not in it.
    pub(crate) fn leave(&mut self, user: UserId) -> bool {
        let before = self.members.len();
        self.members.retain(|it| it.user.id != user);
        if let (true, Some(next)) = (self.host == user, self.members.first()) {
            self.host = next.user.id;
        }
        self.members.len() < before
    }

    /// Puts somebody out for good.
    pub(crate) fn kick(&mut self, by: UserId, whom: UserId) -> Result<()> {
        self.check_host(by)?;
        if whom == by {
            return Err(Error::invalid("user_id", "that is you: leave the room instead"));
        }
        if !self.leave(whom) {
            return Err(no_member());
        }
        self.kicked.push(whom);
        Ok(())
    }

    /// Whether `by` may ask somebody to come.
    pub(crate) fn check_invitation(&self, by: UserId, whom: UserId) -> Result<()> {
        if self.member(by).is_none() {
            return Err(Error::forbidden("not_member", "you are not in this room: join it first"));
        }
        if self.kicked.contains(&whom) {
            return Err(Error::forbidden("kicked", "the host put them out of this room"));
        }
        Ok(())
    }

    pub(crate) fn hand_on(&mut self, by: UserId, to: UserId) -> Result<()> {
        self.check_host(by)?;
        self.host = self.member(to).ok_or_else(no_member)?.user.id;
        Ok(())
    }

    /// Sits somebody down at the first free seat, or lets them watch.
    pub(crate) fn sit(&mut self, by: UserId, seated: bool) -> Result<()> {
        let free = self.free_seat();
        let member = self.member_mut(by)?;
        if member.seat.is_some() == seated {
            return Ok(());
        }
        if seated && free.is_none() {
            return Err(Error::conflict("seats_taken", "every seat is taken: you watch"));
        }
        member.seat = free.filter(|_| seated);
        member.ready = false;
        Ok(())
    }

    pub(crate) fn ready(&mut self, by: UserId, ready: bool) -> Result<()> {
        self.member_mut(by)?;
        self.check_idle()?;
        let member = self.member_mut(by)?;
        if member.seat.is_none() {
            return Err(Error::conflict("not_seated", "you watch: take a seat first"));
        }
        member.ready = ready;
        Ok(())
    }

    /// Sets what the next match is played by. Nobody is ready for that yet.
    pub(crate) fn set(
        &mut self,
        by: UserId,
        options: Option<Value>,
        private: Option<bool>,
    ) -> Result<()> {
        self.check_host(by)?;
        if let Some(options) = options {
            let options = checked_options(self.game, Some(options))?;
            if options != self.options {
                self.options = options;
                self.members.iter_mut().for_each(|it| it.ready = false);
            }
        }
        self.private = private.unwrap_or(self.private);
        Ok(())
    }

    /// Who is to play the next match, by its seats: those of the room, turned by one with each
    /// match, so that everybody comes to begin.
    pub(crate) fn players(&self) -> Vec<UserId> {
        let mut seated: Vec<_> =
            self.members.iter().filter_map(|it| Some((it.seat?, it.user.id))).collect();
        seated.sort_unstable();
        let mut players: Vec<UserId> = seated.into_iter().map(|(_, user)| user).collect();
        if !players.is_empty() {
            let turns = usize::try_from(self.matches).unwrap_or_default() % players.len();
            players.rotate_left(turns);
        }
        players
    }

    /// Whether `by` may start the next match now.
    pub(crate) fn check_start(&self, by: UserId) -> Result<()> {
        self.check_host(by)?;
        self.check_idle()?;
        let (players, least) = (self.players(), *self.seats().start());
        if players.len() < usize::from(least) {
            let detail = format!("it takes {least} to play: wait for others to take a seat");
            return Err(Error::conflict("not_enough_players", detail));
        }
        let waits = |it: &&Member| it.seat.is_some() && !it.ready && it.user.id != by;
        if let Some(member) = self.members.iter().find(waits) {
            let detail = format!("{} is not ready yet", member.user.display_name);
            return Err(Error::conflict("not_ready", detail));
        }
        Ok(())
    }

    /// Whether a match of so many by these options changes ratings.
    pub(crate) fn is_rated(&self, players: usize) -> bool {
        players == 2 && self.game.rated() && self.options == self.game.default_options()
    }

    /// Its next match was made.
    pub(crate) fn begin(&mut self, id: MatchId) {
        self.match_id = Some(id);
        self.matches += 1;
        self.members.iter_mut().for_each(|it| it.ready = false);
    }

    /// Its match is over: `users` played, by seat. What was called off or abandoned does not
    /// count.
    pub(crate) fn end(&mut self, id: MatchId, users: &[PublicUser], outcome: &Outcome) {
        self.match_id = None;
        self.last_match_id = Some(id);
        if !matches!(outcome.reason, Reason::Score | Reason::Forfeit) {
            return;
        }
        for (seat, user) in users.iter().enumerate() {
            let known = self.scores.iter().position(|it| it.user.id == user.id);
            let index = known.unwrap_or_else(|| {
                let (matches, wins, points) = (0, 0, 0);
                self.scores.push(RoomScore { user: user.clone(), matches, wins, points });
                self.scores.len() - 1
            });
            let score = &mut self.scores[index];
            score.matches += 1;
            score.wins += i64::from(outcome.winner.is_some_and(|it| it.index() == seat));
            score.points += outcome.scores.get(seat).copied().unwrap_or_default();
        }
    }

    /// Whether a rematch of a match is this room's next: the same play by the same options.
    pub(crate) fn plays_again(&self, of: MatchId, players: &[UserId], options: &Value) -> bool {
        let mut seated = self.players();
        let mut players = players.to_vec();
        seated.sort_unstable();
        players.sort_unstable();
        self.match_id.is_none()
            && self.last_match_id == Some(of)
            && self.options == *options
            && seated == players
    }

    pub(crate) fn info(&self) -> RoomInfo {
        let seats = self.seats();
        let mut table = self.scores.clone();
        table.sort_by(|a, b| {
            (b.wins, b.points, a.matches).cmp(&(a.wins, a.points, b.matches)).then_with(|| {
                // Of equals, always the same first.
                a.user.id.cmp(&b.user.id)
            })
        });
        let members = self.members.iter().map(|it| RoomMember {
            user: it.user.clone(),
            seat: it.seat,
            ready: it.ready,
        });
        RoomInfo {
            code: self.code.clone(),
            game: self.game,
            options: self.options.clone(),
            private: self.private,
            rated: self.is_rated(usize::from(*seats.end())),
            seats: RoomSeats { min: *seats.start(), max: *seats.end() },
            host: self.host,
            members: members.collect(),
            match_id: self.match_id,
            last_match_id: self.last_match_id,
            table,
            revision: self.revision,
            created_at: Moment(self.created_at),
        }
    }
}

fn no_member() -> Error {
    Error::refused(Why::NotFound, "member_not_found", "there is nobody like that in this room")
}

//! The queue: who waits for an opponent, and how two who wait become a match.
//!
//! Any number of processes make pairs over one database, each at its own pace. A pair is one
//! transaction that takes both entries and puts in the match, so whoever is second finds an entry
//! gone and makes nothing.
//!
//! An entry lasts while somebody means it. One that was made without a page open is good for
//! [`LIFE`]; while a page is open its process keeps pushing the end [`PAGE_LEASE`] ahead; when the
//! last page of a process closes, that process brings the end down to [`RETURN_WITHIN`], and
//! another process where a page is still open pushes it up again.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
    time::Duration,
};

use games::{Kind, Seat};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Moment, Result, UserId,
    cards::MatchCards,
    clock::millis,
    db::{Turns, on, on_both},
    lobby::LobbyMessage,
    matches::{MatchRows, NewMatch},
    metrics::METRICS,
    outbox::{Notice, OutboxRows},
    pairing::{Entry, pairs},
    people::ShunRows,
    ratings::RatingRows,
    rooms::{RoomRows, in_room},
};

/// How long an entry lasts that was made without a page in the lobby.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// How long an entry outlives the process that had its page.
const PAGE_LEASE: Duration = Duration::from_secs(30);
/// How long an entry outlives its last page: a page that is loaded again is back by then.
const RETURN_WITHIN: Duration = Duration::from_secs(8);
/// Entries of those present are kept when they have less than this to go.
const KEEP_BEFORE: Duration = Duration::from_secs(15);

/// How often the matcher looks when nobody stirs it: ratings get into reach by waiting.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Entries that are looked at together for pairs, the longest waiting first. So many cannot all be
/// out of each other's reach, so those behind them always get their turn.
const BATCH_MAX: usize = 256;
/// How far down the line pages are told their place as it moves.
const LINE_MAX: usize = 1000;
/// So often in one pass somebody else may have been faster; the next pass comes soon.
const MISSED_MAX: u32 = 16;
const CHAT_BYTES_MAX: usize = 64;

/// Where somebody stands with the queue of a game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum QueueStatus {
    /// Not in it.
    Idle {
        /// How many wait.
        waiting: i64,
    },
    /// In it.
    Waiting {
        /// 1 for who has waited longest.
        position: i64,
        /// How many wait.
        waiting: i64,
        /// Since when.
        since: Moment,
    },
    /// In a match, of whatever game.
    Matched(Matched),
}

/// What came of joining a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Queued {
    /// An opponent will come.
    Waiting {
        /// 1 for who has waited longest.
        position: i64,
        /// How many wait.
        waiting: i64,
        /// Since when.
        since: Moment,
    },
    /// There is a match already.
    Matched(Matched),
}

/// The match to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Matched {
    /// Its game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// Which.
    #[schema(value_type = String, example = "7Hq2Lk09aZc")]
    pub match_id: MatchId,
    /// In a game of two: the side of the board.
    pub side: Option<Side>,
    /// The place at it.
    #[schema(value_type = u8)]
    pub seat: Seat,
}

/// A side of the board in a game of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Side {
    /// Seat 0.
    Left,
    /// Seat 1.
    Right,
}

impl Side {
    /// That of a seat in a match of `seats`; none unless two play.
    pub const fn of(seat: Seat, seats: usize) -> Option<Side> {
        match (seat.0, seats) {
            (0, 2) => Some(Side::Left),
            (1, 2) => Some(Side::Right),
            _ => None,
        }
    }
}

/// What this process keeps of the queue.
#[derive(Default)]
pub(crate) struct Queue {
    stirred: Notify,
    /// Passes of one process take turns, so that none finds another's work half done; those of
    /// several processes meet in the database.
    tending: Mutex<()>,
    pairing: Mutex<()>,
}

impl Queue {
    /// Makes the matcher look now.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }
}

/// Whether the queue, which makes pairs, is for a game of so many seats.
fn makes_pairs(seats: &RangeInclusive<u8>) -> bool {
    seats.contains(&2)
}

/// What came of an attempt to enter.
enum Entered {
    Waits,
    Plays,
    WaitsElsewhere,
    /// Its code.
    InRoom(String),
}

impl Arena {
    /// Puts somebody in the queue of a game, and makes the pairs that this allows. Once they wait,
    /// to join again changes nothing; who is in a match is told which.
    ///
    /// # Errors
    /// When they wait for another game, or `chat` is not the id of a chat; `in_room`; `rooms_only`
    /// for a game that two can't play.
    pub async fn queue_join(&self, by: UserId, game: Kind, chat: Option<String>) -> Result<Queued> {
        if !makes_pairs(&game.seats()) {
            let detail = "two can't play this game: open a room for it, or join one";
            return Err(Error::conflict("rooms_only", detail));
        }
        self.cluster.check_open()?;
        let chat = chat.as_deref();
        if chat.is_some_and(|it| it.len() > CHAT_BYTES_MAX || it.contains(char::is_control)) {
            return Err(Error::invalid("chat_id", format!("at most {CHAT_BYTES_MAX} characters")));
        }
        let now = self.clock.now();
        let life = if self.lobby.has(by) { PAGE_LEASE } else { LIFE };
        match self.enter(by, game, chat, now, life).await? {
            Entered::Waits | Entered::Plays => {}
            Entered::WaitsElsewhere => {
                return Err(Error::conflict(
                    "already_queued",
                    "you wait in the queue of another game: leave that one first",
                ));
            }
            Entered::InRoom(code) => return Err(in_room(Some(code))),
        }
        self.pair_up(game).await?;
        let mark = self.lobby.mark();
        let status = self.whereabouts(by, game).await?;
        match status.clone() {
            QueueStatus::Waiting { position, waiting, since } => {
                self.tell_elsewhere(by, &LobbyMessage::of(game, status.clone()));
                self.lobby.remind(by, mark, LobbyMessage::of(game, status));
                Ok(Queued::Waiting { position, waiting, since })
            }
            QueueStatus::Matched(matched) => Ok(Queued::Matched(matched)),
            QueueStatus::Idle { .. } => Err(Error::conflict(
                "left_queue",
                "you left the queue while you joined it: join again",
            )),
        }
    }

    /// Takes somebody out of the queue of a game. Who is not in it has nothing to leave.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn queue_leave(&self, by: UserId, game: Kind) -> Result<()> {
        // A pair that is being made has both entries or neither, so this leaves or comes too late.
        let left = on!(self.db, pool => {
            sqlx::query("delete from queue_entries where user_id = $1 and game = $2")
                .bind(by)
                .bind(game.name())
                .execute(pool)
                .await?
                .rows_affected()
        });
        if left > 0 {
            let status = self.whereabouts(by, game).await?;
            self.tell(by, LobbyMessage::of(game, status));
            self.queue.stir();
        }
        Ok(())
    }

    /// Where somebody stands with the queue of a game.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn queue_status(&self, by: UserId, game: Kind) -> Result<QueueStatus> {
        self.whereabouts(by, game).await
    }

    /// The queue that somebody waits in, and since when.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn queue_of(&self, by: UserId) -> Result<Option<(Kind, Moment)>> {
        let entry: Option<(String, Moment)> = on!(self.db, pool => {
            sqlx::query_as("select game, joined_at from queue_entries where user_id = $1")
                .bind(by)
                .fetch_optional(pool)
                .await
        })?;
        Ok(entry.and_then(|(game, since)| Some((game.parse().ok()?, since))))
    }

    /// Makes as many pairs as fit now; answers how many.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn pair_up(&self, game: Kind) -> Result<usize> {
        let _turn = self.queue.pairing.lock().await;
        let (mut made, mut missed) = (0, 0);
        // A server that is going away opens nothing new, nor one that can't tell others of it.
        while !self.closing.is_cancelled() && self.cluster.check_open().is_ok() {
            let now = self.clock.now();
            let entries = self.longest_waiting(game, now).await?;
            let full = entries.len() == BATCH_MAX;
            let (before, missed_before) = (made, missed);
            let apart = on!(self.db, pool => pool.acquire().await?.apart_in_queue(game).await)?;
            let since: HashMap<UserId, Millis> =
                entries.iter().map(|it| (it.user_id, it.joined_at)).collect();
            for pair in pairs(entries, &apart, now) {
                if !self.make_match(game, pair).await? {
                    // Others see the same entries and may have been faster: who is left by them
                    // is to choose before those who come after.
                    missed += 1;
                    break;
                }
                made += 1;
                let waits = pair.iter().filter_map(|it| since.get(it));
                waits.for_each(|it| METRICS.waited(game, now - it));
            }
            let look_again = missed > missed_before && missed < MISSED_MAX;
            if !look_again && (!full || made == before) {
                break;
            }
        }
        Ok(made)
    }

    async fn longest_waiting(&self, game: Kind, now: Millis) -> Result<Vec<Entry>> {
        let entries = on!(self.db, pool => {
            sqlx::query_as(
                "select user_id, chat_id, rating, joined_at from queue_entries
                 where game = $1 and expires_at > $2 order by joined_at, user_id limit $3",
            )
            .bind(game.name())
            .bind(now)
            .bind(BATCH_MAX as i64)
            .fetch_all(pool)
            .await
        })?;
        Ok(entries)
    }

    /// Makes a match of two who wait; false when one of them does not any more.
    async fn make_match(&self, game: Kind, mut players: [UserId; 2]) -> Result<bool> {
        // Nobody should always sit on the left.
        if rand::random() {
            players.reverse();
        }
        let options = game.default_options();
        let new = NewMatch {
            game,
            options: &options,
            rated: game.rated(),
            players: &players,
            rematch_of: None,
            process: self.cluster.me,
        };
        let now = self.clock.now();
        // Whoever has a page open is told there.
        let absent = if self.has_telegram() { self.absent(&players).await } else { Vec::new() };
        let match_id = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&players).await?;
            let group = match self.has_telegram() {
                true => tx.group_of(game, players).await?,
                false => None,
            };
            // One may have blocked the other a moment ago; then they are looked at anew.
            if tx.are_apart(players[0], players[1]).await?
                || tx.take_entries(game, players).await? < 2
            {
                tx.rollback().await?;
                return Ok(false);
            }
            let id = tx.insert_match(&new, now).await?;
            if let Some(chat) = group {
                tx.show_match(chat, game, id, &players, now).await?;
            }
            for &user in &absent {
                tx.post(&Notice::Matched { user, match_id: id }, now).await?;
            }
            tx.commit().await.inspect_err(|_| self.open_if_made(id))?;
            id
        });
        self.stir_letters();
        tracing::info!(r#match = %match_id, "Two who waited for {game} play match {match_id}");
        self.open_match(match_id).await;
        for (seat, user) in (0..).map(Seat).zip(players) {
            let side = Side::of(seat, players.len());
            self.tell(user, LobbyMessage::Matched(Matched { game, match_id, side, seat }));
        }
        Ok(true)
    }

    /// Puts somebody back who was ready for a match that was called off, where they stood before.
    pub(crate) async fn requeue(&self, user: UserId, game: Kind, joined_at: Millis) -> Result<()> {
        // They look at the match now, and have so long to be back in the lobby.
        self.enter(user, game, None, joined_at, PAGE_LEASE).await?;
        let status = self.whereabouts(user, game).await?;
        self.tell(user, LobbyMessage::of(game, status));
        self.queue.stir();
        Ok(())
    }

    async fn enter(
        &self,
        user: UserId,
        game: Kind,
        chat: Option<&str>,
        joined_at: Millis,
        life: Duration,
    ) -> Result<Entered> {
        let now = self.clock.now();
        let entered = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[user]).await?;
            let rating = tx.rating_of(user, game, now).await?.rating;
            let chat_id = chat.map(str::to_owned);
            let entry = Entry { user_id: user, chat_id, rating, joined_at };
            let entered = tx.enter_queue(game, &entry, now + millis(life)).await?;
            tx.commit().await?;
            entered
        });
        Ok(entered)
    }

    /// Where somebody stands: in a match, in the queue of this game, or neither.
    pub(crate) async fn whereabouts(&self, user: UserId, game: Kind) -> Result<QueueStatus> {
        // One statement, and so one moment: two could see somebody in neither on the way from one
        // to the other.
        let found: Whereabouts = on!(self.db, pool => {
            sqlx::query_as(
                "select (select count(*) from queue_entries where game = $2) as waiting,
                     e.joined_at,
                     (select count(*) from queue_entries o where o.game = $2
                      and (o.joined_at, o.user_id) <= (e.joined_at, e.user_id)) as position,
                     m.id as match_id, m.game, p.seat, p.side
                 from (select cast($1 as bigint) as id) u
                 left join queue_entries e on e.user_id = u.id and e.game = $2
                 left join playing on playing.user_id = u.id
                 left join matches m on m.id = playing.match_id
                 left join match_players p on p.match_id = m.id and p.user_id = u.id",
            )
            .bind(user)
            .bind(game.name())
            .fetch_one(pool)
            .await
        })?;
        Ok(found.status())
    }

    /// Keeps the entry of somebody who opened a page.
    pub(crate) async fn keep_place(&self, user: UserId) -> Result<()> {
        let until = self.clock.now() + millis(PAGE_LEASE);
        on!(self.db, pool => {
            sqlx::query("update queue_entries set expires_at = $1 where user_id = $2")
                .bind(until)
                .bind(user)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// One pass of the matcher: keeps the entries of those who are here, drops those that nobody
    /// means any more, makes pairs, and tells those who wait their place.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn tend_queue(&self) -> Result<()> {
        let _turn = self.queue.tending.lock().await;
        self.mark_left().await?;
        self.keep_and_expire().await?;
        for game in Kind::ALL {
            self.pair_up(game).await?;
            self.tell_places(game).await?;
        }
        self.count_waiting().await
    }

    /// Counts those who wait, for the metrics.
    async fn count_waiting(&self) -> Result<()> {
        let counts: Vec<(String, i64)> = on!(self.db, pool => {
            sqlx::query_as("select game, count(*) from queue_entries group by game")
                .fetch_all(pool)
                .await
        })?;
        for game in Kind::ALL {
            let count = counts.iter().find(|it| it.0 == game.name()).map_or(0, |it| it.1);
            METRICS.waiting(game, count);
        }
        Ok(())
    }

    /// Brings down the end of the entries whose last page here has closed.
    async fn mark_left(&self) -> Result<()> {
        let mut left = self.lobby.take_left();
        while let Some((&user, &at)) = left.iter().next() {
            let until = at + millis(RETURN_WITHIN);
            let done: sqlx::Result<_> = on!(self.db, pool => {
                sqlx::query(
                    "update queue_entries set expires_at = $1
                     where user_id = $2 and expires_at > $1",
                )
                .bind(until)
                .bind(user)
                .execute(pool)
                .await
                .map(drop)
            });
            if let Err(error) = done {
                self.lobby.put_back_left(left);
                return Err(error.into());
            }
            left.remove(&user);
        }
        Ok(())
    }

    async fn keep_and_expire(&self) -> Result<()> {
        let now = self.clock.now();
        let soon: Vec<(UserId, String, Millis)> = on!(self.db, pool => {
            sqlx::query_as("select user_id, game, expires_at from queue_entries where expires_at <= $1")
                .bind(now + millis(KEEP_BEFORE))
                .fetch_all(pool)
                .await
        })?;
        for (user, game, expires_at) in soon {
            if self.lobby.has(user) {
                self.keep_place(user).await?;
            } else if expires_at <= now {
                self.expire(user, &game, now).await?;
            }
        }
        Ok(())
    }

    async fn expire(&self, user: UserId, game: &str, now: Millis) -> Result<()> {
        let gone = on!(self.db, pool => {
            // Unless a page was opened meanwhile.
            sqlx::query("delete from queue_entries where user_id = $1 and expires_at <= $2")
                .bind(user)
                .bind(now)
                .execute(pool)
                .await?
                .rows_affected()
        });
        if let (true, Ok(game)) = (gone > 0, game.parse()) {
            let status = self.whereabouts(user, game).await?;
            self.tell(user, LobbyMessage::of(game, status));
        }
        Ok(())
    }

    /// Tells those who wait, and have a page open here, where they stand if that has changed.
    async fn tell_places(&self, game: Kind) -> Result<()> {
        if self.lobby.is_empty() {
            return Ok(());
        }
        let mark = self.lobby.mark();
        let (line, waiting) = self.line(game).await?;
        let mut shown: HashSet<UserId> = self.lobby.shown_waiting(game).into_iter().collect();
        for (position, (user, since)) in (1..).zip(line) {
            shown.remove(&user);
            let status = QueueStatus::Waiting { position, waiting, since };
            self.lobby.remind(user, mark, LobbyMessage::of(game, status));
        }
        // Pages that say "waiting" of somebody who is not in the line: another process took them
        // out and its word was lost, or they stand far behind.
        for user in shown {
            let mark = self.lobby.mark();
            let status = self.whereabouts(user, game).await?;
            self.lobby.remind(user, mark, LobbyMessage::of(game, status));
        }
        Ok(())
    }

    /// The first of those who wait, and how many wait in all.
    async fn line(&self, game: Kind) -> Result<(Vec<(UserId, Moment)>, i64)> {
        let line: Vec<(UserId, Moment, i64)> = on!(self.db, pool => {
            sqlx::query_as(
                "select user_id, joined_at, count(*) over () from queue_entries
                 where game = $1 order by joined_at, user_id limit $2",
            )
            .bind(game.name())
            .bind(LINE_MAX as i64)
            .fetch_all(pool)
            .await
        })?;
        let waiting = line.first().map_or(0, |it| it.2);
        Ok((line.into_iter().map(|(user, since, _)| (user, since)).collect(), waiting))
    }

    /// The matcher of this process.
    pub(crate) async fn run_matcher(self) {
        loop {
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = self.queue.stirred.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.tend_queue().await {
                tracing::error!(error = error.report(), "A pass of the matcher failed");
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct Whereabouts {
    waiting: i64,
    joined_at: Option<Moment>,
    position: i64,
    match_id: Option<MatchId>,
    game: Option<String>,
    seat: Option<i64>,
    side: Option<Side>,
}

impl Whereabouts {
    fn status(self) -> QueueStatus {
        let Whereabouts { waiting, joined_at, position, match_id, game, seat, side } = self;
        // A game that this version does not know was made by a newer one, which runs it.
        let game = game.and_then(|it| it.parse().ok());
        let seat = seat.and_then(|it| u8::try_from(it).ok()).map(Seat);
        match (match_id, game, seat, joined_at) {
            (Some(match_id), Some(game), Some(seat), _) => {
                QueueStatus::Matched(Matched { game, match_id, side, seat })
            }
            (.., Some(since)) => QueueStatus::Waiting { position, waiting, since },
            _ => QueueStatus::Idle { waiting },
        }
    }
}

/// The queue within a transaction, on either database.
trait QueueRows {
    /// Puts an entry in unless its user plays or waits; who waits for the same game keeps their
    /// place until `expires_at`. To be called in the user's turn.
    async fn enter_queue(
        &mut self,
        game: Kind,
        entry: &Entry,
        expires_at: Millis,
    ) -> sqlx::Result<Entered>;

    /// Takes the entries of two out, in their turns; answers how many there were of people who
    /// don't play.
    async fn take_entries(&mut self, game: Kind, users: [UserId; 2]) -> sqlx::Result<u64>;
}

on_both! { impl QueueRows {
    async fn enter_queue(
        &mut self,
        game: Kind,
        entry: &Entry,
        expires_at: Millis,
    ) -> sqlx::Result<Entered> {
        if self.plays(entry.user_id).await? {
            return Ok(Entered::Plays);
        }
        if let Some(code) = self.room_code_of(entry.user_id).await? {
            return Ok(Entered::InRoom(code));
        }
        let entered = sqlx::query(
            "insert into queue_entries (user_id, game, chat_id, rating, joined_at, expires_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (user_id) do update set expires_at = excluded.expires_at
             where queue_entries.game = excluded.game",
        )
        .bind(entry.user_id)
        .bind(game.name())
        .bind(&entry.chat_id)
        .bind(entry.rating)
        .bind(entry.joined_at)
        .bind(expires_at)
        .execute(self)
        .await?;
        Ok(if entered.rows_affected() > 0 { Entered::Waits } else { Entered::WaitsElsewhere })
    }

    async fn take_entries(&mut self, game: Kind, users: [UserId; 2]) -> sqlx::Result<u64> {
        let taken = sqlx::query(
            "delete from queue_entries where user_id in ($1, $2) and game = $3
             and user_id not in (select user_id from playing)",
        )
        .bind(users[0])
        .bind(users[1])
        .bind(game.name())
        .execute(self)
        .await?;
        Ok(taken.rows_affected())
    }
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_for_games_that_two_can_play() {
        assert!(makes_pairs(&(2..=2)) && makes_pairs(&(1..=4)) && makes_pairs(&(2..=6)));
        assert!(!makes_pairs(&(3..=6)) && !makes_pairs(&(1..=1)));
    }
}

//! Matches: opening them, sitting down at them, and settling them.
//!
//! A match is a row first and a task second: whoever inserts the row calls
//! [`open_match`](Arena::open_match), which runs it on this process until its result is a row too.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use games::{Game, Kind, Outcome, Reason, Seat, Seed, Time, for_game};
use live::{
    Awaited, Gathered, Handle, Status,
    computer::Level,
    wire::{Player, PlayerUser, RatingChange},
};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Moment, Pass, PublicUser, Result, UserId, Why,
    bus::{NotSeated, ProcessId},
    cache::Change,
    cards::{self, MatchCards},
    cluster::{Owner, OwnerRows},
    computers,
    db::{Turns, on, on_both},
    ids::RoomId,
    journal,
    metrics::{LiveMatch, METRICS},
    people::ShunRows,
    queue::Side,
    ratings::{Rating, RatingRows, Score},
    replays::{self, Replay},
    rooms::{AfterMatch, RoomRows},
};

/// How many matches a list of live ones shows.
const LISTED_MAX: i64 = 50;
/// How long to wait before the database is asked again, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];
/// How long the database may take for a settlement before it is asked again.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);
/// How long somebody waits at the door of a match that changes hands; between looks whether it is
/// here, which cost nothing; and between those who has it, unless that is said: all players of a
/// process that died wait at once, while its matches are taken over through the same database.
const FIND_WITHIN: Duration = Duration::from_secs(6);
const FIND_PAUSE: Duration = Duration::from_millis(50);
const ASK_PAUSE: Duration = Duration::from_secs(1);
/// How often a rematch that waits looks whether new matches can be made.
const REMATCH_PAUSE: Duration = Duration::from_millis(300);
const NONE: Duration = Duration::ZERO;

/// A match, as anyone may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatchInfo {
    /// Which.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub id: MatchId,
    /// Of which game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub created_at: Moment,
    /// When its status last changed.
    pub updated_at: Moment,
    /// Who won; null while it is not finished, in a draw, and when it does not count.
    #[schema(value_type = Option<String>)]
    pub winner: Option<UserId>,
    /// By seat.
    pub players: Vec<MatchPlayer>,
    /// What was set for it.
    #[schema(value_type = Object)]
    pub options: Value,
    /// Whether it is played for ratings.
    pub rated: bool,
}

/// Somebody's seat in a match.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MatchPlayer {
    /// Who.
    pub user: PublicUser,
    /// Numbered from 0.
    pub seat: u8,
    /// In a game of two: the side of the board.
    pub side: Option<Side>,
    /// Points.
    pub score: i64,
    /// Whether they said that they are ready.
    pub ready: bool,
    /// How well it plays, where it is a computer.
    pub computer: Option<Level>,
}

/// The matches that this process runs.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<MatchId, Running>>);

struct Running {
    handle: Handle,
    /// By seat.
    users: Vec<UserId>,
    /// Of whose absence its player was told last.
    told: Option<Awaited>,
    /// By which we run it.
    fence: i64,
    /// Ends its task: another process runs it now.
    taken: CancellationToken,
}

impl Live {
    fn running(&self) -> MutexGuard<'_, HashMap<MatchId, Running>> {
        // Nothing between lock and unlock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who plays here, and in which match.
    pub(crate) fn players(&self) -> Vec<(UserId, MatchId)> {
        let running = self.running();
        running.iter().flat_map(|(&id, it)| it.users.iter().map(move |&user| (user, id))).collect()
    }

    /// What runs here, and by which fence.
    pub(crate) fn fences(&self) -> Vec<(MatchId, i64)> {
        self.running().iter().map(|(&id, it)| (id, it.fence)).collect()
    }

    /// Whether a match runs here by this fence, and not by an older one.
    pub(crate) fn runs(&self, id: MatchId, fence: i64) -> bool {
        self.running().get(&id).is_some_and(|it| it.fence == fence)
    }

    /// Ends the task of a match that another process has taken; false when it has ended.
    pub(crate) fn drop_match(&self, id: MatchId, fence: i64) -> bool {
        let running = self.running();
        let found = running.get(&id).filter(|it| it.fence == fence && !it.taken.is_cancelled());
        let Some(it) = found else { return false };
        // What waits to be heard of it is not heard either, once the process's lease holds again.
        it.handle.give_up();
        it.taken.cancel();
        true
    }

    pub(crate) fn find(&self, id: MatchId) -> Option<(Handle, Vec<UserId>)> {
        self.running().get(&id).map(|it| (it.handle.clone(), it.users.clone()))
    }

    /// Those for whom a match waits and who are away for so long, each absence once.
    pub(crate) fn newly_awaited(&self, long: Time) -> Vec<(MatchId, UserId, Awaited)> {
        let mut running = self.running();
        let found = running.iter_mut().filter_map(|(&id, it)| {
            let awaited = it.handle.glance().awaited?;
            let is_new = it.told != Some(awaited) && it.handle.now() >= awaited.since + long;
            let user = it.users.get(awaited.seat.index()).filter(|_| is_new)?;
            it.told = Some(awaited);
            Some((id, *user, awaited))
        });
        found.collect()
    }

    /// Nobody was told after all.
    pub(crate) fn untold(&self, id: MatchId) {
        if let Some(it) = self.running().get_mut(&id) {
            it.told = None;
        }
    }

    /// For whom a match waits; none when it is not run here.
    pub(crate) fn awaited(&self, id: MatchId) -> Option<Option<(UserId, Awaited)>> {
        let running = self.running();
        let it = running.get(&id)?;
        let awaited = it.handle.glance().awaited;
        Some(awaited.and_then(|at| Some((*it.users.get(at.seat.index())?, at))))
    }
}

/// A match that is about to be inserted.
pub(crate) struct NewMatch<'a> {
    pub(crate) game: Kind,
    pub(crate) options: &'a Value,
    pub(crate) rated: bool,
    /// By seat.
    pub(crate) players: &'a [UserId],
    pub(crate) rematch_of: Option<MatchId>,
    /// Which process runs it; 0 where there is one.
    pub(crate) process: ProcessId,
}

/// A match as it is stored, a row for each seat.
#[derive(sqlx::FromRow)]
struct Row {
    match_id: MatchId,
    game: String,
    status: String,
    created_at: Moment,
    updated_at: Moment,
    winner: Option<UserId>,
    options: String,
    rules: i64,
    seed: i64,
    rated: bool,
    seat: i64,
    side: Option<Side>,
    score: i64,
    ready: bool,
    #[sqlx(flatten)]
    user: PublicUser,
}

/// The columns of a [`Row`] …
const COLUMNS: &str = "
    m.id as match_id, m.game, m.status, m.created_at, m.updated_at, m.winner, m.options,
    m.rules, m.seed, m.rated, p.seat, p.side, p.score, p.ready,
    u.id, u.username, u.display_name, u.avatar_url";
/// … and where they come from.
const SEATS: &str = "
    matches m
    join match_players p on p.match_id = m.id
    join users u on u.id = p.user_id";

/// The same with all that it takes to run the match.
#[derive(sqlx::FromRow)]
struct TableRow {
    #[sqlx(flatten)]
    row: Row,
    /// A newcomer's for who has not played.
    #[sqlx(flatten)]
    rating: Rating,
    rated_at: Millis,
    /// Nobody where there is one process.
    #[sqlx(flatten)]
    owner: Owner,
    room: Option<RoomId>,
    by_card: bool,
}

impl TableRow {
    fn player(&self, now: Millis) -> Player {
        player(&self.row.user, self.rating.after_idle(now - self.rated_at))
    }
}

/// What the task of a match must know of its row.
#[derive(Clone)]
struct Opened {
    id: MatchId,
    game: Kind,
    /// Whether it is stored as begun.
    active: bool,
    rules: u32,
    seed: Seed,
    rated: bool,
    options: Value,
    /// By seat.
    users: Vec<UserId>,
    created_at: Moment,
    /// Who runs it: nobody else where there is one process.
    owner: Owner,
    /// The room that plays it.
    room: Option<RoomId>,
    /// Whether a card in Telegram made it: its players come from their chats.
    by_card: bool,
}

/// What it takes to run a match.
struct Stored {
    opened: Opened,
    /// By seat.
    players: Vec<Player>,
    /// What happened so far: microseconds and inputs.
    entries: Vec<(i64, String)>,
    /// Whether it is settled.
    finished: bool,
}

/// What came of an attempt to settle a match.
enum Settled {
    /// It is, and that became of the ratings.
    Ours(Option<Vec<RatingChange>>),
    /// Another process runs it.
    Others,
}

/// What sort of end a match has.
enum Ending<'a> {
    /// The one that its journal leads to.
    Played,
    /// It never began; who was ready, by seat.
    CalledOff(&'a [bool]),
    /// It could not go on.
    Broken,
}

impl Ending<'_> {
    fn name(&self) -> &'static str {
        match self {
            Ending::Played => "played",
            Ending::CalledOff(_) => "called_off",
            Ending::Broken => "broken",
        }
    }
}

impl Opened {
    /// Those who are no computers.
    fn people(&self) -> Vec<UserId> {
        self.users.iter().copied().filter(|&it| computers::level(it).is_none()).collect()
    }

    /// The outcome of a match that could not go on.
    fn abandoned(&self) -> Outcome {
        Outcome { winner: None, reason: Reason::Abandoned, scores: vec![0; self.users.len()] }
    }

    fn replay(&self, entries: Vec<(i64, String)>, outcome: &Outcome) -> Replay {
        Replay {
            version: replays::VERSION,
            match_id: self.id,
            game: self.game,
            rules: self.rules,
            seed: self.seed.0.to_string(),
            options: self.options.clone(),
            seats: self.users.len() as u8,
            entries: replays::raw(entries),
            outcome: outcome.clone(),
        }
    }
}

/// How a player is shown at the table.
fn player(user: &PublicUser, rating: Rating) -> Player {
    Player {
        user: PlayerUser {
            id: user.id.to_string(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            avatar_url: user.avatar_url.clone(),
        },
        rating: rating.points(),
        provisional: rating.provisional(),
        computer: computers::level(user.id),
    }
}

impl Arena {
    /// A match, as anyone may see it.
    ///
    /// # Errors
    /// Not found.
    pub async fn match_info(&self, id: MatchId) -> Result<MatchInfo> {
        let sql = format!("select {COLUMNS} from {SEATS} where m.id = $1 order by p.seat");
        let rows = on!(self.db, pool => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(pool).await
        })?;
        let mut found = self.infos(rows).await?;
        found.pop().ok_or_else(|| Error::not_found("there is no such match"))
    }

    /// Matches that can be watched now, the newest first; of one game, or of all. Those of private
    /// rooms are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_matches(&self, game: Option<Kind>) -> Result<Vec<MatchInfo>> {
        let sql = format!(
            "select {COLUMNS} from {SEATS} where m.id in (
                 select id from matches
                 where status <> 'finished' and ($1 is null or game = $1)
                   and id not in (select match_id from rooms
                                  where private = true and match_id is not null)
                 order by created_at desc limit {LISTED_MAX}
             ) order by m.created_at desc, m.id, p.seat"
        );
        let game = game.map(Kind::name);
        let rows = on!(self.db, pool => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(game).fetch_all(pool).await
        })?;
        self.infos(rows).await
    }

    /// The match that somebody is in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_match_of(&self, user: UserId) -> Result<Option<(MatchId, Kind, Seat)>> {
        let found: Option<(MatchId, String, i64)> = on!(self.db, pool => {
            sqlx::query_as(
                "select m.id, m.game, p.seat from playing
                 join matches m on m.id = playing.match_id
                 join match_players p on p.match_id = m.id and p.user_id = playing.user_id
                 where playing.user_id = $1",
            )
            .bind(user)
            .fetch_optional(pool)
            .await
        })?;
        found.map(|(id, game, seat)| Ok((id, kind(&game)?, seat_of(seat)?))).transpose()
    }

    /// Where a match that this process runs stands.
    pub(crate) fn score_of(&self, id: MatchId) -> Option<(Status, Vec<i64>)> {
        if !self.cluster.lease.holds() {
            return None;
        }
        let (handle, _) = self.live.find(id)?;
        let glance = handle.glance();
        Some((glance.status, glance.scores))
    }

    /// How many matches this process runs.
    pub fn live_count(&self) -> usize {
        self.live.running().len()
    }

    /// Takes a player's seat at a match, or a place in the crowd for anyone else, on whatever
    /// process it runs. `after` is the last message that was heard before, if any. While the match
    /// changes hands this waits.
    ///
    /// # Errors
    /// Not found; `match_over`; `full` when too many watch; `ticket_invalid` for a stranger who
    /// was let in to another match.
    pub async fn sit(&self, pass: &Pass, id: MatchId, after: Option<u64>) -> Result<live::Chair> {
        let user = match pass {
            Pass::Member(by) => Some(by.user_id),
            Pass::Stranger(theirs) if *theirs == id => None,
            Pass::Stranger(_) => {
                let detail = "this ticket opens another match: ask for one of this match";
                return Err(Error::unauthenticated("ticket_invalid", detail));
            }
        };
        let full = || Error::refused(Why::Unavailable, "full", "too many watch this match");
        let patience = Instant::now() + if self.cluster.is_several() { FIND_WITHIN } else { NONE };
        // Before the first look, so that nothing is missed.
        let mut taken = self.cluster.hear_of_taken();
        let (mut ask_at, mut told) = (Instant::now(), None);
        loop {
            if let Some((handle, users)) = self.live.find(id) {
                let seat = users.iter().position(|&it| Some(it) == user).map(|it| Seat(it as u8));
                // It may have ended or changed hands meanwhile.
                if let Ok(seated) = handle.sit(seat, after).await {
                    return seated.map_err(|_| full());
                }
            }
            if told.is_some() || Instant::now() >= ask_at {
                let whose = match told.take() {
                    Some(by) => Some(by),
                    None => self.whose(id).await?,
                };
                match whose {
                    Some(process) if process == self.cluster.me || process == 0 => {}
                    // It would not answer: who takes the match over says so.
                    Some(process) if self.cluster.is_silent(process) => {}
                    Some(process) => match self.sit_afar(process, id, user, after).await {
                        Ok(chair) => return Ok(chair),
                        Err(NotSeated::Full) => return Err(full()),
                        Err(NotSeated::NotHere) => {}
                    },
                    None => return Err(over()),
                }
                ask_at = Instant::now() + ASK_PAUSE;
            }
            if Instant::now() >= patience || self.is_stopping() {
                let detail = "this match is not open here yet: try again in a moment";
                return Err(Error::refused(Why::Unavailable, "unavailable", detail));
            }
            tokio::select! {
                taken = taken.recv() => match taken {
                    Ok(share) => told = share.ids.contains(&id).then_some(share.by),
                    // Some were missed.
                    Err(_) => ask_at = Instant::now(),
                },
                () = tokio::time::sleep(FIND_PAUSE) => {}
            }
        }
    }

    /// Which process runs a match, 0 for none; none at all when it is over for good.
    ///
    /// # Errors
    /// Not found.
    async fn whose(&self, id: MatchId) -> Result<Option<ProcessId>> {
        let found: Option<(String, Option<ProcessId>)> = on!(self.db, pool => {
            sqlx::query_as(
                "select m.status, o.process from matches m
                 left join owners o on o.match_id = m.id where m.id = $1",
            )
            .bind(id)
            .fetch_optional(pool)
            .await
        })?;
        let (stored, process) = found.ok_or_else(|| Error::not_found("there is no such match"))?;
        let elsewhere = process.filter(|&it| it != self.cluster.me && it != 0);
        Ok(match status(&stored)? {
            // Its players may still be at the table, for a rematch.
            Status::Finished => elsewhere.filter(|&it| self.cluster.lives(it)),
            Status::Pending | Status::Active => Some(process.unwrap_or_default()),
        })
    }

    /// That a match can be watched.
    ///
    /// # Errors
    /// Not found; `match_over`; `unavailable` when it is not open here, where there is one process.
    pub(crate) async fn check_live(&self, id: MatchId) -> Result<()> {
        if self.live.find(id).is_some() {
            return Ok(());
        }
        match self.whose(id).await? {
            None => Err(over()),
            Some(_) if self.cluster.is_several() => Ok(()),
            Some(_) => {
                let detail = "this match is not open here yet: try again in a moment";
                Err(Error::refused(Why::Unavailable, "unavailable", detail))
            }
        }
    }

    /// The machine to which a proxy may bring the socket of a match, to save it a way: where the
    /// match is run, if that is known, lives as far as was seen, and is another than ours.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn machine_of(&self, id: MatchId) -> Result<Option<String>> {
        if self.options.machine.is_none() || self.live.find(id).is_some() {
            return Ok(None);
        }
        let owner: Option<(ProcessId, Option<String>)> = on!(self.db, pool => {
            sqlx::query_as(
                "select p.id, p.machine from owners o join processes p on p.id = o.process
                 where o.match_id = $1 and o.process <> $2",
            )
            .bind(id)
            .bind(self.cluster.me)
            .fetch_optional(pool)
            .await
        })?;
        let owner = owner.filter(|it| self.cluster.lives(it.0));
        Ok(owner.and_then(|it| it.1).filter(|it| Some(it) != self.options.machine.as_ref()))
    }

    /// Goes on with the matches that the last run of this server left unfinished. Where there may
    /// be several processes, those that nobody runs are found later, and all the time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recover(&self) -> Result<()> {
        if self.cluster.is_several() {
            self.cluster.look_for_matches();
            return Ok(());
        }
        self.take_all().await?;
        let ids: Vec<(MatchId,)> = on!(self.db, pool => {
            sqlx::query_as("select id from matches where status <> 'finished'")
                .fetch_all(pool)
                .await
        })?;
        for (id,) in ids {
            self.open_match(id).await;
        }
        Ok(())
    }

    /// Runs a match that was inserted, until it is settled. It is open when this returns, unless
    /// the database does not answer: then it is as soon as that does.
    pub(crate) async fn open_match(&self, id: MatchId) {
        let Err(error) = self.try_open(id).await else { return };
        let error = error.report();
        tracing::error!(r#match = %id, %error, "A match that was made is not open yet");
        let arena = self.clone();
        let retry = async move {
            let [mut pause, longest] = RETRY;
            loop {
                tokio::time::sleep(pause).await;
                if arena.try_open(id).await.is_ok() {
                    return;
                }
                pause = (pause * 2).min(longest);
            }
        };
        let closing = self.closing.clone();
        self.tasks.spawn(closing.run_until_cancelled_owned(retry));
    }

    /// Opens a match whose insertion was not answered, once it is known whether it was inserted:
    /// nobody else would, and its players would be kept in it.
    pub(crate) fn open_if_made(&self, id: MatchId) {
        let arena = self.clone();
        let look = async move {
            let [mut pause, longest] = RETRY;
            loop {
                tokio::time::sleep(pause).await;
                match arena.read(id).await {
                    Ok(Some(_)) => return arena.open_match(id).await,
                    Ok(None) => return,
                    Err(_) => pause = (pause * 2).min(longest),
                }
            }
        };
        let closing = self.closing.clone();
        self.tasks.spawn(closing.run_until_cancelled_owned(look));
    }

    /// Opens a match unless it is open, or another process runs it. One that was played by other
    /// rules can't go on, and does not count.
    async fn try_open(&self, id: MatchId) -> Result<()> {
        // Others wait until this is done, or done without.
        let Some(_opening) = self.cluster.opening(id) else { return Ok(()) };
        if self.closing.is_cancelled() {
            return Ok(());
        }
        let stored = self
            .read(id)
            .await?
            .ok_or_else(|| anyhow::anyhow!("match {id} was to be opened before it was inserted"))?;
        let opened = stored.opened.clone();
        let elsewhere = opened.owner.process != self.cluster.me;
        if elsewhere || stored.finished || self.live.runs(id, opened.owner.fence) {
            return Ok(());
        }
        let ours = opened.game.rules();
        if opened.rules != ours {
            let theirs = opened.rules;
            tracing::warn!(r#match = %id, "Played by rules {theirs} of {}, not {ours}: it does not count", opened.game);
            return self.settle(&opened, &opened.abandoned(), &Ending::Broken).await.map(drop);
        }
        let Err(error) = for_game!(opened.game, G => self.start::<G>(stored)) else {
            return Ok(());
        };
        // Trying again would not help, and its players would be kept in it for ever.
        let error = error.report();
        tracing::error!(r#match = %id, %error, "A match can't go on: it does not count");
        self.settle(&opened, &opened.abandoned(), &Ending::Broken).await.map(drop)
    }

    fn start<G: Game>(&self, stored: Stored) -> Result<()> {
        let Stored { opened, players, entries, finished: _ } = stored;
        let (fence, lines) = (opened.owner.fence, entries.len() as u64);
        let journal = live::Journal::new(opened.id.0, fence, lines, self.journal.clone());
        let (options, seed) = (opened.options.clone(), opened.seed);
        let lease = self.cluster.lease.of_match();
        let setup = live::Setup { options, seed, players, journal, lease };
        let id = opened.id;
        let (handle, table) = if entries.is_empty() {
            live::open::<G>(setup)
                .map_err(|bad| anyhow::anyhow!("match {id}: {}: {}", bad.field, bad.message))?
        } else {
            let entries = journal::parse::<G>(&entries)?;
            let age = u64::try_from(self.clock.now() - opened.created_at.0).unwrap_or_default();
            live::heavy(|| live::reopen::<G>(setup, entries, age))
                .map_err(|bad| anyhow::anyhow!("the journal of match {id}: {bad:?}"))?
        };
        for (&user, seat) in opened.users.iter().zip((0..).map(Seat)) {
            if let Some(level) = computers::level(user) {
                self.players.spawn(self.sit_computer(handle.clone(), opened.game, seat, level));
            }
        }
        let taken = CancellationToken::new();
        let users = opened.users.clone();
        let running = Running { handle, users, told: None, fence, taken: taken.clone() };
        let arena = self.clone();
        if let Some(older) = self.live.running().insert(id, running) {
            // We lost it and have it again.
            older.taken.cancel();
        }
        let counted = LiveMatch::new(opened.game);
        // A trace of its own: it outlives whatever made it.
        let game = opened.game.name();
        let span = tracing::info_span!(parent: None, "match", match_id = %id, game);
        let run = async move {
            let _counted = counted;
            let work = AssertUnwindSafe(arena.run(&opened, table)).catch_unwind();
            let done = tokio::select! {
                // First, so that the players' sockets, which close now, are not taken for lost.
                biased;
                () = arena.closing.cancelled() => None,
                () = taken.cancelled() => None,
                done = work => Some(done),
            };
            if let Some(Err(_)) = done {
                // The panic itself is in the log already.
                tracing::error!(r#match = %id, "A match's task panicked: the match does not count");
                let outcome = opened.abandoned();
                let settle = arena.settle_surely(&opened, &outcome, &Ending::Broken);
                taken.run_until_cancelled(settle).await;
            }
            let mut running = arena.live.running();
            if running.get(&id).is_some_and(|it| it.fence == fence) {
                running.remove(&id);
            }
        };
        self.players.spawn(run.instrument(span));
        Ok(())
    }

    /// Lets the computer play at a match.
    fn sit_computer(
        &self,
        handle: Handle,
        game: Kind,
        seat: Seat,
        level: Level,
    ) -> impl Future<Output = ()> + use<> {
        let closing = self.closing.clone();
        let play = async move {
            if let Ok(Ok(chair)) = handle.sit(Some(seat), None).await {
                live::computer::play(chair, game, level, rand::random::<f64>).await;
            }
        };
        async move {
            tokio::select! {
                biased;
                () = closing.cancelled() => {}
                () = play => {}
            }
        }
    }

    /// A match from its opening to its end.
    async fn run<G: Game>(&self, opened: &Opened, mut table: live::Match<G>) {
        let gathered = match opened.by_card {
            true => table.gather_within(cards::COME_WITHIN).await,
            false => table.gather().await,
        };
        if let Gathered::CalledOff { ready } = gathered {
            let outcome = table.called_off();
            let ending = Ending::CalledOff(&ready);
            table.attend(self.settle_surely(opened, &outcome, &ending)).await;
            table.announce(outcome, None);
            table.close();
            if opened.room.is_some() || opened.by_card {
                return;
            }
            for (&user, _) in opened.users.iter().zip(ready).filter(|(_, ready)| *ready) {
                // Ahead of whoever came while they were being matched.
                let queued = Box::pin(self.requeue(user, opened.game, opened.created_at.0)).await;
                if let Err(error) = queued {
                    let error = error.report();
                    tracing::error!(r#match = %opened.id, %error, "Nobody was put back in the queue");
                }
            }
            return;
        }
        // What goes on from its journal is stored so already.
        if !opened.active
            && let Err(error) = table.attend(Box::pin(self.mark_active(opened.id))).await
        {
            let error = error.report();
            tracing::error!(r#match = %opened.id, %error, "A match begins that is stored as pending");
        }
        let outcome = table.play().await;
        table.written().await;
        let ending = Ending::Played;
        let ratings = table.attend(self.settle_surely(opened, &outcome, &ending)).await;
        table.announce(outcome, ratings);
        while table.linger().await {
            if self.cluster.check_open().is_err() {
                // They see that all want it, and may still go.
                table.attend(tokio::time::sleep(REMATCH_PAUSE)).await;
                continue;
            }
            match Box::pin(self.rematch(opened)).await {
                Ok(next) => table.lead_to(&next.to_string()),
                // One has blocked the other: nobody is told.
                Err(Error::Refused(refused)) if refused.code == "apart" => {}
                Err(error) => {
                    let error = error.report();
                    tracing::warn!(r#match = %opened.id, %error, "There is no rematch");
                }
            }
            break;
        }
        table.close();
    }

    /// Makes and opens the rematch of a match, sides changed. It is the next match of the room that
    /// played the first, if nothing has changed in there.
    ///
    /// # Errors
    /// `apart` when one of them has blocked another since.
    async fn rematch(&self, of: &Opened) -> Result<MatchId> {
        let players: Vec<UserId> = of.users.iter().rev().copied().collect();
        let new = NewMatch {
            game: of.game,
            options: &of.options,
            rated: of.rated,
            players: &players,
            rematch_of: Some(of.id),
            process: self.cluster.me,
        };
        let now = self.clock.now();
        let (id, room) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&of.people()).await?;
            for (index, &one) in players.iter().enumerate() {
                for &other in &players[..index] {
                    if tx.are_apart(one, other).await? {
                        return Err(Error::forbidden("apart", "one of them has blocked another"));
                    }
                }
            }
            let room = match of.room {
                Some(room) => tx.hold_room(room).await?,
                None => None,
            };
            let mut room = room.filter(|it| it.plays_again(of.id, &players, &of.options));
            let id = tx.insert_match(&new, now).await?;
            if let Some(room) = &mut room {
                let before = room.clone();
                room.begin(id);
                tx.save_room(&before, room).await?;
            }
            tx.show_rematch(of.id, id, now).await?;
            tx.commit().await.inspect_err(|_| self.open_if_made(id))?;
            (id, room)
        });
        self.stir_letters();
        self.open_match(id).await;
        self.tell_after_match(room);
        Ok(id)
    }

    async fn mark_active(&self, id: MatchId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            sqlx::query(
                "update matches set status = 'active', started_at = $1, updated_at = $1
                 where id = $2 and status = 'pending'",
            )
            .bind(now)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            sqlx::query("update match_players set ready = true where match_id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        });
        Ok(())
    }

    /// Settles a match, however often it takes; never returns when it is another's to settle.
    async fn settle_surely(
        &self,
        opened: &Opened,
        outcome: &Outcome,
        ending: &Ending<'_>,
    ) -> Option<Vec<RatingChange>> {
        let [mut pause, longest] = RETRY;
        loop {
            // Boxed, as all that asks the database is here: it is large and soon over, and the task
            // of a match is long.
            let settle = Box::pin(self.settle(opened, outcome, ending));
            let error = match tokio::time::timeout(SETTLE_WITHIN, settle).await {
                Ok(Ok(Settled::Ours(ratings))) => return ratings,
                Ok(Ok(Settled::Others)) => {
                    self.let_go(opened.id, opened.owner.fence);
                    std::future::pending().await
                }
                Ok(Err(error)) => error.report(),
                Err(late) => late.to_string(),
            };
            tracing::error!(r#match = %opened.id, %error, "A match is not settled yet");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Writes down how a match ended and all that follows from it, in one transaction and once;
    /// answers what became of the ratings. Only the match's owner may.
    async fn settle(
        &self,
        opened: &Opened,
        outcome: &Outcome,
        ending: &Ending<'_>,
    ) -> Result<Settled> {
        let now = self.clock.now();
        let telling = self.telling(Change::Match {
            id: opened.id,
            game: opened.game,
            users: opened.users.clone(),
            by_card: opened.by_card,
        });
        let (ratings, room) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            if !tx.hold_owner(opened.id, opened.owner).await? {
                return Ok(Settled::Others);
            }
            let ratings = tx.settle_match(opened, outcome, ending, now).await?;
            // Last, since a room is held after the turns of its people are taken.
            let room = match opened.room {
                Some(room) => tx.end_in_room(room, opened.id, &opened.users, outcome).await?,
                None => None,
            };
            if self.has_telegram() {
                tx.settle_card(opened.id, &opened.people(), now).await?;
            }
            tx.commit().await?;
            (ratings, room)
        });
        telling.done().await;
        METRICS.settled(opened.game, ending.name());
        let (id, reason) = (opened.id, outcome.reason);
        tracing::info!(r#match = %id, ?reason, "Match {id} is settled: {}", ending.name());
        self.tell_after_match(room);
        self.stir_letters();
        Ok(Settled::Ours(ratings))
    }

    /// Settles a match as if it had been played.
    #[cfg(test)]
    pub(crate) async fn settle_played(&self, id: MatchId, outcome: &Outcome) -> Result<()> {
        let stored = self.read(id).await?;
        let opened = stored.map(|it| it.opened).ok_or_else(|| Error::not_found("no match"))?;
        self.settle(&opened, outcome, &Ending::Played).await.map(drop)
    }

    /// Who plays or played, by seat, as they are shown at the table.
    pub(crate) async fn players_of(&self, id: MatchId) -> Result<Vec<Player>> {
        let now = self.clock.now();
        let rows = on!(self.db, pool => pool.acquire().await?.table(id, now).await)?;
        Ok(rows.iter().map(|it| it.player(now)).collect())
    }

    /// What it takes to run a match, or to go on with it: in two questions, since those of a
    /// process that died are read all at once, while their players come back.
    async fn read(&self, id: MatchId) -> Result<Option<Stored>> {
        let now = self.clock.now();
        let (rows, entries) = on!(self.db, pool => {
            let mut connection = pool.acquire().await?;
            // The owner before the entries: once the fence is ours, nobody else adds to them.
            (connection.table(id, now).await?, connection.entries(id).await?)
        });
        let Some(TableRow { row: first, owner, room, by_card, .. }) = rows.first() else {
            return Ok(None);
        };
        let status = status(&first.status)?;
        let opened = Opened {
            id,
            game: kind(&first.game)?,
            active: status == Status::Active,
            rules: u32::try_from(first.rules).map_err(anyhow::Error::from)?,
            seed: Seed(first.seed as u64),
            rated: first.rated,
            options: json(&first.options)?,
            users: rows.iter().map(|it| it.row.user.id).collect(),
            created_at: first.created_at,
            owner: *owner,
            room: *room,
            by_card: *by_card,
        };
        let players = rows.iter().map(|it| it.player(now)).collect();
        Ok(Some(Stored { opened, players, entries, finished: status == Status::Finished }))
    }

    /// Matches from their rows, which come by match and seat; live ones as they are now.
    async fn infos(&self, rows: Vec<Row>) -> Result<Vec<MatchInfo>> {
        let mut infos: Vec<MatchInfo> = Vec::new();
        for row in rows {
            let seat = seat_of(row.seat)?;
            let player = MatchPlayer {
                computer: computers::level(row.user.id),
                user: row.user,
                seat: seat.0,
                side: row.side,
                score: row.score,
                ready: row.ready,
            };
            match infos.last_mut() {
                Some(info) if info.id == row.match_id => info.players.push(player),
                _ => infos.push(MatchInfo {
                    id: row.match_id,
                    game: kind(&row.game)?,
                    status: status(&row.status)?,
                    created_at: row.created_at,
                    updated_at: row.updated_at,
                    winner: row.winner,
                    players: vec![player],
                    options: json(&row.options)?,
                    rated: row.rated,
                }),
            }
        }
        // Without the lease, what we see may not be what is.
        let here = |id| self.live.find(id).filter(|_| self.cluster.lease.holds());
        let live = infos.iter().filter(|it| it.status != Status::Finished).map(|it| it.id);
        let elsewhere: Vec<MatchId> = live.filter(|&id| here(id).is_none()).collect();
        let mut glances = self.glances(&elsewhere).await?;
        for info in infos.iter_mut().filter(|it| it.status != Status::Finished) {
            let glance = here(info.id).map(|(handle, _)| handle.glance());
            let Some(glance) = glance.or_else(|| glances.remove(&info.id)) else { continue };
            info.status = glance.status;
            for (player, (score, ready)) in
                info.players.iter_mut().zip(glance.scores.into_iter().zip(glance.ready))
            {
                (player.score, player.ready) = (score, ready);
            }
        }
        Ok(infos)
    }
}

/// Matches within a transaction, on either database.
pub(crate) trait MatchRows {
    /// Inserts a pending match whose players wait no more and play from now on. The caller has
    /// taken their turns, and opens the match once the transaction is committed.
    ///
    /// A player who is in another match makes it fail: `playing` has them once, except computers.
    async fn insert_match(&mut self, new: &NewMatch<'_>, now: Millis) -> sqlx::Result<MatchId>;

    /// Whether somebody is in a match.
    async fn plays(&mut self, user: UserId) -> sqlx::Result<bool>;
}

/// A match as it is stored.
trait StoredRows {
    /// By seat; none of a match that is not there.
    async fn table(&mut self, id: MatchId, now: Millis) -> sqlx::Result<Vec<TableRow>>;

    /// What was written down of it, in order: microseconds and inputs.
    async fn entries(&mut self, id: MatchId) -> sqlx::Result<Vec<(i64, String)>>;
}

/// The end of a match within a transaction.
trait Settlement {
    /// See [`Arena::settle`].
    async fn settle_match(
        &mut self,
        opened: &Opened,
        outcome: &Outcome,
        ending: &Ending<'_>,
        now: Millis,
    ) -> sqlx::Result<Option<Vec<RatingChange>>>;

    /// What became of the ratings in a match that is settled.
    async fn settled_ratings(&mut self, opened: &Opened)
    -> sqlx::Result<Option<Vec<RatingChange>>>;
}

on_both! { impl MatchRows {
    async fn insert_match(&mut self, new: &NewMatch<'_>, now: Millis) -> sqlx::Result<MatchId> {
        let id = MatchId::random();
        sqlx::query(
            "insert into matches (id, game, rules, options, seed, rated, status,
                                  created_at, updated_at, rematch_of)
             values ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, $8)",
        )
        .bind(id)
        .bind(new.game.name())
        .bind(i64::from(new.game.rules()))
        .bind(new.options.to_string())
        .bind(rand::random::<i64>())
        .bind(new.rated)
        .bind(now)
        .bind(new.rematch_of)
        .execute(&mut *self)
        .await?;
        self.own(id, new.process).await?;
        for (seat, &user) in new.players.iter().enumerate() {
            let side = Side::of(Seat(seat as u8), new.players.len());
            sqlx::query(
                "insert into match_players (match_id, seat, user_id, side, score, ready)
                 values ($1, $2, $3, $4, 0, false)",
            )
            .bind(id)
            .bind(seat as i64)
            .bind(user)
            .bind(side)
            .execute(&mut *self)
            .await?;
            if computers::level(user).is_some() {
                continue;
            }
            sqlx::query("insert into playing (user_id, match_id) values ($1, $2)")
                .bind(user)
                .bind(id)
                .execute(&mut *self)
                .await?;
            sqlx::query("delete from queue_entries where user_id = $1")
                .bind(user)
                .execute(&mut *self)
                .await?;
        }
        Ok(id)
    }

    async fn plays(&mut self, user: UserId) -> sqlx::Result<bool> {
        let found: Option<MatchId> =
            sqlx::query_scalar("select match_id from playing where user_id = $1")
                .bind(user)
                .fetch_optional(self)
                .await?;
        Ok(found.is_some())
    }
} }

on_both! { impl StoredRows {
    async fn table(&mut self, id: MatchId, now: Millis) -> sqlx::Result<Vec<TableRow>> {
        let sql = format!(
            "select {COLUMNS},
                    coalesce(r.rating, $2) as rating, coalesce(r.deviation, $3) as deviation,
                    coalesce(r.volatility, $4) as volatility, coalesce(r.rated_at, $5) as rated_at,
                    coalesce(o.process, 0) as process, coalesce(o.fence, 0) as fence,
                    (select id from rooms where match_id = m.id) as room,
                    exists (select 1 from cards where match_id = m.id) as by_card
             from {SEATS}
             left join ratings r on r.user_id = p.user_id and r.game = m.game
             left join owners o on o.match_id = m.id
             where m.id = $1 order by p.seat"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .bind(Rating::NEW.rating)
            .bind(Rating::NEW.deviation)
            .bind(Rating::NEW.volatility)
            .bind(now)
            .fetch_all(self)
            .await
    }

    async fn entries(&mut self, id: MatchId) -> sqlx::Result<Vec<(i64, String)>> {
        sqlx::query_as("select at, entry from journal where match_id = $1 order by seq")
            .bind(id)
            .fetch_all(self)
            .await
    }
} }

on_both! { impl Settlement {
    async fn settle_match(
        &mut self,
        opened: &Opened,
        outcome: &Outcome,
        ending: &Ending<'_>,
        now: Millis,
    ) -> sqlx::Result<Option<Vec<RatingChange>>> {
        self.take_turns(&opened.people()).await?;
        let claimed = sqlx::query(
            "update matches
             set status = 'finished', finished_at = $1, updated_at = $1, reason = $2, winner = $3
             where id = $4 and status <> 'finished'",
        )
        .bind(now)
        .bind(reason_name(outcome.reason))
        .bind(outcome.winner.map(|it| opened.users[it.index()]))
        .bind(opened.id)
        .execute(&mut *self)
        .await?;
        if claimed.rows_affected() == 0 {
            return self.settled_ratings(opened).await;
        }
        let counts = matches!(outcome.reason, Reason::Score | Reason::Forfeit)
            && opened.users.iter().all(|&it| computers::level(it).is_none());
        let changes = match *opened.users {
            [one, two] if counts => {
                let score = match outcome.winner {
                    Some(Seat(0)) => Score::Win,
                    Some(_) => Score::Loss,
                    None => Score::Draw,
                };
                self.settle_ratings([one, two], opened.game, score, opened.rated, now).await?
            }
            _ => None,
        };
        let ready = match ending {
            Ending::CalledOff(ready) => Some(*ready),
            Ending::Played | Ending::Broken => None,
        };
        for (seat, score) in outcome.scores.iter().enumerate() {
            let change = changes.as_ref().map(|it| it[seat]);
            sqlx::query(
                "update match_players
                 set score = $1, ready = coalesce($2, ready), finished_at = $3,
                     rating_before = $4, rating_after = $5
                 where match_id = $6 and seat = $7",
            )
            .bind(score)
            .bind(ready.map(|it| it[seat]))
            .bind(now)
            .bind(change.map(|it| it.before.rating))
            .bind(change.map(|it| it.after.rating))
            .bind(opened.id)
            .bind(seat as i64)
            .execute(&mut *self)
            .await?;
        }
        sqlx::query("delete from playing where match_id = $1")
            .bind(opened.id)
            .execute(&mut *self)
            .await?;
        if let Ending::Played = ending {
            let entries = self.entries(opened.id).await?;
            let (checksum, data) = opened.replay(entries, outcome).fold();
            sqlx::query(
                "insert into replays (match_id, rules, checksum, data, created_at)
                 values ($1, $2, $3, $4, $5)",
            )
            .bind(opened.id)
            .bind(i64::from(opened.rules))
            .bind(checksum)
            .bind(data)
            .bind(now)
            .execute(&mut *self)
            .await?;
            sqlx::query("delete from journal where match_id = $1")
                .bind(opened.id)
                .execute(&mut *self)
                .await?;
        }
        Ok(changes.map(|changes| {
            let seats = changes.iter().zip(0..);
            seats.map(|(it, seat)| RatingChange {
                seat: Seat(seat),
                before: it.before.points(),
                after: it.after.points(),
                provisional: it.after.provisional(),
            }).collect()
        }))
    }

    async fn settled_ratings(
        &mut self,
        opened: &Opened,
    ) -> sqlx::Result<Option<Vec<RatingChange>>> {
        let rows: Vec<(i64, Option<f64>, Option<f64>)> = sqlx::query_as(
            "select seat, rating_before, rating_after from match_players
             where match_id = $1 order by seat",
        )
        .bind(opened.id)
        .fetch_all(&mut *self)
        .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for (&user, (seat, before, after)) in opened.users.iter().zip(rows) {
            let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
            let standing = self.standing(user, opened.game).await?;
            changes.push(RatingChange {
                seat: Seat(seat as u8),
                before: before.round() as i64,
                after: after.round() as i64,
                provisional: standing.is_none_or(|it| it.rating.provisional()),
            });
        }
        Ok(Some(changes))
    }
} }

fn over() -> Error {
    Error::conflict("match_over", "this match is over")
}

/// Its word in SQL, as in JSON.
fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Score => "score",
        Reason::Forfeit => "forfeit",
        Reason::Abandoned => "abandoned",
        Reason::CalledOff => "called_off",
    }
}

fn status(name: &str) -> Result<Status> {
    Ok(match name {
        "pending" => Status::Pending,
        "active" => Status::Active,
        "finished" => Status::Finished,
        _ => return Err(anyhow::anyhow!("a match has the status {name:?}").into()),
    })
}

fn kind(name: &str) -> Result<Kind> {
    Ok(name.parse().map_err(|_| anyhow::anyhow!("there is no game {name:?}"))?)
}

fn seat_of(seat: i64) -> Result<Seat> {
    let seat = u8::try_from(seat).map_err(|_| anyhow::anyhow!("there is no seat {seat}"))?;
    Ok(Seat(seat))
}

fn json(text: &str) -> Result<Value> {
    Ok(serde_json::from_str(text).map_err(anyhow::Error::from)?)
}

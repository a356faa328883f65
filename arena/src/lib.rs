//! What lasts and who may: accounts, the queue, matches, ratings, with their SQL.
//!
//! One file for each thing people would name, holding its types, its rules and its SQL together.
//! The doors (`api`, `webapp`, `bot`) only ask; every call says who acts, and what may be done is
//! decided here.

#![warn(missing_docs)]

mod accounts;
mod bus;
mod cards;
mod clock;
mod cluster;
mod computers;
mod db;
mod error;
mod ids;
mod init_data;
mod journal;
mod lobby;
mod matches;
mod once;
mod options;
mod outbox;
mod pairing;
mod passwords;
mod presence;
mod profiles;
mod queue;
mod ratings;
mod replays;
mod rooms;
mod sessions;
mod telegram;
#[cfg(test)]
mod three_seats;
mod tickets;

use std::{future::Future, ops::Deref, sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use accounts::{Language, NewAccount, PublicUser, Role, User};
pub use cards::{Card, CardPlace, CardPlayer, CardStage, GroupPlayer, Joined, NewCard};
pub use clock::{Clock, Millis, Moment};
pub use computers::{NewComputerMatch, Opponent};
pub use error::{Error, FieldError, Refused, Result, Why};
pub use ids::{CardId, MatchId, NotAnId, RoomId, SessionId, UserId};
pub use init_data::{InitData, NotInitData, TelegramUser};
pub use lobby::{LobbyChair, LobbyMessage, Place, QueueUpdate};
pub use matches::{MatchInfo, MatchPlayer};
pub use once::RequestKey;
pub use options::{Options, Secret};
pub use outbox::{Letter, Notice};
pub use profiles::{
    GameRating, GameStats, History, PastMatch, PastPlayer, Profile, Stats, TopList, TopPlayer,
};
pub use queue::{Matched, QueueStatus, Queued, Side};
pub use ratings::{RATED_GAMES_MAX, Rating, Score};
pub use replays::{BadReplay, Replay};
pub use rooms::{
    ListedRoom, NewRoom, Parting, RoomChat, RoomInfo, RoomLine, RoomMember, RoomScore, RoomSeats,
    RoomUpdate, RoomView,
};
pub use sessions::{Device, Principal, Session};
pub use telegram::{NoticeSettings, Reach, Topic};
pub use tickets::{Pass, Ticket};

/// How often the processes hear which sessions the others have ended.
const HEAR_EVERY: Duration = Duration::from_secs(2);
/// How often it is forgotten who ran the matches that are long over.
const SWEEP_OWNERS_EVERY: Duration = Duration::from_secs(60);
/// How often what is left of old sessions is deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// The arena: a handle on everything that lasts. Cheap to clone.
#[derive(Clone)]
pub struct Arena(Arc<Inner>);

/// What a handle reaches. The fields are the parts' own; each part's file has its methods.
pub struct Inner {
    pub(crate) db: db::Db,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    pub(crate) keys: sessions::Keys,
    pub(crate) hashing: passwords::Hashing,
    pub(crate) ended: sessions::Ended,
    pub(crate) tickets: tickets::Tickets,
    pub(crate) lobby: lobby::Lobby,
    pub(crate) bus: bus::Bus,
    pub(crate) cluster: cluster::Cluster,
    pub(crate) relay: cluster::Relay,
    pub(crate) queue: queue::Queue,
    pub(crate) live: matches::Live,
    /// Something came into the outbox.
    pub(crate) letters: Notify,
    /// To the journal's writer.
    pub(crate) journal: mpsc::Sender<live::Line>,
    /// Stops that writer, once nobody has lines for it any more.
    written: CancellationToken,
    /// That writer.
    writers: TaskTracker,
    /// Cancelled last, when nobody needs the other processes any more.
    pub(crate) gone: CancellationToken,
    /// Cancelled once, when the server is asked to stop.
    pub(crate) closing: CancellationToken,
    /// The tasks of live matches: `close` waits for them first.
    pub(crate) players: TaskTracker,
    /// Every other task of the arena: `close` waits for them.
    pub(crate) tasks: TaskTracker,
}

impl Deref for Arena {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Arena {
    /// Opens the database, brings it up to date, and starts what runs in the background.
    ///
    /// # Errors
    /// When the database can't be opened or migrated; when another process has it that can't share
    /// it; when Redis's address is wrong, or set beside SQLite.
    pub async fn open(options: Options, clock: Clock) -> anyhow::Result<Arena> {
        cluster::check(&options)?;
        let place = cluster::Place::take(&options).await?;
        let db = db::Db::open(&options.database_url).await?;
        db.migrate().await?;
        let keys = sessions::Keys::open(&db, &options).await?;
        let name = sessions::kept_secret(&db, "arena").await?;
        let (bus, ends) = bus::Bus::new(options.redis_url.as_ref(), &name[..16])?;
        let (journal, lines) = mpsc::channel(journal::LINES_MAX);
        let arena = Arena(Arc::new(Inner {
            journal,
            written: CancellationToken::new(),
            writers: TaskTracker::new(),
            gone: CancellationToken::new(),
            cluster: cluster::Cluster::new(&db, &options),
            relay: cluster::Relay::default(),
            players: TaskTracker::new(),
            hashing: passwords::Hashing::new(),
            ended: sessions::Ended::default(),
            tickets: tickets::Tickets::default(),
            lobby: lobby::Lobby::default(),
            queue: queue::Queue::default(),
            letters: Notify::new(),
            live: matches::Live::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            bus,
            db,
            clock,
            options,
            keys,
        }));
        arena.tasks.spawn(place.keep(arena.options.clone(), arena.gone.clone()));
        if let Some(ends) = ends {
            ends.start(&arena);
            arena.start_beating().await?;
            arena.tasks.spawn(arena.clone().run_takeovers());
        }
        let writer = journal::write(arena.clone(), lines, arena.written.clone());
        arena.writers.spawn(writer);
        arena.tasks.spawn(arena.clone().run_matcher());
        arena.every(HEAR_EVERY, "Ended sessions are not heard of", Arena::hear_of_ended_sessions);
        arena.every(SWEEP_EVERY, "Old sessions are not swept", Arena::sweep_sessions);
        arena.every(SWEEP_EVERY, "Old answers are not swept", Arena::sweep_answers);
        arena.every(presence::SAY_EVERY, "Nobody knows who is here", Arena::say_who_is_here);
        arena.every(rooms::TEND_EVERY, "Rooms are not tended", Arena::tend_rooms);
        arena.every(SWEEP_EVERY, "Old letters are not swept", Arena::sweep_letters);
        arena.every(SWEEP_OWNERS_EVERY, "Old owners are not swept", Arena::sweep_owners);
        arena.every(cards::TEND_EVERY, "Cards are not tended", Arena::tend_cards);
        Ok(arena)
    }

    /// Brings the database up to date and does nothing else.
    ///
    /// # Errors
    /// When the database can't be opened or migrated.
    pub async fn migrate(options: &Options) -> anyhow::Result<()> {
        let db = db::Db::open(&options.database_url).await?;
        db.migrate().await?;
        db.close().await;
        Ok(())
    }

    /// Does `work` now and then, until the arena closes.
    fn every<F>(&self, pause: Duration, failed: &'static str, work: fn(Arena) -> F)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let arena = self.clone();
        self.tasks.spawn(async move {
            let work = async {
                loop {
                    if let Err(error) = work(arena.clone()).await {
                        tracing::error!(error = error.report(), "{failed}");
                    }
                    sleep(pause).await;
                }
            };
            arena.closing.run_until_cancelled(work).await;
        });
    }

    /// Whether the database answers, and Redis where it is used.
    ///
    /// # Errors
    /// When one does not.
    pub async fn ready(&self) -> Result<()> {
        self.db.ping().await?;
        self.bus.ping().await?;
        self.check_lease()
    }

    /// Lets go of the live matches, where they are: another process goes on with them, or the next
    /// run. To be called before their players' sockets are closed, which is no fault of theirs.
    pub fn stop(&self) {
        self.closing.cancel();
    }

    /// Whether it has let go of its matches.
    pub fn is_stopping(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Hands the live matches over: what is left of their journals is written, and other processes
    /// may take them. Requests are still answered.
    pub async fn hand_over(&self) {
        self.stop();
        self.players.close();
        self.players.wait().await;
        self.written.cancel();
        self.writers.close();
        self.writers.wait().await;
        if self.cluster.is_several() && !self.gone.is_cancelled() {
            self.release().await;
        }
    }

    /// Stops what runs in the background, waits for it, and closes the database.
    pub async fn close(&self) {
        self.hand_over().await;
        self.gone.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.db.close().await;
    }
}

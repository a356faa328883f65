//! What lasts and who may: accounts, the queue, matches, ratings, with their SQL.
//!
//! One file for each thing people would name, holding its types, its rules and its SQL together.
//! The doors (`api`, `webapp`, `bot`) only ask; every call says who acts, and what may be done is
//! decided here.

#![warn(missing_docs)]

mod accounts;
mod audit;
mod bus;
mod cache;
mod cards;
mod carriers;
mod clock;
mod cluster;
mod computers;
mod cursor;
mod db;
mod devices;
mod errands;
mod error;
mod identities;
mod ids;
mod init_data;
mod journal;
mod known;
mod limits;
mod lobby;
mod mail;
mod matches;
mod merging;
mod metrics;
mod moderation;
mod names;
mod oidc;
mod once;
mod options;
mod outbox;
mod pairing;
mod passwords;
mod people;
mod presence;
mod profiles;
mod queue;
mod ratings;
mod recovery;
mod replays;
mod reports;
mod rooms;
mod sessions;
mod shared;
mod sign_in;
mod staff;
mod telegram;
mod telegram_links;
#[cfg(test)]
mod three_seats;
mod tickets;
mod turns;

use std::{
    future::Future,
    ops::Deref,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use accounts::{Language, NewAccount, PublicUser, Role, User};
pub use audit::{Actor, AuditFilter, AuditKind, AuditLine, AuditPage};
pub use cards::{Card, CardPlace, CardPlayer, CardStage, GroupPlayer, Joined, MatchCard, NewCard};
pub use carriers::Carrier;
pub use clock::{Clock, Millis, Moment};
pub use computers::{NewComputerMatch, Opponent};
pub use devices::MySession;
pub use errands::Errand;
pub use error::{Error, FieldError, Refused, Result, Why};
pub use identities::{Linking, MyEmail, MyWay, MyWays, Way};
pub use ids::{
    AuditId, CardId, MatchId, MergeId, NotAnId, ReportId, RoomId, SanctionId, SessionId, UserId,
};
pub use init_data::{InitData, NotInitData, TelegramUser};
pub use limits::{Limited, Quota, Use};
pub use lobby::{LobbyChair, LobbyMessage, Place, QueueUpdate};
pub use matches::{MatchInfo, MatchPlayer};
pub use merging::MergeOffer;
pub use moderation::{NewSanction, PersonFile, Sanction, SanctionKind};
pub use oidc::{Answer, Handoff, HandoffResult, Returned, Visit};
pub use once::RequestKey;
pub use options::{Options, Secret};
pub use outbox::{Letter, Notice};
pub use people::{
    Ask, Friend, FriendRequest, Friends, Invitation, Notification, Presence, PresenceUpdate, Shun,
    Shunned,
};
pub use profiles::{
    GameRating, GameStats, History, PastMatch, PastPlayer, Profile, Stats, TopList, TopPlayer,
};
pub use queue::{Matched, QueueStatus, Queued, Side};
pub use ratings::{RATED_GAMES_MAX, Rating, Score};
pub use recovery::{NewPassword, ResetBy};
pub use replays::{BadReplay, Replay};
pub use reports::{NewReport, Report, ReportFilter, ReportReason, Reports, Verdict};
pub use rooms::{
    ListedRoom, NewRoom, Parting, RoomChat, RoomInfo, RoomLine, RoomMember, RoomScore, RoomSeats,
    RoomUpdate, RoomView,
};
pub use sessions::{Device, Principal, Session};
pub use sign_in::SignInOptions;
pub use telegram::{NoticeSettings, Reach, Topic};
pub use telegram_links::TelegramLink;
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
    /// The same, for what waits behind no request: see [`db::Db::vital`].
    vital: db::Db,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    pub(crate) keys: sessions::Keys,
    pub(crate) known: known::Known,
    pub(crate) hashing: passwords::Hashing,
    pub(crate) providers: oidc::Providers,
    pub(crate) mail: Option<mail::Mail>,
    /// Lost passwords that are being helped with.
    pub(crate) looking: Arc<Semaphore>,
    pub(crate) ended: sessions::Ended,
    pub(crate) tickets: tickets::Tickets,
    pub(crate) lobby: lobby::Lobby,
    pub(crate) presences: people::Presences,
    pub(crate) bus: bus::Bus,
    pub(crate) limits: limits::Limits,
    pub(crate) cache: cache::Cache,
    pub(crate) cluster: cluster::Cluster,
    pub(crate) relay: cluster::Relay,
    pub(crate) queue: queue::Queue,
    pub(crate) live: matches::Live,
    /// How links lead into the Mini App, once the bot knows.
    pub(crate) app_link: OnceLock<String>,
    /// Something came into the outbox.
    pub(crate) letters: Notify,
    pub(crate) carrier: carriers::LastCarrier,
    pub(crate) bot: errands::Bot,
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
        let me = cluster::new_process(&options);
        let db = db::Db::open_as(&cluster::connections_of(me), &options.database_url).await?;
        db.migrate().await?;
        let keys = sessions::Keys::open(&db, &options).await?;
        let providers = oidc::Providers::new(&options)?;
        let mail = mail::Mail::open(&options)?;
        let known = known::Known::open(&db).await?;
        let name = sessions::kept_secret(&db, "arena").await?;
        let (bus, ends) = bus::Bus::new(options.redis_url.as_ref(), &name[..16])?;
        let shared = bus.redis("shared").map(|it| Arc::new(shared::Shared::new(it)));
        let (journal, lines) = mpsc::channel(journal::LINES_MAX);
        let arena = Arena(Arc::new(Inner {
            journal,
            written: CancellationToken::new(),
            writers: TaskTracker::new(),
            gone: CancellationToken::new(),
            cluster: cluster::Cluster::new(me, &options),
            relay: cluster::Relay::default(),
            players: TaskTracker::new(),
            hashing: passwords::Hashing::new(),
            looking: Arc::new(Semaphore::new(recovery::LOOKING_MAX)),
            ended: sessions::Ended::default(),
            tickets: tickets::Tickets::default(),
            lobby: lobby::Lobby::default(),
            presences: people::Presences::default(),
            queue: queue::Queue::default(),
            app_link: OnceLock::new(),
            letters: Notify::new(),
            carrier: carriers::LastCarrier::default(),
            bot: errands::Bot::default(),
            live: matches::Live::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            limits: limits::Limits::new(&known, shared.clone()),
            cache: cache::Cache::new(shared),
            bus,
            vital: db.vital(),
            db,
            clock,
            options,
            keys,
            providers,
            mail,
            known,
        }));
        arena.tasks.spawn(place.keep(arena.options.clone(), arena.gone.clone()));
        arena.keep_missing_looks().await.map_err(|it| anyhow::anyhow!(it.report()))?;
        if let Some(ends) = ends {
            ends.start(&arena);
            arena.start_beating().await?;
            arena.tasks.spawn(arena.clone().run_takeovers());
        }
        let writer = journal::write(arena.clone(), lines, arena.written.clone());
        arena.writers.spawn(writer);
        arena.tasks.spawn(arena.clone().run_matcher());
        arena.every(HEAR_EVERY, "Ended sessions are not heard of", Arena::hear_of_ended_sessions);
        arena.every(HEAR_EVERY, "New keys are not heard of", Arena::hear_of_keys);
        arena.every(SWEEP_EVERY, "Old sessions are not swept", Arena::sweep_sessions);
        arena.every(SWEEP_EVERY, "Old sign-ins are not swept", Arena::sweep_flows);
        arena.every(SWEEP_EVERY, "Old answers are not swept", Arena::sweep_answers);
        arena.every(limits::FORGET_EVERY, "Limits are not swept", Arena::forget_limits);
        arena.every(cache::PAY_EVERY, "Caches are not emptied", Arena::pay_caches);
        arena.every(presence::SAY_EVERY, "Nobody knows who is here", Arena::say_who_is_here);
        arena.every(rooms::TEND_EVERY, "Rooms are not tended", Arena::tend_rooms);
        let announce = Arena::announce_presences;
        arena.every(people::ANNOUNCE_EVERY, "Friends don't hear of each other", announce);
        arena.every(SWEEP_EVERY, "The old audit is not swept", Arena::sweep_audit);
        arena.every(SWEEP_EVERY, "Old letters are not swept", Arena::sweep_letters);
        arena.every(turns::LOOK_EVERY, "Nobody is told of their turn", Arena::tell_turns);
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

    /// Copies the SQLite file to a new one, whole and of one moment, also while a server runs on
    /// it.
    ///
    /// # Errors
    /// When it is no SQLite file, can't be read, or `to` is there already.
    pub async fn backup(options: &Options, to: &Path) -> anyhow::Result<()> {
        db::backup(&options.database_url, to).await
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
        self.vital.close().await;
    }
}

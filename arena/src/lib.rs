//! What lasts and who may: accounts, the queue, matches, ratings, with their SQL.
//!
//! One file for each thing people would name, holding its types, its rules and its SQL together.
//! The doors (`api`, `webapp`, `bot`) only ask; every call says who acts, and what may be done is
//! decided here.

#![warn(missing_docs)]

mod accounts;
mod bus;
mod clock;
mod db;
mod error;
mod ids;
mod init_data;
mod lobby;
mod matches;
mod options;
mod passwords;
mod profiles;
mod queue;
mod ratings;
mod sessions;
mod tickets;

use std::{ops::Deref, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use accounts::{Language, NewAccount, PublicUser, Role, User};
pub use clock::{Clock, Millis, Moment};
pub use error::{Error, FieldError, Refused, Result, Why};
pub use ids::{MatchId, NotAnId, SessionId, UserId};
pub use init_data::{InitData, NotInitData, TelegramUser};
pub use lobby::{LobbyChair, LobbyMessage};
pub use options::Options;
pub use queue::{Queued, QueueStatus};
pub use sessions::{Device, Principal, Session};
pub use tickets::Ticket;

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
    pub(crate) tickets: tickets::Tickets,
    pub(crate) lobby: lobby::Lobby,
    /// Cancelled once, when the server is asked to stop.
    pub(crate) closing: CancellationToken,
    /// Every task of the arena: `close` waits for them.
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
    /// When the database can't be opened or migrated.
    pub async fn open(options: Options, clock: Clock) -> anyhow::Result<Arena> {
        let db = db::Db::open(&options.database_url).await?;
        db.migrate().await?;
        let keys = sessions::Keys::open(&db, &options).await?;
        let arena = Arena(Arc::new(Inner {
            hashing: passwords::Hashing::new(),
            tickets: tickets::Tickets::default(),
            lobby: lobby::Lobby::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            db,
            clock,
            options,
            keys,
        }));
        Ok(arena)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }
}

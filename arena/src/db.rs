//! One SQL text, two typed pools.
//!
//! `on!` writes a body out twice, once for each driver, so both are checked by the compiler and
//! neither pays for the other. Both databases read the portable subset described in
//! `migrations/README.md`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{
    Connection, Executor, PgPool, SqliteConnection, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
        SqliteTransactionManager,
    },
};
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use crate::UserId;

/// A database that a later version has migrated serves this one: see `migrations/README.md`.
static MIGRATIONS: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!("../migrations") };

/// Memory for pages of the SQLite file.
const CACHE_KIB: u32 = 8 * 1024;
/// Pages of 4 KiB that the write-ahead log holds before they are copied into the file.
const WAL_PAGES: u32 = 8_000;
/// How long a caller waits for a connection before the answer is "try again".
const ACQUIRE_MAX: Duration = Duration::from_millis(2_500);
/// How long PostgreSQL may take to say that a connection is in order when it is used no more.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const CONNECTIONS_MAX: u32 = 16;
/// Those of [`Db::vital`]: one each.
const VITAL_MAX: u32 = 3;
/// A process that stands still gives up what it holds in PostgreSQL as its lease lapses: whoever
/// takes over its matches would wait for it otherwise, and so would everybody who wants to play.
const GIVE_UP: &str = "set idle_in_transaction_session_timeout = '1500ms'";

/// The open database; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one body against whichever database is open, and times it: `on!(db, pool => …)`.
macro_rules! on {
    ($db:expr, $pool:ident => $body:expr) => {{
        let _timer = $crate::metrics::sql(module_path!());
        match &$db {
            $crate::db::Db::Sqlite($pool) => $body,
            $crate::db::Db::Postgres($pool) => $body,
        }
    }};
}
pub(crate) use on;

/// Gives the connections of both drivers, and so their transactions, the same methods from one
/// text: `on_both! { impl Trait { … } }`. For steps that several transactions share.
macro_rules! on_both {
    (impl $Trait:ident { $($methods:tt)* }) => {
        impl $Trait for sqlx::SqliteConnection { $($methods)* }
        impl $Trait for sqlx::PgConnection { $($methods)* }
    };
}
pub(crate) use on_both;

/// Transactions about the same people take turns.
pub(crate) trait Turns {
    /// Waits until no other transaction has these people, and keeps them until this one ends.
    ///
    /// Whoever changes what must agree about a person across rows (waiting or playing, a rating
    /// and its statistics) calls this first and once, with everybody concerned: the people are
    /// taken in order of their ids, so that no two transactions can wait for each other.
    async fn take_turns(&mut self, users: &[UserId]) -> sqlx::Result<()>;
}

impl Turns for sqlx::SqliteConnection {
    /// `begin immediate` has the whole database already.
    async fn take_turns(&mut self, _users: &[UserId]) -> sqlx::Result<()> {
        Ok(())
    }
}

impl Turns for sqlx::PgConnection {
    async fn take_turns(&mut self, users: &[UserId]) -> sqlx::Result<()> {
        let mut users = users.to_vec();
        users.sort_unstable();
        users.dedup();
        for user in users {
            sqlx::query("select pg_advisory_xact_lock($1)").bind(user).execute(&mut *self).await?;
        }
        Ok(())
    }
}

/// How many connections to a database there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    pub(crate) open: u32,
    /// Of these, nobody uses so many.
    pub(crate) idle: u32,
    pub(crate) max: u32,
}

/// Copies a SQLite file to a new one; see [`Arena::backup`](crate::Arena::backup).
pub(crate) async fn backup(url: &str, to: &Path) -> anyhow::Result<()> {
    if is_postgres(url) {
        bail!("DATABASE_URL is PostgreSQL's: pg_dump backs it up, see docs/deploy.md");
    }
    let to = to.to_str().context("the copy's name is not UTF-8")?;
    let options = url.parse::<SqliteConnectOptions>()?.create_if_missing(false);
    let mut file = SqliteConnection::connect_with(&options)
        .await
        .context("opening the SQLite file of DATABASE_URL")?;
    sqlx::query("vacuum into $1").bind(to).execute(&mut file).await.context("copying it")?;
    Ok(file.close().await?)
}

/// Sees to it that a connection is in no transaction when the next is to have it.
///
/// When a write fails for want of room, SQLite rolls back by itself. The rollback that the driver
/// sends then fails, since there is nothing left to roll back, and it goes on counting the
/// transaction as open: it would begin no other ever again. So it is given one to roll back.
async fn mend(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // The rollback of a transaction that was dropped may still be on its way.
        connection.ping().await?;
    }
    if connection.is_in_transaction() {
        // Where there is one after all, this fails and the next does not.
        let _ = sqlx::query("begin").execute(&mut *connection).await;
        SqliteTransactionManager::rollback(connection).await?;
    }
    Ok(true)
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

impl Db {
    /// Opens `sqlite://…` or `postgres://…` without changing what is in it.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Db> {
        Db::open_as("artel", url).await
    }

    /// The same, under a name by which others on PostgreSQL know our connections.
    pub(crate) async fn open_as(name: &str, url: &str) -> anyhow::Result<Db> {
        if is_postgres(url) {
            let options: PgConnectOptions =
                url.parse().context("reading the database's address")?;
            let pool = PgPoolOptions::new()
                .max_connections(CONNECTIONS_MAX)
                .acquire_timeout(ACQUIRE_MAX)
                .after_connect(|connection, _| {
                    Box::pin(async { connection.execute(GIVE_UP).await.map(drop) })
                })
                // Else what nobody answers any more counts as used until TCP gives it up, which
                // takes a quarter of an hour.
                .after_release(|connection, _| {
                    Box::pin(async {
                        let answered = timeout(ANSWER_WITHIN, connection.ping()).await;
                        Ok(matches!(answered, Ok(Ok(()))))
                    })
                })
                .connect_with(options.application_name(name))
                .await
                .context("opening PostgreSQL")?;
            return Ok(Db::Postgres(pool));
        }
        let options = url
            .parse::<SqliteConnectOptions>()
            .context("reading the database's address")?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With a write-ahead log, NORMAL survives the death of the process; only the last
            // commits before a power cut may be missing, never half of one.
            .synchronous(SqliteSynchronous::Normal)
            // Each live match writes to the same few pages of the journal again and again: they
            // stay in memory, and many such writes are copied into the file as one.
            .pragma("cache_size", format!("-{CACHE_KIB}"))
            .pragma("wal_autocheckpoint", WAL_PAGES.to_string())
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        // SQLite has one writer at a time, and whoever waits for the file's lock sleeps and tries
        // again in no order, until the unlucky give up. With one connection all wait for the pool,
        // in line, and nobody starves. It is kept for ever: an in-memory database goes with it.
        let pool =
            SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.after_release(|connection, _| Box::pin(mend(connection)));
        // It can't be lost, as one over a network can; but who gives up waiting for the answer to a
        // test of it would throw it away.
        let pool = pool.test_before_acquire(false);
        let pool = pool.acquire_timeout(ACQUIRE_MAX).connect_with(options).await;
        Ok(Db::Sqlite(pool.context("opening the SQLite file")?))
    }

    /// The same database for the journal, for beats and for takeovers, which wait behind nobody: by
    /// connections of their own, where there can be more than one.
    pub(crate) fn vital(&self) -> Db {
        match self {
            Db::Sqlite(pool) => Db::Sqlite(pool.clone()),
            Db::Postgres(pool) => {
                let options = pool.options().clone().max_connections(VITAL_MAX);
                Db::Postgres(options.connect_lazy_with((*pool.connect_options()).clone()))
            }
        }
    }

    /// The file of a SQLite database; none where there is none.
    pub(crate) fn file(url: &str) -> anyhow::Result<Option<PathBuf>> {
        if !url.starts_with("sqlite:") {
            return Ok(None);
        }
        let options: SqliteConnectOptions =
            url.parse().context("reading the database's address")?;
        let file = options.get_filename().to_owned();
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        Ok((!in_memory).then_some(file))
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        on!(self, pool => MIGRATIONS.run(pool).await).context("migrating the database")
    }

    pub(crate) fn connections(&self) -> Connections {
        let (open, idle, max) = match self {
            Db::Sqlite(it) => (it.size(), it.num_idle(), it.options().get_max_connections()),
            Db::Postgres(it) => (it.size(), it.num_idle(), it.options().get_max_connections()),
        };
        Connections { open, idle: idle as u32, max }
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        on!(self, pool => sqlx::query("select 1").execute(pool).await.map(drop))
    }

    pub(crate) async fn close(&self) {
        on!(self, pool => pool.close().await);
    }

    /// How a transaction that will write must begin: `pool.begin_with(db.begin())`.
    ///
    /// SQLite fails at once, whatever its timeout, when a transaction that began by reading turns
    /// to writing after another has written; so ours take the write lock from the start.
    pub(crate) fn begin(&self) -> &'static str {
        match self {
            Db::Sqlite(_) => "begin immediate",
            Db::Postgres(_) => "begin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who gives up waiting for an answer keeps nobody else from the connection's place.
    #[tokio::test]
    async fn a_connection_without_an_answer_is_given_up() {
        let Ok(url) = std::env::var("ARTEL_TEST_POSTGRES") else { return };
        let db = Db::open(&url).await.unwrap().vital();
        let Db::Postgres(pool) = &db else { panic!("it is no PostgreSQL") };
        for _ in 0..VITAL_MAX {
            let mut connection = pool.acquire().await.unwrap();
            let sleep = sqlx::query("select pg_sleep(30)").execute(&mut *connection);
            timeout(Duration::from_millis(50), sleep).await.unwrap_err();
        }
        let asked = std::time::Instant::now();
        while pool.acquire().await.is_err() {
            assert!(asked.elapsed() < Duration::from_secs(20), "all places are taken");
        }
    }

    /// Whoever stands still in the middle of a transaction keeps nobody waiting for long.
    #[tokio::test]
    async fn a_transaction_that_stands_still_is_given_up() {
        let Ok(url) = std::env::var("ARTEL_TEST_POSTGRES") else { return };
        let db = Db::open(&url).await.unwrap();
        let Db::Postgres(pool) = &db else { panic!("it is no PostgreSQL") };
        let key = rand::random::<i64>();
        let take = async |tx: &mut sqlx::PgConnection| {
            let lock = sqlx::query("select pg_advisory_xact_lock($1)").bind(key);
            tokio::time::timeout(Duration::from_secs(20), lock.execute(tx)).await
        };
        let (mut still, mut next) = (pool.begin().await.unwrap(), pool.begin().await.unwrap());
        take(&mut still).await.unwrap().unwrap();
        take(&mut next).await.expect("it is never given up").unwrap();
        let late = crate::Error::from(still.commit().await.unwrap_err());
        assert!(matches!(late, crate::Error::Refused(it) if it.code == "unavailable"));
    }
}

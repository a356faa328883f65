//! That a process is alone where it must be: on a SQLite file, and on PostgreSQL without Redis.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{Connection, PgConnection};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{Options, db::Db};

/// How long a process that ended may take until PostgreSQL knows: its successor waits.
const SUCCESSION: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often the connection that holds the place is looked after.
const TEND_EVERY: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Ours among PostgreSQL's advisory locks of two numbers; the other is that of the schema.
const LOCKS: i32 = 0x6172_7465;

/// A place at a database: whoever has it, has it alone or with those who know how to share it. It
/// is given up when this is dropped, and when the process dies.
pub(crate) enum Place {
    /// Nobody else can see it.
    InMemory,
    /// The lock of a file beside the SQLite file.
    File(#[expect(dead_code, reason = "holding it is its use")] File),
    /// A connection that holds an advisory lock.
    Connection(PgConnection),
}

/// Says what can't be.
///
/// # Errors
/// Redis beside SQLite.
pub(crate) fn check(options: &Options) -> anyhow::Result<()> {
    if options.redis_url.is_some() && options.database_url.starts_with("sqlite:") {
        bail!(
            "REDIS_URL is set beside SQLite, which serves one process alone: unset REDIS_URL, or \
             set DATABASE_URL to a PostgreSQL that the processes share"
        );
    }
    Ok(())
}

impl Place {
    /// Takes a place at the database.
    ///
    /// # Errors
    /// When another process is there that can't share it.
    pub(crate) async fn take(options: &Options) -> anyhow::Result<Place> {
        match Db::file(&options.database_url)? {
            Some(file) => file_place(file),
            None if options.database_url.starts_with("sqlite:") => Ok(Place::InMemory),
            None => {
                let wait = async {
                    loop {
                        if let Some(connection) = lock(options).await? {
                            return anyhow::Ok(connection);
                        }
                        sleep(LOOK_EVERY).await;
                    }
                };
                match timeout(SUCCESSION, wait).await {
                    Ok(connection) => Ok(Place::Connection(connection?)),
                    Err(_) if options.redis_url.is_none() => bail!(
                        "another process serves this database already: to run several, set the \
                         same REDIS_URL for all of them"
                    ),
                    Err(_) => bail!(
                        "a process without REDIS_URL serves this database, and so must be alone: \
                         stop it, or start it again with this REDIS_URL"
                    ),
                }
            }
        }
    }

    /// Keeps the place until it is given up. A lost connection is replaced; if somebody else has
    /// taken the place meanwhile, what we write is fenced out, and the log says why.
    pub(crate) async fn keep(self, options: Options, given_up: CancellationToken) {
        let Place::Connection(mut connection) = self else {
            return given_up.cancelled().await;
        };
        while given_up.run_until_cancelled(sleep(TEND_EVERY)).await.is_some() {
            if let Ok(Ok(())) = timeout(ANSWER_WITHIN, connection.ping()).await {
                continue;
            }
            match timeout(ANSWER_WITHIN, lock(&options)).await {
                Ok(Ok(Some(new))) => connection = new,
                Ok(Ok(None)) => {
                    tracing::error!("Another process has taken this database: stop one of them");
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        // It is of no more use, however it ends.
        let _ = timeout(ANSWER_WITHIN, connection.close()).await;
    }
}

/// The lock of one process is on a file of its own: closing any handle on SQLite's own file would
/// undo SQLite's locks.
fn file_place(database: PathBuf) -> anyhow::Result<Place> {
    // By whatever name it is called. One that is not there yet is made under its own.
    let database = database.canonicalize().unwrap_or(database);
    let mut path = database.clone().into_os_string();
    path.push("-lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Place::File(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "another process serves {} already, and SQLite serves one: stop it, or use PostgreSQL \
             and Redis to run several",
            database.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// A connection that holds our lock: shared where there may be several. None when it is taken.
async fn lock(options: &Options) -> anyhow::Result<Option<PgConnection>> {
    let sql = match options.redis_url {
        None => "select pg_try_advisory_lock($1, hashtext(current_schema()))",
        Some(_) => "select pg_try_advisory_lock_shared($1, hashtext(current_schema()))",
    };
    let mut connection =
        PgConnection::connect(&options.database_url).await.context("opening PostgreSQL")?;
    let taken: Option<bool> =
        sqlx::query_scalar(sql).bind(LOCKS).fetch_one(&mut connection).await?;
    if taken == Some(true) {
        return Ok(Some(connection));
    }
    connection.close().await?;
    Ok(None)
}

//! Who delivers what Telegram has to be told, and who listens to it: the bots of all processes.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    Arena, Result,
    clock::millis,
    db::{Db, on},
};

/// How often a carrier says that it is there.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// A carrier that was not heard of for so long is gone.
pub(crate) const SILENT_MAX: Duration = Duration::from_secs(10);

/// Whoever delivers letters, for as long as they say that they are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier(pub(crate) i64);

/// The carrier of this process that came last.
#[derive(Default)]
pub(crate) struct LastCarrier(Mutex<Option<i64>>);

impl Arena {
    /// A new carrier. What those before it have left is free: on SQLite all of it, on PostgreSQL
    /// that of this process.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new_carrier(&self) -> Result<Carrier> {
        // Never 0, which is nobody.
        let id = rand::random_range(1..=i64::MAX);
        let before = self.carrier.0.lock().unwrap_or_else(PoisonError::into_inner).replace(id);
        let alone = matches!(self.db, Db::Sqlite(_));
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            sqlx::query("delete from carriers where id = $1 or $2 or seen_at <= $3")
                .bind(before)
                .bind(alone)
                .bind(now - millis(SILENT_MAX))
                .execute(&mut *tx)
                .await?;
            sqlx::query("insert into carriers (id, seen_at) values ($1, $2)")
                .bind(id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        });
        Ok(Carrier(id))
    }

    /// Says now and then that a carrier is there, for as long as this is awaited.
    pub async fn keep_carrier(&self, carrier: Carrier) {
        loop {
            tokio::time::sleep(BEAT_EVERY).await;
            if let Err(error) = self.carrier_is_there(carrier).await {
                tracing::error!(error = error.report(), "A carrier is not heard");
            }
        }
    }

    /// Whether a carrier is the one that listens to Telegram: of those who are there, one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listens(&self, carrier: Carrier) -> Result<bool> {
        if !self.cluster.is_several() {
            return Ok(true);
        }
        let before: i64 = on!(self.db, pool => {
            sqlx::query_scalar("select count(*) from carriers where id < $1 and seen_at > $2")
                .bind(carrier.0)
                .bind(self.clock.now() - millis(SILENT_MAX))
                .fetch_one(pool)
                .await
        })?;
        Ok(before == 0)
    }

    /// A carrier is going: others may have at once what it leaves.
    ///
    /// # Errors
    /// When the database does not answer: then they have it when they miss it.
    pub async fn carrier_leaves(&self, carrier: Carrier) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query("delete from carriers where id = $1")
                .bind(carrier.0)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// A carrier is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn carrier_is_there(&self, carrier: Carrier) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            // Also when others took it for dead meanwhile: what it holds still it goes on with.
            sqlx::query(
                "insert into carriers (id, seen_at) values ($1, $2)
                 on conflict (id) do update set seen_at = excluded.seen_at",
            )
            .bind(carrier.0)
            .bind(now)
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }
}

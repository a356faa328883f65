//! Who runs which match: a row of `owners`, whose fence grows each time that the match changes
//! hands. What is written of a match is written under its fence or not at all, so that an owner
//! that was only slow finds out and lets go.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt, stream};
use sqlx::{PgConnection, PgPool};
use tokio::time::{sleep, timeout};

use super::{SILENT, connections_of};
use crate::{
    Arena, MatchId, Result,
    bus::{ProcessId, To, Word},
    db::{Db, on_both},
    metrics::{self, METRICS},
};

/// How often a process looks for matches that nobody runs, besides when it hears of some.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// So many looks go by between those for what is rare.
const RARELY: u32 = 8;
/// Matches that are taken in one go: so few that others get their share.
const SHARE: i64 = 16;
/// How long PostgreSQL may take to hand over a share.
const TAKE_WITHIN: Duration = Duration::from_secs(5);
const RELEASE_WITHIN: Duration = Duration::from_secs(1);
/// How long after its end it is known who ran a match.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// Who runs a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Owner {
    /// 0 for nobody.
    pub(crate) process: ProcessId,
    pub(crate) fence: i64,
}

/// Owners within a transaction.
pub(crate) trait OwnerRows {
    /// Puts down who runs a match that was just inserted; 0 where there is one process.
    async fn own(&mut self, id: MatchId, process: ProcessId) -> sqlx::Result<()>;

    /// Whether `owner` runs a match; if so, nobody takes it until this transaction ends.
    async fn hold_owner(&mut self, id: MatchId, owner: Owner) -> sqlx::Result<bool>;
}

on_both! { impl OwnerRows {
    async fn own(&mut self, id: MatchId, process: ProcessId) -> sqlx::Result<()> {
        if process != 0 {
            sqlx::query("insert into owners (match_id, process, fence) values ($1, $2, 1)")
                .bind(id)
                .bind(process)
                .execute(self)
                .await?;
        }
        Ok(())
    }

    async fn hold_owner(&mut self, id: MatchId, owner: Owner) -> sqlx::Result<bool> {
        if owner.process == 0 {
            return Ok(true);
        }
        let held: Option<i64> = sqlx::query_scalar(
            "select fence from owners where match_id = $1 and process = $2 and fence = $3
             for share",
        )
        .bind(id)
        .bind(owner.process)
        .bind(owner.fence)
        .fetch_optional(self)
        .await?;
        Ok(held.is_some())
    }
} }

impl Arena {
    /// Takes every unfinished match, for a process that is alone.
    pub(crate) async fn take_all(&self) -> Result<()> {
        let Db::Postgres(pool) = &self.db else { return Ok(()) };
        sqlx::query(
            "insert into owners (match_id, process, fence)
             select id, $1, 1 from matches where status <> 'finished'
             on conflict (match_id) do update set process = $1, fence = owners.fence + 1",
        )
        .bind(self.cluster.me)
        .execute(pool)
        .await?;
        Ok(())
    }

    /// Takes the matches that nobody runs, until the arena closes.
    pub(crate) async fn run_takeovers(self) {
        let Db::Postgres(pool) = self.vital.clone() else { return };
        let (mut looks, mut up) = (0, true);
        loop {
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = self.cluster.free.notified() => {}
                // So that processes that saw the same don't all ask in the same order.
                () = sleep(LOOK_EVERY.mul_f64(rand::random_range(0.7..1.0))) => {}
            }
            let mut silent = self.cluster.watch().silent(SILENT);
            silent.retain(|it| it.0 != self.cluster.me);
            for &(process, _) in &silent {
                self.relay.lose(process);
            }
            // Without a lease we could not tell anybody what happens in them.
            if !self.cluster.lease.holds() {
                continue;
            }
            let taken = self.take_over(&pool, &silent, looks % RARELY == 0).await;
            if let (Err(error), true) = (&taken, up) {
                tracing::warn!(error = error.report(), "Matches without an owner are not taken");
            }
            up = taken.is_ok();
            looks += 1;
        }
    }

    async fn take_over(
        &self,
        pool: &PgPool,
        silent: &[(ProcessId, Option<i64>)],
        rarely: bool,
    ) -> Result<()> {
        for &(from, beat) in silent.iter().chain([&(0, None)]) {
            self.take_from(pool, from, beat).await?;
        }
        if !rarely {
            return Ok(());
        }
        // Those of processes that nobody lists any more.
        let gone: Vec<ProcessId> = sqlx::query_scalar(
            "select distinct o.process from owners o join matches m on m.id = o.match_id
             where m.status <> 'finished' and o.process <> 0
               and not exists (select 1 from processes p where p.id = o.process)",
        )
        .fetch_all(pool)
        .await?;
        for from in gone {
            self.take_from(pool, from, None).await?;
        }
        for &(process, beat) in silent {
            self.strike_off(pool, process, beat).await?;
        }
        self.open_ours(pool).await
    }

    /// Takes the matches of a process that is silent since `beat`, share by share.
    async fn take_from(&self, pool: &PgPool, from: ProcessId, beat: Option<i64>) -> Result<()> {
        if from != 0 {
            // Its matches are taken all the same, though later where it keeps locks.
            match timeout(TAKE_WITHIN, end_connections(pool, from, beat)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!("What it has begun goes on: {error}"),
                Err(_) => tracing::debug!("What it has begun goes on: no answer"),
            }
        }
        while !self.closing.is_cancelled() {
            let taken = timeout(TAKE_WITHIN, take_share(pool, self.cluster.me, from, beat)).await;
            let taken = taken.map_err(anyhow::Error::from)??;
            if taken.is_empty() {
                return Ok(());
            }
            tracing::info!(process = from, "Took over {} matches", taken.len());
            METRICS.takeovers.inc_by(taken.len() as u64);
            let opened = stream::iter(&taken).for_each_concurrent(None, |&id| self.open_match(id));
            opened.await;
            let ids = taken.iter().map(|it| it.0).collect();
            self.bus.say(To::All, &Word::Taken { ids });
        }
        Ok(())
    }

    /// Opens those of ours that do not run: their opening was interrupted.
    async fn open_ours(&self, pool: &PgPool) -> Result<()> {
        let ours: Vec<(MatchId, i64)> = sqlx::query_as(
            "select o.match_id, o.fence from owners o join matches m on m.id = o.match_id
             where o.process = $1 and m.status <> 'finished' and m.created_at < $2",
        )
        .bind(self.cluster.me)
        // Whoever just inserted one opens it.
        .bind(self.clock.now() - 2_000)
        .fetch_all(pool)
        .await?;
        for (id, fence) in ours {
            if !self.live.runs(id, fence) {
                self.open_match(id).await;
            }
        }
        Ok(())
    }

    /// Forgets a process that has died and has no matches left.
    async fn strike_off(&self, pool: &PgPool, process: ProcessId, beat: Option<i64>) -> Result<()> {
        let struck = sqlx::query(
            "delete from processes where id = $1 and beat = $2 and not exists (
                 select 1 from owners o join matches m on m.id = o.match_id
                 where o.process = $1 and m.status <> 'finished')",
        )
        .bind(process)
        .bind(beat)
        .execute(pool)
        .await?;
        if struck.rows_affected() > 0 {
            // It may have changed something and had no time to say so.
            self.cache.forget_all();
        }
        if struck.rows_affected() > 0 || beat.is_none() {
            self.forget_beats(process).await;
        }
        Ok(())
    }

    async fn forget_beats(&self, process: ProcessId) {
        let Some((mut connection, key)) = self.bus.redis("beats") else { return };
        let mut forget = redis::cmd("HDEL");
        forget.arg(key).arg(process);
        let forgotten = timeout(RELEASE_WITHIN, forget.query_async::<i64>(&mut connection)).await;
        if !matches!(forgotten, Ok(Ok(_))) {
            tracing::debug!(process, "Redis still lists a process that is gone");
        }
    }

    /// Lets go of all matches, whose journals are written: others take them at once.
    pub(crate) async fn release(&self) {
        let Db::Postgres(pool) = &self.vital else { return };
        let me = self.cluster.me;
        let release = async {
            sqlx::query(
                "update owners set process = 0, fence = fence + 1
                 where process = $1
                   and match_id in (select id from matches where status <> 'finished')",
            )
            .bind(me)
            .execute(pool)
            .await?;
            self.bus.say(To::All, &Word::Free);
            self.cache.pay().await;
            // What is still owed is paid by whoever finds us dead.
            let leaves = !self.cache.owes();
            if leaves {
                sqlx::query("delete from processes where id = $1").bind(me).execute(pool).await?;
            }
            anyhow::Ok(leaves)
        };
        match timeout(RELEASE_WITHIN, release).await {
            Ok(Ok(true)) => self.forget_beats(me).await,
            Ok(Ok(false)) => {}
            // They are taken over as if we had died.
            Ok(Err(error)) => tracing::warn!("Others find our matches when we are gone: {error}"),
            Err(_) => tracing::warn!("Others find our matches when we are gone"),
        }
    }

    /// Forgets who ran the matches that are long over.
    pub(crate) async fn sweep_owners(self) -> Result<()> {
        let Db::Postgres(pool) = &self.db else { return Ok(()) };
        sqlx::query(
            "delete from owners where match_id in (
                 select o.match_id from owners o join matches m on m.id = o.match_id
                 where m.status = 'finished' and m.finished_at < $1)",
        )
        .bind(self.clock.now() - crate::clock::millis(KEPT))
        .execute(pool)
        .await?;
        Ok(())
    }

    /// Lets go of every match that another process has taken: `ours` are those that none has.
    pub(super) fn keep_only(&self, running: Vec<(MatchId, i64)>, ours: &HashMap<MatchId, i64>) {
        for (id, fence) in running {
            if ours.get(&id) != Some(&fence) {
                self.let_go(id, fence);
            }
        }
    }

    /// Another process runs this match now: its task here ends, and says nothing more.
    pub(crate) fn let_go(&self, id: MatchId, fence: i64) {
        if self.live.drop_match(id, fence) {
            tracing::warn!(r#match = %id, "Another process has taken over a match of ours");
        }
    }
}

/// Ends what a process has going on in PostgreSQL that has not beaten since `beat`, unless it has:
/// one that stands still keeps locks, for which others and in the end everybody would wait.
async fn end_connections(pool: &PgPool, of: ProcessId, beat: Option<i64>) -> sqlx::Result<()> {
    let _timer = metrics::sql(module_path!());
    let mut tx = pool.begin().await?;
    if last_beat(&mut tx, of).await? == beat {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = $1 and usename = current_user",
        )
        .bind(connections_of(of))
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}

/// Takes some matches of a process that has not beaten since `beat`, unless it has; answers which.
/// From 0, and from a process that is not listed, they are anybody's.
async fn take_share(
    pool: &PgPool,
    me: ProcessId,
    from: ProcessId,
    beat: Option<i64>,
) -> sqlx::Result<Vec<MatchId>> {
    let _timer = metrics::sql(module_path!());
    let mut tx = pool.begin().await?;
    if from != 0 && last_beat(&mut tx, from).await? != beat {
        return Ok(Vec::new());
    }
    let taken = sqlx::query_scalar(
        "update owners set process = $1, fence = fence + 1 where match_id in (
             select o.match_id from owners o join matches m on m.id = o.match_id
             where o.process = $2 and m.status <> 'finished'
             limit $3 for update of o skip locked)
         returning match_id",
    )
    .bind(me)
    .bind(from)
    .bind(SHARE)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(taken)
}

/// The last beat of a process, which can't beat until this transaction ends.
async fn last_beat(tx: &mut PgConnection, process: ProcessId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select beat from processes where id = $1 for share")
        .bind(process)
        .fetch_optional(tx)
        .await
}

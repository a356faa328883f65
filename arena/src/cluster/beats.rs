//! A process says that it lives, and sees who else does.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use redis::aio::ConnectionManager;
use sqlx::PgPool;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    LEASE, SILENT,
    watch::{Look, Watch},
};
use crate::{Arena, MatchId, Millis, bus::ProcessId, db::Db, metrics};

/// How long Redis may take for a beat, and PostgreSQL: less than what makes the lease lapse.
const REDIS_WITHIN: Duration = Duration::from_millis(600);
const SQL_WITHIN: Duration = Duration::from_secs(1);
/// Beats go to PostgreSQL when Redis has taken none for so long: soon enough for the lease to hold.
const REDIS_DOUBT: Duration = Duration::from_millis(700);
/// How long a list of beats outlives the last of them in Redis.
const LIST_KEPT_MS: i64 = 60 * 60 * 1000;

/// When Redis last took a beat, in ms since `began`.
struct Taken {
    began: Instant,
    at: AtomicU64,
}

impl Arena {
    /// Beats, and sees others', until the arena is gone.
    pub(crate) async fn start_beating(&self) -> anyhow::Result<()> {
        let Db::Postgres(pool) = &self.vital else { return Ok(()) };
        let (pool, taken) = (pool.clone(), Taken { began: Instant::now(), at: AtomicU64::new(0) });
        sqlx::query("insert into processes (id, beat, machine, started_at) values ($1, 1, $2, $3)")
            .bind(self.cluster.me)
            .bind(&self.options.machine)
            .bind(self.clock.now())
            .execute(&pool)
            .await?;
        let number = AtomicI64::new(0);
        // Whoever opens the arena may use it at once.
        if let Some((mut connection, key)) = self.bus.redis("beats") {
            self.beat_in_redis(&mut connection, &key, &number, &taken).await;
        }
        self.look_at_sql(&pool, true).await?;
        let arena = self.clone();
        let beating = async move {
            let Some((mut connection, key)) = arena.bus.redis("beats") else { return };
            let in_redis = async {
                loop {
                    let asked = Instant::now();
                    arena.beat_in_redis(&mut connection, &key, &number, &taken).await;
                    sleep_until(arena.cluster.next_look(asked)).await;
                }
            };
            let in_sql = async {
                loop {
                    let asked = Instant::now();
                    let doubtful = taken.is_long_ago() || !arena.cluster.lease.holds();
                    // What failed is tried again at the next tick; the log says it once.
                    if let Err(error) = arena.look_at_sql(&pool, doubtful).await {
                        tracing::debug!("PostgreSQL did not show who lives: {error:#}");
                    }
                    sleep_until(arena.cluster.next_look(asked)).await;
                }
            };
            tokio::join!(in_redis, in_sql);
        };
        self.tasks.spawn(self.gone.clone().run_until_cancelled_owned(beating));
        Ok(())
    }

    async fn beat_in_redis(
        &self,
        connection: &mut ConnectionManager,
        key: &str,
        number: &AtomicI64,
        taken: &Taken,
    ) {
        let beat = number.fetch_add(1, Ordering::Relaxed) + 1;
        let mut pipe = redis::pipe();
        pipe.atomic()
            .cmd("HSET")
            .arg(key)
            .arg(self.cluster.me)
            .arg(beat)
            .ignore()
            .cmd("PEXPIRE")
            .arg(key)
            .arg(LIST_KEPT_MS)
            .ignore()
            .cmd("HGETALL")
            .arg(key);
        let asked = Instant::now();
        let _timer = metrics::redis("beat");
        let answer = pipe.query_async::<(HashMap<ProcessId, i64>,)>(connection);
        let beats = match timeout(REDIS_WITHIN, answer).await {
            Ok(Ok((beats,))) => beats,
            Ok(Err(error)) => return tracing::debug!("Redis took no beat: {error}"),
            Err(_) => return tracing::debug!("Redis took no beat in time"),
        };
        // A lease that has lapsed may be somebody else's by now: only PostgreSQL knows.
        if self.cluster.lease.holds() {
            self.cluster.lease.renew(asked + LEASE);
        }
        taken.now();
        self.cluster.redis_answers();
        let look = Look { beats: &beats, asked, answered: Instant::now() };
        self.looked(|watch| watch.look_at_redis(look));
    }

    /// Looks who lives, and if there is a doubt beats there: a lease that has lapsed is renewed
    /// once it is known which matches are still ours.
    async fn look_at_sql(&self, pool: &PgPool, doubtful: bool) -> anyhow::Result<()> {
        let me = self.cluster.me;
        let _timer = metrics::sql(module_path!());
        let look = async {
            let asked = Instant::now();
            if doubtful {
                sqlx::query(
                    "insert into processes (id, beat, machine, started_at) values ($1, 1, $2, $3)
                     on conflict (id) do update set beat = processes.beat + 1",
                )
                .bind(me)
                .bind(&self.options.machine)
                .bind(self.clock.now())
                .execute(pool)
                .await?;
            }
            let rows: Vec<(ProcessId, i64, Millis)> =
                sqlx::query_as("select id, beat, started_at from processes")
                    .fetch_all(pool)
                    .await?;
            let answered = Instant::now();
            let beats: HashMap<_, _> = rows.iter().map(|it| (it.0, it.1)).collect();
            self.looked(|watch| {
                watch.look_at_sql(Look { beats: &beats, asked, answered });
                rows.iter().for_each(|it| watch.started(it.0, it.2));
            });
            if !doubtful {
                return anyhow::Ok(());
            }
            if !self.cluster.lease.holds() {
                // First, so that none which is opened meanwhile is taken for lost.
                let running = self.live.fences();
                let ours: Vec<(MatchId, i64)> =
                    sqlx::query_as("select match_id, fence from owners where process = $1")
                        .bind(me)
                        .fetch_all(pool)
                        .await?;
                let ours = ours.into_iter().collect();
                self.keep_only(running, &ours);
            }
            self.cluster.lease.renew(asked + LEASE);
            Ok(())
        };
        timeout(SQL_WITHIN, look).await?
    }
}

impl Arena {
    /// Others' beats were looked at. Whoever is silent by that loses its matches at once; and who
    /// is not listed any more, since another process has taken them already, its chairs.
    fn looked(&self, look: impl FnOnce(&mut Watch)) {
        let gone: Vec<ProcessId> = {
            let mut watch = self.cluster.watch();
            let listed: Vec<ProcessId> = watch.listed().collect();
            let silent = watch.silent(SILENT).len();
            look(&mut watch);
            if watch.silent(SILENT).len() > silent {
                self.cluster.look_for_matches();
            }
            listed.into_iter().filter(|&it| !watch.knows(it)).collect()
        };
        for process in gone {
            self.relay.lose(process);
        }
    }
}

impl Taken {
    fn now(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at.store(now, Ordering::Relaxed);
    }

    fn is_long_ago(&self) -> bool {
        let at = Duration::from_millis(self.at.load(Ordering::Relaxed));
        self.began.elapsed() >= at + REDIS_DOUBT
    }
}

//! The journal: what happens in live matches, written as it happens. When a match is settled it is
//! folded into a [replay](crate::Replay).

use std::{collections::HashSet, time::Duration};

use games::{Game, Time, journal};
use live::Line;
use sqlx::{PgPool, QueryBuilder};
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use crate::{
    Arena, MatchId,
    bus::ProcessId,
    db::Db,
    metrics::{self, METRICS},
};

/// Lines that may wait for the writer; matches wait when there are more. They are some 100 MB at
/// most, and a minute of 800 lively matches while the database is away.
pub(crate) const LINES_MAX: usize = 512 * 1024;
/// How long the first line of a group waits for others: with the write itself less than 20 ms.
const GATHER: Duration = Duration::from_millis(12);
/// Lines in one statement: four values each, and SQLite takes 32,766.
const GROUP_MAX: usize = 4_000;
/// How long to wait before a group is tried again, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];
/// How long the database may take for a group before it is asked again.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Writes the lines of all matches in groups, each one statement, until it is stopped and nothing
/// is left. What comes from a match that another process has taken over is not written: that match
/// is dropped, and its task never told otherwise.
pub(crate) async fn write(
    arena: Arena,
    mut lines: mpsc::Receiver<Line>,
    stopped: CancellationToken,
) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    loop {
        tokio::select! {
            biased;
            _ = lines.recv_many(&mut group, GROUP_MAX) => {}
            () = stopped.cancelled() => return,
        }
        if group.len() < GROUP_MAX && !stopped.is_cancelled() {
            time::sleep(GATHER).await;
            while group.len() < GROUP_MAX
                && let Ok(line) = lines.try_recv()
            {
                group.push(line);
            }
        }
        let lost = write_group(&arena, &group).await;
        if let Some(oldest) = group.first() {
            METRICS.journal_lag.observe(oldest.made.elapsed().as_secs_f64());
        }
        for &(key, fence) in &lost {
            arena.let_go(MatchId(key), fence);
        }
        for line in group.drain(..) {
            if let Some(written) = line.written
                && !lost.contains(&(line.key, line.fence))
            {
                // The match may have been dropped meanwhile.
                let _ = written.send(());
            }
        }
    }
}

/// Answers which matches are not ours any more, and by which fence they were.
async fn write_group(arena: &Arena, group: &[Line]) -> HashSet<(i64, i64)> {
    let [mut pause, longest] = RETRY;
    loop {
        let written = match time::timeout(WRITE_WITHIN, insert(arena, group)).await {
            Ok(Ok(lost)) => return lost,
            Ok(Err(error)) => crate::Error::from(error).report(),
            Err(late) => late.to_string(),
        };
        let (lines, error) = (group.len(), written);
        tracing::error!(lines, error, "The journal is behind: a group of lines is not written yet");
        time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn insert(arena: &Arena, group: &[Line]) -> sqlx::Result<HashSet<(i64, i64)>> {
    let _timer = metrics::sql(module_path!());
    match &arena.vital {
        Db::Sqlite(pool) => {
            let mut insert = QueryBuilder::new("insert into journal (match_id, seq, at, entry) ");
            insert.push_values(group, |mut row, line| {
                row.push_bind(line.key)
                    .push_bind(line.seq as i64)
                    .push_bind(line.at.0 as i64)
                    .push_bind(&line.entry);
            });
            // The last try may have been written after all.
            insert.push(" on conflict (match_id, seq) do nothing");
            insert.build().execute(pool).await?;
            Ok(HashSet::new())
        }
        Db::Postgres(pool) => insert_fenced(pool, arena.cluster.me, group).await,
    }
}

/// Writes the lines of those matches that are still ours: their owners can't change until it is
/// done.
async fn insert_fenced(
    pool: &PgPool,
    me: ProcessId,
    group: &[Line],
) -> sqlx::Result<HashSet<(i64, i64)>> {
    let keys: Vec<i64> = group.iter().map(|it| it.key).collect();
    let written = sqlx::query(
        "insert into journal (match_id, seq, at, entry)
         select line.match_id, line.seq, line.at, line.entry
         from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
             as line (match_id, fence, seq, at, entry)
         join owners o on o.match_id = line.match_id and o.fence = line.fence and o.process = $6
         for share of o
         on conflict (match_id, seq) do nothing",
    )
    .bind(&keys)
    .bind(group.iter().map(|it| it.fence).collect::<Vec<_>>())
    .bind(group.iter().map(|it| it.seq as i64).collect::<Vec<_>>())
    .bind(group.iter().map(|it| it.at.0 as i64).collect::<Vec<_>>())
    .bind(group.iter().map(|it| it.entry.as_str()).collect::<Vec<_>>())
    .bind(me)
    .execute(pool)
    .await?;
    if written.rows_affected() == group.len() as u64 {
        return Ok(HashSet::new());
    }
    // Some were written by the last try, or are of matches that are another's now.
    let ours: Vec<(i64, i64)> = sqlx::query_as(
        "select match_id, fence from owners where process = $1 and match_id = any($2)",
    )
    .bind(me)
    .bind(&keys)
    .fetch_all(pool)
    .await?;
    let ours: HashSet<_> = ours.into_iter().collect();
    let groups = group.iter().map(|it| (it.key, it.fence));
    Ok(groups.filter(|it| !ours.contains(it)).collect())
}

/// Stored entries as a game hears them.
pub(crate) fn parse<G: Game>(
    entries: &[(i64, String)],
) -> anyhow::Result<Vec<journal::Entry<G::Action>>> {
    let entry = |(at, input): &(i64, String)| Ok((Time(*at as u64), serde_json::from_str(input)?));
    entries.iter().map(entry).collect()
}

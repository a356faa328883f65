//! The journal: what happens in live matches, written as it happens. When a match is settled it is
//! folded into a [replay](crate::Replay).

use std::time::Duration;

use games::{Game, Time, journal};
use live::Line;
use sqlx::QueryBuilder;
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use crate::{
    db::{Db, on},
    metrics::METRICS,
};

/// Lines that may wait for the writer; matches wait when there are more.
pub(crate) const LINES_MAX: usize = 64 * 1024;
/// How long the first line of a group waits for others: with the write itself less than 20 ms.
const GATHER: Duration = Duration::from_millis(12);
/// Lines in one statement: four values each, and SQLite takes 32,766.
const GROUP_MAX: usize = 4_000;
/// How long to wait before a group is tried again, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Writes the lines of all matches in groups, each one statement, until it is stopped and nothing
/// is left.
pub(crate) async fn write(db: Db, mut lines: mpsc::Receiver<Line>, stopped: CancellationToken) {
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
        write_group(&db, &group).await;
        if let Some(oldest) = group.first() {
            METRICS.journal_lag.observe(oldest.made.elapsed().as_secs_f64());
        }
        for line in group.drain(..) {
            if let Some(written) = line.written {
                // The match may have been dropped meanwhile.
                let _ = written.send(());
            }
        }
    }
}

async fn write_group(db: &Db, group: &[Line]) {
    let [mut pause, longest] = RETRY;
    while let Err(error) = insert(db, group).await {
        let (lines, error) = (group.len(), crate::Error::from(error).report());
        tracing::error!(lines, error, "The journal is behind: a group of lines is not written yet");
        time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn insert(db: &Db, group: &[Line]) -> sqlx::Result<()> {
    on!(db, pool => {
        let mut insert = QueryBuilder::new("insert into journal (match_id, seq, at, entry) ");
        insert.push_values(group, |mut row, line| {
            row.push_bind(line.key)
                .push_bind(line.seq as i64)
                .push_bind(line.at.0 as i64)
                .push_bind(&line.entry);
        });
        // The last try may have been written after all.
        insert.push(" on conflict (match_id, seq) do nothing");
        insert.build().execute(pool).await.map(drop)
    })
}

/// Stored entries as a game hears them.
pub(crate) fn parse<G: Game>(
    entries: &[(i64, String)],
) -> anyhow::Result<Vec<journal::Entry<G::Action>>> {
    let entry = |(at, input): &(i64, String)| Ok((Time(*at as u64), serde_json::from_str(input)?));
    entries.iter().map(entry).collect()
}

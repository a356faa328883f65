//! Who has a page of the lobby open, on whatever process: each says so in Redis of its own people,
//! again and again. It may be wrong for some seconds, and so decides only what friends see, and
//! whether somebody is also told in Telegram.

use std::{collections::HashSet, time::Duration};

use tokio::time::timeout;

use crate::{Arena, Result, UserId, bus::ProcessId, clock::millis, metrics};

/// How often a process says who is here, and for how long that is believed.
pub(crate) const SAY_EVERY: Duration = Duration::from_secs(10);
const BELIEVED: Duration = Duration::from_secs(25);
/// How long Redis may take.
const REDIS_WITHIN: Duration = Duration::from_millis(300);
/// People in one command.
const SAID_MAX: usize = 1_000;

impl Arena {
    /// Says who is here.
    pub(crate) async fn say_who_is_here(self) -> Result<()> {
        let here = self.lobby.people();
        for some in here.chunks(SAID_MAX) {
            self.say_present(some).await;
        }
        Ok(())
    }

    /// Says that these are here.
    pub(crate) async fn say_present(&self, users: &[UserId]) {
        let redis = self.bus.redis("present").filter(|_| self.cluster.has_redis());
        let Some((mut connection, key)) = redis else { return };
        let now = self.clock.now();
        let mut add = redis::cmd("ZADD");
        add.arg(&key);
        for user in users {
            add.arg(now + millis(BELIEVED)).arg(page(*user, self.cluster.me));
        }
        let mut forget = redis::cmd("ZREMRANGEBYSCORE");
        forget.arg(&key).arg("-inf").arg(now);
        let mut pipe = redis::pipe();
        pipe.add_command(add).ignore().add_command(forget).ignore();
        let _timer = metrics::redis("present");
        // Those who are taken for absent are told once more than need be.
        let said = timeout(REDIS_WITHIN, pipe.query_async::<()>(&mut connection)).await;
        if !matches!(said, Ok(Ok(()))) {
            tracing::debug!("Other processes don't know who is here");
        }
    }

    /// Says that these have no page open here any more.
    pub(crate) async fn say_gone(&self, users: &[UserId]) {
        let redis = self.bus.redis("present").filter(|_| self.cluster.has_redis());
        let Some((mut connection, key)) = redis.filter(|_| !users.is_empty()) else { return };
        let mut remove = redis::cmd("ZREM");
        remove.arg(key);
        for user in users {
            remove.arg(page(*user, self.cluster.me));
        }
        let _timer = metrics::redis("present");
        // What is not removed is believed for a while.
        let _ = timeout(REDIS_WITHIN, remove.query_async::<i64>(&mut connection)).await;
    }

    /// Those of these who have no page of the lobby open anywhere, as far as is known.
    pub(crate) async fn absent(&self, users: &[UserId]) -> Vec<UserId> {
        let present = self.present(users).await;
        users.iter().copied().filter(|it| !present.contains(it)).collect()
    }

    /// Those of these who have a page of the lobby open, on whatever process.
    pub(crate) async fn present(&self, users: &[UserId]) -> HashSet<UserId> {
        let (here, elsewhere): (Vec<UserId>, Vec<UserId>) =
            users.iter().copied().partition(|&it| self.lobby.has(it));
        let mut present = HashSet::from_iter(here);
        let others = self.cluster.others();
        let redis = self.bus.redis("present").filter(|_| self.cluster.has_redis());
        let Some((mut connection, key)) = redis else { return present };
        if elsewhere.is_empty() || others.is_empty() {
            return present;
        }
        let mut ask = redis::cmd("ZMSCORE");
        ask.arg(key);
        for &user in &elsewhere {
            for &process in &others {
                ask.arg(page(user, process));
            }
        }
        let _timer = metrics::redis("present");
        let asked = ask.query_async::<Vec<Option<f64>>>(&mut connection);
        let Ok(Ok(until)) = timeout(REDIS_WITHIN, asked).await else { return present };
        let now = self.clock.now() as f64;
        let here = |until: &[Option<f64>]| until.iter().flatten().any(|&it| it > now);
        let seen = elsewhere.into_iter().zip(until.chunks(others.len()));
        present.extend(seen.filter(|it| here(it.1)).map(|it| it.0));
        present
    }
}

/// Names the pages of somebody on a process.
fn page(user: UserId, process: ProcessId) -> String {
    format!("{}:{process}", user.0)
}

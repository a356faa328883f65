//! Who has a page of the lobby open, on whatever process: each says so in Redis of its own people,
//! again and again. It may be wrong for some seconds, and so decides only whether somebody is also
//! told in Telegram.

use std::time::Duration;

use tokio::time::timeout;

use crate::{Arena, Result, UserId, clock::millis};

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
        let here = self.lobby.here();
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
            add.arg(now + millis(BELIEVED)).arg(user.0);
        }
        let mut forget = redis::cmd("ZREMRANGEBYSCORE");
        forget.arg(&key).arg("-inf").arg(now);
        let mut pipe = redis::pipe();
        pipe.add_command(add).ignore().add_command(forget).ignore();
        // Those who are taken for absent are told once more than need be.
        let said = timeout(REDIS_WITHIN, pipe.query_async::<()>(&mut connection)).await;
        if !matches!(said, Ok(Ok(()))) {
            tracing::debug!("Other processes don't know who is here");
        }
    }

    /// Those of these who have no page of the lobby open anywhere, as far as is known.
    pub(crate) async fn absent(&self, users: &[UserId]) -> Vec<UserId> {
        let users: Vec<UserId> = users.iter().copied().filter(|&it| !self.lobby.has(it)).collect();
        let Some((mut connection, key)) = self.bus.redis("present") else { return users };
        if users.is_empty() || !self.cluster.has_redis() {
            return users;
        }
        let mut ask = redis::cmd("ZMSCORE");
        ask.arg(key).arg(users.iter().map(|it| it.0).collect::<Vec<_>>());
        let asked = ask.query_async::<Vec<Option<f64>>>(&mut connection);
        let Ok(Ok(until)) = timeout(REDIS_WITHIN, asked).await else { return users };
        let now = self.clock.now() as f64;
        let absent = |until: Option<f64>| until.is_none_or(|it| it <= now);
        users.into_iter().zip(until).filter(|it| absent(it.1)).map(|it| it.0).collect()
    }
}

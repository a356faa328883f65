//! What the processes of an arena share in Redis beside the database, to be asked in passing: the
//! counts of [limits](crate::limits), and [caches](crate::cache).
//!
//! Nothing there is needed. So Redis is given a moment to answer, and when it does not it is left
//! alone for a while: nobody waits for it again and again, and each caller has a way of its own.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{FromRedisValue, ScriptInvocation, aio::ConnectionManager};
use tokio::time::timeout;

use crate::metrics;

/// How long Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_millis(200);
/// How long it is left alone when it did not.
const REST: Duration = Duration::from_secs(1);

/// A part of Redis that an arena has for itself.
pub(crate) struct Shared {
    connection: ConnectionManager,
    /// The beginning of all names in it.
    prefix: String,
    /// Until when it is left alone; none while it answers.
    rests: Mutex<Option<Instant>>,
}

/// Whether to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Ask,
    /// It did not answer, and may do so again by now.
    Try,
    Rest,
}

impl Shared {
    pub(crate) fn new((connection, prefix): (ConnectionManager, String)) -> Shared {
        Shared { connection, prefix, rests: Mutex::default() }
    }

    /// The full name of something.
    pub(crate) fn name(&self, name: std::fmt::Arguments<'_>) -> String {
        format!("{}:{name}", self.prefix)
    }

    /// Runs a script, which `metrics` call by `name`. None when Redis does not answer.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        name: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Option<T> {
        let turn = self.turn(Instant::now());
        if turn == Turn::Rest {
            return None;
        }
        let mut connection = self.connection.clone();
        let timer = metrics::redis(name);
        let answer = timeout(ANSWER_WITHIN, script.invoke_async(&mut connection)).await;
        drop(timer);
        match answer.map_err(anyhow::Error::from).and_then(|it| Ok(it?)) {
            Ok(answer) => {
                if turn == Turn::Try {
                    *self.rests() = None;
                    tracing::info!("Redis answers again: limits and caches are shared");
                }
                Some(answer)
            }
            Err(error) => {
                if self.rests().replace(Instant::now() + REST).is_none() {
                    tracing::warn!(
                        "Redis does not answer: this process counts limits by itself, and caches \
                         nothing: {error:#}"
                    );
                }
                None
            }
        }
    }

    /// One at a time tries whether it answers again.
    fn turn(&self, now: Instant) -> Turn {
        let mut rests = self.rests();
        match *rests {
            None => Turn::Ask,
            Some(until) if now < until => Turn::Rest,
            Some(_) => {
                *rests = Some(now + REST);
                Turn::Try
            }
        }
    }

    fn rests(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // OK because nothing between lock and unlock can panic.
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Tickets: each opens one socket, once, soon. A browser can't put an access token into the
//! handshake of a WebSocket except in its address, where logs would keep it; a spent ticket in a
//! log is worth nothing.
//!
//! Whoever has the link to a match may watch it, so strangers get tickets too. Theirs are kept
//! apart, so that no number of them keeps those out who are signed in.
//!
//! Where there are several processes the tickets are in Redis, so that a socket may be opened at
//! any of them; while Redis is away they are kept here, and open sockets here.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use redis::aio::ConnectionManager;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Principal, Refused, Result, Why,
    clock::millis,
    metrics,
    sessions::{Digest, digest, random_token},
};

const LIFE: Duration = Duration::from_secs(30);
/// Unused tickets that are kept at a time: of those who are signed in, and of strangers.
const TICKETS_MAX: usize = 65_536;
const STRANGERS_MAX: usize = 16_384;
/// How long Redis may take.
const REDIS_WITHIN: Duration = Duration::from_secs(1);

/// What opens one socket, once.
#[derive(Clone, Serialize, ToSchema)]
pub struct Ticket {
    /// Goes into the socket's address as `?ticket=…`.
    pub ticket: String,
    /// Seconds until it is good for nothing.
    pub expires_in: u64,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Whom a ticket lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pass {
    /// Somebody who is signed in.
    Member(Principal),
    /// Anybody, to watch this match.
    Stranger(MatchId),
}

/// The unused tickets of this process.
#[derive(Default)]
pub(crate) struct Tickets {
    members: Unused<Principal>,
    strangers: Unused<MatchId>,
}

struct Unused<T>(Mutex<Kept<T>>);

struct Kept<T> {
    by_digest: HashMap<Digest, (T, Millis)>,
    /// Every ticket that is or was in `by_digest` and when it expires, the soonest first.
    by_expiry: VecDeque<(Millis, Digest)>,
}

impl<T> Default for Unused<T> {
    fn default() -> Self {
        Unused(Mutex::new(Kept { by_digest: HashMap::new(), by_expiry: VecDeque::new() }))
    }
}

impl<T> Unused<T> {
    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        // OK because no panic can leave the maps half changed in a way that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new ticket for `holder`, unless `most` are unused.
    fn keep(&self, ticket: &str, holder: T, most: usize, now: Millis) -> Result<()> {
        let mut kept = self.lock();
        while let Some((_, digest)) = kept.by_expiry.pop_front_if(|it| it.0 <= now) {
            kept.by_digest.remove(&digest);
        }
        if kept.by_expiry.len() >= most {
            return Err(Error::Refused(Refused {
                why: Why::Unavailable,
                code: "unavailable",
                detail: "too many sockets are being opened: try again in a few seconds".into(),
                fields: Vec::new(),
                retry_after: Some(Duration::from_secs(5)),
            }));
        }
        let expires = now + millis(LIFE);
        kept.by_digest.insert(digest(ticket), (holder, expires));
        kept.by_expiry.push_back((expires, digest(ticket)));
        Ok(())
    }

    /// Whose it is; it is nobody's from now on.
    fn redeem(&self, digest: &Digest, now: Millis) -> Option<T> {
        let (holder, expires) = self.lock().by_digest.remove(digest)?;
        (now < expires).then_some(holder)
    }
}

impl Arena {
    /// A new ticket for a socket of `by`.
    ///
    /// # Errors
    /// When far too many are unused.
    pub async fn issue_ticket(&self, by: &Principal) -> Result<Ticket> {
        self.issue(Pass::Member(*by)).await
    }

    /// A new ticket for a socket of anybody who wants to watch a match.
    ///
    /// # Errors
    /// Not found; `match_over`; when far too many are unused.
    pub async fn issue_watch_ticket(&self, id: MatchId) -> Result<Ticket> {
        self.check_live(id).await?;
        self.issue(Pass::Stranger(id)).await
    }

    async fn issue(&self, pass: Pass) -> Result<Ticket> {
        let now = self.clock.now();
        let mut ticket = random_token();
        if !self.put_ticket(&ticket, pass, now).await {
            // Perhaps it is in Redis and only the answer is lost: that one is never shown.
            ticket = random_token();
            match pass {
                Pass::Member(by) => self.tickets.members.keep(&ticket, by, TICKETS_MAX, now)?,
                Pass::Stranger(id) => {
                    self.tickets.strangers.keep(&ticket, id, STRANGERS_MAX, now)?;
                }
            }
        }
        Ok(Ticket { ticket, expires_in: LIFE.as_secs() })
    }

    /// Keeps a ticket in Redis; false when it may not be there.
    async fn put_ticket(&self, ticket: &str, pass: Pass, now: Millis) -> bool {
        let Some((mut connection, key)) = self.ticket_key(&digest(ticket)) else { return false };
        let kept = serde_json::to_string(&(pass, now + millis(LIFE)));
        let kept = kept.expect("a pass is plain data");
        let mut set = redis::cmd("SET");
        set.arg(key).arg(kept).arg("EX").arg(LIFE.as_secs());
        let _timer = metrics::redis("ticket");
        let set = timeout(REDIS_WITHIN, set.query_async::<()>(&mut connection));
        matches!(set.await, Ok(Ok(())))
    }

    /// Takes a ticket out of Redis.
    async fn take_ticket(&self, digest: &Digest, now: Millis) -> Option<Pass> {
        let (mut connection, key) = self.ticket_key(digest)?;
        let mut take = redis::cmd("GETDEL");
        take.arg(key);
        let _timer = metrics::redis("ticket");
        let taken = timeout(REDIS_WITHIN, take.query_async::<Option<String>>(&mut connection));
        let taken = taken.await.ok()?.ok()??;
        let (pass, expires): (Pass, Millis) = serde_json::from_str(&taken).ok()?;
        (now < expires).then_some(pass)
    }

    /// Where a ticket is in Redis, while that answers.
    fn ticket_key(&self, digest: &Digest) -> Option<(ConnectionManager, String)> {
        let redis = self.bus.redis(&format!("ticket:{}", BASE64_URL_SAFE_NO_PAD.encode(digest)));
        redis.filter(|_| self.cluster.has_redis())
    }

    /// Whom a ticket lets in; it lets in nobody else.
    ///
    /// # Errors
    /// When it is unknown, used, expired, or its session has ended.
    pub async fn redeem_ticket(&self, ticket: &str) -> Result<Pass> {
        let (digest, now) = (digest(ticket), self.clock.now());
        let member = || self.tickets.members.redeem(&digest, now).map(Pass::Member);
        let stranger = || self.tickets.strangers.redeem(&digest, now).map(Pass::Stranger);
        let pass = match member().or_else(stranger) {
            None => self.take_ticket(&digest, now).await,
            here => here,
        };
        match pass {
            Some(Pass::Member(by)) if self.ended.contains(by.session_id) => {}
            Some(pass) => return Ok(pass),
            None => {}
        }
        Err(Error::unauthenticated(
            "ticket_invalid",
            "the ticket is unknown, used or expired: ask for another and use it within 30 seconds",
        ))
    }
}

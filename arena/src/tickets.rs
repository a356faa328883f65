//! Tickets: each opens one socket, once, soon. A browser can't put an access token into the
//! handshake of a WebSocket except in its address, where logs would keep it; a spent ticket in a
//! log is worth nothing.
//!
//! Whoever has the link to a match may watch it, so strangers get tickets too. Theirs are kept
//! apart, so that no number of them keeps those out who are signed in.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Principal, Refused, Result, Why,
    clock::millis,
    sessions::{Digest, digest, random_token},
};

const LIFE: Duration = Duration::from_secs(30);
/// Unused tickets that are kept at a time: of those who are signed in, and of strangers.
const TICKETS_MAX: usize = 65_536;
const STRANGERS_MAX: usize = 16_384;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// A new ticket for `holder`, unless `most` are unused.
    fn issue(&self, holder: T, most: usize, now: Millis) -> Result<Ticket> {
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
        let (ticket, expires) = (random_token(), now + millis(LIFE));
        kept.by_digest.insert(digest(&ticket), (holder, expires));
        kept.by_expiry.push_back((expires, digest(&ticket)));
        Ok(Ticket { ticket, expires_in: LIFE.as_secs() })
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
    pub fn issue_ticket(&self, by: &Principal) -> Result<Ticket> {
        self.tickets.members.issue(*by, TICKETS_MAX, self.clock.now())
    }

    /// A new ticket for a socket of anybody who wants to watch a match.
    ///
    /// # Errors
    /// Not found; `match_over`; when far too many are unused.
    pub async fn issue_watch_ticket(&self, id: MatchId) -> Result<Ticket> {
        self.find_live(id).await?;
        self.tickets.strangers.issue(id, STRANGERS_MAX, self.clock.now())
    }

    /// Whom a ticket lets in; it lets in nobody else.
    ///
    /// # Errors
    /// When it is unknown, used, expired, or its session has ended.
    pub fn redeem_ticket(&self, ticket: &str) -> Result<Pass> {
        let (digest, now) = (digest(ticket), self.clock.now());
        if let Some(by) = self.tickets.members.redeem(&digest, now)
            && !self.ended.contains(by.session_id)
        {
            return Ok(Pass::Member(by));
        }
        if let Some(id) = self.tickets.strangers.redeem(&digest, now) {
            return Ok(Pass::Stranger(id));
        }
        Err(Error::unauthenticated(
            "ticket_invalid",
            "the ticket is unknown, used or expired: ask for another and use it within 30 seconds",
        ))
    }
}

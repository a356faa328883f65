//! Tickets: each opens one socket, once, soon. A browser can't put an access token into the
//! handshake of a WebSocket except in its address, where logs would keep it; a spent ticket in a
//! log is worth nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Arena, Error, Millis, Principal, Refused, Result, Why,
    clock::millis,
    sessions::{Digest, digest, random_token},
};

const LIFE: Duration = Duration::from_secs(30);
/// Unused tickets that are kept at a time.
const TICKETS_MAX: usize = 65_536;

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

/// The unused tickets of this process.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<Unused>);

#[derive(Default)]
struct Unused {
    by_digest: HashMap<Digest, (Principal, Millis)>,
    /// Every ticket that is or was in `by_digest` and when it expires, the soonest first.
    by_expiry: VecDeque<(Millis, Digest)>,
}

impl Tickets {
    fn lock(&self) -> MutexGuard<'_, Unused> {
        // OK because no panic can leave the maps half changed in a way that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unused {
    fn forget_expired(&mut self, now: Millis) {
        while let Some((_, digest)) = self.by_expiry.pop_front_if(|it| it.0 <= now) {
            self.by_digest.remove(&digest);
        }
    }
}

impl Arena {
    /// A new ticket for a socket of `by`.
    ///
    /// # Errors
    /// When far too many are unused.
    pub fn issue_ticket(&self, by: &Principal) -> Result<Ticket> {
        let now = self.clock.now();
        let expires = now + millis(LIFE);
        let ticket = random_token();
        let mut unused = self.tickets.lock();
        unused.forget_expired(now);
        if unused.by_expiry.len() >= TICKETS_MAX {
            return Err(Error::Refused(Refused {
                why: Why::Unavailable,
                code: "unavailable",
                detail: "too many sockets are being opened: try again in a few seconds".into(),
                fields: Vec::new(),
                retry_after: Some(Duration::from_secs(5)),
            }));
        }
        unused.by_digest.insert(digest(&ticket), (*by, expires));
        unused.by_expiry.push_back((expires, digest(&ticket)));
        Ok(Ticket { ticket, expires_in: LIFE.as_secs() })
    }

    /// Whose socket a ticket opens; it opens no other.
    ///
    /// # Errors
    /// When it is unknown, used, expired, or its session has ended.
    pub fn redeem_ticket(&self, ticket: &str) -> Result<Principal> {
        let found = self.tickets.lock().by_digest.remove(&digest(ticket));
        match found {
            Some((by, expires))
                if self.clock.now() < expires && !self.ended.contains(by.session_id) =>
            {
                Ok(by)
            }
            _ => Err(Error::unauthenticated(
                "ticket_invalid",
                "the ticket is unknown, used or expired: ask for another and use it within 30 \
                 seconds",
            )),
        }
    }
}

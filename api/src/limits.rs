//! How often one account or one address may ask.
//!
//! Every request counts against its account, or against its address while nobody is signed in; what
//! costs or disturbs more than reading also counts in a group of its own. Besides, all requests
//! from one address count together, since one may have many accounts. What pages are made of, and
//! ways in, count there and not with the rest.
//!
//! Guessing a password is slowed by the address and by the address with the name that is tried,
//! never by the name alone: nobody can lock another out. A browser in which somebody has signed in
//! by a name before has a budget of its own for that name, so an attacker behind the same address
//! does not stand in their way.

use std::{
    hash::Hash,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use arena::{Error, UserId};
use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{Api, Problem, address::ClientAddress, extract::principal, misses::Misses};

/// How often keys that are at rest are forgotten. They are at rest after 6 s (most) to 100 s.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Counts requests by key, in this process.
pub(crate) struct Limits {
    /// Everything, by who asks.
    general: DefaultKeyedRateLimiter<Key>,
    /// Everything, by where from.
    addresses: DefaultKeyedRateLimiter<ClientAddress>,
    sign_up: DefaultKeyedRateLimiter<ClientAddress>,
    /// Proofs of who somebody is that can't be guessed.
    sign_in: DefaultKeyedRateLimiter<ClientAddress>,
    /// Passwords, which can.
    log_in: DefaultKeyedRateLimiter<ClientAddress>,
    log_in_as: DefaultKeyedRateLimiter<(ClientAddress, String)>,
    log_in_known: DefaultKeyedRateLimiter<String>,
    queue: DefaultKeyedRateLimiter<Key>,
    rooms: DefaultKeyedRateLimiter<Key>,
    matches: DefaultKeyedRateLimiter<Key>,
    people: DefaultKeyedRateLimiter<Key>,
    order: DefaultKeyedRateLimiter<Key>,
    sockets: DefaultKeyedRateLimiter<Key>,
    /// Codes of rooms that there are not, by who asks and by where from: a private room is hidden
    /// by its code alone.
    codes: [Misses<Key>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Account(UserId),
    Address(ClientAddress),
}

/// At most `burst` at once, and one more each `pause` milliseconds.
fn limit<K: Clone + Eq + Hash>(burst: u32, pause: u64) -> DefaultKeyedRateLimiter<K> {
    let burst = NonZeroU32::new(burst).expect("written below");
    let quota = Quota::with_period(Duration::from_millis(pause)).expect("written below");
    RateLimiter::keyed(quota.allow_burst(burst))
}

impl Limits {
    pub(crate) fn new() -> Limits {
        Limits {
            general: limit(300, 20),
            addresses: limit(1200, 5),
            sign_up: limit(60, 1_000),
            sign_in: limit(120, 200),
            log_in: limit(30, 2_000),
            log_in_as: limit(10, 10_000),
            log_in_known: limit(10, 10_000),
            queue: limit(40, 500),
            rooms: limit(60, 300),
            matches: limit(30, 1_000),
            people: limit(40, 500),
            order: limit(120, 200),
            sockets: limit(60, 300),
            codes: [
                Misses::new(10, Duration::from_secs(10)),
                Misses::new(30, Duration::from_secs(4)),
            ],
        }
    }

    fn forget(&self) {
        self.general.retain_recent();
        self.addresses.retain_recent();
        self.sign_up.retain_recent();
        self.sign_in.retain_recent();
        self.log_in.retain_recent();
        self.log_in_as.retain_recent();
        self.log_in_known.retain_recent();
        for group in
            [&self.queue, &self.rooms, &self.matches, &self.people, &self.order, &self.sockets]
        {
            group.retain_recent();
        }
        let now = Instant::now();
        self.codes.iter().for_each(|it| it.forget(now));
    }

    /// Lets a request pass that is not one too many.
    fn check(&self, request: &Request, key: Key, address: ClientAddress) -> Result<(), Problem> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let path = request.uri().path();
        let mut parts = path.trim_start_matches('/').split('/');
        let first = [parts.next().unwrap_or(""), parts.next().unwrap_or("")];
        let group = match (first, reads) {
            // A platform's probe must hear of the server's health, not of its own rate.
            (["healthz" | "readyz", ""], _) => return Ok(()),
            // A page is made of many, and a household opens several at once.
            (["a", _], true) => return check(&self.addresses, &address),
            // Ways in are apart from all else, so that trying them takes nothing from neighbours.
            (["api", "auth"] | ["auth", _], _) => {
                match path {
                    "/api/auth/register" => check(&self.sign_up, &address)?,
                    // Its handler knows the name that is tried: see `log_in`.
                    "/api/auth/login" => {}
                    _ => check(&self.sign_in, &address)?,
                }
                return check(&self.addresses, &address);
            }
            (["api", "queue"], false) => Some(&self.queue),
            (["api", "rooms"], false) => Some(&self.rooms),
            (["api", "matches"], false) if path.ends_with("/watch-tickets") => Some(&self.sockets),
            (["api", "matches"], false) => Some(&self.matches),
            (["api", "ws-tickets"], false) => Some(&self.sockets),
            (["api", "friends" | "blocks" | "reports"], false) => Some(&self.people),
            (["api", "moderation" | "admin"], _) => Some(&self.order),
            _ => None,
        };
        check(&self.addresses, &address)?;
        check(&self.general, &key)?;
        group.map_or(Ok(()), |group| check(group, &key))
    }

    /// Lets somebody ask about a room by its code.
    fn guess_code(&self, keys: [Key; 2]) -> Result<(), Problem> {
        let now = Instant::now();
        let [of_who, of_where] = &self.codes;
        of_who.guess(keys[0], now).map_err(Error::too_many)?;
        of_where.guess(keys[1], now).map_err(|after| {
            of_who.hit(&keys[0]);
            Error::too_many(after).into()
        })
    }

    /// Counts no miss where there was none.
    fn guessed_code(&self, keys: [Key; 2], response: &Response) {
        if !Problem::is(response, "room_not_found") {
            self.codes.iter().zip(&keys).for_each(|(misses, key)| misses.hit(key));
        }
    }
}

impl Api {
    /// Lets a password be tried, unless too many were. `known` names the browser in which somebody
    /// has signed in by this name before.
    pub(crate) fn log_in(
        &self,
        address: ClientAddress,
        login: &str,
        known: Option<String>,
    ) -> Result<(), Problem> {
        if !self.options.rate_limits {
            return Ok(());
        }
        if let Some(known) = known
            && check(&self.limits.log_in_known, &known).is_ok()
        {
            return Ok(());
        }
        check(&self.limits.log_in, &address)?;
        // Nobody's is so long: what was typed is no more than a key here.
        let login: String = login.chars().take(LOGIN_CHARS_MAX).collect();
        check(&self.limits.log_in_as, &(address, login.to_lowercase()))
    }

    /// Forgets the limits of those who have been quiet, until the server is asked to stop: without
    /// it every address ever seen stays in memory.
    pub async fn forget_limits(&self) {
        let forget = async {
            loop {
                tokio::time::sleep(FORGET_EVERY).await;
                self.limits.forget();
            }
        };
        self.closing.run_until_cancelled(forget).await;
    }
}

const LOGIN_CHARS_MAX: usize = 254;

fn check<K: Clone + Eq + Hash>(limit: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Problem> {
    limit.check_key(key).map_err(|not_until| {
        Error::too_many(not_until.wait_time_from(DefaultClock::default().now())).into()
    })
}

/// Learns who asks and from where, and lets the request pass when it is not one too many.
pub(crate) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let address = ClientAddress::of(&request, &api.options);
    let by = principal(request.headers(), &api).ok();
    let key = match &by {
        Some(by) => Key::Account(by.user_id),
        None => Key::Address(address),
    };
    let guesses = api.options.rate_limits && request.uri().path().starts_with("/api/rooms/");
    let keys = [key, Key::Address(address)];
    if api.options.rate_limits {
        let admitted = api.limits.check(&request, key, address);
        let admitted = admitted.and_then(|()| match guesses {
            true => api.limits.guess_code(keys),
            false => Ok(()),
        });
        if let Err(problem) = admitted {
            return problem.into_response();
        }
    }
    request.extensions_mut().insert(address);
    if let Some(by) = by {
        request.extensions_mut().insert(by);
    }
    let response = next.run(request).await;
    if guesses {
        api.limits.guessed_code(keys, &response);
    }
    response
}

//! How often one account or one address may ask.

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

use crate::{
    Api, Problem,
    extract::{ClientAddress, principal},
    misses::Misses,
};

/// How often keys that are at rest are forgotten. They are at rest after 6 s (most) to 60 s.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Counts requests by key, in this process.
pub(crate) struct Limits {
    general: DefaultKeyedRateLimiter<Key>,
    sign_up: DefaultKeyedRateLimiter<ClientAddress>,
    log_in: DefaultKeyedRateLimiter<ClientAddress>,
    /// Codes of rooms that there are not, by who asks and by where from: a private room is hidden
    /// by its code alone.
    codes: [Misses<Key>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Account(UserId),
    Address(ClientAddress),
}

impl Limits {
    pub(crate) fn new() -> Limits {
        let quota = |burst: u32, one_each: Duration| {
            let burst = NonZeroU32::new(burst).expect("written below");
            let quota = Quota::with_period(one_each).expect("written below");
            quota.allow_burst(burst)
        };
        Limits {
            general: RateLimiter::keyed(quota(300, Duration::from_millis(20))),
            sign_up: RateLimiter::keyed(quota(60, Duration::from_secs(1))),
            log_in: RateLimiter::keyed(quota(30, Duration::from_secs(2))),
            codes: [
                Misses::new(10, Duration::from_secs(10)),
                Misses::new(30, Duration::from_secs(4)),
            ],
        }
    }

    fn forget(&self) {
        self.general.retain_recent();
        self.sign_up.retain_recent();
        self.log_in.retain_recent();
        let now = Instant::now();
        self.codes.iter().for_each(|it| it.forget(now));
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
        let admitted = match (request.method(), request.uri().path()) {
            // A platform's probe must hear of the server's health, not of its own rate.
            (_, "/healthz" | "/readyz") => Ok(()),
            (&Method::POST, "/api/auth/register") => check(&api.limits.sign_up, &address),
            (&Method::POST, "/api/auth/login") => check(&api.limits.log_in, &address),
            _ => check(&api.limits.general, &key),
        };
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

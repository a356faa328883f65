//! How often one account or one address may ask.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

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
};

/// How often keys that are at rest are forgotten. They are at rest after 6 s (most) to 60 s.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Counts requests by key, in this process.
pub(crate) struct Limits {
    general: DefaultKeyedRateLimiter<Key>,
    sign_up: DefaultKeyedRateLimiter<ClientAddress>,
    log_in: DefaultKeyedRateLimiter<ClientAddress>,
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
        }
    }

    fn forget(&self) {
        self.general.retain_recent();
        self.sign_up.retain_recent();
        self.log_in.retain_recent();
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
    if api.options.rate_limits {
        let key = match &by {
            Some(by) => Key::Account(by.user_id),
            None => Key::Address(address),
        };
        let admitted = match (request.method(), request.uri().path()) {
            // A platform's probe must hear of the server's health, not of its own rate.
            (_, "/healthz" | "/readyz") => Ok(()),
            (&Method::POST, "/api/auth/register") => check(&api.limits.sign_up, &address),
            (&Method::POST, "/api/auth/login") => check(&api.limits.log_in, &address),
            _ => check(&api.limits.general, &key),
        };
        if let Err(problem) = admitted {
            return problem.into_response();
        }
    }
    request.extensions_mut().insert(address);
    if let Some(by) = by {
        request.extensions_mut().insert(by);
    }
    next.run(request).await
}

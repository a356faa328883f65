//! How often one account or one address may ask.
//!
//! Every request counts against its account, or against its address while nobody is signed in; what
//! costs or disturbs more than reading also counts in a group of its own. Besides, all requests
//! from one address count together, since one may have many accounts. What pages are made of, and
//! ways in, count there and not with the rest. A request that is refused counts nowhere.
//!
//! Guessing a password is slowed by the address and by the address with the name that is tried,
//! never by the name alone: nobody can lock another out. A browser in which somebody has signed in
//! by a name before has a budget of its own for that name, so an attacker behind the same address
//! does not stand in their way.

use std::fmt;

use arena::{Limited, Quota, Use, UserId};
use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Api, Problem, address::ClientAddress, extract::principal};

/// Everything, by who asks.
const GENERAL: Quota = Quota::new("general", 300, 20);
/// Everything, by where from.
const ADDRESS: Quota = Quota::new("address", 1200, 5);
const SIGN_UP: Quota = Quota::new("sign_up", 60, 1_000);
/// Proofs of who somebody is that can't be guessed.
const SIGN_IN: Quota = Quota::new("sign_in", 120, 200);
/// Passwords, which can.
const LOG_IN: Quota = Quota::new("log_in", 30, 2_000);
const LOG_IN_AS: Quota = Quota::new("log_in_as", 10, 10_000);
const LOG_IN_KNOWN: Quota = Quota::new("log_in_known", 10, 10_000);
const QUEUE: Quota = Quota::new("queue", 40, 500);
const ROOMS: Quota = Quota::new("rooms", 60, 300);
const MATCHES: Quota = Quota::new("matches", 30, 1_000);
const PEOPLE: Quota = Quota::new("people", 40, 500);
const ORDER: Quota = Quota::new("order", 120, 200);
const SOCKETS: Quota = Quota::new("sockets", 60, 300);
/// Codes of rooms that there are not, by who asks and by where from: a private room is hidden by
/// its code alone. A code counts while it is being answered, so that guessing side by side gains
/// nothing, and is given back when there is such a room.
const CODES: Quota = Quota::new("codes", 10, 10_000);
const CODES_ADDRESS: Quota = Quota::new("codes_address", 30, 4_000);

/// All of them.
pub(crate) const QUOTAS: [Quota; 15] = [
    GENERAL,
    ADDRESS,
    SIGN_UP,
    SIGN_IN,
    LOG_IN,
    LOG_IN_AS,
    LOG_IN_KNOWN,
    QUEUE,
    ROOMS,
    MATCHES,
    PEOPLE,
    ORDER,
    SOCKETS,
    CODES,
    CODES_ADDRESS,
];

/// Whose bucket.
#[derive(Clone, Copy)]
enum Key {
    Account(UserId),
    Address(ClientAddress),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Account(user) => write!(f, "account {user}"),
            Key::Address(ClientAddress(address)) => write!(f, "address {address}"),
        }
    }
}

impl Api {
    /// Lets a request pass that is not one too many.
    async fn take(&self, uses: &[Use]) -> Result<(), Problem> {
        self.arena.take(uses).await.map_err(|limited| self.limited(limited))
    }

    fn limited(&self, limited: Limited) -> Problem {
        self.metrics.limited(limited.quota);
        arena::Error::from(limited).into()
    }

    /// Lets a password be tried, unless too many were. `known` names the browser in which somebody
    /// has signed in by this name before.
    pub(crate) async fn log_in(
        &self,
        address: ClientAddress,
        login: &str,
        known: Option<&str>,
    ) -> Result<(), Problem> {
        if !self.options.rate_limits {
            return Ok(());
        }
        if let Some(known) = known
            && self.arena.take(&[self.arena.one_use(LOG_IN_KNOWN, known)]).await.is_ok()
        {
            return Ok(());
        }
        let address = Key::Address(address).to_string();
        let name = format!("{address} {}", login.to_lowercase());
        let by_address = self.arena.one_use(LOG_IN, &address);
        self.take(&[by_address, self.arena.one_use(LOG_IN_AS, &name)]).await
    }

    /// What a request uses up.
    fn uses(&self, request: &Request, key: Key, address: ClientAddress) -> Vec<Use> {
        let (key, address) = (key.to_string(), Key::Address(address).to_string());
        let by_key = |quota| self.arena.one_use(quota, &key);
        let by_address = |quota| self.arena.one_use(quota, &address);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let path = request.uri().path();
        let mut parts = path.trim_start_matches('/').split('/');
        let first = [parts.next().unwrap_or(""), parts.next().unwrap_or("")];
        let group = match (first, reads) {
            // A platform's probe must hear of the server's health, not of its own rate.
            (["healthz" | "readyz", ""], _) => return Vec::new(),
            // A page is made of many, and a household opens several at once.
            (["a", _], true) => return vec![by_address(ADDRESS)],
            // Ways in are apart from all else, so that trying them takes nothing from neighbours.
            (["api", "auth"] | ["auth", _], _) => {
                return match path {
                    "/api/auth/register" => vec![by_address(SIGN_UP), by_address(ADDRESS)],
                    // Its handler knows the name that is tried: see `log_in`.
                    "/api/auth/login" => vec![by_address(ADDRESS)],
                    _ => vec![by_address(SIGN_IN), by_address(ADDRESS)],
                };
            }
            (["api", "queue"], false) => Some(QUEUE),
            (["api", "rooms"], false) => Some(ROOMS),
            (["api", "matches"], false) if path.ends_with("/watch-tickets") => Some(SOCKETS),
            (["api", "matches"], false) => Some(MATCHES),
            (["api", "ws-tickets"], false) => Some(SOCKETS),
            (["api", "friends" | "blocks" | "reports"], false) => Some(PEOPLE),
            (["api", "moderation" | "admin"], _) => Some(ORDER),
            _ => None,
        };
        let mut uses = vec![by_address(ADDRESS), by_key(GENERAL)];
        uses.extend(group.map(by_key));
        uses
    }
}

/// Learns who asks and from where, and lets the request pass when it is not one too many.
pub(crate) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let address = ClientAddress::of(&request, &api.options);
    let by = principal(request.headers(), &api).ok();
    let key = match &by {
        Some(by) => Key::Account(by.user_id),
        None => Key::Address(address),
    };
    // What a code of a room uses up when there is none.
    let mut guess = None;
    if api.options.rate_limits {
        let mut uses = api.uses(&request, key, address);
        if request.uri().path().starts_with("/api/rooms/") {
            let by_who = api.arena.one_use(CODES, &key.to_string());
            let by_where = api.arena.one_use(CODES_ADDRESS, &Key::Address(address).to_string());
            uses.extend(*guess.insert([by_who, by_where]));
        }
        if let Err(problem) = api.take(&uses).await {
            return problem.into_response();
        }
    }
    request.extensions_mut().insert(address);
    if let Some(by) = by {
        request.extensions_mut().insert(by);
    }
    let response = next.run(request).await;
    if let Some(guess) = guess
        && !Problem::is(&response, "room_not_found")
    {
        api.arena.give_back(&guess).await;
    }
    response
}

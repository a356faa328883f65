//! A stand-in for Google and for Telegram: a provider of OpenID Connect over real HTTP, with real
//! keys, that vouches for whom a test names, and lies when it is told to.
//!
//! As strict as the real one: a code is good once, with the verifier that its challenge was made
//! of, for the address that it was sent to, and only for who shows the client's secret. As
//! Telegram it names people by `id`, and by a `sub` that says nothing; it repeats no nonce, asks
//! for nobody's address, and takes no long state.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    forged::base64,
    telegram::{BOT_TOKEN, NO_TELEGRAM, now},
};

const GOOGLE_ID: &str = "artel-tests.apps.example";
const CLIENT_SECRET: &str = "a client's secret that only tests use";
/// Telegram's clients are bots: the number before the colon.
const TELEGRAM_ID: &str = "1234567890";
/// Longer ones Telegram refuses.
const TELEGRAM_STATE_MAX: usize = 64;

const FIRST: &[u8] = include_bytes!("keys/first.der");
const SECOND: &[u8] = include_bytes!("keys/second.der");
const CURVE: &[u8] = include_bytes!("keys/curve.der");
/// The public half of the first key, as people publish it.
const FIRST_PUBLIC: &[u8] = include_bytes!("keys/first.pub.pem");
const PUBLIC: &str = include_str!("keys/public.json");

/// How a token is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    Nonce,
    NoNonce,
    Audience,
    AudienceOfTwo,
    AuthorizedParty,
    Issuer,
    Expired,
    NoExpiry,
    Ahead,
    NoSubject,
    Unsigned,
    /// HMAC, with the public key as if it were a secret.
    PublicKeyAsSecret,
    /// By a key that is not published, under the name of one that is.
    OtherKey,
    UnknownKey,
    Flipped,
    Garbage,
    NoToken,
}

pub(crate) const LIES: [Lie; 17] = [
    Lie::Nonce,
    Lie::NoNonce,
    Lie::Audience,
    Lie::AudienceOfTwo,
    Lie::AuthorizedParty,
    Lie::Issuer,
    Lie::Expired,
    Lie::NoExpiry,
    Lie::Ahead,
    Lie::NoSubject,
    Lie::Unsigned,
    Lie::PublicKeyAsSecret,
    Lie::OtherKey,
    Lie::UnknownKey,
    Lie::Flipped,
    Lie::Garbage,
    Lie::NoToken,
];

/// The stand-in, and a handle on what happens at it.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    is_telegram: bool,
    happenings: Arc<Mutex<Happenings>>,
}

struct Happenings {
    /// What is said of whoever comes next.
    person: Value,
    /// The name of the key that signs.
    key: &'static str,
    /// The names of the keys that are published.
    published: Vec<&'static str>,
    lie: Option<Lie>,
    /// What each code is good for.
    grants: HashMap<String, Grant>,
    /// How often the keys were asked for.
    looked: usize,
    /// What browsers were sent with.
    asked: Vec<HashMap<String, String>>,
}

struct Grant {
    asked: HashMap<String, String>,
    person: Value,
}

impl Provider {
    /// As Google.
    pub(crate) async fn start() -> Provider {
        Provider::open(false).await
    }

    /// As Telegram.
    pub(crate) async fn telegram() -> Provider {
        Provider::open(true).await
    }

    async fn open(is_telegram: bool) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let happenings = Happenings {
            person: json!({"sub": "1000", "email": "ann@example.org", "email_verified": true}),
            key: "first",
            published: vec!["first", "curve"],
            lie: None,
            grants: HashMap::new(),
            looked: 0,
            asked: Vec::new(),
        };
        let happenings = Arc::new(Mutex::new(happenings));
        let provider = Provider { issuer, is_telegram, happenings };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// The environment of a server that relies on it as on Google, or on Telegram.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        match self.is_telegram {
            true => vec![
                ("TELEGRAM_ISSUER", &self.issuer),
                ("TELEGRAM_CLIENT_SECRET", CLIENT_SECRET),
                ("TELOXIDE_TOKEN", BOT_TOKEN),
                NO_TELEGRAM,
            ],
            false => vec![
                ("GOOGLE_ISSUER", &self.issuer),
                ("GOOGLE_CLIENT_ID", GOOGLE_ID),
                ("GOOGLE_CLIENT_SECRET", CLIENT_SECRET),
            ],
        }
    }

    fn client_id(&self) -> &'static str {
        if self.is_telegram { TELEGRAM_ID } else { GOOGLE_ID }
    }

    fn lock(&self) -> MutexGuard<'_, Happenings> {
        self.happenings.lock().unwrap()
    }

    /// Says this of whoever comes next.
    pub(crate) fn person(&self, person: Value) {
        self.lock().person = person;
    }

    /// Somebody whom Google knows by this number.
    pub(crate) fn somebody(&self, sub: &str) {
        self.person(json!({"sub": sub, "email": format!("{sub}@example.org"), "name": "Ann Bee"}));
    }

    pub(crate) fn lie(&self, lie: impl Into<Option<Lie>>) {
        self.lock().lie = lie.into();
    }

    /// Signs with another key from now on, and publishes that and the one before.
    pub(crate) fn rotate(&self, to: &'static str) {
        let mut happenings = self.lock();
        happenings.published = vec![happenings.key, to];
        happenings.key = to;
    }

    /// How often its keys were asked for.
    pub(crate) fn looked(&self) -> usize {
        self.lock().looked
    }

    /// What the last browser was sent with.
    pub(crate) fn asked(&self) -> HashMap<String, String> {
        self.lock().asked.last().unwrap().clone()
    }
}

async fn discovery(State(it): State<Provider>) -> Json<Value> {
    let issuer = &it.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "code_challenge_methods_supported": ["plain", "S256"],
    }))
}

async fn keys(State(it): State<Provider>) -> Json<Value> {
    let mut happenings = it.lock();
    happenings.looked += 1;
    let mut keys: Vec<Value> = serde_json::from_str(PUBLIC).unwrap();
    keys.retain(|it| happenings.published.iter().any(|name| it["kid"] == *name));
    Json(json!({ "keys": keys }))
}

/// Everybody agrees at once.
async fn authorize(
    State(it): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let long = it.is_telegram && asked["state"].len() > TELEGRAM_STATE_MAX;
    if asked["client_id"] != it.client_id() || asked["response_type"] != "code" || long {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut back: Url = asked["redirect_uri"].parse().unwrap();
    let code = format!("{:032x}", rand::random::<u128>());
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
    let mut happenings = it.lock();
    let person = happenings.person.clone();
    happenings.asked.push(asked.clone());
    happenings.grants.insert(code, Grant { asked, person });
    Redirect::to(back.as_str()).into_response()
}

async fn token(
    State(it): State<Provider>,
    headers: HeaderMap,
    Form(shown): Form<HashMap<String, String>>,
) -> Response {
    let refused =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let pair = format!("{}:{}", encoded(it.client_id()), encoded(CLIENT_SECRET));
    let expected = format!("Basic {}", padded(pair.as_bytes()));
    if headers.get(header::AUTHORIZATION).is_none_or(|it| it != expected.as_str()) {
        return refused("invalid_client");
    }
    let mut happenings = it.lock();
    // Whatever comes of it, the code is spent.
    let Some(Grant { asked, person }) = happenings.grants.remove(&shown["code"]) else {
        return refused("invalid_grant");
    };
    let verifier = shown.get("code_verifier").cloned().unwrap_or_default();
    let challenge = base64(&Sha256::digest(verifier));
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != shown["redirect_uri"] {
        return refused("invalid_grant");
    }
    let mut answer = json!({ "access_token": "unused", "token_type": "Bearer", "expires_in": 60 });
    if happenings.lie != Some(Lie::NoToken) {
        let token = signed(&it, &asked["nonce"], person, happenings.key, happenings.lie);
        answer["id_token"] = token.into();
    }
    Json(answer).into_response()
}

fn signed(it: &Provider, nonce: &str, person: Value, key: &str, lie: Option<Lie>) -> String {
    let (issuer, client) = (&it.issuer, it.client_id());
    let mut claims = json!({
        "iss": issuer, "aud": client, "azp": client, "nonce": nonce,
        "iat": now(), "exp": now() + 3600,
    });
    for (name, value) in person.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let (algorithm, signs) = match key {
        "first" => (Algorithm::RS256, EncodingKey::from_rsa_der(FIRST)),
        "second" => (Algorithm::RS256, EncodingKey::from_rsa_der(SECOND)),
        _ => (Algorithm::ES256, EncodingKey::from_ec_der(CURVE)),
    };
    let mut header = Header::new(algorithm);
    header.kid = Some(key.to_owned());
    let encode = |header: &Header, claims: &Value, key: &EncodingKey| {
        jsonwebtoken::encode(header, claims, key).unwrap()
    };
    let without = |claims: &mut Value, name: &str| {
        claims.as_object_mut().unwrap().remove(name);
    };
    if it.is_telegram {
        without(&mut claims, "nonce");
    }
    match lie {
        None | Some(Lie::NoToken) => {}
        Some(Lie::Nonce) => claims["nonce"] = "another".into(),
        Some(Lie::NoNonce) => without(&mut claims, "nonce"),
        Some(Lie::Audience) => claims["aud"] = "another.apps.example".into(),
        Some(Lie::AudienceOfTwo) => claims["aud"] = json!([client, "another.apps.example"]),
        Some(Lie::AuthorizedParty) => claims["azp"] = "another.apps.example".into(),
        Some(Lie::Issuer) => claims["iss"] = format!("{issuer}.evil.example").into(),
        Some(Lie::Expired) => claims["exp"] = (now() - 120).into(),
        Some(Lie::NoExpiry) => without(&mut claims, "exp"),
        Some(Lie::Ahead) => claims["iat"] = (now() + 600).into(),
        Some(Lie::NoSubject) => without(&mut claims, "sub"),
        Some(Lie::Unsigned) => {
            let header = json!({"alg": "none", "kid": key}).to_string();
            return format!(
                "{}.{}.",
                base64(header.as_bytes()),
                base64(claims.to_string().as_bytes())
            );
        }
        Some(Lie::PublicKeyAsSecret) => {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(key.to_owned());
            return encode(&header, &claims, &EncodingKey::from_secret(FIRST_PUBLIC));
        }
        Some(Lie::OtherKey) => {
            return encode(&header, &claims, &EncodingKey::from_rsa_der(SECOND));
        }
        Some(Lie::UnknownKey) => header.kid = Some("nobody's".to_owned()),
        Some(Lie::Flipped) => {
            let token = encode(&header, &claims, &signs);
            let (rest, last) = token.split_at(token.len() - 10);
            let other = if last.starts_with('A') { "B" } else { "A" };
            return format!("{rest}{other}{}", &last[1..]);
        }
        Some(Lie::Garbage) => return "no.token.atall".to_owned(),
    }
    encode(&header, &claims, &signs)
}

/// As RFC 6749 2.3.1 has it: encoded as in a form.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Base 64 with the two letters and the padding of RFC 4648, 4.
fn padded(bytes: &[u8]) -> String {
    let text = base64(bytes).replace('-', "+").replace('_', "/");
    let missing = (4 - text.len() % 4) % 4;
    text + &"=".repeat(missing)
}

//! What a provider says of somebody: the id_token (OpenID Connect Core 1.0, 2 and 3.1.3.7), and the
//! keys that sign it (RFC 7517).

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::Millis;

/// How far a provider's clock may differ from ours, in seconds.
const LEEWAY: u64 = 60;
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Keys of one provider that are looked at; they have two or three.
const KEYS_MAX: usize = 32;
const TEXT_CHARS_MAX: usize = 512;

/// A key that a provider signs with.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// Of the key's kind, and never what a token says of itself: so no token is checked as if a
    /// public key were a secret.
    algorithm: Algorithm,
    checks: DecodingKey,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<RawKey>,
}

/// A key as it is published; of each kind the fields that we read.
#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The signing keys of a key set that we know how to use: RSA for RS256 and P-256 for ES256.
pub(super) fn keys(json: &[u8]) -> serde_json::Result<Vec<Key>> {
    let KeySet { keys } = serde_json::from_slice(json)?;
    Ok(keys.into_iter().take(KEYS_MAX).filter_map(RawKey::usable).collect())
}

impl RawKey {
    fn usable(self) -> Option<Key> {
        if self.purpose.is_some_and(|it| it != "sig") {
            return None;
        }
        let (algorithm, name, checks) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => {
                let checks = DecodingKey::from_rsa_components(&self.n?, &self.e?).ok()?;
                (Algorithm::RS256, "RS256", checks)
            }
            ("EC", Some("P-256")) => {
                let checks = DecodingKey::from_ec_components(&self.x?, &self.y?).ok()?;
                (Algorithm::ES256, "ES256", checks)
            }
            _ => return None,
        };
        let fits = self.alg.is_none_or(|it| it == name);
        fits.then_some(Key { id: self.kid, algorithm, checks })
    }
}

/// What a token must say to be about a sign-in of ours.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    /// Our own id with the provider.
    pub(super) audience: &'a str,
    pub(super) nonce: &'a str,
    /// Whether the provider repeats the nonce. Telegram's does not; there the code can be spent
    /// only with the verifier that our browser's cookie makes.
    pub(super) nonce_required: bool,
}

/// Who somebody is, by a token that was checked.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    /// Telegram's number of them; its `sub` is another for every client.
    pub(super) id: Option<TelegramId>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) preferred_username: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) locale: Option<String>,
    aud: Audience,
    azp: Option<String>,
    nonce: Option<String>,
    exp: u64,
    iat: u64,
    nbf: Option<u64>,
}

/// A number or the same in digits.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum TelegramId {
    Number(i64),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Bad {
    #[error("the id_token is not one")]
    Malformed,
    #[error("the id_token is signed by no key that the provider publishes")]
    UnknownKey,
    #[error("the id_token's algorithm is not its key's")]
    Algorithm,
    #[error("the id_token's signature, issuer or audience is wrong")]
    Forged,
    #[error("the id_token is for somebody else too")]
    Audience,
    #[error("the id_token's nonce is wrong")]
    Nonce,
    #[error("it is not the id_token's time")]
    Time,
}

/// Checks a token by `keys` at the moment `now`.
pub(super) fn check(
    token: &str,
    keys: &[Key],
    expected: &Expected<'_>,
    now: Millis,
) -> Result<Claims, Bad> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Bad::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Bad::Malformed)?;
    let key = match &header.kid {
        Some(kid) => keys.iter().find(|it| it.id.as_ref() == Some(kid)),
        // Without a name there must be no choice.
        None => keys.first().filter(|_| keys.len() == 1),
    };
    let key = key.ok_or(Bad::UnknownKey)?;
    if header.alg != key.algorithm || header.crit.is_some() {
        return Err(Bad::Algorithm);
    }
    let mut rules = Validation::new(key.algorithm);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.audience]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // The times are checked below, against our own clock.
    rules.validate_exp = false;
    let data = jsonwebtoken::decode::<Claims>(token, &key.checks, &rules);
    let claims = data.map_err(|_| Bad::Forged)?.claims;
    let ours = |it: &String| it == expected.audience;
    let alone = match &claims.aud {
        Audience::One(one) => ours(one),
        Audience::Many(many) => many.iter().all(ours),
    };
    if !alone || !claims.azp.as_ref().is_none_or(ours) {
        return Err(Bad::Audience);
    }
    let nonce = claims.nonce.as_deref();
    if nonce.map_or(expected.nonce_required, |it| it != expected.nonce) {
        return Err(Bad::Nonce);
    }
    let now = u64::try_from(now / 1000).unwrap_or(0);
    let begun = claims.iat.max(claims.nbf.unwrap_or(0)) <= now + LEEWAY;
    if !begun || now >= claims.exp.saturating_add(LEEWAY) {
        return Err(Bad::Time);
    }
    match claims.sub.is_empty() || claims.sub.chars().count() > TEXT_CHARS_MAX {
        true => Err(Bad::Malformed),
        false => Ok(claims),
    }
}

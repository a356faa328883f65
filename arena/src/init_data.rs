//! What Telegram tells a Mini App of who opened it, and how we know that it was Telegram.
//!
//! The raw string is a query string. Its `hash` is HMAC-SHA-256 over all other fields, decoded and
//! sorted, under a key made of the bot's token: so no one without the token can make or change one.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::{Millis, clock::millis};

/// The longest raw string that is looked at; Telegram's have some 500 bytes.
const RAW_BYTES_MAX: usize = 8192;
const FIELDS_MAX: usize = 64;
/// Telegram promises at most 52 significant bits.
pub(crate) const TELEGRAM_ID_MAX: i64 = 1 << 53;
const HASH_BYTES: usize = 32;

/// A checked statement of Telegram's about who opened the Mini App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitData {
    /// When Telegram said so.
    pub auth_date: Millis,
    /// Who opened it; absent when opened in ways that don't tell.
    pub user: Option<TelegramUser>,
}

/// A person as Telegram describes them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TelegramUser {
    /// Telegram's id of them.
    pub id: i64,
    /// As long and as strange as they like.
    pub first_name: String,
    /// Often absent or empty.
    pub last_name: Option<String>,
    /// What they can be mentioned by, without the @.
    pub username: Option<String>,
    /// An IETF tag such as `en` or `pt-br`.
    pub language_code: Option<String>,
    /// Their picture.
    pub photo_url: Option<String>,
    /// Whether it is a program.
    #[serde(default)]
    pub is_bot: bool,
}

/// Why a string is not init data to rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInitData {
    /// Not the shape that Telegram gives it.
    #[error("not the shape of init data")]
    Malformed,
    /// Not signed with this bot's token, or changed since.
    #[error("the hash of the init data is wrong")]
    Forged,
    /// True once, but too long ago.
    #[error("the init data is too old")]
    Expired,
    /// From a time to come.
    #[error("the init data is from the future")]
    Ahead,
}

impl InitData {
    /// Checks `raw`, exactly as Telegram gave it to the page, against the bot's `token`.
    ///
    /// # Errors
    /// When it is malformed, wasn't signed with this token, or is older than `max_age` or further
    /// ahead than `max_ahead` at the moment `now`.
    pub fn check(
        raw: &str,
        token: &str,
        now: Millis,
        max_age: Duration,
        max_ahead: Duration,
    ) -> Result<InitData, NotInitData> {
        let fields = Fields::read(raw)?;
        if !fields.signed_with(token)? {
            return Err(NotInitData::Forged);
        }
        let auth_date = fields.one("auth_date").and_then(moment).ok_or(NotInitData::Malformed)?;
        if now.saturating_sub(auth_date) > millis(max_age) {
            return Err(NotInitData::Expired);
        }
        if auth_date.saturating_sub(now) > millis(max_ahead) {
            return Err(NotInitData::Ahead);
        }
        let user = fields.one("user").map(person).transpose()?;
        Ok(InitData { auth_date, user })
    }
}

/// The decoded fields, sorted by name, each name once.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(raw: &str) -> Result<Fields, NotInitData> {
        if raw.len() > RAW_BYTES_MAX || raw.split('&').count() > FIELDS_MAX {
            return Err(NotInitData::Malformed);
        }
        let read = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (decode(name)?, decode(value)?);
            (!name.is_empty()).then_some((name, value))
        };
        let fields: Option<Vec<_>> = raw.split('&').map(read).collect();
        let mut fields = fields.ok_or(NotInitData::Malformed)?;
        fields.sort();
        match fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            true => Err(NotInitData::Malformed),
            false => Ok(Fields(fields)),
        }
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    fn signed_with(&self, token: &str) -> Result<bool, NotInitData> {
        let hash = self.one("hash").and_then(lower_hex).ok_or(NotInitData::Malformed)?;
        let key = hmac(b"WebAppData").chain_update(token).finalize().into_bytes();
        let mut mac = hmac(&key);
        // All but the hash itself: `signature`, which is for third parties, is under our hash too.
        let said = self.0.iter().filter(|it| it.0 != "hash");
        for (index, (name, value)) in said.enumerate() {
            if index > 0 {
                mac.update(b"\n");
            }
            mac.update(name.as_bytes());
            mac.update(b"=");
            mac.update(value.as_bytes());
        }
        // In constant time.
        Ok(mac.verify_slice(&hash).is_ok())
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Form decoding, but strict: no broken escapes, no `;`, only UTF-8, and no control characters,
/// of which a line feed could make one signed field pass for two.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => (nibble(bytes.next()?)? << 4) | nibble(bytes.next()?)?,
            b'+' => b' ',
            b';' => return None,
            byte => byte,
        });
    }
    match decoded.iter().any(|byte| *byte < b' ') {
        true => None,
        false => String::from_utf8(decoded).ok(),
    }
}

fn nibble(digit: u8) -> Option<u8> {
    Some(char::from(digit).to_digit(16)? as u8)
}

/// 64 digits of hex as Telegram writes them: no capitals.
fn lower_hex(text: &str) -> Option<[u8; HASH_BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * HASH_BYTES || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut hash = [0; HASH_BYTES];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(hash)
}

/// Unix seconds in nothing but digits.
fn moment(text: &str) -> Option<Millis> {
    let digits = text.bytes().all(|it| it.is_ascii_digit()) && text.len() <= 12;
    digits.then(|| text.parse::<Millis>().ok()).flatten().map(|seconds| seconds * 1000)
}

fn person(json: &str) -> Result<TelegramUser, NotInitData> {
    let user: TelegramUser = serde_json::from_str(json).map_err(|_| NotInitData::Malformed)?;
    match (1..=TELEGRAM_ID_MAX).contains(&user.id) && !user.is_bot {
        true => Ok(user),
        false => Err(NotInitData::Malformed),
    }
}

//! Browsers in which somebody has signed in before. What they keep opens nothing: it says only that
//! tries of a name in this browser are not those of strangers.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Arena, db::Db, sessions::kept_secret};

const NONCE_BYTES: usize = 16;

/// What marks known browsers, and what other keys are derived from.
pub(crate) struct Known(Hmac<Sha256>);

impl Known {
    /// From a secret that is made once and kept in the database.
    pub(crate) async fn open(db: &Db) -> anyhow::Result<Known> {
        let secret = kept_secret(db, "known_browsers").await?;
        let key = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        Ok(Known(key))
    }

    /// A key that all processes of the arena have, for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        let key = self.0.clone().chain_update("artel: a key for ").chain_update(purpose);
        key.finalize().into_bytes().into()
    }

    /// The mark of a browser for a name, whatever its capitals.
    fn mac(&self, login: &str, nonce: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(nonce).chain_update(login.to_lowercase())
    }
}

impl Arena {
    /// What a browser may keep in which somebody has signed in by `login`.
    pub fn know_browser(&self, login: &str) -> String {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let mark = self.known.mac(login, &nonce).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &mark[..]].concat())
    }

    /// Whether `kept` is what a browser keeps in which somebody has signed in by `login`.
    pub fn knows_browser(&self, login: &str, kept: &str) -> bool {
        let kept = BASE64_URL_SAFE_NO_PAD.decode(kept).unwrap_or_default();
        let Some((nonce, mark)) = kept.split_at_checked(NONCE_BYTES) else { return false };
        self.known.mac(login, nonce).verify_slice(mark).is_ok()
    }
}

//! Passwords: argon2id, a few at a time.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use anyhow::{Context, anyhow};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error as HashError, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{Error, Result};

// What OWASP advises for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// No password has more characters, so that none is costly to read.
pub(crate) const PASSWORD_CHARS_MAX: usize = 128;

/// Sign-ins that may stand in line for a processor; more are told to come back.
const WAITING_MAX: usize = 64;
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What an unknown login is checked against, so that it takes as long as a known one. It is the
/// hash of no password that anybody knows, made with the parameters above.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz\
                      $8sRkqS6AuCTVQmHhYbMZ0ikBSgWcyGMIfG0aDZ1vPkE";

/// Makes and checks the hashes of passwords off the async threads, no more at once than there are
/// processors: each takes 19 MiB and some 20 ms of one.
#[derive(Debug)]
pub(crate) struct Hashing {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Hashing {
    pub(crate) fn new() -> Hashing {
        let processors = available_parallelism().map_or(1, usize::from);
        Hashing {
            running: Arc::new(Semaphore::new(processors)),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// The PHC string of a password, with a new salt.
    pub(crate) async fn hash(&self, password: String) -> Result<String> {
        self.run(move || {
            let hash = argon2id()?.hash_password(password.as_bytes());
            Ok(hash.map_err(|error| anyhow!("hashing a password: {error}"))?.to_string())
        })
        .await
    }

    /// Whether a password is the one that `hash` was made of. Without a hash it is not, and to
    /// find that out takes as long.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.run(move || {
            let hash = hash.as_deref();
            let known = PasswordHash::new(hash.unwrap_or(NOBODY))
                .map_err(|error| anyhow!("reading the hash of a password: {error}"))?;
            match argon2id()?.verify_password(password.as_bytes(), &known) {
                Ok(()) => Ok(hash.is_some()),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(anyhow!("checking a password: {error}")),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T> {
        let in_line = self.waiting.try_acquire().map_err(|_| Error::too_many(RETRY_AFTER))?;
        let turn = self.running.clone().acquire_owned().await.context("waiting to hash")?;
        drop(in_line);
        let done = spawn_blocking(move || {
            // Held to the end of the work, even if who asked has gone.
            let _turn = turn;
            work()
        });
        Ok(done.await.context("hashing a password")??)
    }
}

fn argon2id() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| anyhow!("setting up argon2id: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hashing = Hashing::new();
        let hash = hashing.hash("open sesame".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hashing.verify("open sesame".into(), Some(hash.clone())).await.unwrap());
        assert!(!hashing.verify("open says me".into(), Some(hash.clone())).await.unwrap());
        assert_ne!(hashing.hash("open sesame".into()).await.unwrap(), hash, "the salt is new");
    }

    #[tokio::test]
    async fn nobody_can_be_checked_and_is_never_right() {
        assert!(!Hashing::new().verify("anything".into(), None).await.unwrap());
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(Params::try_from(&nobody).unwrap().m_cost(), MEMORY_KIB);
        assert_eq!(Params::try_from(&nobody).unwrap().t_cost(), PASSES);
        assert_eq!(Params::try_from(&nobody).unwrap().p_cost(), LANES);
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let hashing = Hashing::new();
        let _line = hashing.waiting.acquire_many(WAITING_MAX as u32).await.unwrap();
        let refused = hashing.hash("open sesame".into()).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(it) if it.retry_after == Some(RETRY_AFTER)));
    }
}

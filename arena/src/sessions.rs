//! Who is signed in, and how that is proved.
//!
//! A sign-in on a device is a session. It has two proofs: an access token, a JWT that is good for
//! 15 minutes and is checked without the database, and a refresh token, 256 secret bits that are
//! good for 30 days and once. Using a refresh token spends it and gives its successor; the tokens
//! of a session are so one chain. Who shows a spent one is either a thief or was robbed by one, and
//! since we can't tell which, the session ends.
//!
//! A successor is made from the token before it with a key of the server's, so it can be told again
//! to somebody who asks twice at once (two tabs, a lost answer) although it is stored nowhere: a
//! spent token still gives the newest of its chain for 10 seconds, and the chain never forks.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::broadcast;

use crate::{
    Arena, Error, Millis, Options, Result, Role, SessionId, User, UserId,
    audit::{AuditKind, AuditRows, Deed},
    bus::{To, Word},
    clock::millis,
    db::{Db, Turns, on},
    devices::network,
    staff::StaffRows,
};

const ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a spent refresh token still gives its successor.
const GRACE: Duration = Duration::from_secs(10);
/// How far the clocks of two machines of ours may differ.
const LEEWAY: Duration = Duration::from_secs(5);
/// How often a session can be refreshed within the grace and still be followed.
const CHAIN_MAX: usize = 32;
/// How long the tokens of an ended session are kept.
const ENDED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

const ISSUER: &str = "artel";
const AUDIENCE: &str = "artel:access";
/// The media type of access tokens by RFC 9068: a token for anything else is never taken for one.
const TYPE: &str = "at+jwt";

const ACCESS_TOKEN_BYTES_MAX: usize = 2048;
const USER_AGENT_CHARS_MAX: usize = 200;
/// Endings that a slow listener may be behind by before it misses some.
const ENDED_BACKLOG: usize = 1024;

/// What signs in, as far as it tells.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The `Accept-Language` header: which language a new account begins with.
    pub language: Option<String>,
    /// Where it is, as far as the network tells.
    pub address: Option<IpAddr>,
}

/// A sign-in: what proves it, and who it is.
#[derive(Clone)]
pub struct Session {
    /// A JWT, sent with each request.
    pub access_token: String,
    /// Seconds until the access token is good for nothing.
    pub expires_in: u64,
    /// Gives the next access token, once.
    pub refresh_token: String,
    /// Who signed in.
    pub user: User,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// Who acts, proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The person.
    pub user_id: UserId,
    /// Their sign-in.
    pub session_id: SessionId,
    /// What they may do.
    pub role: Role,
}

/// What an access token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    role: Role,
    /// Unix seconds, as all moments here.
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

/// What signs tokens. Neither printed nor cloned.
pub(crate) struct Keys {
    /// The first signs; what any of them has signed is good. More come when another process makes
    /// them, and none goes before this one ends.
    all: RwLock<Vec<Arc<Key>>>,
    rules: Validation,
}

struct Key {
    /// Names the secret, so that it is known at sight which one has signed a token.
    id: String,
    signs: EncodingKey,
    checks: DecodingKey,
    chain: Hmac<Sha256>,
}

impl Keys {
    /// From `JWT_SECRET`, or else from a secret that is made once and kept in the database; and
    /// from those before it.
    pub(crate) async fn open(db: &Db, options: &Options) -> anyhow::Result<Keys> {
        let mut secrets = match &options.jwt_secret {
            Some(secret) => vec![secret.expose().to_owned()],
            None => {
                kept_secret(db, "jwt").await?;
                kept_secrets(db).await?
            }
        };
        secrets.extend(options.sign_in.jwt_old_secret.iter().map(|it| it.expose().to_owned()));
        let all = secrets.iter().map(|it| Arc::new(Key::new(it.as_bytes()))).collect();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The times are checked by `claims`, against the arena's clock rather than the machine's.
        rules.validate_exp = false;
        Ok(Keys { all: RwLock::new(all), rules })
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Arc<Key>>> {
        // OK because no panic can leave the list half changed.
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> Arc<Key> {
        self.all().first().expect("one is always set or kept").clone()
    }

    /// What these secrets have signed is good from now on.
    fn learn(&self, secrets: &[String]) {
        let known: Vec<String> = self.all().iter().map(|it| it.id.clone()).collect();
        let keys = secrets.iter().map(|it| Arc::new(Key::new(it.as_bytes())));
        let new: Vec<_> = keys.filter(|it| !known.contains(&it.id)).collect();
        if !new.is_empty() {
            self.all.write().unwrap_or_else(PoisonError::into_inner).extend(new);
        }
    }

    fn sign(&self, user: &User, session: SessionId, now: Millis) -> Result<String> {
        let iat = seconds(now);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.id,
            sid: session,
            role: user.role,
            iat,
            exp: iat + ACCESS_LIFE.as_secs(),
            nbf: None,
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        let key = self.first();
        header.kid = Some(key.id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.signs);
        Ok(token.context("signing an access token")?)
    }

    /// What a token says, if we signed it and it is its time.
    fn claims(&self, token: &str, now: Millis) -> Option<Claims> {
        if token.len() > ACCESS_TOKEN_BYTES_MAX {
            return None;
        }
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.all().iter().find(|it| it.id == kid)?.clone();
        let data = jsonwebtoken::decode::<Claims>(token, &key.checks, &self.rules).ok()?;
        let (header, claims, now) = (data.header, data.claims, seconds(now));
        let ours = header.typ.as_deref() == Some(TYPE) && header.crit.is_none();
        let begun = claims.nbf.is_none_or(|nbf| nbf <= now + LEEWAY.as_secs());
        let lasts = now < claims.exp.saturating_add(LEEWAY.as_secs());
        (ours && begun && lasts).then_some(claims)
    }

    /// The refresh token after `token`.
    fn successor(&self, token: &str) -> String {
        self.first().successor(token)
    }

    /// The refresh tokens that may come after `token`, by each of the keys.
    fn successors(&self, token: &str) -> Vec<String> {
        self.all().iter().map(|it| it.successor(token)).collect()
    }
}

impl Key {
    fn new(secret: &[u8]) -> Key {
        let derive = |purpose: &str| hmac(secret).chain_update(purpose).finalize().into_bytes();
        Key {
            id: hex(&derive("artel: the id of the key")[..8]),
            signs: EncodingKey::from_secret(secret),
            checks: DecodingKey::from_secret(secret),
            chain: hmac(&derive("artel: the chain of refresh tokens")),
        }
    }

    fn successor(&self, token: &str) -> String {
        let next = self.chain.clone().chain_update(token).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(next)
    }
}

/// The secret that is kept, and the one before it.
async fn kept_secrets(db: &Db) -> anyhow::Result<Vec<String>> {
    let secrets = on!(db, pool => {
        sqlx::query_scalar(
            "select value from secrets where name in ('jwt', 'jwt_old') order by name",
        )
        .fetch_all(pool)
        .await
    });
    secrets.context("reading the secrets that sign tokens")
}

/// 64 random letters that are made once for all processes, and kept in the database.
pub(crate) async fn kept_secret(db: &Db, name: &str) -> anyhow::Result<String> {
    let secret = on!(db, pool => async {
        // Of several processes that start at once, one writes and all read what it wrote.
        sqlx::query(
            "insert into secrets (name, value) values ($1, $2) on conflict (name) do nothing",
        )
        .bind(name)
        .bind(hex(&rand::random::<[u8; 32]>()))
        .execute(pool)
        .await?;
        sqlx::query_scalar("select value from secrets where name = $1")
            .bind(name)
            .fetch_one(pool)
            .await
    }
    .await);
    secret.with_context(|| format!("reading the secret {name}"))
}

/// The sessions that ended while access tokens of theirs may still be good.
pub(crate) struct Ended {
    at: Mutex<HashMap<SessionId, Millis>>,
    told: broadcast::Sender<SessionId>,
}

impl Default for Ended {
    fn default() -> Ended {
        Ended { at: Mutex::default(), told: broadcast::Sender::new(ENDED_BACKLOG) }
    }
}

impl Ended {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Millis>> {
        // OK because no panic can leave the map half changed.
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.lock().contains_key(&session)
    }

    pub(crate) fn add(&self, session: SessionId, at: Millis) {
        if self.lock().insert(session, at).is_none() {
            // OK because nobody may be listening.
            let _ = self.told.send(session);
        }
    }
}

/// A refresh token as it is stored, with what matters of its session.
#[derive(sqlx::FromRow)]
struct Stored {
    session_id: SessionId,
    expires_at: Millis,
    spent_at: Option<Millis>,
    ended_at: Option<Millis>,
    user_id: UserId,
}

impl Arena {
    /// Makes another secret to sign tokens with, where it is kept in the database. Processes that
    /// run know it within seconds and sign with it from their next start; what the one before has
    /// signed stays good.
    ///
    /// # Errors
    /// When the database can't be opened, or the secret is set by the operator.
    pub async fn rotate_key(options: &Options) -> anyhow::Result<()> {
        anyhow::ensure!(
            options.jwt_secret.is_none(),
            "JWT_SECRET is set: move its value to JWT_OLD_SECRET and set another",
        );
        let db = Db::open(&options.database_url).await?;
        db.migrate().await?;
        kept_secret(&db, "jwt").await?;
        on!(db, pool => {
            let mut tx = pool.begin_with(db.begin()).await?;
            sqlx::query("delete from secrets where name = 'jwt_old'").execute(&mut *tx).await?;
            sqlx::query("update secrets set name = 'jwt_old' where name = 'jwt'")
                .execute(&mut *tx)
                .await?;
            sqlx::query("insert into secrets (name, value) values ('jwt', $1)")
                .bind(hex(&rand::random::<[u8; 32]>()))
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        });
        db.close().await;
        Ok(())
    }

    /// Signs `user` in on `device`.
    ///
    /// # Errors
    /// `banned` when they are shut out.
    pub(crate) async fn begin_session(&self, user: User, device: &Device) -> Result<Session> {
        let (now, session, token) = (self.clock.now(), SessionId::random(), random_token());
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[user.id]).await?;
            tx.require_good(user.id, now).await?;
            tx.note(now, &Deed::of(AuditKind::SignIn, user.id, device.address)).await?;
            sqlx::query(
                "insert into sessions (id, user_id, created_at, used_at, user_agent, address) \
                 values ($1, $2, $3, $3, $4, $5)",
            )
            .bind(session)
            .bind(user.id)
            .bind(now)
            .bind(cut(&device.user_agent))
            .bind(device.address.map(network))
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "insert into refresh_tokens (hash, session_id, created_at, expires_at) \
                 values ($1, $2, $3, $4)",
            )
            .bind(hex(&digest(&token)))
            .bind(session)
            .bind(now)
            .bind(now + millis(REFRESH_LIFE))
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        self.session(user, session, token)
    }

    fn session(&self, user: User, session: SessionId, refresh_token: String) -> Result<Session> {
        let access_token = self.keys.sign(&user, session, self.clock.now())?;
        Ok(Session { access_token, expires_in: ACCESS_LIFE.as_secs(), refresh_token, user })
    }

    /// Spends a refresh token and gives its successor, with a new access token.
    ///
    /// # Errors
    /// When the token is unknown, expired or spent, or its session has ended. A token that was
    /// spent more than 10 seconds ago ends its session.
    pub async fn refresh(&self, token: &str, device: &Device) -> Result<Session> {
        let next = self.keys.successor(token);
        if let Some((user, session)) = self.rotate(token, &next, device).await? {
            return self.session(user, session, next);
        }
        let now = self.clock.now();
        let stored = self.stored(token).await?.ok_or_else(not_a_refresh_token)?;
        let Some(spent_at) = stored.spent_at else {
            return Err(not_a_refresh_token());
        };
        if stored.ended_at.is_some() || stored.expires_at <= now {
            return Err(not_a_refresh_token());
        }
        if now - spent_at <= millis(GRACE) {
            return self.newest(token, stored.session_id).await;
        }
        self.end_session(stored.session_id).await?;
        let deed = Deed::of(AuditKind::TokenReused, stored.user_id, device.address);
        on!(self.db, pool => pool.acquire().await?.note(now, &deed).await)?;
        tracing::warn!(
            session.id = %stored.session_id,
            user.id = %stored.user_id,
            "A spent refresh token of session {} was used again: ended the session",
            stored.session_id,
        );
        Err(Error::unauthenticated(
            "refresh_token_reused",
            "this refresh token was used before, so the whole sign-in has ended for safety: sign \
             in again",
        ))
    }

    /// Replaces an unspent token by `next`; nothing when it is not one.
    async fn rotate(
        &self,
        token: &str,
        next: &str,
        device: &Device,
    ) -> Result<Option<(User, SessionId)>> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            // Of several that come at once with the same token, one finds it unspent.
            let session: Option<SessionId> = sqlx::query_scalar(
                "update refresh_tokens set spent_at = $1 \
                 where hash = $2 and spent_at is null and expires_at > $1 returning session_id",
            )
            .bind(now)
            .bind(hex(&digest(token)))
            .fetch_optional(&mut *tx)
            .await?;
            let Some(session) = session else { return Ok(None) };
            let user: Option<UserId> = sqlx::query_scalar(
                "update sessions set used_at = $1, user_agent = $2, address = $3 \
                 where id = $4 and ended_at is null returning user_id",
            )
            .bind(now)
            .bind(cut(&device.user_agent))
            .bind(device.address.map(network))
            .bind(session)
            .fetch_optional(&mut *tx)
            .await?;
            let Some(user) = user else { return Ok(None) };
            sqlx::query(
                "insert into refresh_tokens (hash, session_id, created_at, expires_at) \
                 values ($1, $2, $3, $4)",
            )
            .bind(hex(&digest(next)))
            .bind(session)
            .bind(now)
            .bind(now + millis(REFRESH_LIFE))
            .execute(&mut *tx)
            .await?;
            let user: User = sqlx::query_as(
                "select id, username, display_name, avatar_url, language, role, created_at \
                 from users where id = $1",
            )
            .bind(user)
            .fetch_one(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Some((user, session)))
        })
    }

    /// The session with the newest token of a chain, followed from `token`, which is spent.
    async fn newest(&self, token: &str, session: SessionId) -> Result<Session> {
        let mut token = token.to_owned();
        for _ in 0..CHAIN_MAX {
            let (next, stored) = self.next(&token, session).await?;
            if stored.spent_at.is_none() {
                let user = self.user(stored.user_id).await?.ok_or_else(not_a_refresh_token)?;
                return self.session(user, session, next);
            }
            token = next;
        }
        Err(Error::too_many(GRACE))
    }

    /// The token that came after `token`, whichever key was the first then.
    async fn next(&self, token: &str, session: SessionId) -> Result<(String, Stored)> {
        for next in self.keys.successors(token) {
            let stored = self.stored(&next).await?;
            let stored = stored.filter(|it| it.session_id == session && it.ended_at.is_none());
            if let Some(stored) = stored {
                return Ok((next, stored));
            }
        }
        Err(not_a_refresh_token())
    }

    async fn stored(&self, token: &str) -> Result<Option<Stored>> {
        let stored = on!(self.db, pool => sqlx::query_as(
            "select t.session_id, t.expires_at, t.spent_at, s.ended_at, s.user_id \
             from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1",
        )
        .bind(hex(&digest(token)))
        .fetch_optional(pool)
        .await)?;
        Ok(stored)
    }

    /// Ends the session that a refresh token belongs to. One that is unknown or ended already has
    /// nothing to end.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn logout(&self, token: &str) -> Result<()> {
        match self.stored(token).await? {
            Some(stored) => self.end_session(stored.session_id).await,
            None => Ok(()),
        }
    }

    async fn end_session(&self, session: SessionId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => sqlx::query(
            "update sessions set ended_at = $1 where id = $2 and ended_at is null",
        )
        .bind(now)
        .bind(session)
        .execute(pool)
        .await
        .map(drop))?;
        self.sessions_ended(&[session], now);
        Ok(())
    }

    /// Makes it known that sessions have ended, here and in the other processes: their access
    /// tokens are good no more, and their sockets are closed.
    pub(crate) fn sessions_ended(&self, sessions: &[SessionId], at: Millis) {
        for &session in sessions {
            self.ended.add(session, at);
            self.bus.say(To::All, &Word::SessionEnded { session, at });
        }
    }

    /// Who an access token proves to act. Asks no database.
    ///
    /// # Errors
    /// When we didn't sign the token, it has expired, or its session has ended.
    pub fn authenticate(&self, access_token: &str) -> Result<Principal> {
        let claims = self.keys.claims(access_token, self.clock.now());
        let claims = claims.filter(|it| !self.ended.contains(it.sid)).ok_or_else(|| {
            Error::unauthenticated(
                "access_token_invalid",
                "the access token is not valid or not valid any more: refresh it or sign in again",
            )
        })?;
        Ok(Principal { user_id: claims.sub, session_id: claims.sid, role: claims.role })
    }

    /// Tells of each session as it ends, so that its sockets can be closed.
    pub fn ended_sessions(&self) -> broadcast::Receiver<SessionId> {
        self.ended.told.subscribe()
    }

    /// Learns which sessions were ended by other processes, or by this one before it was started
    /// again, and forgets those whose access tokens have all expired by now.
    pub(crate) async fn hear_of_ended_sessions(self) -> Result<()> {
        let since = self.clock.now() - millis(ACCESS_LIFE + 2 * LEEWAY);
        let ended: Vec<(SessionId, Millis)> = on!(self.db, pool => {
            sqlx::query_as("select id, ended_at from sessions where ended_at > $1")
                .bind(since)
                .fetch_all(pool)
                .await
        })?;
        self.ended.lock().retain(|_, at| *at > since);
        for (session, at) in ended {
            self.ended.add(session, at);
        }
        Ok(())
    }

    /// Learns which secret was made to sign tokens with since this process began: another that is
    /// started later signs with it.
    pub(crate) async fn hear_of_keys(self) -> Result<()> {
        if self.options.jwt_secret.is_none() {
            self.keys.learn(&kept_secrets(&self.db).await?);
        }
        Ok(())
    }

    /// Deletes refresh tokens that are of no more use, and sessions that have none left.
    pub(crate) async fn sweep_sessions(self) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            sqlx::query(
                "delete from refresh_tokens where expires_at <= $1 \
                 or session_id in (select id from sessions where ended_at <= $2)",
            )
            .bind(now)
            .bind(now - millis(ENDED_KEPT))
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "delete from sessions where not exists \
                 (select 1 from refresh_tokens t where t.session_id = sessions.id)",
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        Ok(())
    }
}

fn not_a_refresh_token() -> Error {
    Error::unauthenticated(
        "refresh_token_invalid",
        "the refresh token is not valid or not valid any more: sign in again",
    )
}

/// SHA-256 of a token: what is kept of it.
pub(crate) type Digest = [u8; 32];

pub(crate) fn digest(token: &str) -> Digest {
    <Sha256 as sha2::Digest>::digest(token).into()
}

/// 256 random bits in 43 letters.
pub(crate) fn random_token() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cut(user_agent: &str) -> String {
    // PostgreSQL refuses zero bytes in text.
    user_agent.chars().filter(|it| !it.is_control()).take(USER_AGENT_CHARS_MAX).collect()
}

fn seconds(moment: Millis) -> u64 {
    u64::try_from(moment / 1000).unwrap_or(0)
}

//! A sign-in for a page whose own browser the provider refuses, as Google does that of Telegram.
//!
//! The page opens the system's browser with a ticket. Who comes back from the provider there is
//! shown a code, and tells it to the page, which alone holds the secret that goes with it. Nothing
//! is handed over by itself: who is sent somebody else's ticket and follows it would have to give
//! that person the code as well, which the page that shows it says not to do.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Arena, Device, Error, Linking, Millis, Principal, Result, Session, SessionId, UserId, Way, Why,
    clock::millis,
    db::on,
    identities::Proved,
    sessions::{digest, hex, random_token},
};

const LIFE: Duration = Duration::from_secs(10 * 60);
/// Of a million codes, so many may be tried.
const TRIES_MAX: i64 = 5;

/// What a page needs that sends somebody to another browser.
#[derive(Clone, Serialize, ToSchema)]
pub struct Handoff {
    /// What only this page knows.
    pub secret: String,
    /// What opens the other browser's sign-in, once: `/auth/…?handoff=`.
    pub ticket: String,
    /// Seconds until both are good for nothing.
    #[schema(example = 600)]
    pub expires_in: u64,
}

impl std::fmt::Debug for Handoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handoff").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// What a page gets for the code.
#[derive(Debug)]
pub enum HandoffResult {
    /// Somebody is signed in.
    SignedIn(Box<Session>),
    /// What they are there was joined to the account of who asked, or could be by a merge.
    Linked(Linking),
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    code: Option<String>,
    proved: Option<String>,
    expires_at: Millis,
}

impl Arena {
    /// Begins a sign-in in another browser; with `by`, to join what they are there to that account.
    ///
    /// # Errors
    /// `provider_off`.
    pub async fn begin_handoff(&self, way: Way, by: Option<&Principal>) -> Result<Handoff> {
        self.providers.find(way)?;
        let (secret, ticket) = (random_token(), random_token());
        let expires_at = self.clock.now() + millis(LIFE);
        on!(self.db, pool => sqlx::query(
            "insert into handoffs \
             (secret, ticket, provider, user_id, session_id, tries, expires_at) \
             values ($1, $2, $3, $4, $5, 0, $6)",
        )
        .bind(hex(&digest(&secret)))
        .bind(hex(&digest(&ticket)))
        .bind(way)
        .bind(by.map(|it| it.user_id))
        .bind(by.map(|it| it.session_id))
        .bind(expires_at)
        .execute(pool)
        .await
        .map(drop))?;
        Ok(Handoff { secret, ticket, expires_in: LIFE.as_secs() })
    }

    /// Spends a ticket; answers which handoff it was for.
    pub(super) async fn take_handoff_ticket(&self, way: Way, ticket: &str) -> Result<String> {
        let now = self.clock.now();
        let taken: Option<String> = on!(self.db, pool => sqlx::query_scalar(
            "update handoffs set ticket = null \
             where ticket = $1 and provider = $2 and expires_at > $3 returning secret",
        )
        .bind(hex(&digest(ticket)))
        .bind(way)
        .bind(now)
        .fetch_optional(pool)
        .await)?;
        taken.ok_or_else(gone)
    }

    /// Keeps whom the provider vouches for until the page comes with the code, which it answers.
    pub(super) async fn hand_off(&self, handoff: &str, proved: &Proved) -> Result<String> {
        let code = format!("{:06}", rand::random_range(0..1_000_000));
        let proved = serde_json::to_string(proved).map_err(anyhow::Error::from)?;
        let now = self.clock.now();
        let kept = on!(self.db, pool => sqlx::query(
            "update handoffs set code = $1, proved = $2 \
             where secret = $3 and code is null and expires_at > $4",
        )
        .bind(hex(&digest(&code)))
        .bind(proved)
        .bind(handoff)
        .bind(now)
        .execute(pool)
        .await?
        .rows_affected());
        if kept == 0 {
            return Err(gone());
        }
        Ok(code)
    }

    /// Finishes a sign-in that was begun in another browser, by the code that is shown there.
    ///
    /// # Errors
    /// `handoff_gone` when it has expired, was finished, or was tried too often; `handoff_pending`
    /// while nobody has come back there; `code_wrong`; as joining an identity. When it was begun to
    /// join, `by` must be who began it.
    pub async fn finish_handoff(
        &self,
        secret: &str,
        code: &str,
        by: Option<&Principal>,
        device: &Device,
    ) -> Result<HandoffResult> {
        let (now, key) = (self.clock.now(), hex(&digest(secret)));
        let row: Option<Row> = on!(self.db, pool => sqlx::query_as(
            "select user_id, session_id, code, proved, expires_at from handoffs where secret = $1",
        )
        .bind(&key)
        .fetch_optional(pool)
        .await)?;
        let row = row.filter(|it| it.expires_at > now).ok_or_else(gone)?;
        if row.user_id.is_some() && row.session_id != by.map(|it| it.session_id) {
            return Err(Error::forbidden("not_yours", "another sign-in began this"));
        }
        let (Some(expected), Some(proved)) = (row.code, row.proved) else {
            return Err(Error::conflict(
                "handoff_pending",
                "finish signing in in the other browser first: it shows the code",
            ));
        };
        // Counted before it is compared, so that many at once are no more tries.
        let counted = on!(self.db, pool => sqlx::query(
            "update handoffs set tries = tries + 1 where secret = $1 and tries < $2",
        )
        .bind(&key)
        .bind(TRIES_MAX)
        .execute(pool)
        .await?
        .rows_affected());
        if counted == 0 {
            return Err(gone());
        }
        let digits: String = code.chars().filter(|it| !it.is_whitespace()).take(16).collect();
        if hex(&digest(&digits)) != expected {
            return Err(Error::wrong(
                "code_wrong",
                vec![crate::FieldError {
                    field: "code".into(),
                    message: "this is not the code that the other browser shows".into(),
                }],
            ));
        }
        let taken = on!(self.db, pool => sqlx::query("delete from handoffs where secret = $1")
            .bind(&key)
            .execute(pool)
            .await?
            .rows_affected());
        if taken == 0 {
            return Err(gone());
        }
        let proved: Proved = serde_json::from_str(&proved).map_err(anyhow::Error::from)?;
        match by.filter(|_| row.user_id.is_some()) {
            Some(by) => self.link(by, &proved).await.map(HandoffResult::Linked),
            None => {
                let session = self.sign_in_proved(&proved, device).await?;
                Ok(HandoffResult::SignedIn(Box::new(session)))
            }
        }
    }
}

fn gone() -> Error {
    Error::refused(
        Why::Gone,
        "handoff_gone",
        "this sign-in was used, has expired, or was tried too often: begin again",
    )
}

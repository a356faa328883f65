//! Requests that may come twice and are to be done once: who sends the same `Idempotency-Key`
//! again, because the answer was lost on its way, gets the same answer.

use std::{fmt::Write, time::Duration};

use serde::Serialize;
use serde_json::Value;

use crate::{
    Arena, Error, Millis, Refused, Result, UserId, Why,
    clock::millis,
    db::{Turns, on, on_both},
    sessions::digest,
};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a request may be answered: after that, whoever asked again is not kept waiting for a
/// process that has died.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);
const KEY_CHARS_MAX: usize = 255;

/// What makes two requests of a person the same.
#[derive(Clone, Debug)]
pub struct RequestKey {
    name: String,
    /// SHA-256 of the request, in hex.
    request: String,
}

impl RequestKey {
    /// That of a request, by the `name` that its sender gave it. `request` is all that was asked,
    /// in one way of writing.
    ///
    /// # Errors
    /// When `name` is no name.
    pub fn new(name: &str, request: &str) -> Result<RequestKey> {
        let plain = name.bytes().all(|it| it.is_ascii_graphic());
        if name.is_empty() || name.len() > KEY_CHARS_MAX || !plain {
            let message = format!("must have 1 to {KEY_CHARS_MAX} letters, digits and signs");
            return Err(Error::invalid("Idempotency-Key", message));
        }
        let request = digest(request).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string can be written to");
            hex
        });
        Ok(RequestKey { name: name.to_owned(), request })
    }
}

#[derive(sqlx::FromRow)]
struct AnswerRow {
    request: String,
    answer: Option<String>,
}

/// Kept answers within a transaction, on either database.
trait AnswerRows {
    /// Claims a key that is not claimed now; answers who has claimed it else.
    async fn claim(
        &mut self,
        by: UserId,
        key: &RequestKey,
        now: Millis,
    ) -> sqlx::Result<Option<AnswerRow>>;
}

on_both! { impl AnswerRows {
    async fn claim(
        &mut self,
        by: UserId,
        key: &RequestKey,
        now: Millis,
    ) -> sqlx::Result<Option<AnswerRow>> {
        sqlx::query("delete from answers where user_id = $1 and name = $2 and expires_at <= $3")
            .bind(by)
            .bind(&key.name)
            .bind(now)
            .execute(&mut *self)
            .await?;
        let found = sqlx::query_as(
            "select request, answer from answers where user_id = $1 and name = $2",
        )
        .bind(by)
        .bind(&key.name)
        .fetch_optional(&mut *self)
        .await?;
        if found.is_none() {
            sqlx::query(
                "insert into answers (user_id, name, request, expires_at) values ($1, $2, $3, $4)",
            )
            .bind(by)
            .bind(&key.name)
            .bind(&key.request)
            .bind(now + millis(ANSWERED_WITHIN))
            .execute(self)
            .await?;
        }
        Ok(found)
    }
} }

impl Arena {
    /// Does `work` and answers what came of it; with a key, once. Refusals are not kept: what was
    /// refused made nothing, and may be tried again.
    ///
    /// # Errors
    /// `work`'s; `idempotency_key_reused` for another request; `request_in_progress` while the
    /// first is being answered.
    pub async fn once<T: Serialize>(
        &self,
        by: UserId,
        key: Option<&RequestKey>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<Value> {
        let Some(key) = key else { return json(&work.await?) };
        let now = self.clock.now();
        let found = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            let found = tx.claim(by, key, now).await?;
            tx.commit().await?;
            found
        });
        if let Some(found) = found {
            return found.answer(key);
        }
        let done = work.await.and_then(|it| json(&it));
        let answer = done.as_ref().ok().map(Value::to_string);
        if let Err(error) = self.keep_answer(by, key, answer).await {
            // What was made is made: its sender is to hear of it.
            tracing::error!(error = error.report(), "An answer was not kept");
        }
        done
    }

    /// Keeps an answer; without one, the key is free again.
    async fn keep_answer(
        &self,
        by: UserId,
        key: &RequestKey,
        answer: Option<String>,
    ) -> Result<()> {
        let until = self.clock.now() + millis(KEPT);
        on!(self.db, pool => match answer {
            Some(answer) => {
                sqlx::query(
                    "update answers set answer = $1, expires_at = $2
                     where user_id = $3 and name = $4 and answer is null",
                )
                .bind(answer)
                .bind(until)
                .bind(by)
                .bind(&key.name)
                .execute(pool)
                .await
                .map(drop)
            }
            None => {
                sqlx::query(
                    "delete from answers where user_id = $1 and name = $2 and answer is null",
                )
                .bind(by)
                .bind(&key.name)
                .execute(pool)
                .await
                .map(drop)
            }
        })?;
        Ok(())
    }

    /// Forgets answers that nobody will ask for again.
    pub(crate) async fn sweep_answers(self) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            sqlx::query("delete from answers where expires_at <= $1")
                .bind(now)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

impl AnswerRow {
    fn answer(self, key: &RequestKey) -> Result<Value> {
        if self.request != key.request {
            let detail = "this Idempotency-Key came with another request: choose a new one";
            return Err(Error::refused(Why::Invalid, "idempotency_key_reused", detail));
        }
        let Some(answer) = self.answer else {
            return Err(Error::Refused(Refused {
                why: Why::Conflict,
                code: "request_in_progress",
                detail: "this request is being answered: ask again in a second".to_owned(),
                fields: Vec::new(),
                retry_after: Some(Duration::from_secs(1)),
            }));
        };
        Ok(serde_json::from_str(&answer).map_err(anyhow::Error::from)?)
    }
}

fn json(answer: &impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(answer).map_err(anyhow::Error::from)?)
}

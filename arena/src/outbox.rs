//! The outbox: what Telegram has to be told.
//!
//! A row is written in the transaction that makes what it tells of true, so neither is ever there
//! without the other, and what a row is about is its key, so nothing is told twice. A row says only
//! *what* to tell; how things are is read when it is sent. So a card that changed five times while
//! its chat had to wait is sent once, as it is then, and never as it was before.
//!
//! Each life of a bot delivers as a *carrier*, which says now and then that it is there. A row that
//! it takes is its own until it is done; if it dies, others take its rows [`SILENT_MAX`] later, and
//! on SQLite, where there is one process, the next life does at once.
//!
//! Telegram has no key that would make sending twice the same as once. So a message may come twice
//! when the process dies in the moment between Telegram's answer and the row's change. Edits show
//! what they show, however often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Arena, CardId, MatchId, Millis, Result, UserId,
    carriers::{Carrier, SILENT_MAX},
    clock::millis,
    db::{on, on_both},
};

/// For how long rows stay after they were sent.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// After so many attempts a letter is given up: about a day.
const ATTEMPTS_MAX: i64 = 100;

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A card is not shown as it is now.
    Card {
        /// Which.
        card: CardId,
    },
    /// An opponent was found.
    Matched {
        /// Whom to tell.
        user: UserId,
        /// The match to go to.
        match_id: MatchId,
    },
    /// Somebody wants to play with one.
    Challenged {
        /// Whom to tell.
        user: UserId,
        /// Where to answer.
        card: CardId,
    },
    /// A match is over.
    Result {
        /// Whom to tell.
        user: UserId,
        /// Which.
        match_id: MatchId,
    },
    /// Somebody asked for a new password. The link is made when it is sent, and kept nowhere.
    PasswordReset {
        /// Whose.
        user: UserId,
        /// When, in steps: one is told once in each.
        period: i64,
    },
    /// Everybody in a match waits for one who is away.
    YourTurn {
        /// Whom to tell.
        user: UserId,
        /// Which.
        match_id: MatchId,
        /// When they went away, in milliseconds of the match's clock: each absence is told of once.
        away_at: u64,
    },
    /// Somebody wants to be friends with one.
    FriendRequest {
        /// Whom to tell.
        user: UserId,
        /// Who asks.
        from: UserId,
    },
}

impl Notice {
    /// What it is about, as a key.
    fn about(&self) -> String {
        match self {
            Notice::Card { card } => format!("card {card}"),
            Notice::Matched { user, match_id } => format!("matched {match_id} {user}"),
            Notice::Challenged { user, card } => format!("challenged {card} {user}"),
            Notice::Result { user, match_id } => format!("result {match_id} {user}"),
            Notice::PasswordReset { user, period } => format!("reset {user} {period}"),
            Notice::YourTurn { user, match_id, away_at } => {
                format!("turn {match_id} {user} {away_at}")
            }
            Notice::FriendRequest { user, from } => format!("friend {from} {user}"),
        }
    }
}

/// A notice that is to be delivered by whoever holds this.
#[derive(Clone, Debug)]
pub struct Letter {
    /// What to tell.
    pub notice: Notice,
    /// How often it was tried before.
    pub attempts: u32,
    about: String,
    carrier: i64,
}

impl Letter {
    /// What it is about: no two letters with the same are out at once.
    pub fn about(&self) -> &str {
        &self.about
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    about: String,
    notice: String,
    due_at: Millis,
    attempts: i64,
    /// 0 when nobody has it.
    carrier: i64,
}

impl Arena {
    /// Waits until there is something in the outbox that was not there before, as far as this
    /// process knows; others' are found by looking now and then.
    pub async fn letters_stirred(&self) {
        self.letters.notified().await;
    }

    /// Takes letters that are due and nobody's, the longest waiting first, at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letters_due(&self, by: Carrier, limit: u32) -> Result<Vec<Letter>> {
        let now = self.clock.now();
        let rows: Vec<Row> = on!(self.db, pool => {
            sqlx::query_as(
                "select about, notice, due_at, attempts, coalesce(carrier, 0) as carrier
                 from outbox
                 where due_at <= $1 and (carrier is null or carrier <> $2
                     and carrier not in (select id from carriers where seen_at > $3))
                 order by due_at, about limit $4",
            )
            .bind(now)
            .bind(by.0)
            .bind(now - millis(SILENT_MAX))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
        })?;
        let mut letters = Vec::with_capacity(rows.len());
        for Row { about, notice, due_at, attempts, carrier } in rows {
            let notice = match serde_json::from_str(&notice) {
                Ok(notice) => notice,
                // A newer version's, which will take it.
                Err(error) => {
                    tracing::debug!("Left a letter to another version: {error}");
                    continue;
                }
            };
            // Unless somebody was faster.
            let taken = on!(self.db, pool => {
                sqlx::query(
                    "update outbox set carrier = $1
                     where about = $2 and due_at = $3 and coalesce(carrier, 0) = $4",
                )
                .bind(by.0)
                .bind(&about)
                .bind(due_at)
                .bind(carrier)
                .execute(pool)
                .await?
                .rows_affected()
            });
            if taken > 0 {
                let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
                letters.push(Letter { notice, attempts, about, carrier: by.0 });
            }
        }
        Ok(letters)
    }

    /// The revision that is about to be shown: to be asked for before what is shown is read. None
    /// when the letter belongs to somebody else by now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_revision(&self, letter: &Letter) -> Result<Option<i64>> {
        let revision: Option<i64> = on!(self.db, pool => {
            sqlx::query_scalar("select revision from outbox where about = $1 and carrier = $2")
                .bind(&letter.about)
                .bind(letter.carrier)
                .fetch_optional(pool)
                .await
        })?;
        Ok(revision)
    }

    /// A letter was delivered as of `revision`, or there is no use in delivering it; what has
    /// changed since then is due at once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_done(&self, letter: &Letter, revision: i64) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            sqlx::query(
                "update outbox set attempts = 0, changed_at = $1, carrier = null,
                     due_at = case when revision = $2 then null else cast($1 as bigint) end
                 where about = $3 and carrier = $4",
            )
            .bind(now)
            .bind(revision)
            .bind(&letter.about)
            .bind(letter.carrier)
            .execute(pool)
            .await
            .map(drop)
        })?;
        self.letters.notify_one();
        Ok(())
    }

    /// A letter could not be delivered and is to be tried again `after` a while. What was tried for
    /// a day is given up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_later(&self, letter: &Letter, after: Duration) -> Result<()> {
        let due_at = self.clock.now() + millis(after);
        on!(self.db, pool => {
            sqlx::query(
                "update outbox set attempts = attempts + 1, carrier = null,
                     due_at = case when attempts < $1 then cast($2 as bigint) else null end
                 where about = $3 and carrier = $4",
            )
            .bind(ATTEMPTS_MAX)
            .bind(due_at)
            .bind(&letter.about)
            .bind(letter.carrier)
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Makes whoever delivers look now: to be called once what was posted is committed.
    pub(crate) fn stir_letters(&self) {
        self.letters.notify_one();
    }

    /// Deletes what was sent long ago.
    pub(crate) async fn sweep_letters(self) -> Result<()> {
        let before = self.clock.now() - millis(KEPT);
        on!(self.db, pool => {
            sqlx::query("delete from outbox where due_at is null and changed_at < $1")
                .bind(before)
                .execute(pool)
                .await?;
            sqlx::query("delete from telegram_updates where body = '' and taken_at < $1")
                .bind(before)
                .execute(pool)
                .await?;
            sqlx::query("delete from link_tokens where expires_at < $1")
                .bind(self.clock.now())
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

/// The outbox within a transaction, on either database.
pub(crate) trait OutboxRows {
    /// Has something told once, however often this is called.
    async fn post(&mut self, notice: &Notice, now: Millis) -> sqlx::Result<()>;

    /// Has a card shown as it is after this transaction.
    async fn show_card(&mut self, card: CardId, now: Millis) -> sqlx::Result<()>;
}

fn json(notice: &Notice) -> String {
    serde_json::to_string(notice).expect("notices are plain data")
}

on_both! { impl OutboxRows {
    async fn post(&mut self, notice: &Notice, now: Millis) -> sqlx::Result<()> {
        sqlx::query(
            "insert into outbox (about, notice, revision, due_at, attempts, changed_at)
             values ($1, $2, 1, $3, 0, $3) on conflict (about) do nothing",
        )
        .bind(notice.about())
        .bind(json(notice))
        .bind(now)
        .execute(self)
        .await
        .map(drop)
    }

    async fn show_card(&mut self, card: CardId, now: Millis) -> sqlx::Result<()> {
        let notice = Notice::Card { card };
        // Whoever delivers it now, or has to wait with it, finds the new revision.
        sqlx::query(
            "insert into outbox (about, notice, revision, due_at, attempts, changed_at)
             values ($1, $2, 1, $3, 0, $3)
             on conflict (about) do update set revision = outbox.revision + 1,
                 due_at = coalesce(outbox.due_at, excluded.due_at)",
        )
        .bind(notice.about())
        .bind(json(&notice))
        .bind(now)
        .execute(self)
        .await
        .map(drop)
    }
} }

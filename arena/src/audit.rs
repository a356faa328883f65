//! The audit: who did what, when and from where, of all that opens an account, changes what
//! somebody may do, or keeps order.
//!
//! A line is written in the transaction that does what it tells of, so neither is there without the
//! other. It holds ids, an address and a sentence; never a token, a password, initData, or what
//! somebody typed where a password might have been meant. What anyone can cause without an account
//! (failed sign-ins) is summed up by the hour, so that nobody can fill the table.

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, AuditId, Millis, Moment, Principal, PublicUser, Result, Role, UserId,
    clock::millis,
    cursor::Cursor,
    db::{on, on_both},
    staff::StaffRows,
};

/// How long lines are kept.
const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// Over what time sums are taken.
const HOUR: Millis = 60 * 60 * 1000;
const PAGE_DEFAULT: u32 = 50;
const PAGE_MAX: u32 = 100;
const DETAIL_CHARS_MAX: usize = 500;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AuditKind {
    /// An account was made.
    SignUp,
    /// Somebody signed in.
    SignIn,
    /// Sign-ins that failed, summed up by address and hour.
    SignInFailed,
    /// A refresh token was used twice, and its session ended.
    TokenReused,
    /// A way in was joined to an account.
    Linked,
    /// A way in was taken off an account.
    Unlinked,
    /// One account was merged into another.
    Merged,
    /// A password was set.
    PasswordChanged,
    /// Sessions were ended from afar.
    SessionsEnded,
    /// Somebody may do more, or less.
    RoleChanged,
    /// Somebody was shut out.
    Banned,
    /// … and let in again.
    Unbanned,
    /// Somebody may not chat.
    Muted,
    /// … and may again.
    Unmuted,
    /// A report was dealt with.
    ReportClosed,
}

/// Something to be put down.
#[derive(Clone, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) kind: AuditKind,
    /// Who did it, where that is known.
    pub(crate) by: Option<UserId>,
    /// To whom.
    pub(crate) about: Option<UserId>,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// What else there is to say; no secret.
    pub(crate) detail: &'a str,
}

/// Who does something that is put down, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// Who.
    pub id: UserId,
    /// From which address; none where the door does not know.
    pub address: Option<IpAddr>,
}

impl From<&Principal> for Actor {
    fn from(by: &Principal) -> Actor {
        Actor { id: by.user_id, address: by.address }
    }
}

impl From<UserId> for Actor {
    /// From nowhere that is known.
    fn from(id: UserId) -> Actor {
        Actor { id, address: None }
    }
}

impl Deed<'_> {
    /// Something that somebody did, as far as their account goes.
    pub(crate) fn of(kind: AuditKind, by: UserId, address: Option<IpAddr>) -> Deed<'static> {
        Deed { kind, by: Some(by), about: None, address, detail: "" }
    }
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditLine {
    /// Which.
    #[schema(value_type = String)]
    pub id: AuditId,
    /// When.
    pub at: Moment,
    /// What.
    pub kind: AuditKind,
    /// Who; null where that is not known, or the operator did it.
    pub by: Option<PublicUser>,
    /// To whom.
    pub about: Option<PublicUser>,
    /// From which address; empty for none.
    pub address: String,
    /// What else there is to say.
    pub detail: String,
    /// How often.
    pub times: i64,
}

/// A page of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditPage {
    /// The latest first.
    pub items: Vec<AuditLine>,
    /// Gives the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Which lines of the audit to show; all that is none, all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of a kind.
    pub kind: Option<AuditKind>,
    /// By or about somebody.
    pub user: Option<UserId>,
    /// After this page.
    pub cursor: Option<String>,
    /// How many at most, 1 to 100.
    pub limit: Option<u32>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AuditId,
    at: Millis,
    kind: String,
    by_id: Option<UserId>,
    about_id: Option<UserId>,
    address: String,
    detail: String,
    times: i64,
}

/// The audit within a transaction, on either database.
pub(crate) trait AuditRows {
    /// Puts something down.
    async fn note(&mut self, now: Millis, deed: &Deed<'_>) -> sqlx::Result<()>;

    /// Counts something that happens often, by its kind, its address and the hour.
    async fn note_again(&mut self, now: Millis, deed: &Deed<'_>) -> sqlx::Result<()>;
}

on_both! { impl AuditRows {
    async fn note(&mut self, now: Millis, deed: &Deed<'_>) -> sqlx::Result<()> {
        let detail: String = deed.detail.chars().take(DETAIL_CHARS_MAX).collect();
        sqlx::query(
            "insert into audit (id, at, kind, by_id, about_id, address, detail, times)
             values ($1, $2, $3, $4, $5, $6, $7, 1)",
        )
        .bind(AuditId::random())
        .bind(now)
        .bind(deed.kind)
        .bind(deed.by)
        .bind(deed.about)
        .bind(written(deed.address))
        .bind(detail)
        .execute(self)
        .await
        .map(drop)
    }

    async fn note_again(&mut self, now: Millis, deed: &Deed<'_>) -> sqlx::Result<()> {
        let address = written(deed.address);
        sqlx::query(
            "insert into audit (id, at, kind, by_id, about_id, address, detail, times, sum_of)
             values ($1, $2, $3, $4, $5, $6, $7, 1, $8)
             on conflict (sum_of) do update set times = audit.times + 1, at = excluded.at",
        )
        .bind(AuditId::random())
        .bind(now)
        .bind(deed.kind)
        .bind(deed.by)
        .bind(deed.about)
        .bind(&address)
        .bind(deed.detail)
        .bind(format!("{:?} {address} {}", deed.kind, now.div_euclid(HOUR)))
        .execute(self)
        .await
        .map(drop)
    }
} }

fn written(address: Option<IpAddr>) -> String {
    address.map(|it| it.to_string()).unwrap_or_default()
}

impl Arena {
    /// A page of the audit, the latest lines first; for administrators.
    ///
    /// # Errors
    /// `not_admin`; when `cursor` is none of ours.
    pub async fn audit(&self, by: UserId, filter: AuditFilter) -> Result<AuditPage> {
        let after = filter.cursor.as_deref().map(Cursor::parse).transpose()?;
        let after = after.unwrap_or(Cursor::START);
        let limit = filter.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize;
        let rows: Vec<Row> = on!(self.db, pool => {
            let mut connection = pool.acquire().await?;
            connection.require(by, Role::Admin).await?;
            sqlx::query_as(
                "select id, at, kind, by_id, about_id, address, detail, times from audit
                 where (at < $1 or (at = $1 and id > $2))
                   and ($3 is null or kind = $3)
                   and ($4 is null or by_id = $4 or about_id = $4)
                 order by at desc, id limit $5",
            )
            .bind(after.at)
            .bind(after.id)
            .bind(filter.kind)
            .bind(filter.user)
            // One more, to know whether there is another page.
            .bind(limit as i64 + 1)
            .fetch_all(&mut *connection)
            .await?
        });
        let next_cursor = (rows.len() > limit).then(|| {
            let last = &rows[limit - 1];
            Cursor { at: last.at, id: last.id.0 }.print()
        });
        let mut items = Vec::with_capacity(limit);
        for row in rows.into_iter().take(limit) {
            // A kind that this version does not know was written by a newer one.
            let kind = serde_json::from_value(row.kind.into());
            let Ok(kind) = kind else { continue };
            items.push(AuditLine {
                id: row.id,
                at: Moment(row.at),
                kind,
                by: self.person(row.by_id).await?,
                about: self.person(row.about_id).await?,
                address: row.address,
                detail: row.detail,
                times: row.times,
            });
        }
        Ok(AuditPage { items, next_cursor })
    }

    async fn person(&self, id: Option<UserId>) -> Result<Option<PublicUser>> {
        match id {
            Some(id) => Ok(self.user(id).await?.map(|it| it.public())),
            None => Ok(None),
        }
    }

    /// Counts a sign-in that failed.
    pub(crate) async fn note_failed_sign_in(&self, address: Option<IpAddr>) -> Result<()> {
        let kind = AuditKind::SignInFailed;
        let deed = Deed { kind, by: None, about: None, address, detail: "" };
        let now = self.clock.now();
        on!(self.db, pool => pool.acquire().await?.note_again(now, &deed).await)?;
        Ok(())
    }

    /// Deletes what is long past.
    pub(crate) async fn sweep_audit(self) -> Result<()> {
        let before = self.clock.now() - millis(KEPT);
        on!(self.db, pool => {
            sqlx::query("delete from audit where at < $1")
                .bind(before)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

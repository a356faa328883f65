//! Reports: what somebody tells those who keep order about another.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Moment, PublicUser, Refused, ReportId, Result, Role, UserId,
    Why,
    audit::{Actor, AuditKind, AuditRows, Deed},
    clock::millis,
    computers,
    cursor::Cursor,
    db::{Turns, on},
    staff::StaffRows,
};

/// How many reports somebody may make a day.
const A_DAY_MAX: i64 = 10;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TEXT_CHARS_MAX: usize = 500;
/// How many of their lines go with a report from a room.
const LINES_MAX: i64 = 10;
const PAGE_DEFAULT: u32 = 20;
const PAGE_MAX: u32 = 100;

/// What somebody is reported for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ReportReason {
    /// The same again and again, advertising.
    Spam,
    /// Insults, threats, hatred.
    Abuse,
    /// Help by a program, an arranged result.
    Cheating,
    /// A name or a picture.
    Name,
    /// Something else.
    Other,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Verdict {
    /// It was right.
    Acted,
    /// Nothing came of it.
    Dismissed,
}

/// A report to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// About whom.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub user_id: UserId,
    /// What for.
    pub reason: ReportReason,
    /// In one's own words.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub text: String,
    /// At which match it was.
    #[schema(value_type = Option<String>)]
    pub match_id: Option<MatchId>,
    /// In which room it was, that one is in: what they said there lately goes with the report.
    #[schema(example = "KWBTRM")]
    pub room: Option<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Which.
    #[schema(value_type = String)]
    pub id: ReportId,
    /// Who made it.
    pub by: PublicUser,
    /// Whom it is about.
    pub about: PublicUser,
    /// What for.
    pub reason: ReportReason,
    /// In the words of who made it.
    pub text: String,
    /// What they said in the room, as the server heard it; the oldest first.
    pub evidence: Vec<String>,
    /// At which match it was.
    #[schema(value_type = Option<String>)]
    pub match_id: Option<MatchId>,
    /// When it was made.
    pub at: Moment,
    /// What became of it; null while it is open.
    pub verdict: Option<Verdict>,
}

/// A page of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reports {
    /// The latest first.
    pub items: Vec<Report>,
    /// Gives the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Which reports to show.
#[derive(Clone, Debug, Default)]
pub struct ReportFilter {
    /// Those that were dealt with, instead of those that are open.
    pub closed: bool,
    /// About somebody.
    pub about: Option<UserId>,
    /// After this page.
    pub cursor: Option<String>,
    /// How many at most, 1 to 100.
    pub limit: Option<u32>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: ReportId,
    by_id: UserId,
    about_id: UserId,
    reason: ReportReason,
    text: String,
    evidence: String,
    match_id: Option<MatchId>,
    created_at: Millis,
    verdict: Option<Verdict>,
}

impl Arena {
    /// Tells those who keep order about somebody.
    ///
    /// # Errors
    /// When there is no such person, or a value is wrong; `yourself`; `already_reported` while a
    /// report of theirs about the same person is open; too many requests after ten in a day.
    pub async fn report(&self, by: UserId, new: NewReport) -> Result<ReportId> {
        let NewReport { user_id: about, reason, text, match_id, room } = new;
        let text = live::tidy(&text);
        let text = text.replace(|it: char| it.is_control() && it != '\n', " ");
        let text = text.trim();
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(Error::invalid("text", format!("at most {TEXT_CHARS_MAX} characters")));
        }
        if by == about {
            return Err(Error::conflict("yourself", "that is you"));
        }
        if computers::level(about).is_some() || self.user(about).await?.is_none() {
            return Err(Error::not_found("there is no such account"));
        }
        if let Some(id) = match_id {
            self.match_info(id).await?;
        }
        let room = match room {
            Some(code) => self.my_room(by, &code).await?,
            None => None,
        };
        let (id, now) = (ReportId::random(), self.clock.now());
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            let (open, lately, first): (i64, i64, Option<Millis>) = sqlx::query_as(
                "select (select count(*) from reports
                         where by_id = $1 and about_id = $2 and closed_at is null),
                        (select count(*) from reports where by_id = $1 and created_at > $3),
                        (select min(created_at) from reports where by_id = $1 and created_at > $3)",
            )
            .bind(by)
            .bind(about)
            .bind(now - millis(DAY))
            .fetch_one(&mut *tx)
            .await?;
            if open > 0 {
                let detail = "you have reported them already: somebody will look at it";
                return Err(Error::conflict("already_reported", detail));
            }
            if lately >= A_DAY_MAX {
                return Err(too_many(first.unwrap_or(now) + millis(DAY) - now));
            }
            let mut evidence: Vec<String> = match room {
                None => Vec::new(),
                Some(room) => {
                    sqlx::query_scalar(
                        "select text from room_lines where room_id = $1 and user_id = $2
                         order by seq desc limit $3",
                    )
                    .bind(room)
                    .bind(about)
                    .bind(LINES_MAX)
                    .fetch_all(&mut *tx)
                    .await?
                }
            };
            evidence.reverse();
            sqlx::query(
                "insert into reports
                     (id, by_id, about_id, reason, text, evidence, match_id, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(id)
            .bind(by)
            .bind(about)
            .bind(reason)
            .bind(text)
            .bind(serde_json::Value::from(evidence).to_string())
            .bind(match_id)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        Ok(id)
    }

    /// A page of reports, the latest first; for moderators.
    ///
    /// # Errors
    /// `not_moderator`; when `cursor` is none of ours.
    pub async fn reports(&self, by: UserId, filter: ReportFilter) -> Result<Reports> {
        let after = filter.cursor.as_deref().map(Cursor::parse).transpose()?;
        let after = after.unwrap_or(Cursor::START);
        let limit = filter.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize;
        let rows: Vec<Row> = on!(self.db, pool => {
            let mut connection = pool.acquire().await?;
            connection.require(by, Role::Moderator).await?;
            sqlx::query_as(
                "select id, by_id, about_id, reason, text, evidence, match_id, created_at, verdict
                 from reports
                 where (created_at < $1 or (created_at = $1 and id > $2))
                   and case when closed_at is null then 0 else 1 end = $3
                   and ($4 is null or about_id = $4)
                 order by created_at desc, id limit $5",
            )
            .bind(after.at)
            .bind(after.id)
            .bind(i64::from(filter.closed))
            .bind(filter.about)
            // One more, to know whether there is another page.
            .bind(limit as i64 + 1)
            .fetch_all(&mut *connection)
            .await?
        });
        let next_cursor = (rows.len() > limit).then(|| {
            let last = &rows[limit - 1];
            Cursor { at: last.created_at, id: last.id.0 }.print()
        });
        let mut items = Vec::with_capacity(limit);
        for row in rows.into_iter().take(limit) {
            items.push(Report {
                id: row.id,
                by: self.public_user(row.by_id).await?,
                about: self.public_user(row.about_id).await?,
                reason: row.reason,
                text: row.text,
                evidence: serde_json::from_str(&row.evidence).unwrap_or_default(),
                match_id: row.match_id,
                at: Moment(row.created_at),
                verdict: row.verdict,
            });
        }
        Ok(Reports { items, next_cursor })
    }

    /// Deals with a report, and with the others that are open about the same person for the same
    /// reason.
    ///
    /// # Errors
    /// `not_moderator`; `report_closed`; when there is no such report.
    pub async fn close_report(
        &self,
        by: impl Into<Actor>,
        id: ReportId,
        verdict: Verdict,
    ) -> Result<()> {
        let Actor { id: by, address } = by.into();
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.require(by, Role::Moderator).await?;
            let found: Option<(UserId, ReportReason, Option<Millis>)> = sqlx::query_as(
                "select about_id, reason, closed_at from reports where id = $1",
            )
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
            let (about, reason, closed_at) =
                found.ok_or_else(|| Error::not_found("there is no such report"))?;
            if about == by {
                return Err(Error::forbidden("yourself", "it is about you: somebody else must do that"));
            }
            if closed_at.is_some() {
                return Err(Error::conflict("report_closed", "somebody has dealt with it already"));
            }
            sqlx::query(
                "update reports set closed_at = $1, closed_by = $2, verdict = $3
                 where about_id = $4 and reason = $5 and closed_at is null",
            )
            .bind(now)
            .bind(by)
            .bind(verdict)
            .bind(about)
            .bind(reason)
            .execute(&mut *tx)
            .await?;
            let detail = format!("{reason:?}: {verdict:?}").to_lowercase();
            let deed = Deed {
                about: Some(about),
                detail: &detail,
                ..Deed::of(AuditKind::ReportClosed, by, address)
            };
            tx.note(now, &deed).await?;
            tx.commit().await?;
        });
        Ok(())
    }
}

fn too_many(after: Millis) -> Error {
    let after = Duration::from_millis(u64::try_from(after).unwrap_or(0));
    Error::Refused(Refused {
        why: Why::TooMany,
        code: "too_many_requests",
        detail: format!("at most {A_DAY_MAX} reports a day: those you made will be looked at"),
        fields: Vec::new(),
        retry_after: Some(after),
    })
}

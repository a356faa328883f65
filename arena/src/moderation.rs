//! Keeping order: roles, bans, and who may not chat for a while.
//!
//! Roles are read from the database at each deed, not from the access token, so that who is no
//! moderator any more can do nothing as one. A moderator deals with players, an administrator with
//! moderators too, and nobody with administrators: the operator can.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, FieldError, Millis, Moment, PublicUser, Result, Role, SanctionId, SessionId,
    User, UserId,
    audit::{Actor, AuditKind, AuditRows, Deed},
    clock::millis,
    db::{Turns, on},
    rooms::Parting,
    staff::StaffRows,
};

/// The longest that somebody is shut out for a time: more is for good.
const SECONDS_MAX: u64 = 10 * 366 * 24 * 60 * 60;
/// The longest that somebody may not chat without being shut out.
const MUTE_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;
const REASON_CHARS: std::ops::RangeInclusive<usize> = 3..=300;
/// How many of somebody's sanctions are shown.
const SHOWN_MAX: i64 = 100;

/// What may be done about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SanctionKind {
    /// They may not chat.
    Mute,
    /// They are shut out.
    Ban,
}

/// Something to be done about somebody.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSanction {
    /// What.
    pub kind: SanctionKind,
    /// For how long; a ban without is for good.
    #[schema(minimum = 60)]
    pub seconds: Option<u64>,
    /// Why, as they are told.
    #[schema(min_length = 3, max_length = 300)]
    pub reason: String,
}

/// Something that was done about somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sanction {
    /// Which.
    #[schema(value_type = String)]
    pub id: SanctionId,
    /// What.
    pub kind: SanctionKind,
    /// Why, as they were told.
    pub reason: String,
    /// By whom.
    pub by: PublicUser,
    /// When.
    pub at: Moment,
    /// Until when; null: for good.
    pub until: Option<Moment>,
    /// When it was taken back; null while it was not.
    pub lifted_at: Option<Moment>,
    /// Whether it holds now.
    pub active: bool,
}

/// What those who keep order know of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonFile {
    /// Who.
    pub user: User,
    /// What was done about them, the latest first.
    pub sanctions: Vec<Sanction>,
    /// How often they were reported.
    pub reports: i64,
    /// How many of these were found to be right.
    pub reports_acted: i64,
}

#[derive(sqlx::FromRow)]
struct SanctionRow {
    sanction_id: SanctionId,
    kind: SanctionKind,
    reason: String,
    at: Moment,
    until: Option<Moment>,
    lifted_at: Option<Moment>,
    #[sqlx(flatten)]
    by: PublicUser,
}

impl Arena {
    /// That somebody may chat now.
    ///
    /// # Errors
    /// `muted`, with until when and why.
    pub async fn check_voice(&self, by: UserId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => pool.acquire().await?.require_voice(by, now).await)
    }

    /// That somebody is not shut out: for doors that have no sessions.
    ///
    /// # Errors
    /// `banned`, with until when and why.
    pub async fn check_good(&self, by: UserId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => pool.acquire().await?.require_good(by, now).await)
    }

    /// What those who keep order know of somebody.
    ///
    /// # Errors
    /// `not_moderator`; when there is no such person.
    pub async fn person_file(&self, by: UserId, whom: UserId) -> Result<PersonFile> {
        let now = self.clock.now();
        let (sanctions, reports): (Vec<SanctionRow>, (i64, i64)) = on!(self.db, pool => {
            let mut connection = pool.acquire().await?;
            connection.require(by, Role::Moderator).await?;
            let sanctions = sqlx::query_as(
                "select s.id as sanction_id, s.kind, s.reason, s.created_at as at, s.until,
                     s.lifted_at, u.id, u.username, u.display_name, u.avatar_url
                 from sanctions s join users u on u.id = s.by_id
                 where s.user_id = $1 order by s.created_at desc, s.id limit $2",
            )
            .bind(whom)
            .bind(SHOWN_MAX)
            .fetch_all(&mut *connection)
            .await?;
            let reports = sqlx::query_as(
                "select count(*),
                     cast(coalesce(sum(case when verdict = 'acted' then 1 else 0 end), 0) as bigint)
                 from reports where about_id = $1",
            )
            .bind(whom)
            .fetch_one(&mut *connection)
            .await?;
            (sanctions, reports)
        });
        let user = self.user(whom).await?;
        let user = user.ok_or_else(|| Error::not_found("there is no such account"))?;
        let sanctions = sanctions.into_iter().map(|it| it.sanction(now)).collect();
        let (reports, reports_acted) = reports;
        Ok(PersonFile { user, sanctions, reports, reports_acted })
    }

    /// Does something about somebody. A ban ends every session of theirs, and takes them out of
    /// queues and rooms; a match that they play is lost as by anyone who goes away.
    ///
    /// # Errors
    /// `not_moderator`; `yourself`, `not_over_staff`; when a value is wrong or there is no such
    /// person.
    pub async fn sanction(
        &self,
        by: impl Into<Actor>,
        whom: UserId,
        new: NewSanction,
    ) -> Result<Sanction> {
        let Actor { id: by, address } = by.into();
        let NewSanction { kind, seconds, reason } = checked(new)?;
        let author = self.public_user(by).await?;
        let (id, now) = (SanctionId::random(), self.clock.now());
        let until = seconds.map(|it| now + millis(Duration::from_secs(it)));
        let ended: Vec<SessionId> = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[whom]).await?;
            let role = tx.require(by, Role::Moderator).await?;
            over(by, role, whom, tx.role_of(whom).await?)?;
            sqlx::query(
                "insert into sanctions (id, user_id, kind, reason, by_id, created_at, until)
                 values ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(id)
            .bind(whom)
            .bind(kind)
            .bind(&reason)
            .bind(by)
            .bind(now)
            .bind(until)
            .execute(&mut *tx)
            .await?;
            let mut ended = Vec::new();
            if kind == SanctionKind::Ban {
                ended = sqlx::query_scalar(
                    "update sessions set ended_at = $1 where user_id = $2 and ended_at is null
                     returning id",
                )
                .bind(now)
                .bind(whom)
                .fetch_all(&mut *tx)
                .await?;
                sqlx::query("delete from queue_entries where user_id = $1")
                    .bind(whom)
                    .execute(&mut *tx)
                    .await?;
            }
            let until = until.map_or("for good".to_owned(), |it| format!("until {}", Moment(it)));
            let deed = Deed {
                kind: match kind {
                    SanctionKind::Mute => AuditKind::Muted,
                    SanctionKind::Ban => AuditKind::Banned,
                },
                by: Some(by),
                about: Some(whom),
                address,
                detail: &format!("{until}: {reason}"),
            };
            tx.note(now, &deed).await?;
            tx.commit().await?;
            ended
        });
        self.sessions_ended(&ended, now);
        if kind == SanctionKind::Ban {
            if let Some(room) = self.room_id_of(whom).await? {
                self.part(whom, room, Parting::Left, |_| true).await?;
            }
            self.leave_cards(whom).await?;
        }
        Ok(Sanction {
            id,
            kind,
            reason,
            by: author,
            at: Moment(now),
            until: until.map(Moment),
            lifted_at: None,
            active: true,
        })
    }

    /// Takes something back that was done about somebody. What holds no more stays as it is.
    ///
    /// # Errors
    /// `not_moderator`; `not_over_staff`; when there is no such thing.
    pub async fn lift_sanction(&self, by: impl Into<Actor>, id: SanctionId) -> Result<()> {
        let Actor { id: by, address } = by.into();
        let now = self.clock.now();
        let none = || Error::not_found("nothing like that was done about anybody");
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let role = tx.require(by, Role::Moderator).await?;
            let found: Option<(UserId, SanctionKind)> = sqlx::query_as(
                "update sanctions set lifted_at = $1, lifted_by = $2
                 where id = $3 and lifted_at is null returning user_id, kind",
            )
            .bind(now)
            .bind(by)
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
            let Some((whom, kind)) = found else {
                let (there,): (i64,) =
                    sqlx::query_as("select count(*) from sanctions where id = $1")
                        .bind(id)
                        .fetch_one(&mut *tx)
                        .await?;
                return if there > 0 { Ok(()) } else { Err(none()) };
            };
            over(by, role, whom, tx.role_of(whom).await?)?;
            let kind = match kind {
                SanctionKind::Mute => AuditKind::Unmuted,
                SanctionKind::Ban => AuditKind::Unbanned,
            };
            let deed = Deed { about: Some(whom), ..Deed::of(kind, by, address) };
            tx.note(now, &deed).await?;
            tx.commit().await?;
        });
        Ok(())
    }

    /// Lets somebody do more, or less.
    ///
    /// # Errors
    /// `not_admin`; `yourself`, `not_over_staff`; when there is no such person.
    pub async fn set_role(&self, by: impl Into<Actor>, whom: UserId, role: Role) -> Result<User> {
        let Actor { id: by, address } = by.into();
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[whom]).await?;
            let own = tx.require(by, Role::Admin).await?;
            let before = tx.role_of(whom).await?;
            over(by, own, whom, before)?;
            sqlx::query("update users set role = $1, updated_at = $2 where id = $3")
                .bind(role)
                .bind(now)
                .bind(whom)
                .execute(&mut *tx)
                .await?;
            let detail = format!("from {} to {}", before.unwrap_or(Role::Player), role);
            let deed = Deed {
                about: Some(whom),
                detail: &detail,
                ..Deed::of(AuditKind::RoleChanged, by, address)
            };
            tx.note(now, &deed).await?;
            tx.commit().await?;
        });
        let user = self.user(whom).await?;
        user.ok_or_else(|| Error::not_found("there is no such account"))
    }
}

impl SanctionRow {
    fn sanction(self, now: Millis) -> Sanction {
        let SanctionRow { sanction_id: id, kind, reason, at, until, lifted_at, by } = self;
        let active = lifted_at.is_none() && until.is_none_or(|it| it.0 > now);
        Sanction { id, kind, reason, by, at, until, lifted_at, active }
    }
}

/// Whether `by` may do something about `whom`, by the roles of both.
fn over(by: UserId, role: Role, whom: UserId, theirs: Option<Role>) -> Result<()> {
    let theirs = theirs.ok_or_else(|| Error::not_found("there is no such account"))?;
    if by == whom {
        return Err(Error::conflict("yourself", "that is you"));
    }
    if role.rank() > theirs.rank() {
        return Ok(());
    }
    let detail = "they keep order too: somebody who may do more must do that";
    Err(Error::forbidden("not_over_staff", detail))
}

fn checked(new: NewSanction) -> Result<NewSanction> {
    let mut wrong = Vec::new();
    let mut complain = |field: &'static str, message: String| {
        wrong.push(FieldError { field: field.into(), message });
    };
    let reason = live::tidy(&new.reason).split_whitespace().collect::<Vec<_>>().join(" ");
    if !REASON_CHARS.contains(&reason.chars().count()) {
        let (least, most) = (REASON_CHARS.start(), REASON_CHARS.end());
        complain("reason", format!("{least} to {most} characters"));
    }
    let most = match new.kind {
        SanctionKind::Mute => MUTE_SECONDS_MAX,
        SanctionKind::Ban => SECONDS_MAX,
    };
    match (new.kind, new.seconds) {
        (SanctionKind::Ban, None) => {}
        (_, Some(60..)) if new.seconds <= Some(most) => {}
        _ => complain("seconds", format!("60 to {most}; only a ban can be for good")),
    }
    match wrong.is_empty() {
        true => Ok(NewSanction { reason, ..new }),
        false => Err(Error::invalid_fields(wrong)),
    }
}

//! What somebody may do, and may not for a while, as transactions ask for it.

use crate::{Error, Millis, Moment, Result, Role, SanctionKind, UserId, Why, db::on_both};

/// A sanction that holds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Active {
    pub(crate) reason: String,
    pub(crate) until: Option<Moment>,
}

/// Roles and sanctions within a transaction, on either database.
pub(crate) trait StaffRows {
    /// What somebody may do, as the database has it now.
    async fn role_of(&mut self, user: UserId) -> sqlx::Result<Option<Role>>;

    /// That somebody may do at least what `role` may.
    ///
    /// # Errors
    /// `not_moderator`, `not_admin`.
    async fn require(&mut self, user: UserId, role: Role) -> Result<Role>;

    /// What of a kind holds about somebody: of several, what holds longest.
    async fn active(
        &mut self,
        user: UserId,
        kind: SanctionKind,
        now: Millis,
    ) -> sqlx::Result<Option<Active>>;

    /// That somebody is not shut out.
    ///
    /// # Errors
    /// `banned`.
    async fn require_good(&mut self, user: UserId, now: Millis) -> Result<()>;

    /// That somebody may chat.
    ///
    /// # Errors
    /// `muted`.
    async fn require_voice(&mut self, user: UserId, now: Millis) -> Result<()>;
}

on_both! { impl StaffRows {
    async fn role_of(&mut self, user: UserId) -> sqlx::Result<Option<Role>> {
        sqlx::query_scalar("select role from users where id = $1")
            .bind(user)
            .fetch_optional(self)
            .await
    }

    async fn require(&mut self, user: UserId, role: Role) -> Result<Role> {
        let theirs = self.role_of(user).await?.unwrap_or(Role::Player);
        if theirs.rank() >= role.rank() {
            return Ok(theirs);
        }
        Err(match role {
            Role::Admin => Error::forbidden("not_admin", "only administrators may do that"),
            Role::Moderator | Role::Player => {
                Error::forbidden("not_moderator", "only moderators may do that")
            }
        })
    }

    async fn active(
        &mut self,
        user: UserId,
        kind: SanctionKind,
        now: Millis,
    ) -> sqlx::Result<Option<Active>> {
        sqlx::query_as(
            "select reason, until from sanctions
             where user_id = $1 and kind = $2 and lifted_at is null
               and (until is null or until > $3)
             order by case when until is null then 0 else 1 end, until desc limit 1",
        )
        .bind(user)
        .bind(kind)
        .bind(now)
        .fetch_optional(self)
        .await
    }

    async fn require_good(&mut self, user: UserId, now: Millis) -> Result<()> {
        match self.active(user, SanctionKind::Ban, now).await? {
            None => Ok(()),
            Some(it) => Err(it.refusal("banned", "this account is shut out")),
        }
    }

    async fn require_voice(&mut self, user: UserId, now: Millis) -> Result<()> {
        match self.active(user, SanctionKind::Mute, now).await? {
            None => Ok(()),
            Some(it) => Err(it.refusal("muted", "you may not chat")),
        }
    }
} }

impl Active {
    fn refusal(self, code: &'static str, what: &str) -> Error {
        let until = match self.until {
            Some(until) => format!("until {until}"),
            None => "for good".to_owned(),
        };
        Error::refused(Why::Forbidden, code, format!("{what} {until}: {}", self.reason))
    }
}

impl Role {
    /// Who may do more has more.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Role::Player => 0,
            Role::Moderator => 1,
            Role::Admin => 2,
        }
    }
}

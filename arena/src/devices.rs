//! Where somebody is signed in, and ending that.

use std::net::IpAddr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Arena, Error, Moment, Principal, Result, SessionId,
    audit::{AuditKind, AuditRows, Deed},
    db::on,
    recovery::RecoveryRows,
};

/// A sign-in on a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MySession {
    /// Which.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the device called itself last.
    pub user_agent: String,
    /// The network that it was in last, not its whole address.
    #[schema(example = "192.0.2.0/24")]
    pub address: Option<String>,
    /// Since when.
    pub since: Moment,
    /// When it last renewed its sign-in, which it does every few minutes while it is used.
    pub used_at: Moment,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: SessionId,
    user_agent: String,
    address: Option<String>,
    created_at: Moment,
    used_at: Moment,
}

impl Arena {
    /// Where `by` is signed in, the last used first.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn my_sessions(&self, by: &Principal) -> Result<Vec<MySession>> {
        let now = self.clock.now();
        let rows: Vec<Row> = on!(self.db, pool => sqlx::query_as(
            "select id, user_agent, address, created_at, used_at from sessions \
             where user_id = $1 and ended_at is null and exists (select 1 from refresh_tokens t \
             where t.session_id = sessions.id and t.spent_at is null and t.expires_at > $2) \
             order by used_at desc, id limit 100",
        )
        .bind(by.user_id)
        .bind(now)
        .fetch_all(pool)
        .await)?;
        let shown = rows.into_iter().map(|it| MySession {
            id: it.id,
            current: it.id == by.session_id,
            user_agent: it.user_agent,
            address: it.address,
            since: it.created_at,
            used_at: it.used_at,
        });
        Ok(shown.collect())
    }

    /// Ends a sign-in of `by`; its sockets are closed.
    ///
    /// # Errors
    /// Not found, also for those of others.
    pub async fn end_my_session(&self, by: &Principal, id: SessionId) -> Result<()> {
        let now = self.clock.now();
        let ended = on!(self.db, pool => sqlx::query(
            "update sessions set ended_at = $1 \
             where id = $2 and user_id = $3 and ended_at is null",
        )
        .bind(now)
        .bind(id)
        .bind(by.user_id)
        .execute(pool)
        .await?
        .rows_affected());
        if ended == 0 {
            return Err(Error::not_found("you have no such sign-in"));
        }
        self.sessions_ended(&[id], now);
        Ok(())
    }

    /// Ends all sign-ins of `by`, or all others.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn end_my_sessions(&self, by: &Principal, others: bool) -> Result<()> {
        let now = self.clock.now();
        let but = if others { by.session_id } else { SessionId(0) };
        let ended = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let ended = tx.end_sessions(by.user_id, but, now).await?;
            tx.note(now, &Deed::of(AuditKind::SessionsEnded, by.user_id, None)).await?;
            tx.commit().await?;
            ended
        });
        self.sessions_ended(&ended, now);
        Ok(())
    }
}

/// The network that an address is in, as people may read it: enough to tell home from abroad.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_coarse() {
        for (address, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }
}

//! Telling players who are away that a match waits for them.

use std::time::Duration;

use games::Time;
use live::Awaited;

use crate::{
    Arena, MatchId, Result, UserId, computers, db::on, outbox::Notice, outbox::OutboxRows,
};

/// How often it is looked who is waited for.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who is back so soon has only changed networks, or loaded the page again.
const GONE_AFTER: Time = Time::secs(3);

impl Arena {
    /// Has those told for whom a match of this process waits: each absence of theirs once.
    pub(crate) async fn tell_turns(self) -> Result<()> {
        // Without the lease, what we see may not be what is.
        if !self.has_telegram() || !self.cluster.lease.holds() {
            return Ok(());
        }
        let mut told = Ok(());
        for (match_id, user, Awaited { since, .. }) in self.live.newly_awaited(GONE_AFTER) {
            if computers::level(user).is_some() {
                continue;
            }
            let notice = Notice::YourTurn { user, match_id, away_at: since.as_millis() };
            if let Err(error) = self.post_alone(&notice).await {
                // The next look finds them again.
                self.live.untold(match_id);
                told = Err(error);
            }
        }
        told
    }

    async fn post_alone(&self, notice: &Notice) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => pool.acquire().await?.post(notice, now).await)?;
        self.stir_letters();
        Ok(())
    }

    /// Whether a match still waits for somebody who is away. Yes, as far as this process knows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_awaited(&self, user: UserId, match_id: MatchId) -> Result<bool> {
        match self.live.awaited(match_id) {
            Some(awaited) => Ok(awaited.is_some_and(|it| it.0 == user)),
            // Another process runs it, or it is over.
            None => Ok(self.live_match_of(user).await?.is_some_and(|it| it.0 == match_id)),
        }
    }
}

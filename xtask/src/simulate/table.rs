//! The task of a match, in the stages that the arena's has.

use std::time::Duration;

use games::{Outcome, pong::Pong};
use live::{Gathered, Match, Status, wire::RatingChange};
use tokio::time::sleep;

use super::{
    database::{Ending, Failed, MatchId, Person, Rows},
    plan::Plant,
    server::Server,
};

/// As in the arena.
const SETTLE_RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(15)];

impl Server {
    /// A match from its opening to its end.
    pub(super) async fn run_match(self, id: MatchId, players: [Person; 2], mut table: Match<Pong>) {
        if let Gathered::CalledOff { ready } = table.gather().await {
            let outcome = table.called_off();
            table.attend(self.settle_surely(id, &outcome, Ending::CalledOff)).await;
            table.announce(outcome, None);
            for (who, _) in players.into_iter().zip(ready).filter(|(_, ready)| *ready) {
                // Who is not put back now finds out, and joins again.
                let _ = self.clone().join(who).await;
            }
            return;
        }
        let mark = |rows: &mut Rows| {
            if let Some(row) = rows.matches.get_mut(&id).filter(|it| it.status == Status::Pending) {
                row.status = Status::Active;
            }
            Ok(())
        };
        // It is played anyway.
        let _ = table.attend(self.transact(mark)).await;
        let outcome = table.play().await;
        if self.world().plan.plant == Some(Plant::TellFirst) {
            table.announce(outcome.clone(), None);
        }
        table.written().await;
        let ratings = table.attend(self.settle_surely(id, &outcome, Ending::Played)).await;
        if self.world().plan.plant != Some(Plant::TellFirst) {
            table.announce(outcome, ratings);
        }
        if table.linger().await
            && !self.is_closing()
            && let Ok(next) = self.rematch(id, players).await
        {
            table.lead_to(&next.to_string());
        }
    }

    async fn settle_surely(
        &self,
        id: MatchId,
        outcome: &Outcome,
        ending: Ending,
    ) -> Option<Vec<RatingChange>> {
        let plan = &self.world().plan;
        let [mut pause, longest] = SETTLE_RETRY;
        loop {
            let settle = |rows: &mut Rows| rows.settle(plan, id, outcome, ending);
            if let Ok(ratings) = self.transact(settle).await {
                return ratings;
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Makes and opens the rematch of a match, sides changed.
    async fn rematch(&self, of: MatchId, players: [Person; 2]) -> Result<MatchId, Failed> {
        let [left, right] = players;
        let (plan, new) = (&self.world().plan, self.new_match([right, left], Some(of)));
        let made = self.transact(|rows| rows.insert_match(plan, new)).await;
        match made {
            Ok(()) => self.open_match(new.id).await,
            Err(Failed::NoAnswer) => self.open_if_made(new.id),
            Err(Failed::Refused) => {}
        }
        made.map(|()| new.id)
    }
}

//! The queue, as the arena keeps it.

use std::time::Duration;

use super::{
    database::{Failed, MatchId, Person, Rows},
    server::Server,
};

/// As in the arena.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Idle,
    Waiting,
    Matched(MatchId),
}

impl Server {
    /// Makes pairs now and then.
    pub(super) async fn run_matcher(self) {
        while self.pause(LOOK_EVERY).await {
            // What fails now is tried again with the next look.
            let _ = self.pair_up().await;
        }
    }

    async fn pair_up(&self) -> Result<(), Failed> {
        let _turn = self.pairing().await;
        let waiting = |rows: &mut Rows| {
            let mut waiting: Vec<_> = rows.queue.iter().map(|(&who, &at)| (at, who)).collect();
            waiting.sort_unstable();
            Ok(waiting)
        };
        let waiting = self.transact(waiting).await?;
        for pair in waiting.chunks_exact(2) {
            if self.is_closing() {
                break;
            }
            let mut players = [pair[0].1, pair[1].1];
            if self.luck().chance(0.5) {
                players.reverse();
            }
            let (plan, new) = (&self.world().plan, self.new_match(players, None));
            let make = |rows: &mut Rows| {
                if players.iter().any(|it| !rows.queue.contains_key(it)) {
                    return Err(Failed::Refused);
                }
                rows.insert_match(plan, new)
            };
            match self.transact(make).await {
                Ok(()) => self.open_match(new.id).await,
                Err(Failed::Refused) => {}
                Err(Failed::NoAnswer) => {
                    self.open_if_made(new.id);
                    return Err(Failed::NoAnswer);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn join(self, who: Person) -> Result<Whereabouts, Failed> {
        let now = self.world().millis();
        let enter = |rows: &mut Rows| {
            if !rows.playing.contains_key(&who) {
                rows.queue.entry(who).or_insert(now);
            }
            Ok(())
        };
        self.transact(enter).await?;
        self.pair_up().await?;
        self.whereabouts(who).await
    }

    pub(super) async fn leave(self, who: Person) -> Result<Whereabouts, Failed> {
        let leave = |rows: &mut Rows| {
            rows.queue.remove(&who);
            Ok(())
        };
        self.transact(leave).await?;
        self.whereabouts(who).await
    }

    pub(super) async fn whereabouts(&self, who: Person) -> Result<Whereabouts, Failed> {
        let look = |rows: &mut Rows| {
            Ok(match (rows.playing.get(&who), rows.queue.contains_key(&who)) {
                (Some(&id), _) => Whereabouts::Matched(id),
                (None, true) => Whereabouts::Waiting,
                (None, false) => Whereabouts::Idle,
            })
        };
        self.transact(look).await
    }
}

//! Matches: opening them, and the stages of their tasks, as in the arena.

use std::time::Duration;

use games::{Outcome, Seed, Time, pong::Pong};
use live::{
    Gathered, Match, Status,
    wire::{Player, PlayerUser, RatingChange},
};
use tokio::time::sleep;

use super::{
    database::{Ending, Failed, MatchId, MatchRow, NEW_RATING, NewMatch, Person, Rows},
    plan::Plant,
    server::{Running, Server},
};

/// As in the arena.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(15)];

impl Server {
    /// Goes on with the matches that the last run left unfinished.
    pub(super) async fn recover(&self) -> Result<(), Failed> {
        let unfinished = |rows: &mut Rows| {
            let live = rows.matches.iter().filter(|(_, it)| it.status != Status::Finished);
            Ok(live.map(|(&id, _)| id).collect::<Vec<_>>())
        };
        for id in self.transact(unfinished).await? {
            let forgotten = self.world().plan.plant == Some(Plant::ForgetMatch) && id % 3 == 0;
            if !forgotten && !self.running().contains_key(&id) {
                self.open_match(id).await;
            }
        }
        Ok(())
    }

    pub(super) async fn open_match(&self, id: MatchId) {
        if self.try_open(id).await.is_ok() {
            return;
        }
        let server = self.clone();
        let retry = async move {
            let [mut pause, longest] = RETRY;
            while server.pause(pause).await {
                if server.try_open(id).await.is_ok() {
                    return;
                }
                pause = (pause * 2).min(longest);
            }
        };
        self.go_on(retry);
    }

    pub(super) fn new_match(&self, players: [Person; 2], of: Option<MatchId>) -> NewMatch {
        let world = self.world();
        let (id, seed) = (world.new_id(), self.luck().next());
        NewMatch { id, players, seed, rematch_of: of, now: world.millis() }
    }

    /// Opens a match whose insertion was not answered, if it was inserted.
    pub(super) fn open_if_made(&self, id: MatchId) {
        if self.world().plan.plant == Some(Plant::ForgetUnanswered) {
            return;
        }
        let server = self.clone();
        let look = async move {
            let [mut pause, longest] = RETRY;
            while server.pause(pause).await {
                match server.info(id).await {
                    Ok(_) => return server.open_match(id).await,
                    Err(Failed::Refused) => return,
                    Err(Failed::NoAnswer) => pause = (pause * 2).min(longest),
                }
            }
        };
        self.go_on(look);
    }

    async fn try_open(&self, id: MatchId) -> Result<(), Failed> {
        let read = |rows: &mut Rows| {
            let row = rows.matches.get(&id).cloned().ok_or(Failed::Refused)?;
            Ok((row, rows.entries(id)))
        };
        let (row, entries) = self.transact(read).await?;
        if let Err(bad) = self.open(id, row, entries) {
            self.world().complain(format!("match {id} can't be opened: {bad}"));
        }
        Ok(())
    }

    fn open(&self, id: MatchId, row: MatchRow, entries: Vec<(Time, String)>) -> Result<(), String> {
        let players = row.players;
        let journal = live::Journal::new(id, 0, entries.len() as u64, self.lines());
        let seed = Seed(row.seed);
        let (options, players_shown) = (row.options, shown(players));
        let lease = live::Lease::unlimited();
        let setup = live::Setup { options, seed, players: players_shown, journal, lease };
        let (handle, table) = if entries.is_empty() {
            live::open::<Pong>(setup).map_err(|bad| bad.message)?
        } else {
            let age = self.world().millis() - row.created_at;
            let entry = |(at, input): &(_, String)| Ok((*at, serde_json::from_str(input)?));
            let entries: serde_json::Result<Vec<_>> = entries.iter().map(entry).collect();
            let entries = entries.map_err(|error| error.to_string())?;
            live::reopen::<Pong>(setup, entries, age).map_err(|bad| format!("{bad:?}"))?
        };
        if self.running().insert(id, Running { handle, players }).is_some() {
            self.world().complain(format!("match {id} has two tasks"));
        }
        self.run_task(id, self.clone().run_match(id, players, table));
        Ok(())
    }

    /// A match as it is stored.
    pub(super) async fn info(&self, id: MatchId) -> Result<MatchRow, Failed> {
        self.transact(|rows| rows.matches.get(&id).cloned().ok_or(Failed::Refused)).await
    }

    /// A match from its opening to its end.
    async fn run_match(self, id: MatchId, players: [Person; 2], mut table: Match<Pong>) {
        if let Gathered::CalledOff { ready } = table.gather().await {
            let outcome = table.called_off();
            table.attend(self.settle_surely(id, &outcome, Ending::CalledOff)).await;
            table.announce(outcome, None);
            table.close();
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
        table.close();
    }

    async fn settle_surely(
        &self,
        id: MatchId,
        outcome: &Outcome,
        ending: Ending,
    ) -> Option<Vec<RatingChange>> {
        let plan = &self.world().plan;
        let [mut pause, longest] = RETRY;
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

/// How players are shown at the table.
pub(super) fn shown(players: [Person; 2]) -> Vec<Player> {
    let player = |id: Person| Player {
        user: PlayerUser {
            id: id.to_string(),
            username: None,
            display_name: format!("Player {id}"),
            avatar_url: None,
        },
        rating: NEW_RATING,
        provisional: true,
        computer: None,
    };
    players.map(player).to_vec()
}

//! What was played, and by whom how well.

use crate::{
    answers::{Asking, Desk, Said, only},
    delivery::names,
    links::Place,
    words::{self, Label, Say, TopLine},
};

/// How many a table names in a chat.
const TOP_SHOWN: usize = 10;

impl Desk<'_> {
    pub(crate) async fn record<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        let games = self.arena.stats(asking.user.id).await?.games;
        Ok(only(Say::Me { name: words::isolated(&asking.user.display_name), games }))
    }

    pub(crate) async fn top<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        let game = match Self::game_of(asking.rest) {
            Ok(game) => game,
            Err(said) => return Ok(said),
        };
        let shared = !asking.is_private();
        let lines = if shared {
            let best = self.arena.group_top(asking.message.chat.id.0, game).await?;
            let lines = (1..).zip(best).map(|(rank, it)| TopLine {
                rank,
                name: words::isolated(&it.user.display_name),
                points: it.wins,
                games: it.games,
            });
            lines.take(TOP_SHOWN).collect()
        } else {
            let best = self.arena.top(game).await?.items;
            let lines = best.into_iter().map(|it| TopLine {
                rank: it.rank,
                name: words::isolated(&it.user.display_name),
                points: it.rating,
                games: it.games,
            });
            lines.take(TOP_SHOWN).collect()
        };
        Ok(only(Say::Top { game, shared, lines }))
    }

    pub(crate) async fn replay<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        let last = self.arena.history(asking.user.id, None, Some(1)).await?.items.pop();
        let Some(last) = last else { return Ok(only(Say::NoReplay)) };
        let names = names(last.players.iter().map(|it| &it.user));
        let buttons = self.lead(asking, Label::Replay, Place::Replay(last.match_id));
        Ok((Say::Replay { game: last.game, won: last.won, names }, buttons))
    }
}

//! The computer as an opponent: matches that somebody alone can play at once.

use games::{Kind, Seat};
use live::computer::{self, Level};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, MatchInfo, Result, UserId,
    db::{Turns, on},
    lobby::LobbyMessage,
    matches::{MatchRows, NewMatch},
    queue::{Matched, Side},
    rooms::checked_options,
};

/// The account that the computer plays with: see migrations/0002_computers.sql.
pub(crate) fn account(level: Level) -> UserId {
    UserId(match level {
        Level::Easy => 1,
        Level::Medium => 2,
        Level::Hard => 3,
    })
}

/// The accounts that sit down with one person at a game that at least so many play: the first is
/// of the level that was asked for, and the others are of those next to it.
fn accounts(level: Level, seats: usize) -> Vec<UserId> {
    let near = match level {
        Level::Easy => [Level::Easy, Level::Medium, Level::Hard],
        Level::Medium => [Level::Medium, Level::Easy, Level::Hard],
        Level::Hard => [Level::Hard, Level::Medium, Level::Easy],
    };
    near.into_iter().take(seats.saturating_sub(1).max(1)).map(account).collect()
}

/// How well somebody plays who is a computer.
pub(crate) fn level(user: UserId) -> Option<Level> {
    Level::ALL.into_iter().find(|&it| account(it) == user)
}

/// A match to be made at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComputerMatch {
    /// Of which game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// What to set, where not the defaults.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub options: Option<Value>,
    /// Against whom.
    pub opponent: Opponent,
    /// How well it plays.
    #[serde(default)]
    pub level: Level,
}

/// Against whom a match is made.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Opponent {
    /// The computer.
    Computer,
}

impl Arena {
    /// Makes a match against the computer, which changes no ratings. Where two can't play there are
    /// as many computers as it takes. Whoever waited in a queue waits no more.
    ///
    /// # Errors
    /// `already_in_match`; `bad_options`; a game that the computer does not play.
    pub async fn play_computer(&self, by: UserId, new: NewComputerMatch) -> Result<MatchInfo> {
        let NewComputerMatch { game, options, opponent: Opponent::Computer, level } = new;
        if !computer::plays(game) {
            return Err(Error::invalid("opponent", "the computer does not play this game"));
        }
        let options = checked_options(game, options)?;
        self.cluster.check_open()?;
        let seats = usize::from(*game.seats().start());
        let mut players = vec![by];
        players.extend(accounts(level, seats));
        let new = NewMatch {
            game,
            options: &options,
            rated: false,
            players: &players,
            rematch_of: None,
            process: self.cluster.me,
        };
        let now = self.clock.now();
        let match_id: MatchId = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by]).await?;
            if tx.plays(by).await? {
                return Err(Error::conflict("already_in_match", "you are in a match: finish it first"));
            }
            let id = tx.insert_match(&new, now).await?;
            tx.commit().await.inspect_err(|_| self.open_if_made(id))?;
            id
        });
        self.open_match(match_id).await;
        let (seat, side) = (Seat(0), Side::of(Seat(0), players.len()));
        self.tell(by, LobbyMessage::Matched(Matched { game, match_id, side, seat }));
        self.match_info(match_id).await
    }
}

//! Cards: messages in Telegram that show a game from the invitation to the result.
//!
//! A card is *open* while people may join, *playing* once its match is made, *over* when that has
//! ended, and *closed* when nobody came. Whoever changes what a card shows puts it into the outbox
//! in the same transaction. A card's row is held before the turns of its people are taken, and only
//! while it is open, so that settling a match, which takes them first, never waits for it.

mod rows;
mod seats;
mod show;
mod tend;

use std::time::Duration;

use games::Kind;
use serde::{Deserialize, Serialize};

use crate::{
    Arena, CardId, Error, Language, MatchId, PublicUser, Result, UserId,
    clock::millis,
    db::{Turns, on},
    matches::MatchRows,
    outbox::{Notice, OutboxRows},
    rooms::{RoomRows, in_room},
};

pub(crate) use self::{rows::MatchCards, tend::TEND_EVERY};
use rows::CardRows;

/// How long one may join.
const OPEN_FOR: Duration = Duration::from_secs(10 * 60);
/// How long the players of a card have to come to the table from their chats.
pub(crate) const COME_WITHIN: games::Time = games::Time::secs(120);

/// Where a card is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardPlace {
    /// In a chat, and there perhaps in a topic.
    Chat {
        /// Telegram's number of it.
        chat: i64,
        /// Of the topic.
        thread: Option<i64>,
    },
    /// An inline message, in a chat that we don't know.
    Inline {
        /// Telegram's name of it.
        message: String,
    },
}

/// A card to be made.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// The game.
    pub game: Kind,
    /// Where it will be.
    pub place: CardPlace,
    /// What it is made for: asked again for the same, the arena gives the same card.
    pub origin: String,
    /// What it is written in.
    pub language: Language,
    /// The user name in Telegram of who alone may join, without the @.
    pub invited: Option<String>,
}

/// A card as it is to be shown.
#[derive(Clone, Debug)]
pub struct Card {
    /// Which.
    pub id: CardId,
    /// The game.
    pub game: Kind,
    /// Where it is.
    pub place: CardPlace,
    /// The message in its chat, once there is one.
    pub message: Option<i64>,
    /// What it is written in.
    pub language: Language,
    /// Who is in: by seat once there is a match, before that in the order they came.
    pub players: Vec<CardPlayer>,
    /// Who alone may join.
    pub invited: Option<String>,
    /// How far it is.
    pub stage: CardStage,
}

/// A match as a card shows it.
#[derive(Clone, Debug)]
pub struct MatchCard {
    /// The game.
    pub game: Kind,
    /// How far it is.
    pub stage: CardStage,
    /// By seat.
    pub players: Vec<CardPlayer>,
}

/// How far a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStage {
    /// People may join.
    Open,
    /// The match waits for its players.
    Gathering(MatchId),
    /// The match is played.
    Live(MatchId),
    /// The match is over; whether the next card is still to be made.
    Over(MatchId, bool),
    /// The match never began or could not go on; whether the next card is still to be made.
    CalledOff(bool),
    /// Nobody came, or the host called it off.
    Closed,
}

/// Somebody on a card.
#[derive(Clone, Debug)]
pub struct CardPlayer {
    /// Who.
    pub user: PublicUser,
    /// How good they are; before the match, when it is over.
    pub rating: i64,
    /// Whether that is a poor guess.
    pub provisional: bool,
    /// Points.
    pub score: i64,
    /// Whether they won.
    pub won: bool,
    /// What became of the rating.
    pub rating_after: Option<i64>,
}

/// What came of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// More may come.
    Waiting {
        /// How many it takes at least, still.
        missing: usize,
    },
    /// The match is made.
    Started(MatchId),
}

/// Somebody's record among those who played in a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct GroupPlayer {
    /// Who.
    #[sqlx(flatten)]
    pub user: PublicUser,
    /// Matches won there.
    pub wins: i64,
    /// Matches played there.
    pub games: i64,
}

impl Arena {
    /// Makes a card with its host on it; other open cards of theirs are closed. Whoever is invited
    /// and known is told.
    ///
    /// # Errors
    /// `already_in_match`; `invited` is no user name, or the host's own.
    pub async fn open_card(&self, by: UserId, new: NewCard) -> Result<CardId> {
        let NewCard { game, place, origin, language, invited } = new;
        let now = self.clock.now();
        let invited = invited.map(|it| it.to_ascii_lowercase());
        let known = match &invited {
            None => None,
            Some(name) if !is_telegram_name(name) => {
                return Err(Error::invalid("invited", "a user name of Telegram, such as @ann_b"));
            }
            Some(name) => self.known_by_name(name).await?,
        };
        if known == Some(by) {
            return Err(Error::invalid("invited", "somebody else: this is you"));
        }
        let id = CardId::random();
        let (chat, thread, inline) = match &place {
            CardPlace::Chat { chat, thread } => (Some(*chat), *thread, None),
            CardPlace::Inline { message } => (None, None, Some(message.as_str())),
        };
        let id = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let made: Option<CardId> = sqlx::query_scalar("select id from cards where origin = $1")
                .bind(&origin)
                .fetch_optional(&mut *tx)
                .await?;
            if let Some(made) = made {
                return Ok(made);
            }
            // Before their turn is taken, as everywhere.
            let others: Vec<CardId> = sqlx::query_scalar(
                "update cards set status = 'closed' where host = $1 and status = 'open'
                 returning id",
            )
            .bind(by)
            .fetch_all(&mut *tx)
            .await?;
            tx.take_turns(&[by]).await?;
            if tx.plays(by).await? {
                return Err(busy());
            }
            if let Some(code) = tx.room_code_of(by).await? {
                return Err(in_room(Some(code)));
            }
            for other in others {
                tx.show_card(other, now).await?;
            }
            sqlx::query(
                "insert into cards (id, origin, game, chat_id, thread_id, inline_id, language,
                     host, invited, status, score, created_at, expires_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', '', $10, $11)",
            )
            .bind(id)
            .bind(&origin)
            .bind(game.name())
            .bind(chat)
            .bind(thread)
            .bind(inline)
            .bind(language)
            .bind(by)
            .bind(&invited)
            .bind(now)
            .bind(now + millis(OPEN_FOR))
            .execute(&mut *tx)
            .await?;
            tx.seat_on_card(id, by, now).await?;
            tx.show_card(id, now).await?;
            if let Some(user) = known {
                tx.post(&Notice::Challenged { user, card: id }, now).await?;
            }
            tx.commit().await?;
            id
        });
        self.stir_letters();
        Ok(id)
    }
}

fn no_card() -> Error {
    Error::not_found("there is no such game any more")
}

fn busy() -> Error {
    Error::conflict("already_in_match", "you are in a match: finish it first")
}

/// Whether this can be a user name in Telegram, which has 4 to 32 letters, digits and underscores.
fn is_telegram_name(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

//! Cards: messages in Telegram that show a game from the invitation to the result.
//!
//! A card is *open* while people may join, *playing* once its match is made, *over* when that has
//! ended, and *closed* when nobody came. Whoever changes what a card shows puts it into the outbox
//! in the same transaction. A card's row is held before the turns of its people are taken, and only
//! while it is open, so that settling a match, which takes them first, never waits for it.

use std::time::Duration;

use games::{Kind, Seat};
use live::Status;

use crate::{
    Arena, CardId, Error, Language, MatchId, Millis, PublicUser, Result, UserId, Why,
    bus::ProcessId,
    clock::millis,
    db::{Turns, on, on_both},
    lobby::LobbyMessage,
    matches::{MatchRows, NewMatch},
    outbox::{Notice, OutboxRows},
    queue::{Matched, Side},
    rooms::{RoomRows, in_room},
    telegram::NoticeSettings,
};

/// How long one may join.
const OPEN_FOR: Duration = Duration::from_secs(10 * 60);
/// How long the players of a card have to come to the table from their chats.
pub(crate) const COME_WITHIN: games::Time = games::Time::secs(120);
/// How often scores are looked at: twelve edits a minute leave a group room for what people do.
pub(crate) const TEND_EVERY: Duration = Duration::from_secs(5);
/// Cards that are tended in one pass.
const TENDED_MAX: i64 = 1000;
/// How many a group's table names.
const GROUP_TOP_MAX: i64 = 20;

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
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct GroupPlayer {
    /// Who.
    #[sqlx(flatten)]
    pub user: PublicUser,
    /// Matches won there.
    pub wins: i64,
    /// Matches played there.
    pub games: i64,
}

#[derive(Clone, sqlx::FromRow)]
struct Row {
    id: CardId,
    game: String,
    chat_id: Option<i64>,
    thread_id: Option<i64>,
    message_id: Option<i64>,
    inline_id: Option<String>,
    language: Language,
    host: UserId,
    invited: Option<String>,
    status: String,
    match_id: Option<MatchId>,
    score: String,
    next_card: Option<CardId>,
    expires_at: Millis,
}

impl Row {
    fn game(&self) -> Result<Kind> {
        let game = self.game.parse();
        Ok(game.map_err(|_| anyhow::anyhow!("card {} is of the game {}", self.id, self.game))?)
    }

    fn place(&self) -> Result<CardPlace> {
        match (self.chat_id, &self.inline_id) {
            (Some(chat), _) => Ok(CardPlace::Chat { chat, thread: self.thread_id }),
            (None, Some(message)) => Ok(CardPlace::Inline { message: message.clone() }),
            (None, None) => Err(anyhow::anyhow!("card {} is nowhere", self.id).into()),
        }
    }

    /// That people may come and go.
    fn be_open(&self) -> Result<()> {
        match self.status.as_str() {
            "open" => Ok(()),
            "closed" => Err(Error::conflict("card_closed", "nobody can join any more")),
            _ => Err(Error::conflict("card_started", "the match is made already")),
        }
    }
}

/// A match that was made within a transaction, to be opened after it.
struct Made {
    id: MatchId,
    game: Kind,
    players: Vec<UserId>,
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

    /// Puts somebody on a card; when that fills it, the match is made. `name` is their user name in
    /// Telegram.
    ///
    /// # Errors
    /// Not found; `card_closed`, `card_started`, `already_joined`, `card_full`; `not_invited`;
    /// `already_in_match`.
    pub async fn join_card(&self, by: UserId, name: Option<&str>, id: CardId) -> Result<Joined> {
        self.cluster.check_open()?;
        let now = self.clock.now();
        let (made, missing) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let row = tx.hold_card(id).await?.ok_or_else(no_card)?;
            row.be_open()?;
            if row.expires_at <= now {
                return Err(Error::conflict("card_closed", "nobody can join any more"));
            }
            let theirs = name.map(str::to_ascii_lowercase);
            if row.invited.is_some() && row.host != by && row.invited != theirs {
                let detail = "this is a challenge to somebody else";
                return Err(Error::refused(Why::Forbidden, "not_invited", detail));
            }
            let seats = tx.card_seats(id).await?;
            if seats.contains(&by) {
                return Err(Error::conflict("already_joined", "you are in already"));
            }
            let game = row.game()?;
            let max = usize::from(*game.seats().end());
            tx.take_turns(&[&seats[..], &[by]].concat()).await?;
            if tx.plays(by).await? {
                return Err(busy());
            }
            if let Some(code) = tx.room_code_of(by).await? {
                return Err(in_room(Some(code)));
            }
            let mut seats = tx.leave_busy(id, seats).await?;
            if seats.len() >= max {
                return Err(Error::conflict("card_full", "all places are taken"));
            }
            tx.seat_on_card(id, by, now).await?;
            seats.push(by);
            let made = match seats.len() == max {
                true => Some(tx.start_card(&row, game, seats.clone(), self.cluster.me, now).await?),
                false => {
                    tx.host_card(&row, &seats).await?;
                    None
                }
            };
            tx.show_card(id, now).await?;
            let opened = made.as_ref().map(|it| it.id);
            let look = |_: &sqlx::Error| opened.into_iter().for_each(|it| self.open_if_made(it));
            tx.commit().await.inspect_err(look)?;
            (made, usize::from(*game.seats().start()).saturating_sub(seats.len()))
        });
        self.stir_letters();
        match made {
            Some(made) => {
                let id = made.id;
                self.open_made(made).await;
                Ok(Joined::Started(id))
            }
            None => Ok(Joined::Waiting { missing }),
        }
    }

    /// Takes somebody off a card. The next in line becomes the host; with nobody left it is closed.
    ///
    /// # Errors
    /// Not found; `card_closed`, `card_started`; `not_joined`.
    pub async fn leave_card(&self, by: UserId, id: CardId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let row = tx.hold_card(id).await?.ok_or_else(no_card)?;
            row.be_open()?;
            let mut seats = tx.card_seats(id).await?;
            if !seats.contains(&by) {
                return Err(Error::conflict("not_joined", "you are not in"));
            }
            tx.unseat(id, by).await?;
            seats.retain(|&it| it != by);
            tx.host_card(&row, &seats).await?;
            tx.show_card(id, now).await?;
            tx.commit().await?;
        });
        self.stir_letters();
        Ok(())
    }

    /// Takes somebody off every open card; answers how many there were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn leave_cards(&self, by: UserId) -> Result<usize> {
        let ids: Vec<CardId> = on!(self.db, pool => {
            sqlx::query_scalar(
                "select c.id from cards c join card_seats s on s.card_id = c.id
                 where s.user_id = $1 and c.status = 'open'",
            )
            .bind(by)
            .fetch_all(pool)
            .await
        })?;
        let mut left = 0;
        for id in ids {
            match self.leave_card(by, id).await {
                Ok(()) => left += 1,
                // It was started or closed meanwhile.
                Err(Error::Refused(refused)) if refused.why == Why::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// Starts the match of a card with those who are there: the host may, once they are enough.
    ///
    /// # Errors
    /// Not found; `not_host`; `card_closed`, `card_started`; `too_few`.
    pub async fn start_card(&self, by: UserId, id: CardId) -> Result<MatchId> {
        let made = self.try_start(Some(by), id).await?;
        let id = made.id;
        self.open_made(made).await;
        Ok(id)
    }

    /// `by` is none when the time is up.
    async fn try_start(&self, by: Option<UserId>, id: CardId) -> Result<Made> {
        self.cluster.check_open()?;
        let now = self.clock.now();
        let made = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let row = tx.hold_card(id).await?.ok_or_else(no_card)?;
            row.be_open()?;
            if by.is_some_and(|it| it != row.host) {
                let detail = "whoever opened the game starts it";
                return Err(Error::refused(Why::Forbidden, "not_host", detail));
            }
            let game = row.game()?;
            let seats = tx.card_seats(id).await?;
            tx.take_turns(&seats).await?;
            let seats = tx.leave_busy(id, seats).await?;
            let min = usize::from(*game.seats().start());
            if seats.len() < min {
                let detail = format!("{} more have to join first", min - seats.len());
                return Err(Error::conflict("too_few", detail));
            }
            let made = tx.start_card(&row, game, seats, self.cluster.me, now).await?;
            tx.show_card(id, now).await?;
            tx.commit().await.inspect_err(|_| self.open_if_made(made.id))?;
            made
        });
        self.stir_letters();
        Ok(made)
    }

    /// Makes the card of a rematch, with whoever asked on it as its host. An inline message shows
    /// the new card from then on; in a chat it is another message.
    ///
    /// # Errors
    /// Not found; `not_over`; `not_a_player`; `rematch_made` when somebody was faster;
    /// `already_in_match`.
    pub async fn rematch_card(&self, by: UserId, id: CardId) -> Result<CardId> {
        let now = self.clock.now();
        let next = CardId::random();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let row = tx.hold_card(id).await?.ok_or_else(no_card)?;
            if row.status != "over" {
                return Err(Error::conflict("not_over", "this match is not over"));
            }
            if !tx.card_seats(id).await?.contains(&by) {
                let detail = "those who played can ask for a rematch";
                return Err(Error::refused(Why::Forbidden, "not_a_player", detail));
            }
            if row.next_card.is_some() {
                return Err(Error::conflict("rematch_made", "there is a card for the rematch"));
            }
            if tx.plays(by).await? {
                return Err(busy());
            }
            if let Some(code) = tx.room_code_of(by).await? {
                return Err(in_room(Some(code)));
            }
            sqlx::query(
                "insert into cards (id, origin, game, chat_id, thread_id, inline_id, language,
                     host, status, score, created_at, expires_at)
                 select $1, $2, game, chat_id, thread_id, inline_id, language, $3, 'open', '',
                     cast($4 as bigint), cast($5 as bigint)
                 from cards where id = $6",
            )
            .bind(next)
            .bind(format!("rematch {id}"))
            .bind(by)
            .bind(now)
            .bind(now + millis(OPEN_FOR))
            .bind(id)
            .execute(&mut *tx)
            .await?;
            sqlx::query("update cards set next_card = $1 where id = $2")
                .bind(next)
                .bind(id)
                .execute(&mut *tx)
                .await?;
            tx.seat_on_card(next, by, now).await?;
            tx.show_card(next, now).await?;
            if row.chat_id.is_some() {
                tx.show_card(id, now).await?;
            }
            tx.commit().await?;
        });
        self.stir_letters();
        Ok(next)
    }

    /// A card as it is to be shown now; none when there is nothing to show it in any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn card(&self, id: CardId) -> Result<Option<Card>> {
        let row: Option<Row> = on!(self.db, pool => {
            sqlx::query_as("select * from cards where id = $1").bind(id).fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        // The inline message shows the next one.
        if row.inline_id.is_some() && row.next_card.is_some() {
            return Ok(None);
        }
        let (game, place) = (row.game()?, row.place()?);
        let again = row.next_card.is_none();
        let (stage, players) = match row.match_id {
            Some(id) => self.played(id, again).await?,
            None => {
                let open = row.status == "open";
                let stage = if open { CardStage::Open } else { CardStage::Closed };
                (stage, self.waiting(row.id, game).await?)
            }
        };
        Ok(Some(Card {
            id,
            game,
            place,
            message: row.message_id,
            language: row.language,
            players,
            invited: row.invited,
            stage,
        }))
    }

    /// The stage and the players of a card with a match.
    async fn played(&self, id: MatchId, again: bool) -> Result<(CardStage, Vec<CardPlayer>)> {
        let info = self.match_info(id).await?;
        let now = self.clock.now();
        let mut players = Vec::with_capacity(info.players.len());
        let (reason, changes) = on!(self.db, pool => {
            use crate::ratings::RatingRows;
            let mut db = pool.acquire().await?;
            let reason: Option<String> =
                sqlx::query_scalar("select reason from matches where id = $1")
                    .bind(id)
                    .fetch_one(&mut *db)
                    .await?;
            let changes: Vec<(Option<f64>, Option<f64>)> = sqlx::query_as(
                "select rating_before, rating_after from match_players
                 where match_id = $1 order by seat",
            )
            .bind(id)
            .fetch_all(&mut *db)
            .await?;
            for player in &info.players {
                players.push(db.rating_of(player.user.id, info.game, now).await?);
            }
            (reason, changes)
        });
        let points = |it: Option<f64>| it.map(|it| it.round() as i64);
        let players = info.players.into_iter().zip(players).zip(changes);
        let players = players.map(|((player, rating), (before, after))| CardPlayer {
            rating: points(before).unwrap_or(rating.points()),
            provisional: rating.provisional(),
            score: player.score,
            won: info.winner == Some(player.user.id),
            rating_after: points(after),
            user: player.user,
        });
        let stage = match (info.status, reason.as_deref()) {
            (Status::Pending, _) => CardStage::Gathering(id),
            (Status::Active, _) => CardStage::Live(id),
            (Status::Finished, Some("called_off" | "abandoned")) => CardStage::CalledOff(again),
            (Status::Finished, _) => CardStage::Over(id, again),
        };
        Ok((stage, players.collect()))
    }

    /// Those who are on a card without a match.
    async fn waiting(&self, id: CardId, game: Kind) -> Result<Vec<CardPlayer>> {
        let now = self.clock.now();
        let mut players = Vec::new();
        on!(self.db, pool => {
            use crate::ratings::RatingRows;
            let mut db = pool.acquire().await?;
            let users: Vec<PublicUser> = sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url
                 from card_seats s join users u on u.id = s.user_id
                 where s.card_id = $1 order by s.joined_at, s.user_id",
            )
            .bind(id)
            .fetch_all(&mut *db)
            .await?;
            for user in users {
                let rating = db.rating_of(user.id, game, now).await?;
                let (rating, provisional) = (rating.points(), rating.provisional());
                let (score, won, rating_after) = (0, false, None);
                players.push(CardPlayer { user, rating, provisional, score, won, rating_after });
            }
        });
        Ok(players)
    }

    /// The card that was made for this.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn card_of(&self, origin: &str) -> Result<Option<CardId>> {
        Ok(on!(self.db, pool => {
            sqlx::query_scalar("select id from cards where origin = $1")
                .bind(origin)
                .fetch_optional(pool)
                .await
        })?)
    }

    /// A card was posted as this message.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn card_posted(&self, id: CardId, message: i64) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query("update cards set message_id = $1 where id = $2")
                .bind(message)
                .bind(id)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// The best of those who played a game in a group, by what they won there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn group_top(&self, chat: i64, game: Kind) -> Result<Vec<GroupPlayer>> {
        Ok(on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, t.wins, t.games
                 from (select p.user_id, count(*) as games,
                              cast(sum(case when m.winner = p.user_id then 1 else 0 end) as bigint)
                                  as wins
                       from cards c
                       join matches m on m.id = c.match_id
                       join match_players p on p.match_id = m.id
                       where c.chat_id = $1 and c.game = $2 and m.status = 'finished'
                         and m.reason in ('score', 'forfeit')
                       group by p.user_id) t
                 join users u on u.id = t.user_id
                 order by t.wins desc, t.games, u.id limit $3",
            )
            .bind(chat)
            .bind(game.name())
            .bind(GROUP_TOP_MAX)
            .fetch_all(pool)
            .await
        })?)
    }

    /// One pass over the cards: closes or starts those whose time is up, and has those shown whose
    /// score has changed.
    pub(crate) async fn tend_cards(self) -> Result<()> {
        let now = self.clock.now();
        let late: Vec<Row> = on!(self.db, pool => {
            sqlx::query_as(
                "select * from cards where status = 'open' and expires_at <= $1
                 order by expires_at limit $2",
            )
            .bind(now)
            .bind(TENDED_MAX)
            .fetch_all(pool)
            .await
        })?;
        for row in late {
            // One that can't be dealt with holds up no other.
            if let Err(error) = self.time_is_up(&row).await {
                tracing::error!(card = %row.id, error = error.report(), "A card is not closed yet");
            }
        }
        let playing: Vec<Row> = on!(self.db, pool => {
            sqlx::query_as("select * from cards where status = 'playing' limit $1")
                .bind(TENDED_MAX)
                .fetch_all(pool)
                .await
        })?;
        for row in playing {
            let Some((status, scores)) = row.match_id.and_then(|it| self.score_of(it)) else {
                continue;
            };
            let score = format!("{status:?} {scores:?}");
            if score == row.score {
                continue;
            }
            on!(self.db, pool => {
                let mut tx = pool.begin_with(self.db.begin()).await?;
                let told = sqlx::query(
                    "update cards set score = $1 where id = $2 and status = 'playing'",
                )
                .bind(&score)
                .bind(row.id)
                .execute(&mut *tx)
                .await?;
                if told.rows_affected() > 0 {
                    tx.show_card(row.id, now).await?;
                }
                tx.commit().await?;
            });
            self.stir_letters();
        }
        Ok(())
    }

    async fn time_is_up(&self, row: &Row) -> Result<()> {
        let seats = row.game()?.seats();
        if seats.end() > seats.start() {
            match self.try_start(None, row.id).await {
                Ok(made) => {
                    self.open_made(made).await;
                    return Ok(());
                }
                // Too few, or somebody was faster.
                Err(Error::Refused(refused)) if refused.why == Why::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let closed =
                sqlx::query("update cards set status = 'closed' where id = $1 and status = 'open'")
                    .bind(row.id)
                    .execute(&mut *tx)
                    .await?;
            if closed.rows_affected() > 0 {
                tx.show_card(row.id, now).await?;
            }
            tx.commit().await?;
        });
        self.stir_letters();
        Ok(())
    }

    async fn open_made(&self, made: Made) {
        let Made { id, game, players } = made;
        tracing::info!(r#match = %id, "A card's match of {game}, {id}, is made");
        self.open_match(id).await;
        for (seat, &user) in (0..).map(Seat).zip(&players) {
            let side = Side::of(seat, players.len());
            self.tell(user, LobbyMessage::Matched(Matched { game, match_id: id, side, seat }));
        }
    }

    /// Whether a match was made by a card.
    pub(crate) async fn has_card(&self, id: MatchId) -> Result<bool> {
        let found: Option<CardId> = on!(self.db, pool => {
            sqlx::query_scalar("select id from cards where match_id = $1")
                .bind(id)
                .fetch_optional(pool)
                .await
        })?;
        Ok(found.is_some())
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

/// Cards within a transaction, on either database.
trait CardRows {
    /// Keeps a card as it is until this transaction ends, and reads it.
    async fn hold_card(&mut self, id: CardId) -> sqlx::Result<Option<Row>>;

    /// Who is on a card, in the order they came.
    async fn card_seats(&mut self, id: CardId) -> sqlx::Result<Vec<UserId>>;

    async fn seat_on_card(&mut self, id: CardId, user: UserId, now: Millis) -> sqlx::Result<()>;

    async fn unseat(&mut self, id: CardId, user: UserId) -> sqlx::Result<()>;

    /// Takes those off a card who play elsewhere by now; answers who is left. In their turns.
    async fn leave_busy(&mut self, id: CardId, seats: Vec<UserId>) -> sqlx::Result<Vec<UserId>>;

    /// Sees to it that the host is one of those who are there; with nobody there it is closed.
    async fn host_card(&mut self, row: &Row, seats: &[UserId]) -> sqlx::Result<()>;

    /// Makes the match of a card. In the players' turns.
    async fn start_card(
        &mut self,
        row: &Row,
        game: Kind,
        players: Vec<UserId>,
        process: ProcessId,
        now: Millis,
    ) -> sqlx::Result<Made>;
}

/// Matches that were not made by a card, as cards see them, and the end of those that were.
pub(crate) trait MatchCards {
    /// The group whose members all these are, if all of them wait there for a game.
    async fn group_of(&mut self, game: Kind, users: [UserId; 2]) -> sqlx::Result<Option<i64>>;

    /// Shows a match that its queue has made in a group.
    async fn show_match(
        &mut self,
        chat: i64,
        game: Kind,
        id: MatchId,
        players: &[UserId],
        now: Millis,
    ) -> sqlx::Result<()>;

    /// Shows a rematch that was agreed on at the table where the match was shown.
    async fn show_rematch(&mut self, of: MatchId, id: MatchId, now: Millis) -> sqlx::Result<()>;

    /// Has the result of a match shown on its card, and told to its people.
    async fn settle_card(
        &mut self,
        id: MatchId,
        people: &[UserId],
        now: Millis,
    ) -> sqlx::Result<()>;
}

on_both! { impl CardRows {
    async fn hold_card(&mut self, id: CardId) -> sqlx::Result<Option<Row>> {
        // An update, because SQL that both databases read has no other lock on a row.
        sqlx::query_as("update cards set status = status where id = $1 returning *")
            .bind(id)
            .fetch_optional(self)
            .await
    }

    async fn card_seats(&mut self, id: CardId) -> sqlx::Result<Vec<UserId>> {
        sqlx::query_scalar(
            "select user_id from card_seats where card_id = $1 order by joined_at, user_id",
        )
        .bind(id)
        .fetch_all(self)
        .await
    }

    async fn seat_on_card(&mut self, id: CardId, user: UserId, now: Millis) -> sqlx::Result<()> {
        sqlx::query("insert into card_seats (card_id, user_id, joined_at) values ($1, $2, $3)")
            .bind(id)
            .bind(user)
            .bind(now)
            .execute(self)
            .await
            .map(drop)
    }

    async fn unseat(&mut self, id: CardId, user: UserId) -> sqlx::Result<()> {
        sqlx::query("delete from card_seats where card_id = $1 and user_id = $2")
            .bind(id)
            .bind(user)
            .execute(self)
            .await
            .map(drop)
    }

    async fn leave_busy(&mut self, id: CardId, seats: Vec<UserId>) -> sqlx::Result<Vec<UserId>> {
        let mut free = Vec::with_capacity(seats.len());
        for user in seats {
            match self.plays(user).await? {
                true => self.unseat(id, user).await?,
                false => free.push(user),
            }
        }
        Ok(free)
    }

    async fn host_card(&mut self, row: &Row, seats: &[UserId]) -> sqlx::Result<()> {
        let (host, status) = match seats.first() {
            Some(_) if seats.contains(&row.host) => return Ok(()),
            // A challenge goes with who made it.
            Some(&first) if row.invited.is_none() => (first, "open"),
            _ => (row.host, "closed"),
        };
        sqlx::query("update cards set host = $1, status = $2 where id = $3")
            .bind(host)
            .bind(status)
            .bind(row.id)
            .execute(self)
            .await
            .map(drop)
    }

    async fn start_card(
        &mut self,
        row: &Row,
        game: Kind,
        mut players: Vec<UserId>,
        process: ProcessId,
        now: Millis,
    ) -> sqlx::Result<Made> {
        // Nobody should always sit on the left, or always begin.
        for last in (1..players.len()).rev() {
            players.swap(last, rand::random_range(0..=last));
        }
        let options = game.default_options();
        let rated = game.rated();
        let new = NewMatch {
            game,
            options: &options,
            rated,
            players: &players,
            rematch_of: None,
            process,
        };
        let id = self.insert_match(&new, now).await?;
        sqlx::query("update cards set status = 'playing', match_id = $1 where id = $2")
            .bind(id)
            .bind(row.id)
            .execute(self)
            .await?;
        Ok(Made { id, game, players })
    }
} }

on_both! { impl MatchCards {
    async fn group_of(&mut self, game: Kind, users: [UserId; 2]) -> sqlx::Result<Option<i64>> {
        let chats: Vec<Option<String>> = sqlx::query_scalar(
            "select chat_id from queue_entries where user_id in ($1, $2) and game = $3",
        )
        .bind(users[0])
        .bind(users[1])
        .bind(game.name())
        .fetch_all(&mut *self)
        .await?;
        let [Some(one), Some(two)] = &chats[..] else { return Ok(None) };
        let Some(chat) = one.parse::<i64>().ok().filter(|_| one == two) else { return Ok(None) };
        // Anybody may name any chat when they join a queue: it counts for those who were seen
        // there.
        let members: i64 = sqlx::query_scalar(
            "select count(*) from telegram_members where chat_id = $1 and user_id in ($2, $3)",
        )
        .bind(chat)
        .bind(users[0])
        .bind(users[1])
        .fetch_one(self)
        .await?;
        Ok((members == 2).then_some(chat))
    }

    async fn show_match(
        &mut self,
        chat: i64,
        game: Kind,
        id: MatchId,
        players: &[UserId],
        now: Millis,
    ) -> sqlx::Result<()> {
        let card = CardId::random();
        let Some(&host) = players.first() else { return Ok(()) };
        sqlx::query(
            "insert into cards (id, origin, game, chat_id, language, host, status, match_id,
                 score, created_at, expires_at)
             select cast($1 as bigint), $2, $3, cast($4 as bigint), language, id, 'playing',
                 cast($5 as bigint), '', cast($6 as bigint), cast($6 as bigint)
             from users where id = $7",
        )
        .bind(card)
        .bind(format!("match {id}"))
        .bind(game.name())
        .bind(chat)
        .bind(id)
        .bind(now)
        .bind(host)
        .execute(&mut *self)
        .await?;
        for &player in players {
            self.seat_on_card(card, player, now).await?;
        }
        self.show_card(card, now).await
    }

    async fn show_rematch(&mut self, of: MatchId, id: MatchId, now: Millis) -> sqlx::Result<()> {
        let card = CardId::random();
        let shown: Option<CardId> = sqlx::query_scalar(
            "update cards set next_card = $1
             where match_id = $2 and status = 'over' and next_card is null returning id",
        )
        .bind(card)
        .bind(of)
        .fetch_optional(&mut *self)
        .await?;
        let Some(before) = shown else { return Ok(()) };
        sqlx::query(
            "insert into cards (id, origin, game, chat_id, thread_id, inline_id, language, host,
                 status, match_id, score, created_at, expires_at)
             select cast($1 as bigint), $2, game, chat_id, thread_id, inline_id, language, host,
                 'playing', cast($3 as bigint), '', cast($4 as bigint), cast($4 as bigint)
             from cards where id = $5",
        )
        .bind(card)
        .bind(format!("match {id}"))
        .bind(id)
        .bind(now)
        .bind(before)
        .execute(&mut *self)
        .await?;
        sqlx::query(
            "insert into card_seats (card_id, user_id, joined_at)
             select cast($1 as bigint), user_id, joined_at from card_seats where card_id = $2",
        )
        .bind(card)
        .bind(before)
        .execute(&mut *self)
        .await?;
        self.show_card(before, now).await?;
        self.show_card(card, now).await
    }

    async fn settle_card(
        &mut self,
        id: MatchId,
        people: &[UserId],
        now: Millis,
    ) -> sqlx::Result<()> {
        let cards: Vec<CardId> = sqlx::query_scalar(
            "update cards set status = 'over' where match_id = $1 and status = 'playing'
             returning id",
        )
        .bind(id)
        .fetch_all(&mut *self)
        .await?;
        for card in cards {
            self.show_card(card, now).await?;
        }
        for &user in people {
            let wanted: Option<bool> =
                sqlx::query_scalar("select result from notice_settings where user_id = $1")
                    .bind(user)
                    .fetch_optional(&mut *self)
                    .await?;
            if wanted.unwrap_or(NoticeSettings::default().result) {
                self.post(&Notice::Result { user, match_id: id }, now).await?;
            }
        }
        Ok(())
    }
} }

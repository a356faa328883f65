//! Cards in the database, and the steps that whole transactions are made of.

use games::Kind;
use sqlx::AssertSqlSafe;

use crate::{
    CardId, CardPlace, Error, Language, MatchId, Millis, Result, UserId,
    bus::ProcessId,
    db::on_both,
    matches::{MatchRows, NewMatch},
    outbox::{Notice, OutboxRows},
    telegram::NoticeSettings,
};

/// The columns of a [`Row`].
pub(super) const COLUMNS: &str = "id, game, chat_id, thread_id, message_id, inline_id, language, \
                                  host, invited, status, match_id, score, next_card, expires_at";

#[derive(Clone, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: CardId,
    pub(super) game: String,
    pub(super) chat_id: Option<i64>,
    pub(super) thread_id: Option<i64>,
    pub(super) message_id: Option<i64>,
    pub(super) inline_id: Option<String>,
    pub(super) language: Language,
    pub(super) host: UserId,
    pub(super) invited: Option<String>,
    pub(super) status: String,
    pub(super) match_id: Option<MatchId>,
    pub(super) score: String,
    pub(super) next_card: Option<CardId>,
    pub(super) expires_at: Millis,
}

impl Row {
    pub(super) fn game(&self) -> Result<Kind> {
        let game = self.game.parse();
        Ok(game.map_err(|_| anyhow::anyhow!("card {} is of the game {}", self.id, self.game))?)
    }

    pub(super) fn place(&self) -> Result<CardPlace> {
        match (self.chat_id, &self.inline_id) {
            (Some(chat), _) => Ok(CardPlace::Chat { chat, thread: self.thread_id }),
            (None, Some(message)) => Ok(CardPlace::Inline { message: message.clone() }),
            (None, None) => Err(anyhow::anyhow!("card {} is nowhere", self.id).into()),
        }
    }

    /// That people may come and go.
    pub(super) fn be_open(&self) -> Result<()> {
        match self.status.as_str() {
            "open" => Ok(()),
            "closed" => Err(Error::conflict("card_closed", "nobody can join any more")),
            _ => Err(Error::conflict("card_started", "the match is made already")),
        }
    }
}

/// A match that was made within a transaction, to be opened after it.
pub(super) struct Made {
    pub(super) id: MatchId,
    pub(super) game: Kind,
    pub(super) players: Vec<UserId>,
}

/// Cards within a transaction, on either database.
pub(super) trait CardRows {
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
        let sql = format!("update cards set status = status where id = $1 returning {COLUMNS}");
        sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(self).await
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

//! Who comes to a card and who goes, and the match or the rematch that follows.

use games::Seat;

use super::{
    Joined, OPEN_FOR, busy, no_card,
    rows::{CardRows, Made},
};
use crate::{
    Arena, CardId, Error, MatchId, Result, UserId, Why,
    clock::millis,
    db::{Turns, on},
    lobby::LobbyMessage,
    matches::MatchRows,
    outbox::OutboxRows,
    people::{Shun, ShunRows},
    queue::{Matched, Side},
    rooms::{RoomRows, in_room},
};

impl Arena {
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
            // To whom the host has blocked, there is no such card.
            if tx.shun_of(row.host, by).await? == Some(Shun::Block) {
                return Err(no_card());
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
    pub(super) async fn try_start(&self, by: Option<UserId>, id: CardId) -> Result<Made> {
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

    pub(super) async fn open_made(&self, made: Made) {
        let Made { id, game, players } = made;
        tracing::info!(r#match = %id, "A card's match of {game}, {id}, is made");
        self.open_match(id).await;
        for (seat, &user) in (0..).map(Seat).zip(&players) {
            let side = Side::of(seat, players.len());
            self.tell(user, LobbyMessage::Matched(Matched { game, match_id: id, side, seat }));
        }
    }
}

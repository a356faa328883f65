//! Cards as they are to be shown, and what a group may know of its own.

use games::Kind;
use live::Status;
use sqlx::AssertSqlSafe;

use super::{
    Card, CardPlayer, CardStage, GroupPlayer, MatchCard,
    rows::{COLUMNS, Row},
};
use crate::{Arena, CardId, MatchId, PublicUser, Result, cache::Cached, db::on};

/// How many a group's table names.
const GROUP_TOP_MAX: i64 = 20;

impl Arena {
    /// A card as it is to be shown now; none when there is nothing to show it in any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn card(&self, id: CardId) -> Result<Option<Card>> {
        let sql = format!("select {COLUMNS} from cards where id = $1");
        let row: Option<Row> = on!(self.db, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await
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

    /// How a match would be shown on a card, whether or not it has one.
    ///
    /// # Errors
    /// Not found.
    pub async fn card_of_match(&self, id: MatchId) -> Result<MatchCard> {
        let game = self.match_info(id).await?.game;
        let (stage, players) = self.played(id, false).await?;
        Ok(MatchCard { game, stage, players })
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
        let any = |players: &Vec<GroupPlayer>| !players.is_empty();
        let read = self.read_group_top(chat, game);
        self.cached(Cached::GroupTop(chat, game), any, read).await
    }

    async fn read_group_top(&self, chat: i64, game: Kind) -> Result<Vec<GroupPlayer>> {
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
}

//! Profiles: what everybody may know of somebody, their statistics and finished matches, and who is
//! best at a game.

use games::Kind;
use live::computer::Level;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Millis, Moment, PublicUser, Result, UserId,
    cache::Cached,
    computers,
    cursor::Cursor,
    db::on,
    ratings::{self, GROWTH_A_MS, RANKED_DEVIATION_MAX, RANKED_IDLE_MAX, Standing},
};

const PAGE_DEFAULT: u32 = 20;
const PAGE_MAX: u32 = 100;
/// How many the top list names.
const TOP_MAX: i64 = 100;

/// What everybody may know of somebody.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Profile {
    /// Who.
    #[serde(flatten)]
    pub user: PublicUser,
    /// Since when they are here.
    pub created_at: Moment,
    /// In the games that they have played.
    pub ratings: Vec<GameRating>,
}

/// How good somebody is at a game.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GameRating {
    /// The game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// The guess.
    #[schema(example = 1500)]
    pub rating: i64,
    /// Two times out of three the truth is so near.
    #[schema(example = 350)]
    pub deviation: i64,
    /// Whether the guess is still a poor one.
    pub provisional: bool,
    /// How many matches.
    pub games: i64,
}

/// Somebody's statistics.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Stats {
    /// In the games that they have played.
    pub games: Vec<GameStats>,
}

/// Somebody's statistics in a game.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GameStats {
    /// The game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// The guess at how good they are.
    pub rating: i64,
    /// Two times out of three the truth is so near.
    pub deviation: i64,
    /// Whether the guess is still a poor one.
    pub provisional: bool,
    /// Matches won.
    pub wins: i64,
    /// Matches lost.
    pub losses: i64,
    /// Matches without a winner.
    pub draws: i64,
    /// Wins in a row, or losses when negative.
    pub streak: i64,
    /// The most wins in a row.
    pub best_streak: i64,
}

/// A page of somebody's finished matches.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct History {
    /// The latest first.
    pub items: Vec<PastMatch>,
    /// Gives the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// A match that is over.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PastMatch {
    /// Which.
    #[schema(value_type = String, example = "7Hq2Lk09aZc")]
    pub match_id: MatchId,
    /// Its game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// When it ended.
    pub finished_at: Moment,
    /// What ended it.
    #[schema(example = "score")]
    pub reason: Option<String>,
    /// Whether the person won; null when nobody did.
    pub won: Option<bool>,
    /// By seat.
    pub players: Vec<PastPlayer>,
}

/// A player of a match that is over.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PastPlayer {
    /// Who.
    pub user: PublicUser,
    /// Their place.
    pub seat: i64,
    /// Their points.
    pub score: i64,
    /// Their rating before; null in matches that did not count.
    pub rating_before: Option<i64>,
    /// Their rating after; null in matches that did not count.
    pub rating_after: Option<i64>,
    /// How well it plays, where it is a computer.
    pub computer: Option<Level>,
}

/// The best at a game.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TopList {
    /// The best first.
    pub items: Vec<TopPlayer>,
}

/// One of the best at a game.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TopPlayer {
    /// From 1; equals share one.
    pub rank: i64,
    /// Who.
    pub user: PublicUser,
    /// How good.
    pub rating: i64,
    /// Whether that is still a poor guess.
    pub provisional: bool,
    /// How many matches.
    pub games: i64,
}

#[derive(Serialize, Deserialize, sqlx::FromRow)]
struct StandingRow {
    game: String,
    #[sqlx(flatten)]
    standing: Standing,
}

#[derive(Serialize, Deserialize, sqlx::FromRow)]
struct TopRow {
    #[sqlx(flatten)]
    user: PublicUser,
    #[sqlx(flatten)]
    standing: Standing,
}

impl TopRow {
    /// Whether they are known well enough, and have played lately enough, to be ranked.
    fn is_ranked(&self, now: Millis) -> bool {
        self.standing.rating_at(now).deviation <= RANKED_DEVIATION_MAX
            && self.standing.rated_at >= now - RANKED_IDLE_MAX
    }
}

/// One player of one match of a page: matches stand together.
#[derive(sqlx::FromRow)]
struct PastRow {
    match_id: MatchId,
    game: String,
    finished_at: Moment,
    reason: Option<String>,
    winner: Option<UserId>,
    seat: i64,
    score: i64,
    rating_before: Option<f64>,
    rating_after: Option<f64>,
    #[sqlx(flatten)]
    user: PublicUser,
}

impl Arena {
    /// What everybody may know of somebody.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn profile(&self, id: UserId) -> Result<Profile> {
        let user = self.user(id).await?.ok_or_else(nobody)?;
        let ratings = self.game_stats(id).await?.into_iter().map(|it| GameRating {
            game: it.game,
            rating: it.rating,
            deviation: it.deviation,
            provisional: it.provisional,
            games: it.wins + it.losses + it.draws,
        });
        let ratings = ratings.collect();
        Ok(Profile { user: user.public(), created_at: user.created_at, ratings })
    }

    /// Somebody's statistics.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn stats(&self, id: UserId) -> Result<Stats> {
        let games = self.game_stats(id).await?;
        if games.is_empty() {
            self.user(id).await?.ok_or_else(nobody)?;
        }
        Ok(Stats { games })
    }

    async fn game_stats(&self, id: UserId) -> Result<Vec<GameStats>> {
        // Kept as they are stored, and made older when they are read. Who has not played is as
        // quickly found by the database.
        let played = |rows: &Vec<StandingRow>| !rows.is_empty();
        let rows = self.cached(Cached::Stats(id), played, self.standings(id)).await?;
        let now = self.clock.now();
        let stats = rows.into_iter().filter_map(|StandingRow { game, standing: it }| {
            let rating = it.rating_at(now);
            Some(GameStats {
                game: game.parse().ok()?,
                rating: rating.points(),
                deviation: rating.deviation.round() as i64,
                provisional: rating.provisional(),
                wins: it.wins,
                losses: it.losses,
                draws: it.draws,
                streak: it.streak,
                best_streak: it.best_streak,
            })
        });
        Ok(stats.collect())
    }

    async fn standings(&self, id: UserId) -> Result<Vec<StandingRow>> {
        let columns = ratings::COLUMNS;
        let sql = format!("select game, {columns} from ratings where user_id = $1 order by game");
        Ok(on!(self.db, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_all(pool).await
        })?)
    }

    /// A page of somebody's finished matches, the latest first; those that never began are left
    /// out. `cursor` is the `next_cursor` of the page before; a page has `limit` matches, at least
    /// 1 and at most 100.
    ///
    /// # Errors
    /// When there is no such account, or `cursor` is none of ours.
    pub async fn history(
        &self,
        id: UserId,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<History> {
        let after = cursor.map(Cursor::parse).transpose()?.unwrap_or(Cursor::START);
        self.user(id).await?.ok_or_else(nobody)?;
        let limit = limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize;
        let rows: Vec<PastRow> = on!(self.db, pool => {
            sqlx::query_as(
                "select page.match_id, page.game, page.finished_at, page.reason, page.winner,
                        o.seat, o.score, o.rating_before, o.rating_after,
                        u.id, u.username, u.display_name, u.avatar_url
                 from (select p.match_id, m.game, p.finished_at, m.reason, m.winner
                       from match_players p join matches m on m.id = p.match_id
                       where p.user_id = $1 and (p.finished_at < $2
                             or (p.finished_at = $2 and p.match_id > $3))
                         and (m.reason is null or m.reason <> 'called_off')
                       order by p.finished_at desc, p.match_id limit $4) page
                 join match_players o on o.match_id = page.match_id
                 join users u on u.id = o.user_id
                 order by page.finished_at desc, page.match_id, o.seat",
            )
            .bind(id)
            .bind(after.at)
            .bind(after.id)
            // One more, to know whether there is another page.
            .bind(limit as i64 + 1)
            .fetch_all(pool)
            .await
        })?;
        let matches: Vec<_> = rows.chunk_by(|a, b| a.match_id == b.match_id).collect();
        let next_cursor = (matches.len() > limit).then(|| {
            let last = &matches[limit - 1][0];
            Cursor { at: last.finished_at.0, id: last.match_id.0 }.print()
        });
        let items = matches.into_iter().take(limit).filter_map(|it| past_match(id, it)).collect();
        Ok(History { items, next_cursor })
    }

    /// The best at a game: of those who are known well and have played lately.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn top(&self, game: Kind) -> Result<TopList> {
        let now = self.clock.now();
        let any = |rows: &Vec<TopRow>| !rows.is_empty();
        let rows = self.cached(Cached::Top(game), any, self.top_rows(game, now)).await?;
        let mut items: Vec<TopPlayer> = Vec::with_capacity(rows.len());
        // Doubt grows with time, also while they are kept.
        let ranked = rows.into_iter().filter(|it| it.is_ranked(now));
        for (place, TopRow { user, standing }) in (1..).zip(ranked) {
            let (rating, games) = (standing.rating_at(now), standing.games());
            let (points, provisional) = (rating.points(), rating.provisional());
            let rank = match items.last() {
                Some(before) if before.rating == points => before.rank,
                _ => place,
            };
            items.push(TopPlayer { rank, user, rating: points, provisional, games });
        }
        Ok(TopList { items })
    }

    async fn top_rows(&self, game: Kind, now: Millis) -> Result<Vec<TopRow>> {
        Ok(on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, r.rating, r.deviation,
                        r.volatility, r.wins, r.losses, r.draws, r.streak, r.best_streak,
                        r.rated_at
                 from ratings r join users u on u.id = r.user_id
                 where r.game = $1 and r.rated_at >= $2
                   and r.deviation * r.deviation
                       + r.volatility * r.volatility * $3 * ($4 - r.rated_at) <= $5
                 order by r.rating desc, u.id limit $6",
            )
            .bind(game.name())
            .bind(now - RANKED_IDLE_MAX)
            .bind(GROWTH_A_MS)
            .bind(now)
            .bind(RANKED_DEVIATION_MAX * RANKED_DEVIATION_MAX)
            .bind(TOP_MAX)
            .fetch_all(pool)
            .await
        })?)
    }
}

fn nobody() -> Error {
    Error::not_found("there is no such account")
}

/// A match as `reader` sees it, of the rows of its players; nothing when this version does not know
/// the game.
fn past_match(reader: UserId, rows: &[PastRow]) -> Option<PastMatch> {
    let first = rows.first()?;
    let players = rows.iter().map(|it| PastPlayer {
        user: it.user.clone(),
        seat: it.seat,
        score: it.score,
        rating_before: it.rating_before.map(|it| it.round() as i64),
        rating_after: it.rating_after.map(|it| it.round() as i64),
        computer: computers::level(it.user.id),
    });
    Some(PastMatch {
        match_id: first.match_id,
        game: first.game.parse().ok()?,
        finished_at: first.finished_at,
        reason: first.reason.clone(),
        won: first.winner.map(|it| it == reader),
        players: players.collect(),
    })
}

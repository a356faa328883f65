//! How good somebody is at a game: Glicko-2, and the statistics beside it.
//!
//! A rating is a guess with a doubt. A game sharpens the guess; time off blurs it again, which is
//! how who stays away leaves the top list without losing points.

use games::Kind;
use serde::{Deserialize, Serialize};
use skillratings::{
    Outcomes,
    glicko2::{Glicko2Config, Glicko2Rating, glicko2},
};
use sqlx::AssertSqlSafe;

use crate::{
    Millis, UserId,
    db::{Turns, on_both},
};

/// How much a volatility may change with one result.
const TAU: f64 = 0.5;
/// Points per unit of Glicko-2's own scale.
const SCALE: f64 = 173.7178;
/// Rating periods in a day without a game.
const PERIODS_A_DAY: f64 = 0.21436;
const DAY_MS: Millis = 24 * 60 * 60 * 1000;

const DEVIATION_MIN: f64 = 45.0;
const DEVIATION_MAX: f64 = 350.0;
/// From here on a rating is shown with a question mark.
const PROVISIONAL_FROM: f64 = 110.0;
// No run of results leads out of here, where the formulas are known to settle.
const RATING_MIN: f64 = 100.0;
const RATING_MAX: f64 = 4000.0;
const VOLATILITY_MIN: f64 = 0.01;
const VOLATILITY_MAX: f64 = 0.1;

/// How many games of two opponents change their ratings within 24 hours; further ones only count
/// in their statistics, so that two friends cannot trade points all day.
pub const RATED_GAMES_MAX: i64 = 5;

/// The top list shows who is known at least this well …
pub(crate) const RANKED_DEVIATION_MAX: f64 = 90.0;
/// … and has played this lately.
pub(crate) const RANKED_IDLE_MAX: Millis = 30 * DAY_MS;
/// What a squared deviation gains in a millisecond, in units of the squared volatility: lets SQL
/// grow deviations by itself.
pub(crate) const GROWTH_A_MS: f64 = SCALE * SCALE * PERIODS_A_DAY / DAY_MS as f64;

/// A guess at how good somebody is, with its doubt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Rating {
    /// The guess.
    pub rating: f64,
    /// The doubt: two times out of three the truth is within one deviation of the guess.
    pub deviation: f64,
    /// How unsteady the results are.
    pub volatility: f64,
}

/// How a game ended for one of its two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// Won.
    Win,
    /// Neither.
    Draw,
    /// Lost.
    Loss,
}

impl Score {
    /// How it ended for the other.
    pub const fn reversed(self) -> Score {
        match self {
            Score::Win => Score::Loss,
            Score::Draw => Score::Draw,
            Score::Loss => Score::Win,
        }
    }
}

impl Rating {
    /// Everybody's first.
    pub const NEW: Rating = Rating { rating: 1500.0, deviation: DEVIATION_MAX, volatility: 0.06 };

    /// As it is after `idle` milliseconds without a game: Glickman's step 6 for the part of a
    /// rating period that this is.
    pub fn after_idle(self, idle: Millis) -> Rating {
        let periods = idle.max(0) as f64 / DAY_MS as f64 * PERIODS_A_DAY;
        let growth = (self.volatility * SCALE).powi(2) * periods;
        let deviation = (self.deviation.powi(2) + growth).sqrt();
        Rating { deviation, ..self }.clamped()
    }

    /// Both as they are after a game that ended for `self` with `score`.
    pub fn after(self, opponent: Rating, score: Score) -> (Rating, Rating) {
        let outcome = match score {
            Score::Win => Outcomes::WIN,
            Score::Draw => Outcomes::DRAW,
            Score::Loss => Outcomes::LOSS,
        };
        let config = Glicko2Config { tau: TAU, ..Glicko2Config::new() };
        let (one, two) = glicko2(&self.into(), &opponent.into(), &outcome, &config);
        (Rating::from(one).clamped(), Rating::from(two).clamped())
    }

    /// Whether the doubt is still too large to rank by.
    pub fn provisional(self) -> bool {
        self.deviation >= PROVISIONAL_FROM
    }

    /// As people read it: whole points.
    pub fn points(self) -> i64 {
        self.rating.round() as i64
    }

    fn clamped(self) -> Rating {
        Rating {
            rating: self.rating.clamp(RATING_MIN, RATING_MAX),
            deviation: self.deviation.clamp(DEVIATION_MIN, DEVIATION_MAX),
            volatility: self.volatility.clamp(VOLATILITY_MIN, VOLATILITY_MAX),
        }
    }
}

impl From<Rating> for Glicko2Rating {
    fn from(it: Rating) -> Glicko2Rating {
        let Rating { rating, deviation, volatility } = it.clamped();
        Glicko2Rating { rating, deviation, volatility }
    }
}

impl From<Glicko2Rating> for Rating {
    fn from(it: Glicko2Rating) -> Rating {
        Rating { rating: it.rating, deviation: it.deviation, volatility: it.volatility }
    }
}

/// What a game did to a rating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RatingChange {
    pub(crate) before: Rating,
    pub(crate) after: Rating,
}

/// The columns of a [`Standing`].
pub(crate) const COLUMNS: &str = "rating, deviation, volatility, wins, losses, draws, streak, \
                                  best_streak, rated_at";

/// Rating and statistics of somebody in a game: a row of `ratings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct Standing {
    #[sqlx(flatten)]
    pub(crate) rating: Rating,
    pub(crate) wins: i64,
    pub(crate) losses: i64,
    pub(crate) draws: i64,
    /// Wins in a row, or losses when negative.
    pub(crate) streak: i64,
    pub(crate) best_streak: i64,
    /// The last game that changed the rating.
    pub(crate) rated_at: Millis,
}

impl Standing {
    /// That of somebody who has not played yet.
    pub(crate) fn new(now: Millis) -> Standing {
        let (wins, losses, draws, streak, best_streak) = (0, 0, 0, 0, 0);
        let (rating, rated_at) = (Rating::NEW, now);
        Standing { rating, wins, losses, draws, streak, best_streak, rated_at }
    }

    /// The rating now, blurred by the time since the last game.
    pub(crate) fn rating_at(&self, now: Millis) -> Rating {
        self.rating.after_idle(now - self.rated_at)
    }

    /// How many games.
    pub(crate) fn games(&self) -> i64 {
        self.wins + self.losses + self.draws
    }

    /// Counts one more game.
    fn count(&mut self, score: Score) {
        match score {
            Score::Win => {
                self.wins += 1;
                self.streak = self.streak.max(0) + 1;
            }
            Score::Draw => {
                self.draws += 1;
                self.streak = 0;
            }
            Score::Loss => {
                self.losses += 1;
                self.streak = self.streak.min(0) - 1;
            }
        }
        self.best_streak = self.best_streak.max(self.streak);
    }
}

/// Ratings within a transaction, on either database.
pub(crate) trait RatingRows {
    /// Somebody's rating and statistics, if they have played.
    async fn standing(&mut self, user: UserId, game: Kind) -> sqlx::Result<Option<Standing>>;

    /// Somebody's rating now: a newcomer's when they have not played.
    async fn rating_of(&mut self, user: UserId, game: Kind, now: Millis) -> sqlx::Result<Rating>;

    /// How many games of these two have changed their ratings in the 24 hours before `now`.
    async fn rated_lately(
        &mut self,
        players: [UserId; 2],
        game: Kind,
        now: Millis,
    ) -> sqlx::Result<i64>;

    /// Counts a game that is over in both players' statistics and, when it is `rated` and the two
    /// have not had [`RATED_GAMES_MAX`] already, in their ratings; answers what became of those.
    /// `score` is how it ended for the first.
    ///
    /// Takes the turns of both; to be called once in a match's settlement, before the match's own
    /// `rating_after` is written.
    async fn settle_ratings(
        &mut self,
        players: [UserId; 2],
        game: Kind,
        score: Score,
        rated: bool,
        now: Millis,
    ) -> sqlx::Result<Option<[RatingChange; 2]>>;

    /// Keeps a standing.
    async fn keep_standing(&mut self, user: UserId, game: Kind, it: &Standing) -> sqlx::Result<()>;
}

on_both! { impl RatingRows {
    async fn standing(&mut self, user: UserId, game: Kind) -> sqlx::Result<Option<Standing>> {
        let sql = format!("select {COLUMNS} from ratings where user_id = $1 and game = $2");
        sqlx::query_as(AssertSqlSafe(sql)).bind(user).bind(game.name()).fetch_optional(self).await
    }

    async fn rating_of(&mut self, user: UserId, game: Kind, now: Millis) -> sqlx::Result<Rating> {
        let standing = self.standing(user, game).await?;
        Ok(standing.map_or(Rating::NEW, |it| it.rating_at(now)))
    }

    async fn rated_lately(
        &mut self,
        players: [UserId; 2],
        game: Kind,
        now: Millis,
    ) -> sqlx::Result<i64> {
        sqlx::query_scalar(
            "select count(*)
             from match_players one
             join match_players two on two.match_id = one.match_id
             join matches on matches.id = one.match_id
             where one.user_id = $1 and one.finished_at > $2 and one.rating_after is not null
               and two.user_id = $3 and matches.game = $4",
        )
        .bind(players[0])
        .bind(now - DAY_MS)
        .bind(players[1])
        .bind(game.name())
        .fetch_one(self)
        .await
    }

    async fn settle_ratings(
        &mut self,
        players: [UserId; 2],
        game: Kind,
        score: Score,
        rated: bool,
        now: Millis,
    ) -> sqlx::Result<Option<[RatingChange; 2]>> {
        self.take_turns(&players).await?;
        let [mut one, mut two] = [
            self.standing(players[0], game).await?.unwrap_or_else(|| Standing::new(now)),
            self.standing(players[1], game).await?.unwrap_or_else(|| Standing::new(now)),
        ];
        one.count(score);
        two.count(score.reversed());
        let changes = if rated
            && self.rated_lately(players, game, now).await? < RATED_GAMES_MAX
        {
            let before = [one.rating_at(now), two.rating_at(now)];
            (one.rating, two.rating) = before[0].after(before[1], score);
            (one.rated_at, two.rated_at) = (now, now);
            Some([
                RatingChange { before: before[0], after: one.rating },
                RatingChange { before: before[1], after: two.rating },
            ])
        } else {
            None
        };
        self.keep_standing(players[0], game, &one).await?;
        self.keep_standing(players[1], game, &two).await?;
        Ok(changes)
    }

    async fn keep_standing(&mut self, user: UserId, game: Kind, it: &Standing) -> sqlx::Result<()> {
        sqlx::query(
            "insert into ratings (user_id, game, rating, deviation, volatility,
                                  wins, losses, draws, streak, best_streak, rated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (user_id, game) do update set
                 rating = excluded.rating, deviation = excluded.deviation,
                 volatility = excluded.volatility, wins = excluded.wins,
                 losses = excluded.losses, draws = excluded.draws, streak = excluded.streak,
                 best_streak = excluded.best_streak, rated_at = excluded.rated_at",
        )
        .bind(user)
        .bind(game.name())
        .bind(it.rating.rating)
        .bind(it.rating.deviation)
        .bind(it.rating.volatility)
        .bind(it.wins)
        .bind(it.losses)
        .bind(it.draws)
        .bind(it.streak)
        .bind(it.best_streak)
        .bind(it.rated_at)
        .execute(self)
        .await?;
        Ok(())
    }
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_turns_with_the_result() {
        let mut standing = Standing::new(0);
        let mut seen = Vec::new();
        for letter in "WWLLLWDWWW".chars() {
            standing.count(match letter {
                'W' => Score::Win,
                'L' => Score::Loss,
                _ => Score::Draw,
            });
            seen.push((standing.streak, standing.best_streak));
        }
        let expected =
            [(1, 1), (2, 2), (-1, 2), (-2, 2), (-3, 2), (1, 2), (0, 2), (1, 2), (2, 2), (3, 3)];
        assert_eq!(seen, expected);
        assert_eq!((standing.wins, standing.losses, standing.draws), (6, 3, 1));
    }
}

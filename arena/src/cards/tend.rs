//! What becomes of cards by themselves: time runs out, and scores change.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::rows::{COLUMNS, Row};
use crate::{Arena, Error, Result, Why, db::on, outbox::OutboxRows};

/// How often scores are looked at: twelve edits a minute leave a group room for what people do.
pub(crate) const TEND_EVERY: Duration = Duration::from_secs(5);
/// Cards that are tended in one pass.
const TENDED_MAX: i64 = 1000;

impl Arena {
    /// One pass over the cards: closes or starts those whose time is up, and has those shown whose
    /// score has changed.
    pub(crate) async fn tend_cards(self) -> Result<()> {
        let now = self.clock.now();
        let sql = format!(
            "select {COLUMNS} from cards where status = 'open' and expires_at <= $1
             order by expires_at limit $2"
        );
        let late: Vec<Row> = on!(self.db, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(now).bind(TENDED_MAX).fetch_all(pool).await
        })?;
        for row in late {
            // One that can't be dealt with holds up no other.
            if let Err(error) = self.time_is_up(&row).await {
                tracing::error!(card = %row.id, error = error.report(), "A card is not closed yet");
            }
        }
        let sql = format!("select {COLUMNS} from cards where status = 'playing' limit $1");
        let playing: Vec<Row> = on!(self.db, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(TENDED_MAX).fetch_all(pool).await
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
}

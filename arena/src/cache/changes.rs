//! What a transaction changes of what is kept, and how that is told.

use std::time::Duration;

use games::Kind;
use tokio::{runtime::Handle, time::sleep};

use super::Cached;
use crate::{Arena, MatchId, Result, UserId, db::on, ids::RoomId};

/// What was changed by a call that was given up may become true a moment later.
const AGAIN_AFTER: Duration = Duration::from_secs(3);

/// What a transaction changes of what is kept.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A match was settled.
    Match {
        id: MatchId,
        game: Kind,
        users: Vec<UserId>,
        /// Whether it may count in a chat.
        by_card: bool,
    },
    /// These are called otherwise, look otherwise, or have played other matches.
    People(Vec<UserId>),
    /// What was played in another chat counts in this one.
    Chat(i64),
}

/// Sees to it that a change is told: made before the commit, so that it is told also when the call
/// is given up.
pub(crate) struct Telling {
    arena: Arena,
    change: Option<Change>,
}

impl Telling {
    /// After the commit.
    pub(crate) async fn done(mut self) {
        if let Some(change) = &self.change {
            self.arena.forget_changed(change).await;
        }
        self.change = None;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let Some(change) = self.change.take() else { return };
        // Without a runtime everything is coming to its end.
        if Handle::try_current().is_err() {
            return;
        }
        let arena = self.arena.clone();
        self.arena.tasks.spawn(async move {
            arena.forget_changed(&change).await;
            arena.closing.run_until_cancelled(sleep(AGAIN_AFTER)).await;
            arena.forget_changed(&change).await;
        });
    }
}

impl Arena {
    /// To be called before the commit of a transaction that changes what is kept, and
    /// [done](Telling::done) after it.
    pub(crate) fn telling(&self, change: Change) -> Telling {
        Telling { arena: self.clone(), change: Some(change) }
    }

    async fn forget_changed(&self, change: &Change) {
        match self.changed_by(change).await {
            Ok(what) => self.cache.forget(&what).await,
            Err(error) => {
                let error = error.report();
                tracing::warn!(%error, "Not known what has changed: nothing is kept any more");
                self.cache.forget_all();
            }
        }
    }

    /// What shows something that has changed.
    async fn changed_by(&self, change: &Change) -> Result<Vec<Cached>> {
        match change {
            Change::Match { id, game, users, by_card } => {
                let mut what: Vec<_> = users.iter().map(|it| Cached::Stats(*it)).collect();
                what.push(Cached::Top(*game));
                if *by_card {
                    let chats: Vec<i64> = on!(self.db, pool => {
                        sqlx::query_scalar(
                            "select chat_id from cards
                             where match_id = $1 and chat_id is not null",
                        )
                        .bind(id)
                        .fetch_all(pool)
                        .await
                    })?;
                    what.extend(chats.into_iter().map(|chat| Cached::GroupTop(chat, *game)));
                }
                Ok(what)
            }
            Change::People(users) => {
                let mut what: Vec<_> = users.iter().map(|it| Cached::Stats(*it)).collect();
                what.extend(Kind::ALL.map(Cached::Top));
                for user in users {
                    what.extend(self.shown_in(*user).await?);
                }
                Ok(what)
            }
            Change::Chat(chat) => Ok(Kind::ALL.map(|game| Cached::GroupTop(*chat, game)).to_vec()),
        }
    }

    /// The rooms and the chats that show somebody.
    async fn shown_in(&self, user: UserId) -> Result<Vec<Cached>> {
        let (rooms, chats): (Vec<RoomId>, Vec<(i64, String)>) = on!(self.db, pool => {
            let rooms = sqlx::query_scalar(
                "select room_id from room_members where user_id = $1
                 union select room_id from room_scores where user_id = $1",
            )
            .bind(user)
            .fetch_all(pool)
            .await?;
            let chats = sqlx::query_as(
                "select distinct c.chat_id, c.game from match_players p
                 join cards c on c.match_id = p.match_id
                 where p.user_id = $1 and c.chat_id is not null",
            )
            .bind(user)
            .fetch_all(pool)
            .await?;
            (rooms, chats)
        });
        let chats = chats.into_iter().filter_map(|(chat, game)| {
            // A game that this version does not know is not kept by it either.
            Some(Cached::GroupTop(chat, game.parse().ok()?))
        });
        Ok(rooms.into_iter().map(Cached::Room).chain(chats).collect())
    }
}

//! Where friends are: away, here, or at a match.
//!
//! A process knows who has a page open with it and who plays in its matches. It looks now and then
//! and tells friends what has changed, so a page that is loaded again makes no noise.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Arena, MatchId, Result, UserId, computers, db::on, lobby::LobbyMessage};

/// How often it is looked who came and went.
pub(crate) const ANNOUNCE_EVERY: Duration = Duration::from_secs(2);
/// Looks in which somebody must not be seen until they are taken for gone: a page that is loaded
/// again, or that goes from the lobby to a match, is back by then.
const LOOKS_MAX: u8 = 3;

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Presence {
    /// Away.
    Offline,
    /// On some page.
    Online,
    /// At a match.
    Playing {
        /// Which.
        #[schema(value_type = String, example = "7Hq2Lk09aZc")]
        match_id: MatchId,
    },
}

/// A friend came, went or began to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceUpdate {
    /// Who.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub user_id: UserId,
    /// Where they are now.
    pub presence: Presence,
}

/// What was last told of those who are here.
#[derive(Default)]
pub(crate) struct Presences(Mutex<HashMap<UserId, Told>>);

struct Told {
    presence: Presence,
    /// In how many looks they were not seen since.
    unseen: u8,
}

impl Presences {
    /// Who has come, gone or begun something else, given all who are here now.
    fn changes(&self, here: &HashMap<UserId, Presence>) -> Vec<PresenceUpdate> {
        // Nothing below can panic halfway through a change.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Vec::new();
        for (&user_id, &presence) in here {
            let last = told.insert(user_id, Told { presence, unseen: 0 });
            if last.is_none_or(|it| it.presence != presence) {
                changes.push(PresenceUpdate { user_id, presence });
            }
        }
        told.retain(|&user_id, told| {
            told.unseen += u8::from(!here.contains_key(&user_id));
            let stays = told.unseen < LOOKS_MAX;
            if !stays {
                changes.push(PresenceUpdate { user_id, presence: Presence::Offline });
            }
            stays
        });
        changes
    }
}

impl Arena {
    /// Where somebody is who plays in the match `playing`, if in any.
    pub(crate) fn presence(&self, user: UserId, playing: Option<MatchId>) -> Presence {
        match playing {
            Some(match_id) => Presence::Playing { match_id },
            None if self.lobby.has(user) => Presence::Online,
            None => Presence::Offline,
        }
    }

    /// Tells friends who has come, gone or begun to play.
    pub(crate) async fn announce_presences(self) -> Result<()> {
        let mut here: HashMap<_, _> =
            self.lobby.people().into_iter().map(|it| (it, Presence::Online)).collect();
        for (user, match_id) in self.live.players() {
            if computers::level(user).is_none() {
                here.insert(user, Presence::Playing { match_id });
            }
        }
        for update in self.presences.changes(&here) {
            let friends: Vec<UserId> = on!(self.db, pool => {
                sqlx::query_scalar("select friend_id from friends where user_id = $1")
                    .bind(update.user_id)
                    .fetch_all(pool)
                    .await
            })?;
            for friend in friends {
                self.tell(friend, LobbyMessage::Presence(update.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_back_at_once_was_never_gone() {
        let presences = Presences::default();
        let (ann, online) = (UserId(7), Presence::Online);
        let here = HashMap::from([(ann, online)]);
        let nobody = HashMap::new();
        let update = |presence| vec![PresenceUpdate { user_id: ann, presence }];
        assert_eq!(presences.changes(&here), update(online));
        assert_eq!(presences.changes(&here), []);
        for _ in 0..2 {
            assert_eq!(presences.changes(&nobody), []);
        }
        let playing = Presence::Playing { match_id: MatchId(1) };
        assert_eq!(presences.changes(&HashMap::from([(ann, playing)])), update(playing));
        for _ in 0..2 {
            assert_eq!(presences.changes(&nobody), []);
        }
        assert_eq!(presences.changes(&nobody), update(Presence::Offline));
        assert_eq!(presences.changes(&nobody), []);
    }
}

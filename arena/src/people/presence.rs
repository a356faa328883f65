//! Where friends are: away, here, or at a match.
//!
//! A process knows who has a page open with it and who plays in its matches. It looks now and then
//! and tells friends what has changed, so a page that is loaded again makes no noise. What changed
//! here may not be all: whoever left a process may be on another, and is asked after there.

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
    /// Where people are, of whom some play in a match.
    pub(crate) async fn presence_of(
        &self,
        people: &[(UserId, Option<MatchId>)],
    ) -> Vec<(UserId, Presence)> {
        let idle: Vec<UserId> = people.iter().filter(|it| it.1.is_none()).map(|it| it.0).collect();
        let present = self.present(&idle).await;
        let presence = |user: UserId, playing: Option<MatchId>| match playing {
            Some(match_id) => Presence::Playing { match_id },
            None if present.contains(&user) => Presence::Online,
            None => Presence::Offline,
        };
        people.iter().map(|&(user, playing)| (user, presence(user, playing))).collect()
    }

    /// What has changed, given what has changed here.
    async fn changed_anywhere(&self, here: Vec<PresenceUpdate>) -> Result<Vec<PresenceUpdate>> {
        if here.is_empty() || !self.cluster.is_several() {
            return Ok(here);
        }
        let gone = here.iter().filter(|it| it.presence == Presence::Offline);
        self.say_gone(&gone.map(|it| it.user_id).collect::<Vec<_>>()).await;
        let mut people = Vec::with_capacity(here.len());
        for PresenceUpdate { user_id, presence } in here {
            let playing = match presence {
                Presence::Playing { match_id } => Some(match_id),
                Presence::Online | Presence::Offline => {
                    self.live_match_of(user_id).await?.map(|it| it.0)
                }
            };
            people.push((user_id, playing));
        }
        let now = self.presence_of(&people).await.into_iter();
        Ok(now.map(|(user_id, presence)| PresenceUpdate { user_id, presence }).collect())
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
        let changes = self.presences.changes(&here);
        for update in self.changed_anywhere(changes).await? {
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

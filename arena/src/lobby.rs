//! The lobby: who looks at the arena's pages, and how they hear what concerns them.
//!
//! A person may have several pages open; each has a chair. What is told to a person reaches all of
//! their chairs on this process, and over the bus those on others. A chair always hears the state
//! first, and never something older after something newer.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use games::Kind;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    Arena, Millis, Result, UserId,
    bus::{To, Word},
    people::{Notification, PresenceUpdate},
    queue::{Matched, QueueStatus},
    rooms::{RoomChat, RoomUpdate},
};

/// Pages that one person may have open; one more closes the oldest. More than a door lets in, so
/// that those which it is closing take nobody's place.
const CHAIRS_MAX: usize = 16;
/// Messages that wait for a slow page; one more closes it, and it finds the state when it is back.
const MESSAGES_MAX: usize = 32;
/// How often a joining chair looks again when news came while it looked.
const LOOKS_MAX: usize = 4;

/// What the lobby says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LobbyMessage {
    /// Your place in a queue, or that you are in none.
    QueueUpdate(QueueUpdate),
    /// You are in a match: go there.
    Matched(Matched),
    /// How your room is, or that you are in it no more.
    RoomUpdate(RoomUpdate),
    /// Something was said in your room.
    Chat(RoomChat),
    /// Something concerns you, whatever you look at.
    Notification(Notification),
    /// A friend came, went or began to play.
    Presence(PresenceUpdate),
}

/// Somebody's place in the queue of a game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueueUpdate {
    /// The game.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
    /// The place.
    #[serde(flatten)]
    pub place: Place,
}

/// Somebody's place in a queue, seen from the lobby.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Place {
    /// Not in it.
    Idle {
        /// How many wait.
        waiting: i64,
    },
    /// In it.
    Waiting {
        /// 1 for who has waited longest.
        position: i64,
        /// How many wait.
        waiting: i64,
        /// Since when.
        since: crate::Moment,
    },
}

impl LobbyMessage {
    pub(crate) fn of(game: Kind, status: QueueStatus) -> LobbyMessage {
        let place = match status {
            QueueStatus::Idle { waiting } => Place::Idle { waiting },
            QueueStatus::Waiting { position, waiting, since } => {
                Place::Waiting { position, waiting, since }
            }
            QueueStatus::Matched(matched) => return LobbyMessage::Matched(matched),
        };
        LobbyMessage::QueueUpdate(QueueUpdate { game, place })
    }

    /// Whether it tells what happened rather than how things are: twice is two things.
    fn is_news(&self) -> bool {
        matches!(self, LobbyMessage::Chat(_) | LobbyMessage::Notification(_))
    }

    /// Whether it says that its reader waits in the queue of `game`.
    fn waits_in(&self, game: Kind) -> bool {
        let LobbyMessage::QueueUpdate(update) = self else { return false };
        update.game == game && matches!(update.place, Place::Waiting { .. })
    }
}

/// One open page: what it hears comes out here. Dropping it leaves.
pub struct LobbyChair {
    arena: Arena,
    user: UserId,
    id: u64,
    messages: mpsc::Receiver<LobbyMessage>,
}

impl LobbyChair {
    /// The next message; `None` when the chair is gone, because a newer one of the same person
    /// took its place or because this one did not keep up.
    pub async fn recv(&mut self) -> Option<LobbyMessage> {
        self.messages.recv().await
    }
}

impl Drop for LobbyChair {
    fn drop(&mut self) {
        self.arena.lobby.vacate(self.user, self.id, self.arena.clock.now());
        self.arena.queue.stir();
    }
}

impl Arena {
    /// Takes a chair in the lobby. The first that it hears is how things are: the match that the
    /// person is in, else their place in a queue, else how many wait in each; then their room.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lobby_join(&self, by: UserId) -> Result<LobbyChair> {
        let (id, messages) = self.lobby.seat(by);
        let chair = LobbyChair { arena: self.clone(), user: by, id, messages };
        self.say_present(&[by]).await;
        self.keep_place(by).await?;
        self.keep_in_room(by).await?;
        for look in 1..=LOOKS_MAX {
            let mark = self.lobby.mark();
            let state = self.lobby_state(by).await?;
            let mark = if look < LOOKS_MAX { mark } else { u64::MAX };
            if self.lobby.open(by, id, mark, state) {
                break;
            }
        }
        Ok(chair)
    }

    /// Tells somebody, on every page that they have open, on whatever process.
    pub(crate) fn tell(&self, user: UserId, message: LobbyMessage) {
        self.tell_elsewhere(user, &message);
        self.lobby.deliver(user, message);
    }

    /// The same on the pages that they have open on other processes.
    pub(crate) fn tell_elsewhere(&self, user: UserId, message: &LobbyMessage) {
        self.bus.say(To::All, &Word::Lobby { user, message: Cow::Borrowed(message) });
    }

    /// Tells everybody here how things are for them: what was said may have been missed.
    pub(crate) async fn refresh_lobby(&self) -> Result<()> {
        for user in self.lobby.people() {
            let mark = self.lobby.mark();
            for message in self.lobby_state(user).await? {
                self.lobby.remind(user, mark, message);
            }
        }
        Ok(())
    }

    /// How things are for somebody, as a chair first hears it.
    pub(crate) async fn lobby_state(&self, user: UserId) -> Result<VecDeque<LobbyMessage>> {
        let mut state = VecDeque::new();
        for game in Kind::ALL {
            match self.whereabouts(user, game).await? {
                QueueStatus::Matched(matched) => {
                    state = VecDeque::from([LobbyMessage::Matched(matched)]);
                    break;
                }
                status @ QueueStatus::Waiting { .. } => {
                    state.push_front(LobbyMessage::of(game, status));
                }
                status @ QueueStatus::Idle { .. } => {
                    state.push_back(LobbyMessage::of(game, status))
                }
            }
        }
        if let Some(room) = self.room_of(user).await? {
            let (code, parting) = (room.code.clone(), None);
            let update = RoomUpdate { code, room: Some(Box::new(room)), parting };
            state.push_back(LobbyMessage::RoomUpdate(update));
        }
        Ok(state)
    }
}

/// The chairs of this process.
#[derive(Default)]
pub(crate) struct Lobby(Mutex<Hub>);

#[derive(Default)]
struct Hub {
    chairs: HashMap<UserId, Vec<Chair>>,
    /// Who closed their last page here, and when: the queue's next pass hears of it.
    left: HashMap<UserId, Millis>,
    last_id: u64,
    /// Counts what was told. What was read from the database after mark `m` is news only to chairs
    /// that have not been told anything since `m`.
    mark: u64,
}

struct Chair {
    id: u64,
    messages: mpsc::Sender<LobbyMessage>,
    /// Closed until it has been told the state.
    open: bool,
    /// The last that it was told, which need not be repeated …
    shown: Option<LobbyMessage>,
    /// … and when.
    told: u64,
}

impl Chair {
    /// False when it can't take more.
    fn tell(&mut self, mark: u64, message: &LobbyMessage) -> bool {
        self.told = mark;
        let repeats = self.shown.as_ref() == Some(message) && !message.is_news();
        if !self.open || repeats {
            return true;
        }
        self.shown = Some(message.clone());
        self.messages.try_send(message.clone()).is_ok()
    }
}

impl Lobby {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        // Nothing between lock and unlock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seat(&self, user: UserId) -> (u64, mpsc::Receiver<LobbyMessage>) {
        let (messages, heard) = mpsc::channel(MESSAGES_MAX);
        let mut hub = self.hub();
        hub.last_id += 1;
        let (id, told) = (hub.last_id, hub.mark);
        hub.left.remove(&user);
        let chairs = hub.chairs.entry(user).or_default();
        if chairs.len() == CHAIRS_MAX {
            chairs.remove(0);
        }
        chairs.push(Chair { id, messages, open: false, shown: None, told });
        (id, heard)
    }

    /// Opens a chair with the state that was read after `mark`; false when it was told something
    /// since, which the state may not know of.
    fn open(&self, user: UserId, id: u64, mark: u64, state: VecDeque<LobbyMessage>) -> bool {
        let mut hub = self.hub();
        let chairs = hub.chairs.get_mut(&user).map(Vec::as_mut_slice).unwrap_or_default();
        let Some(chair) = chairs.iter_mut().find(|it| it.id == id) else {
            return true;
        };
        if chair.told > mark {
            return false;
        }
        chair.open = true;
        let told = chair.told;
        for message in state {
            chair.tell(told, &message);
        }
        true
    }

    fn vacate(&self, user: UserId, id: u64, now: Millis) {
        let mut hub = self.hub();
        let Some(chairs) = hub.chairs.get_mut(&user) else {
            return;
        };
        chairs.retain(|it| it.id != id);
        if chairs.is_empty() {
            hub.chairs.remove(&user);
            hub.left.insert(user, now);
        }
    }

    /// The moment, in things told: to be read before the database is.
    pub(crate) fn mark(&self) -> u64 {
        self.hub().mark
    }

    /// Tells somebody what just happened.
    pub(crate) fn deliver(&self, user: UserId, message: LobbyMessage) {
        let mut hub = self.hub();
        hub.mark += 1;
        let mark = hub.mark;
        hub.tell(user, mark, &message, |_| true);
    }

    /// Tells somebody what was read after `mark`, unless they have heard of something newer.
    pub(crate) fn remind(&self, user: UserId, mark: u64, message: LobbyMessage) {
        self.hub().tell(user, mark, &message, |chair| chair.open && chair.told <= mark);
    }

    /// Everybody who has a page open here.
    pub(crate) fn people(&self) -> Vec<UserId> {
        self.hub().chairs.keys().copied().collect()
    }

    /// Whether somebody has a page open here.
    pub(crate) fn has(&self, user: UserId) -> bool {
        self.hub().chairs.contains_key(&user)
    }

    /// Whether nobody has a page open here.
    pub(crate) fn is_empty(&self) -> bool {
        self.hub().chairs.is_empty()
    }

    /// Everybody here whose page says that they wait in the queue of `game`.
    pub(crate) fn shown_waiting(&self, game: Kind) -> Vec<UserId> {
        let says_so = |chair: &Chair| chair.shown.as_ref().is_some_and(|it| it.waits_in(game));
        let hub = self.hub();
        let users = hub.chairs.iter().filter(|(_, chairs)| chairs.iter().any(says_so));
        users.map(|(&user, _)| user).collect()
    }

    /// Takes the list of those who closed their last page here.
    pub(crate) fn take_left(&self) -> HashMap<UserId, Millis> {
        std::mem::take(&mut self.hub().left)
    }

    /// Puts back what could not be dealt with, unless they have returned.
    pub(crate) fn put_back_left(&self, left: HashMap<UserId, Millis>) {
        let mut hub = self.hub();
        for (user, at) in left {
            if !hub.chairs.contains_key(&user) {
                hub.left.entry(user).or_insert(at);
            }
        }
    }
}

impl Hub {
    fn tell(
        &mut self,
        user: UserId,
        mark: u64,
        message: &LobbyMessage,
        to: impl Fn(&Chair) -> bool,
    ) {
        if let Some(chairs) = self.chairs.get_mut(&user) {
            chairs.retain_mut(|chair| !to(chair) || chair.tell(mark, message));
        }
    }
}

//! Chairs far from their matches. A socket may be in one process and its match in another: here is
//! what carries words between a chair at the match and the far chair that the socket has.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use games::Seat;
use live::{Chair, End, FarWord, Fed, far_chair};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::lock;
use crate::{
    Arena, MatchId, UserId,
    bus::{NotSeated, ProcessId, To, Word},
};

/// How long the process of a match may take to seat somebody.
const SEAT_WITHIN: Duration = Duration::from_millis(1_500);
/// Words of one far chair that may wait here for its match; more than it may say at once.
const WORDS_MAX: usize = 128;

/// The far chairs of this process, and the chairs here that those of others are for.
#[derive(Default)]
pub(crate) struct Relay(Mutex<Chairs>);

#[derive(Default)]
struct Chairs {
    last: u64,
    /// Ours that were asked for.
    asked: HashMap<u64, (ProcessId, oneshot::Sender<Result<Chair, NotSeated>>)>,
    /// Ours that are at a match there.
    far: HashMap<u64, (ProcessId, Fed)>,
    /// Theirs that are at a match here, by their process and its number for it.
    near: HashMap<(ProcessId, u64), mpsc::Sender<FarWord>>,
}

impl Relay {
    fn chairs(&self) -> MutexGuard<'_, Chairs> {
        lock(&self.0)
    }

    /// How many chairs of ours are at matches elsewhere, and of others' here.
    pub(crate) fn count(&self) -> [usize; 2] {
        let chairs = self.chairs();
        [chairs.far.len(), chairs.near.len()]
    }

    /// A process is gone, or words to or from it were lost: its chairs are taken away on both
    /// sides, and who sat there comes back.
    pub(crate) fn lose(&self, peer: ProcessId) {
        let mut chairs = self.chairs();
        chairs.asked.retain(|_, it| it.0 != peer);
        chairs.far.retain(|_, it| it.0 != peer);
        chairs.near.retain(|it, _| it.0 != peer);
    }

    /// The same for all.
    pub(crate) fn lose_all(&self) {
        let mut chairs = self.chairs();
        chairs.asked.clear();
        chairs.far.clear();
        chairs.near.clear();
    }

    /// A chair that was asked for is ready.
    pub(crate) fn seated(
        &self,
        arena: &Arena,
        peer: ProcessId,
        chair: u64,
        seat: Option<u8>,
        at: u64,
    ) {
        let mut chairs = self.chairs();
        let asked = chairs.asked.remove(&chair).filter(|it| it.0 == peer);
        let Some((_, reply)) = asked else {
            arena.bus.say(To::One(peer), &Word::Far { chair, word: FarWord::Left });
            return;
        };
        let (seated, mut words, fed) = far_chair(seat.map(Seat), at);
        chairs.far.insert(chair, (peer, fed));
        drop(chairs);
        let carrier = arena.clone();
        let carry = async move {
            loop {
                let word = words.next().await;
                let left = word == FarWord::Left;
                carrier.bus.say_surely(peer, &Word::Far { chair, word }).await;
                if left {
                    carrier.relay.chairs().far.remove(&chair);
                    return;
                }
            }
        };
        arena.tasks.spawn(arena.gone.clone().run_until_cancelled_owned(carry));
        // Who has stopped waiting drops it, and that is carried there.
        let _ = reply.send(Ok(seated));
    }

    pub(crate) fn not_seated(&self, peer: ProcessId, chair: u64, why: NotSeated) {
        let asked = self.chairs().asked.remove(&chair).filter(|it| it.0 == peer);
        if let Some((_, reply)) = asked {
            let _ = reply.send(Err(why));
        }
    }

    /// Lets a far chair hear something.
    pub(crate) fn feed(&self, peer: ProcessId, chair: u64, text: &str) {
        let chairs = self.chairs();
        if let Some((_, fed)) = chairs.far.get(&chair).filter(|it| it.0 == peer) {
            fed.feed(Bytes::copy_from_slice(text.as_bytes()));
        }
    }

    /// A far chair is taken away.
    pub(crate) fn ended(&self, peer: ProcessId, chair: u64, end: End) {
        let mut chairs = self.chairs();
        if chairs.far.get(&chair).is_some_and(|it| it.0 == peer)
            && let Some((_, fed)) = chairs.far.remove(&chair)
        {
            fed.end(end);
        }
    }

    /// Carries a word of a far chair to the one here that it is for.
    pub(crate) fn carry(&self, peer: ProcessId, chair: u64, word: FarWord) {
        let mut chairs = self.chairs();
        let Some(near) = chairs.near.get(&(peer, chair)) else { return };
        if near.try_send(word).is_err() {
            // Something is lost, so it can't go on.
            chairs.near.remove(&(peer, chair));
        }
    }
}

impl Arena {
    /// A chair at a match that another process runs.
    pub(crate) async fn sit_afar(
        &self,
        peer: ProcessId,
        id: MatchId,
        user: Option<UserId>,
        after: Option<u64>,
    ) -> Result<Chair, NotSeated> {
        let (reply, answer) = oneshot::channel();
        let chair = {
            let mut chairs = self.relay.chairs();
            chairs.last += 1;
            let chair = chairs.last;
            chairs.asked.insert(chair, (peer, reply));
            chair
        };
        let asked = self.bus.say(To::One(peer), &Word::Sit { chair, id: id.0, user, after });
        let answer = match asked {
            true => timeout(SEAT_WITHIN, answer).await.ok().and_then(Result::ok),
            false => None,
        };
        self.relay.chairs().asked.remove(&chair);
        answer.unwrap_or(Err(NotSeated::NotHere))
    }

    /// Somebody in another process wants to sit at a match here.
    pub(crate) fn seat_from_afar(
        &self,
        peer: ProcessId,
        chair: u64,
        id: MatchId,
        user: Option<UserId>,
        after: Option<u64>,
    ) {
        let (words, said) = mpsc::channel(WORDS_MAX);
        self.relay.chairs().near.insert((peer, chair), words);
        let arena = self.clone();
        self.tasks.spawn(self.gone.clone().run_until_cancelled_owned(async move {
            let word = match arena.sit_here(id, user, after).await {
                Ok(near) => {
                    let seat = near.seat().map(|it| it.0);
                    arena.bus.say_surely(peer, &Word::Seated { chair, seat, at: near.at() }).await;
                    let end = arena.serve_far_chair(peer, chair, near, said).await;
                    Word::Ended { chair, end }
                }
                Err(why) => Word::NotSeated { chair, why },
            };
            arena.bus.say_surely(peer, &word).await;
            arena.relay.chairs().near.remove(&(peer, chair));
        }));
    }

    /// A chair at a match that this process runs.
    async fn sit_here(
        &self,
        id: MatchId,
        user: Option<UserId>,
        after: Option<u64>,
    ) -> Result<Chair, NotSeated> {
        let (handle, users) = self.live.find(id).ok_or(NotSeated::NotHere)?;
        let seat = users.iter().position(|&it| Some(it) == user).map(|it| Seat(it as u8));
        let seated = handle.sit(seat, after).await.map_err(|_| NotSeated::NotHere)?;
        seated.map_err(|_| NotSeated::Full)
    }

    /// Carries words between a chair here and its far one until either is gone.
    async fn serve_far_chair(
        &self,
        peer: ProcessId,
        chair: u64,
        mut near: Chair,
        mut said: mpsc::Receiver<FarWord>,
    ) -> End {
        loop {
            tokio::select! {
                biased;
                heard = near.hear() => match heard {
                    Ok(text) => self.bus.feed(peer, chair, &text).await,
                    Err(end) => return end,
                },
                word = said.recv() => match word {
                    Some(FarWord::Says(message)) => near.say(message).await,
                    Some(FarWord::CaughtUp) => near.ask_for_view().await,
                    Some(FarWord::Measured(rtt)) => near.measured(rtt).await,
                    Some(FarWord::Left) | None => return End::Moved,
                },
            }
        }
    }
}

//! Chairs far from their matches. A socket may be in one process and its match in another: here is
//! what carries words between a chair at the match and the far chair that the socket has.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use games::Seat;
use live::{Chair, End, FarWord, Fed, Glance, far_chair};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::lock;
use crate::{
    Arena, Error, MatchId, UserId,
    bus::{NotSeated, ProcessId, To, Word},
    db::Db,
};

/// How long the process of a match may take to seat somebody.
const SEAT_WITHIN: Duration = Duration::from_millis(1_500);
/// How long another process may take to say how its matches stand.
const GLANCE_WITHIN: Duration = Duration::from_millis(300);
/// Words of one far chair that may wait here for its match; more than it may say at once.
const WORDS_MAX: usize = 128;

/// The far chairs of this process, and the chairs here that those of others are for.
#[derive(Default)]
pub(crate) struct Relay(Mutex<Chairs>);

/// Which process is asked, and who waits for its answer.
type Asked<T> = (ProcessId, oneshot::Sender<T>);

#[derive(Default)]
struct Chairs {
    last: u64,
    /// Questions how matches stand.
    questions: HashMap<u64, Asked<Vec<(i64, Glance)>>>,
    /// Ours that were asked for.
    asked: HashMap<u64, Asked<Result<Chair, NotSeated>>>,
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
        chairs.questions.retain(|_, it| it.0 != peer);
        chairs.asked.retain(|_, it| it.0 != peer);
        chairs.far.retain(|_, it| it.0 != peer);
        chairs.near.retain(|it, _| it.0 != peer);
    }

    /// The same for all.
    pub(crate) fn lose_all(&self) {
        let mut chairs = self.chairs();
        chairs.questions.clear();
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

    /// A question is answered.
    pub(crate) fn seen(&self, peer: ProcessId, question: u64, glances: Vec<(i64, Glance)>) {
        let asked = self.chairs().questions.remove(&question).filter(|it| it.0 == peer);
        if let Some((_, reply)) = asked {
            let _ = reply.send(glances);
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

    /// How matches stand that other processes run, as far as those answer at once.
    pub(crate) async fn glances(&self, ids: &[MatchId]) -> Result<HashMap<MatchId, Glance>, Error> {
        let (Db::Postgres(pool), true) = (&self.db, self.cluster.is_several() && !ids.is_empty())
        else {
            return Ok(HashMap::new());
        };
        let ids: Vec<i64> = ids.iter().map(|it| it.0).collect();
        let rows: Vec<(ProcessId, i64)> = sqlx::query_as(
            "select process, match_id from owners where match_id = any($1) and process <> $2",
        )
        .bind(ids)
        .bind(self.cluster.me)
        .fetch_all(pool)
        .await?;
        let mut by_process: HashMap<ProcessId, Vec<i64>> = HashMap::new();
        for (process, id) in rows.into_iter().filter(|it| self.cluster.lives(it.0)) {
            by_process.entry(process).or_default().push(id);
        }
        let asked = by_process.into_iter().map(|(peer, ids)| self.ask_glances(peer, ids));
        let answers = join_all(asked).await.into_iter().flatten();
        Ok(answers.map(|(id, glance)| (MatchId(id), glance)).collect())
    }

    async fn ask_glances(&self, peer: ProcessId, ids: Vec<i64>) -> Vec<(i64, Glance)> {
        let (reply, answer) = oneshot::channel();
        let question = {
            let mut chairs = self.relay.chairs();
            chairs.last += 1;
            let question = chairs.last;
            chairs.questions.insert(question, (peer, reply));
            question
        };
        self.bus.say(To::One(peer), &Word::Look { question, ids });
        let answer = timeout(GLANCE_WITHIN, answer).await;
        self.relay.chairs().questions.remove(&question);
        answer.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Answers how matches stand that run here.
    pub(crate) fn show_glances(&self, peer: ProcessId, question: u64, ids: Vec<i64>) {
        let holds = self.cluster.lease.holds();
        let glance = |id: i64| {
            let (handle, _) = self.live.find(MatchId(id)).filter(|_| holds)?;
            Some((id, handle.glance()))
        };
        let glances = ids.into_iter().filter_map(glance).collect();
        self.bus.say(To::One(peer), &Word::Seen { question, glances });
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

//! What the players, the one who stops their server, and the judge share.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::watch;

use crate::bench::rest::Rest;

/// What was told so long before a crash must be stored; a point, however shortly.
const LOST_MAX: Duration = Duration::from_millis(50);
/// What was told before a stop may be heard so long after it.
const HEARD_MAX: Duration = Duration::from_millis(300);

pub(crate) struct World {
    pub(crate) rest: Rest,
    /// Whether there are several processes: then a stop of one concerns only some matches.
    pub(crate) several: bool,
    began: Instant,
    stops: Mutex<Vec<Stop>>,
    mood: watch::Sender<Mood>,
    /// Players who are in a match that has begun.
    pub(crate) at_play: AtomicU64,
    over: AtomicU64,
    seen: Mutex<BTreeMap<String, Seen>>,
    /// How long players were away, by what happened.
    away: Mutex<BTreeMap<&'static str, Vec<Duration>>>,
    /// How much of matches went with their process.
    taken_back: Mutex<Vec<Duration>>,
    /// When services were cut off, and until when.
    cuts: Mutex<Vec<(Instant, Option<Instant>)>>,
    violations: Mutex<BTreeMap<&'static str, Vec<String>>>,
}

/// What players are asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mood {
    /// Grows when some of them should give up at once.
    pub(crate) bursts: u64,
    /// To play no more after this match, and not to draw that out.
    pub(crate) finish: bool,
}

/// A time when the server was stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// Just before it was.
    pub(crate) at: Instant,
    /// Just after it had ended; none until then.
    gone: Option<Instant>,
    /// Whether it could finish what it was doing.
    pub(crate) graceful: bool,
    /// In words.
    kind: &'static str,
}

impl Stop {
    /// Whether what was heard at `heard` must have been stored before this.
    pub(crate) fn spares(&self, heard: Instant) -> bool {
        self.graceful || heard + LOST_MAX <= self.at
    }
}

/// What players heard of a match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The messages `game_over`.
    pub(crate) overs: Vec<Value>,
    /// Points that can't be lost any more.
    pub(crate) scores: [i64; 2],
}

impl World {
    pub(crate) fn new(server: SocketAddr) -> World {
        World {
            rest: Rest::new(server),
            several: false,
            began: Instant::now(),
            stops: Mutex::default(),
            mood: watch::Sender::default(),
            at_play: AtomicU64::new(0),
            over: AtomicU64::new(0),
            seen: Mutex::default(),
            away: Mutex::default(),
            taken_back: Mutex::default(),
            cuts: Mutex::default(),
            violations: Mutex::default(),
        }
    }

    /// How long this has been going on, for the beginning of a line.
    pub(crate) fn clock(&self) -> String {
        format!("{:7.2} s", self.began.elapsed().as_secs_f64())
    }

    /// Matches in play, as far as their players know.
    pub(crate) fn live(&self) -> u64 {
        self.at_play.load(Relaxed) / 2
    }

    /// Matches that were played to their end, as far as their players know.
    pub(crate) fn ended(&self) -> u64 {
        self.over.load(Relaxed) / 2
    }

    pub(crate) fn mood(&self) -> watch::Receiver<Mood> {
        self.mood.subscribe()
    }

    /// Asks some players to give up now.
    pub(crate) fn resign_some(&self) {
        self.mood.send_modify(|mood| mood.bursts += 1);
    }

    /// Asks all players to end what they are playing, and to play no more.
    pub(crate) fn finish(&self) {
        self.mood.send_modify(|mood| mood.finish = true);
    }

    /// The server is about to be stopped; answers which stop that is.
    pub(crate) fn stop(&self, graceful: bool) -> usize {
        self.stop_of("a stop", graceful)
    }

    /// The same in words.
    pub(crate) fn stop_of(&self, kind: &'static str, graceful: bool) -> usize {
        let mut stops = lock(&self.stops);
        stops.push(Stop { at: Instant::now(), gone: None, graceful, kind });
        stops.len() - 1
    }

    /// The server has ended.
    pub(crate) fn stopped(&self, stop: usize) {
        lock(&self.stops)[stop].gone = Some(Instant::now());
    }

    /// The first stop that a connection of that time can't have outlived.
    pub(crate) fn stop_after(&self, opened: Instant) -> Option<Stop> {
        lock(&self.stops).iter().find(|stop| stop.gone.is_none_or(|gone| gone >= opened)).copied()
    }

    /// The stops that may have ended a connection of that time, over which something was last
    /// heard at `heard`: one that was heard for longer has outlived a stop, which was another
    /// process's.
    pub(crate) fn stops_that_ended(&self, opened: Instant, heard: Instant) -> Vec<Stop> {
        let ended =
            |it: &&Stop| it.gone.is_none_or(|gone| gone >= opened) && it.at + HEARD_MAX >= heard;
        lock(&self.stops).iter().filter(ended).copied().collect()
    }

    /// Through a proxy before several processes.
    pub(crate) fn of_several(proxy: SocketAddr) -> World {
        World { several: true, ..World::new(proxy) }
    }

    /// A service is cut off, or there again.
    pub(crate) fn cut(&self, off: bool) {
        let mut cuts = lock(&self.cuts);
        match cuts.last_mut() {
            Some((_, until @ None)) if !off => *until = Some(Instant::now()),
            _ => cuts.push((Instant::now(), None)),
        }
    }

    /// Whether a service was away at some time after `heard`.
    pub(crate) fn cut_since(&self, heard: Instant) -> bool {
        lock(&self.cuts).iter().any(|&(_, until)| until.is_none_or(|it| it >= heard))
    }

    /// Somebody who last heard of their match at `heard` hears of it again. That they were away
    /// was for the last stop between, unless a service was cut off too.
    pub(crate) fn back(&self, heard: Instant) {
        if self.cut_since(heard) {
            return;
        }
        let stops = lock(&self.stops);
        if let Some(stop) = stops.iter().rfind(|it| it.at + HEARD_MAX >= heard) {
            let (kind, away) = (stop.kind, stop.at.elapsed());
            lock(&self.away).entry(kind).or_default().push(away);
        }
    }

    /// So much that a player was told of a match went with its process.
    pub(crate) fn took_back(&self, time: Duration) {
        lock(&self.taken_back).push(time);
    }

    pub(crate) fn taken_back(&self) -> Vec<Duration> {
        lock(&self.taken_back).clone()
    }

    pub(crate) fn away(&self) -> BTreeMap<&'static str, Vec<Duration>> {
        lock(&self.away).clone()
    }

    /// A rule does not hold.
    pub(crate) fn broken(&self, rule: &'static str, example: String) {
        lock(&self.violations).entry(rule).or_default().push(example);
    }

    pub(crate) fn violations(&self) -> BTreeMap<&'static str, Vec<String>> {
        lock(&self.violations).clone()
    }

    /// Notes that somebody is in a match.
    pub(crate) fn sees(&self, match_id: &str) {
        self.note(match_id, |_| {});
    }

    /// Notes points that can't be lost any more.
    pub(crate) fn scored(&self, match_id: &str, scores: [i64; 2]) {
        self.note(match_id, |seen| {
            for (most, score) in seen.scores.iter_mut().zip(scores) {
                *most = score.max(*most);
            }
        });
    }

    /// Notes what the end of a match was said to be.
    pub(crate) fn hears_of_end(&self, match_id: &str, over: Value) {
        self.over.fetch_add(1, Relaxed);
        self.note(match_id, |seen| seen.overs.push(over));
    }

    pub(crate) fn seen(&self) -> BTreeMap<String, Seen> {
        lock(&self.seen).clone()
    }

    fn note(&self, match_id: &str, note: impl FnOnce(&mut Seen)) {
        note(lock(&self.seen).entry(match_id.to_owned()).or_default());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_may_take_the_last_moments_and_a_deploy_nothing() {
        let at = Instant::now() + Duration::from_secs(1);
        let [old, new] = [51, 49].map(|ms| at - Duration::from_millis(ms));
        let crash = Stop { at, gone: None, graceful: false, kind: "a stop" };
        assert!(crash.spares(old) && !crash.spares(new));
        assert!(Stop { graceful: true, ..crash }.spares(new));
    }

    #[test]
    fn a_connection_has_outlived_the_stops_of_others() {
        let world = World::of_several(([127, 0, 0, 1], 0).into());
        let opened = Instant::now();
        let drained = world.stop(true);
        world.stopped(drained);
        let soon = Instant::now() + HEARD_MAX / 2;
        assert_eq!(world.stops_that_ended(opened, soon).len(), 1);
        let late = Instant::now() + 2 * HEARD_MAX;
        assert!(world.stops_that_ended(opened, late).is_empty());
    }

    #[test]
    fn a_connection_ends_at_the_first_stop_after_it() {
        let world = World::new(([127, 0, 0, 1], 0).into());
        let before = Instant::now();
        assert!(world.stop_after(before).is_none());
        let first = world.stop(false);
        assert!(world.stop_after(Instant::now()).is_some(), "it is still being stopped");
        world.stopped(first);
        std::thread::sleep(Duration::from_millis(1));
        let between = Instant::now();
        assert!(world.stop_after(between).is_none());
        world.stop(true);
        assert!(world.stop_after(between).is_some_and(|stop| stop.graceful));
        assert!(world.stop_after(before).is_some_and(|stop| !stop.graceful));
    }
}

//! Who is silent: each process's beats, as they are seen in Redis and in PostgreSQL.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{Millis, bus::ProcessId};

/// What was seen of the other processes.
#[derive(Default)]
pub(super) struct Watch(HashMap<ProcessId, Seen>);

#[derive(Default)]
struct Seen {
    redis: Option<Track>,
    sql: Option<Track>,
    /// By its own clock.
    started_at: Option<Millis>,
}

/// A beat that has not changed.
#[derive(Clone, Copy, Debug)]
struct Track {
    /// None where the process is not listed.
    beat: Option<i64>,
    /// When the first answer came that had it: it was there no later.
    since: Instant,
    /// When the last was asked for that still had it: there was no other by then.
    until: Instant,
}

/// A look at all beats in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) beats: &'a HashMap<ProcessId, i64>,
    pub(super) asked: Instant,
    pub(super) answered: Instant,
}

impl Watch {
    pub(super) fn look_at_redis(&mut self, look: Look<'_>) {
        self.look(look, |it| &mut it.redis);
    }

    pub(super) fn look_at_sql(&mut self, look: Look<'_>) {
        self.look(look, |it| &mut it.sql);
        // Who is listed in neither place is of no interest any more.
        self.0.retain(|_, it| {
            let listed = |it: &Option<Track>| it.is_some_and(|it| it.beat.is_some());
            listed(&it.sql) || listed(&it.redis)
        });
    }

    fn look(&mut self, look: Look<'_>, track: impl Fn(&mut Seen) -> &mut Option<Track>) {
        for &process in look.beats.keys() {
            self.0.entry(process).or_default();
        }
        for (process, seen) in &mut self.0 {
            let beat = look.beats.get(process).copied();
            let track = track(seen);
            match track {
                Some(it) if it.beat == beat => it.until = look.asked,
                _ => *track = Some(Track { beat, since: look.answered, until: look.asked }),
            }
        }
    }

    /// A process says in SQL when it started.
    pub(super) fn started(&mut self, process: ProcessId, at: Millis) {
        self.0.entry(process).or_default().started_at = Some(at);
    }

    /// Of those who are not silent whoever started first.
    pub(super) fn eldest(&self, span: Duration) -> Option<ProcessId> {
        let silent = self.silent(span);
        let lives = |id: ProcessId| silent.iter().all(|it| it.0 != id);
        let started = self.0.iter().filter_map(|(&id, it)| Some((it.started_at?, id)));
        started.filter(|it| lives(it.1)).min().map(|it| it.1)
    }

    /// All processes that are listed somewhere.
    pub(super) fn listed(&self) -> impl Iterator<Item = ProcessId> {
        self.0.keys().copied()
    }

    /// Whether a process is listed anywhere.
    pub(super) fn knows(&self, process: ProcessId) -> bool {
        self.0.contains_key(&process)
    }

    /// Those who beat in neither place throughout the same `span`, with their last beat in SQL:
    /// whoever takes over from them makes sure that it is still the last.
    ///
    /// A lease that a beat gave lapses within less than `span`. So at the end of it they had none,
    /// and will ask SQL before they take themselves for the owner of anything again.
    pub(super) fn silent(&self, span: Duration) -> Vec<(ProcessId, Option<i64>)> {
        let silent = |it: &Seen| {
            let to = it.redis?.until.min(it.sql?.until);
            (to >= it.unchanged_since()? + span).then_some(it.sql?.beat)
        };
        self.0.iter().filter_map(|(&id, it)| Some((id, silent(it)?))).collect()
    }

    /// When looks that are asked for then may first show one more to be silent: the next such time
    /// after `asked`.
    pub(super) fn due(&self, span: Duration, asked: Instant) -> Option<Instant> {
        let ends = self.0.values().filter_map(|it| Some(it.unchanged_since()? + span));
        ends.filter(|&it| it > asked).min()
    }
}

impl Seen {
    /// Since when no beat was seen in either place.
    fn unchanged_since(&self) -> Option<Instant> {
        Some(self.redis?.since.max(self.sql?.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_millis(1_600);

    /// Looks at one process: `(where, asked, answered, beat)`, in ms; who is silent at the end.
    #[track_caller]
    fn check(looks: &[(&str, u64, u64, Option<i64>)], expected: Option<Option<i64>>) {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let mut watch = Watch::default();
        for &(place, asked, answered, beat) in looks {
            let beats: HashMap<_, _> = beat.map(|it| (7, it)).into_iter().collect();
            let look = Look { beats: &beats, asked: at(asked), answered: at(answered) };
            match place {
                "redis" => watch.look_at_redis(look),
                _ => watch.look_at_sql(look),
            }
        }
        assert_eq!(watch.silent(SPAN).first().map(|it| it.1), expected);
    }

    #[test]
    fn silence_is_the_same_beat_in_both_places_for_long_enough() {
        let (redis, sql) = ("redis", "sql");
        let first = [(redis, 0, 10, Some(1)), (sql, 0, 20, Some(5))];
        check(&first, None);
        let also = |more: &[_]| [&first[..], more].concat();
        check(&also(&[(redis, 1620, 1621, Some(1)), (sql, 1620, 1621, Some(5))]), Some(Some(5)));
        // Only what was asked for late enough says so.
        check(&also(&[(redis, 1619, 1700, Some(1)), (sql, 1700, 1701, Some(5))]), None);
        // In one place only.
        check(&also(&[(redis, 5000, 5001, Some(1))]), None);
        check(&also(&[(redis, 1620, 1621, Some(2)), (sql, 1620, 1621, Some(5))]), None);
        check(&also(&[(redis, 1620, 1621, Some(1)), (sql, 1620, 1621, Some(6))]), None);
    }

    #[test]
    fn a_look_is_due_when_it_may_show_a_silence() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let mut watch = Watch::default();
        let beats = HashMap::from([(7, 1)]);
        let look = |from, to| Look { beats: &beats, asked: at(from), answered: at(to) };
        watch.look_at_redis(look(0, 10));
        assert_eq!(watch.due(SPAN, at(0)), None, "nobody has looked at the other place");
        watch.look_at_sql(look(0, 20));
        assert_eq!(watch.due(SPAN, at(0)), Some(at(1620)));
        assert_eq!(watch.due(SPAN, at(1620)), None, "that look is asked for");
        watch.look_at_redis(Look { beats: &HashMap::from([(7, 2)]), ..look(200, 201) });
        assert_eq!(watch.due(SPAN, at(200)), Some(at(1801)));
    }

    #[test]
    fn a_redis_that_forgot_everything_is_watched_anew() {
        let looks = [
            ("sql", 0, 1, Some(5)),
            ("redis", 0, 1, Some(1)),
            ("redis", 1000, 1001, None),
            ("sql", 2000, 2001, Some(5)),
            ("redis", 2000, 2001, None),
        ];
        check(&looks, None);
        let more = [("sql", 2601, 2602, Some(5)), ("redis", 2601, 2602, None)];
        check(&[&looks[..], &more].concat(), Some(Some(5)));
    }
}

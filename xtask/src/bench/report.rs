//! What a run comes to.

use std::{
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use anyhow::Result;

use super::{
    server::{CpuTime, ticks_per_second},
    tally::{Samples, Tally, Traffic},
};

/// How late the slowest in a hundred may be, in ms.
const P99_MAX: f64 = 20.0;
/// How many of the matches must be in play at any time; the others are between two matches.
const LIVE_MIN: f64 = 0.95;

const HEAD: [&str; 2] = [
    "| matches | in play | server CPU | players CPU | others CPU | memory a match | heard a client \
     | said a client | action → opponent p50 / p99 | events late p50 / p99 | ends/s | holds |",
    "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
];
/// More columns, where a match is watched: then those above are of the others.
const HEAD_WATCHED: [&str; 2] =
    [" watchers | heard a watcher | watched action → opponent p50 / p99 |", "--:|--:|--:|"];

/// The table's first lines, in Markdown.
pub(crate) fn head(watched: bool) -> String {
    let [[names, sides], [more_names, more_sides]] = [HEAD, HEAD_WATCHED];
    match watched {
        true => format!("{names}{more_names}\n{sides}{more_sides}"),
        false => format!("{names}\n{sides}"),
    }
}

/// Percent of one core.
pub(crate) struct Cpu {
    server: f64,
    players: f64,
    /// All other programs, on both cores.
    others: f64,
}

impl Cpu {
    pub(crate) fn between(before: CpuTime, after: CpuTime, seconds: f64) -> Result<Cpu> {
        let ticks = ticks_per_second()? * seconds;
        let percent = |before: u64, after: u64| after.saturating_sub(before) as f64 / ticks * 100.0;
        let server = percent(before.server, after.server);
        let players = percent(before.players, after.players);
        let machine = percent(before.machine, after.machine);
        Ok(Cpu { server, players, others: (machine - server - players).max(0.0) })
    }
}

/// One run.
pub(crate) struct Report {
    matches: usize,
    /// Matches in play: on average, and at least.
    live: f64,
    live_min: u64,
    cpu: Cpu,
    kib_per_match: f64,
    heard: Rate,
    said: Rate,
    latency: Samples,
    lateness: Samples,
    watched: Option<Watched>,
    ends: f64,
    unheard: u64,
    faults: BTreeMap<String, u64>,
}

/// The match that is watched.
struct Watched {
    /// How many watch it, on average.
    watchers: f64,
    heard: Rate,
    latency: Samples,
}

/// What goes one way between a client and the server, each second.
struct Rate {
    messages: f64,
    bytes: f64,
}

impl Report {
    pub(crate) fn new(
        matches: usize,
        live: &[u64],
        watching: &[u64],
        seconds: f64,
        cpu: Cpu,
        kib: u64,
        tally: &Tally,
    ) -> Report {
        let rate = |traffic: &Traffic, clients: f64| {
            let each = |count: &AtomicU64| count.load(Relaxed) as f64 / seconds / clients;
            Rate { messages: each(&traffic.messages), bytes: each(&traffic.bytes) }
        };
        let average = |counts: &[u64]| counts.iter().sum::<u64>() as f64 / counts.len() as f64;
        let players = (2 * matches) as f64;
        let watched = (!watching.is_empty()).then(|| {
            let watchers = average(watching);
            let heard = rate(&tally.watched, watchers);
            Watched { watchers, heard, latency: tally.watched_latency() }
        });
        let (latency, lateness) = tally.samples();
        Report {
            matches,
            live: average(live),
            live_min: live.iter().copied().min().unwrap_or_default(),
            cpu,
            kib_per_match: kib as f64 / matches as f64,
            heard: rate(&tally.heard, players),
            said: rate(&tally.said, players),
            latency,
            lateness,
            watched,
            ends: tally.ended.load(Relaxed) as f64 / seconds,
            unheard: tally.unheard.load(Relaxed),
            faults: tally.faults(),
        }
    }

    /// Whether the server kept up: nothing was lost, and nothing came late.
    pub(crate) fn holds(&self) -> bool {
        self.faults.is_empty()
            && self.live_min as f64 >= LIVE_MIN * self.matches as f64
            && self.latency.quantile(0.99) < P99_MAX
            && self.lateness.quantile(0.99) < P99_MAX
            && self.watched.as_ref().is_none_or(|it| it.latency.quantile(0.99) < P99_MAX)
    }

    /// Why it doesn't hold, as far as a number in the table doesn't say it.
    pub(crate) fn complaints(&self) -> String {
        let mut text = format!("{} of {} matches in play at least\n", self.live_min, self.matches);
        if self.unheard > 0 {
            text += &format!("{} moves were never heard of by the opponent\n", self.unheard);
        }
        for (fault, times) in &self.faults {
            text += &format!("{times} × {fault}\n");
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cpu { server, players, others } = self.cpu;
        write!(formatter, "| {} | {:.0} ", self.matches, self.live)?;
        write!(formatter, "| {server:.0} % | {players:.0} % | {others:.0} % ")?;
        write!(formatter, "| {:.1} KiB | {} | {} ", self.kib_per_match, self.heard, self.said)?;
        write!(formatter, "| {} | {} ", self.latency, self.lateness)?;
        let holds = if self.holds() { "yes" } else { "no" };
        write!(formatter, "| {:.0} | {holds} |", self.ends)?;
        if let Some(Watched { watchers, heard, latency }) = &self.watched {
            write!(formatter, " {watchers:.0} | {heard} | {latency} |")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1}/s, {:.0} B/s", self.messages, self.bytes)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1} / {:.1} ms", self.quantile(0.5), self.quantile(0.99))
    }
}

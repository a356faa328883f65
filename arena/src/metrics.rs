//! What is counted of the arena. The metrics are of the process, and so one set serves it.

use std::{fmt, sync::LazyLock, time::Instant};

use games::Kind;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        MetricType,
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use crate::{Arena, cache};

/// Upper ends of the times that databases take, in seconds.
const ANSWERS: [f64; 11] = [2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 3.0];
/// Upper ends of the times that people wait, in seconds.
const WAITS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0];

/// How a match may end, as labels say it.
const ENDINGS: [&str; 3] = ["played", "called_off", "broken"];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What is counted.
pub(crate) struct Metrics {
    live: Family<GameLabel, Gauge>,
    settled: Family<SettledLabels, Counter>,
    waiting: Family<GameLabel, Gauge>,
    waited: Histograms<GameLabel>,
    /// From something's happening to its being in the journal: the oldest line of each group.
    pub(crate) journal_lag: Histogram,
    sql: Histograms<PartLabel>,
    redis: Histograms<CommandLabel>,
    cache: Family<CacheLabels, Counter>,
    /// Matches that were taken over from other processes.
    pub(crate) takeovers: Counter,
    words: Family<WayLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GameLabel {
    game: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SettledLabels {
    game: &'static str,
    ending: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartLabel {
    part: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabel {
    command: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabel {
    way: &'static str,
}

/// The process's own.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let answers = || Histogram::new(ANSWERS);
    Metrics {
        live: Family::default(),
        settled: Family::default(),
        waiting: Family::default(),
        waited: Family::new_with_constructor(|| Histogram::new(WAITS)),
        journal_lag: Histogram::new(ANSWERS),
        sql: Family::new_with_constructor(answers),
        redis: Family::new_with_constructor(answers),
        cache: Family::default(),
        takeovers: Counter::default(),
        words: Family::default(),
    }
});

/// Counts the time until it is dropped, also when what it times fails or is given up.
pub(crate) struct Timer {
    histogram: Histogram,
    since: Instant,
}

impl Timer {
    fn new(histogram: Histogram) -> Timer {
        Timer { histogram, since: Instant::now() }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.histogram.observe(self.since.elapsed().as_secs_f64());
    }
}

/// Times work in the database, of the part of the arena that a module's path names.
pub(crate) fn sql(module: &'static str) -> Timer {
    let part = module.strip_prefix("arena::").unwrap_or(module);
    Timer::new(METRICS.sql.get_or_create(&PartLabel { part }).clone())
}

/// Times a command to Redis.
pub(crate) fn redis(command: &'static str) -> Timer {
    Timer::new(METRICS.redis.get_or_create(&CommandLabel { command }).clone())
}

/// One live match, counted for as long as this lives.
pub(crate) struct LiveMatch(Gauge);

impl LiveMatch {
    pub(crate) fn new(game: Kind) -> LiveMatch {
        let gauge = METRICS.live.get_or_create(&GameLabel { game: game.name() }).clone();
        gauge.inc();
        LiveMatch(gauge)
    }
}

impl Drop for LiveMatch {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// A match was settled.
    pub(crate) fn settled(&self, game: Kind, ending: &'static str) {
        let labels = SettledLabels { game: game.name(), ending };
        self.settled.get_or_create(&labels).inc();
    }

    /// So many words were said to other processes.
    pub(crate) fn words_sent(&self, count: usize) {
        self.words.get_or_create(&WayLabel { way: "sent" }).inc_by(count as u64);
    }

    /// So many words of other processes were heard.
    pub(crate) fn words_heard(&self, count: usize) {
        self.words.get_or_create(&WayLabel { way: "heard" }).inc_by(count as u64);
    }

    /// So many wait for a game, in the whole arena.
    pub(crate) fn waiting(&self, game: Kind, count: i64) {
        self.waiting.get_or_create(&GameLabel { game: game.name() }).set(count);
    }

    /// Something that may be cached was asked for, and was there or not.
    pub(crate) fn cache(&self, cache: &'static str, hit: bool) {
        let outcome = if hit { "hit" } else { "miss" };
        self.cache.get_or_create(&CacheLabels { cache, outcome }).inc();
    }

    /// Somebody waited so many milliseconds for a match.
    pub(crate) fn waited(&self, game: Kind, millis: i64) {
        let histogram = self.waited.get_or_create(&GameLabel { game: game.name() });
        histogram.observe(millis.max(0) as f64 / 1000.0);
    }
}

impl Arena {
    /// Adds what is counted of this arena and of its live matches.
    pub fn register_metrics(&self, registry: &mut Registry) {
        live::register_metrics(registry);
        let metrics = &*METRICS;
        let Metrics { live, settled, waiting, waited, journal_lag, sql, redis, cache, .. } =
            metrics;
        // There from the start, also where nobody plays: a graph needs its zeros.
        for game in Kind::ALL.map(Kind::name) {
            drop(live.get_or_create(&GameLabel { game }));
            drop(waiting.get_or_create(&GameLabel { game }));
            drop(waited.get_or_create(&GameLabel { game }));
            for ending in ENDINGS {
                drop(settled.get_or_create(&SettledLabels { game, ending }));
            }
        }
        drop(redis.get_or_create(&CommandLabel { command: "ping" }));
        for cache_name in cache::NAMES {
            for outcome in ["hit", "miss"] {
                drop(cache.get_or_create(&CacheLabels { cache: cache_name, outcome }));
            }
        }
        registry.register("live_matches", "Live matches of this process", live.clone());
        registry.register("settled_matches", "Matches that this process settled", settled.clone());
        registry.register("queue_length", "Who waits for an opponent, anywhere", waiting.clone());
        registry.register_with_unit(
            "queue_wait",
            "How long people waited for a match that this process made",
            Unit::Seconds,
            waited.clone(),
        );
        registry.register_with_unit(
            "journal_lag",
            "From something's happening in a match to its being written down",
            Unit::Seconds,
            journal_lag.clone(),
        );
        registry.register_with_unit(
            "sql_duration",
            "Work in the database, the wait for a connection included",
            Unit::Seconds,
            sql.clone(),
        );
        registry.register_with_unit(
            "redis_duration",
            "Commands to Redis",
            Unit::Seconds,
            redis.clone(),
        );
        registry.register("cache_requests", "What may be cached, asked for", cache.clone());
        metrics.words_sent(0);
        metrics.words_heard(0);
        registry.register(
            "takeovers",
            "Matches that this process took over from others",
            metrics.takeovers.clone(),
        );
        registry.register(
            "bus_words",
            "What this process said to others, and heard of them",
            metrics.words.clone(),
        );
        registry.register_collector(Box::new(Now(self.clone())));
    }
}

/// What is looked up when somebody asks.
struct Now(Arena);

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let journal = &self.0.journal;
        let lines = journal.max_capacity() - journal.capacity();
        let connections = self.0.db.connections();
        let [far, near] = self.0.relay.count();
        let [open, idle, max] = [connections.open, connections.idle, connections.max];
        for (name, help, value) in [
            ("journal_waiting_lines", "Lines that wait for the journal's writer", lines as u64),
            ("far_sockets", "Sockets here of matches that run elsewhere", far as u64),
            ("far_chairs", "Chairs here of sockets that are elsewhere", near as u64),
            ("sql_connections", "Open connections to the database", open.into()),
            ("sql_connections_idle", "Those of them that nobody uses", idle.into()),
            ("sql_connections_max", "As many may be open", max.into()),
        ] {
            let metric = ConstGauge::new(value);
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            metric.encode(gauge)?;
        }
        Ok(())
    }
}

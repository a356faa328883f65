//! What is counted of the bot. The metrics are of the process, and so one set serves it.

use std::{sync::LazyLock, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::updates::Event;

/// Upper ends of how long messages wait for their turn, in seconds.
const WAITS: [f64; 9] = [0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0];

/// What is counted.
pub(crate) struct Metrics {
    updates: Family<KindLabel, Counter>,
    sent: Family<OutcomeLabel, Counter>,
    throttled: Counter,
    waited: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// The process's own.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    updates: Family::default(),
    sent: Family::default(),
    throttled: Counter::default(),
    waited: Histogram::new(WAITS),
});

/// What Telegram may bring.
const KINDS: [&str; 5] =
    ["message", "callback_query", "inline_query", "chosen_inline_result", "my_chat_member"];
/// What may become of what is sent.
const OUTCOMES: [&str; 6] = ["done", "later", "refused", "quiet", "lost", "moved"];

impl Metrics {
    /// Something happened in Telegram.
    pub(crate) fn update(&self, event: &Event) {
        let kind = match event {
            Event::Message(_) => "message",
            Event::CallbackQuery(_) => "callback_query",
            Event::InlineQuery(_) => "inline_query",
            Event::ChosenInlineResult(_) => "chosen_inline_result",
            Event::MyChatMember(_) => "my_chat_member",
        };
        self.updates.get_or_create(&KindLabel { kind }).inc();
    }

    /// What became of a message or an edit.
    pub(crate) fn sent(&self, outcome: &'static str) {
        self.sent.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Telegram asked for a pause.
    pub(crate) fn throttled(&self) {
        self.throttled.inc();
    }

    /// A message had to wait for its turn.
    pub(crate) fn waited(&self, time: Duration) {
        self.waited.observe(time.as_secs_f64());
    }
}

/// Adds what is counted of the bot.
pub fn register_metrics(registry: &mut Registry) {
    let Metrics { updates, sent, throttled, waited } = &*METRICS;
    // There from the start, since a graph needs its zeros.
    for kind in KINDS {
        drop(updates.get_or_create(&KindLabel { kind }));
    }
    for outcome in OUTCOMES {
        drop(sent.get_or_create(&OutcomeLabel { outcome }));
    }
    registry.register("bot_updates", "Updates that came from Telegram", updates.clone());
    registry.register("bot_sent", "Messages and edits, by what became of them", sent.clone());
    registry.register("bot_throttled", "How often Telegram asked for a pause", throttled.clone());
    registry.register_with_unit(
        "bot_wait",
        "How long messages and edits waited for their turn",
        Unit::Seconds,
        waited.clone(),
    );
}

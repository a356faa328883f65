//! What is counted of live matches.

use std::sync::LazyLock;

use games::Pace;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Upper ends, in seconds: most actions are answered in well under a millisecond.
const LATENCIES: [f64; 12] =
    [5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PaceLabel {
    pace: &'static str,
}

/// One for the process, like the metrics themselves.
static ACTION_TO_UPDATE: LazyLock<Family<PaceLabel, Histogram, fn() -> Histogram>> =
    LazyLock::new(|| Family::new_with_constructor(|| Histogram::new(LATENCIES)));

/// How long actions wait, at games of this pace, from their arrival until what came of them is with
/// everybody's sockets. Each match keeps it, so that counting needs no search.
pub(crate) fn action_to_update(pace: Pace) -> Histogram {
    let pace = match pace {
        Pace::TellFirst => "tell_first",
        Pace::WriteFirst => "write_first",
    };
    ACTION_TO_UPDATE.get_or_create(&PaceLabel { pace }).clone()
}

/// Adds what is counted of live matches.
pub fn register_metrics(registry: &mut Registry) {
    for pace in [Pace::TellFirst, Pace::WriteFirst] {
        // There from the start, since a graph needs its zeros.
        action_to_update(pace);
    }
    registry.register_with_unit(
        "action_to_update",
        "From an action's arrival until what came of it is with everybody's sockets",
        Unit::Seconds,
        ACTION_TO_UPDATE.clone(),
    );
}

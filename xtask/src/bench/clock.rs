//! The match's clock, as its players can know it.

/// When a match began by our clock, narrowed down by all that the server says of its own: no
/// message arrives before it was sent, and none answers a ping before the ping.
#[derive(Debug)]
pub(crate) struct MatchClock {
    earliest: f64,
    latest: f64,
}

impl MatchClock {
    pub(crate) fn new() -> MatchClock {
        MatchClock { earliest: f64::NEG_INFINITY, latest: f64::INFINITY }
    }

    /// A message that was sent at or after `at` by the match's clock came at `now` by ours.
    pub(crate) fn hear(&mut self, at: f64, now: f64) {
        self.latest = self.latest.min(now - at);
    }

    /// A ping that left at `sent` was answered when the match's clock showed `at`, in whole ms.
    pub(crate) fn answered(&mut self, at: f64, sent: f64) {
        self.earliest = self.earliest.max(sent - at - 1.0);
    }

    /// The match's time at `now`. Good to half a ms where the answers came at once; where they
    /// were slow it is rather too late, so that we don't flatter the server.
    pub(crate) fn time(&self, now: f64) -> Option<f64> {
        let spread = self.latest - self.earliest;
        spread.is_finite().then(|| now - self.earliest - spread.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_narrowed_down() {
        let mut clock = MatchClock::new();
        clock.hear(100.0, 5130.0);
        assert_eq!(clock.time(6000.0), None);
        // The match began at 5000.6; the way takes 0.3 ms in each direction.
        clock.answered(200.0, 5200.5);
        clock.hear(200.0, 5201.1);
        let error = clock.time(6000.6).unwrap() - 1000.0;
        assert!((0.0..=1.0).contains(&error), "{error}");
    }
}

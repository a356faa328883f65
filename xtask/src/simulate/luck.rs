//! The luck of a simulation: every choice in a run comes from its seed.

use std::{ops::RangeInclusive, time::Duration};

/// SplitMix64, written out so that a seed means the same run whatever our dependencies become.
#[derive(Clone, Debug)]
pub(super) struct Luck(u64);

impl Luck {
    pub(super) fn new(seed: u64) -> Luck {
        Luck(seed)
    }

    /// Luck of its own for a part of the run, so that parts don't disturb each other.
    pub(super) fn fork(&mut self) -> Luck {
        Luck(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// From 0 to just under `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// From 0 to just under 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn chance(&mut self, of: f64) -> bool {
        self.unit() < of
    }

    pub(super) fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        let (from, to) = range.into_inner();
        Duration::from_millis(from + self.below(to - from + 1))
    }

    /// Around `mean`: from a tenth of it to nearly twice.
    pub(super) fn around(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(0.1 + 1.8 * self.unit())
    }
}

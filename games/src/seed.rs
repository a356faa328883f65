//! The only luck a game has.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// A match's seed: part of its journal, chosen once when the match is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of luck that this seed stands for: ChaCha8, whose output is fixed across
    /// versions and machines.
    pub(crate) fn luck(self) -> Luck {
        Luck(ChaCha8Rng::seed_from_u64(self.0))
    }
}

/// A stream of luck.
#[derive(Clone, Debug, PartialEq)]
pub struct Luck(ChaCha8Rng);

impl Luck {
    /// A number from 0 to just under 1, in steps of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Heads or tails.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }

    /// A number below `n`, which is not 0, each as likely as the others to within `n` in 2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Puts things in an order of which each is as likely as the others.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

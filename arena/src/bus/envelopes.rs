//! Envelopes: words of one process to one channel, in one go and with a number, so that who misses
//! some sees it.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::{ProcessId, To, Word};

/// Words of a process.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) from: ProcessId,
    /// Counts the envelopes to this channel.
    pub(super) n: u64,
    #[serde(borrow)]
    pub(super) words: Vec<Word<'a>>,
}

/// Packs words, an envelope for each channel. Those for whom something was left out get one too,
/// and see by its number that there should have been another.
pub(super) fn pack(
    me: ProcessId,
    counts: &mut HashMap<To, u64>,
    left_out: HashSet<To>,
    words: impl Iterator<Item = (To, String)>,
) -> Vec<(To, String)> {
    let mut head = |to: To, skipped: u64| {
        let n = counts.entry(to).or_default();
        *n += skipped + 1;
        format!(r#"{{"from":{me},"n":{n},"words":["#)
    };
    let mut envelopes: Vec<_> = left_out.into_iter().map(|to| (to, head(to, 1))).collect();
    for (to, word) in words {
        match envelopes.iter_mut().find(|it| it.0 == to) {
            Some((_, envelope)) => {
                if !envelope.ends_with('[') {
                    envelope.push(',');
                }
                envelope.push_str(&word);
            }
            None => envelopes.push((to, head(to, 0) + &word)),
        }
    }
    for (_, envelope) in &mut envelopes {
        envelope.push_str("]}");
    }
    envelopes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::json;

    #[test]
    fn an_envelope_has_a_number_and_what_is_left_out_has_one_too() {
        let mut counts = HashMap::new();
        let mut pack = |left_out: &[To], to: &[To]| {
            let words = to.iter().map(|&it| (it, json(&Word::Free)));
            let packed = pack(7, &mut counts, left_out.iter().copied().collect(), words);
            let read = |(to, text): (To, String)| {
                let it: Envelope<'_> = serde_json::from_str(&text).unwrap();
                assert_eq!(it.from, 7);
                (to, it.n, it.words.len())
            };
            packed.into_iter().map(read).collect::<Vec<_>>()
        };
        let (all, one) = (To::All, To::One(5));
        assert_eq!(pack(&[], &[all, one, all]), [(all, 1, 2), (one, 1, 1)]);
        assert_eq!(pack(&[], &[one]), [(one, 2, 1)]);
        assert_eq!(pack(&[all], &[one, one]), [(all, 3, 0), (one, 3, 2)]);
        assert_eq!(pack(&[one], &[one, all]), [(one, 5, 1), (all, 4, 1)]);
        assert_eq!(pack(&[], &[]), []);
    }
}

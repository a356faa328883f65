//! What a referee is told of a shot, and the questions that every rulebook asks about it.

use alloc::vec::Vec;

use super::physics;

/// Something that happened in a shot. Balls and pockets are told by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Two balls met.
    Hit(u8, u8),
    /// The ball met a cushion.
    Cushion(u8),
    /// The ball fell into the pocket.
    Pot(u8, u8),
    /// The ball's centre went over the line between the middle pockets.
    Crossed(u8),
    /// The ball left the table. The physics of today keeps every ball on the cloth; the rules know
    /// of it all the same.
    Off(u8),
}

impl From<physics::Seen> for Seen {
    fn from(seen: physics::Seen) -> Seen {
        // OK because no table has 256 balls or pockets.
        let small = |index: usize| index as u8;
        match seen {
            physics::Seen::Hit(a, b) => Seen::Hit(small(a), small(b)),
            physics::Seen::Cushion(ball) => Seen::Cushion(small(ball)),
            physics::Seen::Pot(ball, pocket) => Seen::Pot(small(ball), small(pocket)),
            physics::Seen::Crossed(ball) => Seen::Crossed(small(ball)),
        }
    }
}

/// The first ball that `striker` met, and all that was seen after that.
pub(super) fn contact(seen: &[Seen], striker: u8) -> Option<(u8, &[Seen])> {
    seen.iter().enumerate().find_map(|(at, it)| {
        let Seen::Hit(a, b) = *it else { return None };
        let other = if a == striker { b } else { a };
        (a == striker || b == striker).then(|| (other, &seen[at + 1..]))
    })
}

/// The balls that fell and their pockets, in the order of falling.
pub(super) fn potted(seen: &[Seen]) -> impl Iterator<Item = (u8, u8)> + '_ {
    seen.iter().filter_map(|it| {
        let Seen::Pot(ball, pocket) = *it else { return None };
        Some((ball, pocket))
    })
}

/// The balls that left the table, in the order of leaving.
pub(super) fn off(seen: &[Seen]) -> impl Iterator<Item = u8> + '_ {
    seen.iter().filter_map(|it| {
        let Seen::Off(ball) = *it else { return None };
        Some(ball)
    })
}

/// The balls that fell or left the table, in that order of each.
pub(super) fn lost(seen: &[Seen]) -> impl Iterator<Item = u8> + '_ {
    potted(seen).map(|(ball, _)| ball).chain(off(seen))
}

/// Every meeting of a ball with a cushion.
pub(super) fn cushions(seen: &[Seen]) -> impl Iterator<Item = u8> + '_ {
    seen.iter().filter_map(|it| {
        let Seen::Cushion(ball) = *it else { return None };
        Some(ball)
    })
}

/// How many balls other than `striker` met a cushion.
pub(super) fn object_balls_at_cushions(seen: &[Seen], striker: u8) -> usize {
    let mut balls: Vec<u8> = cushions(seen).filter(|&ball| ball != striker).collect();
    balls.sort_unstable();
    balls.dedup();
    balls.len()
}

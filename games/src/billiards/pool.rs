//! What 8-ball and 9-ball have in common: one cue ball, and a rack that is raced for.

use alloc::vec::Vec;

use super::{
    discipline::Next,
    record::{self, Seen},
    sheet::{Sheet, Stage},
    wire::{Foul, Hand},
};
use crate::Seat;

/// The cue ball.
pub(super) const CUE: u8 = 0;
/// A break that pots nothing must drive this many object balls to a cushion.
pub(super) const BREAK_CUSHIONS: usize = 4;

/// Whether an object ball fell.
pub(super) fn pots(seen: &[Seen]) -> bool {
    record::potted(seen).any(|(ball, _)| ball != CUE)
}

/// The cue ball fell, or a ball left the table.
pub(super) fn losses(seen: &[Seen]) -> Vec<Foul> {
    let scratch = record::potted(seen).any(|(ball, _)| ball == CUE);
    let off = record::off(seen).next().is_some();
    let fouls = [(scratch, Foul::Scratch), (off, Foul::BallOffTable)];
    fouls.into_iter().filter(|it| it.0).map(|it| it.1).collect()
}

/// The cue ball met nothing, or first a ball that is not `on`.
pub(super) fn wrong_contact(seen: &[Seen], on: &[u8]) -> Option<Foul> {
    match record::contact(seen, CUE) {
        None => Some(Foul::NoContact),
        Some((first, _)) => (!on.contains(&first)).then_some(Foul::WrongBallFirst),
    }
}

/// After the contact nothing fell and nothing reached a cushion.
pub(super) fn no_cushion(seen: &[Seen]) -> Option<Foul> {
    let (_, after) = record::contact(seen, CUE)?;
    let driven = pots(seen) || record::cushions(after).next().is_some();
    (!driven).then_some(Foul::NoCushion)
}

/// Whether a break pots a ball, or drives enough of them to a cushion.
pub(super) fn breaks(seen: &[Seen]) -> bool {
    pots(seen) || record::object_balls_at_cushions(seen, CUE) >= BREAK_CUSHIONS
}

/// What follows when `seat` has fouled without a stroke: the other breaks in its place, or has the
/// ball in hand anywhere.
pub(super) fn after_no_stroke(sheet: &Sheet, seat: Seat) -> Next {
    let hand = if sheet.stage == Stage::Break { Hand::Behind } else { Hand::Anywhere };
    Next::Play { seat: seat.other(), hand: Some(hand) }
}

/// The rack is `winner`'s; breaks alternate.
pub(super) fn rack(sheet: &Sheet, winner: Seat) -> Next {
    Next::Rack { winner: Some(winner), breaker: sheet.breaker.other() }
}

/// Racks won, by seat.
pub(super) fn racks(sheet: &Sheet) -> Vec<i64> {
    sheet.racks.iter().map(|&it| it.into()).collect()
}

/// Whether somebody has won that many racks.
pub(super) fn reached(sheet: &Sheet, racks: u8) -> bool {
    sheet.racks.iter().any(|&it| it >= racks.into())
}

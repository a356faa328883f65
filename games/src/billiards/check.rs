//! What holds of every match at every moment, for those who play matches to see whether it does.

use alloc::{format, string::String, vec::Vec};

use super::{Billiards, Discipline, Group, Phase, Task};
use crate::Game;

/// Looks at a match between two of its moments.
///
/// # Errors
/// Says what should hold of every match at every moment and does not.
pub fn check<D: Discipline>(game: &Billiards<D>) -> Result<(), String> {
    let sheet = &game.sheet;
    let mut seen = sheet.gone.clone();
    seen.sort_unstable();
    seen.dedup();
    let shelved: Vec<u8> = sheet.shelves.iter().flatten().copied().collect();
    let mut once = shelved.clone();
    once.sort_unstable();
    once.dedup();
    let holds = [
        (seen.len() == sheet.gone.len(), "a ball is gone twice"),
        (once.len() == shelved.len(), "a ball is on two shelves"),
        (shelved.iter().all(|it| seen.contains(it)), "a shelved ball is on the table"),
        (game.balls().len() + seen.len() == usize::from(D::BALLS), "balls do not add up"),
        (sheet.racks.iter().all(|&it| it <= game.rules.target().into()), "too many racks"),
        (game.lie.len() == usize::from(D::BALLS), "a ball has no place"),
    ];
    for (holds, what) in holds {
        if !holds {
            return Err(format!("{what}: {sheet:?}"));
        }
    }
    let holds = match D::NAME {
        // Every ball is a point for who has it.
        "pyramid" => sheet.shelves.iter().zip(&sheet.points).all(|(a, &b)| a.len() as i64 == b),
        "kolkhoz" => game.scores().iter().sum::<i64>() == 0,
        "eight_ball" => sheet.groups[0].map(Group::other) == sheet.groups[1],
        _ => true,
    };
    if !holds {
        return Err(format!("points or groups do not fit: {sheet:?}"));
    }
    let Phase::Turn(turn) = &game.phase else { return Ok(()) };
    let told = game.turn(turn);
    if sheet.out[turn.seat.index()] {
        return Err(format!("it is the turn of who left: {told:?}"));
    }
    if turn.task != Task::Take && (told.strikers.is_empty() || told.on.is_empty()) {
        return Err(format!("nothing to play: {told:?}"));
    }
    // No two balls lie on each other.
    for (at, (_, x, y)) in game.balls().into_iter().enumerate() {
        for (ball, ox, oy) in game.balls().into_iter().skip(at + 1) {
            if libm::hypot(ox - x, oy - y) < 2.0 * D::SPEC.radius - 1e-6 {
                return Err(format!("ball {ball} lies on another: {:?}", game.balls()));
            }
        }
    }
    Ok(())
}

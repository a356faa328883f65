//! Agreement with runs of a reference simulator, recorded in a file.
//!
//! The file is JSON and holds its own tables and balls, so that any file of the format can be
//! tried. What it has beside what is read here is passed over.
//!
//! A run agrees if every ball has the same events in the same order, all at the same times, and
//! ends in the same place, within three times what the file itself says its numbers can be off by.
//! Comparing ball by ball lets two events of different balls change places only if their times are
//! within that tolerance too. Transitions within a nanosecond of the ball's last event are passed
//! over on both sides: after every contact the reference calls both balls sliding, and then finds
//! that some don't slide.

mod cases;
mod file;
mod runs;
mod units;

pub use file::{Break, File};
pub use runs::{Played, Setup, played, setup};

use alloc::{string::String, vec::Vec};

/// What came of comparing one thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It agrees.
    Agrees,
    /// It does not, and why.
    Differs(String),
    /// The file says itself that the reference was wrong there, or that nobody could agree.
    Flagged(String),
    /// It needs laws that are not offered here.
    NotOffered,
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What kind of thing, as a report groups them: `scenario default`, `unit evolve`.
    pub group: String,
    /// Which one.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Compares everything in the file.
pub fn compare(file: &File) -> Vec<Compared> {
    let mut all = Vec::new();
    runs::scenarios(file, &mut all);
    runs::breaks(file, &mut all);
    runs::faults(file, &mut all);
    units::all(file, &mut all);
    all
}

fn told(all: &mut Vec<Compared>, group: String, name: &str, result: Result<(), String>) {
    let outcome = result.map_or_else(Outcome::Differs, |()| Outcome::Agrees);
    all.push(Compared { group, name: name.into(), outcome });
}

/// Whether two lists of numbers are the same but for rounding.
fn same(ours: &[f64], theirs: &[f64], tolerance: f64) -> Result<(), String> {
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let close = (a - b).abs() <= tolerance * (1.0 + b.abs());
        if !close {
            return Err(alloc::format!("number {at} is {a}, not {b}"));
        }
    }
    if ours.len() == theirs.len() { Ok(()) } else { Err("of different lengths".into()) }
}

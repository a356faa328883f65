//! One live match: its task, its clock, its fan-out. No SQL, no HTTP.
//!
//! [`open`] gives a [`Handle`], which anyone may keep, and a [`Match`], which its opener drives
//! from stage to stage in one task: [`gather`](Match::gather) the players, [`play`](Match::play),
//! record the result while it [`attend`](Match::attend)s, [`announce`](Match::announce) it, and
//! [`linger`](Match::linger) for a rematch. That task is the only place where the game meets the
//! clock and the wire.

#![warn(missing_docs)]

mod chair;
pub mod computer;
mod fan_out;
mod journal;
mod replay;
mod runner;
pub mod wire;

use games::{BadOptions, Game, Kind, Seed, Time, for_game};
use serde_json::Value;

pub use chair::{Chair, End, Full, Glance, Handle, Status};
pub use journal::{Journal, Line};
pub use replay::replay;
pub use runner::{Gathered, Match, Setup, heavy, open, reopen};

/// Options from their JSON.
pub(crate) fn options<G: Game>(json: &Value) -> Result<G::Options, BadOptions> {
    serde_json::from_value(json.clone())
        .map_err(|error| BadOptions { field: "options", message: error.to_string() })
}

/// All options of a game from those that somebody set, as they are stored.
///
/// # Errors
/// When one is unknown or out of range.
pub fn full_options(game: Kind, set: &Value) -> Result<Value, BadOptions> {
    for_game!(game, G => {
        let options = options::<G>(set)?;
        G::deal(options.clone(), *G::SEATS.start(), Seed(0), Time(0))?;
        Ok(serde_json::to_value(options).expect("options are plain data"))
    })
}

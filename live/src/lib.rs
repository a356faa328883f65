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
mod lease;
mod metrics;
mod remote;
mod replay;
mod runner;
mod text;
pub mod wire;

use games::{BadOptions, Game, Kind, Seed, Time, for_game};
use serde_json::Value;

pub use chair::{Awaited, Chair, End, Full, Glance, Handle, Status};
pub use journal::{Journal, Line};
pub use lease::Lease;
pub use metrics::register_metrics;
pub use remote::{Far, FarWord, Fed, far_chair};
pub use replay::replay;
pub use runner::{Gathered, Match, Setup, heavy, open, reopen};
pub use text::tidy;

/// Options from their JSON.
pub(crate) fn options<G: Game>(json: &Value) -> Result<G::Options, BadOptions> {
    serde_json::from_value(json.clone())
        .map_err(|error| BadOptions { field: "options", message: error.to_string() })
}

/// Which of the options that somebody set is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongOption {
    /// Its name in JSON; empty when they are no options at all.
    pub field: String,
    /// What was wrong, and what would be right.
    pub message: String,
}

impl From<BadOptions> for WrongOption {
    fn from(BadOptions { field, message }: BadOptions) -> WrongOption {
        WrongOption { field: field.to_owned(), message }
    }
}

/// All options of a game from those that somebody set, as they are stored.
///
/// # Errors
/// When one is unknown or out of range.
pub fn full_options(game: Kind, set: &Value) -> Result<Value, WrongOption> {
    for_game!(game, G => {
        let options = read_options::<G>(set)?;
        G::deal(options.clone(), *G::SEATS.start(), Seed(0), Time(0))?;
        Ok(serde_json::to_value(options).expect("options are plain data"))
    })
}

/// Whether so many can play with these options.
///
/// # Errors
/// When they can't; the message says what would be right.
pub fn check_options(game: Kind, options: &Value, seats: u8) -> Result<(), WrongOption> {
    for_game!(game, G => {
        G::deal(read_options::<G>(options)?, seats, Seed(0), Time(0))?;
        Ok(())
    })
}

/// Options from JSON that somebody wrote: what is wrong is named.
fn read_options<G: Game>(json: &Value) -> Result<G::Options, WrongOption> {
    if !json.is_object() {
        // Serde would also read them from an array of their values.
        let (field, message) = (String::new(), "must be an object".to_owned());
        return Err(WrongOption { field, message });
    }
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        let unknown = message.strip_prefix("unknown field `").and_then(|it| it.split_once('`'));
        let field = match (unknown, path.as_str()) {
            (Some((name, _)), _) => name.to_owned(),
            (None, ".") => String::new(),
            (None, _) => path,
        };
        WrongOption { field, message }
    })
}

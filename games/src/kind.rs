//! Which games there are. Adding a game adds a line to each `match` here; the compiler finds the
//! rest.

use core::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Game,
    billiards::{Billiards, EightBall, Kolkhoz, NineBall, Pyramid},
    pong::Pong,
};

/// Every game of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two paddles and a ball.
    Pong,
    /// Call a ball and a pocket, clear a group, then the 8.
    EightBall,
    /// The lowest ball first, and the 9 wins.
    NineBall,
    /// Russian billiards: any ball strikes any.
    Pyramid,
    /// Pyramid for three to six.
    Kolkhoz,
}

/// Names the type of a [`Kind`]'s game in an expression: `for_game!(kind, G => G::RULES)`.
#[macro_export]
macro_rules! for_game {
    ($kind:expr, $G:ident => $body:expr) => {
        match $kind {
            $crate::Kind::Pong => {
                type $G = $crate::pong::Pong;
                $body
            }
            $crate::Kind::EightBall => {
                type $G = $crate::billiards::Billiards<$crate::billiards::EightBall>;
                $body
            }
            $crate::Kind::NineBall => {
                type $G = $crate::billiards::Billiards<$crate::billiards::NineBall>;
                $body
            }
            $crate::Kind::Pyramid => {
                type $G = $crate::billiards::Billiards<$crate::billiards::Pyramid>;
                $body
            }
            $crate::Kind::Kolkhoz => {
                type $G = $crate::billiards::Billiards<$crate::billiards::Kolkhoz>;
                $body
            }
        }
    };
}

impl Kind {
    /// All of them, in the order that people see them.
    pub const ALL: [Kind; 5] =
        [Kind::Pong, Kind::EightBall, Kind::NineBall, Kind::Pyramid, Kind::Kolkhoz];

    /// Its word in addresses, commands, SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Pong => "pong",
            Kind::EightBall => "eight_ball",
            Kind::NineBall => "nine_ball",
            Kind::Pyramid => "pyramid",
            Kind::Kolkhoz => "kolkhoz",
        }
    }

    /// How many can play.
    pub fn seats(self) -> RangeInclusive<u8> {
        for_game!(self, G => G::SEATS)
    }

    /// The version of its rules.
    pub fn rules(self) -> u32 {
        for_game!(self, G => G::RULES)
    }

    /// What can be set, as a JSON schema.
    pub fn options_schema(self) -> Value {
        for_game!(self, G => schemars::schema_for!(<G as Game>::Options).to_value())
    }

    /// What is set unless somebody sets it otherwise.
    pub fn default_options(self) -> Value {
        for_game!(self, G => {
            let options = <G as Game>::Options::default();
            serde_json::to_value(options).expect("options are plain data")
        })
    }

    /// The JSON schemas of the game's update, view and actions, which the wire carries.
    pub fn wire_schemas(self) -> [Value; 3] {
        for_game!(self, G => [
            schemars::schema_for!(<G as Game>::Update).to_value(),
            schemars::schema_for!(<G as Game>::View).to_value(),
            schemars::schema_for!(<G as Game>::Action).to_value(),
        ])
    }

    /// Whether its matches change ratings.
    pub const fn rated(self) -> bool {
        match self {
            Kind::Pong | Kind::EightBall | Kind::NineBall | Kind::Pyramid => true,
            // Ratings are between two.
            Kind::Kolkhoz => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no game of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchGame;

impl FromStr for Kind {
    type Err = NoSuchGame;

    /// The kind of that [name](Kind::name); `billiards` is what people call 8-ball.
    fn from_str(name: &str) -> Result<Kind, NoSuchGame> {
        let name = if name == "billiards" { Kind::EightBall.name() } else { name };
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(NoSuchGame)
    }
}

// So that a game that is not `Send + 'static` is refused here rather than where it is run.
const _: fn() = || {
    fn is_game<G: Game>() {}
    is_game::<Pong>();
    is_game::<Billiards<EightBall>>();
    is_game::<Billiards<NineBall>>();
    is_game::<Billiards<Pyramid>>();
    is_game::<Billiards<Kolkhoz>>();
};

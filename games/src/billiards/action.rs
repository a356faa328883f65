//! What a player may do in billiards, the same in every discipline, and what no hand could do.
//!
//! Lengths are in metres, angles in radians.

use core::f64::consts::{FRAC_PI_2, PI};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::physics;
use crate::Refusal;

/// The fastest stick, in m/s.
const SPEED_MAX: f64 = 10.0;
/// How far from the ball's centre the tip may meet it, in radii.
const TIP_MAX: f64 = physics::Strike::MISCUE;
/// How far the butt may be raised: 80°.
const ELEVATION_MAX: f64 = FRAC_PI_2 * 8.0 / 9.0;
/// Headings beyond this, either way, are refused; a turn is 2π.
const HEADING_MAX: f64 = 2.0 * PI;

/// What a player may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Strike a ball.
    Strike(Strike),
    /// Put the ball in hand there. As often as wanted before the strike.
    Place {
        /// Which: the one in hand.
        ball: u8,
        /// Across the table.
        x: f64,
        /// Along the table.
        y: f64,
    },
    /// Choose one of what is offered.
    Choose {
        /// Which.
        choice: Choice,
    },
    /// Take a ball off the table as a penalty of the opponent's.
    Take {
        /// Which.
        ball: u8,
    },
    /// Give the match up.
    Resign {},
}

/// A stroke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StrikeAction")]
pub struct Strike {
    /// Which ball.
    pub ball: u8,
    /// Of the stick: over 0, to 10 m/s.
    pub speed: f64,
    /// Where the stick points: 0 is +x, π/2 is +y; from -2π to 2π.
    pub heading: f64,
    /// Where the tip meets the ball, left of its centre, in radii.
    pub side: f64,
    /// Where the tip meets the ball, above its centre, in radii. `side² + height²` is at most ¼.
    pub height: f64,
    /// How far the stick's butt is raised, from 0 to 80°.
    #[serde(default)]
    pub elevation: f64,
    /// The ball and the pocket that are called.
    #[serde(default)]
    pub call: Option<Call>,
    /// The turn is to pass, whatever falls.
    #[serde(default)]
    pub safety: bool,
    /// A push-out.
    #[serde(default)]
    pub push_out: bool,
}

/// A called shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The ball that is to fall.
    pub ball: u8,
    /// The pocket that it is to fall into.
    pub pocket: u8,
}

/// What can be offered to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Play on from the table as it is.
    Play,
    /// Have the balls racked again and break.
    Rerack,
    /// Have the balls racked again and let the other break once more.
    BreakAgain,
    /// Have the 8 spotted and play on.
    Spot,
    /// Have the balls racked again and break, after the 8 fell on the break.
    Rebreak,
    /// Let the one who pushed out play on.
    HandBack,
}

/// What somebody's hand is doing while they aim: shown to others as it is, and never part of the
/// match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aim {
    /// The ball that would be struck.
    pub ball: u8,
    /// Where the stick points.
    pub heading: f64,
    /// How far it is drawn back, as the speed that it would have; 0 is not at all.
    pub speed: f64,
    /// As in a strike.
    pub side: f64,
    /// As in a strike.
    pub height: f64,
    /// As in a strike.
    #[serde(default)]
    pub elevation: f64,
    /// Over what place the ball in hand is held, across the table.
    #[serde(default)]
    pub x: Option<f64>,
    /// The same, along the table.
    #[serde(default)]
    pub y: Option<f64>,
}

/// What a strike is held to.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Limits {
    /// The fastest stick, in m/s.
    pub speed: f64,
    /// How far from the centre the tip may meet the ball, in radii.
    pub tip: f64,
    /// How far the butt may be raised.
    pub elevation: f64,
}

impl Limits {
    /// Those of every discipline.
    pub const ALL: Limits = Limits { speed: SPEED_MAX, tip: TIP_MAX, elevation: ELEVATION_MAX };
}

impl Strike {
    /// Refuses numbers that no stick could have.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_numbers(self.speed, self.heading, self.elevation, [self.side, self.height])?;
        if self.speed <= 0.0 {
            return Err(SLOW_OR_FAST);
        }
        Ok(())
    }

    /// For the physics.
    pub(super) fn stick(&self) -> physics::Strike {
        physics::Strike {
            ball: self.ball.into(),
            speed: self.speed,
            heading: self.heading,
            elevation: self.elevation,
            side: self.side,
            height: self.height,
        }
    }
}

impl Aim {
    /// Whether its numbers are ones that a hand could have.
    ///
    /// # Errors
    /// Says which number is out of range.
    pub fn valid(&self) -> Result<(), Refusal> {
        check_numbers(self.speed, self.heading, self.elevation, [self.side, self.height])?;
        let places = [self.x, self.y].into_iter().flatten();
        for place in places {
            finite(place)?;
            // A table and the rails around it, with room to spare.
            if !(-1.0..=6.0).contains(&place) {
                let message = "x and y must be within reach of the table";
                return Err(Refusal { code: "place_outside", message });
            }
        }
        Ok(())
    }
}

const SLOW_OR_FAST: Refusal = Refusal {
    code: "speed_out_of_range",
    message: "the stick's speed must be over 0 and at most 10 m/s",
};

fn check_numbers(speed: f64, heading: f64, elevation: f64, tip: [f64; 2]) -> Result<(), Refusal> {
    for number in [speed, heading, elevation, tip[0], tip[1]] {
        finite(number)?;
    }
    if !(0.0..=SPEED_MAX).contains(&speed) {
        return Err(SLOW_OR_FAST);
    }
    if !(-HEADING_MAX..=HEADING_MAX).contains(&heading) {
        let message = "the heading must be from -2π to 2π";
        return Err(Refusal { code: "heading_out_of_range", message });
    }
    if !(0.0..=ELEVATION_MAX).contains(&elevation) {
        let message = "the stick's butt may be raised by 0 to 80°";
        return Err(Refusal { code: "elevation_out_of_range", message });
    }
    if tip[0] * tip[0] + tip[1] * tip[1] > TIP_MAX * TIP_MAX + 1e-9 {
        let message = "the tip must meet the ball within half a radius of its centre";
        return Err(Refusal { code: "tip_off_the_ball", message });
    }
    Ok(())
}

/// Refuses what is not a number.
pub(super) fn finite(number: f64) -> Result<(), Refusal> {
    if number.is_finite() {
        return Ok(());
    }
    Err(Refusal { code: "bad_number", message: "every number must be finite" })
}

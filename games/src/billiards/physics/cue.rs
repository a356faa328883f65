//! The cue: an instantaneous strike at a point, and squirt.

use core::f64::consts::FRAC_PI_2;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ball::{Ball, BallSpec, State},
    vector::Vec2,
};

/// A stroke, in the stick's own frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Strike {
    /// Which ball, by its index.
    pub ball: usize,
    /// The stick's speed, in m/s.
    pub speed: f64,
    /// Where the stick points, in radians: 0 is +x, a quarter turn is +y.
    pub heading: f64,
    /// How far its butt is raised, in radians: 0 is level.
    pub elevation: f64,
    /// Where the tip meets the ball, right or left of its centre, over the radius: left is
    /// positive.
    pub side: f64,
    /// The same up and down: up is positive.
    pub height: f64,
}

/// A stick.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stick {
    /// Kilograms.
    pub mass: f64,
    /// The part of its mass, at the tip, that a blow moves sideways; in kilograms.
    pub end_mass: f64,
    /// Restitution of the tip: 1 is elastic, leather has 0.71 to 0.75.
    pub restitution: f64,
}

impl Stick {
    /// 20 oz with an elastic tip, as the reference has it.
    pub const ELASTIC: Stick = Stick { mass: 0.567, end_mass: 0.170097 / 30.0, restitution: 1.0 };
    /// The same with a leather tip (billiards.colostate.edu, "cue tip efficiency").
    pub const LEATHER: Stick = Stick { restitution: 0.73, ..Stick::ELASTIC };
}

impl Strike {
    /// The farthest from the centre, over the radius, that a chalked tip does not slip off
    /// (Alciatore, TP 2.1).
    pub const MISCUE: f64 = 0.5;

    /// Whether the numbers are finite and the stick meets the ball.
    pub fn holds(&self) -> bool {
        let numbers = [self.speed, self.heading, self.elevation, self.side, self.height];
        numbers.iter().all(|number| number.is_finite())
            && self.speed >= 0.0
            && (0.0..FRAC_PI_2).contains(&self.elevation)
            && self.offset() < 1.0
    }

    /// Whether a tip would slip off. The strike is played as given all the same: the rules decide
    /// what to allow.
    pub fn miscues(&self) -> bool {
        self.offset() > Strike::MISCUE * Strike::MISCUE + 1e-9
    }

    /// How far off the centre the tip is, over the radius, squared.
    fn offset(&self) -> f64 {
        self.side * self.side + self.height * self.height
    }

    /// The ball right after the blow: Alciatore's TP A.30 for speed and spin, TP A.31 for squirt.
    /// The upright part of the velocity is dropped: balls stay on the cloth.
    pub fn hit(&self, ball: &Ball, spec: &BallSpec, stick: &Stick) -> Ball {
        let (a, b) = (self.side, self.height);
        let c = libm::sqrt((1.0 - a * a - b * b).max(0.0));
        let (sin, cos) = (libm::sin(self.elevation), libm::cos(self.elevation));
        // From the stick's frame to the ball's: forward and up.
        let forward = c * cos - b * sin;
        let up = c * sin + b * cos;

        let inertia = 0.4;
        let arm = a * a + (up * cos) * (up * cos) + (forward * sin) * (forward * sin)
            - 2.0 * forward * up * cos * sin;
        let speed =
            (1.0 + stick.restitution) * self.speed / (1.0 + spec.mass / stick.mass + arm / inertia);

        let turn = speed / (inertia * spec.radius);
        let spin_left = turn * (up * cos - forward * sin);
        let spin_back = turn * a * sin;
        let heading: Vec2 = [libm::cos(self.heading), libm::sin(self.heading)];
        let squirted = self.heading + squirt(a, spec.mass / stick.end_mass);
        Ball {
            r: ball.r,
            v: [speed * cos * libm::cos(squirted), speed * cos * libm::sin(squirted)],
            w: [
                -spin_left * heading[1] - spin_back * heading[0],
                spin_left * heading[0] - spin_back * heading[1],
                -turn * a * cos,
            ],
            state: State::Sliding,
        }
    }
}

/// By how much, in radians to the left, side turns the ball from the stick's line (TP A.31).
/// `ratio` is the ball's mass over the stick's end mass.
pub(super) fn squirt(side: f64, ratio: f64) -> f64 {
    let depth = (1.0 - side * side).max(0.0);
    -libm::atan2(2.5 * side * libm::sqrt(depth), 1.0 + ratio + 2.5 * depth)
}

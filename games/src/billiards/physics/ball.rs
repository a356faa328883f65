//! A ball: what it is made of, how it moves now, and where that takes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::vector::{Vec2, Vec3, add, norm, scale};

/// What every ball of a set, and the cloth and the cushions under it, are like. One set has balls
/// of one size and mass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BallSpec {
    /// Kilograms.
    pub mass: f64,
    /// Metres.
    pub radius: f64,
    /// Friction of a ball that slides on the cloth.
    pub slide: f64,
    /// Resistance to rolling, as a friction.
    pub roll: f64,
    /// Friction against spin about the upright axis: such spin slows by `5 spin g / (2 radius)` a
    /// second.
    pub spin: f64,
    /// Friction between two balls, where a law takes it for constant.
    pub ball_friction: f64,
    /// Restitution between two balls.
    pub ball_restitution: f64,
    /// Restitution of the cushions.
    pub cushion_restitution: f64,
    /// Friction of the cushions.
    pub cushion_friction: f64,
    /// Metres per second squared.
    pub gravity: f64,
}

/// `spin` of a ball is this times its radius, in metres. With it, spin slows by 10.9 rad/s²
/// whatever the ball's size; 5 to 15 have been measured (Alciatore, billiards.colostate.edu).
const SPIN_ARM: f64 = 10.0 * 2.0 / 5.0 / 9.0;

impl BallSpec {
    /// Pool: 57.15 mm and 6 oz (WPA equipment specifications, 16). Frictions and restitutions are
    /// those of the pooltool simulator, within the ranges at billiards.colostate.edu/faq/physics.
    pub const POOL: BallSpec = BallSpec {
        mass: 0.170097,
        radius: 0.028575,
        slide: 0.2,
        roll: 0.01,
        spin: SPIN_ARM * 0.028575,
        ball_friction: 0.05,
        ball_restitution: 0.95,
        cushion_restitution: 0.85,
        cushion_friction: 0.2,
        gravity: 9.81,
    };

    /// Snooker: 52.5 mm (within the tolerance of the WPBSA's 52.5 mm) and 140 g, on a napped cloth
    /// that grips more.
    pub const SNOOKER: BallSpec = BallSpec {
        mass: 0.14,
        radius: 0.02619375,
        slide: 0.5,
        spin: SPIN_ARM * 0.02619375,
        cushion_friction: 0.5,
        ..BallSpec::POOL
    };

    /// Carom: 61.5 mm and 210 g (UMB: 61 to 61.5 mm, 205 to 220 g).
    pub const CAROM: BallSpec = BallSpec {
        mass: 0.21,
        radius: 0.03075,
        spin: SPIN_ARM * 0.03075,
        cushion_friction: 0.15,
        ..BallSpec::POOL
    };

    /// Russian pyramid: 68 mm and 285 g, of the same resin and on a cloth like pool's.
    pub const PYRAMID: BallSpec =
        BallSpec { mass: 0.285, radius: 0.034, spin: SPIN_ARM * 0.034, ..BallSpec::POOL };

    /// How fast spin about the upright axis slows, in rad/s².
    pub fn spin_slowing(&self) -> f64 {
        5.0 * self.spin * self.gravity / (2.0 * self.radius)
    }
}

/// How a ball moves.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "u8", try_from = "u8")]
#[schemars(with = "u8")]
#[repr(u8)]
pub enum State {
    /// At rest.
    Stationary = 0,
    /// In its place, about the upright axis.
    Spinning = 1,
    /// Its lowest point slips on the cloth, which pulls it along a parabola.
    Sliding = 2,
    /// Without slip, straight, slowing.
    Rolling = 3,
    /// In a pocket.
    Pocketed = 4,
}

impl From<State> for u8 {
    fn from(state: State) -> u8 {
        state as u8
    }
}

impl TryFrom<u8> for State {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<State, Self::Error> {
        Ok(match number {
            0 => State::Stationary,
            1 => State::Spinning,
            2 => State::Sliding,
            3 => State::Rolling,
            4 => State::Pocketed,
            _ => return Err("a state is a number from 0 to 4"),
        })
    }
}

/// A ball at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    /// Where its centre is, in metres.
    pub r: Vec2,
    /// Its velocity, in m/s.
    pub v: Vec2,
    /// Its spin, in rad/s about x, y and z.
    pub w: Vec3,
    /// How it moves.
    pub state: State,
}

impl Ball {
    /// At rest there.
    pub fn at_rest(r: Vec2) -> Ball {
        Ball { r, v: [0.0; 2], w: [0.0; 3], state: State::Stationary }
    }

    /// How fast its lowest point slips over the cloth.
    pub fn slip(&self, spec: &BallSpec) -> Vec2 {
        [self.v[0] - spec.radius * self.w[1], self.v[1] + spec.radius * self.w[0]]
    }

    /// Its kinetic energy, in joules.
    pub fn energy(&self, spec: &BallSpec) -> f64 {
        let [wx, wy, wz] = self.w;
        let [vx, vy] = self.v;
        let turning = 0.4 * spec.radius * spec.radius * (wx * wx + wy * wy + wz * wz);
        0.5 * spec.mass * (vx * vx + vy * vy + turning)
    }

    /// Its acceleration for as long as it moves as it does.
    pub fn acceleration(&self, spec: &BallSpec) -> Vec2 {
        let (along, friction) = match self.state {
            State::Sliding => (self.slip(spec), spec.slide),
            State::Rolling => (self.v, spec.roll),
            State::Stationary | State::Spinning | State::Pocketed => return [0.0; 2],
        };
        let length = norm(along);
        if length > 0.0 { scale(along, -friction * spec.gravity / length) } else { [0.0; 2] }
    }

    /// For how long it moves as it does if nothing is in the way; infinite at rest.
    pub fn lasts(&self, spec: &BallSpec) -> f64 {
        match self.state {
            State::Sliding => 2.0 * norm(self.slip(spec)) / (7.0 * spec.slide * spec.gravity),
            State::Rolling => norm(self.v) / (spec.roll * spec.gravity),
            State::Spinning => self.w[2].abs() / spec.spin_slowing(),
            State::Stationary | State::Pocketed => f64::INFINITY,
        }
    }

    /// After `dt` seconds of the same way of moving; `dt` is at most [`Ball::lasts`].
    #[must_use]
    pub fn after(&self, dt: f64, spec: &BallSpec) -> Ball {
        let mut ball = *self;
        if matches!(self.state, State::Stationary | State::Pocketed) {
            return ball;
        }
        let slowed = self.w[2].abs() - spec.spin_slowing() * dt;
        ball.w[2] = if slowed > 0.0 { slowed.copysign(self.w[2]) } else { 0.0 };
        if self.state == State::Spinning {
            return ball;
        }
        let a = self.acceleration(spec);
        ball.r = add(self.r, add(scale(self.v, dt), scale(a, 0.5 * dt * dt)));
        ball.v = add(self.v, scale(a, dt));
        if self.state == State::Sliding {
            let k = 2.5 / spec.radius * dt;
            ball.w[0] = self.w[0] + k * a[1];
            ball.w[1] = self.w[1] - k * a[0];
        } else {
            ball.w[0] = -ball.v[1] / spec.radius;
            ball.w[1] = ball.v[0] / spec.radius;
        }
        ball
    }

    /// The next way of moving of a ball whose present one has just ended, with what is left of slip
    /// or speed by rounding taken away.
    #[must_use]
    pub(super) fn next_state(&self, spec: &BallSpec) -> Ball {
        let mut ball = *self;
        match self.state {
            State::Sliding => {
                ball.w[0] = -ball.v[1] / spec.radius;
                ball.w[1] = ball.v[0] / spec.radius;
                ball.state = State::Rolling;
            }
            State::Rolling => {
                (ball.v, ball.w[0], ball.w[1]) = ([0.0; 2], 0.0, 0.0);
                ball.state = if ball.w[2] == 0.0 { State::Stationary } else { State::Spinning };
            }
            State::Spinning => {
                ball.w = [0.0; 3];
                ball.state = State::Stationary;
            }
            State::Stationary | State::Pocketed => {}
        }
        ball
    }

    /// After `dt` seconds with nothing in the way, through every change of how it moves.
    #[must_use]
    pub fn alone(&self, dt: f64, spec: &BallSpec) -> Ball {
        let (mut ball, mut left) = (*self, dt);
        loop {
            let lasts = ball.lasts(spec);
            if left < lasts {
                return ball.after(left, spec);
            }
            ball = ball.after(lasts, spec).next_state(spec);
            left -= lasts;
        }
    }
}

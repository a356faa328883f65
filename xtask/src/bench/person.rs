//! How a person plays Pong: follows the ball with their eyes, guesses where it will come, and
//! changes their mind about five times a second.

use std::time::Duration;

use rand::{RngExt, rngs::SmallRng};

/// Where the ball's centre meets the paddles of seat 0 and seat 1.
const PLANES: [f64; 2] = [38.0, 762.0];
/// Between which heights the ball's centre moves.
const WALLS: [f64; 2] = [8.0, 492.0];
const FIELD_HEIGHT: f64 = 500.0;
/// How far a paddle's centre can go.
const REACH: [f64; 2] = [0.09, 0.91];
/// The error of a guess at the last moment, and how much of it each second ahead adds; in parts of
/// the field's height. A paddle reaches 0.106 to either side.
const ERROR: f64 = 0.045;
const ERROR_PER_SECOND: f64 = 0.09;

/// How a ball flies from the moment `t` on: times in ms, the rest in the field's units and seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ball {
    pub(crate) t: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) vx: f64,
    pub(crate) vy: f64,
}

impl Ball {
    /// When the ball will be at a seat's paddle and at what height; `None` if it flies away.
    fn arrival(&self, seat: usize) -> Option<(f64, f64)> {
        let seconds = (PLANES[seat] - self.x) / self.vx;
        let [top, bottom] = WALLS;
        let height = bottom - top;
        let unfolded = (self.y - top + self.vy * seconds).rem_euclid(2.0 * height);
        let folded = if unfolded > height { 2.0 * height - unfolded } else { unfolded };
        (seconds.is_finite() && seconds >= 0.0).then_some((self.t + seconds * 1000.0, top + folded))
    }
}

/// One of the two people of a match.
#[derive(Debug)]
pub(crate) struct Person {
    luck: SmallRng,
    target: f64,
}

impl Person {
    pub(crate) fn new(luck: SmallRng) -> Person {
        Person { luck, target: 0.5 }
    }

    /// Where this person now wants their paddle: never quite where they wanted it before.
    pub(crate) fn aim(&mut self, seat: usize, ball: Option<&Ball>, now: f64) -> f64 {
        let (height, error) = match ball.and_then(|ball| ball.arrival(seat)) {
            Some((t, y)) if t >= now => {
                (y / FIELD_HEIGHT, ERROR + ERROR_PER_SECOND * (t - now) / 1000.0)
            }
            _ => (0.5, 0.1),
        };
        let [low, high] = REACH;
        let mut target = (height + error * self.normal()).clamp(low, high);
        if (target - self.target).abs() < 0.002 {
            target += if target > 0.5 { -0.01 } else { 0.01 };
        }
        self.target = target;
        target
    }

    /// How long until they change their mind: 200 ms on average.
    pub(crate) fn pause(&mut self) -> Duration {
        self.between(0.12, 0.28)
    }

    /// Some time between two numbers of seconds.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> Duration {
        Duration::from_secs_f64(self.luck.random_range(low..high))
    }

    /// Near enough to a normal distribution with a deviation of 1, and never beyond 3.
    fn normal(&mut self) -> f64 {
        (0..3).map(|_| self.luck.random_range(-1.0..1.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_ball_is_followed_around_the_walls() {
        let ball = Ball { t: 1000.0, x: 400.0, y: 250.0, vx: 362.0, vy: 484.0 };
        assert_eq!(ball.arrival(0), None);
        let (t, y) = ball.arrival(1).unwrap();
        assert_eq!((t, y), (2000.0, 250.0));
        let steep = Ball { vy: 968.0 * 3.0 + 10.0, ..ball };
        assert!((steep.arrival(1).unwrap().1 - 260.0).abs() < 1e-9);
    }

    #[test]
    fn a_person_moves_each_time_within_reach() {
        let mut person = Person::new(SmallRng::seed_from_u64(1));
        let ball = Ball { t: 0.0, x: 400.0, y: 8.0, vx: -400.0, vy: 0.0 };
        let mut before = 0.5;
        for _ in 0..1000 {
            let target = person.aim(0, Some(&ball), 500.0);
            assert!(target != before && (0.09..=0.91).contains(&target));
            before = target;
        }
    }
}

//! When a ball on its course meets something.

use super::{
    ball::{Ball, BallSpec},
    roots::first_descent,
    table::Segment,
    vector::{Vec2, add, dot, norm, scale, sub},
};

/// Nearer than this, in metres, things touch.
const TOUCH: f64 = 1e-10;
/// Things that touch and come together slower than this, in m/s, do not.
const STILL: f64 = 1e-9;
/// Nor do things whose relative acceleration is less than this, in m/s².
const STEADY: f64 = 1e-9;

/// A ball's motion, with what is needed again and again.
pub(super) struct Course {
    /// When it began.
    pub(super) since: f64,
    /// How it began.
    pub(super) ball: Ball,
    acceleration: Vec2,
    /// Where it leads, as far as it is known to lead.
    bounds: Bounds,
}

/// A rectangle that holds a course.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    low: Vec2,
    high: Vec2,
}

impl Course {
    pub(super) fn new(since: f64, ball: &Ball, spec: &BallSpec) -> Course {
        let bounds = Bounds { low: ball.r, high: ball.r };
        Course { since, ball: *ball, acceleration: ball.acceleration(spec), bounds }
    }

    /// The ball at that time.
    pub(super) fn at(&self, t: f64, spec: &BallSpec) -> Ball {
        self.ball.after(t - self.since, spec)
    }

    fn place(&self, t: f64) -> (Vec2, Vec2) {
        let dt = t - self.since;
        let faster = scale(self.acceleration, dt);
        let r = add(self.ball.r, scale(add(self.ball.v, scale(faster, 0.5)), dt));
        (r, add(self.ball.v, faster))
    }

    /// What holds its first `span` seconds.
    pub(super) fn bounds(&self, span: f64) -> Bounds {
        let mut bounds = Bounds { low: self.ball.r, high: self.ball.r };
        if span == f64::INFINITY {
            return bounds;
        }
        for axis in 0..2 {
            let (r, v, a) = (self.ball.r[axis], self.ball.v[axis], self.acceleration[axis]);
            let mut hold = |t: f64| {
                let x = r + (v + 0.5 * a * t) * t;
                bounds.low[axis] = bounds.low[axis].min(x);
                bounds.high[axis] = bounds.high[axis].max(x);
            };
            hold(span);
            let turn = -v / a;
            if turn > 0.0 && turn < span {
                hold(turn);
            }
        }
        bounds
    }

    /// Whether it may lead within that distance of the point.
    pub(super) fn near(&self, point: Vec2, distance: f64) -> bool {
        self.bounds.near(point, distance)
    }

    /// Nothing is asked of it after `span` seconds.
    pub(super) fn limit(&mut self, span: f64) {
        self.bounds = self.bounds(span);
    }
}

impl Bounds {
    /// Whether the point may come within that distance of it.
    pub(super) fn near(&self, point: Vec2, distance: f64) -> bool {
        (0..2).all(|axis| {
            point[axis] >= self.low[axis] - distance && point[axis] <= self.high[axis] + distance
        })
    }

    fn near_each_other(&self, other: &Bounds, distance: f64) -> bool {
        (0..2).all(|axis| {
            self.low[axis] <= other.high[axis] + distance
                && other.low[axis] <= self.high[axis] + distance
        })
    }
}

/// The first time within `span` at which a distance comes down to nothing.
///
/// `c` is a polynomial in time that has the distance's sign; `scale` is its slope over the
/// distance's, near nothing. Things that touch already meet at once if they come together, and else
/// when they come back to where they are: the root at zero is divided out.
fn first_meeting(c: [f64; 5], scale: f64, span: f64) -> Option<f64> {
    if c[0] > TOUCH * scale {
        return first_descent(&c, span);
    }
    if c[1] < -STILL * scale {
        return Some(0.0);
    }
    if c[1] > STILL * scale {
        return first_descent(&[c[1], c[2], c[3], c[4], 0.0], span);
    }
    if c[2] < -STEADY * scale {
        return Some(0.0);
    }
    if c[2] > STEADY * scale {
        return first_descent(&[c[2], c[3], c[4], 0.0, 0.0], span);
    }
    None
}

/// After how many seconds the ball meets the segment, whose nose it touches at the distance
/// `reach`.
pub(super) fn with_segment(
    course: &Course,
    segment: &Segment,
    reach: f64,
    span: f64,
) -> Option<f64> {
    let n = segment.normal;
    let from = sub(course.ball.r, segment.from);
    let gap = dot(from, n) - reach;
    let c = [gap, dot(course.ball.v, n), 0.5 * dot(course.acceleration, n), 0.0, 0.0];
    let along = sub(segment.to, segment.from);
    let beside = |from: Vec2| (0.0..=dot(along, along)).contains(&dot(from, along));
    let t = if gap >= -TOUCH || beside(from) && gap > -reach {
        // It cannot come nearer before it has come nearer at all.
        if gap > TOUCH && c[1] + c[2].min(0.0) * span > 0.0 {
            return None;
        }
        first_meeting(c, 1.0, span)?
    } else {
        // It is behind the nose, on its way into a pocket or out: it has to come out first.
        let out = -0.5 * c[1] / c[2];
        let most = gap + 0.5 * c[1] * out;
        if !(c[2] < 0.0 && out > 0.0 && out < span && most > TOUCH) {
            return None;
        }
        out + first_descent(&[most, 0.0, c[2], 0.0, 0.0], span - out)?
    };
    let (r, _) = course.place(course.since + t);
    beside(sub(r, segment.from)).then_some(t)
}

/// After how many seconds the ball's centre comes within `apart` of that point.
pub(super) fn with_circle(course: &Course, centre: Vec2, apart: f64, span: f64) -> Option<f64> {
    let between = sub(course.ball.r, centre);
    let c = separation(between, course.ball.v, course.acceleration, apart);
    first_meeting(c, 2.0 * apart, span)
}

/// After how many seconds the ball's centre is over that hole; at once, if it is.
pub(super) fn with_hole(course: &Course, centre: Vec2, radius: f64, span: f64) -> Option<f64> {
    let between = sub(course.ball.r, centre);
    let c = separation(between, course.ball.v, course.acceleration, radius);
    if c[0] <= 0.0 { Some(0.0) } else { first_descent(&c, span) }
}

/// When two balls meet, between `now` and `until`.
pub(super) fn of_balls(
    [one, two]: [&Course; 2],
    now: f64,
    until: f64,
    spec: &BallSpec,
) -> Option<f64> {
    let apart = 2.0 * spec.radius;
    if !one.bounds.near_each_other(&two.bounds, apart + TOUCH) {
        return None;
    }
    let ((r1, v1), (r2, v2)) = (one.place(now), two.place(now));
    let a = sub(two.acceleration, one.acceleration);
    let (between, v) = (sub(r2, r1), sub(v2, v1));
    let span = until - now;
    // They cannot come nearer than they are fast.
    if norm(between) - apart > TOUCH + (norm(v) + 0.5 * norm(a) * span) * span {
        return None;
    }
    let c = separation(between, v, a, apart);
    Some(now + first_meeting(c, 2.0 * apart, span)?)
}

/// `|r + v t + a t²/2|² - apart²` as a polynomial in time.
fn separation(r: Vec2, v: Vec2, a: Vec2, apart: f64) -> [f64; 5] {
    let a = scale(a, 0.5);
    [
        dot(r, r) - apart * apart,
        2.0 * dot(r, v),
        dot(v, v) + 2.0 * dot(a, r),
        2.0 * dot(a, v),
        dot(a, a),
    ]
}

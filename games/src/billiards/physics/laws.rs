//! Which law each kind of contact follows, and the named sets of them.

use super::{
    ball::{Ball, BallSpec},
    ball_ball,
    cue::Stick,
    cushion::{self, Touch},
    quirks,
    table::{Jaw, Segment},
    vector::{dot, norm, sub, unit},
};

/// How two balls part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BallBall {
    /// They swap what they have of speed along the line of centres.
    Elastic,
    /// Restitution, and friction that throws the balls and passes spin on.
    Frictional {
        /// What rubs.
        friction: Friction,
        /// Bounds friction by `restitution × closing speed`, as the reference does, instead of by
        /// the impulse itself.
        reference_bound: bool,
    },
}

/// Friction between two balls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Friction {
    /// Always the set's [`ball_friction`](super::BallSpec::ball_friction).
    Constant,
    /// Falls with the speed of slip: `0.009951 + 0.108 exp(-1.088 slip)`, Alciatore's fit to
    /// Marlow's measurements (TP A.14).
    Alciatore,
}

/// How a ball leaves a cushion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cushion {
    /// As light does, keeping its spin; with the cushion's restitution or without.
    Mirror {
        /// Whether the speed along the normal is lessened.
        restitution: bool,
    },
    /// An impulse with restitution and Coulomb friction at the nose.
    Impulse,
    /// Stronge's compliant contact: springs along the normal and the tangent, with Coulomb
    /// friction.
    Stronge {
        /// The tangential frequency over the normal one.
        ratio: f64,
    },
    /// Han 2005, in closed form.
    Han,
}

/// All laws of a shot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laws {
    /// Its name in reports.
    pub name: &'static str,
    /// Ball meets ball.
    pub ball_ball: BallBall,
    /// Ball meets cushion or jaw.
    pub cushion: Cushion,
    /// Stick meets ball.
    pub stick: Stick,
    /// What the reference simulator does beside its laws; see `quirks.rs`. Not for play.
    pub reference: bool,
}

impl Laws {
    /// What the game plays: the truest of what is here.
    pub const fn play() -> Laws {
        Laws {
            name: "play",
            ball_ball: BallBall::Frictional {
                friction: Friction::Alciatore,
                reference_bound: false,
            },
            cushion: Cushion::Stronge { ratio: 1.8 },
            stick: Stick::LEATHER,
            reference: false,
        }
    }

    const fn reference(name: &'static str, ball_ball: BallBall, cushion: Cushion) -> Laws {
        Laws { name, ball_ball, cushion, stick: Stick::ELASTIC, reference: true }
    }

    /// The reference's own choice.
    pub const fn default_laws() -> Laws {
        let friction = Friction::Alciatore;
        let ball_ball = BallBall::Frictional { friction, reference_bound: true };
        Laws::reference("default", ball_ball, Cushion::Stronge { ratio: 1.8 })
    }

    /// Laws that can be checked by hand: elastic balls without friction, and mirrors for cushions.
    pub const fn simple() -> Laws {
        Laws::reference("simple", BallBall::Elastic, Cushion::Mirror { restitution: false })
    }

    /// The same with the cushions' restitution.
    pub const fn simple_e() -> Laws {
        Laws::reference("simple_e", BallBall::Elastic, Cushion::Mirror { restitution: true })
    }

    /// Constant friction between balls, and impulse cushions.
    pub const fn impulse() -> Laws {
        let friction = Friction::Constant;
        let ball_ball = BallBall::Frictional { friction, reference_bound: true };
        Laws::reference("impulse", ball_ball, Cushion::Impulse)
    }

    /// The reference's choice with Han's cushions.
    pub const fn han() -> Laws {
        Laws { name: "han", cushion: Cushion::Han, ..Laws::default_laws() }
    }

    /// All of them.
    pub const ALL: [Laws; 6] = [
        Laws::play(),
        Laws::default_laws(),
        Laws::simple(),
        Laws::simple_e(),
        Laws::impulse(),
        Laws::han(),
    ];

    /// The set of that name.
    pub fn named(name: &str) -> Option<Laws> {
        Laws::ALL.into_iter().find(|laws| laws.name == name)
    }

    /// How far from the nose of a cushion, level, a ball's centre is when they touch. The nose is
    /// above the ball's centre, so that is nearer than the radius; the reference takes the radius.
    pub(super) fn reach(&self, nose: f64, spec: &BallSpec) -> f64 {
        let up = nose - spec.radius;
        if self.reference { spec.radius } else { level(spec.radius, up) }
    }

    /// Two balls after they have met. `spare` is the energy that the cloth has taken since the last
    /// event, in joules: no more may come back. It is none for balls that have met again and again.
    pub(super) fn balls(
        &self,
        mut one: Ball,
        mut two: Ball,
        spec: &BallSpec,
        spare: Option<f64>,
    ) -> [Ball; 2] {
        let energy = one.energy(spec) + two.energy(spec);
        if self.reference {
            quirks::kiss_balls(&mut one, &mut two, spec);
        }
        let n = unit(sub(two.r, one.r));
        let [mut one, mut two] = ball_ball::part(self.ball_ball, [&one, &two], n, spec);
        if let (true, Some(spare)) = (self.reference, spare) {
            quirks::keep_touching(&mut one, &mut two, spec, energy + spare);
        }
        [one, two]
    }

    /// A ball after it has met a straight cushion whose nose is so high.
    pub(super) fn rail(&self, mut ball: Ball, rail: &Segment, nose: f64, spec: &BallSpec) -> Ball {
        let normal = rail.normal;
        if self.reference {
            quirks::kiss_cushion(&mut ball, rail.from, spec.radius, Some(normal));
        }
        let arm = dot(sub(ball.r, rail.from), normal);
        self.cushioned(&ball, Touch { normal, arm, nose }, spec)
    }

    /// A ball after it has met a round point of a cushion.
    pub(super) fn jaw(&self, mut ball: Ball, jaw: &Jaw, nose: f64, spec: &BallSpec) -> Ball {
        if self.reference {
            quirks::kiss_cushion(&mut ball, jaw.centre, spec.radius + jaw.radius, None);
        }
        let from = sub(ball.r, jaw.centre);
        // The reference takes the jaw's centre for the point of contact.
        let arm = if self.reference { norm(from) } else { norm(from) - jaw.radius };
        self.cushioned(&ball, Touch { normal: unit(from), arm, nose }, spec)
    }

    fn cushioned(&self, ball: &Ball, touch: Touch, spec: &BallSpec) -> Ball {
        cushion::rebound(self.cushion, ball, &touch, spec)
    }
}

/// The level side of a right triangle with that long side and that height.
fn level(long: f64, up: f64) -> f64 {
    libm::sqrt((long * long - up * up).max(0.0))
}

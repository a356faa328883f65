//! Which law each kind of contact follows, and the named sets of them.

use super::cue::Stick;

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
    /// Stronge's compliant contact: springs along the normal and the tangent, with Coulomb friction.
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
}

//! What must hold of any shot under any laws, and random shots to try it on.

use alloc::vec::Vec;
use core::f64::consts::{FRAC_PI_2, PI};

use super::{
    ball::{Ball, BallSpec, State},
    cue::Strike,
    laws::Laws,
    shot::{EventKind, Motion, Shot},
    table::Table,
    vector::{dot, norm, sub},
};

/// The worst that was seen in a shot, or in several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worst {
    /// The most events.
    pub events: usize,
    /// The deepest that two balls were in each other, in metres.
    pub overlap: f64,
    /// The most energy that there was more after an event than after the one before, in joules.
    pub gained: f64,
    /// The farthest that two things were apart when they were said to meet, in metres.
    pub false_contact: f64,
    /// The farthest that a ball was in two places at once, in metres.
    pub jump: f64,
    /// How many balls left the table other than by a pocket.
    pub left: usize,
    /// How many balls still moved in the end.
    pub moving: usize,
}

impl Worst {
    /// The worse of both.
    #[must_use]
    pub fn or(self, other: Worst) -> Worst {
        Worst {
            events: self.events.max(other.events),
            overlap: self.overlap.max(other.overlap),
            gained: self.gained.max(other.gained),
            false_contact: self.false_contact.max(other.false_contact),
            jump: self.jump.max(other.jump),
            left: self.left + other.left,
            moving: self.moving + other.moving,
        }
    }
}

/// Looks at a whole shot, between its events too. It sees paths and contacts only, and knows
/// nothing of how they were found.
pub fn watch(shot: &Shot, table: &Table, laws: &Laws) -> Worst {
    let mut worst = Worst { events: shot.events.len(), ..Worst::default() };
    let spec = &shot.ball;

    let mut times: Vec<f64> = shot.motions.iter().flatten().map(|motion| motion.t).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let energy =
        |t: f64| -> f64 { (0..shot.motions.len()).map(|ball| shot.at(ball, t).energy(spec)).sum() };
    let energies: Vec<f64> = times.iter().map(|t| energy(*t)).collect();
    for pair in energies.windows(2) {
        worst.gained = worst.gained.max(pair[1] - pair[0]);
    }

    for (ball, motions) in shot.motions.iter().enumerate() {
        for pair in motions.windows(2) {
            if pair[1].state != State::Pocketed {
                let before = pair[0].at(pair[1].t - pair[0].t, spec);
                worst.jump = worst.jump.max(norm(sub(before.r, pair[1].r)));
            }
        }
        worst.left += usize::from(motions.iter().any(|motion| outside(motion, table)));
        worst.moving += usize::from(
            motions
                .last()
                .is_some_and(|last| !matches!(last.state, State::Stationary | State::Pocketed)),
        );
        for other in 0..ball {
            worst.overlap = worst.overlap.max(deepest(shot, other, ball));
        }
    }

    let reach = laws.reach(table.nose, spec);
    for event in &shot.events {
        let before = |ball: usize| last_before(shot, ball, event.t).r;
        let apart = match event.kind {
            EventKind::BallBall(a, b) => norm(sub(before(a), before(b))) - 2.0 * spec.radius,
            EventKind::Rail(ball, rail) => {
                let segment = &table.segments[rail];
                dot(sub(before(ball), segment.from), segment.normal) - reach
            }
            EventKind::Jaw(ball, jaw) => {
                let jaw = &table.jaws[jaw];
                norm(sub(before(ball), jaw.centre)) - jaw.radius - reach
            }
            EventKind::Strike(_) | EventKind::Pocket(..) | EventKind::Transition(..) => continue,
        };
        worst.false_contact = worst.false_contact.max(apart);
    }
    worst
}

/// The ball at that time, by the motion that ends there if one does.
fn last_before(shot: &Shot, ball: usize, t: f64) -> Ball {
    let motions = &shot.motions[ball];
    let at = motions.partition_point(|motion| motion.t < t).saturating_sub(1);
    motions[at].at((t - motions[at].t).max(0.0), &shot.ball)
}

/// Whether the ball is neither within the nose lines nor at a pocket.
fn outside(motion: &Motion, table: &Table) -> bool {
    let [x, y] = motion.r;
    let within = (0.0..=table.width).contains(&x) && (0.0..=table.length).contains(&y);
    let at_pocket =
        table.pockets.iter().any(|pocket| norm(sub(motion.r, pocket.centre)) < pocket.radius + 0.1);
    !within && !at_pocket
}

/// How often two balls are looked at within a stretch of both their motions.
const LOOKS: u8 = 8;

/// How deep, in metres, two balls were ever in each other; negative if never.
fn deepest(shot: &Shot, one: usize, two: usize) -> f64 {
    let mut times: Vec<f64> =
        shot.motions[one].iter().chain(&shot.motions[two]).map(|motion| motion.t).collect();
    times.push(shot.rest);
    times.sort_by(f64::total_cmp);
    let mut deepest = f64::NEG_INFINITY;
    let mut look = |t: f64| {
        let (one, two) = (shot.at(one, t), shot.at(two, t));
        if one.state != State::Pocketed && two.state != State::Pocketed {
            deepest = deepest.max(2.0 * shot.ball.radius - norm(sub(one.r, two.r)));
        }
    };
    for pair in times.windows(2) {
        for part in 0..LOOKS {
            look(pair[0] + (pair[1] - pair[0]) * f64::from(part) / f64::from(LOOKS));
        }
    }
    deepest
}

/// Random numbers that are the same everywhere: SplitMix64.
#[derive(Clone, Copy, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Evenly between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (z ^ (z >> 31)) >> 11;
        low + (high - low) * (bits as f64 / (1_u64 << 53) as f64)
    }

    /// One of `0..below`.
    pub fn below(&mut self, below: usize) -> usize {
        self.between(0.0, below as f64) as usize
    }
}

/// A random shot: a table, its balls, and a strike.
#[derive(Clone, Debug)]
pub struct Try {
    /// The table.
    pub table: Table,
    /// The balls' make.
    pub spec: BallSpec,
    /// The balls; the first is struck.
    pub balls: Vec<Ball>,
    /// The strike.
    pub strike: Strike,
    /// Whether it is a break of a whole rack.
    pub is_break: bool,
}

/// The random shot of that number. Every other is a break: of a triangle or a diamond, frozen,
/// tight or as loose as the reference racks; the rest are shots at up to 15 scattered balls, some
/// of which touch. Strikes go up to a hard break's speed, to the rim of the tip's hold, and to a
/// steep massé.
pub fn random(number: u64) -> Try {
    let mut dice = Dice(number.wrapping_mul(0xd134_2543_de82_ef95));
    let is_break = number.is_multiple_of(2);
    let (table, spec) = match dice.below(4) {
        0 => (Table::pool_7ft(), BallSpec::POOL),
        1 => (Table::pool_9ft(), BallSpec::POOL),
        2 => (Table::pyramid_12ft(), BallSpec::PYRAMID),
        _ => (Table::snooker(), BallSpec::SNOOKER),
    };
    let mut balls = Vec::new();
    let heading = if is_break {
        let cue =
            [table.width * dice.between(0.3, 0.7), table.head_string.min(0.25 * table.length)];
        balls.push(Ball::at_rest(cue));
        let rows: &[usize] = if dice.below(2) == 0 { &[1, 2, 3, 4, 5] } else { &[1, 2, 3, 2, 1] };
        let gap = [0.0, 1e-6, 1e-4, 1e-3][dice.below(4)];
        let apart = 2.0 * spec.radius * (1.0 + gap);
        let apex = [0.5 * table.width, 0.72 * table.length];
        for (row, &count) in rows.iter().enumerate() {
            for at in 0..count {
                let loose = 0.45 * gap * spec.radius;
                let x = (at as f64 - 0.5 * (count - 1) as f64) * apart;
                let y = row as f64 * apart * libm::sqrt(0.75);
                let shake = [dice.between(-loose, loose), dice.between(-loose, loose)];
                balls.push(Ball::at_rest([apex[0] + x + shake[0], apex[1] + y + shake[1]]));
            }
        }
        let aim = sub(apex, cue);
        libm::atan2(aim[1], aim[0]) + dice.between(-0.02, 0.02)
    } else {
        let count = 1 + dice.below(15);
        while balls.len() < count {
            let from = balls.len().checked_sub(1).map(|last: usize| balls[last]);
            let place = match from {
                // Some touch the last one.
                Some(Ball { r, .. }) if dice.below(4) == 0 => {
                    let angle = dice.between(0.0, 2.0 * PI);
                    let apart = 2.0 * spec.radius;
                    [r[0] + apart * libm::cos(angle), r[1] + apart * libm::sin(angle)]
                }
                _ => [dice.between(0.0, table.width), dice.between(0.0, table.length)],
            };
            let inside = (0..2).all(|axis| {
                let size = [table.width, table.length][axis];
                (spec.radius..=size - spec.radius).contains(&place[axis])
            });
            let free = balls
                .iter()
                .all(|ball| norm(sub(ball.r, place)) >= 2.0 * spec.radius * (1.0 - 1e-15));
            if inside && free {
                balls.push(Ball::at_rest(place));
            }
        }
        dice.between(0.0, 2.0 * PI)
    };
    let (offset, angle) = (Strike::MISCUE * dice.between(0.0, 1.0), dice.between(0.0, 2.0 * PI));
    let steep = dice.below(8) == 0;
    let strike = Strike {
        ball: 0,
        speed: if is_break { dice.between(3.0, 9.0) } else { dice.between(0.1, 6.0) },
        heading,
        elevation: if steep { dice.between(0.0, 0.9 * FRAC_PI_2) } else { 0.0 },
        side: offset * libm::cos(angle),
        height: offset * libm::sin(angle),
    };
    Try { table, spec, balls, strike, is_break }
}

//! Tables: cushions, the round points of their jaws, pockets, and the marks on the cloth.

use alloc::{borrow::Cow, vec, vec::Vec};
use core::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, PI};

use schemars::JsonSchema;
use serde::Serialize;

use super::vector::{Vec2, left, scale, sub, unit};

/// Everything that a ball can meet, and the marks from which games are set up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Table {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Between the nose lines, across, in metres.
    pub width: f64,
    /// Between the nose lines, along, in metres.
    pub length: f64,
    /// How high above the cloth the cushions' noses are, in metres.
    pub nose: f64,
    /// Straight parts of the cushions: rails and the faces of the jaws.
    pub segments: Vec<Segment>,
    /// Round points where rails turn into jaws.
    pub jaws: Vec<Jaw>,
    /// Pockets: left near, left middle, left far, right near, right middle, right far.
    pub pockets: Vec<Pocket>,
    /// The line, `y` in metres, behind which the cue ball is placed.
    pub head_string: f64,
    /// Where the first ball of a rack stands.
    pub foot_spot: Vec2,
}

/// A straight part of a cushion, at its nose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Segment {
    /// One end.
    pub from: Vec2,
    /// The other end.
    pub to: Vec2,
    /// Away from the cushion, of length one.
    pub normal: Vec2,
}

/// A round point of a cushion, at its nose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Jaw {
    /// Its centre.
    pub centre: Vec2,
    /// Its radius, in metres.
    pub radius: f64,
}

/// A pocket: a ball falls when its centre comes over the circle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Pocket {
    /// Its centre.
    pub centre: Vec2,
    /// Its radius, in metres.
    pub radius: f64,
}

/// The measures of a pocket's opening. Lengths in metres, angle in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opening {
    /// Between the nose lines' ends, were they not rounded.
    pub mouth: f64,
    /// By how much the jaws widen: from the diagonal for a corner, from square for a middle pocket.
    pub angle: f64,
    /// How far the pocket's centre lies behind the corner or the nose line.
    pub depth: f64,
    /// The pocket's radius.
    pub radius: f64,
    /// The radius of the jaws' round points.
    pub jaw: f64,
}

/// The measures of a table with six pockets, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Between the nose lines, across.
    pub width: f64,
    /// Between the nose lines, along.
    pub length: f64,
    /// How far the jaws reach back from the nose line.
    pub cushion: f64,
    /// How high the nose is.
    pub nose: f64,
    /// Four of these.
    pub corner: Opening,
    /// Two of these.
    pub middle: Opening,
}

const DEGREE: f64 = PI / 180.0;
const INCH: f64 = 0.0254;

impl Table {
    /// A 7 ft bar table, as measured from a Showood by the pooltool project.
    pub fn pool_7ft() -> Table {
        Table::with_pockets(
            "pool_7ft",
            &Measures {
                width: 0.9906,
                length: 1.9812,
                cushion: 2.0 * INCH,
                nose: 0.64 * 2.0 * 0.028575,
                corner: Opening {
                    mouth: 0.118,
                    angle: 5.3 * DEGREE,
                    depth: 0.0417,
                    radius: 0.062,
                    jaw: 0.02095,
                },
                middle: Opening {
                    mouth: 0.137,
                    angle: 7.14 * DEGREE,
                    depth: 0.0685,
                    radius: 0.0645,
                    jaw: 0.00795,
                },
            },
        )
    }

    /// A 9 ft table of the WPA's equipment specifications: 100 by 50 inches, noses at 63.5 % of a
    /// ball, mouths in the middle of their ranges (corner 4 9/16 in at 142°, middle 5 1/16 in at
    /// 104°). Pockets and jaws as on the 7 ft table.
    pub fn pool_9ft() -> Table {
        Table::with_pockets(
            "pool_9ft",
            &Measures {
                width: 50.0 * INCH,
                length: 100.0 * INCH,
                cushion: 2.0 * INCH,
                nose: 0.635 * 2.0 * 0.028575,
                corner: Opening {
                    mouth: 4.5625 * INCH,
                    angle: 7.0 * DEGREE,
                    depth: 0.0417,
                    radius: 0.062,
                    jaw: 0.02095,
                },
                middle: Opening {
                    mouth: 5.0625 * INCH,
                    angle: 14.0 * DEGREE,
                    depth: 0.0685,
                    radius: 0.0645,
                    jaw: 0.00795,
                },
            },
        )
    }

    /// A full-size snooker table with round, parallel jaws.
    pub fn snooker() -> Table {
        let mut table = Table::with_pockets(
            "snooker",
            &Measures {
                width: 1.7465,
                length: 3.5445,
                cushion: 1.55 * INCH,
                nose: 0.028,
                corner: Opening {
                    mouth: 0.083,
                    angle: 0.0,
                    depth: 0.036,
                    radius: 0.043,
                    jaw: 3.6 * INCH,
                },
                middle: Opening {
                    mouth: 0.075,
                    angle: 0.0,
                    depth: 0.95 * INCH,
                    radius: 1.68 * INCH,
                    jaw: 2.5 * INCH,
                },
            },
        );
        // The baulk line is 29 inches from the cushion, the black spot 12 3/4 from the other.
        table.head_string = 29.0 * INCH;
        table.foot_spot[1] = table.length - 12.75 * INCH;
        table
    }

    /// A 12 ft table for Russian pyramid: 3.55 by 1.775 m, noses at 62.5 % of a 68 mm ball; mouths
    /// 72.5 mm in the corners and 82.5 mm in the middle (rules of the Russian federation: 72 to 73
    /// and 82 to 83). A ball passes with a few millimetres to spare, so the jaws are nearly sharp
    /// and nearly parallel, and a ball that is through them has fallen.
    pub fn pyramid_12ft() -> Table {
        Table::with_pockets(
            "pyramid_12ft",
            &Measures {
                width: 1.775,
                length: 3.55,
                cushion: 0.05,
                nose: 0.625 * 0.068,
                corner: Opening {
                    mouth: 0.0725,
                    angle: 1.0 * DEGREE,
                    depth: 0.045,
                    radius: 0.045,
                    jaw: 0.004,
                },
                middle: Opening {
                    mouth: 0.0825,
                    angle: 3.0 * DEGREE,
                    depth: 0.06,
                    radius: 0.052,
                    jaw: 0.004,
                },
            },
        )
    }

    /// A carom table: 2.84 by 1.42 m (UMB), noses 37 mm high.
    pub fn carom() -> Table {
        Table::plain("carom", 1.42, 2.84, 0.037)
    }

    /// Four cushions and no pockets.
    pub fn plain(name: &'static str, width: f64, length: f64, nose: f64) -> Table {
        let corners = [[0.0, 0.0], [width, 0.0], [width, length], [0.0, length]];
        let segments = (0..4).map(|i| Segment::facing_left(corners[i], corners[(i + 1) % 4]));
        Table::of_parts(name, [width, length], nose, segments.collect(), vec![], vec![])
    }

    /// Whatever has these parts. The marks are where pool has them: the head string a quarter along
    /// the table, the foot spot three quarters.
    pub fn of_parts(
        name: impl Into<Cow<'static, str>>,
        [width, length]: [f64; 2],
        nose: f64,
        segments: Vec<Segment>,
        jaws: Vec<Jaw>,
        pockets: Vec<Pocket>,
    ) -> Table {
        Table {
            name: name.into(),
            width,
            length,
            nose,
            segments,
            jaws,
            pockets,
            head_string: 0.25 * length,
            foot_spot: [0.5 * width, 0.75 * length],
        }
    }

    /// A table with six pockets, whose rails end in round points and straight jaws.
    ///
    /// All is made for one quarter and mirrored. A rail stops where the circle that rounds its end
    /// touches the nose line; the jaw's face goes on from the circle to `cushion` behind that line.
    pub fn with_pockets(name: impl Into<Cow<'static, str>>, m: &Measures) -> Table {
        let (w, l) = (m.width, m.length);
        let corner_jaw = FRAC_PI_4 + m.corner.angle;
        let corner_cut = m.corner.jaw / libm::tan((FRAC_PI_2 + corner_jaw) / 2.0);
        let middle_cut = m.middle.jaw / libm::tan((FRAC_PI_2 + m.middle.angle) / 2.0);
        let corner_end = m.corner.mouth * FRAC_1_SQRT_2 + corner_cut;
        let middle_end = (l - m.middle.mouth) / 2.0 - middle_cut;

        // Along a rail at x = 0, in (distance behind the nose line, distance along it).
        let corner_nose = m.corner.mouth * FRAC_1_SQRT_2;
        let corner_back = [m.cushion, corner_nose - m.cushion * libm::tan(corner_jaw)];
        let corner_face =
            [corner_cut * libm::cos(corner_jaw), corner_nose - corner_cut * libm::sin(corner_jaw)];
        // The reference takes the sine where tangency would want the tangent; the difference is
        // a fraction of a millimetre deep in the jaw.
        let middle_nose = (l - m.middle.mouth) / 2.0;
        let middle_back = [m.cushion, middle_nose + m.cushion * libm::sin(m.middle.angle)];
        let middle_face = [
            middle_cut * libm::cos(m.middle.angle),
            middle_nose + middle_cut * libm::sin(m.middle.angle),
        ];

        let mut segments = Vec::with_capacity(18);
        let mut jaws = Vec::with_capacity(12);
        let mut face = |a: Vec2, b: Vec2, towards: Vec2| {
            segments.push(Segment::facing(a, b, towards));
        };
        let centre = [w / 2.0, l / 2.0];
        for far in [false, true] {
            let y = |y: f64| if far { l - y } else { y };
            for right in [false, true] {
                let x = |x: f64| if right { w - x } else { x };
                // The half of a long rail, with its two jaws.
                face([x(0.0), y(corner_end)], [x(0.0), y(middle_end)], centre);
                let mouth = [x(0.0), y(0.0)];
                face(
                    [x(-corner_face[0]), y(corner_face[1])],
                    [x(-corner_back[0]), y(corner_back[1])],
                    mouth,
                );
                let mouth = [x(0.0), l / 2.0];
                face(
                    [x(-middle_face[0]), y(middle_face[1])],
                    [x(-middle_back[0]), y(middle_back[1])],
                    mouth,
                );
                // The short rail's jaw at the same corner.
                let mouth = [x(0.0), y(0.0)];
                face(
                    [x(corner_face[1]), y(-corner_face[0])],
                    [x(corner_back[1]), y(-corner_back[0])],
                    mouth,
                );
                let corner = m.corner.jaw;
                jaws.push(Jaw { centre: [x(-corner), y(corner_end)], radius: corner });
                jaws.push(Jaw { centre: [x(corner_end), y(-corner)], radius: corner });
                let middle = m.middle.jaw;
                jaws.push(Jaw { centre: [x(-middle), y(middle_end)], radius: middle });
            }
            face([corner_end, y(0.0)], [w - corner_end, y(0.0)], centre);
        }

        let out = m.corner.depth * FRAC_1_SQRT_2;
        let pockets = [(-out, w + out), (-m.middle.depth, w + m.middle.depth)];
        let [(left, right), (left_middle, right_middle)] = pockets;
        let corner = |x, y| Pocket { centre: [x, y], radius: m.corner.radius };
        let middle = |x| Pocket { centre: [x, l / 2.0], radius: m.middle.radius };
        let pockets = vec![
            corner(left, -out),
            middle(left_middle),
            corner(left, l + out),
            corner(right, -out),
            middle(right_middle),
            corner(right, l + out),
        ];
        Table::of_parts(name, [w, l], m.nose, segments, jaws, pockets)
    }
}

impl Segment {
    /// Between two points, with the table on the left of the way from the first to the second.
    pub fn facing_left(from: Vec2, to: Vec2) -> Segment {
        Segment { from, to, normal: left(unit(sub(to, from))) }
    }

    /// Between two points, with that third one on the table's side.
    pub fn facing(from: Vec2, to: Vec2, towards: Vec2) -> Segment {
        let segment = Segment::facing_left(from, to);
        let side = super::vector::dot(sub(towards, from), segment.normal);
        if side < 0.0 {
            Segment { normal: scale(segment.normal, -1.0), ..segment }
        } else {
            segment
        }
    }
}

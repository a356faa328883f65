//! Thinks of strokes and tries them on the physics. Pure: told where the balls lie, what the rules
//! allow, and when it is enough.

use std::f64::consts::{PI, TAU};

use games::billiards::physics::{Ball, BallSpec, Laws, Seen, Strike, Table, simulate};

/// What is played on.
pub(super) struct Cloth {
    pub(super) table: Table,
    pub(super) spec: BallSpec,
}

/// What a player sees who is to strike.
pub(super) struct Sight {
    pub(super) cloth: Cloth,
    /// Numbers and places of the balls on the table.
    pub(super) balls: Vec<(u8, [f64; 2])>,
    /// Those that may be struck.
    pub(super) strikers: Vec<u8>,
    /// Those that may be hit first.
    pub(super) on: Vec<u8>,
    /// The rack is to be broken.
    pub(super) opens: bool,
    /// The ball in hand may be put anywhere.
    pub(super) anywhere: bool,
    /// There is a cue ball, which must not fall; else any ball may strike, and fall.
    pub(super) pool: bool,
    /// A ball and its pocket must be called.
    pub(super) calls: bool,
}

/// How steady hands are.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    /// By how much a stroke goes astray, in radians, and in parts of its speed: as a standard
    /// deviation.
    pub(super) heading: f64,
    pub(super) speed: f64,
    /// How often a stroke is tried in mind, each time a bit astray.
    pub(super) tries: usize,
}

/// A stroke to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) ball: u8,
    pub(super) heading: f64,
    pub(super) speed: f64,
    /// Where to put the ball in hand before.
    pub(super) place: Option<[f64; 2]>,
    /// The ball and the pocket that are called.
    pub(super) call: Option<(u8, u8)>,
    pub(super) safety: bool,
}

/// Speeds of the stick that are tried, in m/s, and that of a break.
const SPEEDS: [f64; 3] = [1.3, 2.2, 3.6];
const BREAK_SPEED: f64 = 8.5;
/// The thinnest cut that is thought of: some 75°.
const CUT_COS_MIN: f64 = 0.26;
/// How far from the object ball the ball in hand is put, in metres.
const HAND_DISTANCES: [f64; 3] = [0.25, 0.4, 0.6];
/// Directions that are tried where no pot is seen.
const DIRECTIONS: usize = 90;
/// What a stroke is worth, in pots.
const FOUL: f64 = -1.5;
const GAME: f64 = 10.0;

type Place = [f64; 2];

/// The best stroke that is found before it is `enough`, as these hands play it.
pub(super) fn choose(
    sight: &Sight,
    hands: Hands,
    luck: &mut dyn FnMut() -> f64,
    mut enough: impl FnMut() -> bool,
) -> Stroke {
    let mut best = (f64::NEG_INFINITY, fallback(sight));
    if sight.opens {
        best.1 = break_off(sight);
    } else {
        let mut ideas = pots(sight);
        ideas.sort_by(|a, b| a.0.total_cmp(&b.0));
        ideas.truncate(60);
        let safeties = safeties(sight, luck);
        let strokes = ideas.into_iter().map(|it| it.1).chain(safeties);
        for stroke in strokes {
            if enough() && best.0 > FOUL {
                break;
            }
            // Who sees a sure pot need not look for a safety.
            if stroke.call.is_none() && best.0 > 0.6 {
                break;
            }
            for speed in SPEEDS {
                let stroke = Stroke { speed, ..stroke };
                let mut worth = 0.0;
                for _ in 0..hands.tries {
                    worth += value(sight, &astray(&stroke, hands, luck));
                }
                worth /= hands.tries as f64;
                if worth > best.0 {
                    best = (worth, stroke);
                }
            }
        }
    }
    let mut stroke = astray(&best.1, hands, luck);
    // A pot that is not expected is no call.
    if !sight.calls {
        (stroke.call, stroke.safety) = (None, false);
    } else if stroke.call.is_none() {
        stroke.safety = !sight.opens;
    }
    stroke
}

/// A stroke as unsteady hands play it.
fn astray(stroke: &Stroke, hands: Hands, luck: &mut dyn FnMut() -> f64) -> Stroke {
    // The sum of three is near enough to a bell curve; its deviation is ½.
    let mut bell = || 2.0 * (luck() + luck() + luck() - 1.5);
    let heading = wrapped(stroke.heading + hands.heading * bell());
    let speed = (stroke.speed * (1.0 + hands.speed * bell())).clamp(0.2, 9.5);
    Stroke { heading, speed, ..*stroke }
}

/// Strokes that send a ball straight into a pocket, each with how hard it is.
fn pots(sight: &Sight) -> Vec<(f64, Stroke)> {
    let mut found = Vec::new();
    for &(striker, from) in sight.balls.iter().filter(|it| sight.strikers.contains(&it.0)) {
        for &(target, at) in sight.balls.iter().filter(|it| sight.on.contains(&it.0)) {
            if striker == target {
                continue;
            }
            for pocket in 0..sight.cloth.table.pockets.len() {
                let way = Way { striker, target, at, pocket };
                found.extend(way.played(sight, from).map(|it| (it.0, it.1)));
                if sight.anywhere {
                    found.extend(way.placed(sight));
                }
            }
        }
    }
    found
}

/// A ball on its way into a pocket.
struct Way {
    striker: u8,
    target: u8,
    at: Place,
    pocket: usize,
}

impl Way {
    /// Where the striker must be when it meets the ball, and the ball's direction from there.
    fn ghost(&self, sight: &Sight) -> (Place, Place, f64) {
        let to = sight.cloth.table.pockets[self.pocket].centre;
        let (dir, far) = direction(self.at, to);
        let reach = 2.0 * sight.cloth.spec.radius;
        ([self.at[0] - reach * dir[0], self.at[1] - reach * dir[1]], dir, far)
    }

    /// The stroke from where the striker lies, if the way is free.
    fn played(&self, sight: &Sight, from: Place) -> Option<(f64, Stroke)> {
        let (ghost, dir, far) = self.ghost(sight);
        let (aim, near) = direction(from, ghost);
        let cut = aim[0] * dir[0] + aim[1] * dir[1];
        let pocket = &sight.cloth.table.pockets[self.pocket];
        // What is over the pocket's edge lies in nobody's way.
        let end =
            [pocket.centre[0] - dir[0] * pocket.radius, pocket.centre[1] - dir[1] * pocket.radius];
        let free = cut > CUT_COS_MIN
            && is_free(sight, from, ghost, [self.striker, self.target])
            && is_free(sight, self.at, end, [self.striker, self.target]);
        let stroke = Stroke {
            ball: self.striker,
            heading: aim[1].atan2(aim[0]),
            speed: SPEEDS[1],
            place: None,
            call: Some((self.target, self.pocket as u8)),
            safety: false,
        };
        free.then_some(((near + 0.3) * (far + 0.3) / (cut * cut), stroke))
    }

    /// The stroke from straight behind, where the ball in hand can be put there.
    fn placed(&self, sight: &Sight) -> Option<(f64, Stroke)> {
        let (ghost, dir, _) = self.ghost(sight);
        HAND_DISTANCES.into_iter().find_map(|back| {
            let place = [ghost[0] - back * dir[0], ghost[1] - back * dir[1]];
            if !lies_free(sight, place, self.striker) {
                return None;
            }
            let (hard, stroke) = self.played(sight, place)?;
            Some((hard, Stroke { place: Some(place), ..stroke }))
        })
    }
}

/// Strokes that at least meet a ball that is on: straight at it, thick and thin, and all around.
fn safeties(sight: &Sight, luck: &mut dyn FnMut() -> f64) -> Vec<Stroke> {
    let mut found = Vec::new();
    let plain = fallback(sight);
    for &(striker, from) in sight.balls.iter().filter(|it| sight.strikers.contains(&it.0)) {
        for &(target, at) in sight.balls.iter().filter(|it| sight.on.contains(&it.0)) {
            if striker == target {
                continue;
            }
            let (aim, far) = direction(from, at);
            let straight = aim[1].atan2(aim[0]);
            let half = (2.0 * sight.cloth.spec.radius / far).min(1.0).asin();
            for thickness in [0.0, -0.6, 0.6] {
                let heading = straight + thickness * half;
                found.push(Stroke { ball: striker, heading, ..plain });
            }
        }
    }
    for place in (1..found.len()).rev() {
        found.swap(place, (luck() * (place + 1) as f64) as usize % (place + 1));
    }
    let turned = luck();
    let around = (0..DIRECTIONS).map(|it| (it as f64 + turned) / DIRECTIONS as f64 * TAU);
    found.extend(around.map(|heading| Stroke { heading, ..plain }));
    found
}

/// The break: into the middle of the rack.
fn break_off(sight: &Sight) -> Stroke {
    Stroke { speed: BREAK_SPEED, ..fallback(sight) }
}

/// The first striker at the nearest ball that is on.
fn fallback(sight: &Sight) -> Stroke {
    let find = |ball: u8| sight.balls.iter().find(|it| it.0 == ball).map(|it| it.1);
    let ball = sight.strikers.iter().copied().find(|&it| find(it).is_some()).unwrap_or(0);
    let from = find(ball).unwrap_or([0.0; 2]);
    let nearest = sight.on.iter().filter(|&&it| it != ball).filter_map(|&it| find(it));
    let nearest = nearest.min_by(|a, b| direction(from, *a).1.total_cmp(&direction(from, *b).1));
    let (aim, _) = direction(from, nearest.unwrap_or([0.0; 2]));
    Stroke {
        ball,
        heading: aim[1].atan2(aim[0]),
        speed: SPEEDS[1],
        place: None,
        call: None,
        safety: false,
    }
}

/// What a stroke comes to, in pots: tried on the physics, and judged by what all rulebooks share.
fn value(sight: &Sight, stroke: &Stroke) -> f64 {
    let Cloth { table, spec } = &sight.cloth;
    let place = |it: &(u8, Place)| if it.0 == stroke.ball { stroke.place } else { None };
    let balls: Vec<Ball> =
        sight.balls.iter().map(|it| Ball::at_rest(place(it).unwrap_or(it.1))).collect();
    let Some(striker) = sight.balls.iter().position(|it| it.0 == stroke.ball) else {
        return f64::NEG_INFINITY;
    };
    let strike = Strike {
        ball: striker,
        speed: stroke.speed,
        heading: stroke.heading,
        elevation: 0.0,
        side: 0.0,
        height: 0.0,
    };
    let shot = simulate(table, spec, &balls, Some(&strike), &Laws::play());
    let number = |index: usize| sight.balls[index].0;
    let (mut first, mut fell, mut worth, mut scratched) = (None, false, 0.0, false);
    // After the first contact: the balls that met a cushion, and those that crossed the middle.
    let (mut cushions, mut crossed) = (Vec::new(), Vec::new());
    for seen in shot.seen(table) {
        match seen {
            Seen::Hit(a, b) if first.is_none() => {
                first = Some(number(if a == striker { b } else { a }));
            }
            Seen::Cushion(ball) if first.is_some() => cushions.push(ball),
            Seen::Crossed(ball) if first.is_some() => crossed.push(ball),
            Seen::Pot(ball, _) if sight.pool && ball == striker => scratched = true,
            Seen::Pot(ball, pocket) => {
                let called = stroke.call == Some((number(ball), pocket as u8));
                fell = true;
                worth += match (sight.calls, called) {
                    // The last ball of a rack that is called wins it; the 8 uncalled loses it.
                    (true, true) if sight.on == [number(ball)] => GAME,
                    (true, false) if number(ball) == 8 => -GAME,
                    (true, true) | (false, _) => 1.0,
                    (true, false) => 0.0,
                };
            }
            Seen::Hit(..) | Seen::Cushion(_) | Seen::Crossed(_) => {}
        }
    }
    let driven = match (sight.pool, cushions.as_slice()) {
        (_, []) => false,
        // Two cushions, or one and the middle of the table.
        (false, [ball]) => crossed.contains(ball),
        (true, _) | (false, _) => true,
    };
    let met = first.is_some_and(|it| sight.on.contains(&it));
    match met && !scratched && (fell || driven) {
        true => worth,
        false => FOUL + worth.min(0.0),
    }
}

/// Whether a ball can go from one place to another with nothing in its way but these.
fn is_free(sight: &Sight, from: Place, to: Place, but: [u8; 2]) -> bool {
    let (dir, far) = direction(from, to);
    let reach = 2.0 * sight.cloth.spec.radius;
    sight.balls.iter().filter(|it| !but.contains(&it.0)).all(|&(_, at)| {
        let off = [at[0] - from[0], at[1] - from[1]];
        let along = (off[0] * dir[0] + off[1] * dir[1]).clamp(0.0, far);
        let away = [off[0] - along * dir[0], off[1] - along * dir[1]];
        away[0].hypot(away[1]) >= reach
    })
}

/// Whether a ball may lie there.
fn lies_free(sight: &Sight, place: Place, but: u8) -> bool {
    let Cloth { table, spec } = &sight.cloth;
    let inside = |at: f64, size: f64| (spec.radius..=size - spec.radius).contains(&at);
    inside(place[0], table.width)
        && inside(place[1], table.length)
        && sight
            .balls
            .iter()
            .all(|&(ball, at)| ball == but || direction(place, at).1 >= 2.001 * spec.radius)
}

/// From one place to another: the direction, of length one, and how far.
fn direction(from: Place, to: Place) -> (Place, f64) {
    let (x, y) = (to[0] - from[0], to[1] - from[1]);
    let far = x.hypot(y).max(1e-9);
    ([x / far, y / far], far)
}

/// The same heading from -π to π.
fn wrapped(heading: f64) -> f64 {
    (heading + PI).rem_euclid(TAU) - PI
}

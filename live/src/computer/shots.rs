//! Thinks of strokes and tries them on the physics. Pure: told where the balls lie, what the rules
//! allow, and when it is enough.

use std::f64::consts::{PI, TAU};

use games::billiards::physics::{Ball, BallSpec, Laws, Seen, State, Strike, Table, simulate};

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
    /// The lowest ball is on, as in 9-ball.
    pub(super) lowest: bool,
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
    /// Whether it thinks of where the balls will lie for the next stroke.
    pub(super) plans: bool,
    /// Whether it strikes the ball off its middle, so that it follows, stops or comes back.
    pub(super) spins: bool,
}

/// A stroke to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) ball: u8,
    pub(super) heading: f64,
    pub(super) speed: f64,
    /// Where the tip meets the ball, above its middle, in radii.
    pub(super) height: f64,
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
/// What a sure next pot is worth, for oneself and for the opponent.
const NEXT: f64 = 0.7;
const THEIRS: f64 = 0.5;
/// How many of the best strokes are tried with spin, and in which ways: where the tip meets the
/// ball, and by what its speed is multiplied.
const SPUN: usize = 3;
const HEIGHTS: [f64; 4] = [-0.4, -0.2, 0.2, 0.4];
const FASTER: [f64; 3] = [0.75, 1.0, 1.35];
/// How much of the time is for the strokes without.
const PLAIN_SHARE: f64 = 0.6;
/// After so many times the time nothing more is tried, though all that was tried is foul.
const OVERTIME: f64 = 3.0;
/// How far a ball may miss the middle of a pocket of pool and fall, in metres.
const SLACK: f64 = 0.03;
/// How exactly a stroke is thought to be played when the next pot is judged, in radians.
const AIM_MIN: f64 = 0.002;

type Place = [f64; 2];

/// The best stroke that is found in time, as these hands play it. `spent` answers how much of the
/// time is over: 1 is all of it.
pub(super) fn choose(
    sight: &Sight,
    hands: Hands,
    luck: &mut dyn FnMut() -> f64,
    mut spent: impl FnMut() -> f64,
) -> Stroke {
    let mut best = (f64::NEG_INFINITY, fallback(sight));
    let mut good: Vec<(f64, Stroke)> = Vec::new();
    let share = if hands.spins { PLAIN_SHARE } else { 1.0 };
    if sight.opens {
        best.1 = break_off(sight);
    } else {
        let mut ideas = pots(sight);
        ideas.sort_by(|a, b| a.0.total_cmp(&b.0));
        ideas.truncate(60);
        let safeties = safeties(sight, luck);
        let strokes = ideas.into_iter().map(|it| it.1).chain(safeties);
        for stroke in strokes {
            let spent = spent();
            if (spent >= share && best.0 > FOUL) || spent >= OVERTIME {
                break;
            }
            // Who sees a sure pot need not look for a safety.
            if stroke.call.is_none() && best.0 > 0.6 {
                break;
            }
            for speed in SPEEDS {
                let stroke = Stroke { speed, ..stroke };
                let worth = tried(sight, &stroke, hands, luck);
                good.push((worth, stroke));
                if worth > best.0 {
                    best = (worth, stroke);
                }
            }
        }
    }
    if hands.spins && sight.pool {
        good.retain(|it| it.1.call.is_some() && it.0 > 0.0);
        good.sort_by(|a, b| b.0.total_cmp(&a.0));
        good.truncate(SPUN);
        let spun = good.into_iter().flat_map(|(_, stroke)| {
            HEIGHTS.into_iter().flat_map(move |height| {
                FASTER.map(|faster| Stroke { height, speed: stroke.speed * faster, ..stroke })
            })
        });
        for stroke in spun {
            if spent() >= 1.0 {
                break;
            }
            let worth = tried(sight, &stroke, hands, luck);
            if worth > best.0 {
                best = (worth, stroke);
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

/// What a stroke comes to on the average, played by these hands.
fn tried(sight: &Sight, stroke: &Stroke, hands: Hands, luck: &mut dyn FnMut() -> f64) -> f64 {
    let worth: f64 =
        (0..hands.tries).map(|_| value(sight, &astray(stroke, hands, luck), hands)).sum();
    worth / hands.tries as f64
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
        let reach = 2.0 * sight.cloth.spec.radius;
        // What is over the pocket's edge lies in nobody's way.
        let end =
            [pocket.centre[0] - dir[0] * pocket.radius, pocket.centre[1] - dir[1] * pocket.radius];
        let free = cut > CUT_COS_MIN
            && is_free(&sight.balls, reach, from, ghost, [self.striker, self.target])
            && is_free(&sight.balls, reach, self.at, end, [self.striker, self.target]);
        let stroke = Stroke {
            ball: self.striker,
            heading: aim[1].atan2(aim[0]),
            speed: SPEEDS[1],
            height: 0.0,
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
        height: 0.0,
        place: None,
        call: None,
        safety: false,
    }
}

/// What a stroke comes to, in pots: tried on the physics, and judged by what all rulebooks share.
fn value(sight: &Sight, stroke: &Stroke, hands: Hands) -> f64 {
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
        height: stroke.height,
    };
    let shot = simulate(table, spec, &balls, Some(&strike), &Laws::play());
    let number = |index: usize| sight.balls[index].0;
    let (mut first, mut fell, mut worth, mut scratched) = (None, false, 0.0, false);
    let (mut again, mut over) = (false, false);
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
                again |= called || !sight.calls;
                over |= number(ball) == if sight.lowest { 9 } else { 8 };
                worth += match (sight.calls, called) {
                    // The last ball of a rack that is called wins it; the 8 uncalled loses it.
                    (true, true) if sight.on == [number(ball)] => GAME,
                    (true, false) if number(ball) == 8 => -GAME,
                    (false, _) if sight.lowest && number(ball) == 9 => GAME,
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
    if !met || scratched || !(fell || driven) {
        return FOUL + worth.min(0.0);
    }
    if !hands.plans || !sight.pool || over {
        return worth;
    }
    let rest = shot.motions.iter().enumerate().filter_map(|(ball, motions)| {
        let last = motions.last()?;
        (last.state != State::Pocketed).then_some((number(ball), last.r))
    });
    let balls: Vec<(u8, Place)> = rest.collect();
    let on = next_on(sight, stroke, &balls, again);
    let chance = next_chance(sight, &balls, stroke.ball, &on, hands);
    worth + if again { NEXT * chance } else { -THEIRS * chance }
}

/// The balls that are on after a stroke, at pool: for who struck when they play `again`, else for
/// the other.
fn next_on(sight: &Sight, stroke: &Stroke, left: &[(u8, Place)], again: bool) -> Vec<u8> {
    let objects = left.iter().map(|it| it.0).filter(|&it| it != stroke.ball);
    if sight.lowest {
        return objects.min().into_iter().collect();
    }
    // Whose group is which is known by the ball that was to fall; at first by neither.
    let low = |ball: u8| ball < 8;
    let mine = sight.on.iter().copied().filter(|&it| it != 8);
    let group = match (stroke.call, mine.clone().next()) {
        (Some((called, _)), _) if again && called != 8 => Some(low(called)),
        (_, Some(one)) if mine.clone().all(|it| low(it) == low(one)) => Some(low(one)),
        _ => None,
    };
    let Some(group) = group else { return objects.filter(|&it| it != 8).collect() };
    let theirs = objects.filter(|&it| it != 8 && (low(it) == group) == again);
    let on: Vec<u8> = theirs.collect();
    if on.is_empty() { vec![8] } else { on }
}

/// How likely the easiest pot is from where the balls lie, roughly, from 0 to 1: the way of the
/// ball and that of the one it sends on each make the hands' error larger, and a thin cut more so.
fn next_chance(sight: &Sight, balls: &[(u8, Place)], striker: u8, on: &[u8], hands: Hands) -> f64 {
    let Some(from) = balls.iter().find(|it| it.0 == striker).map(|it| it.1) else { return 0.0 };
    let error = hands.heading.max(AIM_MIN);
    let reach = 2.0 * sight.cloth.spec.radius;
    let mut best = 0.0_f64;
    for &(target, at) in balls.iter().filter(|it| on.contains(&it.0)) {
        for pocket in &sight.cloth.table.pockets {
            let (dir, far) = direction(at, pocket.centre);
            let ghost = [at[0] - reach * dir[0], at[1] - reach * dir[1]];
            let (aim, near) = direction(from, ghost);
            let cut = aim[0] * dir[0] + aim[1] * dir[1];
            if cut <= CUT_COS_MIN {
                continue;
            }
            let chance = (SLACK * reach * cut / (error * near.max(reach) * far)).tanh();
            let end = [
                pocket.centre[0] - dir[0] * pocket.radius,
                pocket.centre[1] - dir[1] * pocket.radius,
            ];
            let pair = [striker, target];
            if chance > best
                && is_free(balls, reach, from, ghost, pair)
                && is_free(balls, reach, at, end, pair)
            {
                best = chance;
            }
        }
    }
    best
}

/// Whether a ball can go from one place to another with nothing in its way but these; `reach` is
/// its width.
fn is_free(balls: &[(u8, Place)], reach: f64, from: Place, to: Place, but: [u8; 2]) -> bool {
    let (dir, far) = direction(from, to);
    balls.iter().filter(|it| !but.contains(&it.0)).all(|&(_, at)| {
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

#[cfg(test)]
mod tests {
    use games::billiards::{Discipline, EightBall};

    use super::*;

    const EXPERT: Hands =
        Hands { heading: 0.0015, speed: 0.03, tries: 3, plans: true, spins: true };

    fn sight(balls: &[(u8, Place)], on: &[u8]) -> Sight {
        Sight {
            cloth: Cloth { table: EightBall::table(), spec: EightBall::SPEC },
            balls: balls.to_vec(),
            strikers: vec![0],
            on: on.to_vec(),
            opens: false,
            anywhere: false,
            pool: true,
            lowest: false,
            calls: true,
        }
    }

    fn at(ball: u8) -> (u8, Place) {
        (ball, [0.3 + 0.05 * f64::from(ball % 8), 0.5 + 0.1 * f64::from(ball)])
    }

    #[track_caller]
    fn check_next(on: &[u8], called: Option<u8>, left: &[u8], again: bool, expected: &[u8]) {
        let sight = sight(&[], on);
        let call = called.map(|it| (it, 0));
        let stroke = Stroke { call, ..fallback(&sight) };
        let left: Vec<(u8, Place)> = left.iter().map(|&it| at(it)).collect();
        assert_eq!(next_on(&sight, &stroke, &left, again), expected);
    }

    #[test]
    fn what_is_on_next_goes_by_the_groups() {
        check_next(&[1, 2, 3], Some(1), &[0, 2, 3, 8, 9, 10], true, &[2, 3]);
        check_next(&[1, 2, 3], Some(1), &[0, 1, 2, 3, 8, 9, 10], false, &[9, 10]);
        check_next(&[1], Some(1), &[0, 8, 9], true, &[8]);
        check_next(&[1], None, &[0, 1, 8], false, &[8]);
        // On an open table the called ball decides, and a miss decides nothing.
        check_next(&[1, 2, 9, 10], Some(9), &[0, 1, 2, 8, 10], true, &[10]);
        check_next(&[1, 2, 9, 10], Some(9), &[0, 1, 2, 8, 9, 10], false, &[1, 2, 9, 10]);
        let nine = Sight { lowest: true, ..sight(&[], &[2]) };
        let left = [at(0), at(4), at(7), at(9)];
        assert_eq!(next_on(&nine, &fallback(&nine), &left, true), [4]);
    }

    #[test]
    fn a_near_ball_at_a_pocket_is_a_better_chance_than_a_far_one() {
        let corner = EightBall::table().pockets[0].centre;
        let near = [(0, [0.6, 0.6]), (1, [0.15, 0.15])];
        let far = [(0, [0.9, 2.4]), (1, [0.6, 1.2])];
        let hidden = [(0, [0.6, 0.6]), (9, [0.3, 0.3]), (1, [0.15, 0.15])];
        let chance =
            |balls: &[(u8, Place)]| next_chance(&sight(balls, &[1]), balls, 0, &[1], EXPERT);
        assert!(corner[0] < 0.1 && corner[1] < 0.1, "{corner:?}");
        assert!(chance(&near) > 0.95, "{}", chance(&near));
        assert!(chance(&far) < 0.8 * chance(&near), "{}", chance(&far));
        assert!(chance(&hidden) < 0.5 * chance(&near), "{}", chance(&hidden));
        assert_eq!(chance(&[(1, [0.15, 0.15])]), 0.0);
    }

    #[test]
    fn it_ends_in_time_whatever_it_has_found() {
        let balls: Vec<_> = (0..16).map(at).collect();
        let sight = sight(&balls, &[1, 2, 3, 4, 5, 6, 7]);
        for most in [0.0, 1.0, 5.0] {
            let mut asked = 0.0;
            let spent = || {
                asked += 1.0;
                if asked > most { OVERTIME } else { 0.0 }
            };
            let stroke = choose(&sight, EXPERT, &mut || 0.5, spent);
            assert!(stroke.heading.is_finite() && (0.2..=9.5).contains(&stroke.speed));
            // Once more for the strokes with spin.
            assert!(asked <= most + 2.0, "{asked}");
        }
    }

    #[test]
    fn spin_stays_within_what_the_tip_holds() {
        let height_max = HEIGHTS.into_iter().fold(0.0, |most: f64, it| most.max(it.abs()));
        assert!(height_max < Strike::MISCUE);
    }
}

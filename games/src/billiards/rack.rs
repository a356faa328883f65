//! Where balls are put: racks, spots, and a ball in hand.

use alloc::{vec, vec::Vec};

use super::{
    physics::{BallSpec, Table},
    wire::Hand,
};
use crate::{Refusal, seed::Luck};

/// Where balls lie, by their numbers, in metres.
pub type Layout = Vec<[f64; 2]>;

/// Racked balls stand this much farther apart than they are thick, in diameters, so that none
/// touch: no two racks are alike, as on a real table.
const LOOSENESS: f64 = 1e-3;
/// A spotted ball comes this near to others, in metres: close, but not touching.
const SPOT_GAP: f64 = 1e-4;

/// A rack: balls 1 and up stand at `rows`, ball 0 on the head spot.
///
/// A row is the balls in it, from the apex on the foot spot towards the foot cushion.
pub(super) fn set_up(table: &Table, spec: &BallSpec, rows: &[&[u8]], luck: &mut Luck) -> Layout {
    let balls = rows.iter().map(|row| row.len()).sum::<usize>() + 1;
    let mut layout = vec![head_spot(table); balls];
    let apart = 2.0 * spec.radius * (1.0 + LOOSENESS);
    // Each strays by at most a third of the slack, which is less than would make two touch.
    let stray = 2.0 * spec.radius * LOOSENESS / 3.0;
    let [foot_x, foot_y] = table.foot_spot;
    for (back, row) in rows.iter().enumerate() {
        let y = foot_y + back as f64 * apart * libm::sqrt(0.75);
        let left = foot_x - (row.len() - 1) as f64 * apart / 2.0;
        for (place, &ball) in row.iter().enumerate() {
            let jitter = [luck.unit() - 0.5, luck.unit() - 0.5].map(|it| it * stray);
            let x = left + place as f64 * apart;
            layout[usize::from(ball)] = [x + jitter[0], y + jitter[1]];
        }
    }
    layout
}

/// The rows of a triangle of 15 whose balls are given from the apex on.
pub(super) fn triangle(balls: &[u8; 15]) -> [&[u8]; 5] {
    [&balls[..1], &balls[1..3], &balls[3..6], &balls[6..10], &balls[10..]]
}

/// The middle of the head string.
pub(super) fn head_spot(table: &Table) -> [f64; 2] {
    [table.width / 2.0, table.head_string]
}

/// The free place that is nearest to the foot spot on the way from it to the foot cushion, or, when
/// there is none, on the way back to the head.
pub(super) fn spot(table: &Table, spec: &BallSpec, others: &[[f64; 2]]) -> [f64; 2] {
    let [x, foot] = table.foot_spot;
    let apart = 2.0 * spec.radius + SPOT_GAP;
    let (near, far) = (spec.radius, table.length - spec.radius);
    // On this line every other ball takes an open stretch, and the nearest free place is the foot
    // spot or the end of a stretch.
    let stretches: Vec<(f64, f64)> = others
        .iter()
        .filter_map(|&[other_x, other_y]| {
            let half = apart * apart - (other_x - x) * (other_x - x);
            let half = (half > 0.0).then(|| libm::sqrt(half))?;
            Some((other_y - half, other_y + half))
        })
        .collect();
    let free = |y: f64| !stretches.iter().any(|&(from, to)| from < y && y < to);
    let ends = stretches.iter().flat_map(|&(from, to)| [from, to]);
    let places: Vec<f64> = ends.chain([foot]).filter(|&y| free(y)).collect();
    let behind = places.iter().copied().filter(|y| (foot..=far).contains(y));
    let before = places.iter().copied().filter(|y| (near..foot).contains(y));
    let best = behind.min_by(f64::total_cmp).or_else(|| before.max_by(f64::total_cmp));
    // OK because sixteen balls can't fill a table's length.
    [x, best.unwrap_or(foot)]
}

/// Refuses a place for the ball in hand where it may not lie.
pub(super) fn check_place(
    table: &Table,
    spec: &BallSpec,
    hand: Hand,
    [x, y]: [f64; 2],
    others: &[[f64; 2]],
) -> Result<(), Refusal> {
    let r = spec.radius;
    let inside = (r..=table.width - r).contains(&x) && (r..=table.length - r).contains(&y);
    if !inside {
        let message = "the ball must lie on the cloth, clear of the cushions";
        return Err(Refusal { code: "place_outside", message });
    }
    if hand == Hand::Behind && y > table.head_string {
        let message = "the ball must lie behind the head string";
        return Err(Refusal { code: "place_beyond_the_line", message });
    }
    if others.iter().any(|&[ox, oy]| libm::hypot(ox - x, oy - y) < 2.0 * r) {
        let message = "the ball must not lie on another";
        return Err(Refusal { code: "place_on_a_ball", message });
    }
    Ok(())
}

/// Where a ball in hand is put at first: it stays where it lies, when that is on the cloth and not
/// beyond the line; else it goes to the head spot, or as near behind it as there is room.
pub(super) fn hand_place(
    table: &Table,
    spec: &BallSpec,
    hand: Hand,
    lies: [f64; 2],
    others: &[[f64; 2]],
) -> [f64; 2] {
    let [middle, line] = head_spot(table);
    let far = if hand == Hand::Behind { line } else { table.length };
    // A ball at a cushion may lie a rounding error nearer than a placed one is allowed to.
    if (0.0..=table.width).contains(&lies[0]) && (0.0..=far).contains(&lies[1]) {
        return lies;
    }
    let step = spec.radius / 2.0;
    let rows = (0..).map(|row| line - f64::from(row) * step).take_while(|&y| y >= spec.radius);
    let places = rows.flat_map(|y| {
        let columns = (0..).map(move |column| f64::from(column) * step);
        let columns = columns.take_while(|dx| middle + dx <= table.width - spec.radius);
        columns.flat_map(move |dx| [[middle + dx, y], [middle - dx, y]])
    });
    let mut free = places.filter(|&it| check_place(table, spec, hand, it, others).is_ok());
    // OK because sixteen balls can't fill the head of a table.
    free.next().unwrap_or([middle, line])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    const R: f64 = BallSpec::POOL.radius;

    fn gap(a: [f64; 2], b: [f64; 2]) -> f64 {
        libm::hypot(a[0] - b[0], a[1] - b[1]) - 2.0 * R
    }

    #[test]
    fn no_two_racked_balls_touch() {
        let balls = core::array::from_fn(|i| i as u8 + 1);
        for seed in 0..200 {
            let luck = &mut Seed(seed).luck();
            let layout = set_up(&Table::pool_9ft(), &BallSpec::POOL, &triangle(&balls), luck);
            assert_eq!(layout.len(), 16);
            for (i, &a) in layout.iter().enumerate() {
                for &b in &layout[..i] {
                    assert!(gap(a, b) > 0.0, "seed {seed}: {a:?} and {b:?}");
                }
            }
            assert!(gap(layout[1], layout[2]) < 2e-4, "the rack is tight");
        }
    }

    #[test]
    fn a_spotted_ball_lies_on_the_spot_or_close_behind_what_is_there() {
        let table = Table::pool_9ft();
        let foot = table.foot_spot;
        let place = |others: &[[f64; 2]]| spot(&table, &BallSpec::POOL, others);
        assert_eq!(place(&[]), foot);
        assert_eq!(place(&[[0.2, 0.2]]), foot);

        let [x, y] = place(&[foot]);
        assert_eq!(x, foot[0]);
        assert!((y - (foot[1] + 2.0 * R + SPOT_GAP)).abs() < 1e-12);

        // One beside the line pushes it less far.
        let beside = [foot[0] + R, foot[1]];
        let placed = place(&[beside]);
        assert!(placed[1] > foot[1] && placed[1] < y);
        assert!((gap(placed, beside) - SPOT_GAP).abs() < 1e-12);

        // A gap that is too small is passed over, one that is large enough is not.
        let others = [foot, [foot[0], foot[1] + 3.9 * R]];
        assert!(place(&others)[1] > others[1][1]);
        let others = [foot, [foot[0], foot[1] + 4.1 * R]];
        assert!(place(&others)[1] < others[1][1]);
    }

    #[test]
    fn when_all_behind_the_spot_is_full_a_ball_is_spotted_before_it() {
        let table = Table::pool_9ft();
        let mut others = vec![table.foot_spot];
        while others.len() < 12 {
            let [x, y] = spot(&table, &BallSpec::POOL, &others);
            assert!(y > table.foot_spot[1], "ball {}", others.len());
            others.push([x, y]);
            if table.length - y < 3.0 * R {
                break;
            }
        }
        let [_, y] = spot(&table, &BallSpec::POOL, &others);
        assert!((y - (table.foot_spot[1] - 2.0 * R - SPOT_GAP)).abs() < 1e-12);
    }

    #[track_caller]
    fn check(place: [f64; 2], hand: Hand, refused: Option<&str>) {
        let table = Table::pool_9ft();
        let others = [[0.5, 0.5], [0.8, 2.0]];
        let found = check_place(&table, &BallSpec::POOL, hand, place, &others);
        assert_eq!(found.err().map(|it| it.code), refused, "{place:?}");
    }

    #[test]
    fn a_ball_in_hand_lies_on_the_cloth_behind_the_line_and_on_no_ball() {
        check([0.9, 0.5], Hand::Behind, None);
        check([0.9, 0.635], Hand::Behind, None);
        check([0.9, 0.636], Hand::Behind, Some("place_beyond_the_line"));
        check([0.9, 0.636], Hand::Anywhere, None);
        check([R, R], Hand::Anywhere, None);
        check([R - 1e-9, R], Hand::Anywhere, Some("place_outside"));
        check([0.6, 2.54 - 0.5 * R], Hand::Anywhere, Some("place_outside"));
        check([-3.0, 1e300], Hand::Anywhere, Some("place_outside"));
        check([0.5 + 1.99 * R, 0.5], Hand::Anywhere, Some("place_on_a_ball"));
        check([0.5 + 2.01 * R, 0.5], Hand::Anywhere, None);
    }

    #[test]
    fn a_ball_in_hand_is_first_put_where_it_may_lie() {
        let table = Table::pool_9ft();
        let place =
            |hand, lies, others: &[_]| hand_place(&table, &BallSpec::POOL, hand, lies, others);
        let head = head_spot(&table);
        let pocket = table.pockets[0].centre;
        assert_eq!(place(Hand::Anywhere, pocket, &[]), head);
        assert_eq!(place(Hand::Behind, [0.3, 2.0], &[]), head);
        assert_eq!(place(Hand::Behind, [0.3, 0.2], &[]), [0.3, 0.2]);
        assert_eq!(place(Hand::Anywhere, [0.3, 2.0], &[]), [0.3, 2.0]);
        let at_the_cushion = [R - 1e-12, 2.0];
        assert_eq!(place(Hand::Anywhere, at_the_cushion, &[]), at_the_cushion);
        let beside = place(Hand::Behind, pocket, &[head]);
        assert!(beside != head && gap(beside, head) >= 0.0 && beside[1] <= head[1]);
    }
}

//! Free pyramid. I am seat 0.

use games::billiards::Pyramid;

use super::*;
use Seen::{Crossed, Cushion, Hit, Off, Pot};

fn rack() -> Sheet {
    under_way::<Pyramid>(2, [])
}

/// I have so many points.
fn with_points(points: [u8; 2]) -> Sheet {
    let mut sheet = rack();
    let mut balls = 0..;
    for (seat, points) in [ME, OTHER].into_iter().zip(points) {
        for ball in balls.by_ref().take(points.into()) {
            sheet.shelve(seat, ball);
            sheet.points[seat.index()] += 1;
        }
    }
    sheet
}

fn with(striker: u8) -> Stroke {
    Stroke { striker, ..stroke() }
}

#[track_caller]
fn judged(sheet: &Sheet, striker: u8, seen: &[Seen], expected: (Ruling, &[Foul], Next)) -> Verdict {
    check(&Pyramid::default(), sheet, &with(striker), seen, expected)
}

fn penalty(fouls: &[Foul]) -> (Ruling, &[Foul], Next) {
    (Ruling::Penalty, fouls, Next::Take { seat: OTHER })
}

fn passes() -> (Ruling, &'static [Foul], Next) {
    (Ruling::TurnPasses, &[], plays(OTHER))
}

fn goes_on() -> (Ruling, &'static [Foul], Next) {
    (Ruling::GoesOn, &[], plays(ME))
}

#[test]
fn a_break_pots_or_drives_two_balls_to_cushions() {
    let sheet = sheet::<Pyramid>(2);
    judged(&sheet, 0, &[Hit(0, 1), Cushion(1), Cushion(2)], passes());
    judged(&sheet, 0, &[Hit(0, 1), Pot(4, 2)], goes_on());
    let illegal = &[Foul::IllegalBreak];
    judged(&sheet, 0, &[Hit(0, 1), Cushion(1), Cushion(0), Cushion(1)], penalty(illegal));
    judged(&sheet, 0, &[Cushion(0)], penalty(&[Foul::NoContact]));
    let permit = Pyramid::default().permit(&sheet, ME);
    assert_eq!(permit.strikers, [0], "the yellow one breaks");
}

#[test]
fn after_the_break_any_ball_strikes_any() {
    let sheet = under_way::<Pyramid>(2, [0, 5]);
    let permit = Pyramid::default().permit(&sheet, ME);
    let all = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    assert_eq!((permit.strikers.as_slice(), permit.on.as_slice()), (&all[..], &all[..]));
}

#[test]
fn every_ball_that_falls_on_a_legal_stroke_counts_one() {
    // Чужой, and two at once.
    let verdict = judged(&rack(), 7, &[Hit(3, 7), Pot(3, 0)], goes_on());
    assert_eq!((verdict.points, verdict.sheet.points), (vec![1, 0], vec![1, 0]));
    let verdict = judged(&rack(), 7, &[Hit(3, 7), Hit(3, 9), Pot(3, 0), Pot(9, 1)], goes_on());
    assert_eq!((verdict.points, &verdict.sheet.shelves[0]), (vec![2, 0], &vec![3, 9]));
    // Свой: the striker off an object ball.
    let verdict = judged(&rack(), 7, &[Hit(3, 7), Pot(7, 0)], goes_on());
    assert_eq!((verdict.points, verdict.sheet.gone), (vec![1, 0], vec![7]));
}

#[test]
fn without_a_pot_two_cushions_or_one_and_the_centre_line() {
    let foul = &[Foul::NoCushion];
    let legal: [&[Seen]; 6] = [
        &[Hit(7, 3), Cushion(3), Cushion(3)],
        &[Hit(7, 3), Cushion(3), Cushion(9)],
        &[Hit(7, 3), Cushion(7), Cushion(3)],
        &[Hit(7, 3), Cushion(3), Crossed(3)],
        &[Hit(7, 3), Crossed(3), Cushion(3)],
        &[Hit(7, 3), Crossed(7), Cushion(7)],
    ];
    for seen in legal {
        judged(&rack(), 7, seen, passes());
    }
    let illegal: [&[Seen]; 6] = [
        &[Hit(7, 3)],
        &[Hit(7, 3), Cushion(3)],
        &[Hit(7, 3), Crossed(3), Crossed(7)],
        // One ball crosses, another meets the cushion.
        &[Hit(7, 3), Crossed(7), Cushion(3)],
        // What was before the contact does not count.
        &[Cushion(7), Cushion(7), Hit(7, 3), Cushion(3)],
        &[Crossed(7), Hit(7, 3), Cushion(7)],
    ];
    for seen in illegal {
        judged(&rack(), 7, seen, penalty(foul));
    }
}

#[test]
fn casually_one_cushion_is_enough() {
    let rules = Pyramid { casual: true, ..Pyramid::default() };
    check(&rules, &rack(), &with(7), &[Hit(7, 3), Cushion(3)], passes());
    let foul = penalty(&[Foul::NoCushion]);
    check(&rules, &rack(), &with(7), &[Cushion(7), Hit(7, 3), Crossed(3)], foul);
}

#[test]
fn on_a_foul_what_fell_comes_back_and_the_other_takes_a_ball() {
    judged(&rack(), 7, &[Cushion(7), Cushion(7)], penalty(&[Foul::NoContact]));
    let own = &[Foul::OwnBallWithoutContact];
    let verdict = judged(&rack(), 7, &[Cushion(7), Pot(7, 3)], penalty(own));
    assert_eq!(verdict.spotted, [7]);
    let seen = [Hit(7, 3), Pot(3, 0), Pot(7, 1), Off(5)];
    let verdict = judged(&rack(), 7, &seen, penalty(&[Foul::BallOffTable]));
    assert_eq!(verdict.spotted, [3, 7, 5]);
    assert_eq!((verdict.points, verdict.sheet.gone), (vec![0, 0], vec![]));
}

#[test]
fn the_penalty_ball_is_a_point_for_who_takes_it() {
    let mut sheet = with_points([3, 2]);
    assert_eq!(Pyramid::default().took(&mut sheet, OTHER, 12), plays(OTHER));
    assert_eq!((sheet.points.as_slice(), sheet.has(12)), (&[3, 3][..], false));
    assert_eq!(sheet.shelves[1], [3, 4, 12]);
}

#[test]
fn eight_points_win_by_pots_and_by_penalty() {
    let won = |breaker| Next::Rack { winner: Some(ME), breaker };
    let sheet = with_points([7, 5]);
    judged(&sheet, 13, &[Hit(13, 14), Pot(14, 0)], (Ruling::RackWon, &[], won(OTHER)));
    let two = [Hit(13, 14), Pot(14, 0), Pot(13, 0)];
    let verdict = judged(&with_points([6, 5]), 13, &two, (Ruling::RackWon, &[], won(OTHER)));
    assert_eq!(verdict.sheet.points, [8, 5]);
    let mut sheet = with_points([7, 7]);
    sheet.breaker = OTHER;
    assert_eq!(Pyramid::default().took(&mut sheet, ME, 15), won(ME));
    let mut sheet = with_points([6, 7]);
    assert_eq!(Pyramid::default().took(&mut sheet, ME, 15), plays(ME));
}

#[test]
fn the_clock_is_a_foul() {
    let verdict = Pyramid::default().out_of_time(&rack(), ME);
    assert_eq!((verdict.fouls, verdict.next), (vec![Foul::Clock], Next::Take { seat: OTHER }));
    let verdict = Pyramid::default().out_of_time(&sheet::<Pyramid>(2), ME);
    assert_eq!(verdict.next, in_hand(OTHER, Hand::Behind), "nothing to take before the break");
}

#[test]
fn a_match_of_one_rack_is_told_in_balls_and_others_in_racks() {
    let mut sheet = with_points([3, 2]);
    sheet.racks = vec![0, 1];
    assert_eq!(Pyramid::default().scores(&sheet), [3, 2]);
    let rules = Pyramid { racks: 2, ..Pyramid::default() };
    assert_eq!(rules.scores(&sheet), [0, 1]);
    assert!(!rules.is_over(&sheet));
}

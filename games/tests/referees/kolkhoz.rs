//! Kolkhoz. I am seat 0, of three unless said otherwise.

use games::billiards::{Kolkhoz, Settlement, settle};

use super::*;
use Seen::{Crossed, Cushion, Hit, Off, Pot};

fn rack() -> Sheet {
    under_way::<Kolkhoz>(3, [])
}

#[track_caller]
fn judged(sheet: &Sheet, seen: &[Seen], expected: (Ruling, &[Foul], Next)) -> Verdict {
    check(&Kolkhoz::default(), sheet, &stroke(), seen, expected)
}

fn fouled(fouls: &[Foul]) -> (Ruling, &[Foul], Next) {
    (Ruling::Foul, fouls, plays(OTHER))
}

fn in_order(order: &[u8]) -> Vec<Seat> {
    order.iter().copied().map(Seat).collect()
}

#[test]
fn the_direct_settlement_is_mine_less_the_next_ones() {
    let points = |order: &[u8], balls: &[i64]| {
        let points = settle(Settlement::Direct, &in_order(order), balls);
        assert_eq!(points.iter().sum::<i64>(), 0);
        points
    };
    assert_eq!(points(&[0, 1, 2], &[6, 4, 7]), [2, -3, 1]);
    // The next one is the next to play, not the next seat.
    assert_eq!(points(&[0, 2, 1], &[6, 4, 7]), [-1, -2, 3]);
    assert_eq!(points(&[3, 1, 0, 2], &[-1, 5, 0, 9]), [-1, 6, -9, 4]);
}

#[test]
fn each_with_each_is_mine_less_everybodys() {
    let points = settle(Settlement::EachWithEach, &in_order(&[2, 0, 1]), &[6, 4, 7]);
    assert_eq!(points, [1, -5, 4]);
}

#[test]
fn a_player_keeps_the_table_while_potting() {
    let verdict =
        judged(&rack(), &[Hit(0, 3), Pot(3, 0), Pot(0, 1)], (Ruling::GoesOn, &[], plays(ME)));
    assert_eq!((verdict.points, verdict.sheet.points), (vec![2, 0, 0], vec![2, 0, 0]));
    let miss = [Hit(0, 3), Cushion(3), Crossed(3)];
    judged(&rack(), &miss, (Ruling::TurnPasses, &[], plays(OTHER)));
}

#[test]
fn play_follows_the_lot_and_skips_who_left() {
    let mut sheet = under_way::<Kolkhoz>(4, []);
    sheet.order = in_order(&[2, 0, 3, 1]);
    let miss = [Hit(0, 3), Cushion(3), Cushion(3)];
    judged(&sheet, &miss, (Ruling::TurnPasses, &[], plays(Seat(3))));
    sheet.out[3] = true;
    judged(&sheet, &miss, (Ruling::TurnPasses, &[], plays(Seat(1))));
    sheet.out[1] = true;
    judged(&sheet, &miss, (Ruling::TurnPasses, &[], plays(Seat(2))));
}

#[test]
fn a_foul_takes_a_point_and_brings_a_ball_back() {
    let mut sheet = rack();
    for (seat, ball) in [(ME, 4), (ME, 9), (OTHER, 5)] {
        sheet.shelve(seat, ball);
        sheet.points[seat.index()] += 1;
    }
    // The latest of its own; what fell on the foul comes back as well.
    let seen = [Hit(0, 3), Pot(3, 0), Off(7)];
    let verdict = judged(&sheet, &seen, fouled(&[Foul::BallOffTable]));
    assert_eq!((verdict.points, verdict.spotted), (vec![-1, 0, 0], vec![3, 7, 9]));
    assert_eq!(verdict.sheet.points, [1, 1, 0]);
    assert_eq!((verdict.sheet.gone, &verdict.sheet.shelves[0]), (vec![4, 5], &vec![4]));
}

#[test]
fn a_shelf_may_go_below_nothing() {
    let mut sheet = rack();
    let verdict = judged(&sheet, &[], fouled(&[Foul::NoContact]));
    assert_eq!((verdict.sheet.points, verdict.spotted), (vec![-1, 0, 0], vec![]));
    // Without a ball of its own the latest of anybody's comes back, and stays their point.
    sheet.shelve(OTHER, 5);
    sheet.points[1] = 1;
    let verdict = judged(&sheet, &[], fouled(&[Foul::NoContact]));
    assert_eq!((verdict.sheet.points, verdict.spotted), (vec![-1, 1, 0], vec![5]));
}

#[test]
fn the_next_player_takes_no_penalty_ball() {
    let verdict = judged(&rack(), &[Hit(0, 3)], fouled(&[Foul::NoCushion]));
    assert_eq!(verdict.next, plays(OTHER));
    let own = [Pot(0, 3)];
    let verdict = judged(&rack(), &own, fouled(&[Foul::OwnBallWithoutContact]));
    assert_eq!(verdict.spotted, [0]);
}

#[test]
fn coloured_balls_are_worth_more() {
    let rules = Kolkhoz { coloured: 2, ..Kolkhoz::default() };
    let seen = [Hit(0, 3), Pot(1, 0), Pot(2, 0), Pot(3, 0)];
    let verdict = check(&rules, &rack(), &stroke(), &seen, (Ruling::GoesOn, &[], plays(ME)));
    assert_eq!(verdict.points, [2 + 3 + 1, 0, 0]);
    let rules = Kolkhoz { coloured: 3, ..Kolkhoz::default() };
    let verdict = check(&rules, &rack(), &stroke(), &seen, (Ruling::GoesOn, &[], plays(ME)));
    assert_eq!(verdict.points, [2 + 3 + 5, 0, 0]);
    // A white one comes back first, if there is one.
    let verdict = rules.judge(&verdict.sheet, &stroke(), &[]);
    assert_eq!(verdict.spotted, [3]);
}

#[test]
fn the_last_ball_counts_two_and_its_player_breaks_next() {
    let sheet = under_way::<Kolkhoz>(3, 2..16);
    let over = |seat| (Ruling::RackOver, &[][..], Next::Rack { winner: None, breaker: seat });
    let verdict = judged(&sheet, &[Hit(0, 1), Pot(1, 2)], over(ME));
    assert_eq!(verdict.points, [2, 0, 0]);
    let verdict = judged(&sheet, &[Hit(0, 1), Pot(1, 2), Pot(0, 2)], over(ME));
    assert_eq!(verdict.points, [3, 0, 0]);
    let sheet = under_way::<Kolkhoz>(3, 3..16);
    judged(&sheet, &[Hit(0, 1), Pot(1, 2)], (Ruling::GoesOn, &[], plays(ME)));
}

#[test]
fn a_match_is_so_many_racks_or_until_somebody_has_enough() {
    let mut sheet = rack();
    sheet.totals = vec![4, 2, 6];
    sheet.points = vec![2, 2, 1];
    let rules = Kolkhoz { racks: 3, ..Kolkhoz::default() };
    assert_eq!(rules.scores(&sheet), [2, -3, 1], "of all racks together");
    assert!(!rules.is_over(&sheet));
    let capped = Kolkhoz { cap: 5, ..rules.clone() };
    assert!(!capped.is_over(&sheet));
    sheet.totals[0] = 7;
    assert!(capped.is_over(&sheet));
    sheet.rack = 3;
    assert!(rules.is_over(&sheet));
}

#[test]
fn the_clock_is_a_foul() {
    let verdict = Kolkhoz::default().out_of_time(&rack(), Seat(2));
    assert_eq!((verdict.fouls, verdict.next), (vec![Foul::Clock], plays(ME)));
    assert_eq!(verdict.sheet.points, [0, 0, -1]);
    let verdict = Kolkhoz::default().out_of_time(&sheet::<Kolkhoz>(3), ME);
    assert_eq!(verdict.next, in_hand(OTHER, Hand::Behind));
}

//! 9-ball. I am seat 0.

use games::billiards::NineBall;

use super::*;
use Seen::{Cushion, Hit, Off, Pot};

fn rack(gone: &[u8]) -> Sheet {
    under_way::<NineBall>(2, gone.iter().copied())
}

#[track_caller]
fn judged(sheet: &Sheet, seen: &[Seen], expected: (Ruling, &[Foul], Next)) -> Verdict {
    check(&NineBall::default(), sheet, &stroke(), seen, expected)
}

fn fouled(fouls: &[Foul]) -> (Ruling, &[Foul], Next) {
    (Ruling::Foul, fouls, in_hand(OTHER, Hand::Anywhere))
}

fn won() -> (Ruling, &'static [Foul], Next) {
    (Ruling::RackWon, &[], Next::Rack { winner: Some(ME), breaker: OTHER })
}

#[test]
fn a_break_meets_the_one_and_pots_or_drives_four_balls_to_cushions() {
    let sheet = sheet::<NineBall>(2);
    let four = [Hit(0, 1), Cushion(1), Cushion(2), Cushion(3), Cushion(4)];
    let verdict = judged(&sheet, &four, (Ruling::TurnPasses, &[], plays(OTHER)));
    assert_eq!(verdict.sheet.stage, Stage::AfterBreak);
    judged(&sheet, &[Hit(0, 1), Pot(5, 2)], (Ruling::GoesOn, &[], plays(ME)));
    judged(&sheet, &[Hit(0, 2), Pot(5, 2)], fouled(&[Foul::WrongBallFirst]));
    judged(&sheet, &four[..4], fouled(&[Foul::IllegalBreak]));
    let verdict = judged(&sheet, &[Hit(0, 1), Pot(5, 2), Pot(0, 2)], fouled(&[Foul::Scratch]));
    assert_eq!(verdict.sheet.stage, Stage::Later, "no push-out follows a foul");
    judged(&sheet, &[], fouled(&[Foul::NoContact, Foul::IllegalBreak]));
}

#[test]
fn the_lowest_ball_is_first() {
    let sheet = rack(&[1, 2, 4]);
    assert_eq!(NineBall::default().permit(&sheet, ME).on, [3]);
    judged(&sheet, &[Hit(0, 3), Cushion(0)], (Ruling::TurnPasses, &[], plays(OTHER)));
    judged(&sheet, &[Hit(0, 5), Pot(5, 1)], fouled(&[Foul::WrongBallFirst]));
    judged(&sheet, &[Cushion(0)], fouled(&[Foul::NoContact]));
    judged(&sheet, &[Cushion(0), Hit(0, 3)], fouled(&[Foul::NoCushion]));
}

#[test]
fn any_pot_after_a_legal_hit_goes_on() {
    let goes_on = (Ruling::GoesOn, &[][..], plays(ME));
    let verdict = judged(&rack(&[]), &[Hit(0, 1), Hit(1, 7), Pot(7, 3)], goes_on);
    assert_eq!(verdict.sheet.gone, [7]);
}

#[test]
fn the_nine_wins_at_any_time() {
    judged(&sheet::<NineBall>(2), &[Hit(0, 1), Pot(9, 2)], won());
    judged(&rack(&[]), &[Hit(0, 1), Hit(1, 9), Pot(9, 2)], won());
    judged(&rack(&[1, 2, 3, 4, 5, 6, 7, 8]), &[Hit(0, 9), Pot(9, 2)], won());
}

#[test]
fn on_a_foul_the_nine_comes_back_and_the_others_do_not() {
    let seen = [Hit(0, 1), Pot(1, 0), Pot(9, 2), Pot(0, 3)];
    let verdict = judged(&rack(&[]), &seen, fouled(&[Foul::Scratch]));
    assert_eq!((verdict.spotted, verdict.sheet.gone), (vec![9], vec![1]));
    let verdict =
        judged(&rack(&[]), &[Hit(0, 1), Pot(4, 1), Off(9)], fouled(&[Foul::BallOffTable]));
    assert_eq!((verdict.spotted, verdict.sheet.gone), (vec![9], vec![4]));
    let verdict =
        judged(&rack(&[]), &[Hit(0, 1), Cushion(1), Off(6)], fouled(&[Foul::BallOffTable]));
    assert_eq!((verdict.spotted, verdict.sheet.gone), (vec![], vec![6]));
}

#[test]
fn three_fouls_running_lose_the_rack() {
    let lost = Next::Rack { winner: Some(OTHER), breaker: OTHER };
    let mut sheet = rack(&[]);
    sheet.fouls = vec![0, 2];
    for running in 1..=2 {
        let verdict = judged(&sheet, &[], fouled(&[Foul::NoContact]));
        assert_eq!(verdict.sheet.fouls, [running, 2], "the other's are the other's");
        sheet = verdict.sheet;
    }
    let fouls = &[Foul::NoContact, Foul::ThreeFouls];
    judged(&sheet, &[], (Ruling::RackLost, fouls, lost.clone()));
    let clock = NineBall::default().out_of_time(&sheet, ME);
    assert_eq!(clock.fouls, [Foul::Clock, Foul::ThreeFouls]);
    assert_eq!(clock.next, lost);
    // A legal stroke ends the row.
    let legal = (Ruling::TurnPasses, &[][..], plays(OTHER));
    let verdict = judged(&sheet, &[Hit(0, 1), Cushion(1)], legal);
    assert_eq!(verdict.sheet.fouls, [0, 2]);
    // Where it is not played, nothing is counted.
    let rules = NineBall { three_fouls: false, ..NineBall::default() };
    let verdict = check(&rules, &sheet, &stroke(), &[], fouled(&[Foul::NoContact]));
    assert_eq!(verdict.sheet.fouls, [2, 2]);
}

#[test]
fn a_push_out_may_be_declared_only_right_after_a_legal_break() {
    let rules = NineBall { push_out: true, ..NineBall::default() };
    let mut sheet = sheet::<NineBall>(2);
    assert!(!rules.permit(&sheet, ME).push_out, "not on the break");
    sheet.stage = Stage::AfterBreak;
    assert!(rules.permit(&sheet, ME).push_out);
    assert!(!NineBall::default().permit(&sheet, ME).push_out, "only where it is set");
    let legal = [Hit(0, 1), Pot(1, 0)];
    let verdict = rules.judge(&sheet, &stroke(), &legal);
    assert!(!rules.permit(&verdict.sheet, ME).push_out, "not two strokes after");
    let verdict = rules.out_of_time(&sheet, ME);
    assert!(!rules.permit(&verdict.sheet, OTHER).push_out, "not after a turn without a stroke");
}

#[test]
fn a_push_out_needs_neither_the_lowest_ball_nor_a_cushion() {
    let rules = NineBall { push_out: true, ..NineBall::default() };
    let mut sheet = sheet::<NineBall>(2);
    sheet.stage = Stage::AfterBreak;
    sheet.fouls = vec![2, 0];
    let push = Stroke { push_out: true, ..stroke() };
    let offer = |choice, seat| Offer { choice, spot: None, next: plays(seat) };
    let offers = vec![offer(Choice::Play, OTHER), offer(Choice::HandBack, ME)];
    let choice = Next::Choose { seat: OTHER, offers };
    for seen in [&[][..], &[Hit(0, 5)], &[Hit(0, 5), Pot(5, 1)]] {
        let pushed = (Ruling::PushOut, &[][..], choice.clone());
        let verdict = check(&rules, &sheet, &push, seen, pushed);
        assert_eq!(verdict.sheet.fouls, [0, 0]);
        assert_eq!(verdict.sheet.stage, Stage::Later);
    }
    // Pots stay, but the 9 comes back.
    let seen = [Hit(0, 5), Pot(5, 1), Pot(9, 2)];
    let verdict = check(&rules, &sheet, &push, &seen, (Ruling::PushOut, &[], choice));
    assert_eq!((verdict.spotted, verdict.sheet.gone), (vec![9], vec![5]));
    // A scratch is a foul, and the third.
    let lost = Next::Rack { winner: Some(OTHER), breaker: OTHER };
    let fouls = &[Foul::Scratch, Foul::ThreeFouls];
    check(&rules, &sheet, &push, &[Hit(0, 5), Pot(0, 1)], (Ruling::RackLost, fouls, lost));
    sheet.fouls = vec![0, 0];
    check(&rules, &sheet, &push, &[Hit(0, 5), Off(5)], fouled(&[Foul::BallOffTable]));
}

#[test]
fn the_clock_is_a_foul() {
    let verdict = NineBall::default().out_of_time(&rack(&[]), ME);
    assert_eq!((verdict.fouls, verdict.next), (vec![Foul::Clock], in_hand(OTHER, Hand::Anywhere)));
    let verdict = NineBall::default().out_of_time(&sheet::<NineBall>(2), ME);
    assert_eq!(verdict.next, in_hand(OTHER, Hand::Behind));
    assert_eq!(verdict.sheet.stage, Stage::Break);
}

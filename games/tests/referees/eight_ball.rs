//! 8-ball. I am seat 0.

use games::billiards::{EightBall, Group};

use super::*;
use Seen::{Cushion, Hit, Off, Pot};

const FOUL: Ruling = Ruling::Foul;

fn casual() -> EightBall {
    EightBall { casual: true, ..EightBall::default() }
}

/// A rack under way on an open table.
fn open(gone: &[u8]) -> Sheet {
    under_way::<EightBall>(2, gone.iter().copied())
}

/// I have the solids.
fn mine_are_solids(gone: &[u8]) -> Sheet {
    let mut sheet = open(gone);
    sheet.groups = vec![Some(Group::Solids), Some(Group::Stripes)];
    sheet
}

/// I have nothing but the 8 to play.
fn on_the_eight() -> Sheet {
    mine_are_solids(&[1, 2, 3, 4, 5, 6, 7, 11])
}

#[track_caller]
fn breaks(seen: &[Seen], expected: (Ruling, &[Foul], Next)) -> Verdict {
    let verdict = check(&EightBall::default(), &sheet::<EightBall>(2), &stroke(), seen, expected);
    assert_eq!(verdict.sheet.groups, [None, None], "the table is open after the break, always");
    verdict
}

#[track_caller]
fn judged(
    sheet: &Sheet,
    stroke: &Stroke,
    seen: &[Seen],
    expected: (Ruling, &[Foul], Next),
) -> Verdict {
    check(&EightBall::default(), sheet, stroke, seen, expected)
}

fn offers(seat: Seat, offers: &[(Choice, Option<u8>, Next)]) -> Next {
    let offer = |(choice, spot, next): &(Choice, Option<u8>, Next)| Offer {
        choice: *choice,
        spot: *spot,
        next: next.clone(),
    };
    Next::Choose { seat, offers: offers.iter().map(offer).collect() }
}

fn after_illegal_break(hand: Option<Hand>) -> Next {
    offers(
        OTHER,
        &[
            (Choice::Play, None, Next::Play { seat: OTHER, hand }),
            (Choice::Rerack, None, Next::Break { seat: OTHER }),
            (Choice::BreakAgain, None, Next::Break { seat: ME }),
        ],
    )
}

fn after_the_eight(seat: Seat, hand: Option<Hand>) -> Next {
    offers(
        seat,
        &[
            (Choice::Spot, Some(8), Next::Play { seat, hand }),
            (Choice::Rebreak, None, Next::Break { seat }),
        ],
    )
}

fn fouled(fouls: &[Foul]) -> (Ruling, &[Foul], Next) {
    (FOUL, fouls, in_hand(OTHER, Hand::Anywhere))
}

fn lost(fouls: &[Foul]) -> (Ruling, &[Foul], Next) {
    (Ruling::RackLost, fouls, rack_to(OTHER))
}

fn rack_to(winner: Seat) -> Next {
    Next::Rack { winner: Some(winner), breaker: OTHER }
}

#[test]
fn a_break_pots_or_drives_four_balls_to_cushions() {
    let four = [Hit(0, 1), Cushion(1), Cushion(9), Cushion(15), Cushion(4)];
    breaks(&four, (Ruling::TurnPasses, &[], plays(OTHER)));
    let verdict = breaks(&[Hit(0, 1), Pot(9, 2)], (Ruling::GoesOn, &[], plays(ME)));
    assert_eq!(verdict.sheet.shelves[0], [9]);
    assert_eq!(verdict.sheet.stage, Stage::Later);
}

#[test]
fn after_an_illegal_break_the_other_chooses() {
    let illegal = |fouls, hand| (Ruling::IllegalBreak, fouls, after_illegal_break(hand));
    let fouls = &[Foul::IllegalBreak][..];
    breaks(&[Hit(0, 1), Cushion(1), Cushion(9), Cushion(15)], illegal(fouls, None));
    // Neither the cue ball nor a ball's second cushion counts.
    let few = [Hit(0, 1), Cushion(1), Cushion(0), Cushion(1), Cushion(9), Cushion(15), Cushion(9)];
    breaks(&few, illegal(fouls, None));
    breaks(&[], illegal(fouls, None));
    let scratch = &[Foul::Scratch, Foul::IllegalBreak][..];
    breaks(&[Hit(0, 1), Pot(0, 3)], illegal(scratch, Some(Hand::Behind)));
}

#[test]
fn a_scratch_on_the_break_gives_the_ball_behind_the_head_string() {
    let next = in_hand(OTHER, Hand::Behind);
    let seen = [Hit(0, 1), Pot(9, 2), Pot(0, 3)];
    let verdict = breaks(&seen, (FOUL, &[Foul::Scratch], next.clone()));
    assert!(!verdict.sheet.has(9), "what fell stays down");
    assert!(verdict.sheet.has(0), "the cue ball is in hand, not gone");
    breaks(&[Hit(0, 1), Pot(9, 2), Off(3)], (FOUL, &[Foul::BallOffTable], next));
}

#[test]
fn the_eight_on_the_break_is_spotted_or_the_balls_are_racked_again() {
    let mine = after_the_eight(ME, None);
    let verdict = breaks(&[Hit(0, 1), Pot(8, 2)], (Ruling::EightOnBreak, &[], mine));
    assert!(!verdict.sheet.has(8), "it comes back when that is chosen");
    let theirs = after_the_eight(OTHER, Some(Hand::Behind));
    let fouls = &[Foul::Scratch][..];
    breaks(&[Hit(0, 1), Pot(8, 2), Pot(0, 1)], (Ruling::EightOnBreak, fouls, theirs.clone()));
    breaks(&[Hit(0, 1), Off(8)], (Ruling::EightOnBreak, &[Foul::BallOffTable], theirs));
}

#[test]
fn the_first_legal_called_pot_gives_the_groups() {
    let goes_on = (Ruling::GoesOn, &[][..], plays(ME));
    let verdict = judged(&open(&[]), &call(10, 2), &[Hit(0, 3), Pot(10, 2)], goes_on.clone());
    assert_eq!(verdict.sheet.groups, [Some(Group::Stripes), Some(Group::Solids)]);
    let both = [Hit(0, 3), Pot(12, 0), Pot(3, 2)];
    let verdict = judged(&open(&[]), &call(3, 2), &both, goes_on);
    assert_eq!(verdict.sheet.groups, [Some(Group::Solids), Some(Group::Stripes)]);
}

#[test]
fn nothing_else_gives_the_groups() {
    let passes = (Ruling::TurnPasses, &[][..], plays(OTHER));
    let safety = Stroke { safety: true, ..stroke() };
    let fouled = (FOUL, &[Foul::Scratch][..], in_hand(OTHER, Hand::Anywhere));
    for (stroke, seen, expected) in [
        (call(3, 2), &[Hit(0, 3), Pot(4, 2)][..], passes.clone()),
        (call(3, 2), &[Hit(0, 3), Pot(3, 1)], passes.clone()),
        (safety, &[Hit(0, 3), Pot(3, 1)], passes),
        (call(3, 2), &[Hit(0, 3), Pot(3, 2), Pot(0, 2)], fouled),
    ] {
        let verdict = judged(&open(&[]), &stroke, seen, expected);
        assert_eq!(verdict.sheet.groups, [None, None]);
        assert_eq!(verdict.sheet.shelves[0].len(), 1, "it stays down");
    }
}

#[test]
fn on_an_open_table_any_ball_but_the_eight_is_first() {
    let foul = (FOUL, &[Foul::WrongBallFirst][..], in_hand(OTHER, Hand::Anywhere));
    judged(&open(&[]), &call(3, 2), &[Hit(0, 8), Hit(8, 3), Pot(3, 2)], foul);
    let permit = EightBall::default().permit(&open(&[1, 9]), ME);
    assert_eq!(permit.on, [2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15]);
    assert_eq!((permit.strikers, permit.calls), (vec![0], true));
    let all_but_the_eight: Vec<u8> = (1..8).chain(9..16).collect();
    assert_eq!(EightBall::default().permit(&open(&all_but_the_eight), ME).on, [8]);
}

#[test]
fn only_the_called_ball_in_its_pocket_goes_on() {
    let sheet = mine_are_solids(&[]);
    let passes = || (Ruling::TurnPasses, &[][..], plays(OTHER));
    let goes_on = (Ruling::GoesOn, &[][..], plays(ME));
    judged(&sheet, &call(3, 2), &[Hit(0, 3), Pot(12, 5), Pot(3, 2)], goes_on);
    // In a wrong pocket it stays down all the same.
    let verdict = judged(&sheet, &call(3, 2), &[Hit(0, 3), Pot(3, 1)], passes());
    assert!(!verdict.sheet.has(3));
    judged(&sheet, &call(3, 2), &[Hit(0, 3), Pot(4, 2)], passes());
    // The opponent's ball only.
    let verdict = judged(&sheet, &call(3, 2), &[Hit(0, 3), Hit(3, 12), Pot(12, 2)], passes());
    assert!(!verdict.sheet.has(12));
    judged(&sheet, &call(3, 2), &[Hit(0, 3), Cushion(3)], passes());
    // A safety passes the turn, whatever falls.
    let safety = Stroke { safety: true, ..stroke() };
    judged(&sheet, &safety, &[Hit(0, 3), Pot(3, 2)], passes());
}

#[test]
fn fouls_give_the_ball_in_hand_anywhere() {
    let sheet = mine_are_solids(&[]);
    let case = |seen: &[Seen], fouls: &[Foul]| judged(&sheet, &call(3, 2), seen, fouled(fouls));
    case(&[], &[Foul::NoContact]);
    case(&[Cushion(0), Cushion(0)], &[Foul::NoContact]);
    case(&[Hit(0, 9), Cushion(9)], &[Foul::WrongBallFirst]);
    case(&[Hit(0, 8), Cushion(0)], &[Foul::WrongBallFirst]);
    case(&[Hit(0, 3)], &[Foul::NoCushion]);
    // A cushion before the contact is none, and neither is the fall of the cue ball.
    case(&[Cushion(0), Hit(0, 3)], &[Foul::NoCushion]);
    case(&[Hit(0, 3), Pot(0, 3)], &[Foul::NoCushion, Foul::Scratch]);
    case(&[Hit(0, 3), Pot(3, 2), Pot(0, 3)], &[Foul::Scratch]);
    case(&[Hit(0, 3), Cushion(3), Off(0)], &[Foul::BallOffTable]);
    let verdict = case(&[Hit(0, 3), Cushion(3), Off(14)], &[Foul::BallOffTable]);
    assert!(!verdict.sheet.has(14) && verdict.sheet.shelves[0].is_empty());
    // The order in which a contact is told does not matter.
    case(&[Hit(3, 0)], &[Foul::NoCushion]);
}

#[test]
fn the_eight_as_called_wins() {
    let win = (Ruling::RackWon, &[][..], rack_to(ME));
    judged(&on_the_eight(), &call(8, 4), &[Hit(0, 8), Pot(8, 4)], win.clone());
    check(&casual(), &on_the_eight(), &call(8, 4), &[Hit(0, 8), Pot(8, 4)], win);
}

#[test]
fn the_eight_otherwise_loses() {
    let early = mine_are_solids(&[1, 2, 3, 4, 5, 6]);
    let last = [Hit(0, 7), Pot(7, 2), Pot(8, 4)];
    judged(&early, &call(7, 2), &last, lost(&[Foul::EarlyEight]));
    let open = open(&[]);
    judged(&open, &call(7, 2), &[Hit(0, 7), Pot(8, 4)], lost(&[Foul::EarlyEight]));
    let sheet = on_the_eight();
    let wrong = &[Foul::EightInWrongPocket];
    judged(&sheet, &call(8, 4), &[Hit(0, 8), Pot(8, 3)], lost(wrong));
    let safety = Stroke { safety: true, ..stroke() };
    judged(&sheet, &safety, &[Hit(0, 8), Pot(8, 3)], lost(wrong));
    let scratch = [Hit(0, 8), Pot(8, 4), Pot(0, 1)];
    judged(&sheet, &call(8, 4), &scratch, lost(&[Foul::Scratch, Foul::EightOnFoul]));
    let wrong_first = [Hit(0, 9), Hit(9, 8), Pot(8, 4)];
    let fouls = &[Foul::WrongBallFirst, Foul::EightOnFoul];
    judged(&sheet, &call(8, 4), &wrong_first, lost(fouls));
    let off = [Hit(0, 8), Cushion(8), Off(8)];
    judged(&sheet, &call(8, 4), &off, lost(&[Foul::BallOffTable, Foul::EightOffTable]));
}

#[test]
fn a_foul_on_the_eight_that_leaves_it_is_no_more_than_a_foul() {
    let foul = (FOUL, &[Foul::Scratch][..], in_hand(OTHER, Hand::Anywhere));
    judged(&on_the_eight(), &call(8, 4), &[Hit(0, 8), Cushion(8), Pot(0, 1)], foul);
}

#[test]
fn casually_nothing_but_the_eight_is_called() {
    let rules = casual();
    let goes_on = (Ruling::GoesOn, &[][..], plays(ME));
    let passes = (Ruling::TurnPasses, &[][..], plays(OTHER));
    // The first that falls gives the groups.
    let both = [Hit(0, 3), Pot(12, 0), Pot(3, 2)];
    let verdict = check(&rules, &open(&[]), &stroke(), &both, goes_on.clone());
    assert_eq!(verdict.sheet.groups, [Some(Group::Stripes), Some(Group::Solids)]);
    let sheet = mine_are_solids(&[]);
    check(&rules, &sheet, &stroke(), &both, goes_on);
    check(&rules, &sheet, &stroke(), &[Hit(0, 3), Pot(12, 0)], passes);
    let lost = (Ruling::RackLost, &[Foul::EightInWrongPocket][..], rack_to(OTHER));
    check(&rules, &on_the_eight(), &stroke(), &[Hit(0, 8), Pot(8, 3)], lost);
    assert!(!rules.permit(&sheet, ME).calls);
    assert!(rules.permit(&on_the_eight(), ME).calls);
    assert!(!EightBall::default().permit(&super::sheet::<EightBall>(2), ME).calls, "the break");
}

#[test]
fn the_clock_is_a_foul() {
    let rules = EightBall::default();
    let verdict = rules.out_of_time(&mine_are_solids(&[]), ME);
    assert_eq!(verdict.fouls, [Foul::Clock]);
    assert_eq!(verdict.next, in_hand(OTHER, Hand::Anywhere));
    // Who does not break in time lets the other break.
    let verdict = rules.out_of_time(&sheet::<EightBall>(2), ME);
    assert_eq!(verdict.next, in_hand(OTHER, Hand::Behind));
    assert_eq!(verdict.sheet.stage, Stage::Break);
}

#[test]
fn breaks_alternate() {
    let mut sheet = on_the_eight();
    sheet.breaker = OTHER;
    let win = (Ruling::RackWon, &[][..], Next::Rack { winner: Some(ME), breaker: ME });
    judged(&sheet, &call(8, 4), &[Hit(0, 8), Pot(8, 4)], win);
}

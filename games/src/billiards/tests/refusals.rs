//! What is refused, with its code; and that nothing changes.

use super::*;

#[test]
fn strikes_that_no_stick_could_make_are_refused() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let good = strike(0);
    let nan = f64::NAN;
    for (bad, code) in [
        (Strike { speed: nan, ..good }, "bad_number"),
        (Strike { heading: f64::INFINITY, ..good }, "bad_number"),
        (Strike { side: nan, ..good }, "bad_number"),
        (Strike { height: -nan, ..good }, "bad_number"),
        (Strike { elevation: nan, ..good }, "bad_number"),
        (Strike { speed: 0.0, ..good }, "speed_out_of_range"),
        (Strike { speed: -1.0, ..good }, "speed_out_of_range"),
        (Strike { speed: 10.01, ..good }, "speed_out_of_range"),
        (Strike { heading: 7.0, ..good }, "heading_out_of_range"),
        (Strike { side: 0.4, height: 0.4, ..good }, "tip_off_the_ball"),
        (Strike { elevation: 1.5, ..good }, "elevation_out_of_range"),
        (Strike { elevation: -0.1, ..good }, "elevation_out_of_range"),
        (Strike { ball: 5, ..good }, "not_the_striker"),
        (Strike { ball: 16, ..good }, "no_such_ball"),
        (Strike { safety: true, ..good }, "no_safety_here"),
        (Strike { push_out: true, ..good }, "no_push_out_here"),
        (Strike { call: Some(Call { ball: 3, pocket: 6 }), ..good }, "no_such_pocket"),
        (
            Strike { call: Some(Call { ball: 99, pocket: 5 }), ..good },
            "call_of_a_ball_that_is_gone",
        ),
    ] {
        assert_refused(&mut play, seat, Action::Strike(bad), code);
    }
    assert_refused(&mut play, seat.other(), Action::Strike(good), "not_your_turn");
    assert_refused(&mut play, Seat(2), Action::Strike(good), "no_such_seat");
    assert_refused(&mut play, seat, Action::Choose { choice: Choice::Play }, "nothing_to_choose");
    assert_refused(&mut play, seat, Action::Take { ball: 3 }, "nothing_to_take");
}

#[test]
fn nobody_acts_before_the_balls_are_at_rest() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let lie = play.game.lie.clone();
    play.strike(strike(0), &GOOD_BREAK, lie);
    let [Update::Shot(shot)] = play.said.as_slice() else { panic!("{:?}", play.said) };
    assert_eq!((shot.began, shot.rest), (0.0, 6000.0));
    let view = play.game.view(play.now, Viewer::Crowd);
    assert_eq!((view.turn, view.verdict), (None, None), "the ruling is not told before");
    for seat in [seat, seat.other()] {
        assert_refused(&mut play, seat, Action::Strike(safety()), "balls_moving");
        let place = Action::Place { ball: 0, x: 0.5, y: 0.5 };
        assert_refused(&mut play, seat, place, "balls_moving");
    }
    assert_eq!(play.game.next_wake(), Some(Time::secs(6)));
    play.wake();
    assert_eq!(play.told().ruling, Ruling::TurnPasses);
    assert_eq!(play.turn().seat, seat.other());
    play.act(seat.other(), Action::Strike(safety())).unwrap();
}

#[test]
fn a_shot_is_called_or_declared_a_safety() {
    let mut play = dealt(EightBall::default(), 1);
    play.strike_seeing(strike(0), &[GOOD_BREAK.as_slice(), &[Seen::Pot(3, 0)]].concat());
    let seat = play.turn().seat;
    let calling = |ball| Strike { call: Some(Call { ball, pocket: 2 }), ..strike(0) };
    for (bad, code) in [
        (strike(0), "call_needed"),
        (calling(3), "call_of_a_ball_that_is_gone"),
        (calling(8), "call_of_a_wrong_ball"),
        (calling(0), "call_of_a_wrong_ball"),
        (Strike { safety: true, ..calling(4) }, "call_and_safety"),
    ] {
        assert_refused(&mut play, seat, Action::Strike(bad), code);
    }
    assert_refused(&mut play, seat, Action::Place { ball: 0, x: 0.5, y: 0.5 }, "not_in_hand");
    play.act(seat, Action::Strike(calling(4))).unwrap();
}

#[test]
fn the_ball_in_hand_lies_where_it_may() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let [x, y] = play.game.lie[1];
    let place = |x, y| Action::Place { ball: 0, x, y };
    for (bad, code) in [
        (place(f64::NAN, 0.5), "bad_number"),
        (place(0.5, f64::NEG_INFINITY), "bad_number"),
        (place(0.5, 0.0), "place_outside"),
        (place(x, y), "place_beyond_the_line"),
        (Action::Place { ball: 1, x: 0.5, y: 0.5 }, "not_in_hand"),
    ] {
        assert_refused(&mut play, seat, bad, code);
    }
    play.act(seat, place(0.4, 0.5)).unwrap();
    assert_eq!(play.said, [Update::Placed((0, 0.4, 0.5))]);
    assert_eq!(play.game.lie[0], [0.4, 0.5]);
    // After a foul later it may lie anywhere, but not on a ball.
    play.strike_seeing(strike(0), &GOOD_BREAK);
    play.strike_seeing(safety(), &[]);
    assert_eq!(play.turn().hand, Some(Hand::Anywhere));
    let seat = play.turn().seat;
    assert_refused(&mut play, seat, place(x, y + 0.03), "place_on_a_ball");
    play.act(seat, place(x, y - 0.1)).unwrap();
}

#[track_caller]
fn assert_bad<D: Discipline>(rules: D, seats: u8, field: &str) {
    let bad = Billiards::deal(rules, seats, Seed(1), Time(0)).unwrap_err();
    assert_eq!(bad.field, field, "{bad:?}");
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let eight = EightBall::default();
    assert_bad(EightBall { racks: 0, ..eight.clone() }, 2, "racks");
    assert_bad(EightBall { racks: 10, ..eight.clone() }, 2, "racks");
    assert_bad(EightBall { clock: 9, ..eight.clone() }, 2, "clock");
    assert_bad(EightBall { bank: 301, ..eight.clone() }, 2, "bank");
    assert_bad(eight, 3, "seats");
    assert_bad(NineBall { racks: 10, ..NineBall::default() }, 2, "racks");
    assert_bad(Pyramid { clock: 121, ..Pyramid::default() }, 2, "clock");
    let kolkhoz = Kolkhoz::default();
    assert_bad(Kolkhoz { coloured: 4, ..kolkhoz.clone() }, 3, "coloured");
    assert_bad(Kolkhoz { cap: 4, ..kolkhoz.clone() }, 3, "cap");
    assert_bad(Kolkhoz { racks: 11, ..kolkhoz.clone() }, 3, "racks");
    assert_bad(kolkhoz.clone(), 2, "seats");
    assert_bad(kolkhoz, 7, "seats");
    let unknown = serde_json::from_str::<EightBall>(r#"{"balls": 3}"#);
    assert!(unknown.is_err());
}

#[test]
fn actions_are_read_as_they_are_written() {
    let read = |text| serde_json::from_str::<Action>(text);
    let text = r#"{"action":"strike","ball":0,"speed":3,"heading":1.5,"side":0,"height":0}"#;
    assert_eq!(read(text).unwrap(), Action::Strike(strike(0)));
    let call = r#"{"action":"strike","ball":0,"speed":3,"heading":1.5,"side":0,"height":0,
                   "call":{"ball":3,"pocket":1}}"#;
    let called = Strike { call: Some(Call { ball: 3, pocket: 1 }), ..strike(0) };
    assert_eq!(read(call).unwrap(), Action::Strike(called));
    assert_eq!(read(r#"{"action":"resign"}"#).unwrap(), Action::Resign {});
    for bad in [
        r#"{"action":"strike","ball":0}"#,
        r#"{"action":"strike","ball":0,"speed":3,"heading":1.5,"side":0,"height":0,"luck":1}"#,
        r#"{"action":"strike","ball":-1,"speed":3,"heading":1.5,"side":0,"height":0}"#,
        r#"{"action":"choose","choice":"win"}"#,
        r#"{"action":"take","ball":256}"#,
        r#"{"action":"win"}"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn aiming_is_shown_only_by_who_is_to_strike() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let aim = Aim {
        ball: 0,
        heading: 1.0,
        speed: 0.0,
        side: 0.0,
        height: 0.0,
        elevation: 0.0,
        x: Some(0.5),
        y: Some(3.0),
    };
    let code = |play: &Play<_>, seat, aim: &Aim| play.game.gesture(seat, aim).map_err(|it| it.code);
    assert_eq!(code(&play, seat, &aim), Ok(()));
    assert_eq!(code(&play, seat.other(), &aim), Err("not_your_turn"));
    let bad = Aim { heading: f64::NAN, ..aim.clone() };
    assert_eq!(code(&play, seat, &bad), Err("bad_number"));
    let far = Aim { y: Some(7.0), ..aim.clone() };
    assert_eq!(code(&play, seat, &far), Err("place_outside"));
    let other = Aim { ball: 4, ..aim.clone() };
    assert_eq!(code(&play, seat, &other), Err("not_the_striker"));
    play.strike_seeing(strike(0), &[GOOD_BREAK.as_slice(), &[Seen::Pot(3, 0)]].concat());
    assert_eq!(code(&play, seat, &aim), Err("not_in_hand"));
    assert_eq!(code(&play, seat, &Aim { x: None, y: None, ..aim }), Ok(()));
}

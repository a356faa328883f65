//! Whole games and single steps of them: with strokes whose outcome is made up, by the thousands,
//! and with real ones.

use alloc::{format, string::String};

use super::*;
use crate::Said;

/// Acts and keeps time as `live` does, with made-up outcomes of strokes.
struct Play<D> {
    game: Billiards<D>,
    now: Time,
    luck: Luck,
    said: Vec<Update>,
}

fn dealt<D: Discipline>(rules: D, seed: u64) -> Play<D> {
    let game = Billiards::deal(rules, *D::SEATS.start(), Seed(seed), Time(0)).unwrap();
    Play { game, now: Time(0), luck: Seed(!seed).luck(), said: Vec::new() }
}

impl<D: Discipline> Play<D> {
    fn hear(&mut self, mut out: Out<Update>) {
        self.said = out
            .drain()
            .filter_map(|it| match it {
                Said::Update(_, update) => Some(update),
                Said::Scores(_) => None,
            })
            .collect();
    }

    fn act(&mut self, seat: Seat, action: Action) -> Result<(), &'static str> {
        let mut out = Out::default();
        let done = self.game.act(self.now, seat, action, &mut out).map_err(|it| it.code);
        self.hear(out);
        done
    }

    /// Goes on to the next moment that the game asked for.
    fn wake(&mut self) {
        self.now = self.game.next_wake().unwrap();
        let mut out = Out::default();
        self.game.wake(self.now, &mut out);
        self.hear(out);
    }

    fn turn(&self) -> Turn {
        self.game.view(self.now, Viewer::Crowd).turn.unwrap()
    }

    /// The seat whose turn it is strikes, and this is seen. The balls stay where they are.
    fn strike_seeing(&mut self, strike: Strike, seen: &[Seen]) {
        let lie = self.game.lie.clone();
        self.strike(strike, seen, lie);
        self.wake();
    }

    fn strike(&mut self, strike: Strike, seen: &[Seen], lie: Layout) {
        let Phase::Turn(turn) = self.game.phase.clone() else { panic!("balls roll") };
        let stroke = self.game.check_strike(&turn, &strike).unwrap();
        let path = physics::Shot { ball: D::SPEC, motions: vec![], events: vec![], rest: 6.0 };
        let mut out = Out::default();
        self.game.struck(self.now, strike, stroke, path, seen, lie, &mut out);
        self.hear(out);
    }

    fn told(&self) -> Told {
        self.game.told.clone().unwrap()
    }
}

fn strike(ball: u8) -> Strike {
    Strike {
        ball,
        speed: 3.0,
        heading: 1.5,
        side: 0.0,
        height: 0.0,
        elevation: 0.0,
        call: None,
        safety: false,
        push_out: false,
    }
}

fn safety() -> Strike {
    Strike { safety: true, ..strike(0) }
}

const GOOD_BREAK: [Seen; 5] =
    [Seen::Hit(0, 1), Seen::Cushion(1), Seen::Cushion(2), Seen::Cushion(3), Seen::Cushion(4)];

/// Refused with this code, and nothing has changed.
#[track_caller]
fn assert_refused<D: Discipline>(play: &mut Play<D>, seat: Seat, action: Action, code: &str) {
    let was = play.game.clone();
    assert_eq!(play.act(seat, action.clone()), Err(code), "{action:?}");
    assert_eq!(play.game, was);
    assert!(play.said.is_empty());
}

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

#[test]
fn a_cue_ball_that_fell_is_put_on_a_free_place() {
    let mut play = dealt(EightBall::default(), 1);
    let mut lie = play.game.lie.clone();
    lie[0] = [-0.03, -0.03];
    // Another lies on the head spot.
    lie[5] = rack::head_spot(&EightBall::table());
    play.strike(strike(0), &[GOOD_BREAK.as_slice(), &[Seen::Pot(0, 0)]].concat(), lie.clone());
    play.wake();
    let [x, y] = play.game.lie[0];
    assert!(libm::hypot(x - lie[5][0], y - lie[5][1]) >= 2.0 * EightBall::SPEC.radius);
    assert_eq!(play.turn().hand, Some(Hand::Behind));
    let moved = |it: &Update| matches!(it, Update::Balls(Balls { why: Why::Hand, .. }));
    assert!(play.said.iter().any(moved), "{:?}", play.said);
}

#[test]
fn what_is_chosen_follows() {
    for (choice, breaker_plays, racked) in [
        (Choice::Play, false, false),
        (Choice::Rerack, false, true),
        (Choice::BreakAgain, true, true),
    ] {
        let mut play = dealt(EightBall::default(), 1);
        let breaker = play.turn().seat;
        let mut lie = play.game.lie.clone();
        lie[1] = [0.3, 0.3];
        play.strike(strike(0), &[Seen::Hit(0, 1)], lie);
        play.wake();
        let turn = play.turn();
        assert_eq!((turn.seat, turn.phase), (breaker.other(), Doing::Choose));
        let offered = [Choice::Play, Choice::Rerack, Choice::BreakAgain];
        assert_eq!(turn.choices, offered);
        assert_refused(&mut play, turn.seat, Action::Strike(strike(0)), "choose_first");
        let spot = Action::Choose { choice: Choice::Spot };
        assert_refused(&mut play, turn.seat, spot, "not_a_choice");
        play.act(turn.seat, Action::Choose { choice }).unwrap();
        assert_eq!(play.said[0], Update::Chose((turn.seat, choice)));
        let seat = if breaker_plays { breaker } else { breaker.other() };
        let phase = if racked { Doing::Break } else { Doing::Shoot };
        assert_eq!((play.turn().seat, play.turn().phase), (seat, phase));
        assert_eq!(play.game.lie[1] != [0.3, 0.3], racked);
        assert_eq!(play.game.sheet.rack, 1);
    }
}

#[test]
fn the_eight_is_spotted_when_that_is_chosen() {
    let mut play = dealt(EightBall::default(), 1);
    play.strike_seeing(strike(0), &[GOOD_BREAK.as_slice(), &[Seen::Pot(8, 0)]].concat());
    let turn = play.turn();
    assert_eq!(turn.choices, [Choice::Spot, Choice::Rebreak]);
    play.act(turn.seat, Action::Choose { choice: Choice::Spot }).unwrap();
    assert!(play.game.sheet.has(8));
    assert_eq!(play.game.lie[8][0], EightBall::table().foot_spot[0]);
    assert_eq!((play.turn().seat, play.turn().hand), (turn.seat, None));
}

#[test]
fn the_penalty_ball_is_taken_before_play_goes_on() {
    let mut play = dealt(Pyramid::default(), 1);
    let breaker = play.turn().seat;
    play.strike_seeing(strike(0), &[]);
    let turn = play.turn();
    assert_eq!((turn.seat, turn.phase), (breaker.other(), Doing::Take));
    assert_eq!(turn.takes.len(), 16);
    assert_refused(&mut play, turn.seat, Action::Strike(strike(0)), "take_first");
    assert_refused(&mut play, turn.seat, Action::Take { ball: 16 }, "no_such_ball");
    play.act(turn.seat, Action::Take { ball: 7 }).unwrap();
    assert_eq!(play.game.scores()[turn.seat.index()], 1);
    assert_eq!((play.turn().seat, play.turn().strikers.len()), (turn.seat, 15));
    assert_refused(&mut play, turn.seat, Action::Strike(strike(7)), "no_such_ball");
}

#[test]
fn seven_and_a_penalty_win() {
    let mut play = dealt(Pyramid::default(), 1);
    let me = play.turn().seat;
    let seven: Vec<Seen> = (1..8).map(|ball| Seen::Pot(ball, 0)).collect();
    play.strike_seeing(strike(0), &[&[Seen::Hit(0, 1)][..], &seven].concat());
    let miss = [Seen::Hit(0, 8), Seen::Cushion(8), Seen::Crossed(8)];
    play.strike_seeing(strike(0), &miss);
    play.strike_seeing(strike(0), &[]);
    play.act(me, Action::Take { ball: 0 }).unwrap();
    let outcome = play.game.outcome().unwrap();
    assert_eq!((outcome.winner, outcome.reason), (Some(me), Reason::Score));
    assert_eq!(outcome.scores[me.index()], 8);
}

#[test]
fn racks_follow_each_other_and_the_break_alternates() {
    let mut play = dealt(NineBall { racks: 2, ..NineBall::default() }, 1);
    let first = play.turn().seat;
    let nine = [Seen::Hit(0, 1), Seen::Pot(9, 2)];
    play.strike_seeing(strike(0), &nine);
    assert_eq!(play.told().next_rack_at, Some(9_000.0));
    let view = play.game.view(play.now, Viewer::Crowd);
    assert_eq!((view.turn, view.next_rack_at), (None, Some(9_000.0)));
    assert_refused(&mut play, first, Action::Strike(strike(0)), "balls_moving");
    play.wake();
    assert_eq!((play.game.sheet.rack, play.game.sheet.gone.len()), (2, 0));
    assert_eq!((play.turn().seat, play.turn().phase), (first.other(), Doing::Break));
    play.strike_seeing(strike(0), &nine);
    play.wake();
    assert_eq!((play.game.sheet.rack, play.turn().seat), (3, first));
    assert_eq!(play.game.scores(), [1, 1]);
    play.strike_seeing(strike(0), &nine);
    let outcome = play.game.outcome().unwrap();
    assert_eq!((outcome.winner, outcome.reason), (Some(first), Reason::Score));
}

#[test]
fn the_bank_runs_when_the_clock_is_out() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    play.now = Time::secs(29);
    play.strike_seeing(strike(0), &[&GOOD_BREAK[..], &[Seen::Pot(3, 0)]].concat());
    assert_eq!(play.turn().bank, [30_000.0, 30_000.0]);
    play.now = play.now + Time::secs(42);
    play.strike_seeing(safety(), &GOOD_BREAK);
    assert_eq!(play.turn().bank[seat.index()], 18_000.0);
    assert_eq!(play.turn().bank[seat.other().index()], 30_000.0);
}

#[test]
fn a_clock_that_runs_out_is_a_foul_and_three_are_the_match() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    play.wake();
    assert_eq!(play.now, Time::secs(60));
    assert_eq!((play.told().fouls, play.turn().seat), (vec![Foul::Clock], seat.other()));
    assert_eq!(play.turn().bank[seat.index()], 0.0);
    play.strike_seeing(strike(0), &GOOD_BREAK);
    play.wake();
    assert_eq!(play.turn().hand, Some(Hand::Anywhere));
    play.strike_seeing(safety(), &GOOD_BREAK);
    play.wake();
    let outcome = play.game.outcome().unwrap();
    assert_eq!((outcome.winner, outcome.reason), (Some(seat.other()), Reason::Forfeit));
}

#[test]
fn who_thinks_too_long_about_a_choice_has_it_made() {
    let mut play = dealt(EightBall::default(), 1);
    play.strike_seeing(strike(0), &[Seen::Hit(0, 1)]);
    let chooser = play.turn().seat;
    play.wake();
    assert_eq!(play.said[0], Update::Chose((chooser, Choice::Play)));
    assert_eq!((play.turn().seat, play.turn().phase), (chooser, Doing::Shoot));
    let mut play = dealt(Pyramid::default(), 1);
    play.strike_seeing(strike(0), &[]);
    let taker = play.turn().seat;
    play.wake();
    assert_eq!(play.said[0], Update::Took((taker, 0)));
    assert_eq!(play.turn().seat, taker);
}

#[test]
fn nobody_wins_against_nobody() {
    let mut play = dealt(EightBall::default(), 1);
    while play.game.outcome().is_none() {
        play.wake();
    }
    let outcome = play.game.outcome().unwrap();
    assert_eq!((outcome.winner, outcome.reason), (None, Reason::Abandoned));
}

#[test]
fn who_stays_away_is_out_and_the_clock_does_not_wait() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let out = &mut Out::default();
    let turn = play.turn();
    assert_eq!(play.game.away(Time::secs(5), seat, Absence::Lost, out), Some(Time::secs(65)));
    assert_eq!(play.turn(), turn);
    play.wake();
    assert_eq!((play.now, play.turn().seat), (Time::secs(60), seat.other()));
    play.wake();
    let outcome = play.game.outcome().unwrap();
    assert_eq!(play.now, Time::secs(65));
    assert_eq!((outcome.winner, outcome.reason), (Some(seat.other()), Reason::Forfeit));
}

#[test]
fn an_interruption_by_the_server_costs_no_time() {
    let mut play = dealt(EightBall::default(), 1);
    let seat = play.turn().seat;
    let mut out = Out::default();
    play.now = Time::secs(40);
    for seat in [Seat(0), Seat(1)] {
        play.game.away(play.now, seat, Absence::Interrupted, &mut out);
    }
    play.hear(out);
    let [Update::Turn(turn)] = play.said.as_slice() else { panic!("{:?}", play.said) };
    assert_eq!((turn.seat, turn.until), (seat, None));
    assert_eq!(play.game.next_wake(), Some(Time::secs(100)));
    let mut out = Out::default();
    play.now = Time::secs(90);
    for seat in [Seat(0), Seat(1)] {
        play.game.back(play.now, seat, &mut out);
    }
    play.hear(out);
    assert_eq!(play.turn().until, Some(120_000.0));
    assert_eq!(play.turn().bank, [30_000.0, 30_000.0]);
}

#[test]
fn in_kolkhoz_others_play_on_without_who_left() {
    let mut play = dealt(Kolkhoz::default(), 1);
    let order = play.game.sheet.order.clone();
    assert_eq!(play.turn().seat, order[0]);
    play.act(order[0], Action::Resign {}).unwrap();
    assert_eq!((play.turn().seat, play.turn().phase), (order[1], Doing::Break));
    assert_refused(&mut play, order[0], Action::Strike(strike(0)), "you_left");
    assert_refused(&mut play, order[0], Action::Resign {}, "you_left");
    play.strike_seeing(strike(0), &[Seen::Hit(0, 1), Seen::Pot(1, 0)]);
    play.strike_seeing(strike(0), &[]);
    assert_eq!(play.turn().seat, order[2]);
    // The frozen shelf is settled with the others.
    assert_eq!(play.game.scores().iter().sum::<i64>(), 0);
    let out = &mut Out::default();
    play.game.leave(play.now, order[1], out);
    let outcome = play.game.outcome().unwrap();
    assert_eq!((outcome.winner, outcome.reason), (Some(order[2]), Reason::Forfeit));
}

#[test]
fn a_lot_decides_who_begins() {
    let mut begins = [0; 6];
    for seed in 0..600 {
        let game = Billiards::deal(Kolkhoz::default(), 6, Seed(seed), Time(0)).unwrap();
        let mut order = game.sheet.order.clone();
        begins[order[0].index()] += 1;
        order.sort_unstable();
        assert_eq!(order, (0..6).map(Seat).collect::<Vec<_>>());
    }
    assert!(begins.iter().all(|it| (60..140).contains(it)), "{begins:?}");
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

/// What holds of every match at every moment.
fn check<D: Discipline>(game: &Billiards<D>) -> Result<(), String> {
    let sheet = &game.sheet;
    let mut seen = sheet.gone.clone();
    seen.sort_unstable();
    seen.dedup();
    let shelved: Vec<u8> = sheet.shelves.iter().flatten().copied().collect();
    let mut once = shelved.clone();
    once.sort_unstable();
    once.dedup();
    let holds = [
        (seen.len() == sheet.gone.len(), "a ball is gone twice"),
        (once.len() == shelved.len(), "a ball is on two shelves"),
        (shelved.iter().all(|it| seen.contains(it)), "a shelved ball is on the table"),
        (game.balls().len() + seen.len() == usize::from(D::BALLS), "balls do not add up"),
        (sheet.racks.iter().all(|&it| it <= game.rules.target().into()), "too many racks"),
        (game.lie.len() == usize::from(D::BALLS), "a ball has no place"),
    ];
    for (holds, what) in holds {
        if !holds {
            return Err(format!("{what}: {sheet:?}"));
        }
    }
    match D::NAME {
        "pyramid" => {
            let lengths: Vec<i64> = sheet.shelves.iter().map(|it| it.len() as i64).collect();
            if lengths != sheet.points {
                return Err(format!("points are not the shelves: {sheet:?}"));
            }
        }
        "kolkhoz" => {
            if game.scores().iter().sum::<i64>() != 0 {
                return Err(format!("the points are not even: {sheet:?}"));
            }
        }
        "eight_ball" => {
            let groups = (sheet.groups[0], sheet.groups[1]);
            if groups.0.map(Group::other) != groups.1 {
                return Err(format!("groups: {sheet:?}"));
            }
        }
        _ => {}
    }
    let Phase::Turn(turn) = &game.phase else { return Ok(()) };
    let told = game.turn(turn);
    if sheet.out[turn.seat.index()] {
        return Err(format!("it is the turn of who left: {told:?}"));
    }
    if turn.task != Task::Take && (told.strikers.is_empty() || told.on.is_empty()) {
        return Err(format!("nothing to play: {told:?}"));
    }
    // No two balls lie on each other.
    for (at, (_, x, y)) in game.balls().into_iter().enumerate() {
        for (ball, ox, oy) in game.balls().into_iter().skip(at + 1) {
            if libm::hypot(ox - x, oy - y) < 2.0 * D::SPEC.radius - 1e-6 {
                return Err(format!("ball {ball} lies on another: {:?}", game.balls()));
            }
        }
    }
    Ok(())
}

/// What might be seen of a stroke by somebody who knows nothing of physics.
fn made_up(striker: u8, on_table: &[u8], luck: &mut Luck) -> Vec<Seen> {
    let any = |luck: &mut Luck| on_table[luck.below(on_table.len())];
    let mut seen = Vec::new();
    if luck.below(8) == 0 {
        seen.push(Seen::Cushion(striker));
    }
    let first = any(luck);
    let contact = first != striker && luck.below(20) > 0;
    if contact {
        seen.push(Seen::Hit(striker.min(first), striker.max(first)));
    }
    let mut gone = Vec::new();
    for _ in 0..luck.below(8) {
        let ball = if contact { any(luck) } else { striker };
        if gone.contains(&ball) {
            continue;
        }
        seen.push(match luck.below(12) {
            0..=4 => Seen::Cushion(ball),
            5..=6 => Seen::Crossed(ball),
            7..=10 => Seen::Pot(ball, luck.below(6) as u8),
            _ if luck.below(8) == 0 => Seen::Off(ball),
            _ => Seen::Cushion(ball),
        });
        if matches!(seen.last(), Some(Seen::Pot(..) | Seen::Off(_))) {
            gone.push(ball);
        }
    }
    seen
}

/// Somewhere on the table, clear of each other.
fn strewn<D: Discipline>(luck: &mut Luck) -> Layout {
    let table = D::table();
    let mut cells: Vec<(usize, usize)> = (0..60).map(|cell| (cell % 5, cell / 5)).collect();
    luck.shuffle(&mut cells);
    let (w, l) = (table.width / 5.0, table.length / 12.0);
    let stray = |luck: &mut Luck, side: f64| {
        let room = side / 2.0 - D::SPEC.radius;
        side / 2.0 + room * (luck.unit() * 2.0 - 1.0)
    };
    let cells = cells.into_iter().take(D::BALLS.into());
    cells.map(|(x, y)| [x as f64 * w + stray(luck, w), y as f64 * l + stray(luck, l)]).collect()
}

/// Some stroke that the turn allows, wherever it may lead.
fn some_strike<D: Discipline>(play: &mut Play<D>, turn: &Turn) -> Strike {
    let luck = &mut play.luck;
    let ball = turn.strikers[luck.below(turn.strikers.len())];
    let mut strike = strike(ball);
    let called = Call { ball: turn.on[luck.below(turn.on.len())], pocket: luck.below(6) as u8 };
    if turn.calls && luck.below(10) == 0 {
        strike.safety = true;
    } else if turn.calls {
        strike.call = Some(called);
    }
    strike.push_out = turn.push_out && luck.coin();
    strike
}

/// Does what the turn asks for, somehow, or lets the time go by.
fn step<D: Discipline>(play: &mut Play<D>) {
    if !matches!(play.game.phase, Phase::Turn(_)) {
        return play.wake();
    }
    let turn = play.turn();
    if play.luck.below(40) == 0 {
        return play.wake();
    }
    play.now = play.now + Time::millis(play.luck.below(3_000) as u64);
    match turn.phase {
        Doing::Choose => {
            let choice = turn.choices[play.luck.below(turn.choices.len())];
            play.act(turn.seat, Action::Choose { choice }).unwrap();
        }
        Doing::Take => {
            let ball = turn.takes[play.luck.below(turn.takes.len())];
            play.act(turn.seat, Action::Take { ball }).unwrap();
        }
        Doing::Break | Doing::Shoot => {
            let strike = some_strike(play, &turn);
            let on_table: Vec<u8> = play.game.sheet.on_table().collect();
            let mut seen = made_up(strike.ball, &on_table, &mut play.luck);
            // A called ball falls often enough for games to end.
            if let Some(call) = strike.call.filter(|_| play.luck.coin()) {
                seen.retain(|it| !matches!(it, Seen::Pot(..) | Seen::Off(_)));
                seen.insert(0, Seen::Hit(0, call.ball));
                seen.push(Seen::Pot(call.ball, call.pocket));
            }
            let lie = strewn::<D>(&mut play.luck);
            play.strike(strike, &seen, lie);
        }
    }
}

/// Plays matches of random strokes and seeds to their ends.
fn play_out<D: Discipline>(rules: &D, matches: u64) {
    let (mut won, mut by_score) = (0, 0);
    for seed in 0..matches {
        let mut play = dealt(rules.clone(), seed);
        while play.game.outcome().is_none() {
            assert!(play.now <= LONGEST, "{} {seed} goes on", D::NAME);
            step(&mut play);
            check(&play.game).unwrap_or_else(|broken| panic!("{} {seed}: {broken}", D::NAME));
        }
        let outcome = play.game.outcome().unwrap();
        won += u64::from(outcome.winner.is_some());
        by_score += u64::from(outcome.reason == Reason::Score);
        if outcome.reason == Reason::Score && D::SEATS == (2..=2) && play.now < LONGEST {
            let winner = outcome.winner.unwrap();
            let racks = play.game.sheet.racks[winner.index()];
            assert_eq!(racks, u32::from(rules.target()), "{} {seed}", D::NAME);
        }
    }
    assert!(won * 10 > matches * 8, "{}: {won} of {matches} have a winner", D::NAME);
    assert!(by_score * 10 > matches * 8, "{}: {by_score} of {matches} by score", D::NAME);
}

#[test]
fn thousands_of_matches_of_eight_ball_end_by_the_rules() {
    play_out(&EightBall::default(), 5_000);
    play_out(&EightBall { casual: true, racks: 2, ..EightBall::default() }, 1_000);
}

#[test]
fn thousands_of_matches_of_nine_ball_end_by_the_rules() {
    play_out(&NineBall { racks: 1, ..NineBall::default() }, 5_000);
    play_out(&NineBall { push_out: true, racks: 2, ..NineBall::default() }, 1_000);
}

#[test]
fn thousands_of_matches_of_pyramid_end_by_the_rules() {
    play_out(&Pyramid::default(), 5_000);
    play_out(&Pyramid { casual: true, racks: 2, ..Pyramid::default() }, 1_000);
}

#[test]
fn thousands_of_matches_of_kolkhoz_end_by_the_rules() {
    play_out(&Kolkhoz { racks: 1, ..Kolkhoz::default() }, 3_000);
    let settlement = Settlement::EachWithEach;
    play_out(&Kolkhoz { settlement, coloured: 3, cap: 20, ..Kolkhoz::default() }, 300);
}

/// Aims a ball at another so that this goes towards a pocket: the pair and the pocket with the
/// thinnest cut that is not too thin, a little off the mark.
fn aimed<D: Discipline>(play: &mut Play<D>, turn: &Turn) -> Strike {
    let table = D::table();
    let mut best = (f64::INFINITY, some_strike(play, turn));
    for &ball in &turn.strikers {
        for &on in turn.on.iter().filter(|&&on| on != ball) {
            for (pocket, to) in (0..).zip(&table.pockets) {
                let [x, y] = play.game.lie[usize::from(on)];
                let [sx, sy] = play.game.lie[usize::from(ball)];
                let along = libm::atan2(to.centre[1] - y, to.centre[0] - x);
                let d = 2.0 * D::SPEC.radius;
                let ghost = [x - d * libm::cos(along), y - d * libm::sin(along)];
                let heading = libm::atan2(ghost[1] - sy, ghost[0] - sx);
                let cut = libm::fabs(libm::remainder(heading - along, 2.0 * core::f64::consts::PI));
                if cut < best.0 {
                    let call = turn.calls.then_some(Call { ball: on, pocket });
                    best = (cut, Strike { heading, call, safety: false, ..best.1 });
                    best.1.ball = ball;
                }
            }
        }
    }
    let mut strike = Strike { push_out: false, ..best.1 };
    strike.heading += (play.luck.unit() - 0.5) * 0.01;
    strike.speed = if turn.phase == Doing::Break { 8.5 } else { 2.0 + 2.0 * play.luck.unit() };
    if turn.phase == Doing::Break {
        strike.heading = core::f64::consts::FRAC_PI_2 + (play.luck.unit() - 0.5) * 0.02;
    }
    strike
}

/// The same with real strokes: what the physics makes of them keeps the rules, too.
fn play_for_real<D: Discipline>(rules: &D, matches: u64) {
    let mut by_score = 0;
    for seed in 0..matches {
        let mut play = dealt(rules.clone(), seed);
        while play.game.outcome().is_none() {
            let turn = match &play.game.phase {
                Phase::Turn(_) => play.turn(),
                _ => {
                    play.wake();
                    check(&play.game).unwrap_or_else(|it| panic!("{} {seed}: {it}", D::NAME));
                    continue;
                }
            };
            play.now = play.now + Time::secs(1);
            let action = match turn.phase {
                Doing::Choose => Action::Choose { choice: turn.choices[0] },
                Doing::Take => Action::Take { ball: turn.takes[0] },
                Doing::Break | Doing::Shoot => Action::Strike(aimed(&mut play, &turn)),
            };
            play.act(turn.seat, action).unwrap();
        }
        by_score += u64::from(play.now < LONGEST);
    }
    assert!(by_score * 4 >= matches * 3, "{}: {by_score} of {matches} in time", D::NAME);
}

#[test]
fn matches_with_real_strokes_end_by_the_rules() {
    play_for_real(&EightBall::default(), 12);
    play_for_real(&NineBall { racks: 1, ..NineBall::default() }, 12);
    play_for_real(&Pyramid::default(), 12);
    play_for_real(&Kolkhoz { racks: 1, ..Kolkhoz::default() }, 6);
}

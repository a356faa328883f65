//! The course of a match, step by step: turns, choices, clocks, racks and absences.

use super::*;

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
fn who_leaves_while_balls_roll_stays_out() {
    let mut play = dealt(Kolkhoz::default(), 1);
    let order = play.game.sheet.order.clone();
    let lie = play.game.lie.clone();
    play.strike(strike(0), &[Seen::Hit(0, 1), Seen::Cushion(1), Seen::Cushion(2)], lie);
    play.game.leave(play.now, order[1], &mut Out::default());
    play.wake();
    assert_eq!(play.turn().seat, order[2]);
    assert!(play.game.sheet.out[order[1].index()]);
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

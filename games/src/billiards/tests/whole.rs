//! Whole matches, with outcomes of strokes that are made up, by the thousands, and with real ones.

use super::*;

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
    absences(play);
    if play.game.outcome().is_some() {
        return;
    }
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

/// Now and then somebody is away for a while, or leaves where others play on.
fn absences<D: Discipline>(play: &mut Play<D>) {
    let seats = play.game.players.len();
    let seat = Seat(play.luck.below(seats) as u8);
    let mut out = Out::default();
    match play.luck.below(4_000) {
        0 if seats > 2 => play.game.leave(play.now, seat, &mut out),
        1 => {
            play.game.away(play.now, seat, Absence::Lost, &mut out);
        }
        2 => {
            play.game.away(play.now, seat, Absence::Interrupted, &mut out);
        }
        3..400 => play.game.back(play.now, seat, &mut out),
        _ => {}
    }
}

/// Plays matches of random strokes and seeds to their ends.
fn play_out<D: Discipline>(rules: &D, matches: u64) {
    let (mut won, mut by_score) = (0, 0);
    for seed in 0..matches {
        let mut play = dealt(rules.clone(), seed);
        while play.game.outcome().is_none() {
            assert!(play.now <= LONGEST, "{} {seed} goes on", D::NAME);
            let left = play.game.sheet.out.clone();
            step(&mut play);
            let out = &play.game.sheet.out;
            assert!(left.iter().zip(out).all(|(left, out)| out >= left), "who left is back");
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
    play_out(&Kolkhoz::default(), 3_000);
    let settlement = Settlement::EachWithEach;
    play_out(&Kolkhoz { racks: 3, settlement, coloured: 3, cap: 20, ..Kolkhoz::default() }, 300);
}

/// Aims a ball at another so that this goes towards a pocket: the shortest and fullest way of all
/// that are free, a little off the mark.
fn aimed<D: Discipline>(play: &mut Play<D>, turn: &Turn) -> Strike {
    let (table, d) = (D::table(), 2.0 * D::SPEC.radius);
    let balls = play.game.balls();
    let place = |ball: u8| play.game.lie[usize::from(ball)];
    let way = |a: [f64; 2], b: [f64; 2]| [b[0] - a[0], b[1] - a[1]];
    let length = |[x, y]: [f64; 2]| libm::hypot(x, y);
    let free = |from: [f64; 2], to: [f64; 2], but: [u8; 2]| {
        let [x, y] = way(from, to);
        balls.iter().filter(|it| !but.contains(&it.0)).all(|&(_, bx, by)| {
            let [ox, oy] = way(from, [bx, by]);
            let along = ((ox * x + oy * y) / (x * x + y * y)).clamp(0.0, 1.0);
            length([ox - along * x, oy - along * y]) > d
        })
    };
    let mut best = (f64::INFINITY, turn.strikers[0], 0.0, Call { ball: turn.on[0], pocket: 0 });
    for &ball in &turn.strikers {
        for &on in turn.on.iter().filter(|&&on| on != ball) {
            for (pocket, to) in (0..).zip(&table.pockets) {
                let [x, y] = way(place(on), to.centre);
                let far = length([x, y]);
                let ghost = [place(on)[0] - d * x / far, place(on)[1] - d * y / far];
                let [gx, gy] = way(place(ball), ghost);
                let near = length([gx, gy]);
                let cut = libm::acos((gx * x + gy * y) / (near * far));
                let ways =
                    free(place(ball), ghost, [ball, on]) && free(place(on), to.centre, [ball, on]);
                let cost = far + 0.5 * near + cut + if ways && cut < 1.3 { 0.0 } else { 100.0 };
                if cost < best.0 {
                    best = (cost, ball, libm::atan2(gy, gx), Call { ball: on, pocket });
                }
            }
        }
    }
    let (_, ball, heading, call) = best;
    let (heading, speed) = match turn.phase {
        Doing::Break => (core::f64::consts::FRAC_PI_2, 8.5),
        Doing::Shoot | Doing::Choose | Doing::Take => (heading, 2.0 + 3.0 * play.luck.unit()),
    };
    let heading = heading + (play.luck.unit() - 0.5) * 0.004;
    Strike { speed, heading, call: turn.calls.then_some(call), ..strike(ball) }
}

/// The same with real strokes: what the physics makes of them keeps the rules, too. Answers how
/// many matches were played to their end.
fn play_for_real<D: Discipline>(rules: &D, matches: u64) -> u64 {
    let mut in_time = 0;
    for seed in 0..matches {
        let mut play = dealt(rules.clone(), seed);
        while play.game.outcome().is_none() {
            if !matches!(play.game.phase, Phase::Turn(_)) {
                play.wake();
                check(&play.game).unwrap_or_else(|it| panic!("{} {seed}: {it}", D::NAME));
                continue;
            }
            let turn = play.turn();
            play.now = play.now + Time::secs(1);
            let action = match turn.phase {
                Doing::Choose => Action::Choose { choice: turn.choices[0] },
                Doing::Take => Action::Take { ball: turn.takes[0] },
                Doing::Break | Doing::Shoot => Action::Strike(aimed(&mut play, &turn)),
            };
            play.act(turn.seat, action).unwrap();
        }
        in_time += u64::from(play.now < LONGEST);
    }
    in_time
}

#[test]
fn matches_with_real_strokes_end_by_the_rules() {
    assert_eq!(play_for_real(&EightBall::default(), 12), 12);
    assert_eq!(play_for_real(&NineBall { racks: 1, ..NineBall::default() }, 12), 12);
    assert!(play_for_real(&Pyramid::default(), 8) > 4);
    // A rack of Kolkhoz is never lost, only finished, and this player is no finisher: time may
    // have to end it.
    play_for_real(&Kolkhoz::default(), 2);
}

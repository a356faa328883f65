//! Whole matches, with outcomes of strokes that are made up, by the thousands, and with real ones.

use alloc::{format, string::String};

use super::*;

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
    let holds = match D::NAME {
        // Every ball is a point for who has it.
        "pyramid" => sheet.shelves.iter().zip(&sheet.points).all(|(a, &b)| a.len() as i64 == b),
        "kolkhoz" => game.scores().iter().sum::<i64>() == 0,
        "eight_ball" => sheet.groups[0].map(Group::other) == sheet.groups[1],
        _ => true,
    };
    if !holds {
        return Err(format!("points or groups do not fit: {sheet:?}"));
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
    strike.heading += (play.luck.unit() - 0.5) * 0.004;
    strike.speed = if turn.phase == Doing::Break { 8.5 } else { 2.0 + 3.0 * play.luck.unit() };
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

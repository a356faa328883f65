//! What holds of any shot: nothing overlaps, tunnels, leaves or gains energy, every shot ends, and
//! is the same on every machine and over the wire.

use games::billiards::physics::{
    Ball, BallSpec, EventKind, Laws, Seen, Shot, State, Strike, Table,
    check::{Worst, random, watch},
    simulate,
};

fn play(number: u64, laws: &Laws) -> (Table, Shot) {
    let it = random(number);
    let shot = simulate(&it.table, &it.spec, &it.balls, Some(&it.strike), laws);
    (it.table, shot)
}

#[test]
fn random_shots_keep_the_rules() {
    for laws in Laws::ALL {
        let mut worst = Worst::default();
        for number in 0..60 {
            let (table, shot) = play(number, &laws);
            let seen = watch(&shot, &table, &laws);
            assert!(seen.overlap <= 1e-6, "{} {number}: {seen:?}", laws.name);
            assert!(seen.gained <= 1e-9, "{} {number}: {seen:?}", laws.name);
            worst = worst.or(seen);
        }
        assert_eq!((worst.left, worst.moving), (0, 0), "{}: {worst:?}", laws.name);
        // The reference's laws set things that touch apart by a micrometre, several at once in a
        // rack.
        let off = if laws.reference { 5e-5 } else { 1e-9 };
        assert!(worst.false_contact <= off && worst.jump <= off, "{}: {worst:?}", laws.name);
        assert!(worst.events <= EVENTS, "{}: {worst:?}", laws.name);
    }
}

/// No break should have more events.
const EVENTS: usize = 300;

#[test]
fn no_break_has_too_many_events() {
    for laws in Laws::ALL {
        for number in (0..400).step_by(2) {
            let events = play(number, &laws).1.events.len();
            assert!(events <= EVENTS, "{} {number}: {events}", laws.name);
        }
    }
}

/// Of 30,000 random breaks some of those with the most events: two balls that jam in a pocket's
/// mouth, heaps that crawl.
#[test]
fn jams_and_heaps_come_to_rest() {
    for (laws, number) in [
        (Laws::play(), 6840),
        (Laws::play(), 40672),
        (Laws::default_laws(), 8324),
        (Laws::default_laws(), 48908),
        (Laws::simple(), 48876),
        (Laws::simple_e(), 40168),
        (Laws::impulse(), 4270),
        (Laws::han(), 8324),
    ] {
        let (table, shot) = play(number, &laws);
        let seen = watch(&shot, &table, &laws);
        assert!(seen.events <= EVENTS, "{} {number}: {seen:?}", laws.name);
        assert!(seen.overlap <= 1e-6 && seen.gained <= 1e-9, "{} {number}: {seen:?}", laws.name);
        assert_eq!((seen.left, seen.moving), (0, 0), "{} {number}: {seen:?}", laws.name);
    }
}

#[test]
fn the_hardest_shot_into_a_frozen_rack_ends() {
    let spec = BallSpec::POOL;
    let table = Table::pool_9ft();
    let mut balls = vec![Ball::at_rest([0.635, 0.6])];
    for row in 0..5_u8 {
        for at in 0..=row {
            let x = (f64::from(at) - 0.5 * f64::from(row)) * 2.0 * spec.radius;
            let y = f64::from(row) * 2.0 * spec.radius * 0.75_f64.sqrt();
            balls.push(Ball::at_rest([0.635 + x, 1.9 + y]));
        }
    }
    for laws in Laws::ALL {
        for (side, height) in [(0.0, 0.5), (0.5, 0.0), (0.0, -0.5), (0.3, 0.4)] {
            let heading = core::f64::consts::FRAC_PI_2;
            let strike = Strike { ball: 0, speed: 30.0, heading, elevation: 0.0, side, height };
            let shot = simulate(&table, &spec, &balls, Some(&strike), &laws);
            assert!(shot.events.len() <= 400, "{}: {}", laws.name, shot.events.len());
            assert!(shot.rest.is_finite());
            let worst = watch(&shot, &table, &laws);
            assert_eq!((worst.left, worst.moving), (0, 0), "{}: {worst:?}", laws.name);
        }
    }
}

#[test]
fn strikes_that_make_no_sense_move_nothing() {
    let strike =
        Strike { ball: 0, speed: 1.0, heading: 0.0, elevation: 0.0, side: 0.0, height: 0.0 };
    for wrong in [
        Strike { speed: f64::NAN, ..strike },
        Strike { heading: f64::INFINITY, ..strike },
        Strike { side: 0.8, height: 0.8, ..strike },
        Strike { ball: 1, ..strike },
    ] {
        let ball = Ball::at_rest([0.5, 0.5]);
        let laws = Laws::play();
        let shot = simulate(&Table::pool_7ft(), &BallSpec::POOL, &[ball], Some(&wrong), &laws);
        assert!(shot.events.is_empty());
        assert_eq!(shot.motions[0].len(), 1);
    }
}

#[test]
fn a_referee_sees_what_happens_in_order() {
    let (table, spec) = (Table::pool_7ft(), BallSpec::POOL);
    let balls = [Ball::at_rest([0.4953, 0.5]), Ball::at_rest([0.4953, 1.3])];
    let heading = core::f64::consts::FRAC_PI_2;
    let strike = Strike { ball: 0, speed: 1.5, heading, elevation: 0.0, side: 0.0, height: -0.2 };
    let shot = simulate(&table, &spec, &balls, Some(&strike), &Laws::play());
    let hit = Seen::Hit(0, 1);
    assert_eq!(shot.seen(&table), [Seen::Crossed(0), hit, Seen::Cushion(1), hit]);
    // Alone, the ball goes over the line there and back.
    let shot = simulate(&table, &spec, &balls[..1], Some(&strike), &Laws::play());
    let line = Seen::Crossed(0);
    assert_eq!(shot.seen(&table)[..3], [line, Seen::Cushion(0), line]);
}

/// All bits of a shot, folded (FNV-1a).
fn fingerprint(shot: &Shot) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut fold = |x: f64| {
        for byte in x.to_bits().to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for motion in shot.motions.iter().flatten() {
        fold(motion.t);
        fold(f64::from(u8::from(motion.state)));
        motion.r.into_iter().chain(motion.v).chain(motion.w).for_each(&mut fold);
    }
    for event in &shot.events {
        fold(event.t);
        fold(event.strength);
    }
    hash
}

/// The same in debug and release, and on every machine.
#[test]
fn shots_are_the_same_to_the_last_bit() {
    let ours: Vec<u64> = Laws::ALL
        .iter()
        .flat_map(|laws| [0, 1, 2].map(|number| fingerprint(&play(number, laws).1)))
        .collect();
    assert_eq!(ours, GOLDEN, "{ours:#018x?}");
}

const GOLDEN: [u64; 18] = [
    0xa7cd_2dfd_7883_0914,
    0x4606_1aa2_e7b8_80e2,
    0x72d1_9876_fd66_b413,
    0x9cb7_b416_76e3_722c,
    0xaa59_fe73_419a_9381,
    0x98f2_72ed_c878_5240,
    0xd2fd_53f3_c380_409d,
    0x2c9d_6d0c_8935_c05c,
    0x5942_ebcc_3068_fccc,
    0x3ef5_22a8_a56d_74ca,
    0x5cb4_026c_3c6a_e161,
    0x647e_133d_8d37_f807,
    0x46ba_7160_c285_1231,
    0x990d_436a_8d29_cac0,
    0xeae0_474c_d0b8_d30e,
    0x96a6_14d2_6ca9_3efa,
    0xdd81_0bff_25a5_af26,
    0xcbf2_33b9_3bcd_4af9,
];

#[test]
fn a_shot_crosses_the_wire_within_a_micrometre() {
    for number in 0..40 {
        let (_, shot) = play(number, &Laws::play());
        let json = serde_json::to_string(&shot).unwrap();
        assert!(json.len() < 64 * 1024, "{number}: {} bytes", json.len());
        let heard: Shot = serde_json::from_str(&json).unwrap();
        for step in 0..=200 {
            let t = shot.rest * f64::from(step) / 200.0;
            for ball in 0..shot.motions.len() {
                let (a, b) = (shot.at(ball, t), heard.at(ball, t));
                let off = (a.r[0] - b.r[0]).hypot(a.r[1] - b.r[1]);
                assert!(off < 1e-6, "{number}, ball {ball} at {t}: {off}");
            }
        }
        let told = shot.events.iter().filter(|it| !matches!(it.kind, EventKind::Transition(..)));
        assert_eq!(heard.events.len(), told.count());
    }
}

#[test]
fn rows_that_are_none_are_refused() {
    let (_, shot) = play(1, &Laws::play());
    let mut json = serde_json::to_value(&shot).unwrap();
    json["motions"][0][0][1] = 7.into();
    assert!(serde_json::from_value::<Shot>(json.clone()).is_err());
    json["motions"][0] = serde_json::json!([]);
    assert!(serde_json::from_value::<Shot>(json).is_err());
    assert_eq!(State::try_from(5), Err("a state is a number from 0 to 4"));
}

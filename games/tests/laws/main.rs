//! The laws that every game keeps, checked by one harness over every registered game; and games
//! with planted faults, to see that the harness finds them.

mod faulty;
mod harness;

use games::{Absence, Kind, for_game};
use harness::{Input, Step, check, play, unattended};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

/// What somebody who knows a game might send. Adding a game adds a line.
fn plausible(game: Kind) -> BoxedStrategy<Value> {
    match game {
        Kind::Pong => prop_oneof![
            20 => (-0.2..1.2f64).prop_map(|y| json!({ "action": "move", "y": y })),
            1 => Just(json!({ "action": "resign" })),
        ]
        .boxed(),
        Kind::EightBall | Kind::NineBall | Kind::Pyramid | Kind::Kolkhoz => billiards(),
    }
}

fn billiards() -> BoxedStrategy<Value> {
    let ball = || prop_oneof![3 => Just(0u8), 1 => 0..17u8];
    let call = (1..16u8, 0..7u8)
        .prop_map(|(ball, pocket)| json!({ "call": { "ball": ball, "pocket": pocket } }));
    let declared = prop_oneof![
        4 => Just(json!({})),
        4 => call,
        3 => Just(json!({ "safety": true })),
        1 => Just(json!({ "push_out": true })),
    ];
    let tip = || -0.4..0.4f64;
    let strike = (ball(), -0.5..10.5f64, -6.5..6.5f64, tip(), tip(), declared).prop_map(
        |(ball, speed, heading, side, height, declared)| {
            let mut strike = json!({
                "action": "strike",
                "ball": ball,
                "speed": speed,
                "heading": heading,
                "side": side,
                "height": height,
            });
            if let (Some(strike), Value::Object(declared)) = (strike.as_object_mut(), declared) {
                strike.extend(declared);
            }
            strike
        },
    );
    let place = (ball(), -0.1..1.9f64, -0.1..3.7f64)
        .prop_map(|(ball, x, y)| json!({ "action": "place", "ball": ball, "x": x, "y": y }));
    let choices = ["play", "rerack", "break_again", "spot", "rebreak", "hand_back"];
    let choose = proptest::sample::select(choices.to_vec())
        .prop_map(|choice| json!({ "action": "choose", "choice": choice }));
    let take = (0..17u8).prop_map(|ball| json!({ "action": "take", "ball": ball }));
    prop_oneof![
        20 => strike,
        4 => place,
        3 => choose,
        3 => take,
        1 => Just(json!({ "action": "resign" })),
    ]
    .boxed()
}

/// What somebody who does not might send.
fn junk() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
    ];
    let name = prop_oneof![Just("action".to_owned()), Just("y".to_owned()), "[a-z]{0,4}"];
    prop_oneof![
        leaf.clone(),
        proptest::collection::btree_map(name, leaf, 0..4)
            .prop_map(|it| Value::Object(it.into_iter().collect())),
    ]
    .boxed()
}

fn steps(game: Kind) -> impl Strategy<Value = Vec<Step>> {
    let input = prop_oneof![
        40 => plausible(game).prop_map(Input::Act),
        5 => junk().prop_map(Input::Act),
        3 => Just(Input::Away(Absence::Lost)),
        1 => Just(Input::Away(Absence::Interrupted)),
        3 => Just(Input::Back),
        1 => Just(Input::Leave),
    ];
    // Mostly as people act, sometimes at the same instant, sometimes after a long while.
    let wait = prop_oneof![
        2 => Just(0u64),
        20 => 0..300_000u64,
        5 => 0..5_000_000u64,
        1 => 0..3_600_000_000u64,
    ];
    // Between strokes there are seconds.
    let pace = if game == Kind::Pong { 1 } else { 40 };
    let step = (wait, 0..4u8, input).prop_map(move |(wait, seat, input)| Step {
        wait: wait * pace,
        seat,
        input,
    });
    vec(step, 0..80)
}

#[test]
fn every_game_keeps_the_laws() {
    for game in Kind::ALL {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let strategy = (any::<u64>(), steps(game));
        let result = runner.run(&strategy, |(seed, steps)| {
            let kept = for_game!(game, G => check::<G>(seed, &steps));
            kept.map_err(TestCaseError::fail)
        });
        if let Err(broken) = result {
            panic!("{game}: {broken}");
        }
    }
}

#[test]
fn every_game_ends_by_itself() {
    for game in Kind::ALL {
        for seed in 0..20 {
            let ended = for_game!(game, G => unattended::<G>(seed));
            ended.unwrap_or_else(|broken| panic!("{game}, seed {seed}: {broken}"));
        }
    }
}

/// The same journal must give the same match on every machine, in debug and release: these were
/// written down once. A change here is a change of the rules, and needs a new `Game::RULES`; unless
/// it is one of the default options, which are what they are played by.
#[test]
fn matches_of_the_past_are_still_the_same() {
    let mut changed = Vec::new();
    for game in Kind::ALL {
        let (rules, expected) = match game {
            Kind::Pong => (1, PONG),
            Kind::EightBall => (1, EIGHT_BALL),
            Kind::NineBall => (1, NINE_BALL),
            Kind::Pyramid => (1, PYRAMID),
            Kind::Kolkhoz => (1, KOLKHOZ),
        };
        assert_eq!(game.rules(), rules, "{game} has new rules: write down new matches");
        let mut found = Vec::new();
        for seed in 0..expected.len() as u64 {
            let steps: Vec<Step> = (0..600).map(|i| past_step(game, seed, i)).collect();
            let heard = for_game!(game, G => play::<G>(seed, &steps));
            found.push(fingerprint(&heard.expect("it keeps the laws")));
        }
        if found != expected {
            changed.push((game, found));
        }
    }
    assert!(changed.is_empty(), "{changed:?}");
}

const PONG: &[u64] =
    &[10751129721010635410, 5696218479950915122, 9824381098570582477, 16424091210321548844];
const EIGHT_BALL: &[u64] =
    &[7654309949168548526, 9697754040392328226, 9742803801668175034, 2841886767583126379];
const NINE_BALL: &[u64] =
    &[879339210699280371, 5334406677546378474, 10295171562818490246, 6774506221349514156];
const PYRAMID: &[u64] =
    &[17126145481416305823, 13301848959706407711, 6785825069041361293, 3386907279988781339];
const KOLKHOZ: &[u64] =
    &[7949359566864105286, 973452284464162081, 15261247028194792149, 5132643279262610304];

/// What happened in them: all that anybody might do, in turn.
fn past_step(game: Kind, seed: u64, i: u64) -> Step {
    let luck = (i * 37 + seed * 11) % 101;
    let (wait, action) = match game {
        Kind::Pong => (150_000 + i * 1_000, json!({ "action": "move", "y": luck as f64 / 100.0 })),
        Kind::EightBall | Kind::NineBall | Kind::Pyramid | Kind::Kolkhoz => {
            let mut strike = json!({
                "action": "strike",
                "ball": if i % 8 < 4 { 0 } else { luck % 16 },
                "speed": 1.0 + luck as f64 / 12.5,
                "heading": (i * 53 + seed * 29) as f64 % 628.0 / 100.0,
                "side": (luck as f64 - 50.0) / 150.0,
                "height": (luck as f64 - 40.0) / 200.0,
            });
            let choice = if i.is_multiple_of(3) { "spot" } else { "play" };
            let action = match i / 6 % 4 {
                0 => strike,
                1 => {
                    strike["safety"] = true.into();
                    strike
                }
                2 => json!({ "action": "take", "ball": luck % 16 }),
                _ => {
                    json!({ "action": "choose", "choice": choice })
                }
            };
            (2_500_000, action)
        }
    };
    let seats = u64::from(*game.seats().start());
    Step { wait, seat: (i % seats) as u8, input: Input::Act(action) }
}

/// FNV-1a, 64 bits.
fn fingerprint(heard: &[String]) -> u64 {
    let bytes = heard.iter().flat_map(|it| it.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

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
    }
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
    let step = (wait, 0..4u8, input).prop_map(|(wait, seat, input)| Step { wait, seat, input });
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
/// written down once. A change here is a change of the rules, and needs a new `Game::RULES`.
#[test]
fn matches_of_the_past_are_still_the_same() {
    for game in Kind::ALL {
        let (rules, expected) = match game {
            Kind::Pong => (1, PONG),
        };
        assert_eq!(game.rules(), rules, "{game} has new rules: write down new matches");
        let mut found = Vec::new();
        for seed in 0..expected.len() as u64 {
            let steps: Vec<Step> = (0..600)
                .map(|i: u64| {
                    let y = (i * 37 + seed * 11) % 101;
                    let action = json!({ "action": "move", "y": y as f64 / 100.0 });
                    let seat = (i % 2) as u8;
                    Step { wait: 150_000 + i * 1_000, seat, input: Input::Act(action) }
                })
                .collect();
            let heard = for_game!(game, G => play::<G>(seed, &steps));
            found.push(fingerprint(&heard.expect("it keeps the laws")));
        }
        assert_eq!(found, expected, "{game}");
    }
}

const PONG: &[u64] =
    &[10751129721010635410, 5696218479950915122, 9824381098570582477, 16424091210321548844];

/// FNV-1a, 64 bits.
fn fingerprint(heard: &[String]) -> u64 {
    let bytes = heard.iter().flat_map(|it| it.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

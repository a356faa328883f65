//! The simulation for a bounded time, and what shows that it sees anything.

use std::time::{Duration, Instant};

use super::{failure, plan::Plant, world};

/// Runs enough to be worth it, and few enough not to be waited for. The seeds are the same each
/// time, so that a red test is due to the change at hand: `cargo xtask simulate` looks further.
#[test]
fn all_ends_well() {
    let until = Instant::now() + Duration::from_secs(6);
    let (mut seed, mut matches) = (0, 0);
    while Instant::now() < until || matches == 0 {
        seed += 1;
        let report = world::run(seed, None, false);
        assert!(report.complaints.is_empty(), "{}", failure(seed));
        matches += report.matches;
    }
    println!("{seed} runs, {matches} matches");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 4, 5] {
        let [one, two] = [false, true].map(|tracing| world::run(seed, None, tracing));
        assert_eq!(one.digest, two.digest, "seed {seed}");
        assert_eq!(one.messages, two.messages, "seed {seed}");
    }
    assert_ne!(world::run(6, None, false).digest, world::run(7, None, false).digest);
}

/// Plants a fault: some seed finds it, and says so in words like these.
#[track_caller]
fn check(plant: Plant, seeds: u64, words: &str) {
    let found = (1..=seeds).find_map(|seed| {
        let report = world::run(seed, Some(plant), false);
        report.complaints.into_iter().find(|it| it.contains(words))
    });
    assert!(found.is_some(), "{plant:?} was not found in {seeds} runs");
}

#[test]
fn planted_faults_are_found() {
    check(Plant::SettleTwice, 50, "with the results");
    check(Plant::ForgetRating, 10, "rating");
    check(Plant::SwapScores, 10, "was told");
    check(Plant::LoseLine, 20, "its journal");
    check(Plant::SwapLines, 20, "its journal");
    check(Plant::SayWritten, 50, "its journal");
    check(Plant::PairPlayers, 10, "and in match");
    check(Plant::ForgetMatch, 20, "never comes to an end");
    check(Plant::ForgetUnanswered, 100, "never comes to an end");
    check(Plant::LoseMessage, 5, "comes after message");
    check(Plant::TellFirst, 50, "was told");
}

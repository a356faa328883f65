//! Computers play each other, from chairs like anyone's.

use std::collections::BTreeMap;

use games::{
    Game, Kind, Reason, Seat,
    billiards::{Billiards, EightBall, NineBall, Pyramid},
};
use live::computer::{Level, play};
use serde_json::json;

use crate::support::{hear, open_with, run, sit};

/// Plays one match; answers who won it, and how often each ruling was heard.
async fn played<G: Game>(game: Kind, levels: [Level; 2]) -> (Option<Seat>, BTreeMap<String, u32>) {
    let (handle, table) = open_with::<G>(json!({ "racks": 1 }), &["ann", "bob"]);
    let task = run(table);
    let mut crowd = sit(&handle, None, None).await;
    for (seat, level) in (0..).zip(levels) {
        let chair = sit(&handle, Some(seat), None).await;
        let mut step = u64::from(seat);
        let luck = move || {
            // A Weyl sequence: even enough for hands that shake.
            step += 1;
            (step as f64 * 0.618_033_988_749_895).fract()
        };
        tokio::spawn(play(chair, game, level, luck));
    }
    let mut rulings = BTreeMap::new();
    loop {
        let message = hear(&mut crowd).await;
        assert_ne!(message["type"], "error", "{message}");
        if let Some(ruling) = message["verdict"]["ruling"].as_str() {
            *rulings.entry(ruling.to_owned()).or_default() += 1;
            for foul in message["verdict"]["fouls"].as_array().unwrap() {
                *rulings.entry(foul.as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        if message["type"] == "game_over" {
            break;
        }
    }
    let outcome = task.await.unwrap().unwrap();
    assert_eq!(outcome.reason, Reason::Score, "{rulings:?}");
    (outcome.winner, rulings)
}

/// That both came to the table, and that balls fell.
fn assert_played((winner, rulings): (Option<Seat>, BTreeMap<String, u32>)) {
    assert!(winner.is_some(), "{rulings:?}");
    assert!(rulings.contains_key("goes_on") || rulings.contains_key("rack_won"), "{rulings:?}");
    assert!(!rulings.contains_key("clock"), "{rulings:?}");
}

#[tokio::test(start_paused = true)]
async fn they_play_eight_ball() {
    assert_played(
        played::<Billiards<EightBall>>(Kind::EightBall, [Level::Hard, Level::Easy]).await,
    );
}

#[tokio::test(start_paused = true)]
async fn they_play_nine_ball() {
    assert_played(
        played::<Billiards<NineBall>>(Kind::NineBall, [Level::Medium, Level::Hard]).await,
    );
}

#[tokio::test(start_paused = true)]
async fn they_play_pyramid() {
    assert_played(
        played::<Billiards<Pyramid>>(Kind::Pyramid, [Level::Medium, Level::Medium]).await,
    );
}

//! A journal that nobody writes down, as while the database is away.

use std::time::Duration;

use games::pong::Pong;
use live::{Journal, Setup};
use serde_json::json;
use tokio::{sync::mpsc, time};

use crate::support::{hear, hear_of, run, say, setup, sit};

/// It has room for so much and no more; then the match waits, and loses nothing.
#[tokio::test(start_paused = true)]
async fn a_match_waits_for_a_journal_that_is_full() {
    const ROOM: usize = 20;
    const MOVES: u64 = 60;
    let (lines, mut written) = mpsc::channel(ROOM);
    let setup = Setup { journal: Journal::new(9, 0, 0, lines), ..setup(0).0 };
    let (handle, table) = live::open::<Pong>(setup).unwrap();
    let _task = run(table);
    let (ann, mut bob) = (sit(&handle, Some(0), None).await, sit(&handle, Some(1), None).await);
    for chair in [&ann, &bob] {
        say(chair, json!({"type": "player_ready", "n": 1})).await;
    }
    hear_of(&mut bob, json!({"type": "game_state", "status": "active"})).await;
    for n in 2..=MOVES {
        say(&ann, json!({"type": "player_move", "n": n, "y": 0.1 + 0.8 * (n % 2) as f64})).await;
    }

    let mut last = 0;
    // Less than until the first serve.
    while let Ok(message) = time::timeout(Duration::from_secs(1), hear(&mut bob)).await {
        last = message["n"].as_u64().unwrap_or(last);
    }
    assert_eq!(written.len(), ROOM);
    assert!((10..ROOM as u64 + 2).contains(&last), "{last} of {MOVES} were told");

    // It goes on where it was as soon as there is room, up to the last move.
    let mut seq = 0;
    loop {
        let line = written.recv().await.unwrap();
        assert_eq!(line.seq, seq + 1);
        seq = line.seq;
        if line.entry.contains(&format!("[0,{MOVES},")) {
            break;
        }
    }
    assert!(seq >= MOVES, "{seq} lines");
}

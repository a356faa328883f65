//! A match that is opened again from its journal.

use std::time::Duration;

use games::{Absence, journal::Input, pong::Pong};
use live::{End, Lease, Line, Status};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use crate::support::{begun_under, hear, hear_of, run, say, setup, sit};

/// What was written down so far, as a match is opened again with it.
fn entries(lines: &mut mpsc::Receiver<Line>) -> Vec<games::journal::Entry<games::pong::Action>> {
    let mut entries = Vec::new();
    while let Ok(line) = lines.try_recv() {
        assert_eq!(line.seq, entries.len() as u64 + 1);
        entries.push((line.at, serde_json::from_str(&line.entry).unwrap()));
    }
    entries
}

#[tokio::test(start_paused = true)]
async fn a_match_goes_on_where_its_journal_ends() {
    let (first, mut lines) = setup(0);
    let (handle, table) = live::open::<Pong>(first).unwrap();
    let task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    let mut bob = sit(&handle, Some(1), None).await;
    for chair in [&ann, &bob] {
        say(chair, json!({"type": "player_ready", "n": 1})).await;
    }
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.2})).await;
    let scores = hear_of(&mut bob, json!({"type": "score_update"})).await;
    let last = hear(&mut bob).await;
    say(&ann, json!({"type": "player_move", "n": 3, "y": 0.9})).await;
    hear_of(&mut ann, json!({"n": 3})).await;
    task.abort();
    assert!(task.await.is_err());

    let entries = entries(&mut lines);
    let (again, _lines) = setup(entries.len() as u64);
    let (handle, table) = live::reopen::<Pong>(again, entries, 1_000).unwrap();
    assert_eq!(handle.glance().status, Status::Active);
    let _task = run(table);
    let seen = last["seq"].as_u64();
    let mut bob = sit(&handle, Some(1), seen).await;
    let state = hear(&mut bob).await;
    assert_eq!((&state["type"], &state["status"]), (&json!("game_state"), &json!("active")));
    assert_eq!(state["game"]["scores"], scores["scores"]);
    assert_eq!(state["players"][0]["connected"], false);
    assert!(state["at"].as_u64() >= last["at"].as_u64(), "its clock did not go back");
    assert!(state["seq"].as_u64() > seen);
    assert_eq!(state["game"]["pause"][1], 0, "it waits for who is not back yet");
    let mut ann = sit(&handle, Some(0), None).await;
    let state = hear(&mut ann).await;
    assert_eq!(state["ack"], 3);
    assert!((state["game"]["paddles"][0]["to"].as_f64().unwrap() - 0.9).abs() < 1e-9);
    let resume = hear_of(&mut bob, json!({"type": "game_update"})).await;
    assert_eq!(resume["resume"].as_f64(), state["at"].as_f64().map(|it| it + 3_000.0));
    say(&ann, json!({"type": "player_move", "n": 3, "y": 0.1})).await;
    say(&ann, json!({"type": "player_move", "n": 4, "y": 0.5})).await;
    assert_eq!(hear_of(&mut bob, json!({"type": "game_update", "seat": 0})).await["n"], 4);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_costs_nobody_a_pause() {
    let mut entries = vec![(games::Time(0), Input::Deal)];
    for _ in 0..3 {
        let (again, mut lines) = setup(entries.len() as u64);
        let (handle, table) = live::reopen::<Pong>(again, entries.clone(), 1_000).unwrap();
        let task = run(table);
        let mut ann = sit(&handle, Some(0), None).await;
        let _bob = sit(&handle, Some(1), None).await;
        hear_of(&mut ann, json!({"type": "player_update", "seat": 1})).await;
        task.abort();
        while let Ok(line) = lines.try_recv() {
            entries.push((line.at, serde_json::from_str(&line.entry).unwrap()));
        }
    }
    let interrupted = |it: &&games::journal::Entry<games::pong::Action>| {
        matches!(it.1, Input::Away(_, Absence::Interrupted))
    };
    assert_eq!(entries.iter().filter(interrupted).count(), 6);
    let (again, _lines) = setup(entries.len() as u64);
    let (handle, table) = live::reopen::<Pong>(again, entries, 1_000).unwrap();
    let _task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    let bob = sit(&handle, Some(1), None).await;
    hear_of(&mut ann, json!({"type": "player_update", "seat": 1})).await;
    // The two pauses that bob has are still there.
    let mut bob = bob;
    for _ in 0..2 {
        drop(bob);
        let pause = loop {
            let update = hear_of(&mut ann, json!({"type": "game_update"})).await;
            if update["pause"].is_array() {
                break update;
            }
        };
        assert_eq!(pause["pause"][1], 1);
        bob = sit(&handle, Some(1), None).await;
    }
}

/// While the opener of a match that goes on asks the database for something.
#[tokio::test(start_paused = true)]
async fn what_is_told_while_it_attends_is_handed_on() {
    let (again, mut lines) = setup(1);
    let dealt = vec![(games::Time(0), Input::Deal)];
    let (handle, mut table) = live::reopen::<Pong>(again, dealt, 1_000).unwrap();
    let task = tokio::spawn(async move { table.attend(std::future::pending::<()>()).await });
    let mut ann = sit(&handle, Some(0), None).await;
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.2})).await;
    hear_of(&mut ann, json!({"n": 2})).await;
    let acted = |line: Line| line.entry.contains("act");
    assert!(std::iter::from_fn(|| lines.try_recv().ok()).any(acted));
    task.abort();
}

/// So that the replay, which is folded from what is written, has the action that ended it.
#[tokio::test(start_paused = true)]
async fn a_match_that_is_written_has_its_end_in_the_journal() {
    let (first, mut lines) = setup(0);
    let (handle, mut table) = live::open::<Pong>(first).unwrap();
    let task = tokio::spawn(async move {
        table.gather().await;
        table.play().await;
        table.written().await;
    });
    let ann = sit(&handle, Some(0), None).await;
    let bob = sit(&handle, Some(1), None).await;
    for chair in [&ann, &bob] {
        say(chair, json!({"type": "player_ready", "n": 1})).await;
    }
    say(&ann, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    let written = loop {
        if let Some(written) = lines.recv().await.unwrap().written {
            break written;
        }
    };
    assert!(!task.is_finished(), "it waits for its last line");
    written.send(()).unwrap();
    task.await.unwrap();
}

/// A point that players saw must not be lost with the server. The journal is asked for it, and may
/// be late, but not for long; what is refused was never so.
#[tokio::test(start_paused = true)]
async fn a_point_is_told_once_it_is_written() {
    enum Journal {
        Writes,
        IsBehind,
        Refuses,
    }
    for journal in [Journal::Writes, Journal::IsBehind, Journal::Refuses] {
        let (first, mut lines) = setup(0);
        let (handle, table) = live::open::<Pong>(first).unwrap();
        let _task = run(table);
        let ann = sit(&handle, Some(0), None).await;
        let mut bob = sit(&handle, Some(1), None).await;
        for chair in [&ann, &bob] {
            say(chair, json!({"type": "player_ready", "n": 1})).await;
        }
        let written = loop {
            if let Some(written) = lines.recv().await.unwrap().written {
                break written;
            }
        };
        time::sleep(Duration::from_millis(100)).await;
        while let Some(message) = bob.heard() {
            let message: Value = serde_json::from_slice(&message).unwrap();
            assert_ne!(message["type"], "score_update", "it is not written yet");
        }
        let asked = Instant::now();
        match journal {
            Journal::Writes => {
                written.send(()).unwrap();
                hear_of(&mut bob, json!({"type": "score_update"})).await;
                assert_eq!(asked.elapsed(), Duration::ZERO);
            }
            Journal::IsBehind => {
                hear_of(&mut bob, json!({"type": "score_update"})).await;
                assert_eq!(asked.elapsed().as_millis(), 150);
            }
            Journal::Refuses => {
                drop(written);
                let heard = time::timeout(Duration::from_secs(10), bob.hear()).await;
                assert!(heard.is_err(), "a point is told that is not written: {heard:?}");
            }
        }
    }
}

/// What was said when the lease lapses is heard once it is renewed, unless the match is somebody
/// else's by then.
#[tokio::test(start_paused = true)]
async fn a_match_that_is_somebody_elses_is_not_heard() {
    const TERM: Duration = Duration::from_secs(5);
    for given_up in [false, true] {
        let of_process = Lease::lapsed();
        of_process.renew(Instant::now() + TERM);
        let (handle, task, ann, mut bob) = begun_under(of_process.of_match()).await;
        while bob.heard().is_some() {}
        time::advance(TERM).await;
        say(&ann, json!({"type": "player_move", "n": 2, "y": 0.25})).await;
        let heard = time::timeout(Duration::from_millis(10), bob.hear()).await;
        assert!(heard.is_err(), "it is heard without a lease");

        if given_up {
            handle.give_up();
        }
        of_process.renew(Instant::now() + TERM);
        if given_up {
            task.abort();
            assert_eq!(bob.hear().await, Err(End::Moved));
        } else {
            hear_of(&mut bob, json!({"type": "game_update", "n": 2})).await;
        }
    }
}

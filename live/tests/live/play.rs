//! A match from its beginning to its end.

use std::time::Duration;

use games::Reason;
use live::{End, Status};
use serde_json::{Value, json};
use tokio::time::{self, advance};

use crate::support::{begun, hear, hear_of, open, run, say, sit};

#[tokio::test(start_paused = true)]
async fn two_who_are_ready_play() {
    let (handle, table) = open();
    let task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    let state = hear(&mut ann).await;
    assert_eq!(state["status"], "pending");
    assert_eq!((&state["you"], &state["game"]), (&json!(0), &Value::Null));
    assert_eq!(state["ready_until"], 15_000);
    assert_eq!(state["players"][1]["connected"], false);
    assert_eq!(state["players"][1]["side"], "right");

    let bob = sit(&handle, Some(1), None).await;
    let joined = hear(&mut ann).await;
    assert_eq!((&joined["type"], &joined["status"]), (&json!("player_update"), &json!("joined")));
    say(&bob, json!({"type": "player_ready", "n": 1})).await;
    assert_eq!(hear(&mut ann).await["status"], "ready");
    assert_eq!(handle.glance().ready, [false, true]);
    say(&ann, json!({"type": "player_ready", "n": 1})).await;
    let state = hear_of(&mut ann, json!({"type": "game_state"})).await;
    assert_eq!(state["status"], "active");
    assert_eq!(state["ack"], 1);
    assert_eq!(state["game"]["target"], 3);
    assert_eq!(handle.glance().status, Status::Active);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn who_is_not_ready_in_time_calls_it_off() {
    let (handle, table) = open();
    let task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    say(&ann, json!({"type": "player_ready"})).await;
    let over = hear_of(&mut ann, json!({"type": "game_over"})).await;
    assert_eq!(over["outcome"]["reason"], "called_off");
    assert_eq!(over["at"], 15_000);
    assert_eq!(ann.hear().await, Err(End::Over));
    assert_eq!(task.await.unwrap(), None);
    assert!(handle.is_over());
}

#[tokio::test(start_paused = true)]
async fn everybody_hears_the_same_numbers_without_gaps() {
    let (handle, _task, mut ann, mut bob) = begun().await;
    let mut crowd = sit(&handle, None, None).await;
    let view = hear(&mut crowd).await;
    assert_eq!(view["you"], Value::Null);
    let mut seq = view["seq"].as_u64().unwrap();
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.2})).await;
    say(&bob, json!({"type": "player_move", "n": 2, "y": 0.9})).await;
    for _ in 0..8 {
        let seen = hear(&mut crowd).await;
        assert_eq!(hear_of(&mut ann, json!({"seq": seen["seq"]})).await, seen);
        assert_eq!(hear_of(&mut bob, json!({"seq": seen["seq"]})).await, seen);
        seq += 1;
        assert_eq!(seen["seq"], seq);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_is_told_with_its_seat_and_number() {
    let (_handle, _task, ann, mut bob) = begun().await;
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.25})).await;
    let update = hear(&mut bob).await;
    assert_eq!(update["type"], "game_update");
    assert_eq!((&update["seat"], &update["n"]), (&json!(0), &json!(2)));
    assert_eq!(update["paddle"], json!([0.5, 0.25]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_changes_nothing_and_only_one_hears_it() {
    let (_handle, _task, mut ann, mut bob) = begun().await;
    for (n, message, code) in [
        (2, json!({"type": "player_move", "n": 2, "y": 1.5}), "out_of_range"),
        (3, json!({"type": "player_move", "n": 3, "y": "up"}), "bad_action"),
        (4, json!({"type": "player_move", "n": 4, "y": 0.5, "x": 1}), "bad_action"),
        (5, json!({"type": "game_action", "n": 5, "action": "fly"}), "bad_action"),
        (6, json!({"type": "fly", "n": 6}), "unknown_type"),
        (7, json!({"type": "rematch", "n": 7}), "not_over"),
    ] {
        say(&ann, message).await;
        let error = hear(&mut ann).await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{error}");
        assert_eq!(error["n"], n);
    }
    // Spent numbers are not heard again; the next one is.
    say(&ann, json!({"type": "player_move", "n": 7, "y": 0.3})).await;
    say(&ann, json!({"type": "player_move", "n": 8, "y": 0.4})).await;
    assert_eq!(hear(&mut bob).await["paddle"][1], 0.4);
}

#[tokio::test(start_paused = true)]
async fn who_watches_may_not_act() {
    let (handle, _task, _ann, mut bob) = begun().await;
    let mut crowd = sit(&handle, None, None).await;
    hear(&mut crowd).await;
    say(&crowd, json!({"type": "player_move", "n": 1, "y": 0.1})).await;
    assert_eq!(hear(&mut crowd).await["code"], "not_a_player");
    say(&crowd, json!({"type": "ping", "t": 5})).await;
    let pong = hear(&mut crowd).await;
    assert_eq!((&pong["type"], &pong["t"]), (&json!("pong"), &json!(5)));
    assert_eq!(hear_of(&mut bob, json!({"type": "game_update"})).await["seat"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn the_newer_socket_of_a_player_wins() {
    let (handle, _task, mut ann, mut bob) = begun().await;
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.25})).await;
    let mut newer = sit(&handle, Some(0), None).await;
    let state = hear(&mut newer).await;
    assert_eq!((&state["you"], &state["ack"]), (&json!(0), &json!(2)));
    while let Ok(_message) = ann.hear().await {}
    assert_eq!(ann.hear().await, Err(End::Replaced));
    say(&ann, json!({"type": "player_move", "n": 3, "y": 0.9})).await;
    drop(ann);
    say(&newer, json!({"type": "player_move", "n": 3, "y": 0.75})).await;
    // Nothing of the older socket, and no pause either.
    assert_eq!(hear(&mut bob).await["paddle"][1], 0.25);
    assert_eq!(hear(&mut bob).await["paddle"][1], 0.75);
}

#[tokio::test(start_paused = true)]
async fn who_is_back_in_time_hears_what_they_missed() {
    let (handle, _task, mut ann, mut bob) = begun().await;
    say(&ann, json!({"type": "player_move", "n": 2, "y": 0.25})).await;
    let last = hear(&mut ann).await["seq"].as_u64().unwrap();
    drop(ann);
    let pause = hear_of(&mut bob, json!({"seq": last + 1})).await;
    assert_eq!(pause["pause"][1], 0);
    let gone = hear(&mut bob).await;
    assert_eq!(gone["status"], "reconnecting");
    assert_eq!(gone["waiting_until"].as_f64(), pause["pause"][0].as_f64().map(f64::floor));
    advance(Duration::from_secs(5)).await;

    let mut ann = sit(&handle, Some(0), Some(last)).await;
    assert_eq!(hear(&mut ann).await, pause);
    assert!(hear(&mut ann).await["resume"].is_number());
    assert!(hear(&mut ann).await["serve"].is_array());
    let both = [hear(&mut ann).await, hear(&mut ann).await];
    assert_eq!(both.map(|it| it["type"].clone()), [json!("player_update"), json!("player_update")]);
    hear_of(&mut bob, json!({"type": "player_update", "status": "back"})).await;
}

#[tokio::test(start_paused = true)]
async fn who_was_away_for_long_gets_a_view() {
    let (handle, _task, ann, mut bob) = begun().await;
    drop(ann);
    for n in 2..=20 {
        say(&bob, json!({"type": "player_move", "n": n, "y": 0.3 + n as f64 / 100.0})).await;
        hear_of(&mut bob, json!({"n": n})).await;
    }
    for after in [0, 1, 1_000_000] {
        let mut ann = sit(&handle, Some(0), Some(after)).await;
        assert_eq!(hear(&mut ann).await["type"], "game_state", "after {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_stays_away_forfeits() {
    let (_handle, task, ann, mut bob) = begun().await;
    drop(ann);
    let over = hear_of(&mut bob, json!({"type": "game_over"})).await;
    assert_eq!(over["outcome"]["winner"], 1);
    assert_eq!(over["outcome"]["reason"], "forfeit");
    assert_eq!(over["ratings"][1]["after"], 1600);
    drop(bob);
    assert_eq!(task.await.unwrap().unwrap().reason, Reason::Forfeit);
}

#[tokio::test(start_paused = true)]
async fn last_words_are_heard() {
    let (_handle, _task, ann, mut bob) = begun().await;
    say(&ann, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    drop(ann);
    let over = hear_of(&mut bob, json!({"type": "game_over"})).await;
    assert_eq!(over["outcome"], json!({"winner": 1, "reason": "forfeit", "scores": [0, 0]}));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_gets_a_view_and_stops_nobody() {
    let (handle, _task, ann, mut bob) = begun().await;
    let mut slow = sit(&handle, None, None).await;
    for n in 2..=200 {
        say(&ann, json!({"type": "player_move", "n": n, "y": 0.3 + n as f64 / 1000.0})).await;
        hear_of(&mut bob, json!({"n": n})).await;
    }
    let mut messages = 0;
    let mut last = hear(&mut slow).await["seq"].as_u64().unwrap();
    let view = loop {
        let message = hear(&mut slow).await;
        messages += 1;
        if message["type"] == "game_state" {
            break message;
        }
        last += 1;
        assert_eq!(message["seq"], last, "no gap before the view");
    };
    assert!(messages <= 33, "{messages} messages waited");
    assert_eq!(view["game"]["paddles"][0]["to"], 0.5);
    say(&ann, json!({"type": "player_move", "n": 201, "y": 0.6})).await;
    let next = hear_of(&mut slow, json!({"n": 201})).await;
    assert_eq!(next["seq"].as_u64(), view["seq"].as_u64().map(|it| it + 1));
}

#[tokio::test(start_paused = true)]
async fn both_can_have_a_rematch() {
    let (_handle, task, mut ann, mut bob) = begun().await;
    say(&ann, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    hear_of(&mut bob, json!({"type": "game_over"})).await;
    say(&ann, json!({"type": "rematch", "n": 3})).await;
    assert_eq!(hear(&mut bob).await, json!({"type": "rematch", "seats": [0], "match_id": null}));
    say(&bob, json!({"type": "rematch", "n": 2})).await;
    let next = json!({"type": "rematch", "match_id": "next"});
    hear_of(&mut bob, next.clone()).await;
    hear_of(&mut ann, next).await;
    assert_eq!(ann.hear().await, Err(End::Over));
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rematch_is_not_waited_for_for_ever() {
    let (_handle, task, ann, bob) = begun().await;
    say(&ann, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    let started = time::Instant::now();
    task.await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(61));
    drop((ann, bob));
}

#[tokio::test(start_paused = true)]
async fn players_chat_once_a_second() {
    let (_handle, _task, mut ann, mut bob) = begun().await;
    say(&ann, json!({"type": "chat", "text": "good luck"})).await;
    say(&ann, json!({"type": "chat", "text": "have fun"})).await;
    let said = hear_of(&mut bob, json!({"type": "chat"})).await;
    assert_eq!((&said["seat"], &said["text"]), (&json!(0), &json!("good luck")));
    assert_eq!(hear_of(&mut ann, json!({"type": "error"})).await["code"], "too_fast");
}

/// However late the task is, the game's events carry the times that the game asked for.
#[tokio::test(start_paused = true)]
async fn a_stalled_server_catches_up() {
    let (_handle, _task, _ann, mut bob) = begun().await;
    advance(Duration::from_millis(6_789)).await;
    let ball = hear_of(&mut bob, json!({"type": "game_update"})).await;
    assert_eq!(ball["ball"][0], 3_000.0);
    assert_eq!(ball["at"], 3_000);
}

/// What a player's hand did counts from when it did it, as far as the way here may take.
#[tokio::test(start_paused = true)]
async fn an_action_counts_from_when_it_was_made() {
    let (_handle, _task, ann, mut bob) = begun().await;
    advance(Duration::from_millis(1_000)).await;
    let now = ann.at();
    for (n, said, counts) in [
        (2, now - 60, now - 60),
        // Before what counted last, nothing can have happened.
        (3, now - 80, now - 60),
        // A clock that is wrong, or lies, gains nothing beyond the bound …
        (4, now + 5_000, now),
        (5, 0, now),
    ] {
        let y = 0.3 + n as f64 / 100.0;
        say(&ann, json!({"type": "player_move", "n": n, "y": y, "at": said})).await;
        let update = hear_of(&mut bob, json!({"n": n})).await;
        assert_eq!(update["at"], counts, "said {said} at {now}");
    }
    // … also when nothing happened for long.
    advance(Duration::from_millis(500)).await;
    say(&ann, json!({"type": "player_move", "n": 6, "y": 0.6, "at": 1})).await;
    let at = hear_of(&mut bob, json!({"n": 6})).await["at"].as_u64().unwrap();
    assert_eq!(at, ann.at() - 100);
}

#[tokio::test(start_paused = true)]
async fn both_see_whose_connection_is_weak() {
    let (handle, _task, ann, mut bob) = begun().await;
    for (rtt, status) in [(300, "weak"), (200, ""), (100, "steady"), (200, ""), (260, "weak")] {
        ann.measured(Duration::from_millis(rtt)).await;
        if !status.is_empty() {
            let update = hear_of(&mut bob, json!({"type": "player_update"})).await;
            assert_eq!((&update["status"], &update["rtt"]), (&json!(status), &json!(rtt)));
        }
    }
    let mut crowd = sit(&handle, None, None).await;
    assert_eq!(hear(&mut crowd).await["players"][0]["rtt"], 260);
}

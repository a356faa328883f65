//! A match as those at its table see it. Time is driven by hand.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing there has failed")]

use std::time::Duration;

use games::{Absence, Outcome, Reason, Seat, Seed, journal::Input, pong::Pong};
use live::{
    Chair, End, Gathered, Handle, Journal, Line, Match, Setup, Status,
    wire::{Message, Player, PlayerUser, RatingChange},
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{self, advance},
};

fn player(name: &str) -> Player {
    let user = PlayerUser {
        id: name.to_owned(),
        username: Some(name.to_owned()),
        display_name: name.to_owned(),
        avatar_url: None,
    };
    Player { user, rating: 1500, provisional: true, computer: None }
}

fn setup(seq: u64) -> (Setup, mpsc::Receiver<Line>) {
    let (lines, written) = mpsc::channel(1_000);
    let setup = Setup {
        options: json!({ "points": 3 }),
        seed: Seed(7),
        players: vec![player("ann"), player("bob")],
        journal: Journal::new(9, seq, lines),
    };
    (setup, written)
}

fn open() -> (Handle, Match<Pong>) {
    let (setup, mut lines) = setup(0);
    // A writer that is always up to date.
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            line.written.map(|it| it.send(()));
        }
    });
    live::open(setup).unwrap()
}

/// Runs a match as the arena does, without a database.
fn run(mut table: Match<Pong>) -> JoinHandle<Option<Outcome>> {
    tokio::spawn(async move {
        if let Gathered::CalledOff { .. } = table.gather().await {
            table.announce(table.called_off(), None);
            return None;
        }
        let outcome = table.play().await;
        table.attend(time::sleep(Duration::from_millis(5))).await;
        let change =
            |seat| RatingChange { seat: Seat(seat), before: 1500, after: 1600, provisional: true };
        table.announce(outcome.clone(), Some(vec![change(0), change(1)]));
        if table.linger().await {
            table.lead_to("next");
        }
        Some(outcome)
    })
}

async fn sit(handle: &Handle, seat: Option<u8>, after: Option<u64>) -> Chair {
    handle.sit(seat.map(Seat), after).await.unwrap().unwrap()
}

async fn say(chair: &Chair, message: Value) {
    chair.say(Message::parse(&message.to_string())).await;
}

async fn hear(chair: &mut Chair) -> Value {
    let heard = time::timeout(Duration::from_secs(100), chair.hear());
    serde_json::from_slice(&heard.await.expect("nothing was said").unwrap()).unwrap()
}

/// Hears on until something that has all these fields.
async fn hear_of(chair: &mut Chair, fields: Value) -> Value {
    loop {
        let message = hear(chair).await;
        if fields.as_object().unwrap().iter().all(|(name, value)| message[name] == *value) {
            return message;
        }
    }
}

/// Both at the table, and the match begun: the state has been heard.
async fn begun() -> (Handle, JoinHandle<Option<Outcome>>, Chair, Chair) {
    let (handle, table) = open();
    let task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    let mut bob = sit(&handle, Some(1), None).await;
    say(&ann, json!({"type": "player_ready", "n": 1})).await;
    say(&bob, json!({"type": "player_ready", "n": 1})).await;
    for chair in [&mut ann, &mut bob] {
        hear_of(chair, json!({"type": "game_state", "status": "active"})).await;
    }
    (handle, task, ann, bob)
}

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
    let (handle, table) = live::reopen::<Pong>(again, entries).unwrap();
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
        let (handle, table) = live::reopen::<Pong>(again, entries.clone()).unwrap();
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
    let (handle, table) = live::reopen::<Pong>(again, entries).unwrap();
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

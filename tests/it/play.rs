//! Matches from the queue to the history.

use serde_json::{Value, json};

use crate::support::{Client, Home, Server, Socket, both};

async fn sit(player: &Client, id: &str) -> Socket {
    player.open(&format!("/ws/game/{id}")).await
}

/// Both sit down and are ready; their sockets, the beginning heard.
async fn begin(players: [&Client; 2], id: &str) -> [Socket; 2] {
    let mut sockets = [sit(players[0], id).await, sit(players[1], id).await];
    for socket in &mut sockets {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    for socket in &mut sockets {
        while socket.hear("game_state").await["status"] != "active" {}
    }
    sockets
}

async fn resign(socket: &mut Socket) {
    socket.say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
}

async fn stats(player: &Client) -> Value {
    let path = format!("/api/users/{}/stats", player.id());
    player.get(&path).await.is(200).body["games"][0].clone()
}

both! {
    /// The whole way: queue, match, result, ratings, history, and the next match.
    async fn two_play_and_both_find_it_in_their_history(server: &Server) {
        let (ann, bob, id) = server.pair("ann", "bob").await;
        let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
        assert_eq!((&info["status"], &info["game"]), (&json!("pending"), &json!("pong")));
        assert_eq!(info["players"][0]["side"], "left");
        assert_eq!(info["players"][1]["side"], "right");
        assert_eq!(info["options"], json!({"points": 11}));

        let [mut left, mut right] = begin([&ann, &bob], &id).await;
        let live = ann.get("/api/matches?live=1").await.is(200).body.clone();
        assert_eq!(live["items"][0]["id"], id.as_str());
        let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
        assert_eq!(info["status"], "active");
        assert_eq!(info["players"][0]["ready"], true);

        resign(&mut left).await;
        for socket in [&mut left, &mut right] {
            let over = socket.hear("game_over").await;
            let outcome = json!({"winner": 1, "reason": "forfeit", "scores": [0, 0]});
            assert_eq!(over["outcome"], outcome);
            for (seat, after) in [(0, 1338), (1, 1662)] {
                let change =
                    json!({"seat": seat, "before": 1500, "after": after, "provisional": true});
                assert_eq!(over["ratings"][seat], change);
            }
        }
        let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
        assert_eq!((&info["status"], &info["winner"]), (&json!("finished"), &json!(bob.id())));
        for (player, won, wins) in [(&ann, false, 0), (&bob, true, 1)] {
            let path = format!("/api/users/{}/history", player.id());
            let history = player.get(&path).await.is(200).body.clone();
            assert_eq!(history["items"].as_array().unwrap().len(), 1);
            assert_eq!(history["items"][0]["match_id"], id.as_str());
            assert_eq!(history["items"][0]["won"], won);
            let stats = stats(player).await;
            assert_eq!((&stats["wins"], &stats["losses"]), (&json!(wins), &json!(1 - wins)));
            let me = player.get("/api/me").await.is(200).body.clone();
            assert_eq!(me["match"], Value::Null);
        }
    }

    /// A rematch is a new match with the sides changed.
    async fn both_want_a_rematch(server: &Server) {
        let (ann, bob, id) = server.pair("ann", "bob").await;
        let [mut left, mut right] = begin([&ann, &bob], &id).await;
        resign(&mut left).await;
        right.hear("game_over").await;
        left.say(json!({"type": "rematch"})).await;
        assert_eq!(right.hear("rematch").await["seats"], json!([0]));
        right.say(json!({"type": "rematch"})).await;
        let next = loop {
            let offer = right.hear("rematch").await;
            if let Some(next) = offer["match_id"].as_str() {
                break next.to_owned();
            }
        };
        assert_eq!(right.closed().await, 4410);
        let [mut left, mut right] = begin([&bob, &ann], &next).await;
        resign(&mut left).await;
        assert_eq!(right.hear("game_over").await["outcome"]["winner"], 1);
        assert_eq!(stats(&ann).await["wins"], 1);
        assert_eq!(stats(&bob).await["wins"], 1);
    }
}

#[tokio::test]
async fn who_was_ready_waits_again_when_the_other_was_not() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let mut socket = sit(&ann, &id).await;
    let mut lobby = ann.open("/ws/lobby").await;
    socket.say(json!({"type": "player_ready", "n": 1})).await;
    let over = socket.hear("game_over").await;
    assert_eq!(over["outcome"]["reason"], "called_off");
    assert_eq!(over["ratings"], Value::Null);
    assert_eq!(socket.closed().await, 4410);
    loop {
        if lobby.hear("queue_update").await["status"] == "waiting" {
            break;
        }
    }
    assert_eq!(bob.get("/api/queue/pong").await.body["status"], "idle");
    let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
    assert_eq!((&info["status"], &info["winner"]), (&json!("finished"), &Value::Null));
    assert_eq!(stats(&ann).await, Value::Null);
}

/// Whatever is the matter with a match, its players are free to play another.
#[tokio::test]
async fn a_match_that_cannot_go_on_does_not_count() {
    for broken in ["update matches set rules = 99", "update journal set entry = '?'"] {
        let server = Server::start().await;
        let (ann, bob, id) = server.pair("ann", "bob").await;
        let [mut left, mut right] = begin([&ann, &bob], &id).await;
        left.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
        while right.hear("game_update").await["ball"].is_null() {}
        server.home.sql(broken).await;
        let server = server.restart("KILL", &[]).await;
        let ann = at(&server, &ann);
        let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
        assert_eq!((&info["status"], &info["winner"]), (&json!("finished"), &Value::Null));
        assert_eq!(stats(&ann).await, Value::Null);
        let joined = ann.post("/api/queue/pong/join", json!({})).await;
        assert_eq!(joined.is(200).body["status"], "waiting");
    }
}

#[tokio::test]
async fn a_player_is_in_one_match_at_a_time() {
    let server = Server::start().await;
    let (ann, _, id) = server.pair("ann", "bob").await;
    let joined = ann.post("/api/queue/pong/join", json!({})).await.is(200).body.clone();
    assert_eq!((&joined["status"], &joined["match_id"]), (&json!("matched"), &json!(id)));
}

/// The journal of a match, as `/replay` gives it, shows how it went.
#[tokio::test]
async fn a_match_can_be_watched_and_verified_again() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/api/matches/{id}/replay");
    let [mut left, mut right] = begin([&ann, &bob], &id).await;
    ann.get(&path).await.refuses(409, "not_over");
    left.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    let moved = right.hear("game_update").await;
    left.say(json!({"type": "game_action", "n": 3, "action": "resign"})).await;
    let over = right.hear("game_over").await;

    let replay = ann.get(&path).await.is(200).body.clone();
    assert_eq!((&replay["game"], &replay["rules"]), (&json!("pong"), &json!(1)));
    assert_eq!(replay["outcome"], over["outcome"]);
    let messages = replay["messages"].as_array().unwrap();
    assert_eq!(messages[0]["type"], "game_state");
    let again = messages.iter().find(|it| it["paddle"].is_array()).unwrap();
    assert_eq!(
        (&again["paddle"], &again["at"], &again["seat"]),
        (&moved["paddle"], &moved["at"], &json!(0))
    );
    assert_eq!(messages.last().unwrap()["outcome"], over["outcome"]);

    let ran = server.home.artel(&["replay", "verify", &id], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("is verified"), "{}", ran.stdout);
    // From a file, anywhere; and not with a result that it does not have.
    let file = server.home.folder().join("match.json");
    for (winner, code) in [(1, 0), (0, 1)] {
        let mut replay = replay.clone();
        replay["outcome"]["winner"] = json!(winner);
        std::fs::write(&file, replay.to_string()).unwrap();
        let ran = server.home.artel(&["replay", "verify", "match.json"], &[]);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
    let mut newer = replay.clone();
    newer["rules"] = json!(99);
    std::fs::write(&file, newer.to_string()).unwrap();
    let ran = server.home.artel(&["replay", "verify", "match.json"], &[]);
    assert!(ran.stderr.contains("version 99 of the rules of pong"), "{}", ran.stderr);
}

/// Reads messages until the state of a match that goes on.
async fn resumed(player: &Client, id: &str) -> (Socket, Value) {
    let mut socket = sit(player, id).await;
    let state = socket.hear("game_state").await;
    assert_eq!(state["status"], "active");
    (socket, state)
}

fn at(server: &Server, client: &Client) -> Client {
    Client { base: server.base.clone(), ..client.clone() }
}

/// However the server goes, the match goes on where it was, and is settled once.
async fn outlives(home: Home) {
    let mut server = Server::run(home, &[]).await;
    let (mut ann, mut bob, id) = server.pair("ann", "bob").await;
    let [mut left, mut right] = begin([&ann, &bob], &id).await;
    left.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    // A point is made; what is told next was written after it.
    right.hear("score_update").await;
    let next = right.hear("game_update").await;
    right.hear("game_update").await;
    for signal in ["KILL", "TERM", "KILL"] {
        server = server.restart(signal, &[]).await;
        drop((left, right));
        (ann, bob) = (at(&server, &ann), at(&server, &bob));
        let state;
        (left, state) = resumed(&ann, &id).await;
        (right, _) = resumed(&bob, &id).await;
        assert_eq!(state["ack"], 2);
        assert!(state["at"].as_u64() >= next["at"].as_u64(), "{state}");
        let scores = state["game"]["scores"].as_array().unwrap();
        assert_eq!(scores.iter().filter_map(Value::as_u64).sum::<u64>(), 1, "{state}");
        while !left.hear("game_update").await["resume"].is_number() {}
    }
    left.say(json!({"type": "game_action", "n": 3, "action": "resign"})).await;
    assert_eq!(right.hear("game_over").await["outcome"]["winner"], 1);
    assert_eq!((&stats(&ann).await["losses"], &stats(&bob).await["wins"]), (&json!(1), &json!(1)));
    let ran = server.home.artel(&["replay", "verify", &id], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[tokio::test]
async fn a_match_outlives_its_server_on_sqlite() {
    outlives(Home::sqlite()).await;
}

#[tokio::test]
async fn a_match_outlives_its_server_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    outlives(home).await;
}

/// Kolkhoz takes three: two computers come, and play.
#[tokio::test]
async fn two_computers_come_where_it_takes_three() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for (level, other) in [("easy", "medium"), ("medium", "easy"), ("hard", "medium")] {
        let body = json!({"game": "kolkhoz", "opponent": "computer", "level": level});
        let made = ann.post("/api/matches", body).await.is(201).body.clone();
        let players = made["players"].as_array().unwrap();
        let levels: Vec<_> = players.iter().map(|it| &it["computer"]).collect();
        assert_eq!(levels, [&Value::Null, &json!(level), &json!(other)]);
        let mut socket = sit(&ann, made["id"].as_str().unwrap()).await;
        socket.say(json!({"type": "player_ready", "n": 1})).await;
        // Both get ready by themselves, and one of them strikes as soon as it may.
        let state = loop {
            let state = socket.hear("game_state").await;
            if state["status"] == "active" {
                break state;
            }
        };
        let mut turn = state["game"]["turn"].clone();
        let mut n = 2;
        let shot = loop {
            if turn["seat"] == 0 {
                // Ours is given on by a stroke that reaches nothing.
                let ball = turn["strikers"][0].clone();
                let strike = json!({"type": "game_action", "n": n, "action": "strike", "ball": ball,
                    "speed": 0.2, "heading": 1.5, "side": 0.0, "height": 0.0});
                socket.say(strike).await;
                (n, turn) = (n + 1, Value::Null);
            }
            let update = socket.hear("game_update").await;
            if update["shot"]["seat"].as_u64().is_some_and(|it| it > 0) {
                break update["shot"].clone();
            }
            if update["turn"].is_object() {
                turn = update["turn"].clone();
            }
        };
        assert!(shot["strike"]["speed"].as_f64().unwrap() > 0.2, "{shot}");
        socket.say(json!({"type": "game_action", "n": n, "action": "resign"})).await;
        // Computers alone don't play on: we are free at once.
        let over = socket.hear("game_over").await;
        assert_ne!(over["outcome"]["winner"], 0);
        while ann.get("/api/me").await.is(200).body["match"].is_object() {
            tokio::task::yield_now().await;
        }
    }
}

/// Alone, and at once.
#[tokio::test]
async fn the_computer_plays_anyone_unrated() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for (body, field) in [
        (json!({"game": "pong"}), "opponent"),
        (json!({"game": "pong", "opponent": "god"}), "opponent"),
        (json!({"game": "pong", "opponent": "computer", "level": "impossible"}), "level"),
        (json!({"game": "pong", "opponent": "computer", "rated": true}), "rated"),
    ] {
        let answer = ann.post("/api/matches", body).await;
        assert_eq!(answer.refuses(422, "invalid").body["errors"][0]["field"], field);
    }
    let options = json!({"game": "pong", "opponent": "computer", "options": {"points": 99}});
    let answer = ann.post("/api/matches", options).await;
    assert_eq!(answer.refuses(422, "bad_options").body["errors"][0]["field"], "options.points");
    let body = json!({"game": "pong", "opponent": "computer", "level": "hard"});
    let made = ann.post("/api/matches", body.clone()).await.is(201).body.clone();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["players"][1]["computer"], "hard");
    ann.post("/api/matches", body).await.refuses(409, "already_in_match");
    let mut socket = sit(&ann, id).await;
    socket.say(json!({"type": "player_ready", "n": 1})).await;
    // It plays: its paddle goes where the ball will come, and not at once.
    let ball = loop {
        let update = socket.hear("game_update").await;
        if update["ball"].is_array() {
            break update;
        }
    };
    let moved = loop {
        let update = socket.hear("game_update").await;
        if update["seat"] == 1 {
            break update;
        }
    };
    assert!(moved["at"].as_u64() >= ball["at"].as_u64().map(|it| it + 100));
    resign(&mut socket).await;
    let over = socket.hear("game_over").await;
    assert_eq!((&over["outcome"]["winner"], &over["ratings"]), (&json!(1), &Value::Null));
    assert_eq!(stats(&ann).await, Value::Null);
    let history = ann.get(&format!("/api/users/{}/history", ann.id())).await.is(200).body.clone();
    assert_eq!(history["items"][0]["match_id"], id);
    // It always takes a rematch.
    socket.say(json!({"type": "rematch"})).await;
    while socket.hear("rematch").await["match_id"].is_null() {}
}

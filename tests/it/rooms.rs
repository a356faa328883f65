//! Rooms from outside: over HTTP and sockets, with a match and another after it.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, Socket, both};

async fn room(by: &Client, code: &str, call: &str, body: Value) -> Answer {
    by.post(&format!("/api/rooms/{code}/{call}"), body).await
}

/// The state of a room as a page hears of it, once it holds.
async fn hear_of(lobby: &mut Socket, holds: impl Fn(&Value) -> bool) -> Value {
    lobby.hear_that("room_update", |it| holds(&it["room"])).await["room"].clone()
}

/// Both sit down at their match; the one on `seat` gives it up.
pub(crate) async fn play(players: [&Client; 2], id: &str, seat: usize) {
    let path = format!("/ws/game/{id}");
    let mut sockets = [players[0].open(&path).await, players[1].open(&path).await];
    for socket in &mut sockets {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    for socket in &mut sockets {
        while socket.hear("game_state").await["status"] != "active" {}
    }
    sockets[seat].say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    for socket in &mut sockets {
        assert_eq!(socket.hear("game_over").await["outcome"]["winner"], 1 - seat);
    }
}

both! {
    /// The whole way of a room, with everything that its people are told.
    async fn friends_play_in_a_room(server: &Server) {
        let (ann, bob, eve) =
            (server.person("ann").await, server.person("bob").await, server.person("eve").await);
        let opened = ann.post("/api/rooms", json!({"game": "pong"})).await.is(201).body.clone();
        let code = opened["code"].as_str().unwrap();
        assert_eq!(opened["host"], ann.id());
        assert_eq!(opened["seats"], json!({"min": 2, "max": 2}));
        assert_eq!((&opened["match_id"], &opened["table"]), (&Value::Null, &json!([])));
        let me = ann.get("/api/me").await.is(200).body.clone();
        assert_eq!(me["room"]["code"], code);

        let listed = server.stranger().get("/api/rooms?game=pong").await.is(200).body.clone();
        assert_eq!(listed["items"][0]["code"], code);
        assert_eq!((&listed["items"][0]["seated"], &listed["items"][0]["playing"]), (&json!(1), &json!(false)));

        // The first that a page hears of it is how it is.
        let mut lobby = ann.open("/ws/lobby").await;
        assert_eq!(lobby.hear("room_update").await["room"]["revision"], opened["revision"]);
        room(&bob, code, "join", json!({})).await.is(200);
        room(&eve, code, "join", json!({})).await.is(200);
        let full = hear_of(&mut lobby, |it| it["members"].as_array().is_some_and(|it| it.len() == 3)).await;
        let seats: Vec<&Value> =
            full["members"].as_array().unwrap().iter().map(|it| &it["seat"]).collect();
        assert_eq!(seats, [&json!(0), &json!(1), &Value::Null]);

        let mut bobs = bob.open("/ws/lobby").await;
        let mut eves = eve.open("/ws/lobby").await;
        for page in [&mut bobs, &mut eves] {
            page.hear("room_update").await;
        }
        bobs.say(json!({"type": "chat", "room": code, "text": "hello"})).await;
        for page in [&mut lobby, &mut bobs, &mut eves] {
            let said = page.hear("chat").await;
            assert_eq!((&said["room"], &said["text"]), (&json!(code), &json!("hello")));
            assert_eq!(said["user"]["display_name"], "bob");
            assert!(said["at"].as_str().unwrap().ends_with('Z'));
        }
        bobs.say(json!({"type": "chat", "room": code, "text": "again"})).await;
        assert_eq!(bobs.hear("error").await["code"], "too_fast");
        let view = eve.get(&format!("/api/rooms/{code}")).await.is(200).body.clone();
        assert_eq!(view["chat"][0]["text"], "hello");

        room(&ann, code, "start", json!({})).await.refuses(409, "not_ready");
        room(&bob, code, "ready", json!({"ready": true})).await.is(200);
        room(&bob, code, "start", json!({})).await.refuses(403, "not_host");
        let started = room(&ann, code, "start", json!({})).await.is(200).body.clone();
        let first = started["match_id"].as_str().unwrap();
        for page in [&mut lobby, &mut bobs] {
            assert_eq!(page.hear("matched").await["match_id"], first);
        }
        assert_eq!(hear_of(&mut eves, |it| it["match_id"].is_string()).await["match_id"], first);
        play([&ann, &bob], first, 0).await;
        let after = hear_of(&mut eves, |it| it["match_id"].is_null()).await;
        assert_eq!(after["last_match_id"], first);
        assert_eq!(after["table"][0]["user"]["id"], bob.id());
        let scores = |it: &Value| json!([it["matches"], it["wins"]]);
        assert_eq!(scores(&after["table"][0]), json!([1, 1]));
        assert_eq!(scores(&after["table"][1]), json!([1, 0]));

        // The host leaves; the next is there longest, and starts the second match.
        room(&ann, code, "leave", json!({})).await.is(204);
        assert_eq!(lobby.hear("room_update").await["code"], code);
        hear_of(&mut eves, |it| it["host"] == bob.id()).await;
        room(&eve, code, "seat", json!({"seated": true})).await.is(200);
        room(&eve, code, "ready", json!({"ready": true})).await.is(200);
        let second = room(&bob, code, "start", json!({})).await.is(200).body.clone();
        let second = second["match_id"].as_str().unwrap();
        let info = eve.get(&format!("/api/matches/{second}")).await.is(200).body.clone();
        let in_order = match info["players"][0]["user"]["id"] == bob.id() {
            true => [&bob, &eve],
            false => [&eve, &bob],
        };
        play(in_order, second, 1).await;
        let last = hear_of(&mut eves, |it| it["last_match_id"] == second).await;
        assert_eq!(last["table"].as_array().unwrap().len(), 3, "{last}");

        // Who is put out hears of it, and stays out.
        room(&bob, code, "kick", json!({"user_id": eve.id()})).await.is(200);
        loop {
            let update = eves.hear("room_update").await;
            if update["room"].is_null() {
                assert_eq!((&update["code"], &update["parting"]), (&json!(code), &json!("kicked")));
                break;
            }
        }
        room(&eve, code, "join", json!({})).await.refuses(403, "kicked");
        eves.say(json!({"type": "chat", "room": code, "text": "unfair"})).await;
        assert_eq!(eves.hear("error").await["code"], "not_member");
        room(&bob, code, "leave", json!({})).await.is(204);
        bob.get(&format!("/api/rooms/{code}")).await.refuses(404, "room_not_found");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for (body, code, field) in [
        (json!({"game": "chess"}), "invalid", "game"),
        (json!({"game": "pong", "colour": 1}), "invalid", "colour"),
        (json!({"game": "pong", "private": "yes"}), "invalid", "private"),
        (json!({"game": "pong", "options": {"points": 22}}), "bad_options", "options.points"),
        (json!({"game": "pong", "options": {"points": "x"}}), "bad_options", "options.points"),
        (json!({"game": "pong", "options": {"speed": 1}}), "bad_options", "options.speed"),
    ] {
        let answer = ann.post("/api/rooms", body.clone()).await;
        assert_eq!(answer.refuses(422, code).body["errors"][0]["field"], field, "{body}");
    }
    let stranger = server.stranger();
    stranger.post("/api/rooms", json!({"game": "pong"})).await.refuses(401, "unauthenticated");
    stranger.get("/api/rooms/BBBBBB").await.refuses(401, "unauthenticated");
    for code in ["BBBBBB", "toolong", "%D0%B0%D0%B1%D0%B2", "..%2F..%2F"] {
        ann.get(&format!("/api/rooms/{code}")).await.refuses(404, "room_not_found");
    }
    // A public room is listed, a private one is not; options are set by the host.
    let opened =
        ann.post("/api/rooms", json!({"game": "pong", "private": true})).await.is(201).body.clone();
    let code = opened["code"].as_str().unwrap();
    let listed = ann.get("/api/rooms").await.is(200).body.clone();
    assert_eq!(listed["items"], json!([]));
    let set =
        room(&ann, code, "options", json!({"options": {"points": 5}, "private": false})).await;
    assert_eq!(set.is(200).body["options"], json!({"points": 5}));
    assert_eq!(set.body["rated"], false);
    let wrong = room(&ann, code, "options", json!({"options": {"points": 0}})).await;
    assert_eq!(wrong.refuses(422, "bad_options").body["errors"][0]["field"], "options.points");
    room(&ann, code, "kick", json!({"user_id": "nobody"})).await.refuses(422, "invalid");
    ann.post("/api/queue/pong/join", json!({})).await.refuses(409, "in_room");
    ann.post("/api/rooms", json!({"game": "pong"})).await.refuses(409, "in_room");
}

/// An answer that was lost on its way is given again, and nothing is made twice.
#[tokio::test]
async fn a_request_that_comes_twice_is_done_once() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let post = async |path: &str, key: &str, body: Value| {
        Answer::to(ann.request("POST", path).header("Idempotency-Key", key).json(&body)).await
    };
    let asked = json!({"game": "pong", "private": true});
    let first = post("/api/rooms", "one", asked.clone()).await.is(201).body.clone();
    // However its names are ordered.
    let same: Value = serde_json::from_str(r#"{"private":true,"game":"pong"}"#).unwrap();
    assert_eq!(post("/api/rooms", "one", same).await.is(201).body, first);
    let other = json!({"game": "pong"});
    post("/api/rooms", "one", other.clone()).await.refuses(422, "idempotency_key_reused");
    post("/api/rooms", "two", other).await.refuses(409, "in_room");
    let long = "k".repeat(256);
    for key in ["", "a b", &long] {
        let wrong = post("/api/rooms", key, asked.clone()).await;
        assert_eq!(wrong.refuses(422, "invalid").body["errors"][0]["field"], "Idempotency-Key");
    }
    let computer = json!({"game": "pong", "opponent": "computer"});
    post("/api/matches", "one", computer.clone()).await.refuses(422, "idempotency_key_reused");
    let made = post("/api/matches", "three", computer.clone()).await.is(201).body.clone();
    assert_eq!(post("/api/matches", "three", computer.clone()).await.is(201).body, made);
    post("/api/matches", "four", computer).await.refuses(409, "already_in_match");
}

/// A room and what was said in it outlive their server, and so does its match.
#[tokio::test]
async fn a_room_outlives_its_server() {
    let server = Server::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let opened = ann.post("/api/rooms", json!({"game": "pong"})).await.is(201).body.clone();
    let code = opened["code"].as_str().unwrap();
    room(&bob, code, "join", json!({})).await.is(200);
    room(&bob, code, "ready", json!({"ready": true})).await.is(200);
    let started = room(&ann, code, "start", json!({})).await.is(200).body.clone();
    let id = started["match_id"].as_str().unwrap();
    let server = server.restart("KILL", &[]).await;
    let at = |it: &Client| Client { base: server.base.clone(), ..it.clone() };
    let (ann, bob) = (at(&ann), at(&bob));
    let view = ann.get(&format!("/api/rooms/{code}")).await.is(200).body.clone();
    assert_eq!(view["match_id"], id);
    let mut lobby = ann.open("/ws/lobby").await;
    assert_eq!(lobby.hear("room_update").await["room"]["match_id"], id);
    play([&ann, &bob], id, 0).await;
    let after = hear_of(&mut lobby, |it| it["match_id"].is_null()).await;
    assert_eq!(after["table"][0]["user"]["id"], bob.id());
}

#[tokio::test]
async fn codes_are_not_found_by_guessing() {
    let server = Server::with(&[("ARTEL_CLIENT_IP_HEADER", "x-client")]).await;
    let [ann, bob, eve] =
        [server.person("ann").await, server.person("bob").await, server.person("eve").await];
    let body = json!({"game": "pong", "private": true});
    let opened = ann.post("/api/rooms", body).await;
    let code = opened.is(201).body["code"].as_str().unwrap().to_owned();
    let ask = async |by: &Client, method: &str, path: &str, from: &str| {
        Answer::to(by.request(method, path).header("x-client", from)).await
    };
    // No two codes are drawn by luck that often.
    let wrong = |n: usize| format!("/api/rooms/BBBB{}", ["BB", "BC", "BD", "BF"][n % 4]);
    let guess = async |by: &Client, n: usize, from: &str| match n % 2 {
        0 => ask(by, "GET", &wrong(n), from).await,
        _ => ask(by, "POST", &(wrong(n) + "/join"), from).await,
    };
    for n in 0..10 {
        guess(&eve, n, "192.0.2.1").await.refuses(404, "room_not_found");
    }
    // From then on not even a right one is answered, from wherever; anything else is.
    let refused = guess(&eve, 0, "192.0.2.2").await;
    let after: u64 =
        refused.refuses(429, "too_many_requests").header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&after), "{after}");
    let right = format!("/api/rooms/{code}");
    ask(&eve, "GET", &right, "192.0.2.2").await.refuses(429, "too_many_requests");
    ask(&eve, "GET", "/api/rooms", "192.0.2.2").await.is(200);
    // Who is in a room, or has its code, is not held up, however often they ask.
    ask(&bob, "POST", &(right.clone() + "/join"), "192.0.2.2").await.is(200);
    for _ in 0..40 {
        ask(&bob, "GET", &right, "192.0.2.2").await.is(200);
    }
    // Many accounts at one address have as many as it has.
    let mut refused = 0;
    for n in 0..4 {
        let other = server.person(&format!("other{n}")).await;
        for n in 0..9 {
            refused += usize::from(guess(&other, n, "192.0.2.1").await.status == 429);
        }
        guess(&other, 9, "192.0.2.9").await.refuses(404, "room_not_found");
    }
    assert!(refused > 0);
}

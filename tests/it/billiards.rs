//! Billiards from outside: a stroke tried alone, and a match over real sockets.

use serde_json::{Value, json};

use crate::support::{Server, Socket};

fn trial(balls: Value, strike: Value) -> Value {
    json!({ "table": "pool", "balls": balls, "strike": strike })
}

fn straight(speed: f64) -> Value {
    json!({ "ball": 0, "speed": speed, "heading": std::f64::consts::FRAC_PI_2, "side": 0.0,
            "height": 0.0 })
}

#[tokio::test]
async fn a_stroke_is_tried_without_a_match() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let answer = stranger.get("/api/billiards/tables/pool").await;
    let table = &answer.is(200).body["table"];
    assert_eq!((&table["width"], &table["length"]), (&json!(1.27), &json!(2.54)));
    assert_eq!(table["pockets"].as_array().unwrap().len(), 6);
    stranger.get("/api/billiards/tables/carpet").await.refuses(404, "not_found");

    let balls = json!([[0, 0.635, 0.6], [1, 0.635, 1.2]]);
    let answer = stranger.post("/api/billiards/shots", trial(balls, straight(1.5))).await;
    let path = &answer.is(200).body["path"];
    let hits = path["hits"].as_array().unwrap();
    assert_eq!(hits[0][1], "strike");
    assert_eq!((&hits[1][1], &hits[1][2], &hits[1][3]), (&json!("ball"), &json!(0), &json!(1)));
    assert!(path["rest"].as_f64().unwrap() > 1.0, "{path}");
}

#[tokio::test]
async fn a_stroke_that_can_not_be_is_refused() {
    let server = Server::start().await;
    let stranger = server.stranger();
    let apart = || json!([[0, 0.635, 0.6], [1, 0.635, 1.2]]);
    let crowd: Vec<_> = (0..17).map(|it| json!([it, 0.1 + 0.06 * f64::from(it), 0.5])).collect();
    for (field, wrong) in [
        ("balls", trial(json!([]), straight(1.0))),
        ("balls", trial(json!(crowd), straight(1.0))),
        ("balls", trial(json!([[0, 0.635, 0.6], [1, 0.635, 0.65]]), straight(1.0))),
        ("balls", trial(json!([[0, 0.635, 0.6], [0, 0.635, 1.2]]), straight(1.0))),
        ("balls", trial(json!([[0, 0.01, 0.6]]), straight(1.0))),
        ("strike", trial(apart(), straight(0.0))),
        ("strike", trial(apart(), straight(11.0))),
        ("strike", trial(json!([[1, 0.635, 0.6]]), straight(1.0))),
    ] {
        let answer = stranger.post("/api/billiards/shots", wrong.clone()).await;
        answer.refuses(422, "invalid");
        assert_eq!(answer.body["errors"][0]["field"], field, "{wrong}");
    }
}

/// Hears on until an update that has this field; answers the field.
async fn hear_update(socket: &mut Socket, field: &str) -> Value {
    loop {
        let update = socket.hear("game_update").await;
        if !update[field].is_null() {
            return update[field].clone();
        }
    }
}

#[tokio::test]
async fn two_play_eight_ball() {
    let server = Server::start().await;
    let people = [server.person("ann").await, server.person("bob").await];
    // What people call it, and what it is called.
    people[0].post("/api/queue/billiards/join", json!({})).await.is(200);
    people[1].post("/api/queue/eight_ball/join", json!({})).await.is(200);
    let path = format!("/ws/game/{}", people[0].matched().await);
    let mut sockets = [people[0].open(&path).await, people[1].open(&path).await];
    for socket in &mut sockets {
        socket.say(json!({ "type": "player_ready", "n": 1 })).await;
    }
    let (mut turns, mut seats) = (Vec::new(), Vec::new());
    for socket in &mut sockets {
        let state = loop {
            let state = socket.hear("game_state").await;
            if state["status"] == "active" {
                break state;
            }
        };
        assert_eq!(state["game"]["discipline"], "eight_ball");
        turns.push(state["game"]["turn"].clone());
        seats.push(state["you"].clone());
    }
    assert_eq!(turns[0], turns[1]);
    assert_eq!(turns[0]["phase"], "break");
    let breaker = &turns[0]["seat"];
    let [first, second] = &mut sockets;
    let (player, other) = if seats[0] == *breaker { (first, second) } else { (second, first) };

    // Aiming is shown to the other and to nobody else, and only by whose turn it is.
    let aim = json!({ "type": "gesture", "ball": 0, "heading": 1.5, "speed": 0.0, "side": 0.1,
                      "height": 0.0 });
    player.say(aim.clone()).await;
    let seen = other.hear("gesture").await;
    assert_eq!((&seen["seat"], &seen["gesture"]["heading"]), (breaker, &json!(1.5)));
    other.say(aim).await;
    assert_eq!(other.hear("error").await["code"], "not_your_turn");
    player.say(json!({ "type": "gesture", "heading": "x" })).await;
    assert_eq!(player.hear("error").await["code"], "bad_gesture");

    let strike = |n: u64| {
        json!({ "type": "game_action", "n": n, "action": "strike", "ball": 0, "speed": 8.0,
                "heading": std::f64::consts::FRAC_PI_2, "side": 0.0, "height": 0.0 })
    };
    other.say(strike(2)).await;
    assert_eq!(other.hear("error").await["code"], "not_your_turn");
    player.say(strike(2)).await;
    let shot = hear_update(player, "shot").await;
    assert_eq!(shot["path"], hear_update(other, "shot").await["path"]);
    assert!(shot.to_string().len() < 64 * 1024);
    player.say(strike(3)).await;
    assert_eq!(player.hear("error").await["code"], "balls_moving");

    // Who comes now sees the same shot under way.
    let mut late = server.person("cid").await.open(&path).await;
    assert_eq!(late.next().await["game"]["shot"]["path"], shot["path"]);
    let resigns = json!({ "type": "game_action", "n": 3, "action": "resign" });
    other.say(resigns).await;
    let over = other.hear("game_over").await;
    assert_eq!(&over["outcome"]["winner"], breaker);
}

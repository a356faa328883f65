//! Matches from the queue to the history.

use serde_json::{Value, json};

use crate::support::{Client, Server, Socket, both};

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

#[tokio::test]
async fn a_match_that_a_crash_cut_off_counts_for_nobody() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let sockets = begin([&ann, &bob], &id).await;
    let server = server.restart("KILL", &[]).await;
    drop(sockets);
    let ann = Client { base: server.base.clone(), ..ann };
    let info = ann.get(&format!("/api/matches/{id}")).await.is(200).body.clone();
    assert_eq!((&info["status"], &info["winner"]), (&json!("finished"), &Value::Null));
    assert_eq!(stats(&ann).await, Value::Null);
    let joined = ann.post("/api/queue/pong/join", json!({})).await;
    assert_eq!(joined.is(200).body["status"], "waiting");
}

#[tokio::test]
async fn a_player_is_in_one_match_at_a_time() {
    let server = Server::start().await;
    let (ann, _, id) = server.pair("ann", "bob").await;
    let joined = ann.post("/api/queue/pong/join", json!({})).await.is(200).body.clone();
    assert_eq!((&joined["status"], &joined["match_id"]), (&json!("matched"), &json!(id)));
}

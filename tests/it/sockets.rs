//! The sockets from outside: who gets in, and what bad input is answered.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Answer, Client, PATIENCE, Server, Socket};

/// Two at a table, the match begun; and their sockets, the state heard.
async fn table(server: &Server) -> (String, [Client; 2], [Socket; 2]) {
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let mut sockets = [ann.open(&path).await, bob.open(&path).await];
    for socket in &mut sockets {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    for socket in &mut sockets {
        while socket.hear("game_state").await["status"] != "active" {}
    }
    (id, [ann, bob], sockets)
}

/// That the opponent's match goes on, and nothing of what was tried reached it.
async fn assert_untouched(bob: &mut Socket) {
    bob.say(json!({"type": "player_move", "n": 1000, "y": 0.7})).await;
    loop {
        let update = bob.hear("game_update").await;
        if update["n"] == 1000 {
            assert_eq!(update["paddle"], json!([0.5, 0.7]));
            return;
        }
        assert!(update["seat"].is_null(), "something reached the match: {update}");
    }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_once() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let ticket = ann.ticket().await;
    let address = format!("/ws/lobby?ticket={ticket}");
    let mut lobby = ann.knock(&address, None).await.unwrap();
    assert_eq!(lobby.next().await["type"], "queue_update");
    ann.knock(&address, None).await.unwrap_err().refuses(401, "ticket_invalid");
    for address in ["/ws/lobby?ticket=x", "/ws/game/0000000000A?ticket=0123456789abcdef"] {
        ann.knock(address, None).await.unwrap_err().refuses(401, "ticket_invalid");
    }
    ann.knock("/ws/lobby", None).await.unwrap_err().refuses(401, "ticket_invalid");
    // A ticket that was used at the wrong door is spent as well.
    let ticket = ann.ticket().await;
    let address = format!("/ws/game/nothing?ticket={ticket}");
    assert_eq!(ann.knock(&address, None).await.unwrap().closed().await, 4404);
    let address = format!("/ws/lobby?ticket={ticket}");
    ann.knock(&address, None).await.unwrap_err().refuses(401, "ticket_invalid");
}

#[tokio::test]
async fn only_our_own_pages_open_sockets() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let address = format!("/ws/lobby?ticket={}", ann.ticket().await);
        let refused = ann.knock(&address, Some(origin)).await.unwrap_err();
        refused.refuses(403, "foreign_origin");
        // The ticket was not spent on it.
        ann.knock(&address, Some(&ann.base)).await.unwrap();
    }
}

#[tokio::test]
async fn a_plain_request_is_told_to_upgrade() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let answer = ann.get(&format!("/ws/lobby?ticket={}", ann.ticket().await)).await;
    assert!((400..=426).contains(&answer.status), "{}", answer.text);
}

#[tokio::test]
async fn the_lobby_tells_of_the_queue_and_of_the_match() {
    let server = Server::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut lobby = ann.open("/ws/lobby").await;
    let idle = json!({"type": "queue_update", "game": "pong", "status": "idle", "waiting": 0});
    assert_eq!(lobby.next().await, idle);
    ann.post("/api/queue/pong/join", json!({})).await.is(200);
    let waiting = loop {
        // The queues of other games are told of too.
        let update = lobby.hear("queue_update").await;
        if update["game"] == "pong" {
            break update;
        }
    };
    assert_eq!((&waiting["status"], &waiting["position"]), (&json!("waiting"), &json!(1)));
    lobby.say(json!({"type": "ping", "t": 7})).await;
    assert_eq!(lobby.hear("pong").await["t"], 7);
    lobby.say(json!({"type": "dance"})).await;
    assert_eq!(lobby.hear("error").await["code"], "bad_message");
    bob.post("/api/queue/pong/join", json!({})).await.is(200);
    let matched = lobby.hear("matched").await;
    assert_eq!(matched["game"], "pong");
    assert_eq!(matched["match_id"], bob.matched().await);
}

#[tokio::test]
async fn there_must_be_a_match_and_it_must_go_on() {
    let server = Server::start().await;
    let (id, [ann, _], [mut first, mut second]) = table(&server).await;
    for path in ["/ws/game/0000000000A", "/ws/game/what", "/ws/game/..%2Fadmin"] {
        assert_eq!(ann.open(path).await.closed().await, 4404, "{path}");
    }
    first.say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    second.hear("game_over").await;
    drop((first, second));
    // The table is cleared once both are gone.
    let path = format!("/ws/game/{id}");
    loop {
        let mut socket = ann.open(&path).await;
        match socket.closed_or_next().await {
            Err(code) => {
                assert_eq!(code, 4410);
                return;
            }
            Ok(state) => assert_eq!(state["status"], "finished"),
        }
    }
}

#[tokio::test]
async fn bad_messages_are_answered_and_change_nothing() {
    let server = Server::start().await;
    let (_, _, [mut ann, mut bob]) = table(&server).await;
    let act = |n: u64, more: Value| {
        let mut message = json!({"type": "player_move", "n": n});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message.to_string()
    };
    for (text, code, n) in [
        ("hello".to_owned(), "bad_json", Value::Null),
        ("[1]".to_owned(), "bad_json", Value::Null),
        (r#"{"type":"player_move","n":2,"y":NaN}"#.to_owned(), "bad_json", Value::Null),
        (r#"{"type":"player_move","n":2,"y":Infinity}"#.to_owned(), "bad_json", Value::Null),
        (r#"{"type":"player_move","n":2,"y":1e999}"#.to_owned(), "bad_json", Value::Null),
        (r#"{"type":"player_move","y":0.5}"#.to_owned(), "bad_message", Value::Null),
        (r#"{"type":"fly","n":2}"#.to_owned(), "unknown_type", json!(2)),
        (act(3, json!({"y": "up"})), "bad_action", json!(3)),
        (act(4, json!({})), "bad_action", json!(4)),
        (act(5, json!({"y": 0.5, "match_id": "0000000000A"})), "bad_action", json!(5)),
        (act(6, json!({"y": 0.5, "seat": 1})), "bad_action", json!(6)),
        (act(7, json!({"y": 1.01})), "out_of_range", json!(7)),
        (act(8, json!({"y": -1e300})), "out_of_range", json!(8)),
    ] {
        ann.send(Message::text(text.clone())).await;
        let error = ann.hear("error").await;
        assert_eq!((&error["code"], &error["n"]), (&json!(code), &n), "{text}: {error}");
        assert!(error["message"].is_string());
    }
    assert_untouched(&mut bob).await;
}

#[tokio::test]
async fn who_goes_on_sending_nonsense_is_shown_out() {
    let server = Server::start().await;
    let (_, _, [mut ann, mut bob]) = table(&server).await;
    for _ in 0..11 {
        ann.send(Message::text("{}")).await;
    }
    assert_eq!(ann.closed().await, 1008);
    assert_untouched(&mut bob).await;
}

#[tokio::test]
async fn frames_are_text_and_short() {
    let server = Server::start().await;
    let (id, [ann, _], [mut first, mut bob]) = table(&server).await;
    first.send(Message::binary(vec![0; 8])).await;
    assert_eq!(first.closed().await, 1003);
    let path = format!("/ws/game/{id}");
    for bytes in [4097, 60_000, 70_000] {
        let mut socket = ann.open(&path).await;
        socket.send(Message::text(" ".repeat(bytes))).await;
        assert_eq!(socket.closed().await, 1009, "{bytes} bytes");
    }
    bob.say(json!({"type": "ping", "t": 1})).await;
    bob.hear("pong").await;
}

#[tokio::test]
async fn what_is_no_frame_is_named() {
    let server = Server::start().await;
    let (id, [ann, _], [_, mut bob]) = table(&server).await;
    let path = format!("/ws/game/{id}");
    for (bytes, code) in [
        (&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe][..], 1007),
        (&[0x83, 0x80, 0, 0, 0, 0], 1002),
        (&[0xc1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x81, 0x01, b'a'], 1002),
        (&[0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], 1009),
    ] {
        let mut socket = ann.open(&path).await;
        socket.send_raw(bytes).await;
        assert_eq!(socket.closed().await, code, "{bytes:x?}");
    }
    bob.say(json!({"type": "ping", "t": 1})).await;
    bob.hear("pong").await;
}

#[tokio::test]
async fn a_thousand_messages_in_a_second_are_too_many() {
    let server = Server::start().await;
    let (_, _, [mut ann, mut bob]) = table(&server).await;
    for n in 2..1002 {
        let message = json!({"type": "player_move", "n": n, "y": 2});
        if !ann.try_send(Message::text(message.to_string())).await {
            break;
        }
    }
    assert_eq!(ann.closed().await, 4429);
    assert_untouched(&mut bob).await;
}

#[tokio::test]
async fn the_newer_socket_of_a_player_wins() {
    let server = Server::start().await;
    let (id, [ann, _], [mut older, mut bob]) = table(&server).await;
    older.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    assert_eq!(bob.hear("game_update").await["paddle"][1], 0.3);
    let mut newer = ann.open(&format!("/ws/game/{id}")).await;
    assert_eq!(older.closed().await, 4409);
    let state = newer.next().await;
    assert_eq!((&state["you"], &state["ack"]), (&json!(0), &json!(2)));
    newer.say(json!({"type": "player_move", "n": 3, "y": 0.6})).await;
    assert_eq!(bob.hear("game_update").await["n"], 3);
}

#[tokio::test]
async fn the_sixth_socket_of_a_person_closes_the_oldest() {
    let server = Server::start().await;
    let (id, [ann, _], [oldest, mut bob]) = table(&server).await;
    let mut sockets = vec![oldest];
    for _ in 0..5 {
        let mut lobby = ann.open("/ws/lobby").await;
        // In the order in which they are counted.
        lobby.hear("matched").await;
        sockets.push(lobby);
    }
    assert_eq!(sockets.remove(0).closed().await, 4409);
    // Others have their own, and those that are gone count no more.
    bob.say(json!({"type": "ping", "t": 1})).await;
    bob.hear("pong").await;
    drop(sockets.remove(4));
    let mut again = ann.open(&format!("/ws/game/{id}")).await;
    assert_eq!(again.next().await["you"], 0);
    for lobby in &mut sockets[1..] {
        lobby.say(json!({"type": "ping", "t": 7})).await;
        assert_eq!(lobby.hear("pong").await["t"], 7);
    }
}

#[tokio::test]
async fn an_address_has_so_many_sockets_and_no_more() {
    let server = Server::with(&[("ARTEL_CLIENT_IP_HEADER", "x-client")]).await;
    let (id, _, [_ann, mut bob]) = table(&server).await;
    let stranger = server.stranger();
    // Tickets are fetched from here and there, so that they are not what is refused.
    let knock = async |n: u32, from: &str| {
        let path = format!("/api/matches/{id}/watch-tickets");
        let answer = Answer::to(
            stranger.request("POST", &path).header("x-client", format!("198.51.100.{}", n % 256)),
        );
        let ticket = answer.await.is(200).body["ticket"].as_str().unwrap().to_owned();
        let headers = [("x-client", from)];
        stranger.knock_with(&format!("/ws/game/{id}?ticket={ticket}"), &headers).await
    };
    let mut open = Vec::new();
    for n in 0..256 {
        open.push(knock(n, "192.0.2.1").await.unwrap());
    }
    let refused = knock(0, "192.0.2.1").await.unwrap_err();
    assert_eq!(refused.refuses(429, "too_many_sockets").header("retry-after"), "10");
    knock(1, "192.0.2.2").await.unwrap().next().await;
    assert_untouched(&mut bob).await;
    drop(open);
    let back = async {
        while knock(2, "192.0.2.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.unwrap();
}

#[tokio::test]
async fn anyone_may_watch_and_not_act() {
    let server = Server::start().await;
    let (id, _, [_ann, mut bob]) = table(&server).await;
    let eve = server.person("eve").await;
    let mut crowd = eve.open(&format!("/ws/game/{id}")).await;
    assert_eq!(crowd.next().await["you"], Value::Null);
    crowd.say(json!({"type": "player_move", "n": 1, "y": 0.1})).await;
    assert_eq!(crowd.hear("error").await["code"], "not_a_player");
    crowd.say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    assert_eq!(crowd.hear("error").await["code"], "not_a_player");
    assert_untouched(&mut bob).await;
}

#[tokio::test]
async fn who_has_the_link_watches_without_an_account() {
    let server = Server::start().await;
    let (id, _, [_ann, mut bob]) = table(&server).await;
    let stranger = server.stranger();
    let ticket = async |id: &str| {
        let answer = stranger.post(&format!("/api/matches/{id}/watch-tickets"), json!({})).await;
        answer.is(200).body["ticket"].as_str().unwrap().to_owned()
    };
    let game = async |id: &str, ticket: &str| {
        stranger.knock(&format!("/ws/game/{id}?ticket={ticket}"), None).await
    };
    let given = ticket(&id).await;
    let mut crowd = game(&id, &given).await.unwrap();
    let state = crowd.next().await;
    assert_eq!((&state["type"], &state["you"]), (&json!("game_state"), &Value::Null));
    crowd.say(json!({"type": "game_action", "n": 1, "action": "resign"})).await;
    assert_eq!(crowd.hear("error").await["code"], "not_a_player");
    crowd.say(json!({"type": "chat", "text": "left!"})).await;
    assert_eq!(crowd.hear("error").await["code"], "not_a_player");
    assert_untouched(&mut bob).await;

    // It is spent, opens no other match, and no lobby.
    game(&id, &given).await.unwrap_err().refuses(401, "ticket_invalid");
    let lobby = format!("/ws/lobby?ticket={}", ticket(&id).await);
    stranger.knock(&lobby, None).await.unwrap_err().refuses(401, "ticket_invalid");
    let (_, _, other) = server.pair("cid", "dan").await;
    assert_eq!(game(&other, &ticket(&id).await).await.unwrap().closed().await, 4401);

    let missing = "/api/matches/00000000000/watch-tickets";
    stranger.post(missing, json!({})).await.refuses(404, "not_found");
}

#[tokio::test]
async fn who_returns_with_the_last_number_hears_what_they_missed() {
    let server = Server::start().await;
    let (id, [ann, _], [mut first, mut bob]) = table(&server).await;
    first.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    let seen = first.hear("game_update").await["seq"].as_u64().unwrap();
    drop(first);
    let pause = loop {
        let update = bob.hear("game_update").await;
        if update["pause"].is_array() {
            break update;
        }
    };
    let mut again = ann.open(&format!("/ws/game/{id}?after={seen}")).await;
    let mut seq = seen;
    loop {
        let message = again.next().await;
        if message["seq"].is_u64() {
            seq += 1;
            assert_eq!(message["seq"], seq, "{message}");
        }
        if message["seq"] == pause["seq"] {
            assert_eq!(message, pause);
            return;
        }
    }
}

#[tokio::test]
async fn signing_out_ends_the_sockets() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let mut lobby = ann.open("/ws/lobby").await;
    lobby.next().await;
    let body = json!({"refresh_token": ann.refresh_token()});
    ann.post("/api/auth/logout", body).await.is(204);
    assert_eq!(lobby.closed().await, 4401);
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let server = Server::start().await;
    let (_, _, [mut ann, mut bob]) = table(&server).await;
    server.signal("TERM");
    assert_eq!(ann.closed().await, 1012);
    assert_eq!(bob.closed().await, 1012);
    let mut server = server;
    assert_eq!(server.ended().await, Some(0));
}

#[tokio::test]
async fn who_does_not_read_stops_nobody() {
    let server = Server::start().await;
    let (id, _, [mut ann, mut bob]) = table(&server).await;
    let eve = server.person("eve").await;
    let _deaf = eve.open(&format!("/ws/game/{id}")).await;
    for n in 2..60 {
        ann.say(json!({"type": "player_move", "n": n, "y": 0.3 + f64::from(n) / 200.0})).await;
        while bob.hear("game_update").await["n"] != n {}
    }
}

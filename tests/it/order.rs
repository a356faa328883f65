//! Friends and order, over real connections: who hears of what, and what a ban ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Client, PASSWORD, Server, Socket, both};

/// Somebody who keeps order.
async fn moderator(server: &Server) -> Client {
    let moe = server.person("moe").await;
    server.home.sql("update users set role = 'moderator' where username_key = 'moe'").await;
    moe
}

async fn sanction(moe: &Client, whom: &Client, what: Value) {
    moe.post(&format!("/api/moderation/users/{}/sanctions", whom.id()), what).await.is(201);
}

async fn ask(by: &Client, whom: &Client) -> Answer {
    by.post("/api/friends/requests", json!({"user_id": whom.id()})).await
}

/// The next notification of a kind.
async fn notified(lobby: &mut Socket, kind: &str) -> Value {
    loop {
        let message = lobby.hear("notification").await;
        if message["kind"] == kind {
            return message;
        }
    }
}

both! {
    async fn two_become_friends_and_play(server: &Server) {
        let (ann, bob) = tokio::join!(server.person("ann"), server.person("bob"));
        let mut lobby = bob.open("/ws/lobby").await;
        // What comes before one sits there is not told, but found by asking.
        lobby.hear("queue_update").await;
        let asked = ann.post("/api/friends/requests", json!({"username": "@BOB"})).await;
        assert_eq!(asked.is(201).body, json!({"status": "requested"}));
        let heard = notified(&mut lobby, "friend_request").await;
        assert_eq!(heard["user"]["id"], ann.id());
        let path = format!("/api/friends/requests/{}/accept", ann.id());
        bob.post(&path, json!({})).await.is(204);
        notified(&mut lobby, "friend").await;
        let friends = ann.get("/api/friends").await;
        let friend = &friends.is(200).body["friends"][0];
        assert_eq!(friend["user"]["id"], bob.id());
        assert_eq!(friend["presence"], json!({"status": "online"}));

        let room = ann.post("/api/rooms", json!({"game": "pong", "private": true})).await;
        let code = room.is(201).body["code"].as_str().unwrap();
        let path = format!("/api/rooms/{code}/invite");
        ann.post(&path, json!({"user_id": bob.id()})).await.is(204);
        let heard = notified(&mut lobby, "invitation").await;
        assert_eq!((&heard["room"], &heard["game"]), (&json!(code), &json!("pong")));

        let gone = Answer::to(bob.request("DELETE", &format!("/api/friends/{}", ann.id()))).await;
        gone.is(204);
        assert_eq!(ann.get("/api/friends").await.is(200).body["friends"], json!([]));
        ann.post(&path, json!({"user_id": bob.id()})).await.refuses(403, "not_friends");
    }

    async fn two_who_ask_at_once_are_friends_once(server: &Server) {
        let (ann, bob) = tokio::join!(server.person("ann"), server.person("bob"));
        let mut asking = JoinSet::new();
        for n in 0..16 {
            let (by, whom) = if n % 2 == 0 { (&ann, &bob) } else { (&bob, &ann) };
            let (by, whom) = (by.clone(), whom.clone());
            asking.spawn(async move { ask(&by, &whom).await.status });
        }
        let mut answers = asking.join_all().await;
        answers.sort_unstable();
        // One asks, one makes it a friendship, and the rest come too late.
        assert_eq!(answers[..2], [201, 201]);
        assert!(answers[2..].iter().all(|it| *it == 409), "{answers:?}");
        assert_eq!(server.home.number("select count(*) from friends").await, 2);
        assert_eq!(server.home.number("select count(*) from friend_requests").await, 0);
        ask(&ann, &ann).await.refuses(409, "yourself");
        ask(&ann, &bob).await.refuses(409, "already_friends");
    }

    async fn a_ban_ends_it_all(server: &Server) {
        let (ann, moe) = (server.person("ann").await, moderator(server).await);
        let mut lobby = ann.open("/ws/lobby").await;
        lobby.hear("queue_update").await;
        let began = Instant::now();
        sanction(&moe, &ann, json!({"kind": "ban", "seconds": 3600, "reason": "threats"})).await;
        assert_eq!(lobby.closed().await, 4401);
        assert!(began.elapsed() < Duration::from_secs(5));
        ann.get("/api/me").await.refuses(401, "access_token_invalid");
        let token = json!({"refresh_token": ann.refresh_token()});
        server.stranger().post("/api/auth/refresh", token).await.refuses(401, "refresh_token_invalid");
        let log_in = json!({"login": "ann", "password": PASSWORD});
        let answer = server.stranger().post("/api/auth/login", log_in).await;
        let detail = answer.refuses(403, "banned").body["detail"].as_str().unwrap();
        assert!(detail.contains("threats") && detail.contains("until 20"), "{detail}");
    }

    async fn who_is_muted_says_nothing_at_a_match(server: &Server) {
        let (ann, bob, id) = server.pair("ann", "bob").await;
        let moe = moderator(server).await;
        let address = format!("/ws/game/{id}");
        let (mut anns, mut bobs) = (ann.open(&address).await, bob.open(&address).await);
        anns.say(json!({"type": "chat", "text": "ｈｉ\u{202e}"})).await;
        assert_eq!(bobs.hear("chat").await["text"], "hi");
        sanction(&moe, &ann, json!({"kind": "mute", "seconds": 600, "reason": "insults"})).await;
        for _ in 0..2 {
            anns.say(json!({"type": "chat", "text": "again"})).await;
            let error = anns.hear("error").await;
            assert_eq!(error["code"], "muted");
            assert!(error["message"].as_str().unwrap().contains("insults"), "{error}");
            // Coming back changes nothing.
            anns = ann.open(&address).await;
        }
        bobs.say(json!({"type": "chat", "text": "well"})).await;
        assert_eq!(bobs.hear("chat").await["text"], "well");
    }
}

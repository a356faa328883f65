//! Friends and order, over real connections: who hears of what, and what a ban ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Client, Home, PASSWORD, Server, Socket, both};

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
    lobby.hear_that("notification", |it| it["kind"] == kind).await
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
        // What is said before one has sat down is not said again.
        for socket in [&mut anns, &mut bobs] {
            socket.hear("game_state").await;
        }
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

    /// Who has blocked whom: neither sees the other's rooms, comes into them, or plays on.
    async fn two_who_are_apart_meet_nowhere(server: &Server) {
        let (ann, bob, id) = server.pair("ann", "bob").await;
        let listed = async |by: &Client| {
            let rooms = by.get("/api/rooms").await.is(200).body["items"].clone();
            rooms.as_array().unwrap().len()
        };
        let address = format!("/ws/game/{id}");
        let (mut anns, mut bobs) = (ann.open(&address).await, bob.open(&address).await);
        for socket in [&mut anns, &mut bobs] {
            socket.say(json!({"type": "player_ready", "n": 1})).await;
        }
        while bobs.hear("game_state").await["status"] != "active" {}
        bobs.say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
        for socket in [&mut anns, &mut bobs] {
            socket.hear("game_over").await;
        }
        let block = |by: &Client, whom: &Client| {
            by.request("PUT", &format!("/api/blocks/{}", whom.id())).json(&json!({"kind": "block"}))
        };
        Answer::to(block(&ann, &bob)).await.is(204);
        // Both say that they want another match, and there is none: neither is told why.
        bobs.say(json!({"type": "rematch"})).await;
        anns.say(json!({"type": "rematch"})).await;
        while anns.hear("rematch").await["seats"].as_array().unwrap().len() < 2 {}
        drop((anns, bobs));
        assert_eq!(server.home.number("select count(*) from matches").await, 1);

        for (host, other) in [(&ann, &bob), (&bob, &ann)] {
            let opened = host.post("/api/rooms", json!({"game": "pong"})).await;
            let code = opened.is(201).body["code"].as_str().unwrap().to_owned();
            assert_eq!((listed(host).await, listed(other).await), (1, 0));
            assert_eq!(listed(&server.stranger()).await, 1);
            let path = format!("/api/rooms/{code}");
            // Word for word what there is to say of a room that there is not.
            let nowhere = other.get("/api/rooms/BBBBBB").await;
            for answer in [
                other.get(&path).await,
                other.post(&format!("{path}/join"), json!({})).await,
            ] {
                answer.refuses(404, "room_not_found");
                assert_eq!(answer.body["detail"], nowhere.body["detail"]);
            }
            host.post(&format!("{path}/leave"), json!({})).await.is(204);
        }
        let path = format!("/api/blocks/{}", bob.id());
        Answer::to(ann.request("DELETE", &path)).await.is(204);
        let opened = ann.post("/api/rooms", json!({"game": "pong"})).await;
        let code = opened.is(201).body["code"].as_str().unwrap().to_owned();
        assert_eq!(listed(&bob).await, 1);
        bob.post(&format!("/api/rooms/{code}/join"), json!({})).await.is(200);
    }
}

/// Each line of the audit says from where: of those who sign in, and of those who keep order.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_from_where() {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        audited(&Server::run(home, &[("ARTEL_CLIENT_IP_HEADER", "x-client")]).await).await;
    }
}

async fn audited(server: &Server) {
    let from =
        |request: reqwest::RequestBuilder, address: &str| request.header("x-client", address);
    let sign_up = async |name: &str, address: &str| {
        let body = json!({"username": name, "password": PASSWORD});
        let request = server.stranger().request("POST", "/api/auth/register").json(&body);
        let answer = Answer::to(from(request, address)).await;
        Client { session: answer.is(201).body.clone(), ..server.stranger() }
    };
    let (ann, ada) = (sign_up("ann", "192.0.2.1").await, sign_up("ada", "192.0.2.2").await);
    let bob = sign_up("bob", "192.0.2.3").await;
    server.home.sql("update users set role = 'admin' where username_key = 'ada'").await;
    let act = async |by: &Client, method: &str, path: &str, body: Value, address: &str| {
        let answer = Answer::to(from(by.request(method, path).json(&body), address)).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        answer.body
    };
    let (anns, desk) = ("203.0.113.7", "198.51.100.9");
    let password = json!({"current": PASSWORD, "password": "another horse battery"});
    act(&ann, "PUT", "/api/me/password", password, anns).await;
    act(&ann, "DELETE", "/api/me/sessions?others=1", json!({}), anns).await;
    // Guesses are summed up, by whichever way.
    let guess = json!({"login": "bob", "password": "a wrong one"});
    let request = ann.request("POST", "/api/auth/link/password").json(&guess);
    Answer::to(from(request, anns)).await.refuses(401, "wrong_login");
    let guess = json!({"current": "a wrong one", "password": PASSWORD});
    let request = ann.request("PUT", "/api/me/password").json(&guess);
    Answer::to(from(request, anns)).await.refuses(403, "wrong_password");
    let body = json!({"login": "bob", "password": PASSWORD});
    let request = ann.request("POST", "/api/auth/link/password").json(&body);
    Answer::to(from(request, anns)).await.refuses(409, "merge_offered");
    let offer = ann.get("/api/me/sign-in").await.is(200).body["offer"]["id"].clone();
    act(&ann, "POST", "/api/me/merge", json!({"id": offer}), anns).await;
    let dan = sign_up("dan", "192.0.2.4").await;
    let report = json!({"user_id": dan.id(), "reason": "abuse"});
    let report = act(&ann, "POST", "/api/reports", report, anns).await["id"].clone();
    let path = format!("/api/moderation/reports/{}/close", report.as_str().unwrap());
    act(&ada, "POST", &path, json!({"verdict": "acted"}), desk).await;
    let path = format!("/api/moderation/users/{}/sanctions", dan.id());
    for kind in ["mute", "ban"] {
        let what = json!({"kind": kind, "seconds": 600, "reason": "insults"});
        let id = act(&ada, "POST", &path, what, desk).await["id"].clone();
        let path = format!("/api/moderation/sanctions/{}", id.as_str().unwrap());
        act(&ada, "DELETE", &path, json!({}), desk).await;
    }
    let path = format!("/api/admin/users/{}/role", dan.id());
    act(&ada, "PUT", &path, json!({"role": "moderator"}), desk).await;

    let lines = ada.get("/api/admin/audit?limit=100").await.is(200).body["items"].clone();
    for (kind, who, address) in [
        ("sign_up", &ann, "192.0.2.1"),
        ("sign_in", &ann, "192.0.2.1"),
        ("password_changed", &ann, anns),
        ("sessions_ended", &ann, anns),
        ("merged", &ann, anns),
        ("report_closed", &ada, desk),
        ("muted", &ada, desk),
        ("unmuted", &ada, desk),
        ("banned", &ada, desk),
        ("unbanned", &ada, desk),
        ("role_changed", &ada, desk),
    ] {
        let line = lines
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["kind"] == kind && it["by"]["id"] == who.id());
        let line = line.unwrap_or_else(|| panic!("no {kind} in {lines:#}"));
        assert_eq!(line["address"], address, "{line}");
        assert!(line["at"].is_string());
    }
    let failed = lines.as_array().unwrap().iter().find(|it| it["kind"] == "sign_in_failed");
    let failed = failed.unwrap();
    assert_eq!((&failed["address"], &failed["times"]), (&json!(anns), &json!(2)));
    let text = lines.to_string();
    assert!(!text.contains("horse") && !text.contains(ann.refresh_token()), "{text}");
    drop(bob);
}

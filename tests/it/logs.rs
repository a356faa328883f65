//! The log and the traces: who reads them finds what belongs together, and no secret.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};

use crate::support::{JWT_SECRET, PASSWORD, PATIENCE, Server};

/// The lines of a log; each must be an object with what every line has.
fn lines(log: &str) -> Vec<Value> {
    let line = |text: &str| {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|it| panic!("{it}: {text}"));
        for field in ["timestamp", "level", "target", "message"] {
            let named = line[field].as_str().is_some_and(|it| !it.is_empty());
            // Crates of others may log without words.
            assert!(named || field == "message", "no {field} in {text}");
        }
        line
    };
    log.lines().map(line).collect()
}

/// Whether a line was written in a span with this field.
fn within(line: &Value, field: &str, value: &str) -> bool {
    line["spans"].as_array().is_some_and(|it| it.iter().any(|span| span[field] == value))
}

#[tokio::test]
async fn for_machines_the_log_is_json_with_ids_and_without_secrets() {
    let server = Server::with(&[("RUST_LOG", "debug")]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let me = ann.get("/api/me").await;
    let ticket = ann.ticket().await;
    let address = format!("/ws/game/{id}?ticket={ticket}");
    let mut sockets = [
        ann.knock(&address, Some(&ann.base)).await.unwrap(),
        bob.open(&format!("/ws/game/{id}")).await,
    ];
    for socket in &mut sockets {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    while sockets[0].hear("game_state").await["status"] != "active" {}
    sockets[0].say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    sockets[1].hear("game_over").await;
    let answer = bob
        .post("/api/auth/login", json!({"login": "bob", "password": "not the one of bob"}))
        .await;
    assert_eq!(answer.status, 401);
    let request = me.header("x-request-id").to_owned();
    server.logged(&request).await;

    let log = server.log();
    let all = lines(&log);
    let answered = all.iter().find(|it| within(it, "request_id", &request)).unwrap();
    let span = &answered["spans"][0];
    assert_eq!((&span["method"], &span["path"]), (&json!("GET"), &json!("/api/me")));
    let settled = all.iter().find(|it| it["message"] == format!("Match {id} is settled: played"));
    assert!(within(settled.unwrap(), "match_id", &id), "{settled:?}");

    let secrets = [
        ann.access_token(),
        ann.refresh_token(),
        bob.refresh_token(),
        &ticket,
        PASSWORD,
        "not the one of bob",
        JWT_SECRET,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn for_people_the_log_is_text() {
    let server = Server::with(&[("RUST_LOG", "debug"), ("ARTEL_LOG_FORMAT", "text")]).await;
    let answer = server.stranger().get("/api/games").await;
    let line = server.logged(answer.is(200).header("x-request-id")).await;
    assert!(line.contains(" method=GET path=\"/api/games\""), "{line}");
    assert!(!line.contains("otel") && !line.starts_with('{') && !line.contains('\x1b'), "{line}");
}

/// What a stand-in for a collector was sent.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

async fn collect(State(collected): State<Collected>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collected.0.lock().unwrap().extend_from_slice(&body);
}

#[tokio::test]
async fn traces_reach_a_collector() {
    let collected = Collected::default();
    let router = Router::new().route("/v1/traces", post(collect)).with_state(collected.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let mut server = Server::with(&variables).await;
    let ann = server.person("ann").await;
    let answer = ann.get(&format!("/api/users/{}", ann.id())).await;
    let request = answer.is(200).header("x-request-id").to_owned();
    // Names and values are strings of UTF-8 in protobuf too.
    let has = |part: &str| {
        let bytes = collected.0.lock().unwrap();
        bytes.windows(part.len()).any(|it| it == part.as_bytes())
    };
    let arrives = async {
        while !has(&request) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, arrives).await.expect("no span of the request came");
    for part in ["GET /api/users/{id}", "POST /api/auth/register", "service.name", "artel"] {
        assert!(has(part), "{part} was not sent");
    }
    let (bob, eve, id) = server.pair("bob", "eve").await;
    for player in [bob, eve] {
        player.open(&format!("/ws/game/{id}")).await.hear("game_state").await;
    }
    // What was not sent yet is sent at the end.
    let last = ann.get("/api/games").await.header("x-request-id").to_owned();
    server.signal("TERM");
    assert_eq!(server.ended().await, Some(0));
    assert!(has(&last), "the last span was lost");
    // A field of protobuf is its number, its length and its text: the fifth of a span is its name.
    let field = |number: u8, text: &str| {
        format!("{}{}{text}", char::from(number << 3 | 2), char::from(text.len() as u8))
    };
    for name in ["socket", "match"] {
        assert!(has(&field(5, name)), "no span of a {name} came");
    }
    let match_id = field(1, "match_id") + &field(2, &field(1, &id));
    assert!(has(&match_id), "no span names its match");
    for secret in [ann.access_token(), ann.refresh_token(), PASSWORD, JWT_SECRET] {
        assert!(!has(secret), "{secret} was sent");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_harms_nobody() {
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let mut server = Server::with(&variables).await;
    for _ in 0..20 {
        server.stranger().get("/readyz").await.is(200);
    }
    server.signal("TERM");
    assert_eq!(server.ended().await, Some(0));
}

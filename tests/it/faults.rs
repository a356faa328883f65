//! What breaks around the server, and in it: a disk that is full, a log that nobody takes, a
//! handler that panics, a signal that comes twice.

use std::{fs, process::Command, time::Duration};

use api::{Api, ProblemPage};
use arena::{Arena, Clock};
use axum::{Router, routing::get};
use clap::Parser;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Client, Home, PASSWORD, Server};

/// Lets a running server write no file longer than so many bytes.
fn limit_files(server: &Server, bytes: &str) {
    let process = server.process().to_string();
    let limit = format!("--fsize={bytes}:");
    let limited = Command::new("prlimit").args(["--pid", &process, &limit]).status();
    assert!(limited.unwrap().success());
}

/// The write-ahead log of SQLite can't grow: for the server that is a disk without room, which it
/// meets at its next write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_outlived() {
    // The signal that comes with it would end the process before it hears of the error.
    let server = Server::by_shell(Home::sqlite(), "trap '' XFSZ; exec \"$0\"", &[]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let eve = server.person("eve").await;
    let path = format!("/ws/game/{id}");
    let (mut anns, mut bobs) = (ann.open(&path).await, bob.open(&path).await);
    for socket in [&mut anns, &mut bobs] {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    while bobs.hear("game_state").await["status"] != "active" {}

    let log = server.home.folder().join("artel.db-wal");
    limit_files(&server, &fs::metadata(&log).unwrap().len().to_string());
    let room = json!({"game": "pong"});
    let log_in = json!({"login": "eve", "password": PASSWORD});
    let refresh = json!({"refresh_token": eve.refresh_token()});
    for _ in 0..3 {
        for (path, body) in
            [("/api/rooms", &room), ("/api/auth/login", &log_in), ("/api/auth/refresh", &refresh)]
        {
            let answer = eve.post(path, body.clone()).await;
            answer.refuses(503, "unavailable");
            assert!(!answer.header("retry-after").is_empty(), "{path}");
        }
        // What reads goes on, and so do matches.
        assert_eq!(eve.get("/api/me").await.is(200).body["user"]["id"], eve.id());
        eve.get("/api/rooms").await.is(200);
        server.stranger().get("/healthz").await.is(200);
    }
    anns.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    while bobs.hear("game_update").await["n"] != 2 {}

    limit_files(&server, "unlimited");
    eve.post("/api/rooms", room).await.is(201);
    eve.post("/api/auth/refresh", refresh).await.is(200);
    eve.post("/api/auth/login", log_in).await.is(200);
    // What was told meanwhile is written by now, or will be: the match is settled, once.
    anns.say(json!({"type": "game_action", "n": 3, "action": "resign"})).await;
    assert_eq!(bobs.hear("game_over").await["outcome"]["winner"], 1);
    let sound = "select count(*) from pragma_integrity_check where integrity_check = 'ok'";
    assert_eq!(server.home.number(sound).await, 1);
    let settled = "select count(*) from matches where status = 'finished'";
    assert_eq!(server.home.number(settled).await, 1);
    assert_eq!(server.home.number("select count(*) from replays").await, 1);
    let verified = server.home.artel(&["replay", "verify", &id], &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

/// A log that can't be written costs nothing but the log.
#[tokio::test]
async fn a_log_that_is_full_stops_nobody() {
    let variables = [("RUST_LOG", "debug")];
    let server = Server::by_shell(Home::sqlite(), "exec \"$0\" 2>/dev/full", &variables).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    ann.open(&format!("/ws/game/{id}")).await.hear("game_state").await;
    bob.get("/api/me").await.is(200);
    assert_eq!(server.log(), "");
}

#[derive(Parser)]
struct Set {
    #[command(flatten)]
    web: api::Options,
    #[command(flatten)]
    arena: arena::Options,
}

/// All that is served, with a page in it that breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_one_answer() {
    let home = Home::sqlite();
    let url = format!("sqlite://{}/artel.db", home.folder().display());
    let set = Set::parse_from(["artel", "--database-url", &url]);
    let arena = Arena::open(set.arena, Clock::System).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closing = CancellationToken::new();
    let api = Api::new(arena.clone(), set.web, address, closing.clone());
    let words = "no such file: /etc/secret.rs:7";
    let breaks = get(async move || -> &'static str { panic!("{words}") });
    let pages = Router::new().route("/breaks", breaks);
    let router = api::router(&api, pages, ProblemPage(webapp::problem_page));
    let serving =
        tokio::spawn(api::serve(listener, router, Duration::from_secs(10), closing.clone()));

    let client = Client::new(&format!("http://{address}"));
    for _ in 0..20 {
        let answer = client.get("/breaks").await;
        let problem = answer.refuses(500, "internal");
        assert!(
            !problem.text.contains("secret") && !problem.text.contains("panic"),
            "{}",
            problem.text
        );
        client.get("/healthz").await.is(200);
    }
    let body = json!({"username": "ann", "password": PASSWORD});
    client.post("/api/auth/register", body).await.is(201);
    closing.cancel();
    serving.await.unwrap();
    arena.close().await;
}

/// The first signal is heard, the second is obeyed at once; what was settled stays so.
#[tokio::test]
async fn a_second_signal_is_obeyed_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "TERM"), ("TERM", "INT")] {
        let mut server = Server::start().await;
        let ann = server.person("ann").await;
        // A request that is still being sent holds it up for as long as it may.
        let address = server.base.strip_prefix("http://").unwrap().to_owned();
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        let begun = b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\n\
                      content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        tokio::io::AsyncWriteExt::write_all(&mut slow, begun).await.unwrap();
        ann.get("/api/me").await.is(200);
        server.signal(first);
        server.logged("Closing").await;
        let began = std::time::Instant::now();
        server.signal(second);
        assert_eq!(server.ended().await, Some(0));
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
        let server = server.restart_ended().await;
        let log_in = json!({"login": "ann", "password": PASSWORD});
        server.stranger().post("/api/auth/login", log_in).await.is(200);
    }
}

/// Asked to stop while it starts, it stops; and starts again as if nothing had been.
#[tokio::test]
async fn a_signal_at_any_moment_of_its_start_ends_it() {
    let home = Home::sqlite();
    for wait in [0, 3, 10, 30, 100] {
        let mut command = home.command();
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let began = std::time::Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(10), "it goes on after {wait} ms");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let server = Server::run(home, &[]).await;
    let answer = Answer::to(server.stranger().request("GET", "/readyz")).await;
    answer.is(200);
}

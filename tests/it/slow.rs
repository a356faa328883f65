//! Who is slow: to send a request, to send its body, to read the answer, to answer a ping. Each is
//! cut off, and holds up nobody meanwhile. And who comes back with all others.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{interval, timeout},
};

use crate::{
    forged::base64,
    support::{Client, PATIENCE, Server},
    wire::Wire,
};

/// How patient the servers here are, in seconds.
const PATIENT: (&str, &str) = ("ARTEL_PATIENCE", "1");
/// Slow clients of each kind.
const SLOW: usize = 80;
const HEAD: &str = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Sends a beginning, and then a little more again and again; answers how long that was borne and
/// what came back.
async fn drip(server: &Server, beginning: &str, more: &str) -> (Duration, String) {
    let mut stream = connect(server).await;
    let began = Instant::now();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut reads, mut writes) = stream.split();
    let mut answer = Vec::new();
    let mut ticks = interval(Duration::from_millis(100));
    let ended = async {
        tokio::select! {
            _ = reads.read_to_end(&mut answer) => {}
            () = async {
                loop {
                    ticks.tick().await;
                    if writes.write_all(more.as_bytes()).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            } => {}
        }
    };
    timeout(PATIENCE, ended).await.expect("it was not cut off");
    (began.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// Asks for more than lies between two computers, and reads none of it, or a little now and then.
async fn deaf(server: &Server, reads: bool) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = server.base.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let asks = "GET /api/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(64);
    stream.write_all(asks.as_bytes()).await.unwrap();
    if reads {
        let mut little = [0; 16];
        stream.read_exact(&mut little).await.unwrap();
    }
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_slow_clients_holds_up_nobody() {
    let server =
        Server::with(&[PATIENT, ("ARTEL_RATE_LIMITS", "off"), ("RUST_LOG", "api=debug")]).await;
    let person = server.person("ann").await;
    person.get("/api/openapi.json").await.is(200);
    let before = server.memory();
    let body = format!("{HEAD}content-length: 5000\r\n\r\n");
    let heads = join_all((0..SLOW).map(|_| drip(&server, HEAD, "x-more: 1\r\n")));
    let bodies = join_all((0..SLOW).map(|_| drip(&server, &body, " ")));
    let readers = async {
        let streams = join_all((0..SLOW).map(|it| deaf(&server, it % 2 == 0))).await;
        // They are still open here: it is the server that goes.
        timeout(PATIENCE, async {
            while server.log().matches("it reads too slowly").count() < SLOW {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("who does not read is not cut off");
        let most = server.memory();
        drop(streams);
        most
    };
    let others = async {
        let mut took = Vec::new();
        for _ in 0..100 {
            let began = Instant::now();
            person.get("/api/me").await.is(200);
            took.push(began.elapsed());
        }
        took.sort_unstable();
        took
    };
    let (heads, bodies, most, took) = tokio::join!(heads, bodies, readers, others);
    for (borne, answer) in heads {
        assert!(borne >= Duration::from_millis(900), "{borne:?}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    for (borne, answer) in bodies {
        assert!(borne >= Duration::from_millis(1400), "{borne:?}");
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"));
    }
    // On a machine that runs a dozen tests at once; alone it is a few ms.
    assert!(took[50] < Duration::from_millis(200), "{took:?}");
    assert!(took[99] < Duration::from_secs(2), "{took:?}");
    assert!(most < before + 64 * 1024, "from {before} to {most} KiB for {SLOW} who don't read");
    person.get("/api/me").await.is(200);
}

/// Who reads slowly because the way is long is not cut off.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_at_a_walk_gets_it_all() {
    let server = Server::with(&[PATIENT]).await;
    let mut stream = connect(&server).await;
    let ask = "GET /api/openapi.json HTTP/1.1\r\nhost: x\r\n";
    let asks = format!("{ask}\r\n").repeat(19) + ask + "connection: close\r\n\r\n";
    stream.write_all(asks.as_bytes()).await.unwrap();
    let (mut all, mut part) = (0, vec![0; 64 * 1024]);
    let mut ticks = interval(Duration::from_millis(30));
    loop {
        ticks.tick().await;
        match timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap() {
            0 => break,
            bytes => all += bytes,
        }
    }
    let one = server.stranger().get("/api/openapi.json").await.is(200).text.len();
    assert!(all > 20 * one, "{all} of {one} each");
}

/// The webhook reads a body too, before it knows whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn no_door_waits_for_ever_for_a_body() {
    let more = [
        PATIENT,
        ("TELOXIDE_TOKEN", crate::telegram::BOT_TOKEN),
        crate::telegram::NO_TELEGRAM,
        ("PUBLIC_URL", "https://artel.example"),
        ("ARTEL_TELEGRAM_WEBHOOK", "1"),
    ];
    let server = Server::with(&more).await;
    let beginning = "POST /telegram/webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n{";
    let (_, answer) = drip(&server, beginning, " ").await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

/// A socket whose other end is gone without a word: no ping is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_answers_no_ping_is_closed() {
    let server = Server::with(&[PATIENT]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let mut opponent = bob.open(&format!("/ws/game/{id}")).await;
    let ticket = ann.ticket().await;
    let key = base64(&[7; 15]) + "AA==";
    let request = format!(
        "GET /ws/game/{id}?ticket={ticket} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
    );
    let mut stream = connect(&server).await;
    let began = Instant::now();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let gone = timeout(PATIENCE, stream.read_to_end(&mut bytes));
    // Their opponent, who does answer, stays, and is told that they are away.
    let told = async {
        loop {
            let update = opponent.hear("player_update").await;
            if ["reconnecting", "left"].contains(&update["status"].as_str().unwrap()) {
                return began.elapsed();
            }
        }
    };
    let (gone, told) = tokio::join!(gone, told);
    gone.unwrap().unwrap();
    assert!((5..14).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert!(told < Duration::from_secs(12), "{told:?}");
    // The last that it heard: a goodbye with 1001.
    let goodbye = bytes.windows(4).any(|it| it[0] == 0x88 && it[2..4] == [0x03, 0xe9]);
    assert!(goodbye, "no goodbye came");
}

/// All connections break at once, and all who had them come back at once: as many as a process may
/// have connections to where few are allowed, which are four of each person's here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_those_who_come_back_is_over_soon() {
    const CROWD: usize = 100;
    const BACK_WITHIN: Duration = Duration::from_secs(15);
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let wire = Wire::to(&server.base).await;
    // None of their connections is older than what broke.
    let by_wire = |of: &Client| {
        let session = of.session.clone();
        Client { base: wire.url.clone(), session, ..server.stranger() }
    };
    let watch = async |stranger: &Client| {
        let answer = stranger.post(&format!("/api/matches/{id}/watch-tickets"), json!({})).await;
        let ticket = answer.is(200).body["ticket"].as_str().unwrap().to_owned();
        let socket = stranger.knock(&format!("/ws/game/{id}?ticket={ticket}"), None).await;
        let mut socket = socket.unwrap();
        socket.hear("game_state").await;
        socket
    };
    let sit = async |who: &Client| {
        let address = format!("/ws/game/{id}?ticket={}", who.ticket().await);
        let mut socket = who.knock(&address, None).await.unwrap();
        socket.hear("game_state").await;
        socket
    };
    let all = async || {
        let (ann, bob, stranger) = (by_wire(&ann), by_wire(&bob), by_wire(&server.stranger()));
        let crowd =
            stream::iter(0..CROWD).map(|_| watch(&stranger)).buffer_unordered(CROWD).collect();
        tokio::join!(crowd, sit(&ann), sit(&bob))
    };
    let before: (Vec<_>, _, _) = all().await;
    wire.cut();
    wire.mend();
    let broken = Instant::now();
    let (crowd, mut ann, mut bob): (Vec<_>, _, _) = all().await;
    assert!(broken.elapsed() < BACK_WITHIN, "{:?}", broken.elapsed());
    println!("All are back after {} ms", broken.elapsed().as_millis());
    assert_eq!(crowd.len(), CROWD);
    for socket in [&mut ann, &mut bob] {
        socket.say(json!({"type": "ping", "t": 3})).await;
        socket.hear("pong").await;
    }
    drop(before);
}

//! Handshakes and frames that no proper client sends, by raw connections.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PATIENCE, Server, Socket};

#[tokio::test]
async fn handshakes_that_are_none() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\n";
    let version = "sec-websocket-version: 13\r\n";
    let close = "connection: close\r\n";
    for (first, headers, expected) in [
        ("GET {} HTTP/1.1", format!("{upgrade}{key}sec-websocket-version: 8\r\n"), vec![400, 426]),
        ("GET {} HTTP/1.1", format!("{upgrade}{key}"), vec![400, 426]),
        ("GET {} HTTP/1.1", format!("{upgrade}{version}"), vec![400]),
        ("GET {} HTTP/1.1", format!("upgrade: websocket\r\n{close}{key}{version}"), vec![400, 426]),
        ("GET {} HTTP/1.1", format!("{close}{key}{version}"), vec![400, 426]),
        (
            "GET {} HTTP/1.1",
            format!("connection: Upgrade\r\nupgrade: h2c\r\n{key}{version}"),
            vec![400, 426],
        ),
        ("GET {} HTTP/1.0", format!("{upgrade}{key}{version}"), vec![400, 426, 505]),
        (
            "POST {} HTTP/1.1",
            format!("{upgrade}{key}{version}content-length: 0\r\n"),
            vec![400, 405],
        ),
    ] {
        let path = format!("/ws/lobby?ticket={}", ann.ticket().await);
        let first = first.replace("{}", &path);
        let request = format!("{first}\r\nhost: x\r\n{headers}\r\n");
        let address = server.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status: u16 = answer[9..].parse().unwrap();
        assert!(expected.contains(&status), "{request}: {answer}");
        // The ticket may be spent; another opens a socket.
        ann.open("/ws/lobby").await;
    }
}

/// A header of a frame from a client, with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_and_controls_have_an_end() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let mut opponent = bob.open(&path).await;
    let before = server.memory();
    let begin = frame(0x01, b"x");
    let crumbs = frame(0x00, b"x").repeat(10_000);
    let heaps = frame(0x00, &[b'x'; 60_000]).repeat(100);
    for (what, bytes, codes) in [
        ("ten thousand crumbs", [begin.clone(), crumbs, frame(0x80, b"x")].concat(), &[1009][..]),
        ("heaps without end", [begin.clone(), heaps].concat(), &[1009]),
        ("a continuation of nothing", frame(0x80, b"x"), &[1002]),
        ("another beginning", [begin.clone(), begin].concat(), &[1002]),
        ("a long ping", frame(0x89, &[b'x'; 126]), &[1002]),
        ("a ping in parts", frame(0x09, b"x"), &[1002]),
        ("a long goodbye", frame(0x88, &[3; 200]), &[1002]),
        ("a reserved kind", frame(0x8b, b""), &[1002]),
        ("half a letter", frame(0x81, &[0xc3]), &[1007]),
    ] {
        let mut socket = ann.open(&path).await;
        // It may be cut off before it has said all.
        socket.try_send_raw(&bytes).await;
        let code = socket.end().await;
        assert!(code.is_none_or(|it| codes.contains(&it)), "{what}: {code:?}");
        opponent.say(json!({"type": "ping", "t": 1})).await;
        opponent.hear("pong").await;
    }
    let after = server.memory();
    assert!(after < before + 10 * 1024, "from {before} to {after} KiB");
}

/// The kinds of cases that the Autobahn suite has on frames (1 to 7), as far as a server that takes
/// short texts can be asked them.
#[tokio::test(flavor = "multi_thread")]
async fn frames_are_as_rfc_6455_has_them() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let mut opponent = bob.open(&path).await;
    let mut socket = ann.open(&path).await;

    // Pings are answered with what was in them; pongs that nobody asked for mean nothing.
    for payload in [&b""[..], b"hello", &[0x00, 0xff, 0xfe], &[0xfe; 125]] {
        socket.send_raw(&frame(0x8a, payload)).await;
        socket.send_raw(&frame(0x89, payload)).await;
        assert_eq!(socket.pong().await, payload);
    }

    // A message may come in parts, also empty ones; between them a ping is answered at once.
    let text = br#"{"type":"ping","t":7}"#;
    let heard = async |socket: &mut Socket, parts: &[u8]| {
        socket.send_raw(parts).await;
        socket.hear("pong").await["t"].clone()
    };
    assert_eq!(heard(&mut socket, &frame(0x81, text)).await, 7);
    for cut in 1..text.len() {
        let (head, tail) = text.split_at(cut);
        let parts = [frame(0x01, head), frame(0x00, b""), frame(0x80, tail)].concat();
        assert_eq!(heard(&mut socket, &parts).await, 7, "cut at {cut}");
    }
    socket.send_raw(&frame(0x01, &text[..9])).await;
    socket.send_raw(&frame(0x89, b"between")).await;
    assert_eq!(socket.pong().await, b"between");
    for byte in frame(0x80, &text[9..]) {
        socket.send_raw(&[byte]).await;
    }
    assert_eq!(socket.hear("pong").await["t"], 7);
    // Every letter is whole, wherever its message was cut.
    let line = "κόσμε \u{1f600} до встречи";
    let text = json!({"type": "chat", "text": line}).to_string();
    let mut parts = frame(0x01, b"");
    for byte in text.as_bytes() {
        parts.extend(frame(0x00, &[*byte]));
    }
    parts.extend(frame(0x80, b""));
    socket.send_raw(&parts).await;
    assert_eq!(opponent.hear("chat").await["text"], line);

    // Bits and kinds that are reserved, and what is no UTF-8.
    let reserved_bits = [0xc1, 0xa1, 0x91, 0xf1, 0xc9].map(|first| (frame(first, b"x"), 1002));
    let reserved_kinds = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
    let reserved_kinds = reserved_kinds.map(|kind| (frame(0x80 | kind, b""), 1002));
    let no_text = [
        &b"\x80"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"{\"type\":\"\xfe\xff\"}",
    ];
    let no_text = no_text.map(|it| (frame(0x81, it), 1007));
    // Who says goodbye hears the same; a code that nobody may send is a fault.
    let goodbye = |code: u16, why: &[u8]| frame(0x88, &[&code.to_be_bytes(), why].concat());
    let good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let good = good.map(|code| (goodbye(code, "до встречи".as_bytes()), code));
    let bad = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535];
    let bad = bad.map(|code| (goodbye(code, b""), 1002));
    let odd = [(frame(0x88, &[3]), 1002), (goodbye(1000, &[0xc3]), 1007)];
    let all = [&reserved_bits[..], &reserved_kinds, &no_text, &good, &bad, &odd].concat();
    for (bytes, expected) in all {
        let mut socket = ann.open(&path).await;
        socket.try_send_raw(&bytes).await;
        let code = socket.end().await;
        assert_eq!(code, Some(expected), "{bytes:x?}");
    }
}

/// Messages that are nearly right: each is answered, and none reaches a match.
#[tokio::test(flavor = "multi_thread")]
async fn nearly_right_messages_change_nothing() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let mut opponent = bob.open(&path).await;
    let good = [
        r#"{"type":"player_ready","n":1}"#,
        r#"{"type":"player_move","n":2,"y":0.5}"#,
        r#"{"type":"game_action","n":3,"action":"resign"}"#,
        r#"{"type":"chat","text":"hello"}"#,
        r#"{"type":"ping","t":1}"#,
    ];
    let deep = format!(r#"{{"type":"ping","t":{}"#, "[".repeat(4000));
    let odd = [
        deep.as_str(),
        r#"{"type":"player_ready","n":1e400}"#,
        r#"{"type":"player_ready","n":-1}"#,
        r#"{"type":"player_ready","n":99999999999999999999}"#,
        r#"{"type":"player_ready","n":"1"}"#,
        r#"{"type":"player_ready","type":"ping"}"#,
        r#"{"type":["ping"]}"#,
        r#"{"type":"score_update","scores":[11,0]}"#,
        r#"{"type":"game_over","outcome":{"winner":0}}"#,
        r#"{"type":"rating","rating":3000}"#,
        "[]",
        "null",
        "0",
        "\"\"",
        "{}",
        "",
    ];
    for text in odd {
        let mut socket = ann.open(&path).await;
        socket.send(Message::text(text)).await;
        let heard = loop {
            match socket.next_or_end().await {
                Ok(message) if message["type"] == "error" => break message["code"].clone(),
                Ok(_) => {}
                Err(code) => break json!(code),
            }
        };
        assert!(heard.is_string(), "{text}: {heard}");
    }
    for round in 0..150 {
        let mut socket = ann.open(&path).await;
        for _ in 0..10 {
            let mut bytes = good[rand::random_range(1..good.len())].as_bytes().to_vec();
            let at = rand::random_range(0..bytes.len());
            match round % 3 {
                0 => bytes.truncate(at),
                1 => bytes[at] = rand::random_range(32..127),
                _ => bytes.insert(at, rand::random_range(32..127)),
            }
            let text = String::from_utf8(bytes).unwrap();
            if !socket.try_send(Message::text(text)).await {
                break;
            }
        }
    }
    // Nobody is ready, nothing has begun, and nobody is hurt.
    let mut socket = ann.open(&path).await;
    assert_eq!(socket.hear("game_state").await["status"], "pending");
    opponent.say(json!({"type": "ping", "t": 1})).await;
    opponent.hear("pong").await;
}

/// A message counts once, in the order of its number; and a match ends once.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_counts_once() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let (mut anns, mut bobs) = (ann.open(&path).await, bob.open(&path).await);
    for socket in [&mut anns, &mut bobs] {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    while bobs.hear("game_state").await["status"] != "active" {}
    // What comes again, too late or from another time; the last shows that all were heard.
    for (n, y) in [(2, 0.3), (2, 0.9), (1, 0.9), (0, 0.9), (7, 0.4), (3, 0.9), (7, 0.9), (8, 0.5)] {
        anns.say(json!({"type": "player_move", "n": n, "y": y})).await;
    }
    let mut counted = Vec::new();
    while counted.last() != Some(&8) {
        let update = bobs.hear("game_update").await;
        if update["seat"] == 0 {
            assert_ne!(update["paddle"][1], json!(0.9), "{update}");
            counted.push(update["n"].as_u64().unwrap());
        }
    }
    assert_eq!(counted, [2, 7, 8]);
    // Made in the future, it counts from now.
    anns.say(json!({"type": "player_move", "n": 9, "y": 0.6, "at": 1u64 << 52})).await;
    while bobs.hear("game_update").await["n"] != 9 {}
    for n in 10..13 {
        anns.say(json!({"type": "game_action", "n": n, "action": "resign"})).await;
    }
    assert_eq!(bobs.hear("game_over").await["outcome"]["winner"], 1);
    bobs.say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    assert_eq!(bobs.hear("error").await["code"], "match_over");
    let ends = "select count(*) from matches where status = 'finished'";
    assert_eq!(server.home.number(ends).await, 1);
    assert_eq!(server.home.number("select sum(wins + losses) from ratings").await, 2);
}

/// What luck will bring is nobody's to know while it is played.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_the_seed_of_a_match() {
    let server = Server::start().await;
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let path = format!("/ws/game/{id}");
    let (mut anns, mut bobs) = (ann.open(&path).await, bob.open(&path).await);
    let mut crowd = server.person("eve").await.open(&path).await;
    let mut heard = String::new();
    for socket in [&mut anns, &mut bobs] {
        socket.say(json!({"type": "player_ready", "n": 1})).await;
    }
    while bobs.hear("game_state").await["status"] != "active" {}
    anns.say(json!({"type": "player_move", "n": 2, "y": 0.3})).await;
    for socket in [&mut anns, &mut bobs, &mut crowd] {
        loop {
            let message = socket.next().await;
            heard += &message.to_string();
            if message["n"] == 2 {
                break;
            }
        }
    }
    for address in [
        format!("/api/matches/{id}"),
        format!("/api/matches/{id}/replay"),
        "/api/matches?live=1".to_owned(),
        format!("/api/users/{}/history", ann.id()),
    ] {
        heard += &ann.get(&address).await.text;
    }
    let seed = server.home.number("select seed from matches").await;
    for written in [seed.to_string(), (seed as u64).to_string(), format!("{:x}", seed as u64)] {
        assert!(!heard.contains(&written), "{written} is in what was heard");
    }
    assert!(!heard.contains("\"seed\""), "{heard}");
}

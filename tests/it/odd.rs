//! Requests that no proper client sends, by raw connections too; and errors, which tell nothing of
//! what is inside.

use crate::{
    mailbox::Mailbox,
    provider::Provider,
    support::{Answer, Client, Home, PASSWORD, Server},
};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Every operation that there is: its method and its path, with names in braces.
async fn operations(server: &Server) -> Vec<(String, String, Value)> {
    let document = server.stranger().get("/api/openapi.json").await.is(200).body.clone();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(|(method, it)| (method.to_uppercase(), path.clone(), it.clone()))
    });
    all.collect()
}

/// A path with something in place of each name in braces.
fn filled(path: &str, with: &str) -> String {
    let mut parts = path.split(['{', '}']);
    let mut filled = parts.next().unwrap().to_owned();
    while let (Some(_), Some(rest)) = (parts.next(), parts.next()) {
        filled += with;
        filled += rest;
    }
    filled
}

/// Somebody who may do everything, so that nothing is refused before it is looked at.
async fn anybody(server: &Server) -> Client {
    let ada = server.person("ada").await;
    server.home.sql("update users set role = 'admin' where username_key = 'ada'").await;
    ada
}

/// What no answer says: of the database, of files, of what this is made of.
#[track_caller]
fn tells_nothing(answer: &Answer) {
    let headers = format!("{:?}", answer.headers).to_lowercase();
    let text = format!("{} {headers}", answer.text.to_lowercase());
    for inside in [
        "sqlx",
        "sqlite",
        "postgres",
        "select ",
        "syntax error",
        ".rs:",
        "src/",
        "panick",
        "stack backtrace",
        "axum",
        "hyper",
        "tokio",
        "rust",
        "0.1.0",
        "x-powered-by",
        "unique constraint",
    ] {
        assert!(!text.contains(inside), "{inside:?} is in {}\n{headers}", answer.text);
    }
}

/// However it is asked for, a path answers its methods only, bodies are JSON, and so are answers.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_keeps_to_its_method_and_its_type() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let ada = anybody(&server).await;
    let all = operations(&server).await;
    assert!(all.len() > 60, "{}", all.len());
    for (method, path, operation) in &all {
        let address = filled(path, "00000000000");
        let of_path = all.iter().filter(|it| it.1 == *path).map(|it| it.0.as_str());
        let methods: Vec<&str> = of_path.collect();
        for wrong in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            if methods.contains(&wrong) {
                continue;
            }
            let answer = Answer::to(ada.request(wrong, &address)).await;
            // A page of ours may be at an address that a GET of the API is not.
            let answer = answer.refuses(405, "method_not_allowed");
            let allowed = answer.header("allow");
            assert!(methods.iter().all(|it| allowed.contains(it)), "{wrong} {path}: {allowed}");
        }
        let body = &operation["requestBody"];
        if body["required"] == true {
            for kind in ["text/plain", "multipart/form-data", "text/xml", "application/json-patch"]
            {
                let request = ada.request(method, &address).header("content-type", kind);
                let answer = Answer::to(request.body("{}")).await;
                answer.refuses(415, "unsupported_media_type");
                tells_nothing(&answer);
            }
            // Packed, it is no JSON: nothing is ever unpacked, however small it is.
            let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xc1, 1, 1, 0, 0, 0, 0x80];
            let request = ada.request(method, &address).header("content-type", "application/json");
            let request = request.header("content-encoding", "gzip").body(packed.to_vec());
            let answer = Answer::to(request).await;
            assert!(matches!(answer.status, 400 | 404), "{method} {path}: {}", answer.text);
        }
        if method == "GET" && path.starts_with("/api/") && !path.ends_with("openapi.json") {
            let request = ada.request("GET", &address).header("accept", "text/xml");
            let answer = Answer::to(request).await;
            assert!(answer.header("content-type").ends_with("json"), "{path}: {}", answer.text);
        }
    }
}

/// Names of nothing, wherever a path takes one.
#[tokio::test(flavor = "multi_thread")]
async fn junk_names_nothing() {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        let server = Server::run(home, &[("ARTEL_RATE_LIMITS", "off")]).await;
        let ada = anybody(&server).await;
        let long = "9".repeat(8_000);
        let junk = [
            "0",
            "-1",
            "9223372036854775808",
            "1e9",
            "%00",
            "%D9%A1%D9%A2",
            "%ff",
            "..%2f..%2fetc",
            "00000000000",
            "zzzzzzzzzzz",
            "'%20or%201=1--",
            "%25",
            "_",
            "%5C",
            "💥",
            &long,
            "123e4567-e89b-12d3-a456-426614174000",
        ];
        for (method, path, _) in operations(&server).await.iter().filter(|it| it.1.contains('{')) {
            for name in junk {
                let request = ada.request(method, &filled(path, name));
                let request = if method == "GET" { request } else { request.json(&json!({})) };
                let answer = Answer::to(request).await;
                let good = match answer.status {
                    // Whom one does not keep away needs no letting back; who is in no room is out.
                    204 => path == "/api/blocks/{id}" || path.ends_with("/leave"),
                    400 | 403 | 404 | 409 | 414 | 415 | 422 => true,
                    _ => false,
                };
                assert!(good, "{method} {path} {name}: {} {}", answer.status, answer.text);
                tells_nothing(&answer);
            }
        }
        server.stranger().get("/readyz").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_bodies_cost_no_memory() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    server.person("ann").await;
    let before = server.memory();
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut asking = JoinSet::new();
    let chunk = format!("10000\r\n{}\r\n", "9".repeat(0x10000));
    let number = format!("{{\"login\": {}", "9".repeat(10 << 20));
    let bodies: [Arc<str>; 4] = [
        format!("{head}content-length: 100000000000\r\n\r\n{}", "x".repeat(8 << 20)),
        format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(160)),
        format!("{head}content-length: {}\r\n\r\n{number}", number.len()),
        format!("{head}content-length: 100001\r\n\r\n{}", "[".repeat(100_001)),
    ]
    .map(Into::into);
    for body in bodies.iter().cycle().take(24) {
        let (stranger, body) = (server.stranger(), Arc::clone(body));
        asking.spawn(async move { stranger.raw(body.as_bytes()).await });
    }
    for answer in asking.join_all().await {
        // Who sends on for too long may find the connection gone before the answer.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    let after = server.memory();
    assert!(after < before + 10 * 1024, "from {before} to {after} KiB");
    server.stranger().get("/readyz").await.is(200);
}

/// Nothing outside is served, nor anything inside that is not a page: neither sources nor what
/// programs like to leave about.
#[tokio::test]
async fn nothing_is_found_by_looking_around() {
    let server = Server::start().await;
    let page = server.stranger().get("/").await.text;
    let part = page.split('"').find(|it| it.starts_with("/a/")).unwrap().to_owned();
    let folder = part.rsplit_once('/').unwrap().0.to_owned();
    for path in [
        "/metrics",
        "/api/metrics",
        "/debug",
        "/debug/pprof",
        "/admin",
        "/actuator",
        "/.env",
        "/.git/config",
        "/artel.db",
        "/artel.db-wal",
        "/Cargo.toml",
        "/api/.env",
        "/a/../.env",
        "/api/openapi.yaml",
        "/swagger.json",
        "/server-status",
    ] {
        let answer = server
            .stranger()
            .raw(format!("GET {path} HTTP/1.0\r\nhost: x\r\n\r\n").as_bytes())
            .await;
        assert_eq!(answer.get(9..12), Some("404"), "{path}: {answer}");
    }
    for path in [
        format!("{part}.map"),
        format!("{folder}/../../../../etc/passwd"),
        format!("{folder}/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
        format!("{folder}/..%5c..%5cCargo.toml"),
        format!("{folder}/%252e%252e%252fCargo.toml"),
        format!("{folder}//etc/passwd"),
        format!("{folder}/%00"),
        format!("{folder}/.git/config"),
        format!("{part}/"),
        format!("{part}%00.html"),
    ] {
        let answer = server
            .stranger()
            .raw(format!("GET {path} HTTP/1.0\r\nhost: x\r\n\r\n").as_bytes())
            .await;
        assert!(matches!(answer.get(9..12), Some("400" | "404")), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[package]"), "{path}");
    }
}

/// No page of another site reads what is here, whatever its name has in common with ours.
#[tokio::test]
async fn other_sites_read_nothing() {
    let server = Server::with(&[("PUBLIC_URL", "https://artel.example")]).await;
    for origin in [
        "https://evil.example",
        "null",
        "https://artel.example.evil.example",
        "https://evilartel.example",
        "https://app.artel.example",
        "http://artel.example",
        "https://web.telegram.org",
    ] {
        for method in ["OPTIONS", "GET", "POST"] {
            let request = server.stranger().request(method, "/api/me").header("origin", origin);
            let request = request.header("cookie", "artel_refresh=x");
            let request = request.header("access-control-request-method", "POST");
            let answer = Answer::to(request.header("access-control-request-headers", "x-artel"));
            let answer = answer.await;
            let allowed =
                answer.headers.keys().find(|it| it.as_str().starts_with("access-control"));
            assert_eq!(allowed, None, "{method} {origin}");
        }
    }
}

/// What leads to us in letters and at providers is made of what the operator set.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_for_us_where_we_are() {
    let (mailbox, provider) = (Mailbox::open().await, Provider::start().await);
    let mut variables = provider.variables();
    variables.extend([
        ("PUBLIC_URL", "https://artel.example"),
        ("ARTEL_SMTP_URL", mailbox.url.as_str()),
        ("ARTEL_MAIL_FROM", "artel@artel.example"),
    ]);
    let server = Server::with(&variables).await;
    let evil = |request: reqwest::RequestBuilder| {
        let request = request.header("host", "evil.example").header("x-forwarded-proto", "http");
        let request = request.header("x-forwarded-host", "evil.example");
        request.header("forwarded", "host=evil.example;proto=http")
    };
    let stranger = server.stranger();
    let body = json!({"username": "ann", "password": PASSWORD, "email": "ann@artel.example"});
    Answer::to(evil(stranger.request("POST", "/api/auth/register")).json(&body)).await.is(201);
    let letter = mailbox.letter("ann@artel.example", 1).await;
    let text = letter.text.replace("=\r\n", "");
    assert!(text.contains("https://artel.example/confirm#"), "{text}");
    let answer = Answer::to(evil(stranger.request("GET", "/auth/google"))).await;
    let place = answer.is(303).header("location");
    assert!(place.contains("redirect_uri=https%3A%2F%2Fartel.example%2Fauth%2F"), "{place}");
    for answer in [
        Answer::to(evil(stranger.request("GET", "/"))).await,
        Answer::to(evil(stranger.request("GET", "/auth/google/callback"))).await,
        Answer::to(evil(stranger.request("GET", "/auth/google?link=1"))).await,
    ] {
        assert!(!answer.text.contains("evil") && !answer.header("location").contains("evil"));
    }
}

/// Whatever is wrong, what is inside stays inside.
#[tokio::test(flavor = "multi_thread")]
async fn errors_tell_nothing_of_the_inside() {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        let server = Server::run(home, &[("ARTEL_RATE_LIMITS", "off")]).await;
        let ada = anybody(&server).await;
        for (method, path, _) in operations(&server).await {
            for address in [filled(&path, "00000000000"), filled(&path, "x") + "?limit=x&cursor='"]
            {
                for body in [None, Some(""), Some("{"), Some("{\"x\":1}"), Some("[[[[")] {
                    let mut request = ada.request(&method, &address);
                    if let Some(body) = body.filter(|_| method != "GET") {
                        request = request.header("content-type", "application/json").body(body);
                    }
                    // The one that ends what this is asked with.
                    if address.contains("sessions") && method == "DELETE" {
                        continue;
                    }
                    let answer = Answer::to(request).await;
                    // There is no bot here to be asked.
                    let expected = answer.status < 500 || answer.body["code"] == "bot_off";
                    assert!(expected, "{method} {address}: {}", answer.text);
                    if answer.status >= 400 {
                        tells_nothing(&answer);
                        assert!(answer.body["code"].is_string(), "{method} {address}");
                    }
                }
            }
        }
        for table in ["queue_entries", "friends", "rooms"] {
            server.home.sql(&format!("alter table {table} rename to gone_{table}")).await;
        }
        for path in ["/api/queue/pong", "/api/friends", "/api/rooms"] {
            let answer = ada.get(path).await;
            tells_nothing(answer.refuses(500, "internal"));
            let id = answer.body["request_id"].as_str().unwrap();
            server.logged(id).await;
        }
    }
}

/// What is done once is remembered over a restart, and also when it comes often at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_once_stays_done() {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        let server = Server::run(home, &[]).await;
        let ann = server.person("ann").await;
        let post = async |by: &Client, body: &Value| {
            let request = by.request("POST", "/api/rooms").header("Idempotency-Key", "one");
            Answer::to(request.json(body)).await
        };
        let body = json!({"game": "pong", "private": true});
        let mut asking = JoinSet::new();
        for _ in 0..12 {
            let (ann, body) = (ann.clone(), body.clone());
            asking.spawn(async move {
                let request = ann.request("POST", "/api/rooms").header("Idempotency-Key", "one");
                Answer::to(request.json(&body)).await
            });
        }
        let mut made = None;
        for answer in asking.join_all().await {
            match answer.status {
                201 => {
                    let code = answer.body["code"].clone();
                    assert_eq!(*made.get_or_insert(code.clone()), code, "two were made");
                }
                _ => drop(answer.refuses(409, "request_in_progress")),
            }
        }
        assert_eq!(server.home.number("select count(*) from rooms").await, 1);
        let server = server.restart("KILL", &[]).await;
        let ann = Client { base: server.base.clone(), ..ann };
        assert_eq!(post(&ann, &body).await.is(201).body["code"], made.unwrap());
        post(&ann, &json!({"game": "pong"})).await.refuses(422, "idempotency_key_reused");
        assert_eq!(server.home.number("select count(*) from rooms").await, 1);
    }
}

//! The REST contract, and what becomes of those who don't keep it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Answer, PASSWORD, PATIENCE, Server, both};

both! {
    async fn who_i_am(server: &Server) {
        server.stranger().get("/api/me").await.refuses(401, "unauthenticated");
        let ann = server.person("ann").await;
        let me = ann.get("/api/me").await;
        let user = &me.is(200).body["user"];
        let nothing = json!({"user": user, "match": null, "queue": null, "telegram": false});
        assert_eq!(me.body, nothing);
        assert_eq!(user["id"], ann.id());
        assert_eq!(user["language"], "en");
        let created_at = user["created_at"].as_str().unwrap();
        assert!(created_at.ends_with('Z') && created_at.contains('T'), "{created_at}");

        let changed = ann.patch("/api/me", json!({"language": "ru", "display_name": " Аня "})).await;
        assert_eq!(changed.is(200).body["display_name"], "Аня");
        assert_eq!(ann.patch("/api/me", json!({})).await.is(200).body, changed.body);
        assert_eq!(ann.get("/api/me").await.is(200).body["user"], changed.body);
        assert_eq!(changed.body["username"], "ann");

        for (body, field) in [
            (json!({"display_name": ""}), "display_name"),
            (json!({"display_name": "x".repeat(33)}), "display_name"),
            (json!({"display_name": 7}), "display_name"),
            (json!({"language": "de"}), "language"),
            (json!({"role": "admin"}), "role"),
            (json!({"rating": 3000}), "rating"),
            (json!({"user_id": "00000000001"}), "user_id"),
            (json!({"language": "en", "is_admin": true}), "is_admin"),
        ] {
            let answer = ann.patch("/api/me", body).await;
            assert_eq!(answer.refuses(422, "invalid").body["errors"][0]["field"], field);
        }
        assert_eq!(ann.get("/api/me").await.is(200).body["user"], changed.body);
    }

    async fn from_the_queue_to_a_match(server: &Server) {
        let (ann, bob, eve) =
            tokio::join!(server.person("ann"), server.person("bob"), server.person("eve"));
        let idle = ann.get("/api/queue/pong").await;
        assert_eq!(idle.is(200).body, json!({"status": "idle", "waiting": 0}));
        ann.post("/api/queue/pong/leave", json!({})).await.is(204);

        let joined = ann.post("/api/queue/pong/join", json!({"chat_id": "-100123"})).await;
        assert_eq!(joined.is(200).body["status"], "waiting");
        assert_eq!(joined.body["position"], 1);
        assert_eq!(joined.body["waiting"], 1);
        // Without a body as well; joining twice is one entry.
        let again = Answer::to(ann.request("POST", "/api/queue/pong/join")).await;
        assert_eq!(again.is(200).body["waiting"], 1);
        let me = ann.get("/api/me").await;
        assert_eq!(me.is(200).body["queue"]["game"], "pong");
        assert_eq!(ann.get("/api/queue/pong").await.is(200).body["since"], me.body["queue"]["since"]);
        assert_eq!(eve.get("/api/queue/pong").await.is(200).body["waiting"], 1);

        ann.post("/api/queue/pong/leave", json!({})).await.is(204);
        assert_eq!(ann.get("/api/me").await.is(200).body["queue"], Value::Null);
        ann.post("/api/queue/pong/join", json!({})).await.is(200);
        bob.post("/api/queue/pong/join", json!({})).await.is(200);
        let id = ann.matched().await;
        assert_eq!(bob.matched().await, id);
        assert_eq!(ann.get("/api/me").await.is(200).body["match"], json!({"id": id, "game": "pong"}));
        assert_eq!(ann.get("/api/queue/pong").await.is(200).body["status"], "matched");
        assert_eq!(eve.get("/api/queue/pong").await.is(200).body["status"], "idle");

        let found = server.stranger().get(&format!("/api/matches/{id}")).await;
        let found = &found.is(200).body;
        assert_eq!(found["id"], id);
        assert_eq!(found["game"], "pong");
        assert_eq!(found["status"], "pending");
        assert_eq!(found["winner"], Value::Null);
        assert!(found["options"].is_object(), "{found}");
        for (seat, side) in [(0, "left"), (1, "right")] {
            let player = &found["players"][seat];
            assert_eq!(player["seat"], seat);
            assert_eq!(player["side"], side);
            assert_eq!(player["score"], 0);
            assert_eq!(player["ready"], false);
            let fields: Vec<_> = player["user"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(fields, ["avatar_url", "display_name", "id", "username"]);
        }
        for path in ["/api/matches?live=1", "/api/matches?live=1&game=pong"] {
            let live = server.stranger().get(path).await;
            assert_eq!(live.is(200).body["items"][0]["id"], id, "{path}");
        }
    }

    async fn people_as_others_see_them(server: &Server) {
        let ann = server.person("ann").await;
        let path = format!("/api/users/{}", ann.id());
        let profile = server.stranger().get(&path).await;
        let fields: BTreeSet<_> = profile.is(200).body.as_object().unwrap().keys().collect();
        let expected = ["avatar_url", "created_at", "display_name", "id", "ratings", "username"];
        assert!(fields.into_iter().eq(&expected), "{}", profile.text);
        assert_eq!(profile.body["ratings"], json!([]));
        let stats = server.stranger().get(&format!("{path}/stats")).await;
        assert_eq!(stats.is(200).body, json!({"games": []}));
        let history = server.stranger().get(&format!("{path}/history")).await;
        assert_eq!(history.is(200).body["items"], json!([]));
        let top = server.stranger().get("/api/games/pong/top").await;
        assert_eq!(top.is(200).body, json!({"items": []}));

        for (query, field) in [
            ("limit=-1", "limit"),
            ("limit=x", "limit"),
            ("limit=1e9", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=' or 1=1 --", "cursor"),
            ("sort=password", "sort"),
            ("limit=5&limit=6", "limit"),
        ] {
            let answer = server.stranger().get(&format!("{path}/history?{query}")).await;
            let problem = &answer.refuses(422, "invalid").body;
            assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
        }
        server.stranger().get(&format!("{path}/history?limit=1000000000")).await.is(200);
    }

    async fn names_of_nothing(server: &Server) {
        let ann = server.person("ann").await;
        let long = "9".repeat(8_000);
        let names = [
            "0", "-1", "9223372036854775808", "1e9", "%00", "%D9%A1%D9%A2", "%ff", "null",
            "00000000000", "zzzzzzzzzzz", "0000000000%00", "..%2f..%2fetc", "me'--", "%20",
            "123e4567-e89b-12d3-a456-426614174000", &long,
        ];
        for name in names {
            for path in [
                format!("/api/users/{name}"),
                format!("/api/users/{name}/stats"),
                format!("/api/users/{name}/history"),
                format!("/api/matches/{name}"),
                format!("/api/queue/{name}"),
                format!("/api/games/{name}/top"),
            ] {
                ann.get(&path).await.refuses(404, "not_found");
            }
            let answer = ann.post(&format!("/api/queue/{name}/join"), json!({})).await;
            answer.refuses(404, "not_found");
        }
    }
}

#[tokio::test]
async fn the_games() {
    let server = Server::start().await;
    let games = server.stranger().get("/api/games").await;
    let pong = &games.is(200).body["items"][0];
    assert_eq!(pong["name"], "pong");
    assert_eq!(pong["title"], "Pong");
    assert_eq!(pong["seats"], json!({"min": 2, "max": 2}));
    assert_eq!(pong["rated"], true);
    assert_eq!(pong["computer"], false);
    assert_eq!(pong["options"]["schema"]["type"], "object");
    assert!(pong["options"]["default"].is_object());
}

#[tokio::test]
async fn bodies_that_are_refused() {
    let server = Server::start().await;
    let client = server.stranger();
    let check = async |body: &[u8], status: u16, code: &str, field: &str| {
        let request = client.request("POST", "/api/auth/register").body(body.to_vec());
        let answer = Answer::to(request.header("content-type", "application/json")).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(answer.status, status, "{shown}: {}", answer.text);
        let found = answer.refuses(status, code).body["errors"][0]["field"].as_str();
        assert_eq!(found.unwrap_or(""), field, "{shown}: {}", answer.text);
    };
    for (body, status, code, field) in [
        // Not JSON.
        ("", 400, "malformed_json", ""),
        ("{", 400, "malformed_json", ""),
        ("nonsense", 400, "malformed_json", ""),
        ("\u{feff}{}", 400, "malformed_json", ""),
        (r#"{"username":"ann""#, 400, "malformed_json", ""),
        (r#"{"username":"ann",}"#, 400, "malformed_json", ""),
        (r#"{"username":"\ud800","password":""}"#, 400, "malformed_json", ""),
        (r#"{"username":NaN}"#, 400, "malformed_json", ""),
        (r#"{"username":1e400}"#, 400, "malformed_json", ""),
        (r#"{"username":"ann","password":"longenough"} {}"#, 400, "malformed_json", ""),
        (r#"{"username":"a","username":"b"}"#, 400, "malformed_json", ""),
        // Not these values.
        ("[]", 422, "invalid", ""),
        ("null", 422, "invalid", ""),
        ("7", 422, "invalid", ""),
        (r#""ann""#, 422, "invalid", ""),
        ("{}", 422, "invalid", "username"),
        (r#"{"username":"ann"}"#, 422, "invalid", "password"),
        (r#"{"username":7,"password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":null,"password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":{"$gt":""},"password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":"an","password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":"ann\u0000","password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":"аnn","password":"longenough"}"#, 422, "invalid", "username"),
        (r#"{"username":"ann","password":"short"}"#, 422, "invalid", "password"),
        (r#"{"username":"ann","password":"longenough","email":"x"}"#, 422, "invalid", "email"),
        (r#"{"username":"ann","password":"longenough","role":"admin"}"#, 422, "invalid", "role"),
        (
            r#"{"username":"ann","password":"longenough","__proto__":{}}"#,
            422,
            "invalid",
            "__proto__",
        ),
    ] {
        check(body.as_bytes(), status, code, field).await;
    }
    check(b"{\"username\":\"\xff\"}", 400, "malformed_json", "").await;
    check("[".repeat(10_000).as_bytes(), 422, "invalid", "").await;
    let deep = format!("{{\"email\":{}", "[".repeat(10_000));
    check(deep.as_bytes(), 422, "invalid", "email").await;
    let large = format!("{{\"username\":\"{}\"}}", "x".repeat(16 * 1024));
    check(large.as_bytes(), 413, "payload_too_large", "").await;
    check(&vec![b' '; 1 << 20], 413, "payload_too_large", "").await;

    let all = json!({"username": "a", "password": "b", "email": "c"});
    let answer = client.post("/api/auth/register", all).await;
    let errors = answer.refuses(422, "invalid").body["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["username", "password", "email"]);

    let good = json!({"username": "ann", "password": PASSWORD}).to_string();
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let request = client.request("POST", "/api/auth/register").body(good.clone());
        let answer = Answer::to(request.header("content-type", kind)).await;
        answer.refuses(415, "unsupported_media_type");
    }
    let request = client.request("POST", "/api/auth/register").body(good);
    Answer::to(request.header("content-type", "Application/JSON; charset=utf-8")).await.is(201);
}

#[tokio::test]
async fn wrong_methods_and_addresses() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for (method, path, allow) in [
        ("DELETE", "/api/me", ["GET", "PATCH"].as_slice()),
        ("GET", "/api/auth/login", &["POST"]),
        ("PUT", "/api/queue/pong/join", &["POST"]),
        ("POST", "/api/games", &["GET"]),
        ("PROPFIND", "/api/matches", &["GET"]),
        ("POST", "/healthz", &["GET"]),
    ] {
        let answer = Answer::to(ann.request(method, path)).await;
        let allowed: Vec<_> =
            answer.refuses(405, "method_not_allowed").header("allow").split(',').collect();
        assert!(allow.iter().all(|it| allowed.contains(it)), "{path}: {allowed:?}");
    }
    for path in ["/api/nothing", "/api/users", "/api/auth", "/ws/nothing", "/api/me/", "/api/"] {
        ann.get(path).await.refuses(404, "not_found");
    }
    for path in
        ["/metrics", "/debug", "/admin", "/.env", "/.git/config", "/artel.db", "/Cargo.toml"]
    {
        let answer = ann.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    ann.get("/api/matches").await.refuses(422, "invalid");
    ann.get("/api/matches?live=1&game=chess").await.refuses(422, "invalid");
    ann.get("/ws/lobby?ticket=x").await.is(400);
}

/// Sends bytes as they are, and gives all that comes back.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may answer and go before it has heard all.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_no_proper_client_sends() {
    let server = Server::start().await;
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    for (rest, expected) in [
        ("content-length: 100000000000\r\n\r\n{", "HTTP/1.1 413 "),
        ("content-length: -1\r\n\r\n", "HTTP/1.1 400 "),
        ("content-length: 1\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 400 "),
        ("transfer-encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 4"),
    ] {
        let answer = raw(&server, format!("{head}{rest}").as_bytes()).await;
        assert!(answer.starts_with(expected), "{rest}: {answer}");
    }
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let endless = format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(8));
    let answer = raw(&server, endless.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    for path in [
        "/../../etc/passwd",
        "/a/dev/../../../Cargo.toml",
        "/a/dev/..%2f..%2fCargo.toml",
        "/a/dev/%2e%2e/%2e%2e/Cargo.toml",
        "/a/dev/..%5cCargo.toml",
        "/a/dev/%00",
        "//etc/passwd",
        "/%252e%252e/etc/passwd",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(&server, request.as_bytes()).await;
        let status = &answer[..answer.len().min(13)];
        assert!(matches!(status, "HTTP/1.1 404 " | "HTTP/1.1 400 "), "{path}: {answer}");
        assert!(!answer.contains("[workspace]") && !answer.contains("root:"), "{path}");
    }
    for nonsense in
        ["\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\r\n\r\n"]
    {
        let answer = raw(&server, nonsense.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(64 * 1024));
    let answer = raw(&server, large.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.stranger().get("/healthz").await.is(200);
}

#[tokio::test]
async fn who_does_not_finish_a_request_is_cut_off() {
    let server = Server::start().await;
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    let ended = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "it still waits for the headers");
}

#[tokio::test]
async fn headers_that_keep_browsers_safe() {
    let server = Server::with(&[("ARTEL_FRAME_ANCESTORS", "http://127.0.0.1:7777")]).await;
    let port = server.base.rsplit(':').next().unwrap();
    let policy = format!(
        "default-src 'self'; img-src 'self' https: data:; connect-src 'self' \
         ws://localhost:{port}; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self' https://web.telegram.org https://*.telegram.org \
         http://127.0.0.1:7777"
    );
    let mut ids = BTreeSet::new();
    for path in ["/", "/healthz", "/api/games", "/api/me", "/api/nothing", "/nothing", "/api/docs"]
    {
        let answer = server.stranger().get(path).await;
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        assert_eq!(answer.header("x-frame-options"), "", "{path}");
        assert_eq!(answer.header("server"), "", "{path}");
        if path.starts_with("/api/") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
        assert!(ids.insert(answer.header("x-request-id").to_owned()), "{path}");
    }
    // Pages of others may not read what is here.
    for origin in ["https://evil.example", "null", "https://web.telegram.org"] {
        for method in ["OPTIONS", "GET"] {
            let request = server.stranger().request(method, "/api/games");
            let request = request.header("access-control-request-method", "GET");
            let answer = Answer::to(request.header("origin", origin)).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        }
    }

    let server = Server::with(&[("PUBLIC_URL", "https://artel.example")]).await;
    let answer = server.stranger().get("/").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    assert!(answer.header("content-security-policy").contains(" wss://artel.example;"));
    assert!(!answer.header("content-security-policy").contains("unsafe"));
}

/// The status of a log-in that is wrong, with one more header.
async fn log_in(server: &Server, header: (&str, &str)) -> Answer {
    let request = server.stranger().request("POST", "/api/auth/login").header(header.0, header.1);
    Answer::to(request.json(&json!({"login": "x".repeat(300), "password": "x"}))).await
}

#[tokio::test]
async fn too_many_requests() {
    let server = Server::start().await;
    let mut refused = 0;
    for i in 0..40 {
        // Anyone can write these.
        let header = ["x-forwarded-for", "fly-client-ip", "forwarded"][i % 3];
        let answer = log_in(&server, (header, &format!("203.0.113.{i}"))).await;
        if answer.status == 429 {
            answer.refuses(429, "too_many_requests");
            let after: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=3).contains(&after), "{after}");
            refused += 1;
        } else {
            answer.refuses(401, "wrong_login");
        }
    }
    // 30 at once, and maybe a few more for the seconds that it took.
    assert!((5..=10).contains(&refused), "{refused} of 40 were refused");
    // What else there is goes on.
    server.stranger().get("/api/games").await.is(200);
    server.person("ann").await.get("/api/me").await.is(200);

    let mut refused = 0;
    for _ in 0..400 {
        refused += usize::from(server.stranger().get("/api/games").await.status == 429);
        server.stranger().get("/healthz").await.is(200);
    }
    assert!(refused < 100, "{refused} of 400 were refused");
}

#[tokio::test]
async fn the_proxy_names_the_client() {
    let server = Server::with(&[("ARTEL_CLIENT_IP_HEADER", "fly-client-ip")]).await;
    let mut refused = 0;
    for _ in 0..40 {
        let answer = log_in(&server, ("fly-client-ip", "2001:db8:1:2::1")).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused > 0);
    for (address, status) in
        [("2001:db8:1:2:3:4:5:6", 429), ("2001:db8:1:3::1", 401), ("203.0.113.1", 401)]
    {
        assert_eq!(log_in(&server, ("fly-client-ip", address)).await.status, status, "{address}");
    }
}

#[tokio::test]
async fn limits_can_be_off_for_load_tests() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    for _ in 0..60 {
        log_in(&server, ("x-none", "")).await.is(401);
    }
}

#[tokio::test]
async fn operations() {
    let server = Server::with(&[("ARTEL_METRICS_LISTEN", "127.0.0.1:0")]).await;
    for path in ["/healthz", "/readyz"] {
        let answer = server.stranger().get(path).await;
        assert_eq!(answer.is(200).body, json!({"status": "ok"}));
    }
    server.stranger().get("/api/matches/00000000000").await.is(404);
    server.stranger().get("/api/metrics").await.is(404);

    let line = server.logged("Metrics are on ").await;
    let url = line.split("Metrics are on ").nth(1).unwrap().trim();
    let answer = Answer::to(server.stranger().http.get(url)).await;
    let metrics = &answer.is(200).text;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"artel_requests_total{method="GET",route="/api/matches/{id}",status="404"} 1"#,
        r#"artel_requests_total{method="GET",route="/healthz",status="200"} 1"#,
        r#"artel_request_seconds_count{route="/readyz"} 1"#,
        "artel_matches 0",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|it| it == line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains("00000000000"), "{metrics}");
    let elsewhere = url.replace("/metrics", "/api/games");
    Answer::to(server.stranger().http.get(elsewhere)).await.is(404);
}

#[tokio::test]
async fn not_ready_without_redis_but_alive() {
    let server = Server::with(&[("REDIS_URL", "redis://127.0.0.1:1")]).await;
    server.stranger().get("/readyz").await.refuses(503, "not_ready");
    server.stranger().get("/healthz").await.is(200);
    server.person("ann").await.get("/api/me").await.is(200);

    let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
        println!("ARTEL_TEST_REDIS is not set: not tested with Redis");
        return;
    };
    let server = Server::with(&[("REDIS_URL", &redis)]).await;
    server.stranger().get("/readyz").await.is(200);
}

#[tokio::test]
async fn what_breaks_inside_is_told_to_the_log() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    server.home.sql("alter table users rename to gone").await;
    let answer = ann.get("/api/me").await;
    let problem = &answer.refuses(500, "internal").body;
    for inside in ["sql", "table", "users", "gone", ".rs"] {
        assert!(!problem["detail"].as_str().unwrap().contains(inside), "{problem}");
    }
    let id = problem["request_id"].as_str().unwrap();
    let line = server.logged(id).await;
    assert!(line.contains("users"), "the cause is not in the log: {line}");
    assert!(!server.log().contains(ann.access_token()));
}

#[tokio::test]
async fn the_document_and_its_page() {
    let server = Server::start().await;
    let answer = server.stranger().get("/api/openapi.json").await;
    let document = &answer.is(200).body;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, kind) in [
        ("GameState", "game_state"),
        ("GameUpdate", "game_update"),
        ("PlayerUpdate", "player_update"),
        ("ScoreUpdate", "score_update"),
        ("GameOver", "game_over"),
        ("RematchUpdate", "rematch"),
        ("ChatSaid", "chat"),
        ("PongReply", "pong"),
        ("SocketError", "error"),
    ] {
        assert_eq!(schemas[name]["properties"]["type"]["const"], kind);
        assert!(schemas[name]["required"].as_array().unwrap().contains(&json!("type")));
    }
    for name in ["LobbyMessage", "PongUpdate", "PongView", "PongAction", "PongOptions", "Problem"] {
        assert!(schemas.contains_key(name), "{name}");
    }
    // Whatever is referred to is there.
    let text = answer.text.as_str();
    assert!(!text.contains("$defs"));
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    // Whatever is described is there, and refuses as described.
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{game}", "pong").replace("{id}", "00000000000");
            let request = server.stranger().request(&method.to_uppercase(), &path);
            let answer = Answer::to(request).await;
            match operation.get("security") {
                Some(_) => _ = answer.refuses(401, "unauthenticated"),
                None if path == "/api/auth/refresh" => {
                    answer.refuses(401, "refresh_token_missing");
                }
                None => assert!(!matches!(answer.status, 401 | 405 | 500..), "{method} {path}"),
            }
            assert!(operation["responses"]["default"].is_object());
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        }
    }

    let page = server.stranger().get("/api/docs").await;
    assert!(page.is(200).header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("//"), "it loads from elsewhere");
    assert!(!page.text.contains("style=") && !page.text.contains("<style"));
    for part in page.text.split("src=\"").chain(page.text.split("rel=\"stylesheet\" href=\"")) {
        if let Some(path) = part.split('"').next().filter(|it| it.starts_with("/api/docs/")) {
            let kind = if path.ends_with(".js") { "text/javascript" } else { "text/css" };
            let file = server.stranger().get(path).await;
            assert!(file.is(200).header("content-type").starts_with(kind));
        }
    }
    let printed = server.home.artel(&["openapi"], &[]);
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), *document);
}

#[tokio::test]
async fn whatever_is_sent_is_answered() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let ann = server.person("ann").await;
    let good = [
        (
            "POST",
            "/api/auth/register",
            json!({"username": "bob", "password": PASSWORD, "email": "b@b.example"}),
        ),
        ("POST", "/api/auth/telegram", json!({"init_data": "user=%7B%7D&auth_date=1&hash=00"})),
        ("POST", "/api/auth/refresh", json!({"refresh_token": ann.refresh_token()})),
        ("PATCH", "/api/me", json!({"language": "ru", "display_name": "Ann"})),
        ("POST", "/api/queue/pong/join", json!({"chat_id": "-100123"})),
    ];
    for (i, (method, path, body)) in good.iter().cycle().take(500).enumerate() {
        // Every byte in turn becomes another, or is cut off.
        let mut bytes = body.to_string().into_bytes();
        let at = i / good.len() % bytes.len();
        match i % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] = rand::random(),
            _ => bytes.insert(at, rand::random()),
        }
        let request = ann.request(method, path).header("content-type", "application/json");
        let answer = Answer::to(request.body(bytes.clone())).await;
        let shown = String::from_utf8_lossy(&bytes);
        assert!(answer.status < 500, "{method} {path} {shown}: {}", answer.text);
        if answer.status >= 400 {
            assert!(answer.body["code"].is_string(), "{method} {path} {shown}: {}", answer.text);
        }
    }
    server.stranger().get("/readyz").await.is(200);
}

//! What becomes of requests that keep no contract.

use serde_json::json;

use crate::support::{Answer, PASSWORD, Server, both};

both! {
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
        let answer = server.stranger().raw(format!("{head}{rest}").as_bytes()).await;
        assert!(answer.starts_with(expected), "{rest}: {answer}");
    }
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let endless = format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(8));
    let answer = server.stranger().raw(endless.as_bytes()).await;
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
        let answer = server.stranger().raw(request.as_bytes()).await;
        let status = &answer[..answer.len().min(13)];
        assert!(matches!(status, "HTTP/1.1 404 " | "HTTP/1.1 400 "), "{path}: {answer}");
        assert!(!answer.contains("[workspace]") && !answer.contains("root:"), "{path}");
    }
    for nonsense in
        ["\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\r\n\r\n"]
    {
        let answer = server.stranger().raw(nonsense.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(64 * 1024));
    let answer = server.stranger().raw(large.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.stranger().get("/healthz").await.is(200);
}

#[tokio::test]
async fn who_does_not_finish_a_request_is_cut_off() {
    let server = Server::start().await;
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let half_a_body = format!("{head}content-length: 100\r\n\r\n{{\"login\":");
    // The one is cut off in mid-headers, the other is told.
    let stranger = server.stranger();
    let (silence, answer) =
        tokio::join!(stranger.raw(head.as_bytes()), stranger.raw(half_a_body.as_bytes()));
    assert!(silence.is_empty() || silence.starts_with("HTTP/1.1 408 "), "{silence}");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
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

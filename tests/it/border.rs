//! What every request passes: limits, the headers of every answer, and what operators see of it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Answer, Home, Server};

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
        let opener = answer.header("cross-origin-opener-policy");
        assert_eq!(opener, "same-origin-allow-popups", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        assert_eq!(answer.header("x-frame-options"), "", "{path}");
        assert_eq!(answer.header("server"), "", "{path}");
        if path.starts_with("/api/") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
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

/// A log-in that is wrong, by a name that is not tried twice, with one more header.
async fn log_in(server: &Server, header: (&str, &str)) -> Answer {
    let request = server.stranger().request("POST", "/api/auth/login").header(header.0, header.1);
    let login = format!("{:016x}", rand::random::<u64>()).repeat(20);
    Answer::to(request.json(&json!({"login": login, "password": "x"}))).await
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
    let url = line.split("Metrics are on ").nth(1).unwrap();
    let url = url.split(['"', ' ']).next().unwrap();
    let answer = Answer::to(server.stranger().http.get(url)).await;
    let metrics = &answer.is(200).text;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"artel_http_requests_total{method="GET",route="/api/matches/{id}",status="404"} 1"#,
        r#"artel_http_requests_total{method="GET",route="/healthz",status="200"} 1"#,
        r#"artel_http_request_duration_seconds_count{method="GET",route="/readyz"} 1"#,
        r#"artel_live_matches{game="pong"} 0"#,
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
    let Some(home) = Home::postgres().await else { return };
    let server = Server::run(home, &[("REDIS_URL", "redis://127.0.0.1:1")]).await;
    server.stranger().get("/readyz").await.refuses(503, "not_ready");
    server.stranger().get("/healthz").await.is(200);
    server.person("ann").await.get("/api/me").await.is(200);

    let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
        println!("ARTEL_TEST_REDIS is not set: not tested with Redis");
        return;
    };
    let Some(home) = Home::postgres().await else { return };
    let server = Server::run(home, &[("REDIS_URL", &redis)]).await;
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

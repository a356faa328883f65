//! How often one may ask: by account, by address, and by what is asked.

use std::time::Instant;

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::support::{Answer, Client, Home, PASSWORD, Server};

/// A try to log in, with more headers.
async fn try_as(server: &Server, login: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.stranger().request("POST", "/api/auth/login?cookie=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request.json(&json!({"login": login, "password": password}))).await
}

#[tokio::test]
async fn guessing_slows_the_guesser_and_not_the_owner() {
    let server = Server::with(&[("ARTEL_CLIENT_IP_HEADER", "fly-client-ip")]).await;
    server.person("ann").await;
    let (home, evil) = (("fly-client-ip", "203.0.113.1"), ("fly-client-ip", "203.0.113.2"));
    let signed_in = try_as(&server, "ann", PASSWORD, &[home]).await;
    let cookies = signed_in.is(200).headers.get_all("set-cookie").iter();
    let mut cookies = cookies.map(|it| it.to_str().unwrap());
    let known = cookies.find(|it| it.starts_with("artel_known=")).unwrap();
    assert!(known.contains("HttpOnly") && known.contains("Path=/api/auth"), "{known}");
    let known = ("cookie", known.split(';').next().unwrap());

    let mut refused = 0;
    for _ in 0..16 {
        let answer = try_as(&server, "ANN", "a wrong password", &[evil]).await;
        if answer.status == 429 {
            let after: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=10).contains(&after), "{after}");
            refused += 1;
        } else {
            answer.refuses(401, "wrong_login");
        }
    }
    assert!((4..=6).contains(&refused), "{refused} of 16 were refused");
    // The right password is not heard there either, and everywhere else it is.
    try_as(&server, "ann", PASSWORD, &[evil]).await.refuses(429, "too_many_requests");
    try_as(&server, "ann", PASSWORD, &[home]).await.is(200);
    // Even from there, in the browser that has signed in by this name before.
    try_as(&server, "ann", PASSWORD, &[evil, known]).await.is(200);
    // What that browser keeps is good for no other name, and nobody makes it up.
    server.person("bob").await;
    for _ in 0..12 {
        try_as(&server, "bob", "a wrong password", &[evil, known]).await;
    }
    let answer = try_as(&server, "bob", "a wrong password", &[evil, known]).await;
    answer.refuses(429, "too_many_requests");
    let forged =
        ("cookie", "artel_known=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    try_as(&server, "ann", PASSWORD, &[evil, forged]).await.refuses(429, "too_many_requests");
}

#[tokio::test]
async fn each_group_has_its_own_limit() {
    let server = Server::start().await;
    let bob = server.person("bob").await;
    let flood = async |by: &Client, path: &str| {
        let mut refused = 0;
        for _ in 0..120 {
            let answer = by.post(path, json!({})).await;
            if answer.status == 429 {
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                refused += 1;
            }
        }
        refused
    };
    let paths = ["/api/queue/pong/leave", "/api/friends/requests", "/api/ws-tickets"];
    for (name, path) in ["ann", "eve", "kim"].into_iter().zip(paths) {
        let ann = server.person(name).await;
        assert!(flood(&ann, path).await > 0, "{path}");
        // Others, and what else there is, go on.
        assert_ne!(bob.post(path, json!({})).await.status, 429, "{path}");
        ann.get("/api/me").await.is(200);
    }
}

#[tokio::test]
async fn a_household_opens_its_pages() {
    let server = Server::start().await;
    let page = server.stranger().get("/").await.text;
    let part = page.split('"').find(|it| it.starts_with("/a/")).unwrap();
    for _ in 0..400 {
        server.stranger().get(part).await.is(200);
    }
}

#[tokio::test]
async fn only_our_proxies_are_believed() {
    let guess = async |server: &Server, n: usize, told: &str| {
        let header = ("x-forwarded-for", told);
        try_as(server, &format!("nobody{n}"), "a wrong password", &[header]).await.status
    };
    // We connect from here, and say so ourselves.
    let server = Server::with(&[("ARTEL_TRUSTED_PROXIES", "127.0.0.0/8 10.0.0.0/8")]).await;
    let mut refused = 0;
    for n in 0..40 {
        // What the client wrote comes first, and then what our proxies saw.
        let told = format!("198.51.100.{n}, 203.0.113.7, 10.0.0.{n}");
        refused += usize::from(guess(&server, n, &told).await == 429);
    }
    assert!((5..=10).contains(&refused), "{refused} of 40 were refused");
    assert_eq!(guess(&server, 41, "203.0.113.7, 203.0.113.8").await, 401);
    assert_eq!(guess(&server, 42, "203.0.113.7, nonsense").await, 401);

    let server = Server::with(&[("ARTEL_TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let mut refused = 0;
    for n in 0..40 {
        refused += usize::from(guess(&server, n, &format!("203.0.113.{n}")).await == 429);
    }
    assert!((5..=10).contains(&refused), "{refused} of 40 were refused");
}

/// A password is guessed no faster by who is signed in, nor by way of a link or a code.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slow_by_every_way() {
    let server = Server::with(&[("ARTEL_CLIENT_IP_HEADER", "fly-client-ip")]).await;
    let (ann, eve) = (server.person("ann").await, server.person("eve").await);
    let token = |n: usize| json!({"token": format!("{n:043}"), "password": PASSWORD});
    // Each from an address of its own, so that the ways are not counted together.
    for (way, address) in ["link", "change", "reset", "code", "forgot"].into_iter().zip(1..) {
        let address = format!("203.0.113.{address}");
        let mut refused = 0;
        for n in 0..16 {
            let guess = json!({"login": "ann", "password": format!("guess {n}")});
            let change = json!({"current": format!("guess {n}"), "password": PASSWORD});
            let (method, path, body) = match way {
                "link" => ("POST", "/api/auth/link/password", guess),
                "change" => ("PUT", "/api/me/password", change),
                "reset" => ("POST", "/api/auth/password/reset", token(n)),
                "code" => {
                    let body = json!({"secret": "a".repeat(43), "code": format!("{n:06}")});
                    ("POST", "/api/auth/handoffs/finish", body)
                }
                _ => ("POST", "/api/auth/password/forgot", json!({"login": "ann"})),
            };
            let request = eve.request(method, path).header("fly-client-ip", &address).json(&body);
            let answer = Answer::to(request).await;
            if answer.status == 429 {
                assert!(!answer.refuses(429, "too_many_requests").header("retry-after").is_empty());
                refused += 1;
            }
        }
        assert!((4..=6).contains(&refused), "{way}: {refused} of 16 were refused");
        // Who is asked about is not held up, nor is anyone else.
        let signed_in =
            try_as(&server, "ann", PASSWORD, &[("fly-client-ip", "198.51.100.1")]).await;
        signed_in.is(200);
    }
    let body = json!({"current": PASSWORD, "password": "another horse battery"});
    Answer::to(ann.request("PUT", "/api/me/password").json(&body)).await.is(200);
}

/// Whoever asks at several processes may ask no more than at one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_count_together() {
    let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
        println!("ARTEL_TEST_REDIS is not set: not tested with several processes");
        return;
    };
    // First, so that its database outlives them.
    let Some(home) = Home::postgres().await else { return };
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::run(home.beside(), &[("REDIS_URL", &redis)]).await);
    }
    let at = |who: &Client, n: usize| Client { base: servers[n % 3].base.clone(), ..who.clone() };
    let (ann, bob) = (servers[0].person("ann").await, servers[1].person("bob").await);
    let room = bob.post("/api/rooms", json!({"game": "pong"})).await;
    let room = room.is(201).body["code"].as_str().unwrap().to_owned();

    // Codes of rooms that there are not.
    let asks = (0..30).map(|n| {
        let (ann, code) = (at(&ann, n), ["BBBBBB", "CCCCCC", "DDDDDD"][n / 10]);
        async move { ann.get(&format!("/api/rooms/{code}")).await.status }
    });
    let mut statuses: Vec<_> = stream::iter(asks).buffer_unordered(30).collect().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[404; 10], [429; 10], [429; 10]].concat());
    at(&ann, 2).get(&format!("/api/rooms/{room}")).await.refuses(429, "too_many_requests");
    for n in 0..20 {
        at(&bob, n).get(&format!("/api/rooms/{room}")).await.is(200);
    }

    // Passwords of somebody, from one address.
    let mut refused = 0;
    for n in 0..24 {
        let answer = try_as(&servers[n % 3], "Ann", "a wrong password", &[]).await;
        refused += usize::from(answer.status == 429);
    }
    assert!((12..=14).contains(&refused), "{refused} of 24 were refused");

    // Anything, by one account.
    let begun = Instant::now();
    let asks = (0..1000).map(|n| {
        let (ann, bob) = (at(&ann, n), at(&bob, n));
        async move {
            if n % 20 == 0 {
                bob.get("/api/games").await.is(200);
            }
            ann.get("/api/games").await
        }
    });
    let answers: Vec<_> = stream::iter(asks).buffer_unordered(60).collect().await;
    let most = (300.0 + begun.elapsed().as_secs_f64() / 0.02) * 1.1;
    let (allowed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert!(allowed.len() > 250 && (allowed.len() as f64) < most, "{} of {most}", allowed.len());
    assert!(!refused.is_empty());
    for answer in refused {
        answer.refuses(429, "too_many_requests");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
}

//! Who is let in by a password, a refresh token, a cookie and a ticket.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Client, PASSWORD, Server, both};

async fn refresh(client: &Client, token: &str) -> Answer {
    client.post("/api/auth/refresh", json!({"refresh_token": token})).await
}

both! {
    async fn a_sign_in_from_beginning_to_end(server: &Server) {
        let stranger = server.stranger();
        let new = json!({"username": "Ann_B", "password": PASSWORD, "email": "Ann@Artel.example"});
        let answer = stranger.post("/api/auth/register", new.clone()).await;
        let session = &answer.is(201).body;
        assert_eq!(session["token_type"], "Bearer");
        assert_eq!(session["expires_in"], 900);
        assert_eq!(session["user"]["username"], "Ann_B");
        assert_eq!(session["user"]["display_name"], "Ann_B");
        assert_eq!(session["user"]["role"], "player");
        assert_eq!(session["user"]["avatar_url"], Value::Null);
        assert_eq!(session["user"].get("email"), None);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("set-cookie"), "");
        let id = &session["user"]["id"];

        stranger.post("/api/auth/register", new).await.refuses(409, "username_taken");

        for login in ["Ann_B", "ann_b", "ANN_B", "ann@artel.EXAMPLE"] {
            let answer = stranger
                .post("/api/auth/login", json!({"login": login, "password": PASSWORD}))
                .await;
            assert_eq!(&answer.is(200).body["user"]["id"], id);
        }
        for (login, password) in [
            ("Ann_B", "wrong horse battery"),
            ("nobody", PASSWORD),
            ("", ""),
            ("Ann_B\0", PASSWORD),
            ("' or 1=1 --", PASSWORD),
            ("%", PASSWORD),
        ] {
            let body = json!({"login": login, "password": password});
            let answer = stranger.post("/api/auth/login", body).await;
            assert_eq!(
                answer.refuses(401, "wrong_login").body["detail"],
                "no account has this username or e-mail address and this password",
            );
        }

        let ann = Client { session: session.clone(), ..stranger.clone() };
        assert_eq!(&ann.get("/api/me").await.is(200).body["user"]["id"], id);
        let next = refresh(&stranger, ann.refresh_token()).await;
        let later = Client { session: next.is(200).body.clone(), ..stranger.clone() };
        assert_ne!(later.refresh_token(), ann.refresh_token());
        later.get("/api/me").await.is(200);

        let goodbye = json!({"refresh_token": later.refresh_token()});
        for _ in 0..2 {
            let answer = stranger.post("/api/auth/logout", goodbye.clone()).await;
            assert_eq!(answer.is(204).text, "");
        }
        refresh(&stranger, later.refresh_token()).await.refuses(401, "refresh_token_invalid");
        later.get("/api/me").await.refuses(401, "access_token_invalid");
        ann.get("/api/me").await.refuses(401, "access_token_invalid");
    }

    async fn a_refresh_token_that_is_used_twice(server: &Server) {
        let ann = server.person("ann").await;
        // Many at once, as by tabs that wake up together: all get the same successor.
        let mut tabs = JoinSet::new();
        for _ in 0..20 {
            let ann = ann.clone();
            tabs.spawn(async move {
                refresh(&ann, ann.refresh_token()).await.is(200).body["refresh_token"].clone()
            });
        }
        let mut successors = tabs.join_all().await;
        successors.dedup();
        let [Value::String(successor)] = successors.as_slice() else {
            panic!("the chain has forked: {successors:?}");
        };

        // Long after, it is a theft.
        server.home.sql("update refresh_tokens set spent_at = spent_at - 11000").await;
        let stolen = refresh(&ann, ann.refresh_token()).await;
        stolen.refuses(401, "refresh_token_reused");
        refresh(&ann, successor).await.refuses(401, "refresh_token_invalid");
        ann.get("/api/me").await.refuses(401, "access_token_invalid");
    }

    async fn only_hashes_of_refresh_tokens_are_kept(server: &Server) {
        let ann = server.person("ann").await;
        assert!(ann.refresh_token().len() >= 43, "256 bits are as many letters of base 64");
        let kept = "select count(*) from refresh_tokens where length(hash) = 64";
        assert_eq!(server.home.number(kept).await, 1);
        let token = ann.refresh_token();
        let bare = format!("select count(*) from refresh_tokens where hash like '%{token}%'");
        assert_eq!(server.home.number(&bare).await, 0);
    }
}

#[tokio::test]
async fn a_server_that_is_started_again_knows_its_people() {
    let server = Server::with(&[("JWT_SECRET", "")]).await;
    let ann = server.person("ann").await;
    // Without JWT_SECRET the key is made once and kept.
    let server = server.restart("KILL", &[("JWT_SECRET", "")]).await;
    let ann = Client { base: server.base.clone(), ..ann };
    ann.get("/api/me").await.is(200);
    refresh(&ann, ann.refresh_token()).await.is(200);
}

#[tokio::test]
async fn each_token_is_good_for_one_thing() {
    let server = Server::start().await;
    let (ann, stranger) = (server.person("ann").await, server.stranger());
    for token in [ann.access_token(), &ann.ticket().await, "", "x"] {
        refresh(&stranger, token).await.refuses(401, "refresh_token_invalid");
    }
    let access = ann.access_token();
    for query in ["token", "access_token", "ticket"] {
        let answer = stranger.get(&format!("/api/me?{query}={access}")).await;
        answer.refuses(401, "unauthenticated");
    }
    for header in ["", "Bearer", "Bearer ", "Basic YW5uOmFubg==", "Token x"] {
        let request = stranger.request("GET", "/api/me").header("authorization", header);
        assert_eq!(Answer::to(request).await.status, 401, "{header:?}");
    }
    for ticket in [ann.access_token(), ann.refresh_token(), "", "x"] {
        let address = format!("/ws/lobby?ticket={ticket}");
        let answer = ann.knock(&address, Some(&ann.base)).await.unwrap_err();
        answer.refuses(401, "ticket_invalid");
    }
    let log = server.log();
    assert!(!log.contains(access) && !log.contains(ann.refresh_token()), "{log}");
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    server.stranger().post("/api/ws-tickets", json!({})).await.refuses(401, "unauthenticated");
    let answer = ann.post("/api/ws-tickets", json!({})).await;
    assert_eq!(answer.is(200).body["expires_in"], 30);

    let address = format!("/ws/lobby?ticket={}", ann.ticket().await);
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        let answer = ann.knock(&address, Some(origin)).await.unwrap_err();
        answer.refuses(403, "foreign_origin");
    }
    let mut socket = ann.knock(&address, Some(&ann.base)).await.unwrap();
    assert_eq!(socket.hear("queue_update").await["status"], "idle");
    let again = ann.knock(&address, None).await.unwrap_err();
    again.refuses(401, "ticket_invalid");

    // Signing out closes what was open.
    let goodbye = json!({"refresh_token": ann.refresh_token()});
    ann.post("/api/auth/logout", goodbye).await.is(204);
    assert_eq!(socket.closed().await, 4401);
}

/// Registers with `?cookie=1`, and gives the cookie and its attributes.
async fn cookie_of(client: &Client, username: &str) -> (String, Vec<String>) {
    let body = json!({"username": username, "password": PASSWORD});
    let answer = client.post("/api/auth/register?cookie=1", body).await;
    assert_eq!(answer.is(201).body.get("refresh_token"), None);
    cookie_in(&answer)
}

fn cookie_in(answer: &Answer) -> (String, Vec<String>) {
    let mut parts = answer.header("set-cookie").split("; ").map(str::to_owned);
    let cookie = parts.next().unwrap();
    assert!(cookie.starts_with("artel_refresh="), "{cookie}");
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (cookie, attributes)
}

async fn with_cookie(client: &Client, path: &str, cookie: &str) -> Answer {
    let request = client.request("POST", path).header("cookie", cookie);
    Answer::to(request.header("x-artel", "1")).await
}

#[tokio::test]
async fn a_browser_keeps_the_refresh_token_in_a_cookie() {
    let server = Server::start().await;
    let client = server.stranger();
    let (cookie, attributes) = cookie_of(&client, "ann").await;
    assert_eq!(attributes, ["HttpOnly", "Max-Age=2592000", "Path=/api/auth", "SameSite=Lax"]);
    let among = format!("theme=dark; {cookie}; other=1");

    // Another site's page can make a browser send the cookie, but not the header.
    for path in ["/api/auth/refresh", "/api/auth/logout"] {
        let request = || client.request("POST", path).header("cookie", &among);
        Answer::to(request()).await.refuses(403, "csrf_header_missing");
        Answer::to(request().header("x-artel", "yes")).await.refuses(403, "csrf_header_missing");
        let form = request().header("content-type", "text/plain").body("{}");
        Answer::to(form).await.refuses(415, "unsupported_media_type");
    }

    let answer = with_cookie(&client, "/api/auth/refresh", &among).await;
    assert_eq!(answer.is(200).body.get("refresh_token"), None);
    let (next, _) = cookie_in(&answer);
    assert_ne!(next, cookie);
    let ann = Client { session: answer.body.clone(), ..client.clone() };
    ann.get("/api/me").await.is(200);

    let answer = with_cookie(&client, "/api/auth/logout", &next).await;
    let (gone, attributes) = cookie_in(answer.is(204));
    assert_eq!(gone, "artel_refresh=");
    assert!(attributes.contains(&"Max-Age=0".to_owned()), "{attributes:?}");
    let answer = with_cookie(&client, "/api/auth/refresh", &next).await;
    assert_eq!(cookie_in(answer.refuses(401, "refresh_token_invalid")).0, "artel_refresh=");
    with_cookie(&client, "/api/auth/logout", "theme=dark").await.is(204);
    let none = with_cookie(&client, "/api/auth/refresh", "theme=dark").await;
    none.refuses(401, "refresh_token_missing");

    for wrong in ["2", "yes", ""] {
        let body = json!({"username": "bob", "password": PASSWORD});
        let answer = client.post(&format!("/api/auth/register?cookie={wrong}"), body).await;
        assert_eq!(answer.refuses(422, "invalid").body["errors"][0]["field"], "cookie");
    }
}

#[tokio::test]
async fn a_cookie_by_https_works_within_telegram() {
    let server = Server::with(&[("PUBLIC_URL", "https://artel.example")]).await;
    let (_, attributes) = cookie_of(&server.stranger(), "ann").await;
    let expected =
        ["HttpOnly", "Max-Age=2592000", "Partitioned", "Path=/api/auth", "SameSite=None", "Secure"];
    assert_eq!(attributes, expected);
}

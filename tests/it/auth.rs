//! Who is let in, and who is not.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::task::JoinSet;

use crate::support::{Answer, Client, JWT_SECRET, PASSWORD, Server, both};

const BOT_TOKEN: &str = "1234567890:ARTEL-synthetic-test-token-not-real";
/// Nobody listens there, so the bot finds no Telegram and leaves it alone.
const NO_TELEGRAM: (&str, &str) = ("TELEGRAM_API_URL", "http://127.0.0.1:1");

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
        let other = json!({"username": "other", "password": PASSWORD, "email": "ANN@artel.example"});
        stranger.post("/api/auth/register", other).await.refuses(409, "email_taken");

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

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The three parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn signed(header: &Header, claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// A token whose header is any JSON, signed as HS256 would be.
fn signed_by_hand(header: &Value, claims: &str, secret: &str) -> String {
    let text = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", base64(&mac.finalize().into_bytes()))
}

/// Base 64 for addresses, without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            text.push(LETTERS[(bits >> (18 - 6 * i)) as usize & 63].into());
        }
    }
    text
}

#[tokio::test]
async fn forged_access_tokens() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let good = jsonwebtoken::decode_header(ann.access_token()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(Algorithm::HS256);
    rules.set_audience(&["artel:access"]);
    let key = jsonwebtoken::DecodingKey::from_secret(JWT_SECRET.as_bytes());
    let claims = jsonwebtoken::decode::<Value>(ann.access_token(), &key, &rules).unwrap().claims;
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    // The controls: what the forgeries are made with makes good tokens too.
    ann.bearing(&signed(&good, &claims, JWT_SECRET)).get("/api/me").await.is(200);
    let header = serde_json::to_value(&good).unwrap();
    let by_hand =
        |header: Value, claims: &Value| signed_by_hand(&header, &claims.to_string(), JWT_SECRET);
    ann.bearing(&by_hand(header.clone(), &claims)).get("/api/me").await.is(200);

    let [head, body, signature] = parts(ann.access_token());
    let other = server.person("bob").await;
    let [_, other_body, _] = parts(other.access_token());
    let head_with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let mut flipped = signature.to_owned();
    flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!("{head}.{body}.{flipped}"),
        format!("{head}.{other_body}.{signature}"),
        format!("{head}.{body}.{signature}x"),
        format!("{head}.{body}.{signature}.{signature}"),
        "a".repeat(8_000),
        signed(&good, &claims, "another secret that is long enough"),
        signed(&good, &claims, ""),
        signed(&Header { kid: Some("another".into()), ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { kid: None, ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { typ: Some("JWT".into()), ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { typ: None, ..good.clone() }, &claims, JWT_SECRET),
        by_hand(head_with("crit", json!(["exp"])), &claims),
        ann.refresh_token().to_owned(),
        ann.ticket().await,
    ];
    for none in ["none", "None", "nOnE", "NONE", ""] {
        let head = base64(head_with("alg", none.into()).to_string().as_bytes());
        forged.push(format!("{head}.{body}."));
        forged.push(format!("{head}.{body}.{signature}"));
    }
    for algorithm in ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256"] {
        forged.push(by_hand(head_with("alg", algorithm.into()), &claims));
    }
    for algorithm in [json!(null), json!(256), json!(["HS256"]), json!({})] {
        forged.push(by_hand(head_with("alg", algorithm), &claims));
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        forged.push(signed(&Header { alg: algorithm, ..good.clone() }, &claims, JWT_SECRET));
    }
    for name in ["iss", "aud", "sub", "sid", "role", "exp"] {
        forged.push(signed(&good, &without(name), JWT_SECRET));
        for wrong in [json!(null), json!(-1), json!(true), json!([]), json!({}), json!("evil")] {
            forged.push(signed(&good, &with(name, wrong), JWT_SECRET));
        }
    }
    for (name, wrong) in [
        ("exp", json!(now() - 30)),
        ("exp", json!(now() - 6)),
        ("exp", json!(0)),
        ("exp", json!((now() + 60).to_string())),
        ("nbf", json!(now() + 60)),
        ("nbf", json!((now() + 60).to_string())),
        ("iss", json!("artel2")),
        ("iss", json!("")),
        ("aud", json!("artel:refresh")),
        ("aud", json!("artel")),
        ("sub", json!("")),
        ("sub", json!(1)),
        ("role", json!("owner")),
    ] {
        forged.push(signed(&good, &with(name, wrong), JWT_SECRET));
    }
    let text = claims.to_string();
    let exp = format!("\"exp\":{}", claims["exp"]);
    for wrong in ["\"exp\":1e400", "\"exp\":1e20", "\"exp\":99999999999999999999"] {
        forged.push(signed_by_hand(&header, &text.replace(&exp, wrong), JWT_SECRET));
    }

    for token in forged {
        let answer = ann.bearing(&token).get("/api/me").await;
        assert_eq!(answer.status, 401, "{token} is let in");
        if !token.is_empty() {
            answer.refuses(401, "access_token_invalid");
        }
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert!(!server.log().contains(ann.access_token()));
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

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Init data as Telegram signs it for a bot.
fn init_data(token: &str, auth_date: u64, user: &Value) -> String {
    let user = user.to_string();
    let mut fields =
        [("auth_date", auth_date.to_string()), ("query_id", "AAE".into()), ("user", user)];
    fields.sort();
    let check: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let hash = hmac(&hmac(b"WebAppData", token), &check.join("\n"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&fields).append_pair("hash", &hash);
    query.finish()
}

#[tokio::test]
async fn telegram_says_who_somebody_is() {
    let server = Server::with(&[("TELOXIDE_TOKEN", BOT_TOKEN), NO_TELEGRAM]).await;
    let client = server.stranger();
    let sign_in =
        async |data: String| client.post("/api/auth/telegram", json!({"init_data": data})).await;
    let ann = json!({"id": 77, "first_name": "Ann <b>", "last_name": "Bee", "language_code": "ru"});
    let first = sign_in(init_data(BOT_TOKEN, now(), &ann)).await;
    let user = &first.is(200).body["user"];
    assert_eq!(user["display_name"], "Ann <b> Bee");
    assert_eq!(user["username"], Value::Null);
    assert_eq!(user["language"], "ru");
    let again = sign_in(init_data(BOT_TOKEN, now(), &ann)).await;
    assert_eq!(again.is(200).body["user"]["id"], user["id"]);
    let me = Client { session: first.body.clone(), ..client.clone() };
    assert_eq!(me.get("/api/me").await.is(200).body["telegram"], true);

    let good = init_data(BOT_TOKEN, now(), &ann);
    sign_in(init_data(BOT_TOKEN, now() - 86_401, &ann)).await.refuses(401, "initdata_expired");
    for bad in [
        String::new(),
        "hash=".to_owned(),
        good.replace("77", "78"),
        good.replace("hash=", "hash=0"),
        good.to_uppercase(),
        format!("{good}&admin=1"),
        init_data("1234567890:another", now(), &ann),
        init_data(BOT_TOKEN, now() + 3_600, &ann),
        init_data(BOT_TOKEN, now(), &json!({"first_name": "Nobody"})),
        init_data(BOT_TOKEN, now(), &json!({"id": "77", "first_name": "Ann"})),
        init_data(BOT_TOKEN, now(), &json!({"id": -1, "first_name": "Ann"})),
        init_data(BOT_TOKEN, now(), &json!({"id": 1e300, "first_name": "Ann"})),
    ] {
        let answer = sign_in(bad.clone()).await;
        assert_eq!(answer.refuses(401, "initdata_invalid").body["errors"], Value::Null, "{bad}");
    }
    sign_in("x".repeat(1 << 20)).await.refuses(413, "payload_too_large");
}

#[tokio::test]
async fn without_a_bot_telegram_is_no_way_in() {
    let server = Server::start().await;
    let body = json!({"init_data": "x"});
    let answer = server.stranger().post("/api/auth/telegram", body).await;
    answer.refuses(404, "telegram_off");
    let ann = server.person("ann").await;
    assert_eq!(ann.get("/api/me").await.is(200).body["telegram"], false);
}

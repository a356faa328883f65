//! Who is let in by Telegram's word.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, Client, Server};

pub(crate) const BOT_TOKEN: &str = "1234567890:ARTEL-synthetic-test-token-not-real";
/// Nobody listens there, so the bot finds no Telegram and leaves it alone.
pub(crate) const NO_TELEGRAM: (&str, &str) = ("TELEGRAM_API_URL", "http://127.0.0.1:1");

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Init data as Telegram signs it for a bot.
pub(crate) fn init_data(token: &str, auth_date: u64, user: &Value) -> String {
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
async fn there_is_no_back_door() {
    let server = Server::with(&[("TELOXIDE_TOKEN", BOT_TOKEN), NO_TELEGRAM]).await;
    let (ann, stranger) = (server.person("ann").await, server.stranger());
    let id = ann.id();
    for path in [
        format!("/api/me?user_id={id}"),
        format!("/api/me?debug_user={id}"),
        format!("/api/me?access_token={}", ann.access_token()),
    ] {
        stranger.get(&path).await.refuses(401, "unauthenticated");
    }
    for header in ["x-debug-user", "x-user-id", "x-dev-user", "x-telegram-user"] {
        let request = stranger.request("GET", "/api/me").header(header, id);
        Answer::to(request).await.refuses(401, "unauthenticated");
    }
    for path in ["/api/auth/dev", "/api/auth/debug", "/api/auth/mock", "/api/dev/login"] {
        stranger.post(path, json!({"user_id": id})).await.refuses(404, "not_found");
    }
    // The token that everybody knows, of the simulated Telegram.
    let somebody = json!({"id": 77, "first_name": "Ann"});
    let known = init_data("1:development", now(), &somebody);
    let answer = stranger.post("/api/auth/telegram", json!({"init_data": known})).await;
    answer.refuses(401, "initdata_invalid");
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

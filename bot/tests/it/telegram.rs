//! A stand-in for Telegram: a Bot API server over real HTTP, with a bot that people can write to.
//!
//! As strict as the real one where we know it to be: updates come again until they are confirmed,
//! buttons of the Mini App work in private chats and over https only. Names of methods are
//! understood in any case, as Telegram documents.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use arena::Secret;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::logs;

pub(crate) const TOKEN: &str = "123456789:AAF-a-token-for-tests";
const BOT: &str = "artel_bot";

/// A private chat; its number is the person's.
pub(crate) const ANN: i64 = 1001;
/// A group.
pub(crate) const GROUP: i64 = -1_000_000_000_001;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The stand-in, and a handle on what happens at it.
#[derive(Clone)]
pub(crate) struct Telegram {
    address: SocketAddr,
    at: Arc<watch::Sender<Happenings>>,
    /// Whether the bot has a main Mini App.
    main_app: bool,
}

#[derive(Default)]
struct Happenings {
    /// Every request that was answered well: the method in lower case, and what it carried.
    calls: Vec<(String, Value)>,
    /// Not confirmed yet.
    updates: VecDeque<Value>,
    updates_made: i64,
    /// Still to happen, to which methods.
    faults: Vec<(&'static str, Fault)>,
}

/// How a request ends instead of well.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    TooMany { retry_after: u64 },
    Error(u16, &'static str),
    NotJson,
    BrokenConnection,
}

/// A bot that runs against a stand-in.
pub(crate) struct Running {
    task: JoinHandle<()>,
    closing: CancellationToken,
}

impl Telegram {
    pub(crate) async fn open() -> Telegram {
        Telegram::open_with(false).await
    }

    pub(crate) async fn open_with_main_app() -> Telegram {
        Telegram::open_with(true).await
    }

    async fn open_with(main_app: bool) -> Telegram {
        logs::keep();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let telegram = Telegram {
            address: listener.local_addr().unwrap(),
            at: Arc::new(watch::Sender::default()),
            main_app,
        };
        let router = Router::new().route("/{bot}/{method}", axum::routing::post(answer));
        let router = router.with_state(telegram.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        telegram
    }

    /// Starts the bot; `app` is the Mini App's short name.
    pub(crate) fn run_bot(&self, public_url: &str, app: Option<&str>) -> Running {
        self.run_bot_with(TOKEN, public_url, app)
    }

    pub(crate) fn run_bot_with(&self, token: &str, public_url: &str, app: Option<&str>) -> Running {
        let options = bot::Options {
            telegram_api_url: format!("http://{}", self.address).parse().unwrap(),
            telegram_app_name: app.map(str::to_owned),
        };
        let closing = CancellationToken::new();
        let public_url = public_url.parse().unwrap();
        let run = bot::run(options, Secret::new(token), public_url, closing.clone());
        Running { task: tokio::spawn(run), closing }
    }

    /// Somebody who has set `language` writes to the bot in private.
    pub(crate) fn write(&self, language: &str, text: &str) {
        let chat = json!({ "id": ANN, "type": "private", "first_name": "Ann" });
        self.update(json!({ "message": message(chat, language, text) }));
    }

    /// The same, in a group.
    pub(crate) fn write_in_group(&self, language: &str, text: &str) {
        let chat = json!({ "id": GROUP, "type": "supergroup", "title": "Friends" });
        self.update(json!({ "message": message(chat, language, text) }));
    }

    /// Brings any update at all.
    pub(crate) fn update(&self, mut update: Value) {
        self.at.send_modify(|it| {
            it.updates_made += 1;
            update["update_id"] = it.updates_made.into();
            it.updates.push_back(update);
        });
    }

    /// The next request of `method` ends badly; called again, the one after it too.
    pub(crate) fn break_next(&self, method: &'static str, fault: Fault) {
        self.at.send_modify(|it| it.faults.push((method, fault)));
    }

    /// Waits until `method` was called `count` times, and tells what the calls carried.
    #[track_caller]
    pub(crate) fn calls(&self, method: &str, count: usize) -> impl Future<Output = Vec<Value>> {
        let mut at = self.at.subscribe();
        let of = move |it: &Happenings| -> Vec<Value> {
            it.calls.iter().filter(|(name, _)| name == method).map(|(_, it)| it.clone()).collect()
        };
        let from = std::panic::Location::caller();
        async move {
            let came = timeout(PATIENCE, at.wait_for(|it| of(it).len() >= count)).await;
            let calls =
                of(&came.unwrap_or_else(|_| panic!("{from}: no {count} {method}")).unwrap());
            assert_eq!(calls.len(), count, "{from}: more than {count} {method}: {calls:#?}");
            calls
        }
    }

    /// The only answer so far: its text and its button.
    #[track_caller]
    pub(crate) fn answer(&self) -> impl Future<Output = (String, Value)> {
        let answers = self.calls("sendmessage", 1);
        async move {
            let [answer] = <[Value; 1]>::try_from(answers.await).unwrap();
            let text = answer["text"].as_str().unwrap().to_owned();
            (text, answer["reply_markup"]["inline_keyboard"][0][0].clone())
        }
    }

    /// Waits until all updates were confirmed.
    pub(crate) async fn all_is_read(&self) {
        let mut at = self.at.subscribe();
        timeout(PATIENCE, at.wait_for(|it| it.updates.is_empty())).await.unwrap().unwrap();
    }

    /// Waits until everything that was to break did.
    pub(crate) async fn all_is_broken(&self) {
        let mut at = self.at.subscribe();
        timeout(PATIENCE, at.wait_for(|it| it.faults.is_empty())).await.unwrap().unwrap();
    }

    fn take_fault(&self, method: &str) -> Option<Fault> {
        let mut fault = None;
        self.at.send_if_modified(|it| {
            let found = it.faults.iter().position(|it| it.0 == method);
            fault = found.map(|at| it.faults.remove(at).1);
            fault.is_some()
        });
        fault
    }

    /// What the bot is to be answered; an error is a code and its description.
    async fn result(&self, method: &str, said: &Value) -> Result<Value, (u16, &'static str)> {
        match method {
            "getme" => Ok(json!({
                "id": 123_456_789, "is_bot": true, "first_name": "Artel", "username": BOT,
                "can_join_groups": true, "can_read_all_group_messages": false,
                "supports_inline_queries": false, "can_connect_to_business": false,
                "has_main_web_app": self.main_app,
            })),
            "getupdates" => Ok(self.updates(said).await),
            "sendmessage" => {
                check_message(said)?;
                Ok(json!({
                    "message_id": 7, "date": 1, "text": said["text"],
                    "chat": { "id": said["chat_id"], "type": "private", "first_name": "Ann" },
                }))
            }
            "setchatmenubutton" => {
                let button = &said["menu_button"];
                match button["type"] == "web_app" && !is_secure(&button["web_app"]["url"]) {
                    true => Err((400, "Bad Request: Only HTTPS links are allowed")),
                    false => Ok(true.into()),
                }
            }
            "deletewebhook" | "setmycommands" => Ok(true.into()),
            _ => Err((404, "Not Found")),
        }
    }

    /// Updates from the offset on, as soon as there is one.
    async fn updates(&self, said: &Value) -> Value {
        let offset = said["offset"].as_i64().unwrap_or(0);
        self.at.send_modify(|it| it.updates.retain(|it| it["update_id"].as_i64() >= Some(offset)));
        let until = Instant::now() + Duration::from_secs(said["timeout"].as_u64().unwrap());
        let mut at = self.at.subscribe();
        let _ = timeout_at(until, at.wait_for(|it| !it.updates.is_empty())).await;
        self.at.borrow().updates.iter().cloned().collect()
    }
}

impl Running {
    /// Waits for the bot to end by itself.
    pub(crate) async fn ended(self) {
        timeout(PATIENCE, self.task).await.expect("it goes on").unwrap();
        logs::check();
    }

    /// Stops the bot, which takes it no longer than `at_most`.
    pub(crate) async fn stop_within(self, at_most: Duration) {
        assert!(!self.task.is_finished(), "it ended by itself: {}", logs::all());
        self.closing.cancel();
        timeout(at_most, self.task).await.expect("it doesn't stop").unwrap();
        logs::check();
    }

    pub(crate) async fn stop(self) {
        self.stop_within(Duration::from_secs(1)).await;
    }
}

fn message(chat: Value, language: &str, text: &str) -> Value {
    json!({
        "message_id": 42,
        "date": 1_700_000_000,
        "chat": chat,
        "from": { "id": ANN, "is_bot": false, "first_name": "Ann", "language_code": language },
        "text": text,
    })
}

async fn answer(
    State(telegram): State<Telegram>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if bot != format!("bot{TOKEN}") {
        return error(401, "Unauthorized", json!({}));
    }
    let method = method.to_ascii_lowercase();
    // A request without parameters may have no body.
    let said = serde_json::from_slice(&body).unwrap_or(Value::Null);
    match telegram.take_fault(&method) {
        Some(Fault::TooMany { retry_after }) => {
            let text = "Too Many Requests: retry after a while";
            return error(429, text, json!({ "parameters": { "retry_after": retry_after } }));
        }
        Some(Fault::Error(code, text)) => return error(code, text, json!({})),
        Some(Fault::NotJson) => return "<html>a page in between</html>".into_response(),
        Some(Fault::BrokenConnection) => {
            let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("broken"))]);
            return Body::from_stream(broken).into_response();
        }
        None => {}
    }
    match telegram.result(&method, &said).await {
        Ok(result) => {
            telegram.at.send_modify(|it| it.calls.push((method, said)));
            Json(json!({ "ok": true, "result": result })).into_response()
        }
        Err((code, text)) => error(code, text, json!({})),
    }
}

/// An error as Telegram tells it. Only what failed inside has another status than Telegram's: from
/// 500 on teloxide waits for ten seconds, which is too long for a test.
fn error(code: u16, text: &str, mut more: Value) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    let status = if status.is_server_error() { StatusCode::OK } else { status };
    more["ok"] = false.into();
    more["error_code"] = code.into();
    more["description"] = text.into();
    (status, Json(more)).into_response()
}

/// Refuses what Telegram would.
fn check_message(said: &Value) -> Result<(), (u16, &'static str)> {
    let text = said["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err((400, "Bad Request: message text is empty"));
    }
    if said["parse_mode"] == "HTML" && text.matches("<b>").count() != text.matches("</b>").count() {
        return Err((400, "Bad Request: can't parse entities"));
    }
    let rows = said["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        let app = &button["web_app"]["url"];
        if !app.is_null() && said["chat_id"].as_i64() < Some(0) {
            return Err((400, "Bad Request: BUTTON_TYPE_INVALID"));
        }
        if !app.is_null() && !is_secure(app) {
            return Err((400, "Bad Request: Only HTTPS links are allowed"));
        }
        if app.is_null() && !is_secure(&button["url"]) {
            return Err((400, "Bad Request: BUTTON_URL_INVALID"));
        }
    }
    Ok(())
}

fn is_secure(url: &Value) -> bool {
    url.as_str().is_some_and(|it| it.starts_with("https://"))
}

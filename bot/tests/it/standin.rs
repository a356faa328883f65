//! A stand-in for Telegram: a Bot API server over real HTTP, with chats that people write in.
//!
//! As strict as the real one where we know it to be: updates come again until they are confirmed,
//! buttons of the Mini App work in private chats and over https only, a button's data has 1 to 64
//! bytes, what is not there can't be edited, and an edit has to change something. Names of methods
//! are understood in any case, as Telegram documents.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

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
    time::{Instant, timeout, timeout_at},
};

pub(crate) const TOKEN: &str = "123456789:AAF-a-token-for-tests";
pub(crate) const BOT: &str = "artel_bot";

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The stand-in, and a handle on what happens at it.
#[derive(Clone)]
pub(crate) struct Telegram {
    pub(crate) address: SocketAddr,
    at: Arc<watch::Sender<Happenings>>,
    /// Whether the bot has a main Mini App.
    main_app: bool,
}

/// A chat and the number of a message in it; no chat for inline messages.
type Key = (Option<i64>, String);

#[derive(Default)]
struct Happenings {
    /// Every request that was answered well: the method in lower case, and what it carried.
    calls: Vec<(String, Value)>,
    /// When something was sent or edited, and where.
    written: Vec<(Instant, Key)>,
    /// Not confirmed yet.
    updates: VecDeque<Value>,
    updates_made: i64,
    messages_made: i64,
    /// What stands in the chats.
    messages: HashMap<Key, Value>,
    /// Chats that take nothing, and why.
    closed: HashMap<i64, Closed>,
    /// Requests for updates so far, and how many were turned away for a later one.
    polls: u64,
    conflicts: usize,
    /// Still to happen, to which methods.
    faults: Vec<(&'static str, Fault)>,
}

/// Why a chat takes nothing.
#[derive(Clone, Copy)]
pub(crate) enum Closed {
    Blocked,
    Moved(i64),
}

/// How a request ends instead of well.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    TooMany { retry_after: u64 },
    Error(u16, &'static str),
    NotJson,
    BrokenConnection,
}

/// How Telegram refuses something.
type Refusal = (u16, String, Value);

fn refusal(code: u16, text: &str) -> Refusal {
    (code, text.to_owned(), json!({}))
}

impl Telegram {
    pub(crate) async fn open(main_app: bool) -> Telegram {
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

    /// Brings an update; gives its number.
    pub(crate) fn update(&self, mut update: Value) -> i64 {
        let mut id = 0;
        self.at.send_modify(|it| {
            it.updates_made += 1;
            id = it.updates_made;
            update["update_id"] = id.into();
            it.updates.push_back(update);
        });
        id
    }

    /// Brings an update as it is, number and all.
    pub(crate) fn update_again(&self, update: Value) {
        self.at.send_modify(|it| it.updates.push_back(update));
    }

    /// The next request of `method` ends badly; called again, the one after it too.
    pub(crate) fn break_next(&self, method: &'static str, fault: Fault) {
        self.at.send_modify(|it| it.faults.push((method, fault)));
    }

    /// Lets a chat take nothing any more, or again.
    pub(crate) fn close(&self, chat: i64, why: Option<Closed>) {
        self.at.send_modify(|it| match why {
            Some(why) => drop(it.closed.insert(chat, why)),
            None => drop(it.closed.remove(&chat)),
        });
    }

    /// What calls of `method` have carried so far.
    pub(crate) fn calls_so_far(&self, method: &str) -> Vec<Value> {
        of(&self.at.borrow(), method)
    }

    /// How many requests for updates were turned away for another.
    pub(crate) fn conflicts(&self) -> usize {
        self.at.borrow().conflicts
    }

    /// When something was sent or edited in a chat; in all of them, if none is named.
    pub(crate) fn written(&self, chat: Option<i64>) -> Vec<Instant> {
        let at = self.at.borrow();
        let there = at.written.iter().filter(|it| chat.is_none() || it.1.0 == chat);
        there.map(|it| it.0).collect()
    }

    /// Waits until `method` was called `count` times, and tells what the calls carried.
    #[track_caller]
    pub(crate) fn calls(&self, method: &str, count: usize) -> impl Future<Output = Vec<Value>> {
        let mut at = self.at.subscribe();
        let from = std::panic::Location::caller();
        async move {
            let came = timeout(PATIENCE, at.wait_for(|it| of(it, method).len() >= count)).await;
            let came = came.unwrap_or_else(|_| panic!("{from}: no {count} {method}")).unwrap();
            let calls = of(&came, method);
            assert_eq!(calls.len(), count, "{from}: more than {count} {method}: {calls:#?}");
            calls
        }
    }

    /// Waits until a message in a chat is as wanted, and gives it: its number, text and buttons.
    #[track_caller]
    pub(crate) fn shown(
        &self,
        chat: Option<i64>,
        wanted: impl Fn(&Value) -> bool + Send + Sync,
    ) -> impl Future<Output = Value> {
        let mut at = self.at.subscribe();
        let from = std::panic::Location::caller();
        async move {
            let find = |it: &Happenings| {
                let there = it.messages.iter().filter(|(key, _)| key.0 == chat);
                let mut there: Vec<_> = there.map(|(_, it)| it).filter(|it| wanted(it)).collect();
                there.sort_by_key(|it| it["message_id"].as_i64());
                there.last().map(|it| (*it).clone())
            };
            let came = timeout(PATIENCE, at.wait_for(|it| find(it).is_some())).await;
            match came {
                Ok(came) => find(&came.unwrap()).unwrap(),
                Err(_) => panic!("{from}: not shown in {:#?}", self.at.borrow().messages),
            }
        }
    }

    /// An inline message was sent by way of the bot: as it stands until it is edited.
    pub(crate) fn sent_inline(&self, name: &str) {
        let key = (None, name.to_owned());
        self.at.send_modify(|it| drop(it.messages.insert(key, json!({"text": ""}))));
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

    /// What the bot is to be answered.
    async fn result(&self, method: &str, said: &Value) -> Result<Value, Refusal> {
        match method {
            "getme" => Ok(json!({
                "id": 123_456_789, "is_bot": true, "first_name": "Artel", "username": BOT,
                "can_join_groups": true, "can_read_all_group_messages": false,
                "supports_inline_queries": true, "can_connect_to_business": false,
                "has_main_web_app": self.main_app,
            })),
            "getupdates" => self.updates(said).await,
            "sendmessage" => self.send(said),
            "editmessagetext" => self.edit(said),
            "answercallbackquery" => {
                let text = said["text"].as_str().unwrap_or_default();
                match text.chars().count() <= 200 {
                    true => Ok(true.into()),
                    false => Err(refusal(400, "Bad Request: MESSAGE_TOO_LONG")),
                }
            }
            "setchatmenubutton" => {
                let button = &said["menu_button"];
                match button["type"] == "web_app" && !is_secure(&button["web_app"]["url"]) {
                    true => Err(refusal(400, "Bad Request: Only HTTPS links are allowed")),
                    false => Ok(true.into()),
                }
            }
            "savepreparedinlinemessage" => self.prepare(said),
            "deletewebhook" | "setwebhook" | "setmycommands" | "answerinlinequery" => {
                Ok(true.into())
            }
            _ => Err(refusal(404, "Not Found")),
        }
    }

    /// Updates from the offset on, as soon as there is one. Of two that ask the first is turned
    /// away.
    async fn updates(&self, said: &Value) -> Result<Value, Refusal> {
        let offset = said["offset"].as_i64().unwrap_or(0);
        let mut mine = 0;
        self.at.send_modify(|it| {
            it.updates.retain(|it| it["update_id"].as_i64() >= Some(offset));
            it.polls += 1;
            mine = it.polls;
        });
        let until = Instant::now() + Duration::from_secs(said["timeout"].as_u64().unwrap());
        let mut at = self.at.subscribe();
        let ended = at.wait_for(|it| it.polls != mine || !it.updates.is_empty());
        let _ = timeout_at(until, ended).await;
        if self.at.borrow().polls != mine {
            self.at.send_modify(|it| it.conflicts += 1);
            return Err(refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot \
                 instance is running",
            ));
        }
        Ok(self.at.borrow().updates.iter().take(100).cloned().collect())
    }

    /// Keeps a message for somebody to send: as strict as with those that are sent.
    fn prepare(&self, said: &Value) -> Result<Value, Refusal> {
        let result = &said["result"];
        let id = result["id"].as_str().unwrap_or_default();
        let content = &result["input_message_content"];
        if said["user_id"].as_i64().is_none_or(|it| it <= 0) {
            return Err(refusal(400, "Bad Request: user not found"));
        }
        if result["type"] != "article" || !(1..=64).contains(&id.len()) {
            return Err(refusal(400, "Bad Request: RESULT_ID_INVALID"));
        }
        check_message(&json!({
            "text": content["message_text"], "parse_mode": content["parse_mode"],
            "reply_markup": result["reply_markup"],
        }))?;
        Ok(json!({ "id": format!("prepared-{id}"), "expiration_date": 4_000_000_000_u32 }))
    }

    fn send(&self, said: &Value) -> Result<Value, Refusal> {
        let chat = said["chat_id"].as_i64().unwrap();
        check_message(said)?;
        let mut answer = Err(refusal(500, "Internal Server Error"));
        self.at.send_modify(|it| {
            answer = match it.closed.get(&chat) {
                Some(Closed::Blocked) => {
                    Err(refusal(403, "Forbidden: bot was blocked by the user"))
                }
                Some(Closed::Moved(to)) => {
                    let text = "Bad Request: group chat was upgraded to a supergroup chat";
                    let more = json!({ "parameters": { "migrate_to_chat_id": to } });
                    Err((400, text.to_owned(), more))
                }
                None => {
                    it.messages_made += 1;
                    let id = 1000 + it.messages_made;
                    let key = (Some(chat), id.to_string());
                    it.written.push((Instant::now(), key.clone()));
                    it.messages.insert(key, stands(id, said));
                    Ok(message(chat, id, said))
                }
            };
        });
        answer
    }

    fn edit(&self, said: &Value) -> Result<Value, Refusal> {
        check_message(said)?;
        let inline = said["inline_message_id"].as_str();
        let key: Key = match inline {
            Some(name) => (None, name.to_owned()),
            None => (said["chat_id"].as_i64(), said["message_id"].to_string()),
        };
        let mut answer = Err(refusal(400, "Bad Request: message to edit not found"));
        self.at.send_modify(|it| {
            let Some(there) = it.messages.get_mut(&key) else { return };
            let id = there["message_id"].as_i64().unwrap_or_default();
            let new = stands(id, said);
            if *there == new {
                let text = "Bad Request: message is not modified: specified new message content \
                            and reply markup are exactly the same as a current content and reply \
                            markup of the message";
                answer = Err(refusal(400, text));
                return;
            }
            *there = new;
            it.written.push((Instant::now(), key.clone()));
            answer = Ok(match key.0 {
                Some(chat) => message(chat, id, said),
                None => true.into(),
            });
        });
        answer
    }
}

fn of(happenings: &Happenings, method: &str) -> Vec<Value> {
    let calls = happenings.calls.iter().filter(|(name, _)| name == method);
    calls.map(|(_, it)| it.clone()).collect()
}

/// A message as it stands in a chat.
fn stands(id: i64, said: &Value) -> Value {
    json!({
        "message_id": id,
        "text": said["text"],
        "buttons": said["reply_markup"]["inline_keyboard"],
    })
}

/// A message as the bot is told of it.
fn message(chat: i64, id: i64, said: &Value) -> Value {
    let chat = match chat > 0 {
        true => json!({ "id": chat, "type": "private", "first_name": "Ann" }),
        false => json!({ "id": chat, "type": "supergroup", "title": "Friends" }),
    };
    json!({ "message_id": id, "date": 1, "text": said["text"], "chat": chat })
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
        Err((code, text, more)) => error(code, &text, more),
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
fn check_message(said: &Value) -> Result<(), Refusal> {
    let text = said["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(refusal(400, "Bad Request: message text is empty"));
    }
    // Of Telegram's HTML we use one tag; every other < is a mistake.
    let tags = text.replace("<b>", "").replace("</b>", "");
    let balanced = text.matches("<b>").count() == text.matches("</b>").count();
    if said["parse_mode"] == "HTML" && (!balanced || tags.contains('<')) {
        return Err(refusal(400, "Bad Request: can't parse entities"));
    }
    let rows = said["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        let app = &button["web_app"]["url"];
        if !app.is_null() && said["chat_id"].as_i64().is_none_or(|it| it < 0) {
            return Err(refusal(400, "Bad Request: BUTTON_TYPE_INVALID"));
        }
        if !app.is_null() && !is_secure(app) {
            return Err(refusal(400, "Bad Request: Only HTTPS links are allowed"));
        }
        if let Some(data) = button["callback_data"].as_str() {
            if !(1..=64).contains(&data.len()) {
                return Err(refusal(400, "Bad Request: BUTTON_DATA_INVALID"));
            }
            continue;
        }
        if button["switch_inline_query"].is_string() {
            continue;
        }
        if app.is_null() && !is_secure(&button["url"]) {
            return Err(refusal(400, "Bad Request: BUTTON_URL_INVALID"));
        }
    }
    Ok(())
}

fn is_secure(url: &Value) -> bool {
    url.as_str().is_some_and(|it| it.starts_with("https://"))
}

//! As much of the Bot API as keeps the app's bot content: it has a name, nobody writes to it, and
//! what it prepares for people to send is kept for the page to show.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::{any, get},
};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Where it is served.
pub(super) const PATH: &str = "/bot-api";

/// How long a bot waits for updates that never come, before it asks again.
const POLL: Duration = Duration::from_secs(5);

/// Prepared messages that are kept.
const PREPARED_MAX: usize = 100;

/// Messages that people may send: their numbers, and what they are.
type Prepared = Arc<Mutex<VecDeque<(String, Value)>>>;

pub(super) fn router() -> Router {
    Router::new()
        .route("/bot-api/{bot}/{method}", any(answer))
        .route("/prepared/{id}", get(prepared))
        .with_state(Prepared::default())
}

/// A prepared message, as the bot has described it.
async fn prepared(
    State(kept): State<Prepared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept.iter().find(|it| it.0 == id).map(|it| it.1.clone());
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// Keeps a message; answers its number.
fn keep(kept: &Prepared, said: &Value) -> String {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let last: u32 = kept.back().and_then(|it| it.0.parse().ok()).unwrap_or(0);
    let id = (last + 1).to_string();
    kept.push_back((id.clone(), said["result"].clone()));
    if kept.len() > PREPARED_MAX {
        kept.pop_front();
    }
    id
}

async fn answer(
    State(kept): State<Prepared>,
    Path((_, method)): Path<(String, String)>,
    body: Bytes,
) -> Json<Value> {
    // Telegram takes its methods' names in any case.
    let result = match method.to_ascii_lowercase().as_str() {
        "getme" => json!({
            "id": 1, "is_bot": true, "first_name": "Artel", "username": "artel_development_bot",
            "can_join_groups": true, "can_read_all_group_messages": false,
            "supports_inline_queries": false, "can_connect_to_business": false,
            "has_main_web_app": true
        }),
        "getupdates" => {
            sleep(POLL).await;
            json!([])
        }
        "savepreparedinlinemessage" => {
            let said = serde_json::from_slice(&body).unwrap_or_default();
            json!({ "id": keep(&kept, &said), "expiration_date": 4_000_000_000_u32 })
        }
        _ => json!(true),
    };
    Json(json!({ "ok": true, "result": result }))
}

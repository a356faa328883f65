//! As much of the Bot API as keeps the app's bot content: it has a name, and nobody writes to it.

use std::time::Duration;

use axum::{Json, Router, extract::Path, routing::any};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Where it is served.
pub(super) const PATH: &str = "/bot-api";

/// How long a bot waits for updates that never come, before it asks again.
const POLL: Duration = Duration::from_secs(5);

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/bot-api/{bot}/{method}", any(answer))
}

async fn answer(Path((_, method)): Path<(String, String)>) -> Json<Value> {
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
        _ => json!(true),
    };
    Json(json!({ "ok": true, "result": result }))
}

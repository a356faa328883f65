//! At the table of a match: sitting down, speaking, hearing.

use arena::{Arena, MatchId, Pass, Principal};
use futures_util::future::join_all;
use live::{Chair, wire::Message};
use serde_json::{Value, json};

use crate::support::soon;

/// Sits down, and is ready.
pub(crate) async fn sit(arena: &Arena, by: &Principal, id: MatchId) -> Chair {
    let chair = arena.sit(&Pass::Member(*by), id, None).await.unwrap();
    say(&chair, json!({"type": "player_ready", "n": 1})).await;
    chair
}

/// Says JSON.
pub(crate) async fn say(chair: &Chair, message: Value) {
    chair.say(Message::parse(&message.to_string())).await;
}

/// The next message of a type.
pub(crate) async fn hear(chair: &mut Chair, kind: &str) -> Value {
    loop {
        let message: Value = serde_json::from_slice(&soon(chair.hear()).await.unwrap()).unwrap();
        if message["type"] == kind {
            return message;
        }
    }
}

/// Plays a match until the seat 0 gives it up; everybody has gone then.
pub(crate) async fn play(arena: &Arena, players: [&Principal; 2], id: MatchId) {
    let chairs = join_all(players.map(|it| sit(arena, it, id))).await;
    let [mut left, mut right] = <[Chair; 2]>::try_from(chairs).unwrap();
    while hear(&mut right, "game_state").await["status"] != "active" {}
    say(&left, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    hear(&mut left, "game_over").await;
}

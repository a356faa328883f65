//! The server's bot, people in chats, and a stand-in for Telegram between them.

use serde_json::{Value, json};

use super::{Client, Home, Server};
use crate::{
    standin::{TOKEN, Telegram},
    telegram::{init_data, now},
};

/// A group.
pub(crate) const GROUP: i64 = -1_000_000_000_001;

/// Somebody in Telegram.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) username: &'static str,
}

const fn person(id: i64, name: &'static str, username: &'static str) -> Person {
    Person { id, name, username }
}

pub(crate) const ANN: Person = person(1001, "Ann", "ann_b");
pub(crate) const BOB: Person = person(1002, "Bob", "Bob_the_2nd");
pub(crate) const EVE: Person = person(1003, "<b>Eve</b> & \u{202e}co", "eve_e");
pub(crate) const DAN: Person = person(1004, "דן", "dan_d");
pub(crate) const KIM: Person = person(1005, "Kim", "kim_k");

impl Person {
    pub(crate) fn json(self) -> Value {
        json!({
            "id": self.id, "is_bot": false, "first_name": self.name, "username": self.username,
            "language_code": "en",
        })
    }
}

/// A server whose bot talks to a stand-in.
pub(crate) struct World {
    pub(crate) telegram: Telegram,
    pub(crate) server: Server,
    pub(crate) api: String,
}

impl World {
    pub(crate) async fn on(home: Home) -> World {
        let telegram = Telegram::open(false).await;
        let api = format!("http://{}", telegram.address);
        let server = Server::run(home, &variables(&api)).await;
        World { telegram, server, api }
    }

    /// Ends the server and starts it again.
    pub(crate) async fn restart(self, signal: &str) -> World {
        let World { telegram, server, api } = self;
        let server = server.restart(signal, &variables(&api)).await;
        World { telegram, server, api }
    }

    /// Somebody writes in a chat.
    pub(crate) fn write(&self, who: Person, chat: i64, text: &str) {
        self.telegram.update(written(who, chat, text));
    }

    /// Somebody presses a button with this in it, and is told so.
    pub(crate) async fn press(&self, who: Person, message: &Value, data: &str) -> String {
        let before = self.telegram.calls_so_far("answercallbackquery").len();
        self.telegram.update(pressed(who, GROUP, &message["message_id"], data));
        let told = self.telegram.calls("answercallbackquery", before + 1).await;
        told[before]["text"].as_str().unwrap().to_owned()
    }

    /// Waits for a message in the group with this in its text.
    pub(crate) async fn card(&self, part: &str) -> Value {
        self.telegram.shown(Some(GROUP), |it| text(it).contains(part)).await
    }

    /// Somebody opens the Mini App: who they are there.
    pub(crate) async fn open_app(&self, who: Person) -> Client {
        let data = init_data(TOKEN, now(), &who.json());
        let client = self.server.stranger();
        let answer = client.post("/api/auth/telegram", json!({"init_data": data})).await;
        Client { session: answer.is(200).body.clone(), ..client }
    }

    /// The match that a card leads to.
    pub(crate) fn match_of(&self, card: &Value) -> String {
        let link = card["buttons"][0][0]["url"].as_str().unwrap();
        let id = link.strip_prefix("https://t.me/artel_bot/play?startapp=m_");
        id.unwrap_or_else(|| panic!("it leads to {link}")).to_owned()
    }

    /// The match that somebody is in.
    pub(crate) async fn match_id(&self, who: Person) -> String {
        self.open_app(who).await.matched().await
    }

    /// Two play a match until the first gives it up.
    pub(crate) async fn play(&self, loser: Person, winner: Person, id: &str) {
        let (loser, winner) = (self.open_app(loser).await, self.open_app(winner).await);
        let mut sockets = Vec::new();
        for player in [&loser, &winner] {
            let mut socket = player.open(&format!("/ws/game/{id}")).await;
            assert!(!socket.hear("game_state").await["you"].is_null(), "no seat");
            socket.say(json!({"type": "player_ready", "n": 1})).await;
            sockets.push(socket);
        }
        while sockets[0].hear("game_state").await["status"] != "active" {}
        self.card("The match is on.").await;
        sockets[0].say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
        sockets[1].hear("game_over").await;
    }
}

pub(crate) fn variables(api: &str) -> [(&str, &str); 3] {
    [("TELOXIDE_TOKEN", TOKEN), ("TELEGRAM_API_URL", api), ("TELEGRAM_APP_NAME", "play")]
}

pub(crate) fn written(who: Person, chat: i64, text: &str) -> Value {
    let kind = if chat > 0 { "private" } else { "supergroup" };
    json!({"message": {
        "message_id": 42, "date": 1_700_000_000, "chat": {"id": chat, "type": kind},
        "from": who.json(), "text": text,
    }})
}

pub(crate) fn pressed(who: Person, chat: i64, message: &Value, data: &str) -> Value {
    let chat = json!({"id": chat, "type": "supergroup"});
    json!({"callback_query": {
        "id": "77", "from": who.json(), "chat_instance": "5", "data": data,
        "message": {"message_id": message, "date": 1_700_000_000, "chat": chat},
    }})
}

pub(crate) fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

/// The data of a card's button.
pub(crate) fn data(card: &Value, label: &str) -> String {
    let rows = card["buttons"].as_array().unwrap();
    let buttons = rows.iter().flat_map(|row| row.as_array().unwrap());
    let button = buttons.clone().find(|it| it["text"] == label);
    let button = button.unwrap_or_else(|| panic!("no {label:?} on {card:#}"));
    button["callback_data"].as_str().unwrap().to_owned()
}

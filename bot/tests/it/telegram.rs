//! The bot, run against a stand-in for Telegram and an arena of its own.

use std::{ops::Deref, time::Duration};

use arena::{Arena, Clock, Secret};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::standin::{Fault, TOKEN};
use crate::{logs, standin};

/// A private chat; its number is the person's.
pub(crate) const ANN: i64 = 1001;
/// A group.
pub(crate) const GROUP: i64 = -1_000_000_000_001;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stand-in, and who writes there.
pub(crate) struct Telegram(standin::Telegram);

impl Deref for Telegram {
    type Target = standin::Telegram;

    fn deref(&self) -> &standin::Telegram {
        &self.0
    }
}

/// A bot that runs against a stand-in.
pub(crate) struct Running {
    task: JoinHandle<()>,
    closing: CancellationToken,
}

impl Telegram {
    pub(crate) async fn open() -> Telegram {
        logs::keep();
        Telegram(standin::Telegram::open(false).await)
    }

    pub(crate) async fn open_with_main_app() -> Telegram {
        logs::keep();
        Telegram(standin::Telegram::open(true).await)
    }

    /// Starts the bot; `app` is the Mini App's short name.
    pub(crate) async fn run_bot(&self, public_url: &str, app: Option<&str>) -> Running {
        self.run_bot_with(TOKEN, public_url, app).await
    }

    pub(crate) async fn run_bot_with(
        &self,
        token: &str,
        public_url: &str,
        app: Option<&str>,
    ) -> Running {
        let options = bot::Options {
            telegram_api_url: format!("http://{}", self.address).parse().unwrap(),
            telegram_app_name: app.map(str::to_owned),
            telegram_webhook: false,
        };
        let of_arena = arena::Options {
            database_url: "sqlite::memory:".to_owned(),
            redis_url: None,
            machine: None,
            jwt_secret: None,
            telegram_token: Some(Secret::new(token)),
            init_data_max_age: Duration::from_secs(60),
            init_data_max_ahead: Duration::from_secs(60),
            sign_in: Default::default(),
        };
        let arena = Arena::open(of_arena, Clock::System).await.unwrap();
        let closing = CancellationToken::new();
        let public_url = public_url.parse().unwrap();
        let run =
            bot::run(options, Secret::new(token), arena.clone(), public_url, None, closing.clone());
        let task = tokio::spawn(async move {
            run.await;
            arena.close().await;
        });
        Running { task, closing }
    }

    /// Somebody who has set `language` writes to the bot in private.
    pub(crate) fn write(&self, language: &str, text: &str) {
        self.write_as(ANN, language, text);
    }

    /// The same for anybody.
    pub(crate) fn write_as(&self, who: i64, language: &str, text: &str) {
        let chat = json!({ "id": who, "type": "private", "first_name": "Ann" });
        self.update(json!({ "message": message(chat, who, language, text) }));
    }

    /// The same, in a group.
    pub(crate) fn write_in_group(&self, language: &str, text: &str) {
        let chat = json!({ "id": GROUP, "type": "supergroup", "title": "Friends" });
        self.update(json!({ "message": message(chat, ANN, language, text) }));
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
        self.stop_within(Duration::from_secs(2)).await;
    }
}

fn message(chat: Value, who: i64, language: &str, text: &str) -> Value {
    json!({
        "message_id": 42,
        "date": 1_700_000_000,
        "chat": chat,
        "from": { "id": who, "is_bot": false, "first_name": "Ann", "language_code": language },
        "text": text,
    })
}

//! Conversations with the bot, through a stand-in for Telegram over real HTTP.

#![expect(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod logs;
#[expect(dead_code, reason = "the server's tests use all of it")]
mod standin;
mod telegram;

use std::time::Duration;

use serde_json::json;
use telegram::{ANN, Fault, GROUP, Telegram};

const HERE: &str = "https://artel.example";

#[tokio::test]
async fn start_opens_the_mini_app() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    telegram.write("en", "/start");
    let (text, button) = telegram.answer().await;
    assert!(text.starts_with("<b>Artel is a game arena.</b>\nLive matches"), "{text}");
    let app = json!({ "text": "Open the arena", "web_app": { "url": "https://artel.example/" } });
    assert_eq!(button, app);
    bot.stop().await;
}

#[tokio::test]
async fn everybody_is_answered_in_their_language() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    for (who, language) in (ANN..).zip(["ru", "en-GB", "pt-br", ""]) {
        telegram.write_as(who, language, "/help");
    }
    let mut answers = telegram.calls("sendmessage", 4).await;
    answers.sort_by_key(|it| it["chat_id"].as_i64());
    let starts = ["<b>Как играть</b>\n1. От", "<b>How to play", "<b>How to play", "<b>How to play"];
    for (answer, start) in answers.iter().zip(starts) {
        let text = answer["text"].as_str().unwrap();
        assert!(text.starts_with(start), "{text}");
    }
    let button = &answers[0]["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(button["text"], "Открыть арену");
    bot.stop().await;
}

#[tokio::test]
async fn groups_get_a_link() {
    let cases = [
        (Telegram::open().await, Some("play"), "https://t.me/artel_bot/play?startapp"),
        (Telegram::open_with_main_app().await, None, "https://t.me/artel_bot?startapp"),
        (Telegram::open().await, None, "https://t.me/artel_bot?start=play"),
    ];
    for (telegram, app, link) in cases {
        let bot = telegram.run_bot(HERE, app).await;
        telegram.write_in_group("en", "/start@Artel_Bot");
        let (_, button) = telegram.answer().await;
        assert_eq!(button, json!({ "text": "Open the arena", "url": link }));
        let answer = &telegram.calls("sendmessage", 1).await[0];
        assert_eq!(answer["chat_id"], GROUP);
        assert_eq!(answer["reply_parameters"]["message_id"], 42);
        bot.stop().await;
    }
}

#[tokio::test]
async fn an_invitation_leads_to_its_place() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, Some("play")).await;
    let page = |path: &str| json!({ "web_app": { "url": format!("https://artel.example{path}") } });
    let places = [
        ("room_KWBTRM", "/rooms/KWBTRM"),
        ("room_kwbtrm", "/rooms/KWBTRM"),
        ("m_4fQ9zKx02Lb", "/match/4fQ9zKx02Lb"),
        // What leads nowhere opens the arena.
        ("room_KWBTRM/../x", "/"),
        ("room_", "/"),
    ];
    for (n, (payload, path)) in places.into_iter().enumerate() {
        telegram.write("en", &format!("/start {payload}"));
        let answer = telegram.calls("sendmessage", n + 1).await[n].clone();
        let button = &answer["reply_markup"]["inline_keyboard"][0][0];
        assert_eq!(button["web_app"], page(path)["web_app"], "{payload}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn without_https_the_address_is_told() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot("http://localhost:8080", None).await;
    telegram.write("ru", "/start");
    let (text, button) = telegram.answer().await;
    assert!(text.ends_with("\n\nАрена здесь: http://localhost:8080/"), "{text}");
    assert!(button.is_null());
    let menu = &telegram.calls("setchatmenubutton", 1).await[0];
    assert_eq!(menu["menu_button"], json!({ "type": "default" }));
    bot.stop().await;
}

#[tokio::test]
async fn the_menu_is_set() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    let menu = &telegram.calls("setchatmenubutton", 1).await[0];
    let page = "https://artel.example/";
    let button = json!({ "type": "web_app", "text": "Artel", "web_app": { "url": page } });
    assert_eq!(menu["menu_button"], button);
    let sets = telegram.calls("setmycommands", 4).await;
    let scopes = ["default", "default", "all_group_chats", "all_group_chats"];
    for (set, scope) in sets.iter().zip(scopes) {
        assert_eq!(set["scope"]["type"], scope);
        let words = set["commands"].as_array().unwrap();
        assert!(words.iter().any(|it| it["command"] == "play"), "{set}");
        assert_eq!(words.iter().any(|it| it["command"] == "settings"), scope == "default");
    }
    assert_eq!(
        sets[0]["commands"][0],
        json!({"command": "start", "description": "Open the arena"})
    );
    assert!(sets[0]["language_code"].is_null());
    assert_eq!(sets[1]["commands"][0]["description"], "Открыть арену");
    assert_eq!(sets[1]["language_code"], "ru");
    bot.stop().await;
}

#[tokio::test]
async fn what_is_not_for_us_is_left_alone() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    for text in ["hello", "/start@other_bot", "/play@other_bot pong", "/starts"] {
        telegram.write_in_group("en", text);
    }
    let chat = json!({ "id": ANN, "type": "private" });
    telegram.update(json!({ "message": { "message_id": 1, "date": 1, "chat": chat } }));
    let from = json!({ "id": 5, "is_bot": true, "first_name": "Bot" });
    let by_a_bot =
        json!({ "message_id": 2, "date": 1, "chat": chat, "from": from, "text": "/help" });
    telegram.update(json!({ "message": by_a_bot }));
    telegram.all_is_read().await;
    telegram.write("en", "hello");
    let (text, _) = telegram.answer().await;
    assert!(text.starts_with("<b>How to play</b>"), "{text}");
    bot.stop().await;
}

#[tokio::test]
async fn what_is_new_at_telegram_breaks_nothing() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    telegram.update(json!({ "an_update_of_2030": { "id": 1 } }));
    telegram.update(json!({ "message": { "message_id": "one", "chat": 5 } }));
    let chat = json!({ "id": ANN, "type": "private", "mood": "calm" });
    telegram.update(json!({ "message": {
        "message_id": 1, "date": 1, "chat": chat, "text": "/start",
        "from": { "id": ANN, "is_bot": false, "first_name": "Ann", "mood": "calm" },
        "entities": [{ "type": "of_2030", "offset": 0, "length": 6 }],
        "reply_markup": { "inline_keyboard": [[{ "text": "?", "of_2030": {} }]] },
    } }));
    let (text, _) = telegram.answer().await;
    assert!(text.starts_with("<b>Artel is"), "{text}");
    assert_eq!(logs::all().matches("An update could not be read").count(), 2);
    bot.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_said_and_that_is_all() {
    let telegram = Telegram::open().await;
    telegram.run_bot_with("123456789:AAF-another-token", HERE, None).await.ended().await;
    let logs = logs::all();
    assert!(logs.contains("The bot is off: Telegram turned it away"), "{logs}");
    assert!(logs.contains("Telegram does not know this token: check TELOXIDE_TOKEN"), "{logs}");
    assert!(!logs.contains("AAF-another-token"), "{logs}");
}

#[tokio::test]
async fn a_token_taken_back_ends_the_bot() {
    let telegram = Telegram::open().await;
    telegram.break_next("getupdates", Fault::Error(401, "Unauthorized"));
    telegram.run_bot(HERE, None).await.ended().await;
    assert!(logs::all().contains("The bot is off: Telegram turned it away"));
}

#[tokio::test]
async fn faults_are_outlived() {
    let telegram = Telegram::open().await;
    telegram.break_next("getme", Fault::BrokenConnection);
    telegram.break_next("deletewebhook", Fault::TooMany { retry_after: 1 });
    telegram.break_next("getupdates", Fault::NotJson);
    telegram.break_next(
        "getupdates",
        Fault::Error(
            409,
            "Conflict: terminated by other getUpdates \
                                                         request; make sure that only one bot \
                                                         instance is running",
        ),
    );
    telegram.break_next("setmycommands", Fault::Error(500, "Internal Server Error"));
    telegram.break_next("sendmessage", Fault::BrokenConnection);
    telegram.write("en", "/start");
    let bot = telegram.run_bot(HERE, None).await;
    telegram.answer().await;
    telegram.calls("setmycommands", 4).await;
    telegram.all_is_read().await;
    let logs = logs::all();
    for line in [
        "Telegram can't be reached; trying again in 1 s",
        "The bot can't be set to listen; trying again in 1 s",
        "Telegram does not tell what is new; trying again in 1 s",
        "the answer makes no sense",
        "Telegram does not tell what is new; trying again in 2 s",
        "another process listens with the same token",
        "Telegram answers again",
        "An answer could not be sent; trying again in 1 s",
    ] {
        assert!(logs.contains(line), "no {line:?} in {logs}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_flood_is_waited_out() {
    let telegram = Telegram::open().await;
    telegram.break_next("sendmessage", Fault::TooMany { retry_after: 2 });
    let bot = telegram.run_bot(HERE, None).await;
    telegram.write("en", "/start");
    let began = std::time::Instant::now();
    telegram.answer().await;
    assert!(began.elapsed() >= Duration::from_secs(2), "too early: {:?}", began.elapsed());
    bot.stop().await;
}

#[tokio::test]
async fn a_refusal_costs_one_answer() {
    let telegram = Telegram::open().await;
    let blocked = "Forbidden: bot was blocked by the user";
    telegram.break_next("sendmessage", Fault::Error(403, blocked));
    telegram.break_next("setmycommands", Fault::Error(400, "Bad Request: no commands today"));
    let bot = telegram.run_bot(HERE, None).await;
    telegram.write("en", "/start");
    telegram.all_is_read().await;
    telegram.write_in_group("en", "/help");
    let (text, _) = telegram.answer().await;
    assert!(text.starts_with("<b>How to play</b>"), "{text}");
    let logs = logs::all();
    assert!(logs.contains("The bot's menu can't be set"), "{logs}");
    bot.stop().await;
}

#[tokio::test]
async fn a_chat_is_not_written_to_too_often() {
    let telegram = Telegram::open().await;
    let bot = telegram.run_bot(HERE, None).await;
    let began = std::time::Instant::now();
    for _ in 0..3 {
        telegram.write("en", "/start");
    }
    telegram.calls("sendmessage", 3).await;
    assert!(began.elapsed() >= Duration::from_secs(2), "too fast: {:?}", began.elapsed());
    bot.stop().await;
}

#[tokio::test]
async fn it_stops_while_telegram_is_away() {
    let telegram = Telegram::open().await;
    telegram.break_next("getme", Fault::NotJson);
    let bot = telegram.run_bot(HERE, None).await;
    telegram.all_is_broken().await;
    bot.stop_within(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn an_answer_that_waits_does_not_hold_up_the_end() {
    let telegram = Telegram::open().await;
    telegram.break_next("sendmessage", Fault::TooMany { retry_after: 600 });
    let bot = telegram.run_bot(HERE, None).await;
    telegram.write("en", "/start");
    telegram.all_is_broken().await;
    bot.stop_within(Duration::from_secs(3)).await;
}

//! The bot in private and in any chat: challenges, what is told, and what Telegram does to it.

use serde_json::json;
use tokio::time::{Duration, sleep, timeout};

use crate::{
    standin::{Closed, Fault, TOKEN, Telegram},
    support::{
        Home, Server,
        world::{ANN, BOB, DAN, EVE, GROUP, KIM, Person, World, data, text, variables, written},
    },
};

/// A challenge is for one person, who is told, and for nobody else.
#[tokio::test]
async fn a_challenge_is_for_one() {
    let world = World::on(Home::sqlite()).await;
    for (asked, answered) in [
        ("/challenge", "Whom do you challenge?"),
        ("/challenge @x pong", "I have not met @x yet"),
        ("/challenge @bob_the_2nd pong", "I have not met @bob_the_2nd yet"),
        ("/play chess<b>", "There is no game “chess&#60;b&#62;”."),
        ("/fly", "I don't know this command."),
        ("/replay", "You have not played yet"),
        ("/leave", "You wait for nothing"),
        ("/me", "No matches yet."),
    ] {
        world.write(ANN, ANN.id, asked);
        world.telegram.shown(Some(ANN.id), |it| text(it).contains(answered)).await;
    }
    world.write(BOB, BOB.id, "/start");
    world.telegram.shown(Some(BOB.id), |it| text(it).contains("game arena")).await;
    world.write(ANN, GROUP, "/challenge @Bob_The_2nd pong");
    let card = world.card("Waiting for @bob_the_2nd.").await;
    let join = data(&card, "Join");
    let told = world.press(EVE, &card, &join).await;
    assert!(told.starts_with("This is a challenge to somebody else."), "{told}");
    let letter = world.telegram.shown(Some(BOB.id), |it| text(it).contains("challenges you")).await;
    assert_eq!(data(&letter, "Join"), join);
    world.press(BOB, &card, &join).await;
    world.card("The table is ready.").await;
}

/// Whoever blocked the bot is left in peace; a group that moves takes its cards along.
#[tokio::test]
async fn chats_close_and_move() {
    let world = World::on(Home::sqlite()).await;
    world.telegram.close(GROUP, Some(Closed::Blocked));
    world.write(ANN, GROUP, "/play pong");
    world.server.logged("A chat takes nothing any more").await;
    world.telegram.close(GROUP, None);
    // Somebody there writes again.
    world.write(ANN, GROUP, "/play nine_ball");
    world.card("<b>9-ball</b>").await;

    let new = GROUP - 1;
    world.telegram.close(GROUP, Some(Closed::Moved(new)));
    world.write(BOB, GROUP, "/play pong");
    let card = world.telegram.shown(Some(new), |it| text(it).contains("<b>Pong</b>")).await;
    assert!(text(&card).contains("Bob"), "{card}");
}

/// Whoever sends a challenge anywhere is its host, and whoever taps first is the opponent.
#[tokio::test]
async fn a_challenge_goes_anywhere() {
    let world = World::on(Home::sqlite()).await;
    world.telegram.update(json!({"inline_query": {
        "id": "1", "from": ANN.json(), "query": "pong", "offset": "",
    }}));
    let offers = world.telegram.calls("answerinlinequery", 1).await[0].clone();
    let offers = offers["results"].as_array().unwrap().clone();
    assert_eq!(offers.len(), 1);
    let tap = |who: Person, data: &str| {
        json!({"callback_query": {
            "id": "77", "from": who.json(), "chat_instance": "5", "data": data,
            "inline_message_id": "AAA",
        }})
    };
    let press = async |who: Person, data: &str| {
        let before = world.telegram.calls_so_far("answercallbackquery").len();
        world.telegram.update(tap(who, data));
        let told = world.telegram.calls("answercallbackquery", before + 1).await;
        told[before]["text"].as_str().unwrap().to_owned()
    };
    let join = offers[0]["reply_markup"]["inline_keyboard"][0][0]["callback_data"].clone();
    let join = join.as_str().unwrap();
    assert!(press(BOB, join).await.starts_with("This challenge is not open"));
    world.telegram.sent_inline("AAA");
    world.telegram.update(json!({"chosen_inline_result": {
        "result_id": offers[0]["id"], "from": ANN.json(), "query": "pong",
        "inline_message_id": "AAA",
    }}));
    world.telegram.shown(None, |it| text(it).contains("Waiting for an opponent.")).await;
    assert_eq!(press(ANN, join).await, "You are in already.");
    assert!(press(BOB, join).await.starts_with("You are in, and the table is ready"));
    let ready = world.telegram.shown(None, |it| text(it).contains("The table is ready.")).await;
    world.match_of(&ready);
}

/// What is told of a match that was found goes to those without a page, once, in their language.
async fn who_is_matched_is_told(home: Home) {
    let world = World::on(home).await;
    world.write(ANN, ANN.id, "/settings");
    let settings = world.telegram.shown(Some(ANN.id), |it| text(it).contains("Settings")).await;
    let chat = json!({"id": ANN.id, "type": "private"});
    let tap = |data: &str| {
        json!({"callback_query": {
            "id": "77", "from": ANN.json(), "chat_instance": "5", "data": data,
            "message": {"message_id": settings["message_id"], "date": 1, "chat": chat},
        }})
    };
    world.telegram.update(tap("g:ru"));
    let russian = world.telegram.shown(Some(ANN.id), |it| text(it).contains("Настройки")).await;
    assert_eq!(russian["message_id"], settings["message_id"]);
    world.write(BOB, BOB.id, "/settings");
    let theirs = world.telegram.shown(Some(BOB.id), |it| text(it).contains("Settings")).await;
    world.telegram.update(json!({"callback_query": {
        "id": "78", "from": BOB.json(), "chat_instance": "5", "data": "t:m",
        "message": {"message_id": theirs["message_id"], "date": 1,
                    "chat": {"id": BOB.id, "type": "private"}},
    }}));
    world
        .telegram
        .shown(Some(BOB.id), |it| text(it).contains("I tell you of: challenges, your turn,"))
        .await;

    world.write(ANN, ANN.id, "/queue pong");
    world.telegram.shown(Some(ANN.id), |it| text(it).contains("место в очереди 1 из 1")).await;
    world.write(BOB, BOB.id, "/queue pong");
    world.telegram.shown(Some(BOB.id), |it| text(it).contains("You have a match of Pong")).await;
    world
        .telegram
        .shown(Some(ANN.id), |it| text(it).contains("нашёлся соперник, \u{2068}Bob"))
        .await;
    sleep(Duration::from_secs(2)).await;
    let told = world.telegram.calls_so_far("sendmessage");
    let found = told.iter().filter(|it| {
        let text = it["text"].as_str().unwrap();
        text.contains("нашёлся соперник, ") || text.contains("an opponent is found, ")
    });
    assert_eq!(found.count(), 1, "{told:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_matched_is_told_on_sqlite() {
    who_is_matched_is_told(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_matched_is_told_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    who_is_matched_is_told(home).await;
}

/// However Telegram fails, what is to be shown is shown in the end, as it is then.
#[tokio::test]
async fn a_card_survives_faults_and_restarts() {
    let world = World::on(Home::sqlite()).await;
    world.telegram.break_next("sendmessage", Fault::Error(500, "Internal Server Error"));
    world.telegram.break_next("sendmessage", Fault::TooMany { retry_after: 2 });
    world.write(ANN, GROUP, "/play kolkhoz");
    let card = world.card("2 more to come").await;
    let join = data(&card, "Join");
    world.telegram.break_next("editmessagetext", Fault::TooMany { retry_after: 3 });
    world.press(BOB, &card, &join).await;
    world.telegram.all_is_broken().await;
    let edits = world.telegram.calls_so_far("editmessagetext").len();
    for who in [EVE, DAN, KIM] {
        world.press(who, &card, &join).await;
    }
    // The server dies with the edit still to be made, and the next one makes it.
    let world = world.restart("TERM").await;
    world.card("1 free").await;
    let edits = world.telegram.calls_so_far("editmessagetext").len() - edits;
    assert!(edits <= 2, "{edits} edits for what one shows");

    // Killed in the middle of it, it takes no longer.
    world.press(KIM, &card, &data(&card, "Leave")).await;
    let world = world.restart("KILL").await;
    world.card("2 free").await;
}

/// Thrown out, the bot is quiet; let in again, it goes on.
#[tokio::test]
async fn who_is_thrown_out_keeps_quiet() {
    let world = World::on(Home::sqlite()).await;
    let member = |status: &str| {
        json!({"my_chat_member": {
            "chat": {"id": GROUP, "type": "supergroup"}, "from": ANN.json(), "date": 1,
            "old_chat_member": {"status": "member", "user": {}},
            "new_chat_member": {"status": status, "user": {}},
        }})
    };
    world.write(ANN, GROUP, "/play pong");
    let card = world.card("Waiting").await;
    world.telegram.update(member("kicked"));
    let told = world.press(BOB, &card, &data(&card, "Join")).await;
    assert!(told.starts_with("You are in"), "{told}");
    sleep(Duration::from_secs(2)).await;
    assert!(world.telegram.calls_so_far("editmessagetext").is_empty());
    world.telegram.update(member("member"));
    world.open_app(ANN).await.open(&format!("/ws/game/{}", world.match_id(ANN).await)).await;
}

/// Telegram brings updates itself, with the secret that it was told.
#[tokio::test]
async fn updates_come_by_webhook() {
    let telegram = Telegram::open(false).await;
    let api = format!("http://{}", telegram.address);
    let more = [("PUBLIC_URL", "https://artel.example"), ("ARTEL_TELEGRAM_WEBHOOK", "1")];
    let variables = [&variables(&api)[..], &more].concat();
    let server = Server::run(Home::sqlite(), &variables).await;
    let set = telegram.calls("setwebhook", 1).await[0].clone();
    assert_eq!(set["url"], "https://artel.example/telegram/webhook");
    let secret = set["secret_token"].as_str().unwrap().to_owned();
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"_-".contains(&it);
    assert!(secret.len() >= 22 && secret.bytes().all(allowed));
    let bring = async |secret: Option<&str>, body: String| {
        let mut request = server.stranger().request("POST", "/telegram/webhook").body(body);
        if let Some(secret) = secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let mut update = written(ANN, ANN.id, "/start");
    update["update_id"] = json!(5);
    let update = update.to_string();
    for wrong in [None, Some(""), Some("x"), Some(&secret[1..]), Some(&*secret.to_uppercase())] {
        assert_eq!(bring(wrong, update.clone()).await, 401);
    }
    assert_eq!(bring(Some(&secret), "{".to_owned()).await, 400);
    assert_eq!(bring(Some(&secret), "x".repeat(300_000)).await, 413);
    for _ in 0..3 {
        assert_eq!(bring(Some(&secret), update.clone()).await, 200);
    }
    telegram.shown(Some(ANN.id), |it| text(it).contains("game arena")).await;
    // What was written earlier may be brought later.
    for (id, asked) in [(9, "/fly"), (7, "/challenge")] {
        let mut update = written(BOB, BOB.id, asked);
        update["update_id"] = json!(id);
        assert_eq!(bring(Some(&secret), update.to_string()).await, 200);
    }
    for answered in ["I don't know this command.", "Whom do you challenge?"] {
        telegram.shown(Some(BOB.id), |it| text(it).contains(answered)).await;
    }
    assert_eq!(telegram.calls_so_far("sendmessage").len(), 3);
    assert!(telegram.calls_so_far("getupdates").is_empty());
    assert!(!server.log().contains(&secret), "the secret is in the log");
}

#[tokio::test]
async fn a_webhook_takes_https() {
    let variables = [("TELOXIDE_TOKEN", TOKEN), ("ARTEL_TELEGRAM_WEBHOOK", "1")];
    let ran = Home::sqlite().artel(&[], &variables);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("ARTEL_TELEGRAM_WEBHOOK: Telegram brings updates over https only"));
}

/// A thousand chats at once: nothing is lost, and no limit of Telegram's is broken.
#[tokio::test]
async fn many_chats_at_once_keep_the_limits() {
    const CHATS: usize = 1000;
    let world = World::on(Home::sqlite()).await;
    for id in 0..CHATS as i64 {
        world.write(Person { id: 5000 + id, ..ANN }, 5000 + id, "/help");
    }
    let all = async {
        loop {
            let times = world.telegram.written(None);
            if times.len() >= CHATS {
                return times;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let times = timeout(Duration::from_secs(90), all).await.unwrap();
    assert_eq!(times.len(), CHATS, "each is answered once");
    // The last waits for those before it, and for nothing else.
    let took = times[CHATS - 1] - times[0];
    assert!(took < Duration::from_secs(45), "the last waited for {took:?}");
    for (index, early) in times.iter().enumerate() {
        // A little is allowed for the way there, which is not equally long for all.
        let within =
            times[index..].iter().take_while(|it| **it - *early < Duration::from_millis(900));
        assert!(within.count() <= 30, "too many within a second");
    }
}

/// What Telegram was told is taken is done, whenever the process dies; and once, however often and
/// at once it is brought.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_is_done_after_a_kill() {
    let telegram = Telegram::open(false).await;
    let api = format!("http://{}", telegram.address);
    let more = [("PUBLIC_URL", "https://artel.example"), ("ARTEL_TELEGRAM_WEBHOOK", "1")];
    let variables = [&variables(&api)[..], &more].concat();
    let mut server = Server::run(Home::sqlite(), &variables).await;
    for round in 0..6_usize {
        let set = telegram.calls("setwebhook", round + 1).await[round].clone();
        let secret = set["secret_token"].as_str().unwrap().to_owned();
        let who = Person { id: 7000 + round as i64, ..ANN };
        let mut update = written(who, who.id, "/fly");
        update["update_id"] = json!(100 + round);
        let bring = async || {
            let request = server.stranger().request("POST", "/telegram/webhook");
            let request = request.header("X-Telegram-Bot-Api-Secret-Token", &secret);
            request.body(update.to_string()).send().await.unwrap().status().as_u16()
        };
        let statuses = tokio::join!(bring(), bring(), bring(), bring());
        assert_eq!(statuses, (200, 200, 200, 200));
        server = server.restart("KILL", &variables).await;
    }
    for round in 0..6 {
        let chat = Some(7000 + round);
        telegram.shown(chat, |it| text(it).contains("I don't know this command.")).await;
        // Who dies between sending and noting it sends once more, and no more than that.
        assert!(telegram.written(chat).len() <= 2);
    }
    assert!(telegram.calls_so_far("deletewebhook").is_empty());
    assert!(telegram.calls_so_far("getupdates").is_empty());
}

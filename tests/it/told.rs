//! What is told in private, what is shared, rooms that are opened in chats, and the link from the
//! web: the real server, people in chats, and a stand-in for Telegram.

use serde_json::{Value, json};

use crate::{
    standin::Fault,
    support::{
        Home, PASSWORD, Socket,
        world::{ANN, BOB, DAN, EVE, GROUP, Person, World, data, text},
    },
};

/// A button of a message in somebody's private chat is pressed.
fn tap(who: Person, message: &Value, data: &str) -> Value {
    json!({"callback_query": {
        "id": "77", "from": who.json(), "chat_instance": "5", "data": data,
        "message": {"message_id": message["message_id"], "date": 1,
                    "chat": {"id": who.id, "type": "private"}},
    }})
}

/// Waits for a message in somebody's private chat.
async fn told(world: &World, who: Person, part: &str) -> Value {
    world.telegram.shown(Some(who.id), |it| text(it).contains(part)).await
}

/// How often somebody was told something so far.
fn count(world: &World, who: Person, part: &str) -> usize {
    let sent = world.telegram.calls_so_far("sendmessage");
    let to = sent.iter().filter(|it| it["chat_id"] == who.id);
    to.filter(|it| it["text"].as_str().unwrap().contains(part)).count()
}

/// Two in the group take a card of this game; its match.
async fn taken(world: &World, game: &str) -> String {
    world.write(ANN, GROUP, &format!("/play {game}"));
    let card = world.card("Waiting for an opponent.").await;
    world.press(BOB, &card, &data(&card, "Join")).await;
    world.match_of(&world.card("The table is ready.").await)
}

/// Who played sends the result, as a card, wherever they like.
#[tokio::test]
async fn a_result_is_shared() {
    let world = World::on(Home::sqlite()).await;
    let id = taken(&world, "pong").await;
    let path = format!("/api/matches/{id}/share");
    let ann = world.open_app(ANN).await;
    ann.post(&path, Value::Null).await.refuses(409, "not_over");
    world.play(BOB, ANN, &id).await;
    let shared = ann.post(&path, Value::Null).await;
    assert_eq!(shared.is(200).body["prepared_message_id"], format!("prepared-{id}"));
    let said = world.telegram.calls_so_far("savepreparedinlinemessage")[0].clone();
    assert_eq!(said["user_id"], ANN.id);
    assert_eq!(said["allow_group_chats"], true);
    let shown = said["result"]["input_message_content"]["message_text"].as_str().unwrap();
    assert!(shown.starts_with("<b>Pong</b>\n\n0\u{fe0f}\u{20e3} : 0\u{fe0f}\u{20e3}"), "{shown}");
    assert!(shown.contains("🏆 \u{2068}Ann\u{2069}"), "{shown}");
    assert!(shown.contains("\u{2068}Bob\u{2069} · <b>1500</b>"), "{shown}");
    let button = &said["result"]["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(button["url"], format!("https://t.me/artel_bot/play?startapp=r_{id}"));

    let eve = world.open_app(EVE).await;
    eve.post(&path, Value::Null).await.refuses(403, "not_a_player");
    world.server.stranger().post(&path, Value::Null).await.is(401);
    ann.post("/api/matches/00000000000/share", Value::Null).await.refuses(404, "not_found");
    let refused = "Bad Request: BOT_INLINE_DISABLED";
    world.telegram.break_next("savepreparedinlinemessage", Fault::Error(400, refused));
    ann.post(&path, Value::Null).await.refuses(503, "telegram_refused");
}

/// Whoever asks for it is told how their matches ended.
#[tokio::test]
async fn a_result_is_told() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, ANN.id, "/settings");
    let settings = told(&world, ANN, "Settings").await;
    world.telegram.update(tap(ANN, &settings, &data(&settings, "Results")));
    told(&world, ANN, "friend requests, results.").await;
    let id = taken(&world, "pong").await;
    world.play(BOB, ANN, &id).await;
    let result = told(&world, ANN, "You won.").await;
    assert!(text(&result).contains("Your rating: <b>1500 → 1662</b>."), "{result}");
    world.card("The match is over.").await;
    assert_eq!(count(&world, BOB, "You lost."), 0, "nobody asked for it");
}

/// Comes to the table and is ready.
async fn come(world: &World, who: Person, id: &str) -> Socket {
    let mut socket = world.open_app(who).await.open(&format!("/ws/game/{id}")).await;
    socket.say(json!({"type": "player_ready", "n": 1})).await;
    socket.hear("game_state").await;
    socket
}

/// Whoever is away when it is their turn is told, once for each time that they are away.
#[tokio::test]
async fn whose_turn_it_is_is_told() {
    let world = World::on(Home::sqlite()).await;
    let id = taken(&world, "eight_ball").await;
    let mut sockets = [come(&world, ANN, &id).await, come(&world, BOB, &id).await];
    let state = loop {
        let state = sockets[0].hear("game_state").await;
        if state["status"] == "active" {
            break state;
        }
    };
    // Who breaks was drawn.
    let turn = state["game"]["turn"]["seat"].as_u64().unwrap();
    let [ann, bob] = sockets;
    let mine = state["you"].as_u64() == Some(turn);
    let (who, theirs, _other) = if mine { (ANN, ann, bob) } else { (BOB, bob, ann) };
    drop(theirs);
    let letter = told(&world, who, "it is your turn").await;
    assert!(text(&letter).contains("waits for you."), "{letter}");
    assert_eq!(count(&world, who, "it is your turn"), 1);
    let back = come(&world, who, &id).await;
    drop(back);
    let twice = async {
        while count(&world, who, "it is your turn") < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, twice).await.unwrap();
    let other = if mine { BOB } else { ANN };
    assert_eq!(count(&world, other, "your turn"), 0, "it is not theirs");
}

/// A request of friendship is told with the way to who asks.
#[tokio::test]
async fn a_request_of_friendship_is_told() {
    let world = World::on(Home::sqlite()).await;
    let (dan, bob) = (world.open_app(DAN).await, world.open_app(BOB).await);
    let notice = json!({"kind": "friend_request", "user": bob.id(), "from": dan.id()});
    let post = format!(
        "insert into outbox (about, notice, revision, due_at, attempts, changed_at)
         values ('friend', '{notice}', 1, 1, 0, 1)"
    );
    world.server.home.sql(&post).await;
    told(&world, BOB, "\u{2068}דן\u{2069} wants to be friends with you.").await;
}

/// A room is opened for whoever asks, and shown to who has one.
#[tokio::test]
async fn rooms_are_opened_in_chats() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, ANN.id, "/room chess");
    told(&world, ANN, "There is no game “chess”.").await;
    world.write(ANN, ANN.id, "/queue pong");
    told(&world, ANN, "1 of 1 in line").await;
    world.write(ANN, ANN.id, "/room pong");
    let opened = told(&world, ANN, "your room is open").await;
    let (_, rest) = text(&opened).split_once("its code is <b>").unwrap();
    let code = rest[..6].to_owned();
    let link = format!("https://t.me/artel_bot/play?startapp=room_{code}");
    assert!(text(&opened).contains(&link), "{opened}");
    let ann = world.open_app(ANN).await;
    let me = ann.get("/api/me").await;
    assert_eq!(me.is(200).body["room"]["code"], code);
    assert!(me.body["queue"].is_null(), "nobody waits and is in a room");

    world.write(ANN, GROUP, "/room");
    let shown = world.card("you are in this room").await;
    assert!(text(&shown).contains(&code), "{shown}");
    assert_eq!(shown["buttons"][0][0]["url"], link);
    world.write(ANN, ANN.id, "/room nine_ball");
    told(&world, ANN, "For another game /leave this room first.").await;
    // Whoever follows the link can go in.
    world.write(BOB, BOB.id, &format!("/start room_{code}"));
    told(&world, BOB, "game arena").await;
    world.open_app(BOB).await.post(&format!("/api/rooms/{code}/join"), json!({})).await.is(200);
    world.write(ANN, ANN.id, "/leave");
    told(&world, ANN, &format!("You have left the room {code}.")).await;
    world.write(BOB, GROUP, "/play pong");
    world.card("You are in a room: /leave it first.").await;
}

/// An account of the web gets its Telegram user, who is asked first.
async fn the_web_is_linked(home: Home) {
    let world = World::on(home).await;
    let web = world.server.person("webby").await;
    let ask = async || {
        let link = web.post("/api/me/telegram-link", Value::Null).await;
        let url = link.is(200).body["url"].as_str().unwrap().to_owned();
        url.strip_prefix("https://t.me/artel_bot?start=").unwrap().to_owned()
    };
    assert_eq!(web.get("/api/me").await.is(200).body["telegram_linked"], false);
    world.write(ANN, ANN.id, "/link");
    told(&world, ANN, "press “Link Telegram”").await;
    world.write(ANN, GROUP, "/link");
    world.card("write /link to me in private").await;
    let payload = ask().await;
    world.write(ANN, ANN.id, &format!("/start {payload}x"));
    told(&world, ANN, "This link is good no more.").await;

    // No means no, for this link.
    world.write(ANN, ANN.id, &format!("/start {payload}"));
    let asked = told(&world, ANN, "Link this Telegram to the account").await;
    assert!(text(&asked).contains("<b>\u{2068}webby\u{2069}</b> (@webby)?"), "{asked}");
    world.telegram.update(tap(ANN, &asked, &data(&asked, "No")));
    let answered = told(&world, ANN, "Nothing was linked").await;
    assert_eq!(answered["message_id"], asked["message_id"]);
    world.telegram.update(tap(ANN, &asked, &data(&asked, "Yes")));
    told(&world, ANN, "This link is good no more.").await;

    let payload = ask().await;
    world.write(ANN, ANN.id, &format!("/start {payload}"));
    let asked = told(&world, ANN, "Link this Telegram to the account").await;
    world.telegram.update(tap(ANN, &asked, &data(&asked, "Yes")));
    told(&world, ANN, "Done: you are <b>\u{2068}webby\u{2069}</b>").await;
    assert_eq!(web.get("/api/me").await.is(200).body["telegram_linked"], true);
    assert_eq!(world.open_app(ANN).await.id(), web.id(), "one person, one account");
    web.post("/api/me/telegram-link", Value::Null).await.refuses(409, "telegram_linked");
    world.write(ANN, ANN.id, "/link");
    told(&world, ANN, "it is one account already").await;
    world.write(BOB, BOB.id, &format!("/link {payload}"));
    told(&world, BOB, "This link is good no more.").await;
    let log = world.server.log();
    assert!(!log.contains(payload.trim_start_matches("link_")), "the token is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_web_is_linked_on_sqlite() {
    the_web_is_linked(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_web_is_linked_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    the_web_is_linked(home).await;
}

/// A game for many starts by itself when its time is up and enough are there.
#[tokio::test]
async fn a_table_for_many_starts_by_time() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, GROUP, "/play kolkhoz");
    let card = world.card("2 more to come").await;
    for who in [BOB, EVE] {
        world.press(who, &card, &data(&card, "Join")).await;
    }
    world.card("3 free").await;
    world.server.home.sql("update cards set expires_at = 1").await;
    let ready = world.card("The table is ready.").await;
    assert_eq!(ready["message_id"], card["message_id"]);
    let id = world.match_of(&ready);
    let players = world.server.stranger().get(&format!("/api/matches/{id}")).await;
    assert_eq!(players.is(200).body["players"].as_array().unwrap().len(), 3);
}

/// Whoever has played by Telegram is told where the two accounts can be made one, and nothing is
/// taken from them by a button: the link may have been somebody else's idea.
#[tokio::test(flavor = "multi_thread")]
async fn two_used_accounts_are_not_linked_by_a_button() {
    let world = World::on(Home::sqlite()).await;
    let (web, app) = (world.server.person("webby").await, world.open_app(ANN).await);
    app.post("/api/friends/requests", json!({"user_id": web.id()})).await.is(201);
    let link = web.post("/api/me/telegram-link", Value::Null).await;
    let url = link.is(200).body["url"].as_str().unwrap().to_owned();
    let payload = url.strip_prefix("https://t.me/artel_bot?start=").unwrap();
    world.write(ANN, ANN.id, &format!("/start {payload}"));
    let asked = told(&world, ANN, "Link this Telegram to the account").await;
    world.telegram.update(tap(ANN, &asked, &data(&asked, "Yes")));
    let answer = told(&world, ANN, "The two accounts can be made one").await;
    assert!(text(&answer).contains("/security"), "{answer}");
    assert_eq!(web.get("/api/me").await.is(200).body["telegram_linked"], false);
    assert_eq!(web.get("/api/me/sign-in").await.is(200).body["offer"], Value::Null);
    // There, with both shown to be theirs, it is offered.
    let both = json!({"login": "webby", "password": PASSWORD});
    app.post("/api/auth/link/password", both).await.refuses(409, "merge_offered");
    let offer = app.get("/api/me/sign-in").await.is(200).body["offer"]["id"].clone();
    app.post("/api/me/merge", json!({"id": offer})).await.is(200);
    assert_eq!(world.open_app(ANN).await.session["user"]["username"], "webby");
}

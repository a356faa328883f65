//! Whole conversations with the bot: the real server, people in chats, and a stand-in for Telegram.

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::{
    standin::{Closed, TOKEN, Telegram},
    support::{Client, Home, Server},
    telegram::{init_data, now},
};

/// A group.
const GROUP: i64 = -1_000_000_000_001;

/// Somebody in Telegram.
#[derive(Clone, Copy)]
struct Person {
    id: i64,
    name: &'static str,
    username: &'static str,
}

const fn person(id: i64, name: &'static str, username: &'static str) -> Person {
    Person { id, name, username }
}

const ANN: Person = person(1001, "Ann", "ann_b");
const BOB: Person = person(1002, "Bob", "Bob_the_2nd");
const EVE: Person = person(1003, "<b>Eve</b> & \u{202e}co", "eve_e");
const DAN: Person = person(1004, "דן", "dan_d");
const KIM: Person = person(1005, "Kim", "kim_k");

impl Person {
    fn json(self) -> Value {
        json!({
            "id": self.id, "is_bot": false, "first_name": self.name, "username": self.username,
            "language_code": "en",
        })
    }
}

/// A server whose bot talks to a stand-in.
struct World {
    telegram: Telegram,
    server: Server,
    api: String,
}

impl World {
    async fn on(home: Home) -> World {
        let telegram = Telegram::open(false).await;
        let api = format!("http://{}", telegram.address);
        let server = Server::run(home, &variables(&api)).await;
        World { telegram, server, api }
    }

    /// Ends the server and starts it again.
    async fn restart(self, signal: &str) -> World {
        let World { telegram, server, api } = self;
        let server = server.restart(signal, &variables(&api)).await;
        World { telegram, server, api }
    }

    /// Somebody writes in a chat.
    fn write(&self, who: Person, chat: i64, text: &str) {
        self.telegram.update(written(who, chat, text));
    }

    /// Somebody presses a button with this in it, and is told so.
    async fn press(&self, who: Person, message: &Value, data: &str) -> String {
        let before = self.telegram.calls_so_far("answercallbackquery").len();
        self.telegram.update(pressed(who, GROUP, &message["message_id"], data));
        let told = self.telegram.calls("answercallbackquery", before + 1).await;
        told[before]["text"].as_str().unwrap().to_owned()
    }

    /// Waits for a message in the group with this in its text.
    async fn card(&self, part: &str) -> Value {
        self.telegram.shown(Some(GROUP), |it| text(it).contains(part)).await
    }

    /// Somebody opens the Mini App: who they are there.
    async fn open_app(&self, who: Person) -> Client {
        let data = init_data(TOKEN, now(), &who.json());
        let client = self.server.stranger();
        let answer = client.post("/api/auth/telegram", json!({"init_data": data})).await;
        Client { session: answer.is(200).body.clone(), ..client }
    }

    /// The match that a card leads to.
    fn match_of(&self, card: &Value) -> String {
        let link = card["buttons"][0][0]["url"].as_str().unwrap();
        let id = link.strip_prefix("https://t.me/artel_bot/play?startapp=m_");
        id.unwrap_or_else(|| panic!("it leads to {link}")).to_owned()
    }

    /// The match that somebody is in.
    async fn match_id(&self, who: Person) -> String {
        self.open_app(who).await.matched().await
    }

    /// Two play a match until the first gives it up.
    async fn play(&self, loser: Person, winner: Person, id: &str) {
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

fn variables(api: &str) -> [(&str, &str); 3] {
    [("TELOXIDE_TOKEN", TOKEN), ("TELEGRAM_API_URL", api), ("TELEGRAM_APP_NAME", "play")]
}

fn written(who: Person, chat: i64, text: &str) -> Value {
    let kind = if chat > 0 { "private" } else { "supergroup" };
    json!({"message": {
        "message_id": 42, "date": 1_700_000_000, "chat": {"id": chat, "type": kind},
        "from": who.json(), "text": text,
    }})
}

fn pressed(who: Person, chat: i64, message: &Value, data: &str) -> Value {
    let chat = json!({"id": chat, "type": "supergroup"});
    json!({"callback_query": {
        "id": "77", "from": who.json(), "chat_instance": "5", "data": data,
        "message": {"message_id": message, "date": 1_700_000_000, "chat": chat},
    }})
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

/// The data of a card's button.
fn data(card: &Value, label: &str) -> String {
    let rows = card["buttons"].as_array().unwrap();
    let buttons = rows.iter().flat_map(|row| row.as_array().unwrap());
    let button = buttons.clone().find(|it| it["text"] == label);
    let button = button.unwrap_or_else(|| panic!("no {label:?} on {card:#}"));
    button["callback_data"].as_str().unwrap().to_owned()
}

/// A group of five: two join and play, and the card goes through every stage.
async fn a_group_plays(home: Home) {
    let world = World::on(home).await;
    world.write(ANN, GROUP, "/play pong");
    let card = world.card("Waiting for an opponent.").await;
    assert!(text(&card).starts_with("<b>Pong</b>\n"), "{card}");
    assert!(text(&card).contains("\u{2068}Ann\u{2069} · <b>1500</b>?"), "{card}");
    let (join, leave) = (data(&card, "Join"), data(&card, "Leave"));

    assert_eq!(world.press(ANN, &card, &join).await, "You are in already.");
    assert_eq!(world.press(EVE, &card, &leave).await, "You are not in.");
    assert_eq!(
        world.press(BOB, &card, &join).await,
        "You are in, and the table is ready: press Play."
    );
    assert_eq!(world.press(EVE, &card, &join).await, "This game has started already.");
    assert_eq!(world.press(ANN, &card, &leave).await, "This game has started already.");
    let ready = world.card("The table is ready.").await;
    assert_eq!(ready["message_id"], card["message_id"]);
    let id = world.match_of(&ready);

    // Whoever is not in the match watches.
    let kim = world.open_app(KIM).await;
    let mut crowd = kim.open(&format!("/ws/game/{id}")).await;
    assert!(crowd.hear("game_state").await["you"].is_null());
    world.play(ANN, BOB, &id).await;
    let over = world.card("The match is over.").await;
    assert_eq!(over["message_id"], card["message_id"]);
    assert!(text(&over).contains("🏆 \u{2068}Bob\u{2069} · <b>1500</b>? → <b>1662</b>"), "{over}");
    assert!(text(&over).contains("\u{2068}Ann\u{2069} · <b>1500</b>? → <b>1338</b>"), "{over}");
    assert!(text(&over).contains("0\u{fe0f}\u{20e3} : 0\u{fe0f}\u{20e3}"), "{over}");
    let replay = format!("https://t.me/artel_bot/play?startapp=r_{id}");
    assert_eq!(over["buttons"][0][1]["url"], replay);

    world.write(EVE, GROUP, "/top pong");
    let top = world.card("this group").await;
    let lines: Vec<_> = text(&top).lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "1. \u{2068}Bob\u{2069} · <b>1</b> of 1 won",
            "2. \u{2068}Ann\u{2069} · <b>0</b> of 1 won"
        ]
    );

    let again = data(&over, "Rematch");
    assert_eq!(world.press(DAN, &over, &again).await, "Those who played can ask for a rematch.");
    assert_eq!(world.press(ANN, &over, &again).await, "The rematch is open.");
    assert_eq!(world.press(BOB, &over, &again).await, "The rematch is open already: look below.");
    let next = world.card("Waiting for an opponent.").await;
    assert_ne!(next["message_id"], card["message_id"]);
    // The old card has given its button away.
    let old = |it: &Value| it["message_id"] == card["message_id"] && it["buttons"][0][1].is_null();
    world.telegram.shown(Some(GROUP), old).await;
    world.press(BOB, &next, &data(&next, "Join")).await;
    let ready = world.card("The table is ready.").await;
    world.play(BOB, ANN, &world.match_of(&ready)).await;
    world.card("🏆 \u{2068}Ann\u{2069}").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_plays_on_sqlite() {
    a_group_plays(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_plays_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    a_group_plays(home).await;
}

/// Names are shown as they are and break nothing, neither by markup nor by their direction.
#[tokio::test]
async fn names_break_no_card() {
    let world = World::on(Home::sqlite()).await;
    world.write(EVE, GROUP, "/play pong");
    let card = world.card("Waiting").await;
    // The override that would have turned the rest around is gone, and each name is by itself.
    assert!(
        text(&card).contains("\u{2068}&#60;b&#62;Eve&#60;/b&#62; &#38; co\u{2069} ·"),
        "{card}"
    );
    world.press(DAN, &card, &data(&card, "Join")).await;
    let ready = world.card("The table is ready.").await;
    assert!(text(&ready).contains("\u{2068}דן\u{2069} ·"), "{ready}");
}

/// What comes twice, late, or from who knows whom.
#[tokio::test]
async fn odd_updates_change_nothing() {
    let world = World::on(Home::sqlite()).await;
    let mut play = written(ANN, GROUP, "/play pong");
    play["update_id"] = world.telegram.update(play.clone()).into();
    let card = world.card("Waiting").await;
    for data in ["", "j", "j:00000000000:", "j:zzzzzzzzzzz", "x:1", "\u{202e}", &"j".repeat(4096)] {
        let told = world.press(BOB, &card, data).await;
        assert_eq!(told, "This button does not work any more. /play opens a game.", "{data}");
    }
    // An id that no card has.
    let told = world.press(BOB, &card, "j:00000000000").await;
    assert_eq!(told, "This game is gone. /play opens another.");
    world.telegram.update_again(play.clone());
    world.telegram.all_is_read().await;
    let world = world.restart("KILL").await;
    world.telegram.update_again(play);
    world.telegram.all_is_read().await;
    world.press(BOB, &card, "?").await;
    assert_eq!(world.telegram.calls_so_far("sendmessage").len(), 1, "one card was asked for");
}

/// The last to leave closes a card; a newer card of the same host closes it too.
#[tokio::test]
async fn cards_are_left_and_replaced() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, GROUP, "/play pong");
    let first = world.card("Waiting").await;
    world.write(ANN, GROUP, "/play nine_ball");
    let second = world.card("<b>9-ball</b>").await;
    let closed = world.card("This game is closed.").await;
    assert_eq!(closed["message_id"], first["message_id"]);
    let told = world.press(BOB, &first, &data(&first, "Join")).await;
    assert_eq!(told, "Nobody can join this game any more. /play opens another.");
    assert_eq!(world.press(ANN, &second, &data(&second, "Leave")).await, "You have left.");
    let both = |it: &Value| it["message_id"] == second["message_id"] && text(it).contains("closed");
    world.telegram.shown(Some(GROUP), both).await;
}

/// More than two: they come and go, and the host starts.
#[tokio::test]
async fn a_table_for_many_starts_when_its_host_says_so() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, GROUP, "/play kolkhoz");
    let card = world.card("2 more to come, 5 free").await;
    let join = data(&card, "Join");
    assert_eq!(world.press(BOB, &card, &join).await, "You are in: 1 more to come.");
    assert_eq!(world.press(EVE, &card, &join).await, "You are in.");
    let enough = world.card("3 free").await;
    let start = data(&enough, "Start the game");
    assert_eq!(world.press(BOB, &card, &start).await, "Whoever opened the game starts it.");
    world.press(ANN, &card, &data(&card, "Leave")).await;
    // Bob was next, and is now the host of too few.
    assert_eq!(world.press(BOB, &card, &start).await, "More people have to join first.");
    assert_eq!(world.press(DAN, &card, &join).await, "You are in.");
    world.press(BOB, &card, &start).await;
    let id = world.match_of(&world.card("The table is ready.").await);
    let players = world.server.stranger().get(&format!("/api/matches/{id}")).await;
    assert_eq!(players.is(200).body["players"].as_array().unwrap().len(), 3);
}

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
    world.telegram.shown(Some(BOB.id), |it| text(it).contains("I tell you of: challenges.")).await;

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
    use crate::standin::Fault;
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
}

/// Who waits in a group plays its members first, and the group sees it.
async fn a_group_has_its_own_queue(home: Home) {
    let world = World::on(home).await;
    // Somebody who was never seen in the group says that they are in it.
    let eve = world.server.person("eve").await;
    let body = json!({"chat_id": GROUP.to_string()});
    world.write(KIM, KIM.id, "/queue pong");
    world.telegram.shown(Some(KIM.id), |it| text(it).contains("1 of 1 in line")).await;
    world.write(ANN, GROUP, "/queue pong");
    world.card("2 of 2 in line. Those of this group come first.").await;
    world.write(BOB, GROUP, "/queue pong");
    let card = world.card("The table is ready.").await;
    assert!(text(&card).contains("Ann") && text(&card).contains("Bob"), "{card}");
    world.play(ANN, BOB, &world.match_of(&card)).await;
    world.card("The match is over.").await;

    world.write(KIM, KIM.id, "/leave");
    world.telegram.shown(Some(KIM.id), |it| text(it).contains("no more")).await;
    eve.post("/api/queue/pong/join", body).await.is(200);
    let sent = world.telegram.calls_so_far("sendmessage").len();
    world.write(ANN, GROUP, "/queue pong");
    let letter = world.telegram.shown(Some(ANN.id), |it| text(it).contains("\u{2068}eve")).await;
    assert!(text(&letter).contains("an opponent is found"), "{letter}");
    sleep(Duration::from_secs(1)).await;
    let since = &world.telegram.calls_so_far("sendmessage")[sent..];
    assert!(since.iter().all(|it| it["chat_id"] == ANN.id), "{since:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_has_its_own_queue_on_sqlite() {
    a_group_has_its_own_queue(Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_has_its_own_queue_on_postgres() {
    let Some(home) = Home::postgres().await else { return };
    a_group_has_its_own_queue(home).await;
}

/// A rematch that is agreed on at the table is seen in the group too.
#[tokio::test]
async fn a_rematch_at_the_table_is_shown() {
    let world = World::on(Home::sqlite()).await;
    world.write(ANN, GROUP, "/play pong");
    let card = world.card("Waiting").await;
    world.press(BOB, &card, &data(&card, "Join")).await;
    let id = world.match_of(&world.card("The table is ready.").await);
    let mut sockets = Vec::new();
    for player in [world.open_app(ANN).await, world.open_app(BOB).await] {
        let mut socket = player.open(&format!("/ws/game/{id}")).await;
        socket.say(json!({"type": "player_ready", "n": 1})).await;
        sockets.push(socket);
    }
    while sockets[0].hear("game_state").await["status"] != "active" {}
    sockets[0].say(json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    sockets[1].hear("game_over").await;
    world.card("The match is over.").await;
    for socket in &mut sockets {
        socket.say(json!({"type": "rematch"})).await;
    }
    let next = world.card("The table is ready.").await;
    assert_ne!(next["message_id"], card["message_id"]);
    assert_ne!(world.match_of(&next), id);
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
    assert!(secret.len() >= 22 && secret.bytes().all(|it| it.is_ascii_alphanumeric()));
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
    for wrong in [None, Some(""), Some("x"), Some(&secret[1..]), Some(&*secret.to_lowercase())] {
        assert_eq!(bring(wrong, update.clone()).await, 401);
    }
    assert_eq!(bring(Some(&secret), "{".to_owned()).await, 400);
    assert_eq!(bring(Some(&secret), "x".repeat(300_000)).await, 413);
    for _ in 0..3 {
        assert_eq!(bring(Some(&secret), update.clone()).await, 200);
    }
    telegram.shown(Some(ANN.id), |it| text(it).contains("game arena")).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(telegram.calls_so_far("sendmessage").len(), 1);
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

/// Many chats at once: nothing is lost, and no limit of Telegram's is broken.
#[tokio::test]
async fn many_chats_at_once_keep_the_limits() {
    const CHATS: usize = 150;
    let world = World::on(Home::sqlite()).await;
    for id in 0..CHATS as i64 {
        world.write(Person { id: 5000 + id, ..ANN }, 5000 + id, "/help");
    }
    world.telegram.calls("sendmessage", CHATS).await;
    let times = world.telegram.written(None);
    for (index, early) in times.iter().enumerate() {
        // A little is allowed for the way there, which is not equally long for all.
        let within =
            times[index..].iter().take_while(|it| **it - *early < Duration::from_millis(900));
        assert!(within.count() <= 30, "too many within a second");
    }
}

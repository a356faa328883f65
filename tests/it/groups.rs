//! Whole conversations in groups: the real server, people in a chat, and a stand-in for Telegram.

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::support::{
    Home,
    world::{ANN, BOB, DAN, EVE, GROUP, KIM, World, data, text, written},
};

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
    // The page learns how links lead into the Mini App.
    let me = kim.get("/api/me").await;
    assert_eq!(me.is(200).body["app_link"], "https://t.me/artel_bot/play?startapp");
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

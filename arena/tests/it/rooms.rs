//! Rooms: coming and going, who may do what, the matches in a row and their table.

use std::time::Duration;

use arena::{
    Arena, Error, LobbyChair, LobbyMessage, MatchId, NewRoom, Parting, Principal, QueueStatus,
    RoomInfo, RoomUpdate, RoomView, Side, UserId, Why,
};
use futures_util::future::join_all;
use games::Kind::Pong;
use live::{Chair, Status, wire::Message};
use serde_json::{Value, json};

use crate::support::{both, heard, refused, soon, until};

fn room() -> NewRoom {
    NewRoom { game: Pong, options: None, private: false }
}

/// The next that a page hears of its room.
async fn update(page: &mut LobbyChair) -> RoomUpdate {
    loop {
        if let LobbyMessage::RoomUpdate(update) = heard(page).await {
            return update;
        }
    }
}

/// Hears on until the room is so.
async fn hear_of(page: &mut LobbyChair, mut holds: impl FnMut(&RoomInfo) -> bool) -> RoomInfo {
    loop {
        if let Some(room) = update(page).await.room.filter(|it| holds(it)) {
            return *room;
        }
    }
}

fn seats(room: &RoomInfo) -> Vec<(UserId, Option<u8>, bool)> {
    room.members.iter().map(|it| (it.user.id, it.seat, it.ready)).collect()
}

/// Sits down, and is ready.
async fn sit(arena: &Arena, by: &Principal, id: MatchId) -> Chair {
    let chair = arena.sit(by, id, None).await.unwrap();
    say(&chair, json!({"type": "player_ready", "n": 1})).await;
    chair
}

async fn say(chair: &Chair, message: Value) {
    chair.say(Message::parse(&message.to_string())).await;
}

async fn hear(chair: &mut Chair, kind: &str) -> Value {
    loop {
        let message: Value = serde_json::from_slice(&soon(chair.hear()).await.unwrap()).unwrap();
        if message["type"] == kind {
            return message;
        }
    }
}

/// Plays a match until the seat 0 gives it up; everybody has gone then.
async fn play(arena: &Arena, players: [&Principal; 2], id: MatchId) {
    let chairs = join_all(players.map(|it| sit(arena, it, id))).await;
    let [mut left, mut right] = <[Chair; 2]>::try_from(chairs).unwrap();
    while hear(&mut right, "game_state").await["status"] != "active" {}
    say(&left, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
    hear(&mut left, "game_over").await;
}

both! {
    async fn people_come_by_code_and_by_list(test: &TestArena) {
        let [ann, bob, eve] = [test.player("Ann").await, test.player("Bob").await, test.player("Eve").await];
        let opened = test.arena.open_room(ann.id, room()).await.unwrap().room;
        assert_eq!(opened.code.len(), 6);
        assert!(opened.code.bytes().all(|it| b"BCDFGHJKMNPRSTWXYZ".contains(&it)), "{}", opened.code);
        assert_eq!((opened.host, seats(&opened)), (ann.id, vec![(ann.id, Some(0), false)]));
        assert_eq!((&opened.options, opened.rated), (&json!({"points": 11}), true));

        let mut page = test.arena.lobby_join(ann.id).await.unwrap();
        assert_eq!(update(&mut page).await.room.as_deref(), Some(&opened));
        let listed = test.arena.rooms(Some(Pong)).await.unwrap();
        let [only] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!((&only.code, only.seated, only.members, only.playing), (&opened.code, 1, 1, false));

        // As people write it.
        let code = opened.code.to_lowercase();
        let joined = test.arena.join_room(bob.id, &code).await.unwrap().room;
        let both = vec![(ann.id, Some(0), false), (bob.id, Some(1), false)];
        assert_eq!(seats(&joined), both);
        assert_eq!(hear_of(&mut page, |it| it.members.len() == 2).await, joined);
        assert!(joined.revision > opened.revision);
        // Once more is no more.
        assert_eq!(seats(&test.arena.join_room(bob.id, &code).await.unwrap().room), both);
        // Who comes when every seat is taken watches, and sits down when one is free.
        let watched = test.arena.join_room(eve.id, &code).await.unwrap().room;
        assert_eq!(seats(&watched)[2], (eve.id, None, false));
        let taken = refused(test.arena.sit_in_room(eve.id, &code, true).await);
        assert_eq!((taken.why, taken.code), (Why::Conflict, "seats_taken"));
        test.arena.sit_in_room(ann.id, &code, false).await.unwrap();
        let sat = test.arena.sit_in_room(eve.id, &code, true).await.unwrap().room;
        assert_eq!(
            seats(&sat),
            [(ann.id, None, false), (bob.id, Some(1), false), (eve.id, Some(0), false)]
        );
    }

    async fn a_private_room_is_reached_by_its_code_only(test: &TestArena) {
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(&test.arena, "Ann").await, test.player_of(&test.arena, "Bob").await];
        let private = NewRoom { private: true, ..room() };
        let code = test.arena.open_room(ann.id, private).await.unwrap().room.code;
        assert_eq!(test.arena.rooms(None).await.unwrap(), []);
        test.arena.join_room(bob.id, &code).await.unwrap();
        // Its matches are not listed either.
        test.arena.ready_in_room(bob.id, &code, true).await.unwrap();
        let id = test.arena.start_room(ann.id, &code).await.unwrap().room.match_id.unwrap();
        assert!(test.arena.live_matches(None).await.unwrap().is_empty());
        play(&test.arena, [&as_ann, &as_bob], id).await;
        for code in ["", "BBBBBB", "BBBBBBB", "ÄÄÄ", "%", "' or 1"] {
            let missing = refused(test.arena.room(ann.id, code).await);
            assert_eq!((missing.why, missing.code), (Why::NotFound, "room_not_found"), "{code}");
        }
    }

    async fn nobody_is_in_two_places(test: &TestArena) {
        let [ann, bob] = [test.player("Ann").await, test.player("Bob").await];
        test.arena.queue_join(ann.id, Pong, None).await.unwrap();
        let mut page = test.arena.lobby_join(ann.id).await.unwrap();
        let code = test.arena.open_room(ann.id, room()).await.unwrap().room.code;
        // Out of the queue, and told so.
        assert_eq!(test.arena.queue_of(ann.id).await.unwrap(), None);
        until("she hears of it", async || {
            let LobbyMessage::QueueUpdate(update) = heard(&mut page).await else { return false };
            matches!(update.place, arena::Place::Idle { .. })
        })
        .await;
        test.arena.queue_join(bob.id, Pong, None).await.unwrap();
        test.arena.join_room(bob.id, &code).await.unwrap();
        assert_eq!(test.arena.queue_of(bob.id).await.unwrap(), None);
        assert_eq!(
            test.arena.queue_status(bob.id, Pong).await.unwrap(),
            QueueStatus::Idle { waiting: 0 }
        );
        let other = test.player("Eve").await;
        let elsewhere = test.arena.open_room(other.id, room()).await.unwrap().room.code;
        for refusal in [
            refused(test.arena.queue_join(bob.id, Pong, None).await),
            refused(test.arena.open_room(bob.id, room()).await),
            refused(test.arena.join_room(bob.id, &elsewhere).await),
        ] {
            assert_eq!((refusal.why, refusal.code), (Why::Conflict, "in_room"));
            assert!(refusal.detail.contains(&code), "{}", refusal.detail);
        }
        test.arena.leave_room(bob.id, &code).await.unwrap();
        test.arena.join_room(bob.id, &elsewhere).await.unwrap();
        assert_eq!(test.arena.room_of(bob.id).await.unwrap().unwrap().code, elsewhere);
    }

    /// Whatever comes at once, everybody is in one room, and every seat has one.
    async fn crowds_are_kept_in_order(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let codes = [
            test.arena.open_room(ann.id, room()).await.unwrap().room.code,
            test.arena.open_room(bob.id, room()).await.unwrap().room.code,
        ];
        let mut people = Vec::new();
        for number in 0..36 {
            people.push(test.player(&format!("P{number}")).await.id);
        }
        let joins = people.iter().flat_map(|&by| codes.iter().map(move |code| (by, code)));
        let answers = join_all(joins.map(|(by, code)| test.arena.join_room(by, code))).await;
        let mut counts = [0; 2];
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(_) => counts[index % 2] += 1,
                Err(Error::Refused(it)) => assert!(["in_room", "room_full"].contains(&it.code), "{it}"),
                Err(fault) => panic!("{}", fault.report()),
            }
        }
        assert_eq!(counts.iter().sum::<i32>(), 36, "{counts:?}");
        for (code, count) in codes.iter().zip(counts) {
            let room = test.arena.room(ann.id, code).await.unwrap().room;
            assert_eq!(room.members.len() as i32, count + 1);
            let mut taken: Vec<u8> = room.members.iter().filter_map(|it| it.seat).collect();
            taken.sort_unstable();
            assert_eq!(taken, [0, 1]);
        }
    }

    async fn a_full_room_takes_nobody(test: &TestArena) {
        let ann = test.player("Ann").await;
        let code = test.arena.open_room(ann.id, room()).await.unwrap().room.code;
        for number in 1..32 {
            let by = test.player(&format!("P{number}")).await.id;
            test.arena.join_room(by, &code).await.unwrap();
        }
        let late = test.player("Late").await.id;
        assert_eq!(refused(test.arena.join_room(late, &code).await).code, "room_full");
    }

    async fn who_may_do_what(test: &TestArena) {
        let [ann, bob, eve] = [test.player("Ann").await, test.player("Bob").await, test.player("Eve").await];
        let code = &test.arena.open_room(ann.id, room()).await.unwrap().room.code;
        let arena = &test.arena;
        for (by, word) in [(bob.id, "not_member"), (eve.id, "not_member")] {
            for refusal in [
                refused(arena.ready_in_room(by, code, true).await),
                refused(arena.sit_in_room(by, code, true).await),
                refused(arena.say_in_room(by, code, "hello").await),
            ] {
                assert_eq!((refusal.why, refusal.code), (Why::Forbidden, word));
            }
        }
        arena.join_room(bob.id, code).await.unwrap();
        for by in [bob.id, eve.id] {
            for refusal in [
                refused(arena.start_room(by, code).await),
                refused(arena.kick_from_room(by, code, ann.id).await),
                refused(arena.hand_on_room(by, code, by).await),
                refused(arena.set_room(by, code, None, Some(true)).await),
                refused(arena.set_room(by, code, Some(json!({"points": 99})), None).await),
            ] {
                assert_eq!((refusal.why, refusal.code), (Why::Forbidden, "not_host"));
            }
        }
        // Chat is for members.
        arena.say_in_room(ann.id, code, "hello").await.unwrap();
        assert_eq!(arena.room(bob.id, code).await.unwrap().chat[0].text, "hello");
        assert_eq!(arena.room(eve.id, code).await.unwrap().chat, []);
        // Nobody was changed by all that.
        assert_eq!(seats(&arena.room(eve.id, code).await.unwrap().room).len(), 2);

        assert_eq!(refused(arena.kick_from_room(ann.id, code, eve.id).await).code, "member_not_found");
        assert_eq!(refused(arena.kick_from_room(ann.id, code, ann.id).await).fields[0].field, "user_id");
        let mut page = arena.lobby_join(bob.id).await.unwrap();
        hear_of(&mut page, |_| true).await;
        let left = arena.kick_from_room(ann.id, code, bob.id).await.unwrap().room;
        assert_eq!(left.members.len(), 1);
        let out = update(&mut page).await;
        assert_eq!((out.room, out.parting), (None, Some(Parting::Kicked)));
        let kicked = refused(arena.join_room(bob.id, code).await);
        assert_eq!((kicked.why, kicked.code), (Why::Forbidden, "kicked"));

        arena.join_room(eve.id, code).await.unwrap();
        let handed = arena.hand_on_room(ann.id, code, eve.id).await.unwrap().room;
        assert_eq!(handed.host, eve.id);
        assert_eq!(refused(arena.start_room(ann.id, code).await).code, "not_host");
    }

    async fn a_wrong_option_is_refused_by_name(test: &TestArena) {
        let ann = test.player("Ann").await;
        for (options, field) in [
            (json!({"points": 99}), "options.points"),
            (json!({"points": 2}), "options.points"),
            (json!({"points": "many"}), "options.points"),
            (json!({"points": 5.5}), "options.points"),
            (json!({"points": null}), "options.points"),
            (json!({"balls": 2}), "options.balls"),
            (json!([5]), "options"),
            (json!("points"), "options"),
        ] {
            let new = NewRoom { options: Some(options.clone()), ..room() };
            let wrong = refused(test.arena.open_room(ann.id, new).await);
            assert_eq!((wrong.why, wrong.code), (Why::Invalid, "bad_options"), "{options}");
            assert_eq!(wrong.fields[0].field, field, "{options}");
            assert!(!wrong.fields[0].message.is_empty());
        }
        let new = NewRoom { options: Some(json!({"points": 3})), ..room() };
        let opened = test.arena.open_room(ann.id, new).await.unwrap().room;
        // Another game than the rated one.
        assert_eq!((&opened.options, opened.rated), (&json!({"points": 3}), false));
        let code = &opened.code;
        let wrong = refused(test.arena.set_room(ann.id, code, Some(json!({"points": 0})), None).await);
        assert_eq!(wrong.fields[0].field, "options.points");
        let bob = test.player("Bob").await;
        test.arena.join_room(bob.id, code).await.unwrap();
        test.arena.ready_in_room(bob.id, code, true).await.unwrap();
        let set = test.arena.set_room(ann.id, code, Some(json!({})), Some(true)).await.unwrap().room;
        assert_eq!((&set.options, set.rated, set.private), (&json!({"points": 11}), true, true));
        // He was ready for something else.
        assert_eq!(seats(&set)[1], (bob.id, Some(1), false));
    }

    async fn a_host_who_leaves_hands_the_room_on(test: &TestArena) {
        let [ann, bob, eve] = [test.player("Ann").await, test.player("Bob").await, test.player("Eve").await];
        let code = &test.arena.open_room(ann.id, room()).await.unwrap().room.code;
        test.arena.join_room(bob.id, code).await.unwrap();
        test.arena.join_room(eve.id, code).await.unwrap();
        let mut page = test.arena.lobby_join(eve.id).await.unwrap();
        hear_of(&mut page, |it| it.host == ann.id).await;
        test.arena.leave_room(ann.id, code).await.unwrap();
        let after = hear_of(&mut page, |it| it.host == bob.id).await;
        assert_eq!(seats(&after), [(bob.id, Some(1), false), (eve.id, None, false)]);
        // Who is back came last.
        test.arena.join_room(ann.id, code).await.unwrap();
        test.arena.leave_room(bob.id, code).await.unwrap();
        hear_of(&mut page, |it| it.host == eve.id).await;
        test.arena.leave_room(eve.id, code).await.unwrap();
        let out = update(&mut page).await;
        assert_eq!((out.room, out.parting), (None, Some(Parting::Left)));
        // The last one closes it, and leaving what is closed is no matter.
        test.arena.leave_room(ann.id, code).await.unwrap();
        test.arena.leave_room(ann.id, code).await.unwrap();
        assert_eq!(refused(test.arena.room(ann.id, code).await).code, "room_not_found");
        for table in ["rooms", "room_members", "room_lines", "room_scores", "room_kicked"] {
            assert_eq!(test.count(format!("select count(*) from {table}")).await, 0, "{table}");
        }
    }

    async fn matches_in_a_row_make_a_table(test: &TestArena) {
        let [(ann, as_ann), (bob, as_bob), (eve, as_eve)] = [
            test.player_of(&test.arena, "Ann").await,
            test.player_of(&test.arena, "Bob").await,
            test.player_of(&test.arena, "Eve").await,
        ];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        assert_eq!(refused(arena.start_room(ann.id, code).await).code, "not_enough_players");
        arena.join_room(bob.id, code).await.unwrap();
        arena.join_room(eve.id, code).await.unwrap();
        assert_eq!(refused(arena.ready_in_room(eve.id, code, true).await).code, "not_seated");
        let not_ready = refused(arena.start_room(ann.id, code).await);
        assert_eq!(not_ready.code, "not_ready");
        assert!(not_ready.detail.contains("Bob"));
        arena.ready_in_room(bob.id, code, true).await.unwrap();

        let mut pages = [
            arena.lobby_join(ann.id).await.unwrap(),
            arena.lobby_join(bob.id).await.unwrap(),
            arena.lobby_join(eve.id).await.unwrap(),
        ];
        let started = arena.start_room(ann.id, code).await.unwrap().room;
        let first = started.match_id.unwrap();
        for page in &mut pages {
            assert_eq!(hear_of(page, |it| it.match_id.is_some()).await.match_id, Some(first));
        }
        for (page, side) in pages.iter_mut().zip([Side::Left, Side::Right]) {
            let LobbyMessage::Matched(matched) = heard(page).await else { panic!("not told") };
            assert_eq!((matched.match_id, matched.side), (first, Some(side)));
        }
        assert_eq!(refused(arena.start_room(ann.id, code).await).code, "room_playing");
        assert_eq!(refused(arena.ready_in_room(bob.id, code, true).await).code, "room_playing");
        // Further members watch.
        let mut watching = arena.sit(&as_eve, first, None).await.unwrap();
        assert_eq!(hear(&mut watching, "game_state").await["you"], Value::Null);

        play(arena, [&as_ann, &as_bob], first).await;
        let after = hear_of(&mut pages[2], |it| it.match_id.is_none()).await;
        assert_eq!(after.last_match_id, Some(first));
        let table = |room: &RoomInfo| -> Vec<(UserId, i64, i64)> {
            room.table.iter().map(|it| (it.user.id, it.matches, it.wins)).collect()
        };
        assert_eq!(table(&after), [(bob.id, 1, 1), (ann.id, 1, 0)]);
        // By the defaults, it counted.
        assert_eq!(arena.stats(bob.id).await.unwrap().games[0].wins, 1);
        assert!(arena.stats(bob.id).await.unwrap().games[0].rating > 1500);

        // The next: sides have changed, and it does not count.
        arena.set_room(ann.id, code, Some(json!({"points": 3})), None).await.unwrap();
        arena.ready_in_room(bob.id, code, true).await.unwrap();
        let second = arena.start_room(ann.id, code).await.unwrap().room.match_id.unwrap();
        let info = arena.match_info(second).await.unwrap();
        assert_eq!(info.players[0].user.id, bob.id);
        assert_eq!(info.options, json!({"points": 3}));
        let before = arena.stats(bob.id).await.unwrap().games[0].rating;
        // Eve comes in for Ann, who leaves while she plays.
        arena.leave_room(ann.id, code).await.unwrap();
        play(arena, [&as_bob, &as_ann], second).await;
        let after = hear_of(&mut pages[2], |it| it.last_match_id == Some(second)).await;
        assert_eq!(after.host, bob.id);
        assert_eq!(arena.stats(bob.id).await.unwrap().games[0].rating, before);
        let mut scores = table(&after);
        scores.sort_unstable();
        let mut expected = [(ann.id, 2, 1), (bob.id, 2, 1)];
        expected.sort_unstable();
        assert_eq!(scores, expected);

        arena.sit_in_room(eve.id, code, true).await.unwrap();
        arena.ready_in_room(eve.id, code, true).await.unwrap();
        let third = arena.start_room(bob.id, code).await.unwrap().room.match_id.unwrap();
        play_by_room(arena, third, &[(eve.id, &as_eve), (bob.id, &as_bob)]).await;
    }

    /// What the players of a room's match want to play again is the room's next.
    async fn a_rematch_is_the_rooms_next_match(test: &TestArena) {
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(&test.arena, "Ann").await, test.player_of(&test.arena, "Bob").await];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, code).await.unwrap();
        arena.ready_in_room(bob.id, code, true).await.unwrap();
        let first = arena.start_room(ann.id, code).await.unwrap().room.match_id.unwrap();
        let [left, mut right] = [sit(arena, &as_ann, first).await, sit(arena, &as_bob, first).await];
        while hear(&mut right, "game_state").await["status"] != "active" {}
        say(&left, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
        hear(&mut right, "game_over").await;
        say(&left, json!({"type": "rematch"})).await;
        say(&right, json!({"type": "rematch"})).await;
        let next = loop {
            if let Some(id) = hear(&mut right, "rematch").await["match_id"].as_str() {
                break id.parse().unwrap();
            }
        };
        let room = arena.room(ann.id, code).await.unwrap().room;
        assert_eq!((room.match_id, room.last_match_id), (Some(next), Some(first)));
        play(arena, [&as_bob, &as_ann], next).await;
        until("it is counted", async || {
            arena.room(ann.id, code).await.unwrap().room.last_match_id == Some(next)
        })
        .await;
        let table = arena.room(ann.id, code).await.unwrap().room.table;
        assert_eq!(table.iter().map(|it| (it.matches, it.wins)).collect::<Vec<_>>(), [(2, 1), (2, 1)]);
    }

    async fn who_plays_elsewhere_can_not_be_started(test: &TestArena) {
        let [ann, bob] = [test.player("Ann").await, test.player("Bob").await];
        let code = &test.arena.open_room(ann.id, room()).await.unwrap().room.code;
        test.arena.join_room(bob.id, code).await.unwrap();
        test.arena.ready_in_room(bob.id, code, true).await.unwrap();
        let body = json!({"game": "pong", "opponent": "computer"});
        let new = serde_json::from_value(body).unwrap();
        test.arena.play_computer(bob.id, new).await.unwrap();
        let busy = refused(test.arena.start_room(ann.id, code).await);
        assert_eq!((busy.why, busy.code), (Why::Conflict, "member_in_match"));
        assert!(busy.detail.contains("Bob"));
        // Nothing was begun.
        let room = test.arena.room(ann.id, code).await.unwrap().room;
        assert_eq!((room.match_id, seats(&room)[1]), (None, (bob.id, Some(1), true)));
    }

    /// A match that is called off leaves the table as it was, and nobody in a queue.
    async fn what_is_called_off_does_not_count(test: &TestArena) {
        let [(ann, as_ann), (bob, _)] =
            [test.player_of(&test.arena, "Ann").await, test.player_of(&test.arena, "Bob").await];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, code).await.unwrap();
        arena.ready_in_room(bob.id, code, true).await.unwrap();
        let id = arena.start_room(ann.id, code).await.unwrap().room.match_id.unwrap();
        let mut chair = sit(arena, &as_ann, id).await;
        assert_eq!(hear(&mut chair, "game_over").await["outcome"]["reason"], "called_off");
        let room = arena.room(ann.id, code).await.unwrap().room;
        assert_eq!((room.match_id, room.table.len()), (None, 0));
        assert_eq!(arena.match_info(id).await.unwrap().status, Status::Finished);
        assert_eq!(arena.queue_of(ann.id).await.unwrap(), None);
    }

    async fn who_is_not_seen_is_out(test: &TestArena) {
        let [ann, bob] = [test.player("Ann").await, test.player("Bob").await];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, code).await.unwrap();
        let mut page = arena.lobby_join(bob.id).await.unwrap();
        hear_of(&mut page, |it| it.host == ann.id).await;
        for _ in 0..5 {
            test.clock.advance(Duration::from_secs(61));
            arena.clone().tend_rooms().await.unwrap();
        }
        let left = hear_of(&mut page, |it| it.members.len() == 1).await;
        assert_eq!((left.host, seats(&left)), (bob.id, vec![(bob.id, Some(1), false)]));
        drop(page);
        test.clock.advance(Duration::from_secs(299));
        arena.clone().tend_rooms().await.unwrap();
        // The page was seen at most a minute before it was closed.
        test.clock.advance(Duration::from_secs(2));
        arena.clone().tend_rooms().await.unwrap();
        assert_eq!(refused(arena.room(bob.id, code).await).code, "room_not_found");
        assert_eq!(test.count("select count(*) from rooms").await, 0);
    }

    async fn people_talk(test: &TestArena) {
        let [ann, bob] = [test.player("Ann").await, test.player("Bob").await];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, code).await.unwrap();
        let mut page = arena.lobby_join(bob.id).await.unwrap();
        hear_of(&mut page, |_| true).await;
        arena.say_in_room(ann.id, &code.to_lowercase(), "  hello \u{202e}there ").await.unwrap();
        let LobbyMessage::Chat(said) = heard(&mut page).await else { panic!("no chat") };
        assert_eq!((&said.room, &said.line.user.id, &*said.line.text), (code, &ann.id, "hello there"));
        assert_eq!(refused(arena.say_in_room(ann.id, code, "and").await).code, "too_fast");
        arena.say_in_room(bob.id, code, "hi").await.unwrap();
        for text in ["", " ", "a\nb", &"x".repeat(201)] {
            assert_eq!(refused(arena.say_in_room(ann.id, code, text).await).code, "bad_text");
        }
        for number in 0..60 {
            test.clock.advance(Duration::from_secs(1));
            arena.say_in_room(ann.id, code, &format!("{number}")).await.unwrap();
        }
        let RoomView { chat, .. } = arena.room(bob.id, code).await.unwrap();
        assert_eq!((chat.len(), &*chat[0].text, &*chat[49].text), (50, "10", "59"));
        assert_eq!(test.count("select count(*) from room_lines").await, 50);
    }
}

/// Plays a match whose seats may be either way round.
async fn play_by_room(arena: &Arena, id: MatchId, people: &[(UserId, &Principal); 2]) {
    let info = arena.match_info(id).await.unwrap();
    let find = |seat: usize| {
        let user = info.players[seat].user.id;
        people.iter().find(|it| it.0 == user).unwrap().1
    };
    play(arena, [find(0), find(1)], id).await;
}

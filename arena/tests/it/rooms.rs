//! Rooms: coming and going, who may do what, and what is said.

use std::time::Duration;

use arena::{
    Error, LobbyChair, LobbyMessage, NewRoom, Parting, QueueStatus, RoomInfo, RoomUpdate, RoomView,
    UserId, Why,
};
use futures_util::future::join_all;
use games::Kind::Pong;
use serde_json::json;

use crate::support::{both, heard, refused, until};

pub(crate) fn room() -> NewRoom {
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
pub(crate) async fn hear_of(
    page: &mut LobbyChair,
    mut holds: impl FnMut(&RoomInfo) -> bool,
) -> RoomInfo {
    loop {
        if let Some(room) = update(page).await.room.filter(|it| holds(it)) {
            return *room;
        }
    }
}

pub(crate) fn seats(room: &RoomInfo) -> Vec<(UserId, Option<u8>, bool)> {
    room.members.iter().map(|it| (it.user.id, it.seat, it.ready)).collect()
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
        let listed = test.arena.rooms(None, Some(Pong)).await.unwrap();
        let [only] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!((&only.code, only.playing), (&opened.code, false));
        assert_eq!((only.seated, only.members), (1, 1));

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
        // Chat is for members, and tells nobody else whether there is such a room.
        let refusal = refused(arena.say_in_room(ann.id, "BCDFGH", "hello").await);
        assert_eq!((refusal.why, refusal.code), (Why::Forbidden, "not_member"));
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
        let set = test.arena.set_room(ann.id, code, Some(json!({})), Some(true)).await;
        let set = set.unwrap().room;
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

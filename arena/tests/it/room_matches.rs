//! The matches of a room: who may start one, and what its end leaves in the room.

use arena::{
    Arena, CardId, CardStage, LobbyMessage, MatchId, NewRoom, Pass, Principal, RoomInfo, Side,
    UserId, Why,
};
use live::Status;
use serde_json::{Value, json};

use crate::{
    rooms::{hear_of, room, seats},
    support::{both, heard, refused, until},
    table::{hear, play, say, sit},
};

both! {
    async fn a_private_room_is_reached_by_its_code_only(test: &TestArena) {
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(&test.arena, "Ann").await, test.player_of(&test.arena, "Bob").await];
        let private = NewRoom { private: true, ..room() };
        let code = test.arena.open_room(ann.id, private).await.unwrap().room.code;
        assert_eq!(test.arena.rooms(None, None).await.unwrap(), []);
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
        let mut watching = arena.sit(&Pass::Member(as_eve), first, None).await.unwrap();
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
        let left = sit(arena, &as_ann, first).await;
        let mut right = sit(arena, &as_bob, first).await;
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
        let scores: Vec<_> = table.iter().map(|it| (it.matches, it.wins)).collect();
        assert_eq!(scores, [(2, 1), (2, 1)]);
    }

    /// A match of a room that a card shows too is played again in both.
    async fn a_rematch_goes_on_in_the_room_and_on_the_card(test: &TestArena) {
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(&test.arena, "Ann").await, test.player_of(&test.arena, "Bob").await];
        let arena = &test.arena;
        let code = &arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, code).await.unwrap();
        arena.ready_in_room(bob.id, code, true).await.unwrap();
        let first = arena.start_room(ann.id, code).await.unwrap().room.match_id.unwrap();
        let (a, b, id) = (ann.id.0, bob.id.0, first.0);
        test.sql(format!(
            "insert into cards (id, origin, game, chat_id, language, host, status, match_id, score,
                 created_at, expires_at)
             values (1, 'match', 'pong', -5, 'en', {a}, 'playing', {id}, '', 0, 0);
             insert into card_seats (card_id, user_id, joined_at) values (1, {a}, 0), (1, {b}, 0)"
        ))
        .await;
        let left = sit(arena, &as_ann, first).await;
        let mut right = sit(arena, &as_bob, first).await;
        while hear(&mut right, "game_state").await["status"] != "active" {}
        say(&left, json!({"type": "game_action", "n": 2, "action": "resign"})).await;
        hear(&mut right, "game_over").await;
        say(&left, json!({"type": "rematch"})).await;
        say(&right, json!({"type": "rematch"})).await;
        let next: MatchId = loop {
            if let Some(id) = hear(&mut right, "rematch").await["match_id"].as_str() {
                break id.parse().unwrap();
            }
        };
        let room = arena.room(ann.id, code).await.unwrap().room;
        assert_eq!(room.match_id, Some(next));
        let before = arena.card(CardId(1)).await.unwrap().unwrap();
        assert_eq!(before.stage, CardStage::Over(first, false), "its rematch is shown already");
        let shown = arena.card_of(&format!("match {next}")).await.unwrap().unwrap();
        let shown = arena.card(shown).await.unwrap().unwrap();
        assert_eq!(shown.stage, CardStage::Gathering(next));
        assert_eq!(shown.players.len(), 2);
        let letters = "select count(*) from outbox where about like 'card %'";
        assert_eq!(test.count(letters).await, 2);
        play(arena, [&as_bob, &as_ann], next).await;
        until("the room has counted it", async || {
            arena.room(ann.id, code).await.unwrap().room.last_match_id == Some(next)
        })
        .await;
        let shown = arena.card(shown.id).await.unwrap().unwrap();
        assert_eq!(shown.stage, CardStage::Over(next, true));
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

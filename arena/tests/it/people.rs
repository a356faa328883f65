//! Names, friends, and those whom somebody keeps away from.

use std::time::Duration;

use arena::{
    Ask, LobbyMessage, NewAccount, Notification, Presence, Queued, RoomChat, Shun, User, Why,
};
use games::Kind::Pong;
use tokio::task::JoinSet;

use crate::support::{TestArena, both, device, heard, refused, soon};

fn account(username: &str) -> NewAccount {
    NewAccount { username: username.into(), password: "correct horse".into(), email: None }
}

async fn are_friends(test: &TestArena, a: &User, b: &User) -> bool {
    let friends = test.arena.friends(a.id).await.unwrap().friends;
    friends.iter().any(|it| it.user.id == b.id)
}

/// That the rows say so many friendships and questions.
async fn check_rows(test: &TestArena, friendships: i64, requests: i64) {
    assert_eq!(test.count("select count(*) from friends").await, 2 * friendships);
    assert_eq!(test.count("select count(*) from friend_requests").await, requests);
}

both! {
    async fn names_are_not_taken_for_others(test: &TestArena) {
        let arena = &test.arena;
        let paul = arena.register(account("Paul_1"), &device()).await.unwrap().user;
        for name in ["paul_1", "PauI_1", "pauI_l", "Pau1_l"] {
            let refused = refused(arena.register(account(name), &device()).await);
            assert_eq!((refused.why, refused.code), (Why::Conflict, "username_taken"), "{name}");
        }
        for name in ["admin", "Adm1n", "artel_support", "m0derator", "mod"] {
            let refused = refused(arena.register(account(name), &device()).await);
            assert_eq!(refused.fields[0].field, "username", "{name}");
        }
        arena.register(account("paul_2"), &device()).await.unwrap();

        let ann = test.player("Ann").await;
        for name in ["Paul 1", "раul_1", "ＰＡＵＬ＿１", "Pa\u{200b}ul_1"] {
            let refused = refused(arena.update_me(ann.id, None, Some(name.into())).await);
            assert_eq!((refused.why, refused.code), (Why::Conflict, "name_taken"), "{name}");
        }
        for name in ["Администратор", "Artel Admin", "аdmin"] {
            let refused = refused(arena.update_me(ann.id, None, Some(name.into())).await);
            assert_eq!(refused.fields[0].field, "display_name", "{name}");
        }
        // One's own, and a name that many have.
        let own = arena.update_me(paul.id, None, Some("Paul 1".into())).await.unwrap();
        assert_eq!(own.display_name, "Paul 1");
        let anna = arena.update_me(paul.id, None, Some(" Ａnn\u{202e} ".into())).await.unwrap();
        assert_eq!(anna.display_name, "Ann");

        // Whom Telegram calls so is called otherwise here.
        for name in ["Admin", "Модератор", "Artel Support", "\u{3164}"] {
            assert_eq!(test.player(name).await.display_name, "Player", "{name}");
        }
        // Nobody is called what somebody is called who keeps order.
        test.sql(format!("update users set role = 'moderator' where id = {}", ann.id.0)).await;
        assert_eq!(test.player("Аnn").await.display_name, "Player");
        let refused = refused(arena.update_me(paul.id, None, Some("ANN".into())).await);
        assert_eq!(refused.code, "name_taken");
        arena.update_me(ann.id, None, Some("Moderator Ann".into())).await.unwrap();
    }

    async fn people_from_before_have_looks_too(test: &TestArena) {
        test.arena.register(account("paul"), &device()).await.unwrap();
        test.player("🎱").await;
        test.sql("delete from looks").await;
        let next = test.next_run().await;
        let refused = refused(next.register(account("pau1"), &device()).await);
        assert_eq!(refused.code, "username_taken");
        next.close().await;
    }

    async fn friends_from_asking_to_parting(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let eve = test.player("Eve").await;
        let mut bobs_page = arena.lobby_join(bob.id).await.unwrap();
        heard(&mut bobs_page).await;

        assert_eq!(arena.ask_friend(ann.id, bob.id).await.unwrap(), Ask::Requested);
        let notification = Notification::FriendRequest { user: ann.public() };
        assert_eq!(heard(&mut bobs_page).await, LobbyMessage::Notification(notification));
        assert_eq!(arena.friends(bob.id).await.unwrap().incoming[0].user.id, ann.id);
        assert_eq!(arena.friends(ann.id).await.unwrap().outgoing[0].user.id, bob.id);
        for (by, whom, code) in [
            (&ann, &bob, "already_requested"),
            (&ann, &ann, "yourself"),
        ] {
            assert_eq!(refused(arena.ask_friend(by.id, whom.id).await).code, code);
        }
        let nobody = arena::UserId(5);
        let computer = arena::UserId(1);
        for whom in [nobody, computer] {
            assert_eq!(refused(arena.ask_friend(ann.id, whom).await).why, Why::NotFound);
            assert_eq!(refused(arena.shun(ann.id, whom, Shun::Mute).await).why, Why::NotFound);
        }
        // What is between two is nobody else's to answer.
        for (by, whom) in [(&eve, &ann), (&eve, &bob), (&ann, &bob), (&ann, &ann)] {
            let refused = refused(arena.accept_friend(by.id, whom.id).await);
            assert_eq!((refused.why, refused.code), (Why::NotFound, "request_not_found"));
            assert_eq!(
                crate::support::refused(arena.decline_friend(by.id, whom.id).await).code,
                "request_not_found"
            );
        }
        assert_eq!(refused(arena.withdraw_friend(bob.id, ann.id).await).code, "request_not_found");
        check_rows(test, 0, 1).await;

        arena.decline_friend(bob.id, ann.id).await.unwrap();
        arena.ask_friend(ann.id, bob.id).await.unwrap();
        heard(&mut bobs_page).await;
        arena.withdraw_friend(ann.id, bob.id).await.unwrap();
        check_rows(test, 0, 0).await;
        arena.ask_friend(ann.id, bob.id).await.unwrap();
        heard(&mut bobs_page).await;
        arena.accept_friend(bob.id, ann.id).await.unwrap();
        let notification = Notification::Friend { user: ann.public() };
        assert_eq!(heard(&mut bobs_page).await, LobbyMessage::Notification(notification));
        check_rows(test, 1, 0).await;
        assert_eq!(refused(arena.ask_friend(bob.id, ann.id).await).code, "already_friends");
        assert!(are_friends(test, &ann, &bob).await && are_friends(test, &bob, &ann).await);

        assert_eq!(refused(arena.unfriend(eve.id, ann.id).await).why, Why::NotFound);
        arena.unfriend(bob.id, ann.id).await.unwrap();
        check_rows(test, 0, 0).await;
    }

    async fn who_ask_each_other_at_once_are_friends(test: &TestArena) {
        let other = test.another().await;
        for _ in 0..10 {
            let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
            let mut asking = JoinSet::new();
            for n in 0..8 {
                let arena = if n % 2 == 0 { test.arena.clone() } else { other.clone() };
                let (by, whom) = if n % 4 < 2 { (ann.id, bob.id) } else { (bob.id, ann.id) };
                asking.spawn(async move { arena.ask_friend(by, whom).await });
            }
            let answers = asking.join_all().await;
            let friends = answers.iter().filter(|it| matches!(it, Ok(Ask::Friends))).count();
            assert_eq!(friends, 1, "{answers:?}");
            assert!(are_friends(test, &ann, &bob).await && are_friends(test, &bob, &ann).await);
        }
        check_rows(test, 10, 0).await;
        other.close().await;
    }

    async fn who_is_blocked_learns_nothing(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let mut anns_page = arena.lobby_join(ann.id).await.unwrap();
        heard(&mut anns_page).await;
        arena.ask_friend(bob.id, ann.id).await.unwrap();
        heard(&mut anns_page).await;
        arena.accept_friend(ann.id, bob.id).await.unwrap();
        heard(&mut anns_page).await;
        arena.shun(ann.id, bob.id, Shun::Mute).await.unwrap();
        assert!(are_friends(test, &ann, &bob).await, "whom one does not hear may be a friend");
        arena.shun(ann.id, bob.id, Shun::Block).await.unwrap();
        assert_eq!(arena.shunned(ann.id).await.unwrap()[0].kind, Shun::Block);
        check_rows(test, 0, 0).await;

        // The answer is the one that anybody gets, and nobody hears of it.
        assert_eq!(arena.ask_friend(bob.id, ann.id).await.unwrap(), Ask::Requested);
        assert_eq!(refused(arena.ask_friend(bob.id, ann.id).await).code, "already_requested");
        assert_eq!(arena.friends(bob.id).await.unwrap().outgoing.len(), 1);
        assert_eq!(arena.friends(ann.id).await.unwrap().incoming, []);
        assert_eq!(refused(arena.accept_friend(ann.id, bob.id).await).code, "request_not_found");
        assert_eq!(refused(arena.ask_friend(ann.id, bob.id).await).code, "you_block_them");

        // To Bob there is no room of Ann's.
        let new = serde_json::from_str(r#"{"game":"pong"}"#).unwrap();
        let code = arena.open_room(ann.id, new).await.unwrap().room.code;
        assert!(matches!(heard(&mut anns_page).await, LobbyMessage::RoomUpdate(_)), "she hears of it");
        for answer in
            [arena.room(bob.id, &code).await, arena.join_room(bob.id, &code).await]
        {
            assert_eq!(refused(answer).code, "room_not_found");
        }
        arena.leave_room(ann.id, &code).await.unwrap();

        arena.unshun(ann.id, bob.id).await.unwrap();
        assert_eq!(arena.ask_friend(bob.id, ann.id).await.unwrap(), Ask::Requested);
        assert_eq!(arena.friends(ann.id).await.unwrap().incoming.len(), 1);
    }

    async fn who_has_blocked_another_is_never_paired_with_them(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        arena.shun(bob.id, ann.id, Shun::Block).await.unwrap();
        for user in [&ann, &bob] {
            let joined = arena.queue_join(user.id, Pong, None).await.unwrap();
            assert!(matches!(joined, Queued::Waiting { .. }), "{joined:?}");
        }
        // However long they wait.
        test.clock.advance(Duration::from_secs(5 * 60));
        assert_eq!(arena.pair_up(Pong).await.unwrap(), 0);
        let eve = test.player("Eve").await;
        let joined = arena.queue_join(eve.id, Pong, None).await.unwrap();
        assert!(matches!(joined, Queued::Matched(_)), "{joined:?}");
        assert_eq!(test.count("select count(*) from queue_entries").await, 1);
    }

    async fn who_is_muted_is_not_heard(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let new = serde_json::from_str(r#"{"game":"pong"}"#).unwrap();
        let code = arena.open_room(ann.id, new).await.unwrap().room.code;
        arena.join_room(bob.id, &code).await.unwrap();
        arena.say_in_room(bob.id, &code, "one").await.unwrap();
        assert_eq!(arena.room(ann.id, &code).await.unwrap().chat.len(), 1);
        arena.shun(ann.id, bob.id, Shun::Mute).await.unwrap();
        assert_eq!(arena.room(ann.id, &code).await.unwrap().chat, []);
        assert_eq!(arena.room(bob.id, &code).await.unwrap().chat.len(), 1);

        let mut anns_page = arena.lobby_join(ann.id).await.unwrap();
        test.clock.advance(Duration::from_secs(2));
        arena.say_in_room(bob.id, &code, "two").await.unwrap();
        arena.say_in_room(ann.id, &code, "three").await.unwrap();
        let said = loop {
            if let LobbyMessage::Chat(RoomChat { line, .. }) = heard(&mut anns_page).await {
                break line.text;
            }
        };
        assert_eq!(said, "three");
    }

    async fn friends_see_each_other_come_and_play(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        arena.ask_friend(ann.id, bob.id).await.unwrap();
        arena.accept_friend(bob.id, ann.id).await.unwrap();
        let presence = async || arena.friends(ann.id).await.unwrap().friends[0].presence;
        assert_eq!(presence().await, Presence::Offline);
        let mut anns_page = arena.lobby_join(ann.id).await.unwrap();
        let bobs_page = arena.lobby_join(bob.id).await.unwrap();
        assert_eq!(presence().await, Presence::Online);
        let mut told = async || {
            loop {
                if let LobbyMessage::Presence(it) = heard(&mut anns_page).await {
                    assert_eq!(it.user_id, bob.id);
                    return it.presence;
                }
            }
        };
        assert_eq!(soon(told()).await, Presence::Online);
        let eve = test.player("Eve").await;
        arena.queue_join(bob.id, Pong, None).await.unwrap();
        arena.queue_join(eve.id, Pong, None).await.unwrap();
        drop(bobs_page);
        assert!(matches!(soon(told()).await, Presence::Playing { .. }));
        assert!(matches!(presence().await, Presence::Playing { .. }));
    }

    async fn friends_are_invited_to_a_room(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let eve = test.player("Eve").await;
        let new = serde_json::from_str(r#"{"game":"pong","private":true}"#).unwrap();
        let code = arena.open_room(ann.id, new).await.unwrap().room.code;
        let invite = async |by: &User, whom: &User| {
            refused(arena.invite_to_room(by.id, &code, whom.id).await).code
        };
        assert_eq!(invite(&ann, &bob).await, "not_friends");
        assert_eq!(invite(&eve, &bob).await, "not_member");
        arena.ask_friend(ann.id, bob.id).await.unwrap();
        arena.accept_friend(bob.id, ann.id).await.unwrap();
        let mut bobs_page = arena.lobby_join(bob.id).await.unwrap();
        arena.invite_to_room(ann.id, &code, bob.id).await.unwrap();
        let invitation = loop {
            if let LobbyMessage::Notification(Notification::Invitation(it)) =
                heard(&mut bobs_page).await
            {
                break it;
            }
        };
        assert_eq!((invitation.user.id, &invitation.room, invitation.game), (ann.id, &code, Pong));
        arena.join_room(bob.id, &code).await.unwrap();
        arena.kick_from_room(ann.id, &code, bob.id).await.unwrap();
        assert_eq!(invite(&ann, &bob).await, "kicked");
    }

    async fn there_is_an_end_to_asking(test: &TestArena) {
        let ann = test.player("Ann").await;
        for n in 0..50 {
            let whom = test.player(&format!("Other {n}")).await;
            test.arena.ask_friend(ann.id, whom.id).await.unwrap();
        }
        let whom = test.player("One more").await;
        let refused = refused(test.arena.ask_friend(ann.id, whom.id).await);
        assert_eq!((refused.why, refused.code), (Why::Conflict, "too_many_requests_open"));
        check_rows(test, 0, 50).await;
    }
}

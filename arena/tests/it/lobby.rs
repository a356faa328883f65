//! The lobby: the state first, then what happens, on every page that somebody has open.

use arena::{LobbyMessage, Matched, Place, QueueUpdate, Queued};
use games::{Kind::Pong, Seat};
use serde_json::json;

use crate::support::{both, heard, until};

fn idle(waiting: i64) -> LobbyMessage {
    LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place: Place::Idle { waiting } })
}

both! {
    async fn a_page_first_hears_how_things_are(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let mut page = test.arena.lobby_join(ann.id).await.unwrap();
        assert_eq!(heard(&mut page).await, idle(0));

        test.arena.queue_join(ann.id, Pong, None).await.unwrap();
        let (_, since) = test.arena.queue_of(ann.id).await.unwrap().unwrap();
        let place = Place::Waiting { position: 1, waiting: 1, since };
        let waiting = LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place });
        assert_eq!(heard(&mut page).await, waiting);
        let mut second = test.arena.lobby_join(ann.id).await.unwrap();
        assert_eq!(heard(&mut second).await, waiting);

        let bobs = test.arena.queue_join(bob.id, Pong, None).await.unwrap();
        let Queued::Matched(Matched { match_id, seat, .. }) = bobs else { panic!("no match") };
        let mut third = test.arena.lobby_join(ann.id).await.unwrap();
        for page in [&mut page, &mut second, &mut third] {
            let LobbyMessage::Matched(matched) = heard(page).await else { panic!("not matched") };
            assert_eq!((matched.match_id, matched.game), (match_id, Pong));
            assert_eq!(matched.seat, Seat(1 - seat.0));
        }
        let mut bobs_page = test.arena.lobby_join(bob.id).await.unwrap();
        let LobbyMessage::Matched(matched) = heard(&mut bobs_page).await else {
            panic!("not matched")
        };
        assert_eq!((matched.match_id, matched.seat), (match_id, seat));
    }

    async fn others_hear_nothing(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let mut bobs_page = test.arena.lobby_join(bob.id).await.unwrap();
        assert_eq!(heard(&mut bobs_page).await, idle(0));
        test.arena.queue_join(ann.id, Pong, None).await.unwrap();
        test.arena.queue_leave(ann.id, Pong).await.unwrap();
        test.arena.tend_queue().await.unwrap();
        // The next that Bob hears is about himself.
        test.arena.queue_join(bob.id, Pong, None).await.unwrap();
        let LobbyMessage::QueueUpdate(update) = heard(&mut bobs_page).await else { panic!() };
        assert!(
            matches!(update.place, Place::Waiting { position: 1, waiting: 1, .. }),
            "{update:?}"
        );
    }

    async fn one_page_too_many_closes_the_oldest(test: &TestArena) {
        let ann = test.player("Ann").await;
        let mut pages = Vec::new();
        for _ in 0..17 {
            let mut page = test.arena.lobby_join(ann.id).await.unwrap();
            assert_eq!(heard(&mut page).await, idle(0));
            pages.push(page);
        }
        // What it was told of other games, and then its end.
        while let Some(LobbyMessage::QueueUpdate(update)) = pages[0].recv().await {
            assert_ne!(update.game, Pong);
        }
        test.arena.queue_join(ann.id, Pong, None).await.unwrap();
        for page in &mut pages[1..] {
            assert!(matches!(heard(page).await, LobbyMessage::QueueUpdate(_)));
        }
    }

    async fn a_page_that_does_not_listen_is_closed(test: &TestArena) {
        let ann = test.player("Ann").await;
        let mut deaf = test.arena.lobby_join(ann.id).await.unwrap();
        let mut page = test.arena.lobby_join(ann.id).await.unwrap();
        let mut last = heard(&mut page).await;
        for _ in 0..20 {
            test.arena.queue_join(ann.id, Pong, None).await.unwrap();
            last = heard(&mut page).await;
            assert_ne!(last, idle(0));
            test.arena.queue_leave(ann.id, Pong).await.unwrap();
            last = heard(&mut page).await;
        }
        assert_eq!(last, idle(0));
        let mut messages = 0;
        while deaf.recv().await.is_some() {
            messages += 1;
        }
        assert_eq!(messages, 32, "what was in its queue, then its end");
    }

    async fn news_that_come_while_a_page_opens_are_not_overtaken(test: &TestArena) {
        for _ in 0..20 {
            let ann = test.player("Ann").await;
            let (arena, id) = (test.arena.clone(), ann.id);
            let joins =
                tokio::spawn(async move { arena.queue_join(id, Pong, None).await.unwrap() });
            let mut page = test.arena.lobby_join(ann.id).await.unwrap();
            joins.await.unwrap();
            // Whichever was first, in the end the page says that she waits.
            let mut said = Vec::new();
            loop {
                said.push(heard(&mut page).await);
                let LobbyMessage::QueueUpdate(update) = said.last().unwrap() else { panic!() };
                if matches!(update.place, Place::Waiting { .. }) {
                    break;
                }
                assert!(said.len() < 3, "{said:?}");
            }
            test.arena.queue_leave(ann.id, Pong).await.unwrap();
            until("she has left", async || test.arena.queue_of(id).await.unwrap().is_none()).await;
        }
    }
}

#[test]
fn the_wire() {
    let since = arena::Moment(1_790_000_000_123);
    let place = Place::Waiting { position: 1, waiting: 3, since };
    let waiting = LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place });
    let matched = LobbyMessage::Matched(Matched {
        game: Pong,
        match_id: arena::MatchId(62),
        side: Some(arena::Side::Left),
        seat: Seat(0),
    });
    let expected = [
        (
            idle(2),
            json!({ "type": "queue_update", "game": "pong", "status": "idle", "waiting": 2 }),
        ),
        (
            waiting,
            json!({
                "type": "queue_update", "game": "pong", "status": "waiting", "position": 1,
                "waiting": 3, "since": "2026-09-21T14:13:20.123Z",
            }),
        ),
        (
            matched,
            json!({
                "type": "matched", "game": "pong", "match_id": "00000000010", "side": "left",
                "seat": 0,
            }),
        ),
    ];
    for (message, wire) in expected {
        assert_eq!(serde_json::to_value(&message).unwrap(), wire);
        assert_eq!(serde_json::from_value::<LobbyMessage>(wire).unwrap(), message);
    }
}

//! What comes twice with one key is done once.

use std::time::Duration;

use arena::{Error, NewRoom, RequestKey, Why};
use futures_util::future::join_all;
use games::Kind::Pong;

use crate::support::{both, refused};

fn key(name: &str, request: &str) -> RequestKey {
    RequestKey::new(name, request).unwrap()
}

fn room() -> NewRoom {
    NewRoom { game: Pong, options: None, private: false }
}

both! {
    async fn the_same_key_gives_the_same_answer(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let arena = &test.arena;
        let (one, other) = (key("k1", "a room"), key("k1", "another room"));
        let first = arena.once(ann.id, Some(&one), arena.open_room(ann.id, room())).await.unwrap();
        assert!(first["code"].is_string());
        let again = arena.once(ann.id, Some(&one), arena.open_room(ann.id, room())).await.unwrap();
        assert_eq!(again, first);
        let reused = arena.once(ann.id, Some(&other), arena.open_room(ann.id, room())).await;
        let reused = refused(reused);
        assert_eq!((reused.why, reused.code), (Why::Invalid, "idempotency_key_reused"));
        // A key is its sender's own; without one, everything is done.
        let bobs = arena.once(bob.id, Some(&one), arena.open_room(bob.id, room())).await.unwrap();
        assert_ne!(bobs["code"], first["code"]);
        let plain = arena.once(ann.id, None, arena.open_room(ann.id, room())).await;
        assert_eq!(refused(plain).code, "in_room");
        assert_eq!(test.count("select count(*) from rooms").await, 2);
        // After a day it is forgotten.
        test.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
        let late = arena.once(ann.id, Some(&other), async { Ok(7) }).await.unwrap();
        assert_eq!(late, 7);
    }

    async fn what_was_refused_may_be_tried_again(test: &TestArena) {
        let ann = test.player("Ann").await;
        let arena = &test.arena;
        let it = key("k", "a room");
        let no = arena.once(ann.id, Some(&it), async { Err::<i32, _>(Error::not_found("no")) }).await;
        assert_eq!(refused(no).why, Why::NotFound);
        assert_eq!(arena.once(ann.id, Some(&it), async { Ok(7) }).await.unwrap(), 7);
        assert_eq!(arena.once(ann.id, Some(&it), async { Ok(8) }).await.unwrap(), 7);
    }

    async fn at_once_it_is_done_once(test: &TestArena) {
        let ann = test.player("Ann").await;
        let arena = &test.arena;
        let it = key("k", "a room");
        let asked =
            (0..8).map(|_| arena.once(ann.id, Some(&it), arena.open_room(ann.id, room())));
        let answers = join_all(asked).await;
        let codes: Vec<_> = answers.iter().flatten().map(|it| it["code"].clone()).collect();
        assert!(!codes.is_empty() && codes.iter().all(|it| *it == codes[0]), "{answers:?}");
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_eq!(refused(answer).code, "request_in_progress");
        }
        assert_eq!(test.count("select count(*) from rooms").await, 1);
    }
}

#[test]
fn keys_are_plain() {
    for name in ["", "a b", "ключ", "a\n", &"k".repeat(256)] {
        let wrong = refused(RequestKey::new(name, ""));
        assert_eq!(wrong.fields[0].field, "Idempotency-Key", "{name:?}");
    }
    RequestKey::new("6f1c0a5e-7d1b-4a6c-9a57-4c2a1f0e9b11", "").unwrap();
}

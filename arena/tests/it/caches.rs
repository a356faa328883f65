//! Caches: what is kept is what there is, in the process on SQLite, and through Redis on PostgreSQL
//! where there is one.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use arena::{Arena, Options, Secret, Shun, UserId};
use games::Kind::Pong;

use crate::{
    room_matches::play,
    rooms::room,
    support::{TestArena, both, refused, until, var},
    wire::Wire,
};

/// Changes somebody's rating behind the arena's back, which it sees in no other way.
async fn rate(test: &TestArena, user: UserId, rating: u32) {
    test.sql(format!("update ratings set rating = {rating} where user_id = {}", user.0)).await;
}

async fn stats_of(arena: &Arena, user: UserId) -> i64 {
    arena.stats(user).await.unwrap().games[0].rating
}

async fn top_of(arena: &Arena) -> Vec<(String, i64)> {
    let top = arena.top(Pong).await.unwrap();
    top.items.into_iter().map(|it| (it.user.display_name, it.rating)).collect()
}

/// Waits until the arena keeps something: `read` shows the same after `change`.
async fn kept<T: PartialEq>(read: impl AsyncFn() -> T, change: impl AsyncFn(u32)) {
    let round = AtomicU32::new(0);
    until("it is kept", async || {
        let before = read().await;
        change(round.fetch_add(1, Ordering::Relaxed)).await;
        read().await == before
    })
    .await;
}

both! {
    async fn a_leaderboard_and_statistics_are_kept_until_a_match_is_settled(test: &TestArena) {
        let arena = &test.arena;
        let [(ann, as_ann), (bob, as_bob), (eve, _)] = [
            test.player_of(arena, "Ann").await,
            test.player_of(arena, "Bob").await,
            test.player_of(arena, "Eve").await,
        ];
        for user in [&ann, &bob, &eve] {
            test.rate(user.id, 1700.0, 60.0).await;
        }
        let change = async |round| rate(test, eve.id, 1900 + round).await;
        kept(async || top_of(arena).await, change).await;
        let change = async |round| rate(test, bob.id, 1600 - round).await;
        kept(async || stats_of(arena, bob.id).await, change).await;
        kept(async || stats_of(arena, eve.id).await, async |round| {
            rate(test, eve.id, 2000 + round).await;
        }).await;
        let eves = stats_of(arena, eve.id).await;
        rate(test, eve.id, 2400).await;
        rate(test, ann.id, 1700).await;
        rate(test, bob.id, 1700).await;

        let code = arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, &code).await.unwrap();
        arena.ready_in_room(bob.id, &code, true).await.unwrap();
        let id = arena.start_room(ann.id, &code).await.unwrap().room.match_id.unwrap();
        play(arena, [&as_ann, &as_bob], id).await;
        let bobs = arena.stats(bob.id).await.unwrap().games.remove(0);
        assert!(bobs.rating > 1700 && bobs.wins == 4, "{bobs:?}");
        let anns = arena.stats(ann.id).await.unwrap().games.remove(0);
        assert!(anns.rating < 1700 && anns.losses == 3, "{anns:?}");
        let names = ["Eve", "Bob", "Ann"].map(str::to_owned);
        let expected: Vec<_> = names.into_iter().zip([2400, bobs.rating, anns.rating]).collect();
        assert_eq!(top_of(arena).await, expected);
        // Who did not play is where they were.
        assert_eq!(stats_of(arena, eve.id).await, eves);
    }

    async fn who_is_called_otherwise_is_so_at_once(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        test.rate(ann.id, 1700.0, 60.0).await;
        let code = arena.open_room(ann.id, room()).await.unwrap().room.code;
        arena.join_room(bob.id, &code).await.unwrap();
        let change = async |round| rate(test, ann.id, 1800 + round).await;
        kept(async || top_of(arena).await, change).await;
        let name = async || {
            arena.room(bob.id, &code).await.unwrap().room.members[0].user.display_name.clone()
        };
        assert_eq!(name().await, "Ann");
        for called in ["Anna", "Annika"] {
            arena.update_me(ann.id, None, Some(called.to_owned())).await.unwrap();
            assert_eq!(top_of(arena).await[0].0, called);
            assert_eq!(name().await, called);
            assert_eq!(name().await, called);
        }
    }

    async fn a_room_is_as_it_is_and_who_may_see_it_is_never_kept(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let eve = test.player("Eve").await;
        let code = arena.open_room(ann.id, room()).await.unwrap().room.code;
        let seen = async |by: UserId| arena.room(by, &code).await.unwrap();
        let change = async |round| {
            let id = ann.id.0;
            test.sql(format!("update users set display_name = 'Nan {round}' where id = {id}")).await;
        };
        kept(async || seen(bob.id).await.room.members, change).await;

        arena.join_room(bob.id, &code).await.unwrap();
        assert_eq!(seen(eve.id).await.room.members.len(), 2);
        arena.say_in_room(bob.id, &code, "hello").await.unwrap();
        assert_eq!((seen(ann.id).await.chat.len(), seen(eve.id).await.chat.len()), (1, 0));
        assert_eq!(arena.room_of(bob.id).await.unwrap().unwrap(), seen(eve.id).await.room);
        arena.kick_from_room(ann.id, &code, bob.id).await.unwrap();
        let left = seen(bob.id).await;
        assert_eq!((left.room.members.len(), left.chat.len()), (1, 0));
        assert_eq!(arena.room_of(bob.id).await.unwrap(), None);
        arena.shun(ann.id, eve.id, Shun::Block).await.unwrap();
        assert_eq!(refused(arena.room(eve.id, &code).await).code, "room_not_found");
        seen(bob.id).await;
        arena.leave_room(ann.id, &code).await.unwrap();
        assert_eq!(refused(arena.room(bob.id, &code).await).code, "room_not_found");
    }

    async fn who_is_nobody_is_not_kept_as_nobody(test: &TestArena) {
        let ann = test.player("Ann").await;
        assert!(test.arena.stats(ann.id).await.unwrap().games.is_empty());
        refused(test.arena.stats(UserId(7)).await);
        refused(test.arena.stats(UserId(7)).await);
        test.rate(ann.id, 1700.0, 60.0).await;
        assert_eq!(stats_of(&test.arena, ann.id).await, 1700);
    }
}

#[tokio::test]
async fn what_is_kept_is_kept_for_its_term() {
    let test = TestArena::sqlite().await;
    let ann = test.player("Ann").await;
    test.rate(ann.id, 1700.0, 60.0).await;
    let seen = async || (top_of(&test.arena).await[0].1, stats_of(&test.arena, ann.id).await);
    assert_eq!(seen().await, (1700, 1700));
    rate(&test, ann.id, 1800).await;
    test.clock.advance(Duration::from_secs(5 * 60 - 1));
    assert_eq!(seen().await, (1700, 1700));
    test.clock.advance(Duration::from_secs(1));
    assert_eq!(seen().await, (1800, 1700));
    test.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(seen().await, (1800, 1800));
    test.end().await;
}

/// What one process changes, the others do not read from a cache; also when it could not say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_do_not_read_what_another_has_changed() {
    let (Some(redis), Some(test)) = (var("ARTEL_TEST_REDIS"), TestArena::postgres().await) else {
        return;
    };
    let wire = Wire::to(&redis).await;
    let redis_url = Some(Secret::new(&wire.url));
    let options = Options { redis_url, ..test.options.clone() };
    let (here, there) = (&test.arena, Arena::open(options, test.clock.clone()).await.unwrap());
    let ann = test.player("Ann").await;
    test.rate(ann.id, 1700.0, 60.0).await;
    let change = async |round| rate(&test, ann.id, 1800 + round).await;
    kept(async || top_of(here).await, change).await;
    kept(async || top_of(&there).await, async |round| rate(&test, ann.id, 1900 + round).await)
        .await;
    there.update_me(ann.id, None, Some("Anna".into())).await.unwrap();
    assert_eq!(top_of(here).await[0].0, "Anna");
    here.update_me(ann.id, None, Some("Annika".into())).await.unwrap();
    assert_eq!(top_of(&there).await[0].0, "Annika");

    for (go_away, name) in [(Wire::cut as fn(&Wire), "Nan"), (Wire::hold, "Nancy")] {
        top_of(here).await;
        go_away(&wire);
        there.update_me(ann.id, None, Some(name.into())).await.unwrap();
        // By itself it knows, and the other learns as soon as that can be said.
        assert_eq!(top_of(&there).await[0].0, name);
        wire.mend();
        until("it is told", async || top_of(here).await[0].0 == name).await;
        kept(async || top_of(&there).await, async |round| rate(&test, ann.id, 2000 + round).await)
            .await;
    }
    there.close().await;
    test.end().await;
}

//! Caches: what is kept is what there is, in the process on SQLite, and through Redis on PostgreSQL
//! where there is one.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use arena::{Arena, CardPlace, GroupPlayer, Joined, Language, NewCard, Shun, UserId};
use games::Kind::Pong;
use redis::AsyncTypedCommands;

use crate::{
    rooms::room,
    support::{TestArena, both, refused, until},
    table::play,
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

    async fn the_best_of_a_chat_are_kept_until_one_of_its_matches_is_settled(test: &TestArena) {
        let arena = &test.arena;
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(arena, "Ann").await, test.player_of(arena, "Bob").await];
        let match_in = async |chat: i64, origin: &str| {
            let card = NewCard {
                game: Pong,
                place: CardPlace::Chat { chat, thread: None },
                origin: origin.to_owned(),
                language: Language::En,
                invited: None,
            };
            let card = arena.open_card(ann.id, card).await.unwrap();
            let Joined::Started(id) = arena.join_card(bob.id, None, card).await.unwrap() else {
                panic!("it has not begun");
            };
            play(arena, [&as_ann, &as_bob], id).await;
        };
        let best = async |chat: i64| {
            let best = arena.group_top(chat, Pong).await.unwrap();
            let shown = |it: GroupPlayer| (it.user.display_name, it.games);
            best.into_iter().map(shown).collect::<Vec<_>>()
        };
        let kept_of = async |chat: i64| {
            kept(async || best(chat).await, async |round| {
                let id = bob.id.0;
                let sql = format!("update users set display_name = 'Nob {round}' where id = {id}");
                test.sql(sql).await;
            })
            .await;
        };
        let games = async |chat: i64| {
            let best = best(chat).await;
            best.iter().map(|it| it.1).collect::<Vec<_>>()
        };
        match_in(-1, "one").await;
        kept_of(-1).await;
        assert_eq!(games(-1).await, [1, 1]);
        match_in(-1, "two").await;
        assert_eq!((games(-1).await, games(-2).await), (vec![2, 2], vec![]));
        // What was played in a group is also what was played in the supergroup that it became.
        match_in(-2, "three").await;
        kept_of(-2).await;
        arena.chat_moved(-1, -2).await.unwrap();
        assert_eq!(games(-2).await, [3, 3]);
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
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let wire = Wire::to(&redis).await;
    let (here, there) = (&test.arena, test.another_by(&wire.url).await);
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

/// A process that leaves and can't say what it has changed is taken for dead, which tells it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_with_a_debt_has_it_paid() {
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let wire = Wire::to(&redis).await;
    let (here, there) = (&test.arena, test.another_by(&wire.url).await);
    let ann = test.player("Ann").await;
    test.rate(ann.id, 1700.0, 60.0).await;
    kept(async || top_of(here).await, async |round| rate(&test, ann.id, 1800 + round).await).await;
    wire.cut();
    there.update_me(ann.id, None, Some("Anna".into())).await.unwrap();
    there.close().await;
    until("it is told", async || top_of(here).await[0].0 == "Anna").await;
    test.end().await;
}

/// A Redis that ends may begin again with what it had when it was last saved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_away_is_not_believed() {
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let wire = Wire::to(&redis).await;
    let there = test.another_by(&wire.url).await;
    let ann = test.player("Ann").await;
    test.rate(ann.id, 1700.0, 60.0).await;
    kept(async || top_of(&there).await, async |round| rate(&test, ann.id, 1800 + round).await)
        .await;

    let client = redis::Client::open(redis).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (mut slot, id) = (None, ann.id.to_string());
    for key in connection.keys("artel:*:cache:*:top:pong").await.unwrap() {
        let value = connection.hget(&key, "value").await.unwrap();
        if value.is_some_and(|it| it.contains(&id)) {
            slot = Some(key);
        }
    }
    let slot = slot.expect("nothing is kept");
    let mut dump = redis::cmd("DUMP");
    let saved: Vec<u8> = dump.arg(&slot).query_async(&mut connection).await.unwrap();
    there.update_me(ann.id, None, Some("Anna".into())).await.unwrap();
    assert_eq!(top_of(&there).await[0].0, "Anna");
    let mut restore = redis::cmd("RESTORE");
    restore.arg(slot).arg(0).arg(saved).arg("REPLACE");
    restore.query_async::<()>(&mut connection).await.unwrap();
    assert_eq!(top_of(&there).await[0].0, "Ann", "what was saved is not what was kept");
    wire.cut();
    wire.mend();
    kept(async || top_of(&there).await, async |round| rate(&test, ann.id, 1900 + round).await)
        .await;
    assert_eq!(top_of(&there).await[0].0, "Anna");
    there.close().await;
    test.end().await;
}

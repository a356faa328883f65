//! Limits: in the process on SQLite, and through Redis on PostgreSQL where there is one.

use std::time::{Duration, Instant};

use arena::{Arena, Quota, Use};
use futures_util::{StreamExt, future::join_all, stream};
use redis::AsyncTypedCommands;

use crate::{
    support::{TestArena, both, until},
    wire::Wire,
};

/// No test takes so long that one more use comes free.
const SLOW: Quota = Quota::new("slow", 10, 600_000);

/// How many of so many uses at once are let through.
async fn let_through(arena: &Arena, one_use: Use, times: usize) -> usize {
    let uses = [one_use];
    let taken = join_all((0..times).map(|_| arena.take(&uses))).await;
    taken.iter().filter(|it| it.is_ok()).count()
}

both! {
    async fn so_many_at_once_and_no_more(test: &TestArena) {
        let (arena, ann) = (&test.arena, test.arena.one_use(SLOW, "ann"));
        assert_eq!(let_through(arena, ann, 100).await, 10);
        let limited = arena.take(&[ann]).await.unwrap_err();
        assert_eq!(limited.quota, "slow");
        let wait = limited.retry_after;
        assert!(wait <= SLOW.pause && wait > SLOW.pause - Duration::from_secs(60), "{wait:?}");
        // Each has a bucket of their own, and for each quota another.
        assert_eq!(let_through(arena, arena.one_use(SLOW, "bob"), 11).await, 10);
        let other = Quota { name: "slow_too", ..SLOW };
        assert_eq!(let_through(arena, arena.one_use(other, "ann"), 11).await, 10);
    }

    async fn a_use_comes_free_after_a_pause(test: &TestArena) {
        let (arena, begun) = (&test.arena, Instant::now());
        let quick = arena.one_use(Quota::new("quick", 2, 150), "ann");
        assert_eq!(arena.take(&[quick]).await, Ok(()));
        assert_eq!(arena.take(&[quick]).await, Ok(()));
        until("a use is free", async || arena.take(&[quick]).await.is_ok()).await;
        assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
        until("another is free", async || arena.take(&[quick]).await.is_ok()).await;
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    }

    async fn all_or_none_are_taken(test: &TestArena) {
        let arena = &test.arena;
        let one = arena.one_use(Quota { name: "one", burst: 1, ..SLOW }, "ann");
        let ten = arena.one_use(SLOW, "ann");
        assert_eq!(arena.take(&[]).await, Ok(()));
        assert_eq!(arena.take(&[ten, one]).await, Ok(()));
        for _ in 0..20 {
            assert_eq!(arena.take(&[ten, one]).await.unwrap_err().quota, "one");
        }
        assert_eq!(let_through(arena, ten, 20).await, 9);
        // The first that is too many is named.
        assert_eq!(arena.take(&[ten, one]).await.unwrap_err().quota, "slow");
    }

    async fn what_is_given_back_costs_nothing(test: &TestArena) {
        let (arena, ann) = (&test.arena, test.arena.one_use(SLOW, "ann"));
        for _ in 0..50 {
            assert_eq!(arena.take(&[ann]).await, Ok(()));
            arena.give_back(&[ann]).await;
        }
        // While they are not given back they count.
        assert_eq!(let_through(arena, ann, 30).await, 10);
        arena.give_back(&[ann]).await;
        assert_eq!(let_through(arena, ann, 30).await, 1);
        // Nobody has more by giving back what they have not taken.
        let bob = arena.one_use(SLOW, "bob");
        arena.take(&[bob]).await.unwrap();
        for _ in 0..5 {
            arena.give_back(&[bob]).await;
        }
        assert_eq!(let_through(arena, bob, 30).await, 10);
    }
}

/// A thousand requests at three processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_count_together() {
    let Some((test, _)) = TestArena::with_redis().await else { return };
    let processes = [&test.arena, &test.another().await, &test.another().await];
    let quota = Quota::new("together", 100, 5);
    let begun = Instant::now();
    let asks = (0..1000).map(|n| {
        let arena = processes[n % 3];
        let (ann, other) =
            (arena.one_use(quota, "ann"), arena.one_use(quota, &format!("other {}", n % 20)));
        async move {
            let answer = arena.take(&[ann]).await;
            // Each of the others asks 50 times.
            assert_eq!(arena.take(&[other]).await, Ok(()));
            answer
        }
    });
    let answers: Vec<_> = stream::iter(asks).buffer_unordered(100).collect().await;
    let most = (100.0 + begun.elapsed().as_secs_f64() / 0.005) * 1.1;
    let allowed = answers.iter().filter(|it| it.is_ok()).count();
    assert!(allowed >= 100 && allowed as f64 <= most, "{allowed}, and at most {most}");
    assert!(answers.iter().filter_map(|it| it.err()).all(|it| it.retry_after <= quota.pause));
    for arena in &processes[1..] {
        arena.close().await;
    }
    test.end().await;
}

/// While Redis is away, or does not answer in time, a process counts by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_a_process_counts_by_itself() {
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let wire = Wire::to(&redis).await;
    let there = test.another_by(&wire.url).await;
    for (round, go_away) in [Wire::cut, Wire::hold].into_iter().enumerate() {
        let whose = format!("ann {round}");
        let ann = there.one_use(SLOW, &whose);
        assert_eq!(let_through(&test.arena, ann, 7).await, 7);
        assert_eq!(let_through(&there, ann, 3).await, 3);
        go_away(&wire);
        let begun = Instant::now();
        // Neither is everything let through, nor nothing; nor does each of them wait.
        assert_eq!(let_through(&there, ann, 100).await, 10);
        for _ in 0..20 {
            there.take(&[ann]).await.unwrap_err();
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        wire.mend();
        let mut tries = 0;
        until("they count together again", async || {
            tries += 1;
            let kim = there.one_use(SLOW, &format!("kim {round} {tries}"));
            let_through(&there, kim, 10).await == 10 && test.arena.take(&[kim]).await.is_err()
        })
        .await;
    }
    there.close().await;
    test.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_be_read_in_redis() {
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let quota = Quota::new("unreadable", 10, 1_000);
    let (arena, typed) = (&test.arena, "ann.baker@artel.example");
    arena.take(&[arena.one_use(quota, typed), arena.one_use(quota, "203.0.113.7")]).await.unwrap();
    let client = redis::Client::open(redis).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys = connection.keys("artel:*:limit:unreadable:*").await.unwrap();
    assert!(keys.len() >= 2, "{keys:?}");
    for key in keys {
        let bucket = key.rsplit(':').next().unwrap();
        assert_eq!(bucket.len(), 22, "{key}");
        assert!(!key.contains("ann") && !key.contains("203.0.113"), "{key}");
        // And they go by themselves: gone already, or soon.
        let left = connection.pttl(&key).await.unwrap().raw();
        assert!((-2..=1000).contains(&left) && left != -1, "{key}: {left}");
    }
    test.end().await;
}

//! The same for both: in this process, and over a real Redis.

use std::{env, future::pending, time::Duration};

use redis::{AsyncTypedCommands, Client, aio::ConnectionManager};
use tokio::time::timeout;

use super::*;

const NOW: Millis = 1_790_000_000_000;
const TOP: Cached = Cached::Top(Kind::Pong);

/// Writes a test twice: with a cache of its own, and with one in Redis, which needs
/// `ARTEL_TEST_REDIS`.
macro_rules! both {
    ($(async fn $name:ident($cache:ident: &Cache) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn check($cache: &Cache) $body

            #[tokio::test]
            async fn own() {
                check(&Cache::new(None)).await;
            }

            #[tokio::test]
            async fn shared() {
                let Some(redis) = redis().await else { return };
                let cache = Cache::new(Some(Arc::new(redis)));
                cache.pay().await;
                check(&cache).await;
            }
        }
    )*};
}

/// A part of Redis that nobody else has.
async fn redis() -> Option<Shared> {
    Some(Shared::new(connection().await?))
}

async fn connection() -> Option<(ConnectionManager, String)> {
    let Ok(url) = env::var("ARTEL_TEST_REDIS") else {
        #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
        {
            eprintln!("ARTEL_TEST_REDIS is not set: skipped what needs it");
        }
        return None;
    };
    let client = Client::open(url).unwrap();
    let connection = ConnectionManager::new(client).await.unwrap();
    Some((connection, format!("artel-test:{:016x}", any_number())))
}

/// What `cache` has, or else `fresh`.
async fn get(cache: &Cache, what: Cached, now: Millis, fresh: i64) -> i64 {
    cache.get(what, now, |_| true, async { Ok(fresh) }).await.unwrap()
}

both! {
    async fn what_was_read_once_is_kept(cache: &Cache) {
        assert_eq!(get(cache, TOP, NOW, 1).await, 1);
        assert_eq!(get(cache, TOP, NOW, 2).await, 1);
        // Each has a slot of its own.
        assert_eq!(get(cache, Cached::Top(Kind::Kolkhoz), NOW, 3).await, 3);
        assert_eq!(get(cache, Cached::GroupTop(-1, Kind::Pong), NOW, 4).await, 4);
        assert_eq!(get(cache, Cached::GroupTop(-2, Kind::Pong), NOW, 5).await, 5);
        assert_eq!(get(cache, Cached::Stats(UserId(1)), NOW, 6).await, 6);
        assert_eq!(get(cache, Cached::Room(RoomId(1)), NOW, 7).await, 7);
        assert_eq!(get(cache, TOP, NOW, 8).await, 1);
    }

    async fn what_has_changed_is_read_again(cache: &Cache) {
        let (one, two) = (Cached::Stats(UserId(1)), Cached::Stats(UserId(2)));
        for what in [one, two, TOP] {
            get(cache, what, NOW, 1).await;
        }
        cache.forget(&[one, TOP]).await;
        assert_eq!(get(cache, one, NOW, 2).await, 2);
        assert_eq!(get(cache, TOP, NOW, 2).await, 2);
        assert_eq!(get(cache, two, NOW, 2).await, 1);
    }

    async fn what_was_read_before_a_change_is_not_stored_after_it(cache: &Cache) {
        let slow = cache.get(TOP, NOW, |_| true, async {
            // Read by now; and it changes before it is stored.
            cache.forget(&[TOP]).await;
            Ok(1)
        });
        assert_eq!(slow.await.unwrap(), 1);
        assert_eq!(get(cache, TOP, NOW, 2).await, 2);

        // Also when others have read it since.
        cache.forget(&[TOP]).await;
        let slow = cache.get(TOP, NOW, |_| true, async {
            cache.forget(&[TOP]).await;
            assert_eq!(get(cache, TOP, NOW, 4).await, 4);
            Ok(3)
        });
        assert_eq!(slow.await.unwrap(), 3);
        assert_eq!(get(cache, TOP, NOW, 5).await, 4);
    }

    async fn what_is_not_good_is_neither_kept_nor_used(cache: &Cache) {
        let at_least = async |least: i64, fresh: i64| {
            cache.get(TOP, NOW, |it| *it >= least, async { Ok(fresh) }).await.unwrap()
        };
        assert_eq!(at_least(5, 4).await, 4);
        assert_eq!(at_least(5, 6).await, 6);
        assert_eq!(at_least(5, 7).await, 6);
        assert_eq!(at_least(7, 8).await, 8);
        assert_eq!(at_least(5, 9).await, 8);
    }

    async fn what_can_not_be_read_is_not_kept(cache: &Cache) {
        let failed = async { Err(crate::Error::not_found("not here")) };
        assert!(cache.get::<i64>(TOP, NOW, |_| true, failed).await.is_err());
        assert_eq!(get(cache, TOP, NOW, 1).await, 1);
        // What another version kept, and this one can't read, is read again.
        let other = cache.get(TOP, NOW, |_| true, async { Ok("text".to_owned()) });
        assert_eq!(other.await.unwrap(), "text");
        assert_eq!(get(cache, TOP, NOW, 3).await, 3);
    }

    async fn what_is_too_long_is_not_kept(cache: &Cache) {
        let long = "a".repeat(BYTES_MAX);
        let read = cache.get(TOP, NOW, |_| true, async { Ok(long.clone()) }).await.unwrap();
        assert_eq!(read, long);
        let read = cache.get(TOP, NOW, |_| true, async { Ok(String::new()) }).await.unwrap();
        assert_eq!(read, "");
    }

    async fn a_reader_who_goes_away_leaves_nothing_behind(cache: &Cache) {
        let gone = cache.get::<i64>(TOP, NOW, |_| true, pending());
        assert!(timeout(Duration::from_millis(20), gone).await.is_err());
        assert_eq!(get(cache, TOP, NOW, 1).await, 1);
        assert_eq!(get(cache, TOP, NOW, 2).await, 1);
    }
}

#[tokio::test]
async fn what_is_kept_here_has_its_term() {
    let cache = Cache::new(None);
    for (what, life) in [
        (TOP, 5 * 60_000),
        (Cached::GroupTop(-1, Kind::Pong), 5 * 60_000),
        (Cached::Stats(UserId(1)), 10 * 60_000),
        (Cached::Room(RoomId(1)), 2 * 60 * 60_000),
    ] {
        get(&cache, what, NOW, 1).await;
        assert_eq!(get(&cache, what, NOW + life - 1, 2).await, 1, "{what:?}");
        assert_eq!(get(&cache, what, NOW + life, 3).await, 3, "{what:?}");
        // A clock that is set back makes nothing live on.
        assert_eq!(get(&cache, what, NOW, 4).await, 4, "{what:?}");
    }
}

#[tokio::test]
async fn what_is_kept_in_redis_has_its_term() {
    let Some((mut connection, prefix)) = connection().await else { return };
    let cache = Cache::new(Some(Arc::new(Shared::new((connection.clone(), prefix.clone())))));
    cache.pay().await;
    for what in [TOP, Cached::Stats(UserId(1)), Cached::Room(RoomId(1))] {
        get(&cache, what, NOW, 1).await;
    }
    let keys = connection.keys(format!("{prefix}:*")).await.unwrap();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in keys.iter().filter(|it| !it.ends_with(":epoch")) {
        let left = connection.pttl(key).await.unwrap().raw();
        let life = match key.split(':').rev().nth(1).unwrap() {
            "top" => 5 * 60_000,
            "stats" => 10 * 60_000,
            "room" => 2 * 60 * 60_000,
            _ => panic!("{key}"),
        };
        assert!((life - 10_000..=life).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn a_process_keeps_so_many_and_no_more() {
    let cache = Cache::new(None);
    let Cache::Own(slots) = &cache else { panic!("not its own") };
    let last = SLOTS_MAX as i64 + 99;
    for n in 0..=last {
        get(&cache, Cached::Stats(UserId(n)), NOW + n, n).await;
    }
    assert_eq!(lock(slots).slots.len(), SLOTS_MAX);
    assert_eq!(get(&cache, Cached::Stats(UserId(last)), NOW + last, -1).await, last);
    assert_eq!(get(&cache, Cached::Stats(UserId(0)), NOW + last, -1).await, -1);
}

/// Two processes, and a third that dies owing.
#[tokio::test]
async fn processes_keep_together() {
    let Some((connection, prefix)) = connection().await else { return };
    let open = || Shared::new((connection.clone(), prefix.clone()));
    let [one, two] = [(); 2].map(|()| Cache::new(Some(Arc::new(open()))));
    one.pay().await;
    two.pay().await;
    assert_eq!(get(&one, TOP, NOW, 1).await, 1);
    assert_eq!(get(&two, TOP, NOW, 2).await, 1);
    two.forget(&[TOP]).await;
    assert_eq!(get(&one, TOP, NOW, 3).await, 3);

    // Until it has emptied what its forerunner may have left, a new process reads by itself.
    let three = Cache::new(Some(Arc::new(open())));
    assert_eq!(get(&three, TOP, NOW, 4).await, 4);
    assert_eq!(get(&one, TOP, NOW, 5).await, 3);
    three.pay().await;
    assert_eq!(get(&one, TOP, NOW, 6).await, 6);
    assert_eq!(get(&three, TOP, NOW, 7).await, 6);
    // It pays once.
    three.pay().await;
    assert_eq!(get(&one, TOP, NOW, 8).await, 6);
}

#[tokio::test]
async fn what_is_stored_into_an_emptied_cache_is_not_used() {
    let Some((connection, prefix)) = connection().await else { return };
    let open = || Shared::new((connection.clone(), prefix.clone()));
    let [one, two] = [(); 2].map(|()| Cache::new(Some(Arc::new(open()))));
    one.pay().await;
    let slow = one.get(TOP, NOW, |_| true, async {
        two.pay().await;
        Ok(1)
    });
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!(get(&one, TOP, NOW, 2).await, 2);
}

/// Without Redis nothing is kept, and what was changed meanwhile is not read when it is back.
#[tokio::test]
async fn who_can_not_tell_a_change_owes_it() {
    let Some((connection, prefix)) = connection().await else { return };
    let there = Cache::new(Some(Arc::new(Shared::new((connection.clone(), prefix.clone())))));
    there.pay().await;
    assert_eq!(get(&there, TOP, NOW, 1).await, 1);
    // Nobody listens at this port.
    let nowhere = Client::open("redis://127.0.0.1:1").unwrap();
    let nowhere = ConnectionManager::new_lazy_with_config(nowhere, Default::default()).unwrap();
    let here = Cache::new(Some(Arc::new(Shared::new((nowhere, prefix.clone())))));
    let Cache::Shared { debts, .. } = &here else { panic!("its own") };
    debts.store(0, Ordering::SeqCst);
    assert_eq!(get(&here, TOP, NOW, 2).await, 2);
    here.forget(&[TOP]).await;
    assert_eq!(debts.load(Ordering::SeqCst), 1);
    here.pay().await;
    assert_eq!(debts.load(Ordering::SeqCst), 1);
    assert_eq!(get(&here, TOP, NOW, 3).await, 3);
}

#[test]
fn every_cache_has_a_name() {
    let all =
        [TOP, Cached::GroupTop(-1, Kind::Pong), Cached::Stats(UserId(1)), Cached::Room(RoomId(1))];
    assert_eq!(all.map(Cached::name), NAMES);
}

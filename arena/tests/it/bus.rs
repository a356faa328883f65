//! The bus between processes, over a real Redis.

use std::time::Duration;

use arena::{Arena, LobbyMessage, Options, Pass, Place, QueueUpdate, Secret, User, Why};
use games::Kind::Pong;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    support::{TestArena, heard, refused, until},
    wire::Wire,
};

fn says_waiting(message: &LobbyMessage) -> bool {
    matches!(
        message,
        LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place: Place::Waiting { .. } })
    )
}

/// Joins and leaves at `from` until a page of the same person at `to` hears that they wait, so soon
/// that it can have heard so from the bus only.
async fn check_heard(from: &Arena, user: &User, to: &Arena) {
    let mut page = to.lobby_join(user.id).await.unwrap();
    until("the news come through", async || {
        from.queue_join(user.id, Pong, None).await.is_ok() && {
            let wait = async { while !says_waiting(&heard(&mut page).await) {} };
            let heard = timeout(Duration::from_millis(200), wait).await.is_ok();
            from.queue_leave(user.id, Pong).await.unwrap();
            heard
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_hear_each_other() {
    let Some((test, _)) = TestArena::with_redis().await else { return };
    let there = test.another().await;
    test.arena.ready().await.unwrap();
    let ann = test.player("Ann").await;
    check_heard(&test.arena, &ann, &there).await;
    there.close().await;
    test.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_redis_is_found_again() {
    let Some((test, redis)) = TestArena::with_redis().await else { return };
    let wire = Wire::to(&redis).await;
    let there = test.another_by(&wire.url).await;
    let ann = test.player("Ann").await;
    check_heard(&test.arena, &ann, &there).await;
    wire.cut();
    wire.mend();
    check_heard(&test.arena, &ann, &there).await;
    until("it is ready again", async || there.ready().await.is_ok()).await;
    there.close().await;
    test.end().await;
}

/// A ticket that one process gave opens one socket, at whichever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_good_at_any_process_once() {
    let Some((test, _)) = TestArena::with_redis().await else { return };
    let there = test.another().await;
    let (_, by) = test.player_of(&test.arena, "Ann").await;
    let ticket = test.arena.issue_ticket(&by).await.unwrap().ticket;
    assert_eq!(there.redeem_ticket(&ticket).await.unwrap(), Pass::Member(by));
    for arena in [&test.arena, &there] {
        assert_eq!(refused(arena.redeem_ticket(&ticket).await).code, "ticket_invalid");
    }
    there.close().await;
    test.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_an_arena_serves_but_makes_no_matches() {
    let Some((test, _)) = TestArena::with_redis().await else { return };
    // A port that nobody listens at, and stays so because it is ours.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let arena = test.another_by(&format!("redis://{address}")).await;
    let not_ready = refused(arena.ready().await);
    assert_eq!((not_ready.why, not_ready.code), (Why::Unavailable, "unavailable"));
    assert!(!not_ready.detail.contains(&address.to_string()));
    let (ann, by) = test.player_of(&arena, "Ann").await;
    let _page = arena.lobby_join(ann.id).await.unwrap();
    let ticket = arena.issue_ticket(&by).await.unwrap().ticket;
    assert_eq!(arena.redeem_ticket(&ticket).await.unwrap(), Pass::Member(by));
    let waits = refused(arena.queue_join(ann.id, Pong, None).await);
    assert_eq!((waits.why, waits.code), (Why::Unavailable, "unavailable"));
    assert!(waits.retry_after.is_some());
    arena.close().await;
    test.end().await;
}

#[tokio::test]
async fn redis_beside_sqlite_is_refused() {
    let test = TestArena::sqlite().await;
    let redis_url = Some(Secret::new("redis://127.0.0.1:1"));
    let options = Options { redis_url, ..test.options.clone() };
    let refusal = Arena::open(options, test.clock.clone()).await.err().unwrap().to_string();
    assert!(refusal.contains("REDIS_URL") && refusal.contains("SQLite"), "{refusal}");
    test.end().await;
}

#[tokio::test]
async fn a_sqlite_file_has_one_process() {
    let test = TestArena::sqlite().await;
    let second = || Arena::open(test.options.clone(), test.clock.clone());
    let refusal = second().await.err().unwrap().to_string();
    assert!(refusal.contains("another process"), "{refusal}");
    // Nor by another name.
    let file = test.options.database_url.strip_prefix("sqlite://").unwrap();
    let link = format!("{file}-by-another-name");
    std::os::unix::fs::symlink(file, &link).unwrap();
    let options = Options { database_url: format!("sqlite://{link}"), ..test.options.clone() };
    let refusal = Arena::open(options, test.clock.clone()).await.err().unwrap().to_string();
    assert!(refusal.contains("another process"), "{refusal}");
    test.arena.close().await;
    second().await.unwrap().close().await;
    test.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_redis_has_one_process() {
    let Some(test) = TestArena::postgres().await else { return };
    let alone = Options { redis_url: None, ..test.options.clone() };
    let second = || Arena::open(alone.clone(), test.clock.clone());
    let refusal = second().await.err().unwrap().to_string();
    assert!(refusal.contains("another process"), "{refusal}");
    test.arena.close().await;
    second().await.unwrap().close().await;
    test.end().await;
}

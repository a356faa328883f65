//! Several processes over one PostgreSQL and one Redis are one arena, while they are killed,
//! stopped and cut off. `cargo xtask chaos cluster` does the same to hundreds of matches.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{PATIENCE, cluster::Cluster};

const RESTART: u16 = 1012;
/// How long a match may be away: what is promised is 3 s, on a machine that has time.
const AWAY_MAX: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_outlive_their_processes() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [1, 2]).await;
    let id = ann.match_id.clone();
    // Each at another process, and perhaps the match at the third.
    for _ in 0..5 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }

    // Killed.
    let owner = cluster.owner(&id).await;
    sleep(Duration::from_millis(100)).await;
    let killed = Instant::now();
    cluster.kill(owner).await;
    let (one, two) = tokio::join!(ann.put_out(), bob.put_out());
    for code in [one, two] {
        assert!(matches!(code, None | Some(RESTART)), "{code:?}");
    }
    let place = cluster.other_than(&[owner]);
    let base = cluster.server(place).base.clone();
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    println!("Back {} ms after the kill", killed.elapsed().as_millis());
    assert!(killed.elapsed() < AWAY_MAX, "away for {:?}", killed.elapsed());
    ann.moves_before(&mut bob).await;
    cluster.run(owner).await;

    // Stopped for so long that others take over: whoever goes on hears nothing of it here.
    let paused = cluster.owner(&id).await;
    let elsewhere = cluster.other_than(&[paused]);
    let base = cluster.server(elsewhere).base.clone();
    let stranger = cluster.server(paused).stranger();
    let ticket = stranger.post(&format!("/api/matches/{id}/watch-tickets"), json!({})).await;
    let ticket = ticket.is(200).body["ticket"].as_str().unwrap().to_owned();
    let address = format!("/ws/game/{id}?ticket={ticket}");
    let mut watcher = stranger.knock(&address, Some("http://localhost:8080")).await.unwrap();
    watcher.hear("game_state").await;
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    cluster.server(paused).signal("STOP");
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    bob.moves_before(&mut ann).await;
    // What is in its sockets' buffers was told before.
    while watcher.next_within(Duration::from_millis(200)).await.is_some() {}
    cluster.server(paused).signal("CONT");
    assert_eq!(watcher.closed_or_next().await, Err(RESTART), "a paused owner told something");
    assert_ne!(cluster.owner(&id).await, paused);
    ann.moves_before(&mut bob).await;

    // Asked to leave.
    let left = cluster.owner(&id).await;
    let elsewhere = cluster.other_than(&[left]);
    let base = cluster.server(elsewhere).base.clone();
    let asked = Instant::now();
    cluster.server(left).signal("TERM");
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    println!("Back {} ms after SIGTERM", asked.elapsed().as_millis());
    assert!(asked.elapsed() < AWAY_MAX, "away for {:?}", asked.elapsed());
    bob.moves_before(&mut ann).await;

    ann.resign().await;
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&id]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_matches_outlive_redis_and_postgres() {
    let Some(cluster) = Cluster::start().await else { return };
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [0, 0]).await;
    let id = ann.match_id.clone();
    let owner = cluster.owner(&id).await;
    let base = cluster.server(owner).base.clone();
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    let carol = cluster.server(owner).person("carol").await;
    let waits = async |path: &str| {
        let refused = async {
            loop {
                let asked = Instant::now();
                let answer = carol.post(path, json!({})).await;
                if answer.status == 503 {
                    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
                    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                    return;
                }
                answer.is(200);
                carol.post("/api/queue/pong/leave", json!({})).await;
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, refused).await.unwrap();
    };

    // Longer than a lease, which PostgreSQL keeps.
    cluster.redis.cut();
    waits("/api/queue/pong/join").await;
    carol.get("/readyz").await.refuses(503, "not_ready");
    for _ in 0..3 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }
    cluster.redis.mend();
    let ready = async {
        while carol.get("/readyz").await.status != 200 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, ready).await.unwrap();

    cluster.postgres.cut();
    waits("/api/queue/pong/join").await;
    let body = json!({"username": "dan", "password": "correct horse battery"});
    let answer = carol.post("/api/auth/register", body).await;
    assert!(answer.status == 503 && !answer.header("retry-after").is_empty(), "{answer:?}");
    for _ in 0..3 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }
    // The result waits until it is stored.
    ann.resign().await;
    let early = timeout(Duration::from_secs(1), bob.hear("game_over")).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(cluster.home.number("select count(*) from replays").await, 0);
    cluster.postgres.mend();
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&id]).await;
}

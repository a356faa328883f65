//! Several processes over one PostgreSQL and one Redis are one arena, while they are killed,
//! stopped and cut off. `cargo xtask chaos cluster` does the same to hundreds of matches.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    standin::Telegram,
    support::{
        PASSWORD, PATIENCE,
        cluster::{Cluster, PROCESSES},
        world::{ANN, BOB, KIM, text, variables, written},
    },
    wire::Wire,
};

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
    for player in [&ann, &bob] {
        cluster.written(player).await;
    }
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
    cluster.written(&ann).await;
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

    let refuses = async |path: &str, body: Value| {
        let answer = carol.post(path, body).await;
        answer.refuses(503, "unavailable");
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    };
    let ready = async || {
        let ready = async {
            while carol.get("/readyz").await.status != 200 {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap();
    };

    // Longer than a lease, which PostgreSQL keeps.
    cluster.redis.cut();
    waits("/api/queue/pong/join").await;
    refuses("/api/matches", json!({"game": "pong", "opponent": "computer"})).await;
    carol.get("/readyz").await.refuses(503, "not_ready");
    for _ in 0..3 {
        ann.moves_before(&mut bob).await;
        bob.moves_before(&mut ann).await;
    }
    cluster.redis.mend();
    ready().await;
    // From another process too.
    let elsewhere = cluster.server(cluster.other_than(&[owner])).base.clone();
    bob.come_back(&elsewhere).await;
    ann.moves_before(&mut bob).await;
    bob.come_back(&base).await;

    // Whether it says no, or nothing at all.
    for go_away in [Wire::hold, Wire::cut] {
        go_away(&cluster.postgres);
        waits("/api/queue/pong/join").await;
        carol.get("/readyz").await.refuses(503, "not_ready");
        refuses("/api/auth/register", json!({"username": "dan", "password": PASSWORD})).await;
        refuses("/api/auth/login", json!({"login": "carol", "password": PASSWORD})).await;
        refuses("/api/auth/refresh", json!({"refresh_token": carol.refresh_token()})).await;
        for _ in 0..3 {
            ann.moves_before(&mut bob).await;
            bob.moves_before(&mut ann).await;
        }
    }
    // The result waits until it is stored.
    ann.resign().await;
    let early = timeout(Duration::from_secs(1), bob.hear("game_over")).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(cluster.home.number("select count(*) from replays").await, 0);
    cluster.postgres.mend();
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&id]).await;
    ready().await;
    carol.post("/api/queue/pong/join", json!({})).await.is(200);
    carol.post("/api/queue/pong/leave", json!({})).await.is(204);

    // A rematch is a new match, and waits for Redis.
    ann.hear("game_over").await;
    cluster.redis.cut();
    waits("/api/queue/pong/join").await;
    for player in [&mut ann, &mut bob] {
        player.say(json!({"type": "rematch"})).await;
    }
    ann.socket.hear_that("rematch", |it| it["seats"] == json!([0, 1])).await;
    let early = timeout(Duration::from_secs(1), ann.hear("rematch")).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(cluster.home.number("select count(*) from matches").await, 1);
    cluster.redis.mend();
    for player in [&mut ann, &mut bob] {
        player.socket.hear_that("rematch", |it| it["match_id"].is_string()).await;
    }
}

/// The bots of several processes are one: one of them asks Telegram at a time, and what one that
/// died has taken is handled by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bot_asks_at_a_time() {
    let telegram = Telegram::open(false).await;
    let api = format!("http://{}", telegram.address);
    let Some(mut cluster) = Cluster::start_with(&variables(&api)).await else { return };
    telegram.update(written(ANN, ANN.id, "/start"));
    telegram.shown(Some(ANN.id), |it| text(it).contains("game arena")).await;

    // The eldest asks, and the next when it is gone.
    cluster.kill(0).await;
    telegram.update(written(BOB, BOB.id, "/fly"));
    telegram.shown(Some(BOB.id), |it| text(it).contains("I don't know this command.")).await;
    cluster.run(0).await;
    cluster.server(1).signal("TERM");

    let mut left = written(KIM, KIM.id, "/me");
    left["update_id"] = json!(9_000);
    let left = left.to_string().replace('\'', "''");
    let sql = format!(
        "insert into telegram_updates (update_id, body, taken_at, carrier)
         values (9000, '{left}', 0, 7)"
    );
    cluster.home.sql(&sql).await;
    telegram.shown(Some(KIM.id), |it| text(it).contains("No matches yet.")).await;
    assert_eq!(telegram.calls("sendmessage", 3).await.len(), 3);
    assert_eq!(telegram.conflicts(), 0);
}

/// Telegram may bring an update to any process, and to several at once: it is handled once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_at_every_process() {
    let telegram = Telegram::open(false).await;
    let api = format!("http://{}", telegram.address);
    let more = [("PUBLIC_URL", "https://artel.example"), ("ARTEL_TELEGRAM_WEBHOOK", "1")];
    let variables = [&variables(&api)[..], &more].concat();
    let Some(cluster) = Cluster::start_with(&variables).await else { return };
    let set = telegram.calls("setwebhook", PROCESSES).await;
    let secret = set[0]["secret_token"].as_str().unwrap();
    assert!(set.iter().all(|it| *it == set[0]), "{set:?}");
    for (id, who) in [(5, ANN), (6, BOB)] {
        let mut update = written(who, who.id, "/start");
        update["update_id"] = json!(id);
        let update = update.to_string();
        let brought = (0..PROCESSES).map(|index| {
            let request = cluster.server(index).stranger().request("POST", "/telegram/webhook");
            let request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
            let request = request.body(update.clone());
            async { request.send().await.unwrap().status().as_u16() }
        });
        assert_eq!(futures_util::future::join_all(brought).await, [200; PROCESSES]);
        telegram.shown(Some(who.id), |it| text(it).contains("game arena")).await;
    }
    assert_eq!(telegram.calls("sendmessage", 2).await.len(), 2);
    assert!(telegram.calls_so_far("getupdates").is_empty());
}

//! Several processes over one PostgreSQL and one Redis are one arena, while they are killed,
//! stopped and cut off. `cargo xtask chaos cluster` does the same to hundreds of matches.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    standin::Telegram,
    support::{
        Client, PASSWORD, PATIENCE,
        cluster::{Cluster, PROCESSES, Player},
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
    let process = format!("select id from processes where machine = 'm{paused}'");
    let process = cluster.home.number(&process).await;
    let connections =
        format!("select count(*) from pg_stat_activity where application_name = 'artel {process}'");
    assert!(cluster.home.number(&connections).await > 0);
    cluster.server(paused).signal("STOP");
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    bob.moves_before(&mut ann).await;
    // Nobody waits for what it has begun.
    assert_eq!(cluster.home.number(&connections).await, 0);
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

/// A match of ann and bob, who are connected where it is run; that process, and carol at it.
async fn at_its_owner(cluster: &Cluster) -> ([Player; 2], usize, Client) {
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [0, 0]).await;
    let owner = cluster.owner(&ann.match_id).await;
    let base = cluster.server(owner).base.clone();
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    ([ann, bob], owner, cluster.server(owner).person("carol").await)
}

/// A call is refused, and when to try again is said.
async fn refused(by: &Client, path: &str, body: Value) {
    let answer = by.post(path, body).await;
    answer.refuses(503, "unavailable");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
}

/// Waits until a part is missed: nobody can queue, and nobody waits for the answer.
async fn missed(by: &Client) {
    let missed = async {
        loop {
            let asked = Instant::now();
            let answer = by.post("/api/queue/pong/join", json!({})).await;
            if answer.status == 503 {
                assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                return;
            }
            answer.is(200);
            by.post("/api/queue/pong/leave", json!({})).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, missed).await.unwrap();
    by.get("/readyz").await.refuses(503, "not_ready");
}

/// Waits until all is as it was.
async fn healed(by: &Client) {
    let healed = async {
        while by.get("/readyz").await.status != 200 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, healed).await.unwrap();
    by.post("/api/queue/pong/join", json!({})).await.is(200);
    by.post("/api/queue/pong/leave", json!({})).await.is(204);
}

async fn they_play(ann: &mut Player, bob: &mut Player) {
    for _ in 0..3 {
        ann.moves_before(bob).await;
        bob.moves_before(ann).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_matches_outlive_redis() {
    let Some(cluster) = Cluster::start().await else { return };
    let ([mut ann, mut bob], owner, carol) = at_its_owner(&cluster).await;
    // Longer than a lease, which PostgreSQL keeps.
    cluster.redis.cut();
    missed(&carol).await;
    refused(&carol, "/api/matches", json!({"game": "pong", "opponent": "computer"})).await;
    they_play(&mut ann, &mut bob).await;
    cluster.redis.mend();
    healed(&carol).await;
    // From another process too.
    let elsewhere = cluster.server(cluster.other_than(&[owner])).base.clone();
    bob.come_back(&elsewhere).await;
    they_play(&mut ann, &mut bob).await;
    bob.come_back(&cluster.server(owner).base).await;

    // A rematch is a new match, and waits.
    ann.resign().await;
    for player in [&mut ann, &mut bob] {
        player.hear("game_over").await;
    }
    cluster.redis.cut();
    missed(&carol).await;
    for player in [&mut ann, &mut bob] {
        player.say(json!({"type": "rematch"})).await;
    }
    ann.socket.hear_that("rematch", |it| it["seats"] == json!([0, 1])).await;
    let early = timeout(Duration::from_secs(1), ann.hear("rematch")).await;
    assert!(early.is_err(), "{early:?}");
    cluster.check(&[&ann.match_id]).await;
    cluster.redis.mend();
    for player in [&mut ann, &mut bob] {
        player.socket.hear_that("rematch", |it| it["match_id"].is_string()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_matches_outlive_postgres() {
    let Some(cluster) = Cluster::start().await else { return };
    let ([mut ann, mut bob], _, carol) = at_its_owner(&cluster).await;
    // Whether it says nothing at all, or no.
    for go_away in [Wire::hold, Wire::cut] {
        go_away(&cluster.postgres);
        missed(&carol).await;
        for (path, body) in [
            ("register", json!({"username": "dan", "password": PASSWORD})),
            ("login", json!({"login": "carol", "password": PASSWORD})),
            ("refresh", json!({"refresh_token": carol.refresh_token()})),
        ] {
            refused(&carol, &format!("/api/auth/{path}"), body).await;
        }
        they_play(&mut ann, &mut bob).await;
    }
    // The result waits until it is stored.
    ann.resign().await;
    let early = timeout(Duration::from_secs(1), bob.hear("game_over")).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(cluster.home.number("select count(*) from replays").await, 0);
    cluster.postgres.mend();
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&ann.match_id]).await;
    healed(&carol).await;
}

/// PostgreSQL's machine dies without a word, and another has its place: what waits for an answer
/// that never comes is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_be_another() {
    let Some(cluster) = Cluster::start().await else { return };
    let ([mut ann, mut bob], _, carol) = at_its_owner(&cluster).await;
    they_play(&mut ann, &mut bob).await;
    cluster.postgres.lose();
    they_play(&mut ann, &mut bob).await;
    healed(&carol).await;
    ann.resign().await;
    assert_eq!(bob.hear("game_over").await["outcome"]["winner"], 1);
    cluster.check(&[&ann.match_id]).await;
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

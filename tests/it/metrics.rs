//! What an operator sees from outside: the metrics, and that their documents name what there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    standin::{Fault, Telegram},
    support::{
        Answer, Home, PATIENCE, Server,
        cluster::Cluster,
        world::{ANN, GROUP, variables, written},
    },
};

/// The page of metrics, kept apart by family.
struct Page {
    /// As `# TYPE` says.
    kinds: BTreeMap<String, String>,
    /// Name with labels, and value, in order.
    samples: Vec<(String, f64)>,
}

impl Page {
    async fn of(server: &Server) -> Page {
        let line = server.logged("Metrics are on ").await;
        let url = line.split("Metrics are on ").nth(1).unwrap();
        let url = url.split(['"', ' ']).next().unwrap();
        let answer = Answer::to(server.stranger().http.get(url)).await;
        assert!(answer.is(200).header("content-type").starts_with("application/openmetrics-text"));
        Page::read(&answer.text)
    }

    /// The page as soon as a sample has this value.
    async fn once(server: &Server, sample: &str, value: f64) -> Page {
        let page = async {
            loop {
                let page = Page::of(server).await;
                if page.value(sample) == Some(value) {
                    return page;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, page).await.unwrap_or_else(|_| panic!("{sample} is never {value}"))
    }

    /// Reads OpenMetrics text as strictly as its specification wants it written.
    fn read(text: &str) -> Page {
        let body = text.strip_suffix("# EOF\n").expect("it does not end with # EOF");
        let (mut kinds, mut samples) = (BTreeMap::new(), Vec::new());
        // The family that we are in; a family may not come twice.
        let mut family = String::new();
        for line in body.lines() {
            if let Some(meta) = line.strip_prefix("# ") {
                let [key, name, rest] =
                    meta.splitn(3, ' ').collect::<Vec<_>>().try_into().expect(line);
                assert!(is_name(name), "{line}");
                match key {
                    "HELP" => {
                        assert!(!kinds.contains_key(name), "twice: {line}");
                        family = name.to_owned();
                    }
                    "TYPE" => {
                        assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                        assert!(kinds.insert(name.to_owned(), rest.to_owned()).is_none(), "{line}");
                    }
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
                assert_eq!(name, family, "{line}");
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').expect(line);
            let value: f64 = value.parse().expect(line);
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            check_labels(labels.strip_suffix('}').expect(line));
            let ending = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} in {family}"));
            let endings: &[_] = match kinds[&family].as_str() {
                "counter" => &["_total"],
                "gauge" => &[""],
                _ => &["_bucket", "_sum", "_count"],
            };
            assert!(endings.contains(&ending), "{line}");
            assert!(kinds[&family] == "gauge" || value >= 0.0, "{line}");
            samples.push((sample.to_owned(), value));
        }
        let page = Page { kinds, samples };
        page.check_histograms();
        page
    }

    /// Buckets grow, and the last one has all.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (sample, value) in &self.samples {
            let Some((name, labels)) = sample.split_once("_bucket{le=\"") else { continue };
            let (le, others) = labels.trim_end_matches('}').split_once('"').unwrap();
            let count = match others.strip_prefix(',') {
                Some(others) => format!("{name}_count{{{others}}}"),
                None => format!("{name}_count"),
            };
            let le = le.trim_start_matches('+').parse().expect(sample);
            buckets.entry(count).or_default().push((le, *value));
        }
        for (count, buckets) in buckets {
            assert!(buckets.is_sorted(), "{count}: {buckets:?}");
            let (le, all) = *buckets.last().unwrap();
            assert!(le.is_infinite(), "{count}: {buckets:?}");
            assert!(buckets.windows(2).all(|it| it[0].1 <= it[1].1), "{count}: {buckets:?}");
            self.is(&count, all);
        }
    }

    fn value(&self, sample: &str) -> Option<f64> {
        self.samples.iter().find(|it| it.0 == sample).map(|it| it.1)
    }

    #[track_caller]
    fn is(&self, sample: &str, value: f64) {
        assert_eq!(self.value(sample), Some(value), "{sample} in {:#?}", self.samples);
    }

    #[track_caller]
    fn has(&self, sample: &str) {
        assert!(self.value(sample).is_some_and(|it| it > 0.0), "{sample} in {:#?}", self.samples);
    }

    /// As Prometheus stores them: counters with their ending.
    fn names(&self) -> BTreeSet<String> {
        let name = |(name, kind): (&String, &String)| match kind.as_str() {
            "counter" => format!("{name}_total"),
            _ => name.clone(),
        };
        self.kinds.iter().map(name).collect()
    }
}

fn is_name(name: &str) -> bool {
    let first = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    first && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// `a="x",b="y"`, where a value may hold anything but a bare quote.
fn check_labels(mut labels: &str) {
    while !labels.is_empty() {
        let (name, rest) = labels.split_once("=\"").expect(labels);
        assert!(is_name(name), "{labels}");
        let end = rest.find('"').expect(labels);
        assert!(!rest[..end].contains('\\'), "{labels}");
        labels = &rest[end + 1..];
        labels = labels.strip_prefix(',').unwrap_or(labels);
    }
}

const METRICS_HERE: (&str, &str) = ("ARTEL_METRICS_LISTEN", "127.0.0.1:0");

fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names in a text, as Prometheus stores them.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let ours = words.filter(|it| it.starts_with("artel_") || it.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_metric_is_documented_and_every_document_is_true() {
    let server = Server::with(&[METRICS_HERE]).await;
    // What has labels that can't be known before is there once it has happened.
    drop(server.person("ann").await.open("/ws/lobby").await);
    Page::once(&server, r#"artel_socket_closes_total{kind="lobby",code="1006"}"#, 1.0).await;
    let names = Page::of(&server).await.names();

    let text = document("docs/operations.md");
    let rows = text.lines().filter_map(|it| it.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<String> = rows
        .filter(|it| it.starts_with("artel_") || it.starts_with("process_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, names, "docs/operations.md lists the left, the server has the right");

    let board: Value = serde_json::from_str(&document("docs/grafana.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let asked = panels.iter().flat_map(|it| it["targets"].as_array().into_iter().flatten());
    let mut shown = BTreeSet::new();
    for target in asked {
        for name in names_in(target["expr"].as_str().unwrap()) {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            shown.insert(base.map_or(name.clone(), str::to_owned));
        }
    }
    assert!(shown.len() > 15, "{shown:?}");
    let unknown: Vec<_> = shown.difference(&names).collect();
    assert!(unknown.is_empty(), "docs/grafana.json asks for what there is not: {unknown:?}");
    let unseen: Vec<_> = names.difference(&shown).collect();
    assert!(unseen.is_empty(), "docs/grafana.json does not show {unseen:?}");
}

/// Two people meet, play until one gives up, and everything on the way is counted.
async fn is_counted(server: Server, database: &str) {
    let before = Page::of(&server).await;
    before.is(r#"artel_live_matches{game="pong"}"#, 0.0);
    before.is(r#"artel_sockets{kind="game"}"#, 0.0);
    let (ann, bob, id) = server.pair("ann", "bob").await;
    let mut sockets = Vec::new();
    for player in [&ann, &bob] {
        let mut socket = player.open(&format!("/ws/game/{id}")).await;
        socket.say(json!({"type": "player_ready", "n": 1})).await;
        sockets.push(socket);
    }
    while sockets[0].hear("game_state").await["status"] != "active" {}
    // Until one of the moves is seen to change something.
    for n in 2..6 {
        let y = if n % 2 == 0 { 0.1 } else { 0.9 };
        sockets[0].say(json!({"type": "player_move", "n": n, "y": y})).await;
        sockets[1].hear("game_update").await;
    }
    let page = Page::of(&server).await;
    page.is(r#"artel_live_matches{game="pong"}"#, 1.0);
    page.is(r#"artel_sockets{kind="game"}"#, 2.0);
    page.is(r#"artel_queue_wait_seconds_count{game="pong"}"#, 2.0);
    page.has(r#"artel_action_to_update_seconds_count{pace="tell_first"}"#);
    page.has(r#"artel_http_requests_total{method="POST",route="/api/auth/register",status="201"}"#);
    page.has(
        r#"artel_http_request_duration_seconds_count{method="POST",route="/api/auth/register"}"#,
    );
    page.has(r#"artel_sql_duration_seconds_count{part="accounts"}"#);
    page.has("artel_sql_connections");
    page.has("artel_sql_connections_max");
    page.has("process_cpu_seconds_total");
    page.has("process_resident_memory_bytes");
    page.has("process_open_fds");

    sockets[0].say(json!({"type": "game_action", "n": 9, "action": "resign"})).await;
    for socket in &mut sockets {
        socket.hear("game_over").await;
    }
    drop(sockets);
    // The end of a socket's life is counted a moment after, and the queue once a second.
    Page::once(&server, r#"artel_sockets{kind="game"}"#, 0.0).await;
    bob.post("/api/queue/eight_ball/join", json!({})).await.is(200);
    Page::once(&server, r#"artel_queue_length{game="eight_ball"}"#, 1.0).await;
    bob.post("/api/queue/eight_ball/leave", json!({})).await.is(204);
    let page = Page::once(&server, r#"artel_queue_length{game="eight_ball"}"#, 0.0).await;
    page.is(r#"artel_settled_matches_total{game="pong",ending="played"}"#, 1.0);
    page.has("artel_journal_lag_seconds_count");
    let closed = |it: &&(String, f64)| it.0.starts_with("artel_socket_closes_total{kind=\"game\"");
    assert_eq!(page.samples.iter().filter(closed).map(|it| it.1).sum::<f64>(), 2.0);
    // Nobody's name, and no address of anything, is a label.
    let text = format!("{:?}", page.samples);
    for own in ["ann", "bob", id.as_str(), ann.id(), bob.id()] {
        assert!(!text.contains(&format!("\"{own}\"")), "{own} in {text} on {database}");
    }
}

#[tokio::test]
async fn what_people_do_is_counted_sqlite() {
    is_counted(Server::with(&[METRICS_HERE]).await, "SQLite").await;
}

#[tokio::test]
async fn what_people_do_is_counted_postgres() {
    let Some(home) = Home::postgres().await else { return };
    is_counted(Server::run(home, &[METRICS_HERE]).await, "PostgreSQL").await;
}

#[tokio::test]
async fn redis_is_timed() {
    let Ok(redis) = std::env::var("ARTEL_TEST_REDIS") else {
        println!("ARTEL_TEST_REDIS is not set: not tested with Redis");
        return;
    };
    let Some(home) = Home::postgres().await else { return };
    let server = Server::run(home, &[METRICS_HERE, ("REDIS_URL", &redis)]).await;
    server.stranger().get("/readyz").await.is(200);
    let ann = server.person("ann").await;
    let code = ann.post("/api/rooms", json!({"game": "pong"})).await.is(201).body["code"].clone();
    let path = format!("/api/rooms/{}", code.as_str().unwrap());
    // What a process before may have left is emptied first.
    let kept = async {
        loop {
            ann.get(&path).await.is(200);
            let page = Page::of(&server).await;
            if page.value(r#"artel_cache_requests_total{cache="room",outcome="hit"}"#) > Some(0.0) {
                return page;
            }
        }
    };
    let page = timeout(PATIENCE, kept).await.unwrap();
    page.has(r#"artel_cache_requests_total{cache="room",outcome="miss"}"#);
    for command in ["ping", "limit", "give_back", "cache_look", "cache_keep", "cache_empty"] {
        page.has(&format!("artel_redis_duration_seconds_count{{command=\"{command}\"}}"));
    }
    while ann.get("/api/rooms/BBBBBB").await.status != 429 {}
    Page::of(&server).await.has(r#"artel_limited_requests_total{limit="codes"}"#);
}

#[tokio::test]
async fn what_the_bot_does_is_counted() {
    let telegram = Telegram::open(false).await;
    telegram.break_next("sendmessage", Fault::TooMany { retry_after: 1 });
    let api = format!("http://{}", telegram.address);
    let server = Server::with(&[&variables(&api)[..], &[METRICS_HERE]].concat()).await;
    telegram.update(written(ANN, GROUP, "/play pong"));
    Page::once(&server, r#"artel_bot_sent_total{outcome="later"}"#, 1.0).await;
    let page = Page::once(&server, r#"artel_bot_sent_total{outcome="done"}"#, 1.0).await;
    page.is(r#"artel_bot_updates_total{kind="message"}"#, 1.0);
    page.is("artel_bot_throttled_total", 1.0);
    page.is("artel_bot_wait_seconds_count", 2.0);
}

/// What processes do for each other, and that one took over what another had left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_processes_do_for_each_other_is_counted() {
    let Some(mut cluster) = Cluster::start_with(&[METRICS_HERE]).await else { return };
    let [mut ann, mut bob] = cluster.match_of("ann", "bob", [0, 0]).await;
    let owner = cluster.owner(&ann.match_id).await;
    let elsewhere = cluster.other_than(&[owner]);
    let (here, there) = (cluster.server(owner), cluster.server(elsewhere));
    let base = there.base.clone();
    ann.come_back(&here.base).await;
    bob.come_back(&base).await;
    Page::once(here, "artel_far_chairs", 1.0).await;
    let page = Page::once(there, "artel_far_sockets", 1.0).await;
    for way in ["sent", "heard"] {
        page.has(&format!("artel_bus_words_total{{way=\"{way}\"}}"));
    }
    for command in ["beat", "publish", "ticket"] {
        page.has(&format!("artel_redis_duration_seconds_count{{command=\"{command}\"}}"));
    }
    for part in ["cluster::beats", "cluster::owners"] {
        page.has(&format!("artel_sql_duration_seconds_count{{part=\"{part}\"}}"));
    }
    page.is("artel_takeovers_total", 0.0);
    // Before that there is nothing to go on with.
    let written = r#"artel_sql_duration_seconds_count{part="journal"}"#;
    while Page::of(here).await.value(written).is_none() {
        sleep(Duration::from_millis(20)).await;
    }

    cluster.kill(owner).await;
    tokio::join!(ann.put_out(), bob.put_out());
    tokio::join!(ann.come_back(&base), bob.come_back(&base));
    let mut taken = 0.0;
    for server in cluster.servers.iter().flatten() {
        taken += Page::of(server).await.value("artel_takeovers_total").unwrap();
    }
    assert_eq!(taken, 1.0);
}

#[test]
#[should_panic(expected = "in artel_a")]
fn a_page_that_is_wrong_is_refused() {
    Page::read("# HELP artel_a A.\n# TYPE artel_a gauge\nartel_b 1\n# EOF\n");
}

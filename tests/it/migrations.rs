//! Migrations are forward-only, and safe while the version before still runs: what of that a
//! machine can see. The rules are in migrations/README.md.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    rooms::play,
    support::{Server, both},
};

/// What takes something from the version before.
const CONTRACTS: [&str; 4] = ["drop ", "rename ", "alter column", "set not null"];
const ALLOWED_BY: &str = "-- Unused since ";

/// Names and texts, in order.
fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let sql = files.filter(|it| it.extension().is_some_and(|it| it == "sql"));
    let mut all: Vec<_> = sql
        .map(|it| {
            let name = it.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(it).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Makes use of what is stored, over several connections and again and again.
async fn use_all(server: &Server, names: [&str; 3]) {
    let carol = server.person(names[2]).await;
    let room = carol.post("/api/rooms", json!({"game": "pong"})).await.is(201).body.clone();
    let room = format!("/api/rooms/{}", room["code"].as_str().unwrap());
    let visit = async || {
        carol.get(&room).await.is(200);
        carol.post(&format!("{room}/ready"), json!({"ready": true})).await.is(200);
        carol.get(&format!("/api/users/{}", carol.id())).await.is(200);
        carol.get("/api/me").await.is(200);
    };
    for _ in 0..8 {
        tokio::join!(visit(), visit(), visit(), visit());
    }
    carol.post(&format!("{room}/leave"), json!({})).await.is(204);
    let (one, two, id) = server.pair(names[0], names[1]).await;
    play([&one, &two], &id, 0).await;
    two.get(&format!("/api/matches/{id}")).await.is(200);
    two.get(&format!("/api/users/{}/history", two.id())).await.is(200);
}

both! {
    /// While a deploy is rolled out and after a way back, a later version has migrated.
    async fn a_later_schema_is_served(server: &Server) {
        use_all(server, ["ann", "bob", "carol"]).await;
        let tables = migrations().into_iter().flat_map(|(_, sql)| {
            let names = sql.lines().filter_map(|it| it.strip_prefix("create table "));
            names.map(|it| it.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
        });
        for table in tables {
            let add = format!("alter table {table} add column later bigint not null default 7");
            server.home.sql(&add).await;
        }
        let later = "insert into _sqlx_migrations
                         (version, description, success, checksum, execution_time)
                     values (9999, 'later', true, '', 0)";
        server.home.sql(later).await;
        use_all(server, ["dan", "eve", "fay"]).await;
        let ran = server.home.artel(&["migrate"], &[]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
}

/// PostgreSQL runs no statement that it has prepared once its answer has another column.
#[test]
fn columns_are_named() {
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("arena/src")) {
        let text = fs::read_to_string(&path).unwrap();
        for all in ["select *", "returning *", ".* from"] {
            assert!(!text.contains(all), "{}: {all}", path.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let each = |it: PathBuf| if it.is_dir() { sources(&it) } else { vec![it] };
    paths.flat_map(each).collect()
}

/// The statements that contract without saying since when nothing uses what they take.
fn unexplained(sql: &str) -> Vec<&str> {
    let lines: Vec<_> = sql.lines().collect();
    let contracts = |line: &str| {
        let code = line.split("--").next().unwrap_or_default().to_lowercase();
        CONTRACTS.iter().any(|it| code.contains(it))
    };
    let explained = |index: usize| {
        let above = lines[..index].iter().rev().map(|it| it.trim_start());
        above.take_while(|it| it.starts_with("--")).any(|it| it.starts_with(ALLOWED_BY))
    };
    (0..lines.len())
        .filter(|&it| contracts(lines[it]) && !explained(it))
        .map(|it| lines[it])
        .collect()
}

#[test]
fn what_was_released_is_never_edited() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/released.sha256");
    let released = fs::read_to_string(path).unwrap();
    let all = migrations();
    let mut last = String::new();
    for line in released.lines() {
        let (sum, name) = line.split_once("  ").expect(line);
        let (_, sql) =
            all.iter().find(|it| it.0 == name).unwrap_or_else(|| panic!("{name} is gone"));
        let found: String = Sha256::digest(sql).iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(found, sum, "{name} was released and must stay as it is: add another");
        last = name.to_owned();
    }
    assert!(!last.is_empty());
    // A new one comes after: databases that have the later ones would refuse it.
    let listed = |name: &str| released.lines().any(|it| it.ends_with(name));
    let late: Vec<_> = all.iter().filter(|it| it.0 < last && !listed(&it.0)).collect();
    assert!(late.is_empty(), "before {last}, which is released: {late:?}");
}

#[test]
fn each_has_a_number_of_its_own() {
    let numbers: Vec<_> = migrations().iter().map(|it| it.0[..4].parse::<u32>().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn nothing_is_taken_from_the_version_before() {
    for (name, sql) in migrations() {
        assert_eq!(unexplained(&sql), [""; 0], "{name}");
    }
    let bare = "create table a (b bigint);\nalter table a drop column b;";
    assert_eq!(unexplained(bare), ["alter table a drop column b;"]);
    let explained = "-- Unused since 0.2.\n-- It was never shown.\ndrop table a;";
    assert_eq!(unexplained(explained), [""; 0]);
}

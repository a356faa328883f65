//! Migrations are forward-only, and safe while the version before still runs: what of that a
//! machine can see. The rules are in migrations/README.md.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

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

//! The repository itself is checked: which crate may know which, one stack of everything, and what
//! no file should hold. A rule here is a rule of ARCHITECTURE.md that a machine can see.

#![expect(clippy::unwrap_used, reason = "a test that cannot look has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use games::Kind;
use serde_json::Value;

/// Which of our crates each may name. Imports go one way: doors, arena, live, games.
const MAY_NAME: [(&str, &[&str]); 8] = [
    ("artel", &["api", "arena", "bot", "webapp"]),
    ("bot", &["arena", "games"]),
    ("webapp", &["arena", "games"]),
    ("api", &["arena", "games", "live"]),
    ("arena", &["games", "live"]),
    ("live", &["games"]),
    ("games", &[]),
    ("xtask", &["games", "live"]),
];

/// Crates of others that only these of ours may name, outside of tests.
const BELONG_TO: [(&str, &[&str]); 10] = [
    ("argon2", &["arena"]),
    ("axum", &["api", "bot", "webapp", "xtask"]),
    ("jsonwebtoken", &["arena"]),
    ("lettre", &["arena"]),
    ("oauth2", &["arena"]),
    ("redis", &["arena"]),
    ("rust-embed", &["webapp"]),
    ("sqlx", &["arena"]),
    ("sqlx-core", &["arena"]),
    ("teloxide", &["bot"]),
];

/// One version of each is built into the server, or none.
const ONE_OF_EACH: [&str; 13] = [
    "axum",
    "http",
    "hyper",
    "redis",
    "reqwest",
    "ring",
    "rustls",
    "sqlx",
    "tokio",
    "tokio-tungstenite",
    "tower",
    "tower-http",
    "tungstenite",
];

/// Second stacks for HTTP, TLS and async code.
const NONE_OF: [&str; 13] = [
    "actix-web",
    "async-std",
    "aws-lc-rs",
    "curl",
    "isahc",
    "mio-uring",
    "native-tls",
    "openssl",
    "openssl-sys",
    "smol",
    "surf",
    "ureq",
    "warp",
];

/// What may stand in these files only.
const ONLY_IN: [(&str, &str, &[&str]); 6] = [
    (".js", "innerHTML", &["webapp/static/lib/html.js"]),
    (".js", "new WebSocket(", &["webapp/static/lib/socket.js"]),
    (".js", "window.Telegram", &["webapp/static/lib/telegram.js"]),
    (".js", "TelegramWebviewProxy", &["webapp/static/lib/telegram.js"]),
    // Time is told, by `arena::Clock` and by the match's own.
    (".rs", "SystemTime::now", &["arena/src/clock.rs", "xtask/", "tests/"]),
    (".rs", "Box::leak", &[]),
];

/// Words of unfinished work, cut in two so as not to be found here.
const UNFINISHED: [&str; 9] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[ig", "nore"),
    concat!("console", ".log("),
    concat!("test", ".only("),
];

/// Beginnings of paths that exist on one machine.
const OF_ONE_MACHINE: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("../sha", "red")];

/// Names of files that do not say what is in them.
const EMPTY_NAMES: [&str; 5] = ["common", "helpers", "misc", "util", "utils"];

const LINES_MAX: usize = 400;
const COLUMNS_MAX: usize = 100;

/// The files that may be longer, and why.
const LONG: [(&str, &str); 11] = [
    ("arena/src/accounts.rs", "every way to have an account, with its SQL"),
    ("arena/src/matches.rs", "a match from its opening to its settlement, with its SQL"),
    ("arena/src/queue.rs", "waiting and pairing share their transaction"),
    ("arena/src/rooms/mod.rs", "every call about a room, and who is told of it"),
    ("arena/src/sessions.rs", "tokens, rotation and the reuse that ends a family belong together"),
    (
        "bot/tests/it/standin.rs",
        "all that a Bot API server does, in one file that two suites share",
    ),
    ("games/src/pong.rs", "one game, and its tests"),
    ("live/src/computer/shots.rs", "strokes thought of, tried and judged, and what they leave"),
    ("live/src/runner.rs", "one loop and all that it answers"),
    ("live/src/wire.rs", "every message of a match"),
    ("xtask/src/chaos/player.rs", "all that a player does and remembers while servers die"),
];

#[test]
fn imports_go_one_way() {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), MAY_NAME.len(), "a crate is not listed");

    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = MAY_NAME.iter().find(|(ours, _)| *ours == name).unwrap();
        if package["publish"] != Value::Array(Vec::new()) {
            wrong.push(format!("{name} could be published"));
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let in_tests = dependency["kind"] == "dev";
            let ours = MAY_NAME.iter().any(|(ours, _)| *ours == other);
            if ours && !in_tests && !allowed.contains(&other) {
                wrong.push(format!("{name} names {other}"));
            }
            let owners = BELONG_TO.iter().find(|(theirs, _)| *theirs == other);
            if owners.is_some_and(|(_, owners)| !in_tests && !owners.contains(&name)) {
                wrong.push(format!("{name} names {other}, which is not its affair"));
            }
        }
    }
    assert_none(wrong);
}

#[test]
fn there_is_one_stack_of_everything() {
    let tree = ["--edges=normal,build", "--prefix=none", "--format={p}", "--offline"];
    let tree = cargo(&[&["tree", "--workspace"], &tree[..]].concat());
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    assert!(versions.contains_key("tokio"), "this is no tree of ours: {tree}");

    let twice = ONE_OF_EACH.iter().filter_map(|name| {
        let found = versions.get(name).filter(|found| found.len() > 1)?;
        Some(format!("{name} is there as {found:?}"))
    });
    let other = NONE_OF.iter().filter(|name| versions.contains_key(*name));
    assert_none(twice.chain(other.map(|name| format!("{name} is there"))).collect());
}

/// What `cargo deny` checks too, where it is installed: whoever builds without it is not to find
/// out later.
#[test]
fn licences_are_those_that_deny_toml_allows() {
    let text = fs::read_to_string(at("deny.toml")).unwrap();
    let allowed: BTreeSet<&str> = text
        .lines()
        .skip_while(|line| *line != "allow = [")
        .take_while(|line| *line != "]")
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .collect();
    let exceptions: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.contains("crate = ") && line.contains("allow = "))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(allowed.contains("MIT"), "deny.toml was not understood");

    let metadata = cargo(&["metadata", "--format-version=1", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let ours = metadata["workspace_members"].as_array().unwrap();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let one_of = |any: &str| any.split(" OR ").any(|it| allowed.contains(it.trim()));
        // Each part of an "and" must be allowed, and one of each "or".
        let parts = licence.replace(['(', ')'], "");
        let good = match licence.contains(" AND ") {
            true => parts.split(" AND ").all(one_of),
            false => one_of(&parts),
        };
        if !good && !ours.contains(&package["id"]) && !exceptions.contains(name) {
            wrong.push(format!("{name}: {licence}"));
        }
    }
    assert_none(wrong);
}

#[test]
fn games_have_no_std() {
    assert!(fs::read_to_string(at("games/src/lib.rs")).unwrap().contains("#![no_std]"));
}

#[test]
fn every_game_is_whole() {
    for game in Kind::ALL.map(Kind::name) {
        let listed = fs::read_to_string(at("webapp/static/games/index.js")).unwrap();
        assert!(listed.contains(game), "{game} is not in webapp/static/games/index.js");
        for language in ["en", "ru"] {
            let files =
                fs::read_dir(at("webapp/static/i18n")).unwrap().map(|it| it.unwrap().path());
            let ending = format!("{language}.js");
            let mut files = files.filter(|it| it.to_string_lossy().ends_with(&ending));
            let named = files.any(|it| fs::read_to_string(it).unwrap().contains(game));
            assert!(named, "{game} has no name in {language}");
        }
    }
}

#[test]
fn files_are_tidy() {
    let mut wrong = Vec::new();
    for Source { path, text } in sources() {
        let mut complain = |what: String| wrong.push(format!("{path}{what}"));
        let name = path.rsplit('/').next().unwrap();
        let (stem, ending) = name.rsplit_once('.').unwrap();
        if EMPTY_NAMES.contains(&stem) {
            complain(": the name says nothing".to_owned());
        }
        let code = matches!(ending, "rs" | "js" | "css" | "sql");
        let opens = text.starts_with("//!") || text.starts_with("#![") || ending != "rs";
        if code && !opens {
            complain(": it does not open with what it is for".to_owned());
        }
        let lines = text.lines().count();
        let listed = LONG.iter().any(|(long, _)| path == *long);
        if code && lines > LINES_MAX && !listed {
            complain(format!(": {lines} lines, and not listed as long"));
        }
        if lines <= LINES_MAX && listed {
            complain(": no longer long, so it need not be listed".to_owned());
        }
        for (number, line) in text.lines().enumerate() {
            let mut complain = |what: &str| complain(format!(":{}: {what}", number + 1));
            // Markup in the browser's code is broken where it reads best, and a text or an address
            // can't be.
            let breakable = !line.contains('"') && !line.contains("://");
            if ending == "rs" && breakable && line.chars().count() > COLUMNS_MAX {
                complain("a long line");
            }
            if line.ends_with([' ', '\t', '\r']) && ending != "md" {
                complain("blanks at the end");
            }
            for word in UNFINISHED.iter().chain(&OF_ONE_MACHINE) {
                if line.contains(word) {
                    complain(word);
                }
            }
            for (its_ending, word, places) in ONLY_IN {
                let allowed = places.iter().any(|place| path.contains(place));
                if path.ends_with(its_ending) && line.contains(word) && !allowed && !is_this(&path)
                {
                    complain(&format!("{word} does not belong here"));
                }
            }
        }
    }
    assert_none(wrong);
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for Source { path, text } in sources().into_iter().filter(|it| it.path.ends_with(".md")) {
        let folder = at(&path).parent().unwrap().to_owned();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !folder.join(file).exists() {
                wrong.push(format!("{path}: {link}"));
            }
        }
    }
    assert_none(wrong);
}

/// Tests that documents name as `file::test` are there, so that a promise keeps its proof.
#[test]
fn documents_name_tests_that_there_are() {
    let all = sources();
    let is_there = |file: &str, test: &str| {
        all.iter().filter(|it| it.path.ends_with(".rs")).any(|it| {
            it.path.rsplit('/').next() == Some(&format!("{file}.rs"))
                && it.text.contains(&format!("fn {test}("))
        })
    };
    let (mut wrong, mut named) = (Vec::new(), 0);
    for path in ["docs/security.md", "docs/sign-in.md"] {
        let text = fs::read_to_string(at(path)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let names = |it: &str| {
                it.bytes().all(|it| it.is_ascii_lowercase() || b"_0123456789".contains(&it))
            };
            if let Some((file, test)) =
                word.split_once("::").filter(|it| names(it.0) && names(it.1))
            {
                let found = is_there(file, test) || test == "tests";
                wrong.extend((!found).then(|| format!("{path}: {word}")));
                named += 1;
            } else if word.ends_with(".test.js")
                && !at(&format!("webapp/tests/browser/{word}")).exists()
            {
                wrong.push(format!("{path}: {word}"));
            }
        }
    }
    assert!(named > 150, "{named} were found");
    assert_none(wrong);
}

/// A text file that people wrote.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// All of them, but for what is made by tools.
fn sources() -> Vec<Source> {
    const ENDINGS: [&str; 10] =
        ["rs", "js", "ts", "css", "html", "sql", "toml", "md", "yml", "json"];
    const MADE: [&str; 3] = ["target", "node_modules", ".git"];
    const MADE_FILES: [&str; 2] = ["webapp/package-lock.json", "webapp/wire.d.ts"];

    let mut sources = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                let name = file.file_name().unwrap().to_str().unwrap();
                if !MADE.contains(&name) {
                    folders.push(file);
                }
                continue;
            }
            let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            let ending = file.extension().and_then(|it| it.to_str()).unwrap_or_default();
            if ENDINGS.contains(&ending) && !MADE_FILES.contains(&path.as_str()) {
                sources.push(Source { path, text: fs::read_to_string(&file).unwrap() });
            }
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn is_this(path: &str) -> bool {
    path == "tests/tidy.rs"
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn at(path: &str) -> PathBuf {
    root().join(path)
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_none(mut wrong: Vec<String>) {
    wrong.sort();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

//! What an operator sets and does.

use std::{fs, net::TcpListener};

use serde_json::json;

use crate::support::{Home, JWT_SECRET, PASSWORD, Server};

const TOKEN: &str = "1234567890:ARTEL-synthetic-test-token-not-real";

#[test]
fn wrong_values_are_refused_by_name() {
    let home = Home::sqlite();
    let long = "x".repeat(40);
    for (name, value, complaint) in [
        ("ARTEL_LISTEN", "nowhere", "not an address and a port; for example 127.0.0.1:8080"),
        ("ARTEL_LISTEN", "8080", "not an address and a port; for example"),
        ("ARTEL_METRICS_LISTEN", "on", "neither an address and a port nor off; for example"),
        ("PUBLIC_URL", "artel.example", "for example https://artel.example"),
        ("PUBLIC_URL", "https://artel.example/sub", "for example https://artel.example"),
        ("PUBLIC_URL", "ftp://artel.example", "for example https://artel.example"),
        ("ARTEL_CLIENT_IP_HEADER", "no header", "for example fly-client-ip"),
        ("ARTEL_TRUSTED_PROXIES", "10.0.0.0/33", "for example 10.0.0.0/8"),
        ("ARTEL_RATE_LIMITS", "maybe", "neither on nor off; for example on"),
        ("ARTEL_PATIENCE", "0", "not a number of seconds from 1 to 60; for example 10"),
        ("ARTEL_PATIENCE", "long", "for example 10"),
        ("ARTEL_FRAME_ANCESTORS", "evil", "evil is not an origin; for example"),
        ("ARTEL_FRAME_ANCESTORS", "https://a.example; script-src *", "is not an origin"),
        ("DATABASE_URL", "mysql://localhost", "for example sqlite://artel.db"),
        ("REDIS_URL", "localhost", "for example redis://localhost:6379"),
        ("JWT_SECRET", "short-secret", "at least 32 characters"),
        ("TELOXIDE_TOKEN", &long, "not a bot's token; for example"),
        ("ARTEL_INIT_DATA_MAX_AGE", "a day", "for example 86400"),
        ("ARTEL_INIT_DATA_MAX_AGE", "-1", "for example 86400"),
        ("ARTEL_LOG_FORMAT", "xml", "neither auto nor text nor json; for example json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317", "for example http://localhost:4318"),
        ("TELEGRAM_API_URL", "telegram", "for example https://api.telegram.org"),
        ("TELEGRAM_APP_NAME", "my app", "not a Mini App's short name"),
    ] {
        let ran = home.artel(&["config"], &[(name, value)]);
        assert_eq!(ran.code, Some(2), "{name}={value}: {ran:?}");
        assert_eq!(ran.stdout, "");
        let line = ran.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        assert!(line.starts_with(&format!("artel: {name}: ")), "{line}");
        assert!(line.contains(complaint), "{line}");
        let secret = ["JWT_SECRET", "TELOXIDE_TOKEN", "DATABASE_URL", "REDIS_URL"].contains(&name);
        assert!(!secret || !line.contains(&format!("`{value}`")), "{line}");
    }
    let ran = home.artel(&["--listen", "nowhere"], &[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("artel: --listen: not an address"), "{ran:?}");
}

#[test]
fn unknown_variables_are_refused() {
    let home = Home::sqlite();
    for (name, complaint) in [
        ("ARTEL_LISTN", "did you mean ARTEL_LISTEN?"),
        ("ARTEL_RATE_LIMIT", "did you mean ARTEL_RATE_LIMITS?"),
        ("ARTEL_DATABASE_URL", "did you mean DATABASE_URL?"),
        ("ARTEL_PUBLIC_URL", "did you mean PUBLIC_URL?"),
        ("ARTEL_QQQ", "`artel config` lists them"),
    ] {
        let ran = home.artel(&[], &[(name, "1")]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.stderr, format!("artel: {name}: no such variable; {complaint}\n"));
    }
    // These are for tests, and so may be there.
    assert_eq!(home.artel(&["config"], &[("ARTEL_TEST_POSTGRES", "1")]).code, Some(0));
}

/// The line of a variable in the list, in words.
fn row<'a>(list: &'a str, name: &str) -> Vec<&'a str> {
    let mut rows = list.lines().map(|it| it.split_whitespace().collect::<Vec<_>>());
    rows.find(|it| it.first() == Some(&name)).unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn the_list_of_what_is_set() {
    let home = Home::sqlite();
    let ran = home.artel(
        &["config"],
        &[
            ("TELOXIDE_TOKEN", TOKEN),
            ("DATABASE_URL", "postgres://artel:hunter2@db.example/artel?password=hunter3"),
            ("REDIS_URL", "redis://:hunter4@redis.example:6379"),
            ("PUBLIC_URL", "https://artel.example"),
        ],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let list = &ran.stdout;
    for secret in ["synthetic", "hunter", "tests"] {
        assert!(!list.contains(secret), "{list}");
    }
    assert_eq!(row(list, "TELOXIDE_TOKEN"), ["TELOXIDE_TOKEN", "…", "environment"]);
    assert_eq!(row(list, "JWT_SECRET"), ["JWT_SECRET", "…", "environment"]);
    assert_eq!(row(list, "DATABASE_URL")[1], "postgres://artel:…@db.example/artel?…");
    assert_eq!(row(list, "REDIS_URL")[1], "redis://:…@redis.example:6379");
    assert_eq!(row(list, "PUBLIC_URL")[1], "https://artel.example");
    assert_eq!(row(list, "ARTEL_RATE_LIMITS"), ["ARTEL_RATE_LIMITS", "on", "default"]);
    assert!(!list.contains("Without TELOXIDE_TOKEN"), "{list}");

    let ran = home.artel(&["--listen", "[::1]:9", "config"], &[("TELOXIDE_TOKEN", "")]);
    assert_eq!(row(&ran.stdout, "TELOXIDE_TOKEN"), ["TELOXIDE_TOKEN", "not", "set"]);
    assert_eq!(row(&ran.stdout, "ARTEL_LISTEN"), ["ARTEL_LISTEN", "[::1]:9", "flag"]);
    assert!(ran.stdout.contains("Without TELOXIDE_TOKEN there is no bot"), "{ran:?}");
}

#[test]
fn a_file_says_what_the_environment_does_not() {
    let home = Home::sqlite();
    let file = home.folder().join(".env");
    fs::write(&file, "PUBLIC_URL=https://file.example\nARTEL_LISTEN=[::1]:1 # a comment\n")
        .unwrap();
    let ran = home.artel(&["config"], &[]);
    assert_eq!(row(&ran.stdout, "PUBLIC_URL"), ["PUBLIC_URL", "https://file.example", ".env"]);
    assert_eq!(row(&ran.stdout, "ARTEL_LISTEN"), ["ARTEL_LISTEN", "127.0.0.1:0", "environment"]);

    fs::write(&file, "ARTEL_LISTN=1\n").unwrap();
    assert!(home.artel(&["config"], &[]).stderr.contains("did you mean ARTEL_LISTEN?"));
    fs::write(&file, "TELOXIDE_TOKEN='1:secret\n").unwrap();
    let ran = home.artel(&["config"], &[]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.stderr,
        "artel: .env: can't read the line of TELOXIDE_TOKEN; for example NAME='a value'\n"
    );
}

#[test]
fn what_can_not_be_opened_is_said_in_one_line() {
    let home = Home::sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (name, value) in [
        ("ARTEL_LISTEN", address.as_str()),
        ("ARTEL_METRICS_LISTEN", &address),
        ("DATABASE_URL", "sqlite:///no/such/folder/artel.db"),
        ("DATABASE_URL", "postgres://artel:hunter2@127.0.0.1:1/artel"),
    ] {
        let ran = home.artel(&["serve"], &[(name, value), ("RUST_LOG", "off")]);
        assert_eq!(ran.code, Some(1), "{name}={value}: {ran:?}");
        assert!(ran.stderr.contains(name) && ran.stderr.lines().count() == 1, "{ran:?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    }
}

/// A second process on a file, or Redis beside it, is refused with the reason.
#[tokio::test]
async fn what_one_file_can_not_have_is_said_in_one_line() {
    let server = Server::start().await;
    let refused = |variables: &[(&str, &str)], reasons: &[&str]| {
        let ran = server.home.artel(&["serve"], variables);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        let line = ran.stderr.lines().last().unwrap();
        let told = reasons.iter().all(|it| line.contains(it));
        assert!(told && line.starts_with("artel: "), "{ran:?}");
    };
    refused(&[], &["another process serves", "artel.db", "SQLite serves one"]);
    refused(&[("REDIS_URL", "redis://127.0.0.1:1")], &["REDIS_URL", "SQLite"]);
    server.person("ann").await;
}

#[test]
fn help_names_every_variable() {
    let ran = Home::sqlite().artel(&["--help"], &[]);
    assert_eq!(ran.code, Some(0));
    for name in ["ARTEL_LISTEN", "DATABASE_URL", "TELOXIDE_TOKEN", "TELEGRAM_APP_NAME", "migrate"] {
        assert!(ran.stdout.contains(name), "{name}");
    }
    assert!(!ran.stdout.contains(JWT_SECRET), "a secret is in it: {}", ran.stdout);
}

#[tokio::test]
async fn an_administrator_is_made() {
    let server = Server::start().await;
    let ann = server.person("Ann").await;
    let ran = server.home.artel(&["admin", "grant", "nobody"], &[]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(1), "artel: nobody has the username nobody\n")
    );
    assert_eq!(server.home.artel(&["admin", "grant", "ANN"], &[]).code, Some(0));
    let body = json!({"login": "ann", "password": PASSWORD});
    let again = ann.post("/api/auth/login", body).await;
    assert_eq!(again.is(200).body["user"]["role"], "admin");
}

#[tokio::test]
async fn the_database_is_brought_up_to_date() {
    let home = Home::sqlite();
    for _ in 0..2 {
        let ran = home.artel(&["migrate"], &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "The database is up to date\n"));
    }
    Server::run(home, &[]).await.person("ann").await;
}

#[tokio::test]
async fn it_leaves_when_it_is_asked_to() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start().await;
        let ann = server.person("ann").await;
        let mut socket = ann.open("/ws/lobby").await;
        assert_eq!(socket.hear("queue_update").await["status"], "idle");
        server.signal(signal);
        assert_eq!(socket.closed().await, 1012);
        assert_eq!(server.ended().await, Some(0));
        let log = server.log();
        assert!(log.contains("Closed") && !log.contains("ERROR"), "{log}");
    }
}

#[tokio::test]
async fn health_is_what_a_container_asks_for() {
    let mut server = Server::start().await;
    let listen = server.base.strip_prefix("http://").unwrap().to_owned();
    for address in [listen.clone(), listen.replace("127.0.0.1", "0.0.0.0")] {
        let ran = server.home.artel(&["health"], &[("ARTEL_LISTEN", &address)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Ready\n"), "{ran:?}");
    }
    server.signal("KILL");
    server.ended().await;
    let ran = server.home.artel(&["health"], &[("ARTEL_LISTEN", &listen)]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains("no answer from http://127.0.0.1:"), "{ran:?}");

    let Some(home) = Home::postgres().await else { return };
    let unready = Server::run(home, &[("REDIS_URL", "redis://127.0.0.1:1")]).await;
    let listen = unready.base.strip_prefix("http://").unwrap();
    let ran = unready.home.artel(&["health"], &[("ARTEL_LISTEN", listen)]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("503"), "{ran:?}");
}

#[tokio::test]
async fn a_running_database_is_copied_and_comes_back() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let copy = server.home.folder().join("copy.db");
    let copied = copy.to_str().unwrap();
    let ran = server.home.artel(&["backup", copied], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // What comes later is not in it, and a copy is never written over.
    server.person("bob").await;
    let ran = server.home.artel(&["backup", copied], &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");

    let home = Home::sqlite();
    fs::copy(&copy, home.folder().join("artel.db")).unwrap();
    let server = Server::run(home, &[]).await;
    let log_in = |login: &str| json!({"login": login, "password": PASSWORD});
    let again = server.stranger().post("/api/auth/login", log_in("ann")).await;
    assert_eq!(again.is(200).body["user"]["id"], ann.id());
    server.stranger().post("/api/auth/login", log_in("bob")).await.is(401);

    let nowhere = ("DATABASE_URL", "sqlite:///no/such/folder/artel.db");
    assert_eq!(server.home.artel(&["backup", "x.db"], &[nowhere]).code, Some(1));
    let postgres = ("DATABASE_URL", "postgres://artel@127.0.0.1:1/artel");
    let ran = server.home.artel(&["backup", "x.db"], &[postgres]);
    assert!(ran.stderr.contains("pg_dump"), "{ran:?}");
}

//! What tests of the arena stand on: an arena of their own, on either database, with a clock that
//! they drive.

use std::{env, fmt::Debug, future::Future, path::PathBuf, time::Duration};

use arena::{
    Arena, Clock, Device, Error, LobbyChair, LobbyMessage, Millis, Options, Principal, Refused,
    Secret, User, UserId,
};
use games::Kind;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::time::{sleep, timeout};

/// When every test begins.
pub(crate) const START: Millis = 1_790_000_000_000;
pub(crate) const JWT_SECRET: &str = "a secret that only tests ever use";
pub(crate) const BOT_TOKEN: &str = "1234567890:ARTEL-synthetic-test-token-not-real";
/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes a test twice: `both! { async fn name(test: &TestArena) { … } }` is `name::sqlite` and
/// `name::postgres`. The second needs `ARTEL_TEST_POSTGRES`, the address of a superuser on a
/// throw-away cluster, and says so when it is not set.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($test:ident: &TestArena) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;
            use crate::support::TestArena;

            async fn check($test: &TestArena) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let test = TestArena::sqlite().await;
                check(&test).await;
                test.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(test) = TestArena::postgres().await else { return };
                check(&test).await;
                test.end().await;
            }
        }
    )*};
}
pub(crate) use both;

/// An arena on a database of its own.
pub(crate) struct TestArena {
    pub(crate) arena: Arena,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    home: Home,
}

/// Where the database is.
enum Home {
    /// In a folder of its own.
    Sqlite(PathBuf),
    Postgres {
        cluster: String,
        schema: String,
    },
}

impl TestArena {
    pub(crate) async fn sqlite() -> TestArena {
        let folder = env::temp_dir().join(format!("artel-test-{:016x}", rand::random::<u64>()));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}/artel.db", folder.display());
        TestArena::open(url, None, Home::Sqlite(folder)).await
    }

    /// Nothing without a cluster to test on.
    pub(crate) async fn postgres() -> Option<TestArena> {
        let cluster = var("ARTEL_TEST_POSTGRES")?;
        let schema = format!("t_{:016x}", rand::random::<u64>());
        run_postgres(&cluster, format!("create schema {schema}")).await;
        let joint = if cluster.contains('?') { '&' } else { '?' };
        let url = format!("{cluster}{joint}options=-csearch_path%3D{schema}");
        // With it there may be other processes.
        let redis = env::var("ARTEL_TEST_REDIS").ok().map(Secret::new);
        Some(TestArena::open(url, redis, Home::Postgres { cluster, schema }).await)
    }

    /// On PostgreSQL, and with Redis, whose address comes along.
    pub(crate) async fn with_redis() -> Option<(TestArena, String)> {
        let redis = var("ARTEL_TEST_REDIS")?;
        Some((TestArena::postgres().await?, redis))
    }

    async fn open(database_url: String, redis_url: Option<Secret>, home: Home) -> TestArena {
        let options = Options {
            database_url,
            redis_url,
            machine: None,
            jwt_secret: Some(Secret::new(JWT_SECRET)),
            telegram_token: Some(Secret::new(BOT_TOKEN)),
            init_data_max_age: Duration::from_secs(86_400),
            init_data_max_ahead: Duration::from_secs(60),
            sign_in: Default::default(),
        };
        let clock = Clock::manual(START);
        let arena = Arena::open(options.clone(), clock.clone()).await.unwrap();
        TestArena { arena, clock, options, home }
    }

    /// Whether there may be other processes.
    pub(crate) fn has_others(&self) -> bool {
        self.options.redis_url.is_some()
    }

    /// Another process over the same database, where there may be several; else the same.
    pub(crate) async fn another(&self) -> Arena {
        match self.has_others() {
            true => Arena::open(self.options.clone(), self.clock.clone()).await.unwrap(),
            false => self.arena.clone(),
        }
    }

    /// Another process over the same database, with Redis at this address.
    pub(crate) async fn another_by(&self, redis: &str) -> Arena {
        let redis_url = Some(Secret::new(redis));
        let options = Options { redis_url, ..self.options.clone() };
        Arena::open(options, self.clock.clone()).await.unwrap()
    }

    /// Closes another process; the same goes on.
    pub(crate) async fn leave(&self, other: Arena) {
        if !std::ptr::eq(&*other, &*self.arena) {
            other.close().await;
        }
    }

    /// The next run of the server. Ours is over.
    pub(crate) async fn next_run(&self) -> Arena {
        self.arena.close().await;
        Arena::open(self.options.clone(), self.clock.clone()).await.unwrap()
    }

    /// Closes the arena and drops its database.
    pub(crate) async fn end(self) {
        self.arena.close().await;
        if let Home::Postgres { cluster, schema } = &self.home {
            run_postgres(cluster, format!("drop schema {schema} cascade")).await;
        }
    }

    /// Runs SQL beside the arena.
    pub(crate) async fn sql(&self, text: impl Into<String>) {
        match &self.home {
            Home::Sqlite(_) => {
                let address = &self.options.database_url;
                let mut database = SqliteConnection::connect(address).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(text.into())).execute(&mut database).await.unwrap();
                database.close().await.unwrap();
            }
            Home::Postgres { .. } => run_postgres(&self.options.database_url, text.into()).await,
        }
    }

    /// What a query of one number answers.
    pub(crate) async fn count(&self, text: impl Into<String>) -> i64 {
        let text = AssertSqlSafe(text.into());
        match &self.home {
            Home::Sqlite(_) => {
                let address = &self.options.database_url;
                let mut database = SqliteConnection::connect(address).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
            }
            Home::Postgres { .. } => {
                let mut database = PgConnection::connect(&self.options.database_url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
            }
        }
    }

    /// Somebody new, by way of Telegram, which costs no password hashing.
    pub(crate) async fn player(&self, name: &str) -> User {
        self.player_of(&self.arena, name).await.0
    }

    /// Somebody new with their sign-in.
    pub(crate) async fn player_of(&self, arena: &Arena, name: &str) -> (User, Principal) {
        let id = rand::random_range(1..1i64 << 52);
        let user = serde_json::json!({ "id": id, "first_name": name }).to_string();
        let init_data = signed(&[("user", &user), ("auth_date", &seconds(self.clock.now()))]);
        let session = arena.telegram_sign_in(&init_data, &Device::default()).await.unwrap();
        let principal = arena.authenticate(&session.access_token).unwrap();
        (session.user, principal)
    }

    /// Gives somebody a rating in Pong, as if from matches just played.
    pub(crate) async fn rate(&self, user: UserId, rating: f64, deviation: f64) {
        let (id, now) = (user.0, self.clock.now());
        self.sql(format!(
            "insert into ratings values ({id}, 'pong', {rating}, {deviation}, 0.06, \
             3, 2, 1, 1, 2, {now})"
        ))
        .await;
    }
}

impl Drop for TestArena {
    fn drop(&mut self) {
        if let Home::Sqlite(folder) = &self.home {
            // A test that failed already says more than this could.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

async fn run_postgres(url: &str, text: String) {
    let mut database = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// A service to test with; says so when there is none.
fn var(name: &str) -> Option<String> {
    let value = env::var(name).ok().filter(|it| !it.is_empty());
    if value.is_none() {
        #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
        {
            eprintln!("{name} is not set: skipped what needs it");
        }
    }
    value
}

pub(crate) fn device() -> Device {
    Device { user_agent: "a test".into(), ..Device::default() }
}

pub(crate) fn seconds(moment: Millis) -> String {
    (moment / 1000).to_string()
}

/// Init data with these fields, signed with the tests' bot token.
pub(crate) fn signed(fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let check: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = mac(b"WebAppData", BOT_TOKEN.as_bytes());
    let hash: String =
        mac(&key, check.join("\n").as_bytes()).iter().map(|it| format!("{it:02x}")).collect();
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("hash", &hash)
        .finish()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// What a call was refused with.
#[track_caller]
pub(crate) fn refused<T: Debug>(answer: Result<T, Error>) -> Refused {
    match answer {
        Err(Error::Refused(refused)) => refused,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The next message.
pub(crate) async fn heard(chair: &mut LobbyChair) -> LobbyMessage {
    loop {
        let heard = timeout(PATIENCE, chair.recv()).await.expect("nothing was heard");
        let heard = heard.expect("the chair is gone");
        // These tests are about the queue of Pong.
        if !matches!(&heard, LobbyMessage::QueueUpdate(it) if it.game != Kind::Pong) {
            return heard;
        }
    }
}

/// Waits for a state of things.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("it never came about that {what}"));
}

/// What must come, soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it never came")
}

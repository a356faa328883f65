//! Where a server runs, and short runs of the binary.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::JWT_SECRET;

/// A folder to run in and a database, both gone when this is.
pub(crate) struct Home {
    folder: PathBuf,
    database_url: String,
    /// The cluster, and our part of it.
    schema: Option<(String, String)>,
}

impl Home {
    pub(crate) fn sqlite() -> Home {
        let folder = env::temp_dir().join(format!("artel-test-{:016x}", rand::random::<u64>()));
        fs::create_dir(&folder).unwrap();
        let database_url = format!("sqlite://{}/artel.db", folder.display());
        Home { folder, database_url, schema: None }
    }

    /// Nothing without a cluster to test on.
    pub(crate) async fn postgres() -> Option<Home> {
        let Ok(cluster) = env::var("ARTEL_TEST_POSTGRES") else {
            println!("ARTEL_TEST_POSTGRES is not set: not tested on PostgreSQL");
            return None;
        };
        let schema = format!("t_{:016x}", rand::random::<u64>());
        let mut database = PgConnection::connect(&cluster).await.unwrap();
        let create = AssertSqlSafe(format!("create schema {schema}"));
        sqlx::raw_sql(create).execute(&mut database).await.unwrap();
        let joint = if cluster.contains('?') { '&' } else { '?' };
        let database_url = format!("{cluster}{joint}options=-csearch_path%3D{schema}");
        let mut home = Home::sqlite();
        (home.database_url, home.schema) = (database_url, Some((cluster, schema)));
        Some(home)
    }

    /// A folder of its own over the same database, for another process.
    pub(crate) fn beside(&self) -> Home {
        let mut home = Home::sqlite();
        home.database_url.clone_from(&self.database_url);
        home
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    fn is_postgres(&self) -> bool {
        self.database_url.starts_with("postgres")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The binary, with nothing in its environment but what a test needs.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_artel"));
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("DATABASE_URL", &self.database_url)
            .env("JWT_SECRET", JWT_SECRET)
            .env("ARTEL_LISTEN", "127.0.0.1:0")
            .env("ARTEL_METRICS_LISTEN", "off")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn artel(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let variables = variables.iter().copied();
        Ran::from(self.command().args(arguments).envs(variables).output().unwrap())
    }

    /// Runs SQL beside the server.
    pub(crate) async fn sql(&self, text: &str) {
        let text = AssertSqlSafe(text.to_owned());
        if self.is_postgres() {
            let mut database = PgConnection::connect(&self.database_url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut database).await.unwrap();
        } else {
            let mut database = SqliteConnection::connect(&self.database_url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut database).await.unwrap();
        }
    }

    /// A number that SQL finds beside the server.
    pub(crate) async fn number(&self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        if self.is_postgres() {
            let mut database = PgConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
        } else {
            let mut database = SqliteConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A test that failed already says more than these could.
        let _ = fs::remove_dir_all(&self.folder);
        let Some((cluster, schema)) = self.schema.take() else { return };
        let work = async move {
            let mut database = PgConnection::connect(&cluster).await?;
            let drop = AssertSqlSafe(format!("drop schema {schema} cascade"));
            sqlx::raw_sql(drop).execute(&mut database).await
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = thread::spawn(move || runtime().map(|it| it.block_on(work).map(drop))).join();
    }
}

/// How a run of the binary went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Ran { code: output.status.code(), stdout, stderr }
    }
}

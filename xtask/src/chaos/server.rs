//! The server that is stopped and started: always on the same port and over the same database.

use std::{
    fs::{self, File, OpenOptions},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    bench::server::{ORIGIN, TOKEN},
    child::Child,
    folder::Folder,
};

/// How long the server may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// How many lines of the log are shown.
const COMPLAINTS_MAX: usize = 20;

pub(crate) struct Server {
    program: PathBuf,
    folder: Folder,
    database: String,
    /// More for its environment.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Port 0 until it was started.
    pub(crate) address: SocketAddr,
    process: Option<Child>,
}

impl Server {
    pub(crate) fn new(program: PathBuf, database: Option<&str>) -> Result<Server> {
        let folder = Folder::create("chaos")?;
        let file = || format!("sqlite://{}/artel.db", folder.path.display());
        let database = database.map_or_else(file, str::to_owned);
        let address = ([127, 0, 0, 1], 0).into();
        Ok(Server { program, folder, database, variables: Vec::new(), address, process: None })
    }

    /// Starts it and waits until it serves.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let mut process = self.spawn()?;
        let said =
            timeout(START_MAX, process.line()).await.context("it took too long to start")??;
        let Some((_, address)) = said.split_once("http://") else {
            bail!("the server didn't start:\n{}", self.complaints());
        };
        self.address = address.parse().context("the server's address")?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts it and kills it, perhaps before it serves.
    pub(crate) async fn start_and_kill(&self, after: Duration) -> Result<()> {
        let process = self.spawn()?;
        sleep(after).await;
        process.end("KILL").await.map(drop)
    }

    /// Ends it by a signal.
    pub(crate) async fn end(&mut self, signal: &str) -> Result<ExitStatus> {
        self.process.take().context("the server is not running")?.end(signal).await
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> Result<u32> {
        self.process.as_ref().and_then(Child::id).context("the server is not running")
    }

    /// Sends it a signal, and waits for nothing.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        self.process.as_ref().context("the server is not running")?.signal(name);
        Ok(())
    }

    /// Runs a match again as `artel replay verify` does, and gives what it complains about.
    pub(crate) async fn verify(&self, match_id: &str) -> Result<Option<String>> {
        let mut command = self.command();
        let output = command.args(["replay", "verify", match_id]).kill_on_drop(true).output();
        let output = output.await.context("running artel")?;
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((!output.status.success()).then_some(complaint))
    }

    /// The last lines of its log.
    pub(crate) fn complaints(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(COMPLAINTS_MAX)..].join("\n")
    }

    /// The lines of its log that should never be there.
    pub(crate) fn panics(&self) -> Vec<String> {
        let log = self.log();
        log.lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.path
    }

    pub(crate) fn into_folder(self) -> Folder {
        self.folder
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path.join("log")).unwrap_or_default()
    }

    fn spawn(&self) -> Result<Child> {
        let log: File =
            OpenOptions::new().create(true).append(true).open(self.folder.path.join("log"))?;
        Child::start(self.command().stdout(Stdio::piped()).stderr(log), "KILL")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            // Away from a `.env` file of the repository.
            .current_dir(&self.folder.path)
            .env("ARTEL_LISTEN", self.address.to_string())
            .env("PUBLIC_URL", ORIGIN)
            .env("DATABASE_URL", &self.database)
            .env("TELOXIDE_TOKEN", TOKEN)
            .env("TELEGRAM_API_URL", "http://127.0.0.1:9")
            .env("ARTEL_RATE_LIMITS", "off")
            .env("ARTEL_METRICS_LISTEN", "off")
            .env("RUST_LOG", "warn,teloxide=off,bot=off")
            .env_remove("REDIS_URL")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

//! The server that is measured: a process of its own, on a core of its own, on a new database.

use std::{
    ffi::OsStr,
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::sleep;

use crate::{child::Child, folder::Folder};

/// Nobody's bot: players sign in with it, and the bot it would run finds no Telegram.
pub(crate) const TOKEN: &str = "1:benchmark-benchmark-benchmark-bench";
/// Where the page would come from. The sockets say so too.
pub(crate) const ORIGIN: &str = "http://localhost:8080";

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// A running server. It is ended, and its files removed, when this is dropped.
pub(crate) struct Server {
    process: Child,
    pid: u32,
    pub(crate) address: SocketAddr,
    folder: Folder,
}

impl Server {
    /// Starts `binary` on one core and waits until it serves.
    pub(crate) async fn start(binary: &Path, core: usize) -> Result<Server> {
        let folder = Folder::create("bench")?;
        let mut command = tokio::process::Command::new("taskset");
        command
            .args(["-c", &core.to_string()])
            .arg(binary)
            // Away from a `.env` file of the repository.
            .current_dir(&folder.path)
            .env("ARTEL_LISTEN", "127.0.0.1:0")
            .env("PUBLIC_URL", ORIGIN)
            .env("DATABASE_URL", format!("sqlite://{}/artel.db", folder.path.display()))
            .env("TELOXIDE_TOKEN", TOKEN)
            .env("TELEGRAM_API_URL", "http://127.0.0.1:9")
            .env("ARTEL_RATE_LIMITS", "off")
            .env("ARTEL_METRICS_LISTEN", "off")
            .env("RUST_LOG", "warn,teloxide=off,bot=off")
            .env_remove("REDIS_URL")
            .stdout(File::create(folder.path.join("said"))?)
            .stderr(File::create(folder.path.join("log"))?);
        let process = Child::start(&mut command, "KILL")?;
        let pid = process.id().context("the server ended at once")?;
        let mut server = Server { process, pid, address: ([127, 0, 0, 1], 0).into(), folder };
        let started = Instant::now();
        while server.address.port() == 0 {
            sleep(Duration::from_millis(20)).await;
            if !server.process.is_running() || started.elapsed() > START {
                bail!("the server didn't start:\n{}", server.complaints());
            }
            let said = fs::read_to_string(server.folder.path.join("said"))?;
            if let Some((_, address)) = said.split_once("http://").filter(|_| said.ends_with('\n'))
            {
                server.address = address.trim().parse().context("the server's address")?;
            }
        }
        Ok(server)
    }

    /// The last lines of its log.
    pub(crate) fn complaints(&self) -> String {
        let log = fs::read_to_string(self.folder.path.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.context("the server is gone")?.parse().context("VmRSS")
    }
}

/// Puts this process, and what it starts later, on one core.
pub(crate) fn stay_on(core: usize) -> Result<()> {
    let pid = std::process::id().to_string();
    let done = run("taskset", &["-a", "-c", "-p", &core.to_string(), &pid])?;
    ensure!(done, "there is no core {core}: the server and the players need one each");
    Ok(())
}

/// Lets this thread run only when no other wants its core.
pub(crate) fn give_way() -> Result<()> {
    let this = fs::read_link("/proc/thread-self")?;
    let thread = this.file_name().and_then(OsStr::to_str).context("thread-self")?;
    ensure!(run("chrt", &["--idle", "--pid", "0", thread])?, "the watchers don't give way");
    Ok(())
}

/// Lets this process, and what it starts later, have so many files open at once.
pub(crate) fn open_files(needed: u64) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut limits = line.context("open files")?.split_whitespace().map(str::parse::<u64>);
    let mut next = || limits.next().and_then(Result::ok).context("open files");
    let (soft, hard) = (next()?, next()?);
    if soft >= needed {
        return Ok(());
    }
    let limit = needed.max(hard);
    let pid = std::process::id().to_string();
    ensure!(
        run("prlimit", &["--pid", &pid, &format!("--nofile={limit}:{limit}")])?,
        "{needed} files must be open at once and at most {hard} may be: raise `ulimit -Hn`",
    );
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<bool> {
    let mut command = Command::new(program);
    let status = command.args(arguments).stdout(Stdio::null()).status();
    Ok(status.with_context(|| format!("{program} (of util-linux)"))?.success())
}

/// CPU time used so far, in clock ticks.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    /// By the server.
    pub(crate) server: u64,
    /// By the players.
    pub(crate) players: u64,
    /// By all there is, on all cores.
    pub(crate) machine: u64,
}

impl CpuTime {
    pub(crate) fn now(server: &Server) -> Result<CpuTime> {
        Ok(CpuTime {
            server: process_ticks(&server.pid.to_string())?,
            players: process_ticks("self")?,
            machine: machine_ticks()?,
        })
    }
}

/// User and system time of a process.
pub(crate) fn process_ticks(process: &str) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name may hold anything, so we count from the bracket after it.
    let (_, fields) = stat.rsplit_once(')').context("stat")?;
    let mut times = fields.split_whitespace().skip(11);
    let mut next = || anyhow::Ok(times.next().context("stat")?.parse::<u64>()?);
    Ok(next()? + next()?)
}

/// Time that no core was idle or waiting for a disk.
fn machine_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields = stat.lines().next().context("stat")?.split_whitespace().skip(1).take(8);
    let busy = fields.enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    busy.map(|(_, ticks)| Ok(ticks.parse::<u64>()?)).sum()
}

/// How many ticks there are in a second.
pub(crate) fn ticks_per_second() -> Result<f64> {
    let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf")?;
    String::from_utf8(output.stdout)?.trim().parse().context("CLK_TCK")
}

//! Processes that end when we do, with all that they started.

use std::{
    process::{ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{ChildStdout, Command},
};

/// How long a process may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(8);

/// A process and its group. Dropping it ends them all.
pub(crate) struct Child {
    process: tokio::process::Child,
    group: Option<u32>,
    stop_signal: &'static str,
    /// What it says, where that is piped: kept open, so that it can go on speaking.
    output: Option<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts a command in a group of its own, to be ended by `stop_signal` (`TERM`, `INT` …).
    pub(crate) fn start(command: &mut Command, stop_signal: &'static str) -> Result<Child> {
        let mut process = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", name(command)))?;
        let group = process.id();
        let output = process.stdout.take().map(BufReader::new);
        Ok(Child { process, group, stop_signal, output })
    }

    /// The next line that it prints; empty when it ended without one.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(output) = &mut self.output {
            output.read_line(&mut line).await?;
        }
        Ok(line.trim_end().to_owned())
    }

    /// The process's number, unless it has ended.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        if let Some(group) = self.group {
            signal(group, name);
        }
    }

    /// Sends it a signal, and waits until it has ended.
    pub(crate) async fn end(self, name: &str) -> Result<ExitStatus> {
        self.signal(name);
        self.wait().await
    }

    async fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.process.wait().await?)
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(group) = self.group.filter(|_| self.is_running()) else { return };
        signal(group, self.stop_signal);
        let started = Instant::now();
        while self.is_running() && started.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(20));
        }
        if self.is_running() {
            signal(group, "KILL");
        }
    }
}

/// Signals a group. The shell does it, because the standard library can't and this is safe code.
fn signal(group: u32, name: &str) {
    let kill = format!("kill -s {name} -- -{group} 2>/dev/null");
    let _ = std::process::Command::new("sh").args(["-c", &kill]).status();
}

/// Runs a command to its end, which must be a success.
pub(crate) async fn run(command: &mut Command) -> Result<()> {
    let status = Child::start(command, "TERM")?.wait().await?;
    if !status.success() {
        bail!("`{}` failed ({status})", name(command));
    }
    Ok(())
}

/// The command line, as one would type it.
fn name(command: &Command) -> String {
    let command = command.as_std();
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

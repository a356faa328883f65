//! `cargo xtask test`: everything that must hold, in order, up to the first thing that does not.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use tokio::process::Command;

use crate::{
    child,
    services::Services,
    tools::{self, Needs},
    types,
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave the browser tests out.
    #[arg(long)]
    no_browser: bool,
    /// Run this step alone (with the build, where it needs one). May be repeated.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
}

/// The steps, in the order that they run in: the quick to fail come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Step {
    Format,
    Deny,
    Clippy,
    Tsc,
    Node,
    Build,
    Types,
    Rust,
    Doc,
    Browser,
}

impl Step {
    fn about(self) -> &'static str {
        match self {
            Step::Format => "formatting of the Rust code",
            Step::Deny => "licences, sources and known holes of what is built in",
            Step::Clippy => "lints of the Rust code",
            Step::Tsc => "types of the browser's code",
            Step::Node => "tests of the browser's code in Node.js",
            Step::Build => "building the server and the tests",
            Step::Types => "webapp/wire.d.ts is what the server says",
            Step::Rust => "tests of the Rust code, on SQLite, PostgreSQL and Redis",
            Step::Doc => "examples in the documentation",
            Step::Browser => "people play in Chromium",
        }
    }

    fn name(self) -> String {
        self.to_possible_value().expect("no step is hidden").get_name().to_owned()
    }
}

impl Options {
    fn steps(&self) -> Vec<Step> {
        let wants = |step: Step| self.only.is_empty() || self.only.contains(&step);
        let mut steps: Vec<_> =
            Step::value_variants().iter().copied().filter(|s| wants(*s)).collect();
        steps.retain(|step| !(self.no_browser && *step == Step::Browser));
        // What is built last is what the others run.
        let built = [Step::Types, Step::Browser];
        if steps.iter().any(|step| built.contains(step)) && !steps.contains(&Step::Build) {
            steps.push(Step::Build);
            steps.sort();
        }
        steps
    }
}

/// `cargo xtask test`.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    let steps = options.steps();
    let has = |wanted: &[Step]| steps.iter().any(|step| wanted.contains(step));
    tools::ensure(Needs {
        lints: has(&[Step::Format, Step::Clippy]),
        services: has(&[Step::Rust]),
        node: has(&[Step::Tsc, Step::Node, Step::Types, Step::Browser]),
        browser: has(&[Step::Browser]),
    })
    .await?;

    let mut times = vec![("tools".to_owned(), started.elapsed())];
    for step in steps {
        println!("\n━━ {}: {}", step.name(), step.about());
        let begun = Instant::now();
        run_step(step).await.with_context(|| format!("the step `{}`", step.name()))?;
        times.push((step.name(), begun.elapsed()));
        println!("━━ {}: {}", step.name(), seconds(begun.elapsed()));
    }

    println!();
    for (step, time) in times {
        println!("{:>8}  {step}", seconds(time));
    }
    println!("{:>8}  in all. Everything holds.", seconds(started.elapsed()));
    Ok(())
}

async fn run_step(step: Step) -> Result<()> {
    match step {
        Step::Format => child::run(&mut cargo(&["fmt", "--all", "--check"])).await,
        Step::Deny => deny().await,
        Step::Clippy => {
            let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
            child::run(&mut cargo(&arguments)).await
        }
        Step::Tsc => {
            child::run(Command::new("webapp/node_modules/.bin/tsc").args(["-p", "webapp"])).await
        }
        Step::Node => node_tests("webapp/tests").await,
        Step::Build => {
            let mut command = rust_tests();
            child::run(command.arg("--no-run")).await
        }
        Step::Types => types::check().await,
        Step::Rust => {
            let services = Services::start().await?;
            let mut command = rust_tests();
            child::run(command.envs(services.variables.iter().cloned())).await
        }
        Step::Doc => child::run(&mut cargo(&["test", "--workspace", "--doc", "--quiet"])).await,
        Step::Browser => node_tests("webapp/tests/browser").await,
    }
}

/// What deny.toml says of the crates that are built in. Building the tool takes minutes, so it is
/// used where it is; the advisories need their database, which not every machine can reach.
async fn deny() -> Result<()> {
    if tools::on_path("cargo-deny").is_none() {
        println!(
            "cargo-deny is missing: nothing is checked. Run: cargo install --locked cargo-deny"
        );
        return Ok(());
    }
    child::run(&mut cargo(&["deny", "check", "licenses", "bans", "sources"])).await?;
    if !cargo(&["deny", "fetch", "db"]).status().await?.success() {
        println!("The database of advisories can't be reached: they are not checked.");
        return Ok(());
    }
    child::run(&mut cargo(&["deny", "check", "advisories"])).await
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments);
    command
}

/// All tests in Rust but those in documentation: by nextest, where it is installed.
fn rust_tests() -> Command {
    match tools::on_path("cargo-nextest") {
        Some(_) => cargo(&["nextest", "run", "--workspace"]),
        None => cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]),
    }
}

/// Runs every `*.test.js` of a folder, each in a process of its own.
async fn node_tests(folder: &str) -> Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {folder}"))? {
        files.push(entry?.path());
    }
    files.retain(|file| file.to_string_lossy().ends_with(".test.js"));
    files.sort();
    if files.is_empty() {
        bail!("{folder} holds no tests");
    }
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).args(files);
    node.env("ARTEL_TEST_PROGRAMS", types::binary("")?);
    node.envs(tools::chromium().map(|path| ("ARTEL_TEST_CHROMIUM", path)));
    child::run(&mut node).await
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

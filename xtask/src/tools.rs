//! The tools that tests need beside Rust's: where they are, and how to get those that are missing.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::child;

/// Something that tests call, and where it comes from.
struct Tool {
    name: &'static str,
    /// Debian's package.
    package: &'static str,
    find: fn() -> Option<PathBuf>,
}

const POSTGRES: Tool = Tool {
    name: "PostgreSQL's server",
    package: "postgresql",
    find: || postgres("initdb").and(postgres("postgres")),
};
const REDIS: Tool =
    Tool { name: "Redis", package: "redis-server", find: || on_path("redis-server") };
const NODE: Tool = Tool { name: "Node.js", package: "nodejs", find: || on_path("node") };
const NPM: Tool = Tool { name: "npm", package: "npm", find: || on_path("npm") };
const CHROMIUM: Tool = Tool { name: "Chromium", package: "chromium", find: chromium };

/// What a task is about to use.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs {
    /// rustfmt and clippy.
    pub(crate) lints: bool,
    /// PostgreSQL and Redis.
    pub(crate) services: bool,
    /// Node.js with the packages of webapp/package-lock.json.
    pub(crate) node: bool,
    /// Chromium.
    pub(crate) browser: bool,
}

/// Makes sure that all of it is there: installs what is missing where it may, else says how to.
pub(crate) async fn ensure(needs: Needs) -> Result<()> {
    let mut wanted = Vec::new();
    if needs.services {
        wanted.extend([POSTGRES, REDIS]);
    }
    if needs.node {
        wanted.extend([NODE, NPM]);
    }
    if needs.browser {
        wanted.push(CHROMIUM);
    }
    wanted.retain(|tool| (tool.find)().is_none());
    if !wanted.is_empty() {
        install(&wanted).await?;
    }
    if needs.lints {
        for part in ["fmt", "clippy"] {
            let found = Command::new("cargo").args([part, "--version"]).output().await?;
            if !found.status.success() {
                bail!("`cargo {part}` is missing. Run: rustup component add rustfmt clippy");
            }
        }
    }
    if needs.node {
        npm_packages().await?;
    }
    Ok(())
}

async fn install(missing: &[Tool]) -> Result<()> {
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    if !Path::new("/etc/debian_version").exists() {
        bail!(
            "missing: {names}. Install them with your system's package manager \
             (Debian calls them {})",
            packages.join(" ")
        );
    }
    if !is_root() {
        bail!("missing: {names}. Run: sudo apt-get install {}", packages.join(" "));
    }
    println!("Installing {names}");
    child::run(&mut apt(&["update", "--quiet"])).await?;
    let mut command = apt(&["install", "--yes", "--quiet", "--no-install-recommends"]);
    child::run(command.args(packages)).await?;
    match missing.iter().find(|tool| (tool.find)().is_none()) {
        None => Ok(()),
        Some(tool) => bail!("{} is still missing after installing {}", tool.name, tool.package),
    }
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Installs the packages of the lock file, unless exactly they are there.
async fn npm_packages() -> Result<()> {
    let changed = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    let installed = changed("webapp/node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("webapp/package-lock.json") {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--prefix", "webapp", "--no-audit", "--no-fund", "--loglevel", "error"]);
    child::run(&mut npm).await
}

/// One of PostgreSQL's programs. Debian keeps the server's away from `PATH`.
pub(crate) fn postgres(program: &str) -> Option<PathBuf> {
    on_path(program).or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let newest =
            versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max()?;
        let path = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin/{program}"));
        path.is_file().then_some(path)
    })
}

/// A browser of Chromium's family; `ARTEL_TEST_CHROMIUM` names another.
pub(crate) fn chromium() -> Option<PathBuf> {
    const NAMES: [&str; 5] = [
        "chromium",
        "chromium-headless-shell",
        "chromium-browser",
        "google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    match env::var_os("ARTEL_TEST_CHROMIUM") {
        Some(path) => Some(path.into()),
        None => NAMES.into_iter().find_map(on_path),
    }
}

/// Where a program is, if it is there.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether we run as root, who may install packages and may not run PostgreSQL.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

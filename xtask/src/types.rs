//! webapp/wire.d.ts: the server's types as the browser's code sees them.

use std::{env, fs, path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{
    child,
    tools::{self, Needs},
};

const WIRE: &str = "webapp/wire.d.ts";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only say whether the file is what it should be.
    #[arg(long)]
    check: bool,
}

/// `cargo xtask types`.
pub(crate) async fn run(options: &Options) -> Result<()> {
    tools::ensure(Needs { node: true, ..Needs::default() }).await?;
    build_app().await?;
    if options.check {
        return check().await;
    }
    fs::write(WIRE, generate().await?)?;
    println!("Wrote {WIRE}");
    Ok(())
}

/// Builds the server as tests do, so that neither builds it again for the other.
pub(crate) async fn build_app() -> Result<()> {
    let mut cargo = Command::new("cargo");
    child::run(cargo.args(["build", "--quiet", "--workspace", "--bin", "artel"])).await
}

/// Fails when the file is not what the server that was built last says.
pub(crate) async fn check() -> Result<()> {
    if fs::read(WIRE).unwrap_or_default() != generate().await? {
        bail!("{WIRE} is stale. Run `cargo xtask types` and commit the file");
    }
    Ok(())
}

async fn generate() -> Result<Vec<u8>> {
    let document = binary("artel")?.with_file_name("openapi.json");
    let openapi = output(Command::new(binary("artel")?).arg("openapi")).await?;
    fs::write(&document, openapi)?;
    output(Command::new("webapp/node_modules/.bin/openapi-typescript").arg(&document)).await
}

/// What a command prints.
async fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stderr(Stdio::inherit()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({})", output.status);
    }
    Ok(output.stdout)
}

/// A program that cargo built beside this one.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

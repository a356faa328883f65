//! `cargo xtask shots`: shots of billiards for the page. Random ones and where the server says that
//! their balls are, for the test of the page that evaluates the same motions; or a file of
//! reference runs with ours beside them, to be opened at `/shots`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, anyhow};
use games::billiards::physics::{
    Laws, check,
    reference::{self, File, Played},
    simulate,
};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many random shots.
    #[arg(long, default_value_t = 100)]
    shots: u64,
    /// At how many instants of each.
    #[arg(long, default_value_t = 1_000)]
    instants: u32,
    /// Instead, print this file of reference runs, with ours in each as `ours`.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Of it, only runs by these laws.
    #[arg(long, value_name = "NAME", requires = "reference")]
    law: Vec<String>,
    /// Of it, only scenarios and breaks of these ids.
    #[arg(long, value_name = "ID", requires = "reference")]
    only: Vec<String>,
}

/// Prints a shot a line: its `path` as it goes over the wire, and `at`: `[t, ball, x, y, wx, wy,
/// wz]`, each ball in its turn. Or the reference's file.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(path) = &options.reference {
        let json = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let file = with_ours(&json, &options.law, &options.only);
        return print(&file.with_context(|| path.display().to_string())?);
    }
    for number in 0..options.shots {
        println!("{}", shot(number, options.instants));
    }
    Ok(())
}

fn shot(number: u64, instants: u32) -> Value {
    let check::Try { table, spec, balls, strike, .. } = check::random(number);
    let shot = simulate(&table, &spec, &balls, Some(&strike), &Laws::play());
    let at = (0..instants).map(|instant| {
        let t = shot.rest * f64::from(instant) / f64::from(instants);
        let index = instant as usize % balls.len();
        let ball = shot.at(index, t);
        let ([x, y], [wx, wy, wz]) = (ball.r, ball.w);
        json!([t, index, x, y, wx, wy, wz])
    });
    let at: Vec<Value> = at.collect();
    json!({ "path": shot, "at": at })
}

/// The lists of runs in a reference's file.
const LISTS: [&str; 2] = ["scenarios", "breaks"];
/// What else of it the page reads.
const KEPT: [&str; 3] = ["about", "ball_params", "tables"];
/// And of a run.
const OF_RUNS: [&str; 6] = ["events", "final", "ours", "sensitivity", "suggested_tol", "t_rest"];

/// What the page reads of the file, with `ours`, a shot's message, in each run that we play.
fn with_ours(json: &str, laws: &[String], only: &[String]) -> Result<Value> {
    let file = File::read(json).map_err(|error| anyhow!(error))?;
    let mut whole: Value = serde_json::from_str(json)?;
    for Played { list, at, variant, shot } in reference::played(&file).map_err(|it| anyhow!(it))? {
        let run = whole.pointer_mut(&format!("/{list}/{at}/runs/{variant}"));
        if let Some(Value::Object(run)) = run {
            run.insert("ours".into(), serde_json::to_value(shot)?);
        }
    }
    let Value::Object(mut whole) = whole else { return Err(anyhow!("it is not an object")) };
    whole.retain(|name, _| LISTS.contains(&name.as_str()) || KEPT.contains(&name.as_str()));
    for name in LISTS {
        let Some(Value::Array(entries)) = whole.get_mut(name) else { continue };
        entries.retain(|it| only.is_empty() || only.iter().any(|id| it["id"] == **id));
        for entry in entries {
            let Some(runs) = entry["runs"].as_object_mut() else { continue };
            runs.retain(|name, _| laws.is_empty() || laws.contains(name));
            for run in runs.values_mut().filter_map(Value::as_object_mut) {
                run.retain(|name, _| OF_RUNS.contains(&name.as_str()));
            }
        }
    }
    Ok(Value::Object(whole))
}

/// Prints the file with an entry a line.
fn print(file: &Value) -> Result<()> {
    let Value::Object(parts) = file else { return Err(anyhow!("the file is not an object")) };
    let parts = parts.iter().map(|(name, value)| {
        let Some(list) = value.as_array() else { return format!("{}:{value}", json!(name)) };
        let lines: Vec<String> = list.iter().map(Value::to_string).collect();
        format!("{}:[\n{}\n]", json!(name), lines.join(",\n"))
    });
    let parts: Vec<String> = parts.collect();
    println!("{{{}}}", parts.join(",\n"));
    Ok(())
}

//! `cargo xtask bench billiards`: whether our physics agrees with a reference's, how long a break
//! takes, and what can go wrong in many random shots.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Instant};

use anyhow::{Context as _, Result, anyhow};
use games::billiards::physics::{
    Laws,
    reference::{self, Compared, File, Outcome},
    simulate,
};

use super::random;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Compare with the runs in this file, and time its breaks.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Play so many random shots with every set of laws, and report what holds of them.
    #[arg(long, value_name = "N")]
    random: Option<u32>,
    /// Say of everything that differs how it differs.
    #[arg(long)]
    verbose: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    if let Some(path) = &options.reference {
        let json = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let file = File::read(&json).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        time_breaks(&file)?;
        report(&reference::compare(&file), options.verbose);
    }
    if let Some(shots) = options.random {
        random::run(shots);
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    agree: usize,
    differ: usize,
    flagged: usize,
    not_offered: usize,
}

fn report(all: &[Compared], verbose: bool) {
    let mut groups: BTreeMap<&str, Count> = BTreeMap::new();
    let mut why = Vec::new();
    for Compared { group, name, outcome } in all {
        let count = groups.entry(group).or_default();
        match outcome {
            Outcome::Agrees => count.agree += 1,
            Outcome::Differs(reason) => {
                count.differ += 1;
                why.push(format!("  differs: {group} {name}: {reason}"));
            }
            Outcome::Flagged(reason) => {
                count.flagged += 1;
                why.push(format!("  flagged: {group} {name}: {reason}"));
            }
            Outcome::NotOffered => count.not_offered += 1,
        }
    }
    let (mut agree, mut of) = (0, 0);
    for (group, count) in &groups {
        let mut line = format!("{group}: {} of {} agree", count.agree, count.agree + count.differ);
        if count.flagged > 0 {
            line += &format!(", {} flagged and not counted", count.flagged);
        }
        if count.not_offered > 0 {
            line = format!("{group}: {} not offered", count.not_offered);
        }
        println!("{line}");
        agree += count.agree;
        of += count.agree + count.differ;
    }
    let most = if verbose { usize::MAX } else { 20 };
    for line in why.iter().take(most) {
        println!("{line}");
    }
    if why.len() > most {
        println!("  … and {} more, see --verbose", why.len() - most);
    }
    println!("{agree} of {of} agree");
}

/// How often each break is played to time it.
const ROUNDS: usize = 401;

/// Times each break of the file to rest, on this thread.
fn time_breaks(file: &File) -> Result<()> {
    let mut games: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for of in &file.breaks {
        let setup = reference::setup(file, of).map_err(|error| anyhow!(error))?;
        for laws in [Laws::default_laws(), Laws::play()] {
            let mut took = Vec::with_capacity(ROUNDS);
            let mut events = 0;
            for _ in 0..ROUNDS {
                let start = Instant::now();
                let shot =
                    simulate(&setup.table, &setup.spec, &setup.balls, setup.strike.as_ref(), &laws);
                took.push(start.elapsed().as_secs_f64() * 1e3);
                events = shot.events.len();
            }
            took.sort_by(f64::total_cmp);
            let median = took[took.len() / 2];
            println!("{} {} {}: {median:.3} ms, {events} events", of.game, of.id, laws.name);
            games.entry(&of.game).or_default().push(median);
        }
    }
    for (game, mut medians) in games {
        medians.sort_by(f64::total_cmp);
        println!("{game} break to rest: {:.3} ms in the median", medians[medians.len() / 2]);
    }
    Ok(())
}

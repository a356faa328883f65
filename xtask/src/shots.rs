//! `cargo xtask shots`: random shots of billiards and where the server says that their balls are,
//! for the test of the page that evaluates the same motions.

use games::billiards::physics::{Laws, check, simulate};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many shots.
    #[arg(long, default_value_t = 100)]
    shots: u64,
    /// At how many instants of each.
    #[arg(long, default_value_t = 1_000)]
    instants: u32,
}

/// Prints a shot a line: its `path` as it goes over the wire, and `at`: `[t, ball, x, y, wx, wy,
/// wz]`, each ball in its turn.
pub(crate) fn run(options: &Options) {
    for number in 0..options.shots {
        println!("{}", shot(number, options.instants));
    }
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

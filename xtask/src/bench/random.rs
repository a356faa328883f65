//! Random breaks and shots with every set of laws, watched for what must never be.

use std::time::Instant;

use games::billiards::physics::{
    Laws,
    check::{self, Worst},
    simulate,
};

/// What is too much: a micrometre of overlap, a nanojoule of energy.
const OVERLAP: f64 = 1e-6;
const GAINED: f64 = 1e-9;
/// How many take more events than these: from 150 on, what lasts less than a moment is over at
/// once, and the moment grows; nearly none should take more than 300.
const EVENTS: [usize; 5] = [150, 200, 225, 250, 300];

/// How far contacts and places may be off, in metres. The reference's laws move things that touch
/// until they are a micrometre apart; the middle between two balls goes 5 micrometres at the most,
/// but two that graze each other in opposite directions go farther, each its way.
fn may_be_off(laws: &Laws) -> f64 {
    if laws.reference { 1e-4 } else { 1e-9 }
}

pub(super) fn run(shots: u32) {
    for laws in Laws::ALL {
        let (mut breaks, mut open) = (Seen::default(), Seen::default());
        for number in 0..u64::from(shots) {
            let random = check::random(number);
            let start = Instant::now();
            let shot =
                simulate(&random.table, &random.spec, &random.balls, Some(&random.strike), &laws);
            let seconds = start.elapsed().as_secs_f64();
            let worst = check::watch(&shot, &random.table, &laws);
            let seen = if random.is_break { &mut breaks } else { &mut open };
            seen.add(number, worst, seconds, may_be_off(&laws));
        }
        breaks.print(&laws, "breaks");
        open.print(&laws, "shots");
    }
}

#[derive(Default)]
struct Seen {
    worst: Worst,
    events: Vec<usize>,
    seconds: f64,
    bad: Vec<u64>,
}

impl Seen {
    fn add(&mut self, number: u64, worst: Worst, seconds: f64, off: f64) {
        let bad = worst.overlap > OVERLAP
            || worst.gained > GAINED
            || worst.false_contact > off
            || worst.jump > off
            || worst.left > 0
            || worst.moving > 0;
        if bad {
            self.bad.push(number);
        }
        self.events.push(worst.events);
        self.seconds += seconds;
        self.worst = self.worst.or(worst);
    }

    fn print(mut self, laws: &Laws, what: &str) {
        let count = self.events.len();
        if count == 0 {
            return;
        }
        self.events.sort_unstable();
        let at = |share: f64| self.events[((count - 1) as f64 * share) as usize];
        let over = EVENTS.map(|most| {
            let many = self.events.iter().filter(|events| **events > most).count();
            format!("{many} over {most}")
        });
        let Worst { overlap, gained, false_contact, jump, left, moving, .. } = self.worst;
        println!(
            "{}: {count} {what}: {} bad; events {} median, {} of 99 %, {} most, {}; \
             overlap {overlap:.1e} m, energy gained {gained:.1e} J, false contact \
             {false_contact:.1e} m, jump {jump:.1e} m, {left} left the table, {moving} never rest; \
             {:.3} ms each",
            laws.name,
            self.bad.len(),
            at(0.5),
            at(0.99),
            at(1.0),
            over.join(", "),
            self.seconds * 1e3 / count as f64,
        );
        if !self.bad.is_empty() {
            println!("  bad: {:?}", &self.bad[..self.bad.len().min(20)]);
        }
    }
}

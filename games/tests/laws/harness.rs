//! Plays a game as `live` does, and checks the laws at every step.

use std::panic::{AssertUnwindSafe, catch_unwind};

use games::{Absence, Game, Out, Said, Seat, Seed, Time, Viewer};
use serde_json::Value;

/// More wakes than this without an input is a game that does not rest.
const WAKES_MAX: usize = 100_000;
/// No match lasts longer without anybody.
const LENGTH_MAX: Time = Time::secs(3 * 60 * 60);

/// Something that happens to a match.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Microseconds after the last one.
    pub(crate) wait: u64,
    /// Maybe not one that the game has.
    pub(crate) seat: u8,
    pub(crate) input: Input,
}

#[derive(Clone, Debug)]
pub(crate) enum Input {
    Act(Value),
    Away(Absence),
    Back,
    Leave,
}

/// Which law was broken, and how.
pub(crate) type Broken = String;

macro_rules! law {
    ($kept:expr, $law:literal, $($how:tt)*) => {
        if !$kept {
            return Err(format!("law {}: {}", $law, format!($($how)*)));
        }
    };
}

/// Plays a match and checks all the laws; every match ends with everybody leaving.
pub(crate) fn check<G: Game>(seed: u64, steps: &[Step]) -> Result<(), Broken> {
    let safely = AssertUnwindSafe(|| {
        let heard = play::<G>(seed, steps)?;
        let again = play::<G>(seed, steps)?;
        law!(heard == again, 2, "the same journal gave another match");
        Ok(())
    });
    catch_unwind(safely).unwrap_or_else(|_| Err("law 7: it panicked".to_owned()))
}

/// Plays a match; gives all that was said in it, and the views and the outcome at its end.
pub(crate) fn play<G: Game>(seed: u64, steps: &[Step]) -> Result<Vec<String>, Broken> {
    let seats = *G::SEATS.start();
    let begin = Time::secs(5);
    let mut table = Table {
        game: G::deal(G::Options::default(), seats, Seed(seed), begin)
            .map_err(|bad| format!("the defaults are refused: {bad:?}"))?,
        now: begin,
        seats,
        heard: Vec::new(),
    };
    for step in steps {
        let then = table.now + Time(step.wait);
        table.catch_up(then)?;
        table.step(Seat(step.seat), &step.input)?;
    }
    for seat in 0..seats {
        table.step(Seat(seat), &Input::Leave)?;
    }
    let until = table.now + LENGTH_MAX;
    table.catch_up(until)?;
    law!(table.game.outcome().is_some(), 5, "all have left and it goes on");
    for viewer in table.viewers() {
        let view = serde_json::to_string(&table.game.view(table.now, viewer));
        table.heard.push(view.expect("a view is plain data"));
    }
    table.heard.push(format!("{:?}", table.game.outcome()));
    Ok(table.heard)
}

/// A match that nobody attends must end, too.
pub(crate) fn unattended<G: Game>(seed: u64) -> Result<(), Broken> {
    let seats = *G::SEATS.end();
    let game = G::deal(G::Options::default(), seats, Seed(seed), Time(0))
        .map_err(|bad| format!("the defaults are refused: {bad:?}"))?;
    let mut table = Table { game, now: Time(0), seats, heard: Vec::new() };
    for seat in 0..seats {
        table.step(Seat(seat), &Input::Away(Absence::Lost))?;
    }
    table.catch_up(LENGTH_MAX)?;
    law!(table.game.outcome().is_some(), 5, "all are away and it goes on");
    Ok(())
}

struct Table<G: Game> {
    game: G,
    now: Time,
    seats: u8,
    heard: Vec<String>,
}

impl<G: Game> Table<G> {
    fn viewers(&self) -> Vec<Viewer> {
        (0..self.seats).map(|it| Viewer::Seat(Seat(it))).chain([Viewer::Crowd]).collect()
    }

    /// Wakes the game whenever it asked for it.
    fn catch_up(&mut self, then: Time) -> Result<(), Broken> {
        for _ in 0..WAKES_MAX {
            let Some(due) = self.game.next_wake().filter(|&it| it <= then) else {
                self.now = then;
                return Ok(());
            };
            law!(due >= self.now, 4, "it asks at {:?} to be woken at {due:?}", self.now);
            self.now = due;
            let before = self.views();
            let mut out = Out::default();
            self.game.wake(due, &mut out);
            let next = self.game.next_wake();
            law!(next.is_none_or(|it| it > due), 4, "woken at {due:?}, it asks for {next:?}");
            self.hear(before, out)?;
        }
        Err(format!("law 5: more than {WAKES_MAX} wakes without an input"))
    }

    fn step(&mut self, seat: Seat, input: &Input) -> Result<(), Broken> {
        let before = self.views();
        let mut out = Out::default();
        match input {
            Input::Act(action) => {
                let Ok(action) = serde_json::from_value(action.clone()) else { return Ok(()) };
                let was = self.game.clone();
                if self.game.act(self.now, seat, action, &mut out).is_err() {
                    law!(self.game == was, 3, "a refusal changed the game");
                    law!(out.is_empty(), 3, "a refusal was heard by others");
                }
            }
            Input::Away(absence) => {
                let until = self.game.away(self.now, seat, *absence, &mut out);
                law!(until.is_none_or(|it| it > self.now), 5, "it waits until {until:?}");
            }
            Input::Back => self.game.back(self.now, seat, &mut out),
            Input::Leave => self.game.leave(self.now, seat, &mut out),
        }
        self.hear(before, out)
    }

    fn views(&self) -> Vec<G::View> {
        self.viewers().into_iter().map(|it| self.game.view(self.now, it)).collect()
    }

    /// Writes down what was said, and checks what holds after anything that happens.
    fn hear(&mut self, before: Vec<G::View>, mut out: Out<G::Update>) -> Result<(), Broken> {
        let said: Vec<_> = out.drain().collect();
        if self.game.outcome().is_some() {
            let next = self.game.next_wake();
            law!(next.is_none(), 4, "it is over and asks for {next:?}");
        }
        // What a viewer was not told of, their view must not show: the twin of "no secrets leak".
        // The end of a match is told in its own message.
        for (viewer, before) in self.viewers().into_iter().zip(before) {
            let told = said.iter().any(|it| match it {
                Said::Update(audience, _) => audience.includes(viewer),
                Said::Scores(_) => true,
            });
            if !told && self.game.outcome().is_none() {
                let after = self.game.view(self.now, viewer);
                law!(before == after, 6, "{viewer:?} was told nothing and sees a change");
            }
        }
        for it in &said {
            self.heard.push(match it {
                Said::Update(audience, update) => {
                    let update = serde_json::to_value(update).expect("an update is plain data");
                    let fields = update.as_object();
                    let good = fields.is_some_and(|it| {
                        ["type", "seq", "at", "seat", "n"]
                            .iter()
                            .all(|name| !it.contains_key(*name))
                    });
                    law!(good, 7, "an update that is no event for the wire: {update}");
                    format!("{:?} {audience:?} {update}", self.now)
                }
                Said::Scores(scores) => format!("{:?} {scores:?}", self.now),
            });
        }
        Ok(())
    }
}

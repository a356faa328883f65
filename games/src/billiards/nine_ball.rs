//! 9-ball: the lowest ball first, and whoever pots the 9 wins.

use alloc::{vec, vec::Vec};
use core::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    action::Choice,
    discipline::{Discipline, Next, Offer, Permit, Stroke, Verdict, check_clock, in_range},
    physics::{BallSpec, Table},
    pool,
    rack::{self, Layout},
    record::{self, Seen},
    sheet::{Sheet, Stage},
    wire::{Foul, Hand, Ruling},
};
use crate::{BadOptions, Seat, seed::Luck};

const NINE: u8 = 9;
/// So many fouls running lose the rack.
const FOULS_MAX: u8 = 3;

/// 9-ball, and what can be set in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "NineBallOptions")]
pub struct NineBall {
    /// Who first wins this many racks wins the match.
    #[schemars(range(min = 1, max = 9))]
    pub racks: u8,
    /// The stroke right after a legal break may be a push-out.
    pub push_out: bool,
    /// Three fouls running lose the rack.
    pub three_fouls: bool,
    /// The shot clock, in seconds.
    #[schemars(range(min = 10, max = 120))]
    pub clock: u16,
    /// Each player's bank of time for the whole match, in seconds.
    #[schemars(range(max = 300))]
    pub bank: u16,
}

impl Default for NineBall {
    fn default() -> NineBall {
        NineBall { racks: 3, push_out: false, three_fouls: true, clock: 30, bank: 30 }
    }
}

impl Discipline for NineBall {
    const NAME: &'static str = "nine_ball";
    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 2..=2;
    const BALLS: u8 = 10;
    const SPEC: BallSpec = BallSpec::POOL;

    fn table() -> Table {
        Table::pool_9ft()
    }

    fn check(&self) -> Result<(), BadOptions> {
        in_range("racks", self.racks.into(), 1..=9)?;
        check_clock(self.clock, self.bank)
    }

    fn clock(&self) -> (u16, u16) {
        (self.clock, self.bank)
    }

    fn target(&self) -> u8 {
        self.racks
    }

    /// A diamond: the 1 at the apex, the 9 in the middle.
    fn rack(table: &Table, luck: &mut Luck) -> Layout {
        let mut others: Vec<u8> = (2..NINE).collect();
        luck.shuffle(&mut others);
        let &[a, b, c, d, e, f, g] = others.as_slice() else { return Layout::new() };
        let rows: [&[u8]; 5] = [&[1], &[a, b], &[c, NINE, d], &[e, f], &[g]];
        rack::set_up(table, &Self::SPEC, &rows, luck)
    }

    fn permit(&self, sheet: &Sheet, _seat: Seat) -> Permit {
        let push_out = self.push_out && sheet.stage == Stage::AfterBreak;
        Permit { strikers: vec![pool::CUE], on: lowest(sheet), calls: false, push_out }
    }

    fn judge(&self, sheet: &Sheet, stroke: &Stroke, seen: &[Seen]) -> Verdict {
        let (seat, other) = (stroke.seat, stroke.seat.other());
        let breaking = sheet.stage == Stage::Break;
        let mut fouls = pool::losses(seen);
        if !stroke.push_out {
            fouls.extend(pool::wrong_contact(seen, &lowest(sheet)));
        }
        if breaking {
            fouls.extend((!pool::breaks(seen)).then_some(Foul::IllegalBreak));
        } else if !stroke.push_out {
            fouls.extend(pool::no_cushion(seen));
        }

        let mut after = sheet.clone();
        let legal_break = breaking && fouls.is_empty();
        after.stage = if legal_break { Stage::AfterBreak } else { Stage::Later };
        for (ball, _) in record::potted(seen).filter(|it| it.0 != pool::CUE) {
            after.shelve(seat, ball);
        }
        for ball in record::off(seen).filter(|&it| it != pool::CUE) {
            after.remove(ball);
        }
        if !fouls.is_empty() {
            let next = Next::Play { seat: other, hand: Some(Hand::Anywhere) };
            return self.foul(after, seat, fouls, next);
        }
        after.fouls[seat.index()] = 0;
        let nine = (!after.has(NINE)).then_some(NINE);
        if stroke.push_out {
            let play =
                |choice, seat| Offer { choice, spot: None, next: Next::Play { seat, hand: None } };
            let offers = vec![play(Choice::Play, other), play(Choice::HandBack, seat)];
            let next = Next::Choose { seat: other, offers };
            return Verdict::new(Ruling::PushOut, after, next).spotting(nine);
        }
        if nine.is_some() {
            let next = pool::rack(&after, seat);
            return Verdict::new(Ruling::RackWon, after, next);
        }
        let (ruling, seat) = match pool::pots(seen) {
            true => (Ruling::GoesOn, seat),
            false => (Ruling::TurnPasses, other),
        };
        Verdict::new(ruling, after, Next::Play { seat, hand: None })
    }

    fn out_of_time(&self, sheet: &Sheet, seat: Seat) -> Verdict {
        let next = pool::after_no_stroke(sheet, seat);
        let mut after = sheet.clone();
        if after.stage == Stage::AfterBreak {
            after.stage = Stage::Later;
        }
        self.foul(after, seat, vec![Foul::Clock], next)
    }

    fn scores(&self, sheet: &Sheet) -> Vec<i64> {
        pool::racks(sheet)
    }

    fn is_over(&self, sheet: &Sheet) -> bool {
        pool::reached(sheet, self.racks)
    }
}

impl NineBall {
    /// A foul by `seat`: the 9 comes back, and the third running loses the rack.
    fn foul(&self, mut after: Sheet, seat: Seat, mut fouls: Vec<Foul>, next: Next) -> Verdict {
        if self.three_fouls {
            let running = &mut after.fouls[seat.index()];
            *running += 1;
            if *running >= FOULS_MAX {
                fouls.push(Foul::ThreeFouls);
                let next = pool::rack(&after, seat.other());
                return Verdict::new(Ruling::RackLost, after, next).for_fouls(fouls);
            }
        }
        let nine = (!after.has(NINE)).then_some(NINE);
        Verdict::new(Ruling::Foul, after, next).for_fouls(fouls).spotting(nine)
    }
}

/// The one ball that may be hit first.
fn lowest(sheet: &Sheet) -> Vec<u8> {
    sheet.on_table().find(|&ball| ball != pool::CUE).into_iter().collect()
}

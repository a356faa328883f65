//! Free pyramid, «американка»: any ball strikes any ball, and the first to eight wins.

use alloc::{vec, vec::Vec};
use core::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    discipline::{Discipline, Next, Permit, Stroke, Verdict, check_clock, in_range},
    physics::{BallSpec, Table},
    pool,
    rack::{self, Layout},
    record::{self, Seen},
    sheet::{Sheet, Stage},
    wire::{Foul, Hand, Ruling},
};
use crate::{BadOptions, Seat, seed::Luck};

/// So many points win a rack.
const POINTS: i64 = 8;
/// A break that pots nothing must drive this many object balls to a cushion.
const BREAK_CUSHIONS: usize = 2;
/// The ball that breaks.
const YELLOW: u8 = 0;

/// Free pyramid, and what can be set in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "PyramidOptions")]
pub struct Pyramid {
    /// Who first wins this many racks wins the match.
    #[schemars(range(min = 1, max = 9))]
    pub racks: u8,
    /// A stroke that pots nothing needs no more than one cushion.
    pub casual: bool,
    /// The shot clock, in seconds.
    #[schemars(range(min = 10, max = 120))]
    pub clock: u16,
    /// Each player's bank of time for the whole match, in seconds.
    #[schemars(range(max = 300))]
    pub bank: u16,
}

impl Default for Pyramid {
    fn default() -> Pyramid {
        Pyramid { racks: 1, casual: false, clock: 30, bank: 30 }
    }
}

impl Discipline for Pyramid {
    const NAME: &'static str = "pyramid";
    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 2..=2;
    const BALLS: u8 = 16;
    const SPEC: BallSpec = BallSpec::PYRAMID;

    fn table() -> Table {
        Table::pyramid_12ft()
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

    fn rack(table: &Table, luck: &mut Luck) -> Layout {
        set_up(table, luck)
    }

    fn permit(&self, sheet: &Sheet, _seat: Seat) -> Permit {
        permit(sheet)
    }

    fn judge(&self, sheet: &Sheet, stroke: &Stroke, seen: &[Seen]) -> Verdict {
        let (seat, other) = (stroke.seat, stroke.seat.other());
        let fouls = fouls(sheet.stage, stroke.striker, self.casual, seen);
        let mut after = sheet.clone();
        after.stage = Stage::Later;
        if !fouls.is_empty() {
            let next = Next::Take { seat: other };
            return Verdict::new(Ruling::Penalty, after, next)
                .for_fouls(fouls)
                .spotting(record::lost(seen));
        }
        let mut points = vec![0; after.seats()];
        for (ball, _) in record::potted(seen) {
            after.shelve(seat, ball);
            after.points[seat.index()] += 1;
            points[seat.index()] += 1;
        }
        let (ruling, next) = if after.points[seat.index()] >= POINTS {
            (Ruling::RackWon, pool::rack(&after, seat))
        } else if points[seat.index()] > 0 {
            (Ruling::GoesOn, Next::Play { seat, hand: None })
        } else {
            (Ruling::TurnPasses, Next::Play { seat: other, hand: None })
        };
        Verdict { points, ..Verdict::new(ruling, after, next) }
    }

    /// A break that is not made in time passes to the other; later it is a foul like any.
    fn out_of_time(&self, sheet: &Sheet, seat: Seat) -> Verdict {
        let other = seat.other();
        let (ruling, next) = match sheet.stage {
            Stage::Break => (Ruling::Foul, Next::Play { seat: other, hand: Some(Hand::Behind) }),
            Stage::AfterBreak | Stage::Later => (Ruling::Penalty, Next::Take { seat: other }),
        };
        Verdict::new(ruling, sheet.clone(), next).for_fouls(vec![Foul::Clock])
    }

    fn took(&self, sheet: &mut Sheet, seat: Seat, ball: u8) -> Next {
        sheet.shelve(seat, ball);
        sheet.points[seat.index()] += 1;
        match sheet.points[seat.index()] >= POINTS {
            true => pool::rack(sheet, seat),
            false => Next::Play { seat, hand: None },
        }
    }

    /// Racks, or the balls of a match of one.
    fn scores(&self, sheet: &Sheet) -> Vec<i64> {
        if self.racks == 1 { sheet.points.clone() } else { pool::racks(sheet) }
    }

    fn is_over(&self, sheet: &Sheet) -> bool {
        pool::reached(sheet, self.racks)
    }
}

/// A triangle of white balls, and the yellow one in the house. The numbers on the balls mean
/// nothing, so they stand in their order.
pub(super) fn set_up(table: &Table, luck: &mut Luck) -> Layout {
    let balls = core::array::from_fn(|place| place as u8 + 1);
    rack::set_up(table, &BallSpec::PYRAMID, &rack::triangle(&balls), luck)
}

/// Any ball may strike any other; the yellow one breaks.
pub(super) fn permit(sheet: &Sheet) -> Permit {
    let on: Vec<u8> = sheet.on_table().collect();
    let strikers = if sheet.stage == Stage::Break { vec![YELLOW] } else { on.clone() };
    Permit { strikers, on, calls: false, push_out: false }
}

/// What is wrong with a stroke of pyramid. With `casual`, one cushion is enough.
pub(super) fn fouls(stage: Stage, striker: u8, casual: bool, seen: &[Seen]) -> Vec<Foul> {
    let mut fouls = Vec::new();
    let pots = record::potted(seen).next().is_some();
    match record::contact(seen, striker) {
        None if record::potted(seen).any(|it| it.0 == striker) => {
            fouls.push(Foul::OwnBallWithoutContact);
        }
        None => fouls.push(Foul::NoContact),
        Some(_) if pots => {}
        Some(_) if stage == Stage::Break => {
            if record::object_balls_at_cushions(seen, striker) < BREAK_CUSHIONS {
                fouls.push(Foul::IllegalBreak);
            }
        }
        Some((_, after)) if !is_safe(after, casual) => fouls.push(Foul::NoCushion),
        Some(_) => {}
    }
    if record::off(seen).next().is_some() {
        fouls.push(Foul::BallOffTable);
    }
    fouls
}

/// «Два борта или борт-перекат»: after the contact two cushions are met, by one ball or by two, or
/// one ball meets a cushion and crosses the centre line, in either order.
fn is_safe(after: &[Seen], casual: bool) -> bool {
    let mut at_cushions = record::cushions(after);
    let Some(ball) = at_cushions.next() else { return false };
    casual || at_cushions.next().is_some() || after.contains(&Seen::Crossed(ball))
}

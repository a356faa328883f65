//! Kolkhoz, «колхоз»: pyramid for three to six, each playing off the one before and taking care of
//! the one after. There are no official rules; these are the common ones.

use alloc::{format, vec, vec::Vec};
use core::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    discipline::{Discipline, Next, Permit, Stroke, Verdict, check_clock, in_range},
    physics::{BallSpec, Table},
    pyramid,
    rack::Layout,
    record::{self, Seen},
    sheet::{Sheet, Stage},
    wire::{Foul, Hand, Ruling},
};
use crate::{BadOptions, Seat, seed::Luck};

/// What the coloured balls, from ball 1 on, are worth.
const COLOURED: [i64; 3] = [2, 3, 5];

/// Kolkhoz, and what can be set in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "KolkhozOptions")]
pub struct Kolkhoz {
    /// How many racks are played.
    #[schemars(range(min = 1, max = 10))]
    pub racks: u8,
    /// The match is over after the rack in which somebody comes to this many points; 0 is never,
    /// else from 5 to 200.
    #[schemars(range(max = 200))]
    pub cap: u16,
    /// How balls become points.
    pub settlement: Settlement,
    /// How many balls are coloured and worth more: 2, 3 and 5.
    #[schemars(range(max = 3))]
    pub coloured: u8,
    /// A stroke that pots nothing needs no more than one cushion. Else fouls, each of which brings
    /// a ball back, make racks long.
    pub casual: bool,
    /// The shot clock, in seconds.
    #[schemars(range(min = 10, max = 120))]
    pub clock: u16,
    /// Each player's bank of time for the whole match, in seconds.
    #[schemars(range(max = 300))]
    pub bank: u16,
}

/// How the balls of each become points, which always add up to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// «Прямой»: my balls less those of whoever plays after me.
    Direct,
    /// «Каждый с каждым»: my balls less those of each of the others.
    EachWithEach,
}

impl Default for Kolkhoz {
    fn default() -> Kolkhoz {
        Kolkhoz {
            // One takes three players who miss a lot well over half an hour.
            racks: 1,
            cap: 0,
            settlement: Settlement::Direct,
            coloured: 0,
            casual: true,
            clock: 30,
            bank: 30,
        }
    }
}

impl Discipline for Kolkhoz {
    const NAME: &'static str = "kolkhoz";
    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 3..=6;
    const BALLS: u8 = 16;
    const SPEC: BallSpec = BallSpec::PYRAMID;

    fn table() -> Table {
        Table::pyramid_12ft()
    }

    fn check(&self) -> Result<(), BadOptions> {
        in_range("racks", self.racks.into(), 1..=10)?;
        if self.cap != 0 && !(5..=200).contains(&self.cap) {
            let message = format!("0 for none, or from 5 to 200, not {}", self.cap);
            return Err(BadOptions { field: "cap", message });
        }
        in_range("coloured", self.coloured.into(), 0..=3)?;
        check_clock(self.clock, self.bank)
    }

    fn clock(&self) -> (u16, u16) {
        (self.clock, self.bank)
    }

    fn target(&self) -> u8 {
        self.racks
    }

    fn rack(table: &Table, luck: &mut Luck) -> Layout {
        let mut layout = pyramid::set_up(table, luck);
        // The coloured balls stand anywhere among the others.
        luck.shuffle(&mut layout[1..]);
        layout
    }

    fn permit(&self, sheet: &Sheet, _seat: Seat) -> Permit {
        pyramid::permit(sheet)
    }

    fn judge(&self, sheet: &Sheet, stroke: &Stroke, seen: &[Seen]) -> Verdict {
        let seat = stroke.seat;
        let fouls = pyramid::fouls(sheet.stage, stroke.striker, self.casual, seen);
        let mut after = sheet.clone();
        after.stage = Stage::Later;
        if !fouls.is_empty() {
            let next = Next::Play { seat: sheet.after(seat), hand: None };
            return self.foul(after, seat, fouls, record::lost(seen).collect(), next);
        }
        let mut gained = 0;
        for (ball, _) in record::potted(seen) {
            after.shelve(seat, ball);
            gained += self.worth(ball);
        }
        // With one ball left there is nothing to play it on: the rack is over.
        let over = after.on_table().count() < 2;
        gained += i64::from(over);
        after.points[seat.index()] += gained;
        let (ruling, next) = if over {
            (Ruling::RackOver, Next::Rack { winner: None, breaker: seat })
        } else if gained > 0 {
            (Ruling::GoesOn, Next::Play { seat, hand: None })
        } else {
            (Ruling::TurnPasses, Next::Play { seat: sheet.after(seat), hand: None })
        };
        let mut verdict = Verdict::new(ruling, after, next);
        verdict.points[seat.index()] = gained;
        verdict
    }

    /// A break that is not made in time passes on; later it is a foul like any.
    fn out_of_time(&self, sheet: &Sheet, seat: Seat) -> Verdict {
        let breaking = sheet.stage == Stage::Break;
        let next = Next::Play { seat: sheet.after(seat), hand: breaking.then_some(Hand::Behind) };
        self.foul(sheet.clone(), seat, vec![Foul::Clock], Vec::new(), next)
    }

    /// Points, settled.
    fn scores(&self, sheet: &Sheet) -> Vec<i64> {
        let balls: Vec<i64> = sheet.totals.iter().zip(&sheet.points).map(|(a, b)| a + b).collect();
        settle(self.settlement, &sheet.order, &balls)
    }

    fn is_over(&self, sheet: &Sheet) -> bool {
        let capped = self.cap > 0 && self.scores(sheet).iter().any(|&it| it >= self.cap.into());
        sheet.rack >= self.racks.into() || capped
    }

    fn tie_break(&self, sheet: &Sheet, seat: Seat) -> i64 {
        sheet.totals[seat.index()] + sheet.points[seat.index()]
    }
}

impl Kolkhoz {
    fn worth(&self, ball: u8) -> i64 {
        let coloured = usize::from(ball).checked_sub(1);
        let coloured = coloured.filter(|&it| it < self.coloured.into());
        coloured.and_then(|it| COLOURED.get(it)).copied().unwrap_or(1)
    }

    /// A foul by `seat`: a point off its shelf, a ball back on the table. What fell on the foul
    /// comes back as well.
    fn foul(
        &self,
        mut after: Sheet,
        seat: Seat,
        fouls: Vec<Foul>,
        fell: Vec<u8>,
        next: Next,
    ) -> Verdict {
        after.points[seat.index()] -= 1;
        // A white one of its own where it has one, the latest; else of anybody's.
        let own = after.shelves[seat.index()].iter().rev();
        let any = after.gone.iter().rev();
        let latest: Vec<u8> = own.chain(any).copied().collect();
        let white = latest.iter().find(|&&ball| self.worth(ball) == 1);
        let back = white.or(latest.first()).copied();
        let mut verdict = Verdict::new(Ruling::Foul, after, next).for_fouls(fouls);
        verdict.points[seat.index()] = -1;
        verdict.spotting(fell.into_iter().chain(back))
    }
}

/// Points by seat for these balls by seat, of players in this order.
pub fn settle(settlement: Settlement, order: &[Seat], balls: &[i64]) -> Vec<i64> {
    let mut points = vec![0; balls.len()];
    let total: i64 = balls.iter().sum();
    for (&seat, &next) in order.iter().zip(order.iter().cycle().skip(1)) {
        let mine = balls[seat.index()];
        points[seat.index()] = match settlement {
            Settlement::Direct => mine - balls[next.index()],
            Settlement::EachWithEach => balls.len() as i64 * mine - total,
        };
    }
    points
}

//! 8-ball, much as the WPA has it: call a ball and a pocket, clear your group, then the 8.

use alloc::{vec, vec::Vec};
use core::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    action::{Call, Choice},
    discipline::{Discipline, Next, Offer, Permit, Stroke, Verdict, check_clock, in_range},
    physics::{BallSpec, Table},
    pool,
    rack::{self, Layout},
    record::{self, Seen},
    sheet::{Group, Sheet, Stage},
    wire::{Foul, Hand, Ruling},
};
use crate::{BadOptions, Seat, seed::Luck};

const EIGHT: u8 = 8;

/// 8-ball, and what can be set in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "EightBallOptions")]
pub struct EightBall {
    /// Who first wins this many racks wins the match.
    #[schemars(range(min = 1, max = 9))]
    pub racks: u8,
    /// No calls but of the 8.
    pub casual: bool,
    /// The shot clock, in seconds.
    #[schemars(range(min = 10, max = 120))]
    pub clock: u16,
    /// Each player's bank of time for the whole match, in seconds.
    #[schemars(range(max = 300))]
    pub bank: u16,
}

impl Default for EightBall {
    fn default() -> EightBall {
        EightBall { racks: 1, casual: false, clock: 30, bank: 30 }
    }
}

impl Discipline for EightBall {
    const NAME: &'static str = "eight_ball";
    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 2..=2;
    const BALLS: u8 = 16;
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

    /// The 8 stands in the middle, a solid in one back corner and a stripe in the other.
    fn rack(table: &Table, luck: &mut Luck) -> Layout {
        let mut solids: Vec<u8> = (1..=7).collect();
        let mut stripes: Vec<u8> = (9..=15).collect();
        luck.shuffle(&mut solids);
        luck.shuffle(&mut stripes);
        let mut corners = [solids.pop(), stripes.pop()].map(|ball| ball.unwrap_or_default());
        if luck.coin() {
            corners.swap(0, 1);
        }
        let mut others = [solids, stripes].concat();
        luck.shuffle(&mut others);
        let mut others = others.into_iter();
        let balls = core::array::from_fn(|place| match place {
            4 => EIGHT,
            10 => corners[0],
            14 => corners[1],
            _ => others.next().unwrap_or_default(),
        });
        rack::set_up(table, &Self::SPEC, &rack::triangle(&balls), luck)
    }

    fn permit(&self, sheet: &Sheet, seat: Seat) -> Permit {
        let on = on(sheet, seat);
        let calls = sheet.stage != Stage::Break && (!self.casual || on == [EIGHT]);
        Permit { strikers: vec![pool::CUE], on, calls, push_out: false }
    }

    fn judge(&self, sheet: &Sheet, stroke: &Stroke, seen: &[Seen]) -> Verdict {
        if sheet.stage == Stage::Break {
            return judge_break(sheet, stroke.seat, seen);
        }
        let (seat, other) = (stroke.seat, stroke.seat.other());
        let on = on(sheet, seat);
        let mut fouls: Vec<Foul> = pool::wrong_contact(seen, &on)
            .into_iter()
            .chain(pool::no_cushion(seen))
            .chain(pool::losses(seen))
            .collect();
        let mut after = sheet.clone();
        take_down(&mut after, seat, seen);

        if !after.has(EIGHT) {
            if let Some(why) = why_lost(stroke, &on, &fouls, seen) {
                fouls.push(why);
                let next = pool::rack(&after, other);
                return Verdict::new(Ruling::RackLost, after, next).for_fouls(fouls);
            }
            let next = pool::rack(&after, seat);
            return Verdict::new(Ruling::RackWon, after, next);
        }
        if !fouls.is_empty() {
            let next = Next::Play { seat: other, hand: Some(Hand::Anywhere) };
            return Verdict::new(Ruling::Foul, after, next).for_fouls(fouls);
        }
        let made = self.made(stroke, &on, seen);
        if stroke.safety || made.is_none() {
            let next = Next::Play { seat: other, hand: None };
            return Verdict::new(Ruling::TurnPasses, after, next);
        }
        let group = made.and_then(Group::of);
        if after.groups == [None, None] {
            after.groups[seat.index()] = group;
            after.groups[other.index()] = group.map(Group::other);
        }
        Verdict::new(Ruling::GoesOn, after, Next::Play { seat, hand: None })
    }

    fn out_of_time(&self, sheet: &Sheet, seat: Seat) -> Verdict {
        let next = pool::after_no_stroke(sheet, seat);
        Verdict::new(Ruling::Foul, sheet.clone(), next).for_fouls(vec![Foul::Clock])
    }

    fn scores(&self, sheet: &Sheet) -> Vec<i64> {
        pool::racks(sheet)
    }

    fn is_over(&self, sheet: &Sheet) -> bool {
        pool::reached(sheet, self.racks)
    }
}

impl EightBall {
    /// The ball by which a stroke without a foul earns the next one: the called one, or, where
    /// nothing is called, the first that fell of those that were on.
    fn made(&self, stroke: &Stroke, on: &[u8], seen: &[Seen]) -> Option<u8> {
        let needs_call = !self.casual || on == [EIGHT];
        record::potted(seen).map(|(ball, pocket)| Call { ball, pocket }).find_map(|fell| {
            let counts = match needs_call {
                true => stroke.call == Some(fell),
                false => on.contains(&fell.ball),
            };
            counts.then_some(fell.ball)
        })
    }
}

/// The balls that `seat` may hit first: its group, the 8 when that is cleared, and any but the 8 on
/// an open table.
fn on(sheet: &Sheet, seat: Seat) -> Vec<u8> {
    let group = sheet.groups[seat.index()];
    let mine =
        |ball: &u8| Group::of(*ball).is_some_and(|its| group.is_none_or(|group| its == group));
    let on: Vec<u8> = sheet.on_table().filter(mine).collect();
    if on.is_empty() { vec![EIGHT] } else { on }
}

/// Object balls that fell go to the seat's shelf; those that left the table are just gone.
fn take_down(sheet: &mut Sheet, seat: Seat, seen: &[Seen]) {
    for (ball, _) in record::potted(seen).filter(|it| it.0 != pool::CUE) {
        sheet.shelve(seat, ball);
    }
    for ball in record::off(seen).filter(|&it| it != pool::CUE) {
        sheet.remove(ball);
    }
}

/// Why a stroke that brought the 8 down loses the rack, if it does.
fn why_lost(stroke: &Stroke, on: &[u8], fouls: &[Foul], seen: &[Seen]) -> Option<Foul> {
    let pocket = record::potted(seen).find(|it| it.0 == EIGHT).map(|it| it.1);
    let Some(pocket) = pocket else { return Some(Foul::EightOffTable) };
    if on != [EIGHT] {
        Some(Foul::EarlyEight)
    } else if !fouls.is_empty() {
        Some(Foul::EightOnFoul)
    } else if stroke.safety || stroke.call != Some(Call { ball: EIGHT, pocket }) {
        Some(Foul::EightInWrongPocket)
    } else {
        None
    }
}

fn judge_break(sheet: &Sheet, seat: Seat, seen: &[Seen]) -> Verdict {
    let other = seat.other();
    let mut fouls = pool::losses(seen);
    let mut after = sheet.clone();
    after.stage = Stage::Later;
    take_down(&mut after, seat, seen);
    let hand = (!fouls.is_empty()).then_some(Hand::Behind);

    let offer = |choice, spot, next| Offer { choice, spot, next };
    if !after.has(EIGHT) {
        // After a foul it is the other who chooses, and who has the ball in hand.
        let seat = if fouls.is_empty() { seat } else { other };
        let offers = vec![
            offer(Choice::Spot, Some(EIGHT), Next::Play { seat, hand }),
            offer(Choice::Rebreak, None, Next::Break { seat }),
        ];
        let next = Next::Choose { seat, offers };
        return Verdict::new(Ruling::EightOnBreak, after, next).for_fouls(fouls);
    }
    if !pool::breaks(seen) {
        fouls.push(Foul::IllegalBreak);
        let offers = vec![
            offer(Choice::Play, None, Next::Play { seat: other, hand }),
            offer(Choice::Rerack, None, Next::Break { seat: other }),
            offer(Choice::BreakAgain, None, Next::Break { seat }),
        ];
        let next = Next::Choose { seat: other, offers };
        return Verdict::new(Ruling::IllegalBreak, after, next).for_fouls(fouls);
    }
    if !fouls.is_empty() {
        let next = Next::Play { seat: other, hand };
        return Verdict::new(Ruling::Foul, after, next).for_fouls(fouls);
    }
    let (ruling, seat) = match pool::pots(seen) {
        true => (Ruling::GoesOn, seat),
        false => (Ruling::TurnPasses, other),
    };
    Verdict::new(ruling, after, Next::Play { seat, hand: None })
}

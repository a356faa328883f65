//! The score sheet: all that a referee knows besides where the balls lie.

use alloc::{vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::Seat;

/// How the match stands. Lists by seat have one entry for each.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sheet {
    /// The number of this rack, from 1.
    pub rack: u32,
    /// Who began this rack.
    pub breaker: Seat,
    /// The seats in order of play.
    pub order: Vec<Seat>,
    /// Racks won, by seat.
    pub racks: Vec<u32>,
    /// What this rack gave so far, by seat, where its balls count.
    pub points: Vec<i64>,
    /// What the racks before gave, by seat, where their balls count.
    pub totals: Vec<i64>,
    /// The balls that each seat has brought down in this rack and that stayed down, in order.
    pub shelves: Vec<Vec<u8>>,
    /// In 8-ball, whose balls are which; nobody's while the table is open.
    pub groups: Vec<Option<Group>>,
    /// In 9-ball, fouls running, by seat.
    pub fouls: Vec<u8>,
    /// The balls that are off the table, in the order of leaving it.
    pub gone: Vec<u8>,
    /// Who has left the match while others play on, by seat.
    pub out: Vec<bool>,
    /// Which stroke of the rack comes next.
    #[serde(skip)]
    pub stage: Stage,
    /// How many balls a rack begins with, numbered from 0.
    #[serde(skip)]
    pub balls: u8,
}

/// Half of the balls of 8-ball.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// 1 to 7.
    Solids,
    /// 9 to 15.
    Stripes,
}

impl Group {
    /// The group of a ball; the cue ball and the 8 have none.
    pub fn of(ball: u8) -> Option<Group> {
        match ball {
            1..=7 => Some(Group::Solids),
            9..=15 => Some(Group::Stripes),
            _ => None,
        }
    }

    /// The opponent's.
    pub fn other(self) -> Group {
        match self {
            Group::Solids => Group::Stripes,
            Group::Stripes => Group::Solids,
        }
    }
}

/// Which stroke of a rack comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first.
    Break,
    /// The one right after a legal break.
    AfterBreak,
    /// Another.
    Later,
}

impl Sheet {
    /// That of a match whose seats play in this order, the first of them beginning.
    pub fn new(order: Vec<Seat>, balls: u8) -> Sheet {
        let seats = order.len();
        Sheet {
            rack: 1,
            breaker: order[0],
            order,
            racks: vec![0; seats],
            points: vec![0; seats],
            totals: vec![0; seats],
            shelves: vec![Vec::new(); seats],
            groups: vec![None; seats],
            fouls: vec![0; seats],
            gone: Vec::new(),
            out: vec![false; seats],
            stage: Stage::Break,
            balls,
        }
    }

    /// Wipes out what belongs to one rack only: its balls are set up again.
    pub fn clear_rack(&mut self) {
        let seats = self.order.len();
        self.points = vec![0; seats];
        self.shelves = vec![Vec::new(); seats];
        self.groups = vec![None; seats];
        self.fouls = vec![0; seats];
        self.gone = Vec::new();
        self.stage = Stage::Break;
    }

    /// Goes on to the next rack.
    pub fn next_rack(&mut self, breaker: Seat) {
        for (total, points) in self.totals.iter_mut().zip(&self.points) {
            *total += points;
        }
        self.rack += 1;
        self.breaker = breaker;
        self.clear_rack();
    }

    /// How many play, those who have left included.
    pub fn seats(&self) -> usize {
        self.order.len()
    }

    /// Whether the ball lies on the table.
    pub fn has(&self, ball: u8) -> bool {
        ball < self.balls && !self.gone.contains(&ball)
    }

    /// The balls on the table, in order of their numbers.
    pub fn on_table(&self) -> impl Iterator<Item = u8> + '_ {
        (0..self.balls).filter(|&ball| self.has(ball))
    }

    /// A ball comes down for good, to `seat`'s shelf.
    pub fn shelve(&mut self, seat: Seat, ball: u8) {
        self.remove(ball);
        self.shelves[seat.index()].push(ball);
    }

    /// A ball leaves the table for good, to nobody's shelf.
    pub fn remove(&mut self, ball: u8) {
        if self.has(ball) {
            self.gone.push(ball);
        }
    }

    /// A ball comes back to the table.
    pub fn bring_back(&mut self, ball: u8) {
        self.gone.retain(|&it| it != ball);
        for shelf in &mut self.shelves {
            shelf.retain(|&it| it != ball);
        }
    }

    /// Who plays after `seat`, of those who have not left; `seat` itself when it is alone.
    pub fn after(&self, seat: Seat) -> Seat {
        let place = self.order.iter().position(|&it| it == seat).unwrap_or(0);
        let others = self.order.iter().cycle().skip(place + 1).take(self.order.len());
        others.copied().find(|it| !self.out[it.index()]).unwrap_or(seat)
    }

    /// `seat`, or who plays after it when it has left.
    pub fn present(&self, seat: Seat) -> Seat {
        if self.out[seat.index()] { self.after(seat) } else { seat }
    }
}

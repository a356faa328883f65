//! The computer without a match around it, to measure how well it plays billiards.

use std::time::Duration;

use games::{Kind, Seat};
use serde_json::Value;

use super::{
    Level, Mind, Thought,
    billiards::{Patience, Player},
};

/// How a [`Thinker`] plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skill {
    /// How steadily, and with what it knows.
    pub level: Level,
    /// Without any thought for the next stroke.
    pub planless: bool,
    /// Without spin.
    pub spinless: bool,
    /// How many ideas it tries, each at a few speeds; none: as many as it has time for in a match.
    pub ideas: Option<u32>,
}

/// Plays billiards from a seat, and says what it would say, at once.
pub struct Thinker<L> {
    player: Player<L>,
    luck: L,
}

impl<L: FnMut() -> f64 + Clone + Send + 'static> Thinker<L> {
    /// `luck` gives numbers from 0 to 1.
    pub fn new(game: Kind, seat: Seat, skill: Skill, luck: L) -> Thinker<L> {
        let mut hands = skill.level.hands();
        hands.plans &= !skill.planless;
        hands.spins &= !skill.spinless;
        let patience = match skill.ideas {
            Some(ideas) => Patience::Ideas(ideas.max(1)),
            None => Patience::Time(skill.level.patience()),
        };
        let player = Player::with(game, seat, hands, patience, luck.clone());
        Thinker { player, luck }
    }

    /// Hears a message of the match. Answers what to say to that, each after a while.
    pub fn hear(&mut self, message: &[u8]) -> Vec<(Duration, Value)> {
        match self.player.hear(message, &mut self.luck) {
            Thought::Nothing => Vec::new(),
            Thought::Plan(plan) => plan,
            Thought::Work(work) => work(),
        }
    }
}

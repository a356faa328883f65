//! One player's end of the wire.

use std::{collections::VecDeque, time::Instant};

use anyhow::Result;

use super::{person::Person, play::World, rest::Account, socket::Socket, wire};

/// A player's socket in a match, and what they keep in mind.
pub(crate) struct Chair {
    pub(crate) socket: Socket,
    pub(crate) person: Person,
    pub(crate) seat: Option<usize>,
    /// The number of the last message heard.
    pub(crate) seq: Option<u64>,
    /// Whether it heard that the match is active.
    pub(crate) active: bool,
    /// The number of the last message said.
    n: u64,
    /// Moves that the opponent hasn't heard of.
    pub(crate) moves: VecDeque<(u64, Instant)>,
    /// When to move, or after the end to offer a rematch.
    pub(crate) next: Instant,
    pub(crate) next_ping: Instant,
    pub(crate) offered: bool,
}

impl Chair {
    /// Opens a socket into a match.
    pub(crate) async fn take(
        world: &World,
        account: &mut Account,
        match_id: &str,
        person: Person,
    ) -> Result<Chair> {
        let socket = Socket::open(&world.rest, account, match_id).await?;
        let now = Instant::now();
        Ok(Chair {
            socket,
            person,
            seat: None,
            seq: None,
            active: false,
            n: 0,
            moves: VecDeque::new(),
            next: now,
            next_ping: now,
            offered: false,
        })
    }

    /// Says a text with the next number at its end, and returns that number.
    pub(crate) fn say_numbered(&mut self, world: &World, fields: &str) -> Result<u64> {
        self.n += 1;
        self.say(world, &format!("{{{fields},\"n\":{}}}", self.n))?;
        Ok(self.n)
    }

    pub(crate) fn say(&self, world: &World, text: &str) -> Result<()> {
        self.send(world, &wire::text(text))
    }

    pub(crate) fn send(&self, world: &World, frame: &[u8]) -> Result<()> {
        self.socket.send(frame)?;
        world.tally.frame(&world.tally.said, frame.len());
        Ok(())
    }
}

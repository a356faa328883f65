//! People who watch a match.

use std::{
    future::poll_fn,
    mem::MaybeUninit,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rand::{RngExt as _, rngs::SmallRng};
use tokio::{
    io::ReadBuf,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    play::World,
    rest::Account,
    socket::{READ_BYTES, Socket},
    wire::{self, Frame, Message, read_frame},
};

/// Watchers come within this time, and follow the players to their next match within it.
pub(crate) const COME_WITHIN: Duration = Duration::from_secs(3);
/// How long the next match may be in coming.
const NEXT_MAX: Duration = Duration::from_secs(30);
/// The server closes a socket with this once its match is over.
const MATCH_OVER: u16 = 4410;

/// Someone who watches one match after another of the same two people.
pub(crate) struct Watcher {
    pub(crate) account: Account,
    pub(crate) luck: SmallRng,
}

impl Watcher {
    pub(crate) async fn watch(mut self, world: Arc<World>) {
        let mut watched = world.watched.subscribe();
        loop {
            sleep(COME_WITHIN.mul_f64(self.luck.random())).await;
            if let Err(error) = self.one(&world, &mut watched).await {
                return world.tally.fault(format!("watcher lost: {error:#}"));
            }
        }
    }

    /// Watches until there is another match.
    async fn one(&mut self, world: &World, watched: &mut watch::Receiver<String>) -> Result<()> {
        let match_id = watched.borrow_and_update().clone();
        let socket = Socket::open(&world.rest, &mut self.account, &match_id).await?;
        let mut view = View { world, socket, seq: None };
        world.tally.watching.fetch_add(1, Relaxed);
        let heard = tokio::select! {
            next = watched.changed() => next.context("the players have left"),
            heard = view.listen() => heard,
        };
        world.tally.watching.fetch_sub(1, Relaxed);
        view.socket.leave();
        heard?;
        if *watched.borrow() == match_id {
            timeout(NEXT_MAX, watched.changed()).await.context("no next match")??;
        }
        Ok(())
    }
}

/// A match as a watcher sees it.
struct View<'a> {
    world: &'a World,
    socket: Socket,
    /// The number of the last message heard.
    seq: Option<u64>,
}

impl View<'_> {
    /// Listens until the match is over.
    async fn listen(&mut self) -> Result<()> {
        let first = self.socket.take_cut();
        if self.hear(&first)? {
            return Ok(());
        }
        poll_fn(|context| self.poll(context)).await
    }

    /// Reads until there is no more.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        while self.socket.read(context, &mut read)? {
            if self.hear(read.filled())? {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    /// Hears each whole frame, keeps the rest, and says whether the match is over.
    fn hear(&mut self, mut bytes: &[u8]) -> Result<bool> {
        let tally = &self.world.tally;
        while let Some((frame, length)) = read_frame(bytes)? {
            bytes = &bytes[length..];
            tally.frame(&tally.watched, length);
            match frame {
                Frame::Text(text) => self.follow(&Message::read(text)),
                Frame::Ping(payload) => self.socket.send(&wire::pong(payload))?,
                Frame::Close(Some(MATCH_OVER)) => return Ok(true),
                Frame::Close(code) => bail!("closed with {}", code.unwrap_or(1005)),
                Frame::Other => {}
            }
        }
        self.socket.keep_cut(bytes);
        Ok(false)
    }

    /// Checks that nothing was lost on the way.
    fn follow(&mut self, message: &Message<'_>) {
        let Some(seq) = message.seq else { return };
        let last = self.seq.replace(seq);
        if last.is_some_and(|last| seq != last + 1) {
            self.world.tally.fault("a watcher fell behind".to_owned());
        }
    }
}

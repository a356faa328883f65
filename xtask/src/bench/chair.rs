//! One player's end of the wire.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::{
    person::Person,
    play::World,
    rest::{Account, read_head},
    server::ORIGIN,
    wire,
};

/// How long the server may take to open a socket or to close one.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket in a match, and what its player keeps in mind.
pub(crate) struct Chair {
    stream: TcpStream,
    /// The beginning of a frame whose end hasn't come.
    cut: Vec<u8>,
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
        let ticket = world.rest.ticket(account).await?;
        let mut stream = world.rest.connect().await?;
        let request = format!(
            "GET /ws/game/{match_id}?ticket={ticket} HTTP/1.1\r\nHost: {}\r\nOrigin: {ORIGIN}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            world.rest.server(),
        );
        stream.write_all(request.as_bytes()).await?;
        let head = timeout(PATIENCE, read_head(&mut stream)).await.context("no upgrade")??;
        let (101, _, cut) = head else { bail!("the socket was refused: {}", head.0) };
        let now = Instant::now();
        Ok(Chair {
            stream,
            cut,
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

    /// Reads what has come, behind what was left over; says whether anything has.
    pub(crate) fn read(
        &mut self,
        context: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Result<bool> {
        read.clear();
        read.put_slice(&self.cut);
        ensure!(read.remaining() > 0, "a message of more than {} bytes", read.capacity());
        match Pin::new(&mut self.stream).poll_read(context, read) {
            Poll::Pending => return Ok(false),
            Poll::Ready(result) => result.context("reading")?,
        }
        ensure!(read.filled().len() > self.cut.len(), "the server ended the connection");
        self.cut.clear();
        Ok(true)
    }

    /// What came together with the upgrade, or was left over from the last read.
    pub(crate) fn take_cut(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.cut)
    }

    /// Keeps the beginning of a frame until its end comes.
    pub(crate) fn keep_cut(&mut self, cut: &[u8]) {
        self.cut.extend_from_slice(cut);
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
        match self.stream.try_write(frame) {
            Ok(written) => ensure!(written == frame.len(), "the server reads too slowly"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                bail!("the server reads too slowly")
            }
            Err(error) => return Err(error).context("sending"),
        }
        world.tally.frame(&world.tally.said, frame.len());
        Ok(())
    }

    /// Leaves as politely as a browser.
    pub(crate) fn leave(self, world: &World) {
        // A connection that is already broken needs no goodbye.
        let _ = self.send(world, &wire::close());
        let mut stream = self.stream;
        tokio::spawn(timeout(PATIENCE, async move {
            let mut rest = [0; 512];
            while stream.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        }));
    }
}

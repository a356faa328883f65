//! A WebSocket of someone at a match.

use std::{
    io::ErrorKind,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::{
    rest::{Account, Rest, read_head},
    server::ORIGIN,
    wire,
};

/// More than any message is long.
pub(crate) const READ_BYTES: usize = 8192;
/// How long the server may take to open a socket or to close one.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end hasn't come.
    cut: Vec<u8>,
}

impl Socket {
    /// Opens a socket into a match.
    pub(crate) async fn open(rest: &Rest, account: &mut Account, match_id: &str) -> Result<Socket> {
        let ticket = rest.ticket(account).await?;
        let mut stream = rest.connect().await?;
        let request = format!(
            "GET /ws/game/{match_id}?ticket={ticket} HTTP/1.1\r\nHost: {}\r\nOrigin: {ORIGIN}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            rest.server(),
        );
        stream.write_all(request.as_bytes()).await?;
        let head = timeout(PATIENCE, read_head(&mut stream)).await.context("no upgrade")??;
        let (101, _, cut) = head else { bail!("the socket was refused: {}", head.0) };
        Ok(Socket { stream, cut })
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

    pub(crate) fn send(&self, frame: &[u8]) -> Result<()> {
        match self.stream.try_write(frame) {
            Ok(written) => ensure!(written == frame.len(), "the server reads too slowly"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                bail!("the server reads too slowly")
            }
            Err(error) => return Err(error).context("sending"),
        }
        Ok(())
    }

    /// Leaves as politely as a browser.
    pub(crate) fn leave(self) {
        // A connection that is already broken needs no goodbye.
        let _ = self.send(&wire::close());
        let mut stream = self.stream;
        tokio::spawn(timeout(PATIENCE, async move {
            let mut rest = [0; 512];
            while stream.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        }));
    }
}

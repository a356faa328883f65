//! Who is slow is waited for, but not for ever: who reads what it is sent, and who sends the body
//! of a request. (How long its head may take is a setting of [`serve`](crate::serve()).)

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{BoxError, body::HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// Who takes at least so much while they are waited for is not slow, but far away.
const TAKEN_MIN: usize = 16 * 1024;

/// A connection that ends with an error when its other end reads nothing, or next to nothing, for
/// too long of what it is sent.
pub(crate) struct Patient {
    stream: TcpStream,
    most: Duration,
    stuck: Option<Stuck>,
}

/// What is sent can't go out: the other end has not read what came before.
struct Stuck {
    until: Pin<Box<Sleep>>,
    taken: usize,
}

impl Patient {
    pub(crate) fn new(stream: TcpStream, most: Duration) -> Patient {
        Patient { stream, most, stuck: None }
    }

    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                self.stuck = self.stuck.take().and_then(|it| it.after(*bytes));
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let most = self.most;
                let stuck = self
                    .stuck
                    .get_or_insert_with(|| Stuck { until: Box::pin(sleep(most)), taken: 0 });
                ready!(stuck.until.as_mut().poll(context));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "it reads too slowly")))
            }
        }
    }
}

impl Stuck {
    fn after(mut self, bytes: usize) -> Option<Stuck> {
        self.taken += bytes;
        (self.taken < TAKEN_MIN).then_some(self)
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Whoever flushes has written all that there was.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stuck = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A body that did not come in time.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body did not come in time")
    }
}

impl std::error::Error for TooSlow {}

/// The body of a request, that breaks off with [`TooSlow`] when all of it takes too long.
pub(crate) struct Hurried {
    body: Incoming,
    most: Duration,
    /// Counted from when somebody begins to read it.
    until: Option<Pin<Box<Sleep>>>,
}

impl Hurried {
    pub(crate) fn new(body: Incoming, most: Duration) -> Hurried {
        Hurried { body, most, until: None }
    }
}

impl HttpBody for Hurried {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let most = self.most;
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|it| it.map_err(BoxError::from))),
            Poll::Pending => {
                let until = self.until.get_or_insert_with(|| Box::pin(sleep(most)));
                ready!(until.as_mut().poll(context));
                Poll::Ready(Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

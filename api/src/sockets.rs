//! What both kinds of sockets share: who may open one, limits, pings, and how each ends.

use std::{pin::Pin, time::Duration};

use arena::{Error, Pass, Why};
use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::StreamExt;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::tungstenite;
use tracing::{Instrument, Span};

use crate::{Api, Problem, address::ClientAddress, open_sockets::Place};

/// No message of a client needs more.
const MESSAGE_BYTES_MAX: usize = 4096;
/// Up to here a message that is too long is at least read to its end, so that the goodbye arrives.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// The defaults are made for large messages: they would be most of a match's memory.
const READ_BUFFER_BYTES: usize = 512;
/// Often enough to know of a weak connection while it matters, and then less often.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long a socket may say nothing, not even to our pings, before it is taken for dead.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long a client may leave us waiting until it reads.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);
const MESSAGES_A_SECOND: f64 = 40.0;
const MESSAGES_BURST: f64 = 80.0;
const BAD_MESSAGES_A_MINUTE: u32 = 10;

/// How a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// The client went.
    Gone,
    /// What came is no WebSocket.
    Protocol,
    /// Bytes where text belongs.
    Binary,
    /// Text that is not UTF-8.
    NotText,
    /// A rule broken again and again.
    Rule,
    /// A message too long.
    TooBig,
    /// A message so long that it will not be read.
    FarTooBig,
    /// Ours to mend.
    Fault,
    /// The server goes away.
    Restart,
    /// Not now.
    TryLater,
    /// Not signed in any more.
    SignedOut,
    NotFound,
    /// The same player sat down elsewhere.
    Replaced,
    MatchOver,
    /// Too many messages, or they are read too slowly.
    TooFast,
    /// Nothing was heard for too long.
    Silent,
}

impl Goodbye {
    /// The close code, from RFC 6455 where it has one, and what it means.
    fn frame(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Goodbye::Gone => return None,
            Goodbye::Protocol => (1002, "that is no WebSocket frame"),
            Goodbye::NotText => (1007, "text is UTF-8"),
            Goodbye::Binary => (1003, "messages are text"),
            Goodbye::Rule => (1008, "too many bad messages"),
            Goodbye::TooBig | Goodbye::FarTooBig => (1009, "a message has at most 4096 bytes"),
            Goodbye::Fault => (1011, "something went wrong on our side"),
            Goodbye::Restart => (1012, "the server is going away: reconnect at once"),
            Goodbye::TryLater => (1013, "try again later"),
            Goodbye::SignedOut => (4401, "not signed in any more"),
            Goodbye::NotFound => (4404, "there is no such match"),
            Goodbye::Replaced => (4409, "newer sockets of yours took over"),
            Goodbye::MatchOver => (4410, "the match is over"),
            Goodbye::TooFast => (4429, "too many messages, or read too slowly"),
            Goodbye::Silent => (1001, "nothing was heard for 60 s"),
        })
    }

    /// How a socket ends that the arena refused.
    pub(crate) fn of(error: Error) -> Goodbye {
        match error {
            Error::Refused(refused) => match refused.why {
                Why::NotFound => Goodbye::NotFound,
                Why::Conflict | Why::Gone => Goodbye::MatchOver,
                Why::Unauthenticated | Why::Forbidden => Goodbye::SignedOut,
                Why::Malformed
                | Why::Invalid
                | Why::TooMany
                | Why::BadGateway
                | Why::Unavailable => Goodbye::TryLater,
            },
            Error::Fault(fault) => {
                tracing::error!(error = format!("{fault:#}"), "A socket failed to open");
                Goodbye::Fault
            }
        }
    }
}

/// Who may open a socket: the holder of a ticket, from one of our pages or from no page at all.
/// A refusal is answered before the upgrade, as to any request.
pub(crate) async fn admit(api: &Api, headers: &HeaderMap, ticket: &str) -> Result<Pass, Problem> {
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|it| !api.origins.iter().any(|ours| it == ours)) {
        let detail = "pages of other sites may not open sockets: their origin must be PUBLIC_URL's";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail));
    }
    Ok(api.arena.redeem_ticket(ticket).await?)
}

/// What a request says that wants to be a socket.
pub(crate) struct Opening {
    /// Which sort of socket, for the metrics.
    pub(crate) kind: &'static str,
    pub(crate) pass: Pass,
    pub(crate) address: ClientAddress,
    pub(crate) upgrade: WebSocketUpgrade,
    /// Of what is logged meanwhile: the request is over long before.
    pub(crate) span: Span,
}

/// Turns a request into a socket, lets `talk` have it, and says goodbye as that decides. Refused
/// before the upgrade where too many are open.
pub(crate) fn open<F>(
    api: &Api,
    opening: Opening,
    talk: impl FnOnce(Socket) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = (Socket, Goodbye)> + Send + 'static,
{
    let Opening { kind, pass, address, upgrade, span } = opening;
    let account = match pass {
        Pass::Member(by) => Some(by.user_id),
        Pass::Stranger(_) => None,
    };
    let place = api.sockets.enter(account, address)?;
    let counted = api.metrics.open_socket(kind);
    let (api, notice) = (api.clone(), notice(api.clone(), pass));
    let response = upgrade
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |stream| {
            let tasks = api.tasks.clone();
            let work = async move {
                let _counted = counted;
                let (socket, goodbye) = talk(Socket::new(stream, notice, place)).await;
                api.metrics.closed_socket(kind, goodbye.frame().map(|it| it.0));
                socket.close(goodbye).await;
            };
            tasks.track_future(work.instrument(span))
        });
    Ok(response)
}

/// What comes from a client.
pub(crate) enum Heard {
    /// A message.
    Text(Utf8Bytes),
    /// The answer to a ping, and how long it took.
    Rtt(Duration),
}

/// One open socket.
pub(crate) struct Socket {
    stream: WebSocket,
    /// Ends when the server or the session does.
    notice: Pin<Box<dyn Future<Output = Goodbye> + Send>>,
    place: Place,
    pings: Interval,
    opened: Instant,
    /// What the last ping says that is not answered yet: microseconds since the socket was opened.
    pinged: Option<u64>,
    heard_at: Instant,
    /// Messages that may come at once: a token bucket, filled up to `filled_at`.
    tokens: f64,
    filled_at: Instant,
    /// Bad messages in the minute since `minute`.
    bad: u32,
    minute: Instant,
}

impl Socket {
    fn new(
        stream: WebSocket,
        notice: impl Future<Output = Goodbye> + Send + 'static,
        place: Place,
    ) -> Socket {
        let now = Instant::now();
        let mut pings = interval_at(now, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Socket {
            stream,
            notice: Box::pin(notice),
            place,
            pings,
            opened: now,
            pinged: None,
            heard_at: now,
            tokens: MESSAGES_BURST,
            filled_at: now,
            bad: 0,
            minute: now,
        }
    }

    /// The next message, within the limits. May be dropped and called again at any time.
    pub(crate) async fn recv(&mut self) -> Result<Heard, Goodbye> {
        loop {
            let frame = tokio::select! {
                biased;
                goodbye = &mut self.notice => return Err(goodbye),
                () = self.place.outdone() => return Err(Goodbye::Replaced),
                frame = self.stream.next() => frame,
                _ = self.pings.tick() => {
                    if self.heard_at.elapsed() >= SILENCE_MAX {
                        return Err(Goodbye::Silent);
                    }
                    let now = self.opened.elapsed().as_micros() as u64;
                    self.pinged = Some(now);
                    self.send(Message::Ping(now.to_be_bytes().to_vec().into())).await?;
                    continue;
                }
            };
            let frame = match frame {
                None => return Err(Goodbye::Gone),
                Some(Err(error)) => return Err(unreadable(error)),
                Some(Ok(frame)) => frame,
            };
            self.heard_at = Instant::now();
            self.spend_token()?;
            match frame {
                Message::Text(text) if text.len() > MESSAGE_BYTES_MAX => {
                    return Err(Goodbye::TooBig);
                }
                Message::Text(text) => return Ok(Heard::Text(text)),
                Message::Binary(_) => return Err(Goodbye::Binary),
                Message::Close(_) => return Err(Goodbye::Gone),
                Message::Pong(sent) => {
                    if let Some(rtt) = self.rtt(&sent) {
                        return Ok(Heard::Rtt(rtt));
                    }
                }
                Message::Ping(_) => {}
            }
        }
    }

    /// How long the last ping and its answer took; none when this is not that answer.
    fn rtt(&mut self, sent: &[u8]) -> Option<Duration> {
        let sent = u64::from_be_bytes(sent.try_into().ok()?);
        self.pinged.take_if(|it| *it == sent)?;
        Some(self.opened.elapsed().saturating_sub(Duration::from_micros(sent)))
    }

    /// Counts a bad message; too many end the socket.
    pub(crate) fn count_bad(&mut self) -> Result<(), Goodbye> {
        if self.minute.elapsed() >= Duration::from_secs(60) {
            (self.bad, self.minute) = (0, Instant::now());
        }
        self.bad += 1;
        if self.bad > BAD_MESSAGES_A_MINUTE { Err(Goodbye::Rule) } else { Ok(()) }
    }

    /// Sends JSON.
    pub(crate) async fn say(&mut self, json: Bytes) -> Result<(), Goodbye> {
        let text = Utf8Bytes::try_from(json).expect("what serde_json writes is UTF-8");
        self.send(Message::Text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Goodbye> {
        match timeout(WRITE_TIME_MAX, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Goodbye::Gone),
            Err(_) => Err(Goodbye::TooFast),
        }
    }

    fn spend_token(&mut self) -> Result<(), Goodbye> {
        let passed = self.heard_at.duration_since(self.filled_at).as_secs_f64();
        self.filled_at = self.heard_at;
        self.tokens = (self.tokens + passed * MESSAGES_A_SECOND).min(MESSAGES_BURST) - 1.0;
        if self.tokens < 0.0 { Err(Goodbye::TooFast) } else { Ok(()) }
    }

    /// Says goodbye, and reads on until the client has heard it: bytes left unread would make the
    /// system reset the connection under it.
    async fn close(mut self, goodbye: Goodbye) {
        if let Some((code, reason)) = goodbye.frame() {
            let frame = CloseFrame { code, reason: reason.into() };
            if self.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
        }
        let rest = async {
            let unread =
                matches!(goodbye, Goodbye::FarTooBig | Goodbye::Protocol | Goodbye::NotText);
            if unread {
                // What is left of the message can't be read; give the goodbye its time.
                std::future::pending::<()>().await;
            }
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        // Who does not hear it in time has lost it.
        let _ = timeout(GOODBYE_TIME_MAX, rest).await;
    }
}

/// Waits until the server goes away or the session ends.
fn notice(api: Api, pass: Pass) -> impl Future<Output = Goodbye> + Send {
    // Listens from now on, not from when it is first waited for.
    let mut ended = api.arena.ended_sessions();
    let signed_out = async move {
        let Pass::Member(by) = pass else { return std::future::pending().await };
        loop {
            match ended.recv().await {
                Ok(id) if id == by.session_id => return,
                Ok(_) => {}
                // Ours may be among those that were missed: let them come back with a new ticket.
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    async move {
        tokio::select! {
            () = api.closing.cancelled() => Goodbye::Restart,
            () = signed_out => Goodbye::SignedOut,
        }
    }
}

fn unreadable(error: axum::Error) -> Goodbye {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Goodbye::FarTooBig,
        Some(tungstenite::Error::Utf8(_)) => Goodbye::NotText,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => Goodbye::Gone,
        Some(tungstenite::Error::Protocol(_)) => Goodbye::Protocol,
        _ => Goodbye::Gone,
    }
}

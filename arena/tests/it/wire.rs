//! A wire to a service, which a test cuts, mends, or keeps from carrying anything.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

/// A wire to Redis.
pub(crate) struct Wire {
    /// Its end here.
    pub(crate) url: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Carries,
    /// Takes all, and lets nothing through.
    Holds,
    /// Neither has connections nor takes any.
    Cut,
}

impl Wire {
    pub(crate) async fn to(redis: &str) -> Wire {
        let mut url = Url::parse(redis).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let port = url.port().unwrap_or(6379);
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let state = watch::Sender::new(State::Carries);
        let states = state.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut cut = states.clone();
                if *cut.borrow() == State::Cut {
                    continue;
                }
                let (states, host) = (states.clone(), host.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect((host, port)).await else { return };
                    let (read_near, write_near) = near.into_split();
                    let (read_far, write_far) = far.into_split();
                    tokio::select! {
                        () = carry(read_near, write_far, states.clone()) => {}
                        () = carry(read_far, write_near, states) => {}
                        // It goes with its test.
                        _ = cut.wait_for(|it| *it == State::Cut) => {}
                    }
                });
            }
        });
        Wire { url: url.into(), state }
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn hold(&self) {
        self.state.send_replace(State::Holds);
    }

    /// Carries again, also what was held.
    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Carries);
    }
}

/// Until either end is gone.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut states: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let carries = states.wait_for(|it| *it == State::Carries).await.is_ok();
        if !carries || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

//! A wire to a service, which a test cuts, mends, or keeps from carrying anything. The tests of the
//! whole server use it too.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A wire that carries connections while it is whole.
pub(crate) struct Wire {
    /// The service's own address, led through this.
    pub(crate) url: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy)]
struct State {
    mood: Mood,
    /// How often it was cut: no connection outlives a cut, however soon it is mended.
    cuts: u64,
    /// How often all connections were lost, without a word to either end.
    losses: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Carries,
    /// Takes all, and lets nothing through.
    Holds,
    /// Neither has connections nor takes any.
    Cut,
}

impl Wire {
    /// To where an address leads, such as `redis://127.0.0.1:6379/0`.
    pub(crate) async fn to(address: &str) -> Wire {
        let (scheme, rest) = address.split_once("://").unwrap();
        let place = rest.split(['/', '?']).next().unwrap();
        let (user, far) = match place.rsplit_once('@') {
            Some((user, far)) => (format!("{user}@"), far.to_owned()),
            None => (String::new(), place.to_owned()),
        };
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let near = listener.local_addr().unwrap();
        let url = format!("{scheme}://{user}{near}{}", &rest[place.len()..]);
        let state = watch::Sender::new(State { mood: Mood::Carries, cuts: 0, losses: 0 });
        let states = state.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let State { mood, cuts, losses } = *states.borrow();
                if mood == Mood::Cut {
                    continue;
                }
                let (states, mut cut, far) = (states.clone(), states.clone(), far.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(far).await else { return };
                    let (read_near, write_near) = near.into_split();
                    let (read_far, write_far) = far.into_split();
                    tokio::select! {
                        () = carry(read_near, write_far, states.clone(), losses) => {}
                        () = carry(read_far, write_near, states, losses) => {}
                        // It goes with its test.
                        _ = cut.wait_for(|it| it.cuts != cuts) => {}
                    }
                });
            }
        });
        Wire { url, state }
    }

    /// Cuts what is connected, and carries nothing more.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|it| {
            it.mood = Mood::Cut;
            it.cuts += 1;
        });
    }

    /// Keeps what is connected, and lets nothing through.
    pub(crate) fn hold(&self) {
        self.state.send_modify(|it| it.mood = Mood::Holds);
    }

    /// Carries nothing more over what is connected, and tells neither end: as when the machine
    /// there has died and another has its place.
    pub(crate) fn lose(&self) {
        self.state.send_modify(|it| it.losses += 1);
    }

    /// Carries again, also what was held.
    pub(crate) fn mend(&self) {
        self.state.send_modify(|it| it.mood = Mood::Carries);
    }
}

/// Until either end is gone.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut states: watch::Receiver<State>,
    losses: u64,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let carries =
            states.wait_for(|it| it.mood == Mood::Carries && it.losses == losses).await.is_ok();
        if !carries || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

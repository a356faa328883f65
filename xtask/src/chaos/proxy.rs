//! A proxy before servers or services: it brings each connection to one of them, leaves out those
//! that are not well, and can be cut.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle},
};

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    targets: Vec<SocketAddr>,
    connections: HashMap<u64, (SocketAddr, AbortHandle)>,
}

impl Proxy {
    /// Before these.
    pub(crate) async fn before(targets: Vec<SocketAddr>) -> Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { targets, ..State::default() }));
        let task = tokio::spawn(accept(listener, state.clone()));
        Ok(Proxy { address, state, task })
    }

    /// Before where an address leads, such as `redis://127.0.0.1:6379/0`; with that address, led
    /// through this.
    pub(crate) async fn before_url(url: &str) -> Result<(Proxy, String)> {
        let (scheme, rest) = url.split_once("://").context("not an address")?;
        let place = rest.split(['/', '?']).next().unwrap_or_default();
        let (user, far) = match place.rsplit_once('@') {
            Some((user, far)) => (format!("{user}@"), far),
            None => (String::new(), place),
        };
        let proxy = Proxy::before(vec![far.parse().context("not an address and a port")?]).await?;
        let through = format!("{scheme}://{user}{}{}", proxy.address, &rest[place.len()..]);
        Ok((proxy, through))
    }

    /// Brings new connections there too, or not any more.
    pub(crate) fn set_new(&self, target: SocketAddr, well: bool) {
        let mut state = lock(&self.state);
        state.targets.retain(|it| *it != target);
        if well {
            state.targets.push(target);
        }
    }

    /// Brings connections there too, or not any more: then those that are there end.
    pub(crate) fn set(&self, target: SocketAddr, well: bool) {
        self.set_new(target, well);
        if well {
            return;
        }
        let mut state = lock(&self.state);
        state.connections.retain(|_, (to, connection)| {
            if *to == target {
                connection.abort();
            }
            *to != target
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let number = AtomicU64::new(0);
    while let Ok((near, _)) = listener.accept().await {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let Some(target) = lock(&state).choose() else { continue };
        let ends = state.clone();
        let carry = tokio::spawn(async move {
            // OK because a connection that ends with an error has ended all the same.
            let _ = carry(near, target).await;
            lock(&ends).connections.remove(&number);
        });
        lock(&state).connections.insert(number, (target, carry.abort_handle()));
        if carry.is_finished() {
            lock(&state).connections.remove(&number);
        }
    }
}

async fn carry(mut near: TcpStream, target: SocketAddr) -> Result<()> {
    let mut far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}

impl State {
    fn choose(&self) -> Option<SocketAddr> {
        let count = self.targets.len();
        (count > 0).then(|| self.targets[rand::random_range(0..count)])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

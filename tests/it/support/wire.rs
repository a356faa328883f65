//! A wire to a service, which can be cut and mended.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// A wire that carries connections while it is whole.
pub(crate) struct Wire {
    /// The service's own address, led through this.
    pub(crate) url: String,
    whole: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
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
        let whole = Arc::new(AtomicBool::new(true));
        let connections = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let (carries, opened) = (whole.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if !carries.load(Ordering::SeqCst) {
                    continue;
                }
                let far = far.clone();
                let carried = tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(far).await {
                        // OK because a connection that ends with an error has ended all the same.
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
                opened.lock().unwrap().push(carried.abort_handle());
            }
        });
        Wire { url, whole, connections }
    }

    /// Cuts what is connected, and carries nothing more.
    pub(crate) fn cut(&self) {
        self.whole.store(false, Ordering::SeqCst);
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }

    /// Carries again.
    pub(crate) fn mend(&self) {
        self.whole.store(true, Ordering::SeqCst);
    }
}

//! The accept loop: axum's own has no limit on how long a client may take to send its headers.

use std::{io, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    address::Peer,
    patience::{Hurried, Patient},
};

const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Connections that ask and are answered. One that has become a socket has left them, and counts
/// among the [open sockets](crate::open_sockets).
const CONNECTIONS_MAX: usize = 8 * 1024;
/// How long requests that are being answered may take once the server is asked to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);
/// How long to wait when the process is out of files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);

/// Serves `router` on `listener` until `closing` is cancelled; then stops listening at once, and
/// returns when what was being answered is answered, or after two seconds.
///
/// A client has `patience` to send the head of a request, the first and the next: an idle
/// connection is closed then. It has half as long again to send a body, and to go on reading.
///
/// Upgraded connections are not waited for: their tasks are their owner's.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    closing: CancellationToken,
) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let accept = async {
        loop {
            let place = Arc::clone(&room).acquire_owned().await.expect("it is never closed");
            match listener.accept().await {
                Ok((stream, address)) => {
                    let (router, closing) = (router.clone(), closing.clone());
                    let talk = talk(stream, Peer(address), router, patience, closing);
                    connections.spawn(async move {
                        talk.await;
                        drop(place);
                    });
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "Can't accept connections for a moment");
                    time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    };
    closing.run_until_cancelled(accept).await;
    drop(listener);
    connections.close();
    if time::timeout(DRAIN_TIME_MAX, connections.wait()).await.is_err() {
        tracing::warn!("{} connections were cut off in mid-answer", connections.len());
    }
}

/// Answers the requests of one connection.
async fn talk(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    patience: Duration,
    closing: CancellationToken,
) {
    let longer = patience + patience / 2;
    // A game's messages are small and can't wait for more to fill a packet. It only fails on a
    // connection that is gone already.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| Body::new(Hurried::new(body, longer)));
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEADERS_BYTES_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream, longer)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = match closing.run_until_cancelled(connection.as_mut()).await {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        let error = format!("{:#}", anyhow::Error::from(error));
        tracing::debug!(error, peer = %peer.0, "A connection ended badly");
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

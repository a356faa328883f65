//! The bus between processes, over a real Redis.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use arena::{Arena, LobbyMessage, Options, Place, QueueUpdate, Secret, User, Why};
use games::Kind::Pong;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::timeout,
};
use url::Url;

use crate::support::{TestArena, heard, refused, until, var};

async fn open(test: &TestArena, redis: &str) -> Arena {
    let redis_url = Some(Secret::new(redis));
    Arena::open(Options { redis_url, ..test.options.clone() }, test.clock.clone()).await.unwrap()
}

fn says_waiting(message: &LobbyMessage) -> bool {
    matches!(
        message,
        LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place: Place::Waiting { .. } })
    )
}

/// Joins and leaves at `from` until a page of the same person at `to` hears that they wait. `to` is
/// on another database, so that it can have heard so from the bus only.
async fn check_heard(from: &Arena, user: &User, to: &Arena) {
    let mut page = to.lobby_join(user.id).await.unwrap();
    until("the news come through", async || {
        from.queue_join(user.id, Pong, None).await.unwrap();
        let wait = async { while !says_waiting(&heard(&mut page).await) {} };
        let heard = timeout(std::time::Duration::from_millis(200), wait).await.is_ok();
        from.queue_leave(user.id, Pong).await.unwrap();
        heard
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_hear_each_other() {
    let Some(redis) = var("ARTEL_TEST_REDIS") else { return };
    let (one, two) = (TestArena::sqlite().await, TestArena::sqlite().await);
    let (here, there) = (open(&one, &redis).await, open(&two, &redis).await);
    here.ready().await.unwrap();
    let ann = one.player("Ann").await;
    check_heard(&here, &ann, &there).await;
    here.close().await;
    there.close().await;
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_redis_is_found_again() {
    let Some(redis) = var("ARTEL_TEST_REDIS") else { return };
    let wire = Wire::to(&redis).await;
    let (one, two) = (TestArena::sqlite().await, TestArena::sqlite().await);
    let (here, there) = (open(&one, &wire.url).await, open(&two, &wire.url).await);
    let ann = one.player("Ann").await;
    check_heard(&here, &ann, &there).await;
    wire.cut();
    check_heard(&here, &ann, &there).await;
    until("it is ready again", async || here.ready().await.is_ok()).await;
    here.close().await;
    there.close().await;
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_an_arena_serves_but_is_not_ready() {
    let test = TestArena::sqlite().await;
    // A port that nobody listens at, and stays so because it is ours.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let arena = open(&test, &format!("redis://{address}")).await;
    let refused = refused(arena.ready().await);
    assert_eq!((refused.why, refused.code), (Why::Unavailable, "unavailable"));
    assert!(!refused.detail.contains(&address.to_string()));
    let ann = test.player("Ann").await;
    let mut page = arena.lobby_join(ann.id).await.unwrap();
    arena.queue_join(ann.id, Pong, None).await.unwrap();
    while !says_waiting(&heard(&mut page).await) {}
    arena.close().await;
    test.end().await;
}

/// A wire to Redis that can be cut.
struct Wire {
    url: String,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Wire {
    async fn to(redis: &str) -> Wire {
        let mut url = Url::parse(redis).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let port = url.port().unwrap_or(6379);
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let connections = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let opened = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let host = host.clone();
                let carried = tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect((host, port)).await {
                        // OK because a connection that ends with an error has ended all the same.
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
                opened.lock().unwrap().push(carried.abort_handle());
            }
        });
        Wire { url: url.into(), connections }
    }

    /// Cuts what is connected; what connects later is carried.
    fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }
}

//! The bus: what is said in the lobby of one process is heard in those of all others.
//!
//! It is Redis's publish and subscribe, which promises nothing: what is said while a process is cut
//! off, it never hears. So no truth travels here, only news of what the database knows, and the
//! matcher's passes put right what was missed. Without Redis there is one process, and nothing
//! to do.

use std::time::Duration;

use anyhow::{Context, anyhow};
use futures_util::StreamExt;
use redis::{
    Client, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};

use crate::{Arena, Error, Options, Result, UserId, Why, lobby::LobbyMessage, metrics};

const CHANNEL: &str = "artel:lobby";
/// News that wait to be sent; more are left to the matcher's passes.
const BACKLOG_MAX: usize = 1024;
/// How long Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How often a quiet subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How long to wait before another attempt: doubled each time, from the first to the second.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];

/// Carries news to other processes, if there may be any.
pub(crate) struct Bus(Option<Redis>);

struct Redis {
    /// Names this process, so that it does not listen to itself.
    me: u64,
    /// Reconnects by itself.
    connection: ConnectionManager,
    outbox: mpsc::Sender<String>,
    /// The beginning of all names in Redis: several arenas may share one.
    prefix: String,
}

/// What the tasks of a bus work with.
pub(crate) struct Ends {
    me: u64,
    client: Client,
    connection: ConnectionManager,
    outbox: mpsc::Receiver<String>,
}

#[derive(Serialize, Deserialize)]
struct News<'a> {
    from: u64,
    user: UserId,
    message: std::borrow::Cow<'a, LobbyMessage>,
}

impl Bus {
    /// Connects to nothing yet: a server starts while Redis is away, and says that it is not ready.
    /// `arena` names the arena, for processes over the same database.
    pub(crate) fn new(options: &Options, arena: &str) -> anyhow::Result<(Bus, Option<Ends>)> {
        let Some(url) = &options.redis_url else {
            return Ok((Bus(None), None));
        };
        let client = Client::open(url.expose()).context("reading REDIS_URL")?;
        let config = ConnectionManagerConfig::new()
            .set_min_delay(RETRY_AFTER[0])
            .set_max_delay(RETRY_AFTER[1])
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)
            .context("setting up the connection to Redis")?;
        let (outbox, to_send) = mpsc::channel(BACKLOG_MAX);
        let me = rand::random();
        let ends = Ends { me, client, connection: connection.clone(), outbox: to_send };
        let prefix = format!("artel:{arena}");
        Ok((Bus(Some(Redis { me, connection, outbox, prefix })), Some(ends)))
    }

    /// A connection to Redis, and the full name of something in it.
    pub(crate) fn redis(&self, name: &str) -> Option<(ConnectionManager, String)> {
        let redis = self.0.as_ref()?;
        Some((redis.connection.clone(), format!("{}:{name}", redis.prefix)))
    }

    /// Tells the other processes what somebody's pages are to be told. Never waits.
    pub(crate) fn publish(&self, user: UserId, message: &LobbyMessage) {
        let Some(redis) = &self.0 else { return };
        let news = News { from: redis.me, user, message: std::borrow::Cow::Borrowed(message) };
        let sent = serde_json::to_string(&news).map(|news| redis.outbox.try_send(news));
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!("Left out news for other processes");
        }
    }

    /// Whether Redis answers, where it is used.
    pub(crate) async fn ping(&self) -> Result<()> {
        let Some(redis) = &self.0 else { return Ok(()) };
        let mut connection = redis.connection.clone();
        let ping = redis::cmd("PING");
        let _timer = metrics::redis("ping");
        let answer = timeout(ANSWER_WITHIN, ping.query_async::<Value>(&mut connection)).await;
        match answer.map_err(anyhow::Error::from).and_then(|it| Ok(it?)) {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!("Redis does not answer: {error:#}");
                let detail = "Redis does not answer: try again in a few seconds";
                Err(Error::refused(Why::Unavailable, "unavailable", detail))
            }
        }
    }
}

impl Ends {
    /// Starts the tasks of the bus.
    pub(crate) fn start(self, arena: &Arena) {
        let Ends { me, client, connection, outbox } = self;
        arena.tasks.spawn(speak(arena.clone(), connection, outbox));
        arena.tasks.spawn(listen(arena.clone(), client, me));
    }
}

/// Sends what is said here.
async fn speak(
    arena: Arena,
    mut connection: ConnectionManager,
    mut outbox: mpsc::Receiver<String>,
) {
    let mut up = true;
    loop {
        let news = tokio::select! {
            () = arena.closing.cancelled() => return,
            news = outbox.recv() => news,
        };
        let Some(news) = news else { return };
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(CHANNEL).arg(news);
        let timer = metrics::redis("publish");
        let sent = tokio::select! {
            () = arena.closing.cancelled() => return,
            sent = publish.query_async::<Value>(&mut connection) => sent,
        };
        drop(timer);
        if let (Err(error), true) = (&sent, up) {
            tracing::warn!("Other processes can't hear this one: {error}");
        }
        up = sent.is_ok();
    }
}

/// Hears what is said elsewhere.
async fn listen(arena: Arena, client: Client, me: u64) {
    let mut retry_after = RETRY_AFTER[0];
    loop {
        let ended = tokio::select! {
            () = arena.closing.cancelled() => return,
            ended = subscribe(&arena, &client, me, &mut retry_after) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!("Lost the other processes' news: {error:#}");
        }
        // So that processes that lost Redis together don't come back together.
        let pause = retry_after.mul_f64(rand::random_range(0.5..1.0));
        retry_after = (retry_after * 2).min(RETRY_AFTER[1]);
        tokio::select! {
            () = arena.closing.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

/// Hears until the connection is lost.
async fn subscribe(
    arena: &Arena,
    client: &Client,
    me: u64,
    retry_after: &mut Duration,
) -> anyhow::Result<()> {
    let subscription = timeout(ANSWER_WITHIN, async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(CHANNEL).await?;
        anyhow::Ok(subscription)
    });
    let (mut sink, mut stream) = subscription.await.context("subscribing")??.split();
    *retry_after = RETRY_AFTER[0];
    tracing::debug!("Hearing other processes' news");
    // Whatever was said before this, the next pass finds out.
    arena.queue.stir();
    let mut pings = interval(PING_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => {
                let message = message.ok_or_else(|| anyhow!("the connection was closed"))?;
                hear(arena, me, message.get_payload_bytes());
            }
            _ = pings.tick() => {
                timeout(ANSWER_WITHIN, sink.ping::<Value>()).await.context("pinging")??;
            }
        }
    }
}

fn hear(arena: &Arena, me: u64, news: &[u8]) {
    match serde_json::from_slice::<News<'_>>(news) {
        Ok(news) if news.from == me => {}
        Ok(news) => arena.lobby.deliver(news.user, news.message.into_owned()),
        // While another version is rolled out, it may say what this one does not know.
        Err(error) => tracing::debug!("Did not understand another process: {error}"),
    }
}

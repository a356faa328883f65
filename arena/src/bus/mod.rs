//! The bus: what processes say to each other, over Redis's publish and subscribe.
//!
//! Every process hears one channel that is everybody's and one of its own. Redis promises nothing:
//! what is said while a process is cut off, it never hears. So no truth travels here, only news of
//! what the database knows and what is said in live matches, each envelope is numbered, and who
//! misses one gives up what depended on it: chairs are taken away, and their sockets come back;
//! the lobby looks again. Without Redis there is one process, and nothing to do.

mod envelopes;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::StreamExt;
use live::{End, FarWord, Glance};
use redis::{
    Client, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};

use crate::{
    Arena, Error, Millis, Result, SessionId, UserId, Why,
    cluster::Share,
    lobby::LobbyMessage,
    metrics::{self, METRICS},
    options::Secret,
};
use envelopes::{Envelope, pack};

/// Words that wait to be sent.
const BACKLOG_MAX: usize = 16 * 1024;
/// Words in one go.
const BATCH_MAX: usize = 512;
/// How long Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The same where other words wait behind.
const PUBLISH_WITHIN: Duration = Duration::from_secs(1);
/// How often a subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before another attempt: doubled each time, from the first to the second.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Names a process; 0 names none.
pub(crate) type ProcessId = i64;

/// Carries words to other processes, if there may be any.
pub(crate) struct Bus(Option<Redis>);

struct Redis {
    /// Reconnects by itself.
    connection: ConnectionManager,
    outbox: mpsc::Sender<Outgoing>,
    /// Who was to hear something for which there was no room.
    left_out: Arc<Mutex<HashSet<To>>>,
    /// The beginning of all names in Redis: several arenas may share one.
    prefix: String,
}

/// What the tasks of a bus work with.
pub(crate) struct Ends {
    client: Client,
    connection: ConnectionManager,
    prefix: String,
    outbox: mpsc::Receiver<Outgoing>,
    left_out: Arc<Mutex<HashSet<To>>>,
}

/// To whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum To {
    All,
    One(ProcessId),
}

struct Outgoing {
    to: To,
    /// A [`Word`] as JSON.
    word: String,
    /// Whether it says what happens in a match, for which the lease must hold.
    tells: bool,
}

/// What one process says to another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word<'a> {
    /// Somebody's pages are to be told.
    Lobby { user: UserId, message: Cow<'a, LobbyMessage> },
    /// A session has ended.
    SessionEnded { session: SessionId, at: Millis },
    /// Matches are to be had: their process has let go of them.
    Free,
    /// These have been taken over, and run here.
    Taken { ids: Vec<i64> },
    /// Somebody wants to sit at a match of yours, on a chair that we number.
    Sit { chair: u64, id: i64, user: Option<UserId>, after: Option<u64> },
    /// They do, on this seat; the match's clock shows so many milliseconds.
    Seated { chair: u64, seat: Option<u8>, at: u64 },
    /// They can't.
    NotSeated { chair: u64, why: NotSeated },
    /// What is done at a chair.
    Far { chair: u64, word: FarWord },
    /// What is heard there.
    Heard {
        chair: u64,
        #[serde(borrow)]
        text: &'a RawValue,
    },
    /// The chair is taken away.
    Ended { chair: u64, end: End },
    /// How do these matches of yours stand?
    Look { question: u64, ids: Vec<i64> },
    /// Those that run here stand so.
    Seen { question: u64, glances: Vec<(i64, Glance)> },
}

/// Why somebody can't sit at a match in another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotSeated {
    /// Too many watch it.
    Full,
    /// It is not run there.
    NotHere,
}

impl Bus {
    /// Connects to nothing yet: a server starts while Redis is away, and says that it is not ready.
    /// `arena` names the arena, for processes over the same database.
    pub(crate) fn new(url: Option<&Secret>, arena: &str) -> anyhow::Result<(Bus, Option<Ends>)> {
        let Some(url) = url else { return Ok((Bus(None), None)) };
        let client = Client::open(url.expose()).context("reading REDIS_URL")?;
        let config = ConnectionManagerConfig::new()
            .set_min_delay(RETRY_AFTER[0])
            .set_max_delay(RETRY_AFTER[1])
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)
            .context("setting up the connection to Redis")?;
        let (outbox, to_send) = mpsc::channel(BACKLOG_MAX);
        let prefix = format!("artel:{arena}");
        let ends = Ends {
            client,
            connection: connection.clone(),
            prefix: prefix.clone(),
            outbox: to_send,
            left_out: Arc::default(),
        };
        let left_out = ends.left_out.clone();
        Ok((Bus(Some(Redis { connection, outbox, left_out, prefix })), Some(ends)))
    }

    /// A connection to Redis, and the full name of something in it.
    pub(crate) fn redis(&self, name: &str) -> Option<(ConnectionManager, String)> {
        let redis = self.0.as_ref()?;
        Some((redis.connection.clone(), format!("{}:{name}", redis.prefix)))
    }

    /// Says something; never waits. False when it can't be sent: then those who were to hear it
    /// find that they have missed something.
    pub(crate) fn say(&self, to: To, word: &Word<'_>) -> bool {
        let Some(redis) = &self.0 else { return false };
        let sent = redis.outbox.try_send(Outgoing { to, word: json(word), tells: false });
        if sent.is_err() {
            tracing::debug!("Left out news for other processes");
            lock(&redis.left_out).insert(to);
        }
        sent.is_ok()
    }

    /// Says something once there is room.
    pub(crate) async fn say_surely(&self, to: ProcessId, word: &Word<'_>) {
        self.send(Outgoing { to: To::One(to), word: json(word), tells: false }).await;
    }

    /// Lets a chair hear a message of its match, which is JSON.
    pub(crate) async fn feed(&self, to: ProcessId, chair: u64, text: &Bytes) {
        let text = std::str::from_utf8(text).expect("what serde_json writes is UTF-8");
        let word = format!(r#"{{"Heard":{{"chair":{chair},"text":{text}}}}}"#);
        self.send(Outgoing { to: To::One(to), word, tells: true }).await;
    }

    async fn send(&self, outgoing: Outgoing) {
        let Some(redis) = &self.0 else { return };
        // Without its speaker the process is going away.
        let _ = redis.outbox.send(outgoing).await;
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
    /// Starts the tasks of the bus, which go on until the arena is gone.
    pub(crate) fn start(self, arena: &Arena) {
        let Ends { client, connection, prefix, outbox, left_out } = self;
        let speaker = speak(arena.clone(), connection, prefix.clone(), outbox, left_out);
        arena.tasks.spawn(arena.gone.clone().run_until_cancelled_owned(speaker));
        let listener = listen(arena.clone(), client, prefix);
        arena.tasks.spawn(arena.gone.clone().run_until_cancelled_owned(listener));
    }
}

fn channel(prefix: &str, to: To) -> String {
    match to {
        To::All => format!("{prefix}:all"),
        To::One(process) => format!("{prefix}:process:{process}"),
    }
}

/// Sends what is said here: all that waits, in one go, an envelope for each channel.
async fn speak(
    arena: Arena,
    mut connection: ConnectionManager,
    prefix: String,
    mut outbox: mpsc::Receiver<Outgoing>,
    left_out: Arc<Mutex<HashSet<To>>>,
) {
    let me = arena.cluster.me;
    let mut up = true;
    let mut counts: HashMap<To, u64> = HashMap::new();
    let mut waiting = Vec::with_capacity(BATCH_MAX);
    while outbox.recv_many(&mut waiting, BATCH_MAX).await > 0 {
        METRICS.words_sent(waiting.len());
        // It may have lapsed since this was said.
        let holds = arena.cluster.lease.holds();
        let words = waiting.drain(..).filter(|it| !it.tells || holds).map(|it| (it.to, it.word));
        let missing = std::mem::take(&mut *lock(&left_out));
        let envelopes = pack(me, &mut counts, missing, words);
        if envelopes.is_empty() {
            continue;
        }
        let mut publish = redis::pipe();
        for (to, envelope) in &envelopes {
            publish.cmd("PUBLISH").arg(channel(&prefix, *to)).arg(envelope);
        }
        let timer = metrics::redis("publish");
        let sent = timeout(PUBLISH_WITHIN, publish.query_async::<Vec<i64>>(&mut connection)).await;
        let sent = sent.map_err(anyhow::Error::from).and_then(|it| Ok(it?));
        drop(timer);
        if let (Err(error), true) = (&sent, up) {
            tracing::warn!("Other processes can't hear this one: {error:#}");
        }
        up = sent.is_ok();
        let heard = sent.unwrap_or_default();
        for (index, (to, _)) in envelopes.iter().enumerate() {
            if let (To::One(peer), 0) = (*to, heard.get(index).copied().unwrap_or_default()) {
                arena.relay.lose(peer);
            }
        }
    }
}

/// Hears what is said elsewhere.
async fn listen(arena: Arena, client: Client, prefix: String) {
    let mut retry_after = RETRY_AFTER[0];
    loop {
        if let Err(error) = subscribe(&arena, &client, &prefix, &mut retry_after).await {
            // Once: what follows until it is heard again says the same.
            if retry_after == RETRY_AFTER[0] {
                tracing::warn!("Lost the other processes' news: {error:#}");
            } else {
                tracing::debug!("Still without the other processes' news: {error:#}");
            }
        }
        arena.relay.lose_all();
        arena.cache.forget_all();
        // So that processes that lost Redis together don't come back together.
        let pause = retry_after.mul_f64(rand::random_range(0.5..1.0));
        retry_after = (retry_after * 2).min(RETRY_AFTER[1]);
        sleep(pause).await;
    }
}

/// Hears until the connection is lost.
async fn subscribe(
    arena: &Arena,
    client: &Client,
    prefix: &str,
    retry_after: &mut Duration,
) -> anyhow::Result<()> {
    let channels = [To::All, To::One(arena.cluster.me)].map(|it| channel(prefix, it));
    let subscription = timeout(ANSWER_WITHIN, async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(&channels).await?;
        anyhow::Ok(subscription)
    });
    let (mut sink, mut stream) = subscription.await.context("subscribing")??.split();
    *retry_after = RETRY_AFTER[0];
    tracing::debug!("Hearing other processes' news");
    // Whatever was said before this is found by looking.
    arena.look_again();
    // A Redis that starts again may know of slots that were emptied since it was last saved.
    arena.cache.forget_all();
    let mut counts: HashMap<(ProcessId, bool), u64> = HashMap::new();
    let mut pings = interval(PING_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => {
                let message = message.ok_or_else(|| anyhow!("the connection was closed"))?;
                let ours = message.get_channel_name() == channels[1];
                hear(arena, ours, message.get_payload_bytes(), &mut counts);
            }
            _ = pings.tick() => {
                timeout(ANSWER_WITHIN, sink.ping::<Value>()).await.context("pinging")??;
            }
        }
    }
}

fn hear(arena: &Arena, ours: bool, news: &[u8], counts: &mut HashMap<(ProcessId, bool), u64>) {
    let envelope = match serde_json::from_slice::<Envelope<'_>>(news) {
        Ok(it) if it.from == arena.cluster.me => return,
        Ok(it) => it,
        Err(error) => {
            // While another version is rolled out, it may say what this one does not know.
            tracing::debug!("Did not understand another process: {error}");
            return;
        }
    };
    let from = envelope.from;
    let before = counts.insert((from, ours), envelope.n);
    if before.is_some_and(|it| it + 1 != envelope.n) {
        tracing::warn!(process = from, "Missed words of another process");
        match ours {
            true => arena.relay.lose(from),
            false => arena.look_again(),
        }
    }
    METRICS.words_heard(envelope.words.len());
    for word in envelope.words {
        match word {
            Word::Lobby { user, message } => arena.lobby.deliver(user, message.into_owned()),
            Word::SessionEnded { session, at } => arena.ended.add(session, at),
            Word::Free => {
                arena.relay.lose(from);
                arena.cluster.look_for_matches();
            }
            Word::Taken { ids } => {
                let ids = ids.into_iter().map(crate::MatchId).collect();
                arena.cluster.others_have(Share { by: from, ids });
            }
            Word::Sit { chair, id, user, after } => {
                arena.seat_from_afar(from, chair, crate::MatchId(id), user, after);
            }
            Word::Seated { chair, seat, at } => arena.relay.seated(arena, from, chair, seat, at),
            Word::NotSeated { chair, why } => arena.relay.not_seated(from, chair, why),
            Word::Far { chair, word } => arena.relay.carry(from, chair, word),
            Word::Heard { chair, text } => arena.relay.feed(from, chair, text.get()),
            Word::Ended { chair, end } => arena.relay.ended(from, chair, end),
            Word::Look { question, ids } => arena.show_glances(from, question, ids),
            Word::Seen { question, glances } => arena.relay.seen(from, question, glances),
        }
    }
}

fn lock(left_out: &Mutex<HashSet<To>>) -> MutexGuard<'_, HashSet<To>> {
    // Nothing between lock and unlock can panic halfway through a change.
    left_out.lock().unwrap_or_else(PoisonError::into_inner)
}

fn json(word: &Word<'_>) -> String {
    serde_json::to_string(word).expect("a word is plain data with text for keys")
}

//! The journal: what happened in live matches, written as it happens, and folded into a replay
//! when a match is settled.

use std::{io::Read, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use games::{Game, Kind, Outcome, Seed, Time, for_game, journal};
use live::{Line, wire::Player};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use sqlx::QueryBuilder;
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use crate::{
    MatchId,
    db::{Db, on},
};

/// Lines that may wait for the writer; matches wait when there are more.
pub(crate) const LINES_MAX: usize = 64 * 1024;
/// How long the first line of a group waits for others: with the write itself less than 20 ms.
const GATHER: Duration = Duration::from_millis(5);
/// Lines in one statement: four values each, and SQLite takes 32,766.
const GROUP_MAX: usize = 4_000;
/// How long to wait before a group is tried again, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Writes the lines of all matches in groups, each one statement, until it is stopped and nothing
/// is left.
pub(crate) async fn write(db: Db, mut lines: mpsc::Receiver<Line>, stopped: CancellationToken) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    loop {
        tokio::select! {
            biased;
            _ = lines.recv_many(&mut group, GROUP_MAX) => {}
            () = stopped.cancelled() => return,
        }
        if group.len() < GROUP_MAX && !stopped.is_cancelled() {
            time::sleep(GATHER).await;
            while group.len() < GROUP_MAX
                && let Ok(line) = lines.try_recv()
            {
                group.push(line);
            }
        }
        write_group(&db, &group).await;
        for line in group.drain(..) {
            if let Some(written) = line.written {
                // The match may have been dropped meanwhile.
                let _ = written.send(());
            }
        }
    }
}

async fn write_group(db: &Db, group: &[Line]) {
    let [mut pause, longest] = RETRY;
    while let Err(error) = insert(db, group).await {
        let (lines, error) = (group.len(), crate::Error::from(error).report());
        tracing::error!(lines, error, "The journal is behind: a group of lines is not written yet");
        time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn insert(db: &Db, group: &[Line]) -> sqlx::Result<()> {
    on!(db, pool => {
        let mut insert = QueryBuilder::new("insert into journal (match_id, seq, at, entry) ");
        insert.push_values(group, |mut row, line| {
            row.push_bind(line.key)
                .push_bind(line.seq as i64)
                .push_bind(line.at.0 as i64)
                .push_bind(&line.entry);
        });
        // The last try may have been written after all.
        insert.push(" on conflict (match_id, seq) do nothing");
        insert.build().execute(pool).await.map(drop)
    })
}

/// A match that can be run again, from its deal to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// The version of this format.
    pub version: u32,
    /// Which match.
    pub match_id: MatchId,
    /// Of which game …
    pub game: Kind,
    /// … by which version of its rules.
    pub rules: u32,
    /// The game's luck.
    pub seed: String,
    /// What was set.
    pub options: Value,
    /// How many played.
    pub seats: u8,
    /// Microseconds since the match was opened, and a [`games::journal::Input`].
    pub entries: Vec<(u64, Box<RawValue>)>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The format of replays that this version writes and reads.
pub(crate) const VERSION: u32 = 1;
/// No replay is longer: what claims to be is none.
const REPLAY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a replay does not show what it says.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReplay {
    /// It can't be read at all.
    #[error("that is no replay: {0}")]
    Unreadable(String),
    /// Another version of the rules would play it wrongly.
    #[error("it was played by version {theirs} of the rules of {game}; this is version {ours}")]
    Rules {
        /// The game.
        game: Kind,
        /// The replay's.
        theirs: u32,
        /// The one that this program has.
        ours: u32,
    },
    /// Its entries are no match.
    #[error("its journal is not one of a match: {0}")]
    Journal(String),
    /// It ends in another way than it says.
    #[error("it says that it ended as {said}, and it ends as {found}")]
    Outcome {
        /// The stored result.
        said: String,
        /// What running the journal gives.
        found: String,
    },
}

impl Replay {
    /// Reads a replay from a file or an answer of the API; fields that only the API adds are
    /// passed over.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Replay, BadReplay> {
        serde_json::from_str(text).map_err(|error| BadReplay::Unreadable(error.to_string()))
    }

    /// Runs the match again, and checks that it ends as the replay says.
    ///
    /// # Errors
    /// When it does not, or can't be run by these rules.
    pub fn verify(&self) -> Result<(), BadReplay> {
        for_game!(self.game, G => {
            let table = self.run::<G>(&self.entries, &mut |_, _, _| {})?;
            self.check(journal::outcome(table, &mut |_, _, _| {}))
        })
    }

    fn check(&self, found: Option<Outcome>) -> Result<(), BadReplay> {
        let text = |it: &Option<Outcome>| serde_json::to_string(it).unwrap_or_default();
        let said = Some(self.outcome.clone());
        if said == found {
            return Ok(());
        }
        Err(BadReplay::Outcome { said: text(&said), found: text(&found) })
    }

    /// What the crowd heard, from the beginning to the end: messages of the game socket.
    ///
    /// # Errors
    /// When it can't be run by these rules.
    pub fn messages(&self, players: &[Player]) -> Result<Vec<Box<RawValue>>, BadReplay> {
        for_game!(self.game, G => {
            let begun = self.entries.get(..1).unwrap_or_default();
            let dealt = self.run::<G>(begun, &mut |_, _, _| {})?;
            let mut told = Vec::new();
            let mut tell = |at, cause, out| told.push((at, cause, out));
            let table = self.run::<G>(&self.entries, &mut tell)?;
            journal::outcome(table, &mut tell);
            Ok(live::replay(&dealt, &self.options, players, told, &self.outcome))
        })
    }

    fn run<G: Game>(
        &self,
        entries: &[(u64, Box<RawValue>)],
        tell: journal::Tell<'_, G::Update>,
    ) -> Result<journal::Table<G>, BadReplay> {
        if self.version != VERSION {
            let text = format!("version {} of the format, not {VERSION}", self.version);
            return Err(BadReplay::Unreadable(text));
        }
        if self.rules != G::RULES {
            let (game, theirs, ours) = (self.game, self.rules, G::RULES);
            return Err(BadReplay::Rules { game, theirs, ours });
        }
        let unreadable = |error: serde_json::Error| BadReplay::Unreadable(error.to_string());
        let options = serde_json::from_value(self.options.clone()).map_err(unreadable)?;
        let seed = self.seed.parse().map_err(|_| BadReplay::Unreadable("its seed".to_owned()))?;
        let entries = entries
            .iter()
            .map(|(at, input)| Ok((Time(*at), serde_json::from_str(input.get())?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        journal::run::<G>(options, self.seats, Seed(seed), entries, tell)
            .map_err(|bad| BadReplay::Journal(format!("{bad:?}")))
    }

    /// As it is stored: the checksum, and the data.
    pub(crate) fn fold(&self) -> (String, String) {
        let mut deflate = ZlibEncoder::new(Vec::new(), Compression::default());
        let written = serde_json::to_writer(&mut deflate, self);
        written.expect("a replay is plain data, and memory takes it");
        let data = BASE64.encode(deflate.finish().expect("memory takes it"));
        (checksum(&data), data)
    }

    /// From how it is stored.
    pub(crate) fn unfold(stored_checksum: &str, data: &str) -> Result<Replay, BadReplay> {
        let unreadable = |what: &str| BadReplay::Unreadable(what.to_owned());
        if checksum(data) != stored_checksum {
            return Err(unreadable("its checksum is another"));
        }
        let bytes = BASE64.decode(data).map_err(|_| unreadable("it is not base64"))?;
        let mut text = String::new();
        let mut inflate = ZlibDecoder::new(bytes.as_slice()).take(REPLAY_BYTES_MAX);
        inflate.read_to_string(&mut text).map_err(|error| unreadable(&error.to_string()))?;
        Replay::parse(&text)
    }
}

fn checksum(data: &str) -> String {
    let digest = Sha256::digest(data.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stored entries as a replay has them. What is stored was written by us: what can't be read is
/// kept as a null, which no verification accepts.
pub(crate) fn raw(entries: Vec<(i64, String)>) -> Vec<(u64, Box<RawValue>)> {
    let raw = |entry| RawValue::from_string(entry).unwrap_or_default();
    entries.into_iter().map(|(at, entry)| (at as u64, raw(entry))).collect()
}

/// Stored entries as a game hears them.
pub(crate) fn parse<G: Game>(
    entries: &[(i64, String)],
) -> anyhow::Result<Vec<journal::Entry<G::Action>>> {
    let entry = |(at, input): &(i64, String)| Ok((Time(*at as u64), serde_json::from_str(input)?));
    entries.iter().map(entry).collect()
}

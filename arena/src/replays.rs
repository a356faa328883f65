//! Replays: matches that are over, run again.

use std::io::Read;

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use games::{Game, Kind, Outcome, Seed, Time, for_game, journal};
use live::{Status, wire::Player};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Options, Result,
    db::{Db, on},
};

/// A match that can be run again, from its deal to its end.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Replay {
    /// The version of this format.
    pub version: u32,
    /// Which match.
    #[schema(value_type = String)]
    pub match_id: MatchId,
    /// Of which game …
    #[schema(value_type = String)]
    pub game: Kind,
    /// … by which version of its rules.
    pub rules: u32,
    /// The game's luck.
    pub seed: String,
    /// What was set.
    #[schema(value_type = Object)]
    pub options: Value,
    /// How many played.
    pub seats: u8,
    /// Microseconds since the match was opened, and a [`games::journal::Input`].
    #[schema(value_type = Vec<Vec<Object>>)]
    pub entries: Vec<(u64, Box<RawValue>)>,
    /// How it ended.
    #[schema(value_type = Object)]
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

impl Arena {
    /// The replay of a match that was played to its end, and who played.
    ///
    /// # Errors
    /// Not found; `not_over` while it goes on.
    pub async fn replay(&self, id: MatchId) -> Result<(Replay, Vec<Player>)> {
        if let Some(replay) = load(&self.db, id).await? {
            return Ok((replay, self.players_of(id).await?));
        }
        Err(match self.match_info(id).await?.status {
            Status::Finished => Error::not_found("this match was not played to its end"),
            Status::Pending | Status::Active => {
                Error::conflict("not_over", "this match is not over: its replay comes at its end")
            }
        })
    }

    /// A stored replay, without opening an arena.
    ///
    /// # Errors
    /// When the database can't be opened, or what it holds is no replay.
    pub async fn stored_replay(options: &Options, id: MatchId) -> anyhow::Result<Option<Replay>> {
        let db = Db::open(&options.database_url).await?;
        let replay = load(&db, id).await;
        db.close().await;
        replay
    }
}

async fn load(db: &Db, id: MatchId) -> anyhow::Result<Option<Replay>> {
    let found: Option<(String, String)> = on!(db, pool => {
        sqlx::query_as("select checksum, data from replays where match_id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await
    })?;
    let Some((checksum, data)) = found else { return Ok(None) };
    Ok(Some(Replay::unfold(&checksum, &data)?))
}

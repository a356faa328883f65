//! The messages of the game socket, as PROTOCOL says them: one JSON object a text frame.

use std::borrow::Cow;

use games::{Outcome, Seat};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{computer::Level, text::tidy};

/// The longest chat message, in characters.
pub const CHAT_CHARS_MAX: usize = 200;
/// Numbers of messages stay exact in JavaScript.
const N_MAX: u64 = 1 << 53;

/// A player, as everyone at the match sees them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Player {
    /// Who sits there.
    pub user: PlayerUser,
    /// Their rating as the match was made, rounded as people read it.
    pub rating: i64,
    /// Whether that rating is still a guess.
    pub provisional: bool,
    /// How well it plays, where it is a computer.
    pub computer: Option<Level>,
}

/// Who a player is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlayerUser {
    pub id: String,
    pub username: Option<String>,
    pub display_name: String,
    pub avatar_url: Option<String>,
}

/// Where a match stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits until every seat is ready.
    Pending,
    /// Is played.
    Active,
    /// Is over.
    Finished,
}

/// On every (re)join and after a resync: all that the viewer may know now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "game_state")]
pub struct GameState<'a> {
    /// The number of the last message; the next one's is one more.
    pub seq: u64,
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Where the match stands.
    pub status: Status,
    /// The viewer's seat; null for who watches.
    #[schema(value_type = Option<u8>)]
    pub you: Option<Seat>,
    /// The highest number of the viewer's messages that was dealt with.
    pub ack: u64,
    /// By seat.
    pub players: Vec<SeatState<'a>>,
    /// While pending: when the match is called off unless all are ready.
    pub ready_until: Option<u64>,
    /// What was set for this match.
    pub options: &'a Value,
    /// The game's view; null while pending.
    pub game: Option<Value>,
    /// Once finished: how.
    #[schema(value_type = Option<OutcomeSchema>)]
    pub outcome: Option<&'a Outcome>,
    /// Once settled, in matches that count: what became of the ratings, by seat.
    pub ratings: Option<&'a [RatingChange]>,
    /// Seats that offered a rematch.
    #[schema(value_type = Vec<u8>)]
    pub rematch: Vec<Seat>,
}

/// One seat in a `game_state`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeatState<'a> {
    /// Its number, from 0.
    #[schema(value_type = u8)]
    pub seat: Seat,
    /// `left` or `right` in games of two, else null.
    pub side: Option<&'static str>,
    /// Who sits there.
    #[serde(flatten)]
    pub player: &'a Player,
    /// Points.
    pub score: i64,
    /// Whether they said that they are ready.
    pub ready: bool,
    /// Whether a socket of theirs is open.
    pub connected: bool,
    /// When they forfeit if they stay away.
    pub waiting_until: Option<u64>,
    /// How long a message takes to them and back, in milliseconds, once that is known.
    pub rtt: Option<u64>,
}

/// The state of the game changed. One more field is the game's own event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "game_update")]
pub struct GameUpdate {
    /// One more than the last.
    pub seq: u64,
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Whose message caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u8>)]
    pub seat: Option<Seat>,
    /// That message's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
}

/// The score changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "score_update")]
pub struct ScoreUpdate<'a> {
    /// One more than the last.
    pub seq: u64,
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Points by seat.
    pub scores: &'a [i64],
}

/// A player came, went or is ready.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "player_update")]
pub struct PlayerUpdate {
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Who.
    #[schema(value_type = u8)]
    pub seat: Seat,
    /// What.
    pub status: PlayerStatus,
    /// While reconnecting in a match: when they forfeit.
    pub waiting_until: Option<u64>,
    /// How long a message takes to them and back, in milliseconds, once that is known.
    pub rtt: Option<u64>,
}

/// What a player did.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PlayerStatus {
    Joined,
    Ready,
    Reconnecting,
    Back,
    Left,
    /// Their messages take long.
    Weak,
    /// They don't any more.
    Steady,
}

/// The match is over and recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "game_over")]
pub struct GameOver<'a> {
    /// One more than the last.
    pub seq: u64,
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// How it ended.
    #[schema(value_type = OutcomeSchema)]
    pub outcome: &'a Outcome,
    /// What became of the ratings, by seat; null in a match that does not count.
    pub ratings: Option<&'a [RatingChange]>,
}

/// How a match ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct OutcomeSchema {
    /// The seat that won; null in a draw or a match that does not count.
    winner: Option<u8>,
    /// score, forfeit, abandoned or called_off.
    reason: ReasonSchema,
    /// Points by seat.
    scores: Vec<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes games::Reason, whose crate knows no OpenAPI")]
pub(crate) enum ReasonSchema {
    Score,
    Forfeit,
    Abandoned,
    CalledOff,
}

/// What a match did to a player's rating.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RatingChange {
    /// Whose.
    #[schema(value_type = u8)]
    pub seat: Seat,
    /// Rounded as people read it.
    pub before: i64,
    /// Rounded as people read it.
    pub after: i64,
    /// Whether the new rating is still a guess.
    pub provisional: bool,
}

/// Who offers a rematch, and the match that came of it once all do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "rematch")]
pub struct RematchUpdate<'a> {
    /// Who offered so far.
    #[schema(value_type = Vec<u8>)]
    pub seats: Vec<Seat>,
    /// Where to go.
    pub match_id: Option<&'a str>,
}

/// A player said something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "chat")]
pub struct ChatSaid<'a> {
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Who.
    #[schema(value_type = u8)]
    pub seat: Seat,
    /// What, as plain text.
    pub text: &'a str,
}

/// What a player's hand is doing before it acts. It has no number: it changes nothing, is not kept,
/// and may be left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "gesture")]
pub struct GestureSeen {
    /// Milliseconds since the match was opened.
    pub at: u64,
    /// Whose hand.
    #[schema(value_type = u8)]
    pub seat: Seat,
    /// The game's.
    #[schema(value_type = Object)]
    pub gesture: Value,
}

/// The answer to a `ping`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "pong")]
pub struct PongReply {
    /// As it was sent.
    #[schema(value_type = f64)]
    pub t: serde_json::Number,
    /// Milliseconds since the match was opened.
    pub at: u64,
}

/// A message was refused and changed nothing; its number is spent.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename = "error")]
pub struct SocketError<'a> {
    /// A stable word.
    pub code: &'a str,
    /// What was wrong, and what would be right.
    pub message: &'a str,
    /// The number of the message that was refused, where it had one.
    pub n: Option<u64>,
}

/// One message of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its number, which what acts in the game must have.
    pub n: Option<u64>,
    /// When the player's hand moved, as the client reckons: milliseconds since the match was
    /// opened.
    pub at: Option<u64>,
    /// What it says.
    pub says: Says,
}

/// What a client may say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Says {
    /// I am ready.
    Ready,
    /// A game's action: its own fields, its name under `action`.
    Act(Value),
    /// What my hand is doing before it acts: the game's own fields.
    Gesture(Value),
    /// Something to the others.
    Chat(String),
    /// Let us play again.
    Rematch,
    /// Are you there?
    Ping(serde_json::Number),
}

/// Why a frame is no message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadMessage {
    /// A stable word.
    pub code: Cow<'static, str>,
    /// What was wrong, and what would be right.
    pub message: String,
    /// Its number, if that much could be read.
    pub n: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    t: serde_json::Number,
}

impl Message {
    /// Reads a text frame.
    ///
    /// # Errors
    /// When it is not a JSON object of a known type with the fields of that type and no others.
    pub fn parse(frame: &str) -> Result<Message, BadMessage> {
        let bad = |code: &'static str, message: String, n| {
            let code = code.into();
            BadMessage { code, message, n }
        };
        let mut fields: Map<String, Value> = serde_json::from_str(frame).map_err(|error| {
            bad("bad_json", format!("a message is one JSON object: {error}"), None)
        })?;
        let n = match fields.remove("n") {
            None => None,
            Some(n) => match n.as_u64() {
                Some(n) if (1..=N_MAX).contains(&n) => Some(n),
                _ => {
                    let message = "n must be a whole number from 1 up".to_owned();
                    return Err(bad("bad_message", message, None));
                }
            },
        };
        let Some(Value::String(kind)) = fields.remove("type") else {
            return Err(bad("bad_message", "type must be a string".to_owned(), n));
        };
        let mut at = None;
        let says = match kind.as_str() {
            "player_move" => {
                at = match fields.remove("at") {
                    None => None,
                    Some(at) => Some(at.as_u64().ok_or_else(|| {
                        let message = "player_move: at must be whole milliseconds".to_owned();
                        bad("bad_message", message, n)
                    })?),
                };
                let name = Value::String("move".to_owned());
                match fields.insert("action".to_owned(), name) {
                    Some(_) => Err("it has no field action".to_owned()),
                    None => Says::act(n, fields),
                }
            }
            "game_action" => Says::act(n, fields),
            "gesture" => Ok(Says::Gesture(Value::Object(fields))),
            "player_ready" => only::<Bare>(fields).map(|_| Says::Ready),
            "rematch" => only::<Bare>(fields).map(|_| Says::Rematch),
            "chat" => only::<Text>(fields).and_then(|it| Says::chat(&it.text)),
            "ping" => only::<Stamp>(fields).map(|it| Says::Ping(it.t)),
            _ => {
                let message = "unknown type; known are player_ready, player_move, game_action, \
                               gesture, chat, rematch and ping";
                return Err(bad("unknown_type", message.to_owned(), n));
            }
        };
        match says {
            Ok(says) => Ok(Message { n, at, says }),
            Err(message) => Err(bad("bad_message", format!("{kind}: {message}"), n)),
        }
    }
}

impl Says {
    fn act(n: Option<u64>, fields: Map<String, Value>) -> Result<Says, String> {
        match n {
            Some(_) => Ok(Says::Act(Value::Object(fields))),
            None => Err("n is missing: number your messages 1, 2, 3 …".to_owned()),
        }
    }

    fn chat(text: &str) -> Result<Says, String> {
        chat_text(text).map(Says::Chat)
    }
}

/// What somebody wrote to others, as they may see it: one line of plain text, in Unicode's form
/// NFKC, without what can't be seen.
///
/// # Errors
/// When it is empty, too long, or has control characters.
pub fn chat_text(text: &str) -> Result<String, String> {
    let text = tidy(text);
    let text = text.trim();
    if text.is_empty() || text.chars().count() > CHAT_CHARS_MAX {
        return Err(format!("text must have 1 to {CHAT_CHARS_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("text must be one line without control characters".to_owned());
    }
    Ok(text.to_owned())
}

fn only<T: serde::de::DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_client_may_say() {
        let act = Says::Act;
        let stamp = serde_json::Number::from_f64(1.5).unwrap();
        for (frame, n, says) in [
            (r#"{"type":"player_ready"}"#, None, Says::Ready),
            (r#"{"type":"player_ready","n":1}"#, Some(1), Says::Ready),
            (
                r#"{"type":"player_move","n":2,"y":0.5}"#,
                Some(2),
                act(json!({"action": "move", "y": 0.5})),
            ),
            (
                r#"{"type":"game_action","n":3,"action":"resign"}"#,
                Some(3),
                act(json!({"action": "resign"})),
            ),
            (r#"{"type":"gesture","heading":1.5}"#, None, Says::Gesture(json!({"heading": 1.5}))),
            (r#"{"type":"chat","text":" hi "}"#, None, Says::Chat("hi".to_owned())),
            ("{\"type\":\"chat\",\"text\":\"\u{202e}hi\"}", None, Says::Chat("hi".to_owned())),
            (r#"{"type":"rematch"}"#, None, Says::Rematch),
            (r#"{"type":"ping","t":1.5}"#, None, Says::Ping(stamp)),
        ] {
            assert_eq!(Message::parse(frame), Ok(Message { n, at: None, says }), "{frame}");
        }
    }

    #[test]
    fn what_a_client_may_not_say() {
        for (frame, code, n) in [
            ("", "bad_json", None),
            ("[]", "bad_json", None),
            ("{\"type\":\"ping\",\"t\":NaN}", "bad_json", None),
            ("{\"type\":\"ping\",\"t\":1e999}", "bad_json", None),
            ("{}", "bad_message", None),
            (r#"{"type":7}"#, "bad_message", None),
            (r#"{"type":"fly","n":4}"#, "unknown_type", Some(4)),
            (r#"{"type":"player_ready","extra":1}"#, "bad_message", None),
            (r#"{"type":"player_move","y":0.5}"#, "bad_message", None),
            (r#"{"type":"player_move","n":0,"y":0.5}"#, "bad_message", None),
            (r#"{"type":"player_move","n":-1,"y":0.5}"#, "bad_message", None),
            (r#"{"type":"player_move","n":1.5,"y":0.5}"#, "bad_message", None),
            (r#"{"type":"player_move","n":"1","y":0.5}"#, "bad_message", None),
            (r#"{"type":"player_move","n":2,"action":"resign"}"#, "bad_message", Some(2)),
            (r#"{"type":"player_move","n":2,"y":0.5,"at":-1}"#, "bad_message", Some(2)),
            (r#"{"type":"player_move","n":2,"y":0.5,"at":1.5}"#, "bad_message", Some(2)),
            (r#"{"type":"chat","text":""}"#, "bad_message", None),
            (r#"{"type":"chat","text":"a\nb"}"#, "bad_message", None),
            (r#"{"type":"chat"}"#, "bad_message", None),
            (r#"{"type":"ping","t":"x"}"#, "bad_message", None),
        ] {
            let bad = Message::parse(frame).unwrap_err();
            assert_eq!((bad.code.as_ref(), bad.n), (code, n), "{frame}: {}", bad.message);
        }
    }
}

//! What buttons say of themselves: a letter and whom it is about, in at most 64 bytes. Anybody can
//! send anything as such, so it is read strictly, and the arena decides who may.

use std::fmt;

use arena::{CardId, Language, Topic};

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press<'a> {
    /// To play with those on a card.
    Join(CardId),
    /// To leave it again.
    Leave(CardId),
    /// To start with those who are there.
    Start(CardId),
    /// To play again.
    Rematch(CardId),
    /// To play with whoever sent an inline message that is not a card yet.
    JoinInline,
    /// To be told of something, or not.
    Toggle(Topic),
    /// To read another language.
    Speak(Language),
    /// To be let in to the account of a link, or not: its token.
    Link(&'a str, bool),
}

impl fmt::Display for Press<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Press::Join(card) => write!(f, "j:{card}"),
            Press::Leave(card) => write!(f, "l:{card}"),
            Press::Start(card) => write!(f, "s:{card}"),
            Press::Rematch(card) => write!(f, "r:{card}"),
            Press::JoinInline => f.write_str("i"),
            Press::Toggle(Topic::Matched) => f.write_str("t:m"),
            Press::Toggle(Topic::Challenged) => f.write_str("t:c"),
            Press::Toggle(Topic::Result) => f.write_str("t:r"),
            Press::Toggle(Topic::YourTurn) => f.write_str("t:t"),
            Press::Toggle(Topic::FriendRequest) => f.write_str("t:f"),
            Press::Speak(Language::En) => f.write_str("g:en"),
            Press::Speak(Language::Ru) => f.write_str("g:ru"),
            Press::Link(token, true) => write!(f, "y:{token}"),
            Press::Link(token, false) => write!(f, "n:{token}"),
        }
    }
}

/// The longest token that fits beside what it is for.
const TOKEN_BYTES_MAX: usize = 60;

impl Press<'_> {
    pub(crate) fn parse(data: &str) -> Option<Press<'_>> {
        let card = |it: &str| it.parse().ok();
        match data.split_once(':').unwrap_or((data, "")) {
            ("j", id) => card(id).map(Press::Join),
            ("l", id) => card(id).map(Press::Leave),
            ("s", id) => card(id).map(Press::Start),
            ("r", id) => card(id).map(Press::Rematch),
            ("i", "") => Some(Press::JoinInline),
            ("t", "m") => Some(Press::Toggle(Topic::Matched)),
            ("t", "c") => Some(Press::Toggle(Topic::Challenged)),
            ("t", "r") => Some(Press::Toggle(Topic::Result)),
            ("t", "t") => Some(Press::Toggle(Topic::YourTurn)),
            ("t", "f") => Some(Press::Toggle(Topic::FriendRequest)),
            ("g", "en") => Some(Press::Speak(Language::En)),
            ("g", "ru") => Some(Press::Speak(Language::Ru)),
            ("y", token) if is_token(token) => Some(Press::Link(token, true)),
            ("n", token) if is_token(token) => Some(Press::Link(token, false)),
            _ => None,
        }
    }
}

/// Whether this can be the token of a link.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=TOKEN_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_parses_back() {
        let card = CardId(i64::MAX);
        let cards = [Press::Join, Press::Leave, Press::Start, Press::Rematch].map(|it| it(card));
        let topics = Topic::ALL.map(Press::Toggle);
        let token = "a".repeat(43);
        let others = [
            Press::JoinInline,
            Press::Speak(Language::En),
            Press::Speak(Language::Ru),
            Press::Link(&token, true),
            Press::Link(&token, false),
        ];
        for press in cards.into_iter().chain(topics).chain(others) {
            let data = press.to_string();
            assert!(data.len() <= 64, "{data}");
            assert_eq!(Press::parse(&data), Some(press), "{data}");
        }
    }

    #[test]
    fn what_was_tampered_with_is_nothing() {
        let long = format!("j:{}", "0".repeat(100));
        for data in [
            "",
            ":",
            "j",
            "j:",
            "j:1",
            "j:0000000000",
            "J:00000000000",
            "x:00000000000",
            "i:1",
            "t:x",
            "g:de",
            "j:00000000000:",
            "j:zzzzzzzzzzz",
            "j:٠٠٠٠٠٠٠٠٠٠٠",
            "y",
            "y:",
            "n:",
            "y:a b",
            "y:ключ",
            &long,
            &format!("y:{}", "a".repeat(100)),
        ] {
            assert_eq!(Press::parse(data), None, "{data}");
        }
    }
}

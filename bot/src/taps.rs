//! What buttons say of themselves: a letter and whom it is about, in at most 64 bytes. Anybody can
//! send anything as such, so it is read strictly, and the arena decides who may.

use std::fmt;

use arena::{CardId, Language, Topic};

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
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
}

impl fmt::Display for Press {
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
            Press::Speak(Language::En) => f.write_str("g:en"),
            Press::Speak(Language::Ru) => f.write_str("g:ru"),
        }
    }
}

impl Press {
    pub(crate) fn parse(data: &str) -> Option<Press> {
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
            ("g", "en") => Some(Press::Speak(Language::En)),
            ("g", "ru") => Some(Press::Speak(Language::Ru)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_parses_back() {
        let card = CardId(i64::MAX);
        let cards = [Press::Join, Press::Leave, Press::Start, Press::Rematch].map(|it| it(card));
        let topics = [Topic::Matched, Topic::Challenged, Topic::Result].map(Press::Toggle);
        let others = [Press::JoinInline, Press::Speak(Language::En), Press::Speak(Language::Ru)];
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
            &long,
        ] {
            assert_eq!(Press::parse(data), None, "{data}");
        }
    }
}

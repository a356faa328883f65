//! Places in lists that run from the latest to the oldest.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Error, Millis, Result};

/// A place in a list: right after what happened then and has this id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) at: Millis,
    pub(crate) id: i64,
}

impl Cursor {
    /// Before the latest.
    pub(crate) const START: Cursor = Cursor { at: Millis::MAX, id: 0 };

    pub(crate) fn print(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode([self.at, self.id].map(i64::to_be_bytes).concat())
    }

    /// # Errors
    /// When it is none of ours.
    pub(crate) fn parse(text: &str) -> Result<Cursor> {
        let read = || {
            let bytes: [u8; 16] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
            let [at, id] =
                [&bytes[..8], &bytes[8..]].map(|it| it.try_into().map(i64::from_be_bytes));
            let (at, id) = (at.ok()?, id.ok()?);
            (at >= 0 && id >= 0).then_some(Cursor { at, id })
        };
        read().ok_or_else(|| Error::invalid("cursor", "the next_cursor of another page, or none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_parses_back() {
        for cursor in [Cursor::START, Cursor { at: 0, id: i64::MAX }] {
            assert_eq!(Cursor::parse(&cursor.print()).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let negative = Cursor { at: -1, id: 1 }.print();
        for text in
            ["", "x", "AAAA", "' or 1=1 --", &"A".repeat(23), &"A".repeat(10_000), &negative]
        {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }
}

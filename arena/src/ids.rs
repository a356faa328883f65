//! Ids that we choose: 63 random bits, shown as 11 letters of base 62, which fits everywhere a
//! word goes (addresses, Telegram's `startapp`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62¹¹ is the first power of 62 above 2⁶³.
const LETTERS: usize = 11;

/// That is not an id: 11 letters and digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: an id is {LETTERS} letters and digits")]
pub struct NotAnId;

fn print(id: i64) -> [u8; LETTERS] {
    let mut rest = id.unsigned_abs();
    let mut letters = [b'0'; LETTERS];
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    letters
}

fn parse(text: &str) -> Result<i64, NotAnId> {
    if text.len() != LETTERS {
        return Err(NotAnId);
    }
    let value = text.bytes().try_fold(0u64, |value, letter| {
        let digit = ALPHABET.iter().position(|&it| it == letter)?;
        value.checked_mul(62)?.checked_add(digit as u64)
    });
    value.and_then(|it| i64::try_from(it).ok()).ok_or(NotAnId)
}

macro_rules! id {
    ($(#[$doc:meta])* $Id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $Id(pub i64);

        impl $Id {
            /// A new one, from the operating system's luck.
            pub fn random() -> Self {
                $Id((rand::random::<u64>() >> 1) as i64)
            }
        }

        impl fmt::Display for $Id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&print(self.0)).expect("the alphabet is ASCII"))
            }
        }

        impl FromStr for $Id {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map($Id)
            }
        }

        impl Serialize for $Id {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $Id {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

id! {
    /// A person.
    UserId
}
id! {
    /// One playing of a game.
    MatchId
}
id! {
    /// A room.
    RoomId
}
id! {
    /// One sign-in on one device: the family of the refresh tokens that came from it.
    SessionId
}
id! {
    /// A message in Telegram that shows a game.
    CardId
}
id! {
    /// An offer to make two accounts one.
    MergeId
}
id! {
    /// What a moderator did about somebody.
    SanctionId
}
id! {
    /// What somebody told the moderators about another.
    ReportId
}
id! {
    /// A line of the audit.
    AuditId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_parses_back() {
        for id in [0, 1, 61, 62, i64::MAX, UserId::random().0] {
            assert_eq!(UserId(id).to_string().parse(), Ok(UserId(id)));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "0", "-0000000001", "0000000000٣", "zzzzzzzzzzz", "00000000000 "] {
            assert_eq!(text.parse::<UserId>(), Err(NotAnId), "{text}");
        }
    }
}

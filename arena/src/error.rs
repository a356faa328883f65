//! What a call to the arena answers instead of what was asked for.

use std::{borrow::Cow, time::Duration};

use sqlx::error::DatabaseError;

/// The answer of every call to the arena.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Two audiences, two kinds: a refusal is the caller's to mend and is told to them in full; a fault
/// is ours, is logged once at the door with its causes, and is told to no one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's to mend.
    #[error("{0}")]
    Refused(Refused),
    /// Ours to mend.
    #[error("internal error")]
    Fault(#[source] anyhow::Error),
}

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refused {
    /// What sort of refusal, and so which HTTP status.
    pub why: Why,
    /// A stable word for programs. Once used, it is kept.
    pub code: &'static str,
    /// For people: what was wrong, and what would be right.
    pub detail: String,
    /// Which values were wrong.
    pub fields: Vec<FieldError>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// One wrong value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Its name in JSON, with the names of what it is inside of before it.
    pub field: Cow<'static, str>,
    /// What was wrong, and what would be right.
    pub message: String,
}

/// What sort of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Who you are is not known: 401.
    Unauthenticated,
    /// You may not: 403.
    Forbidden,
    /// There is none, or none that you may know of: 404.
    NotFound,
    /// Not what could have come from us: 400.
    Malformed,
    /// Not in this state: 409.
    Conflict,
    /// There was one: 410.
    Gone,
    /// A wrong value: 422.
    Invalid,
    /// Too often: 429.
    TooMany,
    /// Another server's fault: 502.
    BadGateway,
    /// Not now: 503.
    Unavailable,
}

impl Error {
    /// A refusal with a stable `code` and a sentence.
    pub fn refused(why: Why, code: &'static str, detail: impl Into<String>) -> Error {
        let (detail, fields, retry_after) = (detail.into(), Vec::new(), None);
        Error::Refused(Refused { why, code, detail, fields, retry_after })
    }

    /// Who you are is not known.
    pub fn unauthenticated(code: &'static str, detail: impl Into<String>) -> Error {
        Error::refused(Why::Unauthenticated, code, detail)
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Error {
        Error::refused(Why::NotFound, "not_found", detail)
    }

    /// You may not.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Error {
        Error::refused(Why::Forbidden, code, detail)
    }

    /// Not in this state.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Error {
        Error::refused(Why::Conflict, code, detail)
    }

    /// One value is wrong.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Error {
        Error::invalid_fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// Some values are wrong.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Error {
        Error::wrong("invalid", fields)
    }

    /// Some values are wrong, by a stable `code` of their own.
    pub(crate) fn wrong(code: &'static str, fields: Vec<FieldError>) -> Error {
        let detail = fields
            .iter()
            .map(|it| format!("{}: {}", it.field, it.message))
            .collect::<Vec<_>>()
            .join("; ");
        let (why, retry_after) = (Why::Invalid, None);
        Error::Refused(Refused { why, code, detail, fields, retry_after })
    }

    /// Too often; try again after `retry_after`.
    pub fn too_many(retry_after: Duration) -> Error {
        let detail = format!("too many requests: try again in {} s", retry_after.as_secs().max(1));
        let (why, code, fields) = (Why::TooMany, "too_many_requests", Vec::new());
        Error::Refused(Refused { why, code, detail, fields, retry_after: Some(retry_after) })
    }

    /// All there is to say, for the log: a fault with its causes.
    pub fn report(&self) -> String {
        match self {
            Error::Refused(refused) => refused.to_string(),
            Error::Fault(cause) => format!("{cause:#}"),
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Error {
        Error::Fault(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
        let says_so = |it: &dyn DatabaseError| it.code().is_some_and(|code| is_not_now(&code));
        // A connection that is cut while it is made is told as one that makes no sense.
        let cut = matches!(error, Io(_) | Protocol(_) | Tls(_));
        let away = cut
            || matches!(error, PoolTimedOut | PoolClosed | WorkerCrashed)
            || matches!(&error, Database(it) if says_so(it.as_ref()));
        if !away {
            return Error::Fault(error.into());
        }
        // The pool is exhausted, the database is away or its disk is full: the caller may try
        // again.
        tracing::error!(error = format!("{error:#}"), "The database does not answer");
        Error::Refused(Refused {
            why: Why::Unavailable,
            code: "unavailable",
            detail: "the database does not answer: try again in a few seconds".into(),
            fields: Vec::new(),
            retry_after: Some(Duration::from_secs(3)),
        })
    }
}

/// Whether a database's code says that it can't write, or serve, for want of something that time or
/// an operator can give it: of SQLite's, with their extended ones, `SQLITE_FULL`, `SQLITE_READONLY`
/// and those of `SQLITE_IOERR` that writing meets; of PostgreSQL's, class 53 (insufficient
/// resources), a connection that broke, a server that stops or starts, one that may only be read,
/// and a transaction that stood still for too long.
fn is_not_now(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => {
            let (kind, which) = (number & 0xff, number >> 8);
            // Write, fsync, truncate, and the same for the index of the write-ahead log.
            matches!(kind, 8 | 13) || (kind == 10 && matches!(which, 3 | 4 | 6 | 18 | 19 | 21))
        }
        _ => {
            ["53", "08", "57P"].iter().any(|it| code.starts_with(it))
                || matches!(code, "25006" | "25P03")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_fault_of_ours() {
        for code in ["13", "8", "778", "1034", "53100", "53300", "57P03", "08006", "25006", "25P03"]
        {
            assert!(is_not_now(code), "{code}");
        }
        for code in ["1", "5", "11", "266", "2067", "1555", "42P01", "23505", ""] {
            assert!(!is_not_now(code), "{code}");
        }
    }
}

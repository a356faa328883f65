//! Everything that is logged during the tests, in full detail.

use std::{
    io,
    sync::{Mutex, Once},
};

use crate::telegram::TOKEN;

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps what is logged from now on.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Kept)
            .init();
    });
}

pub(crate) fn all() -> String {
    String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned()
}

/// Fails if the token was logged.
pub(crate) fn check() {
    let logs = all();
    let (_, key) = TOKEN.split_once(':').unwrap();
    let told = logs.lines().find(|it| it.contains(key));
    assert_eq!(told, None);
    assert!(!logs.is_empty());
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Folders that go when we go.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result};

/// How many there were.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A folder of our own among the system's temporary ones. Dropping it removes it.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn create(purpose: &str) -> Result<Folder> {
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("artel-{purpose}-{}-{made}", process::id()));
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Folder { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system, which empties this place.
        let _ = fs::remove_dir_all(&self.path);
    }
}

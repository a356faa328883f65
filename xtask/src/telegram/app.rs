//! The app that the simulated Telegram frames, when it is not told of another.

use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::process::Command;
use url::Url;

use super::{DEVELOPMENT_TOKEN, TOKEN, bot_api};
use crate::{child::Child, folder::Folder, types};

/// The variable that names who may frame the app, beside Telegram.
pub(super) const FRAMED_BY: &str = "ARTEL_FRAME_ANCESTORS";

/// A running app with a database of its own. Dropping it ends both.
pub(super) struct App {
    pub(super) url: Url,
    _running: Child,
    _folder: Folder,
}

impl App {
    /// Starts the app that was built last, to be framed by our page.
    pub(super) async fn start(page: &str) -> Result<App> {
        let folder = Folder::create("telegram")?;
        let mut command = Command::new(types::binary("artel")?);
        command
            // Away from the developer's `.env` and database.
            .current_dir(&folder.path)
            .env("ARTEL_LISTEN", "127.0.0.1:0")
            .env("ARTEL_METRICS_LISTEN", "off")
            .env("DATABASE_URL", "sqlite://artel.db")
            .env(TOKEN, DEVELOPMENT_TOKEN)
            .env("TELEGRAM_API_URL", format!("{page}{}", bot_api::PATH))
            .env(FRAMED_BY, page)
            .stdout(Stdio::piped());
        for other in ["PUBLIC_URL", "REDIS_URL", "TELEGRAM_APP_NAME"] {
            command.env_remove(other);
        }
        let mut running = Child::start(&mut command, "TERM")?;
        let said = running.line().await?;
        let url = said.rsplit(' ').next().and_then(|word| word.parse().ok());
        let url = url.with_context(|| format!("the app did not start: {said}"))?;
        Ok(App { url, _running: running, _folder: folder })
    }
}

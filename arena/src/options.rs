//! What an operator may set of the arena.

use std::time::Duration;

use crate::SignInOptions;

/// What an operator may set of the arena.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where everything is kept: sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://artel.db", value_parser = database_url, hide_env_values = true)]
    pub database_url: String,

    /// Set to let several processes over one PostgreSQL be one arena: redis://HOST:6379
    #[arg(long, env = "REDIS_URL", value_parser = redis_url, hide_env_values = true)]
    pub redis_url: Option<Secret>,

    /// The name of this machine, where a proxy can be asked to bring sockets to it: set by Fly.io
    #[arg(long, env = "FLY_MACHINE_ID", value_name = "ID")]
    pub machine: Option<String>,

    /// What signs access tokens, at least 32 characters [default: made once and kept in the
    /// database]
    #[arg(long, env = "JWT_SECRET", value_parser = jwt_secret, hide_env_values = true)]
    pub jwt_secret: Option<Secret>,

    /// The bot's token from @BotFather; also validates what the Mini App says of its user
    #[arg(long = "telegram-token", env = "TELOXIDE_TOKEN", value_parser = telegram_token, hide_env_values = true)]
    pub telegram_token: Option<Secret>,

    /// Seconds that initData stays good for signing in
    #[arg(long, env = "ARTEL_INIT_DATA_MAX_AGE", default_value = "86400", value_parser = seconds)]
    pub init_data_max_age: Duration,

    /// Seconds that initData may be ahead of this machine's clock
    #[arg(long, env = "ARTEL_INIT_DATA_MAX_AHEAD", default_value = "60", value_parser = seconds)]
    pub init_data_max_ahead: Duration,

    /// Ways to sign in that are set up elsewhere, and letters
    #[command(flatten)]
    pub sign_in: SignInOptions,
}

/// A value that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself: for signing and sending, never for logging.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

fn database_url(text: &str) -> Result<String, String> {
    match ["sqlite:", "postgres:", "postgresql:"].iter().any(|it| text.starts_with(it)) {
        true => Ok(text.to_owned()),
        false => Err("not a database's address; for example sqlite://artel.db or \
                      postgres://artel:password@localhost/artel"
            .to_owned()),
    }
}

fn redis_url(text: &str) -> Result<Secret, String> {
    match text.starts_with("redis:") {
        true => Ok(Secret::new(text)),
        false => Err("not a Redis server's address; for example redis://localhost:6379".to_owned()),
    }
}

pub(crate) fn jwt_secret(text: &str) -> Result<Secret, String> {
    match text.len() {
        0..32 => Err("too short: at least 32 characters, for example the output of \
                      `openssl rand -hex 32`"
            .to_owned()),
        32.. => Ok(Secret::new(text)),
    }
}

fn telegram_token(text: &str) -> Result<Secret, String> {
    let good = text.split_once(':').is_some_and(|(id, key)| {
        !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()) && !key.is_empty()
    });
    match good {
        true => Ok(Secret::new(text)),
        false => Err("not a bot's token; for example 123456789:AAF-from-BotFather".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds; for example 86400")?;
    Ok(Duration::from_secs(seconds))
}

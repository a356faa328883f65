//! What an operator sets: flags, the environment, and a `.env` file for what the environment lacks.

use std::{
    collections::HashSet,
    env,
    ffi::{OsStr, OsString},
    fmt::Write,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::Resettable,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};
use url::Url;

/// Variables with this beginning are ours, so a stranger among them is a typing mistake.
const OURS: &str = "ARTEL_";
/// But these are for the tests, which run us.
const OF_TESTS: &str = "ARTEL_TEST_";
/// How like a known name an unknown one must be to be taken for it.
const LIKENESS_MIN: f64 = 0.7;

/// A game arena that lives in Telegram.
///
/// Every option may also be set in the environment or in a file .env in the working folder.
#[derive(Parser)]
#[command(name = "artel", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The options of every part.
#[derive(Args)]
#[group(skip)]
pub(crate) struct Options {
    #[command(flatten, next_help_heading = "Web")]
    pub(crate) web: api::Options,

    #[command(flatten, next_help_heading = "Arena")]
    pub(crate) arena: arena::Options,

    #[command(flatten, next_help_heading = "Telegram")]
    pub(crate) bot: bot::Options,

    #[command(flatten, next_help_heading = "Log")]
    pub(crate) log: crate::logs::Options,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the arena (also without a command)
    Serve,
    /// List what is set, where, and what is not
    Config,
    /// Bring the database up to date and stop
    Migrate,
    /// Copy the SQLite database to a new file, also while a server runs on it
    Backup {
        /// Where to
        file: PathBuf,
    },
    /// Ask the server at ARTEL_LISTEN whether it is ready; fails when it is not
    Health,
    /// Print the OpenAPI document
    Openapi,
    /// Who may do what
    #[command(subcommand)]
    Admin(Admin),
    /// Matches that are over
    #[command(subcommand)]
    Replay(Replay),
}

#[derive(Subcommand)]
pub(crate) enum Replay {
    /// Run a match again and check that it ends as is stored
    Verify {
        /// The id of a match in the database, or a file from /api/matches/ID/replay
        #[arg(value_name = "MATCH|FILE")]
        which: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Admin {
    /// Give somebody a role
    Grant {
        /// As they sign in
        username: String,
        /// What they may do from now on
        #[arg(value_enum, default_value_t = Role::Admin)]
        role: Role,
    },
    /// Print a link by which somebody sets a new password
    Reset {
        /// As they sign in
        username: String,
    },
    /// Make a new key for access tokens, where it is kept in the database
    RotateKey,
}

/// What somebody may do.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Play
    Player,
    /// Keep order
    Moderator,
    /// Everything
    Admin,
}

impl Role {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Role::Player => "a player",
            Role::Moderator => "a moderator",
            Role::Admin => "an administrator",
        }
    }
}

impl From<Role> for arena::Role {
    fn from(role: Role) -> arena::Role {
        match role {
            Role::Player => arena::Role::Player,
            Role::Moderator => arena::Role::Moderator,
            Role::Admin => arena::Role::Admin,
        }
    }
}

/// Reads everything that is set, and a list of it for people. Prints help and leaves when asked to.
///
/// # Errors
/// What was wrong: the variable, what it should be, and an example. Secrets are not in it.
pub(crate) fn read() -> Result<(Cli, String), String> {
    let environment: HashSet<OsString> = env::vars_os().map(|(name, _)| name).collect();
    read_file(Path::new(".env"))?;
    let known = Cli::command();
    refuse_unknown(&known)?;
    // Set to nothing is not set.
    let command = known.clone().mut_args(|arg| match arg.get_env().and_then(env::var_os) {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    });
    let matches = command.try_get_matches().map_err(|error| explain(&known, error))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| explain(&known, error))?;
    Ok((cli, list(&known, &matches, &environment)))
}

fn read_file(path: &Path) -> Result<(), String> {
    match dotenvy::from_path(path) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(line, _)) => {
            // What is after the name may be secret.
            let name = line.split('=').next().unwrap_or_default().trim();
            Err(format!(".env: can't read the line of {name}; for example NAME='a value'"))
        }
        Err(error) => Err(format!(".env: {error}")),
    }
}

fn variables(command: &clap::Command) -> impl Iterator<Item = (&Arg, &str)> {
    command.get_arguments().filter_map(|arg| Some((arg, arg.get_env()?.to_str()?)))
}

fn refuse_unknown(command: &clap::Command) -> Result<(), String> {
    let set = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut ours: Vec<_> =
        set.filter(|it| it.starts_with(OURS) && !it.starts_with(OF_TESTS)).collect();
    ours.sort();
    for name in ours {
        // Every name of ours begins alike, and who knows that may have put it before all.
        let bare = |name: &str| name.strip_prefix(OURS).unwrap_or(name).to_owned();
        let likeness = |known: &str| strsim::jaro_winkler(&bare(known), &bare(&name));
        if variables(command).any(|(_, known)| known == name) {
            continue;
        }
        let nearest = variables(command).max_by(|a, b| likeness(a.1).total_cmp(&likeness(b.1)));
        return Err(match nearest.filter(|it| likeness(it.1) >= LIKENESS_MIN) {
            Some((_, known)) => format!("{name}: no such variable; did you mean {known}?"),
            None => format!("{name}: no such variable; `artel config` lists them"),
        });
    }
    Ok(())
}

/// A wrong value in one line that names its variable. Clap says the rest, and leaves.
fn explain(command: &clap::Command, error: clap::Error) -> String {
    let wrong = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(ContextValue::String(it))) => {
            let flag = it.split(' ').next().and_then(|it| it.strip_prefix("--"));
            command.get_arguments().find(|arg| flag.is_some() && arg.get_long() == flag)
        }
        _ => None,
    };
    let Some((arg, variable)) = wrong.and_then(|arg| Some((arg, arg.get_env()?.to_str()?))) else {
        error.exit();
    };
    let reason = std::error::Error::source(&error).map(ToString::to_string);
    let reason = reason.unwrap_or_else(|| "a value is missing".to_owned());
    let flag = format!("--{}", arg.get_long().unwrap_or_default());
    let by_flag = env::args().any(|it| it.split('=').next() == Some(&flag));
    let name = if by_flag { flag.as_str() } else { variable };
    match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if !arg.is_hide_env_values_set() => {
            format!("{name}: {reason} (it was `{value}`)")
        }
        _ => format!("{name}: {reason}"),
    }
}

/// What `artel config` prints.
fn list(command: &clap::Command, matches: &ArgMatches, environment: &HashSet<OsString>) -> String {
    let rows = variables(command).map(|(arg, name)| {
        let value = matches.get_raw(arg.get_id().as_str()).and_then(|mut it| it.next());
        let value = value.filter(|it| !it.is_empty()).map(|it| shown(arg, it));
        let origin = match matches.value_source(arg.get_id().as_str()) {
            Some(ValueSource::CommandLine) => "flag".to_owned(),
            Some(ValueSource::EnvVariable) if environment.contains(OsStr::new(name)) => {
                "environment".to_owned()
            }
            Some(ValueSource::EnvVariable) => ".env".to_owned(),
            _ => default(arg),
        };
        (name, value.unwrap_or_else(|| "not set".to_owned()), origin)
    });
    let rows: Vec<_> = rows.collect();
    let width = |column: fn(&(&str, String, String)) -> usize| rows.iter().map(column).max();
    let names = width(|it| it.0.len()).unwrap_or(0);
    let values = width(|it| it.1.chars().count()).unwrap_or(0);
    let mut text = String::new();
    for (name, value, origin) in &rows {
        let line = format!("{name:names$}  {value:values$}  {origin}");
        writeln!(text, "{}", line.trim_end()).expect("a string can be written to");
    }
    let unset = |name: &str| rows.iter().any(|it| it.0 == name && it.1 == "not set");
    if unset("TELOXIDE_TOKEN") {
        text += "\nWithout TELOXIDE_TOKEN there is no bot, and nobody signs in by Telegram.\n";
    }
    if unset("REDIS_URL") {
        text += "\nWithout REDIS_URL this process is an arena of its own.\n";
    }
    text
}

fn shown(arg: &Arg, value: &OsStr) -> String {
    let value = value.to_string_lossy();
    if !arg.is_hide_env_values_set() {
        return value.into_owned();
    }
    // Of an address the rest may be shown.
    match Url::parse(&value) {
        Ok(mut url) if value.contains("://") => {
            let masked = url.password().is_none() || url.set_password(Some("…")).is_ok();
            let query = url.query().map_or("", |_| "?…");
            url.set_query(None);
            match masked {
                true => format!("{url}{query}").replace("%E2%80%A6", "…"),
                false => "…".to_owned(),
            }
        }
        _ => "…".to_owned(),
    }
}

/// Where a value comes from that nobody set.
fn default(arg: &Arg) -> String {
    if arg.get_default_values().iter().any(|it| !it.is_empty()) {
        return "default".to_owned();
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default = help.split_once("[default: ").map(|(_, it)| it.trim_end_matches(']'));
    default.map(|it| format!("default: {it}")).unwrap_or_default()
}

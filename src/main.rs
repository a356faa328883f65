//! The composition root: reads the options, opens things, starts the parts, drains on SIGTERM.

mod config;
mod health;
mod logs;
mod process;
mod serve;

use std::process::ExitCode;

use anyhow::Context;
use arena::{Arena, Clock};

use crate::config::{Admin, Cli, Command, Replay};

fn main() -> ExitCode {
    let (cli, settings) = match config::read() {
        Ok(read) => read,
        Err(wrong) => {
            complain(&wrong);
            return ExitCode::from(2);
        }
    };
    let traces = match logs::start(&cli.options.log) {
        Ok(traces) => traces,
        Err(wrong) => {
            complain(&format!("{wrong:#}"));
            return ExitCode::from(2);
        }
    };
    let ended = run(cli, &settings);
    // The last spans are sent before the process is gone.
    drop(traces);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli, settings: &str) -> anyhow::Result<()> {
    let Cli { options, command } = cli;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(options).await,
        Command::Config => {
            say(settings);
            Ok(())
        }
        Command::Openapi => {
            say(&format!("{:#}\n", api::openapi()));
            Ok(())
        }
        Command::Migrate => {
            Arena::migrate(&options.arena).await.context("migrating DATABASE_URL")?;
            say("The database is up to date\n");
            Ok(())
        }
        Command::Backup { file } => {
            Arena::backup(&options.arena, &file).await?;
            say(&format!("The database is copied to {}\n", file.display()));
            Ok(())
        }
        Command::Health => {
            health::check(options.web.listen)?;
            say("Ready\n");
            Ok(())
        }
        Command::Replay(Replay::Verify { which }) => {
            let replay = match which.parse() {
                Ok(id) => Arena::stored_replay(&options.arena, id)
                    .await?
                    .with_context(|| format!("there is no replay of a match {which}"))?,
                Err(_) => {
                    let text = std::fs::read_to_string(&which)
                        .with_context(|| format!("{which} is neither a match's id nor a file"))?;
                    arena::Replay::parse(&text)?
                }
            };
            replay.verify()?;
            let id = replay.match_id;
            say(&format!("Match {id} is verified: its journal gives the stored result\n"));
            Ok(())
        }
        Command::Admin(Admin::Grant { username, role }) => {
            Arena::grant(&options.arena, &username, role.into()).await?;
            let role = role.words();
            say(&format!("{username} is {role} from their next sign-in or refresh\n"));
            Ok(())
        }
        Command::Admin(Admin::Reset { username }) => {
            let mut page = options.web.public_url(options.web.listen);
            page.set_path("/reset");
            let (arena, now) = (&options.arena, Clock::System.now());
            let link = Arena::operators_reset_link(arena, &username, page, now).await?;
            say(&format!("Give this link to {username} and to nobody else, within 30 minutes:\n"));
            say(&format!("{link}\n"));
            Ok(())
        }
        Command::Admin(Admin::RotateKey) => {
            Arena::rotate_key(&options.arena).await?;
            say("Access tokens are signed with a new key from the next start on\n");
            Ok(())
        }
    }
}

/// To whoever started us, who may have gone.
fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[expect(
    clippy::print_stderr,
    reason = "whoever started us reads it, also where nothing is logged"
)]
fn complain(wrong: &str) {
    eprintln!("artel: {wrong}");
}

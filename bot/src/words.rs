//! What the bot says, in the language of whom it says it to.

use arena::Language;
use askama::Template;
use url::Url;

use crate::commands::Command;

#[derive(Template)]
#[template(path = "start.html")]
struct Start<'a> {
    language: Language,
    /// The page's address, when there is no button that opens it.
    address: Option<&'a Url>,
}

#[derive(Template)]
#[template(path = "help.html")]
struct Help<'a> {
    language: Language,
    address: Option<&'a Url>,
}

/// The answer to a command, in Telegram's HTML. It names the page's address if that is given, for
/// when there is no button that opens it.
pub(crate) fn answer(command: Command, language: Language, address: Option<&Url>) -> String {
    let text = match command {
        Command::Start => Start { language, address }.render(),
        Command::Help => Help { language, address }.render(),
    };
    text.expect("writing into a string cannot fail").trim().to_owned()
}

/// What a command does, for the list of commands.
pub(crate) fn command(command: Command, language: Language) -> &'static str {
    match (command, language) {
        (Command::Start, Language::En) => "Open the arena",
        (Command::Start, Language::Ru) => "Открыть арену",
        (Command::Help, Language::En) => "How to play",
        (Command::Help, Language::Ru) => "Как играть",
    }
}

/// What the button that opens the Mini App says.
pub(crate) fn open(language: Language) -> &'static str {
    command(Command::Start, language)
}

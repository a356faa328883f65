//! What people may ask of the bot.

/// What the bot understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Help,
}

impl Command {
    pub(crate) const ALL: [Command; 2] = [Command::Start, Command::Help];

    /// As it is written after the slash.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Command::Start => "start",
            Command::Help => "help",
        }
    }

    /// Reads a command to the bot called `bot`: `/name` or `/name@bot`, and anything after it.
    pub(crate) fn parse(text: &str, bot: &str) -> Option<Command> {
        let word = text.strip_prefix('/')?.split(char::is_whitespace).next()?;
        let (name, to) = word.split_once('@').unwrap_or((word, bot));
        let ours = to.eq_ignore_ascii_case(bot);
        Command::ALL.into_iter().find(|it| ours && it.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Command>) {
        assert_eq!(Command::parse(text, "artel_bot"), expected, "{text:?}");
    }

    #[test]
    fn commands_as_written() {
        for text in ["/start", "/START", "/start m_1", "/start\nm_1", "/start@Artel_Bot m_1"] {
            check(text, Some(Command::Start));
        }
        check("/help", Some(Command::Help));
        for text in ["", "/", "start", " /start", "/ start", "/@artel_bot", "/старт", "/starts"]
        {
            check(text, None);
        }
        for text in ["/start@other_bot", "/start@", "/start@artel_bot@artel_bot"] {
            check(text, None);
        }
    }
}

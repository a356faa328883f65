//! What people may ask of the bot.

use games::Kind;

/// What the bot understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Play,
    Queue,
    Leave,
    Challenge,
    Room,
    Me,
    Top,
    Replay,
    Settings,
    Link,
    Help,
    Cancel,
}

impl Command {
    pub(crate) const ALL: [Command; 13] = [
        Command::Start,
        Command::Play,
        Command::Queue,
        Command::Leave,
        Command::Challenge,
        Command::Room,
        Command::Me,
        Command::Top,
        Command::Replay,
        Command::Settings,
        Command::Link,
        Command::Help,
        Command::Cancel,
    ];

    /// Those that make sense in groups.
    pub(crate) const SHARED: [Command; 9] = [
        Command::Play,
        Command::Queue,
        Command::Leave,
        Command::Challenge,
        Command::Room,
        Command::Top,
        Command::Me,
        Command::Cancel,
        Command::Help,
    ];

    /// As it is written after the slash.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Command::Start => "start",
            Command::Play => "play",
            Command::Queue => "queue",
            Command::Leave => "leave",
            Command::Challenge => "challenge",
            Command::Room => "room",
            Command::Me => "me",
            Command::Top => "top",
            Command::Replay => "replay",
            Command::Settings => "settings",
            Command::Link => "link",
            Command::Help => "help",
            Command::Cancel => "cancel",
        }
    }

    /// Reads a command to the bot called `bot`, and what is said with it: `/name` or `/name@bot`,
    /// and anything after it.
    pub(crate) fn parse<'a>(text: &'a str, bot: &str) -> Asked<'a> {
        let Some(rest) = text.strip_prefix('/') else { return Asked::Nothing };
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        let (name, to) = word.split_once('@').unwrap_or((word, bot));
        if !to.eq_ignore_ascii_case(bot) {
            return Asked::Another;
        }
        match Command::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name)) {
            Some(command) => Asked::This(command, rest[word.len()..].trim()),
            None => Asked::Unknown,
        }
    }
}

/// What a text asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// A command, and what is said with it.
    This(Command, &'a str),
    /// A command that there is not, or not ours.
    Unknown,
    /// A command to another bot.
    Another,
    /// It is no command.
    Nothing,
}

/// The game that people call so.
pub(crate) fn game(name: &str) -> Option<Kind> {
    let name = name.to_lowercase();
    Some(match name.as_str() {
        "8" | "8ball" | "8-ball" | "pool" => Kind::EightBall,
        "9" | "9ball" | "9-ball" => Kind::NineBall,
        name => return name.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Asked<'_>) {
        assert_eq!(Command::parse(text, "artel_bot"), expected, "{text:?}");
    }

    #[test]
    fn commands_as_written() {
        for text in ["/start m_1", "/START  m_1 ", "/start\nm_1", "/start@Artel_Bot m_1"] {
            check(text, Asked::This(Command::Start, "m_1"));
        }
        check("/help", Asked::This(Command::Help, ""));
        check("/challenge @ann pong", Asked::This(Command::Challenge, "@ann pong"));
        for text in ["/", "/ start", "/@artel_bot", "/старт", "/starts"] {
            check(text, Asked::Unknown);
        }
        for text in ["/start@other_bot", "/start@", "/start@artel_bot@artel_bot"] {
            check(text, Asked::Another);
        }
        for text in ["", "start", " /start"] {
            check(text, Asked::Nothing);
        }
    }

    #[test]
    fn games_as_people_call_them() {
        assert_eq!(game("PONG"), Some(Kind::Pong));
        assert_eq!(game("8-ball"), Some(Kind::EightBall));
        assert_eq!(game("billiards"), Some(Kind::EightBall));
        assert_eq!(game("chess"), None);
        assert_eq!(game(""), None);
    }
}

//! What the bot says, in the language of whom it says it to. The words are in `templates/bot`.

use std::borrow::Borrow;

use arena::{CardStage, GameStats, Language, Topic};
use askama::Template;
use games::Kind;
use url::Url;

use crate::commands::Command;

/// An answer.
pub(crate) enum Say<'a> {
    Start,
    Help {
        shared: bool,
    },
    /// No such command, or no command at all.
    Unknown,
    /// No game is called so.
    NoGame {
        asked: &'a str,
    },
    /// Whom to challenge was not said.
    ChallengeWhom,
    /// Nobody whom the bot knows has this name, who could be told.
    NobodyKnown {
        name: &'a str,
    },
    /// How to play a game from a private chat.
    PlayHere {
        game: Kind,
    },
    Waiting {
        game: Kind,
        position: i64,
        waiting: i64,
        shared: bool,
    },
    /// There is a match to go to.
    Matched {
        game: Kind,
    },
    /// What was left: a queue, games in chats, a room.
    Left {
        queue: bool,
        cards: usize,
        room: Option<String>,
    },
    /// A room, theirs before or just opened.
    Room {
        code: String,
        game: Kind,
        is_new: bool,
        /// Whether they asked for another game.
        is_other: bool,
        link: String,
    },
    /// Where one signs in on the web.
    LinkHow {
        address: String,
    },
    LinkedAlready {
        name: String,
    },
    LinkInPrivate,
    LinkAsk {
        name: String,
        /// Empty when they have none.
        username: String,
    },
    Linked {
        name: String,
    },
    NotLinked,
    /// Both accounts were used: where they can be made one.
    LinkMerge {
        address: String,
    },
    Me {
        name: String,
        games: Vec<GameStats>,
    },
    Top {
        game: Kind,
        shared: bool,
        lines: Vec<TopLine>,
    },
    Replay {
        game: Kind,
        won: Option<bool>,
        names: String,
    },
    NoReplay,
    /// What they want to be told of.
    Settings {
        told: Vec<Topic>,
    },
    SettingsInPrivate,
    Refused {
        code: &'a str,
    },
    /// A challenge, as it is sent to any chat.
    Offer {
        game: Kind,
    },
    /// An opponent was found.
    WasMatched {
        game: Kind,
        names: String,
    },
    WasChallenged {
        game: Kind,
        names: String,
    },
    /// Where a new password can be set.
    PasswordReset {
        link: &'a str,
    },
    Result {
        game: Kind,
        won: Option<bool>,
        names: String,
        score: String,
        change: Option<String>,
    },
    /// Everybody waits for whoever reads this.
    YourTurn {
        game: Kind,
        names: String,
    },
    FriendRequest {
        name: String,
    },
}

/// A line of a table.
pub(crate) struct TopLine {
    pub(crate) rank: i64,
    pub(crate) name: String,
    /// What they are ranked by.
    pub(crate) points: i64,
    pub(crate) games: i64,
}

/// What is written on a button.
#[derive(Clone, Copy)]
pub(crate) enum Label {
    Open,
    Join,
    Leave,
    StartGame,
    Play,
    Watch,
    Rematch,
    Replay,
    Queue,
    Invite,
    GoIn,
    Profile,
    Yes,
    No,
    MakeOne,
    /// What one can be told of, and whether one is.
    Topic(Topic, bool),
}

/// What is shown for a moment to whoever pressed a button.
#[derive(Clone, Copy)]
pub(crate) enum Toast<'a> {
    Joined {
        missing: usize,
    },
    Started,
    Left,
    Rematch,
    Saved,
    /// There is nothing more to say than what is shown.
    Done,
    /// The button is of a time or a place that we know nothing of.
    Old,
    /// The inline message is not a card yet.
    NotYet,
    Refused {
        code: &'a str,
    },
}

/// Somebody on a card.
pub(crate) struct CardLine {
    pub(crate) name: String,
    pub(crate) rating: i64,
    pub(crate) provisional: bool,
    pub(crate) won: bool,
    pub(crate) after: Option<String>,
}

/// All that a card says.
#[derive(Template)]
#[template(path = "card.html")]
pub(crate) struct CardText<'a> {
    pub(crate) language: Language,
    pub(crate) game: Kind,
    pub(crate) stage: CardStage,
    pub(crate) lines: Vec<CardLine>,
    /// The score, large; empty where it says nothing.
    pub(crate) figures: String,
    pub(crate) invited: Option<&'a str>,
    /// Places that are free.
    pub(crate) free: usize,
    /// How many more it takes.
    pub(crate) missing: usize,
    /// Whether fewer than all places are enough.
    pub(crate) many: bool,
    /// The page's address, when there can be no button that opens it.
    pub(crate) address: Option<Url>,
}

#[derive(Template)]
#[template(path = "say.html")]
struct SayText<'a> {
    language: Language,
    say: &'a Say<'a>,
    /// The page's address, when there is no button that opens it.
    address: Option<&'a Url>,
}

#[derive(Template)]
#[template(path = "label.txt")]
struct LabelText {
    language: Language,
    label: Label,
}

#[derive(Template)]
#[template(path = "toast.txt")]
struct ToastText<'a> {
    language: Language,
    toast: Toast<'a>,
}

#[derive(Template)]
#[template(path = "command.txt")]
struct CommandText {
    language: Language,
    command: Command,
}

#[derive(Template)]
#[template(path = "game.txt")]
struct GameText {
    language: Language,
    game: Kind,
}

#[derive(Template)]
#[template(path = "refusal.txt")]
struct RefusalText<'a> {
    language: Language,
    code: &'a str,
}

fn rendered(template: &impl Template) -> String {
    template.render().expect("writing into a string cannot fail").trim().to_owned()
}

/// An answer in Telegram's HTML. It names the page's address if that is given, for when there is no
/// button that opens it.
pub(crate) fn say(say: &Say<'_>, language: Language, address: Option<&Url>) -> String {
    rendered(&SayText { language, say, address })
}

/// A card in Telegram's HTML.
pub(crate) fn card(card: &CardText<'_>) -> String {
    rendered(card)
}

pub(crate) fn label(label: Label, language: Language) -> String {
    rendered(&LabelText { language, label })
}

pub(crate) fn toast(toast: Toast<'_>, language: Language) -> String {
    rendered(&ToastText { language, toast })
}

/// What a command does, for the list of commands.
pub(crate) fn command(command: Command, language: Language) -> String {
    rendered(&CommandText { language, command })
}

/// What a game is called.
pub(crate) fn game(game: impl Borrow<Kind>, language: impl Borrow<Language>) -> String {
    rendered(&GameText { language: *language.borrow(), game: *game.borrow() })
}

/// Why the arena refused something.
pub(crate) fn refusal(code: &str, language: impl Borrow<Language>) -> String {
    rendered(&RefusalText { language: *language.borrow(), code })
}

/// The form of a Russian noun after a number.
pub(crate) fn plural<'a>(
    n: impl Borrow<usize>,
    one: &'a str,
    few: &'a str,
    many: &'a str,
) -> &'a str {
    match (n.borrow() % 10, n.borrow() % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    }
}

/// A name that does not turn what is around it, whatever way it is written in.
pub(crate) fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

/// Scores in large figures.
pub(crate) fn figures(scores: impl IntoIterator<Item = i64>) -> String {
    let large = |score: i64| -> String {
        let digits = score.to_string();
        digits
            .chars()
            .map(|it| match it {
                '-' => "➖".to_owned(),
                digit => format!("{digit}\u{fe0f}\u{20e3}"),
            })
            .collect()
    };
    scores.into_iter().map(large).collect::<Vec<_>>().join(" : ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_numbers() {
        let forms = |n: usize| plural(n, "место", "места", "мест");
        assert_eq!([1, 21, 101].map(forms), ["место"; 3]);
        assert_eq!([2, 3, 4, 22].map(forms), ["места"; 4]);
        assert_eq!([0, 5, 11, 12, 14, 111].map(forms), ["мест"; 6]);
    }

    #[test]
    fn every_word_is_there_in_both_languages() {
        for language in [Language::En, Language::Ru] {
            for it in Command::ALL {
                let text = command(it, language);
                assert!((3..=256).contains(&text.chars().count()), "{text:?}");
            }
            for it in Kind::ALL {
                assert!(!game(it, language).is_empty());
            }
        }
    }
}

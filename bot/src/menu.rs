//! What Telegram shows of the bot before anybody writes to it: its commands and the button beside
//! the field for messages.

use arena::Language;
use teloxide::{
    Bot, RequestError,
    payloads::{SetChatMenuButtonSetters, SetMyCommandsSetters},
    requests::Requester,
    types::{BotCommand, BotCommandScope, MenuButton, WebAppInfo},
};

use crate::{
    commands::Command,
    faults::{insist, plain},
    links::Links,
    words,
};

/// Sets all of it. A refusal is said and costs nothing else.
pub(crate) async fn set(bot: &Bot, links: &Links) {
    if let Err(error) = try_set(bot, links).await {
        tracing::warn!(error = plain(&error), "The bot's menu can't be set");
    }
}

async fn try_set(bot: &Bot, links: &Links) -> Result<(), RequestError> {
    let what = "The bot's menu could not be set";
    for (scope, which) in [
        (BotCommandScope::Default, &Command::ALL[..]),
        (BotCommandScope::AllGroupChats, &Command::SHARED[..]),
    ] {
        let commands = |language| {
            let commands = which.iter();
            let commands =
                commands.map(|&it| BotCommand::new(it.name(), words::command(it, language)));
            bot.set_my_commands(commands).scope(scope.clone())
        };
        insist(what, commands(Language::En)).await?;
        insist(what, commands(Language::Ru).language_code("ru")).await?;
    }

    let button = match links.page_is_secure() {
        // One text for all languages: the bot's name, which is the same in each.
        true => MenuButton::WebApp {
            text: "Artel".to_owned(),
            web_app: WebAppInfo { url: links.page.clone() },
        },
        // Also takes away what an earlier address has left.
        false => MenuButton::Default,
    };
    insist(what, bot.set_chat_menu_button().menu_button(button)).await?;
    Ok(())
}

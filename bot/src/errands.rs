//! What the bot is asked to do by people who are elsewhere and wait: messages are prepared that
//! they send from the Mini App.

use arena::{Arena, Errand, Error, Why};
use futures_util::StreamExt;
use teloxide::{
    Bot,
    payloads::SavePreparedInlineMessageSetters,
    requests::{Request, Requester},
    types::{
        InlineQueryResult, InlineQueryResultArticle, InputMessageContent, InputMessageContentText,
        ParseMode, UserId,
    },
};
use tokio::sync::mpsc;

use crate::{
    cards,
    delivery::{names, no_preview},
    faults::plain,
    links::Links,
    words,
};

/// Errands that are run at once.
const AT_ONCE: usize = 16;

/// Runs errands for as long as this is awaited.
pub(crate) async fn run(bot: &Bot, arena: &Arena, links: &Links, errands: mpsc::Receiver<Errand>) {
    let errands = futures_util::stream::unfold(errands, async |mut errands| {
        let errand = errands.recv().await?;
        Some((errand, errands))
    });
    let run = errands.for_each_concurrent(AT_ONCE, async |errand| {
        let prepared = prepare(bot, arena, links, &errand).await;
        errand.done(prepared);
    });
    run.await;
}

/// Prepares a message that shows how a match ended; answers Telegram's number of it.
async fn prepare(
    bot: &Bot,
    arena: &Arena,
    links: &Links,
    errand: &Errand,
) -> arena::Result<String> {
    let card = arena.card_of_match(errand.match_id).await?;
    let (text, buttons) = cards::shared(&card, errand.match_id, errand.language, links);
    let mut content = InputMessageContentText::new(text).parse_mode(ParseMode::Html);
    content.link_preview_options = Some(no_preview());
    let title = words::game(card.game, errand.language);
    let article = InlineQueryResultArticle::new(
        errand.match_id.to_string(),
        title,
        InputMessageContent::Text(content),
    )
    .reply_markup(buttons)
    .description(names(card.players.iter().map(|it| &it.user)));
    let sender = UserId(errand.sender.unsigned_abs());
    let request = bot
        .save_prepared_inline_message(sender, InlineQueryResult::Article(article))
        .allow_user_chats(true)
        .allow_group_chats(true)
        .allow_channel_chats(true);
    match request.send().await {
        Ok(message) => Ok(message.id),
        Err(error) => {
            tracing::info!(error = plain(&error), "A message to share was not prepared");
            let detail = "Telegram did not take the message: send the link instead";
            Err(Error::refused(Why::Unavailable, "telegram_refused", detail))
        }
    }
}

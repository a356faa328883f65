//! Cards as they are shown: their text and their buttons.

use arena::{Card, CardPlayer, CardStage, Language, MatchCard, MatchId};
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::{
    links::{Links, Place},
    taps::Press,
    words::{self, CardLine, CardText, Label},
};

/// The text and the buttons of a card.
pub(crate) fn shown(card: &Card, links: &Links) -> (String, InlineKeyboardMarkup) {
    let seats = card.game.seats();
    let (min, max) = (usize::from(*seats.start()), usize::from(*seats.end()));
    let label = |it| words::label(it, card.language);
    let press = |it, press: Press| InlineKeyboardButton::callback(label(it), press.to_string());

    let mut rows: Vec<Vec<InlineKeyboardButton>> = Vec::new();
    let mut address = None;
    let mut leading = |it, place: Place, more: Option<InlineKeyboardButton>| {
        let button = links.anywhere(label(it), place);
        if button.is_none() {
            address = Some(links.address(place));
        }
        rows.push(more.into_iter().chain(button).collect());
    };
    match card.stage {
        CardStage::Open => {
            rows.push(vec![
                press(Label::Join, Press::Join(card.id)),
                press(Label::Leave, Press::Leave(card.id)),
            ]);
            if max > min && card.players.len() >= min {
                rows.push(vec![press(Label::StartGame, Press::Start(card.id))]);
            }
        }
        CardStage::Gathering(id) => leading(Label::Play, Place::Match(id), None),
        CardStage::Live(id) => leading(Label::Watch, Place::Match(id), None),
        CardStage::Over(id, again) => {
            let rematch = again.then(|| press(Label::Rematch, Press::Rematch(card.id)));
            leading(Label::Replay, Place::Replay(id), rematch);
        }
        CardStage::CalledOff(true) => {
            rows.push(vec![press(Label::Rematch, Press::Rematch(card.id))]);
        }
        CardStage::CalledOff(false) | CardStage::Closed => {}
    }
    rows.retain(|row| !row.is_empty());

    let text = words::card(&CardText {
        language: card.language,
        game: card.game,
        stage: card.stage,
        lines: lines(&card.players),
        figures: figures(card.stage, &card.players),
        invited: card.invited.as_deref(),
        free: max.saturating_sub(card.players.len()),
        missing: min.saturating_sub(card.players.len()),
        many: max > min,
        address,
    });
    (text, InlineKeyboardMarkup::new(rows))
}

/// The text and the buttons of a message in which a player shows how a match ended.
pub(crate) fn shared(
    card: &MatchCard,
    id: MatchId,
    language: Language,
    links: &Links,
) -> (String, InlineKeyboardMarkup) {
    let place = Place::Replay(id);
    let button = links.anywhere(words::label(Label::Replay, language), place);
    let text = words::card(&CardText {
        language,
        game: card.game,
        stage: card.stage,
        lines: lines(&card.players),
        figures: figures(card.stage, &card.players),
        invited: None,
        free: 0,
        missing: 0,
        many: card.players.len() > 2,
        address: button.is_none().then(|| links.address(place)),
    });
    (text, InlineKeyboardMarkup::new(button.map(|it| [it])))
}

fn lines(players: &[CardPlayer]) -> Vec<CardLine> {
    let line = |it: &CardPlayer| CardLine {
        name: words::isolated(&it.user.display_name),
        rating: it.rating,
        provisional: it.provisional,
        won: it.won,
        after: it.rating_after.map(|it| it.to_string()),
    };
    players.iter().map(line).collect()
}

fn figures(stage: CardStage, players: &[CardPlayer]) -> String {
    match stage {
        CardStage::Live(_) | CardStage::Over(..) => {
            words::figures(players.iter().map(|it| it.score))
        }
        CardStage::Open | CardStage::Gathering(_) | CardStage::CalledOff(_) | CardStage::Closed => {
            String::new()
        }
    }
}

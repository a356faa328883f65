//! Something happens in Telegram, the arena decides, an answer goes.

use arena::{Arena, CardPlace, Error, Language, NewCard, NewRoom, Queued, Topic, User};
use games::Kind;
use teloxide::{
    Bot,
    types::{ChatId, InlineKeyboardButton, WebAppInfo},
};
use tokio::sync::mpsc;

use crate::{
    commands::{self, Asked, Command},
    delivery::Answer,
    linking,
    links::{Links, Place},
    taps::Press,
    updates::{ChatKind, Event, Membership, Message, Update},
    words::{self, Label, Say},
};

/// What is played when nobody says what.
const GAME_DEFAULT: Kind = Kind::EightBall;

/// What it takes to answer.
pub(crate) struct Desk<'a> {
    pub(crate) bot: &'a Bot,
    pub(crate) arena: &'a Arena,
    pub(crate) links: &'a Links,
    /// The bot's user name.
    pub(crate) name: String,
    /// Whether it can be written to from any chat.
    pub(crate) inline: bool,
    /// To whoever sends.
    pub(crate) answers: mpsc::Sender<Answer>,
}

/// What is said to a command, and what one can press.
pub(crate) type Said<'a> = (Say<'a>, Vec<Vec<InlineKeyboardButton>>);

/// A command in its place.
pub(crate) struct Asking<'a> {
    pub(crate) user: &'a User,
    pub(crate) message: &'a Message,
    update: i64,
    /// What is said with it.
    pub(crate) rest: &'a str,
}

impl Asking<'_> {
    pub(crate) fn is_private(&self) -> bool {
        self.message.chat.kind == ChatKind::Private
    }
}

/// Nothing to press.
pub(crate) fn only(say: Say<'_>) -> Said<'_> {
    (say, Vec::new())
}

/// The code of a refusal; a fault is logged and has none.
pub(crate) fn code_of(error: &Error) -> &'static str {
    match error {
        Error::Refused(refused) => refused.code,
        Error::Fault(_) => {
            tracing::error!(error = error.report(), "What was asked in Telegram failed");
            "internal"
        }
    }
}

impl Desk<'_> {
    /// Deals with an update; the answer is to be sent. What can't be done is said to whoever asked.
    pub(crate) async fn handle(&self, update: Update) -> Option<Answer> {
        let Update { id, event } = update;
        let done = match event {
            Event::Message(message) => self.hear(id, message).await,
            Event::CallbackQuery(tap) => {
                self.feel(tap).await;
                Ok(None)
            }
            Event::InlineQuery(inquiry) => {
                self.offer(inquiry).await;
                Ok(None)
            }
            Event::ChosenInlineResult(chosen) => self.chosen(chosen).await.map(|()| None),
            Event::MyChatMember(Membership { chat, new_chat_member }) => {
                let quiet = !new_chat_member.may_write();
                self.arena.set_chat_quiet(chat.id.0, quiet).await.map(|()| None)
            }
        };
        done.unwrap_or_else(|error| {
            tracing::error!(id, error = error.report(), "An update could not be dealt with");
            None
        })
    }

    async fn hear(&self, update: i64, message: Message) -> arena::Result<Option<Answer>> {
        if let Some(to) = message.migrate_to_chat_id {
            return self.arena.chat_moved(message.chat.id.0, to.0).await.map(|()| None);
        }
        let Some((command, rest)) = self.asked(&message) else { return Ok(None) };
        let Some(from) = message.from.as_ref() else { return Ok(None) };
        // Who writes can be written to again.
        self.arena.set_chat_quiet(message.chat.id.0, false).await?;
        let user = match self.arena.telegram_account(from).await {
            Ok(user) => user,
            Err(error) => {
                let say = Say::Refused { code: code_of(&error) };
                let tag = from.language_code.as_deref().unwrap_or_default();
                let language = Language::preferred(tag).unwrap_or_default();
                return Ok(Some(self.say(update, &message, language, only(say))));
            }
        };
        if message.chat.kind == ChatKind::Shared {
            self.arena.seen_in_group(user.id, message.chat.id.0).await?;
        }
        let asking = Asking { user: &user, message: &message, update, rest };
        let said = match command {
            Some(command) => self.do_what(command, &asking).await,
            None => Ok(Some(only(Say::Unknown))),
        };
        let said = said.unwrap_or_else(|error| {
            let say = Say::Refused { code: code_of(&error) };
            Some(only(say))
        });
        Ok(said.map(|said| self.say(update, &message, user.language, said)))
    }

    /// What a message asks of us; no command when there is none such. Whoever writes anything else
    /// gets help when alone with us, and silence where others speak.
    fn asked<'a>(&self, message: &'a Message) -> Option<(Option<Command>, &'a str)> {
        let asked = Command::parse(message.text.as_deref()?, &self.name);
        // Two bots that help each other would never stop.
        if message.from.as_ref().is_none_or(|it| it.is_bot) {
            return None;
        }
        match (asked, message.chat.kind) {
            (Asked::This(command, rest), _) => Some((Some(command), rest)),
            (Asked::Unknown, ChatKind::Private) => Some((None, "")),
            (Asked::Nothing, ChatKind::Private) => Some((Some(Command::Help), "")),
            (Asked::Unknown | Asked::Nothing, ChatKind::Shared) | (Asked::Another, _) => None,
        }
    }

    /// The answer to a message.
    fn say(
        &self,
        update: i64,
        message: &Message,
        language: Language,
        (say, mut buttons): Said<'_>,
    ) -> Answer {
        let greets = matches!(say, Say::Start | Say::Help { .. });
        let mut address = None;
        if greets {
            let open = words::label(Label::Open, language);
            let page = &self.links.page;
            match message.chat.kind {
                ChatKind::Private if self.links.page_is_secure() && buttons.is_empty() => {
                    let app = WebAppInfo { url: page.clone() };
                    buttons.push(vec![InlineKeyboardButton::web_app(open, app)]);
                }
                ChatKind::Private if buttons.is_empty() => address = Some(page),
                ChatKind::Private => {}
                ChatKind::Shared => {
                    let link = self.links.telegram.clone();
                    buttons.push(vec![InlineKeyboardButton::url(open, link)]);
                }
            }
        }
        let to = (message.chat.kind == ChatKind::Shared).then_some(message.message_id);
        let text = words::say(&say, language, address);
        Answer { update, chat: message.chat.id, to, text, buttons }
    }

    async fn do_what<'a>(
        &self,
        command: Command,
        asking: &Asking<'a>,
    ) -> arena::Result<Option<Said<'a>>> {
        let said = match command {
            Command::Start => self.start(asking).await?,
            Command::Help => only(Say::Help { shared: !asking.is_private() }),
            Command::Play => return self.play(asking).await,
            Command::Challenge => return self.challenge(asking).await,
            Command::Queue => return self.queue(asking).await,
            Command::Leave | Command::Cancel => self.leave(asking.user).await?,
            Command::Room => self.room(asking).await?,
            Command::Link if asking.is_private() => self.link(asking).await?,
            Command::Link => only(Say::LinkInPrivate),
            Command::Me => self.record(asking).await?,
            Command::Top => self.top(asking).await?,
            Command::Replay => self.replay(asking).await?,
            Command::Settings if asking.is_private() => self.settings(asking.user).await?,
            Command::Settings => only(Say::SettingsInPrivate),
        };
        Ok(Some(said))
    }

    /// The game that is named, or the usual one.
    pub(crate) fn game_of<'a>(named: &'a str) -> Result<Kind, Said<'a>> {
        match named {
            "" => Ok(GAME_DEFAULT),
            named => commands::game(named).ok_or_else(|| only(Say::NoGame { asked: named })),
        }
    }

    /// A button to a place, as the chat allows it.
    pub(crate) fn lead(
        &self,
        asking: &Asking<'_>,
        label: Label,
        place: Place<'_>,
    ) -> Vec<Vec<InlineKeyboardButton>> {
        let label = words::label(label, asking.user.language);
        let button = match asking.is_private() {
            true => self.links.in_private(label, place),
            false => self.links.anywhere(label, place),
        };
        button.into_iter().map(|it| vec![it]).collect()
    }

    /// An invitation leads to where it leads; anything else to the arena.
    async fn start<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        if let Some(token) = linking::token_of(asking.rest) {
            return match asking.is_private() {
                true => self.ask_to_link(asking.user, token).await,
                false => Ok(only(Say::LinkInPrivate)),
            };
        }
        let buttons = match Place::parse(asking.rest) {
            Some(place) => self.lead(asking, Label::Play, place),
            None => Vec::new(),
        };
        Ok((Say::Start, buttons))
    }

    /// The room that somebody is in; else one is opened for them.
    async fn room<'a>(&self, asking: &Asking<'a>) -> arena::Result<Said<'a>> {
        let game = match Self::game_of(asking.rest) {
            Ok(game) => game,
            Err(said) => return Ok(said),
        };
        let theirs = self.arena.room_of(asking.user.id).await?;
        let is_new = theirs.is_none();
        let room = match theirs {
            Some(room) => room,
            None => {
                let new = NewRoom { game, options: None, private: true };
                self.arena.open_room(asking.user.id, new).await?.room
            }
        };
        // Who asked for another game is told how to get there.
        let is_other = !asking.rest.is_empty() && room.game != game;
        let place = Place::Room(&room.code);
        let buttons = self.lead(asking, Label::GoIn, place);
        let link = self.links.link(place).into();
        Ok((Say::Room { code: room.code, game: room.game, is_new, is_other, link }, buttons))
    }

    async fn play<'a>(&self, asking: &Asking<'a>) -> arena::Result<Option<Said<'a>>> {
        let game = match Self::game_of(asking.rest) {
            Ok(game) => game,
            Err(said) => return Ok(Some(said)),
        };
        if !asking.is_private() {
            self.open(asking, game, None).await?;
            return Ok(None);
        }
        let mut buttons = self.lead(asking, Label::Queue, Place::Queue(game));
        if self.inline {
            let invite = words::label(Label::Invite, asking.user.language);
            buttons.push(vec![InlineKeyboardButton::switch_inline_query(invite, game.name())]);
        }
        Ok(Some((Say::PlayHere { game }, buttons)))
    }

    async fn challenge<'a>(&self, asking: &Asking<'a>) -> arena::Result<Option<Said<'a>>> {
        let (whom, named) =
            asking.rest.split_once(char::is_whitespace).unwrap_or((asking.rest, ""));
        let Some(name) = whom.strip_prefix('@').filter(|it| !it.is_empty()) else {
            return Ok(Some(only(Say::ChallengeWhom)));
        };
        let game = match Self::game_of(named.trim()) {
            Ok(game) => game,
            Err(said) => return Ok(Some(said)),
        };
        if *game.seats().end() > 2 {
            // A challenge is between two.
            return Ok(Some(only(Say::NoGame { asked: named.trim() })));
        }
        // In a group they see it for themselves.
        if asking.is_private() && !self.arena.is_name_known(name).await? {
            return Ok(Some(only(Say::NobodyKnown { name })));
        }
        self.open(asking, game, Some(name.to_owned())).await?;
        Ok(None)
    }

    /// Opens a card, which is the answer.
    async fn open(
        &self,
        asking: &Asking<'_>,
        game: Kind,
        invited: Option<String>,
    ) -> arena::Result<()> {
        let message = asking.message;
        let thread = message.thread.filter(|_| message.in_topic).map(|it| i64::from(it.0.0));
        let new = NewCard {
            game,
            place: CardPlace::Chat { chat: message.chat.id.0, thread },
            origin: format!("update {}", asking.update),
            language: asking.user.language,
            invited,
        };
        self.arena.open_card(asking.user.id, new).await.map(drop)
    }

    async fn queue<'a>(&self, asking: &Asking<'a>) -> arena::Result<Option<Said<'a>>> {
        let user = asking.user;
        // Without a game: where they stand already.
        let waits = match asking.rest {
            "" => self.arena.queue_of(user.id).await?.map(|it| it.0),
            _ => None,
        };
        let game = match waits.map_or_else(|| Self::game_of(asking.rest), Ok) {
            Ok(game) => game,
            Err(said) => return Ok(Some(said)),
        };
        let shared = !asking.is_private();
        let chat = shared.then(|| asking.message.chat.id.0.to_string());
        let plays = self.arena.live_match_of(user.id).await?.is_some();
        let (position, waiting) = match self.arena.queue_join(user.id, game, chat).await? {
            Queued::Waiting { position, waiting, .. } => (position, waiting),
            Queued::Matched(matched) => {
                // A match that was just found is told of by the outbox, to both alike.
                let told = !plays && self.arena.reach(user.id, Topic::Matched).await?.is_some();
                let lead = self.lead(asking, Label::Play, Place::Match(matched.match_id));
                return Ok((!told).then_some((Say::Matched { game: matched.game }, lead)));
            }
        };
        Ok(Some(only(Say::Waiting { game, position, waiting, shared })))
    }

    async fn leave<'a>(&self, user: &User) -> arena::Result<Said<'a>> {
        let queue = self.arena.queue_of(user.id).await?;
        if let Some((game, _)) = queue {
            self.arena.queue_leave(user.id, game).await?;
        }
        let cards = self.arena.leave_cards(user.id).await?;
        let room = self.arena.room_of(user.id).await?.map(|it| it.code);
        if let Some(code) = &room {
            self.arena.leave_room(user.id, code).await?;
        }
        Ok(only(Say::Left { queue: queue.is_some(), cards, room }))
    }

    pub(crate) async fn settings<'a>(&self, user: &User) -> arena::Result<Said<'a>> {
        let settings = self.arena.notice_settings(user.id).await?;
        let language = user.language;
        let toggle = |label, topic| {
            let press = Press::Toggle(topic).to_string();
            vec![InlineKeyboardButton::callback(words::label(label, language), press)]
        };
        let speak = |name: &str, language| {
            InlineKeyboardButton::callback(name, Press::Speak(language).to_string())
        };
        let toggles =
            Topic::ALL.map(|topic| toggle(Label::Topic(topic, settings.wants(topic)), topic));
        let mut buttons = toggles.to_vec();
        // Each language by its own name, for whoever reads only that.
        buttons.push(vec![speak("English", Language::En), speak("Русский", Language::Ru)]);
        let told = Topic::ALL.into_iter().filter(|&it| settings.wants(it)).collect();
        Ok((Say::Settings { told }, buttons))
    }
}

/// The chat whose updates are in order with this one.
pub(crate) fn lane(event: &Event) -> ChatId {
    let number = |it: &arena::TelegramUser| ChatId(it.id);
    match event {
        Event::Message(it) => it.chat.id,
        Event::CallbackQuery(it) => it.message.as_ref().map_or(number(&it.from), |it| it.chat.id),
        Event::InlineQuery(it) => number(&it.from),
        Event::ChosenInlineResult(it) => number(&it.from),
        Event::MyChatMember(it) => it.chat.id,
    }
}

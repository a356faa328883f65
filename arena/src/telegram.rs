//! What the arena knows of Telegram: which updates were taken, who is who, and which chats can be
//! written to.

use crate::{
    Arena, Carrier, Device, Language, Result, TelegramUser, User, UserId,
    cache::Change,
    carriers::SILENT_MAX,
    clock::millis,
    db::{on, on_both},
};

/// Telegram's longest user name.
const NAME_BYTES_MAX: usize = 32;

/// What people can be told of, each of which they can turn off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// An opponent was found.
    Matched,
    /// Somebody challenged them.
    Challenged,
    /// A match of theirs is over.
    Result,
    /// It is their turn, and they are away.
    YourTurn,
    /// Somebody wants to be friends with them.
    FriendRequest,
}

impl Topic {
    /// All, in the order in which they are listed.
    pub const ALL: [Topic; 5] =
        [Topic::Matched, Topic::Challenged, Topic::YourTurn, Topic::FriendRequest, Topic::Result];
}

/// What somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeSettings {
    /// That an opponent was found.
    pub matched: bool,
    /// That somebody challenged them.
    pub challenged: bool,
    /// How their matches ended.
    pub result: bool,
    /// That it is their turn while they are away.
    pub your_turn: bool,
    /// That somebody wants to be friends with them.
    pub friend_request: bool,
}

impl Default for NoticeSettings {
    /// What can be missed; a result is seen where one plays.
    fn default() -> NoticeSettings {
        let on = true;
        let (matched, challenged, your_turn, friend_request) = (on, on, on, on);
        NoticeSettings { matched, challenged, result: false, your_turn, friend_request }
    }
}

impl NoticeSettings {
    /// Whether they want to be told of this.
    pub fn wants(self, topic: Topic) -> bool {
        match topic {
            Topic::Matched => self.matched,
            Topic::Challenged => self.challenged,
            Topic::Result => self.result,
            Topic::YourTurn => self.your_turn,
            Topic::FriendRequest => self.friend_request,
        }
    }

    /// With this the other way round.
    #[must_use]
    pub fn toggled(mut self, topic: Topic) -> NoticeSettings {
        let setting = match topic {
            Topic::Matched => &mut self.matched,
            Topic::Challenged => &mut self.challenged,
            Topic::Result => &mut self.result,
            Topic::YourTurn => &mut self.your_turn,
            Topic::FriendRequest => &mut self.friend_request,
        };
        *setting = !*setting;
        self
    }
}

/// Where and how somebody is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Their private chat with the bot.
    pub chat: i64,
    /// What they read.
    pub language: Language,
}

impl Arena {
    /// Takes updates of Telegram, as JSON: answers which are new. Once this returns, Telegram may
    /// forget them.
    ///
    /// # Errors
    /// When the database does not answer: then none is taken.
    pub async fn take_updates(&self, by: Carrier, updates: &[(i64, String)]) -> Result<Vec<i64>> {
        let now = self.clock.now();
        let mut new = Vec::with_capacity(updates.len());
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            for (id, body) in updates {
                let taken = sqlx::query(
                    "insert into telegram_updates (update_id, body, taken_at, carrier)
                     values ($1, $2, $3, $4) on conflict (update_id) do nothing",
                )
                .bind(id)
                // PostgreSQL has no room for zero bytes in text, and JSON none for raw ones.
                .bind(body)
                .bind(now)
                .bind(by.0)
                .execute(&mut *tx)
                .await?;
                if taken.rows_affected() > 0 {
                    new.push(*id);
                }
            }
            tx.commit().await?;
        });
        Ok(new)
    }

    /// Takes the updates that carriers who are gone took and did not handle, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_updates_left(&self, by: Carrier) -> Result<Vec<(i64, String)>> {
        let silent = self.clock.now() - millis(SILENT_MAX);
        let mut left: Vec<(i64, String)> = on!(self.db, pool => {
            sqlx::query_as(
                "update telegram_updates set carrier = $1
                 where body <> '' and (carrier is null and taken_at <= $2 or carrier <> $1
                     and carrier not in (select id from carriers where seen_at > $2))
                 returning update_id, body",
            )
            .bind(by.0)
            .bind(silent)
            .fetch_all(pool)
            .await
        })?;
        left.sort_unstable();
        Ok(left)
    }

    /// An update was handled; what people wrote is forgotten.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_handled(&self, id: i64) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query("update telegram_updates set body = '' where update_id = $1")
                .bind(id)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// The account of somebody whom Telegram names in an update: the same that the Mini App signs
    /// them in to. The first time makes it.
    ///
    /// # Errors
    /// `banned` when they are shut out; when the database does not answer.
    pub async fn telegram_account(&self, person: &TelegramUser) -> Result<User> {
        let user = self.account_of(&person.proved(), &Device::default()).await?;
        self.check_good(user.id).await?;
        if let Some(name) = person.username.as_deref().filter(|it| it.len() <= NAME_BYTES_MAX) {
            let name = name.to_ascii_lowercase();
            on!(self.db, pool => {
                sqlx::query(
                    "insert into telegram_names (user_id, name, seen_at) values ($1, $2, $3)
                     on conflict (user_id) do update set name = excluded.name,
                         seen_at = excluded.seen_at
                     where telegram_names.name <> excluded.name",
                )
                .bind(user.id)
                .bind(name)
                .bind(self.clock.now())
                .execute(pool)
                .await
                .map(drop)
            })?;
        }
        Ok(user)
    }

    /// Whether a chat can be written to: `quiet` once Telegram refused it, and not any more once
    /// somebody there wrote to us.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_chat_quiet(&self, chat: i64, quiet: bool) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => match quiet {
            true => sqlx::query(
                "insert into telegram_quiet (chat_id, quiet_since) values ($1, $2)
                 on conflict (chat_id) do nothing",
            )
            .bind(chat)
            .bind(now)
            .execute(pool)
            .await
            .map(drop),
            false => sqlx::query("delete from telegram_quiet where chat_id = $1")
                .bind(chat)
                .execute(pool)
                .await
                .map(drop),
        })?;
        Ok(())
    }

    /// Whether nothing may be written to a chat.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_chat_quiet(&self, chat: i64) -> Result<bool> {
        let since: Option<i64> = on!(self.db, pool => {
            sqlx::query_scalar("select quiet_since from telegram_quiet where chat_id = $1")
                .bind(chat)
                .fetch_optional(pool)
                .await
        })?;
        Ok(since.is_some())
    }

    /// Somebody was seen in a group.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn seen_in_group(&self, user: UserId, chat: i64) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query(
                "insert into telegram_members (chat_id, user_id) values ($1, $2)
                 on conflict (chat_id, user_id) do nothing",
            )
            .bind(chat)
            .bind(user)
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// A group became a supergroup, with another number: its cards and its queue go along.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn chat_moved(&self, from: i64, to: i64) -> Result<()> {
        let telling = self.telling(Change::Chat(to));
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.move_chat(from, to).await?;
            tx.commit().await?;
        });
        telling.done().await;
        Ok(())
    }

    /// Where somebody is told of a topic; none when they came another way, want to hear nothing of
    /// it, or have blocked the bot.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reach(&self, user: UserId, topic: Topic) -> Result<Option<Reach>> {
        let wanted = self.notice_settings(user).await?.wants(topic);
        Ok(if wanted { self.chat_of(user).await? } else { None })
    }

    /// Where somebody is written to; none when they came another way or have blocked the bot.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn chat_of(&self, user: UserId) -> Result<Option<Reach>> {
        let Some((chat, language)) = self.telegram_of(user).await? else { return Ok(None) };
        let reach = Reach { chat, language };
        Ok((!self.is_chat_quiet(chat).await?).then_some(reach))
    }

    /// What somebody wants to be told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notice_settings(&self, user: UserId) -> Result<NoticeSettings> {
        let settings: Option<NoticeSettings> = on!(self.db, pool => {
            sqlx::query_as(
                "select matched, challenged, result, your_turn, friend_request
                 from notice_settings where user_id = $1",
            )
            .bind(user)
            .fetch_optional(pool)
            .await
        })?;
        Ok(settings.unwrap_or_default())
    }

    /// Sets what somebody wants to be told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_notice_settings(&self, user: UserId, to: NoticeSettings) -> Result<()> {
        on!(self.db, pool => {
            sqlx::query(
                "insert into notice_settings
                     (user_id, matched, challenged, result, your_turn, friend_request)
                 values ($1, $2, $3, $4, $5, $6) on conflict (user_id) do update set
                     matched = excluded.matched, challenged = excluded.challenged,
                     result = excluded.result, your_turn = excluded.your_turn,
                     friend_request = excluded.friend_request",
            )
            .bind(user)
            .bind(to.matched)
            .bind(to.challenged)
            .bind(to.result)
            .bind(to.your_turn)
            .bind(to.friend_request)
            .execute(pool)
            .await
            .map(drop)
        })?;
        Ok(())
    }

    /// Whether somebody is known by this user name in Telegram, who can be told of a challenge.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_name_known(&self, name: &str) -> Result<bool> {
        Ok(self.known_by_name(&name.to_ascii_lowercase()).await?.is_some())
    }

    /// Who was last seen with a user name in Telegram.
    pub(crate) async fn known_by_name(&self, name: &str) -> Result<Option<UserId>> {
        Ok(on!(self.db, pool => {
            sqlx::query_scalar(
                "select user_id from telegram_names where name = $1
                 order by seen_at desc, user_id limit 1",
            )
            .bind(name)
            .fetch_optional(pool)
            .await
        })?)
    }
}

/// Chats within a transaction, on either database.
trait ChatRows {
    /// See [`Arena::chat_moved`].
    async fn move_chat(&mut self, from: i64, to: i64) -> sqlx::Result<()>;
}

on_both! { impl ChatRows {
    async fn move_chat(&mut self, from: i64, to: i64) -> sqlx::Result<()> {
        // Messages of the old group can't be edited from the new one: cards are posted anew.
        sqlx::query("update cards set chat_id = $1, message_id = null where chat_id = $2")
            .bind(to)
            .bind(from)
            .execute(&mut *self)
            .await?;
        sqlx::query(
            "insert into telegram_members (chat_id, user_id)
             select cast($1 as bigint), user_id from telegram_members where chat_id = $2
             on conflict (chat_id, user_id) do nothing",
        )
        .bind(to)
        .bind(from)
        .execute(&mut *self)
        .await?;
        sqlx::query("update queue_entries set chat_id = $1 where chat_id = $2")
            .bind(to.to_string())
            .bind(from.to_string())
            .execute(&mut *self)
            .await?;
        Ok(())
    }
} }

//! Accounts: who there is, and the ways in.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Type};
use utoipa::ToSchema;

use crate::{
    Arena, Device, Error, FieldError, InitData, Moment, NotInitData, Options, Result, Session,
    UserId, Way, Why,
    audit::{AuditKind, AuditRows, Deed},
    cache::Change,
    clock::Clock,
    db::{Db, on},
    identities::Proved,
    init_data::TelegramUser,
    names::{self, NameRows},
    passwords::PASSWORD_CHARS_MAX,
    recovery::RecoveryRows,
};

const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 3..=20;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=PASSWORD_CHARS_MAX;
const EMAIL_BYTES_MAX: usize = 254;
const EMAIL_LOCAL_BYTES_MAX: usize = 64;
const PHOTO_URL_BYTES_MAX: usize = 512;
const LABEL_CHARS_MAX: usize = 64;

/// A person, as they see themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
pub struct User {
    /// Who.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub id: UserId,
    /// What they sign in with, unique; null for who came by Telegram.
    #[schema(example = "ann_b")]
    pub username: Option<String>,
    /// What others see.
    #[schema(example = "Ann")]
    pub display_name: String,
    /// Their picture.
    pub avatar_url: Option<String>,
    /// What they read.
    pub language: Language,
    /// What they may do.
    pub role: Role,
    /// Since when they are here.
    pub created_at: Moment,
}

impl User {
    /// What others see of them.
    pub fn public(&self) -> PublicUser {
        PublicUser {
            id: self.id,
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            avatar_url: self.avatar_url.clone(),
        }
    }
}

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub struct PublicUser {
    /// Who.
    #[schema(value_type = String, example = "4fQ9zKx02Lb")]
    pub id: UserId,
    /// Unique; null for who came by Telegram.
    #[schema(example = "ann_b")]
    pub username: Option<String>,
    /// What they are called.
    #[schema(example = "Ann")]
    pub display_name: String,
    /// Their picture.
    pub avatar_url: Option<String>,
}

/// The languages that Artel speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// The first one that we speak of those somebody prefers: one tag (`ru`, `pt-br`) or an
    /// `Accept-Language` header.
    pub fn preferred(tags: &str) -> Option<Language> {
        tags.split(',').find_map(|tag| {
            let tag = tag.trim();
            match tag.split(['-', '_', ';']).next().unwrap_or(tag).to_ascii_lowercase().as_str() {
                "en" => Some(Language::En),
                "ru" => Some(Language::Ru),
                _ => None,
            }
        })
    }
}

/// What somebody may do beyond playing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Role {
    /// Nothing beyond.
    Player,
    /// Keeps order.
    Moderator,
    /// Everything.
    Admin,
}

/// What somebody signs up with.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// 3 to 20 letters, digits and underscores, beginning with a letter. Capitals are kept, but
    /// make no difference.
    #[schema(min_length = 3, max_length = 20, pattern = "^[A-Za-z][A-Za-z0-9_]{2,19}$")]
    pub username: String,
    /// 8 to 128 characters of any kind.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub password: String,
    /// Another word to sign in with.
    #[schema(max_length = 254, format = "email")]
    pub email: Option<String>,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Player => "player",
            Role::Moderator => "moderator",
            Role::Admin => "admin",
        })
    }
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A way in to an account.
struct Identity<'a> {
    way: Way,
    subject: String,
    label: Option<&'a str>,
    secret: Option<&'a str>,
}

#[derive(sqlx::FromRow)]
struct Known {
    #[sqlx(flatten)]
    user: User,
    secret: Option<String>,
}

impl Arena {
    /// Makes an account with a password, and signs it in.
    ///
    /// # Errors
    /// When a value is wrong (with every wrong field), or when the name is another's. Whether the
    /// e-mail address is, is told to nobody: it is only said, until it is confirmed.
    pub async fn register(&self, new: NewAccount, device: &Device) -> Result<Session> {
        let NewAccount { username, password, email } = new;
        let email = email.map(|it| it.to_ascii_lowercase());
        let wrong = [
            wrong_username(&username)
                .map(|message| FieldError { field: "username".into(), message }),
            wrong_password(&password)
                .map(|message| FieldError { field: "password".into(), message }),
            email
                .as_deref()
                .and_then(wrong_email)
                .map(|message| FieldError { field: "email".into(), message }),
        ];
        let wrong: Vec<_> = wrong.into_iter().flatten().collect();
        if !wrong.is_empty() {
            return Err(Error::invalid_fields(wrong));
        }
        // Asked before the costly hashing, and again if somebody was faster.
        self.refuse_taken(&username).await?;
        let secret = self.hashing.hash(password).await?;

        let language = device.language.as_deref().and_then(Language::preferred);
        let user = User {
            id: UserId::random(),
            display_name: username.clone(),
            username: Some(username.clone()),
            avatar_url: None,
            language: language.unwrap_or_default(),
            role: Role::Player,
            created_at: Moment(self.clock.now()),
        };
        let subject = user.id.to_string();
        let identity = Identity { way: Way::Password, subject, label: None, secret: Some(&secret) };
        match self.insert_account(&user, email.as_deref(), identity, device).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                self.refuse_taken(&username).await?;
                return Err(sqlx::Error::Database(error).into());
            }
            made => made?,
        };
        tracing::info!(user.id = %user.id, "Account {} was made with a password", user.id);
        self.begin_session(user, device).await
    }

    async fn refuse_taken(&self, username: &str) -> Result<()> {
        let key = username.to_ascii_lowercase();
        let taken: i64 = on!(self.db, pool => {
            sqlx::query_scalar("select count(*) from users where username_key = $1")
                .bind(key)
                .fetch_one(pool)
                .await
        })?;
        match taken {
            0 if self.is_username_free(username).await? => Ok(()),
            0 => Err(Error::conflict(
                "username_taken",
                "somebody has a username that looks like this one: choose another",
            )),
            _ => Err(Error::conflict(
                "username_taken",
                "somebody has this username already: choose another",
            )),
        }
    }

    /// Makes an account with its first way in, both or neither. False when the way in leads to an
    /// account already.
    async fn insert_account(
        &self,
        user: &User,
        email: Option<&str>,
        identity: Identity<'_>,
        device: &Device,
    ) -> Result<bool, sqlx::Error> {
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            sqlx::query(
                "insert into users (id, username, username_key, display_name, avatar_url, \
                 language, role, created_at, updated_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            )
            .bind(user.id)
            .bind(&user.username)
            .bind(user.username.as_ref().map(|it| it.to_ascii_lowercase()))
            .bind(&user.display_name)
            .bind(&user.avatar_url)
            .bind(user.language)
            .bind(user.role)
            .bind(user.created_at)
            .execute(&mut *tx)
            .await?;
            // Waits for another who is just making the same one, and then does nothing.
            let made = sqlx::query(
                "insert into identities \
                 (provider, subject, user_id, label, secret, created_at, used_at) \
                 values ($1, $2, $3, $4, $5, $6, $6) on conflict (provider, subject) do nothing",
            )
            .bind(identity.way)
            .bind(identity.subject)
            .bind(user.id)
            .bind(identity.label)
            .bind(identity.secret)
            .bind(user.created_at)
            .execute(&mut *tx)
            .await?;
            if made.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(false);
            }
            if email.is_some() {
                tx.claim_email(user.id, email, user.created_at.0).await?;
            }
            tx.keep_looks(user.id, user.username.as_deref(), &user.display_name).await?;
            let deed = Deed::of(AuditKind::SignUp, user.id, device.address);
            tx.note(user.created_at.0, &Deed { detail: identity.way.name(), ..deed }).await?;
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Signs in with a username or an e-mail address, and a password.
    ///
    /// # Errors
    /// When there is no such account or the password is not its: the answer and how long it takes
    /// are the same.
    pub async fn login(&self, login: &str, password: &str, device: &Device) -> Result<Session> {
        let user = match self.check_password(login, password).await {
            Ok(user) => user,
            Err(error) => {
                self.note_failed_sign_in(device.address).await?;
                return Err(error);
            }
        };
        self.came_by(Way::Password, &user.id.to_string()).await?;
        self.begin_session(user, device).await
    }

    /// The account with this name or address and this password.
    pub(crate) async fn check_password(&self, login: &str, password: &str) -> Result<User> {
        let wrong = || {
            Error::unauthenticated(
                "wrong_login",
                "no account has this username or e-mail address and this password",
            )
        };
        // Nobody's is so long, so nothing is told by a quick answer.
        if login.len() > EMAIL_BYTES_MAX || password.chars().count() > PASSWORD_CHARS_MAX {
            return Err(wrong());
        }
        // PostgreSQL refuses zero bytes in text. No username has an @, every e-mail address has.
        let login = login.replace('\0', " ").to_ascii_lowercase();
        if !login.contains('@') {
            let known = self.known_by_password("u.username_key = $1", &login).await?;
            return self.verify(known, password).await?.ok_or_else(wrong);
        }
        // Whoever has confirmed the address, and whoever said last that it is theirs. Both are
        // always looked at, so that nobody learns from an answer, or its time, whether an address
        // that they say is theirs is known already.
        let confirmed = self.known_by_password("u.email = $1", &login).await?;
        let claimed = self.known_by_password(
            "u.id = (select user_id from email_claims where email = $1 \
             order by claimed_at desc, user_id limit 1)",
            &login,
        );
        let claimed = claimed.await?;
        let confirmed = self.verify(confirmed, password).await?;
        let claimed = self.verify(claimed, password).await?;
        confirmed.or(claimed).ok_or_else(wrong)
    }

    async fn verify(&self, known: Option<Known>, password: &str) -> Result<Option<User>> {
        let (user, secret) = match known {
            Some(Known { user, secret }) => (Some(user), secret),
            None => (None, None),
        };
        let right = self.hashing.verify(password.to_owned(), secret).await?;
        Ok(user.filter(|_| right))
    }

    async fn known_by_password(&self, by: &'static str, login: &str) -> Result<Option<Known>> {
        let text = format!(
            "select u.id, u.username, u.display_name, u.avatar_url, u.language, u.role, \
             u.created_at, i.secret \
             from users u join identities i on i.user_id = u.id and i.provider = 'password' \
             where {by}"
        );
        // OK because `by` is written above, and what people wrote is bound.
        let text = AssertSqlSafe(text);
        let known = on!(self.db, pool => sqlx::query_as(text)
            .bind(login)
            .fetch_optional(pool)
            .await)?;
        Ok(known)
    }

    /// Gives somebody a role: for the operator, who has the database anyway.
    ///
    /// # Errors
    /// When the database can't be opened, or nobody has this username.
    pub async fn grant(options: &Options, username: &str, role: Role) -> anyhow::Result<()> {
        let db = Db::open(&options.database_url).await?;
        db.migrate().await?;
        let now = Clock::System.now();
        let granted: Option<UserId> = on!(db, pool => {
            let mut tx = pool.begin_with(db.begin()).await?;
            let whom = sqlx::query_scalar(
                "update users set role = $1, updated_at = $2 where username_key = $3 returning id",
            )
            .bind(role)
            .bind(now)
            .bind(username.to_ascii_lowercase())
            .fetch_optional(&mut *tx)
            .await?;
            let kind = AuditKind::RoleChanged;
            let detail = match role {
                Role::Player => "to player, by the operator",
                Role::Moderator => "to moderator, by the operator",
                Role::Admin => "to admin, by the operator",
            };
            let (by, address) = (None, None);
            if whom.is_some() {
                tx.note(now, &Deed { kind, by, about: whom, address, detail }).await?;
            }
            tx.commit().await?;
            whom
        });
        db.close().await;
        anyhow::ensure!(granted.is_some(), "nobody has the username {username}");
        Ok(())
    }

    /// Whether people can sign in by Telegram.
    pub fn has_telegram(&self) -> bool {
        self.options.telegram_token.is_some()
    }

    /// Learns from the bot how links lead into the Mini App: with `=` and a start parameter after
    /// this.
    pub fn set_app_link(&self, link: &str) {
        // A bot that starts again says the same again.
        let _ = self.app_link.set(link.to_owned());
    }

    /// How links lead into the Mini App, where they do and once the bot has said so.
    pub fn app_link(&self) -> Option<&str> {
        self.app_link.get().map(String::as_str)
    }

    /// Signs in with what Telegram told the Mini App. The first time makes the account.
    ///
    /// # Errors
    /// When the init data is not Telegram's for our bot, is too old, or names nobody; and when this
    /// server has no bot.
    pub async fn telegram_sign_in(&self, init_data: &str, device: &Device) -> Result<Session> {
        let person = self.telegram_person(init_data)?;
        let proved = person.proved();
        let user = self.account_of(&proved, device).await?;
        let avatar_url = proved.picture.as_deref().filter(|it| good_photo(it));
        let user = self.with_avatar(user, avatar_url).await?;
        self.came_by(Way::Telegram, &proved.subject).await?;
        self.begin_session(user, device).await
    }

    /// The account that an identity leads to; the first time makes it. What their device reads
    /// counts when the other side does not say.
    pub(crate) async fn account_of(&self, proved: &Proved, device: &Device) -> Result<User> {
        if let Some(user) = self.known_by(proved).await? {
            return Ok(user);
        }

        let avatar_url = proved.picture.as_deref().filter(|it| good_photo(it));
        let tags = [proved.language.as_deref(), device.language.as_deref()];
        let user = User {
            id: UserId::random(),
            username: None,
            display_name: self
                .told_display_name(proved.name.as_deref().unwrap_or_default())
                .await?,
            avatar_url: avatar_url.map(str::to_owned),
            language: tags.into_iter().flatten().find_map(Language::preferred).unwrap_or_default(),
            role: Role::Player,
            created_at: Moment(self.clock.now()),
        };
        let (way, subject, label) = (proved.way, proved.subject.clone(), proved.label.as_deref());
        let identity = Identity { way, subject, label, secret: None };
        if self.insert_account(&user, None, identity, device).await? {
            tracing::info!(user.id = %user.id, "Account {} was made by {}", user.id, way.name());
            return Ok(user);
        }
        // Another tab was faster.
        let known = self.known_by(proved).await?;
        Ok(known.ok_or_else(|| anyhow::anyhow!("an account was there and is not"))?)
    }

    pub(crate) fn telegram_person(&self, init_data: &str) -> Result<TelegramUser> {
        let Some(token) = &self.options.telegram_token else {
            return Err(Error::refused(
                Why::NotFound,
                "telegram_off",
                "this server has no Telegram bot: sign in another way",
            ));
        };
        let (max_age, max_ahead) =
            (self.options.init_data_max_age, self.options.init_data_max_ahead);
        let checked =
            InitData::check(init_data, token.expose(), self.clock.now(), max_age, max_ahead);
        let person = checked.and_then(|it| it.user.ok_or(NotInitData::Malformed));
        person.map_err(|reason| match reason {
            NotInitData::Expired => Error::unauthenticated(
                "initdata_expired",
                "Telegram's word on who you are is too old: close the app and open it again",
            ),
            // One answer for all: who forges should not learn how far they came.
            NotInitData::Malformed | NotInitData::Forged | NotInitData::Ahead => {
                tracing::debug!("Refused init data: {reason}");
                Error::unauthenticated(
                    "initdata_invalid",
                    "this is not Telegram's word on who you are: open the app from Telegram again",
                )
            }
        })
    }

    async fn known_by(&self, proved: &Proved) -> Result<Option<User>> {
        let user = on!(self.db, pool => sqlx::query_as(
            "select u.id, u.username, u.display_name, u.avatar_url, u.language, u.role, \
             u.created_at \
             from users u join identities i on i.user_id = u.id \
             where i.provider = $1 and i.subject = $2",
        )
        .bind(proved.way)
        .bind(&proved.subject)
        .fetch_optional(pool)
        .await)?;
        Ok(user)
    }

    async fn with_avatar(&self, user: User, avatar_url: Option<&str>) -> Result<User> {
        if user.avatar_url.as_deref() == avatar_url {
            return Ok(user);
        }
        let telling = self.telling(Change::People(vec![user.id]));
        on!(self.db, pool => {
            sqlx::query("update users set avatar_url = $1, updated_at = $2 where id = $3")
                .bind(avatar_url)
                .bind(self.clock.now())
                .bind(user.id)
                .execute(pool)
                .await
                .map(drop)
        })?;
        telling.done().await;
        Ok(User { avatar_url: avatar_url.map(str::to_owned), ..user })
    }

    /// An account.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let user = on!(self.db, pool => sqlx::query_as(
            "select id, username, display_name, avatar_url, language, role, created_at \
             from users where id = $1",
        )
        .bind(id)
        .fetch_optional(pool)
        .await)?;
        Ok(user)
    }

    /// Changes what is given and leaves the rest.
    ///
    /// # Errors
    /// When the name is empty, too long or kept for staff; `name_taken` when it looks like somebody
    /// else's; when there is no such account.
    pub async fn update_me(
        &self,
        by: UserId,
        language: Option<Language>,
        display_name: Option<String>,
    ) -> Result<User> {
        let display_name = match display_name {
            Some(asked) => {
                let user = self.user(by).await?.ok_or_else(no_account)?;
                Some(self.free_display_name(&user, &asked).await?)
            }
            None => None,
        };
        let telling = display_name.is_some().then(|| self.telling(Change::People(vec![by])));
        let user: Option<User> = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            let user = sqlx::query_as(
                "update users set language = coalesce($1, language), \
                 display_name = coalesce($2, display_name), updated_at = $3 where id = $4 \
                 returning id, username, display_name, avatar_url, language, role, created_at",
            )
            .bind(language)
            .bind(&display_name)
            .bind(self.clock.now())
            .bind(by)
            .fetch_optional(&mut *tx)
            .await?;
            if let (Some(_), Some(name)) = (&user, &display_name) {
                tx.keep_display_look(by, name).await?;
            }
            tx.commit().await?;
            user
        });
        if let Some(telling) = telling {
            telling.done().await;
        }
        user.ok_or_else(no_account)
    }
}

fn no_account() -> Error {
    Error::not_found("there is no such account")
}

pub(crate) fn wrong_username(username: &str) -> Option<String> {
    let good = USERNAME_CHARS.contains(&username.len())
        && username.starts_with(|it: char| it.is_ascii_alphabetic())
        && username.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if !good {
        return Some(
            "3 to 20 Latin letters, digits and underscores, beginning with a letter".to_owned(),
        );
    }
    names::poses_as_staff(username)
        .then(|| "this name is kept for those who run the arena: choose another".to_owned())
}

pub(crate) fn wrong_password(password: &str) -> Option<String> {
    (!PASSWORD_CHARS.contains(&password.chars().count()))
        .then(|| "8 to 128 characters, of any kind".to_owned())
}

/// By the rule that browsers use for `<input type=email>`, and with a dot in the domain.
pub(crate) fn wrong_email(email: &str) -> Option<String> {
    let good = email.split_once('@').is_some_and(|(local, domain)| {
        let letter = |it: u8| it.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&it);
        let label = |it: &str| {
            (1..=63).contains(&it.len())
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
                && !it.starts_with('-')
                && !it.ends_with('-')
        };
        (1..=EMAIL_LOCAL_BYTES_MAX).contains(&local.len())
            && local.bytes().all(letter)
            && domain.contains('.')
            && domain.split('.').all(label)
    });
    (!good || email.len() > EMAIL_BYTES_MAX)
        .then(|| "not an e-mail address; one looks like ann@example.org".to_owned())
}

impl TelegramUser {
    /// As an identity that Telegram vouches for.
    pub(crate) fn proved(&self) -> Proved {
        let last_name = self.last_name.as_deref().unwrap_or_default();
        let name = format!("{} {last_name}", self.first_name);
        let label = match self.username.as_deref() {
            Some(username) if !username.is_empty() => format!("@{username}"),
            _ => names::clean(&name),
        };
        Proved {
            way: Way::Telegram,
            subject: self.id.to_string(),
            label: Some(label.chars().take(LABEL_CHARS_MAX).collect()),
            name: Some(name),
            picture: self.photo_url.clone(),
            language: self.language_code.clone(),
        }
    }
}

fn good_photo(address: &str) -> bool {
    address.len() <= PHOTO_URL_BYTES_MAX
        && url::Url::parse(address).is_ok_and(|it| it.scheme() == "https" && it.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["ann", "Ann_B", "a23", "abcdefghijklmnopqrst"] {
            assert_eq!(wrong_username(good), None, "{good}");
        }
        let long = "a".repeat(21);
        for bad in ["", "an", "1ann", "_ann", "ann b", "ann-b", "анна", "ann\0", "añn", &long]
        {
            assert!(wrong_username(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn emails() {
        for good in ["ann@example.org", "a.b+c@mail.example.co.uk", "x@a.b"] {
            assert_eq!(wrong_email(good), None, "{good}");
        }
        let (local, all) = ("a".repeat(65), "a.".repeat(125));
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@example",
            "ann@@example.org",
            "a@b@c.d",
            "ann b@example.org",
            "ann@exa mple.org",
            "ann@.org",
            "ann@example.",
            "ann@-a.org",
            "ann@example.org\n",
            &format!("{local}@example.org"),
            &format!("ann@{all}org"),
        ] {
            assert!(wrong_email(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert_eq!(wrong_password("пароль12"), None);
        assert_eq!(wrong_password(&"🎱".repeat(128)), None);
        assert!(wrong_password("пароль1").is_some());
        assert!(wrong_password(&"a".repeat(129)).is_some());
    }

    #[test]
    fn languages() {
        assert_eq!(Language::preferred("ru-RU,ru;q=0.9,en;q=0.8"), Some(Language::Ru));
        assert_eq!(Language::preferred("de, en-GB;q=0.7, ru;q=0.3"), Some(Language::En));
        assert_eq!(Language::preferred("RU"), Some(Language::Ru));
        assert_eq!(Language::preferred("rut"), None);
        assert_eq!(Language::preferred(""), None);
    }
}

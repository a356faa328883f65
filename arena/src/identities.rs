//! The ways in to an account: which there are, joining another, and giving one up.
//!
//! An identity is a way in and who somebody is there: (google, Google's `sub`). It leads to one
//! account, and an account has at most one of each way. Who shows a new one while signed in joins
//! it to their account; if it leads to another already, both are theirs, and they are offered to
//! merge them ([`merging`](crate::merging)). That two accounts say the same e-mail address shows
//! nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, MergeId, MergeOffer, Millis, Moment, Principal, Result, SessionId, UserId,
    audit::{AuditKind, AuditRows, Deed},
    clock::millis,
    db::{Turns, on, on_both},
    merging::OFFER_LIFE,
};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Way {
    /// A name and a password.
    Password,
    /// A Telegram account, from the Mini App or on the web.
    Telegram,
    /// A Google account.
    Google,
}

impl Way {
    /// All there are.
    pub const ALL: [Way; 3] = [Way::Password, Way::Telegram, Way::Google];

    /// As addresses and the database say it.
    pub fn name(self) -> &'static str {
        match self {
            Way::Password => "password",
            Way::Telegram => "telegram",
            Way::Google => "google",
        }
    }
}

impl std::str::FromStr for Way {
    type Err = ();

    fn from_str(text: &str) -> Result<Way, ()> {
        Way::ALL.into_iter().find(|it| it.name() == text).ok_or(())
    }
}

/// An identity that somebody has just shown to be theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proved {
    pub(crate) way: Way,
    /// Who they are there.
    pub(crate) subject: String,
    /// What they know it by.
    pub(crate) label: Option<String>,
    /// What they are called there.
    pub(crate) name: Option<String>,
    /// The address of their picture.
    pub(crate) picture: Option<String>,
    /// What they read, as a language tag.
    pub(crate) language: Option<String>,
}

/// What came of joining an identity to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linking {
    /// It leads to this account from now on, or did so already.
    Linked,
    /// It leads to another account: the two can be merged.
    Offered(MergeId),
}

/// How somebody signs in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MyWays {
    /// The name to sign in with; null where there is none yet.
    #[schema(example = "ann_b")]
    pub username: Option<String>,
    /// At least one.
    pub ways: Vec<MyWay>,
    /// The e-mail address to sign in with.
    pub email: Option<MyEmail>,
    /// Another account that was shown to be mine just now: the two can be merged.
    pub offer: Option<MergeOffer>,
}

/// One way in.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct MyWay {
    /// Which.
    #[sqlx(rename = "provider")]
    pub way: Way,
    /// What I know it by, such as an address at Google.
    #[schema(example = "ann@example.org")]
    pub label: Option<String>,
    /// Since when it leads here.
    #[sqlx(rename = "created_at")]
    pub since: Moment,
    /// When I last came this way.
    pub used_at: Option<Moment>,
}

/// An e-mail address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MyEmail {
    /// The address.
    #[schema(example = "ann@example.org")]
    pub address: String,
    /// Whether a letter that was sent there was answered.
    pub confirmed: bool,
}

impl Arena {
    /// How somebody signs in.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn my_ways(&self, by: &Principal) -> Result<MyWays> {
        let user = self.user(by.user_id).await?;
        let user = user.ok_or_else(|| Error::not_found("your account is gone"))?;
        let ways = on!(self.db, pool => sqlx::query_as(
            "select provider, label, created_at, used_at from identities where user_id = $1 \
             order by created_at, provider",
        )
        .bind(user.id)
        .fetch_all(pool)
        .await)?;
        let (email, offer) = (self.my_email(user.id).await?, self.merge_offer(by).await?);
        Ok(MyWays { username: user.username, ways, email, offer })
    }

    /// Joins the Telegram account that `init_data` vouches for to the account of `by`.
    ///
    /// # Errors
    /// As signing in with it; and as joining any other.
    pub async fn link_by_init_data(&self, by: &Principal, init_data: &str) -> Result<Linking> {
        let proved = self.telegram_person(init_data)?.proved();
        self.link(by, &proved).await
    }

    /// Shows that the account with this name and password is also that of `by`.
    ///
    /// # Errors
    /// `wrong_login`; `same_account` when it is the one that is signed in.
    pub async fn link_password(
        &self,
        by: &Principal,
        login: &str,
        password: &str,
    ) -> Result<Linking> {
        let other = match self.check_password(login, password).await {
            Ok(other) => other,
            Err(error) => {
                self.note_failed_sign_in(by.address).await?;
                return Err(error);
            }
        };
        if other.id == by.user_id {
            return Err(Error::conflict(
                "same_account",
                "this is the account you are signed in to",
            ));
        }
        let (subject, label) = (other.id.to_string(), other.username);
        let (name, picture, language) = (None, None, None);
        let proved = Proved { way: Way::Password, subject, label, name, picture, language };
        self.link(by, &proved).await
    }

    /// Joins an identity to the account of `by`, or offers to merge it with that which it leads to.
    ///
    /// # Errors
    /// `already_linked` when the account has another of this way; `identity_taken` when somebody
    /// was faster.
    pub(crate) async fn link(&self, by: &Principal, proved: &Proved) -> Result<Linking> {
        let (now, user) = (self.clock.now(), by.user_id);
        if self.ended.contains(by.session_id) {
            return Err(Error::unauthenticated("session_ended", "you are not signed in any more"));
        }
        let linking = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[user]).await?;
            let linking = match tx.owner(proved).await? {
                Some(owner) if owner == user => {
                    tx.way_used(proved, now).await?;
                    Linking::Linked
                }
                Some(other) => {
                    let offer = MergeId::random();
                    tx.offer(offer, user, by.session_id, other, proved, now).await?;
                    Linking::Offered(offer)
                }
                None if tx.has_way(user, proved.way).await? => {
                    return Err(Error::conflict(
                        "already_linked",
                        "your account has another of this kind: unlink that one first",
                    ));
                }
                None if !tx.join(user, proved, now).await? => {
                    return Err(Error::conflict(
                        "identity_taken",
                        "this was joined to another account just now",
                    ));
                }
                None => {
                    let deed = Deed::of(AuditKind::Linked, user, by.address);
                    tx.note(now, &Deed { detail: proved.way.name(), ..deed }).await?;
                    Linking::Linked
                }
            };
            tx.commit().await?;
            linking
        });
        let way = proved.way.name();
        tracing::info!(user.id = %user, way, "Account {user} was shown to be {way}'s: {linking:?}");
        Ok(linking)
    }

    /// Gives up a way in.
    ///
    /// # Errors
    /// Not found; `last_way_in`, since nobody could come in any more.
    pub async fn unlink(&self, by: &Principal, way: Way) -> Result<()> {
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            // Of two at once, the second sees that the first has left one.
            tx.take_turns(&[by.user_id]).await?;
            let gone = sqlx::query("delete from identities where user_id = $1 and provider = $2")
                .bind(by.user_id)
                .bind(way)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if gone == 0 {
                return Err(Error::not_found("your account has no such way in"));
            }
            let left: i64 = sqlx::query_scalar("select count(*) from identities where user_id = $1")
                .bind(by.user_id)
                .fetch_one(&mut *tx)
                .await?;
            if left == 0 {
                return Err(Error::conflict(
                    "last_way_in",
                    "this is your only way in: add another first",
                ));
            }
            let deed = Deed::of(AuditKind::Unlinked, by.user_id, by.address);
            tx.note(self.clock.now(), &Deed { detail: way.name(), ..deed }).await?;
            tx.commit().await?;
        });
        tracing::info!(user.id = %by.user_id, way = way.name(), "A way in was given up");
        Ok(())
    }

    /// Somebody came in this way.
    pub(crate) async fn came_by(&self, way: Way, subject: &str) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => sqlx::query(
            "update identities set used_at = $1 where provider = $2 and subject = $3",
        )
        .bind(now)
        .bind(way)
        .bind(subject)
        .execute(pool)
        .await
        .map(drop))?;
        Ok(())
    }
}

/// Identities within a transaction, on either database.
pub(crate) trait IdentityRows {
    /// The account that an identity leads to.
    async fn owner(&mut self, proved: &Proved) -> sqlx::Result<Option<UserId>>;

    /// Whether an account has a way in of this kind.
    async fn has_way(&mut self, user: UserId, way: Way) -> sqlx::Result<bool>;

    /// Makes an identity lead to an account; false when it leads to one already.
    async fn join(&mut self, user: UserId, proved: &Proved, now: Millis) -> sqlx::Result<bool>;

    /// An identity was shown again.
    async fn way_used(&mut self, proved: &Proved, now: Millis) -> sqlx::Result<()>;

    /// Offers to merge two accounts; an earlier offer to the same sign-in is gone.
    async fn offer(
        &mut self,
        id: MergeId,
        user: UserId,
        session: SessionId,
        other: UserId,
        proved: &Proved,
        now: Millis,
    ) -> sqlx::Result<()>;
}

on_both! { impl IdentityRows {
    async fn owner(&mut self, proved: &Proved) -> sqlx::Result<Option<UserId>> {
        sqlx::query_scalar("select user_id from identities where provider = $1 and subject = $2")
            .bind(proved.way)
            .bind(&proved.subject)
            .fetch_optional(self)
            .await
    }

    async fn has_way(&mut self, user: UserId, way: Way) -> sqlx::Result<bool> {
        let found: i64 = sqlx::query_scalar(
            "select count(*) from identities where user_id = $1 and provider = $2",
        )
        .bind(user)
        .bind(way)
        .fetch_one(self)
        .await?;
        Ok(found > 0)
    }

    async fn join(&mut self, user: UserId, proved: &Proved, now: Millis) -> sqlx::Result<bool> {
        // Waits for another who is just joining the same one, and then does nothing.
        let joined = sqlx::query(
            "insert into identities (provider, subject, user_id, label, created_at, used_at) \
             values ($1, $2, $3, $4, $5, $5) on conflict (provider, subject) do nothing",
        )
        .bind(proved.way)
        .bind(&proved.subject)
        .bind(user)
        .bind(&proved.label)
        .bind(now)
        .execute(self)
        .await?;
        Ok(joined.rows_affected() > 0)
    }

    async fn way_used(&mut self, proved: &Proved, now: Millis) -> sqlx::Result<()> {
        sqlx::query(
            "update identities set used_at = $1, label = coalesce($2, label) \
             where provider = $3 and subject = $4",
        )
        .bind(now)
        .bind(&proved.label)
        .bind(proved.way)
        .bind(&proved.subject)
        .execute(self)
        .await
        .map(drop)
    }

    async fn offer(
        &mut self,
        id: MergeId,
        user: UserId,
        session: SessionId,
        other: UserId,
        proved: &Proved,
        now: Millis,
    ) -> sqlx::Result<()> {
        sqlx::query("delete from merge_offers where session_id = $1")
            .bind(session)
            .execute(&mut *self)
            .await?;
        sqlx::query(
            "insert into merge_offers \
             (id, user_id, session_id, other_id, provider, subject, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(user)
        .bind(session)
        .bind(other)
        .bind(proved.way)
        .bind(&proved.subject)
        .bind(now + millis(OFFER_LIFE))
        .execute(self)
        .await
        .map(drop)
    }
} }

//! Friends: asking, answering, parting, and inviting them to a room.

use games::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Arena, Error, MatchId, Moment, PublicUser, Result, UserId, Why, computers,
    db::{Turns, on},
    lobby::LobbyMessage,
    outbox::{Notice, OutboxRows},
    people::{Presence, Shun, ShunRows, friend_rows::FriendRows},
};

/// How many friends somebody may have.
const FRIENDS_MAX: i64 = 500;
/// How many somebody may ask who have not answered yet.
const ASKED_MAX: i64 = 50;
/// How many may have asked somebody who has not answered yet.
const ASKING_MAX: i64 = 200;

/// Somebody's friends, and who may become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Friends {
    /// By name.
    pub friends: Vec<Friend>,
    /// Who asks, the latest first.
    pub incoming: Vec<FriendRequest>,
    /// Who was asked, the latest first.
    pub outgoing: Vec<FriendRequest>,
}

/// A friend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Friend {
    /// Who.
    pub user: PublicUser,
    /// Since when.
    pub since: Moment,
    /// Where they are.
    pub presence: Presence,
}

/// A question that was not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FriendRequest {
    /// Who asks, or was asked.
    pub user: PublicUser,
    /// When.
    pub at: Moment,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// They will answer, or not.
    Requested,
    /// They had asked too: you are friends.
    Friends,
}

/// Something that somebody is told on whatever page they look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notification {
    /// Somebody wants to be your friend.
    FriendRequest {
        /// Who.
        user: PublicUser,
    },
    /// Somebody is your friend now.
    Friend {
        /// Who.
        user: PublicUser,
    },
    /// A friend invites you to a room.
    Invitation(Invitation),
}

/// An invitation to a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// By whom.
    pub user: PublicUser,
    /// The room's code.
    #[schema(example = "KWBTRM")]
    pub room: String,
    /// What is played there.
    #[schema(value_type = String, example = "pong")]
    pub game: Kind,
}

#[derive(sqlx::FromRow)]
struct FriendRow {
    #[sqlx(flatten)]
    user: PublicUser,
    since: Moment,
    match_id: Option<MatchId>,
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    #[sqlx(flatten)]
    user: PublicUser,
    at: Moment,
}

impl Arena {
    /// Somebody's friends, and who may become one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn friends(&self, by: UserId) -> Result<Friends> {
        let friends: Vec<FriendRow> = on!(self.db, pool => {
            sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, f.since, p.match_id
                 from friends f join users u on u.id = f.friend_id
                 left join playing p on p.user_id = u.id
                 where f.user_id = $1 order by lower(u.display_name), u.id limit $2",
            )
            .bind(by)
            .bind(FRIENDS_MAX)
            .fetch_all(pool)
            .await
        })?;
        let [incoming, outgoing]: [Vec<RequestRow>; 2] = on!(self.db, pool => {
            let incoming = sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, r.created_at as at
                 from friend_requests r join users u on u.id = r.from_id
                 where r.to_id = $1 and r.hidden = false
                 order by r.created_at desc, u.id limit $2",
            );
            let outgoing = sqlx::query_as(
                "select u.id, u.username, u.display_name, u.avatar_url, r.created_at as at
                 from friend_requests r join users u on u.id = r.to_id
                 where r.from_id = $1 order by r.created_at desc, u.id limit $2",
            );
            [
                incoming.bind(by).bind(ASKING_MAX).fetch_all(pool).await?,
                outgoing.bind(by).bind(ASKED_MAX).fetch_all(pool).await?,
            ]
        });
        let people: Vec<_> = friends.iter().map(|it| (it.user.id, it.match_id)).collect();
        let presences = self.presence_of(&people).await.into_iter().map(|it| it.1);
        let friends = friends
            .into_iter()
            .zip(presences)
            .map(|(FriendRow { user, since, .. }, presence)| Friend { user, since, presence });
        let requests = |rows: Vec<RequestRow>| {
            rows.into_iter().map(|RequestRow { user, at }| FriendRequest { user, at }).collect()
        };
        Ok(Friends {
            friends: friends.collect(),
            incoming: requests(incoming),
            outgoing: requests(outgoing),
        })
    }

    /// Who has a username.
    ///
    /// # Errors
    /// When nobody has.
    pub async fn user_named(&self, username: &str) -> Result<UserId> {
        let key = username.trim().trim_start_matches('@').replace('\0', " ").to_ascii_lowercase();
        let found = on!(self.db, pool => {
            sqlx::query_scalar("select id from users where username_key = $1")
                .bind(key)
                .fetch_optional(pool)
                .await
        })?;
        found.ok_or_else(|| Error::not_found("nobody has this name"))
    }

    /// Asks somebody to be a friend. When they have asked too, they are friends from now on.
    ///
    /// Somebody who is blocked by whom they ask learns nothing of it.
    ///
    /// # Errors
    /// When there is no such person; `yourself`, `already_friends`, `already_requested`,
    /// `you_block_them`; `too_many_friends`, `too_many_requests_open`.
    pub async fn ask_friend(&self, by: UserId, whom: UserId) -> Result<Ask> {
        if by == whom {
            return Err(Error::conflict("yourself", "that is you"));
        }
        let asker = self.public_user(by).await?;
        let nobody = || Error::not_found("there is no such account");
        let asked = self.user(whom).await?.filter(|it| computers::level(it.id).is_none());
        let asked = asked.ok_or_else(nobody)?.public();
        let now = self.clock.now();
        // Whoever has a page open is told there.
        let in_telegram = self.has_telegram() && !self.present(&[whom]).await.contains(&whom);
        let (answer, hidden) = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, whom]).await?;
            if tx.are_friends(by, whom).await? {
                return Err(Error::conflict("already_friends", "you are friends already"));
            }
            if tx.request(by, whom).await?.is_some() {
                return Err(Error::conflict("already_requested", "you have asked them already"));
            }
            if tx.shun_of(by, whom).await? == Some(Shun::Block) {
                let detail = "you have blocked them: let them back first";
                return Err(Error::conflict("you_block_them", detail));
            }
            let hidden = tx.shun_of(whom, by).await? == Some(Shun::Block);
            let answer = match tx.request(whom, by).await? {
                Some(false) => {
                    no_more_than(tx.friend_count(by).await?)?;
                    no_more_than(tx.friend_count(whom).await?)?;
                    tx.make_friends(by, whom, now).await?;
                    Ask::Friends
                }
                Some(true) | None => {
                    let (open, theirs): (i64, i64) = sqlx::query_as(
                        "select (select count(*) from friend_requests where from_id = $1),
                                (select count(*) from friend_requests where to_id = $2)",
                    )
                    .bind(by)
                    .bind(whom)
                    .fetch_one(&mut *tx)
                    .await?;
                    if open >= ASKED_MAX || theirs >= ASKING_MAX {
                        let detail = "too many questions wait for an answer: take one back, or try later";
                        return Err(Error::conflict("too_many_requests_open", detail));
                    }
                    sqlx::query(
                        "insert into friend_requests (from_id, to_id, created_at, hidden)
                         values ($1, $2, $3, $4)",
                    )
                    .bind(by)
                    .bind(whom)
                    .bind(now)
                    .bind(hidden)
                    .execute(&mut *tx)
                    .await?;
                    if in_telegram && !hidden {
                        tx.post(&Notice::FriendRequest { user: whom, from: by }, now).await?;
                    }
                    Ask::Requested
                }
            };
            tx.commit().await?;
            (answer, hidden)
        });
        match answer {
            Ask::Friends => self.tell_friends([asker, asked]),
            Ask::Requested if hidden => {}
            Ask::Requested => {
                self.stir_letters();
                self.notify(whom, Notification::FriendRequest { user: asker });
            }
        }
        Ok(answer)
    }

    /// Says yes to somebody who asked.
    ///
    /// # Errors
    /// `request_not_found`; `too_many_friends`.
    pub async fn accept_friend(&self, by: UserId, from: UserId) -> Result<()> {
        let now = self.clock.now();
        on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, from]).await?;
            if tx.request(from, by).await? != Some(false) {
                return Err(no_request());
            }
            no_more_than(tx.friend_count(by).await?)?;
            no_more_than(tx.friend_count(from).await?)?;
            tx.make_friends(by, from, now).await?;
            tx.commit().await?;
        });
        self.tell_friends([self.public_user(by).await?, self.public_user(from).await?]);
        Ok(())
    }

    /// Says no to somebody who asked; they are not told.
    ///
    /// # Errors
    /// `request_not_found`.
    pub async fn decline_friend(&self, by: UserId, from: UserId) -> Result<()> {
        let gone = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, from]).await?;
            let gone = tx.request(from, by).await? == Some(false);
            if gone {
                tx.drop_request(from, by).await?;
            }
            tx.commit().await?;
            gone
        });
        if gone { Ok(()) } else { Err(no_request()) }
    }

    /// Takes back what one asked.
    ///
    /// # Errors
    /// `request_not_found`.
    pub async fn withdraw_friend(&self, by: UserId, to: UserId) -> Result<()> {
        let gone = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, to]).await?;
            let gone = tx.drop_request(by, to).await?;
            tx.commit().await?;
            gone
        });
        if gone { Ok(()) } else { Err(no_request()) }
    }

    /// Ends a friendship; the other is not told.
    ///
    /// # Errors
    /// `not_friends`.
    pub async fn unfriend(&self, by: UserId, whom: UserId) -> Result<()> {
        let ended = on!(self.db, pool => {
            let mut tx = pool.begin_with(self.db.begin()).await?;
            tx.take_turns(&[by, whom]).await?;
            let ended = tx.end_friendship(by, whom).await?;
            tx.commit().await?;
            ended
        });
        if ended { Ok(()) } else { Err(not_friends(Why::NotFound)) }
    }

    /// Invites a friend to the room that one is in: they are told on the pages that they have open.
    ///
    /// # Errors
    /// `room_not_found`, `not_member`; `not_friends`; `kicked` when the host put them out.
    pub async fn invite_to_room(&self, by: UserId, code: &str, whom: UserId) -> Result<()> {
        let user = self.public_user(by).await?;
        let room = self.room_for_invitation(by, code, whom).await?;
        let are_friends = on!(self.db, pool => pool.acquire().await?.are_friends(by, whom).await)?;
        if !are_friends {
            return Err(not_friends(Why::Forbidden));
        }
        let (room, game) = room;
        self.notify(whom, Notification::Invitation(Invitation { user, room, game }));
        Ok(())
    }

    pub(crate) fn notify(&self, user: UserId, notification: Notification) {
        self.tell(user, LobbyMessage::Notification(notification));
    }

    /// Tells two that they are friends.
    fn tell_friends(&self, [a, b]: [PublicUser; 2]) {
        self.notify(a.id, Notification::Friend { user: b.clone() });
        self.notify(b.id, Notification::Friend { user: a });
    }
}

fn no_more_than(friends: i64) -> Result<()> {
    if friends < FRIENDS_MAX {
        return Ok(());
    }
    let detail = format!("one of you has {FRIENDS_MAX} friends already");
    Err(Error::conflict("too_many_friends", detail))
}

fn no_request() -> Error {
    let detail = "there is no such question: it was answered or taken back";
    Error::refused(Why::NotFound, "request_not_found", detail)
}

fn not_friends(why: Why) -> Error {
    Error::refused(why, "not_friends", "you are not friends")
}

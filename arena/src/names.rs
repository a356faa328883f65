//! Names: what is left of one that somebody typed, and what it could be taken for.
//!
//! Two names look alike when their *looks* meet: skeletons by Unicode's rules for confusables
//! (UTS 39), of the name in small letters and in capitals, since letters of two scripts may be
//! alike in one case only (М and M, but м and m are not). Usernames are unique by their looks. A
//! display name may be somebody else's (there are many Anns), but not what could be taken for
//! another's username or for somebody who keeps order.

use live::tidy;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

use crate::{Arena, Error, Result, Role, User, UserId, db::on, db::on_both};

pub(crate) const NAME_CHARS_MAX: usize = 32;
/// What somebody is called whose own name can't be had.
pub(crate) const NAMELESS: &str = "Player";

/// What only those are called who run the arena. Each stands alone or with others of these.
const STAFF: [&str; 24] = [
    "admin",
    "admins",
    "administrator",
    "administration",
    "artel",
    "computer",
    "mod",
    "moder",
    "moderator",
    "moderators",
    "official",
    "root",
    "staff",
    "support",
    "system",
    "team",
    "админ",
    "администратор",
    "администрация",
    "артель",
    "компьютер",
    "модератор",
    "поддержка",
    "техподдержка",
];
/// Of the above, what anybody may be called by itself.
const HARMLESS_ALONE: [&str; 1] = ["team"];

/// A name without what can't be seen or turns the text around it, with single spaces.
pub(crate) fn clean(name: &str) -> String {
    let seen = tidy(&name.replace(|it: char| it.is_control() && !it.is_whitespace(), ""));
    let name = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut before = ' ';
    // A joiner holds emoji together; between letters it only makes two names of one.
    name.chars()
        .filter(|&it| {
            let joins = matches!(it, '\u{200c}' | '\u{200d}');
            let keeps = !joins || !(before.is_alphanumeric() || before == ' ');
            before = it;
            keeps
        })
        .collect()
}

/// What a name looks like: no more than two words, which are the same for names that look alike.
pub(crate) fn looks(name: &str) -> Vec<String> {
    let name = tidy(name);
    let mut looks: Vec<_> =
        [name.to_lowercase(), name.to_uppercase()].iter().map(|it| look(it)).collect();
    looks.dedup();
    looks
}

/// What one case of a name looks like. Accents make no difference, and neither does which of the
/// signs that part words was taken.
fn look(name: &str) -> String {
    let letters: String =
        skeleton(name).filter(|&it| !is_combining_mark(it)).flat_map(char::to_lowercase).collect();
    let words = letters.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// Whether a name says that its bearer runs the arena.
pub(crate) fn poses_as_staff(name: &str) -> bool {
    let name = tidy(name);
    let words = name.split(|it: char| !it.is_alphanumeric());
    // "admin2" is one too; digits inside a word stand for letters.
    let words = words.map(|it| it.trim_end_matches(|it: char| it.is_numeric()));
    let words: Vec<&str> = words.filter(|it| !it.is_empty()).collect();
    let alone = words.iter().any(|it| is_staff(it) && !is_any(it, &HARMLESS_ALONE));
    alone || is_made_of_staff(&words.concat())
}

fn is_staff(word: &str) -> bool {
    is_any(word, &STAFF)
}

fn is_any(word: &str, of: &[&str]) -> bool {
    let theirs = looks(word);
    of.iter().any(|it| looks(it).iter().any(|look| theirs.contains(look)))
}

/// Whether a name is two or more of those words, written as one.
fn is_made_of_staff(name: &str) -> bool {
    let ends = name.char_indices().map(|(at, _)| at).skip(1);
    ends.into_iter().any(|at| {
        let (first, rest) = name.split_at(at);
        is_staff(first) && (is_staff(rest) || is_made_of_staff(rest))
    })
}

/// Names within a transaction, on either database.
pub(crate) trait NameRows {
    /// Keeps what somebody's names look like.
    ///
    /// # Errors
    /// A unique violation when another's username looks like this one.
    async fn keep_looks(
        &mut self,
        user: UserId,
        username: Option<&str>,
        display_name: &str,
    ) -> sqlx::Result<()>;

    /// Keeps what a changed display name looks like.
    async fn keep_display_look(&mut self, user: UserId, name: &str) -> sqlx::Result<()>;

    /// Whether one of these looks is that of another's username, or of the display name of somebody
    /// who keeps order.
    async fn is_somebodys_look(&mut self, user: UserId, looks: &[String]) -> sqlx::Result<bool>;
}

on_both! { impl NameRows {
    async fn keep_looks(
        &mut self,
        user: UserId,
        username: Option<&str>,
        display_name: &str,
    ) -> sqlx::Result<()> {
        for look in username.map(looks).unwrap_or_default() {
            sqlx::query("insert into looks (user_id, of_what, look) values ($1, 'username', $2)")
                .bind(user)
                .bind(look)
                .execute(&mut *self)
                .await?;
        }
        self.keep_display_look(user, display_name).await
    }

    async fn keep_display_look(&mut self, user: UserId, name: &str) -> sqlx::Result<()> {
        sqlx::query("delete from looks where user_id = $1 and of_what = 'display_name'")
            .bind(user)
            .execute(&mut *self)
            .await?;
        for look in looks(name) {
            sqlx::query(
                "insert into looks (user_id, of_what, look) values ($1, 'display_name', $2)",
            )
            .bind(user)
            .bind(look)
            .execute(&mut *self)
            .await?;
        }
        Ok(())
    }

    async fn is_somebodys_look(&mut self, user: UserId, looks: &[String]) -> sqlx::Result<bool> {
        // A name of signs alone looks like nothing.
        for look in looks.iter().filter(|it| !it.is_empty()) {
            let found: i64 = sqlx::query_scalar(
                "select count(*) from looks l join users u on u.id = l.user_id
                 where l.look = $1 and l.user_id <> $2
                   and (l.of_what = 'username' or u.role <> 'player')",
            )
            .bind(look)
            .bind(user)
            .fetch_one(&mut *self)
            .await?;
            if found > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
} }

impl Arena {
    /// Whether nobody has this username, or one that looks like it.
    pub(crate) async fn is_username_free(&self, username: &str) -> Result<bool> {
        for look in looks(username) {
            let taken: i64 = on!(self.db, pool => {
                sqlx::query_scalar(
                    "select count(*) from looks where look = $1 and of_what = 'username'",
                )
                .bind(look)
                .fetch_one(pool)
                .await
            })?;
            if taken > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A display name that somebody may have, from what they asked for.
    ///
    /// # Errors
    /// When it is empty or too long, or could be taken for somebody's who is not them.
    pub(crate) async fn free_display_name(&self, user: &User, asked: &str) -> Result<String> {
        let name = clean(asked);
        if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
            let message = format!("1 to {NAME_CHARS_MAX} visible characters");
            return Err(Error::invalid("display_name", message));
        }
        if user.role == Role::Player && poses_as_staff(&name) {
            let message = "this name is kept for those who run the arena: choose another";
            return Err(Error::invalid("display_name", message));
        }
        if self.is_taken_look(user.id, &name).await? {
            let detail = "this name looks like somebody else's: choose another";
            return Err(Error::conflict("name_taken", detail));
        }
        Ok(name)
    }

    /// The display name of somebody new whom another service names: theirs, unless it could be
    /// taken for somebody's who keeps order.
    pub(crate) async fn told_display_name(&self, told: &str) -> Result<String> {
        let name: String = clean(told).chars().take(NAME_CHARS_MAX).collect();
        let name = name.trim_end();
        let is_free =
            !name.is_empty() && !poses_as_staff(name) && !self.is_staff_look(name).await?;
        Ok(if is_free { name } else { NAMELESS }.to_owned())
    }

    async fn is_taken_look(&self, user: UserId, name: &str) -> Result<bool> {
        let looks = looks(name);
        Ok(on!(self.db, pool => pool.acquire().await?.is_somebodys_look(user, &looks).await)?)
    }

    async fn is_staff_look(&self, name: &str) -> Result<bool> {
        for look in looks(name).iter().filter(|it| !it.is_empty()) {
            let found: i64 = on!(self.db, pool => {
                sqlx::query_scalar(
                    "select count(*) from looks l join users u on u.id = l.user_id
                     where l.look = $1 and u.role <> 'player'",
                )
                .bind(look)
                .fetch_one(pool)
                .await
            })?;
            if found > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds out what the names look like of those who came before looks were kept.
    pub(crate) async fn keep_missing_looks(&self) -> Result<()> {
        const AT_ONCE: i64 = 500;
        loop {
            let people: Vec<(UserId, Option<String>, String)> = on!(self.db, pool => {
                sqlx::query_as(
                    "select id, username, display_name from users u where not exists
                     (select 1 from looks l where l.user_id = u.id and l.of_what = 'display_name')
                     order by created_at, id limit $1",
                )
                .bind(AT_ONCE)
                .fetch_all(pool)
                .await
            })?;
            if people.is_empty() {
                return Ok(());
            }
            on!(self.db, pool => {
                let mut tx = pool.begin_with(self.db.begin()).await?;
                for (user, username, display_name) in &people {
                    // Of two that look alike, who came first has the look.
                    for look in username.as_deref().map(looks).unwrap_or_default() {
                        sqlx::query(
                            "insert into looks (user_id, of_what, look)
                             values ($1, 'username', $2) on conflict do nothing",
                        )
                        .bind(user)
                        .bind(look)
                        .execute(&mut *tx)
                        .await?;
                    }
                    tx.keep_display_look(*user, display_name).await?;
                }
                tx.commit().await?;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_cannot_be_seen() {
        assert_eq!(clean("  Ann \t  B\u{202e}ob\u{0} "), "Ann Bob");
        assert_eq!(clean("\u{200b}\u{2066} \u{3164}"), "");
        assert_eq!(clean("Ａｎｎ　Ｂ"), "Ann B");
        // Families of emoji are held together by a joiner, which must stay.
        assert_eq!(clean("👨‍👩‍👧"), "👨‍👩‍👧");
        assert_eq!(clean("ad\u{200d}min\u{200c}"), "admin");
    }

    #[test]
    fn names_that_look_alike() {
        let alike = |a: &str, b: &str| looks(a).iter().any(|it| looks(b).contains(it));
        for (a, b) in [
            ("paul", "pau1"),
            ("paul", "PauI"),
            ("Bob", "B0b"),
            ("ann", "аnn"),
            ("TOM", "ТОМ"),
            ("Tom", "Тоm"),
            ("modern", "rnodern"),
            ("ann_b", "Ann B"),
            ("ann", "ánn"),
        ] {
            assert!(alike(a, b), "{a} {b} {:?} {:?}", looks(a), looks(b));
        }
        for (a, b) in [
            ("ann", "anna"),
            ("ann_b", "annb"),
            ("Ann", "Аня"),
            ("player1", "player2"),
            ("bob", "rob"),
            ("cat", "car"),
        ] {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    #[test]
    fn names_of_staff() {
        for name in [
            "admin",
            "Admin",
            "ADMIN",
            "аdmin",
            "ADMlN",
            "adm1n",
            "admin2",
            "Ad Min Admin",
            "a_mod",
            "Mod",
            "m0derator",
            "Artel",
            "artel_support",
            "ArtelTeam",
            "Artel Admin",
            "админ",
            "Aдмин",
            "Администратор",
            "Модератор Ann",
            "поддержка",
            "The Computer",
            "ad\u{200b}min",
            "ádmin",
        ] {
            assert!(poses_as_staff(name), "{name}");
        }
        for name in [
            "Ann",
            "badminton",
            "modern",
            "Modest",
            "comodo",
            "systematic",
            "Team Ann",
            "team",
            "supporter",
            "rooted",
            "Артемий",
            "carpet",
            "Adam",
            "Аня",
        ] {
            assert!(!poses_as_staff(name), "{name}");
        }
    }
}

//! A lost password that the operator helps with.

use anyhow::Context;
use url::Url;

use super::{RESET_LIFE, RecoveryRows};
use crate::{
    Arena, Millis, Options, UserId,
    clock::millis,
    db::{Db, on},
    sessions::random_token,
};

impl Arena {
    /// A link by which somebody can set another password, for the operator to hand over.
    ///
    /// # Errors
    /// When the database can't be opened, or nobody has this username.
    pub async fn operators_reset_link(
        options: &Options,
        username: &str,
        page: Url,
        now: Millis,
    ) -> anyhow::Result<Url> {
        let db = Db::open(&options.database_url).await?;
        db.migrate().await?;
        let user: Option<UserId> = on!(db, pool => sqlx::query_scalar(
            "select u.id from users u join identities i on i.user_id = u.id \
             where u.username_key = $1 and i.provider = 'password'",
        )
        .bind(username.to_ascii_lowercase())
        .fetch_optional(pool)
        .await)?;
        let user = user.with_context(|| format!("nobody signs in as {username}"))?;
        let token = random_token();
        on!(db, pool => {
            let mut tx = pool.begin_with(db.begin()).await?;
            tx.keep_token(&token, "reset", user, "", [now, now + millis(RESET_LIFE)]).await?;
            tx.commit().await?;
        });
        db.close().await;
        let mut page = page;
        page.set_fragment(Some(&token));
        Ok(page)
    }
}

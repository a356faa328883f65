//! What people are told, what they share, and the link from the web to Telegram.

use std::time::Duration;

use arena::{Device, NewAccount, Notice, TelegramUser, Topic, User};
use serde_json::json;

use crate::support::{TestArena, both, refused};

/// Somebody as Telegram names them.
fn telegram_user(id: i64, name: &str) -> TelegramUser {
    let user = json!({"id": id, "is_bot": false, "first_name": name, "username": "some_body"});
    serde_json::from_value(user).unwrap()
}

async fn web_user(test: &TestArena) -> User {
    let username = format!("u{:x}", rand::random::<u32>());
    let new = NewAccount { username, password: "correct horse".into(), email: None };
    test.arena.register(new, &Device::default()).await.unwrap().user
}

/// The token of a new link to somebody's account.
async fn token(test: &TestArena, user: &User) -> String {
    let link = test.arena.telegram_link(user.id).await.unwrap();
    link.url.strip_prefix("https://t.me/artel_bot?start=link_").unwrap().to_owned()
}

both! {
    /// As whoever makes friends puts it into the outbox.
    async fn a_request_of_friendship_is_told_once(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let notice = json!({"kind": "friend_request", "user": bob.id, "from": ann.id});
        test.sql(format!(
            "insert into outbox (about, notice, revision, due_at, attempts, changed_at)
             values ('friend {} {}', '{notice}', 1, 1, 0, 1)",
            ann.id, bob.id,
        ))
        .await;
        let by = test.arena.new_carrier().await.unwrap();
        let [letter] = <[_; 1]>::try_from(test.arena.letters_due(by, 9).await.unwrap()).unwrap();
        assert_eq!(letter.notice, Notice::FriendRequest { user: bob.id, from: ann.id });
        test.arena.letter_done(&letter, 1).await.unwrap();
        assert!(test.arena.letters_due(by, 9).await.unwrap().is_empty());
    }

    async fn each_topic_can_be_turned_off(test: &TestArena) {
        let ann = test.player("Ann").await;
        for topic in Topic::ALL {
            let settings = test.arena.notice_settings(ann.id).await.unwrap();
            let was = settings.wants(topic);
            assert_eq!(was, topic != Topic::Result, "{topic:?}");
            assert_eq!(test.arena.reach(ann.id, topic).await.unwrap().is_some(), was);
            test.arena.set_notice_settings(ann.id, settings.toggled(topic)).await.unwrap();
            let settings = test.arena.notice_settings(ann.id).await.unwrap();
            assert_eq!(settings.wants(topic), !was, "{topic:?}");
        }
    }

    /// A Telegram user who has nothing yet is let in to an account of the web, once.
    async fn telegram_is_linked(test: &TestArena) {
        let web = web_user(test).await;
        assert_eq!(refused(test.arena.telegram_link(web.id).await).code, "bot_off");
        let errands = test.arena.bot_is_on("artel_bot");
        let ann = telegram_user(5, "Ann");
        let before = test.arena.telegram_account(&ann).await.unwrap();
        test.arena.seen_in_group(before.id, -7).await.unwrap();

        // An earlier link is void, and one that was never made is none.
        let first = token(test, &web).await;
        let second = token(test, &web).await;
        for void in [&*first, "", "x", "' or 1 = 1 --"] {
            assert_eq!(refused(test.arena.link_target(void).await).code, "link_expired");
            assert_eq!(refused(test.arena.link_telegram(&ann, void).await).code, "link_expired");
        }
        assert_eq!(test.arena.link_target(&second).await.unwrap().id, web.id);
        // What is kept opens nothing.
        let kept = format!("select count(*) from link_tokens where hash = '{second}'");
        assert_eq!(test.count(kept).await, 0);
        assert_eq!(test.count("select count(*) from link_tokens").await, 1);

        // Ten minutes, and not more.
        test.clock.advance(Duration::from_secs(10 * 60));
        assert_eq!(refused(test.arena.link_telegram(&ann, &second).await).code, "link_expired");

        let third = token(test, &web).await;
        let bob = telegram_user(6, "Bob");
        let both = tokio::join!(
            test.arena.link_telegram(&ann, &third),
            test.arena.link_telegram(&bob, &third),
        );
        let (linked, late) = match both {
            (Ok(user), late) => (user, late),
            (late, Ok(user)) => (user, late),
            neither => panic!("{neither:?}"),
        };
        assert_eq!(linked.id, web.id);
        assert_eq!(refused(late).code, "link_expired", "two were let in");
        assert!(test.arena.is_linked(web.id).await.unwrap());
        assert_eq!(refused(test.arena.telegram_link(web.id).await).code, "telegram_linked");
        let linked = format!(
            "select count(*) from identities where provider = 'telegram' and user_id = {}",
            web.id.0,
        );
        assert_eq!(test.count(linked).await, 1);
        assert_eq!(test.count("select count(*) from audit where kind = 'linked'").await, 1);
        drop(errands);
        assert_eq!(test.arena.bot_name(), None);
    }

    /// Who has played by Telegram keeps that account: two are not made one behind their back.
    async fn an_account_in_use_is_kept(test: &TestArena) {
        let _errands = test.arena.bot_is_on("artel_bot");
        let (web, ann) = (web_user(test).await, telegram_user(5, "Ann"));
        let account = test.arena.telegram_account(&ann).await.unwrap();
        let link = token(test, &web).await;
        test.sql(format!(
            "insert into queue_entries (user_id, game, rating, joined_at, expires_at)
             values ({}, 'pong', 1500, 0, {})",
            account.id.0, i64::MAX,
        ))
        .await;
        assert_eq!(refused(test.arena.link_telegram(&ann, &link).await).code, "account_in_use");
        assert_eq!(test.arena.telegram_account(&ann).await.unwrap().id, account.id);
        // Refused, the link is still good.
        test.sql("delete from queue_entries").await;
        let linked = test.arena.link_telegram(&ann, &link).await.unwrap();
        assert_eq!(linked.id, web.id);
        assert_eq!(test.arena.telegram_account(&ann).await.unwrap().id, web.id);
    }

    /// The pages that were open in the account that is left are signed out.
    async fn the_account_that_is_left_ends(test: &TestArena) {
        let _errands = test.arena.bot_is_on("artel_bot");
        let (ann, as_ann) = test.player_of(&test.arena, "Ann").await;
        let number = format!("select cast(subject as bigint) from identities where user_id = {}", ann.id.0);
        let person = telegram_user(test.count(number).await, "Ann");
        let mut ended = test.arena.ended_sessions();
        let web = web_user(test).await;
        let link = token(test, &web).await;
        test.arena.link_telegram(&person, &link).await.unwrap();
        assert_eq!(ended.recv().await.unwrap(), as_ann.session_id);
    }
}

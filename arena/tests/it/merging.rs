//! Two accounts made one: all that people are to each other goes along.

use std::time::Duration;

use arena::{
    Arena, AuditFilter, AuditKind, Device, Linking, NewAccount, NewReport, NewSanction, Principal,
    Role, SanctionKind, Shun, TelegramUser, User,
};
use serde_json::json;

use crate::support::{TestArena, both, refused, seconds, signed};

/// Somebody by Telegram, and what Telegram says of them.
async fn by_telegram(test: &TestArena, name: &str) -> (User, String) {
    let id = rand::random_range(1..1i64 << 52);
    let user = json!({ "id": id, "first_name": name }).to_string();
    let data = signed(&[("user", &user), ("auth_date", &seconds(test.clock.now()))]);
    let session = test.arena.telegram_sign_in(&data, &Device::default()).await.unwrap();
    (session.user, data)
}

async fn by_password(test: &TestArena, name: &str) -> (User, Principal) {
    let new = NewAccount { username: name.into(), password: "correct horse".into(), email: None };
    let session = test.arena.register(new, &Device::default()).await.unwrap();
    let principal = test.arena.authenticate(&session.access_token).unwrap();
    (session.user, principal)
}

async fn become_friends(arena: &Arena, a: &User, b: &User) {
    arena.ask_friend(a.id, b.id).await.unwrap();
    arena.accept_friend(b.id, a.id).await.unwrap();
}

fn report(about: &User) -> NewReport {
    serde_json::from_value(json!({"user_id": about.id, "reason": "abuse"})).unwrap()
}

both! {
    async fn what_people_are_to_each_other_goes_along(test: &TestArena) {
        let arena = &test.arena;
        let (keep, by) = by_password(test, "ann").await;
        let (other, data) = by_telegram(test, "Ann").await;
        let [bob, cat, dan, eve, fay] =
            [(); 5].map(|()| test.player("Somebody"));
        let (bob, cat, dan, eve, fay) = tokio::join!(bob, cat, dan, eve, fay);
        let ada = test.player("Ada").await;
        test.sql(format!("update users set role = 'admin' where id = {}", ada.id.0)).await;

        // Bob is a friend of both, Cat of the other; the two are friends of each other.
        become_friends(arena, &keep, &bob).await;
        for friend in [&bob, &cat, &keep] {
            become_friends(arena, &other, friend).await;
        }
        // Dan was asked by the other, and asks the one.
        arena.ask_friend(other.id, dan.id).await.unwrap();
        // The other keeps away from Eve, and Fay from the other.
        arena.shun(other.id, eve.id, Shun::Block).await.unwrap();
        arena.shun(fay.id, other.id, Shun::Block).await.unwrap();
        arena.report(bob.id, report(&other)).await.unwrap();
        arena.report(other.id, report(&fay)).await.unwrap();
        let mute = NewSanction {
            kind: SanctionKind::Mute, seconds: Some(3600), reason: "insults".into(),
        };
        arena.sanction(ada.id, other.id, mute).await.unwrap();

        let Linking::Offered(offer) = arena.link_by_init_data(&by, &data).await.unwrap() else {
            panic!("there is another account");
        };
        // While they are in a room nothing moves.
        let new = serde_json::from_value(json!({"game": "pong"})).unwrap();
        let code = arena.open_room(other.id, new).await.unwrap().room.code;
        assert_eq!(refused(arena.merge(&by, offer).await).code, "merge_busy");
        assert_eq!(arena.friends(keep.id).await.unwrap().friends.len(), 2);
        arena.leave_room(other.id, &code).await.unwrap();
        arena.merge(&by, offer).await.unwrap();

        let friends = arena.friends(keep.id).await.unwrap();
        let mut ids: Vec<_> = friends.friends.iter().map(|it| it.user.id).collect();
        ids.sort_unstable();
        let mut expected = vec![bob.id, cat.id];
        expected.sort_unstable();
        assert_eq!(ids, expected, "each once, and nobody is their own friend");
        assert_eq!(friends.outgoing[0].user.id, dan.id);
        arena.accept_friend(dan.id, keep.id).await.unwrap();
        assert_eq!(arena.shunned(keep.id).await.unwrap()[0].user.id, eve.id);
        assert_eq!(arena.shunned(fay.id).await.unwrap()[0].user.id, keep.id);
        // Nobody gets rid of what was done about them.
        assert_eq!(refused(arena.check_voice(keep.id).await).code, "muted");
        let file = arena.person_file(ada.id, keep.id).await.unwrap();
        assert_eq!((file.sanctions.len(), file.reports), (1, 1));
        assert_eq!(refused(arena.report(keep.id, report(&fay)).await).code, "already_reported");
        let merged = AuditFilter { kind: Some(AuditKind::Merged), ..AuditFilter::default() };
        let lines = arena.audit(ada.id, merged).await.unwrap().items;
        assert_eq!(lines.len(), 1);

        // Once: nothing is left to move.
        assert_eq!(refused(arena.merge(&by, offer).await).code, "merge_gone");
        for (table, column) in [
            ("friends", "user_id"), ("friends", "friend_id"), ("friend_requests", "from_id"),
            ("shuns", "user_id"), ("shuns", "other_id"), ("reports", "about_id"),
            ("reports", "by_id"), ("sanctions", "user_id"), ("identities", "user_id"),
        ] {
            let left = format!("select count(*) from {table} where {column} = {}", other.id.0);
            assert_eq!(test.count(left).await, 0, "{table}.{column}");
        }
    }

    async fn a_merge_that_breaks_changes_nothing(test: &TestArena) {
        let arena = &test.arena;
        let (keep, by) = by_password(test, "ann").await;
        let (other, data) = by_telegram(test, "Ann").await;
        let bob = test.player("Bob").await;
        become_friends(arena, &other, &bob).await;
        let Linking::Offered(offer) = arena.link_by_init_data(&by, &data).await.unwrap() else {
            panic!("there is another account");
        };
        // The last of the steps can't be taken.
        test.sql("alter table handoffs rename to gone").await;
        arena.merge(&by, offer).await.unwrap_err();
        assert_eq!(arena.friends(other.id).await.unwrap().friends.len(), 1);
        assert_eq!(arena.friends(keep.id).await.unwrap().friends, []);
        let telegram = format!(
            "select count(*) from identities where provider = 'telegram' and user_id = {}",
            other.id.0,
        );
        assert_eq!(test.count(telegram).await, 1);
        test.sql("alter table gone rename to handoffs").await;
        arena.merge(&by, offer).await.unwrap();
        assert_eq!(arena.friends(keep.id).await.unwrap().friends[0].user.id, bob.id);
    }

    /// A link from the web lets nobody leave what they are, or what was done about them.
    async fn whoever_has_friends_has_something_to_lose(test: &TestArena) {
        let arena = &test.arena;
        let _errands = arena.bot_is_on("artel_bot");
        let ada = test.player("Ada").await;
        test.sql(format!("update users set role = 'admin' where id = {}", ada.id.0)).await;
        let bob = test.player("Bob").await;
        let mute = || NewSanction {
            kind: SanctionKind::Mute, seconds: Some(3600), reason: "insults".into(),
        };
        for number in 0..6 {
            let (web, _) = by_password(test, &format!("web_{number}")).await;
            let person: TelegramUser =
                serde_json::from_value(json!({"id": 100 + number, "first_name": "Ann"})).unwrap();
            let own = arena.telegram_account(&person).await.unwrap();
            match number {
                0 => become_friends(arena, &own, &bob).await,
                1 => drop(arena.ask_friend(bob.id, own.id).await.unwrap()),
                2 => arena.shun(bob.id, own.id, Shun::Block).await.unwrap(),
                3 => drop(arena.report(bob.id, report(&own)).await.unwrap()),
                4 => drop(arena.sanction(ada.id, own.id, mute()).await.unwrap()),
                _ => drop(arena.set_role(ada.id, own.id, Role::Moderator).await.unwrap()),
            }
            let link = arena.telegram_link(web.id).await.unwrap().url;
            let token = link.rsplit_once("link_").unwrap().1;
            let refused = refused(arena.link_telegram(&person, token).await);
            assert_eq!(refused.code, "account_in_use", "{number}");
            assert_eq!(arena.telegram_account(&person).await.unwrap().id, own.id);
            test.clock.advance(Duration::from_secs(1));
        }
    }
}

//! Keeping order: who may do what about whom, what a ban ends, and what the audit says of it.

use std::time::Duration;

use arena::{
    Arena, AuditFilter, AuditKind, NewReport, NewSanction, Principal, ReportFilter, ReportReason,
    Role, SanctionKind, User, UserId, Verdict, Why,
};
use games::Kind::Pong;

use crate::support::{TestArena, both, device, refused, soon};

fn ban(seconds: Option<u64>) -> NewSanction {
    NewSanction { kind: SanctionKind::Ban, seconds, reason: "threats".into() }
}

fn mute(seconds: u64) -> NewSanction {
    NewSanction { kind: SanctionKind::Mute, seconds: Some(seconds), reason: "insults".into() }
}

fn report(user_id: UserId) -> NewReport {
    let (reason, text) = (ReportReason::Abuse, "said bad things".to_owned());
    NewReport { user_id, reason, text, match_id: None, room: None }
}

/// Somebody with a role.
async fn staff(test: &TestArena, name: &str, role: Role) -> User {
    let user = test.player(name).await;
    test.sql(format!("update users set role = '{role}' where id = {}", user.id.0)).await;
    user
}

async fn kinds(arena: &Arena, by: &User, about: UserId) -> Vec<AuditKind> {
    let filter = AuditFilter { user: Some(about), ..AuditFilter::default() };
    let lines = arena.audit(by.id, filter).await.unwrap().items;
    lines.into_iter().map(|it| it.kind).collect()
}

fn proves(arena: &Arena, token: &str) -> Result<Principal, arena::Error> {
    arena.authenticate(token)
}

both! {
    async fn who_keeps_order_over_whom(test: &TestArena) {
        let arena = &test.arena;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let (moe, max) = (
            staff(test, "Moe", Role::Moderator).await,
            staff(test, "Max", Role::Moderator).await,
        );
        let (ada, adi) = (staff(test, "Ada", Role::Admin).await, staff(test, "Adi", Role::Admin).await);
        for (by, whom, code) in [
            (&ann, &bob, "not_moderator"),
            (&ann, &moe, "not_moderator"),
            (&moe, &moe, "yourself"),
            (&moe, &max, "not_over_staff"),
            (&moe, &ada, "not_over_staff"),
            (&ada, &adi, "not_over_staff"),
        ] {
            assert_eq!(refused(arena.sanction(by.id, whom.id, ban(None)).await).code, code);
        }
        for (by, code) in [(&ann, "not_admin"), (&moe, "not_admin")] {
            assert_eq!(refused(arena.set_role(by.id, bob.id, Role::Admin).await).code, code);
            assert_eq!(refused(arena.audit(by.id, AuditFilter::default()).await).code, code);
        }
        assert_eq!(refused(arena.set_role(ada.id, ada.id, Role::Player).await).code, "yourself");
        assert_eq!(refused(arena.set_role(ada.id, adi.id, Role::Player).await).code, "not_over_staff");
        for answer in [
            arena.reports(ann.id, ReportFilter::default()).await.map(drop),
            arena.person_file(ann.id, bob.id).await.map(drop),
            arena.close_report(ann.id, arena::ReportId(1), Verdict::Acted).await,
            arena.lift_sanction(ann.id, arena::SanctionId(1)).await,
        ] {
            let refused = refused(answer);
            assert_eq!((refused.why, refused.code), (Why::Forbidden, "not_moderator"));
        }
        let bob = arena.set_role(ada.id, bob.id, Role::Moderator).await.unwrap();
        assert_eq!(bob.role, Role::Moderator);
        // Bob keeps order from now on, and Moe does no more.
        arena.sanction(bob.id, ann.id, mute(60)).await.unwrap();
        test.clock.advance(Duration::from_secs(1));
        arena.set_role(ada.id, moe.id, Role::Player).await.unwrap();
        assert_eq!(refused(arena.sanction(moe.id, ann.id, mute(60)).await).code, "not_moderator");
        assert_eq!(kinds(arena, &ada, moe.id).await[0], AuditKind::RoleChanged);

        for (new, field) in [
            (mute(59), "seconds"),
            (mute(u64::MAX), "seconds"),
            (NewSanction { seconds: None, ..mute(60) }, "seconds"),
            (NewSanction { reason: " a ".into(), ..mute(60) }, "reason"),
            (NewSanction { reason: "x".repeat(301), ..ban(None) }, "reason"),
            (ban(Some(u64::MAX)), "seconds"),
        ] {
            let refused = refused(arena.sanction(bob.id, ann.id, new).await);
            assert_eq!(refused.fields[0].field, field);
        }
        let refused = refused(arena.sanction(bob.id, UserId(5), ban(None)).await);
        assert_eq!(refused.why, Why::NotFound);
    }

    async fn who_is_banned_is_out_at_once(test: &TestArena) {
        let arena = &test.arena;
        let ada = staff(test, "Ada", Role::Admin).await;
        let new = arena::NewAccount {
            username: "bob".into(), password: "correct horse".into(), email: None,
        };
        let session = arena.register(new, &device()).await.unwrap();
        let bob = session.user.id;
        let other = test.another().await;
        let mut ended = other.ended_sessions();
        let new = serde_json::from_str(r#"{"game":"pong"}"#).unwrap();
        arena.open_room(bob, new).await.unwrap();
        proves(arena, &session.access_token).unwrap();

        let sanction = arena.sanction(ada.id, bob, ban(Some(3600))).await.unwrap();
        assert!(sanction.active && sanction.until.is_some());
        let out = refused(proves(arena, &session.access_token));
        assert_eq!(out.code, "access_token_invalid");
        // Other processes hear of it.
        soon(ended.recv()).await.unwrap();
        refused(proves(&other, &session.access_token));
        let spent = refused(arena.refresh(&session.refresh_token, &device()).await);
        assert_eq!(spent.why, Why::Unauthenticated);
        let banned = refused(arena.login("bob", "correct horse", &device()).await);
        assert_eq!((banned.why, banned.code), (Why::Forbidden, "banned"));
        assert!(banned.detail.contains("threats"), "{}", banned.detail);
        // Only who knows the password is told.
        assert_eq!(refused(arena.login("bob", "wrong horse", &device()).await).code, "wrong_login");
        assert_eq!(arena.room_of(bob).await.unwrap(), None);
        assert_eq!(test.count("select count(*) from sessions where ended_at is null").await, 1);

        // It ends by itself, or is taken back.
        test.clock.advance(Duration::from_secs(3601));
        arena.login("bob", "correct horse", &device()).await.unwrap();
        test.clock.advance(Duration::from_secs(1));
        let sanction = arena.sanction(ada.id, bob, ban(None)).await.unwrap();
        test.clock.advance(Duration::from_secs(400 * 24 * 3600));
        assert_eq!(refused(arena.login("bob", "correct horse", &device()).await).code, "banned");
        for _ in 0..2 {
            test.clock.advance(Duration::from_secs(1));
            arena.lift_sanction(ada.id, sanction.id).await.unwrap();
        }
        test.clock.advance(Duration::from_secs(1));
        arena.login("bob", "correct horse", &device()).await.unwrap();
        let file = arena.person_file(ada.id, bob).await.unwrap();
        assert_eq!(file.sanctions.len(), 2);
        assert!(file.sanctions.iter().all(|it| !it.active));
        let expected = [AuditKind::SignIn, AuditKind::Unbanned, AuditKind::Banned];
        assert_eq!(kinds(arena, &ada, bob).await[..3], expected);
        other.close().await;
    }

    async fn who_is_banned_comes_by_no_chat(test: &TestArena) {
        let ada = staff(test, "Ada", Role::Admin).await;
        let person: arena::TelegramUser =
            serde_json::from_str(r#"{"id": 77, "first_name": "Bob"}"#).unwrap();
        let bob = test.arena.telegram_account(&person).await.unwrap();
        test.arena.queue_join(bob.id, Pong, None).await.unwrap();
        test.arena.sanction(ada.id, bob.id, ban(None)).await.unwrap();
        assert_eq!(test.count("select count(*) from queue_entries").await, 0);
        assert_eq!(refused(test.arena.telegram_account(&person).await).code, "banned");
    }

    async fn who_is_muted_says_nothing(test: &TestArena) {
        let arena = &test.arena;
        let moe = staff(test, "Moe", Role::Moderator).await;
        let ann = test.player("Ann").await;
        let new = serde_json::from_str(r#"{"game":"pong"}"#).unwrap();
        let code = arena.open_room(ann.id, new).await.unwrap().room.code;
        arena.check_voice(ann.id).await.unwrap();
        arena.sanction(moe.id, ann.id, mute(600)).await.unwrap();
        let refused_ = refused(arena.say_in_room(ann.id, &code, "hi").await);
        assert_eq!((refused_.why, refused_.code), (Why::Forbidden, "muted"));
        assert_eq!(refused(arena.check_voice(ann.id).await).code, "muted");
        test.clock.advance(Duration::from_secs(601));
        arena.say_in_room(ann.id, &code, "hi").await.unwrap();
    }

    async fn reports_from_making_to_closing(test: &TestArena) {
        let arena = &test.arena;
        let moe = staff(test, "Moe", Role::Moderator).await;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let new = serde_json::from_str(r#"{"game":"pong"}"#).unwrap();
        let code = arena.open_room(ann.id, new).await.unwrap().room.code;
        arena.join_room(bob.id, &code).await.unwrap();
        for text in ["first", "second"] {
            arena.say_in_room(bob.id, &code, text).await.unwrap();
            test.clock.advance(Duration::from_secs(2));
        }
        let new = NewReport { room: Some(code.clone()), ..report(bob.id) };
        let id = arena.report(ann.id, new).await.unwrap();
        assert_eq!(refused(arena.report(ann.id, report(bob.id)).await).code, "already_reported");
        assert_eq!(refused(arena.report(ann.id, report(ann.id)).await).code, "yourself");
        assert_eq!(refused(arena.report(ann.id, report(UserId(5))).await).why, Why::NotFound);
        let long = NewReport { text: "x".repeat(501), ..report(bob.id) };
        assert_eq!(refused(arena.report(ann.id, long).await).fields[0].field, "text");
        // Who is not in the room learns nothing of it, nor does the report.
        let eve = test.player("Eve").await;
        let new = NewReport { room: Some(code), ..report(bob.id) };
        arena.report(eve.id, new).await.unwrap();

        let open = arena.reports(moe.id, ReportFilter::default()).await.unwrap().items;
        assert_eq!(open.len(), 2);
        let anns = open.iter().find(|it| it.id == id).unwrap();
        assert_eq!(anns.evidence, ["first", "second"]);
        assert_eq!((anns.by.id, anns.about.id), (ann.id, bob.id));
        assert!(open.iter().any(|it| it.by.id == eve.id && it.evidence.is_empty()));
        let page = ReportFilter { limit: Some(1), ..ReportFilter::default() };
        let page = arena.reports(moe.id, page).await.unwrap();
        let next = ReportFilter { cursor: page.next_cursor, ..ReportFilter::default() };
        assert_eq!(arena.reports(moe.id, next).await.unwrap().items.len(), 1);

        // Both are about the same.
        arena.close_report(moe.id, id, Verdict::Acted).await.unwrap();
        assert_eq!(refused(arena.close_report(moe.id, id, Verdict::Acted).await).code, "report_closed");
        assert_eq!(arena.reports(moe.id, ReportFilter::default()).await.unwrap().items, []);
        let closed = ReportFilter { closed: true, about: Some(bob.id), ..ReportFilter::default() };
        assert_eq!(arena.reports(moe.id, closed).await.unwrap().items.len(), 2);
        let file = arena.person_file(moe.id, bob.id).await.unwrap();
        assert_eq!((file.reports, file.reports_acted), (2, 2));
        arena.report(ann.id, report(bob.id)).await.unwrap();

        // Ten a day, of whomever.
        for n in 0..8 {
            let other = test.player(&format!("Other {n}")).await;
            arena.report(ann.id, report(other.id)).await.unwrap();
        }
        let other = test.player("One more").await;
        let refused_ = refused(arena.report(ann.id, report(other.id)).await);
        assert_eq!(refused_.why, Why::TooMany);
        test.clock.advance(refused_.retry_after.unwrap() + Duration::from_secs(1));
        arena.report(ann.id, report(other.id)).await.unwrap();
    }

    async fn the_audit_knows_who_came_from_where(test: &TestArena) {
        let arena = &test.arena;
        let ada = staff(test, "Ada", Role::Admin).await;
        let from = arena::Device { address: Some("203.0.113.7".parse().unwrap()), ..device() };
        let new = arena::NewAccount {
            username: "bob".into(), password: "the secret word".into(), email: None,
        };
        let bob = arena.register(new, &from).await.unwrap().user;
        for password in ["one wrong", "two wrong", "three wrong"] {
            refused(arena.login("bob", password, &from).await);
        }
        refused(arena.login("the secret word", "bob", &device()).await);
        let lines = arena.audit(ada.id, AuditFilter::default()).await.unwrap().items;
        let failed: Vec<_> = lines.iter().filter(|it| it.kind == AuditKind::SignInFailed).collect();
        let mut failed: Vec<_> = failed.iter().map(|it| (it.address.as_str(), it.times)).collect();
        failed.sort_unstable();
        assert_eq!(failed, [("", 1), ("203.0.113.7", 3)]);
        let came = lines.iter().find(|it| {
            it.kind == AuditKind::SignIn && it.by.as_ref().is_some_and(|it| it.id == bob.id)
        });
        assert_eq!(came.unwrap().address, "203.0.113.7");
        assert!(lines.iter().any(|it| it.kind == AuditKind::SignUp));
        // Whoever typed what, it is not in it.
        let text = serde_json::to_string(&lines).unwrap();
        assert!(!text.contains("secret") && !text.contains("wrong"), "{text}");

        let page = AuditFilter { limit: Some(2), ..AuditFilter::default() };
        let first = arena.audit(ada.id, page.clone()).await.unwrap();
        let next = AuditFilter { cursor: first.next_cursor, ..page };
        let second = arena.audit(ada.id, next).await.unwrap();
        assert!(first.items.iter().all(|it| !second.items.contains(it)));
        let kind = AuditFilter { kind: Some(AuditKind::SignUp), ..AuditFilter::default() };
        let only = arena.audit(ada.id, kind).await.unwrap().items;
        assert!(!only.is_empty() && only.iter().all(|it| it.kind == AuditKind::SignUp));
        assert_eq!(refused(arena.audit(ada.id, AuditFilter { cursor: Some("x".into()), ..AuditFilter::default() }).await).fields[0].field, "cursor");
    }
}

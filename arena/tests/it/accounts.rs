//! Accounts: signing up, signing in, and what can be changed.

use arena::{Device, Language, NewAccount, Role, UserId, Why};
use serde_json::json;

use crate::support::{BOT_TOKEN, both, device, refused, seconds, signed};

const PASSWORD: &str = "correct horse";

fn new(username: &str, email: Option<&str>) -> NewAccount {
    NewAccount {
        username: username.into(),
        password: PASSWORD.into(),
        email: email.map(str::to_owned),
    }
}

both! {
    async fn who_signs_up_is_signed_in(test: &TestArena) {
        let device = Device { language: Some("ru-RU,ru;q=0.9".into()), ..device() };
        let session = test.arena.register(new("Ann_B", None), &device).await.unwrap();
        let user = &session.user;
        assert_eq!(user.username.as_deref(), Some("Ann_B"));
        assert_eq!(user.display_name, "Ann_B");
        assert_eq!((user.language, user.role), (Language::Ru, Role::Player));
        assert_eq!(user.created_at.0, test.clock.now());
        assert_eq!(session.expires_in, 900);
        let by = test.arena.authenticate(&session.access_token).unwrap();
        assert_eq!((by.user_id, by.role), (user.id, Role::Player));
        assert_eq!(test.arena.user(user.id).await.unwrap().as_ref(), Some(user));
        assert_eq!(test.arena.user(UserId(99)).await.unwrap(), None);
        // Neither the address nor the hash is told to anyone.
        let told = serde_json::to_string(user).unwrap();
        assert!(!told.contains("email") && !told.contains("argon2"), "{told}");
    }

    async fn every_wrong_value_is_named(test: &TestArena) {
        let wrong = NewAccount {
            username: "1".into(),
            password: "short".into(),
            email: Some("nowhere".into()),
        };
        let refused = refused(test.arena.register(wrong, &device()).await);
        assert_eq!((refused.why, refused.code), (Why::Invalid, "invalid"));
        let fields: Vec<_> = refused.fields.iter().map(|it| &*it.field).collect();
        assert_eq!(fields, ["username", "password", "email"]);
        assert_eq!(test.count("select count(*) from users where created_at > 0").await, 0);
    }

    async fn names_are_unique_whatever_their_capitals_and_addresses_tell_nothing(test: &TestArena) {
        test.arena.register(new("ann", Some("Ann@Example.org")), &device()).await.unwrap();
        let taken = refused(test.arena.register(new("ANN", None), &device()).await);
        assert_eq!((taken.why, taken.code), (Why::Conflict, "username_taken"));
        let again = new("bob", Some("ann@example.ORG"));
        test.arena.register(again, &device()).await.unwrap();
    }

    async fn of_many_at_once_one_gets_the_name(test: &TestArena) {
        let other = test.another().await;
        let device = device();
        let tries = (0..6).map(|n| {
            let arena = if n % 2 == 0 { &test.arena } else { &other };
            arena.register(new("ann", None), &device)
        });
        let answers = futures_util::future::join_all(tries).await;
        let (made, refusals): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(made.len(), 1);
        for answer in refusals {
            assert_eq!(refused(answer).code, "username_taken");
        }
        assert_eq!(test.count("select count(*) from users where created_at > 0").await, 1);
        assert_eq!(test.count("select count(*) from identities").await, 1);
        test.leave(other).await;
    }

    async fn a_password_opens_its_own_account_only(test: &TestArena) {
        let ann =
            test.arena.register(new("Ann", Some("ann@example.org")), &device()).await.unwrap();
        test.arena.register(new("bob", None), &device()).await.unwrap();
        for login in ["ann", "ANN", "ann@example.org", "Ann@Example.Org"] {
            let session = test.arena.login(login, PASSWORD, &device()).await.unwrap();
            assert_eq!(session.user.id, ann.user.id);
        }
        let long = "a".repeat(100_000);
        let wrong = [
            ("ann", "correct Horse"),
            ("ann", ""),
            ("nobody", PASSWORD),
            ("", ""),
            ("ann\0", PASSWORD),
            ("ann' or '1'='1", PASSWORD),
            ("%", PASSWORD),
            ("_nn", PASSWORD),
            (&long, PASSWORD),
            ("ann", &long),
        ];
        let mut answers = Vec::new();
        for (login, password) in wrong {
            answers.push(refused(test.arena.login(login, password, &device()).await));
        }
        assert!(answers.iter().all(|it| *it == answers[0]), "one answer for all: {answers:?}");
        assert_eq!((answers[0].why, answers[0].code), (Why::Unauthenticated, "wrong_login"));
    }

    async fn telegram_makes_an_account_once(test: &TestArena) {
        let user = json!({
            "id": 4_503_599_627_370_495i64,
            "first_name": "  An\u{202e}n ",
            "last_name": "<script>",
            "language_code": "ru",
            "photo_url": "https://t.me/i/userpic/320/x.svg",
        });
        let now = seconds(test.clock.now());
        let init_data = signed(&[("user", &user.to_string()), ("auth_date", &now)]);
        let device = device();
        let tries = (0..4).map(|_| test.arena.telegram_sign_in(&init_data, &device));
        let sessions = futures_util::future::join_all(tries).await;
        let first = sessions[0].as_ref().unwrap().user.clone();
        for session in sessions {
            assert_eq!(session.unwrap().user, first);
        }
        assert_eq!(first.display_name, "Ann <script>");
        assert_eq!(first.username, None);
        assert_eq!(first.language, Language::Ru);
        assert_eq!(first.avatar_url.as_deref(), Some("https://t.me/i/userpic/320/x.svg"));
        assert_eq!(test.count("select count(*) from users where created_at > 0").await, 1);

        // A new picture is taken over, one that is no address on the web is not.
        for (photo, kept) in
            [("https://t.me/y.svg", Some("https://t.me/y.svg")), ("javascript:1", None)]
        {
            let user =
                json!({ "id": 4_503_599_627_370_495i64, "first_name": "A", "photo_url": photo });
            let init_data = signed(&[("user", &user.to_string()), ("auth_date", &now)]);
            let session = test.arena.telegram_sign_in(&init_data, &device).await.unwrap();
            assert_eq!(session.user.id, first.id);
            assert_eq!(session.user.avatar_url.as_deref(), kept);
            assert_eq!(
                session.user.display_name, "Ann <script>",
                "theirs to change, not Telegram's"
            );
        }
    }

    async fn who_telegram_does_not_vouch_for_stays_out(test: &TestArena) {
        let person = r#"{"id":7,"first_name":"Ann"}"#;
        let at = |offset: i64| ((test.clock.now() / 1000) + offset).to_string();
        let sign_in = async |fields: &[(&str, &str)]| {
            let answer = test.arena.telegram_sign_in(&signed(fields), &device()).await;
            let refused = refused(answer);
            assert_eq!(refused.why, Why::Unauthenticated);
            refused.code
        };
        assert_eq!(
            sign_in(&[("user", person), ("auth_date", &at(-86_401))]).await,
            "initdata_expired"
        );
        assert_eq!(sign_in(&[("user", person), ("auth_date", &at(61))]).await, "initdata_invalid");
        for date in ["", "-1", "1e20", "abc", "+1790000000", " 1790000000", "17900000001790000000"]
        {
            assert_eq!(sign_in(&[("user", person), ("auth_date", date)]).await, "initdata_invalid");
        }
        assert_eq!(sign_in(&[("user", person)]).await, "initdata_invalid");
        assert_eq!(sign_in(&[("auth_date", &at(0))]).await, "initdata_invalid");
        let people = [
            "",
            "null",
            "[]",
            "7",
            "{",
            r#"{"first_name":"Ann"}"#,
            r#"{"id":7}"#,
            r#"{"id":"7","first_name":"Ann"}"#,
            r#"{"id":1e3,"first_name":"Ann"}"#,
            r#"{"id":0,"first_name":"Ann"}"#,
            r#"{"id":-7,"first_name":"Ann"}"#,
            r#"{"id":9007199254740993,"first_name":"Ann"}"#,
            r#"{"id":9223372036854775808,"first_name":"Ann"}"#,
            r#"{"id":7,"first_name":"Ann","is_bot":true}"#,
        ];
        for person in people {
            assert_eq!(
                sign_in(&[("user", person), ("auth_date", &at(0))]).await,
                "initdata_invalid"
            );
        }
        assert_eq!(test.count("select count(*) from users where created_at > 0").await, 0);
    }

    async fn strange_names_are_cut_to_what_can_be_shown(test: &TestArena) {
        let (long, cut) = ("й".repeat(1000), "й".repeat(32));
        for (id, name, shown) in
            [(1, long.as_str(), cut.as_str()), (2, "\u{200b}", "Player"), (3, "", "Player")]
        {
            let person = json!({ "id": id, "first_name": name }).to_string();
            let init_data = signed(&[("user", &person), ("auth_date", &seconds(test.clock.now()))]);
            let session = test.arena.telegram_sign_in(&init_data, &device()).await.unwrap();
            assert_eq!(session.user.display_name, shown);
        }
    }

    async fn a_server_without_a_bot_says_so(test: &TestArena) {
        let options = arena::Options { telegram_token: None, ..test.options.clone() };
        // The next run, where there can be no other beside it.
        test.arena.close().await;
        let other = arena::Arena::open(options, test.clock.clone()).await.unwrap();
        let init_data = signed(&[("user", r#"{"id":7,"first_name":"Ann"}"#), ("auth_date", "1")]);
        let refused = refused(other.telegram_sign_in(&init_data, &device()).await);
        assert_eq!((refused.why, refused.code), (Why::NotFound, "telegram_off"));
        assert!(!refused.detail.contains(BOT_TOKEN));
        test.leave(other).await;
    }

    async fn only_what_is_given_is_changed(test: &TestArena) {
        let ann = test.player("Ann").await;
        let changed = test.arena.update_me(ann.id, Some(Language::Ru), None).await.unwrap();
        assert_eq!((changed.language, changed.display_name.as_str()), (Language::Ru, "Ann"));
        let name = Some("  Queen \t Ann'; drop table users; --".to_owned());
        let changed =
            test.arena.update_me(ann.id, None, name.map(|it| it[..20].to_owned())).await.unwrap();
        assert_eq!(
            (changed.language, changed.display_name.as_str()),
            (Language::Ru, "Queen Ann'; drop")
        );
        assert_eq!(test.arena.user(ann.id).await.unwrap().unwrap(), changed);

        for name in ["", "  ", "\u{200b}\u{202e}", &"a".repeat(33)] {
            let wrong = refused(test.arena.update_me(ann.id, None, Some(name.to_owned())).await);
            assert_eq!((wrong.why, &*wrong.fields[0].field), (Why::Invalid, "display_name"));
        }
        let nobody = refused(test.arena.update_me(UserId(99), Some(Language::En), None).await);
        assert_eq!(nobody.why, Why::NotFound);
    }
}

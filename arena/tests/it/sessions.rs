//! Sessions: the two tokens, their lives and their forgeries; and tickets for sockets.

use std::time::Duration;

use arena::{Arena, Error, Options, Pass, Refused, Secret, SessionId, Why};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::support::{JWT_SECRET, both, device, refused, seconds, signed, soon, until};

async fn sign_in(arena: &Arena, now: i64) -> arena::Session {
    let id = rand::random_range(1..1i64 << 52);
    let person = json!({ "id": id, "first_name": "Ann" }).to_string();
    let init_data = signed(&[("user", &person), ("auth_date", &seconds(now))]);
    arena.telegram_sign_in(&init_data, &device()).await.unwrap()
}

fn code<T: std::fmt::Debug>(answer: Result<T, Error>) -> &'static str {
    let Refused { why, code, .. } = refused(answer);
    assert_eq!(why, Why::Unauthenticated);
    code
}

both! {
    async fn refreshing_rotates(test: &TestArena) {
        let first = sign_in(&test.arena, test.clock.now()).await;
        test.clock.advance(Duration::from_secs(600));
        let second = test.arena.refresh(&first.refresh_token, &device()).await.unwrap();
        assert_ne!(second.refresh_token, first.refresh_token);
        assert_eq!(second.user, first.user);
        let [one, two] =
            [&first, &second].map(|it| test.arena.authenticate(&it.access_token).unwrap());
        assert_eq!(one, two, "still the same sign-in");
        let third = test.arena.refresh(&second.refresh_token, &device()).await.unwrap();
        assert_ne!(third.refresh_token, second.refresh_token);
    }

    async fn the_database_keeps_no_token(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        for (table, column) in [("refresh_tokens", "hash"), ("sessions", "user_agent")] {
            let token = &session.refresh_token;
            let found =
                test.count(format!("select count(*) from {table} where {column} like '%{token}%'"));
            assert_eq!(found.await, 0);
        }
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(&session.refresh_token).unwrap().len(), 32);
        assert!(!format!("{session:?}").contains(&session.refresh_token));
    }

    async fn a_spent_token_gives_the_newest_of_its_chain_for_a_while(test: &TestArena) {
        let first = sign_in(&test.arena, test.clock.now()).await;
        let refresh = async |token: &str| test.arena.refresh(token, &device()).await;
        let second = refresh(&first.refresh_token).await.unwrap();
        assert_eq!(
            refresh(&first.refresh_token).await.unwrap().refresh_token,
            second.refresh_token
        );
        test.clock.advance(Duration::from_secs(10));
        let third = refresh(&second.refresh_token).await.unwrap();
        assert_eq!(refresh(&first.refresh_token).await.unwrap().refresh_token, third.refresh_token);
        assert_eq!(
            refresh(&second.refresh_token).await.unwrap().refresh_token,
            third.refresh_token
        );
    }

    async fn reuse_after_the_grace_ends_the_family(test: &TestArena) {
        let other = test.another().await;
        let first = sign_in(&test.arena, test.clock.now()).await;
        let bystander = sign_in(&test.arena, test.clock.now()).await;
        let by = test.arena.authenticate(&first.access_token).unwrap();
        let ticket = test.arena.issue_ticket(&by).await.unwrap();
        let (mut here, mut there) = (test.arena.ended_sessions(), other.ended_sessions());
        let second = test.arena.refresh(&first.refresh_token, &device()).await.unwrap();
        test.clock.advance(Duration::from_millis(10_001));

        assert_eq!(
            code(test.arena.refresh(&first.refresh_token, &device()).await),
            "refresh_token_reused"
        );
        for token in [&first.refresh_token, &second.refresh_token] {
            for arena in [&test.arena, &other] {
                assert_eq!(code(arena.refresh(token, &device()).await), "refresh_token_invalid");
            }
        }
        // Sockets are told, on this process and on the other.
        assert_eq!(here.recv().await.unwrap(), by.session_id);
        assert_eq!(soon(there.recv()).await.unwrap(), by.session_id);
        for arena in [&test.arena, &other] {
            assert_eq!(code(arena.authenticate(&second.access_token)), "access_token_invalid");
        }
        assert_eq!(code(test.arena.redeem_ticket(&ticket.ticket).await), "ticket_invalid");
        test.arena.authenticate(&bystander.access_token).unwrap();
        test.arena.refresh(&bystander.refresh_token, &device()).await.unwrap();
        test.leave(other).await;
    }

    async fn many_at_once_stay_one_chain(test: &TestArena) {
        let arenas = [test.arena.clone(), test.another().await, test.another().await];
        let first = sign_in(&test.arena, test.clock.now()).await;
        let tries = (0..20).map(|n| {
            let (arena, token) = (arenas[n % 3].clone(), first.refresh_token.clone());
            tokio::spawn(
                async move { arena.refresh(&token, &device()).await.unwrap().refresh_token },
            )
        });
        let mut tokens: Vec<_> =
            futures_util::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "one successor");
        assert_eq!(test.count("select count(*) from refresh_tokens").await, 2);
        test.arena.refresh(&tokens[0], &device()).await.unwrap();
        for arena in arenas {
            test.leave(arena).await;
        }
    }

    async fn logging_out_ends_it(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        let another = sign_in(&test.arena, test.clock.now()).await;
        let by = test.arena.authenticate(&session.access_token).unwrap();
        let mut ended = test.arena.ended_sessions();
        test.arena.logout(&session.refresh_token).await.unwrap();
        assert_eq!(ended.recv().await.unwrap(), by.session_id);
        assert_eq!(code(test.arena.authenticate(&session.access_token)), "access_token_invalid");
        assert_eq!(
            code(test.arena.refresh(&session.refresh_token, &device()).await),
            "refresh_token_invalid"
        );
        // Once more, or with what is no token, there is nothing to end.
        for token in [session.refresh_token.as_str(), "", "x", "' or 1=1 --", "\0"] {
            test.arena.logout(token).await.unwrap();
        }
        test.arena.authenticate(&another.access_token).unwrap();
    }

    async fn a_new_process_knows_which_sessions_ended(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        test.arena.logout(&session.refresh_token).await.unwrap();
        let other = test.next_run().await;
        until("the new process has read them", async || {
            other.authenticate(&session.access_token).is_err()
        })
        .await;
        other.close().await;
    }

    async fn tokens_expire(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        test.clock.advance(Duration::from_secs(15 * 60 + 4));
        test.arena.authenticate(&session.access_token).expect("clocks may differ by 5 seconds");
        test.clock.advance(Duration::from_secs(1));
        assert_eq!(code(test.arena.authenticate(&session.access_token)), "access_token_invalid");

        let month = Duration::from_secs(30 * 24 * 60 * 60);
        let session = test.arena.refresh(&session.refresh_token, &device()).await.unwrap();
        test.clock.advance(month - Duration::from_millis(1));
        let session = test.arena.refresh(&session.refresh_token, &device()).await.unwrap();
        test.clock.advance(month);
        assert_eq!(
            code(test.arena.refresh(&session.refresh_token, &device()).await),
            "refresh_token_invalid"
        );
    }

    async fn what_is_of_no_more_use_is_swept(test: &TestArena) {
        sign_in(&test.arena, test.clock.now()).await;
        let ended = sign_in(&test.arena, test.clock.now()).await;
        test.arena.logout(&ended.refresh_token).await.unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        for (days, left) in [(2, 1), (40, 0)] {
            test.clock.advance(day * days);
            let other = test.next_run().await;
            until("the new process has swept", async || {
                test.count("select count(*) from sessions").await == left
                    && test.count("select count(*) from refresh_tokens").await == left
            })
            .await;
            other.close().await;
        }
    }

    async fn the_secret_is_made_once_for_all_processes(test: &TestArena) {
        let options = Options { jwt_secret: None, ..test.options.clone() };
        let open = || Arena::open(options.clone(), test.clock.clone());
        if !test.has_others() {
            // One after the other.
            test.arena.close().await;
            let first = open().await.unwrap();
            let session = sign_in(&first, test.clock.now()).await;
            first.close().await;
            let second = open().await.unwrap();
            second.authenticate(&session.access_token).unwrap();
            return second.close().await;
        }
        let arenas: Vec<_> = futures_util::future::join_all((0..3).map(|_| open())).await;
        let arenas: Vec<_> = arenas.into_iter().map(Result::unwrap).collect();
        let session = sign_in(&arenas[0], test.clock.now()).await;
        for arena in &arenas {
            arena.authenticate(&session.access_token).unwrap();
        }
        assert_eq!(code(test.arena.authenticate(&session.access_token)), "access_token_invalid");
        for arena in &arenas {
            arena.close().await;
        }
    }

    async fn a_ticket_opens_one_socket_soon(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        let by = test.arena.authenticate(&session.access_token).unwrap();
        let ticket = test.arena.issue_ticket(&by).await.unwrap();
        assert_eq!(ticket.expires_in, 30);
        assert!(!format!("{ticket:?}").contains(&ticket.ticket));
        assert_eq!(test.arena.redeem_ticket(&ticket.ticket).await.unwrap(), Pass::Member(by));
        assert_eq!(code(test.arena.redeem_ticket(&ticket.ticket).await), "ticket_invalid");

        let ticket = test.arena.issue_ticket(&by).await.unwrap();
        test.clock.advance(Duration::from_millis(29_999));
        let late = test.arena.issue_ticket(&by).await.unwrap();
        test.arena.redeem_ticket(&ticket.ticket).await.unwrap();
        test.clock.advance(Duration::from_secs(30));
        assert_eq!(code(test.arena.redeem_ticket(&late.ticket).await), "ticket_invalid");

        // No proof passes for another.
        let ticket = test.arena.issue_ticket(&by).await.unwrap().ticket;
        for wrong in [&session.access_token, &session.refresh_token, "", "\0"] {
            assert_eq!(code(test.arena.redeem_ticket(wrong).await), "ticket_invalid");
        }
        for wrong in [&ticket, &session.refresh_token] {
            assert_eq!(code(test.arena.authenticate(wrong)), "access_token_invalid");
        }
        for wrong in [&ticket, &session.access_token] {
            assert_eq!(code(test.arena.refresh(wrong, &device()).await), "refresh_token_invalid");
        }
    }
}

/// A token of these two, signed as its `alg` says, or else with HS256.
fn forge(header: &str, claims: &str, secret: &str) -> String {
    let text = [header, claims].map(|it| BASE64_URL_SAFE_NO_PAD.encode(it)).join(".");
    let signature = match header {
        it if it.contains("HS384") => mac::<Hmac<Sha384>>(secret, &text),
        it if it.contains("HS512") => mac::<Hmac<Sha512>>(secret, &text),
        _ => mac::<Hmac<Sha256>>(secret, &text),
    };
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn mac<M: Mac + KeyInit>(secret: &str, text: &str) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// The header and the claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let json = BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&json).unwrap()
    })
}

/// `object` with one member changed; taken out when `value` is null.
fn with(object: &Value, name: &str, value: Value) -> String {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.into(), value);
    }
    object.to_string()
}

both! {
    async fn forged_tokens_prove_nothing(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        let token = session.access_token.as_str();
        let [header, claims] = parts(token);
        let (head, body) = (header.to_string(), claims.to_string());
        test.arena.authenticate(&forge(&head, &body, JWT_SECRET)).expect("the control");

        let mut forged: Vec<String> = Vec::new();
        for algorithm in ["none", "nOnE", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
            let header = with(&header, "alg", json!(algorithm));
            let signed = forge(&header, &body, JWT_SECRET);
            let (text, _) = signed.rsplit_once('.').unwrap();
            forged.push(format!("{text}."));
            forged.push(text.to_owned());
            forged.push(format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode([0; 64])));
            forged.push(signed);
        }
        for (name, value) in [
            ("alg", Value::Null),
            ("alg", json!(256)),
            ("typ", Value::Null),
            ("typ", json!("JWT")),
            ("kid", Value::Null),
            ("kid", json!("0000000000000000")),
            ("crit", json!(["exp"])),
        ] {
            forged.push(forge(&with(&header, name, value), &body, JWT_SECRET));
        }
        for secret in ["", "another secret that is long enough", &JWT_SECRET[1..]] {
            forged.push(forge(&head, &body, secret));
        }
        let now = test.clock.now() / 1000;
        for (name, value) in [
            ("exp", json!(now - 5)),
            ("exp", Value::Null),
            ("exp", json!((now + 900).to_string())),
            ("exp", json!(-1)),
            ("nbf", json!(now + 6)),
            ("nbf", json!((now + 6).to_string())),
            ("iss", json!("artel.evil")),
            ("iss", Value::Null),
            ("aud", json!("artel")),
            ("aud", Value::Null),
            ("sub", json!("nobody")),
            ("sub", json!(1)),
            ("sub", Value::Null),
            ("sid", json!("")),
            ("sid", Value::Null),
            ("role", json!("god")),
            ("role", Value::Null),
        ] {
            forged.push(forge(&head, &with(&claims, name, value), JWT_SECRET));
        }
        for number in ["null", "1e400", "NaN", "18446744073709551616"] {
            let exp = format!("\"exp\":{}", claims["exp"]);
            let claims = body.replace(&exp, &format!("\"exp\":{number}"));
            assert_ne!(claims, body);
            forged.push(forge(&head, &claims, JWT_SECRET));
        }
        // Somebody else's claims under our signature, and ours with a part gone.
        let other = sign_in(&test.arena, test.clock.now()).await.access_token;
        let [ours, theirs] = [token, &other].map(|it| it.split('.').collect::<Vec<_>>());
        forged.push([ours[0], theirs[1], ours[2]].join("."));
        forged.extend([ours[..2].join("."), ours.join(" "), ours.concat(), format!("{token}.")]);
        forged.extend([String::new(), ".".into(), "..".into(), "\0".into(), "a".repeat(1 << 20)]);
        forged.push(format!("{token} "));
        for forgery in &forged {
            let answer = test.arena.authenticate(forgery);
            assert!(answer.is_err(), "taken for true: {forgery}");
            assert_eq!(code(answer), "access_token_invalid");
        }
    }

    async fn a_changed_letter_spoils_a_token(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        let token = session.access_token.as_str();
        for index in 0..token.len() {
            let letter = if token.as_bytes()[index] == b'A' { "B" } else { "A" };
            let changed = format!("{}{letter}{}", &token[..index], &token[index + 1..]);
            assert!(test.arena.authenticate(&changed).is_err(), "letter {index} of {token}");
        }
    }

    async fn a_role_comes_with_the_next_token(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        test.sql("update users set role = 'admin'").await;
        let role = |token: &str| test.arena.authenticate(token).unwrap().role;
        assert_eq!(role(&session.access_token), arena::Role::Player);
        let session = test.arena.refresh(&session.refresh_token, &device()).await.unwrap();
        assert_eq!(role(&session.access_token), arena::Role::Admin);
    }

    async fn another_secret_opens_nothing(test: &TestArena) {
        let session = sign_in(&test.arena, test.clock.now()).await;
        let secret = Secret::new("another secret, just as long as it must be");
        let options = Options { jwt_secret: Some(secret), ..test.options.clone() };
        // The next run, where there can be no other beside it.
        test.arena.close().await;
        let other = Arena::open(options, test.clock.clone()).await.unwrap();
        assert_eq!(code(other.authenticate(&session.access_token)), "access_token_invalid");
        test.leave(other).await;
    }

    async fn sessions_are_told_apart(test: &TestArena) {
        let one = sign_in(&test.arena, test.clock.now()).await;
        let two = sign_in(&test.arena, test.clock.now()).await;
        let ids: [SessionId; 2] =
            [&one, &two].map(|it| test.arena.authenticate(&it.access_token).unwrap().session_id);
        assert_ne!(ids[0], ids[1]);
    }
}

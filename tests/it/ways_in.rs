//! One person, one account: passwords lost and found, places where one is signed in, and two
//! accounts made one.

use serde_json::{Value, json};

use crate::{
    mailbox::Mailbox,
    provider::Provider,
    providers::{browser, explains, person, signed_in, there_and_back},
    support::{Answer, Client, PASSWORD, Server, both},
    telegram::{BOT_TOKEN, NO_TELEGRAM, init_data, now},
};

const OTHER: &str = "another horse battery";

async fn delete(by: &Client, path: &str) -> Answer {
    Answer::to(by.request("DELETE", path)).await
}

async fn put(by: &Client, path: &str, body: Value) -> Answer {
    Answer::to(by.request("PUT", path).json(&body)).await
}

async fn log_in(server: &Server, login: &str, password: &str) -> Answer {
    server.stranger().post("/api/auth/login", json!({"login": login, "password": password})).await
}

pub(crate) async fn device(server: &Server, username: &str) -> Client {
    let answer = log_in(server, username, PASSWORD).await;
    Client { session: answer.is(200).body.clone(), ..server.stranger() }
}

async fn by_telegram(server: &Server, id: i64) -> Client {
    let data = init_data(BOT_TOKEN, now(), &json!({"id": id, "first_name": "Ann"}));
    let answer = server.stranger().post("/api/auth/telegram", json!({"init_data": data})).await;
    Client { session: answer.is(200).body.clone(), ..server.stranger() }
}

both! {
    async fn places_where_one_is_signed_in(server: &Server) {
        let phone = server.person("ann").await;
        let (laptop, library) = (device(server, "ann").await, device(server, "ann").await);
        let eve = server.person("eve").await;
        let mine = phone.get("/api/me/sessions").await;
        let items = mine.is(200).body["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 3);
        assert_eq!(items.iter().filter(|it| it["current"] == true).count(), 1);
        assert!(items.iter().all(|it| it["address"] == "127.0.0.0/24"), "{items:?}");
        let listed = library.get("/api/me/sessions").await;
        let items = listed.is(200).body["items"].as_array().unwrap().clone();
        let here = items.iter().find(|it| it["current"] == true).unwrap()["id"].clone();
        let path = format!("/api/me/sessions/{}", here.as_str().unwrap());

        // Nobody else's.
        delete(&eve, &path).await.refuses(404, "not_found");
        let mut socket = library.open("/ws/lobby").await;
        delete(&phone, &path).await.is(204);
        delete(&phone, &path).await.refuses(404, "not_found");
        assert_eq!(socket.closed().await, 4401);
        library.get("/api/me").await.refuses(401, "access_token_invalid");
        let token = json!({"refresh_token": library.refresh_token()});
        library.post("/api/auth/refresh", token).await.refuses(401, "refresh_token_invalid");

        delete(&phone, "/api/me/sessions?others=1").await.is(204);
        laptop.get("/api/me").await.refuses(401, "access_token_invalid");
        phone.get("/api/me").await.is(200);
        delete(&phone, "/api/me/sessions").await.is(204);
        phone.get("/api/me").await.refuses(401, "access_token_invalid");
        eve.get("/api/me").await.is(200);
    }

    async fn a_stolen_token_closes_what_it_opened(server: &Server) {
        let ann = server.person("ann").await;
        let refresh = json!({"refresh_token": ann.refresh_token()});
        let next = ann.post("/api/auth/refresh", refresh.clone()).await;
        let later = Client { session: next.is(200).body.clone(), ..ann.clone() };
        let mut socket = later.open("/ws/lobby").await;
        server.home.sql("update refresh_tokens set spent_at = spent_at - 11000").await;
        ann.post("/api/auth/refresh", refresh).await.refuses(401, "refresh_token_reused");
        assert_eq!(socket.closed().await, 4401);
        server.logged("was used again").await;
    }

    async fn a_password_is_changed_by_who_knows_it(server: &Server) {
        let ann = server.person("ann").await;
        let elsewhere = device(server, "ann").await;
        for current in [json!(null), json!("wrong horse"), json!("x".repeat(500))] {
            let body = json!({"current": current, "password": OTHER});
            put(&ann, "/api/me/password", body).await.refuses(403, "wrong_password");
        }
        let body = json!({"current": PASSWORD, "password": "short"});
        put(&ann, "/api/me/password", body).await.refuses(422, "invalid");
        let body = json!({"current": PASSWORD, "password": OTHER});
        put(&ann, "/api/me/password", body).await.is(200);
        elsewhere.get("/api/me").await.refuses(401, "access_token_invalid");
        ann.get("/api/me").await.is(200);
        log_in(server, "ann", PASSWORD).await.refuses(401, "wrong_login");
        log_in(server, "ann", OTHER).await.is(200);
    }

    async fn an_address_that_somebody_says_is_theirs_shows_nothing(server: &Server) {
        let with = |name: &str, password: &str| {
            json!({"username": name, "password": password, "email": "ann@artel.example"})
        };
        let ann = server.stranger().post("/api/auth/register", with("ann", PASSWORD)).await;
        let ann = Client { session: ann.is(201).body.clone(), ..server.stranger() };
        // Confirmed, as if by a letter.
        let id = "(select id from users where username = 'ann')";
        server.home.sql(&format!("delete from email_claims where user_id = {id}")).await;
        let confirm = "update users set email = 'ann@artel.example' where username = 'ann'";
        server.home.sql(confirm).await;

        // Whoever says the same hears the same as for any other address, and what it is good for
        // is the same.
        let eve = server.stranger().post("/api/auth/register", with("eve", OTHER)).await;
        let eve = Client { session: eve.is(201).body.clone(), ..server.stranger() };
        let email = eve.get("/api/me/sign-in").await.is(200).body["email"].clone();
        assert_eq!(email, json!({"address": "ann@artel.example", "confirmed": false}));
        let mine = log_in(server, "ann@artel.example", OTHER).await;
        assert_eq!(mine.is(200).body["user"]["id"], eve.id());
        let theirs = log_in(server, "Ann@Artel.example", PASSWORD).await;
        assert_eq!(theirs.is(200).body["user"]["id"], ann.id());

        // Without a way to send one, nobody gets a new password, and all are told so alike.
        for login in ["ann", "eve", "nobody", "ann@artel.example", "", "\0"] {
            let answer =
                server.stranger().post("/api/auth/password/forgot", json!({"login": login})).await;
            assert_eq!(answer.is(202).body, json!({"ways": []}));
        }
        put(&eve, "/api/me/email", json!({"email": null})).await.is(204);
        log_in(server, "ann@artel.example", OTHER).await.refuses(401, "wrong_login");
        put(&eve, "/api/me/email", json!({"email": "nowhere"})).await.refuses(422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_found_by_letter() {
    let mailbox = Mailbox::open().await;
    let from = "Artel <artel@artel.example>";
    let variables = [("ARTEL_SMTP_URL", mailbox.url.as_str()), ("ARTEL_MAIL_FROM", from)];
    let server = Server::with(&variables).await;
    let body = json!({"username": "ann", "password": PASSWORD, "email": "ann@artel.example"});
    let ann = server.stranger().post("/api/auth/register", body).await;
    let ann = Client { session: ann.is(201).body.clone(), ..server.stranger() };
    let letter = mailbox.letter("ann@artel.example", 1).await;
    let body = json!({"username": "eve", "password": PASSWORD, "email": "eve@artel.example"});
    server.stranger().post("/api/auth/register", body).await.is(201);
    mailbox.letter("eve@artel.example", 1).await;
    assert!(letter.text.contains("From: Artel <artel@artel.example>"), "{}", letter.text);
    let forgot = async |login: &str| {
        let answer =
            server.stranger().post("/api/auth/password/forgot", json!({"login": login})).await;
        assert_eq!(answer.is(202).body, json!({"ways": ["email"]}));
    };
    let confirm = async |token: String| {
        server.stranger().post("/api/auth/email/confirm", json!({"token": token})).await
    };
    let reset = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password});
        server.stranger().post("/api/auth/password/reset", body).await
    };

    // To an address that nobody has confirmed, nothing is sent but the question.
    forgot("eve").await;
    confirm("x".to_owned()).await.refuses(410, "link_gone");
    reset(&letter.token(), OTHER).await.refuses(410, "link_gone");
    confirm(letter.token()).await.is(204);
    confirm(letter.token()).await.refuses(410, "link_gone");
    let email = ann.get("/api/me/sign-in").await.is(200).body["email"].clone();
    assert_eq!(email, json!({"address": "ann@artel.example", "confirmed": true}));
    forgot("nobody").await;
    forgot("ANN").await;
    let first = mailbox.letter("ann@artel.example", 2).await.token();
    forgot("ann@artel.example").await;
    let second = mailbox.letter("ann@artel.example", 3).await.token();
    // The newest counts.
    reset(&first, OTHER).await.refuses(410, "link_gone");
    reset(&second, "short").await.refuses(422, "invalid");
    let session = reset(&second, OTHER).await;
    assert_eq!(session.is(200).body["user"]["id"], ann.id());
    reset(&second, OTHER).await.refuses(410, "link_gone");
    // Whoever was signed in is not any more.
    ann.get("/api/me").await.refuses(401, "access_token_invalid");
    log_in(&server, "ann", PASSWORD).await.refuses(401, "wrong_login");
    let ann = Client { session: session.body.clone(), ..server.stranger() };
    ann.get("/api/me").await.is(200);

    // Nobody's letter box is filled.
    for _ in 0..6 {
        forgot("ann").await;
    }
    mailbox.letter("ann@artel.example", 4).await;
    let sent = "select count(*) from mail_tokens where email = 'ann@artel.example'";
    assert_eq!(server.home.number(sent).await, 4);
    assert_eq!(mailbox.count("eve@artel.example"), 1);
    assert!(!server.log().contains(&second) && !server.log().contains(OTHER));
    let kept = format!("select count(*) from mail_tokens where hash like '%{second}%'");
    assert_eq!(server.home.number(&kept).await, 0);

    // The operator can help too.
    let ran = server.home.artel(&["admin", "reset", "ann"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let token = ran.stdout.trim().rsplit_once('#').unwrap().1.to_owned();
    reset(&token, PASSWORD).await.is(200);
    assert_eq!(server.home.artel(&["admin", "reset", "nobody"], &[]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_become_one() {
    let server = Server::with(&[("TELOXIDE_TOKEN", BOT_TOKEN), NO_TELEGRAM]).await;
    merge(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_become_one_on_postgres() {
    let Some(home) = crate::support::Home::postgres().await else { return };
    merge(&Server::run(home, &[("TELOXIDE_TOKEN", BOT_TOKEN), NO_TELEGRAM]).await).await;
}

async fn merge(server: &Server) {
    // A web account, and the one that the Mini App has made; both have played.
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let other = by_telegram(server, 77).await;
    let id = |name: &str| format!("(select id from users where username = '{name}')");
    let telegram = "(select user_id from identities where provider = 'telegram')";
    for (number, players) in [
        (1, [id("ann"), id("bob")]),
        (2, [telegram.to_owned(), id("bob")]),
        // Against oneself.
        (3, [telegram.to_owned(), id("ann")]),
    ] {
        let [winner, loser] = &players;
        server
            .home
            .sql(&format!(
                "insert into matches (id, game, rules, options, seed, rated, status, created_at, \
                 updated_at, finished_at, winner) values ({number}, 'pong', 1, '{{}}', 1, true, \
                 'finished', 1, 1, {number}, {winner})"
            ))
            .await;
        for (seat, player) in [winner, loser].into_iter().enumerate() {
            server
                .home
                .sql(&format!(
                    "insert into match_players (match_id, seat, user_id, score, ready, \
                     finished_at) values ({number}, {seat}, {player}, 1, true, {number})"
                ))
                .await;
        }
    }
    for (user, rating, deviation, wins) in
        [(id("ann"), 1500, 90, 1), (telegram.to_owned(), 1700, 60, 2)]
    {
        server
            .home
            .sql(&format!(
                "insert into ratings values ({user}, 'pong', {rating}, {deviation}, 0.06, {wins}, \
                 0, 0, {wins}, {wins}, {wins})"
            ))
            .await;
    }

    // Neither is enough alone: what leads to another account is offered, nothing more.
    let data = init_data(BOT_TOKEN, now(), &json!({"id": 77, "first_name": "Ann"}));
    let link = json!({"init_data": data});
    let forged = json!({"init_data": data.replace("77", "78")});
    let path = "/api/auth/link/telegram";
    server.stranger().post(path, link.clone()).await.refuses(401, "unauthenticated");
    ann.post(path, forged).await.refuses(401, "initdata_invalid");
    assert_eq!(ann.get("/api/me/sign-in").await.is(200).body["offer"], Value::Null);
    ann.post(path, link.clone()).await.refuses(409, "merge_offered");
    let ways = ann.get("/api/me/sign-in").await;
    let offer = ways.is(200).body["offer"].clone();
    assert_eq!(offer["other"]["id"], other.id());
    assert_eq!((&offer["way"], &offer["matches"]), (&json!("telegram"), &json!(2)));
    let accept = json!({"id": offer["id"]});
    bob.post("/api/me/merge", accept.clone()).await.refuses(410, "merge_gone");
    device(server, "ann")
        .await
        .post("/api/me/merge", accept.clone())
        .await
        .refuses(410, "merge_gone");

    // Whoever is busy is left in peace.
    other.post("/api/queue/pong/join", json!({})).await.is(200);
    ann.post("/api/me/merge", accept.clone()).await.refuses(409, "merge_busy");
    other.post("/api/queue/pong/leave", json!({})).await.is(204);
    let room = other.post("/api/rooms", json!({"game": "pong"})).await;
    ann.post("/api/me/merge", accept.clone()).await.refuses(409, "merge_busy");
    let code = room.is(201).body["code"].as_str().unwrap().to_owned();
    other.post(&format!("/api/rooms/{code}/leave"), json!({})).await;

    // Once, also when it is asked for twice at once.
    let mut socket = other.open("/ws/lobby").await;
    let (a, b) = tokio::join!(
        ann.post("/api/me/merge", accept.clone()),
        ann.post("/api/me/merge", accept.clone()),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "{}\n{}", a.text, b.text);
    assert_eq!(socket.closed().await, 4401);
    other.get("/api/me").await.refuses(401, "access_token_invalid");
    assert_eq!(by_telegram(server, 77).await.id(), ann.id());
    assert_eq!(device(server, "ann").await.id(), ann.id());

    let history = ann.get(&format!("/api/users/{}/history", ann.id())).await;
    let items = history.is(200).body["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3);
    let stats = ann.get(&format!("/api/users/{}/stats", ann.id())).await;
    let pong = &stats.is(200).body["games"][0];
    assert_eq!((&pong["rating"], &pong["wins"]), (&json!(1700), &json!(3)));
    let left = format!(
        "select count(*) from match_players where user_id = {}",
        "(select id from users where merged_into is not null)"
    );
    assert_eq!(server.home.number(&left).await, 1, "only the match against oneself");
    ann.post("/api/me/merge", accept).await.refuses(410, "merge_gone");

    // By a password as well; and what both have can't be told apart.
    let password = |login: &str| json!({"login": login, "password": PASSWORD});
    ann.post("/api/auth/link/password", password("ann")).await.refuses(409, "same_account");
    ann.post("/api/auth/link/password", password("nobody")).await.refuses(401, "wrong_login");
    let data = init_data(BOT_TOKEN, now(), &json!({"id": 78, "first_name": "Bob"}));
    bob.post(path, json!({"init_data": data})).await.is(204);
    ann.post(path, json!({"init_data": data})).await.refuses(409, "merge_offered");
    let offer = ann.get("/api/me/sign-in").await.is(200).body["offer"]["id"].clone();
    ann.post("/api/me/merge", json!({"id": offer})).await.refuses(409, "merge_both_have");
    Answer::to(bob.request("DELETE", "/api/me/ways/telegram")).await.is(204);
    ann.post("/api/me/merge", json!({"id": offer})).await.refuses(410, "merge_gone");
    ann.post("/api/auth/link/password", password("bob")).await.refuses(409, "merge_offered");
    delete(&ann, "/api/me/merge").await.is(204);
    assert_eq!(ann.get("/api/me/sign-in").await.is(200).body["offer"], Value::Null);
    ann.post("/api/auth/link/password", password("bob")).await.refuses(409, "merge_offered");
    let offer = ann.get("/api/me/sign-in").await.is(200).body["offer"]["id"].clone();
    ann.post("/api/me/merge", json!({"id": offer})).await.is(200);
    log_in(server, "bob", PASSWORD).await.refuses(401, "wrong_login");
    // Nobody comes by the name.
    let body = json!({"username": "bob", "password": PASSWORD});
    server.stranger().post("/api/auth/register", body).await.refuses(409, "username_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_telegram_gets_a_password() {
    let server = Server::with(&[("TELOXIDE_TOKEN", BOT_TOKEN), NO_TELEGRAM]).await;
    let ann = by_telegram(&server, 77).await;
    server.person("taken").await;
    let set = async |username: Value| {
        let body = json!({"password": PASSWORD, "username": username});
        put(&ann, "/api/me/password", body).await
    };
    set(Value::Null).await.refuses(422, "invalid");
    set(json!("1")).await.refuses(422, "invalid");
    set(json!("Taken")).await.refuses(409, "username_taken");
    assert_eq!(set(json!("Ann_B")).await.is(200).body["username"], "Ann_B");
    assert_eq!(log_in(&server, "ann_b", PASSWORD).await.is(200).body["user"]["id"], ann.id());
    let ways = ann.get("/api/me/sign-in").await;
    assert_eq!(ways.is(200).body["ways"].as_array().unwrap().len(), 2);
    Answer::to(ann.request("DELETE", "/api/me/ways/telegram")).await.is(204);
    delete(&ann, "/api/me/ways/password").await.refuses(409, "last_way_in");
    assert_ne!(by_telegram(&server, 77).await.id(), ann.id());
}

/// `GET /auth/google?link=1`: with an access token it leads to Google, to join what one is there.
#[tokio::test(flavor = "multi_thread")]
async fn google_is_joined_by_going_there() {
    let provider = Provider::start().await;
    let server = Server::with(&provider.variables()).await;
    let ann = person(&server, "ann").await;
    let answer = there_and_back(&ann, "/auth/google?link=1").await;
    assert_eq!(answer.is(303).header("location"), "/security#linked");
    assert_eq!(answer.header("set-cookie"), "", "nobody else is signed in by it");
    let ways = ann.get("/api/me/sign-in").await;
    assert_eq!(ways.is(200).body["ways"][1]["way"], "google");
    let elsewhere = browser(&server);
    there_and_back(&elsewhere, "/auth/google").await.is(303);
    assert_eq!(signed_in(&elsewhere).await.id(), ann.id());
    // A browser goes by itself and shows no token: the page asks for its owner's word first.
    let stranger = server.stranger();
    for path in ["/auth/google?link=1", "/auth/google?link=1&next=//evil.example"] {
        assert_eq!(stranger.get(path).await.is(303).header("location"), "/security");
        let lapsed = ann.bearing("x").get(path).await;
        assert_eq!(lapsed.is(303).header("location"), "/security");
    }
    // Another's is not taken over by it, and nor is another's word.
    let bob = person(&server, "bob").await;
    explains(&there_and_back(&bob, "/auth/google?link=1").await, 409, "merge_offered");
    let identities = "select count(*) from identities where provider = 'google'";
    assert_eq!(server.home.number(identities).await, 1);
}

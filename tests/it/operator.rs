//! What the operator does to those who sign in: keys changed, roles given; and what the bot does
//! for who has lost a password.

use serde_json::json;

use crate::{
    support::{
        Answer, Client, Home, JWT_SECRET, PASSWORD, Server,
        world::{ANN, World, text},
    },
    ways_in::device,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_key_changes_and_nobody_is_signed_out() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let new = "a newer secret that only tests ever use";
    let both = [("JWT_SECRET", new), ("JWT_OLD_SECRET", JWT_SECRET)];
    let server = server.restart("TERM", &both).await;
    let ann = Client { base: server.base.clone(), ..ann };
    ann.get("/api/me").await.is(200);
    let refresh = json!({"refresh_token": ann.refresh_token()});
    let next = ann.post("/api/auth/refresh", refresh.clone()).await;
    let ann = Client { session: next.is(200).body.clone(), ..ann };
    ann.get("/api/me").await.is(200);
    // Without the old one at once: what it signed is refused, but no sign-in has ended.
    let newest = "the newest secret that only tests ever use";
    let server = server.restart("TERM", &[("JWT_SECRET", newest)]).await;
    let ann = Client { base: server.base.clone(), ..ann };
    ann.get("/api/me").await.refuses(401, "access_token_invalid");
    let refresh = json!({"refresh_token": ann.refresh_token()});
    ann.post("/api/auth/refresh", refresh).await.is(200);

    // The one that is kept in the database.
    let kept = [("JWT_SECRET", "")];
    let server = server.restart("TERM", &kept).await;
    let bob = server.person("bob").await;
    assert_eq!(server.home.artel(&["admin", "rotate-key"], &kept).code, Some(0));
    assert_eq!(server.home.artel(&["admin", "rotate-key"], &[]).code, Some(1));
    let before = bob.access_token().split('.').next().unwrap().to_owned();
    let server = server.restart("TERM", &kept).await;
    let bob = Client { base: server.base.clone(), ..bob };
    bob.get("/api/me").await.is(200);
    let after = server.person("carl").await;
    assert_ne!(after.access_token().split('.').next().unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_by_the_operator() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    for (words, expected) in [
        (&["admin", "grant", "ann"][..], "admin"),
        (&["admin", "grant", "ANN", "moderator"][..], "moderator"),
        (&["admin", "grant", "ann", "player"][..], "player"),
    ] {
        assert_eq!(server.home.artel(words, &[]).code, Some(0));
        assert_eq!(device(&server, "ann").await.session["user"]["role"], expected);
    }
    assert_ne!(server.home.artel(&["admin", "grant", "ann", "owner"], &[]).code, Some(0));
    assert_eq!(ann.session["user"]["role"], "player");
}

/// Who is linked with Telegram hears from the bot, once in a while, and from nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_found_by_the_bot() {
    let world = World::on(Home::sqlite()).await;
    let ann = world.open_app(ANN).await;
    let password = json!({"password": PASSWORD, "username": "ann_b"});
    let set = ann.request("PUT", "/api/me/password").json(&password);
    Answer::to(set).await.is(200);
    let stranger = world.server.stranger();
    for _ in 0..3 {
        let lost = stranger.post("/api/auth/password/forgot", json!({"login": "Ann_B"})).await;
        assert_eq!(lost.is(202).body, json!({"ways": ["telegram"]}));
    }
    let letter = world.telegram.shown(Some(ANN.id), |it| text(it).contains("/reset#")).await;
    let token = text(&letter).split_once('#').unwrap().1.split_whitespace().next().unwrap();
    let newer = "another horse battery";
    let body = json!({"token": token, "password": newer});
    let session = stranger.post("/api/auth/password/reset", body).await;
    assert_eq!(session.is(200).body["user"]["id"], ann.id());
    let login = json!({"login": "ann_b", "password": newer});
    stranger.post("/api/auth/login", login).await.is(200);
    let told = world.telegram.calls_so_far("sendmessage");
    let told = told.iter().filter(|it| it["text"].as_str().unwrap().contains("/reset#")).count();
    assert!((1..=2).contains(&told), "{told} messages, in at most two steps of ten minutes");
    let kept = format!("select count(*) from outbox where notice like '%{token}%'");
    assert_eq!(world.server.home.number(&kept).await, 0);
    assert!(!world.server.log().contains(token));
}

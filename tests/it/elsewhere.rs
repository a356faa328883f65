//! Whatever process somebody's socket is at: the match, the news, and the way to where the match
//! is run.

use serde_json::{Value, json};

use crate::support::{
    Client, Socket,
    cluster::{Cluster, ORIGIN, open},
};

/// The same person, who speaks to another process.
fn at(cluster: &Cluster, index: usize, who: &Client) -> Client {
    Client { base: cluster.server(index).base.clone(), ..who.clone() }
}

/// Somebody's page of the lobby at a process.
async fn page(cluster: &Cluster, index: usize, who: &Client) -> Socket {
    open(&at(cluster, index, who), "/ws/lobby").await
}

/// The next queue update for Pong that says that they wait, at this place.
async fn placed(page: &mut Socket, position: u64) -> Value {
    let waits = |it: &Value| it["status"] == "waiting" && it["position"] == position;
    page.hear_that("queue_update", |it| it["game"] == "pong" && waits(it)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_concerns_people_reaches_them_at_any_process() {
    let Some(cluster) = Cluster::start().await else { return };
    let (ann, bob) = (cluster.server(2).person("ann").await, cluster.server(2).person("bob").await);
    let eve = cluster.server(2).person("eve").await;
    let mut anns = page(&cluster, 0, &ann).await;
    anns.hear("queue_update").await;

    // Notifications, and presence.
    bob.post("/api/friends/requests", json!({"user_id": ann.id()})).await.is(201);
    anns.hear_that("notification", |it| it["kind"] == "friend_request").await;
    let accept = format!("/api/friends/requests/{}/accept", bob.id());
    ann.post(&accept, json!({})).await.is(204);
    let mut bobs = page(&cluster, 1, &bob).await;
    let here = |who: &Client, status: &str| {
        let (id, status) = (who.id().to_owned(), status.to_owned());
        move |it: &Value| it["user_id"] == id && it["presence"]["status"] == status
    };
    anns.hear_that("presence", here(&bob, "online")).await;

    // Rooms, and what is said in them.
    let room = ann.post("/api/rooms", json!({"game": "pong"})).await.is(201).body.clone();
    let code = room["code"].as_str().unwrap();
    let members = |count: usize| {
        move |it: &Value| it["room"]["members"].as_array().is_some_and(|it| it.len() == count)
    };
    anns.hear_that("room_update", members(1)).await;
    let bob_there = at(&cluster, 1, &bob);
    bob_there.post(&format!("/api/rooms/{code}/join"), json!({})).await.is(200);
    anns.hear_that("room_update", members(2)).await;
    bobs.say(json!({"type": "chat", "room": code, "text": "hello"})).await;
    assert_eq!(anns.hear("chat").await["text"], "hello");
    for who in [&bob, &ann] {
        who.post(&format!("/api/rooms/{code}/leave"), json!({})).await.is(204);
    }
    anns.hear_that("room_update", |it| it["room"].is_null()).await;

    // Places in the queue, and the match. Eve is out of the others' reach.
    let far = "insert into ratings (user_id, game, rating, deviation, volatility, wins, losses, \
               draws, streak, best_streak, rated_at) select id, 'pong', 3000, 60, 0.06, 0, 0, 0, \
               0, 0, extract(epoch from now()) * 1000 from users where username = 'eve'";
    cluster.home.sql(far).await;
    at(&cluster, 1, &eve).post("/api/queue/pong/join", json!({})).await.is(200);
    ann.post("/api/queue/pong/join", json!({})).await.is(200);
    placed(&mut anns, 2).await;
    at(&cluster, 1, &eve).post("/api/queue/pong/leave", json!({})).await.is(204);
    placed(&mut anns, 1).await;
    bob.post("/api/queue/pong/join", json!({})).await.is(200);
    let matched = anns.hear("matched").await["match_id"].clone();
    assert_eq!(bobs.hear("matched").await["match_id"], matched);
    anns.hear_that("presence", here(&bob, "playing")).await;
}

/// Fly.io's proxy is asked to bring a socket to its match, once, and nothing depends on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_steered_to_its_match() {
    let Some(cluster) = Cluster::start().await else { return };
    let (ann, _bob, id) = cluster.server(0).pair("ann", "bob").await;
    let owner = cluster.owner(&id).await;
    let elsewhere = at(&cluster, cluster.other_than(&[owner]), &ann);
    let origin = ("origin", ORIGIN);
    let by_fly = ("fly-request-id", "01HGTAKJ8F2C0ZP8QXBYF2KEYV-ams");
    let address = |ticket: &str| format!("/ws/game/{id}?ticket={ticket}");

    let ticket = address(&elsewhere.ticket().await);
    let steered = elsewhere.knock_with(&ticket, &[origin, by_fly]).await.unwrap_err();
    let replay = format!("instance=m{owner};timeout=1s;fallback=prefer_self");
    assert_eq!(steered.is(200).header("fly-replay"), replay);
    // It is brought there with the ticket that it came with.
    let brought = [origin, by_fly, ("fly-replay-src", "instance=m9;region=ams;t=1")];
    let there = at(&cluster, owner, &ann);
    there.knock_with(&ticket, &brought).await.unwrap().hear("game_state").await;

    // Whatever did not come by the proxy, is there, or was steered already, is served.
    let failed = [origin, by_fly, ("fly-replay-failed", "instance=m9;reason=timeout")];
    for (client, headers) in [
        (&elsewhere, &[origin][..]),
        (&there, &[origin, by_fly]),
        (&elsewhere, &brought),
        (&elsewhere, &failed),
    ] {
        let ticket = address(&client.ticket().await);
        let socket = client.knock_with(&ticket, headers).await;
        let state =
            socket.unwrap_or_else(|it| panic!("{headers:?}: {it:?}")).hear("game_state").await;
        assert_eq!(state["status"], "pending", "{headers:?}");
    }
}

//! The REST contract: what is answered to those who keep it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Server, both};

both! {
    async fn who_i_am(server: &Server) {
        server.stranger().get("/api/me").await.refuses(401, "unauthenticated");
        let ann = server.person("ann").await;
        let me = ann.get("/api/me").await;
        let user = &me.is(200).body["user"];
        let nothing = json!({
            "user": user, "match": null, "queue": null, "room": null,
            "telegram": false, "telegram_linked": false, "app_link": null,
        });
        assert_eq!(me.body, nothing);
        assert_eq!(user["id"], ann.id());
        assert_eq!(user["language"], "en");
        let created_at = user["created_at"].as_str().unwrap();
        assert!(created_at.ends_with('Z') && created_at.contains('T'), "{created_at}");

        let changes = json!({"language": "ru", "display_name": " Аня "});
        let changed = ann.patch("/api/me", changes).await;
        assert_eq!(changed.is(200).body["display_name"], "Аня");
        assert_eq!(ann.patch("/api/me", json!({})).await.is(200).body, changed.body);
        assert_eq!(ann.get("/api/me").await.is(200).body["user"], changed.body);
        assert_eq!(changed.body["username"], "ann");

        for (body, field) in [
            (json!({"display_name": ""}), "display_name"),
            (json!({"display_name": "x".repeat(33)}), "display_name"),
            (json!({"display_name": 7}), "display_name"),
            (json!({"language": "de"}), "language"),
            (json!({"role": "admin"}), "role"),
            (json!({"rating": 3000}), "rating"),
            (json!({"user_id": "00000000001"}), "user_id"),
            (json!({"language": "en", "is_admin": true}), "is_admin"),
        ] {
            let answer = ann.patch("/api/me", body).await;
            assert_eq!(answer.refuses(422, "invalid").body["errors"][0]["field"], field);
        }
        assert_eq!(ann.get("/api/me").await.is(200).body["user"], changed.body);
    }

    async fn from_the_queue_to_a_match(server: &Server) {
        let (ann, bob, eve) =
            tokio::join!(server.person("ann"), server.person("bob"), server.person("eve"));
        let idle = ann.get("/api/queue/pong").await;
        assert_eq!(idle.is(200).body, json!({"status": "idle", "waiting": 0}));
        ann.post("/api/queue/pong/leave", json!({})).await.is(204);

        let joined = ann.post("/api/queue/pong/join", json!({"chat_id": "-100123"})).await;
        assert_eq!(joined.is(200).body["status"], "waiting");
        assert_eq!(joined.body["position"], 1);
        assert_eq!(joined.body["waiting"], 1);
        // Without a body as well; joining twice is one entry.
        let again = Answer::to(ann.request("POST", "/api/queue/pong/join")).await;
        assert_eq!(again.is(200).body["waiting"], 1);
        let me = ann.get("/api/me").await;
        assert_eq!(me.is(200).body["queue"]["game"], "pong");
        let status = ann.get("/api/queue/pong").await;
        assert_eq!(status.is(200).body["since"], me.body["queue"]["since"]);
        assert_eq!(eve.get("/api/queue/pong").await.is(200).body["waiting"], 1);

        ann.post("/api/queue/pong/leave", json!({})).await.is(204);
        assert_eq!(ann.get("/api/me").await.is(200).body["queue"], Value::Null);
        ann.post("/api/queue/pong/join", json!({})).await.is(200);
        bob.post("/api/queue/pong/join", json!({})).await.is(200);
        let id = ann.matched().await;
        assert_eq!(bob.matched().await, id);
        let me = ann.get("/api/me").await;
        assert_eq!(me.is(200).body["match"], json!({"id": id, "game": "pong"}));
        assert_eq!(ann.get("/api/queue/pong").await.is(200).body["status"], "matched");
        assert_eq!(eve.get("/api/queue/pong").await.is(200).body["status"], "idle");

        let found = server.stranger().get(&format!("/api/matches/{id}")).await;
        let found = &found.is(200).body;
        assert_eq!(found["id"], id);
        assert_eq!(found["game"], "pong");
        assert_eq!(found["status"], "pending");
        assert_eq!(found["winner"], Value::Null);
        assert!(found["options"].is_object(), "{found}");
        for (seat, side) in [(0, "left"), (1, "right")] {
            let player = &found["players"][seat];
            assert_eq!(player["seat"], seat);
            assert_eq!(player["side"], side);
            assert_eq!(player["score"], 0);
            assert_eq!(player["ready"], false);
            let fields: Vec<_> = player["user"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(fields, ["avatar_url", "display_name", "id", "username"]);
        }
        for path in ["/api/matches?live=1", "/api/matches?live=1&game=pong"] {
            let live = server.stranger().get(path).await;
            assert_eq!(live.is(200).body["items"][0]["id"], id, "{path}");
        }
    }

    async fn people_as_others_see_them(server: &Server) {
        let ann = server.person("ann").await;
        let path = format!("/api/users/{}", ann.id());
        let profile = server.stranger().get(&path).await;
        let fields: BTreeSet<_> = profile.is(200).body.as_object().unwrap().keys().collect();
        let expected = ["avatar_url", "created_at", "display_name", "id", "ratings", "username"];
        assert!(fields.into_iter().eq(&expected), "{}", profile.text);
        assert_eq!(profile.body["ratings"], json!([]));
        let stats = server.stranger().get(&format!("{path}/stats")).await;
        assert_eq!(stats.is(200).body, json!({"games": []}));
        let history = server.stranger().get(&format!("{path}/history")).await;
        assert_eq!(history.is(200).body["items"], json!([]));
        let top = server.stranger().get("/api/games/pong/top").await;
        assert_eq!(top.is(200).body, json!({"items": []}));

        for (query, field) in [
            ("limit=-1", "limit"),
            ("limit=x", "limit"),
            ("limit=1e9", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=' or 1=1 --", "cursor"),
            ("sort=password", "sort"),
            ("limit=5&limit=6", "limit"),
        ] {
            let answer = server.stranger().get(&format!("{path}/history?{query}")).await;
            let problem = &answer.refuses(422, "invalid").body;
            assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
        }
        server.stranger().get(&format!("{path}/history?limit=1000000000")).await.is(200);
    }
}

#[tokio::test]
async fn the_games() {
    let server = Server::start().await;
    let games = server.stranger().get("/api/games").await;
    let pong = &games.is(200).body["items"][0];
    assert_eq!(pong["name"], "pong");
    assert_eq!(pong["title"], "Pong");
    assert_eq!(pong["seats"], json!({"min": 2, "max": 2}));
    assert_eq!(pong["rated"], true);
    assert_eq!(pong["computer"], true);
    assert_eq!(pong["options"]["schema"]["type"], "object");
    assert!(pong["options"]["default"].is_object());
}

#[tokio::test]
async fn the_document_and_its_page() {
    let server = Server::start().await;
    let answer = server.stranger().get("/api/openapi.json").await;
    let document = &answer.is(200).body;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, kind) in [
        ("GameState", "game_state"),
        ("GameUpdate", "game_update"),
        ("PlayerUpdate", "player_update"),
        ("ScoreUpdate", "score_update"),
        ("GameOver", "game_over"),
        ("RematchUpdate", "rematch"),
        ("ChatSaid", "chat"),
        ("PongReply", "pong"),
        ("SocketError", "error"),
    ] {
        assert_eq!(schemas[name]["properties"]["type"]["const"], kind);
        assert!(schemas[name]["required"].as_array().unwrap().contains(&json!("type")));
    }
    for name in ["LobbyMessage", "PongUpdate", "PongView", "PongAction", "PongOptions", "Problem"] {
        assert!(schemas.contains_key(name), "{name}");
    }
    // Whatever is referred to is there.
    let text = answer.text.as_str();
    assert!(!text.contains("$defs"));
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    // Whatever is described is there, and refuses as described.
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{game}", "pong").replace("{id}", "00000000000");
            let request = server.stranger().request(&method.to_uppercase(), &path);
            let answer = Answer::to(request).await;
            match operation.get("security") {
                Some(_) => _ = answer.refuses(401, "unauthenticated"),
                None if path == "/api/auth/refresh" => {
                    answer.refuses(401, "refresh_token_missing");
                }
                None => assert!(!matches!(answer.status, 401 | 405 | 500..), "{method} {path}"),
            }
            assert!(operation["responses"]["default"].is_object());
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        }
    }

    let page = server.stranger().get("/api/docs").await;
    assert!(page.is(200).header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("//"), "it loads from elsewhere");
    assert!(!page.text.contains("style=") && !page.text.contains("<style"));
    for part in page.text.split("src=\"").chain(page.text.split("rel=\"stylesheet\" href=\"")) {
        if let Some(path) = part.split('"').next().filter(|it| it.starts_with("/api/docs/")) {
            let kind = if path.ends_with(".js") { "text/javascript" } else { "text/css" };
            let file = server.stranger().get(path).await;
            assert!(file.is(200).header("content-type").starts_with(kind));
        }
    }
    let printed = server.home.artel(&["openapi"], &[]);
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), *document);
}

//! Who may do what: the table of docs/security.md, tried out.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Server};

/// Who may do something, by the table.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Anyone,
    SignedIn,
    TheTwo,
    Players,
    Members,
    Host,
    Moderators,
    Administrators,
}

impl Who {
    fn parse(text: &str) -> Who {
        match text {
            "anyone" => Who::Anyone,
            "signed in" => Who::SignedIn,
            "the two" => Who::TheTwo,
            "its players" => Who::Players,
            "members" => Who::Members,
            "the host" => Who::Host,
            "moderators" => Who::Moderators,
            "administrators" => Who::Administrators,
            other => panic!("the table names {other:?}, whom nobody knows"),
        }
    }

    fn is_for_staff(self) -> bool {
        matches!(self, Who::Moderators | Who::Administrators)
    }

    /// What somebody hears who is signed in, is nobody special, and may not.
    fn refusal(self) -> Option<(u16, &'static str)> {
        match self {
            Who::Anyone | Who::SignedIn => None,
            Who::TheTwo => Some((404, "")),
            Who::Players => Some((403, "not_a_player")),
            Who::Members => Some((403, "not_member")),
            Who::Host => Some((403, "not_host")),
            Who::Moderators => Some((403, "not_moderator")),
            Who::Administrators => Some((403, "not_admin")),
        }
    }
}

fn table() -> BTreeMap<String, Who> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let (operation, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let is_operation = operation.split_once(' ').is_some_and(|it| it.1.starts_with('/'));
        is_operation.then(|| (operation.to_owned(), Who::parse(rest.trim_end_matches(" |"))))
    });
    rows.collect()
}

/// What there is to do something to.
struct Things {
    code: String,
    match_id: String,
    report: String,
    sanction: String,
    /// Whom most is about.
    ann: String,
    /// Whom others may ask to be a friend.
    bob: String,
}

impl Things {
    fn path(&self, path: &str) -> String {
        let id = match path {
            _ if path.starts_with("/api/matches/") => &self.match_id,
            _ if path.starts_with("/api/moderation/reports/") => &self.report,
            _ if path.starts_with("/api/moderation/sanctions/") => &self.sanction,
            _ => &self.ann,
        };
        let path = path.replace("{id}", id).replace("{code}", &self.code);
        let path = path.replace("{game}", "pong").replace("{table}", "eight_ball");
        path.replace("{way}", "telegram")
    }

    /// A body that is well-formed, so that it is not what is refused.
    fn body(&self, operation: &str) -> Value {
        match operation {
            "POST /api/matches" => json!({"game": "pong", "opponent": "computer"}),
            "POST /api/rooms" => json!({"game": "pong", "private": true}),
            "POST /api/rooms/{code}/seat" => json!({"seated": true}),
            "POST /api/rooms/{code}/ready" => json!({"ready": true}),
            "POST /api/rooms/{code}/host"
            | "POST /api/rooms/{code}/kick"
            | "POST /api/rooms/{code}/invite" => json!({"user_id": self.ann}),
            "POST /api/friends/requests" => json!({"user_id": self.bob}),
            "PUT /api/blocks/{id}" => json!({"kind": "mute"}),
            "POST /api/reports" => json!({"user_id": self.ann, "reason": "spam"}),
            "POST /api/moderation/reports/{id}/close" => json!({"verdict": "dismissed"}),
            "POST /api/moderation/users/{id}/sanctions" => {
                json!({"kind": "mute", "seconds": 60, "reason": "a test"})
            }
            "PUT /api/admin/users/{id}/role" => json!({"role": "player"}),
            _ => json!({}),
        }
    }
}

async fn attempt(by: &Client, things: &Things, operation: &str) -> Answer {
    let (method, path) = operation.split_once(' ').unwrap();
    // Whoever signed themselves out could try no more.
    let but = if operation == "DELETE /api/me/sessions" { "?others=1" } else { "" };
    let request = by.request(method, &format!("{}{but}", things.path(path)));
    let request = if method == "GET" { request } else { request.json(&things.body(operation)) };
    let answer = Answer::to(request).await;
    assert!(!matches!(answer.status, 405 | 500), "{operation}: {}", answer.text);
    answer
}

/// Leaves whatever room they came to be in.
async fn go_home(who: &Client) {
    let me = who.get("/api/me").await;
    if let Some(code) = me.is(200).body["room"]["code"].as_str() {
        who.post(&format!("/api/rooms/{code}/leave"), json!({})).await.is(204);
    }
}

async fn with_role(server: &Server, name: &str, role: &str) -> Client {
    let person = server.person(name).await;
    let change = format!("update users set role = '{role}' where username_key = '{name}'");
    server.home.sql(&change).await;
    person
}

#[tokio::test]
async fn each_operation_is_for_whom_the_table_says() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let (eve, dan) = (server.person("eve").await, server.person("dan").await);
    let moe = with_role(&server, "moe", "moderator").await;
    let ada = with_role(&server, "ada", "admin").await;

    let made = json!({"game": "pong", "opponent": "computer"});
    let made = bob.post("/api/matches", made).await.is(201).body.clone();
    let room = ann.post("/api/rooms", json!({"game": "pong", "private": true})).await;
    ann.post("/api/friends/requests", json!({"user_id": bob.id()})).await.is(201);
    let report = json!({"user_id": bob.id(), "reason": "other"});
    let report = ann.post("/api/reports", report).await.is(201).body["id"].clone();
    let sanction = json!({"kind": "mute", "seconds": 600, "reason": "a test"});
    let path = format!("/api/moderation/users/{}/sanctions", bob.id());
    let sanction = moe.post(&path, sanction).await.is(201).body["id"].clone();
    let ban = json!({"kind": "ban", "reason": "a test"});
    let path = format!("/api/moderation/users/{}/sanctions", dan.id());
    moe.post(&path, ban).await.is(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let things = Things {
        code: text(&room.is(201).body["code"]),
        match_id: text(&made["id"]),
        report: text(&report),
        sanction: text(&sanction),
        ann: ann.id().to_owned(),
        bob: bob.id().to_owned(),
    };

    let document = server.stranger().get("/api/openapi.json").await.is(200).body.clone();
    let mut table = table();
    let mut unlisted = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let operation = format!("{} {path}", method.to_uppercase());
            let Some(who) = table.remove(&operation) else {
                unlisted.push(operation);
                continue;
            };
            let nobody = attempt(&server.stranger(), &things, &operation).await;
            let banned = attempt(&dan, &things, &operation).await;
            if who == Who::Anyone {
                for answer in [&nobody, &banned] {
                    assert_ne!(answer.status, 403, "{operation}: {}", answer.text);
                    assert_ne!(answer.body["code"], "unauthenticated", "{operation}");
                }
                continue;
            }
            nobody.refuses(401, "unauthenticated");
            banned.refuses(401, "access_token_invalid");

            let may = |answer: &Answer| {
                let refused = matches!(answer.status, 401 | 403);
                assert!(!refused, "{operation} is refused to who may: {}", answer.text);
            };
            for (person, rank) in [(&eve, 0), (&moe, 1), (&ada, 2)] {
                let answer = attempt(person, &things, &operation).await;
                let needed = if who == Who::Moderators { 1 } else { 2 };
                let needed = if who.is_for_staff() { needed } else { 3 };
                match who.refusal() {
                    Some((status, code)) if rank < needed => {
                        answer.is(status);
                        assert!(code.is_empty() || answer.body["code"] == code, "{}", answer.text);
                    }
                    _ => may(&answer),
                }
                go_home(person).await;
            }
            if matches!(who, Who::Members | Who::Host) && !operation.ends_with("/invite") {
                may(&attempt(&ann, &things, &operation).await);
            }
        }
    }
    assert!(unlisted.is_empty(), "docs/security.md says nothing of {unlisted:#?}");
    assert!(table.is_empty(), "docs/security.md lists what there is not: {table:?}");
}

#[tokio::test]
async fn nobody_gives_themselves_more_than_they_have() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let more = ["role", "is_admin", "rating", "coins", "telegram_id", "created_at", "hidden"];
    for (method, path, body) in [
        ("PATCH", "/api/me".to_owned(), json!({"language": "en"})),
        ("POST", "/api/rooms".to_owned(), json!({"game": "pong"})),
        ("POST", "/api/queue/pong/join".to_owned(), json!({})),
        ("POST", "/api/friends/requests".to_owned(), json!({"user_id": bob.id()})),
        ("PUT", format!("/api/blocks/{}", bob.id()), json!({"kind": "mute"})),
        ("POST", "/api/reports".to_owned(), json!({"user_id": bob.id(), "reason": "spam"})),
        ("POST", "/api/auth/login".to_owned(), json!({"login": "ann", "password": PASSWORD})),
    ] {
        for field in more {
            let mut body = body.clone();
            body[field] = json!("admin");
            let answer = Answer::to(ann.request(method, &path).json(&body)).await;
            assert_eq!(answer.refuses(422, "invalid").body["errors"][0]["field"], field, "{path}");
        }
    }
    assert_eq!(server.home.number("select count(*) from users where role <> 'player'").await, 0);
    for table in ["friend_requests", "shuns", "reports", "rooms", "queue_entries"] {
        let rows = format!("select count(*) from {table}");
        assert_eq!(server.home.number(&rows).await, 0, "{table}");
    }
}

#[tokio::test]
async fn text_is_data() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let texts = [
        "' or 1=1 --",
        "\"; drop table users; --",
        "%",
        "_",
        "\\",
        "b_b",
        "bo%",
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "{{7*7}}",
        "${7*7}",
        "\u{202e}bob",
        "\u{0}",
    ];
    for text in texts {
        let asked = ann.post("/api/friends/requests", json!({"username": text})).await;
        // A name that nobody has, whatever it would mean elsewhere.
        asked.refuses(404, "not_found");
        let named = ann.patch("/api/me", json!({"display_name": text})).await;
        if named.status == 200 {
            let me = server.stranger().get(&format!("/api/users/{}", ann.id())).await;
            assert_eq!(me.is(200).body["display_name"], named.body["display_name"]);
            assert_eq!(me.header("content-type"), "application/json");
            assert_eq!(me.header("x-content-type-options"), "nosniff");
        }
        let report = json!({"user_id": bob.id(), "reason": "other", "text": text});
        let reported = ann.post("/api/reports", report).await;
        assert!(matches!(reported.status, 201 | 409), "{text}: {}", reported.text);
        for path in ["/api/moderation/reports", "/api/admin/audit"] {
            let answer = Answer::to(ann.request("GET", path).query(&[("cursor", text)])).await;
            assert!(matches!(answer.status, 403 | 422), "{path} {text}: {}", answer.text);
        }
    }
    assert_eq!(server.home.number("select count(*) from users where id > 3").await, 2);
}

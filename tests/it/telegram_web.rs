//! Who comes by Telegram on the web: OpenID Connect, as Telegram speaks it.

use serde_json::{Value, json};

use crate::{
    provider::{LIES, Lie, Provider},
    providers::{away, browser, explains, linking_by, person, signed_in, there_and_back},
    support::{Client, Home, Server},
    telegram::{BOT_TOKEN, init_data, now},
};

/// What Telegram says of somebody: their number, and a `sub` that is another for every client.
fn somebody(id: Value) -> Value {
    json!({
        "sub": "opaque-4f2b", "id": id, "name": "Ann Bee", "preferred_username": "ann_b",
        "picture": "https://cdn.telesco.pe/ann.jpg", "phone_number": "10000000000",
    })
}

/// Who comes by the Mini App.
async fn in_the_app(server: &Server, id: i64) -> Client {
    let data = init_data(BOT_TOKEN, now(), &json!({"id": id, "first_name": "Ann"}));
    let answer = server.stranger().post("/api/auth/telegram", json!({"init_data": data})).await;
    Client { session: answer.is(200).body.clone(), ..server.stranger() }
}

async fn on_both(check: impl AsyncFn(&Server, &Provider)) {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        let provider = Provider::telegram().await;
        check(&Server::run(home, &provider.variables()).await, &provider).await;
    }
}

async fn by_telegram(server: &Server) -> i64 {
    server.home.number("select count(*) from identities where provider = 'telegram'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_account_of_the_mini_app() {
    on_both(async |server, provider| {
        // The app first, then the web.
        let ann = in_the_app(server, 77).await;
        provider.person(somebody(json!(77)));
        let web = browser(server);
        let answer = there_and_back(&web, "/auth/telegram?next=/me").await;
        assert_eq!(answer.is(303).header("location"), "/me");
        assert_eq!(signed_in(&web).await.id(), ann.id());
        let asked = provider.asked();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').all(|it| it == "openid" || it == "profile"), "{asked:?}");
        assert!(asked["redirect_uri"].ends_with("/auth/telegram/callback"));

        // The web first, with the number in digits and by another kind of key; then the app.
        provider.rotate("curve");
        provider.person(somebody(json!("78")));
        let web = browser(server);
        there_and_back(&web, "/auth/telegram").await.is(303);
        let bob = signed_in(&web).await;
        assert_eq!(bob.session["user"]["display_name"], "Ann Bee");
        let ways = bob.get("/api/me/sign-in").await;
        assert_eq!(ways.is(200).body["ways"][0]["label"], "@ann_b");
        assert!(!ways.text.contains("10000000000"), "nobody asked for a telephone number");
        assert_eq!(in_the_app(server, 78).await.id(), bob.id());
        assert_eq!(by_telegram(server).await, 2);
        let options = web.get("/api/auth/options").await;
        assert_eq!(options.is(200).body["telegram"], true);
        let log = server.log();
        assert!(!log.contains("code=") && !log.contains("state="), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_believed_here_either() {
    let provider = Provider::telegram().await;
    let server = Server::with(&provider.variables()).await;
    let ann = person(&server, "ann").await;
    provider.person(somebody(json!(77)));
    // Telegram repeats no nonce, so that its absence is none.
    for lie in LIES.into_iter().filter(|it| *it != Lie::NoNonce) {
        provider.lie(lie);
        let code = if lie == Lie::NoToken { "provider_away" } else { "provider_wrong" };
        let answer = there_and_back(&browser(&server), "/auth/telegram").await;
        explains(&answer, 502, code);
        assert_eq!(answer.header("set-cookie"), "", "{lie:?}");
        let back = linking_by(&ann, "telegram").await;
        explains(&ann.get(&back).await, 502, code);
        assert_eq!(by_telegram(&server).await, 0, "{lie:?}");
    }
    provider.lie(None);
    // Numbers that nobody has.
    let numbers = [
        json!(null),
        json!(0),
        json!(-7),
        json!(7.5),
        json!(1e300),
        json!(""),
        json!("7x"),
        json!(i64::MAX),
        json!([77]),
        json!(true),
    ];
    for id in numbers {
        provider.person(somebody(id.clone()));
        let answer = there_and_back(&browser(&server), "/auth/telegram").await;
        explains(&answer, 502, "provider_wrong");
        assert_eq!(by_telegram(&server).await, 0, "{id}");
    }
    // The control.
    provider.person(somebody(json!(77)));
    let back = linking_by(&ann, "telegram").await;
    assert_eq!(ann.get(&back).await.is(303).header("location"), "/security#linked");
    assert_eq!(in_the_app(&server, 77).await.id(), ann.id());
}

/// Without a nonce it is the verifier that ties a code to the browser that asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_browser_is_worth_nothing() {
    on_both(async |server, provider| {
        provider.person(somebody(json!(77)));
        let part = |path: &str, name: &str| {
            let (_, rest) = path.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let (eve, ann) = (browser(server), browser(server));
        let stolen = away(&eve, "/auth/telegram").await;
        let own = away(&ann, "/auth/telegram").await;
        explains(&ann.get(&stolen).await, 400, "flow_unknown");
        let slipped = own.replace(&part(&own, "code"), &part(&stolen, "code"));
        explains(&ann.get(&slipped).await, 502, "provider_wrong");
        // An answer of one provider is none of another.
        let other = away(&ann, "/auth/telegram").await.replace("/telegram/", "/google/");
        explains(&ann.get(&other).await, 404, "provider_off");
        assert_eq!(by_telegram(server).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_app_is_offered_to_be_merged() {
    on_both(async |server, provider| {
        let app = in_the_app(server, 77).await;
        app.post("/api/friends/requests", json!({"user_id": person(server, "bob").await.id()}))
            .await
            .is(201);
        let ann = person(server, "ann").await;
        provider.person(somebody(json!(77)));
        let back = linking_by(&ann, "telegram").await;
        explains(&ann.get(&back).await, 409, "merge_offered");
        let offer = ann.get("/api/me/sign-in").await.is(200).body["offer"].clone();
        assert_eq!((&offer["way"], &offer["other"]["id"]), (&json!("telegram"), &json!(app.id())));
        ann.post("/api/me/merge", json!({"id": offer["id"]})).await.is(200);
        assert_eq!(in_the_app(server, 77).await.id(), ann.id());
        let asked = ann.get("/api/friends").await.is(200).body["outgoing"].clone();
        assert_eq!(asked.as_array().unwrap().len(), 1, "{asked}");
    })
    .await;
}

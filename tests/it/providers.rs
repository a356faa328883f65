//! Who is let in by another's word: OpenID Connect, at a provider that can lie.

use reqwest::{Client as Http, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    provider::{LIES, Lie, Provider},
    support::{Answer, Client, Home, PASSWORD, PATIENCE, Server},
};

/// Somebody's browser, which keeps cookies, with nobody signed in.
pub(crate) fn browser(server: &Server) -> Client {
    let http = Http::builder().cookie_store(true).redirect(Policy::none()).timeout(PATIENCE);
    Client { http: http.build().unwrap(), ..server.stranger() }
}

/// Goes where an answer sends a browser to.
async fn follow(browser: &Client, answer: &Answer) -> Answer {
    let place = answer.is(303).header("location");
    Answer::to(browser.http.get(place)).await
}

/// Goes to the provider by this address of ours, and gives the address to come back to.
pub(crate) async fn away(browser: &Client, path: &str) -> String {
    let at_provider = follow(browser, &browser.get(path).await).await;
    let back = at_provider.is(303).header("location").to_owned();
    back[back.find("/auth/").unwrap()..].to_owned()
}

/// Goes to the provider and back.
pub(crate) async fn there_and_back(browser: &Client, path: &str) -> Answer {
    let back = away(browser, path).await;
    browser.get(&back).await
}

/// Who a browser is signed in as, by its cookie.
pub(crate) async fn signed_in(browser: &Client) -> Client {
    let refresh = browser.request("POST", "/api/auth/refresh").header("x-artel", "1");
    let answer = Answer::to(refresh).await;
    Client { session: answer.is(200).body.clone(), ..browser.clone() }
}

/// Somebody with a password, in a browser.
pub(crate) async fn person(server: &Server, username: &str) -> Client {
    let browser = browser(server);
    let body = json!({"username": username, "password": PASSWORD});
    let answer = browser.post("/api/auth/register?cookie=1", body).await;
    Client { session: answer.is(201).body.clone(), ..browser }
}

/// Begins to link Google, and gives the address to come back to.
async fn linking(by: &Client) -> String {
    linking_by(by, "google").await
}

/// The same with any provider.
pub(crate) async fn linking_by(by: &Client, way: &str) -> String {
    let answer = by.post("/api/auth/links", json!({"way": way})).await;
    let url = answer.is(200).body["url"].as_str().unwrap().to_owned();
    let at_provider = Answer::to(by.http.get(url)).await;
    let back = at_provider.is(303).header("location").to_owned();
    back[back.find("/auth/").unwrap()..].to_owned()
}

/// That it is a page for people, which explains a code.
#[track_caller]
pub(crate) fn explains(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.header("content-type").starts_with("text/html"), "{}", answer.text);
    let meta = format!(r#"<meta name="artel-problem" content="{code}">"#);
    assert!(answer.text.contains(&meta), "{code} is not in {}", answer.text);
}

async fn at_google(server: &Server) -> i64 {
    server.home.number("select count(*) from identities where provider = 'google'").await
}

async fn on_both(check: impl AsyncFn(&Server, &Provider)) {
    for home in [Some(Home::sqlite()), Home::postgres().await].into_iter().flatten() {
        let provider = Provider::start().await;
        check(&Server::run(home, &provider.variables()).await, &provider).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn google_says_who_somebody_is() {
    on_both(async |server, provider| {
        provider.person(json!({
            "sub": "1000", "email": "ann@example.org", "email_verified": true,
            "name": "Ann <b> Bee", "picture": "https://pictures.example/ann", "locale": "ru",
        }));
        let first = browser(server);
        let answer = there_and_back(&first, "/auth/google?next=/rooms").await;
        assert_eq!(answer.is(303).header("location"), "/rooms");
        assert!(answer.header("set-cookie").contains("HttpOnly"));
        let ann = signed_in(&first).await;
        let user = &ann.session["user"];
        assert_eq!(user["display_name"], "Ann <b> Bee");
        assert_eq!(user["avatar_url"], "https://pictures.example/ann");
        assert_eq!((&user["language"], &user["username"]), (&json!("ru"), &Value::Null));
        let ways = ann.get("/api/me/sign-in").await;
        assert_eq!(ways.is(200).body["ways"][0]["way"], "google");
        assert_eq!(ways.body["ways"][0]["label"], "ann@example.org");
        // What they are elsewhere stays there.
        assert!(!ann.get("/api/me").await.text.contains("example.org"));

        // Elsewhere it is the same account.
        let second = browser(server);
        there_and_back(&second, "/auth/google").await.is(303);
        assert_eq!(signed_in(&second).await.id(), ann.id());
        assert_eq!(at_google(server).await, 1);

        // Both kinds of keys.
        provider.rotate("curve");
        there_and_back(&second, "/auth/google").await.is(303);
        let options = second.get("/api/auth/options").await;
        assert_eq!(options.is(200).body["google"], true);
        assert_eq!(options.body["telegram"], false);
        let log = server.log();
        assert!(!log.contains("code=") && !log.contains("state="), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_belongs_to_one_question_of_one_browser() {
    on_both(async |server, _| {
        let ann = browser(server);
        let good = away(&ann, "/auth/google").await;
        let state = good.rsplit_once("state=").unwrap().1;
        let other = browser(server);
        away(&other, "/auth/google").await;
        for (by, path) in [
            (&ann, good.replace(state, "")),
            (&ann, good.replace("state=", "stat=")),
            (&ann, good.replace(state, &"A".repeat(43))),
            (&ann, format!("{good}&state={state}")),
            (&ann, "/auth/google/callback".to_owned()),
            (&ann, good.replace("/google/", "/telegram/")),
            (&browser(server), good.clone()),
        ] {
            let answer = by.get(&path).await;
            let code = if path.contains("/telegram/") { "provider_off" } else { "flow_unknown" };
            explains(&answer, if code == "flow_unknown" { 400 } else { 404 }, code);
        }
        // Somebody else's browser, which is at the provider too; it spends the question.
        explains(&other.get(&good).await, 400, "flow_unknown");
        explains(&ann.get(&good).await, 400, "flow_unknown");

        let good = away(&ann, "/auth/google").await;
        ann.get(&good).await.is(303);
        explains(&ann.get(&good).await, 400, "flow_unknown");
        let before = at_google(server).await;

        let late = away(&ann, "/auth/google").await;
        server.home.sql("update flows set expires_at = expires_at - 600000").await;
        explains(&ann.get(&late).await, 400, "flow_unknown");
        assert_eq!(at_google(server).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_with_its_verifier() {
    on_both(async |server, provider| {
        let ann = browser(server);
        let first = away(&ann, "/auth/google").await;
        let asked = provider.asked();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["code_challenge"].len(), 43);
        assert_eq!(asked["response_type"], "code");
        assert!(asked["state"].len() <= 64 && asked["state"].len() >= 43);
        assert!(asked["nonce"].len() >= 43);
        assert!(asked["scope"].split(' ').any(|it| it == "openid"));
        assert!(asked["redirect_uri"].ends_with("/auth/google/callback"));

        // Another question's code, not spent yet: its verifier is another.
        let part = |path: &str, name: &str| {
            let (_, rest) = path.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let second = away(&ann, "/auth/google").await;
        let swapped = second.replace(&part(&second, "code"), &part(&first, "code"));
        explains(&ann.get(&swapped).await, 502, "provider_wrong");
        assert_eq!(at_google(server).await, 0);

        // A code that was spent.
        let third = away(&ann, "/auth/google").await;
        ann.get(&third).await.is(303);
        let fourth = away(&ann, "/auth/google").await;
        let replayed = fourth.replace(&part(&fourth, "code"), &part(&third, "code"));
        explains(&ann.get(&replayed).await, 502, "provider_wrong");
        assert_eq!(at_google(server).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_believed() {
    let provider = Provider::start().await;
    let server = Server::with(&provider.variables()).await;
    let ann = person(&server, "ann").await;
    for lie in LIES {
        provider.lie(lie);
        let answer = there_and_back(&browser(&server), "/auth/google").await;
        let code = if lie == Lie::NoToken { "provider_away" } else { "provider_wrong" };
        explains(&answer, 502, code);
        assert_eq!(answer.header("set-cookie"), "", "{lie:?}");
        let back = linking(&ann).await;
        explains(&ann.get(&back).await, 502, code);
        assert_eq!(at_google(&server).await, 0, "{lie:?}");
    }
    // Keys that are not there were looked for once, not each time.
    let looked = provider.looked();
    assert!(looked <= 2, "{looked}");

    // The control.
    provider.lie(None);
    let back = linking(&ann).await;
    assert_eq!(ann.get(&back).await.is(303).header("location"), "/security#linked");
    assert_eq!(at_google(&server).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_without_anybody_noticing() {
    let provider = Provider::start().await;
    let server = Server::with(&provider.variables()).await;
    there_and_back(&browser(&server), "/auth/google").await.is(303);
    assert_eq!(provider.looked(), 1);
    there_and_back(&browser(&server), "/auth/google").await.is(303);
    assert_eq!(provider.looked(), 1, "keys are kept");
    provider.rotate("second");
    there_and_back(&browser(&server), "/auth/google").await.is(303);
    assert_eq!(provider.looked(), 2, "and looked for when there is a new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_identity_is_one_accounts() {
    on_both(async |server, provider| {
        let (ann, bob) = (person(server, "ann").await, person(server, "bob").await);
        let (first, second) = (linking(&ann).await, linking(&bob).await);
        let (a, b) = tokio::join!(ann.get(&first), bob.get(&second));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{}\n{}", a.text, b.text);
        assert_eq!(at_google(server).await, 1);
        let (owner, other) = if a.status == 303 { (&ann, &bob) } else { (&bob, &ann) };

        // Again is no other.
        let back = linking(owner).await;
        assert_eq!(owner.get(&back).await.is(303).header("location"), "/security#linked");
        // One of a kind.
        provider.somebody("2000");
        let back = linking(owner).await;
        explains(&owner.get(&back).await, 409, "already_linked");
        let back = linking(other).await;
        other.get(&back).await.is(303);
        assert_eq!(at_google(server).await, 2);

        // Who has signed out in between joins nothing.
        provider.somebody("3000");
        let carl = person(server, "carl").await;
        let back = linking(&carl).await;
        carl.request("DELETE", "/api/me/sessions").send().await.unwrap();
        explains(&carl.get(&back).await, 401, "session_ended");
        assert_eq!(at_google(server).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_leads_nowhere_else() {
    let provider = Provider::start().await;
    let server = Server::with(&provider.variables()).await;
    let ann = browser(&server);
    let long = format!("/me/{}", "a".repeat(10_000));
    for bad in [
        "//evil.example",
        "/%5Cevil.example",
        "https:evil.example",
        "https://evil.example/me",
        "javascript:alert(1)",
        "/me%0d%0aSet-Cookie:%20a=b",
        "@evil.example",
        "/@evil.example",
        "/api/auth/logout",
        &long,
    ] {
        let answer = there_and_back(&ann, &format!("/auth/google?next={bad}")).await;
        assert_eq!(answer.is(303).header("location"), "/", "{bad}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1, "{bad}");
    }
    let good = there_and_back(&ann, "/auth/google?next=/match/4fQ9zKx02Lb").await;
    assert_eq!(good.is(303).header("location"), "/match/4fQ9zKx02Lb");
    // What comes back does not choose either.
    let back = away(&ann, "/auth/google").await;
    let answer = ann.get(&format!("{back}&next=https://evil.example")).await;
    assert_eq!(answer.is(303).header("location"), "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_their_mind_is_told_kindly() {
    on_both(async |server, _| {
        let ann = person(server, "ann").await;
        let back = linking(&ann).await;
        let state = back.rsplit_once("state=").unwrap().1;
        let denied = format!("/auth/google/callback?error=access_denied&state={state}");
        explains(&ann.get(&denied).await, 400, "provider_denied");
        explains(&ann.get(&back).await, 400, "flow_unknown");
        assert_eq!(at_google(server).await, 0);

        // The last way in stays.
        let unlink = async |way: &str| {
            Answer::to(ann.request("DELETE", &format!("/api/me/ways/{way}"))).await
        };
        unlink("password").await.refuses(409, "last_way_in");
        unlink("google").await.refuses(404, "not_found");
        unlink("nothing").await.refuses(404, "not_found");
        let back = linking(&ann).await;
        ann.get(&back).await.is(303);
        // Of two at once, one is the last.
        let (a, b) = tokio::join!(unlink("password"), unlink("google"));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        assert_eq!(server.home.number("select count(*) from identities").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_browser_signs_a_page_in() {
    on_both(async |server, provider| {
        let page = server.stranger();
        let begun = page.post("/api/auth/handoffs", json!({"way": "google"})).await;
        let handoff = begun.is(201).body.clone();
        let finish = async |by: &Client, handoff: &Value, code: &str| {
            let body = json!({"secret": handoff["secret"], "code": code});
            by.post("/api/auth/handoffs/finish", body).await
        };
        finish(&page, &handoff, "123456").await.refuses(409, "handoff_pending");
        let other = browser(server);
        let way = format!("/auth/google?handoff={}", handoff["ticket"].as_str().unwrap());
        let answer = there_and_back(&other, &way).await;
        let code = answer.is(303).header("location").strip_prefix("/handoff#").unwrap().to_owned();
        assert_eq!(code.len(), 6);
        // The other browser is not signed in.
        assert!(!answer.header("set-cookie").contains("artel_refresh"));
        explains(&other.get(&way).await, 410, "handoff_gone");

        let wrong = if code == "000000" { "000001" } else { "000000" };
        finish(&page, &handoff, wrong).await.refuses(422, "code_wrong");
        let other_secret = json!({"secret": "x"});
        finish(&page, &other_secret, &code).await.refuses(410, "handoff_gone");
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        let session = finish(&page, &handoff, &spaced).await;
        let ann = page.bearing(session.is(200).body["access_token"].as_str().unwrap());
        assert_eq!(ann.get("/api/me").await.is(200).body["user"]["display_name"], "Player");
        finish(&page, &handoff, &code).await.refuses(410, "handoff_gone");

        // To join: the page that began it, signed in as then, and a few tries.
        provider.somebody("2000");
        let (bob, eve) = (person(server, "bob").await, person(server, "eve").await);
        let body = json!({"way": "google", "link": true});
        page.post("/api/auth/handoffs", body.clone()).await.refuses(401, "unauthenticated");
        for tries in [4, 5] {
            let handoff = bob.post("/api/auth/handoffs", body.clone()).await.is(201).body.clone();
            let way = format!("/auth/google?handoff={}", handoff["ticket"].as_str().unwrap());
            let answer = there_and_back(&other, &way).await;
            let code = answer.is(303).header("location").strip_prefix("/handoff#").unwrap();
            finish(&eve, &handoff, code).await.refuses(403, "not_yours");
            finish(&page, &handoff, code).await.refuses(403, "not_yours");
            let wrong = if code == "000000" { "000001" } else { "000000" };
            for _ in 0..tries {
                finish(&bob, &handoff, wrong).await.refuses(422, "code_wrong");
            }
            let last = finish(&bob, &handoff, code).await;
            match tries {
                4 => last.is(204),
                _ => last.refuses(410, "handoff_gone"),
            };
        }
        assert_eq!(at_google(server).await, 2);
    })
    .await;
}

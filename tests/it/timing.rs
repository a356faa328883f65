//! How long an answer takes tells nothing of whether there is an account.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{PASSWORD, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_takes_as_long_for_nobody() {
    let server = Server::with(&[("ARTEL_RATE_LIMITS", "off")]).await;
    let body = json!({"username": "ann", "password": PASSWORD, "email": "ann@artel.example"});
    server.stranger().post("/api/auth/register", body).await.is(201);
    let median = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all[all.len() / 2]
    };
    for (known, unknown) in [("ann", "bob"), ("ann@artel.example", "bob@artel.example")] {
        let mut took = [Vec::new(), Vec::new()];
        for _ in 0..15 {
            // In turns, so that both meet the same machine.
            for (login, took) in [known, unknown].into_iter().zip(&mut took) {
                let body = json!({"login": login, "password": "not the right one"});
                let began = Instant::now();
                let answer = server.stranger().post("/api/auth/login", body).await;
                took.push(began.elapsed());
                answer.refuses(401, "wrong_login");
            }
        }
        let [known, unknown] = took.map(median);
        let apart = known.abs_diff(unknown);
        assert!(
            apart < known.min(unknown) / 2,
            "{known:?} for one that is there, {unknown:?} else"
        );
        // What is bounded above is no bound if nothing is done: a hash takes its time.
        assert!(known > Duration::from_millis(5), "{known:?}");
    }
    // Asking for a new password is answered before it is looked for.
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (login, took) in ["ann", "bob"].into_iter().zip(&mut took) {
            let began = Instant::now();
            let path = "/api/auth/password/forgot";
            server.stranger().post(path, json!({"login": login})).await.is(202);
            took.push(began.elapsed());
        }
    }
    let [known, unknown] = took.map(median);
    assert!(known.abs_diff(unknown) < Duration::from_millis(10), "{known:?} and {unknown:?}");
}

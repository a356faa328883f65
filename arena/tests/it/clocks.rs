//! The machine's clock is set while matches are played, by much and back and forth.

use std::{sync::atomic::Ordering, time::Duration};

use arena::{Clock, Queued};
use games::Kind::Pong;
use serde_json::json;

use crate::{
    support::{START, both, until},
    table::{hear, say, sit},
};

const HOUR: i64 = 60 * 60 * 1000;
const YEAR: i64 = 365 * 24 * HOUR;

both! {
    async fn a_clock_that_jumps_breaks_nothing(test: &TestArena) {
        let arena = &test.arena;
        let Clock::Manual(clock) = &test.clock else { panic!("tests set it") };
        let [(ann, as_ann), (bob, as_bob)] =
            [test.player_of(arena, "Ann").await, test.player_of(arena, "Bob").await];
        arena.queue_join(ann.id, Pong, None).await.unwrap();
        let Queued::Matched(matched) = arena.queue_join(bob.id, Pong, None).await.unwrap() else {
            panic!("two wait")
        };
        let id = matched.match_id;
        let mut chairs = [sit(arena, &as_ann, id).await, sit(arena, &as_bob, id).await];
        while hear(&mut chairs[0], "game_state").await["status"] != "active" {}
        let mut at = 0;
        let jumps = [HOUR, -HOUR, -10 * YEAR, -START, 10 * YEAR, 0];
        for (n, now) in (2_i32..).zip(jumps.map(|it| START + it)) {
            clock.store(now, Ordering::Relaxed);
            // Somewhere else each time: what does not move is not told of.
            let y = 0.1 * f64::from(n);
            say(&chairs[0], json!({"type": "player_move", "n": n, "y": y})).await;
            let update = loop {
                let update = hear(&mut chairs[0], "game_update").await;
                if update["n"] == n {
                    break update;
                }
            };
            // The match's own time goes on as it does.
            let passed = update["at"].as_i64().unwrap() - at;
            assert!((0..10_000).contains(&passed), "{passed} ms at {now}");
            at += passed;
            // Whoever comes at such an hour waits, and leaves.
            let (eve, as_eve) = test.player_of(arena, "Eve").await;
            arena.queue_join(eve.id, Pong, None).await.unwrap();
            arena.pair_up(Pong).await.unwrap();
            arena.queue_leave(eve.id, Pong).await.unwrap();
            arena.issue_ticket(&as_eve).await.unwrap();
        }
        clock.store(START - YEAR, Ordering::Relaxed);
        let resigns = json!({"type": "game_action", "n": 20, "action": "resign"});
        say(&chairs[0], resigns).await;
        hear(&mut chairs[1], "game_over").await;
        drop(chairs);
        until("the match is settled", async || {
            test.count("select count(*) from matches where status = 'finished'").await == 1
        })
        .await;
        // Deviations are numbers, though no time has passed since a match in the future.
        let sound = "select count(*) from ratings where deviation > 0 and deviation <= 350";
        assert_eq!(test.count(sound).await, 2);
        clock.store(START, Ordering::Relaxed);
        test.clock.advance(Duration::from_secs(1));
        assert_eq!(arena.profile(ann.id).await.unwrap().ratings.len(), 1);
    }
}

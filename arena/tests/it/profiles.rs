//! Profiles, statistics, histories and the top list.

use std::time::Duration;

use arena::{MatchId, UserId, Why};
use games::Kind::Pong;

use crate::support::{TestArena, both, refused};

/// A finished match of two, the first of whom won unless nobody did.
async fn played(test: &TestArena, id: i64, users: [UserId; 2], at: i64, reason: &str) {
    let winner = if reason == "score" { users[0].0.to_string() } else { "null".into() };
    let [one, two] = users.map(|it| it.0);
    test.sql(format!(
        "insert into matches values ({id}, 'pong', 1, '{{}}', 1, true, 'finished', {at}, {at}, \
         {at}, {at}, '{reason}', {winner}, null);
         insert into match_players values ({id}, 0, {one}, 'left', 11, true, 1500, 1662.3, {at}), \
         ({id}, 1, {two}, 'right', 7, true, 1500, 1337.7, {at})"
    ))
    .await;
}

both! {
    async fn a_profile_tells_what_everybody_may_know(test: &TestArena) {
        let ann = test.player("Ann").await;
        let profile = test.arena.profile(ann.id).await.unwrap();
        assert_eq!((profile.user, profile.ratings.len()), (ann.public(), 0));
        assert_eq!(profile.created_at, ann.created_at);
        assert!(test.arena.stats(ann.id).await.unwrap().games.is_empty());

        test.rate(ann.id, 1611.6, 109.4).await;
        let rating = test.arena.profile(ann.id).await.unwrap().ratings.remove(0);
        assert_eq!((rating.game, rating.rating, rating.deviation), (Pong, 1612, 109));
        assert_eq!((rating.provisional, rating.games), (false, 6));
        let stats = test.arena.stats(ann.id).await.unwrap().games.remove(0);
        assert_eq!((stats.wins, stats.losses, stats.draws), (3, 2, 1));
        assert_eq!((stats.streak, stats.best_streak), (1, 2));

        // Doubt grows with time off.
        test.clock.advance(Duration::from_secs(60 * 24 * 60 * 60));
        let rating = test.arena.profile(ann.id).await.unwrap().ratings.remove(0);
        assert!(rating.deviation > 109 && rating.provisional, "{rating:?}");
        assert_eq!(rating.rating, 1612);
    }

    async fn nobody_has_nothing(test: &TestArena) {
        let nobody = UserId(7);
        assert_eq!(refused(test.arena.profile(nobody).await).why, Why::NotFound);
        assert_eq!(refused(test.arena.stats(nobody).await).why, Why::NotFound);
        assert_eq!(refused(test.arena.history(nobody, None, None).await).why, Why::NotFound);
    }

    async fn a_history_goes_back_page_by_page(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let carol = test.player("Carol").await;
        let now = test.clock.now();
        // Some end in the same millisecond: none may be lost or told twice at the seam of pages.
        for n in 0..25 {
            let reason = if n % 5 == 4 { "abandoned" } else { "score" };
            played(test, 100 + n, [ann.id, bob.id], now + n / 4, reason).await;
        }
        played(test, 200, [ann.id, bob.id], now + 50, "called_off").await;
        played(test, 201, [bob.id, carol.id], now + 51, "score").await;
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = test.arena.history(ann.id, cursor.as_deref(), Some(7)).await.unwrap();
            pages.push(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 4]);
        let items: Vec<_> = pages.concat();
        let mut order: Vec<_> = items.iter().map(|it| (-it.finished_at.0, it.match_id.0)).collect();
        assert!(order.is_sorted(), "{order:?}");
        order.dedup();
        assert_eq!(order.len(), 25);

        let last = items.iter().find(|it| it.match_id == MatchId(100)).unwrap();
        assert_eq!(
            (last.game, last.reason.as_deref(), last.won),
            (Pong, Some("score"), Some(true))
        );
        let names: Vec<_> = last.players.iter().map(|it| it.user.display_name.as_str()).collect();
        assert_eq!(names, ["Ann", "Bob"]);
        let one = &last.players[0];
        assert_eq!((one.seat, one.score), (0, 11));
        assert_eq!((one.rating_before, one.rating_after), (Some(1500), Some(1662)));
        let abandoned = items.iter().find(|it| it.match_id == MatchId(104)).unwrap();
        assert_eq!(abandoned.won, None);
        let bobs = test.arena.history(bob.id, None, None).await.unwrap();
        assert_eq!((bobs.items.len(), bobs.items[2].won), (20, Some(false)));
        assert_eq!(bobs.items[0].match_id, MatchId(201));
    }

    async fn pages_have_bounds(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let now = test.clock.now();
        for n in 0..3 {
            played(test, 100 + n, [ann.id, bob.id], now + n, "score").await;
        }
        let page = test.arena.history(ann.id, None, Some(0)).await.unwrap();
        assert_eq!(page.items.len(), 1);
        let page = test.arena.history(ann.id, None, Some(u32::MAX)).await.unwrap();
        assert_eq!((page.items.len(), page.next_cursor), (3, None));
        // Exactly full is the last.
        let page = test.arena.history(ann.id, None, Some(3)).await.unwrap();
        assert_eq!((page.items.len(), page.next_cursor), (3, None));
        for cursor in ["", "x", "' or 1=1 --", "AAAAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(100_000)] {
            let wrong = refused(test.arena.history(ann.id, Some(cursor), None).await);
            assert_eq!((wrong.why, &*wrong.fields[0].field), (Why::Invalid, "cursor"));
        }
    }

    async fn the_top_list_ranks_who_is_known_well_and_plays(test: &TestArena) {
        assert!(test.arena.top(Pong).await.unwrap().items.is_empty());
        let mut users = Vec::new();
        for (rating, deviation) in
            [(1700.0, 60.0), (1900.0, 60.0), (1700.2, 60.0), (2500.0, 91.0), (1500.0, 90.0)]
        {
            let user = test.player("Ann").await;
            test.rate(user.id, rating, deviation).await;
            users.push(user.id);
        }
        let top = test.arena.top(Pong).await.unwrap().items;
        let ranks: Vec<_> = top.iter().map(|it| (it.rank, it.rating, it.games)).collect();
        assert_eq!(ranks, [(1, 1900, 6), (2, 1700, 6), (2, 1700, 6), (4, 1500, 6)]);
        assert_eq!(top[0].user.id, users[1]);
        assert!(top.iter().all(|it| !it.provisional));

        // 90 grows past itself in a moment of idleness; after 30 days nobody is left.
        test.clock.advance(Duration::from_secs(60 * 60));
        assert_eq!(test.arena.top(Pong).await.unwrap().items.len(), 3);
        test.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
        assert!(test.arena.top(Pong).await.unwrap().items.is_empty());
    }
}

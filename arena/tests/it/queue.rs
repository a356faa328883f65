//! The queue: one entry each, one match for two, whoever asks and however many do at once.

use std::time::Duration;

use arena::{
    Arena, LobbyMessage, MatchId, Place, QueueStatus, QueueUpdate, Queued, Side, User, UserId, Why,
};
use games::{Kind::Pong, Seat};

use crate::support::{TestArena, both, heard, refused, until};

async fn join(arena: &Arena, user: &User) -> Queued {
    arena.queue_join(user.id, Pong, None).await.unwrap()
}

#[track_caller]
fn place(queued: Queued) -> (i64, i64) {
    match queued {
        Queued::Waiting { position, waiting, .. } => (position, waiting),
        Queued::Matched(matched) => panic!("{matched:?}"),
    }
}

/// The match that somebody is in.
async fn matched(arena: &Arena, user: UserId) -> Option<MatchId> {
    match arena.queue_status(user, Pong).await.unwrap() {
        QueueStatus::Matched(it) => Some(it.match_id),
        QueueStatus::Waiting { .. } | QueueStatus::Idle { .. } => None,
    }
}

async fn waits(arena: &Arena, user: UserId) -> bool {
    matches!(arena.queue_status(user, Pong).await.unwrap(), QueueStatus::Waiting { .. })
}

/// That the rows say this many matches, and that everybody in one is in one only.
async fn check_rows(test: &TestArena, matches: i64, waiting: i64) {
    assert_eq!(test.count("select count(*) from matches").await, matches);
    assert_eq!(test.count("select count(*) from match_players").await, 2 * matches);
    assert_eq!(test.count("select count(*) from playing").await, 2 * matches);
    assert_eq!(test.count("select count(*) from queue_entries").await, waiting);
}

/// Strangers so far apart that only long waiting brings them together.
async fn strangers(test: &TestArena) -> [User; 2] {
    let strangers = [test.player("Ann").await, test.player("Bob").await];
    for (user, rating) in strangers.iter().zip([1000.0, 2000.0]) {
        test.rate(user.id, rating, 60.0).await;
    }
    strangers
}

both! {
    async fn two_who_wait_play(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        assert_eq!(place(join(&test.arena, &ann).await), (1, 1));
        let idle = test.arena.queue_status(bob.id, Pong).await.unwrap();
        assert_eq!(idle, QueueStatus::Idle { waiting: 1 });
        let Queued::Matched(bobs) = join(&test.arena, &bob).await else { panic!("no match") };
        let QueueStatus::Matched(anns) = test.arena.queue_status(ann.id, Pong).await.unwrap()
        else {
            panic!("only one is in it")
        };
        assert_eq!((anns.match_id, anns.game), (bobs.match_id, Pong));
        let mut seats = [(anns.seat, anns.side), (bobs.seat, bobs.side)];
        seats.sort_by_key(|it| it.0);
        assert_eq!(seats, [(Seat(0), Some(Side::Left)), (Seat(1), Some(Side::Right))]);
        check_rows(test, 1, 0).await;
        let info = test.arena.match_info(anns.match_id).await.unwrap();
        assert_eq!(info.status, live::Status::Pending);
        assert_eq!(info.options, Pong.default_options());
        assert_eq!(test.arena.live_count(), 1, "it runs here");
    }

    async fn joining_twice_is_one_entry(test: &TestArena) {
        let other = test.another().await;
        let ann = test.player("Ann").await;
        let tries = (0..8).map(|n| {
            let arena = if n % 2 == 0 { test.arena.clone() } else { other.clone() };
            let id = ann.id;
            tokio::spawn(async move { arena.queue_join(id, Pong, None).await.unwrap() })
        });
        for queued in futures_util::future::join_all(tries).await {
            assert_eq!(place(queued.unwrap()), (1, 1));
        }
        check_rows(test, 0, 1).await;

        // Neither the place nor the time in line is lost by asking again.
        let since = test.arena.queue_of(ann.id).await.unwrap().unwrap();
        test.clock.advance(Duration::from_secs(5));
        join(&test.arena, &ann).await;
        assert_eq!(test.arena.queue_of(ann.id).await.unwrap(), Some(since));
        test.leave(other).await;
    }

    async fn two_at_the_same_instant_are_one_match(test: &TestArena) {
        let other = test.another().await;
        for round in 1..=10 {
            let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
            let tries = [(&test.arena, ann.id), (&other, bob.id)].map(|(arena, id)| {
                let arena = arena.clone();
                tokio::spawn(async move {
                    let (joined, paired) =
                        tokio::join!(arena.queue_join(id, Pong, None), arena.pair_up(Pong));
                    joined.unwrap();
                    paired.unwrap();
                })
            });
            for joined in tries {
                joined.await.unwrap();
            }
            let both = [matched(&test.arena, ann.id).await, matched(&other, bob.id).await];
            assert!(both[0].is_some() && both[0] == both[1], "{both:?}");
            check_rows(test, round, 0).await;
        }
        test.leave(other).await;
    }

    async fn a_crowd_is_paired_whole(test: &TestArena) {
        let arenas = [test.arena.clone(), test.another().await, test.another().await];
        let mut tries = Vec::new();
        for n in 0..24 {
            let (id, arena) = (test.player("Ann").await.id, arenas[n % 3].clone());
            tries.push(tokio::spawn(async move {
                arena.queue_join(id, Pong, None).await.unwrap();
                id
            }));
        }
        let mut users = Vec::new();
        for joined in tries {
            users.push(joined.await.unwrap());
        }
        until("everybody plays", async || {
            test.count("select count(*) from queue_entries").await == 0
        })
        .await;
        check_rows(test, 12, 0).await;
        for arena in arenas {
            test.leave(arena).await;
        }
    }

    async fn who_plays_is_told_so_when_joining(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        join(&test.arena, &ann).await;
        let Queued::Matched(first) = join(&test.arena, &bob).await else { panic!("no match") };
        assert_eq!(join(&test.arena, &bob).await, Queued::Matched(first));
        let carol = test.player("Carol").await;
        assert_eq!(place(join(&test.arena, &carol).await), (1, 1));
        check_rows(test, 1, 1).await;
        assert_eq!(test.arena.queue_of(bob.id).await.unwrap(), None);
    }

    async fn leaving_takes_out(test: &TestArena) {
        let ann = test.player("Ann").await;
        test.arena.queue_leave(ann.id, Pong).await.expect("there may be nothing to leave");
        join(&test.arena, &ann).await;
        test.arena.queue_leave(ann.id, Pong).await.unwrap();
        assert_eq!(test.arena.queue_of(ann.id).await.unwrap(), None);
        let bob = test.player("Bob").await;
        assert_eq!(place(join(&test.arena, &bob).await), (1, 1));
        check_rows(test, 0, 1).await;
    }

    async fn leaving_while_being_matched_is_a_match_or_nothing(test: &TestArena) {
        let other = test.another().await;
        let mut matches = 0;
        for _ in 0..20 {
            let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
            join(&test.arena, &ann).await;
            let (leave, bobs) = (test.arena.clone(), other.clone());
            let left = tokio::spawn(async move { leave.queue_leave(ann.id, Pong).await.unwrap() });
            let joined =
                tokio::spawn(async move { bobs.queue_join(bob.id, Pong, None).await.unwrap() });
            left.await.unwrap();
            let joined = joined.await.unwrap();
            match matched(&test.arena, ann.id).await {
                Some(id) => {
                    assert!(matches!(joined, Queued::Matched(it) if it.match_id == id));
                    matches += 1;
                }
                None => {
                    assert!(!waits(&test.arena, ann.id).await);
                    assert_eq!(place(joined), (1, 1));
                    test.arena.queue_leave(bob.id, Pong).await.unwrap();
                }
            }
            check_rows(test, matches, 0).await;
        }
        test.leave(other).await;
    }

    async fn who_has_waited_longest_chooses_the_nearest(test: &TestArena) {
        let mut users = Vec::new();
        let come = async |rating: f64| {
            let user = test.player("Ann").await;
            test.rate(user.id, rating, 60.0).await;
            test.clock.advance(Duration::from_millis(1));
            join(&test.arena, &user).await;
            user.id
        };
        // Three who are out of each other's reach, and a fourth within that of two.
        for rating in [1300.0, 1450.0, 1600.0, 1540.0] {
            users.push(come(rating).await);
        }
        let by_now = users.iter().map(|&it| matched(&test.arena, it));
        let found = futures_util::future::join_all(by_now).await;
        assert!(found[1].is_some() && found[1] == found[3], "1450 and 1540: {found:?}");
        assert_eq!([found[0], found[2]], [None, None]);
        // As its window widens, the first reaches the fifth before the third, who is further away.
        users.push(come(1175.0).await);
        test.clock.advance(Duration::from_secs(2));
        test.arena.pair_up(Pong).await.unwrap();
        let by_now = users.iter().map(|&it| matched(&test.arena, it));
        let found = futures_util::future::join_all(by_now).await;
        assert!(found[0].is_some() && found[0] == found[4], "1300 and 1175: {found:?}");
        assert_eq!(found[2], None);
    }

    async fn waiting_widens_the_window(test: &TestArena) {
        let [ann, bob] = strangers(test).await;
        join(&test.arena, &ann).await;
        test.clock.advance(Duration::from_millis(1));
        assert_eq!(place(join(&test.arena, &bob).await), (2, 2));
        test.clock.advance(Duration::from_millis(29_998));
        test.arena.pair_up(Pong).await.unwrap();
        check_rows(test, 0, 2).await;
        test.clock.advance(Duration::from_millis(1));
        test.arena.pair_up(Pong).await.unwrap();
        check_rows(test, 1, 0).await;
        assert_eq!(matched(&test.arena, ann.id).await, matched(&test.arena, bob.id).await);
    }

    async fn the_matcher_looks_by_itself(test: &TestArena) {
        let [ann, bob] = strangers(test).await;
        join(&test.arena, &ann).await;
        join(&test.arena, &bob).await;
        test.clock.advance(Duration::from_secs(30));
        until("they are matched", async || matched(&test.arena, ann.id).await.is_some()).await;
    }

    async fn an_entry_without_a_page_lasts_ten_minutes(test: &TestArena) {
        let ann = test.player("Ann").await;
        join(&test.arena, &ann).await;
        test.clock.advance(Duration::from_millis(10 * 60 * 1000 - 1));
        test.arena.tend_queue().await.unwrap();
        assert!(waits(&test.arena, ann.id).await);
        test.clock.advance(Duration::from_millis(1));
        test.arena.tend_queue().await.unwrap();
        assert!(!waits(&test.arena, ann.id).await);
    }

    async fn who_is_gone_is_matched_with_nobody(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        join(&test.arena, &ann).await;
        test.clock.advance(Duration::from_secs(10 * 60));
        // Whether or not a pass has come by since.
        let (position, _) = place(join(&test.arena, &bob).await);
        assert!(position <= 2);
        test.arena.tend_queue().await.unwrap();
        check_rows(test, 0, 1).await;
    }

    async fn a_page_keeps_an_entry_and_its_closing_ends_it(test: &TestArena) {
        let ann = test.player("Ann").await;
        let mut page = test.arena.lobby_join(ann.id).await.unwrap();
        let second = test.arena.lobby_join(ann.id).await.unwrap();
        join(&test.arena, &ann).await;
        for _ in 0..100 {
            test.clock.advance(Duration::from_secs(14));
            test.arena.tend_queue().await.unwrap();
        }
        assert!(waits(&test.arena, ann.id).await, "a page is open");
        drop(second);
        test.clock.advance(Duration::from_secs(9));
        test.arena.tend_queue().await.unwrap();
        assert!(waits(&test.arena, ann.id).await, "one is still open");
        let idle = LobbyMessage::QueueUpdate(QueueUpdate {
            game: Pong,
            place: Place::Idle { waiting: 0 },
        });
        assert_eq!(heard(&mut page).await, idle);

        // Loaded again within eight seconds.
        drop(page);
        test.arena.tend_queue().await.unwrap();
        test.clock.advance(Duration::from_millis(7_999));
        test.arena.tend_queue().await.unwrap();
        assert!(waits(&test.arena, ann.id).await);
        let page = test.arena.lobby_join(ann.id).await.unwrap();
        test.clock.advance(Duration::from_secs(8));
        test.arena.tend_queue().await.unwrap();
        assert!(waits(&test.arena, ann.id).await, "back in time");

        drop(page);
        test.arena.tend_queue().await.unwrap();
        test.clock.advance(Duration::from_secs(8));
        test.arena.tend_queue().await.unwrap();
        assert!(!waits(&test.arena, ann.id).await);
    }

    async fn a_page_on_another_process_keeps_an_entry(test: &TestArena) {
        if !test.has_others() {
            return;
        }
        let other = test.another().await;
        let ann = test.player("Ann").await;
        let here = test.arena.lobby_join(ann.id).await.unwrap();
        let there = other.lobby_join(ann.id).await.unwrap();
        join(&test.arena, &ann).await;
        drop(here);
        for _ in 0..10 {
            for arena in [&test.arena, &other] {
                arena.tend_queue().await.unwrap();
            }
            test.clock.advance(Duration::from_secs(5));
        }
        assert!(waits(&test.arena, ann.id).await);
        // A process that dies with its pages leaves entries that lapse by themselves.
        other.close().await;
        test.clock.advance(Duration::from_secs(30));
        test.arena.tend_queue().await.unwrap();
        assert!(!waits(&test.arena, ann.id).await);
        drop(there);
    }

    async fn places_move_up_and_pages_hear_of_it(test: &TestArena) {
        let mut users = Vec::new();
        for rating in [1000.0, 2000.0, 3000.0] {
            let user = test.player("Ann").await;
            test.rate(user.id, rating, 60.0).await;
            test.clock.advance(Duration::from_millis(1));
            join(&test.arena, &user).await;
            users.push(user.id);
        }
        let mut page = test.arena.lobby_join(users[2]).await.unwrap();
        let (_, since) = test.arena.queue_of(users[2]).await.unwrap().unwrap();
        let waits = |position, waiting| {
            let place = Place::Waiting { position, waiting, since };
            LobbyMessage::QueueUpdate(QueueUpdate { game: Pong, place })
        };
        assert_eq!(heard(&mut page).await, waits(3, 3));
        test.arena.queue_leave(users[0], Pong).await.unwrap();
        assert_eq!(heard(&mut page).await, waits(2, 2));
        // What another process takes out is found by looking.
        test.sql(format!("delete from queue_entries where user_id = {}", users[1].0)).await;
        assert_eq!(heard(&mut page).await, waits(1, 1));
    }

    async fn strange_chat_ids_are_refused(test: &TestArena) {
        let ann = test.player("Ann").await;
        for chat in ["\0", "a\nb", &"1".repeat(65)] {
            let answer = test.arena.queue_join(ann.id, Pong, Some(chat.to_owned())).await;
            let refused = refused(answer);
            assert_eq!((refused.why, &*refused.fields[0].field), (Why::Invalid, "chat_id"));
        }
        check_rows(test, 0, 0).await;
        test.arena.queue_join(ann.id, Pong, Some("-1001234567890".to_owned())).await.unwrap();
        check_rows(test, 0, 1).await;
    }

    async fn a_closing_arena_makes_no_matches(test: &TestArena) {
        let other = test.another().await;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        join(&test.arena, &ann).await;
        test.rate(bob.id, 4000.0, 60.0).await;
        join(&test.arena, &bob).await;
        // Closing waits for every task; matches that are running don't hold it up.
        other.close().await;
        assert!(other.ready().await.is_err());
        check_rows(test, 0, 2).await;
    }
}

//! Matches of more than two, on the level where seats are counted: no game here has so many yet.

use games::{Kind::Pong, Outcome, Reason, Seat};
use live::Status;
use serde_json::json;

use crate::{
    Arena, Clock, MatchId, Options, PublicUser, RoomId, UserId,
    db::{Turns, on},
    matches::{MatchRows, NewMatch},
    rooms::{Member, Room},
};

async fn arena() -> Arena {
    let options = Options {
        database_url: "sqlite::memory:".to_owned(),
        redis_url: None,
        machine: None,
        jwt_secret: None,
        telegram_token: None,
        init_data_max_age: std::time::Duration::from_secs(60),
        init_data_max_ahead: std::time::Duration::from_secs(60),
        sign_in: crate::SignInOptions::default(),
    };
    Arena::open(options, Clock::manual(1_790_000_000_000)).await.unwrap()
}

async fn people(arena: &Arena, count: i64) -> Vec<UserId> {
    for id in 100..100 + count {
        on!(arena.db, pool => {
            sqlx::query(
                "insert into users (id, display_name, language, role, created_at, updated_at)
                 values ($1, 'P', 'en', 'player', 0, 0)",
            )
            .bind(id)
            .execute(pool)
            .await
            .map(drop)
        })
        .unwrap();
    }
    (100..100 + count).map(UserId).collect()
}

async fn make(arena: &Arena, players: &[UserId]) -> MatchId {
    let options = json!({"points": 3});
    let new = NewMatch {
        game: Pong,
        options: &options,
        rated: true,
        players,
        rematch_of: None,
        process: 0,
    };
    let now = arena.clock.now();
    on!(arena.db, pool => {
        let mut tx = pool.begin_with(arena.db.begin()).await.unwrap();
        tx.take_turns(players).await.unwrap();
        let id = tx.insert_match(&new, now).await.unwrap();
        tx.commit().await.unwrap();
        id
    })
}

#[tokio::test]
async fn a_match_of_three_is_made_and_settled() {
    let arena = arena().await;
    let users = people(&arena, 3).await;
    let id = make(&arena, &users).await;
    let info = arena.match_info(id).await.unwrap();
    assert_eq!(info.players.iter().map(|it| it.seat).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(info.players.iter().all(|it| it.side.is_none()));
    for (&user, seat) in users.iter().zip(0..) {
        assert_eq!(arena.live_match_of(user).await.unwrap(), Some((id, Pong, Seat(seat))));
    }
    let outcome = Outcome { winner: Some(Seat(2)), reason: Reason::Score, scores: vec![5, 0, 9] };
    arena.settle_played(id, &outcome).await.unwrap();

    let info = arena.match_info(id).await.unwrap();
    assert_eq!((info.status, info.winner), (Status::Finished, Some(users[2])));
    assert_eq!(info.players.iter().map(|it| it.score).collect::<Vec<_>>(), [5, 0, 9]);
    for (index, &user) in users.iter().enumerate() {
        assert_eq!(arena.live_match_of(user).await.unwrap(), None);
        // Ratings are for games of two.
        assert_eq!(arena.stats(user).await.unwrap().games, []);
        let history = arena.history(user, None, None).await.unwrap();
        assert_eq!(history.items[0].won, Some(index == 2));
        assert_eq!(history.items[0].players.len(), 3);
    }
    let (replay, players) = arena.replay(id).await.unwrap();
    assert_eq!((replay.seats, players.len()), (3, 3));
    arena.close().await;
}

fn person(id: i64) -> PublicUser {
    PublicUser { id: UserId(id), username: None, display_name: "P".into(), avatar_url: None }
}

/// A room whose people sit on these seats, first come first.
fn room(seats: &[Option<u8>]) -> Room {
    let members = (0..).zip(seats).map(|(id, &seat)| Member {
        user: person(id),
        seat,
        ready: true,
        place: id,
        expires_at: 0,
    });
    Room {
        id: RoomId(1),
        code: "BCDFGH".to_owned(),
        game: Pong,
        options: Pong.default_options(),
        private: false,
        host: UserId(0),
        match_id: None,
        last_match_id: None,
        matches: 0,
        revision: 1,
        created_at: 0,
        members: members.collect(),
        scores: Vec::new(),
        kicked: Vec::new(),
    }
}

#[test]
fn those_who_are_seated_play_and_take_turns_to_begin() {
    let mut room = room(&[Some(4), None, Some(0), Some(2)]);
    for expected in [[2, 3, 0], [3, 0, 2], [0, 2, 3], [2, 3, 0]] {
        assert_eq!(room.players(), expected.map(UserId));
        room.begin(MatchId(7));
        room.match_id = None;
    }
    // Ratings are for games of two.
    assert!(!room.is_rated(3) && room.is_rated(2));
    let again = |players: [i64; 3]| players.map(UserId);
    room.last_match_id = Some(MatchId(7));
    let options = Pong.default_options();
    assert!(room.plays_again(MatchId(7), &again([0, 3, 2]), &options));
    assert!(!room.plays_again(MatchId(8), &again([0, 3, 2]), &options));
    assert!(!room.plays_again(MatchId(7), &again([0, 3, 1]), &options));
    assert!(!room.plays_again(MatchId(7), &again([0, 3, 2]), &json!({"points": 3})));
}

#[test]
fn a_table_of_three_counts_what_counts() {
    let mut room = room(&[Some(0), Some(1), Some(2)]);
    let users = [person(1), person(2), person(0)];
    let end = |winner, reason, scores: [i64; 3]| {
        let scores = scores.to_vec();
        Outcome { winner, reason, scores }
    };
    room.end(MatchId(1), &users, &end(Some(Seat(1)), Reason::Score, [3, 8, 1]));
    room.end(MatchId(2), &users, &end(None, Reason::Score, [4, 4, 0]));
    room.end(MatchId(3), &users, &end(None, Reason::CalledOff, [9, 9, 9]));
    room.end(MatchId(4), &users, &end(Some(Seat(0)), Reason::Forfeit, [2, 0, 0]));
    let table = room.info().table;
    let lines: Vec<_> =
        table.iter().map(|it| (it.user.id.0, it.matches, it.wins, it.points)).collect();
    assert_eq!(lines, [(2, 3, 1, 12), (1, 3, 1, 9), (0, 3, 0, 1)]);
    assert_eq!(room.last_match_id, Some(MatchId(4)));
}

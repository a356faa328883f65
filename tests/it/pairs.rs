//! Matchmaking over several processes: people come, go and play at random at all of them. Each pair
//! is made once, and nobody waits while two who came later, and of whom they could play one, are
//! made a pair.

use std::time::Duration;

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{
    Client, PATIENCE,
    cluster::{Cluster, PROCESSES, Player},
};

const PEOPLE: usize = 16;
const LASTS: Duration = Duration::from_secs(6);
/// Of so many pairs the rules are checked at least.
const PAIRS_MIN: i64 = 8;

/// Keeps who waited, from when to when by the database's clock, and which match took them.
const NOTES: &str = "
    create table waits (
        user_id bigint, joined_at bigint, rating float8, came timestamptz default clock_timestamp(),
        went timestamptz, went_in xid8, match_id bigint);
    create function note_wait() returns trigger language plpgsql as $$ begin
        if tg_op = 'INSERT' then
            insert into waits (user_id, joined_at, rating)
            values (new.user_id, new.joined_at, new.rating);
        else
            update waits set went = clock_timestamp(), went_in = pg_current_xact_id()
            where user_id = old.user_id and went is null;
        end if;
        return null;
    end $$;
    create trigger waits after insert or delete on queue_entries
        for each row execute function note_wait();
    create function note_match() returns trigger language plpgsql as $$ begin
        update waits set match_id = new.match_id
        where user_id = new.user_id and went_in = pg_current_xact_id();
        return null;
    end $$;
    create trigger matched after insert on match_players
        for each row execute function note_match();
    create view made as
        select match_id, min(joined_at) as joined_at, max(came) as came, max(went) as went,
            array_agg(rating) as ratings
        from waits where match_id is not null group by match_id";

const RATINGS: &str = "
    insert into ratings (user_id, game, rating, deviation, volatility, wins, losses, draws, streak,
        best_streak, rated_at)
    select id, 'pong', 1200 + 40 * (id % 16), 100, 0.06, 0, 0, 0, 0, 0,
        extract(epoch from now()) * 1000
    from users where username like 'person_%'";

/// Each counts what must not be.
const NEVER: [(&str, &str); 8] = [
    (
        "in several matches",
        "select count(*) from (select user_id from match_players
         join matches on id = match_id where status <> 'finished'
         group by user_id having count(*) > 1) as twice",
    ),
    (
        "half a pair",
        "select count(*) from (select match_id from match_players
         group by match_id having count(*) <> 2) as half",
    ),
    (
        "a match of who did not wait",
        "select count(*) from matches where (select count(*) from waits w
         where w.match_id = matches.id) <> 2",
    ),
    (
        "waits and plays",
        "select count(*) from queue_entries where user_id in (select user_id from playing)",
    ),
    (
        "without an owner",
        "select count(*) from matches where id not in (select match_id from owners)",
    ),
    (
        "playing and not",
        "select count(*) from playing p where not exists (
         select 1 from match_players mp join matches m on m.id = mp.match_id
         where mp.user_id = p.user_id and mp.match_id = p.match_id and m.status <> 'finished')",
    ),
    (
        "a pair out of each other's reach",
        "select count(*) from made where abs(ratings[1] - ratings[2])
         > 101 + 20 * (extract(epoch from went) - joined_at / 1000.0)",
    ),
    // Whoever came half a second before the later of two was seen with them by whoever paired
    // these, and what they could reach by then is known.
    (
        "passed over by two who came later",
        "select count(*) from made join waits w
           on w.joined_at < made.joined_at and w.came < made.came - interval '500 ms'
           and (w.went is null or w.went > made.went)
         where exists (select 1 from unnest(made.ratings) as rating where abs(rating - w.rating)
           <= 100 + 20 * (extract(epoch from made.came) - w.joined_at / 1000.0))",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_make_each_pair_once_and_in_turn() {
    let Some(cluster) = Cluster::start().await else { return };
    cluster.home.sql(NOTES).await;
    let seed = rand::random();
    println!("The seed is {seed}");
    let mut luck = SmallRng::seed_from_u64(seed);
    let names: Vec<_> = (0..PEOPLE).map(|it| format!("person_{it}")).collect();
    let people = names.iter().enumerate();
    let people = people.map(|(index, name)| cluster.server(index % PROCESSES).person(name));
    let people = join_all(people).await;
    let bases: Vec<_> = (0..PROCESSES).map(|it| cluster.server(it).base.clone()).collect();
    // So that some are far from each other and have to wait.
    cluster.home.sql(RATINGS).await;

    let until = Instant::now() + LASTS;
    let about = people.into_iter().map(|person| {
        let (bases, luck) = (bases.clone(), SmallRng::from_rng(&mut luck));
        tokio::spawn(come_and_go(person, bases, luck, until))
    });
    let mut people = Vec::new();
    for person in join_all(about).await {
        people.push(person.unwrap());
    }
    assert_eq!(cluster.home.number("select count(*) from playing").await, 0);

    // All at once, and then nobody may wait who could play.
    let join = async |person: &Client| {
        person.post("/api/queue/pong/join", json!({})).await.is(200);
    };
    join_all(people.iter().map(join)).await;
    let fit = "select count(*) from queue_entries a join queue_entries b
        on a.user_id < b.user_id and abs(a.rating - b.rating) <= 100";
    let calm = async {
        while cluster.home.number(fit).await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, calm).await.expect("two wait who could play");
    for (what, sql) in NEVER {
        assert_eq!(cluster.home.number(sql).await, 0, "{what}");
    }
    let made = cluster.home.number("select count(*) from made").await;
    println!("{made} pairs");
    assert!(made >= PAIRS_MIN, "{made} pairs");
}

/// Joins and leaves at random, plays every match at once, and is out of it all in the end.
async fn come_and_go(
    mut person: Client,
    bases: Vec<String>,
    mut luck: SmallRng,
    until: Instant,
) -> Client {
    loop {
        // Each request at any of them.
        person.base = bases[luck.random_range(0..PROCESSES)].clone();
        let over = Instant::now() >= until;
        let what = if !over && luck.random_bool(0.8) { "join" } else { "leave" };
        let answer = person.post(&format!("/api/queue/pong/{what}"), json!({})).await;
        assert!(matches!(answer.status, 200 | 204 | 409), "{answer:?}");
        let status = person.get("/api/queue/pong").await.is(200).body.clone();
        match status["match_id"].as_str() {
            Some(id) => play(&person, id, status["seat"] == 0).await,
            None if over => return person,
            None => {}
        }
        sleep(Duration::from_millis(luck.random_range(0..400))).await;
    }
}

/// Plays a match until it is over, which is when the left one has resigned.
async fn play(person: &Client, id: &str, left: bool) {
    let client = Client { base: person.base.clone(), ..person.clone() };
    let mut player = Player::sit(client, id, usize::from(!left)).await;
    player.say(json!({"type": "player_ready"})).await;
    let over = async {
        // Closed: it is over already, or called off.
        while let Ok(message) = player.socket.next_or_end().await {
            match message["type"].as_str() {
                Some("game_state") if left && message["status"] == "active" => {
                    player.resign().await;
                }
                Some("game_over") => return,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, over).await.expect("a match is not over");
}

//! Cards and the outbox: one match whoever taps at once, and each thing told once and as it is.

use std::time::Duration;

use arena::{
    Arena, CardId, CardPlace, CardStage, Carrier, Error, Joined, Language, Letter, NewCard, Notice,
    User,
};
use futures_util::future::join_all;
use games::Kind;

use crate::support::{both, refused};

const GROUP: i64 = -1_000_000_000_001;

fn new(game: Kind, origin: &str) -> NewCard {
    NewCard {
        game,
        place: CardPlace::Chat { chat: GROUP, thread: None },
        origin: origin.to_owned(),
        language: Language::En,
        invited: None,
    }
}

async fn open(arena: &Arena, by: &User, origin: &str) -> CardId {
    arena.open_card(by.id, new(Kind::Pong, origin)).await.unwrap()
}

/// An update of Telegram's, as it is kept.
fn update(id: i64) -> (i64, String) {
    (id, format!("{{\"update_id\":{id}}}"))
}

/// The letter about a card, taken.
async fn letter(arena: &Arena, by: Carrier, id: CardId) -> Option<Letter> {
    let letters = arena.letters_due(by, 100).await.unwrap();
    letters.into_iter().find(|it| it.notice == Notice::Card { card: id })
}

both! {
    /// From two processes, twenty at once: one gets the place, and nobody is in two matches.
    async fn whoever_taps_first_plays(test: &TestArena) {
        let other = test.another().await;
        let host = test.player("Ann").await;
        let id = open(&test.arena, &host, "update 1").await;
        // The same request again is the same card.
        assert_eq!(open(&test.arena, &host, "update 1").await, id);
        let mut people = Vec::new();
        for number in 0..20 {
            people.push(test.player(&format!("P{number}")).await);
        }
        let taps = people.iter().enumerate().map(|(index, it)| {
            let arena = if index % 2 == 0 { &test.arena } else { &other };
            arena.join_card(it.id, None, id)
        });
        let mut started = 0;
        for joined in join_all(taps).await {
            match joined {
                Ok(Joined::Started(_)) => started += 1,
                answer => assert_eq!(refused(answer).code, "card_started"),
            }
        }
        assert_eq!(started, 1);
        assert_eq!(test.count("select count(*) from matches").await, 1);
        assert_eq!(test.count("select count(*) from playing").await, 2);
        assert_eq!(test.count("select count(*) from card_seats").await, 2);
        test.leave(other).await;
    }

    /// Hosts who open other cards while people join the first never wait for each other in a ring.
    async fn opening_and_joining_cross(test: &TestArena) {
        let other = test.another().await;
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        for round in 0..20 {
            let one = open(&test.arena, &ann, &format!("a{round}")).await;
            let two = open(&test.arena, &bob, &format!("b{round}")).await;
            let (a, b, c, d) = tokio::join!(
                test.arena.join_card(bob.id, None, one),
                other.join_card(ann.id, None, two),
                other.open_card(ann.id, new(Kind::NineBall, &format!("c{round}"))),
                test.arena.open_card(bob.id, new(Kind::NineBall, &format!("d{round}"))),
            );
            let fault = |it: &Error| matches!(it, Error::Fault(_));
            assert!(!a.as_ref().is_err_and(fault), "{a:?}");
            assert!(!b.as_ref().is_err_and(fault), "{b:?}");
            assert!(!c.as_ref().is_err_and(fault), "{c:?}");
            assert!(!d.as_ref().is_err_and(fault), "{d:?}");
            let matches = "select count(*) from matches where status <> 'finished'";
            assert!(test.count(matches).await <= 1);
            test.sql("delete from playing").await;
            test.sql("update matches set status = 'finished'").await;
            test.sql("update cards set status = 'closed'").await;
        }
        test.leave(other).await;
    }

    /// What changes while a letter is on its way is sent after it, and what does not is not.
    async fn the_newest_is_shown_once(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let card = NewCard { game: Kind::Kolkhoz, ..new(Kind::Pong, "update 1") };
        let id = test.arena.open_card(ann.id, card).await.unwrap();
        let by = test.arena.new_carrier().await.unwrap();
        let taken = letter(&test.arena, by, id).await.unwrap();
        assert!(letter(&test.arena, by, id).await.is_none(), "it is on its way already");
        let revision = test.arena.letter_revision(&taken).await.unwrap().unwrap();
        for _ in 0..3 {
            test.arena.join_card(bob.id, None, id).await.unwrap();
            test.arena.leave_card(bob.id, id).await.unwrap();
        }
        assert!(letter(&test.arena, by, id).await.is_none(), "two would overtake each other");
        test.arena.letter_done(&taken, revision).await.unwrap();
        let taken = letter(&test.arena, by, id).await.expect("it has changed since");
        let newest = test.arena.letter_revision(&taken).await.unwrap().unwrap();
        assert_eq!(newest, revision + 6);
        test.arena.letter_done(&taken, newest).await.unwrap();
        assert!(letter(&test.arena, by, id).await.is_none());
        test.arena.join_card(bob.id, None, id).await.unwrap();
        let taken = letter(&test.arena, by, id).await.unwrap();
        test.arena.letter_later(&taken, Duration::from_secs(60)).await.unwrap();
        assert!(letter(&test.arena, by, id).await.is_none());
        test.clock.advance(Duration::from_secs(60));
        assert_eq!(letter(&test.arena, by, id).await.unwrap().attempts, 1);
    }

    /// A letter is its carrier's as long as that is heard of, and then the next one's; whoever is
    /// late does not end what another has taken up.
    async fn letters_outlive_their_carriers(test: &TestArena) {
        let ann = test.player("Ann").await;
        let id = open(&test.arena, &ann, "update 1").await;
        let (here, other) = (&test.arena, test.another().await);
        let (slow, quick) =
            (here.new_carrier().await.unwrap(), other.new_carrier().await.unwrap());
        let listens = async |arena: &Arena, by: Carrier| arena.listens(by).await.unwrap();
        assert!(listens(here, slow).await != listens(&other, quick).await || !test.has_others());
        here.carrier_is_there(slow).await.unwrap();
        let held = letter(here, slow, id).await.unwrap();
        test.clock.advance(Duration::from_secs(9));
        other.carrier_is_there(quick).await.unwrap();
        assert!(letter(&other, quick, id).await.is_none(), "it is still heard of");
        test.clock.advance(Duration::from_secs(1));
        assert!(letter(here, slow, id).await.is_none(), "it has that letter already");
        let taken = letter(&other, quick, id).await.expect("its carrier is gone");
        assert_eq!(here.letter_revision(&held).await.unwrap(), None);
        here.letter_done(&held, 1).await.unwrap();
        here.letter_later(&held, Duration::ZERO).await.unwrap();
        assert_eq!(other.letter_revision(&taken).await.unwrap(), Some(1));

        // The next life of a bot takes up what the last one had, at once.
        let next = other.new_carrier().await.unwrap();
        let again = letter(&other, next, id).await.expect("its life is over");
        other.letter_done(&again, 1).await.unwrap();
        assert!(letter(&other, next, id).await.is_none());
        other.close().await;
    }

    /// Nobody comes in time: the card says so and takes nobody any more.
    async fn a_card_is_open_for_ten_minutes(test: &TestArena) {
        let (ann, bob) = (test.player("Ann").await, test.player("Bob").await);
        let id = open(&test.arena, &ann, "update 1").await;
        test.clock.advance(Duration::from_secs(10 * 60));
        let late = test.arena.join_card(bob.id, None, id).await;
        assert_eq!(refused(late).code, "card_closed");
        crate::support::until("it is closed", async || {
            let card = test.arena.card(id).await.unwrap().unwrap();
            card.stage == CardStage::Closed
        })
        .await;
    }

    /// An update is new once, and what was not handled is there for the next run.
    async fn updates_are_taken_once(test: &TestArena) {
        let updates = [7, 8].map(update);
        assert_eq!(test.arena.take_updates(&updates).await.unwrap(), [7, 8]);
        assert_eq!(test.arena.take_updates(&updates).await.unwrap(), [0_i64; 0]);
        test.arena.update_handled(7).await.unwrap();
        if test.has_others() {
            // It may be in the hands of another process, which is then taken for gone.
            assert_eq!(test.arena.updates_left().await.unwrap(), []);
            test.clock.advance(Duration::from_secs(120));
        }
        assert_eq!(test.arena.updates_left().await.unwrap(), updates[1..]);
        if test.has_others() {
            assert_eq!(test.arena.updates_left().await.unwrap(), [], "one takes it up");
        }
        assert_eq!(test.arena.take_updates(&updates).await.unwrap(), [0_i64; 0]);
    }
}

//! Two players and their match, without a database.

use std::time::Duration;

use games::{Game, Outcome, Seat, Seed, pong::Pong};
use live::{
    Chair, Gathered, Handle, Journal, Line, Match, Setup,
    wire::{Message, Player, PlayerUser, RatingChange},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinHandle, time};

pub(crate) fn player(name: &str) -> Player {
    let user = PlayerUser {
        id: name.to_owned(),
        username: Some(name.to_owned()),
        display_name: name.to_owned(),
        avatar_url: None,
    };
    Player { user, rating: 1500, provisional: true, computer: None }
}

pub(crate) fn setup(seq: u64) -> (Setup, mpsc::Receiver<Line>) {
    let (lines, written) = mpsc::channel(1_000);
    let setup = Setup {
        options: json!({ "points": 3 }),
        seed: Seed(7),
        players: vec![player("ann"), player("bob")],
        journal: Journal::new(9, 0, seq, lines),
        lease: live::Lease::unlimited(),
    };
    (setup, written)
}

pub(crate) fn open() -> (Handle, Match<Pong>) {
    open_with(json!({ "points": 3 }), &["ann", "bob"])
}

pub(crate) fn open_with<G: Game>(options: Value, names: &[&str]) -> (Handle, Match<G>) {
    let (setup, mut lines) = setup(0);
    let players = names.iter().map(|it| player(it)).collect();
    let setup = Setup { options, players, ..setup };
    // A writer that is always up to date.
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            line.written.map(|it| it.send(()));
        }
    });
    live::open(setup).unwrap()
}

/// Runs a match as the arena does, without a database.
pub(crate) fn run<G: Game>(mut table: Match<G>) -> JoinHandle<Option<Outcome>> {
    tokio::spawn(async move {
        if let Gathered::CalledOff { .. } = table.gather().await {
            table.announce(table.called_off(), None);
            table.close();
            return None;
        }
        let outcome = table.play().await;
        table.written().await;
        table.attend(time::sleep(Duration::from_millis(5))).await;
        let change =
            |seat| RatingChange { seat: Seat(seat), before: 1500, after: 1600, provisional: true };
        table.announce(outcome.clone(), Some(vec![change(0), change(1)]));
        if table.linger().await {
            table.lead_to("next");
        }
        table.close();
        Some(outcome)
    })
}

pub(crate) async fn sit(handle: &Handle, seat: Option<u8>, after: Option<u64>) -> Chair {
    handle.sit(seat.map(Seat), after).await.unwrap().unwrap()
}

pub(crate) async fn say(chair: &Chair, message: Value) {
    chair.say(Message::parse(&message.to_string())).await;
}

pub(crate) async fn hear(chair: &mut Chair) -> Value {
    let heard = time::timeout(Duration::from_secs(100), chair.hear());
    serde_json::from_slice(&heard.await.expect("nothing was said").unwrap()).unwrap()
}

/// Hears on until something that has all these fields.
pub(crate) async fn hear_of(chair: &mut Chair, fields: Value) -> Value {
    loop {
        let message = hear(chair).await;
        if fields.as_object().unwrap().iter().all(|(name, value)| message[name] == *value) {
            return message;
        }
    }
}

/// Both at the table, and the match begun: the state has been heard.
pub(crate) async fn begun() -> (Handle, JoinHandle<Option<Outcome>>, Chair, Chair) {
    let (handle, table) = open();
    let task = run(table);
    let mut ann = sit(&handle, Some(0), None).await;
    let mut bob = sit(&handle, Some(1), None).await;
    say(&ann, json!({"type": "player_ready", "n": 1})).await;
    say(&bob, json!({"type": "player_ready", "n": 1})).await;
    for chair in [&mut ann, &mut bob] {
        hear_of(chair, json!({"type": "game_state", "status": "active"})).await;
    }
    (handle, task, ann, bob)
}

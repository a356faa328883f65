//! Those who play and those who watch, on bad connections.

use std::{sync::Arc, time::Duration};

use games::{Outcome, Seat, pong};
use live::Status;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    database::{MatchId, MatchRow, Person},
    link::{Body, Side},
    luck::Luck,
    queue::Whereabouts,
    socket::{Connected, NoSeat},
    stream::{Heard, RatingHeard, Stream, is},
    world::World,
};

/// What a client may be told it did wrong, by racing with the match: none is harm.
const MAY_BE_REFUSED: [&str; 3] = ["match_over", "not_begun", "not_over"];

/// How a match ended, as somebody was told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Final {
    pub(super) outcome: Outcome,
    pub(super) ratings: Option<Vec<RatingHeard>>,
}

impl Final {
    /// That of a match as it is stored.
    pub(super) fn of(row: &MatchRow) -> Option<Final> {
        let ratings = row.ratings.as_ref().map(|ratings| {
            let heard = ratings.iter().map(|it| RatingHeard { before: it.before, after: it.after });
            heard.collect()
        });
        Some(Final { outcome: row.outcome.clone()?, ratings })
    }
}

/// Plays one match after the other, until the run comes to its end.
pub(super) async fn play(world: Arc<World>, me: Person, mut luck: Luck) {
    let name = format!("player {me}");
    loop {
        let calm = world.calm.is_cancelled();
        world.does(&name, "asks where they stand".to_owned());
        let asked = world.call(&mut luck, |server| async move {
            match calm {
                true => server.leave(me).await,
                false => server.whereabouts(me).await,
            }
        });
        match asked.await {
            Ok(Ok(Whereabouts::Matched(id))) => {
                let mut next = Some(id);
                while let Some(id) = next {
                    world.does(&name, format!("goes to match {id}"));
                    next = Visit::new(&world, name.clone(), Some(me), id, luck.fork()).go().await;
                }
                continue;
            }
            Ok(Ok(Whereabouts::Idle)) if calm => return world.is_done(&name),
            Ok(Ok(Whereabouts::Idle)) => {
                sleep(luck.millis(0..=2_000)).await;
                world.does(&name, "joins the queue".to_owned());
                // Where it stands is asked again, whatever the answer.
                let _ = world.call(&mut luck, |server| server.join(me)).await;
            }
            Ok(Ok(Whereabouts::Waiting) | Err(_)) | Err(_) => {}
        }
        sleep(luck.millis(200..=1_200)).await;
    }
}

/// Looks at one match after the other.
pub(super) async fn watch(world: Arc<World>, number: u64, mut luck: Luck) {
    let name = format!("watcher {number}");
    while !world.calm.is_cancelled() {
        sleep(luck.millis(100..=3_000)).await;
        let listed = world.server().map(|it| it.listed()).unwrap_or_default();
        if listed.is_empty() {
            continue;
        }
        let id = listed[luck.below(listed.len() as u64) as usize];
        world.does(&name, format!("watches match {id}"));
        Visit::new(&world, name.clone(), None, id, luck.fork()).go().await;
    }
    world.is_done(&name);
}

/// One person at one match.
struct Visit<'a> {
    world: &'a Arc<World>,
    name: String,
    /// Nobody who plays, for who watches.
    me: Option<Person>,
    id: MatchId,
    stream: Stream,
    luck: Luck,
    /// The number of the last message sent.
    n: u64,
    /// Does nothing at all.
    idle: bool,
    /// How far off the mark, in field units.
    error: f64,
    seat: Option<Seat>,
    active: bool,
    over: bool,
    aim: Option<f64>,
    leaves_at: Option<Instant>,
}

/// How a connection ended.
enum Left {
    /// To be made again.
    Lost,
    /// They are done with the match, and may go on to the next.
    Done(Option<MatchId>),
}

impl<'a> Visit<'a> {
    fn new(
        world: &'a Arc<World>,
        name: String,
        me: Option<Person>,
        id: MatchId,
        mut luck: Luck,
    ) -> Visit<'a> {
        let seat = world.database.look(|rows| {
            let players = rows.matches.get(&id).map(|it| it.players);
            players.and_then(|it| it.iter().position(|it| Some(*it) == me))
        });
        let seat = seat.map(|it| Seat(it as u8));
        // Who only watches goes after a while.
        let leaves_at = me.is_none().then(|| Instant::now() + luck.millis(500..=20_000));
        Visit {
            world,
            name,
            me,
            id,
            stream: Stream::new(id, seat),
            n: 0,
            idle: luck.chance(0.03),
            error: 40.0 + 100.0 * luck.unit(),
            seat,
            active: false,
            over: false,
            aim: None,
            leaves_at,
            luck,
        }
    }

    /// Stays until the match is over; answers the match that comes next, if any.
    async fn go(mut self) -> Option<MatchId> {
        loop {
            let after = self.stream.last.filter(|_| self.luck.chance(0.85));
            let (me, id) = (self.me, self.id);
            let sat = self.world.call(&mut self.luck, |server| server.sit(me, id, after)).await;
            match sat {
                Ok(Ok(Connected { side, run, zero })) => {
                    self.stream.connect(run, zero, after);
                    let left = self.talk(side).await;
                    self.world.keep_told(self.stream.disconnect());
                    if let Left::Done(next) = left {
                        return next;
                    }
                    self.world.does(&self.name, format!("lost match {id}"));
                }
                Ok(Err(NoSeat::Over)) => {
                    if self.over || self.me.is_none() || self.ask().await {
                        return None;
                    }
                }
                Ok(Err(NoSeat::NotNow)) | Err(_) => {}
            }
            if self.me.is_none() && self.world.calm.is_cancelled() {
                return None;
            }
            let pause = self.luck.millis(50..=1_500);
            sleep(pause).await;
        }
    }

    /// Asks how the match ended; false when there is no answer.
    async fn ask(&mut self) -> bool {
        let (world, id) = (self.world, self.id);
        let asked = world.call(&mut self.luck, |it| async move { it.info(id).await }).await;
        let Ok(Ok(row)) = asked else { return false };
        match Final::of(&row) {
            Some(end) => self.keep_end(end),
            // A match that is settled and not stored as finished would be asked about for ever.
            None => return false,
        }
        true
    }

    fn keep_end(&mut self, end: Final) {
        self.over = true;
        if let Some(me) = self.me {
            self.world.keep_final(self.id, me, end);
        }
    }

    async fn talk(&mut self, mut side: Side) -> Left {
        let cut_every = self.world.plan.cut_every.filter(|_| !self.world.calm.is_cancelled());
        let cut_at = cut_every.map(|every| Instant::now() + self.luck.around(every));
        let mut acts_at = Instant::now();
        let never = Instant::now();
        loop {
            let acts = self.active && !self.over && !self.idle && self.me.is_some();
            tokio::select! {
                biased;
                frame = side.hear() => {
                    let Ok(frame) = frame else { return Left::Lost };
                    let text = match frame.body {
                        Body::Text(text) => text,
                        Body::Close(code) => {
                            self.world.does(&self.name, format!("is told to go: {code}"));
                            return Left::Lost;
                        }
                    };
                    self.world.count(&text);
                    let heard = match self.stream.hear(frame.sent, &text) {
                        Ok(heard) => heard,
                        Err(wrong) => {
                            let (id, name) = (self.id, &self.name);
                            self.world.complain(format!("match {id}, {name}: {wrong}"));
                            return Left::Lost;
                        }
                    };
                    for say in self.react(&heard) {
                        if side.say(Body::Text(say.to_string())).await.is_err() {
                            return Left::Lost;
                        }
                    }
                    if let Some(next) = heard.match_id {
                        return Left::Done(next.parse().ok());
                    }
                    // Now and then somebody does not read for a while.
                    if self.luck.chance(0.004) && !self.world.calm.is_cancelled() {
                        sleep(self.luck.millis(500..=15_000)).await;
                    }
                }
                () = sleep_until(cut_at.unwrap_or(never)), if cut_at.is_some() => {
                    let later = self.luck.millis(0..=15_000);
                    side.cut(if self.luck.chance(0.5) { later } else { Duration::ZERO });
                    return if self.over { Left::Done(None) } else { Left::Lost };
                }
                () = sleep_until(self.leaves_at.unwrap_or(never)), if self.leaves_at.is_some() => {
                    return Left::Done(None);
                }
                () = sleep_until(acts_at), if acts => {
                    acts_at = Instant::now() + self.luck.millis(60..=900);
                    let say = self.act();
                    if side.say(Body::Text(say.to_string())).await.is_err() {
                        return Left::Lost;
                    }
                }
            }
        }
    }

    /// What a client says to what it hears.
    fn react(&mut self, heard: &Heard) -> Vec<Value> {
        let mut says = Vec::new();
        if let Some(code) = heard.code.as_deref().filter(|it| !MAY_BE_REFUSED.contains(it)) {
            self.world.complain(format!("match {}, {}: refused as {code}", self.id, self.name));
        }
        if heard.r#type == "game_state" {
            self.n = self.n.max(heard.ack.unwrap_or_default());
            self.active = is(heard, Status::Active);
            let ready = is(heard, Status::Pending) && self.me.is_some() && !self.idle;
            if ready {
                says.push(self.number(json!({ "type": "player_ready" })));
            }
        }
        let toward = |seat| heard.ball.and_then(|ball| pong::meets(ball, seat));
        if let Some(y) = self.seat.and_then(toward) {
            let off = (self.luck.unit() * 2.0 - 1.0) * self.error;
            self.aim = Some(((y + off) / pong::HEIGHT).clamp(0.0, 1.0));
        }
        if let Some(outcome) = heard.outcome.clone() {
            self.keep_end(Final { outcome, ratings: heard.ratings.clone() });
            let stays = self.luck.millis(0..=6_000);
            self.leaves_at = Some(Instant::now() + stays);
            let again = self.luck.chance(0.6) && !self.world.calm.is_cancelled();
            if again && self.me.is_some() {
                says.push(self.number(json!({ "type": "rematch" })));
            }
        }
        says
    }

    /// What a client does by itself.
    fn act(&mut self) -> Value {
        if self.luck.chance(0.004) {
            return self.number(json!({ "type": "game_action", "action": "resign" }));
        }
        let y = self.aim.take().unwrap_or_else(|| self.luck.unit());
        let mut act = self.number(json!({ "type": "player_move", "y": y }));
        let now = self.stream.now();
        // Most clocks are right, and some clients lie.
        let at = match self.luck.below(10) {
            0..5 => Some(now),
            5..7 => None,
            7 => Some(0),
            8 => Some(now.saturating_sub(self.luck.below(400))),
            _ => Some(now + self.luck.below(60_000)),
        };
        if let Some(at) = at {
            act["at"] = at.into();
        }
        self.stream.send(self.n);
        act
    }

    fn number(&mut self, mut message: Value) -> Value {
        self.n += 1;
        message["n"] = self.n.into();
        message
    }
}

//! The server's sockets: from a connection to a chair at a match and back.

use std::time::Duration;

use games::Seat;
use live::{Chair, End, Status, wire::Message};
use tokio::time::{Instant, interval, timeout};

use super::{
    database::{MatchId, Person},
    link::{Body, Side, link},
    plan::Plant,
    server::{Running, Server},
};

/// As at the server's own.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(5);

/// What a client holds once it is connected.
pub(super) struct Connected {
    pub(super) side: Side,
    /// The run of the server that it is connected to.
    pub(super) run: u64,
    /// When the match's clock showed 0, or would have.
    pub(super) zero: Instant,
}

/// Why a socket was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    Over,
    NotNow,
}

impl Server {
    /// Opens a socket at a match.
    pub(super) async fn sit(
        self,
        who: Option<Person>,
        id: MatchId,
        after: Option<u64>,
    ) -> Result<Connected, NoSeat> {
        let found = self.running().get(&id).cloned();
        let Some(Running { handle, players }) = found else {
            let info = self.info(id).await.map_err(|_| NoSeat::NotNow)?;
            return Err(match info.status {
                Status::Finished => NoSeat::Over,
                Status::Pending | Status::Active => NoSeat::NotNow,
            });
        };
        let seat = players.iter().position(|&it| Some(it) == who).map(|it| Seat(it as u8));
        let chair = handle.sit(seat, after).await.map_err(|_| NoSeat::Over)?;
        let chair = chair.map_err(|_| NoSeat::NotNow)?;
        let (ours, side) = link(&mut self.luck(), self.world().delay());
        let zero = Instant::now() - Duration::from_millis(chair.at()).min(self.world().elapsed());
        self.answer(self.clone().talk(chair, ours));
        Ok(Connected { side, run: self.run(), zero })
    }

    /// Carries messages both ways until one side ends it, as the server's sockets do.
    async fn talk(self, mut chair: Chair, mut side: Side) {
        let mut pings = interval(PING_EVERY);
        let mut said = 0u64;
        loop {
            tokio::select! {
                biased;
                heard = chair.hear() => {
                    let (body, last) = match heard {
                        Ok(message) => (String::from_utf8(message.into()).map(Body::Text), false),
                        Err(End::Replaced) => (Ok(Body::Close(4409)), true),
                        Err(End::Moved) => (Ok(Body::Close(1012)), true),
                        Err(End::Over) => (Ok(Body::Close(4410)), true),
                    };
                    let Ok(body) = body else {
                        return self.world().complain("a message is not text".to_owned());
                    };
                    said += 1;
                    let lost = self.world().plan.plant == Some(Plant::LoseMessage);
                    if lost && said == 7 {
                        continue;
                    }
                    let done = timeout(WRITE_TIME_MAX, side.say(body)).await;
                    if last || !matches!(done, Ok(Ok(()))) {
                        return;
                    }
                }
                said = side.hear() => match said {
                    Ok(frame) => {
                        if let Body::Text(text) = frame.body {
                            chair.say(Message::parse(&text)).await;
                        }
                    }
                    Err(_) => return,
                },
                _ = pings.tick() => chair.measured(side.round_trip()).await,
            }
        }
    }
}

//! `GET /ws/game/{match_id}`: from the frames of a socket to a chair at a match and back.

use std::convert::Infallible;

use arena::{Arena, Error, MatchId, Pass};
use axum::{
    Router,
    extract::{Path, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response},
    routing::get,
};
use live::{
    Chair, End,
    wire::{BadMessage, Message, Says},
};
use serde::Deserialize;

use crate::{
    Api, Problem,
    address::ClientAddress,
    extract::Asked,
    sockets::{self, Goodbye, Heard, Socket},
};

/// What the proxy of Fly.io adds to what it brought here at our word, or could not bring elsewhere.
const STEERED: [&str; 2] = ["fly-replay-src", "fly-replay-failed"];

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/ws/game/{match_id}", get(open))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// Without one it is as with a wrong one: 401.
    #[serde(default)]
    ticket: String,
    /// The last message that was heard before.
    after: Option<u64>,
}

async fn open(
    State(api): State<Api>,
    Path(id): Path<String>,
    Asked(Opening { ticket, after }): Asked<Opening>,
    headers: HeaderMap,
    address: ClientAddress,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if let Some(elsewhere) = steer(&api, &headers, &id).await {
        return Ok(elsewhere);
    }
    let pass = sockets::admit(&api, &headers, &ticket).await?;
    let arena = api.arena.clone();
    // Named only where it is one: anything may stand in an address.
    let match_id = id.parse::<MatchId>().ok().map(tracing::field::display);
    let span = tracing::info_span!(parent: None, "socket", match_id, otel.kind = "server");
    let opening = sockets::Opening { kind: "game", pass, address, upgrade, span };
    sockets::open(&api, opening, async move |mut socket: Socket| {
        let Ok(id) = id.parse::<MatchId>() else {
            return (socket, Goodbye::NotFound);
        };
        let goodbye = match arena.sit(&pass, id, after).await {
            Ok(chair) => {
                let Err(goodbye) = talk(&arena, &pass, &mut socket, chair).await;
                goodbye
            }
            Err(error) => Goodbye::of(error),
        };
        (socket, goodbye)
    })
}

/// Asks the proxy of Fly.io to bring the socket to the machine where its match is, before the
/// ticket is spent. One that did not come by that proxy, was brought here by it already, or came
/// back since it could not be brought there, stays, wherever the match may be by now.
async fn steer(api: &Api, headers: &HeaderMap, id: &str) -> Option<Response> {
    let was_steered = STEERED.iter().any(|it| headers.contains_key(*it));
    if was_steered || !headers.contains_key("fly-request-id") {
        return None;
    }
    // Where it is not known, the socket is served from here.
    let machine = api.arena.machine_of(id.parse().ok()?).await.ok()??;
    // A machine may have died a moment ago: the proxy would try for long, and then give up.
    let replay = format!("instance={machine};timeout=1s;fallback=prefer_self");
    let replay = HeaderValue::from_str(&replay).ok()?;
    Some(([("fly-replay", replay)], ()).into_response())
}

/// Carries messages both ways until one side ends it.
async fn talk(
    arena: &Arena,
    pass: &Pass,
    socket: &mut Socket,
    mut chair: Chair,
) -> Result<Infallible, Goodbye> {
    loop {
        tokio::select! {
            biased;
            heard = chair.hear() => match heard {
                Ok(message) => socket.say(message).await?,
                Err(End::Moved) => return Err(Goodbye::Restart),
                Err(End::Over) => return Err(Goodbye::MatchOver),
                Err(End::Replaced) => return Err(Goodbye::Replaced),
            },
            said = socket.recv() => match said? {
                Heard::Text(text) => {
                    let mut message = Message::parse(&text);
                    if message.is_err() {
                        socket.count_bad()?;
                    }
                    if let (Pass::Member(by), Ok(said)) = (pass, &message)
                        && matches!(said.says, Says::Chat(_))
                        && let Err(refused) = arena.check_voice(by.user_id).await
                    {
                        message = Err(unheard(refused, said.n));
                    }
                    chair.say(message).await;
                }
                Heard::Rtt(rtt) => chair.measured(rtt).await,
            },
        }
    }
}

/// What the match answers to something that its sender may not say.
fn unheard(why: Error, n: Option<u64>) -> BadMessage {
    match why {
        Error::Refused(refused) => {
            BadMessage { code: refused.code.into(), message: refused.detail, n }
        }
        Error::Fault(fault) => {
            tracing::error!(error = format!("{fault:#}"), "A chat message failed");
            let message = "something went wrong on our side".to_owned();
            BadMessage { code: "internal".into(), message, n }
        }
    }
}

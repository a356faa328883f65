//! `GET /ws/lobby`: what concerns somebody while they are in no match.

use std::convert::Infallible;

use arena::{Arena, Error, LobbyChair, Pass, UserId};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use serde::{Deserialize, Serialize};

use crate::{
    Api, Problem,
    address::ClientAddress,
    extract::Asked,
    sockets::{self, Goodbye, Heard, Socket},
};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/ws/lobby", get(open))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// Without one it is as with a wrong one: 401.
    #[serde(default)]
    ticket: String,
}

/// What a client may say.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Ping { t: serde_json::Number },
    Chat { room: String, text: String },
}

/// What is answered to that.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Answer<'a> {
    Pong { t: serde_json::Number },
    Error { code: &'a str, message: &'a str },
}

async fn open(
    State(api): State<Api>,
    Asked(Opening { ticket }): Asked<Opening>,
    headers: HeaderMap,
    address: ClientAddress,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let pass = sockets::admit(&api, &headers, &ticket).await?;
    let Pass::Member(by) = pass else {
        let detail = "this ticket is for watching a match: sign in and ask for another";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "ticket_invalid", detail));
    };
    let arena = api.arena.clone();
    let span =
        tracing::info_span!(parent: None, "socket", user_id = %by.user_id, otel.kind = "server");
    let opening = sockets::Opening { kind: "lobby", pass, address, upgrade, span };
    sockets::open(&api, opening, async move |mut socket: Socket| {
        let goodbye = match arena.lobby_join(by.user_id).await {
            Ok(chair) => {
                let Err(goodbye) = talk(&arena, by.user_id, &mut socket, chair).await;
                goodbye
            }
            Err(error) => Goodbye::of(error),
        };
        (socket, goodbye)
    })
}

async fn talk(
    arena: &Arena,
    by: UserId,
    socket: &mut Socket,
    mut chair: LobbyChair,
) -> Result<Infallible, Goodbye> {
    loop {
        tokio::select! {
            biased;
            message = chair.recv() => match message {
                Some(message) => say(socket, &message).await?,
                None => return Err(Goodbye::TryLater),
            },
            said = socket.recv() => {
                let Heard::Text(text) = said? else { continue };
                match serde_json::from_str(&text) {
                    Ok(Said::Ping { t }) => say(socket, &Answer::Pong { t }).await?,
                    Ok(Said::Chat { room, text }) => {
                        if let Err(error) = arena.say_in_room(by, &room, &text).await {
                            refuse(socket, error).await?;
                        }
                    }
                    Err(error) => {
                        socket.count_bad()?;
                        let message = format!(
                            "the lobby understands {{\"type\":\"ping\",\"t\":1}} and \
                             {{\"type\":\"chat\",\"room\":\"…\",\"text\":\"…\"}}: {error}"
                        );
                        let answer = Answer::Error { code: "bad_message", message: &message };
                        say(socket, &answer).await?;
                    }
                }
            }
        }
    }
}

/// Answers what the arena did not do.
async fn refuse(socket: &mut Socket, error: Error) -> Result<(), Goodbye> {
    match error {
        Error::Refused(refused) => {
            let (code, message) = (refused.code, refused.detail.as_str());
            say(socket, &Answer::Error { code, message }).await
        }
        Error::Fault(fault) => {
            tracing::error!(error = format!("{fault:#}"), "A message to the lobby failed");
            let message = "something went wrong on our side";
            say(socket, &Answer::Error { code: "internal", message }).await
        }
    }
}

async fn say(socket: &mut Socket, message: &impl Serialize) -> Result<(), Goodbye> {
    let json = serde_json::to_vec(message).expect("a message is plain data with text for keys");
    socket.say(json.into()).await
}

//! People who use a server, what it answers them, and their sockets.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::CloseFrame},
};

use super::PATIENCE;

/// Somebody who uses a server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    /// As signing in answered it; null for a stranger.
    pub(crate) session: Value,
}

impl Client {
    /// Somebody who is not signed in.
    pub(crate) fn new(base: &str) -> Client {
        // What a test is told must be the server's first word.
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = builder.timeout(PATIENCE).build().unwrap();
        Client { http, base: base.to_owned(), session: Value::Null }
    }

    pub(crate) fn id(&self) -> &str {
        self.session["user"]["id"].as_str().unwrap()
    }

    pub(crate) fn access_token(&self) -> &str {
        self.session["access_token"].as_str().unwrap()
    }

    pub(crate) fn refresh_token(&self) -> &str {
        self.session["refresh_token"].as_str().unwrap()
    }

    /// The same person with another access token.
    pub(crate) fn bearing(&self, access_token: &str) -> Client {
        Client { session: json!({"access_token": access_token}), ..self.clone() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        let request = self.http.request(method.parse().unwrap(), url);
        match self.session["access_token"].as_str() {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request("POST", path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request("PATCH", path).json(&body)).await
    }

    /// Sends bytes as they are, and gives all that comes back until the other end is done.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        // It may answer and go before it has heard all.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until they are in a match.
    pub(crate) async fn matched(&self) -> String {
        let matched = async {
            loop {
                let me = self.get("/api/me").await;
                if let Some(id) = me.is(200).body["match"]["id"].as_str() {
                    return id.to_owned();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, matched).await.unwrap()
    }

    /// A new ticket.
    pub(crate) async fn ticket(&self) -> String {
        let answer = self.post("/api/ws-tickets", json!({})).await;
        answer.is(200).body["ticket"].as_str().unwrap().to_owned()
    }

    /// A socket at `/ws/lobby` or `/ws/game/{id}`, with a new ticket, as a page of ours opens it.
    pub(crate) async fn open(&self, path: &str) -> Socket {
        let ticket = self.ticket().await;
        let joint = if path.contains('?') { '&' } else { '?' };
        let address = format!("{path}{joint}ticket={ticket}");
        self.knock(&address, Some(&self.base)).await.unwrap()
    }

    /// Tries to open a socket; who is not let in has the answer.
    pub(crate) async fn knock(
        &self,
        address: &str,
        origin: Option<&str>,
    ) -> Result<Socket, Answer> {
        let origin: Vec<_> = origin.map(|it| ("origin", it)).into_iter().collect();
        self.knock_with(address, &origin).await
    }

    /// The same with these headers.
    pub(crate) async fn knock_with(
        &self,
        address: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Answer> {
        let url = format!("{}{address}", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        for &(name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(tungstenite::Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                let text = String::from_utf8(body.unwrap_or_default()).unwrap();
                Err(Answer::new(parts.status.as_u16(), parts.headers, text))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Null when the text is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer::new(status, headers, response.text().await.unwrap())
    }

    fn new(status: u16, headers: HeaderMap, text: String) -> Answer {
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, text, body }
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// That it is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) -> &Answer {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.body["status"], status, "{}", self.text);
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{}", self.text);
        self
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Sends JSON.
    pub(crate) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends whatever it is.
    pub(crate) async fn send(&mut self, message: Message) {
        timeout(PATIENCE, self.0.send(message)).await.unwrap().unwrap();
    }

    /// Sends bytes that need not be a frame.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.0.get_mut().write_all(bytes)).await.unwrap().unwrap();
    }

    /// The same, as much of it as is taken.
    pub(crate) async fn try_send_raw(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.0.get_mut().write_all(bytes)).await.unwrap();
    }

    /// Sends unless the socket is closed already.
    pub(crate) async fn try_send(&mut self, message: Message) -> bool {
        timeout(PATIENCE, self.0.send(message)).await.unwrap().is_ok()
    }

    /// The next message, or the code that the server closes it with.
    pub(crate) async fn closed_or_next(&mut self) -> Result<Value, u16> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => {
                        return Err(code.into());
                    }
                    Some(Ok(_)) => {}
                    other => panic!("neither a message nor a close frame but {other:?}"),
                }
            }
        };
        timeout(PATIENCE, next).await.unwrap()
    }

    /// The next message; or the code that the server closes it with, none where it just goes.
    pub(crate) async fn next_or_end(&mut self) -> Result<Value, Option<u16>> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(close))) => {
                        return Err(close.map(|it| it.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(None),
                }
            }
        };
        timeout(PATIENCE, next).await.unwrap()
    }

    /// What the next pong has in it.
    pub(crate) async fn pong(&mut self) -> Vec<u8> {
        let pong = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Pong(payload))) => return payload.to_vec(),
                    Some(Ok(_)) => {}
                    other => panic!("no pong but {other:?}"),
                }
            }
        };
        timeout(PATIENCE, pong).await.unwrap()
    }

    /// Hears on until the server closes it, and gives the code; none where it just goes.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next_or_end().await {
                return code;
            }
        }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        self.next_within(PATIENCE).await.expect("nothing was said")
    }

    /// The next message, if one comes in time.
    pub(crate) async fn next_within(&mut self, time: Duration) -> Option<Value> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("no message but {other:?}"),
                }
            }
        };
        timeout(time, next).await.ok()
    }

    /// The next message of a type; others before it are passed over.
    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        let heard = async {
            loop {
                let message = self.next().await;
                if message["type"] == kind {
                    return message;
                }
            }
        };
        timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("no {kind}"))
    }

    /// The next message of a type for which something holds.
    pub(crate) async fn hear_that(&mut self, kind: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let heard = async {
            loop {
                let message = self.hear(kind).await;
                if holds(&message) {
                    return message;
                }
            }
        };
        timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("no such {kind}"))
    }

    /// Waits until the server closes it, and gives the code.
    pub(crate) async fn closed(&mut self) -> u16 {
        let closed = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => {
                        // Reading on says goodbye too.
                        while let Some(Ok(_)) = self.0.next().await {}
                        return code.into();
                    }
                    Some(Ok(_)) => {}
                    other => panic!("no close frame but {other:?}"),
                }
            }
        };
        timeout(PATIENCE, closed).await.unwrap()
    }
}

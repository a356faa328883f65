//! What the tests stand on: a server of their own, people who use it, and their sockets.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::CloseFrame},
};

/// How long something that must happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What signs access tokens.
pub(crate) const JWT_SECRET: &str = "a secret that only tests ever use";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Writes a test twice: `both! { async fn name(server: &Server) { … } }` is `name::sqlite` and
/// `name::postgres`. The second needs `ARTEL_TEST_POSTGRES`, the address of a superuser on a
/// throw-away cluster, and says so when it is not set.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &Server) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;
            use crate::support::Home;

            async fn check($server: &Server) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check(&Server::run(Home::sqlite(), &[]).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(home) = Home::postgres().await else { return };
                check(&Server::run(home, &[]).await).await;
            }
        }
    )*};
}
pub(crate) use both;

/// A folder to run in and a database, both gone when this is.
pub(crate) struct Home {
    folder: PathBuf,
    database_url: String,
    /// The cluster, and our part of it.
    schema: Option<(String, String)>,
}

impl Home {
    pub(crate) fn sqlite() -> Home {
        let folder = env::temp_dir().join(format!("artel-test-{:016x}", rand::random::<u64>()));
        fs::create_dir(&folder).unwrap();
        let database_url = format!("sqlite://{}/artel.db", folder.display());
        Home { folder, database_url, schema: None }
    }

    /// Nothing without a cluster to test on.
    pub(crate) async fn postgres() -> Option<Home> {
        let Ok(cluster) = env::var("ARTEL_TEST_POSTGRES") else {
            println!("ARTEL_TEST_POSTGRES is not set: not tested on PostgreSQL");
            return None;
        };
        let schema = format!("t_{:016x}", rand::random::<u64>());
        let mut database = PgConnection::connect(&cluster).await.unwrap();
        let create = AssertSqlSafe(format!("create schema {schema}"));
        sqlx::raw_sql(create).execute(&mut database).await.unwrap();
        let joint = if cluster.contains('?') { '&' } else { '?' };
        let database_url = format!("{cluster}{joint}options=-csearch_path%3D{schema}");
        let mut home = Home::sqlite();
        (home.database_url, home.schema) = (database_url, Some((cluster, schema)));
        Some(home)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The binary, with nothing in its environment but what a test needs.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_artel"));
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("DATABASE_URL", &self.database_url)
            .env("JWT_SECRET", JWT_SECRET)
            .env("ARTEL_LISTEN", "127.0.0.1:0")
            .env("ARTEL_METRICS_LISTEN", "off")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn artel(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let variables = variables.iter().copied();
        Ran::from(self.command().args(arguments).envs(variables).output().unwrap())
    }

    /// Runs SQL beside the server.
    pub(crate) async fn sql(&self, text: &str) {
        let text = AssertSqlSafe(text.to_owned());
        if self.schema.is_some() {
            let mut database = PgConnection::connect(&self.database_url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut database).await.unwrap();
        } else {
            let mut database = SqliteConnection::connect(&self.database_url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut database).await.unwrap();
        }
    }

    /// A number that SQL finds beside the server.
    pub(crate) async fn number(&self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        if self.schema.is_some() {
            let mut database = PgConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
        } else {
            let mut database = SqliteConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(text).fetch_one(&mut database).await.unwrap()
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A test that failed already says more than these could.
        let _ = fs::remove_dir_all(&self.folder);
        let Some((cluster, schema)) = self.schema.take() else { return };
        let work = async move {
            let mut database = PgConnection::connect(&cluster).await?;
            let drop = AssertSqlSafe(format!("drop schema {schema} cascade"));
            sqlx::raw_sql(drop).execute(&mut database).await
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = thread::spawn(move || runtime().map(|it| it.block_on(work).map(drop))).join();
    }
}

/// How a run of the binary went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Ran { code: output.status.code(), stdout, stderr }
    }
}

/// A running server. Dropping it ends it, and fails the test if anything in it panicked.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    pub(crate) home: Home,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// A server on SQLite.
    pub(crate) async fn start() -> Server {
        Server::run(Home::sqlite(), &[]).await
    }

    /// A server on SQLite with more in its environment.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Server {
        Server::run(Home::sqlite(), variables).await
    }

    pub(crate) async fn run(home: Home, variables: &[(&str, &str)]) -> Server {
        let mut command = home.command();
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    *log.lock().unwrap() += &(line + "\n");
                }
            }
        });
        let (tell, told) = oneshot::channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            let _ = stdout.read_line(&mut line);
            let _ = tell.send(line);
            let _ = stdout.read_to_string(&mut String::new());
        });
        let line = timeout(PATIENCE, told).await.unwrap().unwrap();
        let base = line.strip_prefix("Artel is on ").map(|it| it.trim().to_owned());
        let base = base.unwrap_or_else(|| panic!("it said {line:?}\n{}", log.lock().unwrap()));
        Server { child, base, home, log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged a line with this in it, and gives that line.
    pub(crate) async fn logged(&self, part: &str) -> String {
        let line = async {
            loop {
                if let Some(line) = self.log().lines().find(|it| it.contains(part)) {
                    return line.to_owned();
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, line).await.unwrap_or_else(|_| panic!("no {part:?} in {}", self.log()))
    }

    /// Sends it a signal: `TERM`, `INT`, `KILL` …
    pub(crate) fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
    }

    /// Waits until it has ended, and gives its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, ended).await.unwrap()
    }

    /// Ends it and starts it again over the same database.
    pub(crate) async fn restart(mut self, signal: &str, variables: &[(&str, &str)]) -> Server {
        self.signal(signal);
        self.ended().await;
        // The empty one takes the place of ours, which lives on.
        let home = std::mem::replace(&mut self.home, Home::sqlite());
        drop(self);
        Server::run(home, variables).await
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self) -> Client {
        Client { http: http(), base: self.base.clone(), session: Value::Null }
    }

    /// Somebody new, signed in.
    pub(crate) async fn person(&self, username: &str) -> Client {
        let body = json!({"username": username, "password": PASSWORD});
        let answer = self.stranger().post("/api/auth/register", body).await;
        Client { session: answer.is(201).body.clone(), ..self.stranger() }
    }

    /// Two new people who were matched at Pong, by seat, and their match.
    pub(crate) async fn pair(&self, a: &str, b: &str) -> (Client, Client, String) {
        let (a, b) = tokio::join!(self.person(a), self.person(b));
        a.post("/api/queue/pong/join", json!({})).await.is(200);
        b.post("/api/queue/pong/join", json!({})).await.is(200);
        let match_id = a.matched().await;
        assert_eq!(b.matched().await, match_id);
        let players = a.get(&format!("/api/matches/{match_id}")).await.is(200).body.clone();
        match players["players"][0]["user"]["id"] == a.id() {
            true => (a, b, match_id),
            false => (b, a, match_id),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !thread::panicking() {
            let log = self.log();
            assert!(!log.contains("panicked"), "the server panicked:\n{log}");
        }
    }
}

fn http() -> reqwest::Client {
    // What a test is told must be the server's first word.
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.timeout(PATIENCE).build().unwrap()
}

/// Somebody who uses a server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    /// As signing in answered it; null for a stranger.
    pub(crate) session: Value,
}

impl Client {
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
        let url = format!("{}{address}", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
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

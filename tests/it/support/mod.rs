//! What the tests stand on: a server of their own, people who use it, and their sockets.

pub(crate) mod cluster;
mod home;
mod people;
pub(crate) mod world;

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::json;
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

pub(crate) use home::Home;
pub(crate) use people::{Answer, Client, Socket};

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
        command.envs(variables.iter().copied());
        Server::spawn(home, command).await
    }

    /// A server that a shell starts, which is given the binary as `$0`: `exec "$0"`, after
    /// whatever is to be so from the start.
    pub(crate) async fn by_shell(home: Home, script: &str, variables: &[(&str, &str)]) -> Server {
        let artel = home.command();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).arg(artel.get_program()).current_dir(home.folder());
        command.env_clear().stdin(Stdio::null());
        command.envs(artel.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(variables.iter().copied());
        Server::spawn(home, command).await
    }

    async fn spawn(home: Home, mut command: Command) -> Server {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
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

    /// Its number among the processes of this machine.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// How much memory it holds now, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
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

    /// Starts it again once it has ended.
    pub(crate) async fn restart_ended(mut self) -> Server {
        let home = std::mem::replace(&mut self.home, Home::sqlite());
        drop(self);
        Server::run(home, &[]).await
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(&self.base)
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

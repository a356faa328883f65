//! The few REST calls a player makes before a match, on connections that are kept for the next.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::server::TOKEN;

const TIMEOUT: Duration = Duration::from_secs(20);
/// An address has some 28,000 ports to connect from, so we come from several.
const ADDRESSES: u8 = 16;
/// Access tokens live for 15 minutes.
const SIGNED_IN_MAX: Duration = Duration::from_secs(600);

/// A door to the server.
pub(crate) struct Rest {
    server: SocketAddr,
    idle: Mutex<Vec<TcpStream>>,
    connected: AtomicU8,
}

/// A player's account.
#[derive(Debug)]
pub(crate) struct Account {
    telegram_id: u64,
    token: String,
    signed_in: Instant,
}

impl Rest {
    pub(crate) fn new(server: SocketAddr) -> Rest {
        Rest { server, idle: Mutex::default(), connected: AtomicU8::new(0) }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Opens a connection of its own.
    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        let last = 2 + self.connected.fetch_add(1, Ordering::Relaxed) % ADDRESSES;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).context("binding")?;
        let stream = timeout(TIMEOUT, socket.connect(self.server)).await?.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Signs in as Telegram's user of that number, who is made on first sight.
    pub(crate) async fn sign_in(&self, telegram_id: u64) -> Result<Account> {
        let body = json!({ "init_data": init_data(telegram_id)? });
        let session = self.call("POST", "/api/auth/telegram", None, Some(&body)).await?;
        let token = session["access_token"].as_str().context("no access token")?.to_owned();
        Ok(Account { telegram_id, token, signed_in: Instant::now() })
    }

    /// Queues two accounts that nobody else is queued beside, and gives the match they are put in.
    pub(crate) async fn pair(&self, accounts: &[Account; 2]) -> Result<String> {
        for account in accounts {
            let queue = "/api/queue/pong/join";
            let queued = self.call("POST", queue, Some(account), Some(&json!({}))).await?;
            if let Some(id) = queued["match_id"].as_str() {
                return Ok(id.to_owned());
            }
        }
        for _ in 0..100 {
            let me = self.call("GET", "/api/me", Some(&accounts[0]), None).await?;
            if let Some(id) = me["match"]["id"].as_str() {
                return Ok(id.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("two who queued weren't matched in 5 s")
    }

    /// Asks for a ticket that opens one socket.
    pub(crate) async fn ticket(&self, account: &mut Account) -> Result<String> {
        if account.signed_in.elapsed() > SIGNED_IN_MAX {
            *account = self.sign_in(account.telegram_id).await?;
        }
        let ticket = self.call("POST", "/api/ws-tickets", Some(account), None).await?;
        Ok(ticket["ticket"].as_str().context("no ticket")?.to_owned())
    }

    /// Calls the API: null where it answers nothing, and an error where it is no success.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        account: Option<&Account>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.server);
        if let Some(account) = account {
            request += &format!("Authorization: Bearer {}\r\n", account.token);
        }
        if !body.is_empty() {
            request += "Content-Type: application/json\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let (status, answer) =
            self.exchange(&request).await.with_context(|| format!("{method} {path}"))?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
        }
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).with_context(|| format!("{method} {path}"))
    }

    async fn exchange(&self, request: &str) -> Result<(u16, Vec<u8>)> {
        if let Some(mut kept) = self.take() {
            // The server may have closed it meanwhile: then a new one will do.
            if let Ok(answer) = answer(&mut kept, request).await {
                self.keep(kept);
                return Ok(answer);
            }
        }
        let mut stream = self.connect().await?;
        let answer = answer(&mut stream, request).await?;
        self.keep(stream);
        Ok(answer)
    }

    fn take(&self) -> Option<TcpStream> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, stream: TcpStream) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }
}

/// Sends a request and reads the answer's status and body.
async fn answer(stream: &mut TcpStream, request: &str) -> Result<(u16, Vec<u8>)> {
    timeout(TIMEOUT, async {
        stream.write_all(request.as_bytes()).await?;
        let (status, length, mut body) = read_head(stream).await?;
        let missing = length.saturating_sub(body.len());
        let read = body.len();
        body.resize(read + missing, 0);
        stream.read_exact(&mut body[read..]).await?;
        Ok((status, body))
    })
    .await
    .context("no answer in 20 s")?
}

/// Reads an answer's head: its status, the length of its body, and what came of the body so far.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Result<(u16, usize, Vec<u8>)> {
    let mut read = Vec::with_capacity(1024);
    let end = loop {
        ensure!(stream.read_buf(&mut read).await? > 0, "the server closed the connection");
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let head = std::str::from_utf8(&read[..end])?;
    let status = head.split(' ').nth(1).context("no status")?.parse().context("a bad status")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse())
        .context("a bad length")?;
    Ok((status, length, read.split_off(end + 4)))
}

/// What Telegram would give the page that this user opens.
fn init_data(telegram_id: u64) -> Result<String> {
    let auth_date = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let user = json!({
        "id": telegram_id,
        "first_name": format!("Player {telegram_id}"),
        "language_code": "en",
    });
    let key = sign(b"WebAppData", TOKEN.as_bytes())?;
    let hash = sign(&key, format!("auth_date={auth_date}\nuser={user}").as_bytes())?;
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("auth_date={auth_date}&user={}&hash={hash}", percent(&user.to_string())))
}

fn sign(key: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

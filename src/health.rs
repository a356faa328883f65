//! `artel health`: is the server here ready? For containers, which have nothing else to ask with.

use std::{
    io::{BufRead, BufReader, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, ensure};

/// How long it may take, at each step.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the server that listens on `address` for `/readyz`.
///
/// # Errors
/// When it does not answer, or that it is not ready.
pub(crate) fn check(address: SocketAddr) -> anyhow::Result<()> {
    let address = reachable(address);
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status)?;
        Ok(status)
    };
    let status = ask().with_context(|| format!("no answer from http://{address}/readyz"))?;
    let code = status.split(' ').nth(1).unwrap_or_default();
    ensure!(code == "200", "http://{address}/readyz answers {}", status.trim_end());
    Ok(())
}

/// Who listens everywhere is reached here.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

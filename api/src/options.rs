//! What an operator may set of this door.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use axum::http::HeaderName;
use url::Url;

/// Where metrics are served unless the operator says otherwise.
const METRICS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// What an operator may set of this door.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Where to serve
    #[arg(
        long,
        env = "ARTEL_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub listen: SocketAddr,

    /// How the world reaches the server; https makes cookies work inside web.telegram.org
    /// [default: http://localhost and the port of ARTEL_LISTEN]
    #[arg(long, env = "PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<Url>,

    /// Where to serve Prometheus metrics, or `off` [default: 127.0.0.1:9090, or nowhere when that
    /// is taken]
    #[arg(
        long,
        env = "ARTEL_METRICS_LISTEN",
        value_name = "ADDRESS:PORT|off",
        value_parser = MetricsListen::from_str
    )]
    pub metrics_listen: Option<MetricsListen>,

    /// The header in which a trusted proxy names the client, such as fly-client-ip [default: none,
    /// the connection's own address counts]
    #[arg(long, env = "ARTEL_CLIENT_IP_HEADER", value_name = "HEADER", value_parser = header)]
    pub client_ip_header: Option<HeaderName>,

    /// The addresses of proxies that are believed about who their clients are, by that header or
    /// else by X-Forwarded-For; networks as in 10.0.0.0/8, separated by spaces [default: whoever
    /// connects, when ARTEL_CLIENT_IP_HEADER is set]
    #[arg(
        long,
        env = "ARTEL_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        default_value = "",
        hide_default_value = true,
        value_parser = Networks::from_str
    )]
    pub trusted_proxies: Networks,

    /// Whether too many requests are refused: on, or off for load tests
    #[arg(
        long,
        env = "ARTEL_RATE_LIMITS",
        value_name = "on|off",
        default_value = "on",
        value_parser = on_off,
        action = clap::ArgAction::Set
    )]
    pub rate_limits: bool,

    /// Seconds that a client may take to send the head of a request; it has half as long again for
    /// its body, and to read on what it is sent. A socket is pinged twice in that time, and closed
    /// when nothing was heard of it for six times as long
    #[arg(
        long,
        env = "ARTEL_PATIENCE",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = patience
    )]
    pub patience: Duration,

    /// More origins that may frame the pages, beside Telegram's, separated by spaces
    #[arg(
        long,
        env = "ARTEL_FRAME_ANCESTORS",
        value_name = "ORIGINS",
        default_value = "",
        hide_default_value = true,
        value_parser = Origins::from_str
    )]
    pub frame_ancestors: Origins,
}

impl Options {
    /// How the world reaches a server that listens on `address`.
    pub fn public_url(&self, address: SocketAddr) -> Url {
        self.public_url.clone().unwrap_or_else(|| {
            let url = format!("http://localhost:{}", address.port());
            url.parse().expect("a host and a port make a URL")
        })
    }

    /// The origins whose pages may open sockets: the public one, and while that is this machine
    /// itself also the other names of this machine.
    pub(crate) fn origins(&self, public_url: &Url, address: SocketAddr) -> Vec<String> {
        let mut origins = vec![public_url.origin().ascii_serialization()];
        if matches!(public_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            let port = address.port();
            origins.extend(
                ["localhost", "127.0.0.1", "[::1]"].map(|it| format!("http://{it}:{port}")),
            );
        }
        origins
    }
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsListen {
    /// Nowhere.
    Off,
    /// There, and nowhere else.
    At(SocketAddr),
}

impl MetricsListen {
    /// Where they are served when the operator did not say: not worth a refusal to start.
    pub const DEFAULT: SocketAddr = METRICS_LISTEN;
}

impl FromStr for MetricsListen {
    type Err = String;

    fn from_str(text: &str) -> Result<MetricsListen, String> {
        match text {
            "off" => Ok(MetricsListen::Off),
            text => match text.parse() {
                Ok(at) => Ok(MetricsListen::At(at)),
                Err(_) => Err("neither an address and a port nor off; for example \
                               127.0.0.1:9090"
                    .to_owned()),
            },
        }
    }
}

/// A list of web origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Origins, String> {
        let origin = |text: &str| {
            let url = Url::parse(text).ok().filter(is_origin);
            url.map(|url| url.origin().ascii_serialization()).ok_or_else(|| {
                format!("{text} is not an origin; for example https://web.telegram.org")
            })
        };
        text.split_whitespace().map(origin).collect::<Result<_, _>>().map(Origins)
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// A list of networks of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u32)>);

impl Networks {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|&(network, bits)| match (network, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (a.to_bits() ^ b.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                (a.to_bits() ^ b.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        })
    }
}

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Networks, String> {
        let network = |text: &str| {
            let (address, bits) = text.split_once('/').unwrap_or((text, ""));
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = if bits.is_empty() { most } else { bits.parse().ok()? };
            (bits <= most).then_some((address, bits))
        };
        let wrong = |text: &str| {
            format!("{text} is not a network of addresses; for example 10.0.0.0/8 or fdaa::/16")
        };
        let words = text.split_whitespace();
        words.map(|it| network(it).ok_or_else(|| wrong(it))).collect::<Result<_, _>>().map(Networks)
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|(it, bits)| format!("{it}/{bits}")).collect();
        f.write_str(&words.join(" "))
    }
}

/// Whether a URL is a scheme, a host and maybe a port, and nothing else.
fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an address and a port; for example 127.0.0.1:8080".to_owned())
}

fn public_url(text: &str) -> Result<Url, String> {
    Url::parse(text).ok().filter(is_origin).ok_or_else(|| {
        "not http:// or https:// with a host and nothing after it; for example \
         https://artel.example"
            .to_owned()
    })
}

fn header(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| "not a header's name; for example fly-client-ip".to_owned())
}

fn patience(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|it| (1..=60).contains(it));
    let seconds = seconds.ok_or("not a number of seconds from 1 to 60; for example 10")?;
    Ok(Duration::from_secs(seconds))
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("neither on nor off; for example on".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let networks: Networks = "10.0.0.0/8 192.0.2.7 fdaa::/16 0.0.0.0/32".parse().unwrap();
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("fdaa:1::1", true),
            ("fdab::1", false),
            ("0.0.0.1", false),
        ] {
            assert_eq!(networks.contains(address.parse().unwrap()), expected, "{address}");
        }
        let all: Networks = "0.0.0.0/0 ::/0".parse().unwrap();
        assert!(all.contains("203.0.113.1".parse().unwrap()));
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "all"] {
            assert!(wrong.parse::<Networks>().is_err(), "{wrong}");
        }
        assert!("".parse::<Networks>().unwrap().is_empty());
    }
}

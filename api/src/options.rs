//! What an operator may set of this door.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use axum::http::HeaderName;
use url::Url;

/// Where metrics are served unless the operator says otherwise.
const METRICS_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

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

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("neither on nor off; for example on".to_owned()),
    }
}

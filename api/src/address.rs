//! Where requests come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, request::Parts},
};

use crate::{Options, Problem};

/// Who is at the other end of the connection; put into every request by [`serve`](crate::serve).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Where a request came from, as far as limits go: the proxy's word where the operator trusts one,
/// else the connection's other end. An IPv6 address stands for its /64, which is what one client
/// is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    pub(crate) fn of(request: &Request, options: &Options) -> ClientAddress {
        let peer = request.extensions().get::<Peer>().map(|it| it.0.ip());
        let told = told(request.headers(), peer, options);
        ClientAddress(network(told.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<ClientAddress, Problem> {
        let address = parts.extensions.get::<ClientAddress>().copied();
        Ok(address.unwrap_or(ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Who the client is by the word of a proxy that is believed.
fn told(headers: &HeaderMap, peer: Option<IpAddr>, options: &Options) -> Option<IpAddr> {
    static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    let (trusted, named) = (&options.trusted_proxies, &options.client_ip_header);
    let name = match (named, trusted.is_empty()) {
        (Some(name), true) => name,
        (None, true) => return None,
        (named, false) => {
            peer.filter(|it| trusted.contains(*it))?;
            named.as_ref().unwrap_or(&FORWARDED_FOR)
        }
    };
    // A proxy appends what it saw to what it was told, so only the last is its own word; when that
    // is a proxy of ours too, the one before it.
    let values = headers.get_all(name).iter().rev();
    for value in values.flat_map(|it| it.to_str().unwrap_or("").rsplit(',')) {
        let address: IpAddr = value.trim().parse().ok()?;
        if !trusted.contains(address) {
            return Some(address);
        }
    }
    None
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_its_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(network(address.parse().unwrap()), expected, "{address}");
        }
    }
}

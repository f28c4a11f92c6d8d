//! Who calls, where proxies stand in front: the connection is the proxy's then, and tries to sign in would be
//! counted against everybody who comes through it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

/// What each proxy adds the address to that it was called from.
const FORWARDED: &str = "x-forwarded-for";

/// Addresses of proxies that say the truth: `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`.
///
/// ```
/// use luna_http::Network;
/// assert!("10.0.0.0/8".parse::<Network>().is_ok());
/// assert!("192.0.2.7".parse::<Network>().is_ok());
/// assert!("ingress".parse::<Network>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "addresses are written like 10.0.0.0/8 or 192.0.2.7")
    }
}

/// Puts the client's address in the place of the proxy's.
pub(crate) async fn client(proxies: Arc<[Network]>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied()
    {
        let address = behind(&proxies, peer.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, peer.port())));
    }
    next.run(request).await
}

/// The last address that no proxy of ours has: what stands before it in the header may be made up.
fn behind(proxies: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|Network(network)| network.contains(&address))
    };
    let listed = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
    let mut listed: Vec<&str> = listed.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut address = peer;
    while is_proxy(address) {
        let Some(before) = listed.pop().and_then(|text| text.parse().ok()) else { break };
        address = before;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<Network> =
            proxies.split_whitespace().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, value.parse().unwrap());
        }
        behind(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_our_proxies_say_is_believed() {
        for (proxies, peer, forwarded, client) in [
            // Nobody's word counts unless it was said whose does.
            ("", "192.0.2.1", &["198.51.100.9"][..], "192.0.2.1"),
            ("10.0.0.0/8", "192.0.2.1", &["198.51.100.9"], "192.0.2.1"),
            ("10.0.0.0/8", "10.1.2.3", &["198.51.100.9"], "198.51.100.9"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", &["198.51.100.9"], "198.51.100.9"),
            ("2001:db8::/32", "2001:db8::1", &["2001:db9::9"], "2001:db9::9"),
            // The client made the first up; two proxies added theirs.
            ("10.0.0.0/8", "10.1.2.3", &["203.0.113.5, 198.51.100.9", "10.9.9.9"], "198.51.100.9"),
            ("10.1.2.3", "10.1.2.3", &["198.51.100.9, 10.9.9.9"], "10.9.9.9"),
            ("10.0.0.0/8", "10.1.2.3", &[], "10.1.2.3"),
            ("10.0.0.0/8", "10.1.2.3", &["unknown"], "10.1.2.3"),
        ] {
            assert_eq!(seen(proxies, peer, forwarded), client, "{proxies} {peer} {forwarded:?}");
        }
    }
}

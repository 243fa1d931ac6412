//! Which addresses requests may go to.
//!
//! Whoever may write a URL into a statement makes the server connect to it, from within the network where the server is.
//! So only public addresses can be reached, and those that the configuration names. What counts is the address that is
//! connected to: names are looked at once they are resolved, and what a redirection leads to as well.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::Arc;

use ipnet::IpNet;
use rand::seq::SliceRandom;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::Error;

/// Where clouds answer their machines, at addresses that are not told from public ones by their kind: Azure's WireServer.
const PLATFORM: IpAddr = IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16));

/// What a store's requests may reach.
#[derive(Debug, Clone, Default)]
pub(super) struct Reachable {
    /// Networks besides the public addresses.
    pub(super) networks: Arc<[IpNet]>,
    /// A host that is trusted whatever its address is, and all below its name: the configuration names it, or it is the
    /// cloud's own. No part of it comes from a statement.
    pub(super) trusted_host: Option<Arc<str>>,
}

impl Reachable {
    /// Refuses a URL that names an address which must not be reached. A name is looked at when it is resolved.
    ///
    /// # Errors
    /// [`Error::AddressNotAllowed`]
    pub(super) fn check(&self, url: &Url) -> Result<(), Error> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(not_allowed("")),
        };
        let host = url.host_str().unwrap_or_default();
        if self.trusts(host) || self.allows(address) { Ok(()) } else { Err(not_allowed(host)) }
    }

    fn trusts(&self, host: &str) -> bool {
        let Some(trusted) = self.trusted_host.as_deref() else { return false };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        host == trusted || host.strip_suffix(trusted).is_some_and(|below| below.ends_with('.'))
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|network| network.contains(&address))
    }

    /// The addresses of a name that may be reached.
    fn addresses(&self, host: &str) -> io::Result<Addrs> {
        let mut addresses: Vec<_> = (host, 0).to_socket_addrs()?.collect();
        if !self.trusts(host) {
            addresses.retain(|address| self.allows(address.ip()));
            if addresses.is_empty() {
                return Err(io::Error::other(not_allowed(host)));
            }
        }
        // Requests spread over the machines that a service has.
        addresses.shuffle(&mut rand::rng());
        Ok(Box::new(addresses.into_iter()))
    }
}

impl Resolve for Reachable {
    fn resolve(&self, name: Name) -> Resolving {
        let reachable = self.clone();
        Box::pin(async move {
            let resolved = tokio::task::spawn_blocking(move || reachable.addresses(name.as_str())).await?;
            resolved.map_err(Into::into)
        })
    }
}

fn not_allowed(host: &str) -> Error {
    Error::AddressNotAllowed { location: host.to_owned() }
}

/// Whether an address is one that anybody on the internet could reach.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address) && address != PLATFORM,
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = match first {
        // This network, private ones, loopback.
        0 | 10 | 127 => true,
        // Those that providers share among customers, and where one of them has its metadata.
        100 => second & 0b1100_0000 == 64,
        169 => second == 254,
        172 => second & 0b1111_0000 == 16,
        192 => (second, third) == (0, 0) || second == 168,
        198 => second & 0b1111_1110 == 18,
        // Multicast, reserved, broadcast.
        _ => first >= 224,
    };
    !is_special
}

/// Of IPv6, what is neither global unicast nor stands for an IPv4 address that could be reached.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        // 6to4 and NAT64 lead to the IPv4 address inside.
        [0x2002, high, low, ..] => is_public(IpAddr::V4(v4(high, low))),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public(IpAddr::V4(v4(high, low))),
        // Teredo does so too, in a way that is not worth following.
        [0x2001, 0, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(reachable: &Reachable, url: &str, expected: bool) {
        assert_eq!(reachable.check(&Url::parse(url).unwrap()).is_ok(), expected, "{url}");
    }

    #[test]
    fn only_public_addresses_are_reached() {
        let closed = [
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://127.0.0.1:9000/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://100.100.100.200/",
            "http://192.0.0.192/",
            "http://168.63.129.16/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::1]/",
        ];
        for url in closed {
            check(&Reachable::default(), url, false);
        }
        for url in ["http://8.8.8.8/", "https://172.32.0.1/", "http://[2606:4700::1111]/"] {
            check(&Reachable::default(), url, true);
        }
    }

    #[test]
    fn networks_and_hosts_of_the_configuration_are_reached() {
        let networks = Arc::from(["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let reachable = Reachable { networks, trusted_host: Some("169.254.1.1".into()) };
        for url in ["http://10.1.2.3/", "http://[::1]:80/", "http://[::ffff:10.1.2.3]/", "http://169.254.1.1/x"] {
            check(&reachable, url, true);
        }
        for url in ["http://169.254.169.254/", "http://127.0.0.1/"] {
            check(&reachable, url, false);
        }
        let trusted_host = Some("storage.example".into());
        let reachable = Reachable { trusted_host, ..Reachable::default() };
        assert!(reachable.trusts("bucket.Storage.Example.") && !reachable.trusts("evilstorage.example"));
    }

    #[test]
    fn a_name_is_its_addresses() {
        let refused = Reachable::default().addresses("localhost").err().unwrap();
        assert!(matches!(crate::error::find(&refused), Some(Error::AddressNotAllowed { .. })), "{refused:?}");
        let networks = Arc::from(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(Reachable { networks, trusted_host: None }.addresses("localhost").is_ok());
    }
}

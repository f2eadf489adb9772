//! Keeps a host that a template yields away from the inside of the network.
//!
//! The check is made on the address that is about to be connected to, after the name was resolved: a public name may
//! resolve to `127.0.0.1`, and may do so only the second time it is asked.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// Why a host was not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// No pattern of `allow_hosts` fits.
    #[error("the host `{host}` is not in `allow_hosts`")]
    Host {
        /// The host.
        host: String,
    },
    /// The host's address is not on the public network.
    #[error("the host `{host}` is at {address}, {kind}, which `allow_hosts` does not list")]
    Address {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
        /// What kind of address that is.
        kind: &'static str,
    },
}

/// `allow_hosts`, understood.
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    patterns: Vec<String>,
    addresses: BTreeSet<IpAddr>,
}

impl AllowedHosts {
    /// Reads the patterns: a host, an address, or `*.` before a host for all hosts below it.
    pub(crate) fn new(patterns: &[String]) -> Self {
        let patterns: Vec<String> = patterns.iter().map(|pattern| plain(pattern)).collect();
        let addresses = patterns.iter().filter_map(|pattern| pattern.parse().ok()).collect();
        AllowedHosts { patterns, addresses }
    }

    /// The addresses that may be connected to although they are not public.
    pub(crate) fn addresses(&self) -> &BTreeSet<IpAddr> {
        &self.addresses
    }

    /// Checks what can be told before the name is resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refused> {
        let host = plain(url.host_str().unwrap_or_default());
        let address: Option<IpAddr> = host.parse().ok();
        // One address has many spellings, so addresses are compared as such.
        let listed = address.is_some_and(|address| self.addresses.contains(&address));
        if !listed && !self.patterns.iter().any(|pattern| fits(pattern, &host)) {
            return Err(Refused::Host { host });
        }
        // An address in the URL is never resolved, so the resolver would not see it.
        address.map_or(Ok(()), |address| check_address(&host, address, &self.addresses))
    }
}

/// Lower case, without the brackets of an IPv6 address and the dot of a full name.
fn plain(host: &str) -> String {
    host.trim().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

fn fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => host
            .strip_suffix(domain)
            .and_then(|sub| sub.strip_suffix('.'))
            .is_some_and(|sub| !sub.is_empty() && !domain.is_empty()),
        None => !host.is_empty() && pattern == host,
    }
}

fn check_address(host: &str, address: IpAddr, listed: &BTreeSet<IpAddr>) -> Result<(), Refused> {
    match inside(address) {
        Some(kind) if !listed.contains(&address) => {
            Err(Refused::Address { host: host.to_owned(), address, kind })
        }
        _ => Ok(()),
    }
}

/// What an address that is not on the public network is; `None` for a public one.
pub(crate) fn inside(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => inside_v4(address),
        IpAddr::V6(address) => inside_v6(address),
    }
}

fn inside_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [127, ..] => Some("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [169, 254, 169, 254] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => {
            Some("a metadata address of a cloud")
        }
        [169, 254, ..] => Some("a link-local address"),
        [100, 64..=127, ..] => Some("a carrier's private address"),
        [0, ..] => Some("an address of this network"),
        [192, 0, 0, _] | [192, 88, 99, _] => Some("a protocol's own address"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("an address for documentation"),
        [198, 18..=19, ..] => Some("an address for benchmarks"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn inside_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some("an IPv4 address mapped into IPv6"),
        // An IPv6-only network reaches every IPv4 host through this prefix: what counts is the address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            inside_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] => Some("a metadata address of a cloud"),
        [0xfc00..=0xfdff, ..] => Some("a unique-local address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("an address for documentation"),
        [0x2001, 0..=0x01ff, ..] => Some("a protocol's own address"),
        [0x2002, ..] => Some("an IPv4 address wrapped into IPv6"),
        // Everything assigned for public use lies in 2000::/3.
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

/// A resolver that yields only addresses that may be connected to.
pub(crate) struct Guard<L = SystemLookup> {
    lookup: L,
    listed: Arc<BTreeSet<IpAddr>>,
}

impl Guard {
    pub(crate) fn new(listed: BTreeSet<IpAddr>) -> Self {
        Guard { lookup: SystemLookup, listed: Arc::new(listed) }
    }
}

impl<L: Lookup> Resolve for Guard<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let found = self.lookup.lookup(host.clone());
        let listed = Arc::clone(&self.listed);
        Box::pin(async move {
            let found = found.await?;
            let mut refused = None;
            let mut allowed: Vec<SocketAddr> = Vec::new();
            for address in found {
                match check_address(&host, address.ip(), &listed) {
                    Ok(()) => allowed.push(address),
                    Err(reason) => refused = Some(reason),
                }
            }
            match refused {
                Some(reason) if allowed.is_empty() => Err(reason.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// The addresses of a name, when they are known.
type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// What resolves a name: the system, or a table in the tests.
pub(crate) trait Lookup: Send + Sync {
    /// The addresses of `host`; their port is not used.
    fn lookup(&self, host: String) -> Found;
}

/// The system's own resolution.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> Found {
        Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) })
    }
}

#[cfg(test)]
mod tests;

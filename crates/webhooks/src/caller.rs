//! From which address a request comes, and whether it may come so often.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use hyper::HeaderMap;
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use zaprun_core::definition::Rate;

/// Requests that one caller may make unless the connection says otherwise: a batch of an export is no attack.
pub const DEFAULT_RATE: Rate =
    Rate { count: NonZeroU32::new(20_000).expect("not zero"), per: Duration::from_secs(60) };

/// So many callers are told apart; beyond that those that have been quiet are forgotten, and until then all share one
/// limit.
const MOST_CALLERS: usize = 10_000;

/// The caller's address: the last one on the way that is no proxy of ours. What a stranger writes into the header
/// stands before it and counts for nothing.
pub(crate) fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let ours = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut caller = peer.to_canonical();
    let written: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = written.iter().flat_map(|value| value.split(',')).rev();
    while ours(&caller) {
        let Some(before) = hops.next().and_then(hop) else { break };
        caller = before;
    }
    caller
}

/// An address as proxies write it: some add the port.
fn hop(written: &str) -> Option<IpAddr> {
    let written = written.trim();
    let bare = written.parse::<IpAddr>().or_else(|_| written.parse().map(|at: std::net::SocketAddr| at.ip()));
    bare.ok().map(|address| address.to_canonical())
}

/// How often each caller of one connection may come.
pub(crate) struct Limiter {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, RuntimeClock, NoOpMiddleware<Duration>>,
    clock: RuntimeClock,
    /// When those that have been quiet were last forgotten.
    swept: Mutex<Duration>,
}

/// Looking for those that have been quiet takes time, of which a flood must not have more.
const SWEEP: Duration = Duration::from_secs(1);

impl Limiter {
    /// `rate.count` at once, and as many in each `rate.per`.
    pub(crate) fn new(rate: Rate) -> Self {
        let clock = RuntimeClock { start: Instant::now() };
        // A duration between requests of nothing at all is no limit that could be kept.
        let apart = (rate.per / rate.count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(apart).map(|quota| quota.allow_burst(rate.count));
        let quota = quota.unwrap_or(Quota::per_second(rate.count));
        let limiter = RateLimiter::hashmap_with_clock(quota, clock.clone());
        Limiter { limiter, clock, swept: Mutex::new(Duration::ZERO) }
    }

    /// Counts a request; `Err`: it comes too early, by so long.
    pub(crate) fn count(&self, caller: IpAddr) -> Result<(), Duration> {
        let full = || self.limiter.len() >= MOST_CALLERS;
        if full() {
            self.sweep();
        }
        let who = if full() { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { group(caller) };
        self.limiter.check_key(&who).map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

impl Limiter {
    /// Forgets callers that have been quiet, now and then.
    fn sweep(&self) {
        let now = self.clock.now();
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= *swept + SWEEP {
            *swept = now;
            self.limiter.retain_recent();
        }
    }
}

/// A household or a rented machine has a whole network of IPv6 addresses.
fn group(caller: IpAddr) -> IpAddr {
    match caller {
        IpAddr::V4(_) => caller,
        IpAddr::V6(address) => Ipv6Net::new(address, 64).map_or(caller, |net| IpAddr::V6(net.network())),
    }
}

/// The runtime's clock rather than the machine's: one that nobody sets back.
#[derive(Clone)]
struct RuntimeClock {
    start: Instant,
}

impl Clock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        address(ip(peer), &headers, &proxies)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("198.51.100.7", &["203.0.113.1"], &[]), ip("198.51.100.7"));
        assert_eq!(seen("10.0.0.2", &["203.0.113.1"], &["10.0.0.0/8"]), ip("203.0.113.1"));
        // What a caller writes himself stands before what the proxy adds.
        assert_eq!(seen("10.0.0.2", &["1.1.1.1, 203.0.113.1"], &["10.0.0.0/8"]), ip("203.0.113.1"));
        assert_eq!(
            seen("10.0.0.2", &["1.1.1.1", "203.0.113.1, 10.0.0.9"], &["10.0.0.0/8"]),
            ip("203.0.113.1")
        );
        assert_eq!(seen("10.0.0.2", &["203.0.113.1:4711"], &["10.0.0.0/8"]), ip("203.0.113.1"));
        assert_eq!(seen("::ffff:10.0.0.2", &["2001:db8::1"], &["10.0.0.0/8"]), ip("2001:db8::1"));
        for none in [&[][..], &["unknown"], &[""]] {
            assert_eq!(seen("10.0.0.2", none, &["10.0.0.0/8"]), ip("10.0.0.2"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_caller_has_a_limit_of_its_own() {
        let limiter = Limiter::new(Rate { count: NonZeroU32::new(3).unwrap(), per: Duration::from_secs(60) });
        let (a, b) = (ip("203.0.113.1"), ip("203.0.113.2"));
        assert!((0..3).all(|_| limiter.count(a).is_ok()));
        assert_eq!(limiter.count(a), Err(Duration::from_secs(20)));
        assert!(limiter.count(b).is_ok());
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(limiter.count(a).is_ok());
        assert!(limiter.count(a).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_caller() {
        let limiter = Limiter::new(Rate { count: NonZeroU32::MIN, per: Duration::from_secs(60) });
        assert!(limiter.count(ip("2001:db8::1")).is_ok());
        assert!(limiter.count(ip("2001:db8::2")).is_err());
        assert!(limiter.count(ip("2001:db8:0:1::1")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn callers_do_not_fill_the_memory() {
        let limiter = Limiter::new(Rate { count: NonZeroU32::MIN, per: Duration::from_secs(60) });
        let caller = |number: u32| IpAddr::V4(number.into());
        assert!((0..10_000).all(|number| limiter.count(caller(number)).is_ok()));
        // One passes, the others share its limit.
        assert!(limiter.count(caller(20_000)).is_ok());
        assert!(limiter.count(caller(20_001)).is_err());
        tokio::time::advance(Duration::from_secs(180)).await;
        assert!(limiter.count(caller(20_002)).is_ok());
        assert!(limiter.limiter.len() < 10);
    }
}

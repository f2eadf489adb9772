#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.1",
    "192.88.99.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.1.2.3",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
];

const OUTSIDE: &[&str] = &[
    "8.8.8.8",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.0.1",
    "169.253.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.1.1.1",
    "128.0.0.1",
    "198.17.0.1",
    "198.20.0.1",
    "223.255.255.255",
    "192.0.1.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
];

fn allowed(patterns: &[&str]) -> AllowedHosts {
    AllowedHosts::new(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>())
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn every_inner_range_is_known() {
    for address in INSIDE {
        assert!(inside(address.parse().unwrap()).is_some(), "{address}");
    }
    for address in OUTSIDE {
        assert_eq!(inside(address.parse().unwrap()), None, "{address}");
    }
}

#[test]
fn patterns_fit_hosts_and_not_their_look_alikes() {
    let hosts = allowed(&["*.Example.com", "api.other.example"]);
    for good in [
        "https://a.example.com/",
        "https://a.b.EXAMPLE.com",
        "https://api.other.example:8443",
        "https://a.example.com.",
    ] {
        assert_eq!(hosts.check(&url(good)), Ok(()), "{good}");
    }
    for bad in [
        "https://example.com/",
        "https://evilexample.com",
        "https://a.example.com.evil.test",
        "https://x.api.other.example",
        "https://.example.com",
        "https://a.example.com@evil.test/",
    ] {
        if let Ok(bad) = Url::parse(bad) {
            assert!(matches!(hosts.check(&bad), Err(Refused::Host { .. })), "{bad}");
        }
    }
    assert!(allowed(&["*."]).check(&url("https://a.example.com")).is_err());
    assert!(allowed(&[""]).check(&url("https://a.example.com")).is_err());
}

#[test]
fn an_address_must_be_listed_itself() {
    for address in INSIDE {
        let host = if address.contains(':') { format!("[{address}]") } else { (*address).to_owned() };
        let target = url(&format!("http://{host}/"));
        assert_eq!(allowed(&[address]).check(&target), Ok(()), "{address} listed");
        assert!(allowed(&["*.example.com"]).check(&target).is_err(), "{address} not listed");
    }
    // Other spellings of 127.0.0.1 are that address.
    for spelling in ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/"] {
        assert!(allowed(&["*.example.com", "8.8.8.8"]).check(&url(spelling)).is_err(), "{spelling}");
        assert_eq!(allowed(&["127.0.0.1"]).check(&url(spelling)), Ok(()));
    }
}

struct Table(HashMap<&'static str, Vec<&'static str>>);

impl Lookup for Table {
    fn lookup(&self, host: String) -> Found {
        let addresses = self.0.get(host.as_str()).cloned().unwrap_or_default();
        Box::pin(
            async move { Ok(addresses.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect()) },
        )
    }
}

async fn resolve(addresses: &[&'static str], listed: &[&str]) -> Result<Vec<IpAddr>, Refused> {
    let guard = Guard {
        lookup: Table(HashMap::from([("x.example.com", addresses.to_vec())])),
        listed: Arc::new(allowed(listed).addresses().clone()),
    };
    match guard.resolve("x.example.com".parse().unwrap()).await {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => Err(error.downcast_ref::<Refused>().unwrap().clone()),
    }
}

#[tokio::test]
async fn a_public_name_of_an_inner_address_is_refused() {
    for address in INSIDE {
        assert!(matches!(resolve(&[address], &[]).await, Err(Refused::Address { .. })), "{address}");
        assert_eq!(resolve(&[address], &[address]).await, Ok(vec![address.parse().unwrap()]));
    }
    for address in OUTSIDE {
        assert_eq!(resolve(&[address], &[]).await, Ok(vec![address.parse().unwrap()]));
    }
}

#[tokio::test]
async fn of_a_mixed_answer_only_the_public_addresses_are_left() {
    assert_eq!(resolve(&["127.0.0.1", "8.8.8.8", "::1"], &[]).await, Ok(vec!["8.8.8.8".parse().unwrap()]));
    assert_eq!(resolve(&[], &[]).await, Ok(vec![]));
}

proptest! {
    #[test]
    fn every_host_text_gets_an_answer(host in "[ -~]{0,30}") {
        if let Ok(target) = Url::parse(&format!("https://{host}/")) {
            let verdict = allowed(&["*.example.com"]).check(&target);
            let below = target.host_str().is_some_and(|host| host.trim_end_matches('.').ends_with(".example.com"));
            prop_assert!(verdict.is_err() || below);
        }
    }

    #[test]
    fn what_is_embedded_in_ipv6_is_never_freer_than_bare(bits in any::<u32>()) {
        let bare = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = bare.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for wrapped in [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
        ] {
            prop_assert!(inside_v4(bare).is_none() || inside_v6(wrapped).is_some());
        }
    }
}

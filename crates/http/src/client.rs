//! Building clients: the one place.

use crate::guard::Guard;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What every request says of its sender.
pub const USER_AGENT: &str = concat!("zaprun/", env!("CARGO_PKG_VERSION"));

/// A server far away answers a connection attempt in well under a second; what takes longer is not there.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// A pooled connection is not kept longer than this: servers commonly close idle ones after five seconds, and a POST
/// that meets the closing has an unknown outcome.
const IDLE: Duration = Duration::from_secs(4);

/// Why no client can be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The machine has no root certificates.
    #[error(
        "this machine has no CA certificates to verify TLS with; install the package `ca-certificates`, point SSL_CERT_FILE at a bundle, or set `ca_file`"
    )]
    NoRoots,
    /// The private CA cannot be used.
    #[error("`ca_file` holds no usable certificate (PEM, `-----BEGIN CERTIFICATE-----`)")]
    BadCa,
    /// Anything else.
    #[error("the HTTP client cannot be set up")]
    Setup,
}

/// A private CA that is trusted beside the machine's own roots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PrivateCa(Arc<[u8]>);

impl PrivateCa {
    /// One or more certificates in PEM.
    ///
    /// # Errors
    /// [`ClientError::BadCa`] when there is none, or one that does not parse.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ClientError> {
        let ca = PrivateCa(pem.into());
        ca.certificates().map(|_| ca)
    }

    fn certificates(&self) -> Result<Vec<Certificate>, ClientError> {
        match Certificate::from_pem_bundle(&self.0) {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(ClientError::BadCa),
        }
    }
}

/// The clients of the process. Connections with equal needs share one, so that the machine's roots are read once.
#[derive(Clone, Default)]
pub struct Clients {
    built: Arc<Mutex<HashMap<Needs, Client>>>,
}

/// What a client depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Needs {
    connect_timeout: Duration,
    ca: Option<PrivateCa>,
    roots: Roots,
    proxy: Proxy,
    /// For hosts that a template yields: the inner addresses that are allowed all the same.
    guarded: Option<BTreeSet<IpAddr>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Roots {
    /// For `https`.
    Required,
    /// For `http`, where only a proxy might want them.
    IfAny,
    /// For `http` on this machine.
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Proxy {
    /// As the system says.
    System,
    /// Never.
    Direct,
}

impl Clients {
    /// No client yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client for a target that the author named.
    pub(crate) fn named(
        &self,
        target: &Url,
        timeout: Duration,
        ca: Option<PrivateCa>,
    ) -> Result<Client, ClientError> {
        let local = is_loopback(target);
        self.get(Needs {
            connect_timeout: connect_timeout(timeout),
            ca,
            roots: match (target.scheme(), local) {
                ("http", true) => Roots::None,
                ("http", false) => Roots::IfAny,
                _ => Roots::Required,
            },
            proxy: if local { Proxy::Direct } else { Proxy::System },
            guarded: None,
        })
    }

    /// The client for hosts that a template yields. It never uses a proxy, which would resolve the name itself.
    pub(crate) fn guarded(&self, timeout: Duration, listed: BTreeSet<IpAddr>) -> Result<Client, ClientError> {
        self.get(Needs {
            connect_timeout: connect_timeout(timeout),
            ca: None,
            roots: Roots::IfAny,
            proxy: Proxy::Direct,
            guarded: Some(listed),
        })
    }

    fn get(&self, needs: Needs) -> Result<Client, ClientError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = built.get(&needs) {
            return Ok(client.clone());
        }
        let client = match build(&needs) {
            Err(ClientError::NoRoots) if needs.roots == Roots::IfAny => {
                build(&Needs { roots: Roots::None, ..needs.clone() })?
            }
            other => other?,
        };
        built.insert(needs, client.clone());
        Ok(client)
    }
}

/// A connection must stand within half of the whole time. So whatever hits the whole limit had a connection, and
/// "nothing was sent" is said only where it is certain.
pub(crate) fn connect_timeout(timeout: Duration) -> Duration {
    LONGEST_CONNECT.min(timeout / 2)
}

fn build(needs: &Needs) -> Result<Client, ClientError> {
    // reqwest brings no cryptography of its own. Whoever installed a provider before us has settled it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = base(needs.connect_timeout);
    if let Some(ca) = &needs.ca {
        builder = builder.tls_certs_merge(ca.certificates()?);
    }
    if needs.roots == Roots::None {
        builder = builder.tls_certs_only([]);
    }
    if needs.proxy == Proxy::Direct {
        builder = builder.no_proxy();
    }
    if let Some(listed) = &needs.guarded {
        builder = builder.dns_resolver(Guard::new(listed.clone()));
    }
    builder.build().map_err(|error| explain(&error, needs))
}

fn base(connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(connect_timeout)
        .redirect(Policy::none())
        .referer(false)
        .pool_idle_timeout(IDLE)
}

fn explain(error: &reqwest::Error, needs: &Needs) -> ClientError {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    // The verifier has no typed error for it.
    if text.contains("No CA certificates") {
        ClientError::NoRoots
    } else if needs.ca.is_some() {
        ClientError::BadCa
    } else {
        ClientError::Setup
    }
}

/// Whether a URL names this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.');
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn this_machine_is_recognised() {
        for url in [
            "http://127.0.0.1:80",
            "http://127.9.9.9",
            "http://[::1]/",
            "http://localhost",
            "http://LOCALHOST.",
            "http://a.localhost",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(&Url::parse(url).unwrap()), "{url}");
        }
        for url in
            ["http://10.0.0.1", "http://localhost.example.com", "https://example.com", "http://notlocalhost"]
        {
            assert!(!is_loopback(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn equal_needs_share_a_client() {
        let clients = Clients::new();
        for port in 1..5 {
            clients.named(&Url::parse(&format!("http://127.0.0.1:{port}")).unwrap(), TIMEOUT, None).unwrap();
        }
        assert_eq!(clients.built.lock().unwrap().len(), 1);
        clients.guarded(TIMEOUT, BTreeSet::new()).unwrap();
        assert_eq!(clients.built.lock().unwrap().len(), 2);
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nAAAA",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(PrivateCa::from_pem(pem.as_bytes()), Err(ClientError::BadCa), "{pem}");
        }
        // The armour is right, the inside is not: found when the client is built.
        let hollow =
            PrivateCa::from_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let target = Url::parse("https://example.com").unwrap();
        assert_eq!(Clients::new().named(&target, TIMEOUT, Some(hollow)).err(), Some(ClientError::BadCa));
    }

    #[test]
    fn a_connection_stands_within_half_of_the_time() {
        assert_eq!(connect_timeout(Duration::from_secs(240)), LONGEST_CONNECT);
        assert_eq!(connect_timeout(Duration::from_secs(5)), Duration::from_millis(2500));
    }
}

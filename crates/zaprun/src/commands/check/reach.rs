//! Whether an HTTP API can be reached: its name, its port and its certificate. Nothing is sent to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use zaprun_http::tls_words;

use crate::error::io_words;

/// How long each of the three steps may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Host, as in the URL; an IPv6 address without brackets.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
    /// Whether it speaks TLS.
    pub(super) tls: bool,
    /// Certificates in PEM that are trusted beside the machine's.
    pub(super) private_ca: Option<Vec<u8>>,
}

/// Resolves, connects and shakes hands.
///
/// # Errors
/// What failed, in plain words.
pub(super) async fn reach(place: &Place) -> Result<SocketAddr, String> {
    let addresses = timeout(PATIENCE, lookup_host((place.host.as_str(), place.port))).await;
    let addresses: Vec<SocketAddr> = match addresses {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => return Err("the host's name cannot be resolved".to_owned()),
        Err(_) => return Err("the host's name was not resolved in time".to_owned()),
    };
    let (stream, address) = connect(&addresses).await?;
    if place.tls {
        handshake(place, stream).await?;
    }
    Ok(address)
}

async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), String> {
    let mut reason = "the host's name has no address".to_owned();
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(error)) => {
                reason = format!("no connection to port {}: {}", address.port(), io_words(&error));
            }
            Err(_) => reason = format!("no connection to port {} in time", address.port()),
        }
    }
    Err(reason)
}

async fn handshake(place: &Place, stream: TcpStream) -> Result<(), String> {
    let config = config(place.private_ca.as_deref())?;
    let name = ServerName::try_from(place.host.clone())
        .map_err(|_| "the host's name is not one for TLS".to_owned())?;
    let connector = TlsConnector::from(Arc::new(config));
    match timeout(PATIENCE, connector.connect(name, stream)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            Err(format!("TLS failed: {}", tls_words(&error).unwrap_or_else(|| io_words(&error))))
        }
        Err(_) => Err("TLS did not answer in time".to_owned()),
    }
}

fn config(private_ca: Option<&[u8]>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(private_ca.unwrap_or_default()).collect();
    let extra = extra.map_err(|_| "`ca_file` holds no usable certificate".to_owned())?;
    let cannot = |error: rustls::Error| format!("TLS cannot be set up: {error}");
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(cannot)?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(cannot)?
        .dangerous()
        // The machine's own verifier, as every request uses it; nothing is left unverified.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    fn place(port: u16, tls: bool) -> Place {
        Place { host: "127.0.0.1".to_owned(), port, tls, private_ca: None }
    }

    #[tokio::test]
    async fn a_listening_port_is_reached_and_a_closed_one_is_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach(&place(port, false)).await.unwrap().port(), port);
        drop(listener);
        let error = reach(&place(port, false)).await.unwrap_err();
        assert_eq!(error, format!("no connection to port {port}: connection refused"));
    }

    #[tokio::test]
    async fn a_port_without_tls_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let error = reach(&place(port, true)).await.unwrap_err();
        // A machine without certificates says so instead.
        assert!(error.contains("write http://") || error.starts_with("TLS cannot be set up"), "{error}");
        server.abort();
    }
}

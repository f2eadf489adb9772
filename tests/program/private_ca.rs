//! A CRM whose certificate an authority of one's own has signed.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::harness::{Lab, SALES};

const CA: &[u8] = include_bytes!("../../crates/http/tests/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../crates/http/tests/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../crates/http/tests/tls/server.key");

/// Speaks TLS before a server that does not, until the process ends; its address.
fn behind_tls(server: SocketAddr) -> String {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((line, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Whoever does not trust us hangs up here.
                    let Ok(mut line) = acceptor.accept(line).await else { return };
                    let mut inner = TcpStream::connect(server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut line, &mut inner).await;
                });
            }
        });
    });
    format!("https://{}", address.recv().unwrap())
}

#[test]
fn the_crm_is_trusted_by_the_authority_that_its_connection_names() {
    let mut lab = Lab::new(&[SALES]);
    let address = lab.crm_url().strip_prefix("http://").unwrap().parse().unwrap();
    let base = behind_tls(address);
    lab.program().set("CRM_URL", &base);
    lab.sales(2);
    lab.zaprun(&["check"]).expect(1).says("`ca_file:`");
    lab.change(
        "    timezone: America/New_York\n",
        "    timezone: America/New_York\n    ca_file: certs/ca.pem\n",
    );
    lab.once(1).says("connection `crm`: `ca_file`").says("no such file or directory");
    lab.write("certs/ca.pem", "no certificate");
    lab.zaprun(&["check"]).expect(1).says("`ca_file` holds no usable certificate");
    lab.write("certs/ca.pem", CA);
    lab.zaprun(&["check"]).expect(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
    lab.zaprun(&["sample", "sales"]).expect(0);
}

//! What depends on the machine: TLS roots, a private CA, proxies. Settings of the environment are given to a child
//! process, which runs one of the ignored tests below.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, reason = "tests")]

mod support;
mod tls;

use std::process::Command;
use std::sync::Arc;
use support::*;
use tls::{CA, tls_acceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zaprun_http::{Clients, HttpConnection, HttpSender, PrivateCa};

async fn tls_server() -> String {
    let acceptor = tls_acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            // A client that does not trust us hangs up here.
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"{\"a\":1}") {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe").await.unwrap();
            socket.flush().await.unwrap();
        }
    });
    base
}

fn with_ca(base: &str) -> HttpSender {
    sender(HttpConnection { ca: Some(PrivateCa::from_pem(CA).unwrap()), ..connection(base) })
}

#[tokio::test]
async fn a_private_ca_is_trusted_where_it_is_named() {
    let base = tls_server().await;
    assert_eq!(&answered(&with_ca(&base), &post("")).await.body[..], b"safe");

    // The certificate is for the address, not for the name.
    let (reason, retryable) = not_sent(&with_ca(&base.replace("127.0.0.1", "localhost")), &post("")).await;
    assert!(retryable && reason.starts_with("TLS failed: "), "{reason}");
}

#[tokio::test]
async fn other_certificates_are_refused_before_anything_is_sent() {
    // Whether or not this machine has roots of its own: this CA is not among them.
    let base = format!("{}/canary", tls_server().await);
    let built = HttpSender::new(&[connection(&base)], &Clients::new(), Arc::new(Pinned));
    if let Ok(sender) = built {
        let (reason, retryable) = not_sent(&sender, &post("")).await;
        assert!(retryable && reason.starts_with("TLS failed: ") && !reason.contains("canary"), "{reason}");
    }
}

/// Runs one of the ignored tests in a child with these settings.
fn in_child(test: &str, settings: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("http_proxy")
        .env_remove("no_proxy")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn without_roots_the_words_say_what_to_do() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    in_child(
        "child_without_roots",
        &[
            ("SSL_CERT_FILE", empty.path().to_str().unwrap()),
            ("SSL_CERT_DIR", nowhere.path().to_str().unwrap()),
        ],
    );
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn child_without_roots() {
    let build = |connection| HttpSender::new(&[connection], &Clients::new(), Arc::new(Pinned));
    let error = build(connection("https://example.com")).err().unwrap();
    assert!(error.to_string().starts_with("connection `c`: this machine has no CA certificates"), "{error}");
    // What needs none works.
    assert!(build(connection("http://sink.example.com")).is_ok());
    let base = tls_server().await;
    assert_eq!(&answered(&with_ca(&base), &post("")).await.body[..], b"safe");
}

#[tokio::test]
async fn the_systems_proxy_holds_but_not_for_this_machine() {
    let proxy = Server::start(vec![reply(200, "by proxy")]).await;
    let base = proxy.base.clone();
    tokio::task::spawn_blocking(move || {
        in_child("child_with_proxy", &[("HTTP_PROXY", &base), ("NO_PROXY", "")]);
    })
    .await
    .unwrap();
    let seen = proxy.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri, "http://sink.example.com/x");
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn child_with_proxy() {
    let far = sender(connection("http://sink.example.com"));
    assert_eq!(&answered(&far, &get("x")).await.body[..], b"by proxy");
    let near = Server::start(vec![reply(200, "directly")]).await;
    assert_eq!(&answered(&sender(connection(&near.base)), &get("x")).await.body[..], b"directly");
    // A templated host is resolved here, so that its address can be judged; `.invalid` resolves to nothing.
    let (reason, _) = not_sent(&far, &get_url("http://a.invalid/", &["*.invalid"])).await;
    assert_ne!(reason, "");
}

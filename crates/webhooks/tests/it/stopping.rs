//! An orderly end.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zaprun_engine::delivery::Unmasked;
use zaprun_engine::ports::{Clock, StoreError};
use zaprun_engine::{Engine, Options, Ports};
use zaprun_webhooks::{Config, Limits, Server};

use super::support::{Rig, Setup, Silent};

#[tokio::test]
async fn requests_under_way_end_and_no_more_come() {
    let mut rig = Setup::default().start().await;
    let mut half = TcpStream::connect(rig.address).await.unwrap();
    let head = b"POST /hooks/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n";
    half.write_all(head).await.unwrap();
    // The server says so once it reads the body: from then on the request is under way.
    let mut word = [0; 25];
    half.read_exact(&mut word).await.unwrap();
    assert!(word.starts_with(b"HTTP/1.1 100 Continue"));
    // One that is kept open and idle.
    let mut idle = TcpStream::connect(rig.address).await.unwrap();
    idle.write_all(b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();

    rig.stop.cancel();
    let mut rest = Vec::new();
    // It is closed, since nothing is under way on it.
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(rig.address).await.is_err());

    half.write_all(b"{\"id\": 1}").await.unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert_eq!(rig.keys(), ["1"]);
    (&mut rig.server).await.unwrap();
}

#[tokio::test]
async fn without_an_engine_callers_come_again() {
    let mut rig = Setup::default().start().await;
    rig.kill_engine().await;
    let answer = rig.post(r#"{"id": 1}"#).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert!(rig.keys().is_empty());
}

#[tokio::test]
async fn with_a_full_disk_callers_come_again() {
    let rig = Setup::default().start().await;
    rig.store.script(|method| {
        (method == "commit_page").then(|| StoreError::Io { reason: "no space left on device".to_owned() })
    });
    let answer = rig.post(r#"{"id": 1}"#).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "10");
    assert_eq!(answer.text().await.unwrap(), r#"{"error":"the state cannot be written"}"#);
    rig.store.behave();
    assert_eq!(rig.status(rig.post(r#"{"id": 1}"#)).await, 202);
    assert_eq!(rig.keys(), ["1"]);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let rig = Setup::default().start().await;
    let config = Config {
        listen: rig.address,
        trusted_proxies: Vec::new(),
        connections: Vec::new(),
        mask: Arc::new(Unmasked),
        limits: Limits::default(),
    };
    let clock: Arc<dyn Clock> = Arc::new(rig.clock.clone());
    let intake = Engine::new(Vec::new(), ports(&rig), Options::default()).intake();
    let error = Server::bind(config, &intake.routes(), intake.clone(), clock, Arc::new(rig.reports.clone()))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().starts_with(&format!("cannot listen on {}", rig.address)), "{error}");
}

fn ports(rig: &Rig) -> Ports {
    Ports {
        crms: HashMap::new(),
        writers: HashMap::new(),
        sender: Arc::new(Silent),
        store: Arc::new(rig.store.clone()),
        clock: Arc::new(rig.clock.clone()),
        observer: Arc::new(rig.reports.clone()),
    }
}

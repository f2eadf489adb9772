//! A server on this machine that says what a test tells it to, and the requests that arrived there.
#![allow(dead_code, unreachable_pub, reason = "each test target uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use zaprun_core::request::{Body as Content, Destination, HttpRequest, Method};
use zaprun_engine::ports::{Clock, Reply, SendOutcome, Sender};
use zaprun_http::{Auth, Clients, HttpConnection, HttpSender, Secret};

/// A clock that stands.
pub struct Pinned;

#[async_trait]
impl Clock for Pinned {
    fn now(&self) -> Timestamp {
        "2026-09-16T20:00:00Z".parse().unwrap()
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// What arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// Gives the scripted answers in turn, and never answers once they are used up.
pub struct Server {
    pub base: String,
    pub arrived: Arc<Notify>,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Response>>>,
}

impl Server {
    pub async fn start(answers: Vec<Response>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            base: format!("http://{}", listener.local_addr().unwrap()),
            arrived: Arc::default(),
            seen: Arc::default(),
            answers: Arc::new(Mutex::new(answers.into())),
        };
        let (seen, arrived, answers) = (server.seen.clone(), server.arrived.clone(), server.answers.clone());
        let handler = move |request: Request| {
            let (seen, arrived, answers) = (seen.clone(), arrived.clone(), answers.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
                let (method, uri) = (parts.method.to_string(), parts.uri.to_string());
                seen.lock().unwrap().push(Seen { method, uri, headers: parts.headers, body });
                let next = answers.lock().unwrap().pop_front();
                arrived.notify_one();
                match next {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        server
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An answer without further ado.
pub fn reply(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// An answer with one header.
pub fn reply_with(status: u16, name: &str, value: &str) -> Response {
    Response::builder().status(status).header(name, value).body(Body::empty()).unwrap()
}

/// A server below HTTP: reads one request that ends with `end`, writes `bytes`, and then closes or stays silent.
pub async fn raw_server(end: &'static [u8], bytes: &'static [u8], close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            // Closing with unread input would reset the line before the answer is read.
            while !request.ends_with(end) {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket.write_all(bytes).await.unwrap();
            if !close {
                std::future::pending::<()>().await;
            }
        }
    });
    base
}

/// A base URL at which nobody listens.
pub fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A connection called `c`.
pub fn connection(base: &str) -> HttpConnection {
    HttpConnection {
        name: "c".into(),
        base_url: Secret::new(base),
        headers: Vec::new(),
        auth: Auth::None,
        idempotency_header: Some("Idempotency-Key".into()),
        traces: true,
        timeout: Duration::from_secs(30),
        ca: None,
        rate: None,
        concurrency: 8,
    }
}

/// A sender that knows this one connection.
pub fn sender(connection: HttpConnection) -> HttpSender {
    HttpSender::new(&[connection], &Clients::new(), Arc::new(Pinned)).unwrap()
}

/// A POST of `{"a":1}` to the connection `c`.
pub fn post(path: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        destination: Destination::Connection { name: "c".into(), path: path.into() },
        query: Vec::new(),
        headers: Vec::new(),
        body: Some(Content { content_type: "application/json", bytes: b"{\"a\":1}".to_vec() }),
        idempotency_key: "key-1".into(),
        chain: 1,
        trace: Some(uuid::Uuid::from_u128(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c)),
    }
}

/// A GET to the connection `c`.
pub fn get(path: &str) -> HttpRequest {
    HttpRequest { method: Method::Get, body: None, ..post(path) }
}

/// A GET of a whole URL.
pub fn get_url(url: &str, allow_hosts: &[&str]) -> HttpRequest {
    let allow_hosts = allow_hosts.iter().map(|&host| host.to_owned()).collect();
    HttpRequest { destination: Destination::Url { url: url.into(), allow_hosts }, ..get("") }
}

pub async fn answered(sender: &HttpSender, request: &HttpRequest) -> Reply {
    match sender.send(request).await {
        SendOutcome::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

/// The reason and whether another try may help.
pub async fn not_sent(sender: &HttpSender, request: &HttpRequest) -> (String, bool) {
    match sender.send(request).await {
        SendOutcome::NotSent { reason, retryable } => (reason, retryable),
        other => panic!("{other:?}"),
    }
}

pub async fn unknown(sender: &HttpSender, request: &HttpRequest) -> String {
    match sender.send(request).await {
        SendOutcome::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Lets every task of this thread go on until none can, as far as that can be told.
pub async fn run_dry() {
    for _ in 0..5000 {
        tokio::task::yield_now().await;
    }
}

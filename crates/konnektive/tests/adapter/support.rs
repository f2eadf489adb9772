//! A server that says what a test tells it to, and an account that asks it.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use zaprun_core::crm;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Clock;
use zaprun_http::{Clients, Secret};
use zaprun_konnektive::{Config, Konnektive};

pub(crate) const LOGIN: &str = "login-canary";
pub(crate) const PASSWORD: &str = "p&ss canary";
pub(crate) const NO_ORDERS: &str = include_str!("../samples/error_no_orders.json");
pub(crate) const AUTH: &str = include_str!("../samples/error_auth.json");
pub(crate) const WHITELIST: &str = include_str!("../samples/error_ip_whitelist.json");

/// Four in the afternoon in New York.
pub(crate) const NOW: &str = "2026-09-16T20:00:00Z";

pub(crate) struct Pinned(Timestamp);

impl Pinned {
    pub(crate) fn now() -> Arc<dyn Clock> {
        Arc::new(Pinned(NOW.parse().unwrap()))
    }
}

#[async_trait]
impl Clock for Pinned {
    fn now(&self) -> Timestamp {
        self.0
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `order/query`
    pub(crate) fn endpoint(&self) -> &str {
        self.uri.trim_start_matches("/crm/").trim_end_matches('/')
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.form.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// A server that keeps what arrives.
pub(crate) struct Server {
    pub(crate) base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) arrived: Arc<Notify>,
}

pub(crate) fn reply(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", "text/html").body(body.into()).unwrap()
}

impl Server {
    /// Gives these answers in turn, and never answers once they are used up.
    pub(crate) async fn start(answers: Vec<Response>) -> Self {
        let answers = Mutex::new(VecDeque::from(answers));
        Self::answering(move |_| answers.lock().unwrap().pop_front()).await
    }

    /// Answers as `says`; never where it says nothing.
    pub(crate) async fn answering(says: impl Fn(&Seen) -> Option<Response> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/crm/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let arrived = Arc::new(Notify::new());
        let says = Arc::new(says);
        let handler = {
            let (seen, arrived) = (Arc::clone(&seen), Arc::clone(&arrived));
            move |request: Request| {
                let (seen, arrived, says) = (Arc::clone(&seen), Arc::clone(&arrived), Arc::clone(&says));
                async move {
                    let (parts, body) = request.into_parts();
                    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                    let request = Seen {
                        method: parts.method.to_string(),
                        uri: parts.uri.to_string(),
                        headers: parts.headers,
                        form: form_urlencoded::parse(&body).into_owned().collect(),
                    };
                    seen.lock().unwrap().push(request.clone());
                    arrived.notify_one();
                    match says(&request) {
                        Some(answer) => answer,
                        None => std::future::pending().await,
                    }
                }
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Server { base, seen, arrived }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn crm(&self) -> Konnektive {
        konnektive(&self.base, "America/New_York")
    }
}

pub(crate) fn konnektive(base: &str, zone: &str) -> Konnektive {
    konnektive_at(base, zone, NOW, 3)
}

pub(crate) fn konnektive_at(base: &str, zone: &str, now: &str, concurrency: usize) -> Konnektive {
    let config = Config { timezone: TimeZone::get(zone).unwrap(), concurrency, ..config(base) };
    Konnektive::new(config, &Clients::new(), Arc::new(Pinned(now.parse().unwrap()))).unwrap()
}

/// An account of New York with its own login and clock.
pub(crate) fn konnektive_with(base: &str, login: &str, password: &str, clock: Arc<dyn Clock>) -> Konnektive {
    let config = Config { login_id: Secret::new(login), password: Secret::new(password), ..config(base) };
    Konnektive::new(config, &Clients::new(), clock).unwrap()
}

fn config(base: &str) -> Config {
    Config {
        name: "crm".into(),
        base_url: Secret::new(base),
        login_id: Secret::new(LOGIN),
        password: Secret::new(PASSWORD),
        timezone: TimeZone::get("America/New_York").unwrap(),
        timeout: Duration::from_secs(240),
        rate: None,
        concurrency: 3,
        ca: None,
    }
}

/// A write of these parameters.
pub(crate) fn request(action: &str, params: &[(&str, &str)]) -> CrmRequest {
    let endpoint = crm::endpoint(action).unwrap_or_else(|| panic!("{action}"));
    CrmRequest {
        connection: "crm".into(),
        endpoint,
        params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        idempotency_key: "0b9d8f5e-6b0c-5c55-9f3e-000000000001".into(),
        correlate_in: None,
        settle_after: Duration::from_secs(900),
        repeat: endpoint.repeat,
        serials: Vec::new(),
        lead: None,
    }
}

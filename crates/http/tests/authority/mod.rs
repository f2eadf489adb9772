//! An authorisation server and an API behind it, on this machine; a vault and a clock that a test moves.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use zaprun_core::definition::ClientAuth;
use zaprun_engine::ports::{Clock, StoreError, Vault};
use zaprun_http::{
    Auth, Clients, ConfigError, Flow, Hide, HttpConnection, HttpSender, OAuth2, Secret, StateKey, Tokens,
};

pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const OTHER_KEY: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// When every test begins.
pub fn now() -> Timestamp {
    "2026-09-16T20:00:00Z".parse().unwrap()
}

/// A clock that a test sets.
pub struct Moved(Mutex<Timestamp>);

impl Moved {
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

#[async_trait]
impl Clock for Moved {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// A request for a token.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which it is, from 1.
    pub number: usize,
    pub authorization: String,
    fields: Vec<(String, String)>,
}

impl Told {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// An access token for an hour.
    pub fn give(&self) -> (u16, Value) {
        let token = format!("access-{}", self.number);
        (200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
    }

    /// The same with another refresh token.
    pub fn rotate(&self) -> (u16, Value) {
        let (status, mut body) = self.give();
        body["refresh_token"] = format!("refresh-{}", self.number).into();
        (status, body)
    }
}

type Tells = Arc<dyn Fn(&Told) -> (u16, Value) + Send + Sync>;

/// The server: tokens at `/token`, the API everywhere else.
pub struct Authority {
    pub base: String,
    shared: Arc<Shared>,
}

struct Shared {
    asked: Mutex<Vec<Told>>,
    count: watch::Sender<usize>,
    tells: Mutex<Tells>,
    open: watch::Sender<bool>,
    served: Mutex<Vec<String>>,
    revoked: Mutex<HashSet<String>>,
}

impl Authority {
    pub async fn start() -> Authority {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            asked: Mutex::default(),
            count: watch::Sender::new(0),
            tells: Mutex::new(Arc::new(Told::give)),
            open: watch::Sender::new(true),
            served: Mutex::default(),
            revoked: Mutex::default(),
        });
        let (token, api) = (Arc::clone(&shared), Arc::clone(&shared));
        let router = Router::new()
            .route("/token", post(move |request: Request| async move { token.token(request).await }))
            .fallback(any(move |request: Request| async move { api.serve(&request) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Authority { base, shared }
    }

    /// What it answers from now on.
    pub fn tells(&self, tells: impl Fn(&Told) -> (u16, Value) + Send + Sync + 'static) {
        *self.shared.tells.lock().unwrap() = Arc::new(tells);
    }

    /// Requests for tokens, in their order.
    pub fn asked(&self) -> Vec<Told> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub async fn wait_for_asked(&self, count: usize) {
        self.shared.count.subscribe().wait_for(|asked| *asked >= count).await.unwrap();
    }

    /// What the API was shown, in its order.
    pub fn served(&self) -> Vec<String> {
        self.shared.served.lock().unwrap().clone()
    }

    /// The API takes this no more.
    pub fn revoke(&self, authorization: &str) {
        self.shared.revoked.lock().unwrap().insert(authorization.to_owned());
    }

    /// Requests for tokens are not answered any more.
    pub fn close_gate(&self) {
        self.shared.open.send_replace(false);
    }

    pub fn open_gate(&self) {
        self.shared.open.send_replace(true);
    }

    /// A process with this connection and an empty vault.
    pub fn world(&self, connection: HttpConnection) -> World {
        self.world_over(connection, Drawer::default())
    }

    /// A process with this connection over what another one kept.
    pub fn world_over(&self, connection: HttpConnection, drawer: Drawer) -> World {
        let hidden = Arc::new(Hidden::default());
        let tokens = Tokens::kept_in(Arc::new(drawer.clone()), hidden.clone());
        let clock = Arc::new(Moved(Mutex::new(now())));
        let sender = HttpSender::with_tokens(&[connection], &Clients::new(), clock.clone(), &tokens).unwrap();
        World { sender, tokens, drawer, clock, hidden }
    }

    pub fn sender_with(&self, connection: HttpConnection, tokens: &Tokens) -> HttpSender {
        let clock = Arc::new(Moved(Mutex::new(now())));
        HttpSender::with_tokens(&[connection], &Clients::new(), clock, tokens).unwrap()
    }

    pub fn try_sender(&self, connection: HttpConnection) -> Result<HttpSender, ConfigError> {
        HttpSender::new(&[connection], &Clients::new(), Arc::new(Moved(Mutex::new(now()))))
    }
}

impl Shared {
    async fn token(&self, request: Request) -> Response {
        let header = request.headers().get(AUTHORIZATION);
        let authorization = header.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        let told = {
            let mut asked = self.asked.lock().unwrap();
            let told = Told { number: asked.len() + 1, authorization, fields };
            asked.push(told.clone());
            told
        };
        self.count.send_modify(|count| *count += 1);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        let tells = Arc::clone(&self.tells.lock().unwrap());
        let (status, body) = tells(&told);
        answer(status, body.to_string())
    }

    fn serve(&self, request: &Request) -> Response {
        let header = request.headers().get(AUTHORIZATION);
        let shown = header.map_or("", |value| value.to_str().unwrap()).to_owned();
        let taken = !shown.is_empty() && !self.revoked.lock().unwrap().contains(&shown);
        self.served.lock().unwrap().push(shown);
        answer(if taken { 200 } else { 401 }, "{}".to_owned())
    }
}

fn answer(status: u16, body: String) -> Response {
    (axum::http::StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// A process: a sender with the connection `c`, and what is around it.
pub struct World {
    pub sender: HttpSender,
    pub tokens: Tokens,
    pub drawer: Drawer,
    pub clock: Arc<Moved>,
    hidden: Arc<Hidden>,
}

impl World {
    /// The secrets that were to be hidden, each once, in their order.
    pub fn hidden(&self) -> Vec<String> {
        self.hidden.0.lock().unwrap().clone()
    }
}

#[derive(Default)]
struct Hidden(Mutex<Vec<String>>);

impl Hide for Hidden {
    fn hide(&self, connection: &str, secret: &str) {
        assert_eq!(connection, "c");
        let mut hidden = self.0.lock().unwrap();
        if !hidden.iter().any(|known| known == secret) {
            hidden.push(secret.to_owned());
        }
    }
}

/// A vault in memory that outlives a process, and fails or stops as told.
#[derive(Clone, Default)]
pub struct Drawer(Arc<Inside>);

#[derive(Default)]
struct Inside {
    kept: Mutex<HashMap<String, Vec<u8>>>,
    failing: Mutex<Option<StoreError>>,
    stopping: Mutex<Option<oneshot::Sender<()>>>,
}

impl Drawer {
    /// Nothing can be kept from now on.
    pub fn fail(&self, error: StoreError) {
        *self.0.failing.lock().unwrap() = Some(error);
    }

    pub fn go_on(&self) {
        *self.0.failing.lock().unwrap() = None;
    }

    /// The next thing is kept, and the one who kept it never hears of it.
    pub fn stop_after_keeping(&self) -> oneshot::Receiver<()> {
        let (reached, waiting) = oneshot::channel();
        *self.0.stopping.lock().unwrap() = Some(reached);
        waiting
    }
}

#[async_trait]
impl Vault for Drawer {
    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.kept.lock().unwrap().get(name).cloned())
    }

    async fn keep(&self, name: &str, sealed: Vec<u8>, _: Timestamp) -> Result<(), StoreError> {
        if let Some(error) = self.0.failing.lock().unwrap().clone() {
            return Err(error);
        }
        self.0.kept.lock().unwrap().insert(name.to_owned(), sealed);
        let stopping = self.0.stopping.lock().unwrap().take();
        if let Some(reached) = stopping {
            reached.send(()).unwrap();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// The connection `c` to the API, its tokens from the server.
pub fn connection(authority: &Authority, flow: Flow) -> HttpConnection {
    let by = OAuth2 {
        token_url: Some(format!("{}/token", authority.base)),
        client_id: Some("zaps".into()),
        client_secret: Some(Secret::new("s+cret")),
        client_auth: ClientAuth::Basic,
        scope: Some("read write".into()),
        audience: Some("https://api.example.com".into()),
        params: vec![("resource".into(), Secret::new("r1"))],
        flow,
    };
    let auth = Auth::OAuth2 { by: Box::new(by), key: StateKey::parse(KEY).ok() };
    HttpConnection { auth, ..crate::support::connection(&authority.base) }
}

pub fn oauth2(connection: &mut HttpConnection) -> &mut OAuth2 {
    let Auth::OAuth2 { by, .. } = &mut connection.auth else { panic!("it has oauth2") };
    by
}

/// Another state key; what is none takes it away.
pub fn set_key(connection: &mut HttpConnection, text: &str) {
    let Auth::OAuth2 { key, .. } = &mut connection.auth else { panic!("it has oauth2") };
    *key = StateKey::parse(text).ok();
}

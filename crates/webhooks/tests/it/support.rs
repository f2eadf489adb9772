//! A server, an engine and a state.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zaprun_core::definition::Connection;
use zaprun_core::load::{File, Input, load};
use zaprun_core::request::HttpRequest;
use zaprun_core::variables::Lookup;
use zaprun_core::zap::{ProjectFacts, Zap, compile};
use zaprun_engine::delivery::Unmasked;
use zaprun_engine::intake::Intake;
use zaprun_engine::ports::{Clock, SendOutcome, Sender, Store, Turn};
use zaprun_engine::testing::{Calls, FakeClock, MemoryStore, Recorded};
use zaprun_engine::{Engine, Options, Ports};
use zaprun_webhooks::{Check, Config, DEFAULT_RATE, Limits, Server};

/// What every secret of the tests is.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The one before it.
pub(crate) const OLD_SECRET: &str = "whsec_b2xkLXNlY3JldC1vZi1sYXN0LXllYXI=";

/// When it is.
pub(crate) const NOW: i64 = 1_789_574_400;

struct Env;

impl Lookup for Env {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "SECRET" => Some(SECRET.to_owned()),
            "OLD_SECRET" => Some(OLD_SECRET.to_owned()),
            _ => None,
        }
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("no such file".to_owned())
    }
}

/// A sink that never answers, so that runs stay what was made of them.
pub(crate) struct Silent;

#[async_trait]
impl Sender for Silent {
    async fn turn(&self, _: &HttpRequest) -> Turn {
        std::future::pending().await
    }

    async fn send_in_turn(&self, _: &HttpRequest, _: Turn) -> SendOutcome {
        std::future::pending().await
    }
}

/// What a test starts.
pub(crate) struct Setup {
    /// `verify:` of the one connection.
    pub(crate) verify: &'static str,
    /// What follows it: `rate: 3/m`.
    pub(crate) connection: &'static str,
    /// Options of the one zap's trigger.
    pub(crate) trigger: &'static str,
    pub(crate) limits: Limits,
    pub(crate) proxies: Vec<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            verify: "none",
            connection: "",
            trigger: "key: \"{{ record.id }}\"",
            limits: Limits::default(),
            proxies: Vec::new(),
        }
    }
}

pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) clock: FakeClock,
    pub(crate) store: MemoryStore,
    pub(crate) reports: Recorded,
    pub(crate) client: Client,
    pub(crate) stop: CancellationToken,
    pub(crate) server: JoinHandle<()>,
    engine: JoinHandle<()>,
}

impl Setup {
    pub(crate) async fn start(self) -> Rig {
        let store = MemoryStore::new(Calls::new());
        self.start_on(store.clone(), Arc::new(store)).await
    }

    /// With runs in `kept`; `store` is looked at.
    pub(crate) async fn start_on(self, store: MemoryStore, kept: Arc<dyn Store>) -> Rig {
        let clock = FakeClock::new(jiff::Timestamp::from_second(NOW).unwrap());
        let reports = Recorded::default();
        let (zap, connections) = self.read();
        let ports = Ports {
            crms: HashMap::new(),
            writers: HashMap::new(),
            sender: Arc::new(Silent),
            store: kept,
            clock: Arc::new(clock.clone()),
            observer: Arc::new(reports.clone()),
        };
        let engine = Engine::new(vec![Arc::new(zap)], ports, Options::default());
        let intake = engine.intake();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            trusted_proxies: self.proxies.iter().map(|net| net.parse().unwrap()).collect(),
            connections,
            mask: Arc::new(Unmasked),
            limits: self.limits,
        };
        let watch: Arc<dyn Clock> = Arc::new(clock.clone());
        let server = Server::bind(config, &intake.routes(), intake.clone(), watch, Arc::new(reports.clone()))
            .await
            .unwrap();
        let address = server.address().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(server.run(stop.clone(), Duration::from_secs(30)));
        let engine = tokio::spawn(async move {
            let ended = engine.run(CancellationToken::new(), Duration::ZERO).await;
            panic!("the engine ended: {ended:?}");
        });
        until_open(&intake).await;
        // Beside other crates the client comes without a provider of its own; who was first does not matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Rig { address, clock, store, reports, client, stop, server, engine }
    }

    fn read(&self) -> (Zap, Vec<zaprun_webhooks::Connection>) {
        let Setup { verify, connection, trigger, .. } = self;
        let file = |path: &str, text: String| File { path: path.to_owned(), content: Ok(text.into_bytes()) };
        let project = format!(
            "version: 1\nconnections:\n  push: {{ type: webhook, verify: {verify}, {connection} }}\n  \
             sink: {{ type: http, base_url: https://sink.example }}\nlisten: {{ webhooks: 127.0.0.1:8080 }}\n"
        );
        let zap = format!(
            "name: z\ntrigger: {{ type: webhook, connection: push, path: /hooks/a, {trigger} }}\n\
             actions: [{{ id: send, type: http, connection: sink, json: {{ a: 1 }} }}]\n"
        );
        let input = Input {
            project: file("zaprun.yaml", project),
            overlays: Vec::new(),
            zaps: vec![file("zaps/z.yaml", zap)],
            tables: Vec::new(),
            env: None,
        };
        let loaded = load(&input, Some(&Env));
        let project = loaded.project.as_ref().unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let facts = ProjectFacts::of(&project.definition, &project.tree);
        let one = &loaded.zaps[0];
        let compiled = compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts);
        let zap = compiled.zap.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let connections = project.definition.connections.iter().filter_map(|(name, connection)| {
            let Connection::Webhook(webhook) = &connection.value else { return None };
            Some(zaprun_webhooks::Connection {
                name: name.to_owned(),
                check: Check::of(&webhook.verify.value).unwrap(),
                rate: webhook.rate.as_ref().map_or(DEFAULT_RATE, |rate| rate.value),
            })
        });
        (zap, connections.collect())
    }
}

async fn until_open(intake: &Intake) {
    while !intake.is_open() {
        tokio::task::yield_now().await;
    }
}

impl Rig {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A POST of JSON to the zap's path.
    pub(crate) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(self.url("/hooks/a")).header("content-type", "application/json").body(body)
    }

    /// The status of an answer.
    pub(crate) async fn status(&self, request: RequestBuilder) -> u16 {
        request.send().await.unwrap().status().as_u16()
    }

    /// The keys of the runs that were made, in their order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.store.all_runs().into_iter().map(|run| run.event.key.id).collect()
    }

    /// Everything the state keeps of requests, as text.
    pub(crate) fn kept(&self) -> String {
        let texts = self.store.all_runs().into_iter().flat_map(|run| {
            [run.event.record, run.event.context.unwrap_or_default()]
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        });
        texts.collect()
    }

    /// The engine dies; the server goes on.
    pub(crate) async fn kill_engine(&mut self) {
        self.engine.abort();
        // That it was cut off is what was asked for.
        let _ = (&mut self.engine).await;
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.engine.abort();
        self.server.abort();
    }
}

//! A zap, a scripted target, and a store in memory.

use super::desk::FakeDesk;
use crate::delivery::flights::Flights;
use crate::delivery::keep::{Mask, Unmasked};
use crate::delivery::lane::Lane;
use crate::delivery::recall::Oblivious;
use crate::delivery::shared::{Counters, Links, Phases, Present, Shared, Targets};
use crate::delivery::wake::Wakers;
use crate::ports::{
    Clock, Crm, CrmWriter, EventKey, Fate, NewEvent, PageCommit, Reply, RunState, SendOutcome, Sender, Store,
    StoreError, Target, Turn, ZapIdentity, ZapState,
};
use crate::report::Event;
use crate::testing::{Calls, FakeClock, FakeCrm, MemoryRun, MemoryStore, Recorded};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zaprun_core::load::{File, Input, load};
use zaprun_core::request::HttpRequest;
use zaprun_core::zap::{ProjectFacts, Zap, compile};

/// One POST.
pub(super) const ONE: &str = r#"
name: one
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: post
    type: http
    connection: sink
    path: /post
    json: { order: "{{ record.orderId }}" }
"#;

/// One POST that may not be repeated.
pub(super) const HOLD: &str = r#"
name: hold
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: post
    type: http
    connection: sink
    path: /post
    json: { order: "{{ record.orderId }}" }
    on_uncertain: hold
"#;

/// Three steps, of which the last reads the first one's answer.
pub(super) const THREE: &str = r#"
name: three
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: a
    type: http
    connection: sink
    path: /a
    json: { order: "{{ record.orderId }}" }
  - id: b
    type: http
    connection: sink
    path: /b
    json: { order: "{{ record.orderId }}" }
  - id: c
    type: http
    connection: sink
    path: /c
    json: { from: "{{ steps.a.response.body.id }}" }
"#;

/// A request per item, and one more that reads their answers.
pub(super) const EACH: &str = r#"
name: each
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: line
    type: http
    connection: sink
    path: /line
    each: "{{ record.items }}"
    json: { product: "{{ item.productId }}" }
  - id: last
    type: http
    connection: sink
    path: /last
    json: { first: "{{ steps.line.items[0].response.body.id }}" }
"#;

const PROJECT: &str = r#"
version: 1
connections:
  crm: { type: konnektive, login_id: l, password: "${P}", timezone: America/New_York, currency: USD }
  crm2: { type: konnektive, login_id: l, password: "${P}", timezone: America/New_York, currency: USD }
  sink: { type: http, base_url: "https://sink.example.com" }
  x: { type: http, base_url: "https://x.example.com" }
  y: { type: http, base_url: "https://y.example.com" }
"#;

/// Compiles a zap, once however often a test asks.
pub(super) fn zap(yaml: &str) -> Arc<Zap> {
    static COMPILED: Mutex<BTreeMap<String, Arc<Zap>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled.entry(yaml.to_owned()).or_insert_with(|| Arc::new(compile_one(yaml))).clone()
}

pub(super) fn compile_one(yaml: &str) -> Zap {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file("zaps/z.yaml", yaml)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let project = loaded.project.as_ref().unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let zap = &loaded.zaps[0];
    let compiled = compile(zap.definition.as_ref().unwrap(), zap.tree.as_ref().unwrap(), &facts);
    compiled.zap.unwrap_or_else(|| panic!("{yaml}\n{:?}", compiled.diagnostics))
}

pub(super) fn reply(status: u16) -> SendOutcome {
    answer(status, "{\"id\":\"r1\"}")
}

pub(super) fn answer(status: u16, body: &str) -> SendOutcome {
    SendOutcome::Reply(Reply {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: Bytes::copy_from_slice(body.as_bytes()),
        truncated: false,
        cut: false,
        retry_after: None,
    })
}

pub(super) fn lost() -> SendOutcome {
    SendOutcome::Unknown { reason: "timed out after 30s".into() }
}

/// What the target does with a request.
pub(super) struct Act {
    pub(super) outcome: SendOutcome,
    /// How long it takes.
    pub(super) takes: Duration,
}

impl From<SendOutcome> for Act {
    fn from(outcome: SendOutcome) -> Act {
        Act { outcome, takes: Duration::ZERO }
    }
}

type Script = Box<dyn FnMut(&HttpRequest) -> Act + Send>;

/// A target that answers 200 unless its script says otherwise, and remembers what arrived.
#[derive(Clone)]
pub(super) struct FakeSender {
    calls: Calls,
    clock: FakeClock,
    inner: Arc<Mutex<Arrivals>>,
    turns: Arc<tokio::sync::Semaphore>,
}

struct Arrivals {
    sent: Vec<HttpRequest>,
    in_flight: usize,
    most_in_flight: usize,
    script: Script,
}

impl FakeSender {
    pub(super) fn new(calls: Calls, clock: FakeClock) -> FakeSender {
        let inner = Arrivals {
            sent: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
            script: Box::new(|_| reply(200).into()),
        };
        let turns = Arc::new(tokio::sync::Semaphore::new(tokio::sync::Semaphore::MAX_PERMITS));
        FakeSender { calls, clock, inner: Arc::new(Mutex::new(inner)), turns }
    }

    /// Lets only one request out at a time.
    pub(super) fn one_at_a_time(&mut self) {
        self.turns = Arc::new(tokio::sync::Semaphore::new(1));
    }

    pub(super) fn script<A: Into<Act>>(&self, mut script: impl FnMut(&HttpRequest) -> A + Send + 'static) {
        self.inner.lock().unwrap().script = Box::new(move |request| script(request).into());
    }

    /// Answers these in turn, then 200.
    pub(super) fn answers(&self, outcomes: Vec<SendOutcome>) {
        let mut outcomes = outcomes.into_iter();
        self.script(move |_| outcomes.next().unwrap_or_else(|| reply(200)));
    }

    pub(super) fn sent(&self) -> Vec<HttpRequest> {
        self.inner.lock().unwrap().sent.clone()
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.inner.lock().unwrap().most_in_flight
    }

    /// Paths and bodies in the order of arrival.
    pub(super) fn seen(&self) -> Vec<String> {
        self.sent().iter().map(|request| format!("{} {}", path(request), body(request))).collect()
    }
}

pub(super) fn path(request: &HttpRequest) -> String {
    match &request.destination {
        zaprun_core::request::Destination::Connection { path, .. } => path.clone(),
        zaprun_core::request::Destination::Linked { link, .. } => link.clone(),
        zaprun_core::request::Destination::Url { url, .. } => url.clone(),
    }
}

pub(super) fn body(request: &HttpRequest) -> String {
    request.body.as_ref().map(|body| String::from_utf8(body.bytes.clone()).unwrap()).unwrap_or_default()
}

#[async_trait]
impl Sender for FakeSender {
    async fn turn(&self, _: &HttpRequest) -> Turn {
        Turn::holding(Arc::clone(&self.turns).acquire_owned().await.unwrap())
    }

    async fn send_in_turn(&self, request: &HttpRequest, _turn: Turn) -> SendOutcome {
        let call = self.calls.enter().await;
        let act = {
            let mut inner = self.inner.lock().unwrap();
            inner.sent.push(request.clone());
            inner.in_flight += 1;
            inner.most_in_flight = inner.most_in_flight.max(inner.in_flight);
            (inner.script)(request)
        };
        if !act.takes.is_zero() {
            let end = self.clock.now() + SignedDuration::try_from(act.takes).unwrap();
            self.clock.sleep_until(end).await;
        }
        self.inner.lock().unwrap().in_flight -= 1;
        self.calls.leave(call).await;
        act.outcome
    }
}

/// Everything that outlives an engine, and the zaps it runs.
pub(super) struct World {
    pub(super) clock: FakeClock,
    pub(super) calls: Calls,
    pub(super) store: MemoryStore,
    pub(super) target: FakeSender,
    /// The CRM, for reading.
    pub(super) crm: FakeCrm,
    /// The CRM, for writing.
    pub(super) desk: FakeDesk,
    pub(super) seen: Recorded,
    zaps: Vec<(Arc<Zap>, ZapState)>,
    pub(super) window: usize,
    pub(super) dry_run: bool,
    pub(super) mask: Arc<dyn Mask>,
}

impl World {
    pub(super) fn new(zaps: &[&str]) -> World {
        let clock = FakeClock::at("2026-09-16T12:00:00Z");
        let calls = Calls::new();
        let store = MemoryStore::new(calls.clone());
        let open = |yaml: &&str| {
            let zap = zap(yaml);
            let state = clock.drive(store.open_zap(identity(&zap, &clock))).unwrap().unwrap();
            (zap, state)
        };
        let zaps = zaps.iter().map(open).collect();
        let target = FakeSender::new(calls.clone(), clock.clone());
        let crm = FakeCrm::new(clock.clone(), calls.clone());
        let desk = FakeDesk::new(calls.clone(), clock.clone());
        World {
            clock,
            calls,
            store,
            target,
            crm,
            desk,
            seen: Recorded::default(),
            zaps,
            window: 64,
            dry_run: false,
            mask: Arc::new(Unmasked),
        }
    }

    /// The zap's author changes it; runs that wait go on with the new edition.
    pub(super) fn edit(&mut self, zap: usize, yaml: &str) {
        self.zaps[zap].0 = super::kit::zap(yaml);
    }

    /// New sales for one zap.
    pub(super) fn sales(&self, zap: usize, ids: &[&str]) {
        self.records(zap, &ids.iter().map(|id| order(id)).collect::<Vec<_>>());
    }

    pub(super) fn records(&self, zap: usize, records: &[Value]) {
        self.commit(zap, "new_sale", records);
    }

    pub(super) fn commit(&self, zap: usize, kind: &str, records: &[Value]) {
        let record = |record: &Value| {
            let id = record["orderId"].as_str().unwrap();
            self.event(zap, kind, id, &serde_json::to_vec(record).unwrap())
        };
        let commit = PageCommit { events: records.iter().map(record).collect(), cursors: Vec::new() };
        self.clock.drive(self.store.commit_page(commit)).unwrap().unwrap();
    }

    /// A sale whose record is just these bytes.
    pub(super) fn raw(&self, zap: usize, id: &str, record: &[u8]) {
        let commit =
            PageCommit { events: vec![self.event(zap, "new_sale", id, record)], cursors: Vec::new() };
        self.clock.drive(self.store.commit_page(commit)).unwrap().unwrap();
    }

    /// A sale to which so many of zaprun's own writes led, as it says itself.
    pub(super) fn at_depth(&self, zap: usize, id: &str, depth: u32) {
        let record = serde_json::to_vec(&order(id)).unwrap();
        let event = self.event(zap, "new_sale", id, &record);
        self.see(NewEvent { depth, ..event });
    }

    /// A sale that is seen in the CRM, where it may be zaprun's own doing.
    pub(super) fn seen_order(&self, zap: usize, id: &str, record: &[u8]) {
        let event = self.event(zap, "new_sale", id, record);
        self.see(NewEvent { order: Some(id.to_owned()), ..event });
    }

    fn see(&self, event: NewEvent) {
        let commit = PageCommit { events: vec![event], cursors: Vec::new() };
        self.clock.drive(self.store.commit_page(commit)).unwrap().unwrap();
    }

    fn event(&self, zap: usize, kind: &str, id: &str, record: &[u8]) -> NewEvent {
        let (_, state) = &self.zaps[zap];
        let key = EventKey { kind: kind.into(), id: id.into() };
        let target = Target {
            zap: state.id,
            revision: state.revision,
            key_base: crate::key::base(&state.first_name, &key),
            fate: Fate::Fire,
            once: None,
            own: true,
        };
        NewEvent {
            key,
            at: self.clock.now(),
            record: Bytes::copy_from_slice(record),
            seen_at: self.clock.now(),
            context: None,
            order: None,
            depth: 0,
            targets: vec![target],
        }
    }

    /// A fresh engine's delivery, as after a start of the process.
    pub(super) fn start(&self) -> (Arc<Shared>, Vec<Lane>) {
        let shared = Arc::new(Shared {
            store: Arc::new(self.store.clone()),
            clock: Arc::new(self.clock.clone()),
            observer: Arc::new(self.seen.clone()),
            mask: Arc::clone(&self.mask),
            wakers: Wakers::default(),
            flights: Flights::default(),
            present: Present::default(),
            dry_run: self.dry_run,
            window: self.window,
            phases: Phases::default(),
            counters: Counters::default(),
            trouble: Mutex::default(),
            misfits: Mutex::default(),
            tap: None,
        });
        let lanes = self.lanes(&shared);
        (shared, lanes)
    }

    /// Lanes of the zaps as they are now.
    pub(super) fn lanes(&self, shared: &Arc<Shared>) -> Vec<Lane> {
        let links = Arc::new(Links {
            sender: Arc::new(self.target.clone()),
            crms: HashMap::from([("crm".to_owned(), Arc::new(self.crm.clone()) as Arc<dyn Crm>)]),
            writers: HashMap::from([("crm".to_owned(), Arc::new(self.desk.clone()) as Arc<dyn CrmWriter>)]),
            recall: Arc::new(Oblivious),
        });
        let targets = Targets::default();
        let lane = |(zap, state): &(Arc<Zap>, ZapState)| {
            Lane::new(state.id, Arc::clone(zap), Arc::clone(shared), Arc::clone(&links), &targets)
        };
        self.zaps.iter().map(lane).collect()
    }

    /// Delivers what is due now with a fresh engine; `None`: it crashed.
    pub(super) fn once(&self) -> Option<Result<(), StoreError>> {
        let (shared, lanes) = self.start();
        shared.phases.finish(self.clock.now());
        self.clock.drive(serve(&lanes))
    }

    /// Works on for so long with a fresh engine.
    pub(super) fn for_long(&self, time: Duration) -> Arc<Shared> {
        let (shared, lanes) = self.start();
        let end = self.clock.now() + SignedDuration::try_from(time).unwrap();
        assert_eq!(self.clock.drive_until(end, serve(&lanes)), None, "it ended by itself");
        shared
    }

    pub(super) fn run(&self, id: &str) -> MemoryRun {
        self.store.all_runs().into_iter().find(|run| run.event.key.id == id).unwrap()
    }

    /// State, word and detail of a run.
    pub(super) fn state(&self, id: &str) -> (RunState, String) {
        let run = self.run(id);
        (run.state, run.reason.word)
    }

    /// How many runs are in a state.
    pub(super) fn count(&self, state: RunState) -> usize {
        self.store.all_runs().iter().filter(|run| run.state == state).count()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.seen.take()
    }
}

pub(super) async fn serve(lanes: &[Lane]) -> Result<(), StoreError> {
    try_join_all(lanes.iter().map(Lane::serve)).await.map(|_| ())
}

pub(super) fn identity(zap: &Zap, clock: &FakeClock) -> ZapIdentity {
    ZapIdentity {
        name: zap.name.clone(),
        formerly: zap.formerly.clone(),
        selection: zap.selection.clone(),
        queries: zap.trigger.crm().map_or(0, |trigger| trigger.queries().len()),
        strict: zap.strict,
        content: zap.content.clone(),
        source: None,
        git: None,
        first_boundary: clock.now(),
        now: clock.now(),
    }
}

/// A sale with three items.
pub(super) fn order(id: &str) -> Value {
    json!({
        "orderId": id, "orderType": "NEW_SALE", "orderStatus": "COMPLETE", "totalAmount": "19.90",
        "emailAddress": "a@example.com",
        "items": {"7": {"productId": 7}, "8": {"productId": 8}, "9": {"productId": 9}},
    })
}

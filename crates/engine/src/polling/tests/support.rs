//! One account in New York, polled by engines that come and go.

use super::super::{Connection, Polled, Poller, Ports, Watched, first_boundary};
use crate::ports::{Clock, OffZap, StoreError, ZapId, ZapIdentity, ZapState};
use crate::report::Event;
use crate::testing::{Calls, FakeClock, FakeCrm, FakeRow, MemoryStore, Recorded};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use zaprun_core::load::{File, Input, load};
use zaprun_core::zap::{CrmTrigger, ProjectFacts, Zap, compile};

/// Noon of a Wednesday in the account's zone.
pub(super) const NOON: &str = "2026-09-16T16:00:00Z";

pub(super) fn zone() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

/// An instant as the CRM writes it.
pub(super) fn local(at: Timestamp) -> String {
    zone().to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What a test zap says of its trigger.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) kind: &'static str,
    /// Lines of the trigger: `cycles: all`, `include_bought: true`, …
    pub(super) options: &'static str,
    /// `now`, `beginning` or a date.
    pub(super) start: &'static str,
    /// Seconds.
    pub(super) every: u64,
    /// `where: { campaignId: … }`; none when empty.
    pub(super) campaigns: Vec<&'static str>,
}

const PROJECT: &str = "
version: 1
connections:
  crm: { type: konnektive, login_id: a, password: \"${PASSWORD}\", timezone: America/New_York, currency: USD }
  sink: { type: http, base_url: https://sink.example }
";

impl Spec {
    pub(super) fn of(kind: &'static str) -> Self {
        Spec { kind, options: "", start: "now", every: 60, campaigns: Vec::new() }
    }

    fn yaml(&self, name: &str) -> String {
        let Spec { kind, options, start, every, campaigns } = self;
        let choice = match *kind {
            "decline" | "refund" | "chargeback" => {
                format!("type: konnektive.transactions\n  transaction_type: {kind}")
            }
            "new_customer" => "type: konnektive.customers".to_owned(),
            _ => format!("type: konnektive.orders\n  order_type: {kind}"),
        };
        let campaigns = match campaigns.as_slice() {
            [] => String::new(),
            ids => format!("where: {{ campaignId: [{}] }}", ids.join(", ")),
        };
        format!(
            "name: {name}\ntrigger:\n  {choice}\n  connection: crm\n  every: {every}s\n  start: {start}\n  \
             {campaigns}\n  {options}\nactions:\n  - id: send\n    type: http\n    connection: sink\n    json: {{ a: 1 }}\n"
        )
    }

    /// The zap, compiled once however often a test asks.
    pub(super) fn zap(&self, name: &str) -> Arc<Zap> {
        static COMPILED: Mutex<BTreeMap<String, Arc<Zap>>> = Mutex::new(BTreeMap::new());
        let yaml = self.yaml(name);
        let mut compiled = COMPILED.lock().unwrap();
        compiled.entry(yaml).or_insert_with_key(|yaml| Arc::new(compile_one(yaml))).clone()
    }

    pub(super) fn trigger(&self) -> CrmTrigger {
        self.zap("zap").trigger.crm().unwrap().clone()
    }
}

fn compile_one(yaml: &str) -> Zap {
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

/// Zaps by name, with the name each had before.
#[derive(Debug, Clone)]
pub(super) struct Deployed {
    pub(super) name: &'static str,
    pub(super) formerly: Option<&'static str>,
    pub(super) spec: Spec,
}

pub(super) struct Rig {
    pub(super) clock: FakeClock,
    pub(super) calls: Calls,
    pub(super) crm: FakeCrm,
    pub(super) store: MemoryStore,
    pub(super) reports: Recorded,
    pub(super) zaps: Vec<Deployed>,
}

impl Rig {
    /// At noon, with an empty account and one zap.
    pub(super) fn with(name: &'static str, spec: Spec) -> Self {
        let mut rig = Rig::at(NOON);
        rig.deploy(name, spec);
        rig
    }

    /// With one zap that has run since noon, so that whatever comes is news.
    pub(super) fn running(kind: &'static str) -> Self {
        let rig = Rig::with("zap", Spec::of(kind));
        rig.poll();
        rig.later(60);
        rig.reports.take();
        rig.crm.take_reads();
        rig
    }

    pub(super) fn at(now: &str) -> Self {
        let (clock, calls) = (FakeClock::at(now), Calls::new());
        Rig {
            crm: FakeCrm::new(clock.clone(), calls.clone()),
            store: MemoryStore::new(calls.clone()),
            reports: Recorded::default(),
            zaps: Vec::new(),
            clock,
            calls,
        }
    }

    pub(super) fn deploy(&mut self, name: &'static str, spec: Spec) {
        self.zaps.push(Deployed { name, formerly: None, spec });
    }

    /// An engine that starts on the present state.
    pub(super) async fn start(&self) -> Result<Poller, StoreError> {
        let mut zaps = Vec::new();
        for deployed in &self.zaps {
            let zap = deployed.spec.zap(deployed.name);
            let state = crate::ports::Store::open_zap(&self.store, self.identity(deployed, &zap)).await?;
            zaps.push(Watched { name: zap.name.clone(), trigger: zap.trigger.crm().unwrap().clone(), state });
        }
        Ok(Poller::new(self.ports(), vec![self.connection()], zaps, 7))
    }

    pub(super) fn ports(&self) -> Ports {
        Ports {
            clock: Arc::new(self.clock.clone()),
            store: Arc::new(self.store.clone()),
            observer: Arc::new(self.reports.clone()),
        }
    }

    pub(super) fn connection(&self) -> Connection {
        let crm: Arc<dyn crate::ports::Crm> = Arc::new(self.crm.clone());
        let ports = self.ports();
        let rest =
            crate::rest::Rest::new("crm", ports.clock, ports.observer, crate::delivery::Wakers::default());
        Connection::new("crm", &crm, Arc::new(rest))
    }

    /// An engine starts with the zap switched off.
    pub(super) fn switch_off(&self, name: &str) {
        let off = OffZap { name: name.to_owned(), formerly: None, now: self.clock.now() };
        self.clock.drive(crate::ports::Store::switched_off(&self.store, off)).unwrap().unwrap();
    }

    fn identity(&self, deployed: &Deployed, zap: &Zap) -> ZapIdentity {
        let now = self.clock.now();
        ZapIdentity {
            name: deployed.name.to_owned(),
            formerly: deployed.formerly.map(str::to_owned),
            selection: zap.selection.clone(),
            queries: zap.trigger.crm().map_or(0, |trigger| trigger.queries().len()),
            strict: zap.strict,
            content: zap.content.clone(),
            source: None,
            git: None,
            first_boundary: first_boundary(zap.trigger.crm().unwrap(), now),
            now,
        }
    }

    /// An engine starts, polls once, and ends; `None` when it died on the way.
    pub(super) fn try_poll(&self) -> Option<Result<Polled, StoreError>> {
        self.clock.drive(async { self.start().await?.poll_once().await })
    }

    /// The same where nothing goes wrong.
    pub(super) fn poll(&self) -> Polled {
        self.try_poll().unwrap().unwrap()
    }

    /// One engine polls for so long, and is then gone.
    pub(super) fn run_for(&self, time: SignedDuration) {
        let end = self.clock.now() + time;
        let run = async {
            let mut engine = self.start().await.unwrap();
            engine.run(CancellationToken::new()).await
        };
        assert_eq!(self.clock.drive_until(end, run), None);
    }

    /// What a zap is to polling, as it stands now.
    pub(super) fn watched(&self, name: &str) -> Watched {
        let deployed = self.zaps.iter().find(|deployed| deployed.name == name).unwrap();
        let trigger = deployed.spec.zap(deployed.name).trigger.crm().unwrap().clone();
        Watched { name: name.to_owned(), trigger, state: self.state(name) }
    }

    /// Some seconds later.
    pub(super) fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The present instant, as the CRM writes it.
    pub(super) fn now(&self) -> String {
        local(self.clock.now())
    }

    /// A complete sale of this instant.
    pub(super) fn sale(&self, id: &str) -> FakeRow {
        FakeRow::order(id, &self.now())
    }

    pub(super) fn insert(&self, row: FakeRow) {
        self.crm.change(|table| table.insert(row));
    }

    /// Where a zap stands.
    pub(super) fn state(&self, name: &str) -> ZapState {
        let deployed = self.zaps.iter().find(|deployed| deployed.name == name).unwrap();
        let zap = deployed.spec.zap(deployed.name);
        let open = crate::ports::Store::open_zap(&self.store, self.identity(deployed, &zap));
        self.clock.drive(open).unwrap().unwrap()
    }

    pub(super) fn id(&self, name: &str) -> ZapId {
        self.state(name).id
    }

    /// The natural ids of a zap's runs, in the order made.
    pub(super) fn fired(&self, name: &str) -> Vec<String> {
        let zap = self.id(name);
        self.store.all_runs().into_iter().filter(|run| run.zap == zap).map(|run| run.event.key.id).collect()
    }

    /// The same, sorted.
    pub(super) fn fired_sorted(&self, name: &str) -> Vec<String> {
        let mut ids = self.fired(name);
        ids.sort();
        ids
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.reports.take()
    }
}

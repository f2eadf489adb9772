//! Alerts on a real state: what is told, how often, and what a restart makes of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use async_trait::async_trait;
use bytes::Bytes;
use common::{at, event, identity, page, target, update, wait};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::{Arc, Mutex};
use zaprun_core::load::{File, Input, load};
use zaprun_core::request::HttpRequest;
use zaprun_core::zap::{self, ProjectFacts, Zap};
use zaprun_engine::alerts::{Alerts, Ports};
use zaprun_engine::measure::{Class, Measure, Witness};
use zaprun_engine::memory::FakeClock;
use zaprun_engine::ports::{
    Clock, Fate, NewEvent, Reply, RunId, RunState, SendOutcome, Sender, Store, Turn, ZapIdentity, ZapState,
};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::Event;
use zaprun_engine::testing::Recorded;
use zaprun_store::{Options, SqliteStore};

const PROJECT: &str = "version: 1
connections: {}
alerts:
  every: 10m
  to:
    - id: desk
      url: https://desk.example/alerts
      json: { kind: \"{{ alert.kind }}\", state: \"{{ alert.state }}\", count: \"{{ alert.count }}\",
              suppressed: \"{{ alert.suppressed }}\", run: \"{{ alert.last_run }}\", message: \"{{ alert.message }}\" }
";

/// A desk that hears alerts, or does not.
#[derive(Default)]
struct Desk {
    heard: Mutex<Vec<(String, String)>>,
    deaf: Mutex<bool>,
}

#[async_trait]
impl Sender for Desk {
    async fn turn(&self, _: &HttpRequest) -> Turn {
        Turn::free()
    }

    async fn send_in_turn(&self, request: &HttpRequest, _: Turn) -> SendOutcome {
        let body = String::from_utf8(request.body.as_ref().unwrap().bytes.clone()).unwrap();
        self.heard.lock().unwrap().push((request.idempotency_key.clone(), body));
        let status = if *self.deaf.lock().unwrap() { 503 } else { 200 };
        SendOutcome::Reply(Reply {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            truncated: false,
            cut: false,
            retry_after: None,
        })
    }
}

/// One process: it ends when it is dropped, and the state stays.
struct Process {
    alerts: Alerts,
    store: Arc<SqliteStore>,
    clock: FakeClock,
    desk: Arc<Desk>,
    reports: Recorded,
}

fn alerts_of(project: &str) -> zap::Alerts {
    let file = File { path: "zaprun.yaml".to_owned(), content: Ok(project.as_bytes().to_vec()) };
    let input =
        Input { project: file, overlays: Vec::new(), zaps: Vec::new(), tables: Vec::new(), env: None };
    let loaded = load(&input, None);
    let project = loaded.project.unwrap();
    let facts = ProjectFacts::of(&project.definition, &project.tree);
    let (alerts, found) = zap::compile_alerts(&project.definition, &project.tree, &facts);
    alerts.unwrap_or_else(|| panic!("{found:?}"))
}

/// A zap to which something should happen each hour.
fn sales() -> Zap {
    let text = "name: sales\nexpect_every: 1h\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n\
                actions:\n  - { id: send, type: http, url: https://a.example, text: hello }\n";
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let input = Input {
        project: file("zaprun.yaml", "version: 1\n"),
        overlays: Vec::new(),
        zaps: vec![file("zaps/sales.yaml", text)],
        tables: Vec::new(),
        env: None,
    };
    let zap = load(&input, None).zaps.remove(0);
    let compiled = zap::compile(&zap.definition.unwrap(), &zap.tree.unwrap(), &ProjectFacts::unknown());
    compiled.zap.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

impl Process {
    fn start(path: &Path, clock: &FakeClock, desk: &Arc<Desk>) -> Process {
        let store = Arc::new(SqliteStore::open_engine(path, &Options::default()).unwrap());
        let reports = Recorded::default();
        let shared: Arc<dyn zaprun_engine::ports::Clock> = Arc::new(clock.clone());
        let ports = Ports {
            store: Arc::clone(&store) as _,
            sender: Arc::clone(desk) as _,
            clock: Arc::clone(&shared),
            observer: Arc::new(reports.clone()),
        };
        let alerts = Alerts::new(alerts_of(PROJECT), &[], ports, Arc::new(Pulse::new(shared)));
        Process { alerts, store, clock: clock.clone(), desk: Arc::clone(desk), reports }
    }

    /// The same process with this zap.
    fn expect(&mut self, zap: &Arc<Zap>) {
        let shared: Arc<dyn zaprun_engine::ports::Clock> = Arc::new(self.clock.clone());
        let ports = Ports {
            store: Arc::clone(&self.store) as _,
            sender: Arc::clone(&self.desk) as _,
            clock: Arc::clone(&shared),
            observer: Arc::new(self.reports.clone()),
        };
        let pulse = Arc::new(Pulse::new(shared));
        self.alerts = Alerts::new(alerts_of(PROJECT), &[Arc::clone(zap)], ports, pulse);
    }

    /// Runs of a zap, made and ended in this state.
    async fn runs(&self, zap: &ZapState, keys: &[&str], state: RunState) {
        let events = keys.iter().map(|key| event(key, vec![target(zap, Fate::Fire)])).collect();
        self.store.commit_page(page(events)).await.unwrap();
        let claimed = self.store.claim(zap.id, Timestamp::MAX, 100, Vec::new()).await.unwrap();
        for run in claimed {
            self.end(run.id, state).await;
        }
    }

    async fn end(&self, run: RunId, state: RunState) {
        self.store.update_run(update(run, state)).await.unwrap();
    }

    async fn look(&self) {
        self.alerts.look().await.unwrap();
    }

    /// What the desk has heard since the last time: kind, state, count, suppressed.
    fn heard(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.desk.heard.lock().unwrap());
        let short = |body: &str| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            let part = |name: &str| body[name].to_string().trim_matches('"').to_owned();
            format!("{} {} {} {}", part("kind"), part("state"), part("count"), part("suppressed"))
        };
        heard.iter().map(|(_, body)| short(body)).collect()
    }

    fn wait_minutes(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }
}

fn rig() -> (tempfile::TempDir, std::path::PathBuf, FakeClock, Arc<Desk>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path, FakeClock::new(at(1_000_000)), Arc::new(Desk::default()))
}

#[test]
fn dead_runs_are_told_once_then_as_often_as_is_allowed_then_that_it_is_over() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let process = Process::start(&path, &clock, &desk);
        let zap = process.store.open_zap(identity("sales")).await.unwrap();
        process.look().await;
        assert_eq!(process.heard(), [""; 0]);
        process.runs(&zap, &["1"], RunState::Dead).await;
        process.look().await;
        process.look().await;
        assert_eq!(process.heard(), ["dead firing 1 0"]);
        process.runs(&zap, &["2", "3", "4"], RunState::Dead).await;
        process.wait_minutes(9);
        process.look().await;
        assert_eq!(process.heard(), [""; 0], "not so soon");
        process.wait_minutes(1);
        process.look().await;
        assert_eq!(process.heard(), ["dead firing 4 2"]);
        // A person has dealt with some of them; one more is news.
        for run in [1, 2, 3] {
            process.end(RunId(run), RunState::Dropped).await;
        }
        process.wait_minutes(60);
        process.look().await;
        assert_eq!(process.heard(), [""; 0], "it got better");
        process.runs(&zap, &["5"], RunState::Dead).await;
        process.look().await;
        assert_eq!(process.heard(), ["dead firing 2 0"]);
        for run in [4, 5] {
            process.end(RunId(run), RunState::Delivered).await;
        }
        process.look().await;
        process.look().await;
        assert_eq!(process.heard(), ["dead resolved 2 0"]);
    });
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let first = Process::start(&path, &clock, &desk);
        let zap = first.store.open_zap(identity("sales")).await.unwrap();
        first.runs(&zap, &["1"], RunState::Held).await;
        first.look().await;
        assert_eq!(first.heard(), ["held firing 1 0"]);
        drop(first);
        let second = Process::start(&path, &clock, &desk);
        second.wait_minutes(60);
        second.look().await;
        assert_eq!(second.heard(), [""; 0]);
        second.end(RunId(1), RunState::Delivered).await;
        drop(second);
        let third = Process::start(&path, &clock, &desk);
        third.look().await;
        assert_eq!(third.heard(), ["held resolved 1 0"]);
    });
}

#[test]
fn what_did_not_arrive_is_told_again_with_the_same_key() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let process = Process::start(&path, &clock, &desk);
        let zap = process.store.open_zap(identity("sales")).await.unwrap();
        *desk.deaf.lock().unwrap() = true;
        process.runs(&zap, &["1"], RunState::Dead).await;
        process.look().await;
        process.look().await;
        let tries = desk.heard.lock().unwrap().clone();
        assert_eq!(tries.len(), 1, "it rests");
        assert_eq!(process.reports.count(|event| matches!(event, Event::AlertFailed { .. })), 1);
        drop(process);
        *desk.deaf.lock().unwrap() = false;
        let process = Process::start(&path, &clock, &desk);
        process.look().await;
        process.look().await;
        let tries = desk.heard.lock().unwrap().clone();
        assert_eq!(tries.len(), 2);
        assert_eq!(tries[0], tries[1], "the same key and the same body");
        assert_eq!(process.reports.count(|event| matches!(event, Event::AlertTold { .. })), 1);
    });
}

#[test]
fn what_was_told_to_nobody_is_over_without_a_word() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let process = Process::start(&path, &clock, &desk);
        let zap = process.store.open_zap(identity("sales")).await.unwrap();
        *desk.deaf.lock().unwrap() = true;
        process.runs(&zap, &["1"], RunState::Dead).await;
        process.look().await;
        *desk.deaf.lock().unwrap() = false;
        process.end(RunId(1), RunState::Dropped).await;
        process.wait_minutes(10);
        process.heard();
        process.look().await;
        assert_eq!(process.heard(), [""; 0]);
    });
}

#[test]
fn a_target_at_fault_is_over_when_it_is_seen_to_work() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let process = Process::start(&path, &clock, &desk);
        let opened = Event::BreakerOpened {
            target: "connection `books`".to_owned(),
            reason: "503".to_owned(),
            probe_at: at(0),
        };
        process.alerts.note(&opened);
        process.look().await;
        assert_eq!(process.heard(), ["breaker_open firing 1 0"]);
        drop(process);
        // After a restart nobody knows, until an answer comes.
        let process = Process::start(&path, &clock, &desk);
        process.wait_minutes(60);
        process.look().await;
        assert_eq!(process.heard(), [""; 0]);
        let target = "connection `books`";
        let took = std::time::Duration::ZERO;
        process.alerts.measure(Measure::Attempt { zap: "a", step: "b", target, class: Class::Retry, took });
        process.look().await;
        assert_eq!(process.heard(), [""; 0]);
        process.alerts.measure(Measure::Attempt { zap: "a", step: "b", target, class: Class::Done, took });
        process.look().await;
        assert_eq!(process.heard(), ["breaker_open resolved 1 0"]);
    });
}

#[test]
fn silence_is_an_alert_until_something_happens() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let mut process = Process::start(&path, &clock, &desk);
        let sales = Arc::new(sales());
        process.expect(&sales);
        let state =
            process.store.open_zap(ZapIdentity { now: clock.now(), ..identity("sales") }).await.unwrap();
        process.look().await;
        process.alerts.measure(Measure::Opened { zap: &sales, state: &state });
        process.wait_minutes(60);
        process.look().await;
        assert_eq!(process.heard(), [""; 0]);
        process.wait_minutes(1);
        process.look().await;
        assert_eq!(process.heard(), ["no_event firing 1 0"]);
        let made = NewEvent { seen_at: clock.now(), ..event("1", vec![target(&state, Fate::Fire)]) };
        process.store.commit_page(page(vec![made])).await.unwrap();
        process.look().await;
        assert_eq!(process.heard(), ["no_event resolved 1 0"]);
        process.wait_minutes(61);
        process.look().await;
        assert_eq!(process.heard(), ["no_event firing 1 0"]);
    });
}

#[test]
fn nothing_of_a_record_is_told() {
    wait(async {
        let (_folder, path, clock, desk) = rig();
        let process = Process::start(&path, &clock, &desk);
        let zap = process.store.open_zap(identity("sales")).await.unwrap();
        process.runs(&zap, &["ada@example.test"], RunState::Dead).await;
        process.look().await;
        let heard = desk.heard.lock().unwrap()[0].1.clone();
        assert!(heard.contains("zap sales: 1 run is dead, the latest is run 1"), "{heard}");
        assert!(!heard.contains("ada@"), "{heard}");
    });
}

//! Another set of zaps for a running engine.

use super::engine::House;
use super::kit::{Act, ONE, THREE, body, path, reply, zap};
use crate::delivery::recall::Oblivious;
use crate::engine::{EngineError, Options, Reloads, Set};
use crate::ports::{Clock, Crm, RunState, SendOutcome};
use crate::report::Event;
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

impl House {
    pub(super) fn set(&self, zaps: &[&str], changed: &[&str]) -> Set {
        let crm: Arc<dyn Crm> = Arc::new(self.crm.clone());
        Set {
            zaps: zaps.iter().map(|yaml| zap(yaml)).collect(),
            crms: HashMap::from([("crm".to_owned(), crm)]),
            writers: HashMap::new(),
            sender: Arc::new(self.target.clone()),
            git: None,
            sources: HashMap::new(),
            recall: Arc::new(Oblivious),
            history: None,
            changed: changed.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Runs an engine from these zaps on, while `events` happen; both end with the events.
    pub(super) fn runs(&self, zaps: &[&str], events: impl AsyncFnOnce(&House, Reloads)) {
        let engine = self.engine(zaps, Options::default());
        let stop = CancellationToken::new();
        let reloads = engine.reloads();
        let events = async {
            self.seconds(1).await;
            events(self, reloads).await;
            stop.cancel();
        };
        let work = async { tokio::join!(engine.run(stop.clone(), Duration::from_secs(1)), events) };
        self.clock.drive(work).unwrap().0.unwrap();
    }

    pub(super) async fn seconds(&self, seconds: i64) {
        self.clock.sleep_until(self.clock.now() + SignedDuration::from_secs(seconds)).await;
    }

    /// A sale of this instant.
    pub(super) fn sells(&self, id: &str) {
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let at = zone.to_datetime(self.clock.now()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        self.sale(id, &at);
    }

    pub(super) fn state(&self, id: &str) -> Option<RunState> {
        self.store.all_runs().into_iter().find(|run| run.event.key.id == id).map(|run| run.state)
    }
}

/// The same zap, of another content.
pub(super) fn edited(yaml: &str) -> String {
    yaml.replace("path: /", "path: /new/")
}

pub(super) const OTHER: &str = r#"
name: other
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - { id: post, type: http, connection: x, path: /other, json: { order: "{{ record.orderId }}" } }
"#;

#[test]
fn a_slow_flight_is_left_alone_and_holds_nobody_up() {
    let house = House::new();
    house.target.script(|request| Act {
        outcome: reply(200),
        takes: if body(request).contains("SLOW") { Duration::from_secs(900) } else { Duration::ZERO },
    });
    house.runs(&[ONE, OTHER], async |house, reloads| {
        house.sells("SLOW");
        house.seconds(120).await;
        let sent = house.target.sent().len();
        assert_eq!(sent, 2, "both are in flight");
        reloads.reload(house.set(&[&edited(ONE), &edited(OTHER)], &[])).await.unwrap();
        house.sells("B");
        house.seconds(120).await;
        assert_eq!(house.state("B"), Some(RunState::Delivered), "by polling and the new lanes");
        assert_eq!(house.state("SLOW"), Some(RunState::Pending));
        house.seconds(900).await;
        assert_eq!(house.state("SLOW"), Some(RunState::Delivered));
    });
    let paths = |id: &str| -> Vec<String> {
        let sent = house.target.sent();
        let mut paths: Vec<String> = sent.iter().filter(|sent| body(sent).contains(id)).map(path).collect();
        paths.sort();
        paths
    };
    assert_eq!(paths("SLOW"), ["/other", "/post"], "once each, on the revision it began with");
    assert_eq!(paths("\"B\""), ["/new/other", "/new/post"]);
}

#[test]
fn what_is_the_same_is_not_touched() {
    let house = House::new();
    house.runs(&[ONE, OTHER], async |house, reloads| {
        house.seconds(30).await;
        house.crm.take_reads();
        for _ in 0..10 {
            reloads.reload(house.set(&[ONE, OTHER], &[])).await.unwrap();
        }
        house.seconds(5).await;
        assert!(house.crm.take_reads().is_empty(), "nothing is read before it is due");
        // One of two zaps on a connection changes: the other keeps its time, and the changed one is looked for at once.
        reloads.reload(house.set(&[ONE, &edited(OTHER)], &[])).await.unwrap();
        house.seconds(1).await;
        let at_once = house.crm.take_reads().len();
        assert!(at_once > 0);
        house.sells("A");
        house.seconds(65).await;
        assert_eq!(house.target.sent().len(), 2);
    });
}

#[test]
fn a_poll_that_begins_anew_knows_how_far_it_had_come() {
    let house = House::new();
    house.runs(&[ONE, OTHER], async |house, reloads| {
        house.seconds(3 * 86_400).await;
        house.crm.take_reads();
        reloads.reload(house.set(&[ONE, &edited(OTHER)], &[])).await.unwrap();
        house.seconds(120).await;
        let reads = house.crm.take_reads();
        let oldest = reads.iter().filter_map(|read| read.window).map(|days| days.first).min().unwrap();
        assert!(oldest.to_string().as_str() >= "2026-09-18", "yesterday, not since it first ran: {oldest}");
    });
}

#[test]
fn a_set_that_cannot_run_changes_nothing() {
    let house = House::new();
    house.runs(&[ONE], async |house, reloads| {
        let orphan = edited(ONE).replace("connection: crm", "connection: crm2");
        let refused = reloads.reload(house.set(&[&orphan], &[])).await;
        assert!(matches!(refused, Err(EngineError::NoConnection { .. })), "{refused:?}");
        house.sells("A");
        house.seconds(65).await;
        assert_eq!(house.state("A"), Some(RunState::Delivered));
    });
    assert_eq!(path(&house.target.sent()[0]), "/post");
}

#[test]
fn runs_of_a_zap_that_is_taken_away_wait_until_it_is_back() {
    let house = House::new();
    house.target.script(|_| SendOutcome::NotSent { reason: "connection refused".into(), retryable: true });
    house.runs(&[ONE, OTHER], async |house, reloads| {
        house.sells("A");
        house.seconds(61).await;
        let to = |house: &House, to: &str| house.target.sent().iter().filter(|sent| path(sent) == to).count();
        let tried = to(house, "/post");
        assert!(tried > 0);
        reloads.reload(house.set(&[OTHER], &[])).await.unwrap();
        house.target.script(|_| reply(200));
        house.seconds(600).await;
        assert_eq!(to(house, "/post"), tried, "only the other one was tried again");
        // Under another name, as its author says.
        let renamed = ONE.replace("name: one", "name: uno\nformerly: one");
        reloads.reload(house.set(&[&renamed, OTHER], &[])).await.unwrap();
        house.seconds(600).await;
        assert_eq!(to(house, "/post"), tried + 1);
        let delivered = house.store.all_runs().iter().filter(|run| run.state == RunState::Delivered).count();
        assert_eq!((house.store.all_runs().len(), delivered), (2, 2), "the ledger went along");
    });
    let keys: BTreeSet<String> = house.target.sent().into_iter().map(|sent| sent.idempotency_key).collect();
    assert_eq!(keys.len(), 2);
}

#[test]
fn a_walk_that_a_reload_cuts_off_is_made_again() {
    let house = House::new();
    house.runs(&[ONE], async |house, reloads| {
        house.sells("A");
        house.crm.script(|_| Some(crate::testing::Fault::Slow(Duration::from_secs(20))));
        house.seconds(65).await;
        // In mid-walk, and what the zap takes changes too.
        let wider =
            ONE.replace("order_type: new_sale }", "order_type: new_sale }\nwhere: { campaignId: [12] }");
        reloads.reload(house.set(&[&wider], &[])).await.unwrap();
        house.crm.behave();
        house.seconds(65).await;
        assert_eq!(house.state("A"), Some(RunState::Delivered));
    });
    assert_eq!(house.target.sent().len(), 1);
}

/// How many requests the target got within ten seconds after a reload, while it is at fault.
fn knocks(changed: &[&str]) -> usize {
    let house = House::new();
    let mut knocks = 0;
    let count = &mut knocks;
    house.target.script(|_| reply(401));
    house.runs(&[ONE], async |house, reloads| {
        house.sells("A");
        house.seconds(61).await;
        assert_eq!(house.seen.count(|event| matches!(event, Event::BreakerOpened { .. })), 1);
        house.sells("B");
        // The first probe is due a minute after the refusal.
        house.seconds(61).await;
        let before = house.target.sent().len();
        house.target.script(|_| reply(200));
        reloads.reload(house.set(&[&edited(ONE)], changed)).await.unwrap();
        house.seconds(10).await;
        *count = house.target.sent().len() - before;
    });
    knocks
}

#[test]
fn a_breaker_outlives_reloads_but_not_its_connection() {
    assert_eq!(knocks(&[]), 0, "the next probe is not due yet");
    assert!(knocks(&["sink"]) > 0, "new credentials are tried at once");
}

#[test]
fn a_reload_while_the_state_cannot_be_written_waits_and_loses_nothing() {
    let house = House::new();
    house.runs(&[ONE], async |house, reloads| {
        let full = crate::ports::StoreError::Io { reason: "no space left on device".to_owned() };
        let mut failures = 3;
        house.store.script(move |method| {
            let fails = method == "open_zap" && failures > 0;
            failures -= usize::from(fails);
            fails.then(|| full.clone())
        });
        reloads.reload(house.set(&[&edited(ONE)], &[])).await.unwrap();
        house.sells("A");
        house.seconds(65).await;
        assert_eq!(house.state("A"), Some(RunState::Delivered));
    });
    assert_eq!(path(&house.target.sent()[0]), "/new/post");
}

#[test]
fn an_engine_that_has_ended_says_so() {
    let house = House::new();
    let engine = house.engine(&[THREE], Options::default());
    let reloads = engine.reloads();
    drop(engine);
    let refused = house.clock.drive(reloads.reload(house.set(&[THREE], &[]))).unwrap();
    assert_eq!(refused, Err(EngineError::Ended));
}

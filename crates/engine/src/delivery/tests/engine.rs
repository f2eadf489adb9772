//! The whole engine: a CRM, a state and a target.

use super::kit::{FakeSender, ONE, THREE, reply, zap};
use crate::engine::{Engine, EngineError, Options, Ports, Summary};
use crate::ports::{Clock, Crm, ReadError, RunState, SendOutcome, StoreError};
use crate::report::Event;
use crate::testing::{Calls, FakeClock, FakeCrm, FakeRow, Fault, MemoryStore, Moment, Recorded};
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) struct House {
    pub(super) clock: FakeClock,
    calls: Calls,
    pub(super) crm: FakeCrm,
    pub(super) store: MemoryStore,
    pub(super) target: FakeSender,
    pub(super) seen: Recorded,
}

impl House {
    /// At eight in the morning in New York.
    pub(super) fn new() -> House {
        let clock = FakeClock::at("2026-09-16T12:00:00Z");
        let calls = Calls::new();
        House {
            crm: FakeCrm::new(clock.clone(), calls.clone()),
            store: MemoryStore::new(calls.clone()),
            target: FakeSender::new(calls.clone(), clock.clone()),
            seen: Recorded::default(),
            calls,
            clock,
        }
    }

    pub(super) fn engine(&self, zaps: &[&str], options: Options) -> Engine {
        let crm: Arc<dyn Crm> = Arc::new(self.crm.clone());
        Engine::new(
            zaps.iter().map(|yaml| zap(yaml)).collect(),
            Ports {
                crms: HashMap::from([("crm".to_owned(), crm)]),
                writers: HashMap::new(),
                sender: Arc::new(self.target.clone()),
                store: Arc::new(self.store.clone()),
                clock: Arc::new(self.clock.clone()),
                observer: Arc::new(self.seen.clone()),
            },
            options,
        )
    }

    pub(super) fn once(&self, zaps: &[&str]) -> Option<Result<Summary, EngineError>> {
        self.clock
            .drive(self.engine(zaps, Options::default()).run_once(CancellationToken::new(), Duration::ZERO))
    }

    pub(super) fn sale(&self, id: &str, at: &str) {
        self.crm.change(|table| table.insert(FakeRow::order(id, at)));
    }

    fn delivered(&self) -> usize {
        self.store.all_runs().iter().filter(|run| run.state == RunState::Delivered).count()
    }
}

#[test]
fn once_polls_and_delivers() {
    let house = House::new();
    house.sale("OLD", "2026-09-16 07:00:00");
    let first = house.once(&[ONE]).unwrap().unwrap();
    assert_eq!((first.primed, first.fired, first.delivered), (1, 0, 0));
    assert!(first.polled > 0);
    house.sale("A", "2026-09-16 08:00:01");
    house.sale("B", "2026-09-16 08:00:02");
    house
        .target
        .script(|sent| if super::kit::body(sent).contains("\"B\"") { reply(500) } else { reply(200) });
    house.clock.advance(SignedDuration::from_secs(60));
    let second = house.once(&[ONE]).unwrap().unwrap();
    let counted = (second.fired, second.delivered, second.failed_attempts, second.pending, second.dead);
    assert_eq!(counted, (2, 1, 1, 1, 0));
    assert_eq!(second.poll_failures, 0);
}

#[test]
fn once_counts_a_poll_that_failed_and_still_delivers_what_is_due() {
    let house = House::new();
    house.once(&[ONE]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    house.clock.advance(SignedDuration::from_secs(60));
    house.target.script(|_| SendOutcome::NotSent { reason: "connection refused".into(), retryable: true });
    house.once(&[ONE]).unwrap().unwrap();
    house.target.script(|_| reply(200));
    house.crm.script(|_| Some(Fault::Fail(ReadError::Transport { text: "504".into(), retry_after: None })));
    house.clock.advance(SignedDuration::from_secs(60));
    let summary = house.once(&[ONE]).unwrap().unwrap();
    assert!(summary.poll_failures > 0);
    assert_eq!(summary.delivered, 1);
}

#[test]
fn it_delivers_soon_after_a_row_appears_and_stops_when_told() {
    let house = House::new();
    let stop = CancellationToken::new();
    let engine = house.engine(&[ONE, THREE], Options::default());
    let events = async {
        house.clock.sleep_until(house.clock.now() + SignedDuration::from_secs(90)).await;
        house.sale("A", "2026-09-16 08:01:30");
        house.clock.sleep_until(house.clock.now() + SignedDuration::from_mins(3)).await;
        stop.cancel();
    };
    let work = async { tokio::join!(engine.run(stop.clone(), Duration::from_secs(30)), events) };
    let (summary, ()) = house.clock.drive(work).unwrap();
    assert_eq!(summary.unwrap().delivered, 2);
    let lags = house.seen.take().into_iter().filter_map(|event| match event {
        Event::Delivered { lag, .. } => Some(lag),
        _ => None,
    });
    assert!(lags.into_iter().all(|lag| lag.is_zero()), "delivery wakes up with the commit");
}

#[test]
fn the_grace_ends() {
    let house = House::new();
    house.once(&[ONE]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    house.target.script(|_| super::kit::Act { outcome: reply(200), takes: Duration::from_secs(3600) });
    let stop = CancellationToken::new();
    let engine = house.engine(&[ONE], Options::default());
    let start = house.clock.now();
    let events = async {
        house.clock.sleep_until(start + SignedDuration::from_secs(5)).await;
        stop.cancel();
    };
    let work = async { tokio::join!(engine.run(stop.clone(), Duration::from_secs(30)), events) };
    let (summary, ()) = house.clock.drive(work).unwrap();
    assert_eq!(summary.unwrap().delivered, 0);
    assert_eq!(house.clock.now(), start + SignedDuration::from_secs(35));
    assert_eq!(house.store.all_runs()[0].state, RunState::Pending);
    house.target.script(|_| reply(200));
    house.once(&[ONE]).unwrap().unwrap();
    assert_eq!(house.delivered(), 1);
}

#[test]
fn a_dry_run_shows_requests() {
    let house = House::new();
    house.once(&[ONE]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    house.clock.advance(SignedDuration::from_secs(60));
    house.seen.take();
    let options = Options { dry_run: true, ..Options::default() };
    let summary = house
        .clock
        .drive(house.engine(&[ONE], options).run_once(CancellationToken::new(), Duration::ZERO))
        .unwrap()
        .unwrap();
    assert_eq!(summary.delivered, 1);
    assert!(house.target.sent().is_empty());
    assert_eq!(house.seen.count(|event| matches!(event, Event::WouldSend { .. })), 1);
}

#[test]
fn it_will_not_start_without_its_connection_or_its_state() {
    let house = House::new();
    let orphan = ONE.replace("connection: crm", "connection: crm2");
    let lost = house.once(&[&orphan]).unwrap().unwrap_err();
    assert!(matches!(lost, EngineError::NoConnection { .. }), "{lost}");
    house.store.script(|_| Some(StoreError::Fenced));
    assert_eq!(house.once(&[ONE]).unwrap(), Err(EngineError::Store(StoreError::Fenced)));
}

/// Whoever gives the tokens of a connection is away for an hour, or refuses for an hour until a person has acted.
#[test]
fn an_hour_without_a_token_costs_time_and_no_run() {
    let away = SendOutcome::NotSent { reason: "the token endpoint answered 503".into(), retryable: true };
    let refuses = SendOutcome::Unauthorised { reason: "the token endpoint answered invalid_client".into() };
    for (outcome, most_tries) in [(away, 40), (refuses, 10)] {
        let house = House::new();
        house.once(&[ONE]).unwrap().unwrap();
        for number in 0..8 {
            house.sale(&format!("S{number}"), "2026-09-16 08:00:01");
        }
        let (stop, start) = (CancellationToken::new(), house.clock.now());
        let answer = outcome.clone();
        house.target.script(move |_| answer.clone());
        let engine = house.engine(&[ONE], Options::default());
        let events = async {
            house.clock.sleep_until(start + SignedDuration::from_hours(1)).await;
            assert_eq!(house.delivered(), 0);
            let tries = house.target.sent().len();
            assert!((1..=most_tries).contains(&tries), "{tries} tries in an hour");
            house.target.script(|_| reply(200));
            house.clock.sleep_until(start + SignedDuration::from_hours(2)).await;
            stop.cancel();
        };
        let work = async { tokio::join!(engine.run(stop.clone(), Duration::from_secs(30)), events) };
        let (summary, ()) = house.clock.drive(work).unwrap();
        let summary = summary.unwrap();
        assert_eq!((summary.delivered, summary.dead, summary.held), (8, 0, 0));
        let seen = house.seen.take();
        let reasons = seen.iter().filter_map(|event| match event {
            Event::BreakerOpened { reason, .. } => Some(reason.as_str()),
            _ => None,
        });
        assert!(reasons.into_iter().all(|reason| reason.starts_with("the token endpoint answered")));
        assert_eq!(seen.iter().filter(|event| matches!(event, Event::BreakerOpened { .. })).count(), 1);
        assert_eq!(seen.iter().filter(|event| matches!(event, Event::BreakerClosed { .. })).count(), 1);
    }
}

/// From the row in the CRM to the answer of the target, dying at every call on the way.
#[test]
fn a_crash_anywhere_loses_nothing() {
    let lives = |nth: usize, moment: Moment| {
        let house = House::new();
        house.once(&[THREE]).unwrap().unwrap();
        house.sale("A", "2026-09-16 08:00:01");
        house.clock.advance(SignedDuration::from_secs(60));
        house.calls.crash_at(nth, moment);
        let crashed = house.once(&[THREE]).is_none();
        house.calls.calm();
        house.clock.advance(SignedDuration::from_secs(60));
        house.once(&[THREE]).unwrap().unwrap();
        assert_eq!(house.delivered(), 1, "call {nth} {moment:?}");
        let sent = house.target.sent();
        let keys: std::collections::BTreeSet<_> = sent.iter().map(|sent| &sent.idempotency_key).collect();
        assert_eq!(keys.len(), 3, "call {nth} {moment:?}");
        assert!(sent.len() <= 4, "call {nth} {moment:?}");
        crashed
    };
    for moment in [Moment::Before, Moment::After] {
        let crashes = (1..100).take_while(|nth| lives(*nth, moment)).count();
        assert!((10..90).contains(&crashes), "{crashes}");
    }
}

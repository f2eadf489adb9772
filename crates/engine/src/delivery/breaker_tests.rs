#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Admission, Breaker, Change, Effect, Gate, Health, Ticket, after};
use crate::ports::RunId;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

struct Bench {
    breaker: Arc<Breaker>,
    now: Timestamp,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            breaker: Arc::new(Breaker::new("host `h`".into())),
            now: "2026-09-16T12:00:00Z".parse().unwrap(),
        }
    }

    fn later(&mut self, seconds: u64) {
        self.now = after(self.now, Duration::from_secs(seconds));
    }

    fn admit(&self) -> Option<Ticket> {
        match self.breaker.admit(self.now) {
            Admission::Send(ticket) => Some(ticket),
            Admission::Park { until, .. } => {
                assert!(until > self.now, "a parked run must not be due at once");
                None
            }
        }
    }

    fn send(&self, run: i64, health: Health) -> Effect {
        self.admit().unwrap().report(RunId(run), health, self.now)
    }

    /// Opens it by 401.
    fn fault(&self) {
        let effect = self.send(1, fault());
        assert!(matches!(effect.change, Some(Change::Opened { .. })));
        assert!(effect.park.is_some());
    }
}

fn ill() -> Health {
    Health::Ill("500".into())
}

fn forbidden() -> Health {
    Health::Forbidden("403".into())
}

fn fault() -> Health {
    Health::Fault("401".into())
}

#[test]
fn one_401_opens_it_and_says_so_once() {
    let mut bench = Bench::new();
    let early = bench.admit().unwrap();
    bench.fault();
    assert!(bench.admit().is_none());
    let effect = early.report(RunId(2), fault(), bench.now);
    assert_eq!(effect.change, None, "one alert");
    assert!(effect.park.is_some());
    bench.later(61);
    let effect = bench.send(2, fault());
    assert_eq!(effect.change, None);
    assert!(effect.park.is_some_and(|until| until > bench.now));
}

#[test]
fn five_different_ill_runs_in_a_row_open_it() {
    let bench = Bench::new();
    for run in 1..=4 {
        assert_eq!(bench.send(run, ill()).change, None);
    }
    // The same run again is no further evidence, and an answer ends the row.
    assert_eq!(bench.send(4, ill()).change, None);
    assert_eq!(bench.send(9, Health::Well).change, None);
    for run in 1..=4 {
        assert_eq!(bench.send(run, ill()).change, None);
    }
    assert!(matches!(bench.send(5, ill()).change, Some(Change::Opened { .. })));
}

#[test]
fn three_403_in_a_row_open_it_and_other_answers_end_the_row() {
    let bench = Bench::new();
    for health in [Health::Well, ill(), Health::Busy(None)] {
        for run in 1..=2 {
            let effect = bench.send(run, forbidden());
            assert_eq!((effect.change, effect.park), (None, None));
        }
        bench.send(7, health);
    }
    bench.send(1, forbidden());
    bench.send(2, forbidden());
    assert_eq!(bench.send(2, forbidden()).change, None, "three different runs");
    assert!(matches!(bench.send(3, forbidden()).change, Some(Change::Opened { .. })));
}

#[test]
fn one_probe_at_a_time() {
    let mut bench = Bench::new();
    bench.fault();
    assert!(matches!(bench.breaker.gate(bench.now), Gate::Shut(_)));
    bench.later(61);
    assert_eq!(bench.breaker.gate(bench.now), Gate::Probe);
    let probe = bench.admit().unwrap();
    assert_eq!(bench.breaker.gate(bench.now), Gate::Probing);
    assert!(bench.admit().is_none());
    let effect = probe.report(RunId(2), Health::Well, bench.now);
    assert_eq!(effect.change, Some(Change::Closed { open_for: Duration::from_secs(61) }));
    assert!(effect.wake);
    assert!(bench.admit().is_some());
}

#[test]
fn a_probe_that_is_dropped_frees_its_place() {
    let mut bench = Bench::new();
    bench.fault();
    bench.later(61);
    drop(bench.admit().unwrap());
    assert_eq!(bench.breaker.gate(bench.now), Gate::Probe);
}

#[test]
fn probes_slow_down_to_a_limit() {
    let mut bench = Bench::new();
    for run in 1..=5 {
        bench.send(run, ill());
    }
    let mut gaps = Vec::new();
    for run in 10..20 {
        let Gate::Shut(until) = bench.breaker.gate(bench.now) else { panic!("it is open") };
        gaps.push(until.duration_since(bench.now).as_secs());
        bench.now = until;
        bench.send(run, ill());
    }
    assert_eq!(gaps, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
}

#[test]
fn a_run_that_keeps_failing_while_others_get_through_is_condemned() {
    let mut bench = Bench::new();
    bench.fault();
    for _ in 0..2 {
        bench.later(1_000);
        assert!(!bench.send(66, fault()).condemned);
    }
    bench.later(1_000);
    bench.send(3, Health::Well);
    let effect = bench.send(66, fault());
    assert_eq!((effect.condemned, effect.change), (false, None), "it does not open the breaker again");
    let effect = bench.send(66, ill());
    assert_eq!((effect.condemned, effect.change), (true, None));
    // Only once: a replay of it starts afresh.
    assert!(!bench.send(66, ill()).condemned);
}

#[test]
fn an_outage_condemns_nobody() {
    let mut bench = Bench::new();
    bench.fault();
    for _ in 0..3 {
        for run in [4, 5] {
            bench.later(1_000);
            bench.send(run, fault());
        }
    }
    bench.later(1_000);
    assert!(matches!(bench.send(4, Health::Well).change, Some(Change::Closed { .. })));
    assert!(!bench.send(5, Health::Well).condemned);
    assert!(!bench.send(5, ill()).condemned);
}

#[test]
fn a_busy_target_is_left_alone_as_long_as_it_asks() {
    let mut bench = Bench::new();
    assert_eq!(bench.send(1, Health::Busy(Some(Duration::from_secs(30)))).change, None);
    assert!(bench.admit().is_none());
    assert!(matches!(bench.breaker.gate(bench.now), Gate::Shut(_)));
    bench.later(30);
    assert!(bench.admit().is_some());
    bench.send(1, Health::Busy(Some(Duration::from_secs(u64::MAX / 4))));
    bench.later(15 * 60);
    assert!(bench.admit().is_some(), "not for ever");
}

#[test]
fn what_was_never_sent_says_nothing() {
    let mut bench = Bench::new();
    bench.fault();
    bench.later(61);
    assert_eq!(bench.send(2, Health::Silent).change, None);
    assert_eq!(bench.breaker.gate(bench.now), Gate::Probe);
}

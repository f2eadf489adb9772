//! Random outcomes, crashes and waits against what must hold whatever happens.

use super::kit::{EACH, HOLD, ONE, THREE, World, answer, body, lost, path, reply};
use crate::ports::{Clock, RunState, SendOutcome, StepOutcome};
use crate::testing::Moment;
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const RUNS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// What the target does with one request.
#[derive(Debug, Clone, Copy)]
enum Whim {
    Accept,
    Refuse,
    Forbid,
    Busy,
    Break,
    Lose,
    Unreachable,
}

/// One life of the process: where it dies, if it does, and how long nothing happens after it.
#[derive(Debug, Clone)]
struct Life {
    crash: Option<(usize, bool)>,
    pause: i64,
}

fn whims() -> impl Strategy<Value = Vec<Whim>> {
    let whim = prop_oneof![
        6 => Just(Whim::Accept),
        1 => Just(Whim::Refuse),
        1 => Just(Whim::Forbid),
        1 => Just(Whim::Busy),
        2 => Just(Whim::Break),
        2 => Just(Whim::Lose),
        1 => Just(Whim::Unreachable),
    ];
    proptest::collection::vec(whim, 0..60)
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let crash = proptest::option::weighted(0.7, (1_usize..30, any::<bool>()));
    let life = (crash, 0_i64..2_000).prop_map(|(crash, pause)| Life { crash, pause });
    proptest::collection::vec(life, 1..12)
}

/// What the target did, in order: key, request, and whether it accepted.
type Log = Arc<Mutex<Vec<(String, String, bool)>>>;

fn play(yaml: &str, whims: Vec<Whim>, lives: Vec<Life>) -> (World, Log) {
    let world = World::new(&[yaml]);
    world.sales(0, &RUNS);
    let log = Log::default();
    let (memory, mut whims) = (Arc::clone(&log), whims.into_iter());
    world.target.script(move |sent| {
        let whim = whims.next().unwrap_or(Whim::Accept);
        let accepted = matches!(whim, Whim::Accept);
        let what = format!("{} {}", path(sent), body(sent));
        memory.lock().unwrap().push((sent.idempotency_key.clone(), what, accepted));
        match whim {
            Whim::Accept => answer(200, "{\"id\":\"x\"}"),
            Whim::Refuse => reply(422),
            Whim::Forbid => reply(403),
            Whim::Busy => reply(429),
            Whim::Break => reply(500),
            Whim::Lose => lost(),
            Whim::Unreachable => {
                SendOutcome::NotSent { reason: "connection refused".into(), retryable: true }
            }
        }
    });
    for life in lives {
        match life.crash {
            Some((nth, before)) => {
                let moment = if before { Moment::Before } else { Moment::After };
                world.calls.crash_at(nth, moment);
            }
            None => world.calls.calm(),
        }
        if let Some(result) = world.once() {
            result.unwrap();
        }
        check_recorded(&world, &log);
        world.clock.advance(SignedDuration::from_secs(life.pause));
    }
    world.calls.calm();
    for _ in 0..200 {
        if world.count(RunState::Pending) == 0 {
            break;
        }
        world.once().unwrap().unwrap();
        world.clock.advance(SignedDuration::from_secs(1_000));
    }
    (world, log)
}

/// A finished step is recorded once, and nothing is sent again after that.
fn check_recorded(world: &World, log: &Log) {
    let sent = log.lock().unwrap().len();
    for run in world.store.all_runs() {
        let mut places = BTreeSet::new();
        for step in &run.steps {
            assert!(places.insert((step.step.clone(), step.element.clone())), "{} settled twice", step.step);
            assert!(step.at <= world.clock.now());
        }
        assert!(
            run.steps.iter().filter(|step| step.outcome == StepOutcome::Done).count() <= sent + RUNS.len()
        );
    }
}

fn check(world: &World, log: &Log, repeatable: bool) {
    let log = log.lock().unwrap().clone();
    assert_eq!(world.count(RunState::Pending), 0, "every run ends");
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut by_request: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, what, _) in &log {
        keys.entry(key).or_default().insert(what);
        by_request.entry(what).or_default().insert(key);
    }
    for (key, requests) in keys {
        assert_eq!(requests.len(), 1, "key {key} was used for different requests");
    }
    for run in world.store.all_runs() {
        assert!(run.begun.is_none());
        match run.state {
            RunState::Delivered => {
                assert!(run.steps.iter().all(|step| step.outcome != StepOutcome::Failed));
                let order = format!("\"order\":\"{}\"", run.event.key.id);
                let expected = log.iter().any(|(_, what, accepted)| *accepted && what.contains(&order));
                assert!(expected || run.steps.len() > 3, "delivered without having been accepted");
            }
            RunState::Dead => assert!(run.steps.iter().any(|step| step.outcome == StepOutcome::Failed)),
            RunState::Held => assert!(!repeatable && run.reason.word == "uncertain"),
            other => panic!("{other:?}"),
        }
        if !repeatable {
            let order = format!("\"order\":\"{}\"", run.event.key.id);
            let accepted =
                log.iter().filter(|(_, what, accepted)| *accepted && what.contains(&order)).count();
            assert!(accepted <= 1, "accepted {accepted} times");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn one_step(whims in whims(), lives in lives()) {
        let (world, log) = play(ONE, whims, lives);
        check(&world, &log, true);
    }

    #[test]
    fn one_step_that_may_not_be_repeated(whims in whims(), lives in lives()) {
        let (world, log) = play(HOLD, whims, lives);
        check(&world, &log, false);
    }

    #[test]
    fn three_steps(whims in whims(), lives in lives()) {
        let (world, log) = play(THREE, whims, lives);
        check(&world, &log, true);
    }

    #[test]
    fn a_step_per_element(whims in whims(), lives in lives()) {
        let (world, log) = play(EACH, whims, lives);
        check(&world, &log, true);
    }
}

//! Random outcomes, crashes and waits against what must hold whatever happens.

use super::kit::{EACH, HOLD, ONE, THREE, World, answer, body, lost, path, reply};
use crate::ports::{RunState, SendOutcome, StepOutcome, StepRecord};
use crate::testing::{MemoryRun, Moment};
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
    let mut finished = BTreeMap::new();
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
        check_recorded(&world, &log, &mut finished);
        world.clock.advance(SignedDuration::from_secs(life.pause));
    }
    world.calls.calm();
    for _ in 0..200 {
        if world.count(RunState::Pending) == 0 {
            break;
        }
        world.once().unwrap().unwrap();
        check_recorded(&world, &log, &mut finished);
        world.clock.advance(SignedDuration::from_secs(1_000));
    }
    (world, log)
}

/// The key under which a step's request is sent.
fn key(run: &MemoryRun, step: &StepRecord) -> String {
    zaprun_core::zap::key::step(run.key_base, &step.step, step.element.as_deref()).to_string()
}

/// A finished step is recorded once, with the request it was sent by, and that is never sent again.
fn check_recorded(world: &World, log: &Log, finished: &mut BTreeMap<String, usize>) {
    let log = log.lock().unwrap();
    for run in world.store.all_runs() {
        let mut places = BTreeSet::new();
        for step in &run.steps {
            assert!(places.insert((step.step.clone(), step.element.clone())), "{} settled twice", step.step);
            let key = key(&run, step);
            let arrived = log.iter().filter(|(sent, ..)| *sent == key).count();
            let accepted = log.iter().any(|(sent, _, accepted)| *sent == key && *accepted);
            // The other way round need not hold: it may have accepted, died unheard, and refused the repeat.
            let done = step.outcome == StepOutcome::Done && step.attempts > 0;
            assert!(accepted || !done, "{} is done without having been accepted", step.step);
            assert_eq!(*finished.entry(key).or_insert(arrived), arrived, "sent again after it was finished");
        }
    }
}

fn check(world: &World, log: &Log, repeatable: bool) {
    let log = log.lock().unwrap().clone();
    assert_eq!(world.count(RunState::Pending), 0, "every run ends");
    let mut requests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, what, taken) in &log {
        requests.entry(key).or_default().insert(what);
        *accepted.entry(key).or_default() += usize::from(*taken);
    }
    for (key, requests) in requests {
        assert_eq!(requests.len(), 1, "key {key} was used for different requests");
    }
    if !repeatable {
        assert!(accepted.values().all(|times| *times <= 1), "accepted more than once");
    }
    for run in world.store.all_runs() {
        assert_eq!(run.begun.is_some(), run.state == RunState::Held, "what a person must settle stays open");
        let failed = run.steps.iter().any(|step| step.outcome == StepOutcome::Failed);
        match run.state {
            RunState::Delivered => assert!(!failed && !run.steps.is_empty()),
            RunState::Dead => assert!(failed),
            RunState::Held => assert!(!failed && !repeatable && run.reason.word == "uncertain"),
            other => panic!("{other:?}"),
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

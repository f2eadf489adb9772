//! The process dies at every await point; a new one goes on from the state alone.

use super::kit::{EACH, HOLD, ONE, THREE, World, answer};
use crate::ports::{Clock, RunState};
use crate::testing::Moment;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// How often each idempotency key arrived.
fn arrivals(world: &World) -> BTreeMap<String, usize> {
    let mut arrivals = BTreeMap::new();
    for sent in world.target.sent() {
        *arrivals.entry(sent.idempotency_key).or_default() += 1;
    }
    arrivals
}

fn world(yaml: &str) -> World {
    let world = World::new(&[yaml]);
    world.sales(0, &["A"]);
    world.target.script(|_| answer(200, "{\"id\":\"x\"}"));
    world.calls.calm();
    world
}

/// Crashes at every port call, before and after its effect, and gives what each crash left.
fn every_crash(yaml: &str, steps: usize, check: impl Fn(&World, usize, Moment)) {
    let calm = world(yaml);
    calm.once().unwrap().unwrap();
    let calls = calm.calls.made();
    assert!(calls >= 2 * steps, "{calls}");
    for moment in [Moment::Before, Moment::After] {
        for nth in 1..=calls {
            let world = world(yaml);
            world.calls.crash_at(nth, moment);
            assert_eq!(world.once(), None, "call {nth} was not reached");
            world.calls.calm();
            world.once().unwrap().unwrap();
            check(&world, nth, moment);
        }
    }
}

/// A crash can repeat at most the one request whose answer was not recorded.
fn repeats_one_at_most(world: &World, steps: usize, nth: usize, moment: Moment) {
    let arrivals = arrivals(world);
    assert_eq!(world.count(RunState::Delivered), 1, "call {nth} {moment:?}");
    assert_eq!(arrivals.len(), steps, "call {nth} {moment:?}: a key changed");
    let repeats: usize = arrivals.values().map(|times| times - 1).sum();
    assert!(repeats <= 1, "call {nth} {moment:?}: {repeats} repeats");
    assert_eq!(
        world.run("A").steps.iter().filter(|step| step.attempts > 0).count(),
        steps,
        "recorded once each"
    );
}

#[test]
fn three_steps_survive_a_crash_anywhere() {
    every_crash(THREE, 3, |world, nth, moment| {
        repeats_one_at_most(world, 3, nth, moment);
        // Calls alternate: claim, then send and write three times.
        let answered = moment == Moment::After || nth % 2 == 0;
        let before_send = nth % 2 == 0 && moment == Moment::Before;
        let recorded = nth % 2 == 1 && moment == Moment::After;
        if before_send || recorded || !answered && nth == 1 {
            assert!(arrivals(world).values().all(|times| *times == 1), "call {nth} {moment:?}");
        }
    });
}

#[test]
fn an_each_survives_a_crash_anywhere() {
    every_crash(EACH, 4, |world, nth, moment| repeats_one_at_most(world, 4, nth, moment));
}

#[test]
fn one_step_survives_a_crash_anywhere() {
    every_crash(ONE, 1, |world, nth, moment| repeats_one_at_most(world, 1, nth, moment));
}

#[test]
fn what_may_not_be_repeated_arrives_at_most_once() {
    every_crash(HOLD, 1, |world, nth, moment| {
        let arrived = world.target.sent().len();
        assert!(arrived <= 1, "call {nth} {moment:?}: arrived {arrived} times");
        let run = world.run("A");
        match run.state {
            RunState::Delivered => assert_eq!(arrived, 1, "call {nth} {moment:?}"),
            RunState::Held => {
                assert_eq!(run.reason.word, "uncertain");
                assert_eq!(run.failed.len(), 1);
                assert!(run.begun.is_some(), "a person must be able to see which request it was");
                // begin_attempt was durable and the run's update was not: calls 2 to 4.
                let between =
                    (nth, moment) == (2, Moment::After) || nth == 3 || (nth, moment) == (4, Moment::Before);
                assert!(between, "call {nth} {moment:?}: held needlessly");
            }
            other => panic!("call {nth} {moment:?}: {other:?}"),
        }
    });
}

#[test]
fn several_crashes_in_a_row_lose_nothing() {
    let world = world(THREE);
    for nth in 1..=7 {
        for moment in [Moment::Before, Moment::After] {
            world.calls.crash_at(nth, moment);
            if world.once().is_some() {
                world.calls.calm();
            }
        }
    }
    world.calls.calm();
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Delivered), 1);
    assert_eq!(arrivals(&world).len(), 3);
}

#[test]
fn what_is_held_after_a_crash_tells_when_it_left() {
    let world = world(HOLD);
    let left = world.clock.now();
    // The attempt was begun, and its answer never recorded.
    world.calls.crash_at(3, Moment::After);
    assert_eq!(world.once(), None);
    world.calls.calm();
    world.clock.advance(SignedDuration::from_hours(2));
    world.once().unwrap().unwrap();
    let run = world.run("A");
    assert_eq!(run.state, RunState::Held);
    assert_eq!(run.failed[0].at, left, "by that a person finds it in the target's own log");
}

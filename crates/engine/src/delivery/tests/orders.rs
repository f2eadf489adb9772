//! What another program asks of a running engine.

use super::engine::House;
use super::kit::{Act, lost, path, reply};
use crate::engine::{Options, Summary};
use crate::ports::{
    Chosen, Clock, Command, Replay, Resolution, RunId, RunState, SendOutcome, StepOutcome, StoreError,
};
use crate::report::Event;
use crate::testing::MemoryRun;
use jiff::SignedDuration;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A step that may not be repeated, and another after it.
const TWO: &str = r#"
name: two
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: pay
    type: http
    connection: sink
    path: /pay
    on_uncertain: hold
    json: { order: "{{ record.orderId }}" }
  - id: then
    type: http
    connection: sink
    path: /then
    json: { order: "{{ record.orderId }}" }
on_failure:
  - id: tell
    type: http
    connection: sink
    path: /tell
    json: { step: "{{ failure.step }}" }
"#;

const GRACE: Duration = Duration::from_secs(30);

/// A house with one run whose first step has no answer.
fn held(yaml: &str) -> House {
    held_after(yaml, vec![lost()])
}

/// The same, after these outcomes of the first step.
fn held_after(yaml: &str, outcomes: Vec<SendOutcome>) -> House {
    let house = House::new();
    house.once(&[yaml]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    let tries = outcomes.len();
    house.target.answers(outcomes);
    for _ in 0..tries {
        house.clock.advance(SignedDuration::from_secs(60));
        house.once(&[yaml]).unwrap().unwrap();
    }
    assert_eq!(run(&house).state, RunState::Held);
    house
}

fn run(house: &House) -> MemoryRun {
    house.store.all_runs().remove(0)
}

fn paths(house: &House) -> Vec<String> {
    house.target.sent().iter().map(path).collect()
}

/// Runs an engine beside `events`, and stops it when they are over.
fn beside(house: &House, yaml: &str, events: impl Future<Output = ()>) -> Summary {
    let stop = CancellationToken::new();
    let engine = house.engine(&[yaml], Options::default());
    let events = async {
        events.await;
        stop.cancel();
    };
    let work = async { tokio::join!(engine.run(stop.clone(), GRACE), events) };
    house.clock.drive(work).unwrap().0.unwrap()
}

async fn pass(house: &House, millis: i64) {
    house.clock.sleep_until(house.clock.now() + SignedDuration::from_millis(millis)).await;
}

#[test]
fn what_is_asked_is_done_within_a_second() {
    let house = held(TWO);
    let summary = beside(&house, TWO, async {
        pass(&house, 10_500).await;
        house.store.resolve(RunId(1), Resolution::Done);
        pass(&house, 1_000).await;
        assert_eq!(run(&house).state, RunState::Delivered);
    });
    assert_eq!((summary.delivered, summary.held), (1, 0));
    assert_eq!(paths(&house), ["/pay", "/then"], "what was settled is not sent again");
}

#[test]
fn a_step_that_failed_by_a_persons_word_ends_the_run() {
    let house = held(TWO);
    beside(&house, TWO, async {
        pass(&house, 500).await;
        house.store.resolve(RunId(1), Resolution::Failed);
        pass(&house, 1_000).await;
    });
    assert_eq!(run(&house).state, RunState::Dead);
    assert_eq!(run(&house).steps[0].outcome, StepOutcome::Failed);
    assert_eq!(paths(&house), ["/pay", "/tell"]);
}

#[test]
fn once_obeys_at_its_start() {
    let house = held(TWO);
    house.store.resolve(RunId(1), Resolution::Done);
    let summary = house.once(&[TWO]).unwrap().unwrap();
    assert_eq!(summary.delivered, 1);
    assert_eq!(paths(&house), ["/pay", "/then"]);
}

#[test]
fn an_engine_that_comes_to_its_end_still_answers_and_begins_nothing() {
    let house = held(TWO);
    house.sale("B", "2026-09-16 08:01:01");
    let slow = |outcome: SendOutcome| Act { outcome, takes: Duration::from_secs(20) };
    house.target.script(move |_| slow(reply(200)));
    let stop = CancellationToken::new();
    let engine = house.engine(&[TWO], Options::default());
    let events = async {
        pass(&house, 5_500).await;
        stop.cancel();
        pass(&house, 1_000).await;
        house.store.resolve(RunId(1), Resolution::Done);
        pass(&house, 1_000).await;
        assert_eq!(run(&house).state, RunState::Pending);
    };
    let work = async { tokio::join!(engine.run(stop.clone(), GRACE), events) };
    house.clock.drive(work).unwrap().0.unwrap();
    assert_eq!(paths(&house), ["/pay", "/pay"]);
    assert_eq!(run(&house).steps.len(), 1);
}

/// What was counted for the retries of the settled step is not the next one's.
#[test]
fn the_next_step_still_waits_its_delay() {
    let delayed = TWO.replace("path: /then", "path: /then\n    delay: 60m");
    let unsent = SendOutcome::NotSent { reason: "connection refused".into(), retryable: true };
    let house = held_after(&delayed, vec![unsent, lost()]);
    house.store.resolve(RunId(1), Resolution::Done);
    house.once(&[&delayed]).unwrap().unwrap();
    assert_eq!((run(&house).state, run(&house).reason.word.as_str()), (RunState::Pending, "delayed"));
    house.clock.advance(SignedDuration::from_mins(61));
    house.once(&[&delayed]).unwrap().unwrap();
    assert_eq!(paths(&house), ["/pay", "/pay", "/then"]);
}

#[test]
fn a_state_that_cannot_be_written_is_asked_again_and_a_lost_one_ends_the_engine() {
    let house = held(TWO);
    house.store.resolve(RunId(1), Resolution::Done);
    let mut full = 3;
    house.store.script(move |method| {
        full -= i32::from(method == "obey" && full > 0);
        (method == "obey" && full > 0).then(|| StoreError::Io { reason: "the disk is full".into() })
    });
    beside(&house, TWO, pass(&house, 5_000));
    assert_eq!(run(&house).state, RunState::Delivered);
    assert!(house.seen.count(|event| matches!(event, Event::StoreTrouble { .. })) > 0);
    house.store.script(|method| (method == "obey").then_some(StoreError::Fenced));
    let engine = house.engine(&[TWO], Options::default());
    let ended = house.clock.drive(engine.run(CancellationToken::new(), GRACE)).unwrap();
    assert_eq!(ended, Err(StoreError::Fenced.into()));
}

/// One step, which the target refuses.
fn dead() -> House {
    let one = TWO.replace("    on_uncertain: hold\n", "");
    let house = House::new();
    house.once(&[&one]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    house.target.answers(vec![reply(200), reply(404)]);
    house.clock.advance(SignedDuration::from_secs(60));
    house.once(&[&one]).unwrap().unwrap();
    assert_eq!(run(&house).state, RunState::Dead);
    assert_eq!(paths(&house), ["/pay", "/then", "/tell"]);
    house
}

#[test]
fn a_replayed_run_does_what_is_unfinished_and_its_failure_anew() {
    let house = dead();
    let how = Replay { on_failure: vec!["tell".to_owned()], latest: true, ..Replay::default() };
    let replay = || Command::Replay { runs: vec![Chosen::any(RunId(1))], how: how.clone() };
    house.store.ask(replay());
    house.target.answers(vec![reply(404)]);
    house.once(&[TWO]).unwrap().unwrap();
    assert_eq!(run(&house).state, RunState::Dead);
    assert_eq!(paths(&house)[3..], ["/then", "/tell"]);
    house.store.ask(replay());
    house.once(&[TWO]).unwrap().unwrap();
    assert_eq!(run(&house).state, RunState::Delivered);
    assert_eq!(paths(&house)[5..], ["/then"]);
}

/// What was recorded and is not kept ends the run with that reason; nothing is sent.
#[test]
fn a_mapping_that_cannot_be_had_sends_nothing() {
    let house = dead();
    let how = Replay::default();
    house.store.ask(Command::Replay { runs: vec![Chosen::any(RunId(1))], how });
    let other = TWO.replace("path: /then", "path: /other");
    house.once(&[&other]).unwrap().unwrap();
    let run = run(&house);
    assert_eq!((run.state, run.reason.word.as_str()), (RunState::Dead, "mapping"));
    assert_eq!(run.reason.detail, "the mapping that the run was made with is not kept");
    assert_eq!(paths(&house).len(), 3);
}

/// While a request is under way, its run is left alone.
#[test]
fn a_run_in_flight_is_left_alone() {
    let house = House::new();
    house.once(&[TWO]).unwrap().unwrap();
    house.sale("A", "2026-09-16 08:00:01");
    house.target.script(|_| Act { outcome: reply(200), takes: Duration::from_secs(3_600) });
    beside(&house, TWO, async {
        pass(&house, 61_000).await;
        house.store.ask(Command::Drop { runs: vec![Chosen::any(RunId(1))] });
        pass(&house, 2_000).await;
    });
    let answer = house.store.answers().remove(0);
    assert_eq!(answer.refused[0].why, "it is being worked on just now");
    assert_eq!(run(&house).state, RunState::Pending);
    // With the next start nothing is under way.
    house.store.ask(Command::Drop { runs: vec![Chosen::any(RunId(1))] });
    house.once(&[TWO]).unwrap().unwrap();
    assert_eq!(run(&house).state, RunState::Dropped);
}

/// What is over goes, portion by portion, while the engine runs; what is not stays.
#[test]
fn history_ends_while_the_engine_runs() {
    let house = House::new();
    let one = TWO.replace("    on_uncertain: hold\n", "");
    house.once(&[&one]).unwrap().unwrap();
    for id in 0..450 {
        house.sale(&format!("A{id}"), "2026-09-16 08:00:01");
    }
    house.clock.advance(SignedDuration::from_secs(60));
    house.once(&[&one]).unwrap().unwrap();
    assert_eq!(house.store.all_runs().len(), 450);
    house.clock.advance(SignedDuration::from_hours(3));
    house.target.answers(vec![reply(404)]);
    house.sale("B", "2026-09-16 11:01:02");
    house.once(&[&one]).unwrap().unwrap();
    let engine = house
        .engine(&[&one], Options { history: Some(Duration::from_secs(2 * 3_600)), ..Options::default() });
    let stop = CancellationToken::new();
    let events = async {
        pass(&house, 1_000).await;
        stop.cancel();
    };
    let work = async { tokio::join!(engine.run(stop.clone(), GRACE), events) };
    house.clock.drive(work).unwrap().0.unwrap();
    let left: Vec<(String, RunState)> =
        house.store.all_runs().into_iter().map(|run| (run.event.key.id, run.state)).collect();
    assert_eq!(left, [("B".to_owned(), RunState::Dead)]);
}

//! Brakes: what is more than a zap may do is held, and nothing is lost.

use super::kit::{ONE, World, order, reply};
use super::writes::SALE;
use crate::ports::{Chosen, Clock, Command, Replay, Resolution, RunState};
use crate::report::Event;
use crate::testing::Moment;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const HELD: (RunState, &str) = (RunState::Held, "limit");
const SENT: (RunState, &str) = (RunState::Delivered, "delivered");

fn limited(limits: &str) -> World {
    World::new(&[&format!("{ONE}limits: {limits}\n")])
}

fn sale(id: &str, amount: impl Into<Value>) -> Value {
    let mut sale = order(id);
    sale["totalAmount"] = amount.into();
    sale
}

/// How often a person was told of a limit.
fn alerts(world: &World) -> usize {
    world.events().iter().filter(|event| matches!(event, Event::BrakeTripped { .. })).count()
}

fn states(world: &World, ids: &[&str]) -> Vec<(RunState, String)> {
    ids.iter().map(|id| world.state(id)).collect()
}

fn expect(world: &World, wanted: &[(&str, (RunState, &str))]) {
    for (id, (state, word)) in wanted {
        assert_eq!(world.state(id), (*state, (*word).to_owned()), "{id}");
    }
}

#[test]
fn more_writes_than_an_hour_may_have_are_held_with_one_alert() {
    let world = limited("{ writes_per_hour: 2 }");
    world.sales(0, &["A", "B", "C", "D"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT), ("B", SENT), ("C", HELD), ("D", HELD)]);
    assert_eq!(world.target.sent().len(), 2);
    assert_eq!(alerts(&world), 1);
    let detail = world.run("C").reason.detail;
    assert!(detail.contains("2 writes in the last hour") && detail.contains("runs resolve 3"), "{detail}");
    // An hour later there is room again, and what is held stays held.
    world.clock.advance(SignedDuration::from_mins(59));
    world.sales(0, &["E"]);
    world.once().unwrap().unwrap();
    world.clock.advance(SignedDuration::from_mins(2));
    world.sales(0, &["F"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("E", HELD), ("F", SENT), ("C", HELD)]);
}

#[test]
fn one_process_tells_once_an_hour() {
    let world = limited("{ writes_per_hour: 1 }");
    world.sales(0, &["A", "B"]);
    let (shared, lanes) = world.start();
    let more = |after: i64, id: &'static str| {
        let end = world.clock.now() + SignedDuration::from_mins(after);
        assert_eq!(world.clock.drive_until(end, super::kit::serve(&lanes)), None);
        world.sales(0, &[id]);
        shared.wakers.ring_all();
    };
    more(10, "C");
    more(10, "D");
    more(10, "E");
    assert_eq!(alerts(&world), 1);
}

#[test]
fn more_money_than_a_day_may_cost_is_held() {
    let world = limited("{ money: { field: totalAmount, max: 50.10 } }");
    // Exact: 20.05 + 30.05 is 50.10.
    let sales = [sale("A", "20.05"), sale("B", "-30.05"), sale("C", "0.01"), sale("D", "0.00")];
    world.records(0, &sales);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT), ("B", SENT), ("C", HELD), ("D", SENT)]);
    assert_eq!(alerts(&world), 1);
    assert!(world.run("C").reason.detail.contains("more than 50.10 today; so far it is 50.10"));
    // It is eight in the morning in New York; in the evening there it is tomorrow in UTC, and the same day.
    world.clock.advance(SignedDuration::from_hours(15));
    world.records(0, &[sale("E", "1")]);
    world.once().unwrap().unwrap();
    world.clock.advance(SignedDuration::from_hours(2));
    world.records(0, &[sale("F", "50.10"), sale("G", "1")]);
    world.once().unwrap().unwrap();
    expect(&world, &[("E", HELD), ("F", SENT), ("G", HELD)]);
}

#[test]
fn an_amount_that_nobody_knows_is_held() {
    let world = limited("{ money: { field: totalAmount, max: 50 } }");
    world.records(0, &[sale("A", Value::Null), sale("B", "ten")]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", HELD), ("B", HELD)]);
    world.store.resolve(world.run("A").id, Resolution::Done);
    world
        .clock
        .drive(crate::ports::Store::obey(&world.store, world.clock.now(), Vec::new()))
        .unwrap()
        .unwrap();
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT)]);
}

#[test]
fn what_a_person_releases_passes_the_brake() {
    let world = limited("{ writes_per_hour: 1, money: { field: totalAmount, max: 20 } }");
    world.sales(0, &["A", "B", "C", "D"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT), ("B", HELD), ("C", HELD), ("D", HELD)]);
    let id = |id: &str| world.run(id).id;
    world.store.resolve(id("B"), Resolution::Done);
    world.store.resolve(id("C"), Resolution::Done);
    world.store.resolve(id("D"), Resolution::Failed);
    for _ in 0..3 {
        let obeyed = crate::ports::Store::obey(&world.store, world.clock.now(), Vec::new());
        world.clock.drive(obeyed).unwrap().unwrap();
    }
    world.once().unwrap().unwrap();
    expect(&world, &[("B", SENT), ("C", SENT), ("D", (RunState::Dead, "limit"))]);
    assert_eq!(world.target.sent().len(), 3);
}

#[test]
fn a_step_counts_once_however_often_it_is_tried() {
    let world = limited("{ writes_per_hour: 2 }");
    world.target.answers(vec![reply(503), reply(503), reply(503)]);
    world.sales(0, &["A"]);
    world.for_long(Duration::from_mins(30));
    world.sales(0, &["B", "C"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT), ("B", SENT), ("C", HELD)]);
}

#[test]
fn what_reads_or_tells_of_a_failure_is_no_write() {
    let yaml = r#"
name: reads
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
limits: { writes_per_hour: 1 }
actions:
  - { id: look, type: http, connection: sink, path: /look, method: GET }
  - { id: post, type: http, connection: sink, path: /post, json: { a: 1 } }
on_failure:
  - { id: tell, type: http, connection: x, path: /tell, json: { a: 1 } }
"#;
    let world = World::new(&[yaml]);
    world.target.script(|sent| if super::kit::path(sent) == "/post" { reply(422) } else { reply(200) });
    world.sales(0, &["A", "B"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", (RunState::Dead, "refused")), ("B", HELD)]);
    let paths: Vec<String> = world.target.sent().iter().map(super::kit::path).collect();
    assert_eq!(paths.iter().filter(|path| *path == "/tell").count(), 1);
    assert_eq!(paths.iter().filter(|path| *path == "/look").count(), 2);
}

/// A process that dies anywhere neither forgets what it has sent nor counts it twice.
#[test]
fn a_crash_anywhere_counts_each_write_once() {
    let world = || {
        let mut world = limited("{ writes_per_hour: 2, money: { field: totalAmount, max: 39.80 } }");
        world.window = 1;
        world.sales(0, &["A", "B", "C"]);
        world.calls.calm();
        world
    };
    let calls = {
        let world = world();
        world.once().unwrap().unwrap();
        world.calls.made()
    };
    for nth in 1..=calls {
        for moment in [Moment::Before, Moment::After] {
            let world = world();
            world.calls.crash_at(nth, moment);
            assert_eq!(world.once(), None, "call {nth} was not reached");
            world.calls.calm();
            world.once().unwrap().unwrap();
            let wanted = [("A", SENT), ("B", SENT), ("C", HELD)];
            let wanted = wanted.map(|(_, (state, word))| (state, word.to_owned()));
            assert_eq!(states(&world, &["A", "B", "C"]), wanted, "call {nth} {moment:?}");
            assert!(alerts(&world) >= 1, "call {nth} {moment:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes when: in no hour more leaves than may, and every record was sent or waits for a person.
    #[test]
    fn no_hour_has_more_writes_than_it_may(
        most in 1_usize..4,
        waits in prop::collection::vec(0_i64..50, 1..12),
        failures in prop::collection::vec(prop::bool::weighted(0.3), 40),
    ) {
        let world = limited(&format!("{{ writes_per_hour: {most} }}"));
        let mut failures = failures.into_iter();
        world.target.script(move |_| if failures.next().unwrap_or(false) { reply(503) } else { reply(200) });
        let mut first = std::collections::BTreeMap::new();
        for (number, wait) in waits.iter().enumerate() {
            world.clock.advance(SignedDuration::from_mins(*wait));
            world.sales(0, &[&format!("S{number}")]);
            world.once().unwrap().unwrap();
            for sent in world.target.sent() {
                first.entry(sent.idempotency_key).or_insert(world.clock.now());
            }
        }
        for at in first.values() {
            let hour = first.values().filter(|other| {
                let since = at.duration_since(**other);
                since >= SignedDuration::ZERO && since < SignedDuration::from_hours(1)
            });
            prop_assert!(hour.count() <= most);
        }
        let known: BTreeSet<String> = world.store.all_runs().into_iter().map(|run| run.event.key.id).collect();
        prop_assert_eq!(known.len(), waits.len());
        let lost = world.store.all_runs().into_iter().filter(|run| {
            !matches!(run.state, RunState::Delivered | RunState::Held | RunState::Pending)
        });
        prop_assert_eq!(lost.count(), 0);
    }
}

#[test]
fn a_lead_and_its_sale_are_one_write() {
    let world = World::new(&[&format!("{SALE}limits: {{ writes_per_hour: 1 }}\n")]);
    for id in ["A", "B"] {
        let email = format!("{id}@example.com");
        let record = json!({
            "orderId": id, "orderType": "NEW_SALE", "orderStatus": "COMPLETE", "firstName": "Ann",
            "emailAddress": email,
        });
        world.records(0, &[record]);
    }
    world.for_long(Duration::from_mins(30));
    expect(&world, &[("A", SENT), ("B", HELD)]);
    assert_eq!(world.desk.writes(), ["leads/import", "order/import"]);
    assert!(world.run("B").begun.is_none(), "it holds no serial while it waits for a person");
    world.store.resolve(world.run("B").id, Resolution::Done);
    world
        .clock
        .drive(crate::ports::Store::obey(&world.store, world.clock.now(), Vec::new()))
        .unwrap()
        .unwrap();
    world.for_long(Duration::from_mins(30));
    expect(&world, &[("B", SENT)]);
    assert_eq!(world.desk.writes().len(), 4);
}

/// Whoever sends a thing again sends one more, which the brakes see.
#[test]
fn what_is_replayed_from_the_start_counts_anew() {
    let world = limited("{ writes_per_hour: 1 }");
    world.sales(0, &["A"]);
    world.once().unwrap().unwrap();
    expect(&world, &[("A", SENT)]);
    let obeyed = || {
        let obeyed = crate::ports::Store::obey(&world.store, world.clock.now(), Vec::new());
        world.clock.drive(obeyed).unwrap().unwrap();
        world.once().unwrap().unwrap();
    };
    let again = |from_start, new_key| {
        let how = Replay { from_start, new_key, repeat: true, ..Replay::default() };
        world.store.ask(Command::Replay { runs: vec![Chosen::any(world.run("A").id)], how });
        obeyed();
    };
    again(true, false);
    expect(&world, &[("A", HELD)]);
    // Let through it is sent; but not for ever.
    world.store.resolve(world.run("A").id, Resolution::Done);
    obeyed();
    expect(&world, &[("A", SENT)]);
    again(true, true);
    expect(&world, &[("A", HELD)]);
    assert_eq!(world.target.sent().len(), 2);
}

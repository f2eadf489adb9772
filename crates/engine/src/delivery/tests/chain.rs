//! Zaps that feed each other: a chain of zaprun's own writes that is deeper than three is held.

use super::kit::{ONE, World};
use super::writes::SALE;
use crate::ports::{Clock, Resolution, RunState, Store};
use serde_json::json;
use std::time::Duration;

/// Each request comes back as an event that says how it came about, as a webhook of the next zap does.
#[test]
fn a_chain_of_requests_deeper_than_three_is_held() {
    let world = World::new(&[ONE]);
    let mut depth = 0;
    for link in 0..10 {
        let before = world.target.sent().len();
        world.at_depth(0, &format!("L{link}"), depth);
        world.once().unwrap().unwrap();
        match world.target.sent().get(before) {
            Some(sent) => depth = sent.chain,
            None => break,
        }
    }
    let runs = world.store.all_runs();
    let states: Vec<RunState> = runs.iter().map(|run| run.state).collect();
    let sent = RunState::Delivered;
    assert_eq!(states, [sent, sent, sent, sent, RunState::Held], "three follow the first, and no more");
    let last = &runs[4];
    assert_eq!((last.depth, last.reason.word.as_str()), (4, "chain"));
    assert!(last.reason.detail.contains("4 of zaprun's own writes led here"), "{}", last.reason.detail);
    assert_eq!(world.target.sent().len(), 4);

    // A person who lets it through has looked at it: it counts anew.
    world.store.resolve(last.id, Resolution::Done);
    world.clock.drive(world.store.obey(world.clock.now(), Vec::new())).unwrap().unwrap();
    world.once().unwrap().unwrap();
    assert_eq!(world.store.all_runs()[4].state, sent);
    assert_eq!(world.target.sent().last().map(|sent| sent.chain), Some(1));
}

/// Each order that a sale makes is seen by the zap that made it.
#[test]
fn a_chain_of_orders_deeper_than_three_is_held() {
    let world = World::new(&[SALE]);
    let record = |id: &str| {
        let email = format!("{id}@example.com");
        let record = json!({
            "orderId": id, "orderType": "NEW_SALE", "orderStatus": "COMPLETE", "firstName": "Ann", "emailAddress": email,
        });
        serde_json::to_vec(&record).unwrap()
    };
    let mut seen = "FIRST".to_owned();
    for _ in 0..10 {
        let before: Vec<String> = world.desk.orders().keys().cloned().collect();
        world.seen_order(0, &seen, &record(&seen));
        world.for_long(Duration::from_mins(1));
        let made = world.desk.orders().keys().find(|order| !before.contains(*order)).cloned();
        match made {
            Some(made) => seen = made,
            None => break,
        }
    }
    let states: Vec<RunState> = world.store.all_runs().iter().map(|run| run.state).collect();
    let sent = RunState::Delivered;
    assert_eq!(states, [sent, sent, sent, sent, RunState::Held]);
    assert_eq!(world.desk.orders().len(), 4, "no fifth sale");
}

//! A store that fails.

use super::kit::{ONE, World, reply, serve};
use crate::ports::{Clock, RunState, StoreError};
use crate::report::Event;
use jiff::SignedDuration;
use std::time::Duration;

fn full() -> StoreError {
    StoreError::Io { reason: "no space left on device".into() }
}

#[test]
fn a_full_disk_after_the_send_repeats_the_write_and_not_the_send() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A", "B"]);
    let mut left = 20;
    world.store.script(move |method| {
        if method == "update_run" && left > 0 {
            left -= 1;
            return Some(full());
        }
        None
    });
    world.for_long(Duration::from_secs(3600));
    assert_eq!(world.count(RunState::Delivered), 2);
    assert_eq!(world.target.sent().len(), 2);
    let events = world.events();
    let trouble = events.iter().filter(|event| matches!(event, Event::StoreTrouble { .. })).count();
    let recovered = events.iter().filter(|event| matches!(event, Event::StoreRecovered { .. })).count();
    assert!(trouble >= 1 && trouble == recovered, "{trouble} {recovered}");
}

#[test]
fn a_disk_that_stays_full_is_reported_once_and_stops_nothing_for_good() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.store.script(|_| Some(full()));
    let (_, lanes) = world.start();
    let end = world.clock.now() + SignedDuration::from_hours(10);
    assert_eq!(world.clock.drive_until(end, serve(&lanes)), None);
    let events = world.events();
    assert!(matches!(&events[..], [Event::StoreTrouble { .. }]), "{events:?}");
    world.store.behave();
    let end = end + SignedDuration::from_secs(60);
    assert_eq!(world.clock.drive_until(end, serve(&lanes)), None);
    assert_eq!(world.count(RunState::Delivered), 1);
}

#[test]
fn a_lost_lease_ends_the_engine() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.store.script(|method| (method == "update_run").then_some(StoreError::Fenced));
    world.target.script(|_| reply(200));
    let (_, lanes) = world.start();
    assert_eq!(world.clock.drive(serve(&lanes)), Some(Err(StoreError::Fenced)));
    assert_eq!(world.state("A").0, RunState::Pending);
}

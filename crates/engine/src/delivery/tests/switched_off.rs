//! A whole engine that starts with a zap switched off, and with it on again.

use super::engine::House;
use super::kit::ONE;
use crate::ports::{Resolution, RunState};
use crate::report::Event;
use jiff::SignedDuration;

#[test]
fn what_happened_while_a_zap_was_off_waits_for_a_person_who_releases_it() {
    let house = House::new();
    let off = format!("{ONE}enabled: false\n");
    house.once(&[ONE]).unwrap().unwrap();
    house.clock.advance(SignedDuration::from_secs(60));
    let summary = house.once(&[&off]).unwrap().unwrap();
    assert_eq!(summary.polled, 0, "it is off");
    house.sale("A", "2026-09-16 08:02:00");
    house.sale("B", "2026-09-16 08:03:00");
    house.clock.advance(SignedDuration::from_secs(600));
    house.sale("C", "2026-09-16 08:12:00");
    house.clock.advance(SignedDuration::from_secs(120));
    let summary = house.once(&[ONE]).unwrap().unwrap();
    assert_eq!((summary.held, summary.fired, summary.delivered), (3, 0, 0));
    let groups = |event: &Event| matches!(event, Event::CaughtUp { held: 3, dropped: 0, .. });
    assert_eq!(house.seen.count(groups), 1);
    let runs = house.store.all_runs();
    assert!(runs.iter().all(|run| run.state == RunState::Held && run.reason.word == "caught_up"));
    house.store.resolve(runs[0].id, Resolution::Done);
    house.store.resolve(runs[1].id, Resolution::Failed);
    let summary = house.once(&[ONE]).unwrap().unwrap();
    assert_eq!((summary.delivered, summary.dead), (1, 1));
    let states: Vec<RunState> = house.store.all_runs().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Delivered, RunState::Dead, RunState::Held]);
}

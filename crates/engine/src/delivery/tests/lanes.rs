//! Lanes of one zap that follow each other while the earlier one's flights are in the air.

use super::kit::{ONE, World, body, reply};
use crate::delivery::lane::Lane;
use crate::orders;
use crate::ports::{Chosen, Clock, Command, RunState};
use futures::future::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens, a second after each other.
#[derive(Debug, Clone)]
enum Step {
    /// So many new sales.
    Sales(usize),
    /// Another edition of the zap takes over.
    Reload,
    /// A person drops all that can be dropped.
    Drop,
    /// From now on the target takes so many seconds.
    Takes(u64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_usize..6).prop_map(Step::Sales),
        Just(Step::Reload),
        Just(Step::Drop),
        (0_u64..90).prop_map(Step::Takes),
        (1_i64..60).prop_map(Step::Wait),
    ]
}

/// Plays the steps and works until nothing is due; what arrived, by order, with the edition it came from.
fn play(steps: &[Step], window: usize) -> BTreeMap<String, Vec<String>> {
    let mut world = World::new(&[ONE]);
    world.window = window;
    let takes = Arc::new(Mutex::new(0));
    let slow = Arc::clone(&takes);
    world.target.script(move |_| super::kit::Act {
        outcome: reply(200),
        takes: Duration::from_secs(*slow.lock().unwrap()),
    });
    let clock = world.clock.clone();
    let (shared, lanes) = world.start();
    let mut present: Vec<Arc<Lane>> = lanes.into_iter().map(Arc::new).collect();
    let mut under_way = FuturesUnordered::new();
    let serve = |lane: &Arc<Lane>| {
        let lane = Arc::clone(lane);
        async move { lane.serve().await }.boxed()
    };
    under_way.extend(present.iter().map(serve));
    let (mut sold, mut edition) = (0, 0);
    let gone = Arc::new(Mutex::new(BTreeSet::new()));
    // The world is changed between two polls of the lanes, as an engine does.
    let run = |until: jiff::Timestamp, under_way: &mut FuturesUnordered<_>| {
        clock.drive_until(until, async {
            loop {
                match under_way.next().await {
                    Some(result) => Result::<(), crate::ports::StoreError>::unwrap(result),
                    None => std::future::pending::<()>().await,
                }
            }
        });
        // Nobody waits for the clock: it stands where it was.
        if world_now(&clock) < until {
            clock.set(until);
        }
    };
    for step in steps {
        match step {
            Step::Sales(count) => {
                let ids: Vec<String> = (sold..sold + count).map(|number| format!("S{number}")).collect();
                sold += count;
                world.sales(0, &ids.iter().map(String::as_str).collect::<Vec<_>>());
                shared.wakers.ring_all();
            }
            Step::Reload => {
                edition += 1;
                world.edit(0, &ONE.replace("json: {", &format!("json: {{ edition: \"{edition}\",")));
                present.iter().for_each(|lane| lane.retire());
                present = world.lanes(&shared).into_iter().map(Arc::new).collect();
                under_way.extend(present.iter().map(serve));
            }
            Step::Drop => {
                let runs = world.store.all_runs().iter().map(|run| Chosen::any(run.id)).collect();
                world.store.ask(Command::Drop { runs });
                let (shared, store, gone) = (Arc::clone(&shared), world.store.clone(), Arc::clone(&gone));
                let obey = async move {
                    orders::obey(&shared).await?;
                    let runs = store.all_runs().into_iter().filter(|run| run.state == RunState::Dropped);
                    gone.lock().unwrap().extend(runs.map(|run| run.id));
                    Ok(())
                };
                under_way.push(obey.boxed());
            }
            Step::Takes(seconds) => *takes.lock().unwrap() = *seconds,
            Step::Wait(seconds) => {
                let until = clock.now() + SignedDuration::from_secs(*seconds);
                run(until, &mut under_way);
            }
        }
        run(clock.now() + SignedDuration::from_secs(1), &mut under_way);
    }
    let long = SignedDuration::from_hours(6);
    run(clock.now() + long, &mut under_way);
    let still = |id| world.store.all_runs().iter().any(|run| run.id == id && run.state == RunState::Dropped);
    assert!(gone.lock().unwrap().iter().all(|id| still(*id)), "what was dropped was under way");
    let dropped = world.count(RunState::Dropped);
    assert_eq!(world.count(RunState::Delivered) + dropped, sold, "the rest is delivered");
    assert!(under_way.len() <= present.len(), "retired lanes end");
    let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sent in world.target.sent() {
        let json: serde_json::Value = serde_json::from_str(&body(&sent)).unwrap();
        let edition = json["edition"].as_str().unwrap_or("0").to_owned();
        arrived.entry(json["order"].as_str().unwrap().to_owned()).or_default().push(edition);
    }
    assert_eq!(arrived.len() + dropped, sold, "what is dropped is not sent");
    arrived
}

fn world_now(clock: &crate::testing::FakeClock) -> jiff::Timestamp {
    clock.now()
}

#[test]
fn a_flight_goes_on_with_its_edition_and_nobody_else_takes_it() {
    let steps =
        [Step::Takes(50), Step::Sales(2), Step::Reload, Step::Sales(1), Step::Reload, Step::Wait(120)];
    let arrived = play(&steps, 64);
    assert_eq!(arrived["S0"], ["0"]);
    assert_eq!(arrived["S1"], ["0"]);
    assert_eq!(arrived["S2"], ["1"]);
}

#[test]
fn old_flights_count_towards_what_a_zap_may_have_in_flight() {
    let steps = [Step::Takes(50), Step::Sales(4), Step::Reload, Step::Sales(4), Step::Wait(400)];
    let arrived = play(&steps, 2);
    assert_eq!(arrived.len(), 8);
}

#[test]
fn what_a_look_under_way_finds_is_for_the_next_lane() {
    let world = World::new(&[ONE]);
    let (shared, lanes) = world.start();
    let old = Arc::new(lanes.into_iter().next().unwrap());
    // It retires while the store is being asked.
    let (retires, mut asked) = (Arc::clone(&old), 0);
    world.store.script(move |method| {
        asked += usize::from(method == "claim");
        if asked == 1 {
            retires.retire();
        }
        None
    });
    world.sales(0, &["A"]);
    world.clock.drive(old.serve()).unwrap().unwrap();
    assert!(world.target.sent().is_empty(), "it took up what the next one finds too");
    let next = world.lanes(&shared);
    let end = world.clock.now() + SignedDuration::from_secs(5);
    assert!(world.clock.drive_until(end, super::kit::serve(&next)).is_none());
    assert_eq!(world.target.sent().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_overlaps_nothing_is_sent_twice(
        steps in prop::collection::vec(step(), 1..25),
        window in 1_usize..5,
    ) {
        for (order, editions) in play(&steps, window) {
            prop_assert_eq!(editions.len(), 1, "{} was sent by editions {:?}", order, editions);
        }
    }
}

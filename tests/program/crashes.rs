//! kill -9 in mid-run: nothing is lost, and what is repeated can be told by its key.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{BUYERS, Lab, SALES};

/// Runs in flight of one zap; a crash can repeat no more, since of the others every answer is recorded.
const IN_FLIGHT: u64 = 64;
/// Requests in flight at one connection.
const AT_ONCE: u64 = 8;

/// Polls and delivers until nothing is pending.
fn finish(lab: &Lab) {
    for _ in 0..5 {
        lab.zaprun(&["run", "--once"]);
        if !lab.counts().contains_key("pending") {
            return;
        }
    }
    panic!("runs stay pending: {:?}", lab.counts());
}

/// Which keys carried which body; a body is one event's.
fn keys_by_body(lab: &Lab) -> BTreeMap<(String, Vec<u8>), BTreeSet<String>> {
    let mut keys: BTreeMap<(String, Vec<u8>), BTreeSet<String>> = BTreeMap::new();
    for one in lab.received() {
        let body = (one.path.clone(), one.body.to_vec());
        keys.entry(body).or_default().insert(one.key().unwrap().to_owned());
    }
    keys
}

#[test]
fn killed_while_it_sends_it_loses_nothing() {
    const ROWS: usize = 240;
    let lab = Lab::new(&[SALES]);
    let orders: BTreeSet<String> = lab.sales(ROWS).into_iter().collect();
    lab.fault("sink-slow:10ms");
    // The sink counts on from crash to crash, so each blow falls a little later in the work.
    let blows = [1, 9, 40, 110, 200];
    for blow in blows {
        let engine = lab.start(&["run"]);
        lab.wait_for_sink(blow);
        let ran = lab.ended(engine.kill());
        assert_eq!(ran.code, None, "it was killed\n{}", ran.all());
    }
    finish(&lab);

    let accepted: BTreeSet<String> = lab
        .received()
        .iter()
        .filter(|one| one.status == Some(200))
        .map(|one| one.json().unwrap()["order"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(accepted, orders, "every event arrived");
    assert_eq!(lab.counts(), [("delivered".to_owned(), ROWS)].into());
    assert!(keys_by_body(&lab).values().all(|keys| keys.len() == 1), "a repeat carries the same key");
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, ROWS as u64);
    assert_eq!(sink.duplicates, sink.same_bodies);
    assert!(sink.duplicates <= IN_FLIGHT * blows.len() as u64, "{sink:?}");
}

#[test]
fn killed_while_it_reads_it_finds_everything() {
    const ROWS: usize = 700;
    let lab = Lab::new(&[SALES, BUYERS]);
    let orders = lab.sales(ROWS);
    // Before the first page, between pages, and near the end of the walk.
    for requests in [1, 2, 4] {
        let engine = lab.start(&["run"]);
        lab.wait_for_crm(lab.crm().crm_count() + requests);
        lab.ended(engine.kill());
    }
    finish(&lab);
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, 2 * orders.len() as u64);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2 * ROWS)].into());
    assert!(keys_by_body(&lab).values().all(|keys| keys.len() == 1));
}

#[test]
fn what_must_not_be_repeated_is_held_after_a_crash() {
    let lab = Lab::new(&[&SALES.replace("path: sales", "path: sales\n    on_uncertain: hold")]);
    lab.sales(30);
    lab.fault("sink-slow:1h");
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(AT_ONCE);
    lab.ended(engine.kill());
    let reached: BTreeSet<String> =
        lab.received().iter().map(|one| one.json().unwrap()["order"].as_str().unwrap().to_owned()).collect();
    lab.crm().clear_faults();
    lab.once(1);
    assert_eq!(lab.crm().sink_summary().repeats, 0, "nothing was sent twice");
    let runs = lab.runs();
    let held = runs.iter().filter(|run| run["state"] == "held");
    let held: BTreeSet<&str> =
        held.map(|run| run["event"].as_str().unwrap().trim_start_matches("new_sale:")).collect();
    assert!(reached.iter().all(|order| held.contains(order.as_str())), "{reached:?} {held:?}");
    assert!(runs.iter().all(|run| run["state"] == "held" || run["state"] == "delivered"));
    let listed = lab.zaprun(&["runs", "list", "--status", "held"]).expect(0);
    assert_eq!(listed.out.matches("its outcome is unknown").count(), held.len(), "{}", listed.out);
}

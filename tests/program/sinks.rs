//! Bad answers of the sink: what is tried again, what is not, and that a repeat can be told.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::harness::{DECLINES, Going, Lab, SALES, shown};

/// An engine that has been let run until the sink has seen so many requests, and was then asked to end.
#[track_caller]
fn run_until(lab: &Lab, requests: u64) {
    let engine: Going = lab.start(&["run"]);
    lab.wait_for_sink(requests);
    lab.stop(engine).expect(0);
}

/// The keys that the sink saw, in order.
fn keys(lab: &Lab) -> Vec<String> {
    lab.received().iter().map(|one| one.key().unwrap().to_owned()).collect()
}

/// One sale whose first request meets a fault; it is then delivered by a second request that is the same.
#[track_caller]
fn delivered_by_the_second_request(fault: &str) -> Lab {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.fault(fault);
    run_until(&lab, 2);
    let received = lab.received();
    assert_eq!(received.len(), 2, "{fault}");
    assert_eq!(received[0].key(), received[1].key(), "{fault}");
    assert_eq!(received[0].body, received[1].body, "{fault}");
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1)].into(), "{fault}");
    lab
}

#[test]
fn a_500_is_tried_again() {
    let lab = delivered_by_the_second_request("sink-500:first=1");
    assert_eq!(lab.crm().sink_summary().duplicates, 0);
}

#[test]
fn retry_after_is_waited_for() {
    let lab = delivered_by_the_second_request("sink-429:1s,first=1");
    let received = lab.received();
    assert!(received[1].at.duration_since(received[0].at) >= SignedDuration::from_secs(1), "{received:?}");
    assert_eq!(lab.crm().sink_summary().duplicates, 0);
}

#[test]
fn an_answer_that_never_comes_is_tried_again_with_the_same_key() {
    let lab = Lab::new(&[SALES]);
    lab.change("timeout: 10s\n  hook", "timeout: 1s\n  hook");
    lab.sales(1);
    lab.fault("sink-hang:first=1");
    run_until(&lab, 2);
    lab.once(0);
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, 1, "the only kind of duplicate: one that the key tells");
    assert_eq!((lab.received()[0].status, sink.accepted > 0), (None, true));
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1)].into());
}

#[test]
fn a_line_that_is_cut_is_tried_again_with_the_same_key() {
    let lab = delivered_by_the_second_request("sink-cut:first=1");
    assert_eq!(lab.crm().sink_summary().duplicates, 1, "the only kind of duplicate: one that the key tells");
}

#[test]
fn an_unknown_outcome_can_be_held_for_a_person() {
    let lab = Lab::new(&[&SALES.replace("path: sales", "path: sales\n    on_uncertain: hold")]);
    lab.sales(1);
    lab.fault("sink-cut");
    let ran = lab.once(1);
    assert!(ran.err.contains("held"), "{}", ran.err);
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.received().len(), 1, "it is not repeated");
    assert_eq!(lab.runs()[0]["state"], "held");
}

#[test]
fn a_failed_attempt_is_told_and_stays_pending() {
    let lab = Lab::new(&[
        &SALES.replace("retry: { first: 10ms, max_delay: 50ms }", "retry: { first: 1h, max_delay: 1h }")
    ]);
    lab.sales(1);
    lab.fault("sink-503");
    let ran = lab.once(1);
    assert!(ran.err.contains("1 still pending"), "{}", ran.err);
    assert!(ran.err.contains("the target answered 503"), "{}", ran.err);
    let runs = lab.runs();
    assert_eq!((runs[0]["state"].as_str(), runs[0]["attempts"].as_u64()), (Some("pending"), Some(1)));
}

#[test]
fn garbage_with_a_200_is_delivered() {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.fault("sink-garbage");
    lab.once(0);
    assert_eq!(lab.counts()["delivered"], 1);
    lab.zaprun(&["runs", "show", "1"]).expect(0);
    lab.zaprun(&["runs", "show", "1", "--format", "json"]).expect(0).json();
}

#[test]
fn a_400_is_dead_with_the_reply() {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.fault("sink-status:400,first=1");
    let ran = lab.once(1);
    assert_eq!(ran.told("dead:"), 1, "{}", ran.err);
    lab.sales(1);
    lab.once(0);
    let counts = lab.counts();
    assert_eq!((counts["dead"], counts["delivered"]), (1, 1));
    let dead = lab.zaprun(&["runs", "list", "--status", "dead", "--format", "json"]).expect(0).json();
    let id = dead["runs"][0]["id"].to_string();
    let told = lab.zaprun(&["runs", "show", &id]).expect(0);
    insta::assert_snapshot!(shown(&told.out).split("\nrecord").next().unwrap(), @r#"
    run 1 dead
      zap       sales (HASH)
      event     new_sale:A833BDCDB6
      happened  TIME
      seen      TIME
      made      TIME
      changed   TIME
      trace     TRACE
      why       refused: the target answered 400

    steps
      post  failed 400  1 attempt  TIME

    attempts that failed
      post  #1  TIME  the target answered 400
        {
          "ok": false
        }

    requests, rendered again from record and zap
      post
        POST {api}/sales?campaign=12
        idempotency key KEY
        X-Order: order A833BDCDB6
        content-type: application/json
        {
          "order": "A833BDCDB6",
          "total": 49.99,
          "email": "buyer0@example.test",
          "fixed": 19.90,
          "items": [
            {
              "product": "15271",
              "name": "Vitality Kit",
              "qty": 1,
              "price": 49.99
            }
          ]
        }
    "#);
    // Another try would give the same: none is made.
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn a_401_parks_the_runs_and_tells_once() {
    let lab = Lab::new(&[SALES]);
    lab.sales(150);
    lab.fault("sink-401");
    let ran = lab.once(1);
    assert_eq!(ran.told("ERROR"), 1, "{}", ran.err);
    // Those that were in flight already found out by themselves.
    assert!(lab.received().len() <= 64, "{}", lab.received().len());
    assert_eq!(lab.counts(), [("pending".to_owned(), 150)].into());
    assert!(lab.runs().iter().all(|run| run["attempts"] == 0), "{:?}", lab.runs());
}

#[test]
fn a_403_concerns_its_record_alone() {
    let lab = Lab::new(&[SALES]);
    lab.sales(5);
    lab.fault("sink-403:first=1");
    lab.once(1);
    assert_eq!(lab.counts(), [("dead".to_owned(), 1), ("delivered".to_owned(), 4)].into());
}

#[test]
fn a_sink_that_is_down_does_not_delay_another() {
    let lab = Lab::new(&[SALES, DECLINES]);
    lab.sales(10);
    for number in 0..10 {
        let lead = lab.crm().lead(&format!("lead{number}@example.test")).unwrap();
        lab.crm().decline(&lead).unwrap();
    }
    lab.fault("sink-hang:on=/sink/sales");
    let engine = lab.start(&["run", "--grace", "1s"]);
    let hook = format!("/sink/{}", crate::harness::CANARIES[3]);
    // Eight requests hang at one sink; the ten of the other arrive all the same.
    lab.wait_until(|lab| lab.received().iter().filter(|one| one.path == hook).count() == 10);
    engine.wait_for_err_times("INFO delivered", 10);
    let ran = lab.stop(engine).expect(0);
    assert_eq!(lab.runs().iter().filter(|run| run["state"] == "delivered").count(), 10, "{}", ran.err);
}

#[test]
fn a_storm_of_429_loses_nothing() {
    let lab = Lab::new(&[SALES]);
    let orders: BTreeSet<String> = lab.sales(40).into_iter().collect();
    lab.fault("sink-429:0s,p=40%");
    let engine = lab.start(&["run"]);
    lab.wait_until(|lab| lab.crm().sink_summary().accepted == 40);
    lab.stop(engine).expect(0);
    let accepted: BTreeSet<String> = lab
        .received()
        .iter()
        .filter(|one| one.status == Some(200))
        .map(|one| one.json().unwrap()["order"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(accepted, orders);
    assert_eq!(keys(&lab).into_iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(lab.crm().sink_summary().duplicates, 0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 40)].into());
}

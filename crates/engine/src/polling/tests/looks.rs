//! Looking instead of walking: what it costs, and that it misses nothing for longer than it may.

use super::support::{Rig, Spec};
use crate::ports::{Clock, PageRequest};
use crate::report::Event;
use crate::testing::{Call, FakeRow, Fault};
use jiff::SignedDuration;
use serde_json::json;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// How many of them are looks, and how many pages of walks.
fn counted(reads: &[PageRequest]) -> (usize, usize) {
    let looks = reads.iter().filter(|read| !read.ascending).count();
    (looks, reads.len() - looks)
}

/// Runs an engine, and things that happen at so many seconds from now.
fn run_while(rig: &Rig, time: SignedDuration, happens: &[(i64, &dyn Fn())]) {
    let began = rig.clock.now();
    let run = async {
        let mut engine = rig.start().await.unwrap();
        engine.run(tokio_util::sync::CancellationToken::new()).await
    };
    let world = async {
        for (at, happen) in happens {
            rig.clock.sleep_until(began + SignedDuration::from_secs(*at)).await;
            happen();
        }
        std::future::pending::<()>().await;
    };
    rig.clock.drive_until(began + time, futures::future::join(run, world));
}

#[test]
fn an_idle_account_costs_one_request_per_query_and_interval() {
    let rig = Rig::running("new_sale");
    (0..300).for_each(|number| rig.insert(rig.sale(&format!("S{number}"))));
    rig.poll();
    rig.later(60);
    rig.crm.take_reads();
    rig.run_for(SignedDuration::from_mins(59));
    let reads = rig.crm.take_reads();
    let (looks, pages) = counted(&reads);
    assert_eq!(looks, 3 * 60, "each of three queries, once a minute");
    assert_eq!(pages, 4 * (2 + 1 + 1), "and a walk of them every 15 minutes, of which one takes two pages");
    assert!(reads.iter().filter(|read| !read.ascending).all(|read| read.per_page <= 25), "small ones");
}

#[test]
fn a_zap_says_how_often_it_is_walked_regardless() {
    let rig = Rig::with("zap", Spec { options: "sweep: 5m", ..Spec::of("refund") });
    rig.poll();
    rig.later(60);
    rig.crm.take_reads();
    rig.run_for(SignedDuration::from_mins(59));
    assert_eq!(counted(&rig.crm.take_reads()), (60, 12));
    let rig = Rig::with("zap", Spec { every: 3600, ..Spec::of("refund") });
    rig.run_for(SignedDuration::from_hours(10));
    assert_eq!(counted(&rig.crm.take_reads()), (11, 11), "a zap that is polled seldom is walked each time");
}

#[test]
fn polling_once_walks_and_does_not_look() {
    let rig = Rig::running("new_sale");
    rig.poll();
    rig.later(60);
    rig.poll();
    assert_eq!(counted(&rig.crm.take_reads()), (0, 6));
}

#[test]
fn a_difference_asks_for_one_walk_of_its_query() {
    let rig = Rig::running("new_sale");
    run_while(
        &rig,
        MINUTE * 5,
        &[(90, &|| {
            rig.crm.take_reads();
            rig.insert(rig.sale("A"));
        })],
    );
    assert_eq!(rig.fired("zap"), ["A"]);
    let reads = rig.crm.take_reads();
    let walked: Vec<String> =
        reads.iter().filter(|read| read.ascending).map(|read| read.query.name()).collect();
    assert!(walked.len() == 1 && walked[0].contains("COMPLETE"), "{walked:?}");
}

#[test]
fn a_changed_row_among_the_newest_shows() {
    let rig = Rig::running("shipped");
    rig.insert(rig.sale("A"));
    rig.poll();
    rig.later(60);
    let ship = || {
        let now = rig.now();
        rig.crm.change(|table| {
            let parcels = json!([{"fulfillmentId": 1, "status": "SHIPPED", "dateShipped": now}]);
            table.update_order("A", &[("fulfillments", parcels), ("dateUpdated", now.into())])
        });
    };
    run_while(&rig, MINUTE * 3, &[(90, &ship)]);
    assert_eq!(rig.fired("zap"), ["A"], "as many rows as before, one of them updated");
}

/// One order leaves the query as another one enters it, behind the newest ones: no look can tell.
#[test]
fn a_status_that_enters_as_another_leaves_is_seen_by_the_sweep_at_the_latest() {
    let swap = |rig: &Rig| {
        let now = rig.now();
        rig.crm.change(|table| {
            table.update_order(
                "A",
                &[("orderStatus", "ELSEWHERE".into()), ("dateUpdated", now.as_str().into())],
            );
            table.update_order("B", &[("orderStatus", "COMPLETE".into()), ("dateUpdated", now.into())]);
        });
        rig.insert(FakeRow::sale(1, "B", &rig.now()));
    };
    let rig = || {
        let rig = Rig::running("new_sale");
        rig.insert(rig.sale("A"));
        rig.insert(rig.sale("B").with("orderStatus", "PARTIAL"));
        (0..30).for_each(|number| rig.insert(rig.sale(&format!("S{number}"))));
        rig.poll();
        rig.later(60);
        rig
    };
    let hidden = rig();
    run_while(&hidden, MINUTE * 14, &[(90, &|| swap(&hidden))]);
    assert!(!hidden.fired("zap").contains(&"B".to_owned()), "looks see the same rows, and as many");
    let found = rig();
    run_while(&found, MINUTE * 16, &[(90, &|| swap(&found))]);
    assert!(found.fired("zap").contains(&"B".to_owned()), "within a sweep of the walk before");
}

#[test]
fn what_comes_between_a_look_and_its_walk_is_not_lost() {
    let rig = Rig::running("refund");
    let mut looks = 0;
    let clock = rig.clock.clone();
    rig.crm.script(move |call: Call<'_>| {
        looks += usize::from(!call.request.ascending);
        if call.request.ascending && looks == 1 {
            // Just before the first walk, and after its look.
            looks += 1;
            let at = super::support::local(clock.now());
            call.table.insert(FakeRow::sale(7, "A", &at).with("txnType", "REFUND"));
        }
        None
    });
    rig.run_for(MINUTE * 3);
    assert_eq!(rig.fired("zap"), ["7"]);
    let (_, pages) = counted(&rig.crm.take_reads());
    assert_eq!(pages, 2, "the next look differs, so that one more walk is made, and no third one");
}

#[test]
fn after_a_walk_that_failed_the_next_poll_walks() {
    let rig = Rig::running("refund");
    let mut failed = 0;
    rig.crm.script(move |call: Call<'_>| {
        // The first walk and all its tries.
        (call.request.ascending && failed < 4).then(|| {
            failed += 1;
            Fault::Fail(super::replies::gateway())
        })
    });
    rig.run_for(MINUTE * 30);
    let reads = rig.crm.take_reads();
    let kinds: Vec<bool> = reads.iter().map(|read| read.ascending).take(7).collect();
    assert_eq!(kinds, [false, true, true, true, true, false, true], "a look goes before each of them");
}

#[test]
fn a_look_that_fails_is_a_poll_that_failed() {
    let rig = Rig::running("refund");
    rig.run_for(MINUTE * 2);
    rig.events();
    let mut reads = 0;
    rig.crm.script(move |_| {
        reads += 1;
        (reads <= 4).then(|| Fault::Fail(super::replies::gateway()))
    });
    rig.run_for(MINUTE * 40);
    let events = rig.events();
    assert!(events.iter().any(|event| matches!(event, Event::WalkFailed { failures: 1, .. })), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Recovered { .. })), "{events:?}");
}

#[test]
fn a_zap_that_was_not_on_the_last_walk_is_served_by_one() {
    let mut rig = Rig::with("often", Spec::of("refund"));
    rig.deploy("seldom", Spec { every: 290, ..Spec::of("refund") });
    rig.poll();
    rig.later(60);
    rig.crm.take_reads();
    // A walk for the one that is polled often leaves the other where it is.
    run_while(
        &rig,
        MINUTE * 7,
        &[(90, &|| {
            rig.insert(FakeRow::sale(1, "A", &rig.now()).with("txnType", "REFUND"));
        })],
    );
    assert_eq!((rig.fired("often").len(), rig.fired("seldom").len()), (1, 1));
}

#[test]
fn whoever_watches_hears_of_each_look_and_walk() {
    let rig = Rig::running("refund");
    rig.run_for(MINUTE * 16);
    let looked: Vec<bool> = rig
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Looked { walked, .. } => Some(*walked),
            _ => None,
        })
        .collect();
    assert_eq!(looked.len(), 17, "one a minute");
    assert_eq!(looked.iter().filter(|walked| **walked).count(), 2, "the first, and after 15 minutes");
}

#[test]
fn midnight_asks_for_a_walk() {
    let rig = Rig::running("refund");
    rig.clock.set(super::support::instant("2026-09-17T03:50:00Z"));
    rig.poll();
    rig.crm.take_reads();
    rig.later(60);
    // The days that a walk reads are others after it.
    rig.run_for(MINUTE * 14);
    let (_, pages) = counted(&rig.crm.take_reads());
    assert!((2..=4).contains(&pages), "{pages}");
}

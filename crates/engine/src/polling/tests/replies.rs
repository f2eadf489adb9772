//! What the CRM may answer.

use super::support::{Rig, Spec};
use crate::ports::{Clock, PageRequest, ReadError, StoreError};
use crate::report::{Event, WalkFailure};
use crate::testing::{Call, FakeRow, Fault};
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zaprun_core::trigger::Endpoint;

pub(super) fn gateway() -> ReadError {
    transport("the CRM answered 504 with HTML")
}

fn transport(text: &str) -> ReadError {
    ReadError::Transport { text: text.to_owned(), retry_after: None }
}

fn credentials() -> ReadError {
    ReadError::Credentials { text: "Could not authenticate credentials".to_owned() }
}

fn whitelist() -> ReadError {
    let text = "IP must be whitelisted - 198.51.100.7".to_owned();
    ReadError::Whitelist { address: Some("198.51.100.7".to_owned()), text }
}

fn permission() -> ReadError {
    ReadError::Permission { text: "no permission".to_owned() }
}

/// Reads that `which` holds for fail from now on; counts all reads.
fn fail(
    rig: &Rig,
    error: &ReadError,
    which: impl Fn(&PageRequest) -> bool + Send + 'static,
) -> Arc<AtomicUsize> {
    let reads = Arc::new(AtomicUsize::new(0));
    let (count, error) = (Arc::clone(&reads), error.clone());
    rig.crm.script(move |call: Call<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        which(call.request).then(|| Fault::Fail(error.clone()))
    });
    reads
}

/// Runs one engine for so long.
fn run_for(rig: &Rig, time: SignedDuration) {
    let end = rig.clock.now() + time;
    let ended = rig.clock.drive_until(end, async {
        let mut engine = rig.start().await.unwrap();
        engine.run(tokio_util::sync::CancellationToken::new()).await
    });
    assert!(ended.is_none(), "an engine runs until it is stopped: {ended:?}");
}

#[test]
fn an_empty_account_is_no_error() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    let polled = rig.poll();
    assert_eq!((polled.walks, polled.failed, polled.tally.rows), (3, 0, 0));
}

#[test]
fn credentials_and_whitelist_stop_the_connection_with_one_alert_and_no_hammering() {
    for error in [credentials(), whitelist()] {
        let rig = Rig::running("new_sale");
        let reads = fail(&rig, &error, |_| true);
        run_for(&rig, SignedDuration::from_hours(24));
        // At once, then after 15 min, 30 min, 1, 2, 4 and 6 h, and so on.
        assert_eq!(reads.load(Ordering::Relaxed), 8, "{error}");
        let events = rig.events();
        assert!(
            matches!(&events[..], [Event::Stopped { query: None, permission: None, error: e, .. }] if *e == error),
            "{events:?}"
        );
    }
}

#[test]
fn a_stopped_connection_recovers_and_has_lost_nothing() {
    let rig = Rig::running("new_sale");
    fail(&rig, &credentials(), |_| true);
    rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        assert_eq!(engine.poll_once().await.unwrap().failed, 3);
        rig.insert(rig.sale("A"));
        rig.crm.behave();
        rig.later(600);
        assert_eq!(engine.poll_once().await.unwrap().walks, 0, "it rests");
        rig.later(600);
        assert_eq!(engine.poll_once().await.unwrap().walks, 3);
    });
    assert_eq!(rig.fired("zap"), ["A"]);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Stopped { .. })), 1);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Recovered { query: None, .. })), 1);
}

#[test]
fn a_stopped_connection_is_not_knocked_at_more_often_for_other_faults() {
    let rig = Rig::running("new_sale");
    let mut first = true;
    let reads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reads);
    rig.crm.script(move |_: Call<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        Some(Fault::Fail(if std::mem::take(&mut first) { credentials() } else { gateway() }))
    });
    run_for(&rig, SignedDuration::from_hours(24));
    assert_eq!(reads.load(Ordering::Relaxed), 1 + 7 * 4, "seven looks, each with its retries");
    assert_eq!(rig.reports.count(|_| true), 1, "one alert");
}

#[test]
fn a_missing_permission_stops_that_query_alone() {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("declines", Spec::of("decline"));
    rig.poll();
    rig.later(60);
    rig.events();
    fail(&rig, &permission(), |request| request.query.endpoint == Endpoint::Transactions);
    rig.insert(rig.sale("A"));
    run_for(&rig, SignedDuration::from_hours(2));
    assert_eq!(rig.fired("sales"), ["A"]);
    let stops: Vec<Event> = rig.events().into_iter().filter(|e| matches!(e, Event::Stopped { .. })).collect();
    assert_eq!(stops.len(), 1, "one for the endpoint, whichever of its queries");
    for stop in stops {
        assert!(
            matches!(&stop, Event::Stopped { query: Some(_), permission: Some("Query Transactions"), .. }),
            "{stop:?}"
        );
    }
}

#[test]
fn a_missing_permission_for_look_ups_is_one_alert_with_its_remedy() {
    let rig = Rig::running("new_sale");
    for (id, status) in [("A", "COMPLETE"), ("B", "REFUNDED"), ("C", "CANCELLED")] {
        let row = FakeRow::order(id, "2026-09-10 12:00:00").with("dateUpdated", rig.now());
        rig.insert(row.with("orderStatus", status));
        rig.insert(FakeRow::sale(id.as_bytes()[0].into(), id, &rig.now()));
    }
    rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        fail(&rig, &permission(), |request| request.query.endpoint == Endpoint::Transactions);
        for round in 0..20 {
            engine.poll_once().await.unwrap();
            rig.later(1_000);
            // What needs no look-up goes on.
            rig.insert(rig.sale(&format!("D{round}")));
        }
        assert!(rig.store.all_runs().len() >= 19);
        let events = rig.events();
        let told = |event: &&Event| !matches!(event, Event::Page { .. } | Event::WalkDone { .. });
        let told: Vec<&Event> = events.iter().filter(told).collect();
        assert!(
            matches!(
                &told[..],
                [Event::Stopped { query: Some(_), permission: Some("Query Transactions"), .. }]
            ),
            "{told:?}"
        );
        rig.crm.behave();
        engine.poll_once().await.unwrap();
    });
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Recovered { .. })), 1);
    assert!(["A", "B", "C"].iter().all(|id| rig.fired("zap").contains(&(*id).to_owned())));
}

#[test]
fn faults_of_transport_are_retried_within_the_walk() {
    let texts =
        ["504 with HTML", "truncated JSON", "{\"result\":\"ERROR\"} without a text", "connection reset"];
    for text in texts {
        let rig = Rig::running("decline");
        rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
        let mut left = 3;
        let error = transport(text);
        rig.crm.script(move |_: Call<'_>| {
            left -= 1;
            (left >= 0).then(|| Fault::Fail(error.clone()))
        });
        let polled = rig.poll();
        assert_eq!((polled.tally.fired, polled.failed), (1, 0), "{text}");
    }
}

#[test]
fn an_unknown_error_of_the_vendor_is_retried_too() {
    let rig = Rig::running("decline");
    let mut first = true;
    rig.crm.script(move |_: Call<'_>| {
        std::mem::take(&mut first).then(|| Fault::Fail(ReadError::Vendor { text: "Try later".to_owned() }))
    });
    assert_eq!(rig.poll().failed, 0);
}

#[test]
fn a_walk_that_fails_never_moves_its_cursor_and_is_delayed_more_and_more() {
    let rig = Rig::running("decline");
    let before = rig.store.cursors(rig.id("zap"));
    let reads = fail(&rig, &gateway(), |_| true);
    run_for(&rig, SignedDuration::from_hours(10));
    assert_eq!(rig.store.cursors(rig.id("zap")), before);
    let delays: Vec<i64> = rig
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::WalkFailed { query, retry_at, .. } if query.contains("SOFT") => Some(retry_at.as_second()),
            _ => None,
        })
        .collect();
    let gaps: Vec<i64> = delays.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (60..=16 * 60).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap > 5 * 60), "{gaps:?}");
    assert!(reads.load(Ordering::Relaxed) < 1_200, "far fewer than one a second");
}

#[test]
fn recovery_is_reported_once() {
    let rig = Rig::running("decline");
    rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        fail(&rig, &gateway(), |_| true);
        engine.poll_once().await.unwrap();
        rig.crm.behave();
        for _ in 0..3 {
            rig.later(1_000);
            engine.poll_once().await.unwrap();
        }
    });
    let events = rig.events();
    let count = |test: fn(&Event) -> bool| events.iter().filter(|event| test(event)).count();
    assert_eq!(count(|event| matches!(event, Event::WalkFailed { failures: 1, .. })), 2);
    assert_eq!(count(|event| matches!(event, Event::Recovered { query: Some(_), .. })), 2);
}

#[test]
fn retry_after_is_honoured() {
    let rig = Rig::running("decline");
    let began = rig.clock.now();
    let mut first = true;
    let wait = |secs| ReadError::Transport {
        text: "the CRM answered 429".to_owned(),
        retry_after: Some(Duration::from_secs(secs)),
    };
    rig.crm.script(move |_: Call<'_>| std::mem::take(&mut first).then(|| Fault::Fail(wait(45))));
    assert_eq!(rig.poll().failed, 0);
    assert!(rig.clock.now() - began >= SignedDuration::from_secs(45), "a short wait is waited for");
    let began = rig.clock.now();
    fail(&rig, &wait(3_600), |_| true);
    assert_eq!(rig.poll().failed, 2);
    assert_eq!(rig.clock.now(), began, "a long one is not");
    let late = |event: &Event| matches!(event, Event::WalkFailed { retry_at, .. } if *retry_at >= began + SignedDuration::from_hours(1));
    assert_eq!(rig.reports.count(late), 2);
}

#[test]
fn a_reply_of_90_seconds() {
    let rig = Rig::running("decline");
    rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    rig.crm.script(|_: Call<'_>| Some(Fault::Slow(Duration::from_secs(90))));
    let began = rig.clock.now();
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"]);
    let cursors = rig.store.cursors(rig.id("zap"));
    assert!(cursors.values().any(|at| *at == began), "the instant the walk began, not when it ended");
}

#[test]
fn a_failed_look_up_leaves_its_row_out_and_commits_the_rest() {
    let rig = Rig::running("new_sale");
    let before = rig.store.cursors(rig.id("zap"));
    let lead = FakeRow::order("LEAD", "2026-09-10 12:00:00").with("dateUpdated", rig.now());
    rig.insert(lead);
    rig.insert(FakeRow::sale(1, "LEAD", &rig.now()));
    rig.insert(rig.sale("A"));
    fail(&rig, &gateway(), |request| request.window.is_none());
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (1, 1));
    let cause = |event: &Event| matches!(event, Event::WalkFailed { cause: WalkFailure::LookUps { rows: 1, first }, .. } if *first == gateway());
    assert_eq!(rig.reports.count(cause), 1);
    let complete = |(name, _): &(&String, _)| name.contains("COMPLETE");
    let (name, at) = before.iter().find(complete).unwrap();
    assert_eq!(rig.store.cursors(rig.id("zap"))[name], *at, "the walk counts as failed");
    rig.crm.behave();
    rig.later(60);
    assert_eq!(rig.poll().tally.fired, 1);
    assert_eq!(rig.fired("zap"), ["A", "LEAD"]);
}

#[test]
fn a_line_that_is_down_is_not_asked_for_every_order() {
    let rig = Rig::running("new_sale");
    for number in 0..100 {
        let row = FakeRow::order(&format!("{number}"), "2026-09-10 12:00:00");
        rig.insert(row.with("dateUpdated", rig.now()));
    }
    fail(&rig, &gateway(), |request| request.window.is_none());
    rig.poll();
    let asked = rig.crm.take_reads().iter().filter(|request| request.window.is_none()).count();
    assert_eq!(asked, 4 + 1 + 1, "the first with its retries, two more without");
}

#[test]
fn credentials_refused_at_a_look_up_stop_the_connection() {
    let rig = Rig::running("new_sale");
    for id in ["A", "B"] {
        rig.insert(FakeRow::order(id, "2026-09-10 12:00:00").with("dateUpdated", rig.now()));
    }
    let reads = fail(&rig, &credentials(), |request| request.window.is_none());
    assert_eq!(rig.poll().failed, 3);
    assert_eq!(reads.load(Ordering::Relaxed), 2, "the page, one look-up, nothing more");
    assert_eq!(rig.reports.count(|event| matches!(event, Event::Stopped { query: None, .. })), 1);
}

#[test]
fn a_state_that_cannot_be_written_is_reported_once_and_loses_nothing() {
    let rig = Rig::running("new_sale");
    rig.insert(rig.sale("A"));
    let full = StoreError::Io { reason: "no space left on device".to_owned() };
    let fault = full.clone();
    rig.store.script(move |method| (method == "commit_page").then(|| fault.clone()));
    let end = rig.clock.now() + SignedDuration::from_hours(1);
    rig.clock.drive_until(end, async {
        let mut engine = rig.start().await.unwrap();
        engine.run(tokio_util::sync::CancellationToken::new()).await
    });
    assert_eq!(
        rig.reports.count(|event| matches!(event, Event::StoreTrouble { error, .. } if *error == full)),
        1
    );
    assert_eq!(rig.fired("zap"), Vec::<String>::new());
    rig.store.behave();
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn a_state_that_can_be_written_again_is_reported() {
    let rig = Rig::running("new_sale");
    let mut bad = 3;
    rig.store.script(move |method| {
        bad -= i32::from(method == "commit_page");
        (method == "commit_page" && bad >= 0).then(|| StoreError::Io { reason: "disk full".to_owned() })
    });
    run_for(&rig, SignedDuration::from_mins(10));
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreTrouble { .. })), 1);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::StoreRecovered { .. })), 1);
}

#[test]
fn an_engine_that_lost_its_lease_stops() {
    let rig = Rig::running("new_sale");
    rig.insert(rig.sale("A"));
    rig.store.script(|method| (method == "commit_page").then_some(StoreError::Fenced));
    let ended = rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        engine.run(tokio_util::sync::CancellationToken::new()).await
    });
    assert_eq!(ended, Some(Err(StoreError::Fenced)));
    assert_eq!(rig.try_poll(), Some(Err(StoreError::Fenced)));
}

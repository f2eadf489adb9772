//! The deep sweep: once a day, whatever starts and stops; what it finds, and what it proves.

use super::support::{Rig, Spec};
use crate::ports::{Clock, RunState, Swept};
use crate::report::Event;
use crate::testing::{Call, FakeRow, Fault, Moment};
use jiff::SignedDuration;
use std::time::Duration;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn refund(id: u64, at: &str) -> FakeRow {
    FakeRow::sale(id, "A", at).with("txnType", "REFUND")
}

/// A zap that has kept up since the 14th, and a row of yesterday that comes only now: no walk reads so far back.
fn missed() -> Rig {
    let rig = Rig::with("zap", Spec { start: "2026-09-14", ..Spec::of("refund") });
    rig.insert(refund(1, "2026-09-15 11:00:00"));
    rig.poll();
    rig.later(3600);
    rig.insert(refund(2, "2026-09-15 13:30:00"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"], "walks do not see it");
    // A day after the first run, but for a minute.
    rig.later(22 * 3600 + 3540);
    rig.insert(refund(3, &rig.now()));
    rig.poll();
    rig.later(30);
    rig.insert(refund(4, &rig.now()));
    rig.later(30);
    rig.calls.calm();
    rig.events();
    rig.crm.take_reads();
    rig
}

const QUERY: &str = "transactions/query dateCreated txnType=REFUND responseType=SUCCESS";

fn sweeps(rig: &Rig) -> (Option<Swept>, u64) {
    rig.store.sweeps("crm", QUERY, rig.id("zap"))
}

#[test]
fn what_every_walk_has_missed_is_delivered_and_counted_as_late() {
    let rig = missed();
    assert_eq!(sweeps(&rig), (None, 0), "not before");
    let at = rig.clock.now();
    rig.poll();
    assert_eq!(rig.fired_sorted("zap"), ["1", "2", "3", "4"]);
    let swept =
        Swept { connection: "crm".to_owned(), query: QUERY.to_owned(), at, rows: 4, late: 1, unknown: 0 };
    assert_eq!(sweeps(&rig), (Some(swept.clone()), 1), "what has come since the last walk is not late");
    let told: Vec<Event> =
        rig.events().into_iter().filter(|event| matches!(event, Event::DeepSwept { .. })).collect();
    assert_eq!(told, [Event::DeepSwept { swept, took: SignedDuration::ZERO }]);
    let first = rig.crm.take_reads().iter().filter_map(|read| read.window).map(|days| days.first).min();
    assert_eq!(first, Some(jiff::civil::date(2026, 9, 15)), "48 hours back");
}

#[test]
fn a_crash_at_every_call_leaves_the_same_runs_and_counts() {
    let calls = {
        let rig = missed();
        rig.poll();
        rig.calls.made()
    };
    assert!(calls > 10, "{calls}");
    for nth in 1..=calls {
        for moment in [Moment::Before, Moment::After] {
            let rig = missed();
            rig.calls.crash_at(nth, moment);
            assert!(rig.try_poll().is_none(), "it dies at call {nth}");
            rig.calls.calm();
            rig.later(60);
            rig.poll();
            assert_eq!(rig.fired_sorted("zap"), ["1", "2", "3", "4"], "{moment:?} call {nth}");
            let (swept, late) = sweeps(&rig);
            let unknown = swept.unwrap().unknown;
            assert_eq!((late, unknown), (1, 0), "{moment:?} call {nth}");
        }
    }
}

#[test]
fn once_a_day_however_often_an_engine_starts() {
    let rig = Rig::running("refund");
    let began = rig.clock.now();
    for hours in [5, 7, 1, 11, 3, 9, 13, 23, 2, 20, 2] {
        rig.run_for(HOUR * hours);
    }
    assert_eq!((rig.clock.now() - began).as_hours(), 96);
    let swept: Vec<i64> = rig
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::DeepSwept { swept, .. } => Some(swept.at.duration_since(began).as_hours()),
            _ => None,
        })
        .collect();
    assert_eq!(swept.len(), 4, "{swept:?}");
}

#[test]
fn a_sweep_delays_no_poll() {
    let rig = Rig::running("refund");
    rig.later(23 * 3600);
    rig.crm.script(|call: Call<'_>| {
        let days = call.request.window.unwrap();
        // The days of a sweep come one at a time; each takes half an hour.
        (days.first == days.last).then_some(Fault::Slow(Duration::from_secs(1800)))
    });
    rig.crm.take_reads();
    rig.run_for(HOUR * 3);
    let looks = rig.crm.take_reads().iter().filter(|read| !read.ascending).count();
    assert_eq!(looks, 181, "one a minute, all the while");
    let (swept, _) = sweeps(&rig);
    assert!(swept.is_some(), "and it got to its end");
}

#[test]
fn a_sweep_that_fails_is_tried_again() {
    let rig = missed();
    let mut failures = 0;
    rig.crm.script(move |call: Call<'_>| {
        let days = call.request.window.unwrap();
        (days.first == days.last && failures < 8).then(|| {
            failures += 1;
            Fault::Fail(super::replies::gateway())
        })
    });
    rig.run_for(HOUR * 2);
    let events = rig.events();
    let failed = events.iter().filter(|event| matches!(event, Event::SweepFailed { .. })).count();
    let swept = events.iter().filter(|event| matches!(event, Event::DeepSwept { .. })).count();
    assert_eq!((failed, swept), (2, 1), "after two times four tries");
    assert_eq!(rig.fired_sorted("zap"), ["1", "2", "3", "4"]);
}

#[test]
fn what_cannot_be_looked_up_is_unknown_until_it_can() {
    let rig = Rig::running("new_sale");
    rig.later(86_400);
    rig.poll();
    rig.later(86_400);
    rig.insert(FakeRow::order("LEAD", "2026-09-10 12:00:00").with("dateUpdated", rig.now()));
    rig.insert(FakeRow::sale(1, "LEAD", &rig.now()));
    rig.crm.script(|call: Call<'_>| {
        call.request.window.is_none().then(|| Fault::Fail(super::replies::gateway()))
    });
    rig.later(60);
    rig.poll();
    let query = "order/query dateUpdated orderStatus=COMPLETE orderType=NEW_SALE";
    let unknown = || rig.store.sweeps("crm", query, rig.id("zap")).0.map(|swept| swept.unknown);
    assert_eq!(unknown(), Some(1));
    rig.crm.behave();
    rig.run_for(HOUR * 25);
    assert_eq!((unknown(), rig.fired("zap")), (Some(0), vec!["LEAD".to_owned()]));
}

#[test]
fn what_was_missed_while_a_zap_was_off_is_held_counted_and_told() {
    let rig = Rig::with("zap", Spec { options: "catch_up: hold", ..Spec::of("refund") });
    rig.poll();
    rig.later(600);
    rig.switch_off("zap");
    rig.later(3600);
    rig.poll();
    rig.later(22 * 3600 + 2340);
    rig.poll();
    rig.insert(refund(1, "2026-09-16 12:30:00"));
    rig.later(30);
    rig.poll();
    assert_eq!(rig.fired("zap"), [""; 0], "walks do not see it");
    rig.events();
    rig.later(660);
    rig.poll();
    let runs = rig.store.all_runs();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].state, runs[0].reason.word.as_str()), (RunState::Held, "caught_up"));
    let (swept, late) = sweeps(&rig);
    assert_eq!((swept.map(|swept| (swept.late, swept.unknown)), late), (Some((1, 0)), 1));
    let told = |events: Vec<Event>| {
        events.into_iter().filter(|event| matches!(event, Event::CaughtUp { held: 1, .. })).count()
    };
    assert_eq!(told(rig.events()), 1);
    rig.later(60);
    rig.poll();
    assert_eq!(told(rig.events()), 0, "once");
}

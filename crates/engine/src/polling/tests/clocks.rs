//! Days, zones and clocks that disagree.

use super::support::{Rig, Spec, instant, local};
use crate::ports::Clock;
use crate::report::Event;
use crate::testing::{FakeRow, Fault};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use zaprun_core::trigger::Endpoint;

/// Polls every quarter of an hour from `from` to `to`, a decline every few minutes on both sides of each poll; the
/// CRM's clock is `skew` ahead of the engine's.
fn around(from: &str, to: &str, skew: SignedDuration) {
    let mut rig = Rig::at(from);
    rig.deploy("zap", Spec::of("decline"));
    rig.crm.set_skew(Some(skew));
    rig.poll();
    let (mut number, end) = (0_u64, instant(to));
    while rig.clock.now() < end {
        for _ in 0..2 {
            rig.later(433);
            number += 1;
            let there: Timestamp = rig.clock.now() + skew;
            rig.insert(FakeRow::sale(number, "A", &local(there)).with("responseType", "SOFT_DECLINE"));
        }
        assert_eq!(rig.poll().tally.fired, 2, "at {}", rig.now());
    }
    assert_eq!(rig.fired("zap").len() as u64, number);
    assert!(rig.crm.take_reads().iter().all(|read| read.query.endpoint == Endpoint::Transactions));
}

#[test]
fn the_night_of_23_hours() {
    around("2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z", SignedDuration::ZERO);
}

#[test]
fn the_night_of_25_hours() {
    around("2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z", SignedDuration::ZERO);
}

#[test]
fn midnight_in_the_account_zone_and_in_utc() {
    around("2026-09-16T18:00:00Z", "2026-09-17T06:00:00Z", SignedDuration::ZERO);
}

#[test]
fn a_crm_clock_ten_minutes_ahead() {
    around("2026-09-16T18:00:00Z", "2026-09-17T06:00:00Z", SignedDuration::from_mins(10));
}

#[test]
fn a_crm_clock_ten_minutes_behind() {
    around("2026-09-16T18:00:00Z", "2026-09-17T06:00:00Z", SignedDuration::from_mins(-10));
}

#[test]
fn a_crm_clock_five_hours_behind_loses_nothing_and_is_reported_once() {
    let mut rig = Rig::at("2026-09-16T18:00:00Z");
    rig.deploy("zap", Spec::of("decline"));
    let skew = SignedDuration::from_hours(-5);
    rig.crm.set_skew(Some(skew));
    rig.clock.drive(async {
        let mut engine = rig.start().await.unwrap();
        for number in 0..60 {
            let there = rig.clock.now() + skew;
            rig.insert(FakeRow::sale(number, "A", &local(there)).with("responseType", "SOFT_DECLINE"));
            engine.poll_once().await.unwrap();
            rig.later(900);
        }
    });
    assert_eq!(rig.fired("zap").len(), 60);
    assert_eq!(rig.reports.count(|event| matches!(event, Event::ClockSkew { .. })), 1);
}

#[test]
fn skew_moves_the_boundary_to_the_crm_clock() {
    for minutes in [-10, 10] {
        let skew = SignedDuration::from_mins(minutes);
        let rig = Rig::with("zap", Spec::of("decline"));
        rig.crm.set_skew(Some(skew));
        let decline = |id, at: Timestamp| {
            rig.insert(FakeRow::sale(id, "A", &local(at + skew)).with("responseType", "SOFT_DECLINE"));
        };
        decline(1, rig.clock.now() - SignedDuration::from_secs(30));
        rig.poll();
        rig.later(60);
        decline(2, rig.clock.now() - SignedDuration::from_secs(30));
        rig.poll();
        assert_eq!(rig.fired("zap"), ["2"], "{minutes} minutes");
    }
}

#[test]
fn a_start_that_a_person_wrote_is_by_the_account_whatever_the_clocks_say() {
    for minutes in [-10, 0, 10] {
        let rig = Rig::with("zap", Spec { start: "2026-09-15", ..Spec::of("decline") });
        rig.crm.set_skew(Some(SignedDuration::from_mins(minutes)));
        for (id, at) in [(1, "2026-09-14 23:59:59"), (2, "2026-09-15 00:00:00")] {
            rig.insert(FakeRow::sale(id, "A", at).with("responseType", "SOFT_DECLINE"));
        }
        rig.poll();
        assert_eq!(rig.fired("zap"), ["2"], "{minutes} minutes");
    }
}

#[test]
fn a_clock_set_right_after_the_first_run_does_not_move_the_boundary() {
    for minutes in [10, -10] {
        let by = SignedDuration::from_mins(minutes);
        // The machine is so far ahead of the CRM, until somebody sets it right.
        let mut rig = Rig::at("2026-09-16T16:00:00Z");
        rig.clock.set(rig.clock.now() + by);
        rig.deploy("zap", Spec::of("decline"));
        rig.crm.set_skew(Some(-by));
        let decline = |rig: &Rig, id, there: &str| {
            rig.insert(FakeRow::sale(id, "A", there).with("responseType", "SOFT_DECLINE"));
        };
        rig.poll();
        rig.clock.set(instant("2026-09-16T16:05:00Z"));
        rig.crm.set_skew(Some(SignedDuration::ZERO));
        decline(&rig, 1, "2026-09-16 11:59:00");
        decline(&rig, 2, "2026-09-16 12:01:00");
        rig.poll();
        rig.later(600);
        decline(&rig, 3, "2026-09-16 12:14:00");
        rig.poll();
        assert_eq!(rig.fired_sorted("zap"), ["2", "3"], "{minutes} minutes");
    }
}

#[test]
fn a_selection_changed_under_a_clock_that_is_ahead_misses_nothing() {
    let mut rig = Rig::at("2026-09-16T16:00:00Z");
    rig.deploy("zap", Spec { campaigns: vec!["12"], ..Spec::of("decline") });
    rig.poll();
    // For one poll the machine is ten minutes ahead.
    rig.clock.set(instant("2026-09-16T16:20:00Z"));
    rig.crm.set_skew(Some(SignedDuration::from_mins(-10)));
    rig.poll();
    rig.clock.set(instant("2026-09-16T16:15:00Z"));
    rig.crm.set_skew(Some(SignedDuration::ZERO));
    rig.zaps[0].spec.campaigns = vec!["15"];
    let row = FakeRow::sale(1, "A", "2026-09-16 12:12:00").with("responseType", "SOFT_DECLINE");
    rig.insert(row.with("campaignId", "15"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"]);
}

#[test]
fn a_clock_that_ran_ahead_and_was_set_right_loses_nothing() {
    let mut rig = Rig::at("2026-09-20T16:00:00Z");
    rig.deploy("zap", Spec::of("decline"));
    rig.crm.set_skew(None);
    rig.poll();
    rig.clock.set(instant("2026-09-16T16:00:00Z"));
    rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    let polled = rig.poll();
    assert_eq!(polled.tally.fired + polled.tally.primed, 1, "it is seen though the cursor lies ahead");
}

#[test]
fn a_clock_set_back_does_not_pause_polling() {
    // While it sleeps between two polls, while it rests after a failure, and in mid-walk.
    for case in ["sleeping", "resting", "walking"] {
        let rig = Rig::running("decline");
        rig.crm.set_skew(None);
        rig.crm.script(move |call| match case {
            "resting" if call.number <= 16 => Some(Fault::Fail(super::replies::gateway())),
            "walking" => Some(Fault::Slow(Duration::from_secs(25))),
            _ => None,
        });
        let step = async {
            rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_secs(80)).await;
            rig.clock.set(rig.clock.now() - SignedDuration::from_hours(24));
            rig.events();
            rig.crm.take_reads();
            rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_hours(1)).await;
        };
        let run = async {
            let mut engine = rig.start().await.unwrap();
            engine.run(tokio_util::sync::CancellationToken::new()).await
        };
        let both = futures::future::select(Box::pin(run), Box::pin(step));
        assert!(rig.clock.drive(both).is_some());
        let reads = rig.crm.take_reads().len();
        assert!(reads > 60, "{case}: {reads} reads in an hour");
        let said = rig.reports.count(|event| matches!(event, Event::ClockSetBack { .. }));
        assert_eq!(said, 1, "{case}");
    }
}

#[test]
fn a_row_of_the_very_second_of_the_start_is_news() {
    let mut rig = Rig::at("2026-09-16T16:00:00.7Z");
    rig.deploy("zap", Spec::of("decline"));
    rig.poll();
    // The CRM cuts 16:00:00.9 to whole seconds.
    rig.insert(FakeRow::sale(1, "A", "2026-09-16 12:00:00").with("responseType", "SOFT_DECLINE"));
    rig.insert(FakeRow::sale(2, "A", "2026-09-16 11:59:59").with("responseType", "SOFT_DECLINE"));
    rig.later(60);
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"]);
}

#[test]
fn a_server_that_sends_no_date() {
    let rig = Rig::running("decline");
    rig.crm.set_skew(None);
    rig.insert(FakeRow::sale(1, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["1"]);
}

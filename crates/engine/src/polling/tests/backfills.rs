//! Backfills: what they send, that they can be repeated, broken off and taken up, and that polling does not wait for them.

use super::super::{Backfilled, Backfiller, backfill_days};
use super::support::{NOON, Rig, Spec, instant, zone};
use crate::ports::{Clock, DayWindow, Fate, RunState, StoreError};
use crate::report::{Event, WalkFailure};
use crate::testing::{Call, FakeRow, Fault, Moment};
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use std::time::Duration;
use zaprun_core::trigger::Endpoint;

fn days(first: Date, last: Date) -> DayWindow {
    DayWindow { first, last }
}

fn september() -> DayWindow {
    days(date(2026, 9, 1), date(2026, 9, 15))
}

fn backfiller(rig: &Rig) -> Backfiller {
    let zaps = rig.zaps.iter().map(|zap| rig.watched(zap.name)).collect();
    Backfiller::new(rig.ports(), vec![rig.connection()], zaps, 7)
}

/// Reads days for a zap by itself; `None` when it died on the way.
fn try_backfill(rig: &Rig, days: DayWindow) -> Option<Result<Backfilled, WalkFailure>> {
    let (mut backfiller, zap) = (backfiller(rig), rig.id("zap"));
    rig.clock.drive(async { backfiller.now(zap, days).await })
}

fn backfill(rig: &Rig, days: DayWindow) -> (u64, u64) {
    let Backfilled { rows, fired, .. } = try_backfill(rig, days).unwrap().unwrap();
    (rows, fired)
}

/// Sales of September, of which some were primed by the first run at noon of the 16th, and one has come since.
fn shop() -> Rig {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    for day in 1..=15 {
        let at = format!("2026-09-{day:02} 12:00:00");
        rig.insert(FakeRow::order(&format!("S{day:02}"), &at));
    }
    // Touched this morning, so that the first run has seen and primed it.
    rig.insert(FakeRow::order("TOUCHED", "2026-09-03 08:00:00").with("dateUpdated", "2026-09-16 09:00:00"));
    rig.insert(FakeRow::order("TODAY", "2026-09-16 10:00:00"));
    rig.poll();
    rig.later(60);
    rig.insert(rig.sale("NEWS"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["NEWS"]);
    rig.calls.calm();
    rig.events();
    rig.crm.take_reads();
    rig
}

#[test]
fn what_never_fired_fires_once_and_as_of_its_creation() {
    let rig = shop();
    let key = |id: &str| crate::ports::EventKey { kind: "new_sale".to_owned(), id: id.to_owned() };
    assert_eq!(rig.store.fate(rig.id("zap"), &key("TOUCHED")), Some(Fate::Prime));
    assert_eq!(backfill(&rig, september()), (16, 16), "what was primed too");
    assert_eq!(rig.store.fate(rig.id("zap"), &key("TOUCHED")), Some(Fate::Fire));
    assert_eq!(rig.store.fate(rig.id("zap"), &key("TODAY")), Some(Fate::Prime), "it is of another day");
    let run = rig.store.all_runs().into_iter().find(|run| run.event.key.id == "TOUCHED").unwrap();
    assert_eq!(run.event.at, instant("2026-09-03T12:00:00Z"), "8 in the morning there");
    assert_eq!(backfill(&rig, september()), (16, 0), "and nothing of it again");
    rig.later(60);
    assert_eq!(rig.poll().tally.fired, 0);
    assert_eq!(rig.fired("zap").len(), 17);
    let reads = rig.crm.take_reads();
    let created = reads.iter().filter(|read| read.query.seen_through.field() == "dateCreated");
    assert!(created.clone().count() >= 12, "three queries, two slices, twice");
    assert!(created.into_iter().all(|read| read.window.unwrap().first >= date(2026, 9, 1)));
}

#[test]
fn a_sale_that_was_turned_is_one_if_it_was_charged() {
    let rig = shop();
    rig.insert(FakeRow::order("REFUNDED", "2026-09-05 12:00:00").with("orderStatus", "REFUNDED"));
    rig.insert(FakeRow::sale(1, "REFUNDED", "2026-09-06 12:00:00"));
    rig.insert(FakeRow::order("NEVER", "2026-09-05 12:00:00").with("orderStatus", "CANCELLED"));
    assert_eq!(backfill(&rig, september()), (18, 17));
    let run = rig.store.all_runs().into_iter().find(|run| run.event.key.id == "REFUNDED").unwrap();
    assert_eq!(run.event.at, instant("2026-09-05T16:00:00Z"));
    let never = crate::ports::EventKey { kind: "new_sale".to_owned(), id: "NEVER".to_owned() };
    assert_eq!(rig.store.fate(rig.id("zap"), &never), None, "it may yet be sold");
}

#[test]
fn a_crash_at_every_call_loses_and_repeats_nothing() {
    let calls = {
        let rig = shop();
        backfill(&rig, september());
        rig.calls.made()
    };
    assert!(calls > 15, "{calls}");
    let expected = {
        let rig = shop();
        backfill(&rig, september());
        rig.fired_sorted("zap")
    };
    // The first two calls ask where the zap stands.
    for nth in 3..=calls {
        for moment in [Moment::Before, Moment::After] {
            let rig = shop();
            rig.calls.crash_at(nth, moment);
            assert!(try_backfill(&rig, september()).is_none(), "it dies at call {nth}");
            rig.calls.calm();
            // Another engine takes it up, since it lies in the state.
            let mut backfiller = backfiller(&rig);
            let end = rig.clock.now() + SignedDuration::from_secs(600);
            rig.clock.drive_until(end, backfiller.forever());
            backfill(&rig, september());
            assert_eq!(rig.fired_sorted("zap"), expected, "{moment:?} call {nth}");
        }
    }
}

#[test]
fn what_was_read_is_not_read_again_after_a_failure() {
    let rig = shop();
    rig.crm.script(|call: Call<'_>| {
        let late = call.request.window.is_some_and(|days| days.first > date(2026, 9, 10));
        late.then(|| Fault::Fail(super::replies::gateway()))
    });
    let failed = try_backfill(&rig, september()).unwrap();
    assert!(matches!(failed, Err(WalkFailure::Read(_))), "{failed:?}");
    assert_eq!(rig.fired("zap").len(), 12, "the first ten days are in");
    rig.crm.behave();
    rig.crm.take_reads();
    assert_eq!(backfill(&rig, september()), (16, 16), "counted over both tries");
    let first = rig.crm.take_reads()[0].window.unwrap();
    assert_eq!(first, days(date(2026, 9, 11), date(2026, 9, 15)));
}

#[test]
fn one_that_was_stopped_goes_no_further() {
    let rig = shop();
    let (store, zap) = (rig.store.clone(), rig.id("zap"));
    let id = rig.store.ask_backfill(zap, date(2026, 9, 1), date(2026, 9, 15));
    rig.crm.script(move |call: Call<'_>| {
        if call.request.window.is_some_and(|days| days.first > date(2026, 9, 10)) {
            store.stop_backfill(id);
        }
        None
    });
    let stopped = try_backfill(&rig, september()).unwrap();
    assert!(matches!(stopped, Err(WalkFailure::Store(StoreError::Refused { .. }))), "{stopped:?}");
    assert_eq!(rig.fired("zap").len(), 12);
}

#[test]
fn an_engine_does_what_lies_in_the_state_and_polls_meanwhile() {
    let rig = shop();
    let id = rig.store.ask_backfill(rig.id("zap"), date(2026, 1, 1), date(2026, 9, 15));
    rig.crm.script(|call: Call<'_>| {
        let old = call.request.window.is_some_and(|days| days.first < date(2026, 9, 15));
        old.then_some(Fault::Slow(Duration::from_secs(40)))
    });
    let began = rig.clock.now();
    let comes = async {
        for id in 0..20 {
            rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_secs(60)).await;
            rig.insert(rig.sale(&format!("LIVE{id}")));
            rig.clock.sleep_until(rig.clock.now() + SignedDuration::from_secs(61)).await;
            assert!(rig.fired("zap").contains(&format!("LIVE{id}")), "within its interval");
        }
    };
    let mut backfiller = backfiller(&rig);
    let engine = async {
        let mut poller = rig.start().await.unwrap();
        let (poll, work) = (poller.run(tokio_util::sync::CancellationToken::new()), backfiller.forever());
        futures::future::join(poll, work).await
    };
    // Boxed, so that they are gone with it.
    let run = futures::future::select(Box::pin(comes), Box::pin(engine));
    assert!(rig.clock.drive_until(began + SignedDuration::from_hours(3), run).is_some());
    assert!(rig.store.is_backfilling(id), "it takes an hour");
    rig.crm.behave();
    let end = rig.clock.now() + SignedDuration::from_hours(1);
    rig.clock.drive_until(end, self::backfiller(&rig).forever());
    assert!(!rig.store.is_backfilling(id));
    let told = rig.events();
    assert!(
        told.iter().any(|event| matches!(event, Event::Backfilled { rows: 16, fired: 16, .. })),
        "{told:?}"
    );
    let last = told.iter().rev().find_map(|event| match event {
        Event::Backfilling { done, days, .. } => Some((*done, *days)),
        _ => None,
    });
    assert_eq!(last, Some((3 * 258, 3 * 258)));
}

#[test]
fn it_waits_while_its_zap_has_enough_to_do() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    (0..1_100).for_each(|id| rig.insert(FakeRow::order(&format!("A{id}"), "2026-09-02 12:00:00")));
    (0..5).for_each(|id| rig.insert(FakeRow::order(&format!("B{id}"), "2026-09-14 12:00:00")));
    rig.poll();
    rig.store.ask_backfill(rig.id("zap"), date(2026, 9, 1), date(2026, 9, 15));
    let end = rig.clock.now() + SignedDuration::from_hours(1);
    rig.clock.drive_until(end, backfiller(&rig).forever());
    assert_eq!(rig.fired("zap").len(), 1_100, "the next slice comes once these are fewer");
}

#[test]
fn a_refused_login_is_not_tried_again_and_again() {
    let rig = shop();
    rig.store.ask_backfill(rig.id("zap"), date(2026, 9, 1), date(2026, 9, 15));
    rig.crm.script(|_| Some(Fault::Fail(crate::ports::ReadError::Credentials { text: "no".to_owned() })));
    let end = rig.clock.now() + SignedDuration::from_hours(2);
    rig.clock.drive_until(end, backfiller(&rig).forever());
    let reads = rig.crm.take_reads().len();
    assert!((2..=9).contains(&reads), "{reads}");
}

#[test]
fn a_year_replayed_through_the_ledger_fires_nothing() {
    let rig = Rig::with("zap", Spec { start: "2025-09-16", ..Spec::of("new_sale") });
    let began = instant(NOON) - SignedDuration::from_hours(24 * 364);
    for number in 0..2_000_i64 {
        let at = super::support::local(began + SignedDuration::from_mins(number * 260));
        let status = ["COMPLETE", "COMPLETE", "REFUNDED", "CANCELLED"][usize::try_from(number % 4).unwrap()];
        rig.insert(FakeRow::order(&format!("{number:05}"), &at).with("orderStatus", status));
        rig.insert(FakeRow::sale(number.unsigned_abs(), &format!("{number:05}"), &at));
    }
    assert_eq!(rig.poll().tally.fired, 2_000);
    let whole = days(date(2025, 9, 16), date(2026, 9, 16));
    assert_eq!(backfill(&rig, whole), (2_000, 0), "by the day of creation");
    rig.later(60);
    // Another selection is read from its boundary again, which is the year.
    rig.crm.change(|table| {
        let orders = table.rows().iter().filter(|row| row.endpoint == Endpoint::Orders);
        let ids: Vec<String> = orders.map(FakeRow::id).collect();
        let now = "2026-09-16 11:00:00";
        assert!(ids.iter().all(|id| table.update_order(id, &[("dateUpdated", now.into())])));
    });
    assert_eq!(rig.poll().tally.fired, 0, "all of them touched, in one day");
    let ids: std::collections::BTreeSet<String> = rig.fired("zap").into_iter().collect();
    assert_eq!((ids.len(), rig.fired("zap").len()), (2_000, 2_000));
}

#[test]
fn days_that_cannot_be_read_are_left_out() {
    let (now, zone) = (instant(NOON), zone());
    let of = |from, to| backfill_days(from, to, now, &zone);
    let day = date(2026, 9, 10);
    assert_eq!(of(day, date(2026, 9, 11)), Some(days(day, day)), "up to, and not with");
    assert_eq!(of(day, day), None);
    assert_eq!(of(day, date(2026, 9, 1)), None);
    assert_eq!(of(day, date(2027, 1, 1)), Some(days(day, date(2026, 9, 16))), "today is the last");
    assert_eq!(of(date(1990, 1, 1), date(2000, 1, 2)), Some(days(date(2000, 1, 1), date(2000, 1, 1))));
    assert_eq!(of(date(2026, 9, 17), date(2026, 9, 20)), None);
}

/// A zap that is off for two days and on again now, with a sale of the day between.
fn off_and_on() -> Rig {
    let rig = Rig::with("zap", Spec { options: "catch_up: hold", ..Spec::of("new_sale") });
    rig.poll();
    rig.later(3600);
    rig.switch_off("zap");
    rig.later(86_400);
    rig.insert(rig.sale("OFF"));
    rig.later(86_400);
    rig
}

fn off_days() -> DayWindow {
    days(date(2026, 9, 17), date(2026, 9, 17))
}

fn only_state(rig: &Rig) -> RunState {
    let runs = rig.store.all_runs();
    assert_eq!(runs.len(), 1);
    runs[0].state
}

#[test]
fn who_asks_for_the_days_during_which_a_zap_was_off_has_them_sent() {
    let rig = off_and_on();
    assert_eq!(backfill(&rig, off_days()), (1, 1));
    assert_eq!(only_state(&rig), RunState::Pending);
    rig.poll();
    assert_eq!(only_state(&rig), RunState::Pending, "a walk leaves it so");
}

#[test]
fn what_is_held_since_a_zap_was_off_stays_for_a_person_to_settle() {
    let rig = off_and_on();
    rig.poll();
    assert_eq!(only_state(&rig), RunState::Held);
    assert_eq!(backfill(&rig, off_days()), (1, 0), "it has a run");
    assert_eq!(only_state(&rig), RunState::Held);
}

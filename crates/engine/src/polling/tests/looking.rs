//! Looking never moves state.

use super::super::preview;
use super::support::{Rig, Spec};
use crate::ports::PageRequest;
use crate::testing::{Call, FakeRow, Fault};
use jiff::civil::date;

fn look(rig: &Rig, limit: usize) -> (Vec<String>, jiff::civil::Date) {
    let trigger = rig.zaps[0].spec.trigger();
    let found = rig.clock.drive(preview(&rig.crm, &rig.clock, &trigger, limit)).unwrap().unwrap();
    let id = |raw: &bytes::Bytes| {
        let row: serde_json::Value = serde_json::from_slice(raw).unwrap();
        row["orderId"].as_str().unwrap().to_owned()
    };
    (found.rows.iter().map(id).collect(), found.since)
}

fn days(reads: &[PageRequest]) -> Vec<(jiff::civil::Date, jiff::civil::Date)> {
    let mut days: Vec<_> = reads.iter().map(|read| read.window.unwrap()).map(|w| (w.first, w.last)).collect();
    days.dedup();
    days
}

#[test]
fn todays_rows_come_newest_first_and_only_those_wanted() {
    let rig = Rig::with("zap", Spec { campaigns: vec!["12"], ..Spec::of("new_sale") });
    for hour in 1..=9 {
        rig.insert(FakeRow::order(&format!("{hour}"), &format!("2026-09-16 0{hour}:00:00")));
    }
    rig.insert(FakeRow::order("REBILL", "2026-09-16 10:00:00").with("orderType", "RECURRING"));
    rig.insert(FakeRow::order("OTHER", "2026-09-16 10:00:00").with("campaignId", 15));
    rig.insert(FakeRow::order("REFUNDED", "2026-09-16 08:30:00").with("orderStatus", "REFUNDED"));
    let (ids, since) = look(&rig, 3);
    assert_eq!(ids, ["9", "REFUNDED", "8"]);
    assert_eq!(since, date(2026, 9, 16));
}

#[test]
fn without_any_it_looks_further_back() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    rig.insert(FakeRow::order("OLD", "2026-08-20 12:00:00"));
    assert_eq!(look(&rig, 5), (vec!["OLD".to_owned()], date(2026, 8, 20)));
    let read = days(&rig.crm.take_reads());
    assert_eq!(read[0], (date(2026, 9, 16), date(2026, 9, 17)));
    assert_eq!(read[1], (date(2026, 9, 9), date(2026, 9, 15)));
    assert_eq!(read.last().unwrap(), &(date(2026, 8, 20), date(2026, 8, 29)));
}

#[test]
fn with_none_in_a_month_it_says_so() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    rig.insert(FakeRow::order("OLD", "2026-08-10 12:00:00"));
    assert_eq!(look(&rig, 5), (vec![], date(2026, 8, 17)));
}

#[test]
fn it_touches_no_state() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    rig.insert(rig.sale("A"));
    rig.store.script(|method| panic!("looking called {method}"));
    assert_eq!(look(&rig, 5).0, ["A"]);
}

#[test]
fn an_error_is_an_error() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    rig.crm.script(|_: Call<'_>| Some(Fault::Fail(super::replies::gateway())));
    let trigger = rig.zaps[0].spec.trigger();
    let found = rig.clock.drive(preview(&rig.crm, &rig.clock, &trigger, 5)).unwrap();
    assert_eq!(found, Err(super::replies::gateway()));
}

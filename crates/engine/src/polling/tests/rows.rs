//! Which rows become runs.

use super::support::{Rig, Spec, local};
use crate::ports::{Clock, Fate, Page, PageRequest};
use crate::testing::{Call, FakeRow, Fault};
use jiff::SignedDuration;
use serde_json::json;
use zaprun_core::trigger::Endpoint;

fn new_rows(count: usize) {
    let rig = Rig::running("new_sale");
    let ids: Vec<String> = (0..count).map(|n| format!("{n:010X}")).collect();
    ids.iter().for_each(|id| rig.insert(rig.sale(id)));
    let polled = rig.poll();
    assert_eq!((polled.tally.fired, polled.failed), (count as u64, 0));
    assert_eq!(rig.fired_sorted("zap"), ids);
    rig.later(60);
    let again = rig.poll();
    assert_eq!((again.tally.fired, again.tally.known), (0, count as u64), "none twice");
}

#[test]
fn no_new_row() {
    new_rows(0);
}

#[test]
fn one_new_row() {
    new_rows(1);
}

#[test]
fn two_hundred_new_rows_fill_a_page() {
    new_rows(200);
}

#[test]
fn two_hundred_and_one_new_rows() {
    new_rows(201);
}

#[test]
fn five_thousand_new_rows() {
    new_rows(5_000);
}

#[test]
fn equal_timestamps_are_all_seen_even_when_one_comes_later() {
    let rig = Rig::running("new_sale");
    let at = rig.now();
    (0..450).for_each(|n| rig.insert(FakeRow::order(&format!("A{n}"), &at)));
    rig.poll();
    rig.later(60);
    (0..3).for_each(|n| rig.insert(FakeRow::order(&format!("B{n}"), &at)));
    assert_eq!(rig.poll().tally.fired, 3);
    assert_eq!(rig.fired("zap").len(), 453);
}

#[test]
fn a_row_that_appears_late_with_an_older_timestamp() {
    let rig = Rig::running("decline");
    let early = rig.now();
    rig.later(1800);
    rig.insert(FakeRow::sale(2, "B", &rig.now()).with("responseType", "SOFT_DECLINE"));
    rig.poll();
    rig.later(1800);
    rig.insert(FakeRow::sale(1, "A", &early).with("responseType", "HARD_DECLINE"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["2", "1"]);
}

#[test]
fn a_lead_and_then_the_sale_under_one_order_id() {
    let mut rig = Rig::with("leads", Spec::of("new_lead"));
    rig.deploy("sales", Spec::of("new_sale"));
    rig.poll();
    rig.later(60);
    rig.insert(rig.sale("A").with("orderStatus", "PARTIAL"));
    rig.poll();
    assert_eq!((rig.fired("leads"), rig.fired("sales")), (vec!["A".to_owned()], vec![]));
    rig.later(600);
    let sold = rig.now();
    rig.crm
        .change(|t| t.update_order("A", &[("orderStatus", "COMPLETE".into()), ("dateUpdated", sold.into())]));
    rig.poll();
    rig.later(60);
    rig.poll();
    assert_eq!((rig.fired("leads"), rig.fired("sales")), (vec!["A".to_owned()], vec!["A".to_owned()]));
}

#[test]
fn a_lead_from_before_the_start_that_buys_after_it_is_a_sale() {
    let rig = Rig::with("zap", Spec::of("new_sale"));
    let day_before = local(rig.clock.now() - SignedDuration::from_hours(24));
    rig.insert(FakeRow::order("A", &day_before).with("orderStatus", "PARTIAL"));
    rig.poll();
    rig.later(60);
    let sold = rig.now();
    rig.insert(FakeRow::sale(1, "A", &sold));
    rig.crm
        .change(|t| t.update_order("A", &[("orderStatus", "COMPLETE".into()), ("dateUpdated", sold.into())]));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
    let reads = rig.crm.take_reads().iter().filter(|read| read.window.is_none()).count();
    assert_eq!(reads, 1, "one look-up");
    rig.later(60);
    rig.poll();
    let reads = rig.crm.take_reads().iter().filter(|read| read.window.is_none()).count();
    assert_eq!(reads, 0, "a row that is known costs no look-up");
}

/// A lead of days ago that buys now, at the sixth try.
fn bought_at_the_sixth_try(rig: &Rig) {
    let row = FakeRow::order("A", "2026-09-10 12:00:00").with("dateUpdated", rig.now());
    rig.insert(row);
    for id in 1..6 {
        rig.insert(FakeRow::sale(id, "A", &rig.now()).with("responseType", "SOFT_DECLINE"));
    }
    rig.insert(FakeRow::sale(6, "A", &rig.now()));
}

#[test]
fn a_look_up_reads_smaller_pages_than_asked_for_to_their_end() {
    let rig = Rig::running("new_sale");
    bought_at_the_sixth_try(&rig);
    rig.crm.script(|call: Call<'_>| {
        let look_up = call.request.window.is_none();
        look_up.then(|| {
            let (total, rows) = call.table.page(&PageRequest { per_page: 4, ..call.request.clone() });
            Fault::Page(Page { total, rows, server_time: None })
        })
    });
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn a_look_up_that_is_told_less_than_announced_waits() {
    let rig = Rig::running("new_sale");
    bought_at_the_sixth_try(&rig);
    rig.crm.script(|call: Call<'_>| {
        let none = Page { total: 6, rows: Vec::new(), server_time: None };
        call.request.window.is_none().then_some(Fault::Page(none))
    });
    let polled = rig.poll();
    assert_eq!((polled.failed, polled.tally.primed), (1, 0), "not taken for an order without transactions");
    rig.crm.behave();
    rig.later(60);
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn a_sale_first_seen_refunded_or_cancelled() {
    for status in ["REFUNDED", "CANCELLED"] {
        let rig = Rig::running("new_sale");
        rig.insert(FakeRow::sale(1, "A", &rig.now()));
        rig.insert(rig.sale("A").with("orderStatus", status));
        rig.insert(rig.sale("B").with("orderStatus", status));
        rig.poll();
        assert_eq!(rig.fired("zap"), ["A"], "{status}: the one that was charged, once");
    }
}

#[test]
fn last_years_order_that_is_refunded_or_shipped_today_is_neither_sale_nor_cancellation() {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("cancellations", Spec::of("cancelled"));
    rig.poll();
    rig.later(60);
    for (id, status) in [("SHIPPED", "COMPLETE"), ("REFUNDED", "REFUNDED"), ("CANCELLED", "CANCELLED")] {
        rig.insert(FakeRow::sale(id.len() as u64, id, "2025-09-16 12:00:00"));
        let row = FakeRow::order(id, "2025-09-16 12:00:00").with("orderStatus", status);
        rig.insert(row.with("dateUpdated", rig.now()));
    }
    let polled = rig.poll();
    assert_eq!(polled.tally.fired, 0);
    assert_eq!(polled.tally.primed, 4, "three for the sales, one for the cancellations");
    rig.later(60);
    assert_eq!(rig.poll().tally.known, 4);
}

#[test]
fn an_order_cancelled_today_fires_by_its_cancellation_date() {
    let rig = Rig::running("cancelled");
    let item = json!({"7": {"productId": 7, "lastCancellationDate": rig.now()}});
    let row = FakeRow::order("A", "2025-09-16 12:00:00").with("orderStatus", "CANCELLED");
    rig.insert(row.with("dateUpdated", rig.now()).with("items", item));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn an_order_cancelled_in_qa_is_no_sale() {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("cancellations", Spec::of("cancelled"));
    rig.poll();
    rig.later(60);
    let authorized = FakeRow::sale(1, "A", &rig.now()).with("txnType", "AUTHORIZE");
    rig.insert(authorized);
    rig.insert(rig.sale("A").with("orderStatus", "PENDING").with("reviewStatus", "PENDING"));
    rig.poll();
    rig.later(60);
    let now = rig.now();
    rig.crm
        .change(|t| t.update_order("A", &[("orderStatus", "DECLINED".into()), ("dateUpdated", now.into())]));
    rig.insert(FakeRow::sale(2, "B", &rig.now()).with("txnType", "AUTHORIZE"));
    rig.insert(rig.sale("B").with("orderStatus", "CANCELLED").with("reviewStatus", "DECLINED"));
    rig.poll();
    assert_eq!(rig.fired("sales"), Vec::<String>::new());
    assert_eq!(rig.fired("cancellations"), ["B"]);
}

#[test]
fn an_order_approved_in_qa_is_a_sale_of_the_day_it_was_approved() {
    let rig = Rig::running("new_sale");
    rig.insert(rig.sale("A").with("orderStatus", "PENDING"));
    rig.poll();
    rig.later(3 * 86_400);
    let now = rig.now();
    rig.crm
        .change(|t| t.update_order("A", &[("orderStatus", "COMPLETE".into()), ("dateUpdated", now.into())]));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A"]);
}

#[test]
fn a_rebill_order_is_a_sale_only_of_all_cycles() {
    let mut rig = Rig::with("first", Spec::of("new_sale"));
    rig.deploy("all", Spec { options: "cycles: all", ..Spec::of("new_sale") });
    rig.deploy("declines", Spec::of("decline"));
    rig.poll();
    rig.later(60);
    rig.insert(rig.sale("A").with("orderType", "RECURRING"));
    let rebill =
        FakeRow::sale(1, "B", &rig.now()).with("responseType", "SOFT_DECLINE").with("billingCycleNumber", 2);
    rig.insert(rebill);
    rig.poll();
    assert_eq!(rig.fired("first"), Vec::<String>::new());
    assert_eq!(rig.fired("all"), ["A"]);
    assert_eq!(rig.fired("declines"), Vec::<String>::new());
}

#[test]
fn a_status_that_enters_as_another_leaves() {
    let rig = Rig::running("new_sale");
    rig.insert(rig.sale("A"));
    rig.poll();
    rig.later(60);
    rig.crm.change(|table| table.remove(Endpoint::Orders, "A"));
    rig.insert(rig.sale("B"));
    rig.poll();
    assert_eq!(rig.fired("zap"), ["A", "B"], "the total is the same, the rows are not");
}

#[test]
fn an_order_without_any_transaction_is_primed_and_counted() {
    let rig = Rig::running("new_sale");
    let row = FakeRow::order("A", "2026-09-10 12:00:00").with("paySource", "PREPAID");
    rig.insert(row.with("dateUpdated", rig.now()));
    let polled = rig.poll();
    assert_eq!((polled.tally.primed, polled.tally.undated), (1, 1));
    assert_eq!(rig.store.ledger(rig.id("zap"))[0].1, Fate::PrimeUndated);
}

#[test]
fn zaps_may_see_one_sale_happen_at_different_instants() {
    let mut rig = Rig::at("2026-09-10T16:00:00Z");
    rig.deploy("old", Spec::of("new_sale"));
    rig.poll();
    rig.later(6 * 86_400);
    rig.deploy("new", Spec { start: "2026-09-14", ..Spec::of("new_sale") });
    rig.insert(FakeRow::order("A", "2026-09-15 10:00:00").with("dateUpdated", "2026-09-15 12:00:00"));
    rig.poll();
    let at = |name: &str| {
        let zap = rig.id(name);
        let run = rig.store.all_runs().into_iter().find(|run| run.zap == zap).unwrap();
        local(run.event.at)
    };
    assert_eq!(at("old"), "2026-09-15 12:00:00", "as of the update under which it was first seen");
    assert_eq!(at("new"), "2026-09-15 10:00:00", "from before its first run");
}

#[test]
fn keys_of_a_run_hang_on_the_zap_and_the_event_alone() {
    let rig = Rig::running("new_sale");
    rig.insert(rig.sale("A"));
    rig.poll();
    let run = rig.store.all_runs().remove(0);
    assert_eq!(run.key_base, crate::key::base("zap", &run.event.key));
    assert_eq!(run.event.key.to_string(), "new_sale:A");
    assert_eq!(run.event.record, rig.crm.change(|table| table.rows()[0].bytes()), "byte for byte");
}

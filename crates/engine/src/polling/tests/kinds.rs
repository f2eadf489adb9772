//! Each kind of row, from the CRM to its run.

use super::support::{Rig, Spec};
use crate::ports::{EventKey, Fate};
use crate::report::{Event, RowProblem};
use crate::testing::FakeRow;
use serde_json::json;
use zaprun_core::trigger::Endpoint;

const LAST_YEAR: &str = "2025-09-16 12:00:00";

fn fate(rig: &Rig, name: &str, kind: &str, id: &str) -> Option<Fate> {
    rig.store.fate(rig.id(name), &EventKey { kind: kind.to_owned(), id: id.to_owned() })
}

/// Polls again and again: what fired once fires no more.
fn settle(rig: &Rig) {
    for _ in 0..3 {
        assert_eq!(rig.poll().failed, 0);
        rig.later(3_600);
    }
}

#[test]
fn a_new_customer() {
    let rig = Rig::with("zap", Spec::of("new_customer"));
    rig.insert(FakeRow::customer(1, "2026-09-16 09:00:00"));
    settle(&rig);
    rig.insert(FakeRow::customer(2, &rig.now()));
    settle(&rig);
    assert_eq!(rig.fired("zap"), ["2"]);
    assert_eq!(fate(&rig, "zap", "new_customer", "1"), Some(Fate::Prime));
    let reads = rig.crm.take_reads();
    assert!(reads.iter().all(|read| read.query.endpoint == Endpoint::Customers));
    let run = &rig.store.all_runs()[0];
    assert_eq!(run.event.key.to_string(), "new_customer:2");
}

#[test]
fn a_chargeback_on_a_charge_of_last_year() {
    let rig = Rig::running("chargeback");
    rig.insert(FakeRow::sale(7, "A", LAST_YEAR));
    settle(&rig);
    assert_eq!(rig.fired("zap"), Vec::<String>::new());
    let marked = FakeRow::sale(7, "A", LAST_YEAR)
        .with("isChargedback", 1)
        .with("chargebackDate", "2026-09-11")
        .with("dateUpdated", rig.now());
    rig.crm.change(|table| {
        table.remove(Endpoint::Transactions, "7");
        table.insert(marked);
    });
    settle(&rig);
    assert_eq!(rig.fired("zap"), ["7"]);
}

#[test]
fn a_chargeback_from_before_the_start_is_primed() {
    for day in ["2026-09-15", "2026-09-16"] {
        let rig = Rig::with("zap", Spec::of("chargeback"));
        let marked = FakeRow::sale(7, "A", LAST_YEAR).with("isChargedback", 1);
        rig.insert(marked.with("chargebackDate", day).with("dateUpdated", "2026-09-16 11:00:00"));
        settle(&rig);
        assert_eq!(fate(&rig, "zap", "chargeback", "7"), Some(Fate::Prime), "{day}");
    }
}

#[test]
fn last_years_order_whose_money_goes_back_today() {
    let rig = Rig::running("refunded");
    for (id, transaction) in [("REFUNDED", 1), ("EDITED", 3)] {
        let row = FakeRow::order(id, LAST_YEAR).with("orderStatus", "REFUNDED");
        rig.insert(row.with("dateUpdated", rig.now()));
        rig.insert(FakeRow::sale(transaction, id, LAST_YEAR));
    }
    rig.insert(FakeRow::sale(2, "REFUNDED", &rig.now()).with("txnType", "REFUND"));
    rig.insert(FakeRow::sale(4, "EDITED", "2026-08-01 12:00:00").with("txnType", "REFUND"));
    settle(&rig);
    assert_eq!(rig.fired("zap"), ["REFUNDED"]);
    assert_eq!(fate(&rig, "zap", "refunded", "EDITED"), Some(Fate::Prime));
}

#[test]
fn an_order_that_ships_and_one_that_ships_again() {
    let rig = Rig::running("shipped");
    let order = |id: &str, parcels: serde_json::Value| {
        FakeRow::order(id, LAST_YEAR).with("dateUpdated", rig.now()).with("fulfillments", parcels)
    };
    let parcel =
        |status: &str, shipped: &str| json!({"fulfillmentId": 1, "status": status, "dateShipped": shipped});
    rig.insert(order("WAITS", json!([parcel("HOLD", "")])));
    rig.insert(order("SHIPS", json!([parcel("SHIPPED", &rig.now())])));
    rig.insert(order("AGAIN", json!([parcel("SHIPPED", LAST_YEAR), parcel("SHIPPED", &rig.now())])));
    let turned = order("TURNED", json!([parcel("DELIVERED", &rig.now())]));
    rig.insert(turned.with("orderStatus", "REFUNDED").with("orderType", "RECURRING"));
    settle(&rig);
    assert_eq!(rig.fired_sorted("zap"), ["SHIPS", "TURNED"]);
    assert_eq!(fate(&rig, "zap", "shipped", "WAITS"), None, "it may ship yet");
    let left = rig.now();
    let parcels = json!([parcel("SHIPPED", &left)]);
    rig.crm.change(|table| {
        table.update_order("WAITS", &[("fulfillments", parcels), ("dateUpdated", left.into())])
    });
    settle(&rig);
    assert_eq!(rig.fired_sorted("zap"), ["SHIPS", "TURNED", "WAITS"]);
}

#[test]
fn a_rebill_is_no_first_sale_and_a_first_sale_no_rebill() {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("rebills", Spec::of("rebill"));
    rig.poll();
    rig.later(60);
    rig.insert(rig.sale("FIRST"));
    rig.insert(rig.sale("SECOND").with("orderType", "RECURRING"));
    settle(&rig);
    assert_eq!((rig.fired("sales"), rig.fired("rebills")), (vec!["FIRST".into()], vec!["SECOND".into()]));
}

#[test]
fn a_lead_that_is_turned_down() {
    let mut rig = Rig::with("declined", Spec::of("declined"));
    rig.deploy("declines", Spec::of("decline"));
    rig.insert(FakeRow::order("LEAD", "2026-09-16 09:00:00").with("orderStatus", "PARTIAL"));
    rig.insert(FakeRow::order("OLD", "2026-09-10 09:00:00").with("orderStatus", "DECLINED"));
    rig.insert(FakeRow::sale(1, "OLD", "2026-09-10 09:00:00").with("responseType", "HARD_DECLINE"));
    settle(&rig);
    let now = rig.now();
    rig.insert(FakeRow::sale(2, "LEAD", &now).with("responseType", "HARD_DECLINE"));
    rig.crm.change(|table| {
        table
            .update_order("LEAD", &[("orderStatus", "DECLINED".into()), ("dateUpdated", now.clone().into())]);
        table.update_order("OLD", &[("dateUpdated", now.into())])
    });
    settle(&rig);
    assert_eq!((rig.fired("declined"), rig.fired("declines")), (vec!["LEAD".into()], vec!["2".into()]));
    assert_eq!(fate(&rig, "declined", "declined", "OLD"), Some(Fate::Prime), "it was declined last week");
}

#[test]
fn shipped_orders_ride_with_sales() {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("parcels", Spec::of("shipped"));
    assert_eq!(rig.poll().walks, 3, "all orders of a state hold the first sales among them");
}

#[test]
fn card_data_in_a_row_is_kept_nowhere_and_told_once() {
    let rig = Rig::running("new_sale");
    for id in ["A", "B"] {
        rig.insert(
            rig.sale(id).with("custom1", "4111 1111 1111 1111").with("externalOrderId", "4111111111111111"),
        );
    }
    rig.poll();
    assert_eq!(rig.fired_sorted("zap"), ["A", "B"]);
    for run in rig.store.all_runs() {
        let row: serde_json::Value = serde_json::from_slice(&run.event.record).unwrap();
        assert_eq!(row["custom1"], "[card data removed]");
        assert_eq!(row["externalOrderId"], "4111111111111111", "an id is no card");
        assert_eq!(row["items"]["7"]["qty"], 1, "the rest stays as it came");
    }
    let told = |event: &Event| matches!(event, Event::RowProblem { problem: RowProblem::Card { field }, .. } if field == "custom1");
    assert_eq!(rig.reports.count(told), 1);
}

//! What is new, and that each of it is seen once: the CRM's rows through the whole program.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::DateTime;
use zaprun_sandbox::state::{OrderStatus, TxnType};

use crate::harness::{CANCELLED, LEADS, Lab, REFUNDS, SALES};

/// How often each order of a body's `order` arrived, by the sink's path.
fn arrived(lab: &Lab) -> BTreeMap<(String, String), usize> {
    let mut times = BTreeMap::new();
    for one in lab.received() {
        let order = one.json().unwrap()["order"].as_str().unwrap().to_owned();
        *times.entry((one.path.trim_start_matches("/sink/").to_owned(), order)).or_default() += 1;
    }
    times
}

/// The orders that arrived at a path, each once.
#[track_caller]
fn once_each(lab: &Lab, path: &str) -> BTreeSet<String> {
    let arrived = arrived(lab);
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
    arrived.into_keys().filter(|(place, _)| place == path).map(|(_, order)| order).collect()
}

/// Orders that arrived at a path, and how often.
fn once_at(path: &str, order: &str) -> ((String, String), usize) {
    ((path.to_owned(), order.to_owned()), 1)
}

/// Orders made now, all in the same second.
fn insert(lab: &Lab, count: usize) -> BTreeSet<String> {
    (0..count).map(|_| lab.crm().insert_order(|_| {}).unwrap()).collect()
}

/// An order of a year ago with its charge, and today's local time.
fn last_years_order(lab: &Lab) -> (String, DateTime) {
    let now = lab.crm().with(|state| state.now());
    let then = now.saturating_sub(SignedDuration::from_hours(24 * 365));
    lab.crm().with(|state| state.pin(Some(then)));
    let order_id = lab.crm().sale("old@example.test").unwrap();
    lab.crm().with(|state| state.pin(None));
    (order_id, now)
}

/// Pages that were read of order/query with this status.
fn pages(lab: &Lab, status: &str) -> Vec<(u32, usize)> {
    let requests = lab.crm().crm_requests();
    let mine = requests.iter().filter(|one| one.param("orderStatus") == Some(status));
    mine.map(|one| (one.param("page").map_or(1, |page| page.parse().unwrap()), one.rows)).collect()
}

#[test]
fn no_rows_are_no_error() {
    let lab = Lab::new(&[SALES, LEADS, CANCELLED, REFUNDS]);
    lab.once(0).says("0 new, 0 delivered");
    lab.once(0);
    assert!(lab.received().is_empty());
}

#[test]
fn one_row_a_full_page_and_one_more() {
    for count in [1, 200, 201] {
        let lab = Lab::new(&[SALES]);
        let orders = insert(&lab, count);
        lab.once(0).says(&format!("{count} new, {count} delivered"));
        assert_eq!(once_each(&lab, "sales"), orders);
        let read = pages(&lab, "COMPLETE");
        assert_eq!(read.iter().map(|(_, rows)| rows).sum::<usize>(), count, "{read:?}");
        assert_eq!(read.first().map(|(page, rows)| (*page, *rows)), Some((1, count.min(200))));
        lab.once(0).says("0 new, 0 delivered");
        assert_eq!(once_each(&lab, "sales"), orders);
    }
}

#[test]
fn a_thousand_rows_of_one_second() {
    let lab = Lab::new(&[SALES]);
    let orders = insert(&lab, 1_000);
    lab.once(0).says("1,000 new, 1,000 delivered");
    assert_eq!(once_each(&lab, "sales"), orders);
    let pages: Vec<u32> = pages(&lab, "COMPLETE").iter().map(|(page, _)| *page).take(5).collect();
    assert_eq!(pages, [1, 2, 3, 4, 5]);
    lab.once(0);
    assert_eq!(lab.received().len(), 1_000);
}

#[test]
fn a_lead_that_buys_is_a_lead_and_a_sale() {
    let lab = Lab::new(&[SALES, LEADS]);
    let order = lab.crm().lead("ada@example.test").unwrap();
    lab.once(0);
    assert_eq!(arrived(&lab), BTreeMap::from([once_at("leads", &order)]));
    lab.crm().convert(&order).unwrap();
    lab.once(0);
    lab.once(0);
    assert_eq!(arrived(&lab), BTreeMap::from([once_at("leads", &order), once_at("sales", &order)]));
    // One that has bought before anyone looked was no lead that waits to be called.
    let bought = lab.crm().sale("grace@example.test").unwrap();
    lab.once(0);
    assert_eq!(once_each(&lab, "sales"), BTreeSet::from([order.clone(), bought]));
    assert_eq!(once_each(&lab, "leads"), BTreeSet::from([order]));
}

#[test]
fn a_sale_that_is_refunded_or_cancelled_before_anyone_looked_is_still_a_sale() {
    let lab = Lab::new(&[SALES, REFUNDS, CANCELLED]);
    let refunded = lab.crm().sale("ada@example.test").unwrap();
    lab.crm().refund(&refunded).unwrap();
    let cancelled = lab.crm().sale("grace@example.test").unwrap();
    lab.crm().cancel(&cancelled).unwrap();
    lab.once(0);
    lab.once(0);
    assert_eq!(once_each(&lab, "sales"), BTreeSet::from([refunded.clone(), cancelled.clone()]));
    assert_eq!(once_each(&lab, "refunds"), BTreeSet::from([refunded]));
    assert_eq!(once_each(&lab, "cancelled"), BTreeSet::from([cancelled]));
}

#[test]
fn last_years_orders_that_change_today_are_no_sales() {
    let lab = Lab::new(&[SALES, REFUNDS, CANCELLED]);
    let (refunded, _) = last_years_order(&lab);
    lab.crm().refund(&refunded).unwrap();
    let (shipped, _) = last_years_order(&lab);
    lab.crm().with(|state| state.ship(&shipped, "1Z999")).unwrap();
    let (cancelled, _) = last_years_order(&lab);
    lab.crm().cancel(&cancelled).unwrap();
    // One that says nothing of a cancellation but its status: it was cancelled long ago, and somebody edited it.
    let (edited, now) = last_years_order(&lab);
    lab.crm().with(|state| {
        state.edit_order(&edited, |order| {
            order.status = OrderStatus::Cancelled;
            order.updated = now;
        })
    });
    for _ in 0..2 {
        lab.once(0);
        assert_eq!(
            arrived(&lab),
            BTreeMap::from([once_at("refunds", &refunded), once_at("cancelled", &cancelled)])
        );
    }
}

#[test]
fn last_years_lead_that_buys_today_is_a_sale() {
    let lab = Lab::new(&[SALES]);
    let now = lab.crm().with(|state| state.now());
    lab.crm().with(|state| state.pin(Some(now.saturating_sub(SignedDuration::from_hours(24 * 300)))));
    let order = lab.crm().lead("ada@example.test").unwrap();
    lab.crm().with(|state| state.pin(None));
    lab.crm().convert(&order).unwrap();
    lab.once(0);
    assert_eq!(arrived(&lab), BTreeMap::from([once_at("sales", &order)]));
    let looked_up = lab
        .crm()
        .crm_requests()
        .iter()
        .any(|one| one.endpoint == "transactions/query" && one.param("orderId") == Some(order.as_str()));
    assert!(looked_up, "the day of the sale is in its transactions");
}

#[test]
fn a_row_that_appears_late_with_an_older_time_is_found() {
    let lab = Lab::new(&[SALES]);
    let orders = insert(&lab, 3);
    lab.once(0);
    let late = lab.crm().insert_order(|order| {
        order.created = order.created.saturating_sub(SignedDuration::from_mins(10));
        order.updated = order.created;
    });
    let late = late.unwrap();
    lab.once(0);
    assert_eq!(once_each(&lab, "sales").len(), orders.len() + 1);
    assert!(once_each(&lab, "sales").contains(&late));
}

#[test]
fn a_rebill_is_no_new_sale() {
    let lab = Lab::new(&[SALES]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    let rebilled = lab.crm().rebill(&order).unwrap();
    assert_ne!(rebilled.order_id, order, "this product ships with each cycle");
    lab.once(0);
    assert_eq!(once_each(&lab, "sales"), BTreeSet::from([order]));
}

#[test]
fn rows_that_come_while_pages_are_read_are_not_lost() {
    let lab = Lab::new(&[SALES]);
    let mut orders = insert(&lab, 401);
    lab.fault("row-inserted:first=2,on=order/query");
    lab.once(0);
    lab.once(0);
    orders.extend(
        lab.crm().with(|state| state.orders().map(|order| order.order_id.clone()).collect::<Vec<_>>()),
    );
    assert_eq!(orders.len(), 403, "two rows came while it was read");
    assert_eq!(once_each(&lab, "sales"), orders);
}

#[test]
fn rows_that_slip_to_an_earlier_page_are_not_lost() {
    let lab = Lab::new(&[SALES]);
    insert(&lab, 401);
    lab.fault("row-removed:first=1,on=order/query");
    lab.once(0);
    let left: BTreeSet<String> =
        lab.crm().with(|state| state.orders().map(|order| order.order_id.clone()).collect());
    assert_eq!(left.len(), 400, "one row left while it was read");
    assert!(once_each(&lab, "sales").is_superset(&left));
    assert_eq!(pages(&lab, "COMPLETE").iter().filter(|(page, _)| *page == 1).count(), 2, "it was read again");
    lab.once(0);
    assert_eq!(lab.received().len(), once_each(&lab, "sales").len());
}

#[test]
fn each_refund_of_an_order_counts() {
    let lab = Lab::new(&[REFUNDS]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    let first = lab
        .crm()
        .with(|state| state.refund(&order, Some(zaprun_sandbox::Money::from_cents(1_000)), "half of it"));
    let rest = lab.crm().refund(&order);
    // A void gives no money back.
    lab.crm().insert_transaction(|txn| txn.txn_type = TxnType::Void).unwrap();
    lab.once(0);
    let mut transactions: Vec<String> =
        lab.bodies().iter().map(|body| body["transaction"].as_str().unwrap().to_owned()).collect();
    transactions.sort();
    let mut refunds: Vec<String> =
        [first.unwrap(), rest.unwrap()].concat().iter().map(ToString::to_string).collect();
    refunds.sort();
    assert_eq!(transactions, refunds);
    assert!(lab.received().iter().all(|one| one.method == "PUT"));
}

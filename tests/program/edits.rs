//! What stays as it is when zaps are edited, and what their options choose.

use std::collections::BTreeSet;
use std::fs;

use jiff::{SignedDuration, Timestamp};
use zaprun_sandbox::{Config, ManualClock};

use crate::harness::{BUYERS, CANCELLED, DECLINES, LEADS, Lab, SALES, checkout};

/// The paths at which something arrived, in order of arrival.
fn paths(lab: &Lab) -> Vec<String> {
    lab.received().iter().map(|one| one.path.trim_start_matches("/sink/").to_owned()).collect()
}

#[test]
fn an_edited_zap_sends_nothing_again() {
    let lab = Lab::new(&[SALES]);
    lab.sales(3);
    lab.once(0);
    lab.zap(&SALES.replace("fixed: 19.90", "fixed: 20.00").replace("every: 1s", "every: 5s"));
    lab.once(0);
    assert_eq!(lab.received().len(), 3);
    lab.sales(1);
    lab.once(0);
    assert_eq!(lab.received().last().unwrap().json().unwrap()["fixed"].to_string(), "20.0");
    assert_eq!(lab.received().len(), 4);
}

#[test]
fn a_renamed_zap_keeps_its_ledger_and_its_keys() {
    let lab =
        Lab::new(&[&SALES
            .replace("retry: { first: 10ms, max_delay: 50ms }", "retry: { first: 1ms, max_delay: 1ms }")]);
    lab.sales(2);
    lab.once(0);
    lab.sales(1);
    lab.fault("sink-500");
    lab.once(1);
    fs::remove_file(lab.path("zaps/sales.yaml")).unwrap();
    lab.zap(&SALES.replace("name: sales\n", "name: revenue\nformerly: sales\n"));
    lab.crm().clear_faults();
    lab.once(0);
    let sink = lab.crm().sink_summary();
    assert_eq!((sink.accepted, sink.distinct_keys, sink.duplicates), (3, 3, 0), "{sink:?}");
    // Without that word it is another zap, which has its own start.
    fs::remove_file(lab.path("zaps/revenue.yaml")).unwrap();
    lab.zap(&SALES.replace("name: sales\n", "name: takings\n"));
    lab.once(0);
    assert_eq!(lab.crm().sink_summary().distinct_keys, 6);
}

#[test]
fn a_zap_that_is_switched_off_does_nothing() {
    let lab = Lab::new(&[&SALES.replace("name: sales\n", "name: sales\nenabled: false\n"), BUYERS]);
    lab.sales(1);
    lab.once(0);
    assert_eq!(paths(&lab), ["buyers"]);
}

#[test]
fn where_chooses_rows() {
    let chosen = |where_: &str| {
        let zap = SALES.replace("start: START", &format!("start: START, where: {where_}"));
        let lab = Lab::new(&[&zap]);
        for (campaign, product) in [(12, 15271), (15, 15310), (21, 15402)] {
            let control = lab.crm();
            control
                .insert_order(|order| {
                    order.campaign_id = campaign;
                    order.lines[0].product_id = product;
                })
                .unwrap();
        }
        lab.once(0);
        let campaigns = lab.received();
        campaigns.iter().map(|one| one.query.clone()).collect::<BTreeSet<String>>()
    };
    let set = |ids: &[&str]| ids.iter().map(|id| format!("campaign={id}")).collect::<BTreeSet<String>>();
    assert_eq!(chosen("{ campaignId: 15 }"), set(&["15"]));
    assert_eq!(chosen("{ campaignId: [12, \"21\"] }"), set(&["12", "21"]));
    assert_eq!(chosen("{ campaignProductId: 15402 }"), set(&["21"]));
    assert_eq!(chosen("{ emailAddress: nobody@example.test }"), set(&[]));
}

#[test]
fn a_declined_order_is_told_once() {
    let lab = Lab::new(&[&DECLINES.replace("every: 1s", "every: 1s, once_per: orderId")]);
    let lead = lab.crm().lead("ada@example.test").unwrap();
    for _ in 0..3 {
        lab.crm().decline(&lead).unwrap();
    }
    lab.once(0);
    lab.crm().decline(&lead).unwrap();
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1), ("filtered".to_owned(), 3)].into());
}

#[test]
fn cycles_all_takes_rebills() {
    let lab = Lab::new(&[&SALES.replace("every: 1s", "every: 1s, cycles: all")]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    lab.crm().rebill(&order).unwrap();
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn test_orders_are_left_out_unless_asked_for() {
    let lab = Lab::new(&[SALES, &BUYERS.replace("every: 1s", "every: 1s, include_test: true")]);
    let order = lab.crm().lead("tester@example.test").unwrap();
    lab.crm().with(|state| state.sell(&order, checkout(&[15271], "TESTCARD", false))).unwrap();
    lab.once(0);
    assert_eq!(paths(&lab), ["buyers"]);
}

#[test]
fn an_order_in_quality_assurance_is_no_sale_until_it_is_let_through() {
    let lab = Lab::new(&[SALES, CANCELLED]);
    let [approved, rejected] = ["ada@example.test", "eve@example.test"].map(|email| {
        let order = lab.crm().lead(email).unwrap();
        lab.crm().with(|state| state.sell(&order, checkout(&[15271], "VISA", true))).unwrap();
        order
    });
    lab.once(0);
    assert!(lab.received().is_empty());
    lab.crm().with(|state| state.approve(&approved)).unwrap();
    lab.crm().cancel(&rejected).unwrap();
    lab.once(0);
    lab.once(0);
    assert_eq!(paths(&lab), ["sales"]);
    assert_eq!(lab.bodies()[0]["order"], approved);
}

#[test]
fn leads_that_bought_are_taken_when_asked_for() {
    let lab = Lab::new(&[&LEADS.replace("every: 1s", "every: 1s, include_bought: true")]);
    lab.sales(1);
    lab.crm().lead("open@example.test").unwrap();
    lab.once(0);
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn a_crm_whose_clock_is_ten_minutes_off_loses_nothing() {
    for minutes in [-10, 10] {
        let theirs = Timestamp::now().saturating_add(SignedDuration::from_mins(minutes)).unwrap();
        let clock = ManualClock::at(theirs);
        let now = [SALES, LEADS].map(|zap| zap.replace("start: START", "start: now"));
        let lab = Lab::with(Config { clock: clock.clock(), ..Config::default() }, &[&now[0], &now[1]]);
        lab.once(0);
        clock.advance(SignedDuration::from_mins(1));
        let sale = lab.crm().sale("ada@example.test").unwrap();
        let lead = lab.crm().lead("grace@example.test").unwrap();
        lab.once(0);
        lab.once(0);
        let mut orders: Vec<String> =
            lab.bodies().iter().map(|body| body["order"].as_str().unwrap().to_owned()).collect();
        orders.sort();
        let mut wanted = vec![sale, lead];
        wanted.sort();
        assert_eq!(orders, wanted, "{minutes} minutes");
    }
}

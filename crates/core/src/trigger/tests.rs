//! What is news, kind by kind.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::record::{ReadSet, Row};

fn zone() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

fn moment(local: &str) -> crate::record::Moment {
    crate::record::Moment::parse(local, &zone()).unwrap()
}

fn at(local: &str) -> Timestamp {
    moment(local).at
}

fn when(boundary: &str) -> When {
    When { boundary: at(boundary), opened_at: at(boundary), skew: SignedDuration::ZERO }
}

fn row(of: &dyn Kind, raw: &serde_json::Value) -> Row {
    Row::decode(raw.to_string().as_bytes(), of.schema(), &ReadSet::All).unwrap()
}

fn order(status: &str, created: &str, updated: &str) -> serde_json::Value {
    serde_json::json!({
        "orderId": "8DF962A27F", "orderStatus": status, "orderType": "NEW_SALE", "cardType": "VISA",
        "dateCreated": created, "dateUpdated": updated, "items": {},
    })
}

fn judge(name: &str, raw: &serde_json::Value, boundary: &str) -> Verdict {
    let kind = kind(name).unwrap();
    kind.judge(&row(kind, raw), &when(boundary), &zone())
}

/// It was charged first at that time.
fn sold(local: &str) -> Charges {
    Charges { any: true, first_sale: Some(moment(local)), ..Charges::default() }
}

/// It has transactions, none of which dates anything.
const ONLY_OTHERS: Charges = Charges { any: true, first_sale: None, last_refund: None, last_decline: None };

const NOON: &str = "2026-09-16 12:00:00";
const BEFORE: &str = "2026-09-16 11:59:59";
const AFTER: &str = "2026-09-16 12:00:01";

#[test]
fn a_sale_since_the_boundary_fires_as_of_its_last_update() {
    assert_eq!(judge("new_sale", &order("COMPLETE", NOON, AFTER), NOON), Verdict::Fire { at: at(AFTER) });
    assert_eq!(judge("new_sale", &order("COMPLETE", AFTER, AFTER), NOON), Verdict::Fire { at: at(AFTER) });
}

#[test]
fn a_lead_from_before_that_bought_since_needs_its_transactions() {
    let verdict = judge("new_sale", &order("COMPLETE", BEFORE, AFTER), NOON);
    assert_eq!(verdict, Verdict::LookUp { order_id: "8DF962A27F".to_owned() });
    let kind = kind("new_sale").unwrap();
    let row = row(kind, &order("COMPLETE", BEFORE, AFTER));
    let told = |charges| kind.judge_charges(&row, &charges, &when(NOON), &zone());
    assert_eq!(told(sold(AFTER)), Verdict::Fire { at: at(AFTER) });
    assert_eq!(told(sold(BEFORE)), Verdict::Prime { at: at(BEFORE) });
    assert_eq!(told(Charges::default()), Verdict::PrimeUndated { at: at(BEFORE) });
    assert_eq!(told(ONLY_OTHERS), Verdict::Prime { at: at(BEFORE) });
}

#[test]
fn a_sale_first_seen_refunded_always_needs_its_transactions() {
    for status in ["REFUNDED", "CANCELLED"] {
        let raw = order(status, AFTER, AFTER);
        assert!(matches!(judge("new_sale", &raw, NOON), Verdict::LookUp { .. }), "{status}");
        let kind = kind("new_sale").unwrap();
        let told = |charges| kind.judge_charges(&row(kind, &raw), &charges, &when(NOON), &zone());
        assert!(matches!(told(sold(AFTER)), Verdict::Fire { .. }));
        assert!(matches!(told(Charges::default()), Verdict::Prime { .. }), "never charged: never sold");
    }
}

#[test]
fn last_years_order_that_is_refunded_or_shipped_today_is_no_sale() {
    let kind = kind("new_sale").unwrap();
    for status in ["COMPLETE", "REFUNDED"] {
        let raw = order(status, "2025-09-16 12:00:00", AFTER);
        assert!(matches!(judge("new_sale", &raw, NOON), Verdict::LookUp { .. }));
        let told = kind.judge_charges(&row(kind, &raw), &sold("2025-09-16 12:00:01"), &when(NOON), &zone());
        assert!(matches!(told, Verdict::Prime { .. }));
    }
    assert!(matches!(judge("new_sale", &order("COMPLETE", BEFORE, BEFORE), NOON), Verdict::Prime { .. }));
}

#[test]
fn rebills_and_test_cards_are_told_by_the_row() {
    let kind = kind("new_sale").unwrap();
    let mut raw = order("COMPLETE", AFTER, AFTER);
    raw["orderType"] = "RECURRING".into();
    assert!(!kind.takes(&row(kind, &raw), Options::default()));
    assert!(kind.takes(&row(kind, &raw), Options { all_cycles: true, ..Options::default() }));
    let mut raw = order("COMPLETE", AFTER, AFTER);
    raw["cardType"] = "TESTCARD".into();
    assert!(!kind.takes(&row(kind, &raw), Options::default()));
    assert!(kind.takes(&row(kind, &raw), Options { include_test: true, ..Options::default() }));
    assert!(!kind.takes(&row(kind, &order("PENDING", AFTER, AFTER)), Options::default()), "still in review");
}

#[test]
fn a_cancellation_is_dated_by_its_items_or_else_by_its_update() {
    let mut raw = order("CANCELLED", "2025-01-01 00:00:00", AFTER);
    raw["items"] =
        serde_json::json!({"1": {"lastCancellationDate": BEFORE}, "2": {"lastCancellationDate": AFTER}});
    assert_eq!(judge("cancelled", &raw, NOON), Verdict::Fire { at: at(AFTER) });
    raw["items"] = serde_json::json!({"1": {"lastCancellationDate": BEFORE}});
    assert_eq!(judge("cancelled", &raw, NOON), Verdict::Prime { at: at(BEFORE) });
    assert_eq!(judge("cancelled", &order("CANCELLED", BEFORE, AFTER), NOON), Verdict::Fire { at: at(AFTER) });
    let old = order("CANCELLED", "2026-06-01 00:00:00", AFTER);
    assert!(matches!(judge("cancelled", &old, NOON), Verdict::PrimeUndated { .. }), "more than 90 days");
    assert!(matches!(
        judge("cancelled", &order("CANCELLED", BEFORE, BEFORE), NOON),
        Verdict::PrimeUndated { .. }
    ));
}

#[test]
fn a_lead_is_dated_by_its_beginning() {
    assert_eq!(judge("new_lead", &order("PARTIAL", NOON, AFTER), NOON), Verdict::Fire { at: at(NOON) });
    assert_eq!(judge("new_lead", &order("PARTIAL", BEFORE, AFTER), NOON), Verdict::Prime { at: at(BEFORE) });
    let kind = kind("new_lead").unwrap();
    let sold = row(kind, &order("COMPLETE", AFTER, AFTER));
    assert!(!kind.takes(&sold, Options::default()));
    assert!(kind.takes(&sold, Options { include_bought: true, ..Options::default() }));
}

#[test]
fn a_rebill_is_judged_as_a_sale_and_no_first_sale_is_one() {
    let kind = kind("rebill").unwrap();
    let mut raw = order("COMPLETE", BEFORE, AFTER);
    assert!(!kind.takes(&row(kind, &raw), Options { all_cycles: true, ..Options::default() }));
    raw["orderType"] = "RECURRING".into();
    assert!(kind.takes(&row(kind, &raw), Options::default()));
    assert!(matches!(kind.judge(&row(kind, &raw), &when(NOON), &zone()), Verdict::LookUp { .. }));
    let told = |charges| kind.judge_charges(&row(kind, &raw), &charges, &when(NOON), &zone());
    assert_eq!(told(sold(AFTER)), Verdict::Fire { at: at(AFTER) });
    assert_eq!(told(sold(BEFORE)), Verdict::Prime { at: at(BEFORE) });
    raw["dateCreated"] = NOON.into();
    assert_eq!(judge("rebill", &raw, NOON), Verdict::Fire { at: at(AFTER) });
    assert!(kind.queries(Options::default()).iter().all(|query| {
        query.params.contains(&("orderType", "RECURRING".to_owned()))
            && query.seen_through == DateRange::Updated
    }));
}

const LAST_YEAR: &str = "2025-09-16 12:00:00";
const IN_JUNE: &str = "2026-06-20 12:00:00";

#[test]
fn an_order_is_declined_when_its_last_charge_was() {
    let kind = kind("declined").unwrap();
    assert_eq!(judge("declined", &order("DECLINED", NOON, AFTER), NOON), Verdict::Fire { at: at(AFTER) });
    assert!(matches!(judge("declined", &order("DECLINED", IN_JUNE, BEFORE), NOON), Verdict::Prime { .. }));
    let mut raw = order("DECLINED", IN_JUNE, AFTER);
    assert!(matches!(judge("declined", &raw, NOON), Verdict::LookUp { .. }));
    let told = |raw: &serde_json::Value, charges: &Charges| {
        kind.judge_charges(&row(kind, raw), charges, &when(NOON), &zone())
    };
    let refused = |local| Charges { last_decline: Some(moment(local)), ..ONLY_OTHERS };
    assert_eq!(told(&raw, &refused(AFTER)), Verdict::Fire { at: at(AFTER) });
    assert_eq!(told(&raw, &refused(BEFORE)), Verdict::Prime { at: at(BEFORE) }, "edited since");
    raw["reviewStatus"] = "DECLINED".into();
    assert_eq!(told(&raw, &refused(BEFORE)), Verdict::Fire { at: at(AFTER) }, "turned down in review");
    assert_eq!(told(&raw, &ONLY_OTHERS), Verdict::Fire { at: at(AFTER) });
    let old = order("DECLINED", LAST_YEAR, AFTER);
    assert_eq!(told(&old, &Charges::default()), Verdict::PrimeUndated { at: at(LAST_YEAR) });
}

#[test]
fn declined_orders_have_cycles() {
    let kind = kind("declined").unwrap();
    let all = Options { all_cycles: true, ..Options::default() };
    let mut raw = order("DECLINED", AFTER, AFTER);
    assert!(kind.takes(&row(kind, &raw), Options::default()));
    raw["orderType"] = "RECURRING".into();
    assert!(!kind.takes(&row(kind, &raw), Options::default()) && kind.takes(&row(kind, &raw), all));
    assert!(!kind.takes(&row(kind, &order("PARTIAL", AFTER, AFTER)), all), "it may still buy");
    assert_eq!(kind.queries(Options::default())[0].params.len(), 2);
    assert_eq!(kind.queries(all)[0].params.len(), 1);
}

#[test]
fn last_years_order_is_refunded_when_its_money_went_back() {
    let kind = kind("refunded").unwrap();
    assert_eq!(judge("refunded", &order("REFUNDED", NOON, AFTER), NOON), Verdict::Fire { at: at(AFTER) });
    assert!(matches!(judge("refunded", &order("REFUNDED", LAST_YEAR, BEFORE), NOON), Verdict::Prime { .. }));
    let raw = order("REFUNDED", LAST_YEAR, AFTER);
    assert!(matches!(judge("refunded", &raw, NOON), Verdict::LookUp { .. }));
    let told = |charges: &Charges| kind.judge_charges(&row(kind, &raw), charges, &when(NOON), &zone());
    let refunds = |local| Charges { last_refund: Some(moment(local)), ..sold(LAST_YEAR) };
    assert_eq!(told(&refunds(AFTER)), Verdict::Fire { at: at(AFTER) });
    assert_eq!(told(&refunds(BEFORE)), Verdict::Prime { at: at(BEFORE) }, "edited since");
    assert_eq!(told(&sold(LAST_YEAR)), Verdict::PrimeUndated { at: at(LAST_YEAR) }, "outside of the CRM");
    assert!(!kind.takes(&row(kind, &order("COMPLETE", AFTER, AFTER)), Options::default()));
}

fn shipment(status: &str, shipped: impl Into<serde_json::Value>) -> serde_json::Value {
    serde_json::json!({"fulfillmentId": 7, "status": status, "dateShipped": shipped.into()})
}

#[test]
fn an_order_is_shipped_with_its_first_parcel() {
    let kind = kind("shipped").unwrap();
    let with = |parcels: &[serde_json::Value]| {
        let mut raw = order("COMPLETE", LAST_YEAR, AFTER);
        raw["orderType"] = "RECURRING".into();
        raw["fulfillments"] = parcels.into();
        raw
    };
    let takes = |raw: &serde_json::Value| kind.takes(&row(kind, raw), Options::default());
    for (status, shipped, left) in [
        ("HOLD", "".into(), false),
        ("PENDING_SHIPMENT", AFTER.into(), false),
        ("SHIPPED", serde_json::Value::Null, true),
        ("DELIVERED", AFTER.into(), true),
        ("RETURNED", AFTER.into(), true),
        ("RMA_PENDING", serde_json::Value::Null, false),
        ("CANCELLED", AFTER.into(), false),
    ] {
        assert_eq!(takes(&with(&[shipment(status, shipped)])), left, "{status}");
    }
    assert!(!takes(&with(&[])));
    let verdict = |parcels: &[serde_json::Value]| judge("shipped", &with(parcels), NOON);
    assert_eq!(verdict(&[shipment("SHIPPED", AFTER)]), Verdict::Fire { at: at(AFTER) });
    assert_eq!(verdict(&[shipment("SHIPPED", BEFORE)]), Verdict::Prime { at: at(BEFORE) });
    let second = [shipment("SHIPPED", AFTER), shipment("DELIVERED", IN_JUNE)];
    assert_eq!(verdict(&second), Verdict::Prime { at: at(IN_JUNE) }, "a second parcel is no news");
    let waits = [shipment("HOLD", IN_JUNE), shipment("SHIPPED", AFTER)];
    assert_eq!(verdict(&waits), Verdict::Fire { at: at(AFTER) });
    assert_eq!(
        verdict(&[shipment("SHIPPED", serde_json::Value::Null)]),
        Verdict::PrimeUndated { at: at(LAST_YEAR) }
    );
}

#[test]
fn a_parcel_dated_by_the_day_left_at_some_time_of_it() {
    let raw = |shipped: &str, updated: &str| {
        let mut raw = order("COMPLETE", LAST_YEAR, updated);
        raw["fulfillments"] = serde_json::json!({"7": shipment("SHIPPED", shipped)});
        raw
    };
    for day in ["2026-09-16 00:00:00", "2026-09-16"] {
        assert_eq!(judge("shipped", &raw(day, AFTER), NOON), Verdict::Fire { at: at(day) });
        assert_eq!(judge("shipped", &raw(day, BEFORE), NOON), Verdict::Prime { at: at(day) });
    }
    let yesterday = "2026-09-15 00:00:00";
    assert_eq!(judge("shipped", &raw(yesterday, AFTER), NOON), Verdict::Prime { at: at(yesterday) });
}

#[test]
fn a_chargeback_comes_late_on_an_old_transaction() {
    let kind = kind("chargeback").unwrap();
    let marked = |charged: &str, updated: &str, bank: &str| {
        let mut raw = transaction("SALE", "SUCCESS");
        raw["isChargedback"] = "1".into();
        raw["dateCreated"] = charged.into();
        raw["dateUpdated"] = updated.into();
        raw["chargebackDate"] = bank.into();
        raw
    };
    let verdict = |raw: &serde_json::Value| judge("chargeback", raw, NOON);
    let today = "2026-09-16 00:00:00";
    assert_eq!(verdict(&marked(IN_JUNE, AFTER, AFTER)), Verdict::Fire { at: at(AFTER) });
    assert_eq!(verdict(&marked(IN_JUNE, AFTER, today)), Verdict::Fire { at: at(today) });
    assert_eq!(verdict(&marked(IN_JUNE, BEFORE, today)), Verdict::Prime { at: at(today) }, "marked before");
    let entered_late = marked(LAST_YEAR, AFTER, IN_JUNE);
    assert_eq!(verdict(&entered_late), Verdict::Fire { at: at(AFTER) });
    assert_eq!(verdict(&marked(LAST_YEAR, BEFORE, IN_JUNE)), Verdict::Prime { at: at(IN_JUNE) });
    let touched = marked(LAST_YEAR, AFTER, "2026-05-01");
    assert_eq!(verdict(&touched), Verdict::Prime { at: at("2026-05-01") }, "months after the bank's date");
    assert_eq!(
        verdict(&marked(LAST_YEAR, AFTER, "")),
        Verdict::Fire { at: at(AFTER) },
        "undated, not too old"
    );
    let ancient = "2024-09-16 12:00:00";
    assert_eq!(verdict(&marked(ancient, AFTER, "")), Verdict::PrimeUndated { at: at(ancient) });
    let takes = |raw: &serde_json::Value| kind.takes(&row(kind, raw), Options::default());
    assert!(takes(&entered_late));
    for flag in [serde_json::json!(0), "0".into(), serde_json::Value::Null, false.into()] {
        let mut raw = entered_late.clone();
        raw["isChargedback"] = flag;
        assert!(!takes(&raw), "{raw}");
    }
    let queries = kind.queries(Options::default());
    assert_eq!(queries[0].name(), "transactions/query dateUpdated isChargedback=1");
}

#[test]
fn a_customer_is_dated_by_its_beginning() {
    let raw = |created: &str| serde_json::json!({"customerId": 19241, "dateCreated": created});
    assert_eq!(judge("new_customer", &raw(NOON), NOON), Verdict::Fire { at: at(NOON) });
    assert_eq!(judge("new_customer", &raw(BEFORE), NOON), Verdict::Prime { at: at(BEFORE) });
    assert_eq!(judge("new_customer", &raw(""), NOON), Verdict::PrimeUndated { at: at(NOON) });
    let kind = kind("new_customer").unwrap();
    assert_eq!(row(kind, &raw(NOON)).text(kind.key_field()).as_deref(), Some("19241"));
}

#[test]
fn money_that_went_back_is_told_by_the_last_success() {
    let rows: Vec<Row> = [
        ("REFUND", "SUCCESS", BEFORE),
        ("VOID", "SUCCESS", NOON),
        ("REFUND", "HARD_DECLINE", AFTER),
        ("AUTHORIZE", "HARD_DECLINE", AFTER),
    ]
    .into_iter()
    .map(|(kind, answer, at)| {
        let mut raw = transaction(kind, answer);
        raw["dateCreated"] = at.into();
        Row::decode(raw.to_string().as_bytes(), &crate::record::TRANSACTION, &charges_lookup_fields())
            .unwrap()
    })
    .collect();
    let charges = Charges::of(&rows, &zone());
    assert_eq!((charges.last_refund, charges.first_sale), (Some(moment(NOON)), None));
    assert_eq!(charges.last_decline, Some(moment(AFTER)), "a refused refund is no decline");
}

fn transaction(kind: &str, answer: &str) -> serde_json::Value {
    serde_json::json!({"transactionId": 900_001, "txnType": kind, "responseType": answer, "dateCreated": AFTER})
}

#[test]
fn a_refused_refund_is_no_decline_and_a_rebill_decline_is_asked_for() {
    let kind = kind("decline").unwrap();
    let takes = |raw: &serde_json::Value, all| {
        kind.takes(&row(kind, raw), Options { all_cycles: all, ..Options::default() })
    };
    assert!(takes(&transaction("SALE", "SOFT_DECLINE"), false));
    assert!(takes(&transaction("AUTHORIZE", "HARD_DECLINE"), false));
    assert!(!takes(&transaction("REFUND", "SOFT_DECLINE"), true));
    assert!(!takes(&transaction("SALE", "SUCCESS"), true));
    let mut raw = transaction("SALE", "SOFT_DECLINE");
    raw["billingCycleNumber"] = "2".into();
    assert!(!takes(&raw, false) && takes(&raw, true));
    raw["billingCycleNumber"] = 1.into();
    raw["recycleNumber"] = 1.into();
    assert!(!takes(&raw, false) && takes(&raw, true));
}

#[test]
fn voids_are_refunds_only_where_asked_for() {
    let kind = kind("refund").unwrap();
    let voids = Options { include_voids: true, ..Options::default() };
    assert!(kind.takes(&row(kind, &transaction("REFUND", "SUCCESS")), Options::default()));
    assert!(!kind.takes(&row(kind, &transaction("REFUND", "HARD_DECLINE")), voids));
    assert!(!kind.takes(&row(kind, &transaction("VOID", "SUCCESS")), Options::default()));
    assert!(kind.takes(&row(kind, &transaction("VOID", "SUCCESS")), voids));
    assert_eq!(kind.queries(Options::default()).len(), 1);
    assert_eq!(kind.queries(voids).len(), 2);
}

#[test]
fn the_crms_clock_is_allowed_to_be_wrong() {
    let kind = kind("new_lead").unwrap();
    for minutes in [-10, 10] {
        let skew = SignedDuration::from_mins(minutes);
        let when = When { skew, ..when(NOON) };
        let there =
            zone().to_datetime(at(NOON).checked_add(skew).unwrap()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let verdict = kind.judge(&row(kind, &order("PARTIAL", &there, &there)), &when, &zone());
        assert!(matches!(verdict, Verdict::Fire { .. }), "{minutes}");
    }
}

#[test]
fn what_happens_in_the_hour_that_autumn_repeats_is_not_missed() {
    // The boundary lies in the second pass of the hour; the CRM writes the same local time in both.
    let boundary: Timestamp = "2026-11-01T06:10:00Z".parse().unwrap();
    let when = When { boundary, opened_at: boundary, skew: SignedDuration::ZERO };
    for kind in KINDS {
        let mut raw = if kind.key_field() == "orderId" {
            order("COMPLETE", "2026-11-01 01:30:00", "2026-11-01 01:30:00")
        } else {
            transaction("SALE", "SUCCESS")
        };
        raw["dateCreated"] = "2026-11-01 01:30:00".into();
        raw["dateUpdated"] = "2026-11-01 01:30:00".into();
        let verdict = kind.judge(&row(*kind, &raw), &when, &zone());
        assert!(matches!(verdict, Verdict::Fire { .. }), "{}", kind.name());
        raw["dateCreated"] = "2026-11-01 01:05:00".into();
        raw["dateUpdated"] = "2026-11-01 01:05:00".into();
        let verdict = kind.judge(&row(*kind, &raw), &when, &zone());
        assert!(!matches!(verdict, Verdict::Fire { .. }), "{}", kind.name());
    }
}

#[test]
fn the_first_charge_is_the_earliest_success() {
    let rows: Vec<Row> =
        [("SALE", "SOFT_DECLINE", BEFORE), ("CAPTURE", "SUCCESS", AFTER), ("SALE", "SUCCESS", NOON)]
            .into_iter()
            .map(|(kind, answer, at)| {
                let mut raw = transaction(kind, answer);
                raw["dateCreated"] = at.into();
                Row::decode(raw.to_string().as_bytes(), &crate::record::TRANSACTION, &charges_lookup_fields())
                    .unwrap()
            })
            .collect();
    assert_eq!(Charges::of(&rows, &zone()).first_sale, Some(moment(NOON)));
    let declined = Charges { last_decline: Some(moment(BEFORE)), ..ONLY_OTHERS };
    assert_eq!(Charges::of(&rows[..1], &zone()), declined);
    assert_eq!(Charges::of([], &zone()), Charges::default());
}

proptest! {
    /// Whatever the CRM sends, a row is judged, never a panic; and only rows with an instant fire.
    #[test]
    fn judging_is_total(status in "[A-Z]{0,8}|COMPLETE|PARTIAL|CANCELLED", created in ".{0,22}", updated in ".{0,22}") {
        for kind in KINDS {
            let mut raw = order(&status, &created, &updated);
            raw["isChargedback"] = 1.into();
            raw["chargebackDate"] = updated.as_str().into();
            raw["fulfillments"] = serde_json::json!([{"status": "SHIPPED", "dateShipped": created}]);
            let row = row(*kind, &raw);
            let _taken = kind.takes(&row, Options::default());
            if let Verdict::Fire { at } = kind.judge(&row, &when(NOON), &zone()) {
                prop_assert!(at >= Timestamp::MIN);
            }
        }
    }

    /// The boundary parts old from new at the second.
    #[test]
    fn a_dated_row_fires_exactly_from_the_boundary(offset in -100_000_i64..100_000) {
        let created = at(NOON).checked_add(SignedDuration::from_secs(offset)).unwrap();
        let local = zone().to_datetime(created).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let fired = matches!(judge("new_lead", &order("PARTIAL", &local, &local), NOON), Verdict::Fire { .. });
        prop_assert_eq!(fired, offset >= 0);
    }
}

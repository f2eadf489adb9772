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
    let told = |first| kind.judge_sale(&row, first, &when(NOON), &zone());
    assert_eq!(told(FirstSale::At(moment(AFTER))), Verdict::Fire { at: at(AFTER) });
    assert_eq!(told(FirstSale::At(moment(BEFORE))), Verdict::Prime { at: at(BEFORE) });
    assert_eq!(told(FirstSale::NoTransactions), Verdict::PrimeUndated { at: at(BEFORE) });
    assert_eq!(told(FirstSale::OnlyOthers), Verdict::Prime { at: at(BEFORE) });
}

#[test]
fn a_sale_first_seen_refunded_always_needs_its_transactions() {
    for status in ["REFUNDED", "CANCELLED"] {
        let raw = order(status, AFTER, AFTER);
        assert!(matches!(judge("new_sale", &raw, NOON), Verdict::LookUp { .. }), "{status}");
        let kind = kind("new_sale").unwrap();
        let told = |first| kind.judge_sale(&row(kind, &raw), first, &when(NOON), &zone());
        assert!(matches!(told(FirstSale::At(moment(AFTER))), Verdict::Fire { .. }));
        assert!(
            matches!(told(FirstSale::NoTransactions), Verdict::Prime { .. }),
            "never charged: never sold"
        );
    }
}

#[test]
fn last_years_order_that_is_refunded_or_shipped_today_is_no_sale() {
    let kind = kind("new_sale").unwrap();
    for status in ["COMPLETE", "REFUNDED"] {
        let raw = order(status, "2025-09-16 12:00:00", AFTER);
        assert!(matches!(judge("new_sale", &raw, NOON), Verdict::LookUp { .. }));
        let told = kind.judge_sale(
            &row(kind, &raw),
            FirstSale::At(moment("2025-09-16 12:00:01")),
            &when(NOON),
            &zone(),
        );
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
                Row::decode(raw.to_string().as_bytes(), &crate::record::TRANSACTION, &sale_lookup_fields())
                    .unwrap()
            })
            .collect();
    assert_eq!(FirstSale::of(&rows, &zone()), FirstSale::At(moment(NOON)));
    assert_eq!(FirstSale::of(&rows[..1], &zone()), FirstSale::OnlyOthers);
    assert_eq!(FirstSale::of([], &zone()), FirstSale::NoTransactions);
}

proptest! {
    /// Whatever the CRM sends, a row is judged, never a panic; and only rows with an instant fire.
    #[test]
    fn judging_is_total(status in "[A-Z]{0,8}|COMPLETE|PARTIAL|CANCELLED", created in ".{0,22}", updated in ".{0,22}") {
        for kind in KINDS {
            let raw = order(&status, &created, &updated);
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

//! Buyers, payments and replies that many tests share.

use serde_json::Value;

use crate::bed::{Bed, rows};

pub(crate) const BUYER: &[(&str, &str)] = &[
    ("campaignId", "12"),
    ("firstName", "Ada"),
    ("lastName", "Example"),
    ("emailAddress", "ada@example.test"),
    ("address1", "1 Sample Street"),
    ("city", "Springfield"),
    ("country", "US"),
    ("postalCode", "10001"),
    ("ipAddress", "203.0.113.10"),
    ("billShipSame", "1"),
];

pub(crate) const PREPAID: &[(&str, &str)] =
    &[("paySource", "PREPAID"), ("product1_id", "15271"), ("product2_id", "15272")];

pub(crate) const CARD: &[(&str, &str)] = &[
    ("paySource", "CREDITCARD"),
    ("product1_id", "15273"),
    ("product1_qty", "2"),
    ("cardNumber", "4111111111111111"),
    ("cardMonth", "12"),
    ("cardYear", "2030"),
    ("cardSecurityCode", "123"),
];

pub(crate) async fn row(bed: &Bed, order_id: &str) -> Value {
    rows(&bed.call("order/query", &[("orderId", order_id)]).await)[0].clone()
}

pub(crate) fn id(reply: &Value) -> String {
    assert_eq!(reply["result"], "SUCCESS", "{reply}");
    reply["message"]["orderId"].as_str().unwrap().to_owned()
}

/// The first row of a read.
pub(crate) async fn first(bed: &Bed, endpoint: &str, params: &[(&str, &str)]) -> Value {
    let reply = bed.call(endpoint, params).await;
    rows(&reply).first().cloned().unwrap_or_else(|| panic!("no row: {reply}"))
}

/// Asserts that a write was carried out.
#[track_caller]
pub(crate) fn fine(reply: &Value) {
    assert_eq!(reply["result"], "SUCCESS", "{reply}");
}

/// The fields that a validation names, sorted.
#[track_caller]
pub(crate) fn complaints(reply: &Value) -> Vec<String> {
    assert_eq!(reply["result"], "ERROR", "{reply}");
    let fields = reply["message"].as_object().unwrap_or_else(|| panic!("no map: {reply}"));
    assert!(fields.values().all(Value::is_string), "{reply}");
    let mut names: Vec<String> = fields.keys().cloned().collect();
    names.sort_unstable();
    names
}

/// Asserts that a write was refused with a text, and not for a field.
#[track_caller]
pub(crate) fn refused(reply: &Value) {
    assert_eq!(reply["result"], "ERROR", "{reply}");
    assert!(reply["message"].is_string(), "{reply}");
}

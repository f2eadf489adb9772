//! Replies have the keys, their order and the JSON types of the recorded samples.

use serde_json::Value;

use crate::bed::Bed;

macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../samples/", $name, ".json"))).unwrap()
    };
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Keys in order, and a path with both types for each that differs, save `null` against anything where `loose`.
fn compare(path: &str, got: &Value, sample: &Value, loose: bool, differences: &mut Vec<String>) {
    match (got, sample) {
        (Value::Object(got), Value::Object(sample)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            let keyed_by_id = path.ends_with("/items");
            let skipped = path.ends_with("/queryArgs");
            if !keyed_by_id && !skipped && keys(got) != keys(sample) {
                differences.push(format!("{path}: keys {:?} but recorded {:?}", keys(got), keys(sample)));
            }
            for (place, (key, value)) in got.iter().enumerate() {
                let recorded = if keyed_by_id { sample.values().nth(place) } else { sample.get(key) };
                if let Some(recorded) = recorded {
                    compare(&format!("{path}/{key}"), value, recorded, loose, differences);
                }
            }
        }
        (Value::Array(got), Value::Array(sample)) => {
            for (got, sample) in got.iter().zip(sample) {
                compare(&format!("{path}/*"), got, sample, loose, differences);
            }
        }
        _ if kind(got) == kind(sample) => {}
        (Value::Null, _) | (_, Value::Null) if loose => {}
        _ => differences.push(format!("{path}: {} but recorded {}", kind(got), kind(sample))),
    }
}

fn assert_alike(got: &Value, sample: &Value, loose: bool) {
    let mut differences = Vec::new();
    compare("", got, sample, loose, &mut differences);
    assert!(differences.is_empty(), "{}\n{got:#}", differences.join("\n"));
}

const ADA: &[(&str, &str)] = &[
    ("campaignId", "459"),
    ("firstName", "Ada"),
    ("lastName", "Example"),
    ("emailAddress", "ada@example.test"),
    ("phoneNumber", "5555550100"),
    ("address1", "1 Sample Street"),
    ("city", "Springfield"),
    ("state", "NY"),
    ("postalCode", "10001"),
    ("country", "US"),
    ("ipAddress", "203.0.113.10"),
    ("salesUrl", "https://shop.example.test/checkout"),
    ("shipFirstName", "Ada"),
    ("shipLastName", "Example"),
    ("shipAddress1", "1 Sample Street"),
    ("shipCity", "Springfield"),
    ("shipState", "NY"),
    ("shipPostalCode", "10001"),
    ("shipCountry", "US"),
];

const TEST_CARD: &[(&str, &str)] = &[
    ("paySource", "CREDITCARD"),
    ("product1_id", "15999"),
    ("cardNumber", "0000000000000000"),
    ("cardMonth", "12"),
    ("cardYear", "2030"),
    ("cardSecurityCode", "123"),
];

#[tokio::test]
async fn leads_import_answers_as_recorded() {
    let bed = Bed::new().await;
    let reply = bed.call("leads/import", ADA).await;
    let mut sample = sample!("leads_import_success_2026");
    for field in ["orderId", "customerId"] {
        sample["message"][field] = reply["message"][field].clone();
    }
    sample["message"]["campaignId"] = 459.into();
    assert_eq!(reply.to_string(), sample.to_string());
}

#[tokio::test]
async fn order_import_answers_as_recorded() {
    let bed = Bed::new().await;
    let reply = bed.call("order/import", &[ADA, TEST_CARD].concat()).await;
    assert_alike(&reply, &sample!("order_import_success_2026"), false);
    let held = [ADA, TEST_CARD, &[("forceQA", "1"), ("emailAddress", "other@example.test")]].concat();
    let reply = bed.call("order/import", &held).await;
    let sample = sample!("order_import_forceqa_pending_2026");
    assert_alike(&reply, &sample, false);
    for pointer in [
        "/message/orderStatus",
        "/message/reviewStatus",
        "/message/amountPaid",
        "/message/items/0/purchaseStatus",
        "/message/items/0/txnType",
        "/message/items/0/nextBillDate",
        "/message/totalAmount",
        "/message/totalRefundRemaining",
    ] {
        assert_eq!(reply.pointer(pointer), sample.pointer(pointer), "{pointer}");
    }
}

#[tokio::test]
async fn order_query_answers_as_recorded() {
    let bed = Bed::new().await;
    let held = bed.call("order/import", &[ADA, TEST_CARD, &[("forceQA", "1")]].concat()).await;
    let order_id = held["message"]["orderId"].as_str().unwrap();
    let approved = bed.call("order/qa", &[("orderId", order_id), ("action", "APPROVE")]).await;
    assert_eq!(approved, sample!("qa_approved"));
    let reply = bed.call("order/query", &[("orderId", order_id)]).await;
    let sample = sample!("order_query_2026");
    let mut got = reply.clone();
    // The sample's product had no code of its own and no name in brackets.
    assert_alike(&got, &sample, false);
    let (row, recorded) = (&mut got["message"]["data"][0], &sample["message"]["data"][0]);
    for field in
        ["totalAmount", "refundRemaining", "price", "orderStatus", "reviewStatus", "cardExpiryDate", "name"]
    {
        assert_eq!(row[field], recorded[field], "{field}");
    }
    let (item, recorded) = (&row["items"]["15999"], &recorded["items"]["15271"]);
    for field in ["price", "shipping", "qty", "txnType", "purchaseStatus", "nextBillDate", "responseType"] {
        assert_eq!(item[field], recorded[field], "{field}");
    }
    let keys = |value: &Value| {
        value["message"]["queryArgs"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&reply), keys(&sample));
}

#[tokio::test]
async fn transactions_query_has_the_known_fields() {
    let bed = Bed::new().await;
    let lead = bed.control.lead("ada@example.test").unwrap();
    bed.control.decline(&lead).unwrap();
    let sale = bed.control.convert(&lead).unwrap().unwrap().to_string();
    bed.control.refund(&lead).unwrap();
    let sample = skeleton(sample!("skeleton_transactions_query"));
    let mut reply = bed.call("transactions/query", &[("orderId", &lead)]).await;
    let data = reply["message"]["data"].as_array_mut().unwrap();
    let (declined, charged, refund) = (data[0].clone(), data[1].clone(), data[2].clone());
    *data = vec![declined, refund];
    assert_alike(&reply, &sample, true);
    assert_eq!(charged["transactionId"].to_string(), sale);
    assert_eq!(charged["parentTxnId"], Value::Null);
}

fn skeleton(mut sample: Value) -> Value {
    sample.as_object_mut().unwrap().shift_remove("_note");
    sample
}

#[tokio::test]
async fn purchases_and_customers_have_the_known_fields() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    let reply = bed.call("purchase/query", &[("orderId", &order)]).await;
    assert_alike(&reply, &skeleton(sample!("skeleton_purchase_query")), true);
    let reply = bed.call("customer/query", &[("orderId", &order)]).await;
    assert_alike(&reply, &skeleton(sample!("skeleton_customer_query")), true);
    let row = &reply["message"]["data"][0];
    assert_eq!(row["eCommerceLogin"], "ada@example.test");
    assert!(row["eCommercePassword"].as_str().unwrap().starts_with("shop-secret-"));
}

#[tokio::test]
async fn errors_have_the_recorded_texts() {
    let bed = Bed::new().await;
    let same = |reply: Value, sample: Value| assert_eq!(reply, sample);
    same(bed.call("leads/import", &[("campaignId", "1")]).await, sample!("error_first_last_required"));
    same(bed.call("order/query", &[("orderId", "nope")]).await, sample!("error_no_orders"));
    let bare: Vec<_> =
        [ADA, TEST_CARD].concat().into_iter().filter(|(name, _)| !name.starts_with("ship")).collect();
    same(bed.call("order/import", &bare).await, sample!("error_missing_shipping"));
    let campaign = [ADA, TEST_CARD, &[("campaignId", "99")]].concat();
    same(bed.call("order/import", &campaign).await, sample!("error_no_products"));
    same(
        bed.call("order/import", &[ADA, TEST_CARD, &[("product1_id", "1")]].concat()).await,
        sample!("error_no_products"),
    );
    same(bed.call("purchase/query", &[("orderId", "nope")]).await, sample!("error_no_purchases"));
    same(bed.call("order/preauth", &[("customerId", "1")]).await, sample!("error_customer_not_found"));
    let lead = bed.call("leads/import", &[ADA, &[("emailAddress", "pre@example.test")]].concat()).await;
    let preauth = [TEST_CARD, &[("orderId", lead["message"]["orderId"].as_str().unwrap())]].concat();
    same(bed.call("order/preauth", &preauth).await, sample!("preauth_success"));
    bed.control.add_fault("redirect:first=1".parse().unwrap());
    let redirect = bed.call("order/import", &[ADA, TEST_CARD].concat()).await;
    assert_alike(&redirect, &skeleton(sample!("merc_redirect_shape")), true);
    let card = |number| [ADA, TEST_CARD, &[("cardNumber", number)]].concat();
    same(bed.call("order/import", &card("4000000000000002")).await, sample!("error_card_declined"));
    same(bed.call("order/import", &card("4000000000000069")).await, sample!("error_prepaid_not_accepted"));
    same(
        bed.call("order/import", &[ADA, TEST_CARD, &[("cardSecurityCode", "900")]].concat()).await,
        sample!("error_card_declined"),
    );
    same(
        bed.call("order/qa", &[("orderId", "x"), ("action", "MAYBE")]).await,
        sample!("error_qa_bad_action"),
    );
    same(bed.call("order/qa", &[("orderId", "x")]).await, sample!("error_qa_missing_action"));
    bed.call("order/import", &card("4111111111111111")).await;
    same(bed.call("order/import", &card("0000000000000000")).await, sample!("error_test_card_live_customer"));
    let config = zaprun_sandbox::Config { password: "other".to_owned(), ..crate::bed::steady() };
    same(Bed::with(config).await.call("order/query", &[]).await, sample!("error_auth"));
}

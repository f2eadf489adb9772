//! `upsale/import`.

use crate::support::request;
use crate::world::{World, charge, doubt, order, refusal, response};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn upsale() -> CrmRequest {
    request("konnektive.create_upsale", &[("orderId", "8DF962A27F"), ("productId", "15300")])
}

fn offer() -> Value {
    json!({"productId": 15271, "orderItemId": 69555, "qty": 1, "responseType": "SUCCESS", "purchaseId": "1471F527F9"})
}

fn upsell(changes: Value) -> Value {
    let row = json!({"productId": 15300, "orderItemId": 69600, "qty": 1, "responseType": "SUCCESS", "purchaseId": "AAAA000001"});
    crate::world::with(row, changes)
}

fn sold(items: &[(&str, Value)]) -> Value {
    let items: Value = items
        .iter()
        .map(|(key, item)| ((*key).to_owned(), item.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    order(json!({"items": items}))
}

async fn without_upsell() -> (World, String) {
    let world = World::new().await;
    world.order(sold(&[("15271", offer())]));
    world.charges([charge(json!({}))]);
    let before = world.before(&upsale()).await;
    (world, before)
}

#[tokio::test]
async fn a_line_that_is_new_is_the_upsale() {
    let (world, before) = without_upsell().await;
    assert_eq!(world.after(&upsale(), &before).await, Seen::NotHappened);
    world.order(sold(&[("15271", offer()), ("15300", upsell(json!({})))]));
    world.charges([charge(json!({})), charge(json!({"transactionId": 900009}))]);
    let answer = response(&world.after(&upsale(), &before).await);
    assert_eq!(
        (&answer["orderId"], &answer["transactionId"], &answer["purchaseId"]),
        (&json!("8DF962A27F"), &json!("900009"), &json!("AAAA000001"))
    );
    // As a list, without ids.
    world.order(order(json!({"items": [offer(), {"productId": "15300", "qty": "1"}]})));
    response(&world.after(&upsale(), &before).await);
}

#[tokio::test]
async fn the_same_product_once_more_is_seen_by_its_quantity() {
    let again = request("konnektive.create_upsale", &[("orderId", "8DF962A27F"), ("productId", "15271")]);
    let world = World::new().await;
    world.order(sold(&[("15271", offer())]));
    let before = world.before(&again).await;
    assert_eq!(world.after(&again, &before).await, Seen::NotHappened);
    world.order(sold(&[("15271", crate::world::with(offer(), json!({"qty": 2})))]));
    response(&world.after(&again, &before).await);
}

#[tokio::test]
async fn a_declined_line_is_none_and_a_decline_is_told() {
    let (world, before) = without_upsell().await;
    world.order(sold(&[("15271", offer()), ("15300", upsell(json!({"responseType": "SOFT_DECLINE"})))]));
    world.charges([
        charge(json!({})),
        charge(json!({"transactionId": 900009, "responseType": "SOFT_DECLINE", "responseText": "Funds"})),
    ]);
    assert_eq!(refusal(&world.after(&upsale(), &before).await), "Transaction Declined: Funds");
}

#[tokio::test]
async fn a_rebill_is_none_of_it() {
    let (world, before) = without_upsell().await;
    world.charges([
        charge(json!({})),
        charge(json!({"transactionId": 900009, "billingCycleNumber": 2})),
        charge(json!({"transactionId": 900010, "orderType": "RECURRING", "responseType": "SOFT_DECLINE"})),
    ]);
    assert_eq!(world.after(&upsale(), &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn what_cannot_be_told_is_said_to_be_unclear() {
    let (world, before) = without_upsell().await;
    world.charges([charge(json!({})), charge(json!({"transactionId": 900009}))]);
    assert_eq!(
        doubt(&world.after(&upsale(), &before).await),
        "transaction 900009 succeeded, but the product is not in order 8DF962A27F"
    );
    world.charges([charge(json!({})), charge(json!({"transactionId": 900009, "responseType": ""}))]);
    assert_eq!(doubt(&world.after(&upsale(), &before).await), "transaction 900009 is not decided yet");
    let two = request(
        "konnektive.create_upsale",
        &[("orderId", "8DF962A27F"), ("product1_id", "15300"), ("product2_id", "15400")],
    );
    world.order(sold(&[("15271", offer()), ("15300", upsell(json!({})))]));
    assert_eq!(doubt(&world.after(&two, &before).await), "only 1 of 2 products are in order 8DF962A27F");
    world.shows("order/query", []);
    assert_eq!(doubt(&world.after(&upsale(), &before).await), "order 8DF962A27F is not in the CRM");
    world.before(&upsale()).await;
    let nothing = request("konnektive.create_upsale", &[]);
    assert_eq!(doubt(&world.look(&nothing, None).await.seen), "the request names no order");
    assert!(doubt(&world.after(&upsale(), "?").await).contains("not in the CRM"));
}

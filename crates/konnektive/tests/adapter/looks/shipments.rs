//! `fulfillment/update`.

use crate::support::request;
use crate::world::{World, charge, doubt, order, response, with};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn shipped() -> CrmRequest {
    request(
        "konnektive.update_fulfillment",
        &[
            ("orderId", "8DF962A27F"),
            ("fulfillmentStatus", "SHIPPED"),
            ("trackingNumber", "1Z999"),
            ("dateShipped", "09/16/2026"),
        ],
    )
}

fn parcel(changes: Value) -> Value {
    let row = json!({
        "fulfillmentId": 32439, "clientFulfillmentId": "1DC1319043", "trackingNumber": null, "dateShipped": null,
        "status": "HOLD", "dateReturned": null, "rmaNumber": null,
    });
    with(row, changes)
}

fn sent() -> Value {
    parcel(json!({"status": "SHIPPED", "trackingNumber": "1Z999", "dateShipped": "2026-09-16 00:00:00"}))
}

fn holds(parcels: &[Value]) -> Value {
    order(json!({"fulfillments": parcels}))
}

#[tokio::test]
async fn a_parcel_that_says_it_now_was_told() {
    let world = World::new().await;
    world.order(holds(&[parcel(json!({}))]));
    let before = world.before(&shipped()).await;
    assert_eq!(world.after(&shipped(), &before).await, Seen::NotHappened);
    for row in [
        sent(),
        with(sent(), json!({"dateShipped": "2026-09-16"})),
        with(sent(), json!({"dateShipped": "0000-00-00 00:00:00"})),
        with(sent(), json!({"status": "DELIVERED"})),
        with(sent(), json!({"status": "Shipped", "fulfillmentId": "32439"})),
    ] {
        world.order(holds(&[row]));
        let answer = response(&world.after(&shipped(), &before).await);
        assert_eq!(
            (&answer["orderId"], &answer["customerId"], &answer["fulfillmentId"]),
            (&json!("8DF962A27F"), &json!("19475"), &json!("32439"))
        );
    }
    for row in [
        with(sent(), json!({"trackingNumber": "1Z998"})),
        with(sent(), json!({"dateShipped": "2026-09-15 00:00:00"})),
        with(sent(), json!({"status": "PENDING_SHIPMENT"})),
        with(sent(), json!({"status": "RETURNED"})),
    ] {
        world.order(holds(&[row]));
        assert_eq!(world.after(&shipped(), &before).await, Seen::NotHappened);
    }
    // Keyed by id instead of listed.
    world.order(order(json!({"fulfillments": {"32439": sent()}})));
    response(&world.after(&shipped(), &before).await);
}

#[tokio::test]
async fn what_is_so_already_needs_no_telling() {
    let world = World::new().await;
    world.order(holds(&[sent()]));
    assert_eq!(response(&world.look(&shipped(), None).await.seen)["fulfillmentId"], "32439");
    // Another parcel of the order is waiting still.
    let waiting = parcel(json!({"fulfillmentId": 32440, "clientFulfillmentId": "2"}));
    world.order(holds(&[sent(), waiting.clone()]));
    let before = world.before(&shipped()).await;
    assert_eq!(world.after(&shipped(), &before).await, Seen::NotHappened);
    world.order(holds(&[sent(), with(sent(), json!({"fulfillmentId": 32440}))]));
    assert_eq!(response(&world.after(&shipped(), &before).await)["fulfillmentId"], "32440");
    // The one that is named is sent: the other is no business of this.
    let mut named = shipped();
    named.params.push(("fulfillmentId".into(), "1DC1319043".into()));
    world.order(holds(&[sent(), waiting]));
    response(&world.look(&named, None).await.seen);
}

#[tokio::test]
async fn returns_and_stops_are_seen_likewise() {
    for (params, row) in [
        (vec![("fulfillmentStatus", "CANCELLED")], parcel(json!({"status": "CANCELLED"}))),
        (
            vec![("fulfillmentStatus", "RETURNED"), ("dateReturned", "9/16/2026")],
            parcel(json!({"status": "RETURNED", "dateReturned": "2026-09-16 08:00:00"})),
        ),
        (
            vec![("fulfillmentStatus", "RMA_PENDING"), ("rmaNumber", "R1"), ("refundAmount", "5.00")],
            parcel(json!({"status": "RMA_PENDING", "rmaNumber": "R1"})),
        ),
        (
            vec![("fulfillmentStatus", "RMA_PENDING"), ("rmaNumber", "R1"), ("refundAmount", "5.00")],
            parcel(json!({"status": "RETURNED", "rmaNumber": "R1"})),
        ),
    ] {
        let params: Vec<(&str, &str)> = [vec![("orderId", "8DF962A27F")], params].concat();
        let request = request("konnektive.update_fulfillment", &params);
        let world = World::new().await;
        world.order(holds(&[parcel(json!({}))]));
        let before = world.before(&request).await;
        assert_eq!(world.after(&request, &before).await, Seen::NotHappened);
        world.order(holds(&[row]));
        response(&world.after(&request, &before).await);
    }
}

#[tokio::test]
async fn money_that_went_back_without_the_parcel_is_unclear() {
    let request = request(
        "konnektive.update_fulfillment",
        &[
            ("orderId", "8DF962A27F"),
            ("fulfillmentStatus", "RMA_PENDING"),
            ("rmaNumber", "R1"),
            ("refundAmount", "0.30"),
        ],
    );
    let world = World::new().await;
    world.order(holds(&[parcel(json!({}))]));
    world.charges([charge(json!({}))]);
    let before = world.before(&request).await;
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened);
    world.charges([
        charge(json!({})),
        charge(json!({"transactionId": 2, "txnType": "REFUND", "parentTxnId": 900001})),
    ]);
    assert_eq!(
        doubt(&world.after(&request, &before).await),
        "money of order 8DF962A27F went back, but no shipment shows the change"
    );
    // What is so already may still be asked for its money.
    world.order(holds(&[parcel(json!({"status": "RMA_PENDING", "rmaNumber": "R1"}))]));
    world.before(&request).await;
}

#[tokio::test]
async fn a_parcel_without_its_order_is_looked_for_among_those_touched_lately() {
    let alone = request(
        "konnektive.update_fulfillment",
        &[("fulfillmentId", "32439"), ("fulfillmentStatus", "CANCELLED")],
    );
    let world = World::new().await;
    let before = world.before(&alone).await;
    let asked = &world.asked("fulfillment/query")[0];
    assert_eq!(
        (asked.field("dateRangeType"), asked.field("startDate"), asked.field("endDate")),
        (Some("dateUpdated"), Some("09/15/2026"), Some("09/17/2026"))
    );
    assert!(doubt(&world.after(&alone, &before).await).contains("name its order as well"));
    let row = |status: &str| parcel(json!({"status": status, "orderId": "8DF962A27F", "customerId": 19475}));
    let other = with(row("CANCELLED"), json!({"fulfillmentId": 1, "clientFulfillmentId": "x"}));
    world.shows("fulfillment/query", [other.clone(), row("HOLD")]);
    assert_eq!(world.after(&alone, &before).await, Seen::NotHappened);
    world.shows("fulfillment/query", [other, row("CANCELLED")]);
    let answer = response(&world.after(&alone, &before).await);
    assert_eq!((&answer["orderId"], &answer["fulfillmentId"]), (&json!("8DF962A27F"), &json!("32439")));
    // It says so before it is told.
    response(&world.look(&alone, None).await.seen);
    // Not every API user may read shipments: then nobody can tell, and the update may still be sent.
    for body in [
        r#"{"result":"ERROR","message":"no permission"}"#,
        r#"{"result":"ERROR","message":"Unknown endpoint"}"#,
    ] {
        world.says("fulfillment/query", body);
        assert!(
            doubt(&world.look(&alone, None).await.seen)
                .starts_with("shipments without their order cannot be read")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_told() {
    let world = World::new().await;
    let before = world.before(&shipped()).await;
    assert_eq!(doubt(&world.after(&shipped(), &before).await), "order 8DF962A27F is not in the CRM");
    for fulfillments in [json!([]), json!(null), json!("")] {
        world.order(order(json!({"fulfillments": fulfillments})));
        let before = world.before(&shipped()).await;
        assert_eq!(world.after(&shipped(), &before).await, Seen::NotHappened);
    }
    let nothing = request("konnektive.update_fulfillment", &[("fulfillmentStatus", "CANCELLED")]);
    assert_eq!(doubt(&world.look(&nothing, None).await.seen), "the request names no order and no shipment");
}

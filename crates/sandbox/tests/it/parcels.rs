//! fulfillment/update and fulfillment/query (contract §5.3, §3.6).

use serde_json::{Value, json};

use crate::bed::{Bed, column, rows};
use crate::shop::{complaints, fine, first, id, refused, row};

const SHIPPED: &[(&str, &str)] =
    &[("fulfillmentStatus", "SHIPPED"), ("trackingNumber", "1Z999"), ("dateShipped", "9/17/2026")];
const CANCELLED: &[(&str, &str)] = &[("fulfillmentStatus", "CANCELLED")];
const RMA: &[(&str, &str)] =
    &[("fulfillmentStatus", "RMA_PENDING"), ("refundAmount", "10.00"), ("rmaNumber", "RMA7")];
const RETURNED: &[(&str, &str)] = &[("fulfillmentStatus", "RETURNED"), ("dateReturned", "09/20/2026")];

async fn update(bed: &Bed, order: &str, change: &[(&str, &str)]) -> Value {
    bed.call("fulfillment/update", &[&[("orderId", order)], change].concat()).await
}

async fn parcel(bed: &Bed, order: &str) -> Value {
    first(bed, "fulfillment/query", &[("orderId", order)]).await
}

#[tokio::test]
async fn a_parcel_goes_out_arrives_and_comes_back() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    let waiting = parcel(&bed, &order).await;
    assert_eq!((&waiting["status"], &waiting["dateShipped"]), (&json!("HOLD"), &Value::Null));
    let carried = [SHIPPED, &[("shipCarrier", "UPS"), ("shipMethod", "GROUND")]].concat();
    fine(&update(&bed, &order, &carried).await);
    let sent = row(&bed, &order).await["fulfillments"][0].clone();
    assert_eq!((&sent["status"], &sent["trackingNumber"]), (&json!("SHIPPED"), &json!("1Z999")));
    assert_eq!((&sent["dateShipped"], &sent["shipCarrier"]), (&json!("2026-09-17 00:00:00"), &json!("UPS")));
    bed.control.deliver(&order).unwrap();
    assert_eq!(parcel(&bed, &order).await["dateDelivered"], "2026-09-16 14:18:55");

    fine(&update(&bed, &order, RMA).await);
    let back = parcel(&bed, &order).await;
    assert_eq!((&back["status"], &back["rmaNumber"]), (&json!("RMA_PENDING"), &json!("RMA7")));
    assert_eq!(row(&bed, &order).await["refundRemaining"], "39.99");
    fine(&update(&bed, &order, RMA).await);
    assert_eq!(row(&bed, &order).await["refundRemaining"], "29.99", "asked again, paid again");
    let greedy = [RMA, &[("refundAmount", "30.00")]].concat();
    refused(&update(&bed, &order, &greedy).await);
    fine(&update(&bed, &order, RETURNED).await);
    let home = parcel(&bed, &order).await;
    assert_eq!((&home["status"], &home["dateReturned"]), (&json!("RETURNED"), &json!("2026-09-20 00:00:00")));
}

#[tokio::test]
async fn each_status_wants_what_belongs_to_it() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    let id = parcel(&bed, &order).await["fulfillmentId"].to_string();
    assert_eq!(complaints(&bed.call("fulfillment/update", &[]).await), ["orderId"]);
    let alone = [("fulfillmentId", id.as_str())];
    assert_eq!(complaints(&bed.call("fulfillment/update", &alone).await), ["fulfillmentStatus"]);
    for (status, missing) in [
        ("SHIPPED", vec!["dateShipped", "trackingNumber"]),
        ("RMA_PENDING", vec!["refundAmount", "rmaNumber"]),
        ("RETURNED", vec!["dateReturned"]),
    ] {
        let reply = update(&bed, &order, &[("fulfillmentStatus", status)]).await;
        assert_eq!(complaints(&reply), missing, "{status}");
    }
    for status in ["DELIVERED", "HOLD", "shipped"] {
        let reply = update(&bed, &order, &[("fulfillmentStatus", status)]).await;
        assert_eq!(complaints(&reply), ["fulfillmentStatus"], "{status}");
    }
    let long = "x".repeat(33);
    let wrong = [
        ("fulfillmentStatus", "SHIPPED"),
        ("trackingNumber", long.as_str()),
        ("dateShipped", "2026-09-17"),
        ("shipCarrier", &long),
        ("shipMethod", &long),
        ("rmaNumber", &long),
        ("refundAmount", "some"),
        ("dateReturned", "yesterday"),
    ];
    let named = complaints(&update(&bed, &order, &wrong).await);
    let expected = [
        "dateReturned",
        "dateShipped",
        "refundAmount",
        "rmaNumber",
        "shipCarrier",
        "shipMethod",
        "trackingNumber",
    ];
    assert_eq!(named, expected);
    assert_eq!(parcel(&bed, &order).await["status"], "HOLD", "a refused update changes nothing");
}

#[tokio::test]
async fn only_what_waits_is_sent_or_stopped_and_only_what_was_sent_comes_back() {
    let bed = Bed::new().await;
    let stopped = bed.control.sale("a@example.test").unwrap();
    refused(&update(&bed, &stopped, RMA).await);
    refused(&update(&bed, &stopped, RETURNED).await);
    assert_eq!(row(&bed, &stopped).await["refundRemaining"], "49.99");
    fine(&update(&bed, &stopped, CANCELLED).await);
    fine(&update(&bed, &stopped, CANCELLED).await);
    refused(&update(&bed, &stopped, SHIPPED).await);

    let sent = bed.control.sale("b@example.test").unwrap();
    fine(&update(&bed, &sent, SHIPPED).await);
    fine(&update(&bed, &sent, &[SHIPPED, &[("trackingNumber", "1Z998")]].concat()).await);
    assert_eq!(parcel(&bed, &sent).await["trackingNumber"], "1Z998");
    refused(&update(&bed, &sent, CANCELLED).await);
    fine(&update(&bed, &sent, &[("trackingNumber", "1Z997")]).await);
    assert_eq!(parcel(&bed, &sent).await["trackingNumber"], "1Z997");

    let lead = bed.control.lead("c@example.test").unwrap();
    refused(&update(&bed, &lead, SHIPPED).await);
    refused(&update(&bed, "FFFFFFFFFF", SHIPPED).await);
    let cancelled = bed.control.sale("d@example.test").unwrap();
    bed.control.cancel(&cancelled).unwrap();
    refused(&update(&bed, &cancelled, SHIPPED).await);
    fine(&update(&bed, &cancelled, CANCELLED).await);
}

#[tokio::test]
async fn test_orders_stay_on_hold() {
    let bed = Bed::new().await;
    let card = [crate::shop::CARD, &[("cardNumber", "0000000000000000")]].concat();
    let order = id(&bed.call("order/import", &[crate::shop::BUYER, &card].concat()).await);
    refused(&update(&bed, &order, SHIPPED).await);
    assert_eq!(parcel(&bed, &order).await["status"], "HOLD");
    fine(&update(&bed, &order, CANCELLED).await);
}

#[tokio::test]
async fn one_parcel_of_several_is_named_by_its_id() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.control.ship(&order, "1Z1").unwrap();
    bed.control.upsell(&order).unwrap();
    let parcels = bed.call("fulfillment/query", &[("orderId", &order)]).await;
    let ids = column(&parcels, "fulfillmentId");
    assert_eq!(column(&parcels, "status"), ["SHIPPED", "HOLD"]);
    let second = [&[("fulfillmentId", ids[1].as_str())], SHIPPED].concat();
    fine(&bed.call("fulfillment/update", &second).await);
    let parcels = bed.call("fulfillment/query", &[("orderId", &order)]).await;
    assert_eq!(column(&parcels, "trackingNumber"), ["1Z1", "1Z999"]);

    let other = bed.control.sale("b@example.test").unwrap();
    let foreign = [&[("fulfillmentId", ids[1].as_str()), ("orderId", &other)], RETURNED].concat();
    refused(&bed.call("fulfillment/update", &foreign).await);
    for id in ["1", "x"] {
        refused(&bed.call("fulfillment/update", &[&[("fulfillmentId", id)], RETURNED].concat()).await);
    }
}

#[tokio::test]
async fn parcels_are_found_by_order_and_day() {
    let bed = Bed::new().await;
    let order = bed.control.sale("ada@example.test").unwrap();
    bed.clock.advance(jiff::SignedDuration::from_hours(24));
    let later = bed.control.sale("b@example.test").unwrap();
    bed.control.ship(&order, "1Z1").unwrap();
    assert_eq!(column(&bed.today("fulfillment/query", &[]).await, "orderId"), [order.as_str()]);
    let next = [("startDate", "9/17/2026"), ("endDate", "9/17/2026")];
    assert_eq!(column(&bed.call("fulfillment/query", &next).await, "orderId"), [later.as_str()]);
    let updated = [&next[..], &[("dateRangeType", "dateUpdated")]].concat();
    assert_eq!(column(&bed.call("fulfillment/query", &updated).await, "orderId"), [order.as_str(), &later]);
    assert_eq!(complaints(&bed.call("fulfillment/query", &[]).await), ["endDate", "startDate"]);
    let found = rows(&bed.call("fulfillment/query", &[("orderId", &order)]).await)[0].clone();
    let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "company orderId fulfillmentId fulfillmentHouseId dateShipped dateDelivered dateReturned \
                    dateCreated dateUpdated dateExported clientFulfillmentId trackingNumber isReshipment shipCarrier \
                    shipMethod responseText status rmaNumber campaignId customerId items";
    assert_eq!(keys.join(" "), expected);
    assert!(found["fulfillmentId"].is_u64() && found["campaignId"] == "12" && found["customerId"].is_u64());
}

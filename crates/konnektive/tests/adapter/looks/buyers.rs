//! `order/import` without an order's id: the order has to be found.

use crate::support::request;
use crate::world::{World, charge, doubt, lead, order, refusal, response, with, without};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{CrmWriter, Seen};

const KEY: &str = "0b9d8f5e-6b0c-5c55-9f3e-000000000001";

fn sale() -> CrmRequest {
    request(
        "konnektive.create_sale",
        &[
            ("campaignId", "459"),
            ("emailAddress", "Ada@Example.test"),
            ("paySource", "PREPAID"),
            ("product1_id", "15271"),
        ],
    )
}

fn keyed() -> CrmRequest {
    CrmRequest { correlate_in: Some("custom5".into()), ..sale() }
}

/// The same buyer's order of another id.
fn other(id: &str, changes: Value) -> Value {
    with(order(json!({"orderId": id, "clientOrderId": id, "actualOrderId": id})), changes)
}

fn charge_of(id: &str, txn: u32, changes: Value) -> Value {
    let row = charge(json!({"orderId": id, "clientOrderId": id, "actualOrderId": id, "transactionId": txn}));
    with(row, changes)
}

#[tokio::test]
async fn one_new_order_of_the_buyer_is_the_sale() {
    let world = World::new().await;
    // Sold yesterday, and touched today.
    let old = other("AAAAAAAAAA", json!({"dateCreated": "2026-09-15 09:00:00"}));
    world.shows("order/query", [old.clone()]);
    let before = world.before(&sale()).await;
    assert_eq!(world.after(&sale(), &before).await, Seen::NotHappened);

    world.shows("order/query", [old, order(json!({}))]);
    world.charges([charge(json!({}))]);
    let answer = response(&world.after(&sale(), &before).await);
    assert_eq!((&answer["orderId"], &answer["transactionId"]), (&json!("8DF962A27F"), &json!("900001")));
}

#[tokio::test]
async fn the_days_stay_those_of_the_first_look() {
    let world = World::new().await;
    let before = world.before(&sale()).await;
    // Two days later it is looked for on the same days and all since.
    let later = world.crm("2026-09-19T03:00:00Z").look(&sale(), Some(&before)).await.unwrap();
    assert_eq!((later.seen, later.state), (Seen::NotHappened, before));
    let days = |endpoint| {
        let asked = world.asked(endpoint);
        let days = asked.iter().map(|seen| {
            ["dateRangeType", "startDate", "endDate", "emailAddress"]
                .map(|name| seen.field(name).unwrap().to_owned())
        });
        days.collect::<Vec<_>>()
    };
    // Four in the afternoon in New York, then eleven in the evening of the 18th there.
    assert_eq!(
        days("order/query"),
        [
            ["dateUpdated", "09/15/2026", "09/17/2026", "Ada@Example.test"],
            ["dateUpdated", "09/15/2026", "09/19/2026", "Ada@Example.test"]
        ]
    );
    assert_eq!(
        days("transactions/query")[1],
        ["dateCreated", "09/15/2026", "09/19/2026", "Ada@Example.test"]
    );
    assert_eq!(world.asked("order/query")[0].field("campaignId"), Some("459"));
}

#[tokio::test]
async fn days_are_the_accounts_days() {
    // Midnight has passed in London, not in New York, and long ago in Sydney.
    for (zone, first, last) in [
        ("America/New_York", "09/15/2026", "09/17/2026"),
        ("Europe/London", "09/16/2026", "09/18/2026"),
        ("Australia/Sydney", "09/16/2026", "09/18/2026"),
    ] {
        let world = World::new().await;
        let crm = crate::support::konnektive_at(&world.server.base, zone, "2026-09-16T23:30:00Z", 3);
        crm.look(&sale(), None).await.unwrap();
        let asked = &world.asked("order/query")[0];
        assert_eq!((asked.field("startDate"), asked.field("endDate")), (Some(first), Some(last)), "{zone}");
    }
}

#[tokio::test]
async fn an_old_lead_that_was_sold_now_is_the_sale() {
    let world = World::new().await;
    let before = world.before(&sale()).await;
    world.order(order(json!({"dateCreated": "2026-07-01 10:00:00"})));
    world.charges([charge(json!({}))]);
    assert_eq!(response(&world.after(&sale(), &before).await)["orderId"], "8DF962A27F");
    // An order that was sold long ago and is only touched now is not.
    world.charges([charge(
        json!({"dateCreated": "2026-07-01 10:00:00", "emailAddress": "other@example.test"}),
    )]);
    assert_eq!(world.after(&sale(), &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn what_is_not_the_buyers_is_left_out() {
    let world = World::new().await;
    let before = world.before(&sale()).await;
    // What a loose filter may give: another campaign, another person, a rebill.
    world.shows(
        "order/query",
        [
            without(other("AAAAAAAAAA", json!({})), &["emailAddress"]),
            other("BBBBBBBBBB", json!({"orderType": "RECURRING"})),
        ],
    );
    world.says("transactions/query", concat!(
        r#"{"result":"SUCCESS","message":{"data":[{"transactionId":1,"txnType":"SALE","responseType":"SUCCESS","orderId":"BBBBBBBBBB","billingCycleNumber":"2"},"#,
        r#"{"transactionId":2,"txnType":"SALE","responseType":"SUCCESS","orderId":"CCCCCCCCCC","campaignId":"7"},"#,
        r#"{"transactionId":3,"txnType":"SALE","responseType":"SUCCESS","orderId":"DDDDDDDDDD","emailAddress":"eve@example.test"}]}}"#
    ));
    // The one that does not say whose it is may be the buyer's.
    assert_eq!(response(&world.after(&sale(), &before).await)["orderId"], "AAAAAAAAAA");
    world.says("order/query", concat!(
        r#"{"result":"SUCCESS","message":{"data":[{"orderId":"BBBBBBBBBB","orderStatus":"COMPLETE","orderType":"RECURRING"},"#,
        r#"{"orderId":"CCCCCCCCCC","orderStatus":"COMPLETE","campaignId":7},"#,
        r#"{"orderId":"DDDDDDDDDD","orderStatus":"COMPLETE","emailAddress":"eve@example.test"}]}}"#
    ));
    assert_eq!(world.after(&sale(), &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn ambiguous_orders_are_unclear() {
    let world = World::new().await;
    let before = world.before(&sale()).await;
    world.shows("order/query", [order(json!({})), other("AAAAAAAAAA", json!({}))]);
    assert!(doubt(&world.after(&sale(), &before).await).contains("of the same buyer was sold meanwhile"));
    // Other products.
    world.order(order(json!({"items": {"7": {"productId": 7}}})));
    assert!(doubt(&world.after(&sale(), &before).await).contains("whether it is this one cannot be told"));
    // A lead of the buyer's that somebody cancelled, or a sale: no charge says which.
    world.order(order(json!({"orderStatus": "CANCELLED"})));
    assert!(doubt(&world.after(&sale(), &before).await).contains("cannot be told"));
    world.charges([charge(json!({}))]);
    assert_eq!(response(&world.after(&sale(), &before).await)["transactionId"], "900001");
    // A charge without an order.
    world.shows("order/query", []);
    assert_eq!(
        doubt(&world.after(&sale(), &before).await),
        "transaction 900001 of the same buyer succeeded, but no order is sold by it"
    );
    // Old, sold, without any charge: nobody knows since when.
    world.charges([]);
    world.order(order(json!({"dateCreated": "2026-07-01 10:00:00"})));
    assert!(doubt(&world.after(&sale(), &before).await).contains("cannot be told"));
}

#[tokio::test]
async fn a_decline_of_the_buyer_is_the_sales() {
    let world = World::new().await;
    let earlier = charge_of(
        "AAAAAAAAAA",
        1,
        json!({"responseType": "SOFT_DECLINE", "dateCreated": "2026-09-16 09:00:00"}),
    );
    world.charges([earlier.clone()]);
    let before = world.before(&sale()).await;
    assert_eq!(world.after(&sale(), &before).await, Seen::NotHappened);
    let decline =
        |id, txn| charge_of(id, txn, json!({"responseType": "HARD_DECLINE", "responseText": "Stolen"}));
    world.order(lead(json!({})));
    world.charges([earlier, decline("8DF962A27F", 2)]);
    assert_eq!(refusal(&world.after(&sale(), &before).await), "Transaction Declined: Stolen");
    world.charges([decline("8DF962A27F", 2), decline("BBBBBBBBBB", 3)]);
    assert_eq!(
        doubt(&world.after(&sale(), &before).await),
        "more than one order of the same buyer was declined meanwhile"
    );
}

#[tokio::test]
async fn the_key_tells_the_sale_from_all_others() {
    let world = World::new().await;
    let before = world.before(&keyed()).await;
    let ours = order(json!({"custom5": KEY}));
    world
        .shows("order/query", [other("AAAAAAAAAA", json!({})), ours.clone(), other("BBBBBBBBBB", json!({}))]);
    world.charges([charge(json!({}))]);
    let answer = response(&world.after(&keyed(), &before).await);
    assert_eq!((&answer["orderId"], &answer["transactionId"]), (&json!("8DF962A27F"), &json!("900001")));
    // It is found before sending, too: an attempt of which there is no record any more.
    assert_eq!(response(&world.look(&keyed(), None).await.seen)["orderId"], "8DF962A27F");

    // Without the key's order, a sale of the buyer is another one, or this one without its key.
    world.shows("order/query", [other("AAAAAAAAAA", json!({}))]);
    assert!(doubt(&world.after(&keyed(), &before).await).contains("cannot be told"));
    // A shape that does not show the field (2016): by buyer alone.
    world.order(without(order(json!({})), &["custom1", "custom2", "custom3", "custom4", "custom5"]));
    assert_eq!(response(&world.after(&keyed(), &before).await)["orderId"], "8DF962A27F");
    // Twice.
    world.shows("order/query", [ours, other("AAAAAAAAAA", json!({"custom5": KEY}))]);
    assert_eq!(
        doubt(&world.after(&keyed(), &before).await),
        "more than one order carries this request's key"
    );
}

#[tokio::test]
async fn the_lead_with_the_key_tells_of_a_decline() {
    let world = World::new().await;
    let before = world.before(&keyed()).await;
    world.order(lead(json!({"custom5": KEY})));
    assert_eq!(world.after(&keyed(), &before).await, Seen::NotHappened);
    let long_ago = json!({"responseType": "SOFT_DECLINE", "dateCreated": "2026-08-01 09:00:00"});
    world.charges([charge_of("8DF962A27F", 1, long_ago)]);
    assert_eq!(world.after(&keyed(), &before).await, Seen::NotHappened, "of another try, long ago");
    world.charges([charge_of(
        "8DF962A27F",
        2,
        json!({"responseType": "SOFT_DECLINE", "responseText": "Funds"}),
    )]);
    assert_eq!(refusal(&world.after(&keyed(), &before).await), "Transaction Declined: Funds");
}

#[tokio::test]
async fn the_key_alone_is_enough() {
    let mut request = keyed();
    request.params.retain(|(name, _)| name != "emailAddress");
    let world = World::new().await;
    world.shows("order/query", [other("AAAAAAAAAA", json!({}))]);
    let before = world.before(&request).await;
    // Orders of others come and go without a trace in the state.
    world.shows("order/query", [other("BBBBBBBBBB", json!({}))]);
    let sight = world.look(&request, Some(&before)).await;
    assert_eq!((sight.seen, &sight.state), (Seen::NotHappened, &before));
    world.shows("order/query", [without(other("BBBBBBBBBB", json!({})), &["custom5"])]);
    assert_eq!(
        doubt(&world.after(&request, &before).await),
        "the CRM does not show the field that `correlate_in` names"
    );
    world.order(order(json!({"custom5": KEY})));
    assert_eq!(response(&world.after(&request, &before).await)["orderId"], "8DF962A27F");
}

#[tokio::test]
async fn a_customer_is_a_buyer_too_and_nobody_is_none() {
    let world = World::new().await;
    let on_file = request("konnektive.create_sale", &[("customerId", "19475"), ("campaignId", "459")]);
    let before = world.before(&on_file).await;
    assert_eq!(world.asked("order/query")[0].field("customerId"), Some("19475"));
    world.order(order(json!({})));
    assert_eq!(response(&world.after(&on_file, &before).await)["orderId"], "8DF962A27F");

    let nobody = request("konnektive.create_sale", &[("campaignId", "459"), ("phoneNumber", "5555550100")]);
    let asked = world.server.seen().len();
    assert!(doubt(&world.look(&nobody, None).await.seen).starts_with("without orderId"));
    assert_eq!(world.server.seen().len(), asked);
}

//! `order/import` of a lead whose id is known.

use crate::support::request;
use crate::world::{World, charge, doubt, lead, order, refusal, response, with, without};
use serde_json::json;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn sale() -> CrmRequest {
    request(
        "konnektive.create_sale",
        &[
            ("orderId", "8DF962A27F"),
            ("campaignId", "459"),
            ("paySource", "PREPAID"),
            ("product1_id", "15271"),
        ],
    )
}

async fn open_lead() -> (World, String) {
    let world = World::new().await;
    world.order(lead(json!({})));
    let before = world.before(&sale()).await;
    (world, before)
}

#[tokio::test]
async fn what_is_sold_already_is_not_sent() {
    let world = World::new().await;
    for (status, reason) in [
        ("COMPLETE", "order 8DF962A27F is sold already (COMPLETE)"),
        ("PENDING", "order 8DF962A27F is sold already (PENDING)"),
        ("COD_PENDING", "order 8DF962A27F is sold already (COD_PENDING)"),
        ("REFUNDED", "order 8DF962A27F is sold already (REFUNDED)"),
        // A state that nobody knows.
        ("Sale", "order 8DF962A27F is sold already (SALE)"),
        ("CANCELLED", "order 8DF962A27F is cancelled, no lead any more"),
    ] {
        world.order(order(json!({"orderStatus": status})));
        assert_eq!(refusal(&world.look(&sale(), None).await.seen), reason);
    }
    // The charge is there before the status.
    world.order(lead(json!({})));
    world.charges([charge(json!({}))]);
    assert_eq!(
        refusal(&world.look(&sale(), None).await.seen),
        "order 8DF962A27F is charged already (transaction 900001)"
    );
}

#[tokio::test]
async fn what_is_open_may_be_sent() {
    let world = World::new().await;
    // Not there: the CRM will say so itself.
    world.before(&sale()).await;
    for status in ["PARTIAL", "partial", "DECLINED", ""] {
        world.order(lead(json!({"orderStatus": status})));
        world.before(&sale()).await;
    }
    world.order(without(lead(json!({})), &["orderStatus", "reviewStatus", "clientOrderId", "items"]));
    world.before(&sale()).await;
    // A card that is preauthorised, a decline of yesterday, a charge of another order that a loose filter gave.
    world.charges([
        charge(json!({"txnType": "AUTHORIZE"})),
        charge(json!({"responseType": "SOFT_DECLINE"})),
        charge(json!({"orderId": "AAAAAAAAAA", "clientOrderId": "AAAAAAAAAA", "actualOrderId": 1})),
    ]);
    world.before(&sale()).await;
}

#[tokio::test]
async fn a_sale_is_seen_by_the_orders_state() {
    for (status, txns) in [
        ("COMPLETE", vec![charge(json!({}))]),
        ("PENDING", vec![charge(json!({"txnType": "AUTHORIZE"}))]),
        // Prepaid: no transaction.
        ("COMPLETE", vec![]),
        // Refunded or cancelled before anybody looked.
        ("REFUNDED", vec![charge(json!({}))]),
        ("CANCELLED", vec![charge(json!({}))]),
        // A first try was declined, a cascade went on.
        (
            "COMPLETE",
            vec![charge(json!({"transactionId": 900000, "responseType": "SOFT_DECLINE"})), charge(json!({}))],
        ),
    ] {
        let (world, before) = open_lead().await;
        let charged = !txns.is_empty();
        world.order(order(json!({"orderStatus": status})));
        world.charges(txns);
        let answer = response(&world.after(&sale(), &before).await);
        assert_eq!((&answer["orderId"], &answer["customerId"]), (&json!("8DF962A27F"), &json!("19475")));
        assert_eq!(answer["message"]["orderStatus"], status);
        assert_eq!(answer["message"]["achRoutingNumber"], "[removed]");
        assert_eq!(answer["purchaseId"], "1471F527F9");
        assert_eq!(answer.get("transactionId"), charged.then_some(&json!("900001")), "{status}");
    }
}

#[tokio::test]
async fn numbers_where_text_was_and_text_where_numbers_were() {
    let (world, before) = open_lead().await;
    world.order(order(json!({
        "orderStatus": "COMPLETE", "customerId": "19475", "campaignId": "459", "clientOrderId": null,
        "items": [{"productId": "15271", "qty": "1", "price": 0.3, "purchaseId": "P"}], "fulfillments": "",
    })));
    world
        .charges([charge(json!({"transactionId": "900001", "billingCycleNumber": "1", "totalAmount": 0.3}))]);
    let answer = response(&world.after(&sale(), &before).await);
    assert_eq!((&answer["transactionId"], &answer["purchaseId"]), (&json!("900001"), &json!("P")));
}

#[tokio::test]
async fn a_decline_stands_once_nothing_has_followed_it() {
    let (world, before) = open_lead().await;
    let decline = |at: &str| {
        charge(
            json!({"responseType": "SOFT_DECLINE", "responseText": "Card Declined login-canary", "dateCreated": at}),
        )
    };
    world.charges([decline("2026-09-16 15:59:30")]);
    assert_eq!(
        doubt(&world.after(&sale(), &before).await),
        "transaction 900001 was declined just now, and another try may follow"
    );
    world.charges([decline("2026-09-16 15:58:30")]);
    assert_eq!(refusal(&world.after(&sale(), &before).await), "Transaction Declined: Card Declined ***");
    world.charges([with(
        decline("2026-09-16 15:50:00"),
        json!({"responseType": "HARD_DECLINE", "responseText": null}),
    )]);
    assert_eq!(refusal(&world.after(&sale(), &before).await), "Transaction Declined: no reason given");
    // The order says it, and no transaction does.
    world.charges([]);
    world.order(lead(json!({"orderStatus": "DECLINED"})));
    assert_eq!(refusal(&world.after(&sale(), &before).await), "order 8DF962A27F was declined");
}

#[tokio::test]
async fn a_decline_of_before_is_none_of_this() {
    let world = World::new().await;
    world.order(lead(json!({"orderStatus": "DECLINED"})));
    world.charges([charge(json!({"responseType": "SOFT_DECLINE", "dateCreated": "2026-09-01 10:00:00"}))]);
    let before = world.before(&sale()).await;
    assert_eq!(world.after(&sale(), &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn nothing_there_is_nothing_happened_and_the_state_says_so_each_time() {
    let (world, before) = open_lead().await;
    let first = world.look(&sale(), Some(&before)).await;
    assert_eq!((first.seen, &first.state), (Seen::NotHappened, &before));
    // What does not matter here may change.
    world.order(lead(json!({"dateUpdated": "2026-09-16 15:59:59", "custom1": "x", "city": "Elsewhere"})));
    assert_eq!(world.look(&sale(), Some(&before)).await.state, before);
    // What does matter changes the state.
    world.charges([charge(json!({"responseType": "PENDING"}))]);
    assert_ne!(world.look(&sale(), Some(&before)).await.state, before);
}

#[tokio::test]
async fn what_cannot_be_told_is_said_to_be_unclear() {
    let (world, before) = open_lead().await;
    world.charges([charge(json!({}))]);
    assert_eq!(
        doubt(&world.after(&sale(), &before).await),
        "transaction 900001 succeeded, but order 8DF962A27F is not sold yet"
    );
    world.charges([charge(json!({"responseType": "PENDING"}))]);
    assert_eq!(doubt(&world.after(&sale(), &before).await), "transaction 900001 is not decided yet");
    world.charges([]);
    world.order(lead(json!({"orderStatus": "CANCELLED"})));
    assert_eq!(
        doubt(&world.after(&sale(), &before).await),
        "order 8DF962A27F is cancelled, and no charge is to be seen"
    );
    world.shows("order/query", []);
    assert_eq!(doubt(&world.after(&sale(), &before).await), "order 8DF962A27F is not in the CRM");
    world.order(order(json!({})));
    for before in ["", "{}", "[1]", "\"nothing to see\"", "{\"status\":7,\"charges\":[]}"] {
        assert_eq!(
            doubt(&world.after(&sale(), before).await),
            "what the CRM showed before it was sent is not known"
        );
    }
}

#[tokio::test]
async fn another_order_than_the_one_asked_for_is_not_taken_for_it() {
    let world = World::new().await;
    world.order(without(order(json!({"clientOrderId": "AAAAAAAAAA", "actualOrderId": 1})), &["orderId"]));
    world.before(&sale()).await;
}

#[tokio::test]
async fn the_id_may_be_written_in_lower_case_and_the_look_asks_by_it() {
    let world = World::new().await;
    world.order(order(json!({})));
    let lower = request("konnektive.create_sale", &[("orderId", " 8df962a27f ")]);
    assert!(refusal(&world.look(&lower, None).await.seen).contains("sold already"));
    let asked = world.asked("order/query");
    assert_eq!(asked[0].names(), ["loginId", "password", "orderId", "page", "resultsPerPage", "sortDir"]);
    assert_eq!(asked[0].field("orderId"), Some("8df962a27f"));
    assert_eq!(world.asked("transactions/query")[0].field("orderId"), Some("8DF962A27F"));
}

#[tokio::test]
async fn a_repeated_hour_is_neither_taken_for_past_nor_for_future() {
    let (world, before) = open_lead().await;
    world.charges([charge(json!({"responseType": "SOFT_DECLINE", "dateCreated": "2026-11-01 01:30:00"}))]);
    // Half past one in the night in which New York sets its clocks back, the first time and the second.
    for (date, stands) in [
        ("Sun, 01 Nov 2026 05:30:30 GMT", false),
        ("Sun, 01 Nov 2026 05:32:00 GMT", true),
        ("Sun, 01 Nov 2026 06:30:30 GMT", false),
        ("Sun, 01 Nov 2026 06:32:00 GMT", true),
    ] {
        world.is_at(date);
        let seen = world.after(&sale(), &before).await;
        assert_eq!(matches!(seen, Seen::Refused { .. }), stands, "{date} {seen:?}");
    }
}

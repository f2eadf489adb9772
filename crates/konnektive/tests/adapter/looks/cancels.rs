//! `order/cancel` and `purchase/cancel`.

use crate::support::request;
use crate::world::{World, charge, doubt, order, purchase, refusal, response, with};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn cancel(more: &[(&str, &str)]) -> CrmRequest {
    request(
        "konnektive.cancel_order",
        &[&[("orderId", "8DF962A27F"), ("cancelReason", "asked")], more].concat(),
    )
}

fn cancel_purchase(more: &[(&str, &str)]) -> CrmRequest {
    request(
        "konnektive.cancel_purchase",
        &[&[("purchaseId", "BA50DC775D"), ("cancelReason", "asked")], more].concat(),
    )
}

fn refund(changes: Value) -> Value {
    let row = charge(
        json!({"transactionId": 900002, "parentTxnId": 900001, "txnType": "REFUND", "responseText": "Refused"}),
    );
    with(row, changes)
}

fn item(status: &str, scheduled: i32) -> Value {
    json!({"15271": {"productId": 15271, "purchaseId": "1471F527F9", "purchaseStatus": status, "cancellationScheduled": scheduled}})
}

#[tokio::test]
async fn a_cancelled_order_is_seen_by_its_state() {
    let world = World::new().await;
    world.order(order(json!({})));
    let before = world.before(&cancel(&[])).await;
    assert_eq!(world.after(&cancel(&[]), &before).await, Seen::NotHappened);
    world.order(order(json!({"orderStatus": "CANCELLED", "items": item("CANCELLED", 0)})));
    let answer = response(&world.after(&cancel(&[]), &before).await);
    assert_eq!((&answer["orderId"], &answer["customerId"]), (&json!("8DF962A27F"), &json!("19475")));
    // It is so already: nothing needs to be sent.
    response(&world.look(&cancel(&[]), None).await.seen);
    // A refund alone is no cancellation, one of everything is.
    world.order(order(json!({"orderStatus": "REFUNDED", "items": item("ACTIVE", 0)})));
    assert_eq!(world.after(&cancel(&[]), &before).await, Seen::NotHappened);
    world.order(order(json!({"orderStatus": "REFUNDED", "items": item("CANCELLED", 0)})));
    response(&world.after(&cancel(&[]), &before).await);
    // No money is asked for, so no transactions are read.
    assert!(world.asked("transactions/query").is_empty());
}

#[tokio::test]
async fn an_order_in_review_ends_declined() {
    let world = World::new().await;
    world.order(order(json!({"orderStatus": "PENDING", "reviewStatus": "PENDING"})));
    let before = world.before(&cancel(&[])).await;
    world.order(order(json!({"orderStatus": "DECLINED"})));
    response(&world.after(&cancel(&[]), &before).await);
    // A declined order is not a cancelled one in general.
    let before = world.before(&cancel(&[])).await;
    assert_eq!(world.after(&cancel(&[]), &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn an_end_after_the_next_bill_is_seen_by_the_schedule() {
    let later = cancel(&[("afterNextBill", "1")]);
    let world = World::new().await;
    world.order(order(json!({"items": item("ACTIVE", 0)})));
    let before = world.before(&later).await;
    assert_eq!(world.after(&later, &before).await, Seen::NotHappened);
    world.order(order(json!({"items": item("ACTIVE", 1)})));
    response(&world.after(&later, &before).await);
    response(&world.look(&later, None).await.seen);
    // The schedule is no cancellation at once.
    assert_eq!(world.after(&cancel(&[]), &before).await, Seen::NotHappened);
    // The bill has come and the end with it.
    world.order(order(json!({"orderStatus": "CANCELLED", "items": item("CANCELLED", 0)})));
    response(&world.after(&later, &before).await);
    // One of two is scheduled; one that is over counts for nothing.
    let two = |second: &str| {
        json!([
            {"purchaseId": "A", "purchaseStatus": "ACTIVE", "cancellationScheduled": "1"},
            {"purchaseId": "B", "purchaseStatus": second, "cancellationScheduled": "0"}
        ])
    };
    world.order(order(json!({"items": two("TRIAL")})));
    assert_eq!(world.after(&later, &before).await, Seen::NotHappened);
    world.order(order(json!({"items": two("COMPLETE")})));
    response(&world.after(&later, &before).await);
}

#[tokio::test]
async fn money_is_seen_by_transactions() {
    let request = cancel(&[("fullRefund", "1")]);
    let world = World::new().await;
    world.order(order(json!({})));
    world.charges([charge(json!({}))]);
    let before = world.before(&request).await;
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened);

    let cancelled = || order(json!({"orderStatus": "CANCELLED"}));
    world.order(cancelled());
    assert_eq!(
        doubt(&world.after(&request, &before).await),
        "order 8DF962A27F is cancelled, but no refund is to be seen"
    );
    for back in [
        refund(json!({})),
        refund(json!({"totalAmount": "-0.30"})),
        refund(json!({"txnType": "VOID"})),
        refund(json!({"totalAmount": 0.3})),
    ] {
        world.charges([charge(json!({})), back]);
        response(&world.after(&request, &before).await);
    }
    world.charges([charge(json!({})), refund(json!({"totalAmount": "0.10"}))]);
    assert_eq!(
        doubt(&world.after(&request, &before).await),
        "order 8DF962A27F is cancelled, but only part of the money went back"
    );
    world.charges([charge(json!({})), refund(json!({"responseType": "HARD_DECLINE"}))]);
    assert_eq!(
        refusal(&world.after(&request, &before).await),
        "order 8DF962A27F is cancelled, but its refund was declined: Refused"
    );
    world.charges([charge(json!({})), refund(json!({"responseType": "PENDING"}))]);
    assert_eq!(doubt(&world.after(&request, &before).await), "transaction 900002 is not decided yet");

    world.order(order(json!({})));
    world.charges([charge(json!({})), refund(json!({}))]);
    assert_eq!(
        doubt(&world.after(&request, &before).await),
        "money of order 8DF962A27F went back, but it is not cancelled"
    );
    world.charges([charge(json!({})), refund(json!({"responseType": "HARD_DECLINE"}))]);
    assert!(
        refusal(&world.after(&request, &before).await)
            .starts_with("the refund of order 8DF962A27F was declined")
    );
}

#[tokio::test]
async fn where_nothing_can_go_back_the_state_is_all() {
    let request = cancel(&[("fullRefund", "1")]);
    for (row, txns) in [
        // Prepaid: no transaction.
        (json!({"orderStatus": "CANCELLED"}), vec![]),
        // Reserved and voided.
        (
            json!({"orderStatus": "CANCELLED"}),
            vec![charge(json!({"txnType": "AUTHORIZE"})), refund(json!({"txnType": "VOID"}))],
        ),
        // Declined.
        (json!({"orderStatus": "CANCELLED"}), vec![charge(json!({"responseType": "SOFT_DECLINE"}))]),
        (json!({"orderStatus": "CANCELLED", "refundRemaining": "0.00"}), vec![charge(json!({}))]),
        (json!({"orderStatus": "REFUNDED", "items": item("CANCELLED", 0)}), vec![charge(json!({}))]),
        // Two charges, two refunds.
        (
            json!({"orderStatus": "CANCELLED"}),
            vec![
                charge(json!({})),
                charge(json!({"transactionId": 7, "totalAmount": "9.95", "txnType": "CAPTURE"})),
                refund(json!({})),
                refund(json!({"transactionId": 8, "totalAmount": "9.95"})),
            ],
        ),
    ] {
        let world = World::new().await;
        world.order(order(row));
        world.charges(txns);
        response(&world.look(&request, None).await.seen);
    }
    // Voiding a reservation gives nothing of a charge back; an amount that is missing proves nothing.
    for back in [refund(json!({"txnType": "VOID", "parentTxnId": 5})), refund(json!({"totalAmount": null}))] {
        let world = World::new().await;
        world.order(order(json!({"orderStatus": "CANCELLED"})));
        world.charges([charge(json!({})), back]);
        world.before(&request).await;
    }
}

#[tokio::test]
async fn a_purchase_is_seen_likewise() {
    let world = World::new().await;
    world.shows("purchase/query", [purchase(json!({}))]);
    let before = world.before(&cancel_purchase(&[])).await;
    assert_eq!(world.after(&cancel_purchase(&[]), &before).await, Seen::NotHappened);
    world.shows("purchase/query", [purchase(json!({"cancellationScheduled": "1"}))]);
    assert_eq!(world.after(&cancel_purchase(&[]), &before).await, Seen::NotHappened);
    response(&world.after(&cancel_purchase(&[("afterNextBill", "1")]), &before).await);
    world.shows("purchase/query", [purchase(json!({"status": "CANCELLED"}))]);
    let answer = response(&world.after(&cancel_purchase(&[]), &before).await);
    assert_eq!(
        (&answer["purchaseId"], &answer["orderId"], &answer["customerId"]),
        (&json!("BA50DC775D"), &json!("D6C8C390A7"), &json!("19241"))
    );
    response(&world.look(&cancel_purchase(&[]), None).await.seen);

    let refunded = cancel_purchase(&[("fullRefund", "1")]);
    let row = |changes: Value| with(charge(json!({"purchaseId": "BA50DC775D"})), changes);
    world.charges([row(json!({}))]);
    let before = world.before(&refunded).await;
    assert!(doubt(&world.after(&refunded, &before).await).contains("no refund is to be seen"));
    world.charges([
        row(json!({})),
        row(json!({"transactionId": 2, "txnType": "REFUND", "parentTxnId": 900001})),
    ]);
    response(&world.after(&refunded, &before).await);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_told() {
    let world = World::new().await;
    for (request, reason) in [
        (cancel(&[]), "order 8DF962A27F is not in the CRM"),
        (cancel_purchase(&[]), "purchase BA50DC775D is not in the CRM"),
    ] {
        let before = world.before(&request).await;
        assert_eq!(doubt(&world.after(&request, &before).await), reason);
    }
    world.order(order(json!({"orderStatus": "COMPLETE"})));
    assert!(doubt(&world.after(&cancel(&[]), "?").await).contains("not known"));
    let nothing = request("konnektive.cancel_order", &[("cancelReason", "x")]);
    assert_eq!(doubt(&world.look(&nothing, None).await.seen), "the request names no order");
}

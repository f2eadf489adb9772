//! `order/refund` and `transactions/refund`.

use crate::support::request;
use crate::world::{World, charge, doubt, order, refusal, response, with};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{ReadError, Seen};

fn refund_order(how: (&str, &str)) -> CrmRequest {
    request("konnektive.refund_order", &[("orderId", "8DF962A27F"), how])
}

fn refund_txn(how: (&str, &str)) -> CrmRequest {
    request("konnektive.refund_transaction", &[("transactionId", "900001"), how])
}

const FULL: (&str, &str) = ("fullRefund", "1");

fn back(changes: Value) -> Value {
    let row = charge(
        json!({"transactionId": 900002, "parentTxnId": 900001, "txnType": "REFUND", "responseText": "Refused"}),
    );
    with(row, changes)
}

async fn charged(request: &CrmRequest) -> (World, String) {
    let world = World::new().await;
    world.order(order(json!({})));
    world.charges([charge(json!({}))]);
    let before = world.before(request).await;
    assert_eq!(world.after(request, &before).await, Seen::NotHappened);
    (world, before)
}

#[tokio::test]
async fn a_refund_in_full_is_seen_by_its_transactions() {
    for request in [refund_order(FULL), refund_txn(FULL)] {
        let (world, before) = charged(&request).await;
        for row in [back(json!({})), back(json!({"totalAmount": "-0.30"})), back(json!({"txnType": "VOID"}))]
        {
            world.charges([charge(json!({})), row]);
            let answer = response(&world.after(&request, &before).await);
            assert_eq!(answer["orderId"], "8DF962A27F");
            assert!(answer["message"].as_str().unwrap().ends_with("is refunded (transaction 900002)"));
            // The request's own transaction keeps its place.
            let txn = if request.param("orderId").is_some() { "900002" } else { "900001" };
            assert_eq!(answer["transactionId"], txn);
        }
        world.charges([charge(json!({})), back(json!({"totalAmount": "0.10"}))]);
        assert!(
            doubt(&world.after(&request, &before).await)
                .ends_with("(transaction 900002), but not what was asked for")
        );
        world.charges([charge(json!({})), back(json!({"totalAmount": null}))]);
        assert!(doubt(&world.after(&request, &before).await).contains("not what was asked for"));
        world.charges([charge(json!({})), back(json!({"responseType": "SOFT_DECLINE"}))]);
        assert!(refusal(&world.after(&request, &before).await).ends_with("was declined: Refused"));
        world.charges([charge(json!({})), back(json!({"responseType": "PENDING"}))]);
        assert!(doubt(&world.after(&request, &before).await).contains("not decided yet"));
    }
}

#[tokio::test]
async fn an_order_of_two_charges_is_refunded_with_both() {
    let request = refund_order(FULL);
    let world = World::new().await;
    world.order(order(json!({})));
    let charges = [charge(json!({})), charge(json!({"transactionId": 900005, "totalAmount": "19.90"}))];
    world.charges(charges.clone());
    let before = world.before(&request).await;
    let [first, second] = charges;
    world.charges([first.clone(), second.clone(), back(json!({}))]);
    assert!(doubt(&world.after(&request, &before).await).contains("not what was asked for"));
    let other = back(json!({"transactionId": 900006, "parentTxnId": 900005, "totalAmount": "19.90"}));
    world.charges([first, second, back(json!({})), other]);
    assert!(
        response(&world.after(&request, &before).await)["message"]
            .as_str()
            .unwrap()
            .contains("900002, 900006")
    );
}

#[tokio::test]
async fn an_amount_is_seen_by_its_amount() {
    for request in [refund_order(("refundAmount", "0.10")), refund_txn(("refundAmount", "0.10"))] {
        let (world, before) = charged(&request).await;
        world.charges([charge(json!({})), back(json!({"totalAmount": "0.1"}))]);
        response(&world.after(&request, &before).await);
        world.charges([
            charge(json!({})),
            back(json!({"totalAmount": "0.04"})),
            back(json!({"transactionId": 900003, "totalAmount": "0.06"})),
        ]);
        response(&world.after(&request, &before).await);
        world.charges([charge(json!({})), back(json!({"totalAmount": "0.20"}))]);
        assert!(doubt(&world.after(&request, &before).await).contains("not what was asked for"));
    }
}

#[tokio::test]
async fn a_refund_of_before_is_none_of_this() {
    let request = refund_order(("refundAmount", "0.10"));
    let world = World::new().await;
    world.order(order(json!({})));
    let earlier = back(json!({"totalAmount": "0.10"}));
    world.charges([charge(json!({})), earlier.clone()]);
    let before = world.before(&request).await;
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened);
    world.charges([
        charge(json!({})),
        earlier,
        back(json!({"transactionId": 900003, "totalAmount": "0.10"})),
    ]);
    assert_eq!(response(&world.after(&request, &before).await)["transactionId"], "900003");
}

#[tokio::test]
async fn what_is_refunded_already_is_not_sent() {
    let world = World::new().await;
    world.order(order(json!({"orderStatus": "REFUNDED"})));
    world.charges([charge(json!({}))]);
    assert_eq!(
        refusal(&world.look(&refund_order(FULL), None).await.seen),
        "order 8DF962A27F is refunded in full already"
    );
    world.order(order(json!({})));
    world.charges([charge(json!({})), back(json!({}))]);
    assert!(refusal(&world.look(&refund_order(FULL), None).await.seen).contains("already"));
    assert_eq!(
        refusal(&world.look(&refund_txn(FULL), None).await.seen),
        "transaction 900001 is refunded in full already"
    );
    // Another charge of the order was refunded, not this one.
    world.charges([charge(json!({})), back(json!({"parentTxnId": 5}))]);
    world.before(&refund_txn(FULL)).await;
    // A refund that names no charge counts for nothing before and may be the one after.
    let before = world.before(&refund_txn(FULL)).await;
    world.charges([charge(json!({})), back(json!({"parentTxnId": null}))]);
    world.before(&refund_txn(FULL)).await;
    assert!(doubt(&world.after(&refund_txn(FULL), &before).await).contains("not what was asked for"));
}

#[tokio::test]
async fn what_cannot_be_read_is_unclear_and_no_reason_not_to_send() {
    let world = World::new().await;
    world.says("transactions/query", r#"{"result":"ERROR","message":"startDate is required"}"#);
    let sight = world.look(&refund_txn(FULL), None).await;
    assert_eq!(
        doubt(&sight.seen),
        "the transaction cannot be read by its id: the CRM answered: startDate is required"
            .replace("the CRM answered: ", "")
    );
    assert!(matches!(world.after(&refund_txn(FULL), &sight.state).await, Seen::Unclear { .. }));
    // Without leave to read, money is not moved blindly: a person has to act.
    world.says("transactions/query", r#"{"result":"ERROR","message":"no permission"}"#);
    assert!(matches!(world.try_look(&refund_txn(FULL), None).await, Err(ReadError::Permission { .. })));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_told() {
    let world = World::new().await;
    for (request, reason) in [
        (refund_order(FULL), "order 8DF962A27F is not in the CRM"),
        (refund_txn(FULL), "transaction 900001 is not in the CRM"),
    ] {
        let before = world.before(&request).await;
        assert_eq!(doubt(&world.after(&request, &before).await), reason);
    }
    world.charges([charge(json!({"orderId": null}))]);
    assert!(
        doubt(&world.look(&refund_txn(FULL), None).await.seen)
            .contains("does not show the transaction's order")
    );
    world.order(order(json!({})));
    world.charges([charge(json!({}))]);
    assert!(doubt(&world.after(&refund_order(FULL), "null").await).contains("not known"));
    let nothing = request("konnektive.refund_order", &[FULL]);
    assert_eq!(doubt(&world.look(&nothing, None).await.seen), "the request names no order");
}

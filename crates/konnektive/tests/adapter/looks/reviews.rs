//! `order/qa`.

use crate::support::request;
use crate::world::{World, charge, doubt, order, refusal, response, without};
use serde_json::json;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn qa(action: &str) -> CrmRequest {
    request("konnektive.qa_order", &[("orderId", "8DF962A27F"), ("action", action)])
}

async fn in_review(request: &CrmRequest) -> (World, String) {
    let world = World::new().await;
    world.order(order(json!({"orderStatus": "PENDING", "reviewStatus": "PENDING"})));
    world.charges([charge(json!({"txnType": "AUTHORIZE"}))]);
    let before = world.before(request).await;
    assert_eq!(world.after(request, &before).await, Seen::NotHappened);
    (world, before)
}

#[tokio::test]
async fn an_approval_is_seen_by_the_review() {
    let (world, before) = in_review(&qa("APPROVE")).await;
    world.order(order(json!({})));
    let answer = response(&world.after(&qa("APPROVE"), &before).await);
    assert_eq!((&answer["orderId"], &answer["customerId"]), (&json!("8DF962A27F"), &json!("19475")));
    world.order(without(order(json!({})), &["reviewStatus"]));
    response(&world.after(&qa("APPROVE"), &before).await);
    // Approved, and refunded since.
    world.order(order(json!({"orderStatus": "REFUNDED"})));
    response(&world.after(&qa("APPROVE"), &before).await);
    // Somebody turned it down.
    world.order(order(json!({"orderStatus": "DECLINED", "reviewStatus": "DECLINED"})));
    assert_eq!(
        refusal(&world.after(&qa("APPROVE"), &before).await),
        "order 8DF962A27F is not in quality assurance (DECLINED)"
    );
}

#[tokio::test]
async fn a_capture_that_fails_is_told() {
    let (world, before) = in_review(&qa("APPROVE")).await;
    let capture = |answer: &str| {
        charge(
            json!({"transactionId": 2, "txnType": "CAPTURE", "responseType": answer, "responseText": "Expired"}),
        )
    };
    world.charges([charge(json!({"txnType": "AUTHORIZE"})), capture("HARD_DECLINE")]);
    assert_eq!(refusal(&world.after(&qa("APPROVE"), &before).await), "Transaction Declined: Expired");
    world.charges([charge(json!({"txnType": "AUTHORIZE"})), capture("SUCCESS")]);
    assert_eq!(
        doubt(&world.after(&qa("APPROVE"), &before).await),
        "order 8DF962A27F was charged, but is still in quality assurance"
    );
    world.charges([charge(json!({"txnType": "AUTHORIZE"})), capture("PENDING")]);
    assert!(doubt(&world.after(&qa("APPROVE"), &before).await).contains("not decided yet"));
}

#[tokio::test]
async fn a_refusal_is_seen_by_the_review() {
    let (world, before) = in_review(&qa("DECLINE")).await;
    for row in [
        json!({"orderStatus": "DECLINED", "reviewStatus": "DECLINED"}),
        json!({"orderStatus": "DECLINED", "reviewStatus": null}),
    ] {
        world.order(order(row));
        response(&world.after(&qa("DECLINE"), &before).await);
    }
    world.order(order(json!({})));
    assert_eq!(
        refusal(&world.after(&qa("DECLINE"), &before).await),
        "order 8DF962A27F is not in quality assurance (COMPLETE)"
    );
}

#[tokio::test]
async fn what_is_not_in_review_is_not_sent() {
    let world = World::new().await;
    world.order(order(json!({"reviewStatus": null})));
    for action in ["APPROVE", "DECLINE"] {
        assert_eq!(
            refusal(&world.look(&qa(action), None).await.seen),
            "order 8DF962A27F is not in quality assurance (COMPLETE)"
        );
    }
    // It is so already.
    world.order(order(json!({})));
    response(&world.look(&qa("APPROVE"), None).await.seen);
    // Nothing says that it is not.
    world.order(without(order(json!({})), &["reviewStatus", "orderStatus"]));
    world.before(&qa("APPROVE")).await;
}

#[tokio::test]
async fn what_cannot_be_told_is_said_to_be_unclear() {
    let world = World::new().await;
    let before = world.before(&qa("APPROVE")).await;
    assert_eq!(doubt(&world.after(&qa("APPROVE"), &before).await), "order 8DF962A27F is not in the CRM");
    world.order(order(json!({"orderStatus": "PENDING", "reviewStatus": "PENDING"})));
    assert!(doubt(&world.after(&qa("APPROVE"), "?").await).contains("not known"));
    assert_eq!(
        doubt(&world.look(&qa("PERHAPS"), None).await.seen),
        "the request neither approves nor declines"
    );
    let nothing = request("konnektive.qa_order", &[("action", "APPROVE")]);
    assert_eq!(doubt(&world.look(&nothing, None).await.seen), "the request names no order");
}

//! What a write turns out to be about, however it names it.

use crate::support::request;
use crate::world::{World, charge, customer, order, purchase};
use serde_json::json;
use zaprun_engine::ports::ReadError;

const BUYER: &str = "crm 459 ada@example.test";

async fn serials(world: &World, action: &str, params: &[(&str, &str)]) -> Vec<String> {
    world.look(&request(action, params), None).await.serials
}

async fn world() -> World {
    let world = World::new().await;
    world.order(order(json!({"customerId": 7, "campaignId": 459, "emailAddress": "Ada@Example.test"})));
    world.charges([charge(json!({}))]);
    world
}

#[tokio::test]
async fn whatever_charges_an_order_is_about_its_buyer() {
    let world = world().await;
    let all = [BUYER, "crm customerId 7", "crm orderId 8DF962A27F"];
    for (action, params) in [
        ("konnektive.create_sale", [("orderId", "8df962a27f"), ("product1_id", "1")]),
        ("konnektive.create_upsale", [("orderId", "8DF962A27F"), ("productId", "1")]),
        ("konnektive.qa_order", [("orderId", "8DF962A27F"), ("action", "APPROVE")]),
    ] {
        let mut found = serials(&world, action, &params).await;
        found.sort();
        assert_eq!(found, all, "{action}");
    }
}

#[tokio::test]
async fn what_gives_money_back_is_about_the_order() {
    let world = world().await;
    world.shows("purchase/query", [purchase(json!({"purchaseId": "P1", "orderId": "8DF962A27F"}))]);
    for (action, params) in [
        ("konnektive.refund_order", [("orderId", "8df962a27f"), ("refundAmount", "0.10")]),
        ("konnektive.refund_transaction", [("transactionId", "900001"), ("refundAmount", "0.10")]),
    ] {
        assert_eq!(serials(&world, action, &params).await, ["crm orderId 8DF962A27F"], "{action}");
    }
    let cancel = request("konnektive.cancel_purchase", &[("purchaseId", "P1"), ("fullRefund", "1")]);
    let cancel = zaprun_core::request::CrmRequest { repeat: zaprun_core::crm::Repeat::Never, ..cancel };
    assert_eq!(world.look(&cancel, None).await.serials, ["crm orderId 8DF962A27F"]);
}

#[tokio::test]
async fn an_account_on_file_is_about_who_owns_it() {
    let world = World::new().await;
    world.shows("customer/query", [customer(json!({"customerId": 7, "emailAddress": "Ada@Example.test"}))]);
    let params = [("campaignId", "459"), ("customerId", "7"), ("product1_id", "1")];
    assert_eq!(serials(&world, "konnektive.create_sale", &params).await, [BUYER]);
    // Later looks do not ask again; everything is held by then.
    let sale = request("konnektive.create_sale", &params);
    let before = world.before(&sale).await;
    let asked = world.asked("customer/query").len();
    world.look(&sale, Some(&before)).await;
    assert_eq!(world.asked("customer/query").len(), asked);
    // Who may not read customers sells all the same.
    world.says("customer/query", r#"{"result":"ERROR","message":"This user may not do that"}"#);
    assert_eq!(serials(&world, "konnektive.create_sale", &params).await, [""; 0]);
    world.says("customer/query", r#"{"result":"ERROR","message":"Could not authenticate credentials"}"#);
    let refused = world.try_look(&sale, None).await;
    assert!(matches!(refused, Err(ReadError::Credentials { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_moves_no_money_waits_for_nobody() {
    let world = world().await;
    let params = [("orderId", "8DF962A27F"), ("cancelReason", "asked for")];
    assert_eq!(serials(&world, "konnektive.cancel_order", &params).await, [""; 0]);
}

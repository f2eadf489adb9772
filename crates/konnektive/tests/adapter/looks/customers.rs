//! `customer/update`, `customer/addnote`, and what no look can tell.

use crate::support::request;
use crate::world::{World, customer, doubt, response, without};
use serde_json::json;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn update(more: &[(&str, &str)]) -> CrmRequest {
    request("konnektive.update_customer", &[&[("customerId", "19241")], more].concat())
}

fn note() -> CrmRequest {
    request(
        "konnektive.add_note",
        &[("customerId", "19241"), ("message", "Chargeback <alert> & refund,\n2026")],
    )
}

#[tokio::test]
async fn an_update_is_seen_by_its_fields() {
    let request =
        update(&[("city", "Shelbyville"), ("phoneNumber", "+1 555-555-0101"), ("address2", "NULL")]);
    let world = World::new().await;
    world.shows("customer/query", [customer(json!({"address2": "Flat 2"}))]);
    let before = world.before(&request).await;
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened);
    world.shows(
        "customer/query",
        [customer(
            json!({"city": "SHELBYVILLE", "phoneNumber": "15555550101", "eCommercePassword": "hunter2"}),
        )],
    );
    let answer = response(&world.after(&request, &before).await);
    assert_eq!(
        (&answer["customerId"], &answer["message"]["eCommercePassword"]),
        (&json!("19241"), &json!("[removed]"))
    );
    assert_ne!(world.look(&request, Some(&before)).await.state, before);
    // One of three.
    world.shows("customer/query", [customer(json!({"city": "Shelbyville"}))]);
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened);
}

#[tokio::test]
async fn a_customer_who_does_not_show_the_fields_tells_nothing() {
    let world = World::new().await;
    let request = update(&[("city", "Shelbyville")]);
    let before = world.before(&request).await;
    assert_eq!(doubt(&world.after(&request, &before).await), "customer 19241 is not in the CRM");
    world.shows("customer/query", [without(customer(json!({})), &["city"])]);
    assert_eq!(
        doubt(&world.look(&request, None).await.seen),
        "the CRM shows none of the fields that were set"
    );
    let nobody = request_without_customer();
    assert_eq!(doubt(&world.look(&nobody, None).await.seen), "the request names no customer");
}

fn request_without_customer() -> CrmRequest {
    request("konnektive.update_customer", &[("city", "Shelbyville")])
}

#[tokio::test]
async fn a_note_is_seen_in_the_history_wherever_it_stands() {
    let world = World::new().await;
    let earlier = json!({"historyId": 1, "text": "Chargeback <alert> & refund, 2026", "dateCreated": "2026-09-15 01:00:00"});
    world.shows("customer/history", [earlier.clone(), json!({"text": "something else"})]);
    let before = world.before(&note()).await;
    assert_eq!(world.after(&note(), &before).await, Seen::NotHappened);
    for row in [
        json!({"historyId": 2, "message": "NOTE: Chargeback &lt;alert&gt; &amp; refund, 2026"}),
        json!({"historyId": 2, "data": {"notes": ["x", "chargeback <alert> & refund,\r\n2026 (api)"]}}),
    ] {
        world.shows("customer/history", [earlier.clone(), row]);
        assert_eq!(response(&world.after(&note(), &before).await)["customerId"], "19241");
    }
    world.shows("customer/history", [earlier, json!({"historyId": 2, "message": "Chargeback alert"})]);
    assert_eq!(world.after(&note(), &before).await, Seen::NotHappened);
    let asked = &world.asked("customer/history")[0];
    assert_eq!(
        (asked.field("customerId"), asked.field("startDate"), asked.field("endDate")),
        (Some("19241"), Some("09/15/2026"), Some("09/17/2026"))
    );
    // An empty history comes as a SUCCESS (contract §3.5).
    world.says("customer/history", r#"{"result":"SUCCESS","message":{"totalResults":0}}"#);
    world.before(&note()).await;
}

#[tokio::test]
async fn a_history_that_cannot_be_read_tells_nothing_and_stops_nothing() {
    let world = World::new().await;
    for body in [
        r#"{"result":"ERROR","message":"no permission"}"#,
        r#"{"result":"ERROR","message":"Unknown endpoint"}"#,
    ] {
        world.says("customer/history", body);
        let sight = world.look(&note(), None).await;
        assert!(doubt(&sight.seen).starts_with("the customer's history cannot be read"));
        assert!(matches!(world.after(&note(), &sight.state).await, Seen::Unclear { .. }));
    }
    for (customer, message) in [("", "text"), ("19241", "!!!"), ("19241", "")] {
        let empty = request("konnektive.add_note", &[("customerId", customer), ("message", message)]);
        assert!(doubt(&world.look(&empty, None).await.seen).starts_with("the request names no customer"));
    }
}

#[tokio::test]
async fn what_the_crm_does_not_show_no_look_can_tell() {
    let world = World::new().await;
    for (action, reason) in [
        ("konnektive.confirm_order", "the CRM does not show whether an order was confirmed"),
        ("konnektive.blacklist_customer", "the CRM does not show its blacklist"),
    ] {
        let request = request(action, &[("orderId", "8DF962A27F"), ("blacklistType", "emailAddress")]);
        let sight = world.look(&request, None).await;
        assert_eq!(doubt(&sight.seen), reason);
        assert_eq!(world.look(&request, Some(&sight.state)).await, sight);
    }
    assert!(world.server.seen().is_empty());
}

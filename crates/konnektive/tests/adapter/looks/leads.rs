//! `leads/import`.

use crate::support::request;
use crate::world::{World, doubt, lead, order, refusal, response, with};
use serde_json::{Value, json};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::Seen;

fn new_lead() -> CrmRequest {
    request(
        "konnektive.create_lead",
        &[
            ("campaignId", "459"),
            ("firstName", "Ada"),
            ("lastName", "Example"),
            ("emailAddress", "ada@example.test"),
        ],
    )
}

fn named_lead() -> CrmRequest {
    request(
        "konnektive.create_lead",
        &[("campaignId", "459"), ("orderId", "8DF962A27F"), ("firstName", "Ada"), ("city", "Shelbyville")],
    )
}

fn other(id: &str, changes: Value) -> Value {
    with(lead(json!({"orderId": id, "clientOrderId": id, "actualOrderId": id})), changes)
}

#[tokio::test]
async fn a_lead_that_came_up_is_the_lead() {
    let world = World::new().await;
    let before = world.before(&new_lead()).await;
    assert_eq!(world.after(&new_lead(), &before).await, Seen::NotHappened);
    world.order(lead(json!({})));
    let answer = response(&world.after(&new_lead(), &before).await);
    assert_eq!((&answer["orderId"], &answer["customerId"]), (&json!("8DF962A27F"), &json!("19475")));
    // It has bought meanwhile: another import would open another lead.
    world.order(order(json!({})));
    assert_eq!(response(&world.after(&new_lead(), &before).await)["orderId"], "8DF962A27F");
    world.shows("order/query", [lead(json!({})), other("AAAAAAAAAA", json!({}))]);
    assert_eq!(
        doubt(&world.after(&new_lead(), &before).await),
        "more than one lead of the same person came up meanwhile"
    );
}

#[tokio::test]
async fn an_open_lead_of_before_may_be_imported_again() {
    let world = World::new().await;
    let old = lead(json!({"dateUpdated": "2026-09-16 09:00:00"}));
    world.order(old.clone());
    let before = world.before(&new_lead()).await;
    assert_eq!(world.after(&new_lead(), &before).await, Seen::NotHappened);
    // It was touched, and shows what was sent.
    world.order(with(old.clone(), json!({"dateUpdated": "2026-09-16 15:59:00"})));
    assert_eq!(response(&world.after(&new_lead(), &before).await)["orderId"], "8DF962A27F");
    // It was touched, and shows something else.
    world.order(with(old.clone(), json!({"dateUpdated": "2026-09-16 15:59:00", "firstName": "Eve"})));
    assert_eq!(world.after(&new_lead(), &before).await, Seen::NotHappened);
    // It has bought.
    world.order(order(json!({"firstName": "Eve"})));
    assert_eq!(response(&world.after(&new_lead(), &before).await)["orderId"], "8DF962A27F");
}

#[tokio::test]
async fn old_orders_of_the_person_are_no_leads() {
    let world = World::new().await;
    let before = world.before(&new_lead()).await;
    // Sold last month and shipped today.
    world.order(order(json!({"dateCreated": "2026-08-01 10:00:00"})));
    assert_eq!(world.after(&new_lead(), &before).await, Seen::NotHappened);
    // A lead of last month that was used again.
    world.order(lead(json!({"dateCreated": "2026-08-01 10:00:00"})));
    assert_eq!(response(&world.after(&new_lead(), &before).await)["orderId"], "8DF962A27F");
}

#[tokio::test]
async fn a_lead_by_telephone_is_compared_here() {
    let by_phone =
        request("konnektive.create_lead", &[("campaignId", "459"), ("phoneNumber", "+1 (555) 555-0100")]);
    let world = World::new().await;
    let before = world.before(&by_phone).await;
    let asked = &world.asked("order/query")[0];
    assert_eq!((asked.field("phoneNumber"), asked.field("campaignId")), (None, Some("459")));
    world.shows("order/query", [other("AAAAAAAAAA", json!({"phoneNumber": "5555550199"})), lead(json!({}))]);
    assert_eq!(response(&world.after(&by_phone, &before).await)["orderId"], "8DF962A27F");
}

#[tokio::test]
async fn the_key_is_enough_before_and_after() {
    let request = CrmRequest { correlate_in: Some("custom1".into()), ..new_lead() };
    let world = World::new().await;
    let before = world.before(&request).await;
    let ours = lead(json!({"custom1": request.idempotency_key.clone()}));
    world.shows("order/query", [other("AAAAAAAAAA", json!({})), ours]);
    assert_eq!(response(&world.after(&request, &before).await)["orderId"], "8DF962A27F");
    assert_eq!(response(&world.look(&request, None).await.seen)["orderId"], "8DF962A27F");
}

#[tokio::test]
async fn a_named_lead_is_seen_by_its_fields() {
    let world = World::new().await;
    world.order(lead(json!({})));
    let before = world.before(&named_lead()).await;
    assert_eq!(world.after(&named_lead(), &before).await, Seen::NotHappened);
    world.order(lead(json!({"city": "SHELBYVILLE "})));
    assert_eq!(response(&world.after(&named_lead(), &before).await)["orderId"], "8DF962A27F");
    // Bought meanwhile, with the change and without it.
    world.order(order(json!({"city": "Shelbyville"})));
    assert_eq!(response(&world.after(&named_lead(), &before).await)["orderId"], "8DF962A27F");
    world.order(order(json!({})));
    assert_eq!(
        refusal(&world.after(&named_lead(), &before).await),
        "order 8DF962A27F is COMPLETE by now, no lead any more"
    );
    world.shows("order/query", []);
    assert_eq!(doubt(&world.after(&named_lead(), &before).await), "order 8DF962A27F is not in the CRM");
}

#[tokio::test]
async fn what_is_sold_is_no_lead() {
    let world = World::new().await;
    world.before(&named_lead()).await;
    for (status, reason) in [
        ("COMPLETE", "order 8DF962A27F is sold already (COMPLETE), no lead any more"),
        ("CANCELLED", "order 8DF962A27F is cancelled, no lead any more"),
    ] {
        world.order(order(json!({"orderStatus": status})));
        assert_eq!(refusal(&world.look(&named_lead(), None).await.seen), reason);
    }
}

#[tokio::test]
async fn the_state_changes_with_what_is_personal_without_holding_it() {
    let world = World::new().await;
    world.order(lead(json!({})));
    let before = world.before(&named_lead()).await;
    world.order(lead(json!({"firstName": "Eve"})));
    let changed = world.look(&named_lead(), Some(&before)).await.state;
    assert_ne!(changed, before);
    assert!(!changed.contains("Eve"));
    // Another request's hash of the same values is another one.
    let mut other = named_lead();
    other.idempotency_key = "another".into();
    assert_ne!(world.look(&other, None).await.state, changed);
}

#[tokio::test]
async fn nobody_cannot_be_found() {
    let nobody = request("konnektive.create_lead", &[("campaignId", "459"), ("firstName", "Ada")]);
    let world = World::new().await;
    assert!(doubt(&world.look(&nobody, None).await.seen).starts_with("without orderId"));
    assert!(world.server.seen().is_empty());
}

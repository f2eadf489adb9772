//! Whatever the CRM shows: no look panics, keeps what is personal, or shows a credential.

use crate::support::{AUTH, LOGIN, NOW, PASSWORD, Server, konnektive_at, reply, request};
use crate::world::{World, doubt};
use axum::response::Response;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use zaprun_core::crm::ENDPOINTS;
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{CrmWriter, ReadError, Seen, Sight};

/// A request that gives each look all that it may ask for.
fn full(action: &str, named: bool) -> CrmRequest {
    let mut params = vec![
        ("customerId", "19241"),
        ("campaignId", "459"),
        ("emailAddress", "ada@example.test"),
        ("productId", "15271"),
        ("purchaseId", "BA50DC775D"),
        ("transactionId", "900001"),
        ("message", "a note"),
        ("action", "APPROVE"),
        ("fullRefund", "1"),
        ("fulfillmentStatus", "SHIPPED"),
        ("trackingNumber", "1Z999"),
        ("city", "Springfield"),
        ("fulfillmentId", "32439"),
    ];
    if named {
        params.push(("orderId", "8DF962A27F"));
    }
    let mut request = request(action, &params);
    request.correlate_in = (!named).then(|| "custom5".into());
    request
}

#[tokio::test]
async fn a_fault_of_the_way_is_an_error_and_no_finding() {
    for endpoint in ENDPOINTS {
        let request = full(endpoint.action, true);
        for (status, body) in
            [(504, "<html>"), (200, "{\"result\":\"SUCC"), (200, r#"{"result":"ERROR"}"#), (200, AUTH)]
        {
            let server = Server::answering(move |_| Some(reply(status, body))).await;
            let looked = konnektive_at(&server.base, "UTC", NOW, 3).look(&request, None).await;
            match looked {
                Err(ReadError::Transport { .. } | ReadError::Credentials { .. }) => {}
                Ok(sight) => {
                    assert!(server.seen().is_empty(), "{}", endpoint.path);
                    assert!(matches!(sight.seen, Seen::Unclear { .. }));
                }
                Err(other) => panic!("{} {other:?}", endpoint.path),
            }
        }
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_not_passed_over() {
    let world = World::new().await;
    for row in [json!(7), json!("8DF962A27F"), json!([])] {
        world.shows("order/query", [row]);
        let looked = world.try_look(&full("konnektive.create_sale", true), None).await;
        assert_eq!(
            looked,
            Err(ReadError::Transport {
                text: "the CRM sent a row that cannot be read".into(),
                retry_after: None
            })
        );
    }
}

#[tokio::test]
async fn too_many_candidates_are_unclear() {
    let many = |_: &crate::support::Seen| {
        Some(reply(200, r#"{"result":"SUCCESS","message":{"totalResults":5000,"data":[{"orderId":"A"}]}}"#))
    };
    let server = Server::answering(many).await;
    let crm = konnektive_at(&server.base, "UTC", NOW, 3);
    let request = full("konnektive.create_sale", false);
    let sight = crm.look(&request, None).await.unwrap();
    assert_eq!(doubt(&sight.seen), "more than 2000 rows could be it, so a look cannot tell");
    assert_eq!(crm.look(&request, Some(&sight.state)).await.unwrap(), sight);
}

#[tokio::test]
async fn ids_that_hold_a_credential_are_not_kept_and_prove_nothing() {
    let world = World::new().await;
    world.shows("order/query", [crate::world::lead(json!({"orderId": "8DF962A27F"}))]);
    let request = full("konnektive.create_sale", true);
    let row = |id: &str| json!({"transactionId": id, "orderId": "8DF962A27F", "txnType": "VOID", "responseType": "SUCCESS"});
    let sale = |id: &str| crate::world::with(row(id), json!({"txnType": "AUTHORIZE"}));
    world.charges([sale("7")]);
    let before = world.before(&request).await;
    world.charges([sale("7"), row(LOGIN)]);
    assert_eq!(world.after(&request, &before).await, Seen::NotHappened, "a void is no charge");
    world.charges([sale(LOGIN)]);
    let sight = world.look(&request, None).await;
    assert_eq!(doubt(&sight.seen), "the CRM shows ids that hold the connection's login or password");
    assert_eq!(sight.state, "\"nothing to see\"");
    assert!(doubt(&world.after(&request, &before).await).starts_with("transaction *** succeeded"));
}

/// What a member of a row may hold.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec![
            "8DF962A27F",
            "900001",
            "BA50DC775D",
            "19241",
            "32439",
            "459",
            "PARTIAL",
            "COMPLETE",
            "DECLINED",
            "CANCELLED",
            "PENDING",
            "REFUNDED",
            "SALE",
            "REFUND",
            "VOID",
            "SUCCESS",
            "SOFT_DECLINE",
            "2026-09-16 15:00:00",
            "0.30",
            "-0.30",
            "SHIPPED",
            "APPROVED",
            LOGIN,
            PASSWORD,
            "0000-00-00 00:00:00",
            "a note",
            "0b9d8f5e-6b0c-5c55-9f3e-000000000001",
        ])
        .prop_map(Value::from),
    ]
}

/// Members that looks read, and some more.
const NAMES: [&str; 30] = [
    "orderId",
    "clientOrderId",
    "actualOrderId",
    "orderStatus",
    "reviewStatus",
    "customerId",
    "campaignId",
    "emailAddress",
    "refundRemaining",
    "dateCreated",
    "dateUpdated",
    "transactionId",
    "parentTxnId",
    "txnType",
    "responseType",
    "responseText",
    "totalAmount",
    "purchaseId",
    "status",
    "cancellationScheduled",
    "items",
    "fulfillments",
    "fulfillmentId",
    "trackingNumber",
    "city",
    "custom5",
    "productId",
    "orderItemId",
    "achAccountNumber",
    "note",
];

fn item() -> impl Strategy<Value = Value> {
    proptest::collection::vec((proptest::sample::select(NAMES.to_vec()), leaf()), 0..4).prop_map(|members| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

fn row() -> impl Strategy<Value = Value> {
    let names = proptest::sample::subsequence(NAMES.to_vec(), 1..NAMES.len());
    let value = prop_oneof![
        6 => leaf(),
        1 => proptest::collection::vec(item(), 0..3).prop_map(Value::from),
        1 => item().prop_map(|item| json!({"15271": item})),
    ];
    (names, proptest::collection::vec(value, NAMES.len()))
        .prop_map(|(names, values)| Value::Object(names.into_iter().map(str::to_owned).zip(values).collect()))
}

/// A server whose rows a test exchanges.
struct Shown {
    rows: Arc<Mutex<Vec<Value>>>,
    server: Server,
}

impl Shown {
    async fn new() -> Shown {
        let rows = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&rows);
        let says = move |_: &crate::support::Seen| -> Option<Response> {
            let body = json!({"result": "SUCCESS", "message": {"data": *shown.lock().unwrap()}});
            Some(reply(200, body.to_string()))
        };
        Shown { rows, server: Server::answering(says).await }
    }

    fn show(&self, rows: &[Value]) {
        rows.clone_into(&mut self.rows.lock().unwrap());
    }

    /// What is seen; nothing where a row cannot be read.
    async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Option<Sight> {
        let crm = konnektive_at(&self.server.base, "America/New_York", NOW, 3);
        match crm.look(request, before).await {
            Ok(sight) => Some(sight),
            Err(ReadError::Transport { text, .. }) if text == "the CRM sent a row that cannot be read" => {
                None
            }
            Err(error) => panic!("{} {error:?}", request.endpoint.path),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_rows_make_a_look_panic_waver_or_tell_a_secret(
        earlier in proptest::collection::vec(row(), 0..4), later in proptest::collection::vec(row(), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let shown = Shown::new().await;
            for (endpoint, named) in ENDPOINTS.iter().flat_map(|endpoint| [(endpoint, true), (endpoint, false)]) {
                let request = full(endpoint.action, named);
                shown.show(&earlier);
                let Some(before) = shown.look(&request, None).await else { continue };
                assert_eq!(Some(&before), shown.look(&request, None).await.as_ref());
                let mut sights = vec![before.clone()];
                let unchanged = shown.look(&request, Some(&before.state)).await.unwrap();
                // Where nothing was against sending and nothing has changed, nothing has happened.
                if before.seen == Seen::NotHappened {
                    let open = matches!(unchanged.seen, Seen::NotHappened | Seen::Unclear { .. });
                    assert!(open && unchanged.state == before.state, "{} {before:?} {unchanged:?}", endpoint.path);
                }
                sights.push(unchanged);
                shown.show(&later);
                sights.extend(shown.look(&request, Some(&before.state)).await);
                for sight in sights {
                    assert!(!format!("{sight:?}").contains("canary"), "{} {sight:?}", endpoint.path);
                    assert!(!sight.state.contains("ada@example.test"));
                }
            }
        });
    }
}

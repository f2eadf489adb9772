//! A CRM that shows the rows a test puts there.

use crate::support::{Seen, Server, konnektive_at, reply};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use zaprun_core::request::CrmRequest;
use zaprun_engine::ports::{CrmWriter, ReadError, Seen as Outcome, Sight};
use zaprun_konnektive::Konnektive;

/// Filters that the CRM understands.
const FILTERS: [&str; 7] =
    ["orderId", "customerId", "transactionId", "purchaseId", "emailAddress", "campaignId", "cardLast4"];

/// Rows by endpoint.
type Rows = Arc<Mutex<HashMap<&'static str, Vec<Value>>>>;

pub(crate) struct World {
    rows: Rows,
    /// Answers that take the place of rows.
    says: Arc<Mutex<HashMap<&'static str, &'static str>>>,
    /// The CRM's clock.
    date: Arc<Mutex<&'static str>>,
    pub(crate) server: Server,
}

impl World {
    pub(crate) async fn new() -> World {
        let rows = Rows::default();
        let says: Arc<Mutex<HashMap<&'static str, &'static str>>> = Arc::default();
        let date = Arc::new(Mutex::new("Wed, 16 Sep 2026 20:00:00 GMT"));
        let server = Server::answering({
            let (rows, says, date) = (Arc::clone(&rows), Arc::clone(&says), Arc::clone(&date));
            move |seen| {
                let mut answer = answer(seen, &rows.lock().unwrap(), &says.lock().unwrap());
                answer.headers_mut().insert("date", date.lock().unwrap().parse().unwrap());
                Some(answer)
            }
        })
        .await;
        World { rows, says, date, server }
    }

    /// Sets the CRM's clock.
    pub(crate) fn is_at(&self, date: &'static str) {
        *self.date.lock().unwrap() = date;
    }

    /// Puts these rows in the place of those that an endpoint showed.
    pub(crate) fn shows(&self, endpoint: &'static str, rows: impl IntoIterator<Item = Value>) {
        self.rows.lock().unwrap().insert(endpoint, rows.into_iter().collect());
    }

    pub(crate) fn order(&self, row: Value) {
        self.shows("order/query", [row]);
    }

    pub(crate) fn charges(&self, rows: impl IntoIterator<Item = Value>) {
        self.shows("transactions/query", rows);
    }

    /// An endpoint answers with this from now on.
    pub(crate) fn says(&self, endpoint: &'static str, body: &'static str) {
        self.says.lock().unwrap().insert(endpoint, body);
    }

    pub(crate) fn crm(&self, now: &str) -> Konnektive {
        konnektive_at(&self.server.base, "America/New_York", now, 3)
    }

    pub(crate) async fn try_look(
        &self,
        request: &CrmRequest,
        before: Option<&str>,
    ) -> Result<Sight, ReadError> {
        self.crm(crate::support::NOW).look(request, before).await
    }

    pub(crate) async fn look(&self, request: &CrmRequest, before: Option<&str>) -> Sight {
        let sight = self.try_look(request, before).await.unwrap();
        assert_impersonal(&sight);
        sight
    }

    /// A look before the request is sent, which finds nothing against it; its state.
    pub(crate) async fn before(&self, request: &CrmRequest) -> String {
        let sight = self.look(request, None).await;
        assert_eq!(sight.seen, Outcome::NotHappened);
        sight.state
    }

    /// What a later look comes to.
    pub(crate) async fn after(&self, request: &CrmRequest, before: &str) -> Outcome {
        let sight = self.look(request, Some(before)).await;
        let again = self.look(request, Some(before)).await;
        assert_eq!(again.state, sight.state, "nothing has changed");
        sight.seen
    }

    /// The forms with which an endpoint was asked.
    pub(crate) fn asked(&self, endpoint: &str) -> Vec<Seen> {
        self.server.seen().into_iter().filter(|seen| seen.endpoint() == endpoint).collect()
    }
}

/// Names, addresses and credentials have no place in what is kept of a look.
fn assert_impersonal(sight: &Sight) {
    for word in
        ["ada", "example", "sample", "springfield", "5555550100", "10001", "203.0.113", "canary", "021000021"]
    {
        assert!(!sight.state.to_lowercase().contains(word), "{word} in {}", sight.state);
    }
    let shown = format!("{sight:?}");
    assert!(!shown.contains("canary") && !shown.contains("021000021"), "{shown}");
}

fn answer(
    seen: &Seen,
    rows: &HashMap<&'static str, Vec<Value>>,
    says: &HashMap<&'static str, &'static str>,
) -> Response {
    let endpoint = seen.endpoint();
    if let Some(body) = says.get(endpoint) {
        return reply(200, *body);
    }
    let fits = |row: &&Value| {
        FILTERS.iter().all(|name| {
            let (Some(asked), Some(has)) = (seen.field(name), row.get(*name)) else { return true };
            has.as_str().map_or_else(|| has.to_string(), str::to_owned).eq_ignore_ascii_case(asked)
        })
    };
    let found: Vec<Value> = rows.get(endpoint).into_iter().flatten().filter(fits).cloned().collect();
    let page = seen.field("page").unwrap().parse::<usize>().unwrap();
    if found.is_empty() || page > 1 {
        return reply(
            200,
            r#"{"result":"ERROR","message":"No rows matching those parameters could be found"}"#,
        );
    }
    let body =
        json!({"result": "SUCCESS", "message": {"totalResults": found.len().to_string(), "data": found}});
    reply(200, body.to_string())
}

/// A row with some members changed.
pub(crate) fn with(mut row: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("not an object") };
    row.as_object_mut().unwrap().extend(changes);
    row
}

/// A row without some members.
pub(crate) fn without(mut row: Value, names: &[&str]) -> Value {
    let row_members = row.as_object_mut().unwrap();
    for name in names {
        row_members.shift_remove(*name);
    }
    row
}

fn sample(text: &str) -> Value {
    let body: Value = serde_json::from_str(text).unwrap();
    let row = body["message"]["data"][0].clone();
    assert!(row.is_object());
    with(row, json!({}))
}

/// Order 8DF962A27F of ada@example.test in campaign 459, COMPLETE, as recorded.
pub(crate) fn order(changes: Value) -> Value {
    let row = with(
        sample(include_str!("../samples/order_query_2026.json")),
        json!({"achRoutingNumber": "021000021"}),
    );
    with(row, changes)
}

/// The same order as a lead: nothing bought, nothing shipped.
pub(crate) fn lead(changes: Value) -> Value {
    let row = order(json!({
        "orderStatus": "PARTIAL", "reviewStatus": null, "items": [], "fulfillments": [], "totalAmount": null,
        "paySource": null, "refundRemaining": null,
    }));
    with(row, changes)
}

/// Transaction 900001 of that order: a successful sale of 0.30 at a quarter to four.
pub(crate) fn charge(changes: Value) -> Value {
    let row = sample(include_str!("../samples/skeleton_transactions_query.json"));
    let row = with(
        row,
        json!({
            "orderId": "8DF962A27F", "clientOrderId": "8DF962A27F", "actualOrderId": 49835, "responseType": "SUCCESS",
            "responseText": "Approved", "dateCreated": "2026-09-16 15:45:00", "parentTxnId": null,
        }),
    );
    with(row, changes)
}

pub(crate) fn purchase(changes: Value) -> Value {
    with(sample(include_str!("../samples/skeleton_purchase_query.json")), changes)
}

pub(crate) fn customer(changes: Value) -> Value {
    with(sample(include_str!("../samples/skeleton_customer_query.json")), changes)
}

/// The answer of a look that says it happened.
pub(crate) fn response(seen: &Outcome) -> Map<String, Value> {
    match seen {
        Outcome::Happened { response } => {
            let Value::Object(answer) = serde_json::from_slice(response).unwrap() else {
                panic!("{response:?}")
            };
            assert_eq!(answer["result"], "SUCCESS");
            answer
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refusal(seen: &Outcome) -> &str {
    match seen {
        Outcome::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn doubt(seen: &Outcome) -> &str {
    match seen {
        Outcome::Unclear { reason } => reason,
        other => panic!("{other:?}"),
    }
}

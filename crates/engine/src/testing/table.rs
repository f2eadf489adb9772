//! Rows of a CRM that change while they are read.

use crate::ports::PageRequest;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use zaprun_core::trigger::{Endpoint, Narrowing, Query};

/// One row, with the CRM's field names.
#[derive(Debug, Clone, PartialEq)]
pub struct FakeRow {
    /// Where it is read.
    pub endpoint: Endpoint,
    /// Its fields.
    pub fields: Map<String, Value>,
    inserted: u64,
}

impl FakeRow {
    /// A complete first sale, created and last updated at `at` (local to the account).
    pub fn order(id: &str, at: &str) -> Self {
        Self::new(
            Endpoint::Orders,
            json!({
                "orderId": id, "dateCreated": at, "dateUpdated": at, "orderType": "NEW_SALE",
                "orderStatus": "COMPLETE", "reviewStatus": null, "totalAmount": "19.90", "campaignId": 12,
                "paySource": "CREDITCARD", "cardType": "VISA", "items": {"7": {"productId": 7, "qty": 1}},
            }),
        )
    }

    /// A successful charge of an order.
    pub fn sale(id: u64, order: &str, at: &str) -> Self {
        Self::new(
            Endpoint::Transactions,
            json!({
                "transactionId": id, "orderId": order, "dateCreated": at, "dateUpdated": at, "txnType": "SALE",
                "responseType": "SUCCESS", "totalAmount": "19.90", "campaignId": "12",
                "billingCycleNumber": 1, "recycleNumber": 0, "paySource": "CREDITCARD", "cardType": "VISA",
            }),
        )
    }

    /// A customer who came at `at`.
    pub fn customer(id: u64, at: &str) -> Self {
        Self::new(
            Endpoint::Customers,
            json!({
                "customerId": id, "firstName": "Ada", "lastName": "Example", "dateCreated": at, "dateUpdated": at,
                "mostRecentActivity": at,
            }),
        )
    }

    fn new(endpoint: Endpoint, fields: Value) -> Self {
        let Value::Object(fields) = fields else { unreachable!("all callers write an object") };
        Self { endpoint, fields, inserted: 0 }
    }

    /// With another value in one field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// A field as text; empty when absent or null.
    pub fn text(&self, field: &str) -> String {
        text(self.fields.get(field))
    }

    /// Its natural id.
    pub fn id(&self) -> String {
        self.text(id_field(self.endpoint))
    }

    /// As it is sent.
    pub fn bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(&self.fields).unwrap())
    }
}

fn id_field(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Orders => "orderId",
        Endpoint::Transactions => "transactionId",
        Endpoint::Purchases => "purchaseId",
        Endpoint::Customers => "customerId",
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// All rows of one account.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<FakeRow>,
    inserted: u64,
}

impl Table {
    /// Adds a row.
    pub fn insert(&mut self, mut row: FakeRow) {
        self.inserted += 1;
        row.inserted = self.inserted;
        self.rows.push(row);
    }

    /// Removes a row; false when there is none of that id.
    pub fn remove(&mut self, endpoint: Endpoint, id: &str) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| row.endpoint != endpoint || row.id() != id);
        self.rows.len() < before
    }

    /// Sets fields of an order; false when there is none of that id.
    pub fn update_order(&mut self, id: &str, fields: &[(&str, Value)]) -> bool {
        let found = self.rows.iter_mut().find(|row| row.endpoint == Endpoint::Orders && row.id() == id);
        let Some(row) = found else { return false };
        for (name, value) in fields {
            row.fields.insert((*name).to_owned(), value.clone());
        }
        true
    }

    /// All rows.
    pub fn rows(&self) -> &[FakeRow] {
        &self.rows
    }

    /// One page, and how many rows the query has in all.
    pub fn page(&self, request: &PageRequest) -> (u64, Vec<Bytes>) {
        let days = request.window.map(|days| (days.first.to_string(), days.last.to_string()));
        let asked = |row: &&FakeRow| matches(row, &request.query, &request.narrowing, days.as_ref());
        let mut rows: Vec<&FakeRow> = self.rows.iter().filter(asked).collect();
        rows.sort_by_cached_key(|row| (row.text("dateCreated"), row.inserted));
        if !request.ascending {
            rows.reverse();
        }
        let size = request.per_page.min(200) as usize;
        let skip = size * (request.page as usize - 1);
        (rows.len() as u64, rows.iter().skip(skip).take(size).map(|row| row.bytes()).collect())
    }
}

fn matches(row: &FakeRow, query: &Query, narrowing: &Narrowing, days: Option<&(String, String)>) -> bool {
    row.endpoint == query.endpoint
        && query.params.iter().all(|(name, value)| row.text(name) == *value)
        && in_window(row, query, days)
        && (narrowing.campaign_ids.is_empty() || narrowing.campaign_ids.contains(&row.text("campaignId")))
        && (narrowing.campaign_product_ids.is_empty() || has_product(row, &narrowing.campaign_product_ids))
}

/// Whole days, both ends included; the time of day is ignored (contract §1.6).
fn in_window(row: &FakeRow, query: &Query, days: Option<&(String, String)>) -> bool {
    let Some((first, last)) = days else { return true };
    let at = row.text(query.seen_through.field());
    let day = at.get(..10).unwrap_or(&at);
    (first.as_str()..=last.as_str()).contains(&day)
}

fn has_product(row: &FakeRow, wanted: &[String]) -> bool {
    let items = row.fields.get("items").and_then(Value::as_object);
    items.is_some_and(|items| items.values().any(|item| wanted.contains(&text(item.get("productId")))))
}

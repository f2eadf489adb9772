//! Rows of customer/query and customer/history (contract §3.4, §3.5).

use serde_json::{Value, json};

use super::orders::{AGENT_NAME, CUSTOM, SOURCE_VALUES, address, card_expiry, ship_address};
use crate::clock::stamp;
use crate::config::Shape;
use crate::crm::variety::{Row, Variety};
use crate::state::{Customer, Entry, EntryKind, Payment, State, catalog};

/// One row, with the secrets that the service shows as well.
pub(crate) fn customer_row(state: &State, customer: &Customer, variety: Variety, history: bool) -> Value {
    let mut row = Row::default();
    row.put("customerId", customer.customer_id);
    person(&mut row, customer);
    account(&mut row, customer);
    row.nulls(SOURCE_VALUES)
        .put("dateCreated", stamp(customer.created))
        .put("dateUpdated", stamp(customer.updated))
        .put("mostRecentActivity", stamp(customer.active))
        .text("eCommerceLogin", &customer.buyer.email)
        .put("eCommercePassword", format!("shop-secret-{}", customer.customer_id))
        .put("campaignName", catalog::campaign_name(customer.campaign_id))
        .put("campaignType", "LANDER")
        .nulls(&["clientSourceId", "sourceTitle", "sourceType", "sourceId", "dob"])
        .texts(CUSTOM, |name| customer.custom.get(name).map_or("", String::as_str))
        .nulls(&["gender", "creditAmount"])
        .put("doNotSellName", 0)
        .nulls(&["contactOptIn", "emailOptIn"]);
    let banned = u8::from(state.is_customer_blacklisted(customer));
    row.put("isBlacklisted", variety.number(customer.customer_id, "isBlacklisted", banned.into()))
        .put("isTaxExempt", 0)
        .text("ipAddress", &customer.buyer.ip)
        .put(
            "paySources",
            customer.accounts.iter().map(|account| pay_source(customer, account)).collect::<Vec<_>>(),
        )
        .put("notes", if history { notes(state, customer) } else { Vec::new() })
        .put("customFields", json!({}));
    Value::Object(row.0)
}

fn person(row: &mut Row, customer: &Customer) {
    let buyer = &customer.buyer;
    let mut bill = Row::default();
    address(&mut bill, &buyer.bill);
    for (key, value) in bill.0 {
        row.put(&key, value);
    }
    row.text("phoneNumber", &buyer.phone)
        .text("emailAddress", &buyer.email)
        .put("billShipSame", u8::from(buyer.bill == buyer.ship));
    ship_address(row, &buyer.ship);
}

/// The latest account on file.
fn account(row: &mut Row, customer: &Customer) {
    let account = customer.accounts.last();
    let card = account.and_then(|account| account.card.as_ref());
    row.put("paySourceId", account.map(|account| Customer::pay_source_id(customer.customer_id, account)))
        .text("paySource", account.map_or("", |account| account.source.as_str()))
        .text("cardType", card.map_or("", |card| card.kind.as_str()))
        .text("cardLast4", card.map_or("", |card| card.last4.as_str()))
        .text(
            "cardExpiryDate",
            &card.map(|card| card_expiry(card.year, card.month, Shape::Y2026)).unwrap_or_default(),
        );
}

fn pay_source(customer: &Customer, account: &Payment) -> Value {
    let card = account.card.as_ref();
    json!({
        "paySourceId": Customer::pay_source_id(customer.customer_id, account),
        "paySource": account.source,
        "cardType": card.map(|card| card.kind.as_str()),
        "cardBin": card.map(|card| card.bin.as_str()),
        "cardLast4": card.map(|card| card.last4.as_str()),
        "cardExpiryDate": card.map(|card| card_expiry(card.year, card.month, Shape::Y2026)),
        "achRoutingNumber": null,
        "achAccountNumber": null,
    })
}

/// The customer's notes. No row of them is recorded: the names are ours.
fn notes(state: &State, customer: &Customer) -> Vec<Value> {
    let mine = state
        .history()
        .filter(|entry| entry.customer_id == customer.customer_id && entry.kind == EntryKind::Note);
    let note = |entry: &Entry| {
        json!({
            "noteId": entry.id,
            "dateCreated": stamp(entry.at),
            "agentName": AGENT_NAME,
            "message": entry.text,
        })
    };
    mine.map(note).collect()
}

/// A row of customer/history. None is recorded: the names are ours.
pub(crate) fn history_row(entry: &Entry) -> Value {
    json!({
        "historyId": entry.id,
        "customerId": entry.customer_id,
        "orderId": entry.order_id,
        "dateCreated": stamp(entry.at),
        "agentName": AGENT_NAME,
        "type": entry.kind.as_str(),
        "message": entry.text,
    })
}

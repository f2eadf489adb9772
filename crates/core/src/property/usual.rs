//! What is usual: which fields every row has, and what the rows of a kind of event have in common.
//!
//! Known from recorded replies (contract §3: the shapes of 2016, 2022 and 2026), and from what the CRM itself demands
//! before it makes a row.

use crate::crm::{CREATE_SALE, Rule};

/// The fields that no row lacks, by the name of the row. All others may be absent, null or empty.
const ALWAYS: &[(&str, &[&str])] = &[
    (
        "order",
        &[
            "orderId",
            "clientOrderId",
            "dateCreated",
            "dateUpdated",
            "orderStatus",
            "customerId",
            "campaignId",
        ],
    ),
    ("item", &["productId", "name", "qty", "price"]),
    ("fulfillment", &["fulfillmentId", "clientFulfillmentId", "status"]),
    ("fulfillment item", &["fulfillmentItemId", "qty"]),
    (
        "transaction",
        &[
            "transactionId",
            "dateCreated",
            "txnType",
            "responseType",
            "totalAmount",
            "orderId",
            "clientOrderId",
            "campaignId",
            "customerId",
        ],
    ),
    ("customer", &["customerId", "dateCreated"]),
    ("purchase", &["purchaseId", "orderId", "customerId", "productId", "status", "dateCreated", "price"]),
    ("purchase transaction", &["transactionId", "txnDate", "totalAmount", "responseType"]),
];

/// Kinds of orders that were charged, or were to be.
const BOUGHT: &[&str] = &["new_sale", "rebill", "cancelled", "refunded", "shipped", "declined"];

/// Whether every row has the field.
pub(super) fn always(row: &str, kind: &str, field: &str) -> bool {
    let listed =
        |rows: &[(&str, &[&str])]| rows.iter().any(|(name, fields)| *name == row && fields.contains(&field));
    listed(ALWAYS) || (row == "order" && BOUGHT.contains(&kind) && bought(field))
}

/// What the CRM asks of whoever imports a sale, an order that was sold has. A wallet leaves out names, e-mail and
/// telephone all the same, so that only address and amount can be relied on.
fn bought(field: &str) -> bool {
    const ADDRESS: [&str; 5] = ["address1", "city", "state", "country", "postalCode"];
    let asked = CREATE_SALE.rules.iter().any(|rule| match rule {
        Rule::RequiredUnless { needs, .. } => needs.contains(&field),
        _ => false,
    });
    field == "totalAmount" || asked && ADDRESS.contains(&field)
}

/// Each row and the fields that it never lacks, and those of orders that were charged.
pub(crate) fn always_there() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let charged = crate::record::ORDER.fields.iter().map(|field| field.name).filter(|name| bought(name));
    let charged = std::iter::once(("order that was charged", charged.collect()));
    ALWAYS.iter().map(|(row, fields)| (*row, fields.to_vec())).chain(charged)
}

/// What a field of a row must be for the trigger to take it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pin {
    /// One of these words, or the digits of one of these numbers.
    Words(&'static [&'static str]),
    /// A list with at least one row, which has such fields.
    Rows(&'static [(&'static str, &'static [&'static str])]),
}

type Pins = &'static [(&'static str, Pin)];

const FIRST_SALE: (&str, Pin) = ("orderType", Pin::Words(&["NEW_SALE"]));
const SOLD: (&str, Pin) = ("orderStatus", Pin::Words(&["COMPLETE", "COMPLETE", "REFUNDED", "CANCELLED"]));

/// What the rows of each kind have in common, without the options of a trigger.
const PINS: &[(&str, Pins)] = &[
    ("new_sale", &[SOLD, FIRST_SALE]),
    ("cancelled", &[("orderStatus", Pin::Words(&["CANCELLED"]))]),
    ("new_lead", &[("orderStatus", Pin::Words(&["PARTIAL"]))]),
    ("rebill", &[SOLD, ("orderType", Pin::Words(&["RECURRING"]))]),
    ("declined", &[("orderStatus", Pin::Words(&["DECLINED"])), FIRST_SALE]),
    ("refunded", &[("orderStatus", Pin::Words(&["REFUNDED"]))]),
    ("shipped", &[SOLD, ("fulfillments", Pin::Rows(&[("status", &["SHIPPED", "DELIVERED"])]))]),
    (
        "decline",
        &[
            ("responseType", Pin::Words(&["SOFT_DECLINE", "HARD_DECLINE"])),
            ("txnType", Pin::Words(&["SALE", "AUTHORIZE"])),
            ("billingCycleNumber", Pin::Words(&["1"])),
            ("recycleNumber", Pin::Words(&["0"])),
        ],
    ),
    ("refund", &[("responseType", Pin::Words(&["SUCCESS"])), ("txnType", Pin::Words(&["REFUND"]))]),
    ("chargeback", &[("isChargedback", Pin::Words(&["1"]))]),
    ("new_customer", &[]),
];

/// What the rows of a kind have in common; nothing for a kind that is not in the table.
pub(super) fn pins(kind: &str) -> Option<Pins> {
    PINS.iter().find(|(name, _)| *name == kind).map(|(_, pins)| *pins)
}

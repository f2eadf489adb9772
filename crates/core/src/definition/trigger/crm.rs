//! Triggers that poll the CRM.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::{AlsoWebhook, CatchUp};
use crate::definition::Start;
use crate::definition::formats::Duration;
use crate::yaml::{MapRef, Spanned};

/// The pause between two polls unless the zap says otherwise.
pub(crate) const POLL_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Fires once per order that reaches a state, ever.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OrdersTrigger {
    /// The connection of type konnektive to watch.
    pub connection: Spanned<String>,
    /// The state: new_sale, cancelled, new_lead, rebill, declined, refunded or shipped.
    pub order_type: Spanned<OrderType>,
    /// How often to look. Default: 1m.
    pub every: Option<Spanned<Duration>>,
    /// How often to read everything, whatever a look shows. Default: 15m, or every where that is longer.
    pub sweep: Option<Spanned<Duration>>,
    /// What counts as new when the zap first runs: now (default), beginning, a date or a time.
    pub start: Option<Spanned<Start>>,
    /// Only orders whose fields have these values: a value or a list of values for each field.
    #[serde(rename = "where", default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Option<MapRef>,
    /// first (default): the first sale only; all: rebills too.
    pub cycles: Option<Spanned<Cycles>>,
    /// Take orders of the test card too. Default: false.
    pub include_test: Option<Spanned<bool>>,
    /// For new_lead: take an order that is already sold when first seen. Default: false.
    pub include_bought: Option<Spanned<bool>>,
    /// For new_lead: take leads that zaprun itself made too. Default: false.
    pub own: Option<Spanned<bool>>,
    /// Wait until the order has not changed for this long, then read it again and map what it is by then.
    pub settle: Option<Spanned<Duration>>,
    /// Wait no longer than this for an order to settle. Default: 2h.
    pub settle_max: Option<Spanned<Duration>>,
    /// A webhook that tells of the same orders: the push gives speed, the poll gives proof.
    pub also: Option<Spanned<AlsoWebhook>>,
    /// Fire once per value of this field.
    pub once_per: Option<Spanned<String>>,
    /// What becomes of what happened while the zap was switched off: hold (default): it is held for a person, as one
    /// group; send: it is sent; drop: it is dropped, and listed as such. What came while no process ran is always sent.
    pub catch_up: Option<Spanned<CatchUp>>,
}

/// Fires once per transaction.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TransactionsTrigger {
    /// The connection of type konnektive to watch.
    pub connection: Spanned<String>,
    /// The kind of transaction: decline, refund or chargeback.
    pub transaction_type: Spanned<TransactionType>,
    /// How often to look. Default: 1m.
    pub every: Option<Spanned<Duration>>,
    /// How often to read everything, whatever a look shows. Default: 15m, or every where that is longer.
    pub sweep: Option<Spanned<Duration>>,
    /// What counts as new when the zap first runs: now (default), beginning, a date or a time.
    pub start: Option<Spanned<Start>>,
    /// Only transactions whose fields have these values: a value or a list of values for each field.
    #[serde(rename = "where", default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Option<MapRef>,
    /// first (default): declines of the first billing cycle only; all: of rebills too.
    pub cycles: Option<Spanned<Cycles>>,
    /// Take transactions of the test card too. Default: false.
    pub include_test: Option<Spanned<bool>>,
    /// For refund: take voids too. Default: false.
    pub include_voids: Option<Spanned<bool>>,
    /// A webhook that tells of the same transactions: the push gives speed, the poll gives proof.
    pub also: Option<Spanned<AlsoWebhook>>,
    /// Fire once per value of this field, for example orderId.
    pub once_per: Option<Spanned<String>>,
    /// What becomes of what happened while the zap was switched off: hold (default): it is held for a person, as one
    /// group; send: it is sent; drop: it is dropped, and listed as such. What came while no process ran is always sent.
    pub catch_up: Option<Spanned<CatchUp>>,
}

/// Fires once per customer, ever.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CustomersTrigger {
    /// The connection of type konnektive to watch.
    pub connection: Spanned<String>,
    /// How often to look. Default: 1m.
    pub every: Option<Spanned<Duration>>,
    /// How often to read everything, whatever a look shows. Default: 15m, or every where that is longer.
    pub sweep: Option<Spanned<Duration>>,
    /// What counts as new when the zap first runs: now (default), beginning, a date or a time.
    pub start: Option<Spanned<Start>>,
    /// Only customers whose fields have these values: a value or a list of values for each field.
    #[serde(rename = "where", default)]
    #[schemars(schema_with = "conditions")]
    pub conditions: Option<MapRef>,
    /// Fire once per value of this field.
    pub once_per: Option<Spanned<String>>,
    /// What becomes of what happened while the zap was switched off: hold (default): it is held for a person, as one
    /// group; send: it is sent; drop: it is dropped, and listed as such. What came while no process ran is always sent.
    pub catch_up: Option<Spanned<CatchUp>>,
}

fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": ["string", "number", "boolean", "array"],
            "minItems": 1,
            "items": { "type": ["string", "number", "boolean"] },
        },
    })
}

/// The state that an order reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// It is sold.
    NewSale,
    /// It is cancelled.
    Cancelled,
    /// It was begun and not yet sold.
    NewLead,
    /// A later billing cycle was sold.
    Rebill,
    /// It was turned down for good.
    Declined,
    /// All its money went back.
    Refunded,
    /// A parcel of it is on its way.
    Shipped,
}

/// The kind of transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionType {
    /// The card was refused.
    Decline,
    /// Money went back.
    Refund,
    /// The buyer's bank took the money back.
    Chargeback,
}

/// Which billing cycles count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycles {
    /// The first only.
    First,
    /// All of them.
    All,
}

crate::definition::formats_of_words!(
    OrderType,
    "OrderType",
    "The state that an order reaches.",
    ["new_sale", "cancelled", "new_lead", "rebill", "declined", "refunded", "shipped"]
);
crate::definition::formats_of_words!(
    TransactionType,
    "TransactionType",
    "The kind of transaction.",
    ["decline", "refund", "chargeback"]
);
crate::definition::formats_of_words!(Cycles, "Cycles", "Which billing cycles count.", ["first", "all"]);

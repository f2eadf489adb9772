//! What starts a zap.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::Start;
use super::formats::Duration;
use super::tagged::{self, Branch};
use crate::yaml::{MapRef, Spanned};

/// What starts a zap.
#[derive(Debug, Clone, Deserialize)]
pub enum Trigger {
    /// An order that reaches a state.
    #[serde(rename = "konnektive.orders")]
    Orders(OrdersTrigger),
    /// A transaction.
    #[serde(rename = "konnektive.transactions")]
    Transactions(TransactionsTrigger),
}

impl Trigger {
    /// The connection it reads.
    pub fn connection(&self) -> &Spanned<String> {
        match self {
            Trigger::Orders(trigger) => &trigger.connection,
            Trigger::Transactions(trigger) => &trigger.connection,
        }
    }
}

impl JsonSchema for Trigger {
    fn schema_name() -> Cow<'static, str> {
        "Trigger".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let branches = vec![
            Branch::of::<OrdersTrigger>(
                generator,
                "konnektive.orders",
                "Once per order that reaches a state, ever.",
            ),
            Branch::of::<TransactionsTrigger>(generator, "konnektive.transactions", "Once per transaction."),
        ];
        tagged::by_type("What starts the zap.", "The kind of trigger.", branches)
    }
}

/// Fires once per order that reaches a state, ever.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OrdersTrigger {
    /// The connection of type konnektive to watch.
    pub connection: Spanned<String>,
    /// The state: new_sale, cancelled or new_lead.
    pub order_type: Spanned<OrderType>,
    /// How often to look. Default: 1m.
    pub every: Option<Spanned<Duration>>,
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
    /// Fire once per value of this field.
    pub once_per: Option<Spanned<String>>,
}

/// Fires once per transaction.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TransactionsTrigger {
    /// The connection of type konnektive to watch.
    pub connection: Spanned<String>,
    /// The kind of transaction: decline or refund.
    pub transaction_type: Spanned<TransactionType>,
    /// How often to look. Default: 1m.
    pub every: Option<Spanned<Duration>>,
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
    /// Fire once per value of this field, for example orderId.
    pub once_per: Option<Spanned<String>>,
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
}

/// The kind of transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionType {
    /// The card was refused.
    Decline,
    /// Money went back.
    Refund,
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

super::formats_of_words!(
    OrderType,
    "OrderType",
    "The state that an order reaches.",
    ["new_sale", "cancelled", "new_lead"]
);
super::formats_of_words!(
    TransactionType,
    "TransactionType",
    "The kind of transaction.",
    ["decline", "refund"]
);
super::formats_of_words!(Cycles, "Cycles", "Which billing cycles count.", ["first", "all"]);

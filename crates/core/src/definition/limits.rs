//! Brakes of a zap, and the order of its runs.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::yaml::{NodeRef, Spanned};

/// Brakes against a zap that does more than it should. What is over them is held for a person, with one alert; nothing
/// is lost.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limits {
    /// At most so many writes in any hour: requests of `actions` that change something. A step, or an element of one,
    /// counts once, however often it is tried.
    #[schemars(range(min = 1))]
    pub writes_per_hour: Option<Spanned<u32>>,
    /// At most so much money a day, in the account's zone.
    pub money: Option<Spanned<MoneyLimit>>,
}

/// At most so much money a day. A record counts once, with its first write.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MoneyLimit {
    /// The record's field that holds the amount, for example totalAmount.
    pub field: Spanned<String>,
    /// The most of it on one day.
    #[schemars(schema_with = "amount")]
    pub max: NodeRef,
}

fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number", "minimum": 0 })
}

/// What keeps the runs of one natural id waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// An earlier one that is pending.
    Relaxed,
    /// One that is dead or held, too.
    Strict,
}

crate::definition::formats_of_words!(
    Order,
    "Order",
    "What keeps the runs of one natural id waiting.",
    ["relaxed", "strict"]
);

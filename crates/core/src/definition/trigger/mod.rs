//! What starts a zap.

mod catch_up;
mod crm;
mod http;
mod schedule;
mod webhook;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::tagged::{self, Branch};
use crate::yaml::Spanned;

pub use catch_up::CatchUp;
pub(crate) use crm::POLL_EVERY;
pub use crm::{CustomersTrigger, Cycles, OrderType, OrdersTrigger, TransactionType, TransactionsTrigger};
pub use http::{
    CursorPages, HttpStart, HttpTrigger, LinkPages, NumberedPages, OffsetPages, Pagination, Since,
};
pub use schedule::{Missed, ScheduleTrigger};
pub use webhook::{AlsoWebhook, Preset, WebhookTrigger};

/// What starts a zap.
#[derive(Debug, Clone, Deserialize)]
pub enum Trigger {
    /// An order that reaches a state.
    #[serde(rename = "konnektive.orders")]
    Orders(Box<OrdersTrigger>),
    /// A transaction.
    #[serde(rename = "konnektive.transactions")]
    Transactions(Box<TransactionsTrigger>),
    /// A customer.
    #[serde(rename = "konnektive.customers")]
    Customers(Box<CustomersTrigger>),
    /// A request that arrives.
    #[serde(rename = "webhook")]
    Webhook(Box<WebhookTrigger>),
    /// An item of a polled API.
    #[serde(rename = "http")]
    Http(Box<HttpTrigger>),
    /// A time.
    #[serde(rename = "schedule")]
    Schedule(Box<ScheduleTrigger>),
    /// One that cannot be read: its finding is told, and nothing else is known of it.
    #[serde(rename = "$unread")]
    Unread,
}

/// What stands in a tree for a trigger, or for the `type` of a step, that cannot be read.
pub(crate) const UNREAD: &str = "$unread";

impl Trigger {
    /// The connection it reads or is reached by.
    pub fn connection(&self) -> Option<&Spanned<String>> {
        match self {
            Trigger::Orders(trigger) => Some(&trigger.connection),
            Trigger::Transactions(trigger) => Some(&trigger.connection),
            Trigger::Customers(trigger) => Some(&trigger.connection),
            Trigger::Webhook(trigger) => Some(&trigger.connection),
            Trigger::Http(trigger) => trigger.connection.as_ref(),
            Trigger::Schedule(_) | Trigger::Unread => None,
        }
    }
}

/// Every `type` of a trigger.
pub(crate) const TRIGGER_TYPES: [&str; 6] =
    ["konnektive.orders", "konnektive.transactions", "konnektive.customers", "webhook", "http", "schedule"];

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
            Branch::of::<CustomersTrigger>(generator, "konnektive.customers", "Once per new customer."),
            Branch::of::<WebhookTrigger>(generator, "webhook", "Once per request that arrives."),
            Branch::of::<HttpTrigger>(generator, "http", "Once per item of a JSON API that is polled."),
            Branch::of::<ScheduleTrigger>(generator, "schedule", "At the times of a cron expression."),
        ];
        tagged::by_type("What starts the zap.", "The kind of trigger.", branches)
    }
}

/// A JSON Schema that is written in place, or the path of one.
pub(in crate::definition) fn outline(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "object"], "minLength": 1 })
}

/// A path, or paths, of samples.
fn samples(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "array"], "minLength": 1, "minItems": 1, "items": { "type": "string", "minLength": 1 } })
}

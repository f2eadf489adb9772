//! What a person writes, as types: the project file and the zap file.
//!
//! These types say what was written, not what it means: defaults are not filled in and names are not
//! resolved, so that later steps can tell an omission from a choice. The JSON Schemas that editors use are
//! generated from them, so every doc comment here is read by a person who is writing a zap.

/// Shows an enum of words in schemas as one list of words.
macro_rules! formats_of_words {
    ($ty:ident, $name:literal, $description:literal, $words:expr) => {
        impl schemars::JsonSchema for $ty {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": $words, "description": $description })
            }
        }
    };
}
use formats_of_words;

pub(crate) mod action;
mod admin;
mod alerts;
mod classes;
mod formats;
mod later;
mod oauth2;
mod policy;
mod project;
mod property;
mod secret;
mod start;
mod tagged;
mod test;
mod trigger;
mod zap;

pub use action::{
    Action, Common, CorrelateIn, CrmAction, Expect, Find, HttpAction, LeadFirst, Method, OnUncertain,
    QueryAction, Retry, UnreadAction,
};
pub use admin::Admin;
pub use alerts::{AlertTarget, Alerts};
pub use classes::Classes;
pub use formats::{
    Duration, FORMATS, Format, HookPath, Listener, Name, Network, Rate, StatePlace, Word, format_of,
};
pub use later::{LATER, Later, later};
pub use oauth2::{ClientAuth, OAuth2, Scopes, ServiceAccount};
pub use policy::{Policy, Require};
pub use project::{
    Auth, Basic, Connection, HmacCheck, HmacFormat, HttpConnection, KonnektiveConnection, Listen,
    NamedSecret, Project, TokenCheck, Verify, WebhookConnection, ZapSwitch,
};
pub use property::Property;
pub use secret::{Secret, Secrets};
pub use start::{Moment, Start};
pub(crate) use test::STEP_WORD;
pub use test::{
    ARRIVAL_KEYS, FAULTS, FaultKind, FaultWord, OUTCOMES, PARTS, Part, SEEN, StepKind, TOTALS, Test,
    TestEvent, TestFile,
};
pub use trigger::{
    AlsoWebhook, CursorPages, CustomersTrigger, Cycles, HttpStart, HttpTrigger, LinkPages, Missed,
    NumberedPages, OffsetPages, OrderType, OrdersTrigger, Pagination, Preset, ScheduleTrigger, Since,
    TransactionType, TransactionsTrigger, Trigger, WebhookTrigger,
};
pub(crate) use trigger::{TRIGGER_TYPES, UNREAD};
pub use zap::Zap;

//! Requests that arrive.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::definition::formats::HookPath;
use crate::yaml::{NodeRef, Spanned};

/// Fires once per request that arrives and is accepted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WebhookTrigger {
    /// The connection of type webhook, which says how a caller proves who it is.
    pub connection: Spanned<String>,
    /// The whole path under `listen.webhooks`, for example /hooks/lead-form.
    pub path: Spanned<HookPath>,
    /// What makes two requests the same: an expression over `record`, `event.headers` and `event.query`, for example
    /// "{{ record.id }}". A preset brings its own.
    pub key: Option<Spanned<String>>,
    /// Who calls: konnektive for an export profile of the CRM.
    pub preset: Option<Spanned<Preset>>,
    /// Fire once per value of this expression.
    pub once_per: Option<Spanned<String>>,
    /// What the records are: a JSON Schema, or the path of one from the folder of this file. Fields that it does not know
    /// are findings, and what need not be there is known. `x-class: personal`, `card` or `secret` beside a field's `type` says
    /// who may see it.
    #[serde(default)]
    #[schemars(schema_with = "crate::definition::trigger::outline")]
    pub schema: Option<NodeRef>,
    /// Instead of a schema: records like those to come, a path or a list of paths, of which the last part may hold a `*`.
    #[serde(default)]
    #[schemars(schema_with = "crate::definition::trigger::samples")]
    pub infer_from: Option<NodeRef>,
}

/// A webhook beside a poll, under the poll's key. What arrives is looked up in the CRM by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AlsoWebhook {
    /// The connection of type webhook, which says how a caller proves who it is.
    pub connection: Spanned<String>,
    /// The whole path under `listen.webhooks`.
    pub path: Spanned<HookPath>,
    /// The id of the order or transaction in the request: an expression. A preset brings its own.
    pub key: Option<Spanned<String>>,
    /// Who calls: konnektive for an export profile of the CRM.
    pub preset: Option<Spanned<Preset>>,
}

/// A caller whose requests are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// An export profile of the CRM (contract §6).
    Konnektive,
}

crate::definition::formats_of_words!(Preset, "Preset", "A caller whose requests are known.", ["konnektive"]);

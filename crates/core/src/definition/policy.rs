//! `policy:` of `zaprun.yaml`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::Action;
use crate::yaml::Spanned;

/// What the project asks of its zaps beside what the language does. Looked at by `validate`; no zap is kept from running.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Policy {
    /// What every zap must have.
    pub require: Option<Require>,
}

/// What every zap must have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Require {
    /// Whether every zap must say whose it is. Default: false.
    pub owner: Option<Spanned<bool>>,
    /// Whether every zap must say what it is for. Default: false.
    pub description: Option<Spanned<bool>>,
    /// The types of action of which each must be in a test's `expect:`. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "kinds")]
    pub tests: Vec<Spanned<String>>,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    let kinds: Vec<&str> = Action::kinds().collect();
    json_schema!({ "type": "array", "items": { "type": "string", "enum": kinds } })
}

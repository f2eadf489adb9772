//! A zap file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::action::Action;
use super::formats::{Duration, Name};
use super::property::Property;
use super::test::Test;
use super::trigger::Trigger;
use crate::yaml::{MapRef, NodeId, NodeRef, Spanned};

/// A zap: what starts it, what it looks at and what it does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Zap {
    /// The zap's name, unique in the project: small letters, digits, hyphens. Its state hangs on it.
    pub name: Spanned<Name>,
    /// The name it had before; its state is taken over.
    pub formerly: Option<Spanned<Name>>,
    /// What it is for, in a sentence.
    pub description: Option<Spanned<String>>,
    /// Whose it is: a person or a team to ask at 3 a.m.
    pub owner: Option<Spanned<String>>,
    /// Whether it runs. Default: true.
    pub enabled: Option<Spanned<bool>>,
    /// What starts it.
    pub trigger: Spanned<Trigger>,
    /// Records for which this boolean expression does not hold are left alone.
    pub filter: Option<Spanned<String>>,
    /// How long it may be until the next event before that is an alert (`no_event`), for example 24h.
    pub expect_every: Option<Spanned<Duration>>,
    /// Values computed once, in order, for use below as `let.NAME`.
    #[serde(rename = "let", default)]
    #[schemars(schema_with = "lets")]
    pub lets: Option<MapRef>,
    /// What it does, in order.
    #[schemars(length(min = 1, max = 200))]
    pub actions: Vec<Spanned<Action>>,
    /// What it does once when a run is given up, in order. `failure.step` and `failure.reason` say what went wrong.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub on_failure: Vec<Spanned<Action>>,
    /// What holds of every record, whatever it is: `zaprun test --cases` tries it with records that it makes up, and
    /// `zaprun test` with those of the tests.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub properties: Vec<Spanned<Property>>,
    /// Examples that `zaprun test` checks: a record, and what is to come of it.
    // Read one by one, so that a mistake in one hides neither the others nor the zap.
    #[serde(default)]
    #[schemars(with = "Vec<Test>")]
    pub tests: Vec<NodeRef>,
    /// The ids of steps that could not be read, so that later steps may mean any; the root of the tree, when no step
    /// could be read. Only a definition that was mended has them.
    #[serde(skip)]
    #[schemars(skip)]
    pub open_steps: Vec<NodeId>,
}

fn lets(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "propertyNames": { "pattern": super::Word::PATTERN },
    })
}

//! What a zap means: everything is parsed, nothing is left to look up but the record.

mod action;
mod alert;
mod compile;
mod documents;
pub mod key;
mod place;
mod project;
mod response;
mod scope;
mod target;
mod trigger;
mod url;

#[cfg(test)]
mod tests;

pub use action::{Action, OnUncertain, Plan, ReadsOf, ResponseFacts, Retry, Target, Unfound};
pub use alert::{
    ALERT_FIELDS, ALERT_KINDS, AlertFacts, AlertKind, AlertTarget, Alerts, BREAKER_OPEN, DEAD, HELD,
    NO_EVENT, TRIGGER_OVERDUE,
};
pub use compile::{Compiled, compile, compile_alerts, compile_with};
pub use documents::Documents;
pub use place::locate;
pub(crate) use project::value as value_of;
pub use project::{DEFAULT_CRM_URL, DEFAULT_CURRENCY, ProjectFacts};
pub use response::response_json;
#[cfg(test)]
pub(crate) use scope::names;
pub use scope::{EventFacts, RunFacts, Scope, StepFacts};
pub(crate) use scope::{IS_FIXED, RECORD};
pub use trigger::{
    Arrival, CrmTrigger, Entrance, HttpTrigger, Item, Missed, NotItems, Place, Read, ScheduleTrigger, Settle,
    Start, Trigger, UnreadableArrival, WebhookTrigger, Where,
};

use std::sync::Arc;

use crate::expression::{Condition, Frame, Settings, Type};
use crate::mapping::{MapError, Mapped, Mapping};
use crate::property::Property;
use crate::record::ReadSet;
use crate::value::Value;

/// A compiled zap.
#[derive(Debug)]
pub struct Zap {
    /// Its name.
    pub name: String,
    /// The name it had before.
    pub formerly: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How long it may be until the next event before that is an alert.
    pub expect_every: Option<std::time::Duration>,
    /// Whether it runs.
    pub enabled: bool,
    /// What starts it.
    pub trigger: Trigger,
    /// What it does, in order.
    pub actions: Vec<Action>,
    /// What it does once when a run is given up, in order.
    pub on_failure: Vec<Action>,
    /// Hash of what the trigger selects.
    pub selection: String,
    /// Hash of all that a request depends on beside the record.
    pub content: String,
    filter: Option<(Condition, String)>,
    lets: Vec<(Arc<str>, Mapping)>,
    pub(crate) properties: Vec<Property>,
    /// What the author says of the records of a trigger that reads no account of the CRM.
    pub(crate) outline: Type,
    /// Words that would tell of something missing, were they not the author's own.
    pub(crate) own_words: Vec<&'static str>,
    pub(crate) reads: ReadSet,
    reads_raw: bool,
    reads_context: bool,
    vars: Value,
    connection: Value,
    pub(crate) settings: Settings,
}

/// What the filter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// The record goes on.
    Yes,
    /// The record is left alone.
    No {
        /// The filter, as its author wrote it.
        why: String,
    },
}

impl Zap {
    /// Decodes what the zap reads of a record.
    ///
    /// # Errors
    /// When the record is no JSON object.
    pub fn scope(&self, facts: &RunFacts<'_>) -> Result<Scope, MapError> {
        Scope::new(self, facts)
    }

    /// The view of a record that was read again, as `record` shows it.
    ///
    /// # Errors
    /// When the record is no JSON object.
    pub fn record(&self, record: &[u8]) -> Result<Value, MapError> {
        scope::record(self, record, &mut Vec::new())
    }

    /// Whether expressions see the record as it was received, too.
    pub(crate) fn reads_raw(&self) -> bool {
        self.reads_raw
    }

    /// The filter, as its author wrote it.
    pub(crate) fn written_filter(&self) -> Option<&str> {
        self.filter.as_ref().map(|(_, written)| written.as_str())
    }

    /// The project's values as the zap sees them.
    pub(crate) fn vars(&self) -> &Value {
        &self.vars
    }

    /// Evaluates the filter.
    ///
    /// # Errors
    /// When the filter has no answer for this record.
    pub fn passes(&self, scope: &Scope) -> Result<Pass, MapError> {
        let Some((filter, written)) = &self.filter else { return Ok(Pass::Yes) };
        let frame = Frame { values: &scope.values, settings: &scope.settings };
        match filter.eval(&frame).map_err(|error| MapError::of("filter", &error))? {
            true => Ok(Pass::Yes),
            false => Ok(Pass::No { why: written.clone() }),
        }
    }

    /// Computes the values of `let`, in order.
    ///
    /// # Errors
    /// When one of them has no value for this record.
    pub fn bind(&self, scope: &mut Scope) -> Result<(), MapError> {
        let mut bound: Vec<(Arc<str>, Value)> = Vec::with_capacity(self.lets.len());
        for (name, mapping) in &self.lets {
            let mapped = mapping.eval(&mut scope.values, &scope.settings)?;
            let value = mapped.map_or(Value::Null, Mapped::into_value);
            bound.push((Arc::clone(name), value));
            scope.values[scope::LET] = Value::object(bound.clone());
        }
        Ok(())
    }
}

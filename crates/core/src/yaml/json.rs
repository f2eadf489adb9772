//! A tree as JSON, for the checks against the schemas only.

use serde_json::{Map, Number, Value};

use super::tree::{Kind, NodeId, Tree};

impl Tree {
    /// The node as JSON. Numbers beyond what JSON values hold here lose digits, so this is for looking at
    /// the structure, never for what is sent.
    pub fn to_json(&self, id: NodeId) -> Value {
        match &self.node(id).kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(digits) => Value::Number(number(digits)),
            Kind::Text { value, .. } | Kind::Hole(value) => Value::String(value.to_string()),
            Kind::List(items) => Value::Array(items.iter().map(|item| self.to_json(*item)).collect()),
            Kind::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.to_string(), self.to_json(entry.value)));
                Value::Object(Map::from_iter(entries))
            }
        }
    }
}

fn number(digits: &str) -> Number {
    // Only a number beyond a double's range does not parse; that it is a number is all that matters then.
    digits.parse().unwrap_or_else(|_| Number::from(u64::MAX))
}

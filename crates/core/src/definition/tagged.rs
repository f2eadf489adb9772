//! Schemas that choose a branch by one key, in the form that editors explain best.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// One branch of a choice.
pub(super) struct Branch {
    name: &'static str,
    description: &'static str,
    schema: Schema,
}

impl Branch {
    /// The branch that `name` chooses, with the fields of `T`.
    pub(super) fn of<T: JsonSchema>(
        generator: &mut SchemaGenerator,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        Branch { name, description, schema: T::json_schema(generator) }
    }
}

/// A map whose `type` chooses its other keys: `if` the type is this, `then` these fields.
pub(super) fn by_type(description: &str, what: &str, branches: Vec<Branch>) -> Schema {
    let names: Vec<&str> = branches.iter().map(|branch| branch.name).collect();
    let choices: Vec<Value> = branches
        .into_iter()
        .map(|Branch { name, description, mut schema }| {
            let mut properties = Map::new();
            properties.insert("type".to_owned(), json!({ "const": name, "description": description }));
            if let Some(Value::Object(fields)) = schema.remove("properties") {
                properties.extend(fields);
            }
            schema.insert("properties".to_owned(), Value::Object(properties));
            json!({
                "if": { "properties": { "type": { "const": name } }, "required": ["type"] },
                "then": schema,
            })
        })
        .collect();
    json_schema!({
        "description": description,
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "type": "string", "enum": names, "description": what } },
        "allOf": choices,
    })
}

/// A map of exactly one key out of several.
pub(super) fn by_key(description: &str, branches: Vec<Branch>) -> Schema {
    let properties: Map<String, Value> = branches
        .into_iter()
        .map(|Branch { name, description, mut schema }| {
            schema.insert("description".to_owned(), description.into());
            (name.to_owned(), schema.to_value())
        })
        .collect();
    json_schema!({
        "description": description,
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    })
}

//! What an editor needs of a schema beside what the checks here need.

use serde_json::{Map, Value, json};

/// How an editor knows a variable.
const VARIABLE: &str = r"\$\{";

/// Lets `${…}` stand for any typed scalar. The checks here replace variables first and need no such leave; an
/// editor sees the file as it is written.
pub(super) fn allow_variables(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_variables),
        Value::Object(object) => {
            object.values_mut().for_each(allow_variables);
            let ty = object.get("type").and_then(Value::as_str).map(str::to_owned);
            let fixed = object.contains_key("const");
            match (ty.as_deref(), object.get("pattern").and_then(Value::as_str)) {
                (Some("string"), Some(pattern)) => {
                    let pattern = format!("({pattern})|{VARIABLE}");
                    object.insert("pattern".to_owned(), pattern.into());
                }
                (Some(ty @ ("integer" | "boolean")), None) if !fixed => {
                    object.insert("type".to_owned(), json!([ty, "string"]));
                    object.insert("pattern".to_owned(), VARIABLE.into());
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// An overlay holds only what differs: nothing in it is missing. What chooses a branch stays as it is.
pub(super) fn of_overlay(mut project: Value) -> Value {
    fn nothing_required(schema: &mut Value) {
        match schema {
            Value::Array(items) => items.iter_mut().for_each(nothing_required),
            Value::Object(object) => {
                object.remove("required");
                object
                    .iter_mut()
                    .filter(|(key, _)| *key != "if")
                    .for_each(|(_, value)| nothing_required(value));
            }
            _ => {}
        }
    }
    nothing_required(&mut project);
    project["title"] = "zaprun overlay".into();
    project["description"] =
        "What differs from zaprun.yaml in one environment: maps merge, all else replaces.".into();
    project
}

/// Writes the scalar types into the fields that are of them. An editor shows the words of a referenced type in the
/// place of the field's own, and those say less: that it is a duration, not which.
pub(super) fn own_words(schema: &mut Value) {
    let Some(Value::Object(definitions)) = schema.get("definitions").cloned() else { return };
    inline(schema, &definitions);
    // What is no longer referred to is no longer needed.
    let mut used = Vec::new();
    references(schema, &mut used);
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        definitions.retain(|name, _| used.iter().any(|used| used == name));
    }
}

fn inline(schema: &mut Value, definitions: &Map<String, Value>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, definitions)),
        Value::Object(object) => {
            object.values_mut().for_each(|value| inline(value, definitions));
            let Some(Value::Array(all)) = object.get("allOf") else { return };
            let [only] = all.as_slice() else { return };
            let Some(target) = only["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/"))
            else {
                return;
            };
            let Some(Value::Object(target)) = definitions.get(target) else { return };
            let scalar =
                matches!(target.get("type").and_then(Value::as_str), Some("string" | "integer" | "number"));
            if !scalar || !object.contains_key("description") {
                return;
            }
            object.remove("allOf");
            for (key, value) in target {
                object.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        _ => {}
    }
}

fn references(schema: &Value, used: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| references(item, used)),
        Value::Object(object) => {
            let named = object.get("$ref").and_then(Value::as_str);
            used.extend(named.and_then(|path| path.strip_prefix("#/definitions/")).map(str::to_owned));
            object.values().for_each(|value| references(value, used));
        }
        _ => {}
    }
}

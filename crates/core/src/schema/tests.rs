#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::crm::tests::complete;
use crate::definition::{FORMATS, format_of};

fn visit(schema: &Value, path: &str, see: &mut dyn FnMut(&str, &Value)) {
    see(path, schema);
    let children: Vec<(String, &Value)> = match schema {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in children {
        visit(value, &format!("{path}/{key}"), see);
    }
}

#[test]
fn schemas_are_valid_draft_07() {
    for (name, text) in schemas() {
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{name}");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(text.ends_with("}\n"));
        for word in ["\"null\"", "$defs", "oneOf", "anyOf", "uint32"] {
            assert!(!text.contains(word), "{name} holds {word}");
        }
    }
}

#[test]
fn every_field_is_described_and_maps_are_closed() {
    for (name, text) in schemas() {
        let schema: Value = serde_json::from_str(&text).unwrap();
        visit(&schema, "", &mut |path, schema| {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
            // Conditions repeat fields that are described where they belong.
            // A map of keys is no schema, though one of its keys may be called `properties`.
            let of_condition = path.ends_with("/properties")
                || path.ends_with("/if")
                || path.contains("/if/")
                || path.contains("/not");
            if of_condition || schema.as_object().is_some_and(|only| only.len() == 1) {
                return;
            }
            for (key, property) in properties {
                let described = property.get("description").is_some();
                assert!(described, "{name}{path}: `{key}` is not described");
            }
            let chosen_by_type = schema.get("allOf").is_some();
            assert!(
                chosen_by_type || schema.get("additionalProperties") == Some(&Value::Bool(false)),
                "{name}{path} takes unknown keys"
            );
        });
    }
}

#[test]
fn every_format_has_words_and_its_pattern_agrees_with_its_parser() {
    let mut patterns = BTreeSet::new();
    for document in [Document::Project, Document::Zap] {
        visit(document.schema(), "", &mut |_, schema| {
            patterns.extend(schema.get("pattern").and_then(Value::as_str).map(str::to_owned));
        });
    }
    for format in FORMATS {
        assert!(patterns.contains(format.pattern), "{} is used", format.words);
        assert!(format_of(format.pattern).is_some());
    }
    let texts = [
        "1s",
        "15m",
        "500ms",
        "24h",
        "7d",
        "0s",
        "1",
        "s",
        "1 s",
        "-1s",
        "1.5h",
        "1h30m",
        "2/s",
        "60/m",
        "0/s",
        "/s",
        "2/",
        "2/y",
        "01/s",
        "1000000/s",
        "now",
        "beginning",
        "2026-09-16",
        "2026-09-16T14:00:00-04:00",
        "2026-09-16 14:00",
        "2026-09-16T14:00Z",
        "20260916",
        "2026-9-16",
        "2026-09-16T14",
        "today",
        "2026-09-16T14:00:00[UTC]",
        "a",
        "a-b",
        "A",
        "a--b",
        "-a",
        "a_b",
        "_a",
        "9",
        "",
        "sqlite:x",
        "sqlite:",
        "sqlite:a?b",
        "postgres://x",
        "127.0.0.1:80",
        "[::1]:80",
        "localhost:80",
        "1.2.3.4",
        "10.0.0.0/8",
        "10.0.0.0/",
        "::1",
        "2001:db8::/32",
        "/hooks/lead-form",
        "/a.b/c_d~",
        "/",
        "//a",
        "/a/",
        "/.a",
        "/a/../b",
        "/a%20b",
        "/a?b",
        "hooks",
        "é",
    ];
    for format in FORMATS {
        let pattern = regex::Regex::new(format.pattern).unwrap();
        for text in texts {
            assert_eq!(
                pattern.is_match(text),
                (format.check)(text).is_none(),
                "{text:?} as {}",
                format.words
            );
        }
    }
}

#[test]
fn editors_take_variables_for_typed_fields() {
    let (_, text) = schemas().remove(0);
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::options().offline().build(&schema).unwrap();
    let project = |concurrency: Value, rate: &str| {
        serde_json::json!({
            "version": 1,
            "connections": { "a": { "type": "http", "base_url": "x", "rate": rate, "concurrency": concurrency } },
        })
    };
    assert!(validator.is_valid(&project(3.into(), "2/s")));
    assert!(validator.is_valid(&project("${N}".into(), "${RATE:-2/s}")));
    assert!(!validator.is_valid(&project("3".into(), "2/s")));
    assert!(!validator.is_valid(&project(0.into(), "2/s")));
    assert!(!validator.is_valid(&project(3.into(), "2")));
}

/// The schema of an action's parameters.
fn of_action(name: &str) -> jsonschema::Validator {
    let (_, text) =
        schemas().into_iter().find(|(path, _)| *path == format!("actions/{name}.schema.json")).unwrap();
    jsonschema::options().offline().build(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// A complete write of an endpoint, with some parameters changed; null takes one out.
fn map(action: &str, changes: &Value) -> Value {
    let mut map: serde_json::Map<String, Value> =
        complete(action).into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(map.remove(name)),
            value => drop(map.insert(name.clone(), value.clone())),
        }
    }
    map.into()
}

#[test]
fn editors_take_what_is_complete_and_miss_what_is_needed() {
    for endpoint in crate::crm::ENDPOINTS {
        let action = endpoint.short_name();
        let schema = of_action(action);
        let takes = |changes: Value| schema.is_valid(&map(action, &changes));
        assert!(takes(serde_json::json!({})), "{action}");
        assert!(!takes(serde_json::json!({ "unheardOf": "x" })), "{action}");
        for (name, _) in complete(action) {
            assert!(takes(serde_json::json!({ (name): "{{ record.x }}" })), "{action} {name}");
            assert!(takes(serde_json::json!({ (name): "$.x" })), "{action} {name}");
            let without = takes(serde_json::json!({ (name): null }));
            assert_eq!(without, !endpoint.requires(name) && is_spare(action, name), "{action} {name}");
        }
    }
}

/// Whether a complete write stays complete without a parameter that is not always needed.
fn is_spare(action: &str, name: &str) -> bool {
    let held: Vec<crate::crm::Held<'_>> = complete(action)
        .into_iter()
        .filter(|(other, _)| *other != name)
        .map(|(name, value)| crate::crm::Held { name, value: Some(value), sure: true })
        .collect();
    crate::crm::broken(crate::crm::endpoint(&format!("konnektive.{action}")).unwrap(), &held).is_empty()
}

#[test]
fn editors_know_values_and_what_they_say_together() {
    let fulfillment = of_action("update_fulfillment");
    let takes = |changes: Value| fulfillment.is_valid(&map("update_fulfillment", &changes));
    assert!(!takes(serde_json::json!({ "fulfillmentStatus": "SENT" })));
    assert!(takes(serde_json::json!({ "trackingNumber": { "$if": "{{ true }}", "$then": "1Z" } })));
    assert!(!takes(serde_json::json!({ "trackingNumber": "x".repeat(33) })));
    assert!(takes(serde_json::json!({ "trackingNumber": null, "fulfillmentStatus": "CANCELLED" })));
    assert!(takes(serde_json::json!({ "trackingNumber": null, "fulfillmentStatus": "{{ record.x }}" })));
    let sale = of_action("create_sale");
    let takes = |changes: Value| sale.is_valid(&map("create_sale", &changes));
    assert!(!takes(serde_json::json!({ "paySource": "CREDITCARD" })));
    assert!(!takes(serde_json::json!({ "cardNumber": "x" })));
    assert!(takes(serde_json::json!({ "paySource": null, "orderId": "D6" })));
    assert!(takes(serde_json::json!({ "product2_id": 9, "product2_price": 19.90, "custom_Color": "red" })));
    assert!(!takes(serde_json::json!({ "product2_name": 9 })));
    assert!(!takes(serde_json::json!({ "billShipSame": false })));
    assert!(takes(serde_json::json!({ "billShipSame": "{{ record.x }}" })));
    assert!(takes(serde_json::json!({ "billShipSame": true })));
    let refund = of_action("refund_order");
    let takes = |changes: Value| refund.is_valid(&map("refund_order", &changes));
    assert!(!takes(serde_json::json!({ "fullRefund": true })));
    assert!(takes(serde_json::json!({ "fullRefund": 0 })));
    assert!(!takes(serde_json::json!({ "refundAmount": -5 })));
    assert!(
        of_action("query_orders").is_valid(&serde_json::json!({ "orderId": 7, "orderStatus": "COMPLETE" }))
    );
    assert!(!of_action("query_orders").is_valid(&serde_json::json!({ "orderStatus": "SOLD" })));
}

#[test]
fn the_schema_of_a_zap_points_at_those_of_its_actions() {
    let all = schemas();
    let (_, zap) = all.iter().find(|(path, _)| *path == "zap.schema.json").unwrap();
    for (path, _) in all.iter().filter(|(path, _)| path.starts_with("actions/")) {
        assert_eq!(zap.matches(&format!("\"$ref\": \"{path}\"")).count(), 1, "{path}");
    }
    let actions = all.iter().filter(|(path, _)| path.starts_with("actions/")).count();
    assert_eq!(actions, crate::crm::ENDPOINTS.len() + crate::crm::LOOKUPS.len());
}

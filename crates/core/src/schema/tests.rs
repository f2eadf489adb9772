#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
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
            let of_condition = path.ends_with("/if") || path.contains("/if/") || path.contains("/not");
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

//! The keys that a person may write, told by the JSON Schemas.

use serde_json::Value;

use super::markdown::{Doc, prose, word, words};
use crate::definition::format_of;
use crate::schema::Document;

/// The keys of a map, with what their values take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    document: Document,
    schema: &'static Value,
}

impl Keys {
    /// Those of a whole file.
    pub(super) fn of(document: Document) -> Self {
        Keys { document, schema: document.schema() }
    }

    /// Those of a map that the schema has a name for.
    pub(super) fn named(document: Document, name: &str) -> Option<Self> {
        definition(document, name).map(|schema| Keys { document, schema })
    }

    /// Those of a map whose `type` is `kind`, by the name of the choice: `Trigger`.
    pub(super) fn of_kind(document: Document, choice: &str, kind: &str) -> Option<Self> {
        let then = |branch: &'static Value| {
            let is = branch.pointer("/if/properties/type/const").and_then(Value::as_str);
            (is == Some(kind)).then(|| &branch["then"])
        };
        let branches = definition(document, choice)?.get("allOf")?.as_array()?;
        branches.iter().find_map(then).map(|schema| Keys { document, schema })
    }

    /// What a map of these keys is, in a sentence.
    pub(super) fn summary(self) -> &'static str {
        // A branch that is shared by several kinds tells them apart by the words at `type`.
        let kind = self.schema.pointer("/properties/type/description");
        kind.or_else(|| self.schema.get("description")).and_then(Value::as_str).unwrap_or_default()
    }

    /// Each key and its schema, without `type`.
    pub(super) fn each(self) -> impl Iterator<Item = (&'static str, &'static Value)> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flatten()
            .map(|(key, schema)| (key.as_str(), schema))
            .filter(|(key, _)| *key != "type")
    }

    /// The key that takes a word.
    pub(super) fn that_takes(self, word: &str) -> Option<&'static str> {
        let takes = |schema| {
            let options = self.resolved(schema).get("enum").and_then(Value::as_array);
            options.is_some_and(|options| options.iter().any(|option| option == word))
        };
        self.each().find(|(_, schema)| takes(*schema)).map(|(key, _)| key)
    }

    /// Writes the table of those keys that `wanted` names, and of the maps within them.
    pub(super) fn write(self, doc: &mut Doc, wanted: impl Fn(&str) -> bool) {
        let mut inner = Vec::new();
        let rows: Vec<[String; 3]> = self
            .each()
            .filter(|(key, _)| wanted(key))
            .map(|(key, schema)| self.row(key, schema, &mut inner))
            .collect();
        doc.table(HEAD, rows);
        self.write_inner(doc, inner);
    }

    /// Writes the table of all keys alone.
    pub(super) fn write_flat(self, doc: &mut Doc) {
        doc.table(HEAD, self.each().map(|(key, schema)| self.row(key, schema, &mut Vec::new())));
    }

    fn row(
        self,
        key: &str,
        schema: &'static Value,
        inner: &mut Vec<(String, &'static Value)>,
    ) -> [String; 3] {
        let required = self.schema.get("required").and_then(Value::as_array);
        let needed = required.is_some_and(|needed| needed.iter().any(|name| name == key));
        inner.extend(self.within(schema).map(|within| (key.to_owned(), within)));
        let meaning = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        [format!("{}{}", word(key), if needed { ", needed" } else { "" }), self.takes(schema), prose(meaning)]
    }

    fn write_inner(self, doc: &mut Doc, inner: Vec<(String, &'static Value)>) {
        for (path, schema) in inner {
            doc.part(&word(&path));
            let mut deeper = Vec::new();
            let keys = Keys { schema, ..self };
            doc.table(HEAD, keys.each().map(|(key, schema)| keys.row(key, schema, &mut deeper)));
            self.write_inner(
                doc,
                deeper.into_iter().map(|(key, schema)| (format!("{path}.{key}"), schema)).collect(),
            );
        }
    }

    /// The map of known keys that a value is, unless it has a page or a section of its own.
    fn within(self, schema: &'static Value) -> Option<&'static Value> {
        let schema = self.resolved(schema);
        let chosen_by_type = schema.get("allOf").is_some();
        (!chosen_by_type && schema.get("properties").is_some()).then_some(schema)
    }

    /// What a value may be, in a few words.
    fn takes(self, schema: &'static Value) -> String {
        let schema = self.resolved(schema);
        if let Some(options) = schema.get("enum").and_then(Value::as_array) {
            return words(options.iter().filter_map(Value::as_str), "or");
        }
        if let Some(value) = schema.get("const") {
            return word(&value.to_string());
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(name)) => vec![name],
            _ => Vec::new(),
        };
        let format = schema.get("pattern").and_then(Value::as_str).and_then(format_of);
        let mut kinds: Vec<String> = Vec::new();
        for name in types {
            kinds.push(match (name, format) {
                ("string", Some(format)) => format.words.to_owned(),
                ("string", None) => {
                    only_words(schema).map_or_else(|| "text".to_owned(), |known| words(known, "or"))
                }
                ("integer", _) => format!("a whole number{}", range(schema)),
                ("number", _) => "a number".to_owned(),
                ("boolean", _) => "`true` or `false`".to_owned(),
                ("array", _) => self.list(schema),
                ("object", _) if schema.get("maxProperties").is_some() => "one of the keys below".to_owned(),
                ("object", _) if self.within(schema).is_some() => "the keys below".to_owned(),
                ("object", _) => "a map".to_owned(),
                (other, _) => other.to_owned(),
            });
        }
        if kinds.is_empty() { "any value".to_owned() } else { kinds.join(", or ") }
    }

    fn list(self, schema: &'static Value) -> String {
        match schema.get("items").map(|items| self.resolved(items)) {
            Some(items) if items.get("type").is_some_and(|name| name == "string") => {
                match self.takes(items).as_str() {
                    "text" => "a list of texts".to_owned(),
                    each => format!("a list; each is {each}"),
                }
            }
            _ => "a list".to_owned(),
        }
    }

    /// The schema that a reference stands for.
    fn resolved(self, schema: &'static Value) -> &'static Value {
        let reference = schema.get("$ref").or_else(|| match schema.get("allOf")?.as_array()?.as_slice() {
            [only] => only.get("$ref"),
            _ => None,
        });
        let name = reference.and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        name.and_then(|name| definition(self.document, name)).map_or(schema, |schema| self.resolved(schema))
    }
}

const HEAD: [&str; 3] = ["key", "takes", "meaning"];

fn definition(document: Document, name: &str) -> Option<&'static Value> {
    document.schema().get("definitions")?.get(name)
}

/// Every `type` that a choice knows.
pub(super) fn kinds(document: Document, choice: &str) -> Vec<&'static str> {
    let words = definition(document, choice).and_then(|schema| schema.pointer("/properties/type/enum"));
    words.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The keys that every kind of a choice has, with the same meaning.
pub(super) fn common(document: Document, choice: &str) -> Vec<&'static str> {
    let mut kinds =
        kinds(document, choice).into_iter().filter_map(|kind| Keys::of_kind(document, choice, kind));
    let mut common: Vec<_> = kinds.next().map(|first| first.each().collect()).unwrap_or_default();
    for kind in kinds {
        common.retain(|entry| kind.each().any(|other| other == *entry));
    }
    common.into_iter().map(|(key, _)| key).collect()
}

/// The few words that a pattern allows.
fn only_words(schema: &'static Value) -> Option<Vec<&'static str>> {
    let pattern = schema.get("pattern")?.as_str()?.strip_prefix('^')?.strip_suffix('$')?;
    let pattern = pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(pattern);
    let known: Vec<&str> = pattern.split('|').collect();
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    known.iter().all(plain).then_some(known)
}

fn range(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        // Zero is what a whole number begins at anyway.
        (Some(least), None) if least != 0 => format!(" from {least}"),
        _ => String::new(),
    }
}

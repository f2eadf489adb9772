//! The JSON Schemas of the files a person writes, and the checks against them.

mod actions;
mod check;
mod editor;
mod words;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::definition::{Project, TestFile, Zap};

pub(crate) use check::check;

/// A kind of file that a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// `zaprun.yaml` with its overlay merged in.
    Project,
    /// A zap.
    Zap,
    /// Tests of a zap in a file of their own.
    Tests,
}

impl Document {
    /// Its schema, variables apart.
    pub(crate) fn schema(self) -> &'static Value {
        static PROJECT: LazyLock<Value> = LazyLock::new(|| generate::<Project>("zaprun project"));
        static ZAP: LazyLock<Value> = LazyLock::new(|| generate::<Zap>("zaprun zap"));
        static TESTS: LazyLock<Value> = LazyLock::new(|| generate::<TestFile>("zaprun tests"));
        match self {
            Document::Project => &PROJECT,
            Document::Zap => &ZAP,
            Document::Tests => &TESTS,
        }
    }
}

/// The schemas for editors: path of the file and text, the text ending in a line break.
pub fn schemas() -> Vec<(&'static str, String)> {
    static ACTIONS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
        actions::all().map(|(name, schema)| (format!("{name}.schema.json"), schema)).collect()
    });
    let mut project = Document::Project.schema().clone();
    editor::own_words(&mut project);
    editor::allow_variables(&mut project);
    let overlay = editor::of_overlay(project.clone());
    // The check here knows the endpoints by their descriptions, and says more than a schema could.
    let mut zap = Document::Zap.schema().clone();
    editor::own_words(&mut zap);
    actions::refer(&mut zap);
    let actions = ACTIONS.iter().map(|(path, schema)| (path.as_str(), schema.clone()));
    let mut tests = Document::Tests.schema().clone();
    editor::own_words(&mut tests);
    [
        ("project.schema.json", project),
        ("overlay.schema.json", overlay),
        ("zap.schema.json", zap),
        ("test.schema.json", tests),
    ]
    .into_iter()
    .chain(actions)
    .map(|(path, schema)| (path, format!("{schema:#}\n")))
    .collect()
}

fn generate<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft07()
        .for_deserialize()
        .with_transform(RecursiveTransform(without_null))
        .with_transform(RecursiveTransform(plain_descriptions));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// A key is written with a value or not at all: null, which generated schemas allow for what is optional,
/// would let `description:` pass.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let null = json!({ "type": "null" });
    let Some(Value::Array(branches)) = object.get("anyOf") else { return };
    let mut rest = branches.iter().filter(|branch| **branch != null);
    if let (Some(only), None) = (rest.next().cloned(), rest.next()) {
        object.remove("anyOf");
        object.insert("allOf".to_owned(), json!([only]));
    }
}

/// Defaults are told in words: a generated `default` shows the field's empty value, which nobody would write.
/// Integer formats (`uint32`) mean nothing to a person.
fn plain_descriptions(schema: &mut Schema) {
    schema.remove("default");
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

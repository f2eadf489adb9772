//! What a zap says of data whose kind only its author knows.

use crate::definition::Trigger;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Carried, Shape, Type};
use crate::mapping::Compiler;
use crate::outline::{Schema, of_samples};
use crate::record::{self, Class};
use crate::source::SourceMap;
use crate::value::Value;
use crate::yaml::{self, Kind, NodeId, NodeRef};
use crate::zap::documents::{Document, Documents};
use crate::zap::project;

/// The records of a trigger that reads no account of the CRM.
pub(super) fn of_trigger(compiler: &mut Compiler<'_>, trigger: &Trigger, documents: &Documents) -> Type {
    let (schema, samples) = match trigger {
        Trigger::Webhook(webhook) => (webhook.schema, webhook.infer_from),
        Trigger::Http(http) => (http.schema, http.infer_from),
        // It has nothing but the time at which it fires.
        Trigger::Schedule(_) => {
            return Shape::members([("scheduled_at", Shape::Scalar(crate::value::Kind::Text))]).into();
        }
        Trigger::Orders(_) | Trigger::Transactions(_) | Trigger::Customers(_) | Trigger::Unread => {
            return Type::any();
        }
    };
    let preset = matches!(trigger, Trigger::Webhook(webhook) if webhook.preset.is_some());
    match (schema, samples) {
        (Some(schema), Some(samples)) => {
            let finding =
                Diagnostic::new(&code::EXCLUSIVE_KEYS, "`infer_from` has no meaning beside `schema`");
            compiler.report(finding.at(compiler.tree.span(samples.0)).help("keep one of them"));
            described(compiler, schema, documents)
        }
        (Some(schema), None) => described(compiler, schema, documents),
        (None, Some(samples)) => inferred(compiler, samples, documents),
        (None, None) if preset => exported(),
        (None, None) => Type::any(),
    }
}

/// What an export profile of the CRM sends: fields by the names that its author chose, usually those of the CRM (contract
/// §6), so that only who may see them is known.
fn exported() -> Type {
    let rows = [&record::ORDER, &record::TRANSACTION, &record::CUSTOMER, &record::PURCHASE];
    let fields = rows.into_iter().flat_map(|row| row.fields).map(|field| (field.name, field.class));
    let mut members: Vec<(Arc<str>, Type)> = Vec::new();
    for (name, class) in fields.filter(|(_, class)| *class != Class::Plain) {
        if !members.iter().any(|(known, _)| **known == *name) {
            members.push((Arc::from(name), Type::any().carrying(&Carried::field(class, name))));
        }
    }
    Shape::Open(members.into()).into()
}

/// A schema that is written in place, or the path of one.
pub(super) fn schema(compiler: &mut Compiler<'_>, written: NodeRef, documents: &Documents) -> Option<Schema> {
    let node = written.0;
    let schema = match compiler.tree.text(node) {
        None => Some(project::value(compiler.tree, node)),
        Some(path) => match documents.of(path) {
            [document] => read(compiler, node, document),
            _ => {
                refuse(
                    compiler,
                    node,
                    format!("`{path}` is no file of the project"),
                    "write a path from the folder of this file",
                );
                None
            }
        },
    };
    let refused = |error| {
        refuse(compiler, node, format!("it is no schema: {error}"), "see json-schema.org, draft-07");
    };
    Schema::read(schema?).map_err(refused).ok()
}

fn described(compiler: &mut Compiler<'_>, written: NodeRef, documents: &Documents) -> Type {
    schema(compiler, written, documents).map_or_else(Type::any, |schema| schema.of)
}

fn inferred(compiler: &mut Compiler<'_>, written: NodeRef, documents: &Documents) -> Type {
    let nodes = match &compiler.tree.node(written.0).kind {
        Kind::List(items) => items.clone(),
        _ => vec![written.0],
    };
    let mut samples = Vec::new();
    for node in nodes {
        // What is no text has its finding.
        let Some(path) = compiler.tree.text(node) else { continue };
        let found = documents.of(path);
        if found.is_empty() {
            refuse(
                compiler,
                node,
                format!("`{path}` is no file of the project"),
                "write a path from the folder of this file: fixtures/*.json",
            );
        }
        samples.extend(found.iter().filter_map(|document| read(compiler, node, document)));
    }
    of_samples(&samples)
}

/// The value of a JSON or YAML file.
fn read(compiler: &mut Compiler<'_>, node: NodeId, document: &Document) -> Option<Value> {
    let path = &document.path;
    let help = "name a JSON or YAML file";
    let bytes = match &document.content {
        Ok(bytes) if bytes.len() > yaml::MAX_BYTES => {
            let message = format!("{path} has more than the {} bytes that are read", yaml::MAX_BYTES);
            refuse(compiler, node, message, help);
            return None;
        }
        Ok(bytes) => bytes,
        Err(problem) => {
            refuse(compiler, node, format!("{path} cannot be read: {problem}"), help);
            return None;
        }
    };
    if path.ends_with(".json") {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned());
        let value = text.and_then(|text| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            Value::from_json(text).map_err(|error| error.to_string())
        });
        return value.map_err(|why| refuse(compiler, node, format!("{path} is not JSON: {why}"), help)).ok();
    }
    let parsed = yaml::parse(&mut SourceMap::default(), path, bytes);
    match (parsed.tree, parsed.diagnostics.first()) {
        (Some(tree), None) => Some(project::value(&tree, tree.root())),
        (_, finding) => {
            let why = finding.map_or("it is empty", |finding| finding.message.as_str());
            refuse(compiler, node, format!("{path} is not YAML: {why}"), help);
            None
        }
    }
}

fn refuse(compiler: &mut Compiler<'_>, node: NodeId, message: String, help: &str) {
    let at = super::params::head(compiler.tree, node);
    compiler.report(Diagnostic::new(&code::SCHEMA_UNUSABLE, message).at(at).help(help));
}

//! What a zap says of data whose kind only its author knows: the records of a trigger, the body of a request.

use crate::definition::Trigger;
use crate::diagnostic::{Diagnostic, Severity, code, did_you_mean};
use crate::expression::{Gap, Shape, Type};
use crate::mapping::{Compiler, Mapping};
use crate::outline::{of_samples, of_schema};
use crate::source::SourceMap;
use crate::value::{Kind as ValueKind, Value};
use crate::yaml::{self, Kind, NodeId, NodeRef};
use crate::zap::documents::{Document, Documents};
use crate::zap::project;

/// The records of a trigger that reads no account of the CRM.
pub(super) fn of_trigger(compiler: &mut Compiler<'_>, trigger: &Trigger, documents: &Documents) -> Type {
    let (schema, samples) = match trigger {
        Trigger::Webhook(webhook) => (webhook.schema, webhook.infer_from),
        Trigger::Http(http) => (http.schema, http.infer_from),
        Trigger::Orders(_)
        | Trigger::Transactions(_)
        | Trigger::Customers(_)
        | Trigger::Schedule(_)
        | Trigger::Unread => {
            return Type::any();
        }
    };
    match (schema, samples) {
        (Some(schema), Some(samples)) => {
            let finding =
                Diagnostic::new(&code::EXCLUSIVE_KEYS, "`infer_from` has no meaning beside `schema`");
            compiler.report(finding.at(compiler.tree.span(samples.0)).help("keep one of them"));
            of_written(compiler, schema, documents)
        }
        (Some(schema), None) => of_written(compiler, schema, documents),
        (None, Some(samples)) => inferred(compiler, samples, documents),
        (None, None) => Type::any(),
    }
}

/// A schema that is written in place, or the path of one.
pub(super) fn of_written(compiler: &mut Compiler<'_>, written: NodeRef, documents: &Documents) -> Type {
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
    let Some(schema) = schema else { return Type::any() };
    of_schema(&schema).unwrap_or_else(|error| {
        refuse(compiler, node, format!("it is no schema: {error}"), "see json-schema.org, draft-07");
        Type::any()
    })
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

/// Checks a mapping against what a schema wants in its place.
pub(super) fn check(compiler: &mut Compiler<'_>, node: NodeId, mapping: &Mapping, wanted: &Type) {
    fits(compiler, node, &mapping.of(), wanted, "the body");
}

/// `node` is where the value is written, as far as that can be told; `what` names it.
fn fits(compiler: &mut Compiler<'_>, node: NodeId, of: &Type, wanted: &Type, what: &str) {
    let at = super::params::head(compiler.tree, node);
    let report = |compiler: &mut Compiler<'_>, severity, message: String, help: Option<String>| {
        let finding = Diagnostic::new(&code::BODY_MISMATCH, message).maybe_help(help).at(at);
        compiler.report(Diagnostic { severity, ..finding });
    };
    // Only a path gives null; where an expression has none, the run is given up, which is told already.
    let path = compiler.tree.text(node).is_some_and(|text| text.starts_with("$."));
    if path && of.gap == Some(Gap::Null) && wanted.gap != Some(Gap::Null) {
        let help = "write `{{ … | default(…) }}`, or `$drop_null: true` beside it".to_owned();
        report(
            compiler,
            Severity::Warning,
            format!("{what} may be null, which its schema does not take"),
            Some(help),
        );
    }
    match (&of.shape, &wanted.shape) {
        (_, Shape::Any) | (Shape::Any, _) => {}
        (Shape::Members(have), Shape::Members(want) | Shape::Open(want)) => {
            let open = matches!(wanted.shape, Shape::Open(_));
            for (name, wanted) in want.iter().filter(|(_, wanted)| wanted.gap != Some(Gap::Optional)) {
                if !have.iter().any(|(known, _)| known == name) {
                    let help = format!("add `{name}:`, {}", words(wanted));
                    report(compiler, Severity::Error, format!("{what} needs `{name}`"), Some(help));
                }
            }
            let dropped = compiler.tree.get(node, "$drop_null").is_some();
            for (name, of) in have.iter() {
                let member = compiler.tree.entry(node, name).map(|entry| (entry.value, entry.key_span));
                match want.iter().find(|(known, _)| known == name) {
                    Some((_, wanted)) => {
                        let value = member.map_or(node, |(value, _)| value);
                        // A path to what need not be there gives the run up, which is told already.
                        let chosen = dropped || compiler.tree.text(value).is_none();
                        if chosen && of.gap == Some(Gap::Optional) && wanted.gap != Some(Gap::Optional) {
                            let message = format!("`{name}` may be left out, and {what} needs it");
                            let finding = Diagnostic::new(&code::BODY_MISMATCH, message);
                            let help = "write a value for the other case: `$else:`, `| default(…)`";
                            let at = member.map_or(at, |(_, key)| key);
                            compiler.report(Diagnostic {
                                severity: Severity::Warning,
                                ..finding.at(at).help(help)
                            });
                        }
                        let node = value;
                        fits(compiler, node, of, wanted, &format!("`{name}`"));
                    }
                    None if open => {}
                    None => {
                        let likely = did_you_mean(name, want.iter().map(|(known, _)| &**known));
                        let help = likely.map(|likely| format!("did you mean `{likely}`?"));
                        let finding =
                            Diagnostic::new(&code::BODY_MISMATCH, format!("{what} takes no `{name}`"));
                        let at = member.map_or(at, |(_, key)| key);
                        compiler.report(finding.maybe_help(help).at(at));
                    }
                }
            }
        }
        (Shape::List(have), Shape::List(want)) => match &compiler.tree.node(node).kind {
            Kind::List(items) => {
                // Each is written out; together their types say less than each alone.
                if let [only] = items.as_slice() {
                    fits(compiler, *only, have, want, "an item");
                }
            }
            Kind::Map(_) => {
                let element = compiler.tree.get(node, "$map").unwrap_or(node);
                fits(compiler, element, have, want, "an item");
            }
            _ => fits(compiler, node, have, want, "an item"),
        },
        _ => {
            let (Some(kind), Some(wanted_kind)) = (of.kind(), wanted.kind()) else { return };
            // An instant leaves as text.
            let kind = if kind == ValueKind::Instant { ValueKind::Text } else { kind };
            if kind != wanted_kind {
                let help = match (kind, wanted_kind) {
                    (ValueKind::Text, ValueKind::Number) => Some("convert it: `| number`".to_owned()),
                    (ValueKind::Number | ValueKind::Bool, ValueKind::Text) => {
                        Some("convert it: `| string`".to_owned())
                    }
                    _ => None,
                };
                report(
                    compiler,
                    Severity::Error,
                    format!("{what} must be {wanted_kind}, and this is {kind}"),
                    help,
                );
                return;
            }
            text(compiler, of, wanted, what, &report);
        }
    }
}

/// Tells what is wrong at a place, with what to write instead.
type Report<'r> = dyn Fn(&mut Compiler<'_>, Severity, String, Option<String>) + 'r;

/// Words and lengths.
fn text(compiler: &mut Compiler<'_>, of: &Type, wanted: &Type, what: &str, report: &Report<'_>) {
    if let (Some(words), Some(allowed)) = (&of.text.words, &wanted.text.words) {
        let refused: Vec<&str> =
            words.iter().filter(|word| !allowed.contains(word)).map(|word| &**word).collect();
        let severity = if refused.len() == words.len() { Severity::Error } else { Severity::Warning };
        if !refused.is_empty() {
            let allowed = allowed.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let message = format!("{what} cannot be `{}`", refused.join("`, `"));
            report(compiler, severity, message, Some(format!("it is one of {allowed}")));
        }
    }
    let Some(most) = wanted.text.max else { return };
    let help = || Some(format!("write `| truncate_chars({most})`"));
    if of.text.min > most {
        report(
            compiler,
            Severity::Error,
            format!("{what} takes {most} characters, and this has at least {}", of.text.min),
            help(),
        );
    } else if let Some(max) = of.text.max.filter(|max| *max > most) {
        report(
            compiler,
            Severity::Warning,
            format!("{what} takes {most} characters, and this may have {max}"),
            help(),
        );
    }
}

/// What a person would call a value of the type.
fn words(of: &Type) -> String {
    of.kind().map_or("a value".to_owned(), |kind| kind.words().to_owned())
}

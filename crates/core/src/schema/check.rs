//! A tree against its schema: every deviation, each at its place.

use std::collections::HashSet;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::{Document, words};
use crate::diagnostic::{Diagnostic, code};
use crate::source::Span;
use crate::yaml::{Kind, MAX_FINDINGS, NodeId, Style, Tree, push_key};

/// Everything in which a tree deviates from its schema.
pub(crate) fn check(document: Document, tree: &Tree) -> Vec<Diagnostic> {
    let mut instance = tree.to_json(tree.root());
    // What a variable holds is text until the schema asks for something else; then it is read as that, so that
    // limits hold for it too.
    for (pointer, value) in read_as_asked(document, tree, &instance) {
        if let Some(place) = instance.pointer_mut(&pointer) {
            *place = value;
        }
    }
    let mut findings = Vec::new();
    let mut seen = HashSet::new();
    let mut wrong_types = HashSet::new();
    for error in validator(document).iter_errors(&instance) {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        let pointer = error.instance_path().as_str().to_owned();
        let Some((node, key)) = tree.at(&pointer) else { continue };
        if matches!(tree.node(node).kind, Kind::Hole(_)) {
            continue;
        }
        if matches!(error.kind(), ValidationErrorKind::Type { .. }) {
            wrong_types.insert(node);
        }
        let place = Place { document, tree, node, key, pointer };
        for finding in words::findings(&place, &error) {
            // An alias brings one mistake to several pointers; it is one finding all the same.
            if seen.insert((finding.code.id, finding.span, finding.message.clone())) {
                findings.push((node, finding));
            }
        }
    }
    // A value of the wrong type is of course none of the known ones either.
    findings.retain(|(node, finding)| finding.code != &code::NOT_ONE_OF || !wrong_types.contains(node));
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// The texts out of variables for which the schema wants a number or a boolean, read as that.
fn read_as_asked(document: Document, tree: &Tree, instance: &Value) -> Vec<(String, Value)> {
    let variables =
        tree.ids().any(|id| matches!(tree.node(id).kind, Kind::Text { style: Style::Variable, .. }));
    if !variables {
        return Vec::new();
    }
    let mut read = Vec::new();
    for error in validator(document).iter_errors(instance) {
        let pointer = error.instance_path().as_str();
        let Some((node, _)) = tree.at(pointer) else { continue };
        let Kind::Text { value, style: Style::Variable } = &tree.node(node).kind else { continue };
        let wanted = words::wanted_types(&error);
        let value = wanted.iter().find_map(|ty| match ty.as_str() {
            "boolean" => value.parse::<bool>().ok().map(Value::Bool),
            "integer" => value.parse::<i64>().ok().map(Value::from),
            _ => None,
        });
        read.extend(value.map(|value| (pointer.to_owned(), value)));
    }
    read
}

/// Where an error is.
pub(super) struct Place<'a> {
    pub(super) document: Document,
    pub(super) tree: &'a Tree,
    pub(super) node: NodeId,
    pub(super) key: Option<Span>,
    pub(super) pointer: String,
}

impl Place<'_> {
    /// The last part of the pointer: the key, or the index of a list.
    pub(super) fn name(&self) -> String {
        let last = self.pointer.rsplit('/').next().unwrap_or("");
        last.replace("~1", "/").replace("~0", "~")
    }

    /// The pointer to a key of the map that stands here.
    pub(super) fn below(&self, key: &str) -> String {
        let mut pointer = self.pointer.clone();
        push_key(&mut pointer, key);
        pointer
    }

    /// The key that leads here, or the value when it is a member of a list or the whole file.
    pub(super) fn key_or_value(&self) -> Span {
        let after_key = !self.name().bytes().all(|byte| byte.is_ascii_digit());
        self.key.filter(|_| after_key).unwrap_or_else(|| self.head())
    }

    /// The place of the value; of a map or list only its first line.
    pub(super) fn head(&self) -> Span {
        head(self.tree, self.node)
    }
}

/// A node's place; of a block map its first key, so that no whole block is underlined.
pub(super) fn head(tree: &Tree, node: NodeId) -> Span {
    match (&tree.node(node).kind, tree.entries(node).first(), tree.items(node).first()) {
        (Kind::Map(_), Some(entry), _) => entry.key_span,
        (Kind::List(_), _, Some(item)) => head(tree, *item),
        _ => tree.span(node),
    }
}

fn validator(document: Document) -> &'static Validator {
    static PROJECT: LazyLock<Validator> = LazyLock::new(|| build(Document::Project.schema()));
    static ZAP: LazyLock<Validator> = LazyLock::new(|| build(Document::Zap.schema()));
    static TESTS: LazyLock<Validator> = LazyLock::new(|| build(Document::Tests.schema()));
    match document {
        Document::Project => &PROJECT,
        Document::Zap => &ZAP,
        Document::Tests => &TESTS,
    }
}

fn build(schema: &Value) -> Validator {
    #[expect(
        clippy::expect_used,
        reason = "the schema is generated from types in this crate; a test builds it"
    )]
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .offline()
        .build(schema)
        .expect("generated schemas are valid")
}

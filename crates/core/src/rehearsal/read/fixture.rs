//! Values of tests: as they are written, and laid over files.

use std::sync::Arc;

use super::one::Reading;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::source::Span;
use crate::source::named_beside;
use crate::value::{Decimal, Value};
use crate::yaml::{self, Entry, Kind, NodeId, Tree};

/// Lays the other keys of its map over a file.
const FROM: &str = "$from";
/// Takes members out of what the map is laid over.
const REMOVE: &str = "$remove";

impl Reading<'_, '_> {
    /// A value as it is written, laid over another: maps merge, everything else replaces. What is wrong has findings.
    pub(super) fn laid(&mut self, base: Option<&Value>, node: NodeId) -> Value {
        let tree = self.tree;
        let Kind::Map(entries) = &tree.node(node).kind else {
            return plain(tree, node, &mut |item| self.laid(None, item));
        };
        self.near_words(entries);
        let base = match entries.iter().find(|entry| &*entry.key == FROM) {
            Some(from) => self.from(from),
            None => base.cloned(),
        };
        let base = base.as_ref().and_then(Value::as_object);
        let mut members: Vec<(Arc<str>, Value)> = base
            .into_iter()
            .flat_map(|base| base.iter())
            .map(|(name, value)| (Arc::clone(name), value.clone()))
            .collect();
        for entry in entries.iter().filter(|entry| ![FROM, REMOVE].contains(&&*entry.key)) {
            let value = self.laid(base.and_then(|base| base.get(&entry.key)), entry.value);
            match members.iter_mut().find(|(name, _)| **name == *entry.key) {
                Some((_, known)) => *known = value,
                None => members.push((Arc::from(&*entry.key), value)),
            }
        }
        if let Some(remove) = entries.iter().find(|entry| &*entry.key == REMOVE) {
            self.remove(remove, &mut members);
        }
        Value::object(members)
    }

    /// The value of a fixture, by its path as it is written at a node.
    pub(super) fn fixture(&mut self, written: &str, node: NodeId) -> Option<Value> {
        let at = self.tree.span(node);
        let Some(path) = named_beside(self.path, written) else {
            let message = format!("`{written}` leads out of the project");
            let help = "write a path from the folder of this file to a file of the project";
            self.report(Diagnostic::new(&code::TEST_FIXTURE, message).at(at).help(help));
            return None;
        };
        if let Some(known) = self.reader.known.get(&path) {
            // Its finding is told once; without one the test is left out all the same.
            return known.clone().or_else(|| {
                self.report(Diagnostic::new(&code::TEST_FIXTURE, format!("{path} cannot be used")).at(at));
                None
            });
        }
        let read = self.read_fixture(&path, at);
        self.reader.known.insert(path, read.clone());
        read
    }

    fn read_fixture(&mut self, path: &str, at: Span) -> Option<Value> {
        let refuse = |message: String| Diagnostic::new(&code::TEST_FIXTURE, message).at(at);
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        if !matches!(ending, "json" | "yaml" | "yml") {
            self.report(
                refuse(format!("{path} is neither .json nor .yaml")).help("a record is a JSON or YAML file"),
            );
            return None;
        }
        let bytes = match self.reader.fixtures.read(path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                self.report(refuse(format!("{path} cannot be read: {problem}")));
                return None;
            }
        };
        if bytes.len() > yaml::MAX_BYTES {
            self.report(refuse(format!(
                "{path} has {} bytes, more than the {} that are read",
                bytes.len(),
                yaml::MAX_BYTES
            )));
            return None;
        }
        if ending == "json" {
            return self.json(path, &bytes, at);
        }
        let parsed = yaml::parse(self.reader.sources, path, &bytes);
        let broken = !parsed.diagnostics.is_empty();
        for finding in parsed.diagnostics {
            let place = finding.span.unwrap_or(Span::new(parsed.file, 0, 0));
            self.report(finding.at(place).related(at, "the test that reads it"));
        }
        let tree = parsed.tree.filter(|_| !broken)?;
        // They would be members like others, which nobody means who writes them in YAML.
        let word = |entry: &&Entry| [FROM, REMOVE].contains(&&*entry.key);
        if let Some(entry) = tree.ids().flat_map(|id| tree.entries(id)).find(word) {
            let message = format!("`{}` lays nothing over anything in a file of its own", entry.key);
            let finding = Diagnostic::new(&code::TEST_FIXTURE, message).at(entry.key_span);
            let help = "write it in the test; in a .json file it is a member like any other";
            self.report(finding.related(at, "the test that reads it").help(help));
            return None;
        }
        Some(written(&tree, tree.root()))
    }

    fn json(&mut self, path: &str, bytes: &[u8], at: Span) -> Option<Value> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let finding = Diagnostic::new(&code::TEST_FIXTURE, format!("{path} is not UTF-8 text"));
            self.report(finding.at(at).help("save the file as UTF-8"));
            return None;
        };
        // Editors of some systems put a mark at the head of a file.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match Value::from_json(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let file = self.reader.sources.add(path, text);
                let finding =
                    Diagnostic::new(&code::TEST_FIXTURE, format!("{path} is not JSON: {}", error.what));
                let place = Span::new(file, error.at, error.at);
                self.report(finding.at(place).related(at, "the test that reads it"));
                None
            }
        }
    }

    fn from(&mut self, from: &Entry) -> Option<Value> {
        let Some(path) = self.tree.text(from.value) else {
            let finding = Diagnostic::new(&code::WRONG_TYPE, format!("`{FROM}` takes the path of a file"));
            self.report(finding.at(self.tree.span(from.value)).help("write it as text: fixtures/sale.json"));
            return None;
        };
        let value = self.fixture(path, from.value)?;
        if value.as_object().is_none() {
            let message = format!("{path} holds {}, over which no keys can be laid", value.kind());
            self.report(Diagnostic::new(&code::TEST_FIXTURE, message).at(self.tree.span(from.value)));
        }
        Some(value)
    }

    fn remove(&mut self, remove: &Entry, members: &mut Vec<(Arc<str>, Value)>) {
        let names = match &self.tree.node(remove.value).kind {
            Kind::List(items) => items.clone(),
            _ => vec![remove.value],
        };
        for node in names {
            let at = self.tree.span(node);
            let Some(name) = self.tree.text(node) else {
                let finding =
                    Diagnostic::new(&code::WRONG_TYPE, format!("`{REMOVE}` takes the names of members"));
                self.report(finding.at(at).help(format!("write a list of names: {REMOVE}: [couponCode]")));
                continue;
            };
            let before = members.len();
            members.retain(|(known, _)| **known != *name);
            if members.len() == before {
                let known = members.iter().map(|(name, _)| &**name);
                let help = did_you_mean(name, known).map(|best| format!("did you mean `{best}`?"));
                let message = format!("there is no `{name}` to take out");
                self.report(Diagnostic::new(&code::TEST_FIXTURE, message).at(at).maybe_help(help));
            }
        }
    }

    /// Keys that are nearly one of the two words.
    fn near_words(&mut self, entries: &[Entry]) {
        for entry in entries {
            let word = entry.key.starts_with('$') && ![FROM, REMOVE].contains(&&*entry.key);
            let meant = did_you_mean(&entry.key, [FROM, REMOVE]).filter(|_| word);
            if let Some(meant) = meant {
                let message = format!("`{}` is nearly `{meant}`", entry.key);
                let finding = Diagnostic::new(&code::NEAR_WORD, message);
                self.report(finding.at(entry.key_span).help(format!("did you mean `{meant}`?")));
            }
        }
    }
}

/// A value as it was written; members of lists and maps by `inner`.
fn plain(tree: &Tree, node: NodeId, inner: &mut dyn FnMut(NodeId) -> Value) -> Value {
    match &tree.node(node).kind {
        Kind::Null => Value::Null,
        Kind::Bool(truth) => Value::Bool(*truth),
        Kind::Number(digits) => {
            Decimal::parse(digits).map_or_else(|_| Value::text(digits.to_string()), Value::Number)
        }
        Kind::Text { value, .. } | Kind::Hole(value) => Value::text(value.to_string()),
        Kind::List(items) => Value::list(items.iter().map(|item| inner(*item)).collect()),
        Kind::Map(entries) => {
            Value::object(entries.iter().map(|entry| (Arc::from(&*entry.key), inner(entry.value))).collect())
        }
    }
}

/// A value as it was written, whatever its keys.
pub(in crate::rehearsal) fn written(tree: &Tree, node: NodeId) -> Value {
    plain(tree, node, &mut |inner| written(tree, inner))
}

//! What is written in an edition of a project: texts, places, and what differs between two of them.

use zaprun_core::diagnostic::{Diagnostic, code};
use zaprun_core::load::is_secret_name;
use zaprun_core::mapping::{MapError, member};
use zaprun_core::source::SourceMap;
use zaprun_core::yaml::{Kind, NodeId, Tree};
use zaprun_core::zap::locate;

use super::report::KeyPlan;

/// A file of an edition.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) sources: &'a SourceMap,
    pub(super) findings: &'a [Diagnostic],
    pub(super) tree: &'a Tree,
}

/// A longer text is cut.
const LONGEST: usize = 300;

/// Before what tells secrets apart. No YAML text holds it.
const MARK: char = '\0';
/// So many signs do.
const MARK_LENGTH: usize = 16;

impl Written<'_> {
    /// What is written at a node, in one line.
    pub(super) fn text(&self, node: NodeId) -> String {
        if self.is_secret(node) {
            return "***".to_owned();
        }
        let text = self.sources.slice(self.tree.span(node));
        cut(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Whether a secret stands there in plain, which is a finding of that edition.
    pub(super) fn is_secret(&self, node: NodeId) -> bool {
        let at = self.tree.span(node);
        self.findings.iter().filter(|finding| finding.code == &code::PLAIN_SECRET).any(|finding| {
            finding
                .span
                .is_some_and(|span| span.file == at.file && span.start < at.end && at.start < span.end)
        })
    }

    /// `message (zaps/a.yaml:14)`
    pub(super) fn error(&self, error: &MapError) -> String {
        let node = locate(self.tree, &error.place);
        if node == self.tree.root() {
            return format!("{}: {}", error.place, error.message);
        }
        let span = self.tree.span(node);
        let file = &self.sources.file(span.file).path;
        format!("{} ({file}:{})", error.message, self.sources.range(span).0.line)
    }

    /// Every value below a node by the names that lead to it. A step goes by its id. A list of plain values is one.
    fn flat(&self, node: NodeId, at: &str, skip: &[&str], found: &mut Vec<(String, String)>) {
        match &self.tree.node(node).kind {
            Kind::Map(entries) if !entries.is_empty() => {
                for entry in entries.iter().filter(|entry| !skip.contains(&&*entry.key)) {
                    let place = if at.is_empty() { entry.key.to_string() } else { member(at, &entry.key) };
                    if is_secret_name(&entry.key) {
                        found.push((place, self.secret(entry.value)));
                    } else {
                        self.flat(entry.value, &place, &[], found);
                    }
                }
            }
            Kind::List(items) if items.iter().any(|item| !self.is_scalar(*item)) => {
                for (index, item) in items.iter().enumerate() {
                    let id = self.tree.get(*item, "id").and_then(|id| self.tree.text(id));
                    let place = id.map_or_else(|| format!("{at}[{index}]"), |id| format!("{at}[{id}]"));
                    self.flat(*item, &place, &[], found);
                }
            }
            _ => found.push((at.to_owned(), self.value(node))),
        }
    }

    /// That it is another secret may be seen, not which.
    fn secret(&self, node: NodeId) -> String {
        match self.value(node) {
            written if written.trim_start_matches(['"', '\'']).starts_with("${") => written,
            _ => self.hidden(node),
        }
    }

    /// A secret, hidden, with a mark by which another is told from it and which is never shown.
    fn hidden(&self, node: NodeId) -> String {
        let mark = blake3::hash(self.sources.slice(self.tree.span(node)).as_bytes()).to_hex();
        format!("***{MARK}{}", mark.get(..MARK_LENGTH).unwrap_or_default())
    }

    fn is_scalar(&self, node: NodeId) -> bool {
        !matches!(self.tree.node(node).kind, Kind::Map(_) | Kind::List(_))
    }

    fn value(&self, node: NodeId) -> String {
        match &self.tree.node(node).kind {
            Kind::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.value(*item)).collect();
                format!("[{}]", items.join(", "))
            }
            Kind::Map(_) => "{}".to_owned(),
            _ if self.is_secret(node) => self.hidden(node),
            Kind::Null => "null".to_owned(),
            Kind::Bool(truth) => truth.to_string(),
            Kind::Number(digits) => digits.to_string(),
            Kind::Text { value, .. } | Kind::Hole(value) => value.to_string(),
        }
    }
}

/// What is written otherwise below two nodes, but for some keys of the outermost.
pub(super) fn differing(
    old: (Written<'_>, NodeId),
    new: (Written<'_>, NodeId),
    skip: &[&str],
) -> Vec<KeyPlan> {
    let flat = |(written, node): (Written<'_>, NodeId)| {
        let mut found = Vec::new();
        written.flat(node, "", skip, &mut found);
        found
    };
    let (old, new) = (flat(old), flat(new));
    let text = |among: &[(String, String)], key: &str| {
        among.iter().find(|(known, _)| known == key).map(|(_, text)| cut(text))
    };
    let mut plans = Vec::new();
    for (key, value) in &new {
        let before = old.iter().find(|(known, _)| known == key);
        if before.is_none_or(|(_, before)| before != value) {
            plans.push(KeyPlan { key: key.clone(), old: text(&old, key), new: Some(cut(value)) });
        }
    }
    let gone = old.iter().filter(|(key, _)| !new.iter().any(|(known, _)| known == key));
    plans.extend(gone.map(|(key, value)| KeyPlan { key: key.clone(), old: Some(cut(value)), new: None }));
    plans
}

/// Whether the same steps stand in another order.
pub(super) fn reordered(old: (&Tree, NodeId), new: (&Tree, NodeId)) -> bool {
    let ids = |(tree, node): (&Tree, NodeId)| -> Vec<String> {
        let actions = tree.get(node, "actions").map_or(&[][..], |actions| tree.items(actions));
        let id = |action: &NodeId| tree.get(*action, "id").and_then(|id| tree.text(id)).map(str::to_owned);
        actions.iter().filter_map(id).collect()
    };
    let (old, new) = (ids(old), ids(new));
    let common = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter().filter(|id| other.contains(id)).cloned().collect()
    };
    common(&old, &new) != common(&new, &old)
}

fn cut(text: &str) -> String {
    let mut parts = text.split(MARK);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| shown.push_str(part.get(MARK_LENGTH..).unwrap_or_default()));
    let text = shown.as_str();
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    format!("{kept}…")
}

//! Expectations rewritten in the text in which they stand: only what differs is touched, and every other byte, comments
//! and blanks included, stays as it is.

mod write;

use std::ops::Range;

use super::compare::Fix;
use crate::source::{SourceMap, Span};
use crate::value::Value;
use crate::yaml::{self, Entry, Kind, NodeId, Style, Tree};

/// Rewrites what some tests of a file expect: for each the place of its `expect`, and what has to be there. What cannot
/// be rewritten here, such as what an alias or a fixture brings in, stays.
///
/// The text that comes back is YAML, and what was not named stands in it as it did.
pub fn rewrite(path: &str, text: &str, tests: &[(Span, Vec<Fix>)]) -> String {
    let mut tests: Vec<&(Span, Vec<Fix>)> = tests.iter().collect();
    // From the end, so that the places of those before stay.
    tests.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, fixes) in tests {
        for fix in fixes {
            let Some(edit) = edit(path, &text, span.start, fix) else { continue };
            let mut changed = text.clone();
            // Lines end as they do elsewhere in the file.
            let with = if text.contains("\r\n") { edit.with.replace('\n', "\r\n") } else { edit.with };
            changed.replace_range(edit.range, &with);
            // A text that would not be read again is no text.
            let stays = |tree: &Tree| fix.pointer.is_empty() || expectation(tree, span.start).is_some();
            if parsed(path, &changed).as_ref().is_some_and(stays) {
                text = changed;
            }
        }
    }
    text
}

/// What is replaced by what.
#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    with: String,
}

fn parsed(path: &str, text: &str) -> Option<Tree> {
    let parsed = yaml::parse(&mut SourceMap::default(), path, text.as_bytes());
    parsed.tree.filter(|_| parsed.diagnostics.is_empty())
}

/// The `expect:` whose value begins there, and the test that holds it.
fn expectation(tree: &Tree, start: usize) -> Option<(NodeId, &Entry)> {
    let mut entries = tree.ids().flat_map(|id| tree.entries(id).iter().map(move |entry| (id, entry)));
    entries.find(|(_, entry)| &*entry.key == "expect" && tree.span(entry.value).start == start)
}

/// A node, and the key and map that hold it.
struct Found<'t> {
    node: NodeId,
    holder: Option<(NodeId, &'t Entry)>,
}

fn edit(path: &str, text: &str, start: usize, fix: &Fix) -> Option<Edit> {
    let tree = parsed(path, text)?;
    let (test, root) = expectation(&tree, start)?;
    let within = Span { start: root.key_span.start, ..tree.span(root.value) };
    let mut found = Found { node: root.value, holder: Some((test, root)) };
    let names: Vec<String> =
        fix.pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let mut left = names.as_slice();
    while let Some((name, rest)) = left.split_first() {
        let next = match &tree.node(found.node).kind {
            Kind::List(items) => name
                .parse::<usize>()
                .ok()
                .and_then(|at| items.get(at))
                .map(|node| Found { node: *node, holder: None }),
            _ => tree
                .entry(found.node, name)
                .map(|entry| Found { node: entry.value, holder: Some((found.node, entry)) }),
        };
        let Some(next) = next else { break };
        (found, left) = (next, rest);
    }
    // What was written elsewhere, and is used here by an alias, is not this test's own.
    let own = |span: Span| within.start <= span.start && span.end <= within.end;
    if !own(tree.span(found.node)) || found.holder.is_some_and(|(_, entry)| !own(entry.key_span)) {
        return None;
    }
    let editor = Editor { tree: &tree, text };
    match (&fix.to, left) {
        (None, []) => editor.remove(&found),
        (None, _) => None,
        (Some(to), []) => match error_of(to) {
            // What a step that is given up had sent is still worth looking at.
            Some(reason) if editor.keeps_parts(found.node) => editor.member(found.node, "error", reason),
            _ => Some(editor.replace(&found, to)),
        },
        (Some(to), [name, rest @ ..]) => {
            let mut value = to.clone();
            for name in rest.iter().rev() {
                value = Value::object(vec![(name.as_str().into(), value)]);
            }
            match &tree.node(found.node).kind {
                Kind::Map(_) => editor.member(found.node, name, &value),
                Kind::List(_) => None,
                _ => {
                    let value = Value::object(vec![(name.as_str().into(), value)]);
                    Some(editor.replace(&found, &value))
                }
            }
        }
    }
}

/// The text of `{ error: TEXT }`.
fn error_of(value: &Value) -> Option<&Value> {
    let object = value.as_object()?;
    object.get("error").filter(|_| object.iter().len() == 1)
}

struct Editor<'t> {
    tree: &'t Tree,
    text: &'t str,
}

impl Editor<'_> {
    /// Whether a node is what is expected of a step that was done.
    fn keeps_parts(&self, node: NodeId) -> bool {
        let entries = self.tree.entries(node);
        !entries.is_empty() && entries.iter().all(|entry| &*entry.key != "skipped")
    }

    fn is_flow(&self, node: NodeId) -> bool {
        let written = self.text.get(self.tree.span(node).start..).unwrap_or_default();
        written.starts_with(['{', '['])
    }

    /// How far from the left a place stands.
    fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count()
    }

    /// Where a value begins: lines below a `|` or `>` with that sign.
    fn start(&self, found: &Found<'_>) -> usize {
        let start = self.tree.span(found.node).start;
        let Kind::Text { style: Style::Literal | Style::Folded, .. } = self.tree.node(found.node).kind else {
            return start;
        };
        let before = self.text.get(..start).unwrap_or_default().trim_end();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let from = found.holder.map_or(line, |(_, entry)| entry.key_span.end);
        let head = self.text.get(from..start).and_then(|head| head.find(['|', '>']));
        head.map_or(start, |at| from + at)
    }

    fn replace(&self, found: &Found<'_>, to: &Value) -> Edit {
        let Span { end, .. } = self.tree.span(found.node);
        let start = self.start(found);
        let node = self.tree.node(found.node);
        let collection = matches!(node.kind, Kind::List(_) | Kind::Map(_));
        let raw = self.text.get(start..end).unwrap_or_default();
        if !collection {
            return Edit { range: start..end, with: write::scalar(to, &node.kind, raw) };
        }
        if self.is_flow(found.node) {
            return Edit { range: start..end, with: write::flow(to) };
        }
        if write::is_collection(to) {
            return Edit { range: start..end, with: write::block(to, self.column(start)) };
        }
        // A word takes the place of lines below its key: it belongs beside the key, unless a comment stands between.
        let with = write::flow(to);
        match found.holder.map(|(_, entry)| entry.key_span.end) {
            Some(key) if !self.text.get(key..start).unwrap_or_default().contains('#') => {
                Edit { range: key..end, with: format!(": {with}") }
            }
            _ => Edit { range: start..end, with },
        }
    }

    /// Sets a member of a map.
    fn member(&self, map: NodeId, name: &str, value: &Value) -> Option<Edit> {
        if let Some(entry) = self.tree.entry(map, name) {
            return Some(self.replace(&Found { node: entry.value, holder: Some((map, entry)) }, value));
        }
        let Span { start, end, .. } = self.tree.span(map);
        let last = self.tree.entries(map).last();
        let written = format!("{}: {}", write::key(name), write::flow(value));
        if self.is_flow(map) {
            let close = end.checked_sub(1)?;
            return Some(match last {
                None => Edit { range: start..end, with: format!("{{ {written} }}") },
                Some(last) => {
                    let at = self.tree.span(last.value).end.max(last.key_span.end).min(close);
                    Edit { range: at..at, with: format!(", {written}") }
                }
            });
        }
        let column = self.column(start);
        // Below the whole line on which the last member ends: a comment may follow it.
        let from = self.text.get(end..)?;
        let at = from.find('\n').map_or(self.text.len(), |length| end + length);
        let at = if self.text.get(..at)?.ends_with('\r') { at - 1 } else { at };
        let block = match value {
            value if write::is_collection(value) => {
                let inner = write::block(value, column + 2);
                format!("{}:\n{}{inner}", write::key(name), " ".repeat(column + 2))
            }
            _ => written,
        };
        Some(Edit { range: at..at, with: format!("\n{}{block}", " ".repeat(column)) })
    }

    /// The whole lines of a member, with the comment at their end; nothing where others stand in them too.
    fn lines(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let line = self.text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(end..)?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let after = rest.get(..length)?.trim_start();
        let alone =
            self.text.get(line..start)?.trim().is_empty() && (after.is_empty() || after.starts_with('#'));
        alone.then_some(line..end + length)
    }

    /// Takes a member out of its map.
    fn remove(&self, found: &Found<'_>) -> Option<Edit> {
        let (map, entry) = found.holder?;
        let entries = self.tree.entries(map);
        let at = entries.iter().position(|other| other.key_span == entry.key_span)?;
        if entries.len() == 1 {
            let Span { start, end, .. } = self.tree.span(map);
            return Some(Edit { range: start..end, with: "{}".to_owned() });
        }
        let end = |entry: &Entry| self.tree.span(entry.value).end.max(entry.key_span.end);
        if let Some(range) = self.lines(entry.key_span.start, end(entry)).filter(|_| !self.is_flow(map)) {
            return Some(Edit { range, with: String::new() });
        }
        let (start, stop) = match (entries.get(at + 1), at.checked_sub(1).and_then(|at| entries.get(at))) {
            // Up to the next, with what stands between.
            (Some(next), _) => (entry.key_span.start, next.key_span.start),
            (None, Some(before)) => (end(before), end(entry)),
            (None, None) => return None,
        };
        // What is written between the two is nobody else's.
        let between = self.text.get(start..stop)?;
        (!between.contains('#')).then(|| Edit { range: start..stop, with: String::new() })
    }
}

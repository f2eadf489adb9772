//! Expectations rewritten in the text in which they stand: only what differs is touched, and every other byte, comments
//! and blanks included, stays as it is.

mod write;

use std::ops::Range;

use super::compare::Fix;
use crate::source::{SourceMap, Span};
use crate::value::Value;
use crate::yaml::{self, Entry, Kind, NodeId, Style, Tree};

/// A text whose expectations were rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The text.
    pub text: String,
    /// By test, in the order in which they were given: by fix, whether it was made.
    pub made: Vec<Vec<bool>>,
}

/// Rewrites what some tests of a file expect: for each the place of its `expect`, and what has to be there. What cannot
/// be rewritten here, such as what an alias or a fixture brings in, stays.
///
/// The text that comes back is YAML, and what was not named stands in it as it did.
pub fn rewrite(path: &str, text: &str, tests: &[(Span, Vec<Fix>)]) -> Rewritten {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    // From the end, so that the places of those before stay.
    order.sort_by_key(|at| std::cmp::Reverse(tests.get(*at).map(|(span, _)| span.start)));
    let mut text = text.to_owned();
    let mut made: Vec<Vec<bool>> = tests.iter().map(|(_, fixes)| vec![false; fixes.len()]).collect();
    for at in order {
        let (Some((span, fixes)), Some(made)) = (tests.get(at), made.get_mut(at)) else { continue };
        for (fix, made) in fixes.iter().zip(made) {
            let Some(edit) = edit(path, &text, span.start, fix) else { continue };
            let mut changed = text.clone();
            // Lines end as they do elsewhere in the file.
            let with = edit.with.replace("\r\n", "\n");
            let with = if text.contains("\r\n") { with.replace('\n', "\r\n") } else { with };
            changed.replace_range(edit.range, &with);
            // A text that would not be read again is no text.
            let stays = |read: &Read| fix.pointer.is_empty() || expectation(&read.tree, span.start).is_some();
            if changed != text && parsed(path, &changed).as_ref().is_some_and(stays) {
                (text, *made) = (changed, true);
            }
        }
    }
    Rewritten { text, made }
}

/// What is replaced by what.
#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    with: String,
}

/// A file without findings.
struct Read {
    tree: Tree,
    /// The bytes of every scalar.
    scalars: Vec<(usize, usize)>,
}

fn parsed(path: &str, text: &str) -> Option<Read> {
    let parsed = yaml::parse(&mut SourceMap::default(), path, text.as_bytes());
    let tree = parsed.tree.filter(|_| parsed.diagnostics.is_empty())?;
    Some(Read { tree, scalars: parsed.scalars })
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
    let Read { tree, scalars } = parsed(path, text)?;
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
    let editor = Editor { tree: &tree, text, scalars: &scalars };
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
    scalars: &'t [(usize, usize)],
}

/// What is longer stands in lines of its own, where it can.
const WIDEST: usize = 100;

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
        let raw = self.text.get(start..end).unwrap_or_default();
        match &node.kind {
            Kind::List(_) | Kind::Map(_) => {}
            kind => {
                let short = || Edit { range: start..end, with: write::scalar(to, kind, raw) };
                return self.lines_below(found, end, to).unwrap_or_else(short);
            }
        }
        let is_flow = self.is_flow(found.node);
        if let (Kind::List(items), Some(there), false) = (&node.kind, to.as_list(), is_flow)
            && let Some(edit) = self.list(found.node, items, there)
        {
            return edit;
        }
        let column = self.column(start);
        if is_flow {
            let comments = self.comments(start..end, column);
            return Edit { range: start..end, with: format!("{comments}{}", write::flow(to)) };
        }
        if write::is_collection(to) {
            // The dashes of a list may stand flush with its key, and members may not.
            let key = found.holder.map(|(_, entry)| self.column(entry.key_span.start));
            let (lead, column) = match to {
                Value::Object(_) if key == Some(column) => ("  ", column + 2),
                _ => ("", column),
            };
            let comments = self.comments(start..end, column);
            return Edit { range: start..end, with: format!("{lead}{comments}{}", write::block(to, column)) };
        }
        // A word takes the place of lines below its key: it belongs beside the key, below what was said of them.
        let with = write::flow(to);
        match found.holder {
            Some((_, entry)) => {
                let Span { start: key, end: from, .. } = entry.key_span;
                let comments = self.comments(from..end, self.column(key));
                let name = self.text.get(key..from).unwrap_or_default();
                Edit { range: key..end, with: format!("{comments}{name}: {with}") }
            }
            None => {
                let comments = self.comments(start..end, column);
                Edit { range: start..end, with: format!("{comments}{with}") }
            }
        }
    }

    /// The comments of a range, each in a line of its own, and the beginning of the line after them.
    fn comments(&self, range: Range<usize>, column: usize) -> String {
        let mut comments = String::new();
        let mut at = range.start;
        while let Some(found) = self.text.get(at..range.end).and_then(|rest| rest.find('#')) {
            let sign = at + found;
            let stands_free = self
                .text
                .get(..sign)
                .is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace));
            let within = self.scalars.iter().any(|(start, end)| (*start..*end).contains(&sign));
            at = sign + 1;
            if within || !stands_free {
                continue;
            }
            let comment = self.text.get(sign..).and_then(|rest| rest.lines().next()).unwrap_or_default();
            comments.push_str(comment.trim_end());
            comments.push('\n');
            comments.push_str(&" ".repeat(column));
            at = sign + comment.len();
        }
        comments
    }

    /// Where the members of a block list begin: at their dashes, which stand below each other. Nothing where one comes
    /// from elsewhere.
    fn dashes(&self, list: Span, items: &[NodeId]) -> Option<Vec<usize>> {
        let column = self.column(list.start);
        let mut dashes = vec![list.start];
        let mut at = list.start;
        while let Some(length) = self.text.get(at..list.end)?.find('\n') {
            at += length + 1;
            let line = self.text.get(at..list.end)?.lines().next().unwrap_or_default();
            let dash = line.len() - line.trim_start_matches(' ').len();
            let is_dash = line
                .get(dash..)?
                .strip_prefix('-')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
            let within = self.scalars.iter().any(|(start, end)| (*start..*end).contains(&(at + dash)));
            if dash == column && is_dash && !within {
                dashes.push(at + dash);
            }
        }
        let ends = dashes.iter().skip(1).copied().chain([list.end]);
        let holds = |((dash, end), item): ((&usize, usize), &NodeId)| {
            let span = self.tree.span(*item);
            (*dash..=end).contains(&span.start) && (*dash..=end).contains(&span.end)
        };
        let all = dashes.len() == items.len() && dashes.iter().zip(ends).zip(items).all(holds);
        all.then_some(dashes)
    }

    /// Gives a block list as many members as came, where they came; what differs in the others is theirs to say.
    fn list(&self, node: NodeId, items: &[NodeId], there: &[Value]) -> Option<Edit> {
        if items.len() == there.len() || items.is_empty() || there.is_empty() {
            return None;
        }
        let span = self.tree.span(node);
        let dashes = self.dashes(span, items)?;
        let value = |item: &NodeId| crate::zap::value_of(self.tree, *item);
        let as_before = |(item, there): &(&NodeId, &Value)| fits(&value(item), there);
        let same = items.iter().zip(there).take_while(as_before).count();
        let tail = items.iter().rev().zip(there.iter().rev()).take_while(as_before).count();
        // Between what is alike before and after it; in doubt at the end.
        let at = same.max(items.len().min(there.len()).saturating_sub(tail));
        let column = self.column(span.start);
        let indent = " ".repeat(column);
        if let Some(more) = there.len().checked_sub(items.len()).filter(|more| *more > 0) {
            let new: Vec<String> = there
                .iter()
                .skip(at)
                .take(more)
                .map(|value| format!("- {}", write::block(value, column + 2)))
                .collect();
            return match at.checked_sub(1) {
                None => {
                    let new: String = new.iter().map(|new| format!("{new}\n{indent}")).collect();
                    Some(Edit { range: span.start..span.start, with: new })
                }
                Some(before) => {
                    let end =
                        self.line_end(self.tree.span(*items.get(before)?).end.max(*dashes.get(before)?));
                    let new: String = new.iter().map(|new| format!("\n{indent}{new}")).collect();
                    Some(Edit { range: end..end, with: new })
                }
            };
        }
        let gone = items.len() - there.len();
        match (at, dashes.get(at + gone)) {
            // What is said above a member stays above the next.
            (at, Some(next)) => {
                let last = self.line_end(self.tree.span(*items.get(at + gone - 1)?).end);
                let between = self.comments(last..*next, column);
                Some(Edit { range: *dashes.get(at)?..*next, with: between })
            }
            (at, None) => {
                let before = at.checked_sub(1)?;
                let from = self.line_end(self.tree.span(*items.get(before)?).end.max(*dashes.get(before)?));
                let to = self.line_end(span.end);
                let between = self.comments(from..*dashes.get(at)?, column);
                let between = between.trim_end();
                let with = if between.is_empty() { String::new() } else { format!("\n{indent}{between}") };
                Some(Edit { range: from..to, with })
            }
        }
    }

    /// Where the line of a place ends.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.find('\n').unwrap_or(rest.len());
        at + rest.get(..length).unwrap_or_default().trim_end_matches('\r').len()
    }

    /// Many values in place of a word, in lines below its key; nothing where they fit beside it, or where lines cannot
    /// stand.
    fn lines_below(&self, found: &Found<'_>, end: usize, to: &Value) -> Option<Edit> {
        let (map, entry) = found.holder?;
        if !write::is_collection(to) || self.is_flow(map) {
            return None;
        }
        let column = self.column(entry.key_span.start);
        if column + write::flow(to).chars().count() <= WIDEST {
            return None;
        }
        let line_end = self.line_end(end);
        let comment = self.text.get(end..line_end)?;
        if !comment.trim_start().is_empty() && !comment.trim_start().starts_with('#') {
            return None;
        }
        let block = write::block(to, column + 2);
        let with = format!(":{}\n{}{block}", comment.trim_end(), " ".repeat(column + 2));
        Some(Edit { range: entry.key_span.end..line_end, with })
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
            let comments = self.comments(start..end, self.column(start));
            return Some(Edit { range: start..end, with: format!("{comments}{{}}") });
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
        // What is said between the two is nobody else's.
        let comments = self.comments(start..stop, self.column(start));
        let with = match (comments.is_empty(), self.is_flow(map)) {
            (true, _) => String::new(),
            (false, true) => format!(" {comments}"),
            (false, false) => return None,
        };
        Some(Edit { range: start..stop, with })
    }
}

/// Whether a value is as an expectation says, which need not name all members of a map.
fn fits(expected: &Value, there: &Value) -> bool {
    match (expected, there) {
        (Value::Object(expected), Value::Object(there)) => {
            expected.iter().all(|(name, value)| there.get(name).is_some_and(|there| fits(value, there)))
        }
        (Value::List(expected), Value::List(there)) => {
            expected.len() == there.len()
                && expected.iter().zip(there.iter()).all(|(one, other)| fits(one, other))
        }
        _ => expected == there,
    }
}

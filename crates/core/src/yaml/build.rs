//! From the engine's events to a [`Tree`].

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_yaml::granit_parser::{self as engine, Event, ScalarStyle, StructureStyle, Tag};

use super::scalar::{self, Trap};
use super::tree::{Entry, Kind, NodeId, Style, Tree};
use super::{MAX_DEPTH, MAX_FINDINGS, MAX_NODES, Parsed, words};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::source::{FileId, Span};

/// Reads a text. All that is wrong is in the result's findings.
pub(super) fn build(file: FileId, text: &Arc<str>) -> Parsed {
    let mut builder = Builder::new(file, text);
    let options = engine::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    for event in engine::Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(Box::new(builder.syntax(&error))),
        };
        if let Err(finding) = step {
            // `{{ a }} and {{ b }}`: its head was found before the rest of it broke.
            let head = |found: &Diagnostic| {
                found.code == finding.code
                    && found.span.map(|span| span.start) == finding.span.map(|span| span.start)
            };
            builder.findings.retain(|found| !head(found));
            builder.findings.push(*finding);
            return builder.finish(false);
        }
    }
    builder.finish(true)
}

/// A finding after which the rest of the file cannot be read.
type Stop = Box<Diagnostic>;

enum Frame {
    List { start: usize, anchor: usize, flow: bool, items: Vec<NodeId> },
    Map(MapFrame),
}

struct MapFrame {
    start: usize,
    anchor: usize,
    flow: bool,
    key: Option<Key>,
    entries: Vec<Entry>,
    seen: HashMap<Box<str>, Span>,
    merges: Vec<(Span, NodeId)>,
    /// Lists and maps that stand as keys; of `{{ … }}` without its quotes the inner map is one.
    odd_keys: Vec<Span>,
}

enum Key {
    Named(Box<str>, Span),
    Merge(Span),
    Bad,
}

/// How much a node holds when its aliases are written out.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

struct Builder<'a> {
    file: FileId,
    text: &'a Arc<str>,
    tree: Tree,
    sizes: Vec<Size>,
    anchors: HashMap<usize, NodeId>,
    open_anchors: HashSet<usize>,
    stack: Vec<Frame>,
    total: usize,
    root: Option<NodeId>,
    documents: usize,
    findings: Vec<Diagnostic>,
    traps: Vec<(NodeId, Diagnostic)>,
    errors: usize,
    warnings: usize,
    scalars: Vec<(usize, usize)>,
}

impl<'a> Builder<'a> {
    fn new(file: FileId, text: &'a Arc<str>) -> Self {
        let tree = Tree { nodes: Vec::new(), root: NodeId(0), texts: vec![(file, text.clone())] };
        Builder {
            file,
            text,
            tree,
            sizes: Vec::new(),
            anchors: HashMap::new(),
            open_anchors: HashSet::new(),
            stack: Vec::new(),
            total: 0,
            root: None,
            documents: 0,
            findings: Vec::new(),
            traps: Vec::new(),
            errors: 0,
            warnings: 0,
            scalars: Vec::new(),
        }
    }

    fn finish(mut self, whole: bool) -> Parsed {
        let tree = match self.root {
            Some(root) if whole => {
                self.tree.root = root;
                Some(self.tree)
            }
            _ => None,
        };
        Parsed { file: self.file, tree, diagnostics: self.findings, traps: self.traps, scalars: self.scalars }
    }

    fn report(&mut self, finding: Diagnostic) {
        if self.has_room(&finding) {
            self.findings.push(finding);
        }
    }

    /// Counts a finding; errors are not crowded out by warnings.
    fn has_room(&mut self, finding: &Diagnostic) -> bool {
        let told = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *told += 1;
        *told <= MAX_FINDINGS
    }

    /// The finding for a syntax error; a bracket that is still open is often its cause.
    fn syntax(&self, error: &engine::ScanError) -> Diagnostic {
        let finding = words::syntax(self.file, self.text, error);
        let open = self.stack.iter().rev().find_map(|frame| match frame {
            Frame::List { start, flow: true, .. } | Frame::Map(MapFrame { start, flow: true, .. }) => {
                Some(*start)
            }
            _ => None,
        });
        match open {
            Some(start)
                if finding.code == &code::YAML_SYNTAX
                    && finding.span.is_none_or(|span| span.start != start) =>
            {
                finding.related(self.span(start, start + 1), "this bracket is still open")
            }
            _ => finding,
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let length = self.text.len();
        Span::new(self.file, start.min(length), end.min(length))
    }

    fn take(&mut self, event: Event<'_>, at: &engine::Span) -> Result<(), Stop> {
        let range = at.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let finding = Diagnostic::new(&code::SEVERAL_DOCUMENTS, "a second document begins here")
                        .at(self.span(range.start, range.end))
                        .help("write one document per file, without `---` between them");
                    return Err(Box::new(finding));
                }
                Ok(())
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(&value, style, anchor, tag.as_deref(), at, range)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(anchor, range.start)?;
                let start = match style {
                    StructureStyle::Block => self.first_dash(range.start),
                    StructureStyle::Flow => range.start,
                };
                self.stack.push(Frame::List {
                    start,
                    anchor,
                    flow: style == StructureStyle::Flow,
                    items: Vec::new(),
                });
                Ok(())
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(anchor, range.start)?;
                self.stack.push(Frame::Map(MapFrame {
                    start: range.start,
                    anchor,
                    flow: style == StructureStyle::Flow,
                    key: None,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    merges: Vec::new(),
                    odd_keys: Vec::new(),
                }));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range.start, range.end),
            Event::Alias(id) => self.alias(id, range.start, range.end),
            _ => Ok(()),
        }
    }

    /// Where a block list begins that the engine says begins at `at`: of one whose dashes stand flush with its key it
    /// names what follows the first dash.
    fn first_dash(&self, at: usize) -> usize {
        let is_value = matches!(self.stack.last(), Some(Frame::Map(map)) if !map.flow && map.key.is_some());
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let lead = before.get(line..).unwrap_or_default();
        let dash = lead.len() - lead.trim_start_matches(' ').len();
        if is_value && lead.get(dash..).is_some_and(|rest| rest.starts_with('-')) { line + dash } else { at }
    }

    fn open(&mut self, anchor: usize, at: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.open_anchors.insert(anchor);
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.limit(at, format!("lists and maps stand more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    fn limit(&self, at: usize, message: String) -> Stop {
        let finding = Diagnostic::new(&code::YAML_LIMIT, message)
            .at(self.span(at, at + 1))
            .help("split the file, or use fewer aliases");
        Box::new(finding)
    }

    fn count(&mut self, nodes: usize, at: usize) -> Result<(), Stop> {
        self.total = self.total.saturating_add(nodes);
        if self.total > MAX_NODES {
            return Err(self.limit(at, format!("the file holds more than {MAX_NODES} values")));
        }
        Ok(())
    }

    fn node(&mut self, kind: Kind, span: Span, size: Size) -> NodeId {
        self.sizes.push(size);
        self.tree.add(kind, span)
    }

    fn size(&self, id: NodeId) -> Size {
        self.sizes.get(id.0 as usize).copied().unwrap_or(Size { nodes: 1, depth: 0 })
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, at: &engine::Span) {
        let Some(tag) = tag else { return };
        if tag.core_suffix() == Some("str") || (tag.handle().is_empty() && tag.suffix() == "!") {
            return;
        }
        let range =
            at.tag_span().and_then(|span| span.byte_range()).or_else(|| at.byte_range()).unwrap_or(0..0);
        let finding =
            Diagnostic::new(&code::YAML_TAG, format!("the tag `{}` is not understood", tag.original()))
                .at(self.span(range.start, range.end))
                .help("remove it; text that looks like a number is written in quotes");
        self.report(finding);
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: &engine::Span,
        range: std::ops::Range<usize>,
    ) -> Result<(), Stop> {
        self.refuse_tag(tag, at);
        let raw = self.text.get(range.clone()).unwrap_or("");
        // The line break that ends a block is no part of what is underlined.
        let span = self.span(range.start, range.start + raw.trim_end_matches([' ', '\t', '\r', '\n']).len());
        if !raw.is_empty() {
            self.scalars.push((range.start, range.end));
        }
        // An absent value comes as a plain `~` of no length.
        let written = if raw.is_empty() { "" } else { value };
        let text_tag = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
        let (kind, trap) = match style {
            ScalarStyle::Plain if !text_tag => scalar::plain(written),
            _ => (Kind::Text { value: written.into(), style: style_of(style) }, None),
        };
        if self.expects_key() {
            self.key(written, &kind, style, span);
            return Ok(());
        }
        self.count(1, range.start)?;
        let id = self.node(kind, span, Size { nodes: 1, depth: 0 });
        if let Some(Trap { code, message, help }) = trap {
            let finding = Diagnostic::new(code, message).at(span).help(help);
            if self.has_room(&finding) {
                self.traps.push((id, finding));
            }
        }
        self.anchor(anchor, id);
        self.put(id);
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, id: NodeId) {
        if anchor != 0 {
            self.open_anchors.remove(&anchor);
            self.anchors.insert(anchor, id);
        }
    }

    fn alias(&mut self, anchor: usize, start: usize, end: usize) -> Result<(), Stop> {
        let span = self.span(start, end);
        let Some(id) = self.anchors.get(&anchor).copied().filter(|_| !self.open_anchors.contains(&anchor))
        else {
            let finding = Diagnostic::new(&code::ALIAS, "an alias stands inside the value it names")
                .at(span)
                .help("write the value out");
            return Err(Box::new(finding));
        };
        if self.expects_key() {
            let text = self.tree.text(id).map(Box::<str>::from);
            match text {
                Some(text) => self.named_key(&text, span),
                None => self.bad_key(span, "a key must be text"),
            }
            return Ok(());
        }
        let size = self.size(id);
        self.count(size.nodes, start)?;
        if self.stack.len() + size.depth > MAX_DEPTH {
            return Err(self.limit(start, format!("lists and maps stand more than {MAX_DEPTH} deep")));
        }
        self.put(id);
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame::Map(map)) if map.key.is_none())
    }

    fn key(&mut self, written: &str, kind: &Kind, style: ScalarStyle, span: Span) {
        match kind {
            Kind::Null => self.bad_key(span, "a key is empty"),
            Kind::Text { .. } if written == "<<" && style == ScalarStyle::Plain => {
                self.set_key(Key::Merge(span));
            }
            Kind::Number(_) | Kind::Bool(_) => {
                let mut finding =
                    Diagnostic::new(&code::BAD_KEY, format!("the key `{written}` is read as text"))
                        .at(span)
                        .help(format!("write \"{written}\" in quotes"));
                finding.severity = Severity::Warning;
                self.report(finding);
                self.named_key(written, span);
            }
            _ => self.named_key(written, span),
        }
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Frame::Map(map)) = self.stack.last_mut() {
            map.key = Some(key);
        }
    }

    fn bad_key(&mut self, span: Span, message: &str) {
        self.report(
            Diagnostic::new(&code::BAD_KEY, message)
                .at(span)
                .help("write a text before the `:`, in quotes if need be"),
        );
        self.set_key(Key::Bad);
    }

    fn named_key(&mut self, key: &str, span: Span) {
        let Some(Frame::Map(map)) = self.stack.last_mut() else { return };
        let first = match map.seen.entry(key.into()) {
            Slot::Vacant(slot) => {
                slot.insert(span);
                map.key = Some(Key::Named(key.into(), span));
                return;
            }
            Slot::Occupied(first) => *first.get(),
        };
        map.key = Some(Key::Bad);
        self.report(
            Diagnostic::new(&code::DUPLICATE_KEY, format!("the key `{key}` occurs twice in one map"))
                .at(span)
                .related(first, "it is here first")
                .help("keep one of the two"),
        );
    }

    /// Puts a value where it belongs.
    fn put(&mut self, id: NodeId) {
        match self.stack.last_mut() {
            None => self.root = Some(id),
            Some(Frame::List { items, .. }) => items.push(id),
            Some(Frame::Map(map)) => match map.key.take() {
                Some(Key::Named(key, key_span)) => map.entries.push(Entry { key, key_span, value: id }),
                Some(Key::Merge(span)) => map.merges.push((span, id)),
                Some(Key::Bad) | None => {}
            },
        }
    }

    fn close(&mut self, start: usize, end: usize) -> Result<(), Stop> {
        match self.stack.pop() {
            None => Ok(()),
            Some(Frame::List { start: from, anchor, items, flow: _ }) => {
                let size = self.sum(items.iter().copied());
                let last = items.last().map_or(from, |id| self.tree.span(*id).end);
                // A block list ends at its last member, a flow list at its bracket.
                let stop = if end > start { end } else { last.max(from) };
                let span = self.span(from, stop);
                self.settle(Kind::List(items), span, size, anchor)
            }
            Some(Frame::Map(map)) => self.close_map(map, start, end),
        }
    }

    fn close_map(&mut self, mut map: MapFrame, start: usize, end: usize) -> Result<(), Stop> {
        let last =
            map.entries.iter().map(|entry| self.tree.span(entry.value).end.max(entry.key_span.end)).max();
        let stop = if map.flow && end > start { end } else { last.unwrap_or(map.start).max(map.start) };
        let span = self.span(map.start, stop);
        if map.flow && !map.odd_keys.is_empty() && self.text[span.start..].starts_with("{{") {
            return self.template(span, map.anchor);
        }
        for odd in std::mem::take(&mut map.odd_keys) {
            self.report(
                Diagnostic::new(&code::BAD_KEY, "a key must be text")
                    .at(odd)
                    .help("write a text before the `:`"),
            );
        }
        let merged = self.merge(&mut map);
        self.count(merged, map.start)?;
        let size = self.sum(map.entries.iter().map(|entry| entry.value));
        self.settle(Kind::Map(map.entries), span, size, map.anchor)
    }

    /// `{{ … }}` without quotes: reported, and read as the text that was meant.
    fn template(&mut self, span: Span, anchor: usize) -> Result<(), Stop> {
        let text = &self.text[span.start..span.end];
        self.report(words::unquoted_template(span, text));
        let kind = Kind::Text { value: text.into(), style: Style::Plain };
        self.settle(kind, span, Size { nodes: 0, depth: 0 }, anchor)
    }

    /// Takes in the entries of `<<`: a key that the map itself has wins, then the first map that has it.
    /// Gives the number of values that were taken in.
    fn merge(&mut self, map: &mut MapFrame) -> usize {
        let mut merged: usize = 0;
        for (span, id) in std::mem::take(&mut map.merges) {
            let maps = match &self.tree.node(id).kind {
                Kind::Map(_) => vec![id],
                Kind::List(items) => items.clone(),
                _ => Vec::new(),
            };
            let good =
                !maps.is_empty() && maps.iter().all(|id| matches!(self.tree.node(*id).kind, Kind::Map(_)));
            if !good {
                self.findings
                    .push(Diagnostic::new(&code::ALIAS, "`<<` takes in maps, and this is none").at(span).help(
                    "write `<<: *name` where `&name` stands before a map, or \"<<\" for a key of that name",
                ));
                continue;
            }
            for entry in maps.iter().flat_map(|id| self.tree.entries(*id)) {
                if map.seen.insert(entry.key.clone(), entry.key_span).is_none() {
                    map.entries.push(entry.clone());
                    merged = merged.saturating_add(self.size(entry.value).nodes);
                }
            }
        }
        merged
    }

    fn sum(&self, members: impl Iterator<Item = NodeId>) -> Size {
        members.fold(Size { nodes: 1, depth: 1 }, |sum, id| {
            let size = self.size(id);
            Size { nodes: sum.nodes.saturating_add(size.nodes), depth: sum.depth.max(size.depth + 1) }
        })
    }

    /// Makes the node of a list or map that is complete and puts it where it belongs.
    fn settle(&mut self, kind: Kind, span: Span, size: Size, anchor: usize) -> Result<(), Stop> {
        if self.expects_key() {
            let text = match &kind {
                Kind::Text { value, .. } => Some(value.clone()),
                _ => None,
            };
            // The inner map of an unquoted `{{ … }}` stands as a key of the outer one.
            if let Some(Frame::Map(map)) = self.stack.last_mut() {
                match text {
                    Some(text) => map.key = Some(Key::Named(text, span)),
                    None => {
                        map.odd_keys.push(span);
                        map.key = Some(Key::Bad);
                    }
                }
            }
            return Ok(());
        }
        self.count(1, span.start)?;
        if self.stack.len() + size.depth > MAX_DEPTH {
            return Err(self.limit(span.start, format!("lists and maps stand more than {MAX_DEPTH} deep")));
        }
        let id = self.node(kind, span, size);
        self.anchor(anchor, id);
        self.put(id);
        Ok(())
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

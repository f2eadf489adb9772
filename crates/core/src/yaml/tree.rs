//! The tree of a YAML document: every value with the place where it was written.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::place;
use crate::source::{FileId, Span};

/// A node of one [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` and lines below it.
    Literal,
    /// `>` and lines below it.
    Folded,
    /// The text was made by replacing `${…}`; it may hold a secret.
    Variable,
}

/// What a node is.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A JSON number, with the digits that were written.
    Number(Box<str>),
    /// A text.
    Text {
        /// The text after unquoting and folding.
        value: Box<str>,
        /// How it was written.
        style: Style,
    },
    /// A scalar with a `${…}` for which nothing is known; it stands for any value. Holds what was written.
    Hole(Box<str>),
    /// A list.
    List(Vec<NodeId>),
    /// A map, in the order of its keys; no key occurs twice.
    Map(Vec<Entry>),
}

impl fmt::Debug for Kind {
    // Text made of variables may be a secret: it is never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Null => f.write_str("Null"),
            Kind::Bool(value) => write!(f, "Bool({value})"),
            Kind::Number(digits) => write!(f, "Number({digits})"),
            Kind::Text { style: Style::Variable, .. } => f.write_str("Text(from a variable)"),
            Kind::Text { value, style } => write!(f, "Text({value:?}, {style:?})"),
            Kind::Hole(written) => write!(f, "Hole({written:?})"),
            Kind::List(items) => write!(f, "List({items:?})"),
            Kind::Map(entries) => write!(f, "Map({entries:?})"),
        }
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub value: NodeId,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it was written; for an alias, where the anchor is.
    pub span: Span,
}

impl Node {
    /// The text of a text node (of a hole: what was written).
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { value, .. } | Kind::Hole(value) => Some(value),
            _ => None,
        }
    }

    /// What a person would call it: `a number`, `text`, `a list`, …
    pub fn words(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text { .. } => "text",
            Kind::Hole(_) => "a variable",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// A document. Values that were written once and used through aliases are shared.
#[derive(Clone)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// The texts of the files in which the nodes were written.
    pub(super) texts: Vec<(FileId, Arc<str>)>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree of {} nodes", self.nodes.len())
    }
}

impl Tree {
    /// The outermost value.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The node of an id that this tree gave out.
    pub fn node(&self, id: NodeId) -> &Node {
        // Ids are made only by this tree and nodes are never removed.
        &self.nodes[id.0 as usize]
    }

    /// Where a node was written.
    pub fn span(&self, id: NodeId) -> Span {
        self.node(id).span
    }

    /// The text of a node, when it is a text.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        self.node(id).text()
    }

    /// The entries of a map; none for any other node.
    pub fn entries(&self, id: NodeId) -> &[Entry] {
        match &self.node(id).kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The members of a list; none for any other node.
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(id).kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The entry of a key in a map.
    pub fn entry(&self, id: NodeId, key: &str) -> Option<&Entry> {
        self.entries(id).iter().find(|entry| &*entry.key == key)
    }

    /// The value of a key in a map.
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.entry(id, key).map(|entry| entry.value)
    }

    /// The node at a JSON pointer and the place of the key that leads to it.
    pub fn at(&self, pointer: &str) -> Option<(NodeId, Option<Span>)> {
        let mut node = self.root;
        let mut key_span = None;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            match &self.node(node).kind {
                Kind::List(items) => node = *items.get(part.parse::<usize>().ok()?)?,
                _ => {
                    let entry = self.entry(node, &part)?;
                    key_span = Some(entry.key_span);
                    node = entry.value;
                }
            }
        }
        Some((node, key_span))
    }

    /// Where a range of bytes of a text's value was written.
    ///
    /// Exact for what is not white space; the whole scalar when its escapes or its origin leave it unknown.
    pub fn place(&self, id: NodeId, range: Range<usize>) -> Span {
        let node = self.node(id);
        let Kind::Text { value, style } = &node.kind else {
            return node.span;
        };
        let raw = self
            .texts
            .iter()
            .find(|(file, _)| *file == node.span.file)
            .and_then(|(_, text)| text.get(node.span.start..node.span.end));
        match raw.and_then(|raw| place::find(raw, value, *style, &range)) {
            Some(found) => {
                Span::new(node.span.file, node.span.start + found.start, node.span.start + found.end)
            }
            None => node.span,
        }
    }

    /// Every node once, in the order in which they were written.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        // The builder refuses documents of more nodes than a u32 counts.
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// Calls `visit` with every value below `from` (itself included) and its JSON pointer.
    pub fn walk(&self, from: NodeId, visit: &mut dyn FnMut(NodeId, &str)) {
        self.walk_below(from, &mut String::new(), visit);
    }

    fn walk_below(&self, id: NodeId, pointer: &mut String, visit: &mut dyn FnMut(NodeId, &str)) {
        visit(id, pointer);
        let length = pointer.len();
        for (index, item) in self.items(id).iter().enumerate() {
            pointer.push('/');
            pointer.push_str(&index.to_string());
            self.walk_below(*item, pointer, visit);
            pointer.truncate(length);
        }
        for entry in self.entries(id) {
            push_key(pointer, &entry.key);
            self.walk_below(entry.value, pointer, visit);
            pointer.truncate(length);
        }
    }

    /// Adds a node and gives its id.
    pub(crate) fn add(&mut self, kind: Kind, span: Span) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { kind, span });
        id
    }

    /// Replaces what a node is; its place stays.
    pub(crate) fn replace(&mut self, id: NodeId, kind: Kind) {
        self.nodes[id.0 as usize].kind = kind;
    }

    /// Sets the outermost value.
    pub(crate) fn set_root(&mut self, id: NodeId) {
        self.root = id;
    }

    /// Takes in a copy of another tree's nodes and gives the id that its root has here.
    pub(crate) fn absorb(&mut self, other: &Tree) -> NodeId {
        let shift = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let moved = |id: &NodeId| NodeId(id.0.saturating_add(shift));
        self.nodes.extend(other.nodes.iter().map(|node| {
            let kind = match &node.kind {
                Kind::List(items) => Kind::List(items.iter().map(moved).collect()),
                Kind::Map(entries) => Kind::Map(
                    entries
                        .iter()
                        .map(|entry| Entry { value: moved(&entry.value), ..entry.clone() })
                        .collect(),
                ),
                other => other.clone(),
            };
            Node { kind, span: node.span }
        }));
        self.texts.extend(other.texts.iter().cloned());
        moved(&other.root)
    }
}

/// Appends a key to a JSON pointer.
pub fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

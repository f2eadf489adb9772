//! The compiled form: names are slots, filters and tests are entries of their tables, constants are ready.

use std::ops::Range;

use super::names::Key;
use super::tests_table::TestSpec;
use super::tree::BinaryOp;
use crate::filters::{FilterSpec, Ready};
use crate::value::Value;

pub(crate) struct Node {
    /// Bytes of the source string.
    pub(crate) range: Range<usize>,
    pub(crate) kind: NodeKind,
}

pub(crate) enum NodeKind {
    Const(Value),
    /// A root or local and known steps into it: the hot path, walked without recursion.
    Path(Base, Box<[Key]>),
    /// A known step into a computed value.
    Get(Box<Node>, Key),
    /// A computed step.
    Index(Box<(Node, Node)>),
    Slice(Box<Slice>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(BinaryOp, Box<(Node, Node)>),
    Chain(Box<Node>, Vec<(BinaryOp, Node)>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    Choose(Box<Choose>),
    Filter(Box<FilterNode>),
    Test(Box<TestNode>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop(LoopField, LoopSlots),
    /// The text that a filter block works on.
    BlockText(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    Root(usize),
    Local(usize),
}

pub(crate) struct Slice {
    pub(crate) of: Node,
    pub(crate) start: Option<Node>,
    pub(crate) stop: Option<Node>,
    pub(crate) step: Option<Node>,
}

pub(crate) struct Choose {
    pub(crate) test: Node,
    pub(crate) then: Node,
    pub(crate) otherwise: Option<Node>,
}

pub(crate) struct FilterNode {
    pub(crate) input: Node,
    pub(crate) call: FilterCall,
    pub(crate) name_range: Range<usize>,
}

pub(crate) struct FilterCall {
    pub(crate) spec: &'static FilterSpec,
    pub(crate) arguments: Arguments,
    pub(crate) inner: Option<Box<InnerCall>>,
}

pub(crate) struct TestNode {
    pub(crate) input: Node,
    pub(crate) call: TestCall,
    pub(crate) name_range: Range<usize>,
}

pub(crate) struct TestCall {
    pub(crate) spec: &'static TestSpec,
    pub(crate) arguments: Arguments,
}

/// What `map`, `select` and their like apply to each item.
pub(crate) enum InnerCall {
    Filter(FilterCall),
    Test(TestCall),
}

/// One per parameter.
pub(crate) type Arguments = Vec<Option<ArgNode>>;

pub(crate) struct ArgNode {
    pub(crate) node: Node,
    /// The compiled form of a constant: pattern, path, zone, ….
    pub(crate) ready: Option<Ready>,
}

#[derive(Clone, Copy)]
pub(crate) enum LoopField {
    Index,
    Index0,
    Revindex,
    Revindex0,
    First,
    Last,
    Length,
}

impl LoopField {
    pub(crate) const NAMES: &'static [(&'static str, LoopField)] = &[
        ("index", LoopField::Index),
        ("index0", LoopField::Index0),
        ("revindex", LoopField::Revindex),
        ("revindex0", LoopField::Revindex0),
        ("first", LoopField::First),
        ("last", LoopField::Last),
        ("length", LoopField::Length),
    ];
}

/// Where a loop keeps its position and its length.
#[derive(Clone, Copy)]
pub(crate) struct LoopSlots {
    pub(crate) index0: usize,
    pub(crate) length: usize,
}

/// One part of a compiled template.
pub(crate) enum Part {
    Text(Box<str>),
    Emit(Node),
    If {
        test: Node,
        then: Vec<Part>,
        otherwise: Vec<Part>,
    },
    For(Box<ForPart>),
    Set(usize, Node),
    SetText {
        slot: usize,
        text: usize,
        body: Vec<Part>,
        filters: Option<Node>,
    },
    /// Values into fresh slots, then the body.
    With {
        values: Vec<(usize, Node)>,
        entry: ScopeEntry,
        body: Vec<Part>,
    },
    Filtered {
        text: usize,
        body: Vec<Part>,
        filters: Node,
    },
}

pub(crate) struct ForPart {
    pub(crate) source: Node,
    pub(crate) targets: Vec<usize>,
    pub(crate) unpack: bool,
    pub(crate) keep: Option<Node>,
    pub(crate) slots: LoopSlots,
    pub(crate) entry: ScopeEntry,
    pub(crate) body: Vec<Part>,
    pub(crate) otherwise: Vec<Part>,
}

/// What the names set inside a scope hold when it is entered: what the name meant outside, or nothing.
#[derive(Default)]
pub(crate) struct ScopeEntry(pub(crate) Vec<(usize, Option<Base>)>);

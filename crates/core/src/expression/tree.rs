//! The parsed form: what was written, with byte ranges, before any name is looked up.

use std::ops::Range;

use crate::value::Decimal;

pub(crate) struct Tree {
    /// Bytes of the source string.
    pub(crate) range: Range<usize>,
    pub(crate) kind: TreeKind,
}

pub(crate) enum TreeKind {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    Name(String),
    Member(Box<Tree>, String),
    Index(Box<Tree>, Box<Tree>),
    Slice {
        of: Box<Tree>,
        start: Option<Box<Tree>>,
        stop: Option<Box<Tree>>,
        step: Option<Box<Tree>>,
    },
    Not(Box<Tree>),
    Negate(Box<Tree>),
    Binary(BinaryOp, Box<Tree>, Box<Tree>),
    /// `a < b < c`.
    Chain(Box<Tree>, Vec<(BinaryOp, Tree)>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Choose {
        test: Box<Tree>,
        then: Box<Tree>,
        otherwise: Option<Box<Tree>>,
    },
    /// The innermost filter of a filter block has no input.
    Filter {
        name: String,
        name_range: Range<usize>,
        input: Option<Box<Tree>>,
        arguments: Vec<Argument>,
    },
    Test {
        name: String,
        name_range: Range<usize>,
        input: Box<Tree>,
        arguments: Vec<Argument>,
    },
    List(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
}

pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Tree,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    /// `~`.
    Join,
}

impl BinaryOp {
    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::NotIn => "not in",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::FloorDiv => "//",
            BinaryOp::Rem => "%",
            BinaryOp::Pow => "**",
            BinaryOp::Join => "~",
        }
    }

    /// Operators that see what is missing as null instead of failing.
    pub(crate) fn sees_missing(self) -> bool {
        matches!(self, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::In | BinaryOp::NotIn)
    }

    pub(crate) fn is_comparison(self) -> bool {
        self.sees_missing() || matches!(self, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
    }
}

/// One part of a template.
pub(crate) enum Piece {
    Text(String),
    Emit(Tree),
    If(Branch),
    For(Loop),
    Set { target: String, value: Tree },
    SetText { target: String, filters: Option<Tree>, body: Vec<Piece> },
    With { assignments: Vec<(String, Tree)>, body: Vec<Piece> },
    Filtered { filters: Tree, body: Vec<Piece> },
}

pub(crate) struct Branch {
    pub(crate) test: Tree,
    pub(crate) then: Vec<Piece>,
    pub(crate) otherwise: Vec<Piece>,
}

pub(crate) struct Loop {
    pub(crate) targets: Vec<String>,
    /// More than one name, or one in a tuple: items are taken apart.
    pub(crate) unpack: bool,
    pub(crate) source: Tree,
    pub(crate) keep: Option<Tree>,
    pub(crate) body: Vec<Piece>,
    pub(crate) otherwise: Vec<Piece>,
}

//! What cannot be right whatever the record, and what is probably wrong.

use std::ops::Range;

use super::infer;
use super::ir::{Base, FilterCall, Node, NodeKind, TestCall};
use super::members::Kinds;
use super::ops;
use super::problem::Problem;
use super::resolve::Resolver;
use super::tree::{BinaryOp, Tree, TreeKind};
use super::types::{Gap, Shape, Type};
use crate::diagnostic::{code, did_you_mean};
use crate::filters::{self, FilterSpec};
use crate::value::{Kind, Value};

impl Resolver<'_> {
    /// Doubts a value that may be missing where that is an error.
    pub(crate) fn need(&mut self, node: &Node, of: &Type) {
        if let Some(gap) = &of.gap {
            let doubt = missing(self.label(&node.range), gap, node.range.clone(), &self.cure(node, of));
            self.doubt(doubt);
        }
    }

    /// What to do about a value that may be missing.
    pub(crate) fn cure(&self, node: &Node, of: &Type) -> Cure {
        let root = root(node).map(|base| match base {
            Base::Root(root) => self.names().name(root),
            Base::Local(_) => None,
        });
        Cure::of(self.label(&node.range), of, root)
    }

    /// Doubts a value that may be of a kind that is an error here.
    fn doubt_kind(&mut self, node: &Node, of: &Type, takes: &str, fits: impl Fn(Kind) -> bool) {
        // Of one kind, it fits or has its finding.
        if of.kind().is_some() {
            return;
        }
        let kinds: Vec<&str> = of.kinds().iter().filter(|kind| !fits(*kind)).map(Kind::words).collect();
        if kinds.is_empty() {
            return;
        }
        let message = format!("this may be {}, and {takes}", kinds.join(" or "));
        let help = "let both be of one kind: of a number's `default` write `default(0)`";
        self.doubt(Problem::new(&code::KIND_MAY_DIFFER, message, node.range.clone()).help(help));
    }

    fn doubt(&mut self, doubt: Problem) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    /// Doubts a word that a field is compared with and that it never is.
    fn check_words(&mut self, of: &Type, constant: &Node) {
        let (Some(words), NodeKind::Const(Value::Text(word))) = (&of.text.words, &constant.kind) else {
            return;
        };
        if words.contains(word) {
            return;
        }
        let help = match did_you_mean(word, words.iter().map(|word| &**word)) {
            Some(likely) => format!("did you mean `{likely}`?"),
            None => format!("it is {}", listed(words.iter().map(|word| &**word))),
        };
        let message = format!("nothing here is ever `{word}`");
        self.doubt(Problem::new(&code::UNLIKELY_WORD, message, constant.range.clone()).help(help));
    }

    /// Doubts what a filter can make nothing of: a text of another sort than it reads, a list with items that may be
    /// missing.
    pub(super) fn doubt_input(&mut self, call: &FilterCall, input: &Node, of: &Type) {
        let name = call.spec.name;
        let label = self.label(&input.range).trim();
        let what = if is_simple(label) { format!("`{label}`") } else { "this".to_owned() };
        if let Some(like) = &of.like
            && let Some(made) = infer::made(call, of)
            && made.iter().all(Option::is_none)
        {
            let shown = like.first().and_then(|value| value.to_text().ok()).unwrap_or_default();
            let message = format!("`{name}` cannot make anything of {what}, which is like `{shown}`");
            let help = format!("`zaprun filters {name}` shows what it takes");
            self.doubt(Problem::new(&code::KIND_MAY_DIFFER, message, input.range.clone()).help(help));
        }
        let each = name == "join" || name == "sum" || (call.spec.over_lists && !call.spec.sees_missing);
        if let Shape::List(item) = &of.shape
            && each
            && item.gap.is_some()
            && call.arguments.get(1).and_then(Option::as_ref).is_none()
        {
            let message = format!("an item of {what} may be missing, and the run is given up then");
            let help =
                "take those that are there, `| select('defined')`, or write `| default('')` at the item";
            self.doubt(Problem::new(&code::MAY_BE_MISSING, message, input.range.clone()).help(help));
        }
    }

    /// Reports operands whose kinds are known and can never go together.
    pub(super) fn check_operands(
        &mut self,
        range: &Range<usize>,
        op: BinaryOp,
        (left_node, left_type): (&Node, &Type),
        (right_node, right_type): (&Node, &Type),
    ) {
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        if equality {
            self.check_words(left_type, right_node);
            self.check_words(right_type, left_node);
        } else {
            if !matches!(op, BinaryOp::In | BinaryOp::NotIn) {
                self.need(left_node, left_type);
            }
            self.need(right_node, right_type);
        }
        self.doubt_operands(op, (left_node, left_type), (right_node, right_type));
        let (left, right) = (left_type.kind(), right_type.kind());
        let at = Tree { range: range.clone(), kind: TreeKind::Null };
        match op {
            BinaryOp::Join => {
                if let Some(kind) = [left, right].into_iter().flatten().find(|kind| kind.is_container()) {
                    let problem =
                        Problem::new(&code::KIND_MISMATCH, format!("{kind} has no text form"), range.clone());
                    self.report(problem.help("write it with `| tojson`, or join a list with `| join(', ')`"));
                }
            }
            BinaryOp::In | BinaryOp::NotIn => {
                if let Some(kind) = right.filter(|kind| !kind.is_container() && *kind != Kind::Text) {
                    let message = format!("`in` looks into a list, text or an object, not {kind}");
                    self.report(Problem::new(&code::KIND_MISMATCH, message, range.clone()));
                }
            }
            _ if op.is_comparison() => {
                if let (Some(left), Some(right)) = (left, right)
                    && left != right
                {
                    let message = format!("{left} cannot be compared with {right}");
                    let problem = Problem::new(&code::KIND_MISMATCH, message, range.clone());
                    self.report(problem.maybe_help(ops::mismatch_help(left, right).map(str::to_owned)));
                }
            }
            BinaryOp::Add if left == Some(Kind::List) && right == Some(Kind::List) => {}
            BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Rem if is_zero(right_node) => {
                let message = format!("`{}`: division by zero", self.label(range));
                let problem = Problem::new(&code::BAD_ARGUMENT, message, right_node.range.clone());
                self.report(problem.help("divide by what is never zero"));
            }
            _ => {
                if [left, right].into_iter().flatten().any(|kind| kind != Kind::Number) {
                    let (left, right) = (left.unwrap_or(Kind::Number), right.unwrap_or(Kind::Number));
                    self.report_arithmetic(&at, op, left, right);
                }
            }
        }
    }

    /// Doubts operands that may be of kinds that do not go together.
    fn doubt_operands(
        &mut self,
        op: BinaryOp,
        (left_node, left): (&Node, &Type),
        (right_node, right): (&Node, &Type),
    ) {
        if matches!(op, BinaryOp::In | BinaryOp::NotIn | BinaryOp::Join) {
            return;
        }
        if op.is_comparison() {
            let (ours, theirs) = (left.kinds(), right.kinds());
            let among = |kinds: Kinds| {
                move |kind: Kind| kinds.iter().next().is_none() || kinds.iter().any(|of| of == kind)
            };
            self.doubt_kind(left_node, left, "what it is compared with is not", among(theirs));
            self.doubt_kind(right_node, right, "what it is compared with is not", among(ours));
            return;
        }
        let takes = format!("`{}` computes with numbers", op.symbol());
        for (node, of) in [(left_node, left), (right_node, right)] {
            self.doubt_kind(node, of, &takes, |kind| {
                kind == Kind::Number || (op == BinaryOp::Add && kind == Kind::List)
            });
        }
    }

    /// Reports items of a list that is written out which the left side can never equal.
    pub(super) fn check_items(&mut self, left: &Type, list: &Node) {
        let NodeKind::List(items) = &list.kind else { return };
        for item in items {
            self.check_compared(left, item);
        }
    }

    /// Reports a constant that is compared with a value of another kind.
    fn check_compared(&mut self, left: &Type, constant: &Node) {
        let NodeKind::Const(value) = &constant.kind else { return };
        self.check_words(left, constant);
        let Some(left) = left.kind().filter(|left| !value.is_missing() && *left != value.kind()) else {
            return;
        };
        let message = format!("{left} cannot be compared with {}", value.kind());
        let help = match (left, value) {
            (Kind::Text, Value::Number(_)) => {
                Some(format!("write it in quotes: '{}'", self.label(&constant.range)))
            }
            _ => ops::mismatch_help(left, value.kind()).map(str::to_owned),
        };
        self.report(Problem::new(&code::KIND_MISMATCH, message, constant.range.clone()).maybe_help(help));
    }

    /// The tests that compare are as strict as the operators.
    pub(super) fn check_test(&mut self, call: &TestCall, left: &Type) {
        let Some(Some(other)) = call.arguments.first() else { return };
        match call.spec.name {
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" => self.check_compared(left, &other.node),
            "in" => self.check_items(left, &other.node),
            _ => {}
        }
    }

    pub(super) fn report_arithmetic(&mut self, tree: &Tree, op: BinaryOp, left: Kind, right: Kind) {
        let wrong = if left == Kind::Number { right } else { left };
        let message = format!("`{}` computes with numbers, not {wrong}", op.symbol());
        let problem = Problem::new(&code::KIND_MISMATCH, message, tree.range.clone());
        self.report(problem.maybe_help(ops::arithmetic_help(op, left, right).map(str::to_owned)));
    }

    pub(super) fn check_input(
        &mut self,
        spec: &FilterSpec,
        input: &Node,
        of: &Type,
        name_range: &Range<usize>,
    ) {
        if !spec.input.is_empty() && !spec.sees_missing {
            let takes = format!("`{}` takes {}", spec.name, filters::one_of(spec.input));
            let fits = |kind| spec.input.contains(&kind) || (spec.over_lists && kind == Kind::List);
            self.doubt_kind(input, of, &takes, fits);
        }
        let Some(kind) = of.kind() else { return };
        let mapped = spec.over_lists && kind == Kind::List;
        if mapped || spec.input.is_empty() || spec.sees_missing || spec.input.contains(&kind) {
            return;
        }
        let label = self.label(&input.range);
        let message =
            format!("`{}` takes {}, but `{label}` is {kind}", spec.name, filters::one_of(spec.input));
        let help = match (spec.input.first(), kind) {
            (Some(Kind::Number), Kind::Text) => Some("convert it first: `| number`".to_owned()),
            (Some(Kind::Text), Kind::Number | Kind::Bool) => Some("convert it first: `| string`".to_owned()),
            _ => None,
        };
        self.report(Problem::new(&code::KIND_MISMATCH, message, name_range.clone()).maybe_help(help));
    }
}

fn is_zero(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Const(Value::Number(number)) if number.is_zero())
}

/// Where a value is read from, and nothing for one that is computed of several.
fn root(node: &Node) -> Option<Base> {
    match &node.kind {
        NodeKind::Path(base, _) => Some(*base),
        NodeKind::Get(of, _) => root(of),
        NodeKind::Index(pair) => root(&pair.0),
        NodeKind::Filter(filter) => root(&filter.input),
        _ => None,
    }
}

/// What to do about a value that may be missing.
#[derive(Debug, Clone)]
pub(crate) struct Cure {
    /// What of its kind stands for nothing.
    fallback: &'static str,
    /// The key, or tag, that lets only those pass that have it; where one can see the value.
    pub(crate) pass: Option<String>,
}

impl Cure {
    /// `root`: the name that the value is read from, nothing for one that the template itself has set; no root at all for
    /// a value that is computed.
    pub(crate) fn of(label: &str, of: &Type, root: Option<Option<&str>>) -> Self {
        let kinds: Vec<Kind> = of.kinds().iter().collect();
        let fallback = match kinds.as_slice() {
            [Kind::Number] => "0",
            [Kind::Bool] => "false",
            [Kind::List] => "[]",
            [Kind::Object] => "{}",
            [] | [Kind::Text] => "''",
            _ => "…",
        };
        let label = if is_simple(label) { label.trim() } else { "…" };
        let asked = format!("\"{{{{ {label} is defined }}}}\"");
        let pass = match (&of.gap, root) {
            (Some(Gap::Step(step)), _) => {
                Some(format!("`when: \"{{{{ steps.{step}.outcome == 'done' }}}}\"`"))
            }
            (_, None) => None,
            (_, Some(None)) => Some(format!("`{{% if {label} is defined %}}`")),
            (_, Some(Some("record" | "record_raw" | "event" | "run" | "vars" | "connection"))) => {
                Some(format!("`filter: {asked}`"))
            }
            (_, Some(Some("let" | "steps" | "step" | "failure"))) => Some(format!("`when: {asked}`")),
            (_, Some(Some(_))) => Some(format!("`$if: {asked}`")),
        };
        Cure { fallback, pass }
    }
}

fn is_simple(label: &str) -> bool {
    label.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._[]'-".contains(&byte))
}

/// A value that may be missing where that is an error.
pub(crate) fn missing(label: &str, gap: &Gap, range: Range<usize>, cure: &Cure) -> Problem {
    let label = label.trim();
    let (what, named) =
        if is_simple(label) { (format!("`{label}`"), label) } else { ("this".to_owned(), "…") };
    let why = match gap {
        Gap::Null => "is null in some rows".to_owned(),
        Gap::Optional => "need not be there".to_owned(),
        Gap::OptionalOrNull => "need not be there, and may be null".to_owned(),
        Gap::NotFound => "may find nothing".to_owned(),
        Gap::Step(step) => format!("is missing when step `{step}` was skipped or failed"),
    };
    let pass = match &cure.pass {
        Some(pass) => format!(", or let only those pass that have it: {pass}"),
        None => String::new(),
    };
    Problem::new(&code::MAY_BE_MISSING, format!("{what} {why}, and the run is given up then"), range)
        .help(format!("write `{named} | default({})`{pass}", cure.fallback))
}

/// A few words in a row.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let words: Vec<&str> = words.collect();
    let shown: Vec<String> = words.iter().take(SHOWN).map(|word| format!("`{word}`")).collect();
    let more = if words.len() > SHOWN { ", …" } else { "" };
    match shown.as_slice() {
        [only] => only.clone(),
        shown => format!("one of {}{more}", shown.join(", ")),
    }
}

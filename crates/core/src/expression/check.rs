//! What cannot be right whatever the record, and what is probably wrong.

use std::ops::Range;

use super::ir::{Node, NodeKind, TestCall};
use super::ops;
use super::problem::Problem;
use super::resolve::Resolver;
use super::tree::{BinaryOp, Tree, TreeKind};
use super::types::{Gap, Type};
use crate::diagnostic::{code, did_you_mean};
use crate::filters::{self, FilterSpec};
use crate::value::{Kind, Value};

impl Resolver<'_> {
    /// Doubts a value that may be missing where that is an error.
    pub(crate) fn need(&mut self, node: &Node, of: &Type) {
        if let Some(gap) = &of.gap {
            let doubt = missing(self.label(&node.range), gap, node.range.clone());
            self.doubt(doubt);
        }
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
            _ => {
                if [left, right].into_iter().flatten().any(|kind| kind != Kind::Number) {
                    let (left, right) = (left.unwrap_or(Kind::Number), right.unwrap_or(Kind::Number));
                    self.report_arithmetic(&at, op, left, right);
                }
            }
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

/// A value that may be missing where that is an error.
pub(crate) fn missing(label: &str, gap: &Gap, range: Range<usize>) -> Problem {
    let label = label.trim();
    let simple = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._[]'".contains(&byte));
    let (what, named) = if simple { (format!("`{label}`"), label) } else { ("this".to_owned(), "…") };
    let (why, help) = match gap {
        Gap::Null => ("is null in some rows".to_owned(), None),
        Gap::Optional => ("need not be there".to_owned(), None),
        Gap::OptionalOrNull => ("need not be there, and may be null".to_owned(), None),
        Gap::NotFound => ("may find nothing".to_owned(), None),
        Gap::Step(step) => {
            let ask = format!("`when: \"{{{{ steps.{step}.outcome == 'done' }}}}\"`");
            (format!("is missing when step `{step}` was skipped or failed"), Some(ask))
        }
    };
    let pass = help.unwrap_or_else(|| format!("`filter: \"{{{{ {named} is defined }}}}\"`"));
    Problem::new(&code::MAY_BE_MISSING, format!("{what} {why}, and the run is given up then"), range)
        .help(format!("write `{named} | default('')`, or let only those pass that have it: {pass}"))
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

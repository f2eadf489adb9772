//! Expressions: parsed by minijinja, compiled and evaluated by us.
//!
//! [`Expression::compile`] checks a source string against the [`Names`] in scope and reports every [`Problem`] with
//! its byte range; [`Expression::eval`] computes a [`Value`] from a [`Frame`] or says why there is none. Operators
//! are exact and strict: decimals instead of floats, no comparison of text with numbers, no answer from what is
//! missing. What a compiled expression reads is known ([`Expression::reads`]), so that only that is decoded.
//!
//! [`Text`] is a mapping value as a person writes it: a literal, an expression, a template or a JSONPath.

pub(crate) mod budget;
mod calls;
pub(crate) mod check;
mod eval;
mod infer;
pub(crate) mod ir;
pub(crate) mod known;
mod members;
mod names;
pub(crate) mod narrow;
pub(crate) mod ops;
pub(crate) mod problem;
pub(crate) mod resolve;
pub(crate) mod syntax;
mod syntax_words;
#[cfg(test)]
pub(crate) mod testing;
pub mod tests_table;
mod text;
pub(crate) mod tree;
mod trial;
mod types;

use std::sync::Arc;

pub use budget::{FUEL, MAX_TEXT};
pub(crate) use eval::{Evaluator, walk};
pub use members::{Kinds, Members};
pub(crate) use names::TABLES;
pub use names::{Access, Frame, Key, Names, Settings, members_read};
pub use problem::{EvalError, Problem};
pub use text::{PathQuery, Text};
pub(crate) use types::NoMember;
pub use types::{Carried, Gap, Shape, TextBounds, Type};

use crate::diagnostic::code;
use crate::value::{Kind, Value};
use check::Cure;
pub(crate) use ir::Base;
use ir::Node;
pub(crate) use narrow::{Fact, Facts, Place};
use resolve::Resolver;
use tree::{Piece, Tree};

/// A compiled expression.
pub struct Expression {
    source: Arc<str>,
    /// What a byte of `source` is in the text that was given: the braces may be ours.
    origin: Origin,
    node: Node,
    /// Boxed, like the others of its kind: it is looked at once, and the expression often.
    of: Box<Type>,
    reads: Vec<Access>,
    /// What its being true or false says of what it asks about.
    facts: Box<Facts>,
    /// What to do about its result's being missing.
    cure: Box<Cure>,
    doubts: Vec<Problem>,
}

/// How a parsed text lies in the given one: `added` bytes of ours stand before it, or `dropped` bytes of it are gone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Origin {
    added: usize,
    dropped: usize,
    len: usize,
}

impl Origin {
    fn of(self, range: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        let map = |at: usize| (at + self.dropped).saturating_sub(self.added).min(self.len);
        map(range.start)..map(range.end)
    }

    fn problem(self, mut problem: Problem) -> Problem {
        problem.range = self.of(&problem.range);
        problem
    }
}

impl Expression {
    /// Compiles an expression, with or without its braces.
    ///
    /// # Errors
    /// Every problem found, with its byte range in `source`.
    pub fn compile(source: &str, names: &Names) -> Result<Self, Vec<Problem>> {
        let trimmed = source.trim();
        if trimmed.starts_with("{{") {
            return Self::braced(source, names)?.ok_or_else(|| {
                let message = "more than one expression, or text beside it";
                vec![
                    Problem::new(&code::TEMPLATE_SYNTAX, message, 0..source.len())
                        .help("write one `{{ … }}`"),
                ]
            });
        }
        let origin = Origin { added: 3, dropped: 0, len: source.len() };
        Self::parse(&format!("{{{{ {source} }}}}"), origin, names)?
            .ok_or_else(|| vec![Problem::new(&code::TEMPLATE_SYNTAX, "not one expression", 0..source.len())])
    }

    /// Compiles a text that is, white space trimmed, exactly one `{{ expression }}`; `None` for any other.
    ///
    /// # Errors
    /// Every problem found.
    pub fn braced(source: &str, names: &Names) -> Result<Option<Self>, Vec<Problem>> {
        let trimmed = source.trim();
        if !(trimmed.starts_with("{{") && trimmed.ends_with("}}")) {
            return Ok(None);
        }
        let dropped = source.len() - source.trim_start().len();
        Self::parse(trimmed, Origin { added: 0, dropped, len: source.len() }, names)
    }

    fn parse(source: &str, origin: Origin, names: &Names) -> Result<Option<Self>, Vec<Problem>> {
        let all = |problems: Vec<Problem>| {
            problems.into_iter().map(|problem| origin.problem(problem)).collect::<Vec<_>>()
        };
        let pieces = syntax::parse_template(source).map_err(all)?;
        let [Piece::Emit(tree)] = pieces.as_slice() else { return Ok(None) };
        Self::resolve(source, origin, tree, names).map(Some).map_err(all)
    }

    fn resolve(source: &str, origin: Origin, tree: &Tree, names: &Names) -> Result<Self, Vec<Problem>> {
        let mut resolver = Resolver::new(source, names);
        let (node, of) = resolver.expr(tree);
        // What is no condition tells nothing.
        let facts = match of.kind() {
            None | Some(Kind::Bool) => resolver.facts(&node),
            Some(_) => Facts::default(),
        };
        if !resolver.problems.is_empty() {
            return Err(resolver.problems);
        }
        let cure = resolver.cure(&node, &of);
        let doubts = resolver.doubts.into_iter().map(|doubt| origin.problem(doubt)).collect();
        Ok(Expression {
            source: Arc::from(source),
            origin,
            node,
            of: Box::new(of),
            reads: resolver.reads,
            facts: Box::new(facts),
            cure: Box::new(cure),
            doubts,
        })
    }

    /// The value.
    ///
    /// # Errors
    /// When there is none: the result is null or absent, kinds do not go together, a limit is reached, ….
    pub fn eval(&self, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let evaluator = Evaluator::new(&self.source, *frame);
        let value = evaluator.present(&self.node, &[]);
        value.map(std::borrow::Cow::into_owned).map_err(|error| self.located(error))
    }

    /// The value, null and absent included.
    ///
    /// # Errors
    /// As [`Self::eval`], but not for what is missing.
    pub fn eval_nullable(&self, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let evaluator = Evaluator::new(&self.source, *frame);
        let value = evaluator.eval(&self.node, &[]);
        value.map(std::borrow::Cow::into_owned).map_err(|error| self.located(error))
    }

    fn located(&self, error: EvalError) -> EvalError {
        let range = self.origin.of(&error.range());
        error.moved(range)
    }

    /// The kind of the result, when it is known whatever the record.
    pub fn kind(&self) -> Option<Kind> {
        self.of.kind()
    }

    /// What is known of the result.
    pub fn of(&self) -> &Type {
        &self.of
    }

    /// What is probably wrong with it.
    pub fn doubts(&self) -> &[Problem] {
        &self.doubts
    }

    /// The doubt that its result is missing, where that is an error.
    pub fn missing(&self) -> Option<Problem> {
        let label = self.source.get(self.node.range.clone()).unwrap_or("");
        let range = self.origin.of(&self.node.range);
        self.of.gap.as_ref().map(|gap| check::missing(label, gap, range, &self.cure))
    }

    /// The key that lets only those pass where its result is there, if one can.
    pub(crate) fn pass(&self) -> Option<&str> {
        self.cure.pass.as_deref()
    }

    /// What its being true or false says of what it asks about.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The expression as it is written, without its braces and with one space for several.
    fn words(&self) -> String {
        let inner = self.source.trim().trim_start_matches("{{").trim_end_matches("}}");
        inner.trim_matches('-').split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What it reads.
    pub fn reads(&self) -> &[Access] {
        &self.reads
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// An expression that decides something: written with braces, true or false.
#[derive(Debug)]
pub struct Condition(Expression);

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// Every problem found: no braces, more than one expression, a result that is known to be no truth value.
    pub fn compile(source: &str, names: &Names) -> Result<Self, Vec<Problem>> {
        let whole = 0..source.len();
        if !syntax::has_tags(source) {
            let problem = Problem::new(&code::CONDITION_FORM, "a condition is written with braces", whole);
            return Err(vec![problem.help(format!("write `{{{{ {} }}}}`", source.trim()))]);
        }
        let Some(expression) = Expression::braced(source, names)? else {
            let problem = Problem::new(&code::CONDITION_FORM, "a condition is exactly one expression", whole);
            return Err(vec![problem.help("write one `{{ … }}` with `and`, `or` and `not` inside")]);
        };
        if let Some(kind) = expression.kind().filter(|kind| *kind != Kind::Bool) {
            let message = format!("a condition is true or false, but this is {kind}");
            let problem = Problem::new(&code::CONDITION_FORM, message, whole);
            return Err(vec![problem.help("compare it with something, or ask `is defined`")]);
        }
        Ok(Condition(expression))
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// When the evaluation fails, or its result is missing or neither true nor false.
    pub fn eval(&self, frame: &Frame<'_>) -> Result<bool, EvalError> {
        let value = self.0.eval(frame)?;
        value.as_bool().ok_or_else(|| {
            let range = self.0.origin.of(&self.0.node.range);
            EvalError::new(format!("a condition is true or false, but this is {}", value.kind()), range)
                .help("compare it with something, or ask `is defined`")
        })
    }

    /// What it reads.
    pub fn reads(&self) -> &[Access] {
        self.0.reads()
    }

    /// What is probably wrong with it; that its result is missing, too.
    pub fn doubts(&self) -> Vec<Problem> {
        self.0.doubts().iter().cloned().chain(self.0.missing()).collect()
    }

    /// What is so where it holds.
    pub(crate) fn given(&self) -> &[Fact] {
        &self.0.facts().holding
    }

    /// What is so where it does not hold.
    pub(crate) fn given_not(&self) -> &[Fact] {
        &self.0.facts().failing
    }

    /// It as it is written, so that two can be told to be the same.
    pub(crate) fn words(&self) -> String {
        self.0.words()
    }
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "trap_tests.rs"]
mod traps;

#[cfg(test)]
#[path = "type_tests.rs"]
mod type_tests;

#[cfg(test)]
#[path = "type_laws.rs"]
mod type_laws;

#[cfg(test)]
#[path = "carry_laws.rs"]
mod carry_laws;

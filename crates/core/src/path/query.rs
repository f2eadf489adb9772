//! Running a query over values: RFC 9535, section by section, with every visited node paid for.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use crate::expression::budget::Budget;
use crate::expression::problem::Fault;
use crate::expression::{Key, ops};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct Query {
    /// From `$` rather than `@`.
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

#[derive(Debug)]
pub(super) enum Segment {
    Child(Vec<Selector>),
    Descend(Vec<Selector>),
}

#[derive(Debug)]
pub(super) enum Selector {
    Name(Arc<str>),
    Any,
    At(i64),
    Slice(Option<i64>, Option<i64>, i64),
    Filter(Filter),
}

#[derive(Debug)]
pub(super) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Query),
    Compare(Comparison, Operand, Operand),
    Matches { subject: Operand, pattern: Pattern, whole: bool },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Something with at most one value.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value),
    Query(Query),
    Length(Box<Operand>),
    Count(Query),
    /// The value of a query that finds exactly one node.
    Single(Query),
}

#[derive(Debug)]
pub(super) enum Pattern {
    Ready(Regex),
    /// No regular expression: nothing matches.
    Never,
    Computed(Operand),
}

/// Steps that compiling a pattern from the data costs.
const PATTERN_STEPS: usize = 500;

type Nodes<'v> = Vec<&'v Value>;

impl Query {
    /// Appends the nodes that the query selects.
    pub(super) fn run<'v>(
        &self,
        root: &'v Value,
        current: &'v Value,
        budget: &Budget,
        found: &mut Nodes<'v>,
    ) -> Result<(), Fault> {
        let mut nodes = vec![if self.from_root { root } else { current }];
        nodes.retain(|node| !matches!(node, Value::Absent(_)));
        for segment in &self.segments {
            let mut next = Vec::new();
            for node in nodes {
                match segment {
                    Segment::Child(selectors) => select(selectors, node, root, budget, &mut next)?,
                    Segment::Descend(selectors) => descend(selectors, node, root, budget, &mut next)?,
                }
            }
            nodes = next;
        }
        found.append(&mut nodes);
        Ok(())
    }

    fn nodes<'v>(&self, root: &'v Value, current: &'v Value, budget: &Budget) -> Result<Nodes<'v>, Fault> {
        let mut found = Vec::new();
        self.run(root, current, budget, &mut found)?;
        Ok(found)
    }

    /// What filters inside the query read from the root.
    pub(super) fn absolute_reads(&self, reads: &mut Vec<Vec<Key>>) {
        for segment in &self.segments {
            let (Segment::Child(selectors) | Segment::Descend(selectors)) = segment;
            for selector in selectors {
                if let Selector::Filter(filter) = selector {
                    filter.absolute_reads(reads);
                }
            }
        }
    }

    fn read_too(&self, reads: &mut Vec<Vec<Key>>) {
        if self.from_root {
            reads.push(self.segments.iter().map_while(super::plain_step).collect());
        }
        self.absolute_reads(reads);
    }
}

fn select<'v>(
    selectors: &[Selector],
    node: &'v Value,
    root: &'v Value,
    budget: &Budget,
    found: &mut Nodes<'v>,
) -> Result<(), Fault> {
    for selector in selectors {
        budget.spend(1)?;
        match selector {
            Selector::Name(name) => found.extend(node.as_object().and_then(|object| object.get(name))),
            Selector::At(at) => {
                let item = crate::expression::walk(node, &[Key::At(*at)]);
                found.extend(item.ok().filter(|item| !matches!(item, Value::Absent(_))));
            }
            Selector::Any => {
                budget.spend(children(node).len())?;
                found.extend(children(node));
            }
            Selector::Slice(start, stop, step) => {
                let Some(items) = node.as_list() else { continue };
                budget.spend(items.len())?;
                if *step != 0 {
                    let positions = ops::positions(items.len(), *start, *stop, *step);
                    found.extend(positions.filter_map(|at| items.get(at)));
                }
            }
            Selector::Filter(filter) => {
                for child in children(node) {
                    if filter.holds(root, child, budget)? {
                        found.push(child);
                    }
                }
            }
        }
    }
    Ok(())
}

/// A node before its children, children in order; nesting of values is bounded.
fn descend<'v>(
    selectors: &[Selector],
    node: &'v Value,
    root: &'v Value,
    budget: &Budget,
    found: &mut Nodes<'v>,
) -> Result<(), Fault> {
    select(selectors, node, root, budget, found)?;
    for child in children(node) {
        if matches!(child, Value::List(_) | Value::Object(_)) {
            descend(selectors, child, root, budget, found)?;
        }
    }
    Ok(())
}

fn children(node: &Value) -> Nodes<'_> {
    match node {
        Value::List(items) => items.iter().collect(),
        Value::Object(object) => object.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}

impl Filter {
    fn holds(&self, root: &Value, current: &Value, budget: &Budget) -> Result<bool, Fault> {
        budget.spend(1)?;
        match self {
            Filter::Or(parts) => {
                parts.iter().try_fold(false, |held, part| Ok(held || part.holds(root, current, budget)?))
            }
            Filter::And(parts) => {
                parts.iter().try_fold(true, |held, part| Ok(held && part.holds(root, current, budget)?))
            }
            Filter::Not(part) => Ok(!part.holds(root, current, budget)?),
            Filter::Exists(query) => Ok(!query.nodes(root, current, budget)?.is_empty()),
            Filter::Compare(op, left, right) => {
                let left = left.value(root, current, budget)?;
                let right = right.value(root, current, budget)?;
                Ok(compare(*op, left.as_deref(), right.as_deref()))
            }
            Filter::Matches { subject, pattern, whole } => {
                let subject = subject.value(root, current, budget)?;
                let Some(Value::Text(text)) = subject.as_deref() else { return Ok(false) };
                budget.room(0, text.len())?;
                pattern.matches(text, *whole, root, current, budget)
            }
        }
    }

    fn absolute_reads(&self, reads: &mut Vec<Vec<Key>>) {
        match self {
            Filter::Or(parts) | Filter::And(parts) => {
                parts.iter().for_each(|part| part.absolute_reads(reads));
            }
            Filter::Not(part) => part.absolute_reads(reads),
            Filter::Exists(query) => query.read_too(reads),
            Filter::Compare(_, left, right) => {
                left.absolute_reads(reads);
                right.absolute_reads(reads);
            }
            Filter::Matches { subject, pattern, .. } => {
                subject.absolute_reads(reads);
                if let Pattern::Computed(operand) = pattern {
                    operand.absolute_reads(reads);
                }
            }
        }
    }
}

impl Operand {
    fn value<'v>(
        &'v self,
        root: &'v Value,
        current: &'v Value,
        budget: &Budget,
    ) -> Result<Option<Cow<'v, Value>>, Fault> {
        Ok(match self {
            Operand::Literal(value) => Some(Cow::Borrowed(value)),
            Operand::Query(query) => {
                query.nodes(root, current, budget)?.first().map(|node| Cow::Borrowed(*node))
            }
            Operand::Single(query) => match query.nodes(root, current, budget)?.as_slice() {
                [node] => Some(Cow::Borrowed(*node)),
                _ => None,
            },
            Operand::Count(query) => Some(Cow::Owned(Value::from(query.nodes(root, current, budget)?.len()))),
            Operand::Length(operand) => {
                let value = operand.value(root, current, budget)?;
                value.as_deref().and_then(length).map(|length| Cow::Owned(Value::from(length)))
            }
        })
    }

    fn absolute_reads(&self, reads: &mut Vec<Vec<Key>>) {
        match self {
            Operand::Literal(_) => {}
            Operand::Query(query) | Operand::Count(query) | Operand::Single(query) => query.read_too(reads),
            Operand::Length(operand) => operand.absolute_reads(reads),
        }
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Text(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::Object(object) => Some(object.len()),
        _ => None,
    }
}

/// Nothing equals nothing; values of different kinds differ and have no order.
fn compare(op: Comparison, left: Option<&Value>, right: Option<&Value>) -> bool {
    let equal = left == right;
    let order = match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => Some(a.cmp(b)),
        (Some(Value::Text(a)), Some(Value::Text(b))) => Some(a.cmp(b)),
        _ => None,
    };
    match op {
        Comparison::Eq => equal,
        Comparison::Ne => !equal,
        Comparison::Lt => order == Some(Ordering::Less),
        Comparison::Gt => order == Some(Ordering::Greater),
        Comparison::Le => order == Some(Ordering::Less) || equal,
        Comparison::Ge => order == Some(Ordering::Greater) || equal,
    }
}

impl Pattern {
    pub(super) fn compile(text: &str, whole: bool) -> Self {
        match regex(text, whole) {
            Some(regex) => Pattern::Ready(regex),
            None => Pattern::Never,
        }
    }

    fn matches(
        &self,
        text: &str,
        whole: bool,
        root: &Value,
        current: &Value,
        budget: &Budget,
    ) -> Result<bool, Fault> {
        match self {
            Pattern::Ready(regex) => Ok(regex.is_match(text)),
            Pattern::Never => Ok(false),
            Pattern::Computed(operand) => {
                budget.spend(PATTERN_STEPS)?;
                let pattern = operand.value(root, current, budget)?;
                let regex =
                    pattern.as_deref().and_then(Value::as_text).and_then(|pattern| regex(pattern, whole));
                Ok(regex.is_some_and(|regex| regex.is_match(text)))
            }
        }
    }
}

/// An I-Regexp (RFC 9485) as this crate writes it: its dot matches neither `\n` nor `\r`.
fn regex(pattern: &str, whole: bool) -> Option<Regex> {
    let mut translated = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut escaped = false;
    for character in pattern.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        translated.push(character);
    }
    let anchored = if whole { format!(r"\A(?:{translated})\z") } else { translated };
    regex::RegexBuilder::new(&anchored).size_limit(256 * 1024).build().ok()
}

//! The filters: one table, from which compilation, documentation and tests come.
//!
//! A filter is an entry of a theme's table: what it takes, what it gives, examples that run as tests, and a
//! function. Everything that holds for all of them happens in one place, [`run`]: what is missing is an error, the
//! kind of the input is checked, lists are mapped over, and what comes out is bounded.

mod args;
mod encode;
mod format;
mod list;
mod money;
mod number;
mod phone;
mod select;
mod structure;
mod text;
mod time;

use crate::expression::budget::Budget;
use crate::expression::problem::Fault;
use crate::value::{Kind, Value};

pub(crate) use args::{Arg, Attribute, Call, Inner, Ready, prepare};
pub use args::{Fallback, Param, ParamType};
pub(crate) use money::{currency_digits, is_currency};

/// What is known of a filter's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Any,
    /// What came in.
    Same,
    /// A value of that kind.
    Is(Kind),
    /// One of the input's items.
    Item,
    /// A list of the input's items.
    Items,
}

impl Output {
    /// What is known of the result, in words; nothing where nothing is.
    pub fn words(self) -> Option<String> {
        match self {
            Output::Any => None,
            Output::Same => Some("what came in".to_owned()),
            Output::Is(kind) => Some(kind.words().to_owned()),
            Output::Item => Some("one of the items".to_owned()),
            Output::Items => Some("a list of the items".to_owned()),
        }
    }
}

/// What the arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Its parameters.
    Params,
    /// `attribute=`, or the name of a filter and that filter's arguments.
    Filter,
    /// Nothing, or the name of a test and that test's arguments.
    Test,
    /// An attribute, then perhaps the name of a test and that test's arguments.
    AttributeTest,
}

/// An expression, the roots it sees as a JSON object, and its result as JSON; `error: …` for one that fails.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression, without braces.
    pub expression: &'static str,
    /// The roots.
    pub context: &'static str,
    /// The result.
    pub result: &'static str,
}

const fn example(expression: &'static str, context: &'static str, result: &'static str) -> Example {
    Example { expression, context, result }
}

/// One filter.
#[derive(Debug)]
pub struct FilterSpec {
    /// Name in expressions.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Kinds it takes; none listed: any.
    pub input: &'static [Kind],
    /// Parameters in order.
    pub params: &'static [Param],
    /// What is known of the result.
    pub output: Output,
    /// Whether a list is mapped over.
    pub over_lists: bool,
    /// Whether it sees what is missing; all others fail on it.
    pub sees_missing: bool,
    /// Whether it gives nothing at times, although its input is there.
    pub may_find_nothing: bool,
    /// Whether its result no longer tells what its input was: a digest, a length.
    pub hides: bool,
    /// Whether a text that it makes is no longer than the text that came in.
    pub no_longer: bool,
    /// What its arguments are.
    pub takes: Takes,
    /// Examples; each runs as a test.
    pub examples: &'static [Example],
    pub(crate) run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
}

impl FilterSpec {
    /// The base that entries of the tables start from.
    const fn new(
        name: &'static str,
        summary: &'static str,
        run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
    ) -> Self {
        FilterSpec {
            name,
            aliases: &[],
            summary,
            input: &[],
            params: &[],
            output: Output::Any,
            over_lists: true,
            sees_missing: false,
            may_find_nothing: false,
            hides: false,
            no_longer: false,
            takes: Takes::Params,
            examples: &[],
            run,
        }
    }
}

impl FilterSpec {
    /// How it is written: `value | truncate_chars(length, ellipsis='…')`.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| match param.fallback {
                Fallback::Required => param.name.to_owned(),
                Fallback::Nothing => format!("{}=none", param.name),
                Fallback::Text(text) => format!("{}='{}'", param.name, text.escape_debug()),
                Fallback::Whole(number) => format!("{}={number}", param.name),
                Fallback::Bool(truth) => format!("{}={truth}", param.name),
            })
            .collect();
        if params.is_empty() {
            format!("value | {}", self.name)
        } else {
            format!("value | {}({})", self.name, params.join(", "))
        }
    }
}

/// The table, by theme.
pub static FILTERS: &[&[FilterSpec]] = &[
    text::FILTERS,
    format::FILTERS,
    number::FILTERS,
    money::FILTERS,
    time::FILTERS,
    list::FILTERS,
    select::FILTERS,
    structure::FILTERS,
    phone::FILTERS,
    encode::FILTERS,
];

/// All filters.
pub fn all() -> impl Iterator<Item = &'static FilterSpec> {
    FILTERS.iter().flat_map(|theme| theme.iter())
}

/// The filter of that name.
pub fn find(name: &str) -> Option<&'static FilterSpec> {
    all().find(|filter| filter.name == name || filter.aliases.contains(&name))
}

/// All names that a filter may be called by.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(|filter| std::iter::once(filter.name).chain(filter.aliases.iter().copied()))
}

/// Applies a filter.
pub(crate) fn run(spec: &FilterSpec, call: &Call<'_>, input: &Value) -> Result<Value, Fault> {
    if spec.over_lists
        && let Value::List(items) = input
    {
        call.budget.spend(items.len())?;
        let mapped: Result<Vec<Value>, Fault> = items.iter().map(|item| run(spec, call, item)).collect();
        return Ok(Value::list(mapped?));
    }
    if input.is_missing() && !spec.sees_missing {
        return Err(Fault::new("an item of the list is missing"));
    }
    if !spec.input.is_empty() && !spec.sees_missing && !spec.input.contains(&input.kind()) {
        return Err(wrong_input(spec, input));
    }
    let output = (spec.run)(call, input)?;
    call.budget.check(&output)?;
    Ok(output)
}

fn wrong_input(spec: &FilterSpec, input: &Value) -> Fault {
    let fault = Fault::new(format!("takes {}, not {}", one_of(spec.input), input.kind()));
    match (spec.input.first(), input.kind()) {
        (Some(Kind::Number), Kind::Text) => fault.help("convert it first: `| number`"),
        (Some(Kind::Text), Kind::Number | Kind::Bool | Kind::Instant) => {
            fault.help("convert it first: `| string`")
        }
        (Some(Kind::Text), Kind::Object) => fault.help("write it as text with `| tojson`"),
        _ => fault,
    }
}

pub(crate) fn one_of(kinds: &[Kind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.words()).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// Text that is built up within the output limit.
pub(crate) struct Out<'a> {
    text: String,
    budget: &'a Budget,
}

impl<'a> Out<'a> {
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Out { text: String::new(), budget }
    }

    pub(crate) fn push(&mut self, part: &str) -> Result<(), Fault> {
        self.budget.room(self.text.len(), part.len())?;
        self.text.push_str(part);
        Ok(())
    }

    pub(crate) fn finish(self) -> Value {
        Value::from(self.text)
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;

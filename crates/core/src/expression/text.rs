//! A string in a mapping, as a person writes it.

use std::sync::Arc;

use super::check::{Cure, missing};
use super::ir::Base;
use super::names::{Access, Frame, Key, Names};
use super::problem::{EvalError, Problem};
use super::types::{Gap, TextBounds, Type};
use super::{Expression, syntax};
use crate::diagnostic::code;
use crate::path::{self, JsonPath};
use crate::template::Template;
use crate::value::{ABSENT_UNKNOWN, Kind, Value};

/// A mapping string, compiled.
#[derive(Debug)]
pub enum Text {
    /// Itself.
    Literal(Arc<str>),
    /// Exactly one `{{ expression }}`: the expression's own kind of value.
    Expression(Expression),
    /// Template syntax among other text: text.
    Template(Template),
    /// `$.…` or `$[…`: what the JSONPath finds in the record.
    Path(PathQuery),
}

impl Text {
    /// Decides what the string is, and compiles it. A leading `$$` stands for one `$`.
    ///
    /// # Errors
    /// Every problem found, with its byte range in `source`.
    pub fn compile(source: &str, names: &Names) -> Result<Self, Vec<Problem>> {
        let escaped = source.starts_with("$$");
        let text = if escaped { source.get(1..).unwrap_or("") } else { source };
        if syntax::has_tags(text) {
            if let Some(expression) = Expression::braced(text, names)? {
                return Ok(Text::Expression(expression));
            }
            return Template::compile_within(source, usize::from(escaped), names).map(Text::Template);
        }
        if !escaped && (text.starts_with("$.") || text.starts_with("$[")) {
            return PathQuery::compile(text, names).map(Text::Path).map_err(|problem| vec![problem]);
        }
        Ok(Text::Literal(Arc::from(text)))
    }

    /// The value. Only a path gives null; nothing gives what is absent.
    ///
    /// # Errors
    /// When there is no value.
    pub fn eval(&self, frame: &Frame<'_>) -> Result<Value, EvalError> {
        match self {
            Text::Literal(text) => Ok(Value::Text(Arc::clone(text))),
            Text::Expression(expression) => expression.eval(frame),
            Text::Template(template) => template.render(frame).map(Value::from),
            Text::Path(query) => query.eval(frame),
        }
    }

    /// What it reads.
    pub fn reads(&self) -> &[Access] {
        match self {
            Text::Literal(_) => &[],
            Text::Expression(expression) => expression.reads(),
            Text::Template(template) => template.reads(),
            Text::Path(query) => query.reads(),
        }
    }

    /// What is known of the result.
    pub fn of(&self) -> Type {
        match self {
            Text::Literal(text) => {
                Type { text: TextBounds::exactly(text), empty: text.is_empty(), ..Type::scalar(Kind::Text) }
            }
            Text::Template(template) => template.of(),
            Text::Expression(expression) => expression.of().clone(),
            Text::Path(query) => (*query.of).clone(),
        }
    }

    /// What is probably wrong with it; that it has no value, too. A path that finds null gives null.
    pub fn doubts(&self) -> Vec<Problem> {
        match self {
            Text::Literal(_) => Vec::new(),
            Text::Template(template) => template.doubts().to_vec(),
            Text::Expression(expression) => {
                expression.doubts().iter().cloned().chain(expression.missing()).collect()
            }
            Text::Path(query) => query.doubt().into_iter().collect(),
        }
    }

    /// The key that lets only those pass where it has a value, if one can.
    pub(crate) fn pass(&self) -> Option<String> {
        match self {
            Text::Literal(_) | Text::Template(_) => None,
            Text::Expression(expression) => expression.pass().map(str::to_owned),
            Text::Path(query) => query.pass(),
        }
    }

    /// The kind of the result, when it is known whatever the record.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Text::Literal(_) | Text::Template(_) => Some(Kind::Text),
            Text::Expression(expression) => expression.kind(),
            Text::Path(query) => query.of.kind(),
        }
    }
}

/// A JSONPath into the record.
#[derive(Debug)]
pub struct PathQuery {
    path: JsonPath,
    slot: usize,
    of: Box<Type>,
    reads: Vec<Access>,
    len: usize,
}

impl PathQuery {
    fn compile(source: &str, names: &Names) -> Result<Self, Problem> {
        let len = source.len();
        let path = JsonPath::parse(source)?;
        let Some(slot) = names.slot("record") else {
            let problem = Problem::new(&code::UNKNOWN_NAME, "there is no record here for a JSONPath", 0..len);
            return Err(problem.help("write `$$` for a literal dollar"));
        };
        let found = path::check(&path, &names.of(slot), "the record")?;
        let mut of = if path.is_singular() { found } else { Type::list_of(found) };
        if let Some(steps) = path.plain_steps() {
            let there = |steps: &[Key]| names.is_present(slot, steps);
            let at = |(at, key): (usize, &Key)| matches!(key, Key::At(_)).then(|| steps.get(..=at)).flatten();
            let found = of.gap == Some(Gap::NotFound) && steps.iter().enumerate().filter_map(at).all(there);
            if found || there(steps) {
                of = of.present();
            }
            let here =
                names.said().filter(|fact| fact.place.base == Base::Root(slot) && fact.place.path == *steps);
            here.filter_map(|fact| fact.words.as_ref()).for_each(|words| of.text.keep(words));
        }
        let reads = path.reads().into_iter().map(|path| Access { root: slot, path }).collect();
        Ok(PathQuery { path, slot, of: Box::new(of), reads, len })
    }

    /// The value; a query that is not singular gives a list.
    ///
    /// # Errors
    /// When a singular path leads to nothing.
    pub fn eval(&self, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let root = frame.values.get(self.slot).unwrap_or(&ABSENT_UNKNOWN);
        let found = self.path.find(root).map_err(|fault| {
            EvalError::from_fault(fault, &format!("`{}`", self.path.source()), 0..self.len)
        })?;
        if let Value::Absent(_) = *found {
            return Err(EvalError::new(format!("`{}` is missing", self.path.source()), 0..self.len)
                .help("write `{{ record.… | default(…) }}`"));
        }
        Ok(found.into_owned())
    }

    /// What it reads.
    pub fn reads(&self) -> &[Access] {
        &self.reads
    }

    /// The doubt that it leads to nothing.
    fn doubt(&self) -> Option<Problem> {
        let gap = self.of.gap.as_ref().filter(|gap| gap.leaves_out() || **gap == Gap::NotFound)?;
        let cure = Cure::of(&self.as_expression(), &self.of, Some(Some("record")));
        Some(missing(&self.as_expression(), gap, 0..self.len, &cure))
    }

    /// The same as an expression, where it is as simple as one.
    fn as_expression(&self) -> String {
        self.path.source().replacen('$', "record", 1)
    }

    fn pass(&self) -> Option<String> {
        Cure::of(&self.as_expression(), &self.of, Some(Some("record"))).pass
    }

    /// Whether it gives one value, not a list.
    pub fn is_singular(&self) -> bool {
        self.path.is_singular()
    }
}

//! A string in a mapping, as a person writes it.

use std::ops::Range;
use std::sync::Arc;

use super::names::{Access, Frame, Names, NoMember, Shape};
use super::problem::{EvalError, Problem};
use super::{Expression, syntax};
use crate::diagnostic::code;
use crate::path::{JsonPath, PathStep};
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
    pub fn shape(&self) -> Shape {
        match self {
            Text::Literal(_) | Text::Template(_) => Shape::Scalar(Kind::Text),
            Text::Expression(expression) => expression.shape().clone(),
            Text::Path(query) => query.shape.clone(),
        }
    }

    /// The kind of the result, when it is known whatever the record.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Text::Literal(_) | Text::Template(_) => Some(Kind::Text),
            Text::Expression(expression) => expression.kind(),
            Text::Path(query) => query.shape.kind(),
        }
    }
}

/// A JSONPath into the record.
#[derive(Debug)]
pub struct PathQuery {
    path: JsonPath,
    slot: usize,
    shape: Shape,
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
        let shape = check_steps(&path, &names.shape(slot), "the record")?;
        let shape = if path.is_singular() { shape } else { Shape::list_of(shape) };
        let reads = path.reads().into_iter().map(|path| Access { root: slot, path }).collect();
        Ok(PathQuery { path, slot, shape, reads, len })
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

    /// Whether it gives one value, not a list.
    pub fn is_singular(&self) -> bool {
        self.path.is_singular()
    }
}

/// The shape of what a path finds, each member on the way checked as far as shapes are known; of a path that may find
/// several values, the shape of each. `of` names the root.
pub(super) fn check_steps(path: &JsonPath, root: &Shape, of: &str) -> Result<Shape, Problem> {
    let mut shape = root.clone();
    let mut after = 0;
    for step in path.steps() {
        shape = match step {
            PathStep::Anything => return Ok(Shape::Any),
            PathStep::Items => shape.item(),
            PathStep::Member(name) => {
                let range = written(path.source(), name, after);
                after = range.as_ref().map_or(after, |range| range.end);
                match shape.member(name) {
                    Ok(member) => member,
                    Err(no_member) => {
                        let (message, help) = match no_member {
                            NoMember::Unknown { likely } => (
                                format!("{} has no field `{name}`", owner(path.source(), range.as_ref(), of)),
                                likely.map(|likely| format!("did you mean `{likely}`?")),
                            ),
                            NoMember::Without(kind) => (format!("`{name}` is looked for in {kind}"), None),
                        };
                        let range = range.unwrap_or(0..path.source().len());
                        return Err(Problem::new(&code::UNKNOWN_MEMBER, message, range).maybe_help(help));
                    }
                }
            }
        };
    }
    Ok(shape)
}

/// What stands before a member: the path so far, or the root.
fn owner(source: &str, member: Option<&Range<usize>>, root: &str) -> String {
    let before = member.and_then(|member| source.get(..member.start)).unwrap_or("");
    match before.trim_end_matches(['.', '[', '\'', '"']) {
        "" | "$" => root.to_owned(),
        before => format!("`{before}`"),
    }
}

/// Where a path names a member, when it does so without escapes.
fn written(source: &str, name: &str, after: usize) -> Option<Range<usize>> {
    let mut found = source.get(after..)?.match_indices(name).map(|(at, _)| after + at);
    let start = found.find(|at| {
        let before = source.get(..*at).and_then(|before| before.chars().next_back());
        matches!(before, Some('.' | '\'' | '"'))
    })?;
    Some(start..start + name.len())
}

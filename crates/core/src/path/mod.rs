//! JSONPath (RFC 9535) over typed values.
//!
//! The grammar is jsonpath-rust's; what it accepts beyond the RFC is refused here ([`parse`](self::parse)), and the
//! query runs over our own values, so that decimals keep their scale, nodes come in the RFC's order and the work is
//! bounded. A singular path is plain access.

mod parse;
mod query;
mod shapes;

use std::borrow::Cow;
use std::sync::Arc;

use crate::expression::Key;
use crate::expression::budget::Budget;
use crate::expression::problem::{Fault, Problem};
use crate::value::{ABSENT_UNKNOWN, Value};
use query::{Query, Segment, Selector};
pub(crate) use shapes::check;

/// A parsed JSONPath.
#[derive(Debug, Clone)]
pub struct JsonPath(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    source: Box<str>,
    query: Query,
    /// The plain steps that the path begins with; all of it when it is singular.
    leading: Vec<Key>,
    singular: bool,
}

impl JsonPath {
    /// Parses a path, which must be one to its last character.
    ///
    /// # Errors
    /// When it is none, with the byte range of what is wrong.
    pub fn parse(source: &str) -> Result<Self, Problem> {
        let query = parse::parse(source)?;
        let leading: Vec<Key> = query.segments.iter().map_while(plain_step).collect();
        let singular = leading.len() == query.segments.len();
        Ok(JsonPath(Arc::new(Parsed { source: source.into(), query, leading, singular })))
    }

    /// Whether the path gives at most one value whatever the data.
    pub fn is_singular(&self) -> bool {
        self.0.singular
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The whole path, where it is made of plain steps alone.
    pub(crate) fn plain_steps(&self) -> Option<&[Key]> {
        self.0.singular.then_some(&self.0.leading)
    }

    /// The plain steps to a list of which the path gives the elements, where it is that simple: `$.data`, `$.data[*]`.
    pub(crate) fn list_steps(&self) -> Option<&[Key]> {
        let Parsed { query, leading, singular, .. } = &*self.0;
        let elements = matches!(
            query.segments.get(leading.len()..),
            Some([Segment::Child(selectors)]) if matches!(selectors.as_slice(), [Selector::Any])
        );
        (*singular || elements).then_some(leading)
    }

    /// What it reads below its root, as steps; what lies below the last step is used whole.
    pub fn reads(&self) -> Vec<Vec<Key>> {
        let mut reads = vec![self.0.leading.clone()];
        self.0.query.absolute_reads(&mut reads);
        reads
    }

    /// What the path finds: for a singular path the value, or an absent one; for any other the list of all values.
    pub(crate) fn find<'v>(&self, root: &'v Value) -> Result<Cow<'v, Value>, Fault> {
        if self.0.singular {
            let found = crate::expression::walk(root, &self.0.leading);
            return Ok(Cow::Borrowed(found.unwrap_or(&ABSENT_UNKNOWN)));
        }
        let budget = Budget::new();
        let mut nodes = Vec::new();
        self.0.query.run(root, root, &budget, &mut nodes)?;
        let list = Value::list(nodes.into_iter().cloned().collect());
        budget.check(&list)?;
        Ok(Cow::Owned(list))
    }
}

fn plain_step(segment: &Segment) -> Option<Key> {
    match segment {
        Segment::Child(selectors) => match selectors.as_slice() {
            [Selector::Name(name)] => Some(Key::Name(Arc::clone(name))),
            [Selector::At(at)] => Some(Key::At(*at)),
            _ => None,
        },
        Segment::Descend(_) => None,
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

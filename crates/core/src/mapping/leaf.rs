//! What a mapping value can come to, as far as it is known before there is a record.

use super::{Mapping, Part};
use crate::expression::Text;
use crate::value::{Kind, Value};

/// One of the values that a mapping can come to.
#[derive(Debug)]
pub(crate) enum Leaf {
    /// As it was written.
    Constant(Value),
    /// It depends on the record; of that kind, where that is known.
    Open(Option<Kind>),
    /// A field of the CRM is emptied.
    Cleared,
    /// Nothing: its key is left out.
    Left,
}

impl Mapping {
    /// Each value that it can come to: those of both branches of an `$if`.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        match &self.part {
            Part::Constant(constant) if constant.value.is_missing() => vec![Leaf::Left],
            Part::Constant(constant) => vec![Leaf::Constant(constant.value.clone())],
            Part::Text(Text::Literal(text)) => vec![Leaf::Constant(Value::Text(text.clone()))],
            // Only a path gives null.
            Part::Text(text @ Text::Path(_)) => vec![Leaf::Open(text.kind()), Leaf::Left],
            Part::Text(text) => vec![Leaf::Open(text.kind())],
            Part::List(_) | Part::Each(_) => vec![Leaf::Open(Some(Kind::List))],
            Part::Object { .. } => vec![Leaf::Open(Some(Kind::Object))],
            Part::Clear => vec![Leaf::Cleared],
            Part::If(choice) => {
                let mut leaves = choice.then.leaves();
                leaves.extend(choice.otherwise.as_ref().map_or(vec![Leaf::Left], Mapping::leaves));
                leaves
            }
        }
    }
}

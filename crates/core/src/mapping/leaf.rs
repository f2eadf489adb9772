//! What a mapping value can come to, as far as it is known before there is a record.

use super::{Mapping, Part};
use crate::expression::{Shape, Text, Type};
use crate::value::Value;

/// One of the values that a mapping can come to.
#[derive(Debug)]
pub(crate) enum Leaf {
    /// As it was written.
    Constant(Value),
    /// It depends on the record; with the key that lets only those pass where it is there, if one can.
    Open(Box<Type>, Option<String>),
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
            // Only a path gives null, of what may be.
            Part::Text(text @ Text::Path(_)) => {
                let of = text.of();
                let left = (of.gap.is_some() || matches!(of.shape, Shape::Any)).then_some(Leaf::Left);
                [Leaf::Open(Box::new(of), text.pass())].into_iter().chain(left).collect()
            }
            Part::Text(text) => vec![Leaf::Open(Box::new(text.of()), text.pass())],
            Part::List(_) | Part::Each(_) | Part::Object { .. } => vec![Leaf::Open(Box::new(self.of()), None)],
            Part::Clear => vec![Leaf::Cleared],
            Part::If(choice) => {
                let mut leaves = choice.then.leaves();
                leaves.extend(choice.otherwise.as_ref().map_or(vec![Leaf::Left], Mapping::leaves));
                leaves
            }
        }
    }
}

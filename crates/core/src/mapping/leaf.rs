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

/// What a branch hangs on: a condition, or that a path finds something; and whether that is so.
pub(crate) type Decided = (String, bool);

impl Mapping {
    /// Each value that it can come to: those of both branches of an `$if`.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        self.alternatives().into_iter().map(|(_, leaf)| leaf).collect()
    }

    /// Each value that it can come to, and what that hangs on.
    pub(crate) fn alternatives(&self) -> Vec<(Vec<Decided>, Leaf)> {
        let alone = |leaf| vec![(Vec::new(), leaf)];
        match &self.part {
            Part::Constant(constant) if constant.value.is_missing() => alone(Leaf::Left),
            Part::Constant(constant) => alone(Leaf::Constant(constant.value.clone())),
            Part::Text(Text::Literal(text)) => alone(Leaf::Constant(Value::Text(text.clone()))),
            // Only a path gives null, of what may be.
            Part::Text(text @ Text::Path(_)) => {
                let of = text.of();
                let nullable = of.gap.is_some() || matches!(of.shape, Shape::Any);
                let found =
                    |found| vec![(text.reads().iter().map(|read| format!("{read:?}")).collect(), found)];
                let open = Leaf::Open(Box::new(of), text.pass());
                if nullable { vec![(found(true), open), (found(false), Leaf::Left)] } else { alone(open) }
            }
            Part::Text(text) => alone(Leaf::Open(Box::new(text.of()), text.pass())),
            Part::List(_) | Part::Each(_) | Part::Object { .. } => {
                alone(Leaf::Open(Box::new(self.of()), None))
            }
            Part::Clear => alone(Leaf::Cleared),
            Part::If(choice) => {
                let condition = choice.condition.words();
                let decided = |alternatives: Vec<(Vec<Decided>, Leaf)>, holds| {
                    let condition = condition.clone();
                    alternatives.into_iter().map(move |(mut decided, leaf)| {
                        decided.push((condition.clone(), holds));
                        (decided, leaf)
                    })
                };
                let otherwise =
                    choice.otherwise.as_ref().map_or_else(|| alone(Leaf::Left), Mapping::alternatives);
                decided(choice.then.alternatives(), true).chain(decided(otherwise, false)).collect()
            }
        }
    }
}

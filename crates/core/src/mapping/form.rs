//! A mapping as it is written, for whoever checks it part by part.

use std::sync::Arc;

use super::{Mapping, Part};
use crate::expression::{Text, Type};
use crate::yaml::NodeId;

/// What a mapping is made of.
#[derive(Debug)]
pub(crate) enum Form<'m> {
    /// The same for every record, as JSON.
    Fixed(serde_json::Value),
    /// A list, each item written out.
    List(&'m [Mapping]),
    /// Members, each written out; whether those that are null are left out.
    Object(&'m [(Arc<str>, Mapping)], bool),
    /// A list of as many as there are of something else.
    Each(&'m Mapping),
    /// One of two; without the second it is left out.
    Either(&'m Mapping, Option<&'m Mapping>),
    /// It depends on the record. Whether it is a path, which alone gives null.
    Open(Box<Type>, bool),
}

impl Mapping {
    /// The node of the zap's tree that it was compiled from.
    pub(crate) fn written_at(&self) -> NodeId {
        self.node
    }

    /// What it is made of.
    pub(crate) fn form(&self) -> Form<'_> {
        if let Some(fixed) = self.fixed() {
            return Form::Fixed(fixed);
        }
        match &self.part {
            Part::List(items) => Form::List(items),
            Part::Object { members, drop_null } => Form::Object(members, *drop_null),
            Part::Each(each) => Form::Each(&each.element),
            Part::If(choice) => Form::Either(&choice.then, choice.otherwise.as_ref()),
            Part::Constant(_) | Part::Text(_) | Part::Clear => {
                Form::Open(Box::new(self.of()), matches!(self.part, Part::Text(Text::Path(_))))
            }
        }
    }

    /// Its value, where no record changes it. Members that are left out when they are null are not that.
    fn fixed(&self) -> Option<serde_json::Value> {
        match &self.part {
            Part::Constant(constant) => serde_json::from_str(&constant.written).ok(),
            Part::Text(Text::Literal(text)) => Some(text.as_ref().into()),
            Part::List(items) => items.iter().map(Mapping::fixed).collect(),
            Part::Object { members, drop_null: false } => {
                let fixed =
                    |(name, mapping): &(Arc<str>, Mapping)| Some((name.to_string(), mapping.fixed()?));
                members.iter().map(fixed).collect::<Option<serde_json::Map<_, _>>>().map(Into::into)
            }
            Part::Object { drop_null: true, .. }
            | Part::Text(_)
            | Part::Each(_)
            | Part::If(_)
            | Part::Clear => None,
        }
    }

    /// The members and items of what is fixed, by the JSON pointer of a value in it.
    pub(crate) fn part_at(&self, pointer: &str) -> &Mapping {
        let Some((first, rest)) =
            pointer.strip_prefix('/').map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            return self;
        };
        let name = first.replace("~1", "/").replace("~0", "~");
        let part = match &self.part {
            Part::List(items) => name.parse::<usize>().ok().and_then(|at| items.get(at)),
            Part::Object { members, .. } => {
                members.iter().find(|(known, _)| **known == *name).map(|(_, mapping)| mapping)
            }
            _ => None,
        };
        let rest = pointer.get(1 + first.len()..).filter(|_| !rest.is_empty()).unwrap_or("");
        part.map_or(self, |part| part.part_at(rest))
    }
}

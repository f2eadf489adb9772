//! Parts of what is known of a value: its members, and the kinds that it may be of.

use std::sync::Arc;

use super::types::{Carried, Type};
use crate::value::Kind;

/// Kinds of values: a set; empty where nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    const ALL: [Kind; 7] =
        [Kind::Missing, Kind::Bool, Kind::Number, Kind::Text, Kind::Instant, Kind::List, Kind::Object];

    /// One kind alone.
    pub fn one(kind: Kind) -> Self {
        Kinds(1 << kind as u8)
    }

    /// The kinds of both; nothing is known where nothing is known of either.
    #[must_use]
    pub fn or(self, other: Kinds) -> Self {
        if self.0 == 0 || other.0 == 0 { Kinds(0) } else { Kinds(self.0 | other.0) }
    }

    /// The kinds.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kinds::ALL.into_iter().filter(move |kind| self.0 & Kinds::one(*kind).0 != 0)
    }
}

/// The members of an object, each with its name, and what flows into all of them: types share their members, so that
/// going through them anew for each use would take a time that doubles with each `let` that uses one twice.
#[derive(Debug, Clone)]
pub struct Members(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    members: Box<[(Arc<str>, Type)]>,
    carried: Carried,
}

impl Members {
    /// What flows into all of them.
    pub(super) fn carried(&self) -> &Carried {
        &self.0.carried
    }
}

impl std::ops::Deref for Members {
    type Target = [(Arc<str>, Type)];

    fn deref(&self) -> &Self::Target {
        &self.0.members
    }
}

impl FromIterator<(Arc<str>, Type)> for Members {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Type)>>(members: I) -> Self {
        let members: Box<[(Arc<str>, Type)]> = members.into_iter().collect();
        let mut carried = Carried::default();
        members.iter().for_each(|(_, of)| carried.add(&of.all_carried()));
        Members(Arc::new(Shared { members, carried }))
    }
}

impl From<Vec<(Arc<str>, Type)>> for Members {
    fn from(members: Vec<(Arc<str>, Type)>) -> Self {
        members.into_iter().collect()
    }
}

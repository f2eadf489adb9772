//! Which members of a row are read, so that the rest is skipped.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Top-level members of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadSet {
    /// All of them.
    All,
    /// Those named.
    Only(BTreeSet<Cow<'static, str>>),
}

impl Default for ReadSet {
    fn default() -> Self {
        ReadSet::Only(BTreeSet::new())
    }
}

impl ReadSet {
    /// Those named.
    pub fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        ReadSet::Only(names.into_iter().map(Cow::Borrowed).collect())
    }

    /// Adds one member.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>) {
        if let ReadSet::Only(names) = self {
            names.insert(name.into());
        }
    }

    /// Both together.
    pub fn union(&mut self, other: &ReadSet) {
        match (&mut *self, other) {
            (ReadSet::Only(mine), ReadSet::Only(theirs)) => mine.extend(theirs.iter().cloned()),
            _ => *self = ReadSet::All,
        }
    }

    /// Whether the member is read.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            ReadSet::All => true,
            ReadSet::Only(names) => names.contains(name),
        }
    }
}

//! The names that an expression may use, what is known of them, and what it reads of them.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Condition;
use super::ir::Base;
use super::narrow::{Fact, Facts, Place};
use super::types::Type;
use crate::table::Tables;
use crate::value::Value;

/// The roots that are in scope. A root's position is its slot in a [`Frame`].
#[derive(Debug, Clone, Default)]
pub struct Names {
    roots: Vec<(Arc<str>, Type)>,
    tables: Tables,
    /// What is so, wherever these names are used.
    said: Vec<Fact>,
    /// What is so where a value is true, or false: the conditions among `let`.
    told: Vec<(Access, Arc<Facts>)>,
    /// What is so where a condition that is written like this holds: the answers of steps under the same `when`.
    same: Vec<(Arc<str>, Fact)>,
    /// Nothing is doubted: what would say so has a mistake.
    trusted: bool,
}

impl Names {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a root at the next slot; a root of the same name is replaced at its slot.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, of: impl Into<Type>) -> Self {
        let (name, of) = (name.into(), of.into());
        match self.roots.iter().position(|(known, _)| *known == name) {
            Some(at) => {
                self.roots[at].1 = of;
                let stays = |fact: &Fact| fact.place.base != Base::Root(at);
                self.said.retain(stays);
                self.same.retain(|(_, fact)| stays(fact));
            }
            None => self.roots.push((name, of)),
        }
        self
    }

    /// The same names where a condition holds: what it asked for is there.
    #[must_use]
    pub(crate) fn given(mut self, said: &[Fact]) -> Self {
        self.said.extend(said.iter().cloned());
        self
    }

    /// The same names, of which one tells of others by being true or false.
    #[must_use]
    pub(crate) fn telling(mut self, root: usize, path: Vec<Key>, facts: Facts) -> Self {
        if !facts.is_empty() {
            self.told.push((Access { root, path }, Arc::new(facts)));
        }
        self
    }

    /// The same names; that a value is there is known where a condition of these words holds.
    #[must_use]
    pub(crate) fn there_where(mut self, condition: &str, root: usize, path: Vec<Key>) -> Self {
        let place = Place { base: Base::Root(root), path };
        self.same.push((Arc::from(condition), Fact { place, present: true, words: None }));
        self
    }

    /// What a value tells of others by being true or false.
    pub(crate) fn told_by(&self, root: usize, path: &[Key]) -> Option<&Facts> {
        self.told
            .iter()
            .find(|(access, _)| access.root == root && access.path == path)
            .map(|(_, facts)| &**facts)
    }

    /// What is so.
    pub(crate) fn said(&self) -> impl Iterator<Item = &Fact> {
        self.said.iter()
    }

    /// What is known of a place; nothing where the way to it is not.
    pub(crate) fn of_place(&self, root: usize, path: &[Key]) -> Option<Type> {
        let (_, of) = self.roots.get(root)?;
        path.iter().try_fold(of.clone(), |of, key| match key {
            Key::Name(name) => of.member(name).ok(),
            Key::At(_) => Some(of.item()),
        })
    }

    /// The same names where a condition holds; where it could not be compiled, nobody knows what it asks for, and nothing
    /// is doubted.
    #[must_use]
    pub fn given_by(mut self, condition: Option<&Condition>) -> Self {
        match condition {
            Some(condition) => {
                let words = condition.words();
                let same = self.same.iter().filter(|(written, _)| **written == *words);
                let same: Vec<Fact> = same.map(|(_, fact)| fact.clone()).collect();
                self.given(condition.given()).given(&same)
            }
            None => {
                self.trusted = true;
                self
            }
        }
    }

    /// Whether a value is known to be there, since it or a member of it is.
    pub(crate) fn is_present(&self, root: usize, path: &[Key]) -> bool {
        self.trusted || self.said.iter().any(|fact| fact.shows(Base::Root(root), path))
    }

    /// The same with these look-up tables.
    #[must_use]
    pub fn with_tables(mut self, tables: &Tables) -> Self {
        self.tables = tables.clone();
        self
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The slot of a root.
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.roots.iter().position(|(known, _)| **known == *name)
    }

    /// The name of a slot.
    pub fn name(&self, slot: usize) -> Option<&str> {
        self.roots.get(slot).map(|(name, _)| &**name)
    }

    /// Number of roots, which is the number of slots of a frame.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are no roots.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    pub(crate) fn of(&self, slot: usize) -> Type {
        self.roots.get(slot).map_or_else(Type::any, |(_, of)| of.clone())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|(name, _)| &**name)
    }
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A member.
    Name(Arc<str>),
    /// A list's item; negative counts from the end.
    At(i64),
}

/// The root of an [`Access`] to a look-up table, which is no slot: its path is the table's name.
pub(crate) const TABLES: usize = usize::MAX;

/// A value that an expression reads: a root and the steps that are known before there is a record. What lies below
/// the last step is used whole; no steps: the whole root is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// Slot of the root.
    pub root: usize,
    /// Steps into it.
    pub path: Vec<Key>,
}

/// The names of a root's members that are read, or `None` when it is used whole (or by position).
pub fn members_read<'a>(reads: impl IntoIterator<Item = &'a Access>, root: usize) -> Option<Vec<Arc<str>>> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for access in reads {
        if access.root != root {
            continue;
        }
        let Some(Key::Name(name)) = access.path.first() else { return None };
        if !names.contains(name) {
            names.push(Arc::clone(name));
        }
    }
    Some(names)
}

/// What an evaluation knows besides values: the account's zone and currency.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The connection's zone: local timestamps are read in it, instants are shown in it.
    pub zone: TimeZone,
    /// The connection's currency, an ISO 4217 code.
    pub currency: Arc<str>,
}

impl Default for Settings {
    /// UTC and US dollars.
    fn default() -> Self {
        Settings { zone: TimeZone::UTC, currency: Arc::from("USD") }
    }
}

/// The values of one evaluation: one per root, in the order of [`Names`].
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Values by slot; a slot past the end is absent.
    pub values: &'a [Value],
    /// Zone and currency.
    pub settings: &'a Settings,
}

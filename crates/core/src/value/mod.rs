//! The values that flow through a zap: what a record holds, what expressions compute, what requests carry.
//!
//! A [`Value`] is cheap to clone. It comes from JSON text with [`Value::from_json`] (numbers keep their digits) and
//! leaves with [`Value::write_json`] or [`Value::write_text`]. An object may know the [`Schema`] it is a view of,
//! so that a field which is absent is told from one which does not exist.

mod decimal;
mod instant;
pub mod json;
mod write;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use decimal::{Decimal, DecimalError, MAX_RESULT_DIGITS, Rounding};
pub use instant::Instant;
pub use json::JsonError;
pub use write::{Unwritable, write_json_text};

use crate::record::Schema;

/// Deepest nesting of lists and objects; data of business APIs stays below ten, and everything that walks a value
/// recursively is safe on any thread's stack.
pub const MAX_DEPTH: usize = 64;

/// Objects beyond this many members are searched by a sorted index instead of one by one.
const INDEXED_FROM: usize = 24;

/// One value.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Null.
    #[default]
    Null,
    /// Nothing is there.
    Absent(Absence),
    /// `true` or `false`.
    Bool(bool),
    /// An exact number.
    Number(Decimal),
    /// Text.
    Text(Arc<str>),
    /// A moment with its zone.
    Instant(Instant),
    /// A list.
    List(List),
    /// Members by name, in order.
    Object(Object),
}

/// Whether what is absent could have been there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The schema knows the field; this record does not have it. It compares as null.
    Known,
    /// Nothing is known of such a member.
    Unknown,
}

/// The kinds of value that a person tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`, or nothing at all.
    Missing,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A moment.
    Instant,
    /// A list.
    List,
    /// An object.
    Object,
}

/// An absent field that its schema knows.
pub static ABSENT_KNOWN: Value = Value::Absent(Absence::Known);
/// An absent member of which nothing is known.
pub static ABSENT_UNKNOWN: Value = Value::Absent(Absence::Unknown);

impl Value {
    /// Text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::Text(text.into())
    }

    /// A number.
    pub fn number(number: impl Into<Decimal>) -> Self {
        Value::Number(number.into())
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Value::List(List::new(items))
    }

    /// An object without a schema; of two members of one name the last counts.
    pub fn object(members: Vec<(Arc<str>, Value)>) -> Self {
        Value::Object(Object::new(members, None))
    }

    /// Reads one JSON text. Numbers keep their digits, a repeated key counts once with its last value.
    ///
    /// # Errors
    /// When the text is no JSON or is nested deeper than [`MAX_DEPTH`].
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        json::read(text)
    }

    /// What a person would call it.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null | Value::Absent(_) => Kind::Missing,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
            Value::Instant(_) => Kind::Instant,
            Value::List(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    /// Null or absent.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Null | Value::Absent(_))
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The number, of a number.
    pub fn as_number(&self) -> Option<&Decimal> {
        if let Value::Number(number) = self { Some(number) } else { None }
    }

    /// The truth value, of one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The items, of a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(list) = self { Some(list) } else { None }
    }

    /// The object, of one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// Levels of lists and objects in the value.
    pub fn depth(&self) -> usize {
        match self {
            Value::List(list) => list.0.depth,
            Value::Object(object) => object.0.depth,
            _ => 0,
        }
    }
}

/// Numbers are equal by value (`1.0` and `1`), objects whatever their order.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Absent(a), Value::Absent(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Instant(a), Value::Instant(b)) => a == b,
            (Value::List(a), Value::List(b)) => **a == **b,
            (Value::Object(a), Value::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Value::Number(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(Decimal::from(number))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::Number(Decimal::from(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::text(text)
    }
}

impl From<Instant> for Value {
    fn from(instant: Instant) -> Self {
        Value::Instant(instant)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::list(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

/// Items in order.
#[derive(Clone)]
pub struct List(Arc<Items>);

struct Items {
    items: Vec<Value>,
    depth: usize,
}

impl List {
    /// A list of these items.
    pub fn new(items: Vec<Value>) -> Self {
        let depth = items.iter().map(Value::depth).max().unwrap_or(0).saturating_add(1);
        List(Arc::new(Items { items, depth }))
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.items
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Members by name, in the order in which they were written.
#[derive(Clone)]
pub struct Object(Arc<Members>);

struct Members {
    entries: Vec<(Arc<str>, Value)>,
    /// Positions of `entries` sorted by name; only for large objects.
    index: Option<Vec<usize>>,
    schema: Option<&'static Schema>,
    depth: usize,
}

impl Object {
    /// An object of these members, the view of a row of `schema` if there is one. Of two members of one name the
    /// last value counts, at the place of the first.
    pub fn new(mut entries: Vec<(Arc<str>, Value)>, schema: Option<&'static Schema>) -> Self {
        let index = if entries.len() < INDEXED_FROM {
            drop_repeated(&mut entries);
            None
        } else {
            Some(sorted_index(&mut entries))
        };
        let depth = entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0).saturating_add(1);
        Object(Arc::new(Members { entries, index, schema, depth }))
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let entries = &self.0.entries;
        let position = match &self.0.index {
            None => entries.iter().position(|(key, _)| **key == *name)?,
            Some(index) => {
                let found = index.binary_search_by(|position| {
                    entries.get(*position).map_or(std::cmp::Ordering::Less, |(key, _)| (**key).cmp(name))
                });
                *index.get(found.ok()?)?
            }
        };
        entries.get(position).map(|(_, value)| value)
    }

    /// The member of that name, or how it is absent.
    pub fn member(&self, name: &str) -> &Value {
        match self.get(name) {
            Some(value) => value,
            None if self.knows(name) => &ABSENT_KNOWN,
            None => &ABSENT_UNKNOWN,
        }
    }

    /// Whether the object's schema has such a field.
    pub fn knows(&self, name: &str) -> bool {
        self.0.schema.is_some_and(|schema| schema.field(name).is_some())
    }

    /// The schema it is a view of.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.0.schema
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator {
        self.0.entries.iter().map(|(name, value)| (name, value))
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// For few members: quadratic, without allocation.
fn drop_repeated(entries: &mut Vec<(Arc<str>, Value)>) {
    let mut at = 0;
    while at < entries.len() {
        let (before, rest) = entries.split_at_mut(at);
        // `at` is below the length, so the rest has a first entry.
        let Some((name, value)) = rest.first_mut() else { return };
        match before.iter_mut().find(|(earlier, _)| earlier == name) {
            Some((_, earlier)) => {
                *earlier = std::mem::take(value);
                entries.remove(at);
            }
            None => at += 1,
        }
    }
}

/// For many members: sorts positions by name, drops repeated names, and gives the index.
fn sorted_index(entries: &mut Vec<(Arc<str>, Value)>) -> Vec<usize> {
    let by_name = |entries: &[(Arc<str>, Value)]| {
        let mut index: Vec<usize> = (0..entries.len()).collect();
        index.sort_unstable_by(|a, b| entries[*a].0.cmp(&entries[*b].0).then(a.cmp(b)));
        index
    };
    let index = by_name(entries);
    let repeated = |pair: &[usize]| entries[pair[0]].0 == entries[pair[1]].0;
    if !index.windows(2).any(repeated) {
        return index;
    }
    // Of each run of one name the last value moves to the place of the first; the others go.
    let mut dropped = vec![false; entries.len()];
    let runs: Vec<&[usize]> = index.chunk_by(|a, b| entries[*a].0 == entries[*b].0).collect();
    for run in runs {
        if let [first, others @ .., last] = run {
            entries.swap(*first, *last);
            dropped[*last] = true;
            others.iter().for_each(|other| dropped[*other] = true);
        }
    }
    let mut kept = dropped.iter().map(|dropped| !dropped);
    entries.retain(|_| kept.next().unwrap_or(true));
    by_name(entries)
}

impl Kind {
    /// A list or an object.
    pub fn is_container(self) -> bool {
        matches!(self, Kind::List | Kind::Object)
    }

    /// The kind with its article, as a message says it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Missing => "nothing",
            Kind::Bool => "true or false",
            Kind::Number => "a number",
            Kind::Text => "text",
            Kind::Instant => "an instant",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;

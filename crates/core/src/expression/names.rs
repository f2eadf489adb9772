//! The names that an expression may use, what is known of them, and what it reads of them.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::diagnostic::did_you_mean;
use crate::record::{FieldType, Schema};
use crate::table::Tables;
use crate::value::{Kind, Value};

/// What is known of a value before there is one.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Nothing.
    Any,
    /// One value of that kind, without members.
    Scalar(Kind),
    /// A row's view: exactly the fields of the schema.
    Record(&'static Schema),
    /// A row in a list: the fields of the schema and `key`.
    Item(&'static Schema),
    /// Exactly these members.
    Members(Arc<[(Arc<str>, Shape)]>),
    /// A list of such values.
    List(Arc<Shape>),
}

impl Shape {
    /// Exactly these members.
    pub fn members<N: Into<Arc<str>>>(members: impl IntoIterator<Item = (N, Shape)>) -> Self {
        Shape::Members(members.into_iter().map(|(name, shape)| (name.into(), shape)).collect())
    }

    /// The kind of value it is, when that is known.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Shape::Any => None,
            Shape::Scalar(kind) => Some(*kind),
            Shape::Record(_) | Shape::Item(_) | Shape::Members(_) => Some(Kind::Object),
            Shape::List(_) => Some(Kind::List),
        }
    }

    /// The shape of a list's items.
    pub(crate) fn item(&self) -> Shape {
        match self {
            Shape::List(item) => (**item).clone(),
            _ => Shape::Any,
        }
    }

    pub(crate) fn list_of(item: Shape) -> Shape {
        Shape::List(Arc::new(item))
    }

    /// The shape of a member; `Err` holds the likely name when there is no such member.
    pub(crate) fn member(&self, name: &str) -> Result<Shape, NoMember> {
        match self {
            Shape::Any => Ok(Shape::Any),
            Shape::Item(_) if name == "key" => Ok(Shape::Scalar(Kind::Text)),
            Shape::Record(schema) | Shape::Item(schema) => match schema.field(name) {
                Some(field) => Ok(field_shape(&field.ty)),
                None => Err(NoMember::unknown(name, schema.fields.iter().map(|field| field.name))),
            },
            Shape::Members(members) => match members.iter().find(|(known, _)| **known == *name) {
                Some((_, shape)) => Ok(shape.clone()),
                None => Err(NoMember::unknown(name, members.iter().map(|(known, _)| &**known))),
            },
            Shape::Scalar(kind) => Err(NoMember::Without(*kind)),
            Shape::List(_) => Err(NoMember::Without(Kind::List)),
        }
    }
}

/// Why a shape has no such member.
pub(crate) enum NoMember {
    /// The names are known and it is not among them.
    Unknown { likely: Option<String> },
    /// Such a value has no members.
    Without(Kind),
}

impl NoMember {
    fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        NoMember::Unknown { likely: did_you_mean(name, known).map(str::to_owned) }
    }
}

fn field_shape(ty: &FieldType) -> Shape {
    match ty {
        FieldType::Id | FieldType::Text | FieldType::Enum(_) | FieldType::Timestamp | FieldType::Date => {
            Shape::Scalar(Kind::Text)
        }
        FieldType::Count | FieldType::Money => Shape::Scalar(Kind::Number),
        FieldType::Flag => Shape::Scalar(Kind::Bool),
        FieldType::List(schema) => Shape::list_of(Shape::Item(schema)),
        FieldType::Any => Shape::Any,
    }
}

/// The roots that are in scope. A root's position is its slot in a [`Frame`].
#[derive(Debug, Clone, Default)]
pub struct Names {
    roots: Vec<(Arc<str>, Shape)>,
    tables: Tables,
}

impl Names {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a root at the next slot; a root of the same name is replaced at its slot.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, shape: Shape) -> Self {
        let name = name.into();
        match self.roots.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = shape,
            None => self.roots.push((name, shape)),
        }
        self
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

    pub(crate) fn shape(&self, slot: usize) -> Shape {
        self.roots.get(slot).map_or(Shape::Any, |(_, shape)| shape.clone())
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

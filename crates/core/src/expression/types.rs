//! What is known of a value before there is one: its kind and members, whether it may be missing, which texts it can be,
//! and what it tells of a person.

use std::sync::Arc;

use super::members::{Kinds, Members};
use crate::diagnostic::did_you_mean;
use crate::record::{Class, Field, FieldType, Schema};
use crate::value::{Kind, Value};

/// What is known of a value before there is one.
#[derive(Debug, Clone)]
pub struct Type {
    /// Its kind and members.
    pub shape: Shape,
    /// Why it may be missing; `None` when it is there, as far as anybody knows.
    pub gap: Option<Gap>,
    /// Which texts it can be.
    pub text: TextBounds,
    /// What flows into it that not everybody may see. What is taken out of it carries this too.
    pub carries: Carried,
    /// The kinds that it may be of, where its shape tells none and they are known all the same.
    pub kinds: Kinds,
    /// Whether it is known to be empty at times: a text without characters, a list without items.
    pub empty: bool,
    /// What it looks like, where that is known: values of which one at least is like it.
    pub like: Option<Arc<[Value]>>,
}

/// The kind and the members of a value.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Nothing is known.
    Any,
    /// One value of that kind, without members.
    Scalar(Kind),
    /// A row's view: exactly the fields of the schema.
    Record(&'static Schema),
    /// A row in a list: the fields of the schema and `key`.
    Item(&'static Schema),
    /// These members, and no others.
    Members(Members),
    /// These members, and perhaps others.
    Open(Members),
    /// A list of such values.
    List(Arc<Type>),
}

/// Why a value may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// A field that rows leave null at times.
    Null,
    /// A member that need not be there at all.
    Optional,
    /// A member that need not be there, and may be null where it is.
    OptionalOrNull,
    /// The answer of a step that may be skipped or fail.
    Step(Arc<str>),
    /// What a filter looked for and may not have found.
    NotFound,
}

impl Gap {
    /// Whether it may be left out altogether.
    pub(crate) fn leaves_out(&self) -> bool {
        matches!(self, Gap::Optional | Gap::OptionalOrNull)
    }

    /// Whether a null may stand there.
    pub(crate) fn gives_null(&self) -> bool {
        matches!(self, Gap::Null | Gap::OptionalOrNull)
    }
}

/// Which texts a value can be. Characters, not bytes.
#[derive(Debug, Clone, Default)]
pub struct TextBounds {
    /// One of these, as far as is known.
    pub words: Option<Arc<[Arc<str>]>>,
    /// At least so long.
    pub min: usize,
    /// At most so long.
    pub max: Option<usize>,
}

/// What flows into a value that not everybody may see: fields by their names, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried(Vec<(Class, Arc<str>)>);

impl Carried {
    /// One field.
    pub(crate) fn field(class: Class, name: &str) -> Self {
        Carried(if class == Class::Plain { Vec::new() } else { vec![(class, Arc::from(name))] })
    }

    /// The fields of a class.
    pub fn of(&self, class: Class) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(of, _)| *of == class).map(|(_, name)| &**name)
    }

    /// Whether anybody may see it.
    pub fn is_plain(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what another value carries.
    pub fn add(&mut self, other: &Carried) {
        for carried in &other.0 {
            if !self.0.contains(carried) {
                self.0.push(carried.clone());
            }
        }
    }

    /// All fields of a row and of the rows in it.
    fn row(schema: &'static Schema) -> Self {
        let mut carried = Carried::default();
        for field in schema.fields {
            match field.ty {
                FieldType::List(rows) => carried.add(&Carried::row(rows)),
                _ => carried.add(&Carried::field(field.class, field.name)),
            }
        }
        carried
    }
}

impl TextBounds {
    /// Exactly this text.
    pub fn exactly(text: &str) -> Self {
        let length = text.chars().count();
        TextBounds { words: Some(Arc::from([Arc::from(text)])), min: length, max: Some(length) }
    }

    /// One of these words.
    pub fn one_of(words: &[&str]) -> Self {
        TextBounds { words: Some(words.iter().map(|word| Arc::from(*word)).collect()), min: 0, max: None }
    }

    /// At most so many characters.
    pub fn at_most(max: usize) -> Self {
        TextBounds { words: None, min: 0, max: Some(max) }
    }

    /// Only these of its words, if it has any of them.
    pub(crate) fn keep(&mut self, these: &[Arc<str>]) {
        let Some(words) = &self.words else { return };
        let kept: Vec<Arc<str>> = words.iter().filter(|word| these.contains(word)).cloned().collect();
        if !kept.is_empty() {
            self.words = Some(kept.into());
        }
    }

    fn join(&self, other: &TextBounds) -> TextBounds {
        let words = match (&self.words, &other.words) {
            (Some(some), Some(others)) => {
                let mut words = some.to_vec();
                words.extend(others.iter().filter(|word| !some.contains(word)).cloned());
                Some(words.into())
            }
            _ => None,
        };
        let max = self.max.zip(other.max).map(|(a, b)| a.max(b));
        TextBounds { words, min: self.min.min(other.min), max }
    }
}

impl From<Shape> for Type {
    fn from(shape: Shape) -> Self {
        Type {
            shape,
            gap: None,
            text: TextBounds::default(),
            carries: Carried::default(),
            kinds: Kinds::default(),
            empty: false,
            like: None,
        }
    }
}

impl Type {
    /// A value of which nothing is known.
    pub fn any() -> Self {
        Shape::Any.into()
    }

    /// One value of that kind.
    pub fn scalar(kind: Kind) -> Self {
        Shape::Scalar(kind).into()
    }

    /// A list of such values.
    pub fn list_of(item: Type) -> Self {
        Shape::List(Arc::new(item)).into()
    }

    /// The kind of value it is, when that is known.
    pub fn kind(&self) -> Option<Kind> {
        self.shape.kind()
    }

    /// The kinds of value it may be of.
    pub fn kinds(&self) -> Kinds {
        self.kind().map_or(self.kinds, Kinds::one)
    }

    /// The same, perhaps missing.
    #[must_use]
    pub fn with_gap(mut self, gap: Gap) -> Self {
        self.gap.get_or_insert(gap);
        self
    }

    /// A member of it that need not be there.
    #[must_use]
    pub(crate) fn left_out(mut self) -> Self {
        self.gap = Some(match self.gap {
            Some(Gap::Null | Gap::OptionalOrNull) => Gap::OptionalOrNull,
            _ => Gap::Optional,
        });
        self
    }

    /// Whether it may be left out altogether.
    pub(crate) fn may_be_left_out(&self) -> bool {
        self.gap.as_ref().is_some_and(Gap::leaves_out)
    }

    /// Whether it may be null.
    pub(crate) fn may_be_null(&self) -> bool {
        self.gap.as_ref().is_some_and(Gap::gives_null)
    }

    /// The same, and surely there.
    #[must_use]
    pub fn present(mut self) -> Self {
        self.gap = None;
        self
    }

    /// The same, carrying more.
    #[must_use]
    pub fn carrying(mut self, more: &Carried) -> Self {
        self.carries.add(more);
        self
    }

    /// Everything that flows into it, its members included.
    pub fn all_carried(&self) -> Carried {
        let mut carried = self.carries.clone();
        match &self.shape {
            Shape::Any | Shape::Scalar(_) => {}
            Shape::Record(schema) | Shape::Item(schema) => carried.add(&Carried::row(schema)),
            Shape::Members(members) | Shape::Open(members) => {
                carried.add(members.carried());
            }
            Shape::List(item) => carried.add(&item.all_carried()),
        }
        carried
    }

    /// A record as it was received: it holds what the view holds, and more, and nothing is known of it but who may see it.
    pub(crate) fn as_received(&self) -> Type {
        let open = |carried: &Carried| Type::any().carrying(carried);
        match &self.shape {
            Shape::Record(schema) | Shape::Item(schema) => {
                let fields = schema.fields.iter();
                let members = fields.map(|field| {
                    let carried = Type::of_field(schema, field).all_carried();
                    (Arc::from(field.name), open(&carried))
                });
                Shape::Open(members.collect()).into()
            }
            _ => open(&self.all_carried()),
        }
    }

    /// The type of a list's items, or of what else may be taken out of a value by a position or name that nobody knows
    /// yet. It carries what the value carries.
    pub(crate) fn item(&self) -> Type {
        match &self.shape {
            Shape::List(item) => (**item).clone().carrying(&self.carries),
            _ => Type::any().carrying(&self.all_carried()),
        }
    }

    /// The type of the item at a position, of which a list that is empty at times may have none.
    pub(crate) fn item_at(&self) -> Type {
        let item = self.item();
        if self.empty { item.with_gap(Gap::NotFound) } else { item }
    }

    /// A list that has no items at times.
    #[must_use]
    pub(crate) fn perhaps_empty(mut self) -> Self {
        self.empty = true;
        self
    }

    /// The type of a member; `Err` holds the likely name when there is no such member. A member of what may be missing
    /// may be missing too.
    pub(crate) fn member(&self, name: &str) -> Result<Type, NoMember> {
        let mut member = self.shape.member(name)?;
        member.carries.add(&self.carries);
        if let Some(gap) = &self.gap {
            member.gap = Some(gap.clone());
        }
        Ok(member)
    }

    /// What is known of a value that is the one or the other.
    #[must_use]
    pub fn join(&self, other: &Type) -> Type {
        let shape = match (&self.shape, &other.shape) {
            (Shape::Scalar(kind), Shape::Scalar(same)) if kind == same => Shape::Scalar(*kind),
            (Shape::List(some), Shape::List(others)) => Shape::List(Arc::new(some.join(others))),
            _ => Shape::Any,
        };
        let mut carries = self.carries.clone();
        carries.add(&other.carries);
        if matches!(shape, Shape::Any) {
            carries.add(&self.all_carried());
            carries.add(&other.all_carried());
        }
        Type {
            kinds: if shape.kind().is_some() { Kinds::default() } else { self.kinds().or(other.kinds()) },
            shape,
            gap: self.gap.clone().or_else(|| other.gap.clone()),
            text: self.text.join(&other.text),
            carries,
            empty: self.empty || other.empty,
            like: self.like.as_ref().zip(other.like.as_ref()).map(|(some, others)| {
                let new = others.iter().filter(|value| !some.contains(value));
                some.iter().chain(new).take(MOST_LIKE).cloned().collect()
            }),
        }
    }
}

impl Shape {
    /// These members, and no others.
    pub fn members<N: Into<Arc<str>>, T: Into<Type>>(members: impl IntoIterator<Item = (N, T)>) -> Self {
        Shape::Members(members.into_iter().map(|(name, of)| (name.into(), of.into())).collect())
    }

    /// No members at all.
    pub fn no_members() -> Self {
        Shape::Members(Members::from(Vec::new()))
    }

    /// The kind of value it is, when that is known.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Shape::Any => None,
            Shape::Scalar(kind) => Some(*kind),
            Shape::Record(_) | Shape::Item(_) | Shape::Members(_) | Shape::Open(_) => Some(Kind::Object),
            Shape::List(_) => Some(Kind::List),
        }
    }

    fn member(&self, name: &str) -> Result<Type, NoMember> {
        match self {
            Shape::Any => Ok(Type::any()),
            Shape::Item(_) if name == "key" => Ok(Type::scalar(Kind::Text)),
            Shape::Record(schema) | Shape::Item(schema) => match schema.field(name) {
                Some(field) => Ok(Type::of_field(schema, field)),
                None => Err(NoMember::unknown(name, schema.fields.iter().map(|field| field.name))),
            },
            Shape::Members(members) => match members.iter().find(|(known, _)| **known == *name) {
                Some((_, of)) => Ok(of.clone()),
                None => Err(NoMember::unknown(name, members.iter().map(|(known, _)| &**known))),
            },
            Shape::Open(members) => {
                let known = members.iter().find(|(known, _)| **known == *name);
                Ok(known.map_or_else(Type::any, |(_, of)| of.clone()))
            }
            Shape::Scalar(kind) => Err(NoMember::Without(*kind)),
            Shape::List(_) => Err(NoMember::Without(Kind::List)),
        }
    }
}

impl Type {
    /// A field of a row.
    pub(crate) fn of_field(schema: &'static Schema, field: &'static Field) -> Type {
        let shape = match field.ty {
            FieldType::Id | FieldType::Text | FieldType::Enum(_) | FieldType::Timestamp | FieldType::Date => {
                Shape::Scalar(Kind::Text)
            }
            FieldType::Count | FieldType::Money => Shape::Scalar(Kind::Number),
            FieldType::Flag => Shape::Scalar(Kind::Bool),
            FieldType::List(rows) => Shape::List(Arc::new(Shape::Item(rows).into())),
            FieldType::Any => Shape::Any,
        };
        let text = match field.ty {
            FieldType::Enum(words) => TextBounds::one_of(words),
            _ => TextBounds::default(),
        };
        // A list is always there in the view, and may hold nothing.
        let empty = matches!(field.ty, FieldType::List(_));
        let gap = (!empty && !schema.always_has(field.name)).then_some(Gap::Null);
        let carries = Carried::field(field.class, field.name);
        Type { gap, text, carries, empty, like: like(field), ..shape.into() }
    }
}

/// So many values that something is like are kept.
const MOST_LIKE: usize = 8;

/// What the texts of a field look like. An id is a number or letters and digits; of free text only names are known.
fn like(field: &Field) -> Option<Arc<[Value]>> {
    let texts: &[&str] = match field.ty {
        FieldType::Id => &["15271", "8DF901A1B2"],
        FieldType::Timestamp => &["2026-09-16 14:25:31"],
        FieldType::Date => &["2026-09-16"],
        FieldType::Text if field.name == "emailAddress" => &["ada@example.test"],
        FieldType::Text if field.name == "name" || field.name.ends_with("Name") => &["Ada Lovelace"],
        _ => return None,
    };
    Some(texts.iter().map(|text| Value::text(*text)).collect())
}

/// Why a type has no such member.
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

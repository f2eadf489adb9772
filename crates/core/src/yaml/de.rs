//! Reading typed definitions out of a [`Tree`].
//!
//! Beside serde's own forms this knows two of its own: an enum is chosen by the map's `type` key (or is the
//! single key of a map), and [`NodeRef`](super::NodeRef) and [`Spanned`](super::Spanned) get the node itself.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor, value::StrDeserializer,
};

use super::spanned::{NODE, SPANNED};
use super::tree::{Entry, Kind, NodeId, Style, Tree};

/// Why a node does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeError {
    /// The node.
    pub node: Option<NodeId>,
    /// The key that the node lacks, where that is what is wrong.
    pub missing: Option<&'static str>,
    /// What is wrong, as a fragment; never holds what a variable held.
    pub message: String,
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DeError { node: None, missing: None, message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        DeError { missing: Some(field), ..de::Error::custom(format_args!("there is no `{field}`")) }
    }
}

/// Reads a value of type `T` from a node.
///
/// # Errors
/// When the node does not fit; after the checks against the schema that only happens for values made of variables.
pub fn from_node<'de, T: de::Deserialize<'de>>(tree: &Tree, node: NodeId) -> Result<T, DeError> {
    let reader = Reader { tree, node };
    T::deserialize(reader).map_err(|error| reader.blame(error))
}

#[derive(Clone, Copy)]
struct Reader<'t> {
    tree: &'t Tree,
    node: NodeId,
}

impl Reader<'_> {
    /// Names the node of an error that has none, and hides what a variable held.
    fn blame(self, mut error: DeError) -> DeError {
        if error.node.is_none() {
            error.node = Some(self.node);
            if matches!(self.kind(), Kind::Text { style: Style::Variable, .. }) {
                "the variable holds no such value".clone_into(&mut error.message);
            }
        }
        error
    }

    fn kind(&self) -> &Kind {
        &self.tree.node(self.node).kind
    }

    /// The text from which a number or a boolean may be read.
    fn digits(&self) -> Option<&str> {
        match self.kind() {
            Kind::Number(digits) => Some(digits),
            Kind::Text { value, style: Style::Variable } => Some(value),
            _ => None,
        }
    }

    fn wrong(self, wanted: &str) -> DeError {
        let found = self.tree.node(self.node).words();
        self.blame(de::Error::custom(format_args!("expected {wanted}, found {found}")))
    }
}

/// Integers are read from the digits exactly.
macro_rules! integers {
    ($($method:ident $visit:ident $ty:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            match self.digits().and_then(|digits| digits.parse::<$ty>().ok()) {
                Some(value) => visitor.$visit(value).map_err(|error| self.blame(error)),
                None => Err(self.wrong("a whole number")),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let result = match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(digits) => match (digits.parse::<u64>(), digits.parse::<i64>()) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                // Only integers have a place in definitions; any other number stays a node.
                _ => Err(self.wrong("a whole number")),
            },
            Kind::Text { value, .. } | Kind::Hole(value) => visitor.visit_str(value),
            Kind::List(items) => visitor.visit_seq(Items { tree: self.tree, items: items.iter() }),
            Kind::Map(entries) => visitor.visit_map(Entries {
                tree: self.tree,
                entries: entries.iter(),
                value: None,
                skip: None,
            }),
        };
        result.map_err(|error| self.blame(error))
    }

    integers! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let value = match self.kind() {
            Kind::Bool(value) => Some(*value),
            Kind::Text { value, style: Style::Variable } => value.parse().ok(),
            _ => None,
        };
        match value {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.kind() {
            Kind::Text { value, .. } | Kind::Hole(value) => {
                visitor.visit_str(value).map_err(|error| self.blame(error))
            }
            _ => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    // A hole may stand for any value, so an optional field is taken as not given.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.kind() {
            Kind::Null | Kind::Hole(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match name {
            NODE => visitor.visit_u32(self.node.0),
            SPANNED => visitor.visit_seq(WithNode { reader: self, step: 0 }),
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|error| self.blame(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        let choice = match self.kind() {
            Kind::Text { value, .. } | Kind::Hole(value) => Choice { reader: self, name: value, value: None },
            Kind::Map(entries) => match (self.tree.get(self.node, "type"), entries.as_slice()) {
                (Some(tag), _) => {
                    let tag = Reader { tree: self.tree, node: tag };
                    let name = tag.tree.text(tag.node).ok_or_else(|| tag.wrong("text"))?;
                    Choice { reader: self, name, value: Some(Body::WithoutType(self.node)) }
                }
                (None, [entry]) => {
                    Choice { reader: self, name: &entry.key, value: Some(Body::Node(entry.value)) }
                }
                _ => return Err(self.wrong("one key")),
            },
            _ => return Err(self.wrong("a map")),
        };
        visitor.visit_enum(choice).map_err(|error| self.blame(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
    }
}

/// `(node, value)` for [`Spanned`](super::Spanned).
struct WithNode<'t> {
    reader: Reader<'t>,
    step: u8,
}

impl<'de> SeqAccess<'de> for WithNode<'_> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        self.step += 1;
        match self.step {
            1 => seed.deserialize(self.reader.node.0.into_deserializer()).map(Some),
            2 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

struct Items<'t> {
    tree: &'t Tree,
    items: std::slice::Iter<'t, NodeId>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let reader = Reader { tree: self.tree, node: *node };
        seed.deserialize(reader).map(Some).map_err(|error| reader.blame(error))
    }
}

struct Entries<'t> {
    tree: &'t Tree,
    entries: std::slice::Iter<'t, Entry>,
    value: Option<NodeId>,
    skip: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let skip = self.skip;
        let Some(entry) = self.entries.find(|entry| skip != Some(&*entry.key)) else { return Ok(None) };
        self.value = Some(entry.value);
        let key: StrDeserializer<'_, DeError> = (*entry.key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let Some(node) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let reader = Reader { tree: self.tree, node };
        seed.deserialize(reader).map_err(|error| reader.blame(error))
    }
}

/// What a variant is read from.
enum Body {
    /// The value of the single key.
    Node(NodeId),
    /// The map whose `type` named the variant.
    WithoutType(NodeId),
}

struct Choice<'t> {
    reader: Reader<'t>,
    name: &'t str,
    value: Option<Body>,
}

impl<'de, 't> EnumAccess<'de> for Choice<'t> {
    type Error = DeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DeError> {
        let name: StrDeserializer<'_, DeError> = self.name.into_deserializer();
        seed.deserialize(name).map(|name| (name, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(self.reader.wrong("text")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DeError> {
        let tree = self.reader.tree;
        match self.value {
            Some(Body::Node(node)) => {
                let reader = Reader { tree, node };
                seed.deserialize(reader).map_err(|error| reader.blame(error))
            }
            Some(Body::WithoutType(node)) => {
                let entries = tree.entries(node).iter();
                let map = Entries { tree, entries, value: None, skip: Some("type") };
                seed.deserialize(de::value::MapAccessDeserializer::new(map))
            }
            None => Err(self.reader.wrong("a map")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, DeError> {
        Err(self.reader.wrong("a map"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, DeError> {
        Err(self.reader.wrong("a map"))
    }
}

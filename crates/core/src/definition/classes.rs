//! Kinds of data that not everybody may see.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::record::Class;

/// The words for kinds of data.
const WORDS: [(&str, Class); 3] =
    [("personal", Class::Personal), ("card", Class::Card), ("secret", Class::Secret)];

/// Kinds of data that may go somewhere: one word, or a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classes(Vec<Class>);

impl Classes {
    /// Whether a kind is among them.
    pub fn contains(&self, class: Class) -> bool {
        self.0.contains(&class)
    }

    fn add<E: serde::de::Error>(&mut self, word: &str) -> Result<(), E> {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        let (_, class) = known.ok_or_else(|| E::custom(format!("there is no kind of data `{word}`")))?;
        self.0.push(*class);
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Classes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of data or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Classes, E> {
                let mut classes = Classes::default();
                classes.add(word)?;
                Ok(classes)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Classes, A::Error> {
                let mut classes = Classes::default();
                while let Some(word) = items.next_element::<String>()? {
                    classes.add(&word)?;
                }
                Ok(classes)
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}

impl JsonSchema for Classes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Classes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = WORDS.map(|(word, _)| word);
        json_schema!({
            "type": ["string", "array"],
            "pattern": format!("^({})$", words.join("|")),
            "items": { "type": "string", "enum": words },
            "minItems": 1,
        })
    }
}

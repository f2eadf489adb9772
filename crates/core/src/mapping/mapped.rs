//! What a mapping gave for one record.

use std::sync::Arc;

use super::{Constant, MapError, Mapping};
use crate::card::{self, Found};
use crate::value::{Unwritable, Value, write_json_text};

/// A mapped value, on its way into a body, a form or a name.
#[derive(Debug)]
pub enum Mapped<'m> {
    /// As written in the zap.
    #[doc(hidden)]
    Constant(ConstantRef<'m>),
    /// Computed from the record, and what computed it, where that is one mapping.
    #[doc(hidden)]
    Value(Value, Option<&'m Mapping>),
    /// A list, and the mapping that made it.
    #[doc(hidden)]
    List(Vec<Mapped<'m>>, &'m Mapping),
    /// Members in the order in which they were written, and the mapping that made them.
    #[doc(hidden)]
    Object(Vec<(&'m Arc<str>, Mapped<'m>)>, &'m Mapping),
    /// A field of the CRM is to be emptied.
    Cleared,
}

/// A scalar as written, and the mapping that holds it.
#[derive(Debug, Clone, Copy)]
pub struct ConstantRef<'m>(pub(super) &'m Constant, pub(super) &'m Mapping);

impl<'m> Mapped<'m> {
    pub(super) fn constant(constant: &'m Constant, mapping: &'m Mapping) -> Self {
        Mapped::Constant(ConstantRef(constant, mapping))
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        match self {
            Mapped::Constant(constant) => constant.0.value.is_missing(),
            Mapped::Value(value, _) => value.is_missing(),
            Mapped::List(..) | Mapped::Object(..) | Mapped::Cleared => false,
        }
    }

    /// Appends it as JSON.
    ///
    /// # Errors
    /// When a value inside is absent.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self {
            Mapped::Constant(constant) => out.extend_from_slice(constant.0.written.as_bytes()),
            Mapped::Value(value, _) => value.write_json(out)?,
            // It is compiled only where the CRM takes it.
            Mapped::Cleared => out.extend_from_slice(b"null"),
            Mapped::List(items, _) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.write_json(out)?;
                }
                out.push(b']');
            }
            Mapped::Object(members, _) => {
                out.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_json_text(name, out);
                    out.push(b':');
                    value.write_json(out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// The first card data in it.
    pub(crate) fn card_data(&self) -> Option<Found> {
        self.search("", &mut String::new())
    }

    fn search(&self, name: &str, at: &mut String) -> Option<Found> {
        match self {
            // It leaves as it was written.
            Mapped::Constant(constant) => {
                card::in_field(name, &constant.0.written).map(|what| Found { field: at.clone(), what })
            }
            Mapped::Value(value, _) => card::search(value, name, at),
            Mapped::Cleared => None,
            Mapped::List(items, _) => items.iter().enumerate().find_map(|(index, item)| {
                card::below(at, "", &format!("[{index}]"), |at| item.search(name, at))
            }),
            Mapped::Object(members, _) => members.iter().find_map(|(name, value)| {
                let point = if at.is_empty() { "" } else { "." };
                card::below(at, point, name, |at| value.search(name, at))
            }),
        }
    }

    /// It as a value that expressions can use.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Mapped::Constant(constant) => constant.0.value.clone(),
            Mapped::Value(value, _) => value,
            Mapped::Cleared => Value::Null,
            Mapped::List(items, _) => Value::list(items.into_iter().map(Mapped::into_value).collect()),
            Mapped::Object(members, _) => Value::object(
                members.into_iter().map(|(name, value)| (Arc::clone(name), value.into_value())).collect(),
            ),
        }
    }

    /// The pairs of a form, a query or headers: a null leaves its name out, a list repeats it.
    ///
    /// # Errors
    /// When a member is an object or a list within a list.
    pub(crate) fn into_pairs(self, place: &str) -> Result<Vec<(String, String)>, MapError> {
        let Mapped::Object(members, _) = self else {
            return Err(MapError::new(place, "names and values are wanted here"));
        };
        let mut pairs = Vec::with_capacity(members.len());
        for (name, value) in members {
            let place = || format!("{place}.{name}");
            match value {
                Mapped::List(items, _) => {
                    for item in items {
                        push_pair(&mut pairs, name, &item, place)?;
                    }
                }
                Mapped::Value(Value::List(items), _) => {
                    for item in items.iter() {
                        push_pair(&mut pairs, name, &Mapped::Value(item.clone(), None), place)?;
                    }
                }
                single => push_pair(&mut pairs, name, &single, place)?,
            }
        }
        Ok(pairs)
    }
}

fn push_pair(
    pairs: &mut Vec<(String, String)>,
    name: &str,
    value: &Mapped<'_>,
    place: impl Fn() -> String,
) -> Result<(), MapError> {
    if value.is_null() || matches!(value, Mapped::Cleared) {
        return Ok(());
    }
    let text = match value {
        // Not text, so what was written is also how it reads.
        Mapped::Constant(constant) => Ok(constant.0.written.to_string()),
        Mapped::Value(value, _) => value.to_text(),
        Mapped::List(..) => Err(Unwritable::NoText(crate::value::Kind::List)),
        Mapped::Object(..) | Mapped::Cleared => Err(Unwritable::NoText(crate::value::Kind::Object)),
    };
    match text {
        Ok(text) => pairs.push((name.to_owned(), text)),
        Err(error) => {
            return Err(
                MapError::new(place(), error.to_string()).help("write it as JSON text with `| tojson`")
            );
        }
    }
    Ok(())
}

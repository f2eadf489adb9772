//! Evaluating a mapping over one record.

use std::sync::Arc;

use super::{Each, MapError, Mapped, Mapping, Part, elements};
use crate::expression::{Frame, Settings};
use crate::value::Value;

/// The slots of the names that a loop binds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    pub(crate) item: usize,
    pub(crate) index: usize,
    pub(crate) key: usize,
}

impl Slots {
    /// Runs `body` with the loop's names bound; what they hid is seen again afterwards.
    pub(crate) fn bound<R>(
        self,
        values: &mut Vec<Value>,
        element: &elements::Element,
        body: impl FnOnce(&mut Vec<Value>) -> R,
    ) -> R {
        let names = [
            (self.item, element.value.clone()),
            (self.index, Value::from(element.index)),
            (self.key, Value::text(element.key.as_str())),
        ];
        let slots = names.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0);
        if values.len() < slots {
            values.resize(slots, Value::Null);
        }
        let hidden = names.map(|(slot, value)| (slot, std::mem::replace(&mut values[slot], value)));
        let result = body(values);
        for (slot, value) in hidden {
            values[slot] = value;
        }
        result
    }
}

impl Mapping {
    /// The mapped value; nothing when an `$if` without `$else` leaves it out.
    ///
    /// # Errors
    /// A [`MapError`] that names the place.
    pub(crate) fn eval<'m>(
        &'m self,
        values: &mut Vec<Value>,
        settings: &Settings,
    ) -> Result<Option<Mapped<'m>>, MapError> {
        Ok(Some(match &self.part {
            Part::Constant(constant) => Mapped::constant(constant, self),
            Part::Text(text) => Mapped::Value(
                text.eval(&Frame { values, settings }).map_err(|error| MapError::of(&self.place, &error))?,
                Some(self),
            ),
            Part::List(items) => {
                let mut mapped = Vec::with_capacity(items.len());
                for item in items {
                    mapped.extend(item.eval(values, settings)?);
                }
                Mapped::List(mapped, self)
            }
            Part::Object { members, drop_null } => {
                Mapped::Object(object(members, *drop_null, values, settings)?, self)
            }
            Part::Each(each) => Mapped::List(self.each(each, values, settings)?, self),
            Part::Clear => Mapped::Cleared,
            Part::If(choice) => {
                let holds = choice
                    .condition
                    .eval(&Frame { values, settings })
                    .map_err(|error| MapError::of(&self.place, &error))?;
                let chosen = if holds { Some(&choice.then) } else { choice.otherwise.as_ref() };
                return chosen.map_or(Ok(None), |chosen| chosen.eval(values, settings));
            }
        }))
    }

    fn each<'m>(
        &self,
        each: &'m Each,
        values: &mut Vec<Value>,
        settings: &Settings,
    ) -> Result<Vec<Mapped<'m>>, MapError> {
        let source = each.source.eval(values, settings)?.map_or(Value::Null, Mapped::into_value);
        let elements = elements(&source).ok_or_else(|| {
            MapError::new(&*self.place, format!("$each needs a list or an object, not {}", source.kind()))
                .help("give an empty list where there is none: `| default([])`")
        })?;
        let mut mapped = Vec::with_capacity(elements.len());
        for element in &elements {
            mapped.extend(each.slots.bound(values, element, |values| each.element.eval(values, settings))?);
        }
        Ok(mapped)
    }

    /// The place it stands at.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

fn object<'m>(
    members: &'m [(Arc<str>, Mapping)],
    drop_null: bool,
    values: &mut Vec<Value>,
    settings: &Settings,
) -> Result<Vec<(&'m Arc<str>, Mapped<'m>)>, MapError> {
    let mut mapped = Vec::with_capacity(members.len());
    for (name, member) in members {
        if let Some(value) = member.eval(values, settings)?
            && !(drop_null && value.is_null())
        {
            mapped.push((name, value));
        }
    }
    Ok(mapped)
}

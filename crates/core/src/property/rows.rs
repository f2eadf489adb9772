//! Rows of the CRM, by the tables of their fields.

use std::sync::Arc;

use proptest::collection;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

use super::members::{Made, Mades, Mode, member};
use super::usual::{self, Pin};
use super::values::{self, World};
use crate::record::{Field, FieldType, ReadSet, Schema};
use crate::value::Value;
use crate::zap::{CrmTrigger, Where};

/// What makes rows.
pub(super) struct Rows<'a> {
    /// The kind of event, which says what its rows have.
    pub(super) kind: &'a str,
    pub(super) mode: Mode,
    pub(super) world: &'a World,
    /// Further values of a field, from the zap's tests and its filter.
    pub(super) known: &'a dyn Fn(&str) -> Vec<Value>,
}

/// What a field is pinned to, so that the trigger takes the row.
pub(super) type Pinned = Vec<(&'static str, Mades)>;

impl Rows<'_> {
    /// Rows with the members that are read, and a few that are not.
    pub(super) fn row(&self, schema: &'static Schema, read: &ReadSet, pinned: &Pinned) -> Mades {
        let wanted = |field: &&Field| field.name != "key" && read.contains(field.name);
        let fields: Vec<&'static Field> = schema.fields.iter().filter(wanted).collect();
        let made: Vec<Mades> = fields
            .iter()
            .map(|field| {
                let pin = pinned.iter().find(|(name, _)| *name == field.name);
                pin.map_or_else(|| self.field(schema, field), |(_, made)| made.clone())
            })
            .collect();
        let names: Arc<[&'static str]> = fields.iter().map(|field| field.name).collect();
        made.prop_map(move |made| assembled(&names, made)).boxed()
    }

    fn field(&self, schema: &'static Schema, field: &'static Field) -> Mades {
        let habit = usual::habit(schema, field);
        let usual = match field.ty {
            FieldType::List(rows) => self.list(rows, 0, &Vec::new()),
            _ => self.values(field),
        };
        member(usual, Some(values::odd(field)), &habit, self.mode)
    }

    fn values(&self, field: &'static Field) -> Mades {
        let made = values::usual(field, self.world).prop_map(Made::usual).boxed();
        let known = (self.known)(field.name);
        if known.is_empty() {
            return made;
        }
        Union::new_weighted(vec![(3, made), (1, select(known).prop_map(Made::usual).boxed())]).boxed()
    }

    /// Rows as a list, or as an object by their ids, as the CRM writes both.
    fn list(&self, schema: &'static Schema, least: usize, pinned: &Pinned) -> Mades {
        let rows = collection::vec(self.row(schema, &ReadSet::All, pinned), least..4);
        let id = schema.fields.iter().find(|field| field.ty == FieldType::Id && field.name != "key");
        let id = id.map_or("key", |field| field.name);
        (rows, proptest::bool::ANY).prop_map(move |(rows, keyed)| listed(id, rows, keyed)).boxed()
    }

    fn pin(&self, schema: &'static Schema, name: &'static str, pin: Pin) -> Option<Mades> {
        match pin {
            Pin::Words(words) => Some(select(words).prop_map(|word| Made::usual(Value::text(word))).boxed()),
            Pin::Rows(pins) => {
                let FieldType::List(rows) = schema.field(name)?.ty else { return None };
                let inner = pins
                    .iter()
                    .filter_map(|(name, words)| Some((*name, self.pin(rows, name, Pin::Words(words))?)));
                Some(self.list(rows, 1, &inner.collect()))
            }
        }
    }

    /// What a trigger wants of its rows.
    pub(super) fn pinned(&self, trigger: &CrmTrigger) -> Pinned {
        let schema = trigger.schema();
        let pins = usual::pins(self.kind).unwrap_or_default();
        let mut pinned: Pinned =
            pins.iter().filter_map(|(name, pin)| Some((*name, self.pin(schema, name, *pin)?))).collect();
        for condition in &trigger.wheres {
            let (Where::Field(_, values) | Where::Product(values)) = condition;
            // Nothing meets such a condition, and nothing is to be chosen from.
            if values.is_empty() {
                continue;
            }
            let (name, made) = match condition {
                Where::Field(field, values) => {
                    (field.name, select(values.clone()).prop_map(Made::usual).boxed())
                }
                Where::Product(values) => {
                    let Some(FieldType::List(rows)) = schema.field("items").map(|field| field.ty) else {
                        continue;
                    };
                    let product = select(values.clone()).prop_map(Made::usual).boxed();
                    ("items", self.list(rows, 1, &vec![("productId", product)]))
                }
            };
            pinned.retain(|(known, _)| *known != name);
            pinned.push((name, made));
        }
        pinned
    }
}

fn assembled(names: &[&'static str], made: Vec<Made>) -> Made {
    let mut odd = Vec::new();
    let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(names.len());
    for (name, made) in names.iter().zip(made) {
        odd.extend(made.odd.iter().map(|place| within(name, place)));
        members.extend(made.value.map(|value| (Arc::from(*name), value)));
    }
    Made { value: Some(Value::object(members)), odd }
}

/// A place below a name.
pub(super) fn within(name: &str, place: &str) -> String {
    match place {
        "" => name.to_owned(),
        place if place.starts_with('[') => format!("{name}{place}"),
        place => format!("{name}.{place}"),
    }
}

fn listed(id: &str, rows: Vec<Made>, keyed: bool) -> Made {
    let mut odd = Vec::new();
    let mut values: Vec<(Arc<str>, Value)> = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        odd.extend(row.odd.iter().map(|place| within(&format!("[{at}]"), place)));
        let value = row.value.unwrap_or_default();
        let key = value.as_object().and_then(|row| row.get(id)).and_then(|id| id.to_text().ok());
        let key = key.filter(|key| values.iter().all(|(known, _)| **known != **key));
        values.push((key.unwrap_or_else(|| at.to_string()).into(), value));
    }
    let value = match keyed {
        true => Value::object(values),
        false => Value::list(values.into_iter().map(|(_, value)| value).collect()),
    };
    Made { value: Some(value), odd }
}

/// Exactly this.
pub(super) fn only(value: Value) -> BoxedStrategy<Made> {
    Just(Made::usual(value)).boxed()
}

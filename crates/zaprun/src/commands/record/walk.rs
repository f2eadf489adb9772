//! A record without the people in it: fields by the schema's data class, all others by their names and by what they hold.

use std::collections::HashMap;
use std::sync::Arc;

use regex::{Captures, Regex};
use zaprun_core::record::{Class, Field, FieldType, Schema};
use zaprun_core::value::Value;

use super::stand_ins::{Kind, StandIns};
use crate::commands::personal::{self, Look};

/// Shorter names are parts of too many words to be looked for in other texts.
const LEAST_NAME: usize = 3;

/// The record with stand-ins.
pub(super) fn replaced(record: &Value, schema: Option<&'static Schema>, stand_ins: &StandIns) -> Value {
    let mut all = Vec::new();
    collect(record, schema, &mut all);
    // What stands in several fields is of one kind in all of them: of what its form shows, else of the most telling.
    let mut kinds: HashMap<String, Kind> = HashMap::new();
    for (text, kind) in &all {
        let kind = personal::look(text.trim()).map_or(*kind, of_look);
        kinds.entry(plain(text)).and_modify(|known| *known = kind.min(*known)).or_insert(kind);
    }
    let worth = |(text, kind): &(String, Kind)| {
        !matches!(kind, Kind::Other | Kind::City | Kind::Birthday) && text.chars().count() >= LEAST_NAME
    };
    let mut known: Vec<(String, Kind)> =
        all.into_iter().map(|(text, kind)| (text.trim().to_owned(), kind)).filter(worth).collect();
    // Longer ones first: a full name before its parts.
    known.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    known.dedup();
    let pattern = |(text, kind): (String, Kind)| {
        let pattern = Regex::new(&format!(r"(?i)\b{}\b", regex::escape(&text))).ok()?;
        Some(Known { pattern, text, kind })
    };
    let known = known.into_iter().filter_map(pattern).collect();
    Walk { stand_ins, kinds, known }.value(record, schema)
}

/// What a field holds, by its name.
fn kind_of(name: &str) -> Option<Kind> {
    let lower = name.to_lowercase();
    let has = |part: &str| lower.contains(part);
    Some(match () {
        () if has("email") || has("e-mail") || has("e_mail") => Kind::Email,
        () if has("phone") || has("mobile") || has("fax") => Kind::Phone,
        () if has("firstname") || has("first_name") || has("givenname") || has("given_name") => {
            Kind::FirstName
        }
        () if has("lastname") || has("last_name") || has("surname") || has("familyname") => Kind::LastName,
        () if has("company") => Kind::Company,
        // `shipAddress1` is no address on a network.
        () if has("ip_addr") || has("ipaddr") && !has("shipaddr") || lower == "ip" => Kind::Address,
        () if has("address") || has("street") => Kind::Street,
        () if has("city") => Kind::City,
        () if has("postal") || has("zip") || has("postcode") => Kind::Other,
        () if lower == "dob" || has("birth") => Kind::Birthday,
        () if lower == "name" || has("fullname") || has("full_name") || has("customername") => Kind::FullName,
        () => return None,
    })
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// As it is.
    Keep,
    /// It is not there.
    Drop,
    /// Digits become noughts.
    Nought,
    /// A stand-in.
    Replace(Kind),
    /// Free text: what looks personal in it is replaced.
    Read,
}

fn fate(name: &str, field: Option<&'static Field>) -> Fate {
    let Some(field) = field else {
        return kind_of(name).map_or(Fate::Read, Fate::Replace);
    };
    // Where somebody lives by state or country tells nobody apart, and taxes hang on it.
    let coarse = ["state", "country", "gender"].iter().any(|part| field.name.to_lowercase().ends_with(part));
    match (field.class, field.ty) {
        (Class::Secret, _) => Fate::Drop,
        (Class::Card, FieldType::Enum(_) | FieldType::Flag) => Fate::Keep,
        (Class::Card, _) if field.name == "cardType" => Fate::Keep,
        (Class::Card, _) => Fate::Nought,
        (Class::Personal, _) if coarse => Fate::Keep,
        (Class::Personal, FieldType::Flag | FieldType::Count | FieldType::Money) => Fate::Keep,
        (Class::Personal, _) => Fate::Replace(kind_of(field.name).unwrap_or(Kind::Other)),
        (Class::Plain, FieldType::Text | FieldType::Any | FieldType::List(_)) => Fate::Read,
        (Class::Plain, _) => Fate::Keep,
    }
}

/// Names and such that stand in fields of their own, for where they stand in other texts.
fn collect(value: &Value, schema: Option<&'static Schema>, known: &mut Vec<(String, Kind)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter() {
                let field = schema.and_then(|schema| schema.field(name));
                match (fate(name, field), value) {
                    (Fate::Replace(kind), Value::Text(text)) if !text.trim().is_empty() => {
                        known.push((text.to_string(), kind));
                    }
                    (Fate::Replace(kind), Value::Number(number)) => known.push((number.to_string(), kind)),
                    _ => {}
                }
                collect(value, inner(field, schema), known);
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, schema, known)),
        _ => {}
    }
}

/// The schema of what a field holds. A list that is keyed by ids has a level of objects more, whose members it knows.
fn inner(field: Option<&'static Field>, outer: Option<&'static Schema>) -> Option<&'static Schema> {
    match field.map(|field| field.ty) {
        Some(FieldType::List(schema)) => Some(schema),
        Some(_) => None,
        // A key of such a list.
        None => outer,
    }
}

struct Walk<'a> {
    stand_ins: &'a StandIns,
    /// Of what kind the personal values are.
    kinds: HashMap<String, Kind>,
    known: Vec<Known>,
}

/// Something personal of this record, and where it stands in other texts.
struct Known {
    pattern: Regex,
    text: String,
    kind: Kind,
}

impl Walk<'_> {
    fn value(&self, value: &Value, schema: Option<&'static Schema>) -> Value {
        match value {
            Value::Object(object) => {
                let mut members: Vec<(Arc<str>, Value)> = Vec::new();
                for (name, value) in object.iter() {
                    let field = schema.and_then(|schema| schema.field(name));
                    let fate = fate(name, field);
                    if fate != Fate::Drop {
                        let shown = Arc::from(self.read(name));
                        members.push((shown, self.member(value, fate, inner(field, schema))));
                    }
                }
                Value::object(members)
            }
            Value::List(items) => Value::list(items.iter().map(|item| self.value(item, schema)).collect()),
            Value::Text(text) => Value::text(self.read(text)),
            other => other.clone(),
        }
    }

    fn member(&self, value: &Value, fate: Fate, schema: Option<&'static Schema>) -> Value {
        match (fate, value) {
            (Fate::Keep, value) => value.clone(),
            (Fate::Nought, Value::Text(text)) => Value::text(noughts(text)),
            (Fate::Nought, Value::Number(_)) => Value::from(0_usize),
            (Fate::Replace(kind), Value::Text(text)) => Value::text(self.stand_in(kind, text)),
            (Fate::Replace(kind), Value::Number(number)) => {
                let text = self.stand_in(kind, &number.to_string());
                // It stays a number where it still is one.
                let plain = !text.starts_with('0') && text.bytes().all(|digit| digit.is_ascii_digit());
                match Value::from_json(&text) {
                    Ok(number @ Value::Number(_)) if plain => number,
                    _ => Value::text(text),
                }
            }
            // Whatever stands in a personal field is somebody's.
            (Fate::Replace(kind), Value::List(items)) => {
                Value::list(items.iter().map(|item| self.member(item, fate_of(kind), schema)).collect())
            }
            (Fate::Replace(_), Value::Object(object)) => {
                let member = |(name, value): (&Arc<str>, &Value)| {
                    let kind = kind_of(name).unwrap_or(Kind::Other);
                    (Arc::clone(name), self.member(value, fate_of(kind), schema))
                };
                Value::object(object.iter().map(member).collect())
            }
            (_, value) => self.value(value, schema),
        }
    }

    /// What stands in for a personal value: the same for the same, whatever the fields are in which it stands.
    fn stand_in(&self, kind: Kind, text: &str) -> String {
        let kind = self.kinds.get(&plain(text)).copied().unwrap_or(kind);
        self.stand_ins.of(kind, text)
    }

    /// A free text with what looks personal in it replaced.
    fn read(&self, text: &str) -> String {
        let by = |look, found: &str| self.stand_ins.of(of_look(look), found);
        let mut text = personal::replaced(text, &by);
        for known in &self.known {
            let found = |_: &Captures<'_>| self.stand_in(known.kind, &known.text);
            text = known.pattern.replace_all(&text, found).into_owned();
        }
        text
    }
}

pub(super) fn of_look(look: Look) -> Kind {
    match look {
        Look::Email => Kind::Email,
        Look::Address => Kind::Address,
        Look::Phone => Kind::Phone,
    }
}

/// What two values have in common that have one stand-in.
fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

fn fate_of(kind: Kind) -> Fate {
    Fate::Replace(kind)
}

fn noughts(text: &str) -> String {
    text.chars().map(|sign| if sign.is_numeric() { '0' } else { sign }).collect()
}

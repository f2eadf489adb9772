//! A record without the people in it: fields by the schema's data class, all others by their names and by what they hold.

use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use zaprun_core::record::{Class, Field, FieldType, Schema};
use zaprun_core::value::Value;

use super::stand_ins::{Kind, StandIns};

/// Shorter names are parts of too many words to be looked for in other texts.
const LEAST_NAME: usize = 3;

/// The record with stand-ins.
pub(super) fn replaced(record: &Value, schema: Option<&'static Schema>, stand_ins: &StandIns) -> Value {
    let mut known = Vec::new();
    collect(record, schema, &mut known);
    // Longer ones first: a full name before its parts.
    known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    known.dedup();
    let pattern = |(text, kind): (String, Kind)| {
        let pattern = Regex::new(&format!(r"(?i)\b{}\b", regex::escape(&text))).ok()?;
        Some(Known { pattern, text, kind })
    };
    let walk = Walk { stand_ins, known: known.into_iter().filter_map(pattern).collect() };
    walk.value(record, schema)
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
        () if has("ipaddress") || has("ip_address") || lower == "ip" => Kind::Address,
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
                if let (Fate::Replace(kind), Value::Text(text)) = (fate(name, field), value) {
                    let worth = !matches!(kind, Kind::Other | Kind::City | Kind::Birthday);
                    if worth && text.trim().chars().count() >= LEAST_NAME {
                        known.push((text.trim().to_owned(), kind));
                    }
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
            (Fate::Replace(kind), Value::Text(text)) => Value::text(self.stand_ins.of(kind, text)),
            (Fate::Replace(kind), Value::Number(number)) => {
                let text = self.stand_ins.of(kind, &number.to_string());
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

    /// A free text with what looks personal in it replaced.
    fn read(&self, text: &str) -> String {
        static EMAIL: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+").ok());
        static ADDRESS: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"\b(?:\d{1,3}\.){3}\d{1,3}\b").ok());
        static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"(?:\+\d[\d ().-]{7,}\d|\(\d{3}\) ?\d{3}[ .-]?\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b)")
                .ok()
        });
        let mut text = text.to_owned();
        for (pattern, kind) in [(&EMAIL, Kind::Email), (&ADDRESS, Kind::Address), (&PHONE, Kind::Phone)] {
            if let Some(pattern) = pattern.as_ref() {
                let found = |found: &Captures<'_>| self.stand_ins.of(kind, &found[0]);
                text = pattern.replace_all(&text, found).into_owned();
            }
        }
        for known in &self.known {
            let found = |_: &Captures<'_>| self.stand_ins.of(known.kind, &known.text);
            text = known.pattern.replace_all(&text, found).into_owned();
        }
        text
    }
}

fn fate_of(kind: Kind) -> Fate {
    Fate::Replace(kind)
}

fn noughts(text: &str) -> String {
    text.chars().map(|sign| if sign.is_numeric() { '0' } else { sign }).collect()
}

//! What of a record must not be seen. Plans are posted where many read them.
//!
//! Of each record a twin is made, in which everything personal is replaced by something else of the same shape. A text
//! of a request may be shown only where the twin gives the same text, once the personal values that stand in it as they
//! are have been replaced by the names of their fields. So what a template made of personal data, a hash or a part of
//! it, is not shown either, however it was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use zaprun_core::record::{CUSTOMER, Class, FieldType, ORDER, Schema, TRANSACTION};
use zaprun_core::rehearsal::Occasion;
use zaprun_core::value::{Decimal, Value};
use zaprun_core::zap::Zap;

use crate::commands::personal;

/// Parts of names by which personal data goes where no schema tells.
const WORDS: &[&str] = &[
    "mail",
    "phone",
    "mobile",
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "customername",
    "buyer",
    "recipient",
    "address",
    "street",
    "city",
    "zip",
    "postal",
    "postcode",
    "birth",
    "ssn",
    "taxid",
    "iban",
    "ipaddr",
    "company",
];

/// A value this short is replaced only where it stands alone.
const SHORT: usize = 4;

/// The personal values of a record.
pub(super) struct Veil {
    own: Values,
    twins: Values,
    /// The same occasion with everything personal replaced.
    pub(super) twin: Occasion,
}

/// Personal values and the names of their fields.
#[derive(Default)]
struct Values {
    names: BTreeMap<String, String>,
    pattern: Option<Regex>,
}

/// Stand-ins for what cannot be shown: the same for the same.
#[derive(Debug, Default)]
pub(super) struct StandIns(BTreeMap<String, usize>);

impl StandIns {
    /// What stands for a text.
    pub(super) fn of(&mut self, text: &str) -> String {
        let next = self.0.len() + 1;
        format!("‹personal {}›", self.0.entry(text.to_owned()).or_insert(next))
    }
}

impl Veil {
    /// What of an occasion is personal to a zap. What is in the project's own files is `known` to all its readers: of it
    /// only what is personal by its name, or by the schema, is.
    pub(super) fn over(occasion: &Occasion, zap: &Zap, known: bool) -> Veil {
        let mut walk = Walk { known, own: Values::default(), twins: Values::default() };
        let mut twin = occasion.clone();
        twin.record = occasion.record.as_deref().map(|record| walk.bytes(record, zap.trigger.schema()));
        if !known {
            twin.context = occasion.context.as_deref().map(|context| walk.bytes(context, None));
            // The rows of the CRM are known by ids.
            if zap.trigger.schema().is_none() {
                twin.key = occasion.key.as_deref().map(|key| walk.text("event.key", key));
            }
        }
        let (own, twins) = (walk.own.ready(), walk.twins.ready());
        Veil { own, twins, twin }
    }

    /// A text that may be seen. `twin` is what the twin of the record gave in its place; `fixed`: it does not depend on
    /// the record.
    pub(super) fn shown(
        &self,
        text: &str,
        twin: Option<&str>,
        fixed: bool,
        class: Class,
        stand_ins: &mut StandIns,
    ) -> String {
        if fixed {
            return text.to_owned();
        }
        let replaced = self.own.replaced(text);
        let same = twin.is_some_and(|twin| self.twins.replaced(twin) == replaced);
        // What a person's field takes is personal wherever it is from.
        let bare = class != Class::Plain && replaced == text && !text.is_empty();
        if same && !bare { replaced } else { stand_ins.of(text) }
    }
}

impl Values {
    fn add(&mut self, name: &str, value: &str) {
        // A single letter stands everywhere.
        if value.chars().count() > 1 {
            self.names.entry(value.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    fn ready(mut self) -> Self {
        let mut values: Vec<&String> = self.names.keys().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let alternatives: Vec<String> = values.into_iter().map(|value| pattern(value)).collect();
        if !alternatives.is_empty() {
            self.pattern = Regex::new(&alternatives.join("|")).ok();
        }
        self
    }

    fn replaced(&self, text: &str) -> String {
        let Some(pattern) = &self.pattern else { return text.to_owned() };
        let name = |found: &regex::Captures<'_>| {
            let value = found.get(0).map_or("", |found| found.as_str());
            self.names.get(value).map_or_else(|| "‹personal›".to_owned(), |name| format!("‹{name}›"))
        };
        pattern.replace_all(text, name).into_owned()
    }
}

fn pattern(value: &str) -> String {
    let escaped = regex::escape(value);
    if value.chars().count() >= SHORT {
        return escaped;
    }
    let edge = |sign: Option<char>| if sign.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
    format!("{}{escaped}{}", edge(value.chars().next()), edge(value.chars().next_back()))
}

struct Walk {
    known: bool,
    own: Values,
    twins: Values,
}

impl Walk {
    /// The twin of a record.
    fn bytes(&mut self, bytes: &[u8], schema: Option<&Schema>) -> Vec<u8> {
        let read = std::str::from_utf8(bytes).ok().and_then(|text| Value::from_json(text).ok());
        // What cannot be read goes through no zap.
        let Some(value) = read else { return bytes.to_vec() };
        let twin = match schema {
            Some(schema) => self.row(&value, schema),
            None => self.any("record", &value, false),
        };
        twin.to_json().map_or_else(|_| bytes.to_vec(), String::into_bytes)
    }

    fn row(&mut self, row: &Value, schema: &Schema) -> Value {
        let Value::Object(members) = row else { return self.any("record", row, true) };
        let member = |(name, value): (&Arc<str>, &Value)| {
            let twin = match schema.field(name) {
                Some(field) => match field.ty {
                    FieldType::List(inner) => self.rows(name, value, inner),
                    FieldType::Text | FieldType::Any if field.class == Class::Plain => self.free(name, value),
                    _ if field.class == Class::Plain => value.clone(),
                    _ => self.any(name, value, true),
                },
                None => self.any(name, value, false),
            };
            (Arc::clone(name), twin)
        };
        Value::object(members.iter().map(member).collect())
    }

    /// What stands in a field that anybody may fill: all of a text in which something looks personal is, since who that
    /// is stands beside it.
    fn free(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Text(text) if !self.known && personal::is_in(text) => Value::text(self.text(name, text)),
            Value::Object(_) | Value::List(_) => self.any(name, value, false),
            other => other.clone(),
        }
    }

    /// A list of rows, or rows by their ids.
    fn rows(&mut self, name: &str, value: &Value, schema: &Schema) -> Value {
        match value {
            Value::List(items) => Value::list(items.iter().map(|item| self.row(item, schema)).collect()),
            Value::Object(members) => Value::object(
                members.iter().map(|(key, item)| (Arc::clone(key), self.row(item, schema))).collect(),
            ),
            other => self.any(name, other, false),
        }
    }

    /// A value of which no schema tells. `personal`: all of it is.
    fn any(&mut self, name: &str, value: &Value, personal: bool) -> Value {
        let personal = personal || is_personal(name);
        match value {
            Value::Object(members) => Value::object(
                members
                    .iter()
                    .map(|(name, item)| (Arc::clone(name), self.any(name, item, personal)))
                    .collect(),
            ),
            Value::List(items) => {
                Value::list(items.iter().map(|item| self.any(name, item, personal)).collect())
            }
            Value::Text(text) if personal || !self.known => Value::text(self.text(name, text)),
            Value::Number(number) if personal || !self.known && number.to_string().len() > SHORT => {
                let twin = self.text(name, &number.to_string());
                Decimal::parse(&twin).map_or(Value::Null, Value::Number)
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        let twin = twin(name, text);
        self.own.add(name, text);
        self.twins.add(name, &twin);
        twin
    }
}

/// Whether what goes by this name is personal more often than not.
fn is_personal(name: &str) -> bool {
    let bare =
        |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let name = bare(name);
    let in_a_row = |schema: &Schema| {
        schema.fields.iter().any(|field| field.class != Class::Plain && bare(field.name) == name)
    };
    [&ORDER, &TRANSACTION, &CUSTOMER].into_iter().any(in_a_row)
        || WORDS.iter().any(|word| name.contains(word))
}

/// Another text of the same shape: letters stay letters, digits digits, and the rest as it is.
fn twin(name: &str, text: &str) -> String {
    if name.to_lowercase().ends_with("country") {
        return match text {
            "US" => "CA".to_owned(),
            _ => "US".to_owned(),
        };
    }
    let turned = |sign: char| match sign {
        'a'..='y' | 'A'..='Y' | '1'..='8' => char::from_u32(u32::from(sign) + 1).unwrap_or(sign),
        'z' => 'a',
        'Z' => 'A',
        '9' | '0' => '1',
        'ö' => 'ü',
        other if other.is_alphabetic() => 'ö',
        other => other,
    };
    text.chars().map(turned).collect()
}

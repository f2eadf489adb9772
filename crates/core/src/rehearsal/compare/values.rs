//! Values and pairs beside each other.

use super::{At, Difference};
use crate::value::{Decimal, Value};

/// A value as JSON. What is compared has nothing absent in it, so it always has one.
pub(super) fn json_text(value: &Value) -> String {
    value.to_json().unwrap_or_default()
}

/// Compares JSON: maps in part unless `exact`, lists member by member, numbers by value.
pub(super) fn value(at: &At, expected: &Value, got: &Value, exact: bool, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (name, expected) in wanted.iter() {
                let at = member(at, name);
                match there.get(name) {
                    Some(got) => value(&at, expected, got, exact, found),
                    None => {
                        let difference = Difference::new(&at.place, json_text(expected), "nothing");
                        found.push(difference.fix(&at, None));
                    }
                }
            }
            for (name, more) in there.iter().filter(|(name, _)| exact && wanted.get(name).is_none()) {
                let at = member(at, name);
                let difference = Difference::new(&at.place, "nothing", json_text(more));
                found.push(difference.fix(&at, more.clone()));
            }
        }
        (Value::List(wanted), Value::List(there)) if wanted.len() == there.len() => {
            for (number, (expected, got)) in wanted.iter().zip(there.iter()).enumerate() {
                value(&at.of_list(number), expected, got, exact, found);
            }
        }
        (Value::List(wanted), Value::List(there)) => {
            let words = |members: &[Value], whole: &Value| {
                let many = if members.len() == 1 { "member" } else { "members" };
                format!("{} {many}: {}", members.len(), json_text(whole))
            };
            let difference = Difference::new(&at.place, words(wanted, expected), words(there, got));
            found.push(difference.fix(at, got.clone()));
        }
        _ if expected == got => {}
        _ => {
            let difference = Difference::new(&at.place, json_text(expected), json_text(got));
            found.push(difference.fix(at, got.clone()));
        }
    }
}

/// `place.name`, or `place["odd name"]`.
fn member(at: &At, name: &str) -> At {
    let plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-' | '$');
    let member = at.part(name);
    if !name.is_empty() && name.chars().all(plain) {
        return member;
    }
    member.shown(format!("{}[{}]", at.place, json_text(&Value::text(name))))
}

/// Compares pairs of texts with a map: in part unless `exact`; a list is the values of a repeated name, null one that is
/// not there.
pub(super) fn pairs(
    at: &At,
    expected: &Value,
    got: &[(String, String)],
    exact: bool,
    found: &mut Vec<Difference>,
) {
    let Some(wanted) = expected.as_object() else { return };
    for (name, expected) in wanted.iter() {
        let there: Vec<&str> =
            got.iter().filter(|(known, _)| *known == **name).map(|(_, value)| value.as_str()).collect();
        let same = match expected {
            Value::Null => there.is_empty(),
            Value::List(values) => {
                values.len() == there.len()
                    && values.iter().zip(&there).all(|(expected, got)| is_text_of(expected, got))
            }
            single => matches!(there.as_slice(), [got] if is_text_of(single, got)),
        };
        if !same {
            let wanted = if expected.is_missing() { "nothing".to_owned() } else { json_text(expected) };
            let at = member(at, name);
            let to = match there.as_slice() {
                [] => None,
                // A number stays one, where it is as exact.
                [one] if matches!(expected, Value::Number(_)) => Some(number(one)),
                there => Some(of_texts(there)),
            };
            found.push(Difference::new(&at.place, wanted, texts(&there)).fix(&at, to));
        }
    }
    if !exact {
        return;
    }
    let mut told: Vec<&str> = Vec::new();
    for (name, _) in got.iter().filter(|(name, _)| wanted.get(name).is_none()) {
        if !told.contains(&name.as_str()) {
            told.push(name);
            let there: Vec<&str> =
                got.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
            let at = member(at, name);
            found.push(Difference::new(&at.place, "nothing", texts(&there)).fix(&at, of_texts(&there)));
        }
    }
}

fn of_texts(texts: &[&str]) -> Value {
    match texts {
        [one] => Value::text(*one),
        more => Value::list(more.iter().map(|text| Value::text(*text)).collect()),
    }
}

fn number(text: &str) -> Value {
    Decimal::parse(text).map_or_else(|_| Value::text(text), Value::Number)
}

fn texts(texts: &[&str]) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [one] => json_text(&Value::text(*one)),
        more => json_text(&Value::list(more.iter().map(|text| Value::text(*text)).collect())),
    }
}

/// Whether a text is how a value is written: a number by its value, a map or list as JSON.
fn is_text_of(expected: &Value, got: &str) -> bool {
    match expected {
        Value::Number(number) => Decimal::parse(got).is_ok_and(|got| got == *number),
        Value::Object(_) => Value::from_json(got).is_ok_and(|got| got == *expected),
        Value::List(_) | Value::Null => false,
        other => other.to_text().is_ok_and(|text| text == got),
    }
}

/// Compares one text.
pub(super) fn same_text(at: &At, expected: &Value, got: Option<String>, found: &mut Vec<Difference>) {
    let same = got.as_deref().is_some_and(|got| is_text_of(expected, got));
    if !same {
        let to = got.as_deref().map(Value::text);
        let got = got.map_or_else(|| "nothing".to_owned(), |got| json_text(&Value::text(got)));
        found.push(Difference::new(&at.place, json_text(expected), got).fix(at, to));
    }
}

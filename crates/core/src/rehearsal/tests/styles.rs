//! Expectations written in any of the ways that YAML has, beside any other value: after the rewrite they hold, and what
//! was right, and what was said of what stays, stands as it did.

use std::sync::Arc;

use proptest::prelude::*;

use super::updates::{rewritten_of, text};
use crate::value::Value;

/// Sends the record as it is.
const ZAP: &str = r#"name: z
trigger: { type: webhook, connection: form, path: /hooks/form, key: "{{ record.id }}" }
actions:
  - { id: post, type: http, connection: sink, json: "{{ record }}" }
"#;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![Just("7"), Just("1.50"), Just("-3"), Just("0")];
    let scalar = prop_oneof![
        4 => text().prop_map(Value::text),
        2 => "[a-z]{1,6}".prop_map(Value::text),
        2 => number.prop_map(|digits| Value::from_json(digits).unwrap()),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        let member = (proptest::sample::select(vec!["a", "b", "c", "odd key", "7"]), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::list),
            proptest::collection::vec(member, 0..4).prop_map(object),
        ]
    })
}

fn object(members: Vec<(&str, Value)>) -> Value {
    let mut all: Vec<(Arc<str>, Value)> = Vec::new();
    for (name, value) in members {
        if all.iter().all(|(known, _)| **known != *name) {
            all.push((Arc::from(name), value));
        }
    }
    Value::object(all)
}

/// What decides between several ways, one after the other.
struct Choices<'c>(&'c [u8], usize);

impl Choices<'_> {
    fn of(&mut self, many: u8) -> u8 {
        self.1 += 1;
        self.0.get(self.1 % self.0.len().max(1)).copied().unwrap_or(0) % many
    }
}

/// The value with some of its parts gone, others in their place, and others added.
fn mixed(value: &Value, other: &Value, choices: &mut Choices<'_>) -> Value {
    match (value, choices.of(5)) {
        (_, 0) => other.clone(),
        (Value::Object(members), 1..=3) => {
            let mut all: Vec<(Arc<str>, Value)> = Vec::new();
            for (name, value) in members.iter() {
                match choices.of(5) {
                    0 => {}
                    1 | 2 => all.push((name.clone(), mixed(value, other, choices))),
                    _ => all.push((name.clone(), value.clone())),
                }
            }
            if choices.of(3) == 0 {
                all.push((Arc::from("more"), other.clone()));
            }
            Value::object(all)
        }
        (Value::List(items), 1..=3) => {
            let mut all = Vec::new();
            for item in items.iter() {
                match choices.of(6) {
                    0 => {}
                    1 => all.extend([other.clone(), item.clone()]),
                    2 | 3 => all.push(mixed(item, other, choices)),
                    _ => all.push(item.clone()),
                }
            }
            Value::list(all)
        }
        (value, _) => value.clone(),
    }
}

/// A value as YAML, in ways that the choices say.
struct Writer<'c> {
    choices: Choices<'c>,
    comments: usize,
}

impl Writer<'_> {
    fn comment(&mut self) -> String {
        if self.choices.of(2) == 0 {
            return String::new();
        }
        self.comments += 1;
        format!("  # c{}.", self.comments)
    }

    fn scalar(&mut self, value: &Value) -> String {
        let json = value.to_json().unwrap();
        let Some(text) = value.as_text() else { return json };
        let plain = text.len() > 2 && text.bytes().all(|sign| sign.is_ascii_lowercase());
        let plain = plain && !["yes", "nan", "inf", "off", "null", "true", "false"].contains(&text);
        let odd = |sign: char| {
            sign.is_control() || !(' '..='\u{ff}').contains(&sign) || ('\u{7f}'..='\u{a0}').contains(&sign)
        };
        match self.choices.of(3) {
            0 if plain => text.to_owned(),
            1 if !text.contains('\'') && !text.contains(odd) => format!("'{text}'"),
            // JSON's escapes are YAML's, but some signs have to be escaped that JSON takes.
            _ => json
                .chars()
                .map(|sign| {
                    if odd(sign) && u32::from(sign) <= 0xffff {
                        format!("\\u{:04x}", u32::from(sign))
                    } else if odd(sign) {
                        format!("\\U{:08x}", u32::from(sign))
                    } else {
                        sign.to_string()
                    }
                })
                .collect(),
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}: {}", key(name), self.flow(value)))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[ {} ]", items.join(","))
            }
            scalar => self.scalar(scalar),
        }
    }

    /// What follows `key:` at a column, to the end of its lines.
    fn after_key(&mut self, value: &Value, column: usize) -> String {
        let simple = value.as_text().is_some_and(|text| {
            text.len() > 2
                && text
                    .split('\n')
                    .all(|line| !line.is_empty() && line.bytes().all(|sign| sign.is_ascii_lowercase()))
        });
        match value {
            Value::Object(members) if members.iter().len() > 0 && self.choices.of(4) > 0 => {
                format!("{}\n{}", self.comment(), self.members(value, column + 2))
            }
            Value::List(items) if !items.is_empty() && self.choices.of(4) > 0 => {
                let column = if self.choices.of(2) == 0 { column } else { column + 2 };
                format!("{}\n{}", self.comment(), self.items(items, column))
            }
            Value::Text(text) if simple && self.choices.of(3) == 0 => {
                let indent = " ".repeat(column + 2);
                let sign = if text.contains('\n') { "|-" } else { ">-" };
                format!(" {sign}\n{indent}{}\n", text.replace('\n', &format!("\n{indent}")))
            }
            other => format!(" {}{}\n", self.flow(other), self.comment()),
        }
    }

    fn members(&mut self, value: &Value, column: usize) -> String {
        let indent = " ".repeat(column);
        let mut out = String::new();
        for (name, value) in value.as_object().unwrap().iter() {
            if self.choices.of(4) == 0 {
                out.push_str(&format!("{indent}{}\n", self.comment().trim_start()));
            }
            out.push_str(&format!("{indent}{}:{}", key(name), self.after_key(value, column)));
        }
        out
    }

    fn items(&mut self, items: &[Value], column: usize) -> String {
        let indent = " ".repeat(column);
        let mut out = String::new();
        for item in items {
            if self.choices.of(4) == 0 {
                out.push_str(&format!("{indent}{}\n", self.comment().trim_start()));
            }
            let within = match item {
                Value::Object(members) if members.iter().len() > 0 && self.choices.of(4) > 0 => {
                    self.members(item, column + 2)
                }
                Value::List(items) if !items.is_empty() && self.choices.of(4) > 0 => {
                    self.items(items, column + 2)
                }
                other => {
                    out.push_str(&format!("{indent}- {}{}\n", self.flow(other), self.comment()));
                    continue;
                }
            };
            // The first line stands beside the dash, or below it.
            match within.get(column + 2..).filter(|_| self.choices.of(4) > 0) {
                Some(rest) => out.push_str(&format!("{indent}- {rest}")),
                None => out.push_str(&format!("{indent}-\n{within}")),
            }
        }
        out
    }
}

fn key(name: &str) -> String {
    if name.contains(' ') || name == "7" { format!("\"{name}\"") } else { name.to_owned() }
}

/// Whether no member of what is expected is gone, so that every comment still speaks of something.
fn all_stay(wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => {
            wanted.iter().all(|(name, wanted)| there.get(name).is_some_and(|there| all_stay(wanted, there)))
        }
        (Value::List(wanted), Value::List(there)) if wanted.len() == there.len() => {
            wanted.iter().zip(there.iter()).all(|(wanted, there)| all_stay(wanted, there))
        }
        // What is added takes nothing away.
        (Value::List(wanted), Value::List(there)) => {
            let scalar = |item: &Value| item.as_list().is_none() && item.as_object().is_none();
            wanted.len() < there.len() && wanted.iter().all(scalar)
        }
        _ => true,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) if members.iter().len() > 0 => {
            members.iter().map(|(_, value)| leaves(value)).sum()
        }
        Value::List(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// The value with one leaf, counted from the first, replaced; and what was there.
fn one_other(value: &Value, at: &mut usize, by: &Value, was: &mut Value) -> Value {
    match value {
        Value::Object(members) if members.iter().len() > 0 => Value::object(
            members.iter().map(|(name, value)| (name.clone(), one_other(value, at, by, was))).collect(),
        ),
        Value::List(items) if !items.is_empty() => {
            Value::list(items.iter().map(|item| one_other(item, at, by, was)).collect())
        }
        leaf => match at.checked_sub(1) {
            Some(less) => {
                *at = less;
                leaf.clone()
            }
            None => {
                *at = usize::MAX;
                *was = leaf.clone();
                by.clone()
            }
        },
    }
}

const HEAD: &str = r#"zap: z # a
tests:
  # b
  - name: before
    record: fixtures/r.json
    expect: {post: done} # { post: x }
  - name: it # self
    record: fixtures/r.json
    expect:
      # c
      post:
        json: # d
          "#;
const TAIL: &str = r#"  # between
  - { name: after, record: fixtures/r.json, expect: { post: { json: {} } } } # end
"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn in_every_style_it_passes_and_the_rest_stays(
        value in value(), other in value(), choices in proptest::collection::vec(any::<u8>(), 1..64), returns in any::<bool>(),
    ) {
        let wanted = mixed(&value, &other, &mut Choices(&choices, 0));
        let record = format!("{{\"id\":1,\"body\":{}}}", value.to_json().unwrap());
        let mut writer = Writer { choices: Choices(&choices, 7), comments: 0 };
        let body = writer.after_key(&wanted, 10);
        let written = format!("{HEAD}body:{body}{TAIL}");
        let written = if returns { written.replace('\n', "\r\n") } else { written };
        let (text, failing) = rewritten_of(ZAP, &written, &[("zaps/shop/fixtures/r.json", &record)]);
        prop_assert_eq!(failing, "", "{}\nbecame\n{}", written, text);
        let text = if returns {
            prop_assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{:?}", text);
            text.replace("\r\n", "\n")
        } else {
            text
        };
        prop_assert!(text.starts_with(HEAD) && text.ends_with(TAIL), "{}\nbecame\n{}", written, text);
        if all_stay(&wanted, &value) {
            for comment in 1..=writer.comments {
                prop_assert!(text.contains(&format!("# c{comment}.")), "{comment}: {}\nbecame\n{}", written, text);
            }
        }
    }

    #[test]
    fn where_one_value_is_other_no_other_line_is(
        value in value(), by in "[a-z]{4,9}", at in any::<usize>(), choices in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let (mut at, mut was) = (at % leaves(&value), Value::Null);
        let wanted = one_other(&value, &mut at, &Value::text(by), &mut was);
        let record = format!("{{\"id\":1,\"body\":{}}}", value.to_json().unwrap());
        let body = Writer { choices: Choices(&choices, 3), comments: 0 }.after_key(&wanted, 10);
        let written = format!("{HEAD}body:{body}{TAIL}");
        let (text, failing) = rewritten_of(ZAP, &written, &[("zaps/shop/fixtures/r.json", &record)]);
        prop_assert_eq!(failing, "", "{}\nbecame\n{}", written, text);
        let (old, new): (Vec<&str>, Vec<&str>) = (written.lines().collect(), text.lines().collect());
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        // Folded or literal, it has a line for its sign.
        prop_assert!(same + tail + 2 >= old.len() && same + tail + 2 >= new.len(), "{}\nbecame\n{}", written, text);
    }
}

//! Records of which no table says what they hold: those of the zap's tests, varied.

use std::sync::Arc;

use proptest::sample::{select, subsequence};
use proptest::strategy::{Just, Strategy, Union};

use super::members::{Made, Mades, Mode};
use super::rows::{only, within};
use super::texts;
use crate::value::Value;

/// A record with more parts than this is not varied part by part: each part of each case would take its time.
const MOST: usize = 2_000;
/// A list has no more members than so many.
const MOST_ITEMS: usize = 12;

fn size(value: &Value) -> usize {
    let inner = match value {
        Value::Object(object) => object.iter().map(|(_, value)| size(value)).sum(),
        Value::List(items) => items.iter().map(size).sum(),
        _ => 0,
    };
    1 + inner
}

/// A record of a test: in the usual modes with what the other tests have in its members' places, in the odd one with
/// anything.
pub(super) fn varied(record: &Value, others: &[&Value], mode: Mode) -> Mades {
    match mode {
        Mode::Full => only(record.clone()),
        Mode::Odd if size(record) <= MOST => anything(record),
        Mode::Absent | Mode::Null | Mode::Empty | Mode::Usual | Mode::Odd => crossed(record, others),
    }
}

/// Each member as it is, or as another record has it, which may be not at all.
fn crossed(record: &Value, others: &[&Value]) -> Mades {
    let Some(object) = record.as_object() else { return only(record.clone()) };
    let objects: Vec<_> = others.iter().filter_map(|other| other.as_object()).collect();
    let mut names: Vec<Arc<str>> = object.iter().map(|(name, _)| Arc::clone(name)).collect();
    for (name, _) in objects.iter().flat_map(|other| other.iter()) {
        if !names.contains(name) {
            names.push(Arc::clone(name));
        }
    }
    let members: Vec<Mades> = names
        .iter()
        .map(|name| {
            let made = |value: Option<&Value>| Made { value: value.cloned(), odd: Vec::new() };
            let inner: Vec<&Value> = objects.iter().filter_map(|other| other.get(name)).collect();
            let own = match object.get(name) {
                Some(Value::List(items)) => fewer(items, &inner),
                Some(value @ Value::Object(_)) => crossed(value, &inner),
                value => Just(made(value)).boxed(),
            };
            let others: Vec<Made> = objects.iter().map(|other| made(other.get(name))).collect();
            if others.is_empty() {
                return own;
            }
            Union::new_weighted(vec![(2, own), (1, select(others).boxed())]).boxed()
        })
        .collect();
    together(names, members)
}

/// Some of the members that the lists of the tests have in this place, at least one: that a list may be empty only a
/// test can say.
fn fewer(items: &[Value], others: &[&Value]) -> Mades {
    let mut pool: Vec<Value> = items.to_vec();
    for item in others.iter().filter_map(|other| other.as_list()).flatten() {
        if !pool.contains(item) {
            pool.push(item.clone());
        }
    }
    if pool.len() < 2 || items.is_empty() {
        return only(Value::list(items.to_vec()));
    }
    let many = 1..=pool.len().min(MOST_ITEMS);
    subsequence(pool, many).prop_map(|items| Made::usual(Value::list(items))).boxed()
}

pub(super) fn together(names: Vec<Arc<str>>, members: Vec<Mades>) -> Mades {
    members
        .prop_map(move |made| {
            let mut odd = Vec::new();
            let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(names.len());
            for (name, made) in names.iter().zip(made) {
                odd.extend(made.odd.iter().map(|place| within(name, place)));
                members.extend(made.value.map(|value| (Arc::clone(name), value)));
            }
            Made { value: Some(Value::object(members)), odd }
        })
        .boxed()
}

/// The value as it is, or with parts of it gone, of another type, or strange.
fn anything(value: &Value) -> Mades {
    match value {
        Value::Object(object) => {
            let names: Vec<Arc<str>> = object.iter().map(|(name, _)| Arc::clone(name)).collect();
            let members = object.iter().map(|(_, value)| changed(value)).collect();
            together(names, members)
        }
        Value::List(items) => {
            let items: Vec<Mades> = items.iter().map(anything).collect();
            items
                .prop_map(|made| {
                    let place = |(at, made): (usize, &Made)| {
                        made.odd.iter().map(|place| within(&format!("[{at}]"), place)).collect::<Vec<_>>()
                    };
                    let odd = made.iter().enumerate().flat_map(place).collect();
                    let values = made.into_iter().filter_map(|made| made.value).collect();
                    Made { value: Some(Value::list(values)), odd }
                })
                .boxed()
        }
        scalar => changed(scalar),
    }
}

fn changed(value: &Value) -> Mades {
    let odd = |value: Option<Value>| Made { value, odd: vec![String::new()] };
    let inner = match value {
        Value::Object(_) | Value::List(_) => anything(value),
        _ => only(value.clone()),
    };
    let other = match value {
        Value::Text(text) => Value::from_json(text).unwrap_or_else(|_| Value::from(7_i64)),
        Value::Number(number) => Value::text(number.to_string()),
        _ => Value::text("something"),
    };
    let fixed = [None, Some(Value::Null), Some(Value::text("")), Some(other), Some(Value::list(Vec::new()))];
    Union::new_weighted(vec![
        (14, inner),
        (2, select(fixed.map(odd).to_vec()).boxed()),
        (1, texts::usual().prop_map(move |text| odd(Some(Value::text(text)))).boxed()),
        (1, texts::odd().prop_map(move |text| odd(Some(Value::text(text)))).boxed()),
    ])
    .boxed()
}

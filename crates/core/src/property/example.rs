//! What the tests of a zap give, as a place to start from.

use crate::diagnostic::did_you_mean;
use crate::record::ReadSet;
use crate::rehearsal::{Case, Given};
use crate::value::Value;
use crate::zap::{Trigger, Zap};

use super::judge::{End, judge_once};

/// What the tests of a zap give that come to its steps and are not meant to fail there; where there are none, what any
/// of them gives.
pub(super) fn examples<'c>(zap: &Zap, cases: &'c [Case]) -> Vec<&'c Given> {
    let of_zap = cases.iter().filter(|case| case.zap == zap.name);
    let all: Vec<(&Case, &Given)> = of_zap.filter_map(|case| Some((case, case.plain()?))).collect();
    let comes_to_steps = |(case, given): &&(&Case, &Given)| {
        matches!(judge_once(zap, given).end, End::Delivered | End::Dead) && !case.expects_failure()
    };
    let good: Vec<(&Case, &Given)> = all.iter().filter(comes_to_steps).copied().collect();
    let chosen = if good.is_empty() { all } else { good };
    chosen.into_iter().map(|(_, given)| given).collect()
}

/// The members that the zap reads of a record and that no test's record has, although it has one that is spelt nearly
/// so; with that one. Where a table says what a record holds, `validate` has found them.
pub(super) fn misspelt(zap: &Zap, cases: &[Case]) -> Vec<(String, String)> {
    let (ReadSet::Only(read), None) = (&zap.reads, zap.trigger.schema()) else { return Vec::new() };
    let given = cases.iter().filter(|case| case.zap == zap.name).flat_map(|case| case.given.iter());
    let records =
        given.filter_map(|given| given.record.as_ref().or(given.query.as_ref()).and_then(Value::as_object));
    let mut names: Vec<&str> = records.flat_map(|record| record.iter().map(|(name, _)| &**name)).collect();
    names.sort_unstable();
    names.dedup();
    let unknown = read.iter().filter(|name| !names.contains(&&***name));
    unknown
        .filter_map(|name| Some((name.to_string(), did_you_mean(name, names.iter().copied())?.to_owned())))
        .collect()
}

/// Values that a field of the record has in the tests, or with which the filter compares it.
pub(super) fn known(zap: &Zap, examples: &[&Given], field: &str) -> Vec<Value> {
    let record = |given: &&Given| given.record.as_ref().and_then(Value::as_object)?.get(field).cloned();
    let scalar = |value: &Value| match value {
        Value::Text(text) => !text.is_empty(),
        value => value.as_number().is_some(),
    };
    let mut known: Vec<Value> = Vec::new();
    let compared = match zap.trigger {
        Trigger::Crm(_) => compared(zap.written_filter().unwrap_or_default(), field),
        _ => Vec::new(),
    };
    for value in examples.iter().filter_map(record).chain(compared).filter(scalar) {
        if !known.contains(&value) {
            known.push(value);
        }
    }
    known
}

/// The quoted texts of a filter that reads the field.
fn compared(filter: &str, field: &str) -> Vec<Value> {
    let names = filter.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    if !names.into_iter().any(|name| name == field) {
        return Vec::new();
    }
    // Between quotes of either kind, every second part.
    filter.split(['\'', '"']).skip(1).step_by(2).filter(|text| *text != field).map(Value::text).collect()
}

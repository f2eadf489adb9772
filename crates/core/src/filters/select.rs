//! Filters that apply something to each item of a list.

use std::sync::Arc;

use super::args::param;
use super::list::items;
use super::{Call, Fallback, FilterSpec, Output, Param, ParamType, Takes, example};
use crate::expression::ops;
use crate::expression::problem::Fault;
use crate::value::{ABSENT_UNKNOWN, Absence, Kind, Value};

const LIST: &[Kind] = &[Kind::List];
const ORDERS: &str = r#"{"record":{"items":[{"sku":"A","qty":1,"kind":"x"},{"sku":"B","qty":2,"kind":"y"},{"sku":"C","qty":0,"kind":"x"}]}}"#;
const ATTRIBUTE: Param =
    param("attribute", ParamType::Attribute, Fallback::Required, "the member of each item to look at");

const fn on_lists(
    name: &'static str,
    summary: &'static str,
    takes: Takes,
    run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
) -> FilterSpec {
    FilterSpec {
        input: LIST,
        over_lists: false,
        output: Output::Items,
        takes,
        ..FilterSpec::new(name, summary, run)
    }
}

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        params: &[
            ATTRIBUTE,
            param("default", ParamType::Missing, Fallback::Nothing, "what stands for a missing member"),
        ],
        output: Output::Any,
        examples: &[
            example("record.items | map(attribute='sku')", ORDERS, r#"["A","B","C"]"#),
            example("['1.50', '2'] | map('number')", "{}", "[1.50,2]"),
            example("[1.25, 2] | map('round', 1) | sum", "{}", "3.3"),
            example("record.items | map(attribute='note', default='-') | first", ORDERS, r#""-""#),
            example("record.items | map(attribute='note')", ORDERS, "error: `note` of an item is missing"),
            example("[1] | map('uper')", "{}", "error: unknown filter `uper`"),
        ],
        ..on_lists("map", "Gives a member of each item, or what a filter makes of it.", Takes::Filter, map)
    },
    FilterSpec {
        examples: &[
            example("[0, 1, none, 2] | select", "{}", "[1,2]"),
            example("[1, 2, 3] | select('gt', 1)", "{}", "[2,3]"),
            example("['a', none] | select('defined')", "{}", r#"["a"]"#),
            example("['1', '2'] | select('gt', 1)", "{}", "error: cannot be compared"),
        ],
        ..on_lists(
            "select",
            "Keeps the items that pass a test, or that count as true.",
            Takes::Test,
            |call, value| keep(call, value, true),
        )
    },
    FilterSpec {
        examples: &[example("[1, 2, 3] | reject('odd')", "{}", "[2]")],
        ..on_lists(
            "reject",
            "Drops the items that pass a test, or that count as true.",
            Takes::Test,
            |call, value| keep(call, value, false),
        )
    },
    FilterSpec {
        params: &[ATTRIBUTE],
        examples: &[
            example(
                "record.items | selectattr('qty', 'ge', 1) | map(attribute='sku')",
                ORDERS,
                r#"["A","B"]"#,
            ),
            example("record.items | selectattr('qty') | length", ORDERS, "2"),
            example("record.items | selectattr('note', 'defined') | length", ORDERS, "0"),
            example(
                "record.items | selectattr('sku', 'eq', 1)",
                ORDERS,
                "error: text cannot be compared with a number",
            ),
        ],
        ..on_lists(
            "selectattr",
            "Keeps the items of which a member passes a test, or counts as true.",
            Takes::AttributeTest,
            |call, value| keep_by_attribute(call, value, true),
        )
    },
    FilterSpec {
        params: &[ATTRIBUTE],
        examples: &[example(
            "record.items | rejectattr('kind', 'eq', 'x') | map(attribute='sku')",
            ORDERS,
            r#"["B"]"#,
        )],
        ..on_lists(
            "rejectattr",
            "Drops the items of which a member passes a test, or counts as true.",
            Takes::AttributeTest,
            |call, value| keep_by_attribute(call, value, false),
        )
    },
    FilterSpec {
        params: &[
            ATTRIBUTE,
            param("default", ParamType::Missing, Fallback::Nothing, "what stands for a missing member"),
        ],
        output: Output::Any,
        examples: &[
            example("record.items | groupby('kind') | map(attribute='grouper')", ORDERS, r#"["x","y"]"#),
            example(
                "(record.items | groupby('kind') | first).list | map(attribute='sku')",
                ORDERS,
                r#"["A","C"]"#,
            ),
        ],
        ..on_lists(
            "groupby",
            "Gathers items with an equal member: a list of `{grouper, list}`, in the order of first appearance.",
            Takes::Params,
            group_by,
        )
    },
];

fn map(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let items = items(value);
    call.budget.spend(items.len())?;
    let mapped: Result<Vec<Value>, Fault> = items
        .iter()
        .map(|item| match call.attribute(0) {
            Some(_) => member_or_default(call, item),
            None => call.apply(item),
        })
        .collect();
    Ok(Value::list(mapped?))
}

/// The member, or the default for what is missing. A member that is null, or absent though a schema knows it, is
/// null; any other absent one is an error.
fn member_or_default(call: &Call<'_>, item: &Value) -> Result<Value, Fault> {
    let Some(attribute) = call.attribute(0) else { return Ok(item.clone()) };
    let member = attribute.of(item)?;
    match (member, call.value(1)) {
        (missing, Some(default)) if missing.is_missing() => Ok(default.clone()),
        (Value::Absent(Absence::Unknown), None) => attribute.present(item).cloned(),
        (Value::Absent(Absence::Known), None) => Ok(Value::Null),
        (present, _) => Ok(present.clone()),
    }
}

fn keep(call: &Call<'_>, value: &Value, wanted: bool) -> Result<Value, Fault> {
    let mut kept = Vec::new();
    for item in items(value) {
        call.budget.spend(1)?;
        if call.passes(item)? == wanted {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn keep_by_attribute(call: &Call<'_>, value: &Value, wanted: bool) -> Result<Value, Fault> {
    let mut kept = Vec::new();
    for item in items(value) {
        call.budget.spend(1)?;
        let member = call.attribute(0).map_or(Ok(&ABSENT_UNKNOWN), |attribute| attribute.of(item))?;
        if call.passes(member)? == wanted {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn group_by(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in items(value) {
        let key = member_or_default(call, item)?;
        let mut place = None;
        for (at, (known, _)) in groups.iter().enumerate() {
            if ops::equal(known, &key, call.budget)? {
                place = Some(at);
                break;
            }
        }
        match place.and_then(|at| groups.get_mut(at)) {
            Some((_, group)) => group.push(item.clone()),
            None => groups.push((key, vec![item.clone()])),
        }
    }
    let group = |(key, list): (Value, Vec<Value>)| {
        Value::object(vec![(Arc::from("grouper"), key), (Arc::from("list"), Value::list(list))])
    };
    Ok(Value::list(groups.into_iter().map(group).collect()))
}

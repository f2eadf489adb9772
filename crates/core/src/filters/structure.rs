//! Filters for objects and for finding things in values.

use std::sync::Arc;

use super::args::param;
use super::{Call, Fallback, FilterSpec, Output, ParamType, example};
use crate::expression::ops;
use crate::expression::problem::Fault;
use crate::value::{Kind, Object, Value};

const OBJECT: &[Kind] = &[Kind::Object];

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: OBJECT,
        over_lists: false,
        output: Output::Is(Kind::List),
        examples: &[example("{'b': 1, 'a': 2} | items", "{}", r#"[["b",1],["a",2]]"#)],
        ..FilterSpec::new("items", "Gives an object's members as pairs, in order.", |_, value| {
            Ok(Value::list(members(value).map(|(name, value)| pair(name, value)).collect()))
        })
    },
    FilterSpec {
        input: OBJECT,
        over_lists: false,
        output: Output::Is(Kind::List),
        params: &[
            param(
                "by",
                ParamType::Choice(&["key", "value"]),
                Fallback::Text("key"),
                "what to sort by: `key` or `value`",
            ),
            param("reverse", ParamType::Bool, Fallback::Bool(false), "whether the largest comes first"),
        ],
        examples: &[
            example("{'b': 1, 'a': 2} | dictsort", "{}", r#"[["a",2],["b",1]]"#),
            example("{'b': 1, 'a': 2} | dictsort('value')", "{}", r#"[["b",1],["a",2]]"#),
            example("{'b': 1, 'a': '2'} | dictsort('value')", "{}", "error: cannot be compared"),
        ],
        ..FilterSpec::new("dictsort", "Gives an object's members as sorted pairs.", dict_sort)
    },
    FilterSpec {
        over_lists: false,
        params: &[param(
            "name",
            ParamType::Any,
            Fallback::Required,
            "the member's name, or a list's position",
        )],
        examples: &[
            example("{'a b': 1} | attr('a b')", "{}", "1"),
            example("[7, 8] | attr(1)", "{}", "8"),
            example("{} | attr('x') | default(0)", "{}", "0"),
        ],
        may_find_nothing: true,
        ..FilterSpec::new("attr", "Gives a member by its name, or nothing.", attr)
    },
    FilterSpec {
        over_lists: false,
        params: &[param("path", ParamType::Path, Fallback::Required, "the JSONPath, where `$` is the value")],
        examples: &[
            example(
                "record | jsonpath('$.items[0].price')",
                r#"{"record":{"items":[{"price":19.90}]}}"#,
                "19.90",
            ),
            example(
                "record | jsonpath('$.items[?@.qty > 1].sku')",
                r#"{"record":{"items":[{"sku":"A","qty":1},{"sku":"B","qty":2}]}}"#,
                r#"["B"]"#,
            ),
            example("record | jsonpath('$.none') | default('-')", r#"{"record":{}}"#, r#""-""#),
            example("record | jsonpath('items')", r#"{"record":{}}"#, "error: JSONPath"),
        ],
        ..FilterSpec::new(
            "jsonpath",
            "Finds what a JSONPath selects: a value, or a list if the path may give several.",
            |call, value| call.path(0)?.find(value).map(std::borrow::Cow::into_owned),
        )
    },
    FilterSpec {
        input: OBJECT,
        over_lists: false,
        output: Output::Is(Kind::List),
        examples: &[
            example(
                "{'sku': ['A', 'B'], 'qty': [1, 2]} | zip_objects",
                "{}",
                r#"[{"sku":"A","qty":1},{"sku":"B","qty":2}]"#,
            ),
            example("{'sku': ['A'], 'qty': [1, 2]} | zip_objects", "{}", "error: lists of different lengths"),
        ],
        ..FilterSpec::new(
            "zip_objects",
            "Makes a list of objects from an object of lists of one length.",
            zip_objects,
        )
    },
    FilterSpec {
        input: &[Kind::Text, Kind::Number],
        params: &[
            param(
                "table",
                ParamType::Table,
                Fallback::Required,
                "the table: `accounts` for tables/accounts.csv or tables/accounts.yaml",
            ),
            param(
                "default",
                ParamType::Missing,
                Fallback::Nothing,
                "what stands for a key that the table does not have; without it such a key is an error",
            ),
            param(
                "column",
                ParamType::Text,
                Fallback::Nothing,
                "the column, where the table has several beside the key",
            ),
        ],
        examples: &[
            example("'VITC' | lookup('accounts')", "{}", r#""4000""#),
            example("record.sku | lookup('accounts', '4999')", r#"{"record":{"sku":"NEW"}}"#, r#""4999""#),
            example(
                "record.sku | lookup('accounts')",
                r#"{"record":{"sku":"NEW"}}"#,
                "error: has no row for the key",
            ),
            example("['VITC', 'ZINC'] | lookup('products', column='weight')", "{}", "[0.25,1.10]"),
            example("'VITC' | lookup('products')", "{}", "error: has the columns"),
            example("'VITC' | lookup('products', column='wieght')", "{}", "error: no column `wieght`"),
            example("'VITC' | lookup('acounts')", "{}", "error: there is no table `acounts`"),
        ],
        ..FilterSpec::new(
            "lookup",
            "Finds a key in a look-up table of the project: `VITC,4000` is a line of tables/accounts.csv.",
            look_up,
        )
    },
    FilterSpec {
        input: &[Kind::List, Kind::Object],
        over_lists: false,
        output: Output::Any,
        params: &[param("other", ParamType::Any, Fallback::Required, "the list or object that follows")],
        examples: &[
            example("[1, 2] | chain([3])", "{}", "[1,2,3]"),
            example("{'a': 1, 'b': 2} | chain({'b': 3})", "{}", r#"{"a":1,"b":3}"#),
            example("[1] | chain({'b': 3})", "{}", "error: a list and an object do not go together"),
        ],
        ..FilterSpec::new(
            "chain",
            "Joins two lists, or two objects; of a member of both the other's value counts.",
            chain,
        )
    },
];

fn members(value: &Value) -> impl Iterator<Item = (&Arc<str>, &Value)> {
    value.as_object().into_iter().flat_map(Object::iter)
}

fn pair(name: &Arc<str>, value: &Value) -> Value {
    Value::list(vec![Value::Text(Arc::clone(name)), value.clone()])
}

fn dict_sort(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let by_value = call.text(0) == "value";
    let mut pairs: Vec<(&Arc<str>, &Value)> = members(value).collect();
    call.budget.spend(pairs.len().saturating_mul(2))?;
    if by_value {
        for two in pairs.windows(2) {
            if let [(_, first), (_, second)] = two {
                ops::compare(first, second)?;
            }
        }
    }
    pairs.sort_by(|(name_a, a), (name_b, b)| {
        if by_value { ops::compare(a, b).unwrap_or(std::cmp::Ordering::Equal) } else { name_a.cmp(name_b) }
    });
    if call.flag(1) {
        pairs.reverse();
    }
    Ok(Value::list(pairs.into_iter().map(|(name, value)| pair(name, value)).collect()))
}

fn attr(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    use crate::expression::Key;
    let key = match call.value(0) {
        Some(Value::Text(name)) => Key::Name(Arc::clone(name)),
        Some(Value::Number(at)) => {
            Key::At(at.to_i64().ok_or_else(|| Fault::new("a position is a whole number"))?)
        }
        _ => return Err(Fault::new("argument `name` must be text or a whole number")),
    };
    let found = crate::expression::walk(value, &[key]);
    found.cloned().map_err(|kind| Fault::new(format!("{kind} has no members")))
}

fn look_up(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let table = call.table(0)?;
    let key = match value {
        Value::Text(text) => Arc::clone(text),
        other => Arc::from(super::format::as_text(other)?),
    };
    let column = match call.given_text(2) {
        Some(name) => table
            .column(name)
            .ok_or_else(|| Fault::new(format!("the table `{}` has no column `{name}`", table.name())))?,
        None => 0,
    };
    if let Some(found) = table.get(&key, column) {
        return Ok(found.clone());
    }
    let missing = || {
        let fault = Fault::new(format!("the table `{}` has no row for the key", table.name()));
        fault.value(&key).help(format!("add the row, or write a default: lookup('{}', '')", table.name()))
    };
    call.value(1).cloned().ok_or_else(missing)
}

fn chain(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let other = call.value(0).unwrap_or(&Value::Null);
    match (value, other) {
        (Value::List(first), Value::List(second)) => {
            call.budget.spend(first.len().saturating_add(second.len()))?;
            Ok(Value::list(first.iter().chain(second.iter()).cloned().collect()))
        }
        (Value::Object(_), Value::Object(_)) => {
            let mut joined: Vec<(Arc<str>, Value)> = Vec::new();
            for (name, value) in members(value).chain(members(other)) {
                call.budget.spend(joined.len())?;
                match joined.iter_mut().find(|(known, _)| known == name) {
                    Some((_, place)) => *place = value.clone(),
                    None => joined.push((Arc::clone(name), value.clone())),
                }
            }
            Ok(Value::object(joined))
        }
        (one, other) => Err(Fault::new(format!("{} and {} do not go together", one.kind(), other.kind()))),
    }
}

fn zip_objects(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut columns: Vec<(&Arc<str>, &[Value])> = Vec::new();
    for (name, column) in members(value) {
        let column = column
            .as_list()
            .ok_or_else(|| Fault::new(format!("`{name}` is {}, not a list", column.kind())))?;
        columns.push((name, column));
    }
    let length = columns.first().map_or(0, |(_, column)| column.len());
    if columns.iter().any(|(_, column)| column.len() != length) {
        return Err(Fault::new("lists of different lengths"));
    }
    call.budget.spend(length.saturating_mul(columns.len()))?;
    let row = |at: usize| {
        let cells =
            columns.iter().filter_map(|(name, column)| Some((Arc::clone(name), column.get(at)?.clone())));
        Value::object(cells.collect())
    };
    Ok(Value::list((0..length).map(row).collect()))
}

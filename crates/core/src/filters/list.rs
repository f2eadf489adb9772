//! Filters that work on whole lists.

use std::cmp::Ordering;

use super::args::{Attribute, param};
use super::text::nothing;
use super::{Call, Fallback, FilterSpec, Out, Output, Param, ParamType, example};
use crate::expression::ops;
use crate::expression::problem::Fault;
use crate::value::{Kind, Value};

const LIST: &[Kind] = &[Kind::List];
const COUNTED: &[Kind] = &[Kind::List, Kind::Text, Kind::Object];
const ATTRIBUTE: Param =
    param("attribute", ParamType::Attribute, Fallback::Nothing, "the member of each item to go by");
const CASE: Param = param(
    "case_sensitive",
    ParamType::Bool,
    Fallback::Bool(false),
    "whether capitals and small letters differ",
);

const fn on_lists(
    name: &'static str,
    summary: &'static str,
    output: Output,
    run: fn(&Call<'_>, &Value) -> Result<Value, Fault>,
) -> FilterSpec {
    FilterSpec { input: LIST, over_lists: false, output, ..FilterSpec::new(name, summary, run) }
}

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: COUNTED,
        aliases: &["count"],
        examples: &[
            example("[1, 2] | length", "{}", "2"),
            example("'émile' | length", "{}", "5"),
            example("{'a': 1} | count", "{}", "1"),
            example("5 | length", "{}", "error: `length` takes"),
        ],
        hides: true,
        ..on_lists("length", "Counts items, characters or members.", Output::Is(Kind::Number), length)
    },
    FilterSpec {
        input: &[Kind::List, Kind::Text],
        examples: &[
            example("[1, 2] | first", "{}", "1"),
            example("[] | first | default('-')", "{}", r#""-""#),
        ],
        ..on_lists("first", "Gives the first item or character, or nothing.", Output::Item, |_, value| {
            Ok(match value {
                Value::Text(text) => text.chars().next().map(character),
                _ => items(value).first().cloned(),
            }
            .unwrap_or_else(nothing))
        })
    },
    FilterSpec {
        input: &[Kind::List, Kind::Text],
        examples: &[example("[1, 2] | last", "{}", "2"), example("[] | last", "{}", "error: is missing")],
        ..on_lists("last", "Gives the last item or character, or nothing.", Output::Item, |_, value| {
            Ok(match value {
                Value::Text(text) => text.chars().next_back().map(character),
                _ => items(value).last().cloned(),
            }
            .unwrap_or_else(nothing))
        })
    },
    FilterSpec {
        params: &[
            param("separator", ParamType::Text, Fallback::Text(""), "the text between items"),
            ATTRIBUTE,
        ],
        examples: &[
            example("['a', 1, true] | join(', ')", "{}", r#""a, 1, true""#),
            example(
                "record.items | join(' + ', attribute='name')",
                r#"{"record":{"items":[{"name":"A"},{"name":"B"}]}}"#,
                r#""A + B""#,
            ),
            example("[[1]] | join", "{}", "error: no text form"),
        ],
        ..on_lists("join", "Writes the items as one text.", Output::Is(Kind::Text), join)
    },
    FilterSpec {
        input: COUNTED,
        examples: &[
            example("'abc' | list", "{}", r#"["a","b","c"]"#),
            example("{'a': 1} | list", "{}", r#"["a"]"#),
        ],
        ..on_lists("list", "Makes a list of a text's characters or an object's names.", Output::Any, to_list)
    },
    FilterSpec {
        params: &[
            param("reverse", ParamType::Bool, Fallback::Bool(false), "whether the largest comes first"),
            CASE,
            ATTRIBUTE,
        ],
        examples: &[
            example("[3, 1, 2.5] | sort", "{}", "[1,2.5,3]"),
            example("['b', 'A'] | sort", "{}", r#"["A","b"]"#),
            example("['b', 'A', 'a'] | sort(case_sensitive=true)", "{}", r#"["A","a","b"]"#),
            example(
                "record.items | sort(attribute='qty', reverse=true) | map(attribute='qty')",
                r#"{"record":{"items":[{"qty":1},{"qty":3},{"qty":2}]}}"#,
                "[3,2,1]",
            ),
            example("[1, '2'] | sort", "{}", "error: cannot be compared"),
        ],
        ..on_lists("sort", "Sorts a list; equal items keep their order.", Output::Items, sort)
    },
    FilterSpec {
        params: &[CASE, ATTRIBUTE],
        examples: &[
            example("[1, 1.0, 2] | unique", "{}", "[1,2]"),
            example("['a', 'A', 'b'] | unique", "{}", r#"["a","b"]"#),
            example("[1, '1'] | unique", "{}", "error: cannot be compared"),
        ],
        ..on_lists("unique", "Drops items that equal an earlier one.", Output::Items, unique)
    },
    FilterSpec {
        input: &[Kind::List, Kind::Text],
        examples: &[example("[1, 2] | reverse", "{}", "[2,1]"), example("'abc' | reverse", "{}", r#""cba""#)],
        ..on_lists("reverse", "Turns a list or text around.", Output::Same, |_, value| {
            Ok(match value {
                Value::Text(text) => Value::from(text.chars().rev().collect::<String>()),
                _ => Value::list(items(value).iter().rev().cloned().collect()),
            })
        })
    },
    FilterSpec {
        params: &[CASE, ATTRIBUTE],
        examples: &[
            example("[10, 9.5] | min", "{}", "9.5"),
            example("['10', 9] | min", "{}", "error: cannot be compared"),
        ],
        ..on_lists("min", "Gives the smallest item, or nothing.", Output::Item, |call, value| {
            extreme(call, value, Ordering::Less)
        })
    },
    FilterSpec {
        params: &[CASE, ATTRIBUTE],
        examples: &[example("[10, 9.5] | max", "{}", "10"), example("[] | max | default(0)", "{}", "0")],
        ..on_lists("max", "Gives the largest item, or nothing.", Output::Item, |call, value| {
            extreme(call, value, Ordering::Greater)
        })
    },
    FilterSpec {
        params: &[
            param("size", ParamType::Whole, Fallback::Required, "items of each list"),
            param("fill", ParamType::Any, Fallback::Nothing, "what fills the last list"),
        ],
        examples: &[
            example("[1, 2, 3] | batch(2)", "{}", "[[1,2],[3]]"),
            example("[1, 2, 3] | batch(2, 0)", "{}", "[[1,2],[3,0]]"),
        ],
        ..on_lists("batch", "Cuts a list into lists of one size.", Output::Any, batch)
    },
    FilterSpec {
        params: &[
            param("count", ParamType::Whole, Fallback::Required, "number of lists"),
            param("fill", ParamType::Any, Fallback::Nothing, "what fills the shorter lists"),
        ],
        examples: &[
            example("[1, 2, 3] | slice(2)", "{}", "[[1,2],[3]]"),
            example("[1, 2, 3] | slice(2, 0)", "{}", "[[1,2],[3,0]]"),
        ],
        ..on_lists("slice", "Cuts a list into so many lists.", Output::Any, slice)
    },
    FilterSpec {
        params: &[
            param("other", ParamType::List, Fallback::Required, "the second list"),
            param("third", ParamType::List, Fallback::Nothing, "a third list"),
        ],
        examples: &[
            example("['a', 'b'] | zip([1, 2])", "{}", r#"[["a",1],["b",2]]"#),
            example("['a'] | zip([1, 2])", "{}", "error: lists of different lengths"),
        ],
        ..on_lists("zip", "Pairs the items of lists of one length.", Output::Any, zip)
    },
];

/// The input's kind was checked.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_list().unwrap_or_default()
}

fn character(character: char) -> Value {
    Value::from(character.to_string())
}

fn length(_: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    Ok(Value::from(match value {
        Value::Text(text) => text.chars().count(),
        Value::Object(object) => object.len(),
        _ => items(value).len(),
    }))
}

/// The parts of a call that say what items are gone by.
struct By<'c> {
    attribute: Option<&'c Attribute>,
    case_sensitive: bool,
}

impl By<'_> {
    /// What an item is gone by; small letters stand for capitals unless they differ.
    fn key(&self, item: &Value) -> Result<Value, Fault> {
        let key = match self.attribute {
            Some(attribute) => attribute.present(item)?,
            None if item.is_missing() => return Err(Fault::new("an item is missing")),
            None => item,
        };
        Ok(match key {
            Value::Text(text) if !self.case_sensitive => Value::from(text.to_lowercase()),
            other => other.clone(),
        })
    }
}

fn join(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut out = Out::new(call.budget);
    let mut item_text = String::new();
    for (at, item) in items(value).iter().enumerate() {
        let item = match call.attribute(1) {
            Some(attribute) => attribute.present(item)?,
            None => item,
        };
        if item.is_missing() {
            return Err(Fault::new("an item is missing").help("leave it out with `| select('defined')`"));
        }
        if at > 0 {
            out.push(call.text(0))?;
        }
        item_text.clear();
        ops::append_text(item, &mut item_text)?;
        out.push(&item_text)?;
    }
    Ok(out.finish())
}

fn to_list(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    Ok(match value {
        Value::Text(text) => {
            call.budget.spend(text.len())?;
            Value::list(text.chars().map(character).collect())
        }
        Value::Object(object) => {
            Value::list(object.iter().map(|(name, _)| Value::text(name.clone())).collect())
        }
        other => other.clone(),
    })
}

fn sort(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let by = By { attribute: call.attribute(2), case_sensitive: call.flag(1) };
    let sorted = sorted(call, items(value), &by)?;
    let in_order = sorted.into_iter().map(|(_, item)| item);
    Ok(Value::list(if call.flag(0) { reversed_stable(in_order.collect(), &by)? } else { in_order.collect() }))
}

/// Items with what they are gone by, in ascending order.
fn sorted(call: &Call<'_>, items: &[Value], by: &By<'_>) -> Result<Vec<(Value, Value)>, Fault> {
    call.budget.spend(items.len().saturating_mul(2))?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((by.key(item)?, item.clone()));
    }
    // Comparing each neighbour first finds every pair of kinds that has no order, for kinds are few and equal
    // kinds are comparable throughout.
    for pair in keyed.windows(2) {
        if let [(first, _), (second, _)] = pair {
            ops::compare(first, second)?;
        }
    }
    keyed.sort_by(|(a, _), (b, _)| ops::compare(a, b).unwrap_or(Ordering::Equal));
    Ok(keyed)
}

/// The reverse order in which equal items keep theirs.
fn reversed_stable(ascending: Vec<Value>, by: &By<'_>) -> Result<Vec<Value>, Fault> {
    let mut runs: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in ascending {
        let key = by.key(&item)?;
        match runs.last_mut() {
            Some((last, run)) if ops::compare(last, &key)?.is_eq() => run.push(item),
            _ => runs.push((key, vec![item])),
        }
    }
    Ok(runs.into_iter().rev().flat_map(|(_, run)| run).collect())
}

fn unique(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let by = By { attribute: call.attribute(1), case_sensitive: call.flag(0) };
    let mut keys: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    for item in items(value) {
        let key = by.key(item)?;
        let mut repeated = false;
        for earlier in &keys {
            if ops::equal(earlier, &key, call.budget)? {
                repeated = true;
                break;
            }
        }
        if !repeated {
            keys.push(key);
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn extreme(call: &Call<'_>, value: &Value, wanted: Ordering) -> Result<Value, Fault> {
    let by = By { attribute: call.attribute(1), case_sensitive: call.flag(0) };
    call.budget.spend(items(value).len())?;
    let mut best: Option<(Value, &Value)> = None;
    for item in items(value) {
        let key = by.key(item)?;
        let better = match &best {
            Some((held, _)) => ops::compare(&key, held)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(nothing, |(_, item)| item.clone()))
}

fn batch(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let size = positive(call.whole(0), "size")?;
    let mut batches: Vec<Vec<Value>> = items(value).chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (call.value(1), batches.last_mut()) {
        call.budget.spend(size.saturating_sub(last.len()))?;
        last.resize(size, fill.clone());
    }
    Ok(Value::list(batches.into_iter().map(Value::list).collect()))
}

fn slice(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let count = positive(call.whole(0), "count")?;
    call.budget.spend(count)?;
    let items = items(value);
    let (short, longer) = (items.len() / count, items.len() % count);
    let mut slices = Vec::with_capacity(count);
    let mut rest = items;
    for at in 0..count {
        // The lengths add up to the whole.
        let (part, after) = rest.split_at((short + usize::from(at < longer)).min(rest.len()));
        rest = after;
        let mut part = part.to_vec();
        if let (Some(fill), true) = (call.value(1), longer > 0 && at >= longer) {
            part.push(fill.clone());
        }
        slices.push(Value::list(part));
    }
    Ok(Value::list(slices))
}

fn positive(number: i64, name: &str) -> Result<usize, Fault> {
    let number = usize::try_from(number).ok().filter(|number| *number > 0);
    number.ok_or_else(|| Fault::new(format!("argument `{name}` must be at least 1")))
}

fn zip(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut lists = vec![items(value)];
    lists.extend((0..2).filter_map(|at| call.value(at)).filter_map(Value::as_list));
    let length = items(value).len();
    if lists.iter().any(|list| list.len() != length) {
        return Err(Fault::new("lists of different lengths"));
    }
    call.budget.spend(length)?;
    let row = |at: usize| Value::list(lists.iter().filter_map(|list| list.get(at)).cloned().collect());
    Ok(Value::list((0..length).map(row).collect()))
}

//! The operators: exact, strict, and the same everywhere. Filters and tests that compare or compute call these.

use std::cmp::Ordering;

use super::budget::Budget;
use super::problem::Fault;
use super::tree::BinaryOp;
use crate::value::{Absence, Decimal, DecimalError, Kind, Value};

/// What counts as true: everything but `false`, zero and what is empty. What is missing is false where a schema
/// knows it, and nothing (`None`) otherwise.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    Some(match value {
        Value::Absent(Absence::Unknown) => return None,
        Value::Null | Value::Absent(Absence::Known) => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => !number.is_zero(),
        Value::Text(text) => !text.is_empty(),
        Value::Instant(_) => true,
        Value::List(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    })
}

/// `left op right`. What is missing has been dealt with, except in `==`, `!=`, `in` and `not in`.
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value, budget: &Budget) -> Result<Value, Fault> {
    match op {
        BinaryOp::Eq => equal(left, right, budget).map(Value::Bool),
        BinaryOp::Ne => equal(left, right, budget).map(|equal| Value::Bool(!equal)),
        BinaryOp::Lt => compare(left, right).map(|order| Value::Bool(order.is_lt())),
        BinaryOp::Le => compare(left, right).map(|order| Value::Bool(order.is_le())),
        BinaryOp::Gt => compare(left, right).map(|order| Value::Bool(order.is_gt())),
        BinaryOp::Ge => compare(left, right).map(|order| Value::Bool(order.is_ge())),
        BinaryOp::In => contains(right, left, budget).map(Value::Bool),
        BinaryOp::NotIn => contains(right, left, budget).map(|found| Value::Bool(!found)),
        BinaryOp::Join => join(left, right, budget),
        BinaryOp::Add if left.kind() == Kind::List && right.kind() == Kind::List => {
            add_lists(left, right, budget)
        }
        _ => arithmetic(op, left, right),
    }
}

/// Whether two values are equal. What is missing equals only what is missing; values of two kinds are an error, for
/// `"12" == 12` has no answer that is right for everyone.
pub(crate) fn equal(left: &Value, right: &Value, budget: &Budget) -> Result<bool, Fault> {
    budget.spend(1)?;
    match (left, right) {
        _ if left.is_missing() || right.is_missing() => Ok(left.is_missing() && right.is_missing()),
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            all_equal(a.iter().zip(b.iter()), budget)
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() || a.iter().any(|(name, _)| b.get(name).is_none()) {
                return Ok(false);
            }
            all_equal(a.iter().map(|(name, value)| (value, b.member(name))), budget)
        }
        _ if left.kind() != right.kind() => Err(mismatch(left, right)),
        _ => Ok(left == right),
    }
}

fn all_equal<'a>(
    mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
    budget: &Budget,
) -> Result<bool, Fault> {
    pairs.try_fold(true, |equal_so_far, (a, b)| Ok(equal_so_far && equal(a, b, budget)?))
}

/// The order of two numbers, texts or instants.
pub(crate) fn compare(left: &Value, right: &Value) -> Result<Ordering, Fault> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Instant(a), Value::Instant(b)) => Ok(a.cmp(b)),
        _ if left.kind() == right.kind() => Err(Fault::new(format!("{} has no order", left.kind()))),
        _ => Err(mismatch(left, right)),
    }
}

fn mismatch(left: &Value, right: &Value) -> Fault {
    let fault = Fault::new(format!("{} cannot be compared with {}", left.kind(), right.kind()));
    match mismatch_help(left.kind(), right.kind()) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// What to write instead of comparing two kinds.
pub(crate) fn mismatch_help(left: Kind, right: Kind) -> Option<&'static str> {
    match (left, right) {
        (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => {
            Some("convert one side: `| number` for amounts, quotes or `| string` for ids")
        }
        (Kind::Text, Kind::Instant) | (Kind::Instant, Kind::Text) => Some("convert the text: `| datetime`"),
        (Kind::Text, Kind::Bool) | (Kind::Bool, Kind::Text) => Some("convert the text: `| bool`"),
        _ => None,
    }
}

/// Whether a list has an equal item, a text a part, or an object a member.
pub(crate) fn contains(container: &Value, needle: &Value, budget: &Budget) -> Result<bool, Fault> {
    match (container, needle) {
        (Value::List(items), _) => {
            items.iter().try_fold(false, |found, item| Ok(found || equal(needle, item, budget)?))
        }
        (Value::Text(_) | Value::Object(_), _) if needle.is_missing() => Ok(false),
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(&**part)),
        (Value::Object(object), Value::Text(name)) => Ok(object.get(name).is_some()),
        (Value::Text(_), _) => Err(mismatch(needle, container)),
        (Value::Object(_), _) => {
            Err(Fault::new(format!("an object's names are text, not {}", needle.kind())))
        }
        _ => Err(Fault::new(format!("`in` looks into a list, text or an object, not {}", container.kind()))),
    }
}

fn join(left: &Value, right: &Value, budget: &Budget) -> Result<Value, Fault> {
    let mut text = String::new();
    for side in [left, right] {
        budget.room(text.len(), side.as_text().map_or(0, str::len))?;
        append_text(side, &mut text)?;
    }
    Ok(Value::from(text))
}

/// Appends a value's text; a list or map is an error that names `tojson`.
pub(crate) fn append_text(value: &Value, text: &mut String) -> Result<(), Fault> {
    value.write_text(text).map_err(|error| {
        let fault = Fault::new(error.to_string());
        if value.is_missing() {
            fault
        } else {
            fault.help("write it with `| tojson`, or join a list with `| join(', ')`")
        }
    })
}

fn add_lists(left: &Value, right: &Value, budget: &Budget) -> Result<Value, Fault> {
    let items: Vec<Value> = [left, right].into_iter().filter_map(Value::as_list).flatten().cloned().collect();
    let list = Value::list(items);
    budget.check(&list)?;
    Ok(list)
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Fault> {
    let (Value::Number(a), Value::Number(b)) = (left, right) else {
        return Err(no_arithmetic(op, left.kind(), right.kind()));
    };
    let result = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div => a.checked_div(b),
        BinaryOp::FloorDiv => a.checked_floor_div(b),
        BinaryOp::Rem => a.checked_rem(b),
        _ => a.checked_pow(b),
    };
    match result {
        Ok(number) => Ok(Value::Number(number)),
        Err(error @ DecimalError::TooManyDigits) => Err(Fault::from(error).help("round first: `| round(2)`")),
        Err(error) => Err(Fault::from(error)),
    }
}

fn no_arithmetic(op: BinaryOp, left: Kind, right: Kind) -> Fault {
    let wrong = if left == Kind::Number { right } else { left };
    let fault = Fault::new(format!("`{}` computes with numbers, not {wrong}", op.symbol()));
    match arithmetic_help(op, left, right) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

/// What to write instead of computing with two kinds.
pub(crate) fn arithmetic_help(op: BinaryOp, left: Kind, right: Kind) -> Option<&'static str> {
    match (left, right) {
        (Kind::Text, Kind::Text) if op == BinaryOp::Add => Some("join texts with `~`"),
        (Kind::Text, _) | (_, Kind::Text) => Some("convert the text first: `| number`"),
        (Kind::Instant, Kind::Instant) if op == BinaryOp::Sub => Some("use `| date_diff(other, 'days')`"),
        (Kind::Instant, _) | (_, Kind::Instant) => Some("use `| date_add('3d')`"),
        _ => None,
    }
}

/// The negative of a number.
pub(crate) fn negate(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Number(number) => Ok(Value::Number(number.negated())),
        other => Err(no_arithmetic(BinaryOp::Sub, Kind::Number, other.kind())),
    }
}

/// The sum of numbers.
pub(crate) fn sum<'a>(numbers: impl IntoIterator<Item = &'a Value>) -> Result<Value, Fault> {
    let mut total = Value::Number(Decimal::ZERO);
    for number in numbers {
        total = arithmetic(BinaryOp::Add, &total, number)?;
    }
    Ok(total)
}

/// A part of a list or text as `[start:stop:step]` names it.
pub(crate) fn slice(
    of: &Value,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    budget: &Budget,
) -> Result<Value, Fault> {
    if step == 0 {
        return Err(Fault::new("a slice cannot have step 0"));
    }
    match of {
        Value::List(items) => {
            let picked = positions(items.len(), start, stop, step);
            Ok(Value::list(picked.filter_map(|at| items.get(at)).cloned().collect()))
        }
        Value::Text(text) => {
            budget.room(0, text.len())?;
            let chars: Vec<char> = text.chars().collect();
            let picked = positions(chars.len(), start, stop, step);
            Ok(Value::from(picked.filter_map(|at| chars.get(at)).collect::<String>()))
        }
        other => Err(Fault::new(format!("a slice takes a list or text, not {}", other.kind()))),
    }
}

/// Positions of a slice within `len`, as Python counts them.
pub(crate) fn positions(
    len: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let bound = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(at) if at < 0 => (at.saturating_add(len)).clamp(low, high),
        Some(at) => at.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (start, stop) = (bound(start, first), bound(stop, last));
    std::iter::successors(Some(start), move |at| at.checked_add(step))
        .take_while(move |at| if step > 0 { *at < stop } else { *at > stop })
        .filter_map(|at| usize::try_from(at).ok())
}

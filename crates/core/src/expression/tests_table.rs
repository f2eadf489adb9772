//! The tests that follow `is`, in one table, as strict as the operators.

use super::budget::Budget;
use super::ops;
use super::problem::Fault;
use super::tree::BinaryOp;
use crate::filters::{Call, Example, Fallback, Param, ParamType};
use crate::value::{Decimal, Kind, Value};

/// One test.
#[derive(Debug)]
pub struct TestSpec {
    /// Name after `is`.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// When it holds, in one sentence.
    pub summary: &'static str,
    /// Parameters in order.
    pub params: &'static [Param],
    /// Whether it sees what is missing; all others fail on it.
    pub sees_missing: bool,
    /// Examples; each runs as a test.
    pub examples: &'static [Example],
    pub(crate) run: fn(&Call<'_>, &Value) -> Result<bool, Fault>,
}

const fn test(
    name: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
    params: &'static [Param],
    examples: &'static [Example],
    run: fn(&Call<'_>, &Value) -> Result<bool, Fault>,
) -> TestSpec {
    TestSpec { name, aliases, summary, params, sees_missing: false, examples, run }
}

#[allow(clippy::needless_pass_by_value, reason = "a constant function cannot borrow what it makes")]
const fn missing(spec: TestSpec) -> TestSpec {
    TestSpec { sees_missing: true, ..spec }
}

const fn ex(expression: &'static str, result: &'static str) -> Example {
    Example { expression, context: "{}", result }
}

const OTHER: &[Param] = &[Param {
    name: "other",
    ty: ParamType::Missing,
    fallback: Fallback::Required,
    doc: "what it is compared with",
}];
const ORDERED: &[Param] = &[Param {
    name: "other",
    ty: ParamType::Any,
    fallback: Fallback::Required,
    doc: "what it is compared with",
}];
const TEXT: &[Param] =
    &[Param { name: "part", ty: ParamType::Text, fallback: Fallback::Required, doc: "the text looked for" }];
const NUMBER: &[Param] =
    &[Param { name: "number", ty: ParamType::Number, fallback: Fallback::Required, doc: "the divisor" }];

/// The table.
pub static TESTS: &[TestSpec] = &[
    missing(test(
        "defined",
        &[],
        "there is a value: it is neither null nor absent",
        &[],
        &[ex("none is defined", "false"), ex("'' is defined", "true")],
        |_, v| Ok(!v.is_missing()),
    )),
    missing(test(
        "undefined",
        &[],
        "there is no value: it is null or absent",
        &[],
        &[ex("none is undefined", "true")],
        |_, v| Ok(v.is_missing()),
    )),
    missing(test(
        "none",
        &["null"],
        "there is no value: it is null or absent",
        &[],
        &[ex("none is none", "true"), ex("0 is none", "false")],
        |_, v| Ok(v.is_missing()),
    )),
    test(
        "true",
        &[],
        "it is `true`",
        &[],
        &[ex("true is true", "true"), ex("1 is true", "false")],
        |_, v| Ok(v.as_bool() == Some(true)),
    ),
    test(
        "false",
        &[],
        "it is `false`",
        &[],
        &[ex("false is false", "true"), ex("0 is false", "false")],
        |_, v| Ok(v.as_bool() == Some(false)),
    ),
    test("boolean", &[], "it is `true` or `false`", &[], &[ex("(1 == 1) is boolean", "true")], |_, v| {
        Ok(v.kind() == Kind::Bool)
    }),
    test(
        "number",
        &[],
        "it is a number",
        &[],
        &[ex("19.90 is number", "true"), ex("'19.90' is number", "false")],
        |_, v| Ok(v.kind() == Kind::Number),
    ),
    test(
        "integer",
        &["int"],
        "it is a number without a fraction",
        &[],
        &[ex("2.00 is integer", "true"), ex("2.5 is integer", "false")],
        |_, v| Ok(v.as_number().is_some_and(Decimal::is_whole)),
    ),
    test(
        "float",
        &[],
        "it is a number with a fraction",
        &[],
        &[ex("2.5 is float", "true"), ex("2 is float", "false")],
        |_, v| Ok(v.as_number().is_some_and(|number| !number.is_whole())),
    ),
    test(
        "string",
        &["text"],
        "it is text",
        &[],
        &[ex("'a' is string", "true"), ex("1 is string", "false")],
        |_, v| Ok(v.kind() == Kind::Text),
    ),
    test(
        "instant",
        &[],
        "it is an instant, as `datetime` makes one",
        &[],
        &[ex("('2026-01-01' | datetime) is instant", "true")],
        |_, v| Ok(v.kind() == Kind::Instant),
    ),
    test("lower", &[], "it is text without capitals", &[], &[ex("'ab 1' is lower", "true")], |_, v| {
        Ok(v.as_text().is_some_and(|text| !text.chars().any(char::is_uppercase)))
    }),
    test("upper", &[], "it is text without small letters", &[], &[ex("'AB 1' is upper", "true")], |_, v| {
        Ok(v.as_text().is_some_and(|text| !text.chars().any(char::is_lowercase)))
    }),
    test("sequence", &["list"], "it is a list", &[], &[ex("[1] is sequence", "true")], |_, v| {
        Ok(v.kind() == Kind::List)
    }),
    test("iterable", &[], "it is a list or an object", &[], &[ex("{} is iterable", "true")], |_, v| {
        Ok(v.kind().is_container())
    }),
    test("mapping", &["object"], "it is an object", &[], &[ex("{'a': 1} is mapping", "true")], |_, v| {
        Ok(v.kind() == Kind::Object)
    }),
    missing(test(
        "eq",
        &["equalto", "==", "sameas"],
        "it equals the other",
        OTHER,
        &[ex("1.0 is eq 1", "true"), ex("'1' is eq 1", "error: text cannot be compared with a number")],
        |call, v| compared(call, v, BinaryOp::Eq),
    )),
    missing(test(
        "ne",
        &["!="],
        "it differs from the other",
        OTHER,
        &[ex("1 is ne 2", "true")],
        |call, v| compared(call, v, BinaryOp::Ne),
    )),
    test(
        "lt",
        &["lessthan", "<"],
        "it is less than the other",
        ORDERED,
        &[ex("1 is lt 2", "true"), ex("'1' is lt 2", "error: text cannot be compared with a number")],
        |call, v| compared(call, v, BinaryOp::Lt),
    ),
    test("le", &["<="], "it is at most the other", ORDERED, &[ex("2 is le 2", "true")], |call, v| {
        compared(call, v, BinaryOp::Le)
    }),
    test(
        "gt",
        &["greaterthan", ">"],
        "it is greater than the other",
        ORDERED,
        &[ex("0.30 is gt 0.3", "false")],
        |call, v| compared(call, v, BinaryOp::Gt),
    ),
    test("ge", &[">="], "it is at least the other", ORDERED, &[ex("2 is ge 2", "true")], |call, v| {
        compared(call, v, BinaryOp::Ge)
    }),
    missing(test(
        "in",
        &[],
        "the other has it",
        ORDERED,
        &[
            ex("2 is in [1, 2]", "true"),
            ex("'2' is in [1, 2]", "error: text cannot be compared with a number"),
        ],
        |call, v| compared(call, v, BinaryOp::In),
    )),
    test(
        "odd",
        &[],
        "it is an odd whole number",
        &[],
        &[ex("3 is odd", "true"), ex("'3' is odd", "error: takes a number, not text")],
        |call, v| remainder(call.budget, v, 2).map(|rest| rest == Some(1)),
    ),
    test(
        "even",
        &[],
        "it is an even whole number",
        &[],
        &[ex("4.0 is even", "true"), ex("2.5 is even", "false")],
        |call, v| remainder(call.budget, v, 2).map(|rest| rest == Some(0)),
    ),
    test(
        "divisibleby",
        &[],
        "it is divided by the number without a rest",
        NUMBER,
        &[ex("9 is divisibleby 3", "true"), ex("0.9 is divisibleby 0.3", "true")],
        divisible,
    ),
    test(
        "startingwith",
        &[],
        "the text begins with the part",
        TEXT,
        &[ex("'order' is startingwith 'or'", "true")],
        |call, v| Ok(text(v)?.starts_with(call.text(0))),
    ),
    test(
        "endingwith",
        &[],
        "the text ends with the part",
        TEXT,
        &[ex("'order' is endingwith 'er'", "true")],
        |call, v| Ok(text(v)?.ends_with(call.text(0))),
    ),
    test(
        "containing",
        &[],
        "the text holds the part",
        TEXT,
        &[ex("'order' is containing 'rd'", "true")],
        |call, v| Ok(text(v)?.contains(call.text(0))),
    ),
    test("lower", &[], "the text has no capital letters", &[], &[ex("'abc' is lower", "true")], |_, v| {
        Ok(!text(v)?.chars().any(char::is_uppercase))
    }),
    test("upper", &[], "the text has no small letters", &[], &[ex("'ABC' is upper", "true")], |_, v| {
        Ok(!text(v)?.chars().any(char::is_lowercase))
    }),
];

/// The test of that name.
pub fn find(name: &str) -> Option<&'static TestSpec> {
    TESTS.iter().find(|test| test.name == name || test.aliases.contains(&name))
}

/// All names that a test may be called by.
pub fn names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().flat_map(|test| std::iter::once(test.name).chain(test.aliases.iter().copied()))
}

/// Applies a test. What is missing fails all but those that see it.
pub(crate) fn run(spec: &TestSpec, call: &Call<'_>, input: &Value) -> Result<bool, Fault> {
    if input.is_missing() && !spec.sees_missing {
        return Err(Fault::new("the value is missing"));
    }
    (spec.run)(call, input)
}

fn compared(call: &Call<'_>, input: &Value, op: BinaryOp) -> Result<bool, Fault> {
    let unknown = Value::Absent(crate::value::Absence::Unknown);
    let other = call.value(0).unwrap_or(&Value::Null);
    if *input == unknown || *other == unknown {
        return Err(Fault::new("the value is missing"));
    }
    ops::binary(op, input, other, call.budget).map(|holds| holds.as_bool() == Some(true))
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_text().ok_or_else(|| Fault::new(format!("takes text, not {}", value.kind())))
}

fn number(value: &Value) -> Result<&Decimal, Fault> {
    value.as_number().ok_or_else(|| Fault::new(format!("takes a number, not {}", value.kind())))
}

/// What a division by a whole number leaves, when that is whole.
fn remainder(budget: &Budget, value: &Value, divisor: i64) -> Result<Option<i64>, Fault> {
    budget.spend(1)?;
    Ok(number(value)?.checked_rem(&Decimal::from(divisor))?.to_i64())
}

fn divisible(call: &Call<'_>, value: &Value) -> Result<bool, Fault> {
    let divisor = call.value(0).map_or(Ok(&Decimal::ZERO), number)?;
    Ok(number(value)?.checked_rem(divisor)?.is_zero())
}

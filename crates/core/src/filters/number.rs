//! Filters that compute with numbers.

use super::args::param;
use super::{Call, Fallback, FilterSpec, Output, ParamType, example};
use crate::expression::ops;
use crate::expression::problem::Fault;
use crate::value::{Decimal, Kind, Rounding, Value};

const NUMBER: &[Kind] = &[Kind::Number];
const NUMERIC: &[Kind] = &[Kind::Number, Kind::Text];
const IS_NUMBER: Output = Output::Is(Kind::Number);

/// Farthest from the point that rounding reaches; results have 28 digits at most.
const MAX_PLACES: i64 = 28;

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: NUMERIC,
        output: IS_NUMBER,
        aliases: &["float"],
        examples: &[
            example("'19.99' | number * 3", "{}", "59.97"),
            example("' 5.00 ' | number", "{}", "5.00"),
            example("'19,99' | number", "{}", "error: not a number"),
            example("'' | number", "{}", "error: not a number"),
            example("'19.90' | float", "{}", "19.90"),
        ],
        ..FilterSpec::new("number", "Reads a number; its digits are kept.", |_, value| {
            to_number(value).map(Value::Number)
        })
    },
    FilterSpec {
        input: NUMERIC,
        output: IS_NUMBER,
        examples: &[
            example("'7.9' | int", "{}", "7"),
            example("-7.9 | int", "{}", "-7"),
            example("'abc' | int", "{}", "error: not a number"),
        ],
        ..FilterSpec::new("int", "Reads a number and cuts off its fraction.", |_, value| {
            let number = to_number(value)?;
            let rounding = if number.is_negative() { Rounding::Ceil } else { Rounding::Floor };
            Ok(Value::Number(number.round(0, rounding)?))
        })
    },
    FilterSpec {
        input: NUMBER,
        output: IS_NUMBER,
        params: &[
            param(
                "precision",
                ParamType::Whole,
                Fallback::Whole(0),
                "digits after the point; negative: tens, hundreds, …",
            ),
            param(
                "method",
                ParamType::Choice(&["common", "ceil", "floor"]),
                Fallback::Text("common"),
                "`common` goes half away from zero",
            ),
        ],
        examples: &[
            example("2.5 | round", "{}", "3"),
            example("-2.5 | round", "{}", "-3"),
            example("1.005 | round(2)", "{}", "1.01"),
            example("1234 | round(-2)", "{}", "1200"),
            example("1.21 | round(1, 'ceil')", "{}", "1.3"),
            example("'2.5' | round", "{}", "error: `round` takes a number"),
        ],
        ..FilterSpec::new("round", "Rounds a number, a half away from zero.", round)
    },
    FilterSpec {
        input: NUMBER,
        output: IS_NUMBER,
        examples: &[example("-19.90 | abs", "{}", "19.90")],
        ..FilterSpec::new("abs", "Drops the sign.", |_, value| Ok(Value::Number(number(value).abs())))
    },
    FilterSpec {
        input: &[Kind::List],
        over_lists: false,
        output: Output::Any,
        params: &[param(
            "attribute",
            ParamType::Attribute,
            Fallback::Nothing,
            "the member of each item to add",
        )],
        examples: &[
            example("[0.1, 0.2] | sum", "{}", "0.3"),
            example(
                "record.items | sum(attribute='qty')",
                r#"{"record":{"items":[{"qty":1},{"qty":2}]}}"#,
                "3",
            ),
            example("['1', '2'] | sum", "{}", "error: not text"),
            example("[] | sum", "{}", "0"),
        ],
        ..FilterSpec::new("sum", "Adds the numbers of a list, exactly.", sum)
    },
];

/// The input's kind was checked.
pub(super) fn number(value: &Value) -> &Decimal {
    value.as_number().unwrap_or(&Decimal::ZERO)
}

pub(super) fn to_number(value: &Value) -> Result<Decimal, Fault> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::Text(text) => Decimal::parse(text.trim()).map_err(|error| {
            let fault = Fault::from(error).value(text);
            fault.help("a number has digits, at most one point, and no signs of currency or thousands")
        }),
        other => Err(Fault::new(format!("takes a number or text, not {}", other.kind()))),
    }
}

fn round(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let places = call.whole(0);
    let places = i32::try_from(places).ok().filter(|_| places.abs() <= MAX_PLACES);
    let places = places.ok_or_else(|| Fault::new("the precision lies between -28 and 28"))?;
    let rounding = match call.text(1) {
        "ceil" => Rounding::Ceil,
        "floor" => Rounding::Floor,
        _ => Rounding::HalfAwayFromZero,
    };
    Ok(Value::Number(number(value).round(places, rounding)?))
}

fn sum(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let items = value.as_list().unwrap_or_default();
    call.budget.spend(items.len())?;
    match call.attribute(0) {
        Some(attribute) => {
            let numbers: Result<Vec<&Value>, Fault> =
                items.iter().map(|item| attribute.present(item)).collect();
            ops::sum(numbers?)
        }
        None => ops::sum(items),
    }
}

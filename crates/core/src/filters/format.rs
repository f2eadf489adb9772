//! Filters that make text of other values, and values of text.

use super::args::param;
use super::text::text;
use super::{Call, Fallback, FilterSpec, Out, Output, ParamType, example};
use crate::expression::ops;
use crate::expression::problem::Fault;
use crate::value::{Decimal, Kind, Value};

const SCALAR: &[Kind] = &[Kind::Text, Kind::Number, Kind::Bool, Kind::Instant];

pub(super) static FILTERS: &[FilterSpec] = &[
    FilterSpec {
        input: SCALAR,
        output: Output::Is(Kind::Text),
        examples: &[
            example("19.90 | string", "{}", r#""19.90""#),
            example("true | string", "{}", r#""true""#),
            example("{'a': 1} | string", "{}", "error: takes"),
        ],
        ..FilterSpec::new("string", "Makes text of a value.", |_, value| as_text(value).map(Value::from))
    },
    FilterSpec {
        input: SCALAR,
        output: Output::Is(Kind::Bool),
        examples: &[
            example("'1' | bool", "{}", "true"),
            example("'no' | bool", "{}", "false"),
            example("0 | bool", "{}", "false"),
            example("'maybe' | bool", "{}", "error: not true or false"),
        ],
        ..FilterSpec::new(
            "bool",
            "Reads `true`/`false`, `yes`/`no`, `on`/`off`, `1`/`0` as a truth value.",
            |_, value| to_bool(value).map(Value::Bool),
        )
    },
    FilterSpec {
        over_lists: false,
        output: Output::Is(Kind::Text),
        params: &[param(
            "indent",
            ParamType::Whole,
            Fallback::Nothing,
            "spaces of each level; all on one line if not given",
        )],
        examples: &[
            example("{'a': 19.90, 'b': [1, none]} | tojson", "{}", r#""{\"a\":19.90,\"b\":[1,null]}""#),
            example("[1] | tojson(2)", "{}", r#""[\n  1\n]""#),
            example("record.nothing | tojson", r#"{"record":{}}"#, "error: `record.nothing` is missing"),
        ],
        ..FilterSpec::new(
            "tojson",
            "Writes a value as JSON text; decimals are numbers with their scale.",
            to_json,
        )
    },
    FilterSpec {
        over_lists: false,
        output: Output::Is(Kind::Text),
        examples: &[example("{'a': [19.90]} | pprint", "{}", r#""{\n  \"a\": [\n    19.90\n  ]\n}""#)],
        ..FilterSpec::new(
            "pprint",
            "Writes a value as JSON text over several lines, for people.",
            |call, value| json_text(call, value, Some(2)),
        )
    },
    FilterSpec {
        input: &[Kind::Text],
        output: Output::Any,
        examples: &[
            example("'{\"a\": 19.90}' | fromjson", "{}", r#"{"a":19.90}"#),
            example("'{' | fromjson", "{}", "error: not JSON"),
        ],
        ..FilterSpec::new("fromjson", "Reads JSON text; numbers keep their digits.", |_, value| {
            Value::from_json(text(value)).map_err(|error| Fault::new(format!("not JSON: {error}")))
        })
    },
    FilterSpec {
        input: &[Kind::Text],
        output: Output::Is(Kind::Text),
        params: &[
            param("a", ParamType::Any, Fallback::Nothing, "value of the first place"),
            param("b", ParamType::Any, Fallback::Nothing, "value of the second place"),
            param("c", ParamType::Any, Fallback::Nothing, "value of the third place"),
            param("d", ParamType::Any, Fallback::Nothing, "value of the fourth place"),
            param("e", ParamType::Any, Fallback::Nothing, "value of the fifth place"),
            param("f", ParamType::Any, Fallback::Nothing, "value of the sixth place"),
        ],
        examples: &[
            example("'%s: %.2f' | format('total', 19.905)", "{}", r#""total: 19.91""#),
            example("'%05d%%' | format(42)", "{}", r#""00042%""#),
            example("'%d' | format('42')", "{}", "error: takes a number, not text"),
            example("'%s' | format", "{}", "error: more places than values"),
        ],
        ..FilterSpec::new("format", "Fills the places `%s`, `%d` and `%.2f` of a text.", format)
    },
    FilterSpec {
        over_lists: false,
        sees_missing: true,
        output: Output::Any,
        params: &[
            param("value", ParamType::Missing, Fallback::Text(""), "what stands for nothing"),
            param(
                "empty",
                ParamType::Bool,
                Fallback::Bool(false),
                "whether it also stands for what is empty, zero or false",
            ),
        ],
        aliases: &["d"],
        examples: &[
            example("none | default('x')", "{}", r#""x""#),
            example("'' | default('x')", "{}", r#""""#),
            example("'' | default('x', true)", "{}", r#""x""#),
            example("record.nothing | default(0)", r#"{"record":{}}"#, "0"),
        ],
        ..FilterSpec::new("default", "Gives another value where there is none.", default)
    },
];

/// The text of a value that has one.
pub(super) fn as_text(value: &Value) -> Result<String, Fault> {
    let mut text = String::new();
    ops::append_text(value, &mut text)?;
    Ok(text)
}

fn default(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let stands = value.is_missing() || (call.flag(1) && ops::truth(value) == Some(false));
    if !stands {
        return Ok(value.clone());
    }
    Ok(call.value(0).cloned().unwrap_or_else(|| Value::from("")))
}

fn to_bool(value: &Value) -> Result<bool, Fault> {
    let truth = match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.to_i64().and_then(|number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "no" | "n" | "off" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    };
    truth.ok_or_else(|| {
        let fault = Fault::new("not true or false");
        match value.as_text() {
            Some(text) => fault.value(text),
            None => fault,
        }
    })
}

fn to_json(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    json_text(call, value, call.given_whole(0))
}

/// JSON text, with so many spaces to a level or all on one line.
fn json_text(call: &Call<'_>, value: &Value, width: Option<i64>) -> Result<Value, Fault> {
    let mut bytes = Vec::new();
    value.write_json(&mut bytes).map_err(|error| Fault::new(error.to_string()))?;
    call.budget.room(0, bytes.len())?;
    let json = String::from_utf8_lossy(&bytes).into_owned();
    match width {
        None => Ok(Value::from(json)),
        Some(width) => indented(call, &json, usize::try_from(width).unwrap_or(0).min(16)),
    }
}

/// Lays out JSON text; only what stands outside of strings is looked at.
fn indented(call: &Call<'_>, json: &str, width: usize) -> Result<Value, Fault> {
    let mut out = Out::new(call.budget);
    let mut depth = 0_usize;
    let (mut in_text, mut escaped) = (false, false);
    let line = |depth: usize| format!("\n{}", " ".repeat(depth * width));
    let mut chars = json.chars().peekable();
    let mut buffer = [0; 4];
    while let Some(character) = chars.next() {
        let written = character.encode_utf8(&mut buffer);
        if in_text {
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            out.push(written)?;
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(written)?;
                if !matches!(chars.peek(), Some('}' | ']')) {
                    depth += 1;
                    out.push(&line(depth))?;
                } else if let Some(close) = chars.next() {
                    out.push(close.encode_utf8(&mut buffer))?;
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out.push(&line(depth))?;
                out.push(written)?;
            }
            ',' => {
                out.push(written)?;
                out.push(&line(depth))?;
            }
            ':' => out.push(": ")?,
            _ => {
                in_text = character == '"';
                out.push(written)?;
            }
        }
    }
    Ok(out.finish())
}

/// Widest place of `format`.
const MAX_PLACE: usize = 1000;

fn format(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    let mut out = Out::new(call.budget);
    let mut values = (0..call.params.len()).map_while(|at| call.value(at));
    let mut rest = text(value);
    while let Some(at) = rest.find('%') {
        out.push(&rest[..at])?;
        let place = Place::parse(&rest[at + 1..])?;
        rest = &rest[at + 1 + place.len..];
        if place.kind == '%' {
            out.push("%")?;
            continue;
        }
        let value = values.next().ok_or_else(|| Fault::new("there are more places than values"))?;
        out.push(&place.fill(value)?)?;
    }
    out.push(rest)?;
    if values.next().is_some() {
        Err(Fault::new("there are more values than places"))
    } else {
        Ok(out.finish())
    }
}

/// One `%05.2f`.
struct Place {
    left: bool,
    zeros: bool,
    plus: bool,
    width: usize,
    precision: Option<u32>,
    kind: char,
    len: usize,
}

impl Place {
    fn parse(text: &str) -> Result<Self, Fault> {
        let mut place =
            Place { left: false, zeros: false, plus: false, width: 0, precision: None, kind: '%', len: 0 };
        let mut rest = text;
        while let Some(flag) = rest.chars().next().filter(|flag| matches!(flag, '-' | '0' | '+')) {
            match flag {
                '-' => place.left = true,
                '0' => place.zeros = true,
                _ => place.plus = true,
            }
            rest = &rest[1..];
        }
        let (width, after) = leading_number(rest)?;
        place.width = width.unwrap_or(0);
        rest = after;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = leading_number(after)?;
            place.precision = Some(u32::try_from(precision.unwrap_or(0)).unwrap_or(0));
            rest = after;
        }
        place.kind =
            rest.chars().next().filter(|kind| matches!(kind, '%' | 's' | 'd' | 'i' | 'f')).ok_or_else(
                || {
                    Fault::new("unknown place in the text")
                        .help("places are `%s`, `%d`, `%f` and `%%`, as in `%5.2f`")
                },
            )?;
        place.len = text.len() - rest.len() + 1;
        Ok(place)
    }

    fn fill(&self, value: &Value) -> Result<String, Fault> {
        let mut body = match self.kind {
            's' => as_text(value)?,
            kind => {
                let number = value
                    .as_number()
                    .ok_or_else(|| Fault::new(format!("`%{kind}` takes a number, not {}", value.kind())))?;
                self.number(number)?
            }
        };
        if self.kind == 's'
            && let Some(most) = self.precision
        {
            body = body.chars().take(most as usize).collect();
        }
        let missing = self.width.saturating_sub(body.chars().count());
        Ok(match (self.left, self.zeros && self.kind != 's') {
            (true, _) => body + &" ".repeat(missing),
            (false, true) => {
                let signed = body.starts_with(['-', '+']);
                let (sign, digits) = body.split_at(usize::from(signed));
                format!("{sign}{}{digits}", "0".repeat(missing))
            }
            (false, false) => " ".repeat(missing) + &body,
        })
    }

    fn number(&self, number: &Decimal) -> Result<String, Fault> {
        let written = if self.kind == 'f' {
            number.with_scale(self.precision.unwrap_or(6))?.to_string()
        } else if number.is_whole() {
            number.with_scale(0)?.to_string()
        } else {
            return Err(Fault::new("`%d` takes a whole number").help("round it first: `| round`"));
        };
        Ok(if self.plus && !written.starts_with('-') { format!("+{written}") } else { written })
    }
}

fn leading_number(text: &str) -> Result<(Option<usize>, &str), Fault> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse::<usize>() {
        Ok(number) if number <= MAX_PLACE => Ok((Some(number), rest)),
        _ => Err(Fault::new("a place is wider than 1000")),
    }
}

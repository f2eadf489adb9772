//! Values as an endpoint wants them, or why one cannot be.

use super::day;
use super::{Param, ParamType, refused_value};
use crate::card;
use crate::diagnostic::did_you_mean;
use crate::expression::Settings;
use crate::expression::problem::shorten;
use crate::filters::currency_digits;
use crate::value::{Decimal, Kind, Value};

/// What the CRM takes for an order to empty a field (contract §5.5).
pub(crate) const CLEARED: &str = "NULL";

/// The largest amount that is not a mistake.
const LARGEST: i64 = 1_000_000_000;

/// Why a value cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) kind: WrongKind,
    /// Names the field and no value.
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The beginning of the value; it may be personal. None of card data.
    pub(crate) value: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongKind {
    Value,
    TooLong,
    Card,
    /// The text that would empty the field.
    Null,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Wrong { kind: WrongKind::Value, message: message.into(), help: None, value: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn value(mut self, value: &Value) -> Self {
        self.value = value.to_text().ok().map(|text| shorten(&text));
        self
    }
}

/// The value as the endpoint takes it. `name` is that of the parameter, for messages; `clears` says whether `NULL`
/// would empty the field.
pub(crate) fn write(
    param: &Param,
    name: &str,
    value: &Value,
    settings: &Settings,
    clears: bool,
) -> Result<String, Wrong> {
    let text = convert(param.ty, name, value, settings)?;
    if let Some(message) = refused_value(name, &text) {
        return Err(Wrong {
            kind: WrongKind::Card,
            help: Some(super::WAYS_TO_PAY.to_owned()),
            ..Wrong::new(message)
        });
    }
    if let Some(found) = card_data(param.ty, name, &text) {
        let message = format!("`{name}` holds {found}, which does not pass through zaprun");
        return Err(Wrong { kind: WrongKind::Card, ..Wrong::new(message) }
            .help("leave it out: the last four digits tell which card it was"));
    }
    if clears && text == CLEARED {
        let message =
            format!("`{name}` is the text `{CLEARED}`, which the CRM takes for an order to empty the field");
        return Err(Wrong { kind: WrongKind::Null, ..Wrong::new(message) }
            .help("write `$clear: true` where it is to be emptied, and another text where it is meant"));
    }
    let length = text.chars().count();
    match param.max {
        Some(max) if length > max => {
            let message = format!("`{name}` has {length} characters, and the CRM takes {max}");
            let wrong = Wrong { kind: WrongKind::TooLong, ..Wrong::new(message) };
            Err(wrong
                .help(format!("cut it yourself where that is right: `| truncate_chars({max})`"))
                .value(value))
        }
        _ => Ok(text),
    }
}

fn card_data(ty: ParamType, name: &str, text: &str) -> Option<card::CardData> {
    match ty {
        // Of the account's own fields nothing is known but the name.
        ParamType::Text if name.starts_with("custom_") => card::in_field(name, text),
        ParamType::Text | ParamType::Email | ParamType::Json => card::in_text(text),
        _ => None,
    }
}

fn convert(ty: ParamType, name: &str, value: &Value, settings: &Settings) -> Result<String, Wrong> {
    let wrong = |what: &str| Wrong::new(format!("`{name}` takes {what}, not {}", value.kind()));
    let empty = value.as_text().is_some_and(|text| text.trim().is_empty());
    if empty && !matches!(ty, ParamType::Text | ParamType::Email | ParamType::Phone | ParamType::Country) {
        return Err(Wrong::new(format!("`{name}` is empty"))
            .help("leave it out where there is none: `$if` without `$else`"));
    }
    if empty {
        return Ok(String::new());
    }
    match ty {
        ParamType::Text => match value {
            Value::List(_) | Value::Object(_) => {
                Err(wrong("text").help("write it as JSON text with `| tojson`"))
            }
            _ => value.to_text().map_err(|_| wrong("text")),
        },
        ParamType::Id | ParamType::Phone => {
            let what = if ty == ParamType::Id { "an id" } else { "a telephone number" };
            match value {
                Value::Text(text) if !text.contains(char::is_control) => Ok(text.trim().to_owned()),
                Value::Number(number) => match number.to_i64() {
                    Some(number) if number >= 0 => Ok(number.to_string()),
                    _ => Err(not(name, what, value)),
                },
                Value::Text(_) => Err(not(name, what, value)),
                _ => Err(wrong(what)),
            }
        }
        ParamType::Number => {
            whole(value).map(|number| number.to_string()).ok_or_else(|| not(name, "a whole number", value))
        }
        ParamType::Count => match whole(value) {
            Some(number) if number >= 1 => Ok(number.to_string()),
            _ => Err(not(name, "a whole number from 1", value)),
        },
        ParamType::Email => match value {
            Value::Text(text) if is_email(text.trim()) => Ok(text.trim().to_owned()),
            Value::Text(_) => Err(not(name, "an e-mail address", value)),
            _ => Err(wrong("an e-mail address")),
        },
        ParamType::Country => match value.as_text().map(str::trim) {
            Some(text) if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(text.to_ascii_uppercase())
            }
            _ => Err(not(name, "a country", value).help("write its two letters: US")),
        },
        ParamType::Enum(words) => word(words, name, value),
        ParamType::Date => day::day(value, &settings.zone).map(day::written).ok_or_else(|| {
            not(name, "a day", value).help("write 2026-09-16, 09/16/2026 or an instant: `| datetime`")
        }),
        ParamType::Flag => flag(value)
            .map(|flag| if flag { "1" } else { "0" }.to_owned())
            .ok_or_else(|| not(name, "true or false", value)),
        ParamType::Money => amount(name, value, settings),
        ParamType::Json => json(name, value),
    }
}

/// A value that is of a fitting kind, and no such thing.
fn not(name: &str, what: &str, value: &Value) -> Wrong {
    let message = match value {
        Value::Text(_) | Value::Number(_) => format!("`{name}` is not {what}"),
        other => format!("`{name}` takes {what}, not {}", other.kind()),
    };
    Wrong::new(message).value(value)
}

fn whole(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.to_i64(),
        Value::Text(text) => {
            let digits = text.trim();
            digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
        }
        _ => None,
    };
    number.filter(|number| *number >= 0)
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.to_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    let Some((before, after)) = text.rsplit_once('@') else { return false };
    let bad = |letter: char| letter.is_whitespace() || letter.is_control();
    !before.is_empty() && !after.is_empty() && !before.contains('@') && !text.contains(bad)
}

/// The word as the vendor spells it, whatever its case.
fn word(words: &[&str], name: &str, value: &Value) -> Result<String, Wrong> {
    let list = || words.join(", ");
    let Some(text) = value.as_text().map(str::trim) else {
        let message = format!("`{name}` takes a word, not {}", value.kind());
        return Err(Wrong::new(message).help(format!("one of {}", list())));
    };
    if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        return Ok((*word).to_owned());
    }
    if refused_value(name, text).is_some() {
        return Ok(text.to_owned());
    }
    let help = match did_you_mean(text, words.iter().copied()) {
        Some(best) => format!("did you mean `{best}`? one of {}", list()),
        None => format!("one of {}", list()),
    };
    Err(Wrong::new(format!("`{name}` cannot have this value")).help(help).value(value))
}

fn amount(name: &str, value: &Value, settings: &Settings) -> Result<String, Wrong> {
    let number = match value {
        Value::Number(number) => Some(number.clone()),
        Value::Text(text) => Decimal::parse(text.trim()).ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        not(name, "an amount", value).help("write digits with a point, without sign of the currency: 19.90")
    })?;
    if number.is_negative() || number >= Decimal::from(LARGEST) {
        return Err(Wrong::new(format!(
            "`{name}` is out of range: an amount is not negative, and below a billion"
        ))
        .value(value));
    }
    let digits = currency_digits(&settings.currency);
    if number.scale() <= digits {
        return Ok(number.to_string());
    }
    let exact = number.with_scale(digits).ok().filter(|rounded| *rounded == number);
    exact.map(|amount| amount.to_string()).ok_or_else(|| {
        let message = format!("`{name}` has more than {digits} digits after the point");
        Wrong::new(message).help("round it: `| round_money`").value(value)
    })
}

fn json(name: &str, value: &Value) -> Result<String, Wrong> {
    let object = match value {
        Value::Object(_) => Some(value.clone()),
        Value::Text(text) => Value::from_json(text).ok().filter(|value| value.as_object().is_some()),
        _ => None,
    };
    object.and_then(|object| object.to_json().ok()).ok_or_else(|| {
        Wrong::new(format!("`{name}` takes an object, not {}", value.kind())).help("write a map of keys")
    })
}

/// Whether a value of that kind can be what the parameter takes.
pub(crate) fn takes(ty: ParamType, kind: Kind) -> bool {
    match ty {
        ParamType::Text => !kind.is_container(),
        ParamType::Id | ParamType::Phone | ParamType::Number | ParamType::Count | ParamType::Money => {
            matches!(kind, Kind::Text | Kind::Number)
        }
        ParamType::Email | ParamType::Country | ParamType::Enum(_) => kind == Kind::Text,
        ParamType::Date => matches!(kind, Kind::Text | Kind::Instant),
        ParamType::Flag => matches!(kind, Kind::Bool | Kind::Number | Kind::Text),
        ParamType::Json => matches!(kind, Kind::Object | Kind::Text),
    }
}

impl ParamType {
    /// What a person would call it.
    pub fn words(self) -> &'static str {
        match self {
            ParamType::Id => "an id",
            ParamType::Number => "a whole number",
            ParamType::Text => "text",
            ParamType::Email => "an e-mail address",
            ParamType::Phone => "a telephone number",
            ParamType::Country => "a country, two letters",
            ParamType::Enum(_) => "a word of the CRM's",
            ParamType::Date => "a day: 2026-09-16, 09/16/2026 or an instant",
            ParamType::Flag => "true or false",
            ParamType::Money => "an amount",
            ParamType::Count => "a whole number from 1",
            ParamType::Json => "a map of keys",
        }
    }
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;

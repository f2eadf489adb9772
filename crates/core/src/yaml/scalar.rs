//! What an unquoted scalar means, and the meanings that surprise.

use super::tree::{Kind, Style};
use crate::diagnostic::{Code, code};

/// A scalar that is read otherwise than its author may think.
pub(super) struct Trap {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) help: String,
}

/// The largest integer that every JSON reader keeps exactly: 2^53.
const EXACT_INTEGER: &str = "9007199254740992";

/// Reads an unquoted scalar by the JSON schema of YAML 1.2: what JSON can hold is that, the rest is text.
pub(super) fn plain(text: &str) -> (Kind, Option<Trap>) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return (Kind::Null, None),
        "true" | "True" | "TRUE" => return (Kind::Bool(true), None),
        "false" | "False" | "FALSE" => return (Kind::Bool(false), None),
        _ => {}
    }
    if is_json_number(text) {
        return (Kind::Number(text.into()), big_integer(text));
    }
    let kind = Kind::Text { value: text.into(), style: Style::Plain };
    (kind, boolean_word(text).or_else(|| leading_zero(text)).or_else(|| other_number(text)))
}

/// Whether a text is a number by JSON's grammar, to its last character.
pub fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn big_integer(text: &str) -> Option<Trap> {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(magnitude) == magnitude.len();
    let big = magnitude.len() > EXACT_INTEGER.len()
        || (magnitude.len() == EXACT_INTEGER.len() && magnitude > EXACT_INTEGER);
    (whole && big).then(|| Trap {
        code: &code::BIG_INTEGER,
        message: format!("`{text}` is larger than most JSON readers can hold exactly"),
        help: format!("write \"{text}\" in quotes when it is an identifier"),
    })
}

fn boolean_word(text: &str) -> Option<Trap> {
    let meant = match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => "true",
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => "false",
        _ => return None,
    };
    Some(Trap {
        code: &code::BOOLEAN_WORD,
        message: format!("`{text}` without quotes is text here and a boolean to other YAML readers"),
        help: format!("write {meant} for a boolean, or \"{text}\" in quotes for text"),
    })
}

fn leading_zero(text: &str) -> Option<Trap> {
    let magnitude = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all_digits = digits(magnitude) == magnitude.len();
    let number = magnitude.trim_start_matches('0');
    let number = if number.is_empty() { "0" } else { number };
    let sign = if text.starts_with('-') { "-" } else { "" };
    (all_digits && magnitude.len() > 1 && magnitude.starts_with('0')).then(|| Trap {
        code: &code::LEADING_ZERO,
        message: format!("`{text}` begins with a zero: it is read as text"),
        help: format!("write \"{text}\" in quotes for text, or {sign}{number} for a number"),
    })
}

/// Numbers of YAML that JSON has no form for.
fn other_number(text: &str) -> Option<Trap> {
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    let radix = |prefix: &str, valid: fn(&u8) -> bool| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte == b'_' || valid(&byte)))
    };
    let special = matches!(unsigned, ".inf" | ".nan")
        || radix("0x", u8::is_ascii_hexdigit)
        || radix("0o", |byte| (b'0'..=b'7').contains(byte))
        || radix("0b", |byte| (b'0'..=b'1').contains(byte));
    let repaired = repaired(unsigned, lower.starts_with('-'));
    if !special && repaired.is_none() {
        return None;
    }
    Some(Trap {
        code: &code::NOT_A_JSON_NUMBER,
        message: format!("`{text}` is a number to YAML, but JSON has no such number"),
        help: match repaired {
            Some(number) => format!("write {number} for a number, or \"{text}\" in quotes for text"),
            None => format!("write \"{text}\" in quotes for text, or a plain decimal number"),
        },
    })
}

/// `+5`, `.5`, `5.` and `1_000` as JSON writes them.
fn repaired(unsigned: &str, negative: bool) -> Option<String> {
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !numeric || !unsigned.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut number: String = unsigned.chars().filter(|c| *c != '_').collect();
    if number.starts_with('.') {
        number.insert(0, '0');
    }
    number = number.replace(".e", ".0e");
    if number.ends_with('.') {
        number.push('0');
    }
    if negative {
        number.insert(0, '-');
    }
    is_json_number(&number).then_some(number)
}

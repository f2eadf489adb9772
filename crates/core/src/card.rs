//! Card data, which is refused wherever it would come in or go out.
//!
//! Card data is a field that is named as such and holds some, or 13 to 19 digits with an issuer's prefix that pass
//! the Luhn check, in a field that is not known to hold an id, a telephone number or an amount. Where a row has a
//! schema, that knows; elsewhere the name tells, since ids and numbers of parcels or goods would pass the check one
//! time in ten.

mod digits;
mod redact;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::record::FieldType;
use crate::value::Value;

pub use redact::{REMOVED, Redacted, redact};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardData {
    /// A card's number.
    Number,
    /// The code on a card's back.
    SecurityCode,
}

impl fmt::Display for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CardData::Number => "a card number",
            CardData::SecurityCode => "a card's security code",
        })
    }
}

/// Card data in a value, and where: `items[0].note`; empty where the value is no object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The field.
    pub field: String,
    /// What it holds.
    pub what: CardData,
}

/// Card data in a text that goes by no name: a body, an address.
pub fn in_text(text: &str) -> Option<CardData> {
    digits::card_number(text).then_some(CardData::Number)
}

/// Card data in a field of which only the name is known.
pub fn in_field(name: &str, text: &str) -> Option<CardData> {
    let number = || digits::card_number(text) && !names_other_digits(name);
    by_name(name, text).or_else(|| number().then_some(CardData::Number))
}

/// Card data in a field whose type is known.
pub(crate) fn in_typed(name: &str, text: &str, ty: FieldType) -> Option<CardData> {
    let open = matches!(ty, FieldType::Text | FieldType::Enum(_) | FieldType::Any | FieldType::List(_));
    let number = || open && !is_phone(name) && digits::card_number(text);
    by_name(name, text).or_else(|| number().then_some(CardData::Number))
}

/// The first card data in a value of which nothing is known.
fn in_value(value: &Value) -> Option<Found> {
    walk(value, "", &mut String::new())
}

/// The field of the first card data in a value of which nothing is known.
pub fn field(value: &Value) -> Option<String> {
    let Found { field, .. } = in_value(value)?;
    Some(if field.is_empty() { "the value".to_owned() } else { field })
}

/// The first card data in a value that goes by this name, at a place that `at` names.
pub(crate) fn search(value: &Value, name: &str, at: &mut String) -> Option<Found> {
    walk(value, name, at)
}

/// `name` is that of the innermost field; members of a list go by the list's.
fn walk(value: &Value, name: &str, at: &mut String) -> Option<Found> {
    let what = match value {
        Value::Text(text) => in_field(name, text),
        Value::Number(number) => in_field(name, &number.to_string()),
        Value::List(items) => {
            return items
                .iter()
                .enumerate()
                .find_map(|(index, item)| below(at, "", &format!("[{index}]"), |at| walk(item, name, at)));
        }
        Value::Object(object) => {
            return object.iter().find_map(|(name, value)| {
                let point = if at.is_empty() { "" } else { "." };
                below(at, point, name, |at| walk(value, name, at))
            });
        }
        Value::Null | Value::Absent(_) | Value::Bool(_) | Value::Instant(_) => None,
    };
    what.map(|what| Found { field: at.clone(), what })
}

pub(crate) fn below<R>(at: &mut String, point: &str, key: &str, walk: impl FnOnce(&mut String) -> R) -> R {
    let before = at.len();
    at.push_str(point);
    at.push_str(key);
    let found = walk(at);
    at.truncate(before);
    found
}

/// Names of fields that hold a card's number.
const NUMBERS: &[&str] = &[
    "cardnumber",
    "cardno",
    "cardnum",
    "ccnumber",
    "ccno",
    "ccnum",
    "creditcard",
    "creditcardnumber",
    "creditcardno",
    "debitcardnumber",
    "pan",
    "primaryaccountnumber",
];

/// Names of fields that hold a card's security code.
const CODES: &[&str] = &[
    "cvv",
    "cvv2",
    "cvc",
    "cvc2",
    "cvn",
    "csc",
    "cvvcode",
    "cvccode",
    "cardcvv",
    "cardcvc",
    "cardcode",
    "cardsecuritycode",
    "securitycode",
    "cardverificationvalue",
];

/// A field named as card data that holds one.
fn by_name(name: &str, text: &str) -> Option<CardData> {
    // The names are all made of ASCII letters, and most fields begin otherwise.
    if !matches!(name.as_bytes().first(), Some(b'c' | b'C' | b'd' | b'D' | b'p' | b'P' | b's' | b'S')) {
        return None;
    }
    let plain = plain_name(name);
    let plain = plain.strip_prefix("custom").filter(|rest| !rest.is_empty()).unwrap_or(&plain);
    let (mut count, mut only) = (0_usize, true);
    for byte in text.trim().bytes() {
        match byte {
            b'0'..=b'9' => count += 1,
            b' ' | b'-' => {}
            _ => only = false,
        }
    }
    if only && (12..=19).contains(&count) && NUMBERS.contains(&plain) {
        return Some(CardData::Number);
    }
    (only && (3..=4).contains(&count) && CODES.contains(&plain)).then_some(CardData::SecurityCode)
}

/// The name in small letters, without what stands between its words.
fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a name says that its digits are something else.
fn names_other_digits(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "tracking",
        "barcode",
        "gtin",
        "upc",
        "isbn",
        "sku",
        "imei",
        "iban",
        "timestamp",
        "amount",
        "price",
    ];
    let id = name == "id"
        || ["Id", "ID", "_id", "-id", "Ids", "_ids"].iter().any(|end| name.ends_with(end))
        || matches!(name, "ean" | "ean13" | "gclid" | "fbclid");
    if id || is_phone(name) {
        return true;
    }
    let plain = plain_name(name);
    WORDS.iter().any(|word| plain.contains(word))
}

/// Whether a field of that name holds a telephone number.
fn is_phone(name: &str) -> bool {
    const WORDS: &[&str] = &["phone", "mobile", "msisdn", "whatsapp"];
    let plain = plain_name(name);
    WORDS.iter().any(|word| plain.contains(word)) || matches!(&*plain, "tel" | "cell" | "fax" | "sms")
}

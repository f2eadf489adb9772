//! Taking secrets out of what the CRM says, before anyone keeps it.

use crate::mask::Mask;
use bytes::Bytes;
use std::sync::Arc;
use zaprun_core::trigger::Endpoint;
use zaprun_core::value::{Object, Value};

/// What stands in the place of a secret.
const REMOVED: &str = "[removed]";

/// Members that hold secrets, by their names in lower case (contract §3.4, §7). Passwords and account numbers are of
/// no use to a zap, and what is not kept cannot leak.
const SECRETS: [&str; 14] = [
    "loginid",
    "password",
    "ecommercelogin",
    "ecommercepassword",
    "paysources",
    "achroutingnumber",
    "achaccountnumber",
    "iban",
    "cardnumber",
    "cardsecuritycode",
    "cvv",
    "cvv2",
    "cvc",
    "apikey",
];

/// Members of a customer's row that are dropped (contract §3.4).
const OF_CUSTOMERS: [&str; 3] = ["eCommerceLogin", "eCommercePassword", "paySources"];

/// A value without secrets: neither members that hold some nor the connection's credentials anywhere.
pub(crate) fn value(value: &Value, mask: &Mask) -> Value {
    match value {
        Value::Text(text) => mask.hidden(text).map_or_else(|| value.clone(), Value::text),
        // A password may be all digits.
        Value::Number(number) => mask.hidden(&number.to_string()).map_or_else(|| value.clone(), Value::text),
        Value::List(items) => Value::list(items.iter().map(|item| self::value(item, mask)).collect()),
        Value::Object(object) => {
            Value::object(object.iter().map(|(name, value)| member(name, value, mask)).collect())
        }
        Value::Null | Value::Absent(_) | Value::Bool(_) | Value::Instant(_) => value.clone(),
    }
}

fn member(name: &Arc<str>, value: &Value, mask: &Mask) -> (Arc<str>, Value) {
    let shown = mask.hidden(name).map_or_else(|| Arc::clone(name), Arc::from);
    let secret = SECRETS.contains(&name.to_lowercase().as_str());
    let empty = value.is_missing() || value.as_text() == Some("");
    if secret && !empty { (shown, Value::text(REMOVED)) } else { (shown, self::value(value, mask)) }
}

/// The body of an answer, for people.
pub(crate) fn body(body: &Bytes, mask: &Mask) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let shown = match Value::from_json(text) {
        // What was read is written again even where nothing was taken out: a repeated member would hide a secret.
        Ok(received) => value(&received, mask).to_json().unwrap_or_default(),
        Err(_) => mask.hidden(text).unwrap_or_else(|| text.to_owned()),
    };
    Bytes::from(shown.into_bytes())
}

/// A row, byte for byte but for the secrets that rows of customers hold.
pub(crate) fn row(path: &str, row: Bytes) -> Bytes {
    if path != Endpoint::Customers.path() {
        return row;
    }
    let object = match Value::from_json(&String::from_utf8_lossy(&row)) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return row,
        // Nobody can use it, and nobody can say what it holds.
        Err(_) => return Bytes::from_static(b"null"),
    };
    if OF_CUSTOMERS.iter().all(|name| object.get(name).is_none_or(Value::is_missing)) {
        return row;
    }
    let kept = object.iter().filter(|(name, _)| !OF_CUSTOMERS.contains(&&***name));
    let kept = Object::new(kept.map(|(name, value)| (Arc::clone(name), value.clone())).collect(), None);
    Value::Object(kept).to_json().map_or(row, |json| Bytes::from(json.into_bytes()))
}

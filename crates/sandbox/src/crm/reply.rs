//! The envelope and the texts (contract §1.3, §1.4).

use std::net::IpAddr;

use serde_json::{Map, Value, json};

/// A reply before faults and bytes.
pub(crate) type Reply = Value;

/// `SUCCESS` with any message.
pub(crate) fn success(message: impl Into<Value>) -> Reply {
    json!({"result": "SUCCESS", "message": message.into()})
}

/// `ERROR` with a text.
pub(crate) fn error(text: impl Into<String>) -> Reply {
    json!({"result": "ERROR", "message": text.into()})
}

/// `ERROR` with a text per field.
pub(crate) fn invalid(fields: impl IntoIterator<Item = (&'static str, String)>) -> Reply {
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text))).collect();
    json!({"result": "ERROR", "message": fields})
}

/// `ERROR` naming absent fields.
pub(crate) fn required(fields: &[&'static str]) -> Reply {
    invalid(fields.iter().map(|name| (*name, "is a required field".to_owned())))
}

/// `ERROR` naming the values that a field takes.
pub(crate) fn not_one_of<'a>(field: &'static str, values: impl IntoIterator<Item = &'a str>) -> Reply {
    let quoted: Vec<String> = values.into_iter().map(|value| format!("'{value}'")).collect();
    invalid([(field, format!("Not a valid input. Must be in: {}", quoted.join(", ")))])
}

/// `ERROR` in words of our own, where the vendor's are not known; marked so that nobody relies on them.
pub(crate) fn placeholder(text: impl std::fmt::Display) -> Reply {
    error(format!("[stand-in wording] {text}"))
}

/// `SUCCESS` in words of our own, where the vendor's are not known.
pub(crate) fn done(text: &str) -> Reply {
    success(format!("[stand-in wording] {text}"))
}

/// The empty result of a query for `things`.
pub(crate) fn nothing(things: &str) -> Reply {
    error(format!("No {things} matching those parameters could be found"))
}

pub(crate) fn bad_credentials() -> Reply {
    error("Could not authenticate credentials")
}

pub(crate) fn not_whitelisted(caller: IpAddr) -> Reply {
    error(format!("IP must be whitelisted - {caller}"))
}

pub(crate) fn not_permitted(endpoint: &str) -> Reply {
    placeholder(format_args!("user has no permission for {endpoint}"))
}

pub(crate) fn bare_error() -> Reply {
    json!({"result": "ERROR"})
}

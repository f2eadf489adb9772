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
pub(crate) fn invalid<N: Into<String>>(fields: impl IntoIterator<Item = (N, String)>) -> Reply {
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, text)| (name.into(), Value::String(text))).collect();
    json!({"result": "ERROR", "message": fields})
}

/// `ERROR` naming absent fields.
pub(crate) fn required(fields: &[&'static str]) -> Reply {
    invalid(fields.iter().map(|name| (*name, "is a required field".to_owned())))
}

/// `ERROR` naming the values that a field takes.
pub(crate) fn not_one_of<'a>(field: &'static str, values: impl IntoIterator<Item = &'a str>) -> Reply {
    invalid([(field, must_be_in(values))])
}

/// The vendor's words for a value that is none of those known.
pub(crate) fn must_be_in<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = values.into_iter().map(|value| format!("'{value}'")).collect();
    format!("Not a valid input. Must be in: {}", quoted.join(", "))
}

/// Words of our own, marked so that nobody relies on them.
pub(crate) fn own(text: impl std::fmt::Display) -> String {
    format!("[stand-in wording] {text}")
}

/// `ERROR` in words of our own, where the vendor's are not known; marked so that nobody relies on them.
pub(crate) fn placeholder(text: impl std::fmt::Display) -> Reply {
    error(format!("[stand-in wording] {text}"))
}

/// `SUCCESS` in words of our own, where the vendor's are not known.
pub(crate) fn done(text: &str) -> Reply {
    success(format!("[stand-in wording] {text}"))
}

/// The buyer is to go on elsewhere (contract §1.3).
pub(crate) fn redirect(url: &str) -> Reply {
    json!({"result": "MERC_REDIRECT", "message": {"url": url, "script": null}})
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

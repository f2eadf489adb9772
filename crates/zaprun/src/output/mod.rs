//! Everything that reaches a person: data on stdout, messages on stderr.

mod printer;
mod request;
mod style;
mod table;

pub(crate) use printer::Printer;
pub(crate) use request::{RequestEntry, body_text, indent_json, request_text};
pub(crate) use style::{Paint, clean, count, thousands};
pub(crate) use table::{Table, Tone};

/// JSON with indents. Every value that is written here is made of texts, numbers and lists, which always serialise.
pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

//! The first edition of a zap: for any trigger and any action, out of the examples and the tables that the reference
//! shows.

mod example;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{keys, triggers};
use crate::crm::{self, ParamType};
use crate::schema::Document;
use crate::trigger::{self, KINDS};
use crate::value::Value;
use example::Example;
use writer::Writer;

/// What a new zap is to be.
#[derive(Debug, Clone)]
pub struct Starter {
    /// Its name.
    pub name: String,
    /// Its trigger's `type`.
    pub trigger: &'static str,
    /// The kind of event, where the trigger knows several: `new_sale`.
    pub event: Option<&'static str>,
    /// The connection that the trigger reads or is reached by.
    pub connection: Option<String>,
    /// Its action's `type`.
    pub action: &'static str,
    /// The connection that the action calls.
    pub to: String,
    /// The path to the schema of zaps, from the file's folder.
    pub schema: String,
}

/// A new zap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The file.
    pub text: String,
    /// What stands in it only to be replaced: `map.orderId`.
    pub placeholders: Vec<String>,
}

/// Every `type` of a trigger.
pub fn trigger_types() -> Vec<&'static str> {
    keys::kinds(Document::Zap, "Trigger")
}

/// Every `type` of an action.
pub fn action_types() -> Vec<&'static str> {
    keys::kinds(Document::Zap, "Action")
}

/// The key that chooses among several kinds of events, and these; nothing for a trigger that knows one.
pub fn events_of(trigger: &str) -> Option<(&'static str, Vec<&'static str>)> {
    let events: Vec<&'static str> = triggers::events(trigger).iter().map(|event| event.name()).collect();
    let keys = keys::Keys::of_kind(Document::Zap, "Trigger", trigger)?;
    let key = keys.that_takes(events.first()?)?;
    (events.len() > 1).then_some((key, events))
}

/// The type that the connection of a trigger has; nothing where it has none.
pub fn connection_of_trigger(trigger: &str) -> Option<&'static str> {
    match trigger {
        "schedule" => None,
        "webhook" => Some("webhook"),
        "http" => Some("http"),
        _ => Some("konnektive"),
    }
}

/// The type that the connection of an action has.
pub fn connection_of_action(action: &str) -> &'static str {
    if action == "http" { "http" } else { "konnektive" }
}

/// Writes a zap: its trigger as in the reference's example of it, its action with every parameter that the example of
/// that action has, and a test.
///
/// What a record gives is taken from it by its name; a parameter for which neither the record nor the example has a
/// value gets a placeholder, and the zap is switched off.
pub fn start(starter: &Starter) -> Started {
    let kind = starter.event.or_else(|| sole_event(starter.trigger)).unwrap_or(starter.trigger);
    let example = Example::of(kind);
    let mut writer = Writer {
        schema: trigger::kind(kind).map(trigger::Kind::schema),
        anything: matches!(starter.trigger, "webhook" | "http"),
        read: Vec::new(),
        placeholders: Vec::new(),
    };
    let (step, action) = match (crm::endpoint(starter.action), starter.action) {
        (Some(endpoint), _) => (endpoint.short_name(), writer.write(endpoint)),
        (None, "http") => ("send", writer.http(kind)),
        (None, _) => ("look_up", writer.query()),
    };
    let Writer { read, placeholders, .. } = writer;
    let mut text = format!("# yaml-language-server: $schema={}\nname: {}\n", starter.schema, starter.name);
    text.push_str(&format!("description: {}\n", description(kind, starter)));
    if crm::endpoint(starter.action).is_some() {
        text.push_str("enabled: false # it writes to the CRM: switch it on once all values are yours\n");
    }
    text.push_str(&format!("\n{}\n", example.trigger(starter)));
    text.push_str(&format!("actions:\n  - id: {step}\n    type: {}\n", starter.action));
    text.push_str(&format!("    connection: {}\n{action}", word(&starter.to)));
    text.push_str(&format!("\ntests:\n  - name: an example\n{}", example.given(&read)));
    text.push_str(&format!("    expect: {{ {step}: {} }}\n", example.expected(kind, starter)));
    Started { text, placeholders }
}

/// The kind of event of a trigger that knows one.
fn sole_event(trigger: &str) -> Option<&'static str> {
    match triggers::events(trigger).as_slice() {
        [event] => Some(event.name()),
        _ => None,
    }
}

fn description(kind: &str, starter: &Starter) -> String {
    let when = KINDS.iter().find(|known| known.name() == kind).map_or_else(
        || match kind {
            "webhook" => "a request arrives".to_owned(),
            "schedule" => "it is time".to_owned(),
            _ => "an item appears".to_owned(),
        },
        |kind| kind.summary().split(';').next().unwrap_or_default().to_owned(),
    );
    let then = match crm::endpoint(starter.action) {
        Some(endpoint) => endpoint.summary.trim_end_matches('.').to_owned(),
        None if starter.action == "http" => format!("Calls {}", starter.to),
        None => format!("Looks up what {} has", starter.to),
    };
    scalar(&format!("{then} when {when}"))
}

/// A value for what goes by a name, as YAML and as JSON.
fn sample(name: &str, ty: &ParamType) -> String {
    let lower = name.to_lowercase();
    let known = [
        ("firstname", "Ada"),
        ("lastname", "Lovelace"),
        ("address1", "1 Main St"),
        ("city", "New York"),
        ("state", "NY"),
        ("postalcode", "10001"),
    ];
    if let Some((_, text)) = known.iter().find(|(part, _)| lower.ends_with(part)) {
        return scalar(text);
    }
    match ty {
        ParamType::Id => scalar("1001"),
        ParamType::Number | ParamType::Count => "1".to_owned(),
        ParamType::Text => scalar("text"),
        ParamType::Email => scalar("ada@example.com"),
        ParamType::Phone => scalar("2125550100"),
        ParamType::Country => scalar("US"),
        ParamType::Enum(words) => scalar(words.first().copied().unwrap_or_default()),
        ParamType::Date => scalar("2026-09-16"),
        ParamType::Flag => "true".to_owned(),
        ParamType::Money => "1.00".to_owned(),
        ParamType::Json => "{}".to_owned(),
    }
}

/// A text as YAML that reads it back as text.
fn scalar(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_-./ ".contains(sign);
    let begins = text.chars().next().is_some_and(|sign| sign.is_ascii_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    let bare = begins && !word && text.chars().all(plain) && !text.ends_with(' ');
    if bare { text.to_owned() } else { quoted(text) }
}

/// A name as YAML.
fn word(text: &str) -> String {
    scalar(text)
}

fn quoted(text: &str) -> String {
    Value::Text(Arc::from(text)).to_json().unwrap_or_default()
}

//! `customer/addnote`: is the note in the customer's history?

use super::facts::shown;
use super::search::Since;
use super::{Before, HISTORY, Look, UNKNOWN_BEFORE, blind, sight, unclear};
use crate::find::Ask;
use serde::{Deserialize, Serialize};
use zaprun_core::trigger::DateRange;
use zaprun_core::value::Value;
use zaprun_engine::ports::{ReadError, Seen, Sight};

/// What was seen: how many rows hold the note's text.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    since: Since,
    notes: usize,
}

pub(super) async fn look(look: &Look<'_>, before: Option<&str>) -> Result<Sight, ReadError> {
    let note = look.param("message").map(letters).unwrap_or_default();
    let (Some(customer), false) = (look.param("customerId"), note.is_empty()) else {
        return Ok(blind("the request names no customer, or its note has no letters"));
    };
    let then = Before::<State>::read(before);
    let since = if let Before::Saw(then) = &then { then.since } else { look.first_day() };
    let days = Some(look.days_since(since, DateRange::Created));
    let ask = Ask { path: HISTORY, filters: vec![("customerId", customer)], days };
    let found = match look.rows(ask).await {
        Ok(found) => found.rows,
        // Not every API user may read the history, and a note needs no such leave.
        Err(ReadError::Permission { text } | ReadError::Vendor { text }) => {
            return Ok(blind(&format!("the customer's history cannot be read: {text}")));
        }
        Err(error) => return Err(error),
    };
    // What the rows are made of is not recorded (contract §3.5): the note may stand in any member.
    let notes = found.iter().filter(|raw| holds(&shown(raw), &note)).count();
    let seen = match &then {
        Before::Unreadable => unclear(UNKNOWN_BEFORE),
        Before::Saw(then) if notes > then.notes => {
            let words = format!("the note is in the history of customer {customer}");
            look.happened(&Value::text(words), &[])
        }
        Before::NotSent | Before::Saw(_) => Seen::NotHappened,
    };
    Ok(sight(&State { since, notes }, seen))
}

/// Goes no deeper than values may be.
fn holds(value: &Value, note: &str) -> bool {
    match value {
        Value::Text(text) => letters(text).contains(note),
        Value::List(items) => items.iter().any(|item| holds(item, note)),
        Value::Object(object) => object.iter().any(|(_, value)| holds(value, note)),
        _ => false,
    }
}

/// Letters and digits alone: the CRM may escape, trim or wrap the rest.
fn letters(text: &str) -> String {
    let mut plain = text.to_owned();
    for entity in ["&amp;", "&lt;", "&gt;", "&quot;", "&#039;", "&#39;", "&apos;"] {
        plain = plain.replace(entity, " ");
    }
    plain.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

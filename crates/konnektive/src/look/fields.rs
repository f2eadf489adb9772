//! Whether a row shows what a request set.

use super::Look;
use super::facts::{money, yes};
use zaprun_core::record::Row;
use zaprun_core::value::Value;

/// What clears a field (contract §5.5).
const CLEAR: &str = "NULL";

/// A comparison of a request's parameters with the members of a row that bear their names.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Members that the CRM shows of those that were set.
    pub(super) shown: usize,
    /// How many of them hold what was set.
    pub(super) equal: usize,
    /// What the members hold, as a hash: they are about a person.
    pub(super) hash: String,
}

impl Comparison {
    /// Whether all that can be seen is as it was set, and something can.
    pub(super) fn all_equal(&self) -> bool {
        self.shown > 0 && self.equal == self.shown
    }
}

/// Compares.
pub(super) fn compare(look: &Look<'_>, row: &Row) -> Comparison {
    // The request's own key: an equal hash in another run says nothing of the person.
    let mut hash = blake3::Hasher::new();
    hash.update(look.request.idempotency_key.as_bytes());
    let mut comparison = Comparison { shown: 0, equal: 0, hash: String::new() };
    for (name, wanted) in &look.request.params {
        let held = row.value(name);
        if matches!(held, Value::Absent(_) | Value::List(_) | Value::Object(_)) {
            continue;
        }
        comparison.shown += 1;
        comparison.equal += usize::from(agrees(name, wanted, held));
        hash.update(&[0]);
        hash.update(name.as_bytes());
        hash.update(&[1]);
        hash.update(held.to_text().unwrap_or_default().as_bytes());
    }
    comparison.hash = hash.finalize().to_hex().chars().take(16).collect();
    comparison
}

/// Whether a member holds what was set, but for the way it is written.
fn agrees(name: &str, wanted: &str, held: &Value) -> bool {
    let wanted = if wanted == CLEAR { "" } else { wanted.trim() };
    let text = match held {
        Value::Null => String::new(),
        Value::Bool(_) => return yes(held) == (wanted == "1"),
        held => held.to_text().unwrap_or_default(),
    };
    if name.to_lowercase().contains("phone") {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        return digits(&text) == digits(wanted);
    }
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(&text) == plain(wanted)
        || matches!((money(&Value::text(text.as_str())), money(&Value::text(wanted))), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_makes_no_difference() {
        for (name, wanted, held, equal) in [
            ("firstName", "Ada", r#""ADA ""#, true),
            ("firstName", "Ada", r#""Eve""#, false),
            ("address1", "1  Main St", r#""1 main st""#, true),
            ("phoneNumber", "(555) 555-0100", r#""5555550100""#, true),
            ("phoneNumber", "555", r#""5555550100""#, false),
            ("custom1", "NULL", "null", true),
            ("custom1", "NULL", r#""NULL""#, false),
            ("salesTax", "1.5", r#""1.50""#, true),
            ("campaignId", "459", "459", true),
            ("billShipSame", "1", "true", true),
            ("postalCode", "", "null", true),
        ] {
            let held = Value::from_json(held).unwrap_or_default();
            assert_eq!(agrees(name, wanted, &held), equal, "{name} {wanted} {held:?}");
        }
    }
}

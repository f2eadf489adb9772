//! The type instabilities of contract §1.8, as the seed has them for each row and field.

use serde_json::{Map, Value};

/// Decides per row and field which of the known forms a value takes; the same on every read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variety {
    seed: u64,
    on: bool,
}

/// One in so many values takes its rarer form.
const RARE: u64 = 4;

impl Variety {
    pub(crate) fn new(seed: u64, on: bool) -> Variety {
        Variety { seed, on }
    }

    /// Whether this field of this row takes its rarer form.
    pub(crate) fn odd(self, row: u64, field: &str) -> bool {
        self.on && mix(self.seed ^ row.rotate_left(32), field).is_multiple_of(RARE)
    }

    /// A number, or the same as a string.
    pub(crate) fn number(self, row: u64, field: &str, number: Value) -> Value {
        if self.odd(row, field) { Value::String(number.to_string()) } else { number }
    }

    /// A string of digits, or the same as a number.
    pub(crate) fn digits(self, row: u64, field: &str, number: Value) -> Value {
        if self.odd(row, field) { number } else { Value::String(number.to_string()) }
    }
}

/// FNV-1a with a final mix; the standard hasher promises nothing between versions.
fn mix(seed: u64, text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

/// A JSON object that is filled in the vendor's order of keys.
#[derive(Debug, Default)]
pub(crate) struct Row(pub(crate) Map<String, Value>);

impl Row {
    pub(crate) fn put(&mut self, key: &str, value: impl Into<Value>) -> &mut Row {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// A text, `null` when empty, as rows have it outside of `items`.
    pub(crate) fn text(&mut self, key: &str, text: &str) -> &mut Row {
        if text.is_empty() { self.put(key, Value::Null) } else { self.put(key, text) }
    }

    /// Several fields that are `null`.
    pub(crate) fn nulls(&mut self, keys: &[&str]) -> &mut Row {
        for key in keys {
            self.put(key, Value::Null);
        }
        self
    }

    /// Several fields by name, `null` where nothing is known of them.
    pub(crate) fn texts<'a>(&mut self, keys: &[&str], value: impl Fn(&str) -> &'a str) -> &mut Row {
        for key in keys {
            self.text(key, value(key));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_takes_the_rarer_form_and_always_the_same() {
        let variety = Variety::new(3, true);
        let odd = (0..4000).filter(|row| variety.odd(*row, "qty")).count();
        assert!((800..1200).contains(&odd), "{odd}");
        assert!((0..100).all(|row| variety.odd(row, "qty") == variety.odd(row, "qty")));
        assert!((0..100).any(|row| variety.odd(row, "qty") != variety.odd(row, "price")));
        assert!((0..4000).all(|row| !Variety::new(3, false).odd(row, "qty")));
    }
}

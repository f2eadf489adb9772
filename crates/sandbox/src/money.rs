//! Amounts as the CRM keeps them: whole cents, never floats.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

/// An amount in cents of the account's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Twelve digits before the point are more than any order holds and leave room to add up many of them.
const MAX_WHOLE_DIGITS: usize = 12;

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// The amount of this many cents.
    pub const fn from_cents(cents: i64) -> Money {
        Money(cents)
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Reads `12`, `12.5`, `12.50` and the same with a minus sign; `None` for anything else.
    pub fn parse(text: &str) -> Option<Money> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fits = !whole.is_empty() && whole.len() <= MAX_WHOLE_DIGITS && fraction.len() <= 2;
        if !fits || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let cents: i64 = format!("{whole}{fraction:0<2}").parse().ok()?;
        Some(Money(if negative { -cents } else { cents }))
    }

    /// This amount `count` times, held at the type's bounds.
    #[must_use]
    pub const fn times(self, count: u32) -> Money {
        Money(self.0.saturating_mul(count as i64))
    }

    /// The amount as a JSON number without trailing zeros: `0.3`, `0`, `49.99`.
    pub(crate) fn to_number(self) -> serde_json::Value {
        let text = self.to_string();
        let short = text.trim_end_matches('0').trim_end_matches('.');
        serde_json::from_str(short).unwrap_or(serde_json::Value::Null)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn reads_and_writes_amounts() {
        for (text, cents) in [("0.30", 30), ("12", 1200), ("12.5", 1250), ("-1.05", -105)] {
            assert_eq!(Money::parse(text), Some(Money::from_cents(cents)), "{text}");
        }
        assert_eq!(Money::from_cents(-105).to_string(), "-1.05");
        for text in ["", ".5", "1.234", "1e3", "+1", "1 000", "9999999999999", "NaN", "١"] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_carry_no_trailing_zeros() {
        let shown = |cents| Money::from_cents(cents).to_number().to_string();
        assert_eq!(shown(30), "0.3");
        assert_eq!(shown(0), "0");
        assert_eq!(shown(4999), "49.99");
        assert_eq!(shown(10_000), "100");
    }
}

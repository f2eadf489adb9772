//! A row as triggers look at it.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{ReadSet, RowError, Schema, view};
use crate::value::{Object, Value};

/// The members of a row that a trigger reads.
#[derive(Debug, Clone)]
pub struct Row {
    object: Object,
    misfits: Vec<&'static str>,
}

impl Row {
    /// Views the named members of a row.
    ///
    /// # Errors
    /// When the bytes are no JSON object.
    pub fn decode(raw: &[u8], schema: &'static Schema, fields: &ReadSet) -> Result<Self, RowError> {
        let mut misfits = Vec::new();
        let object = view::view(raw, schema, fields, &mut misfits)?;
        Ok(Row { object, misfits })
    }

    /// Fields whose value did not fit the type.
    pub fn misfits(&self) -> &[&'static str] {
        &self.misfits
    }

    /// The value of a field.
    pub fn value(&self, field: &str) -> &Value {
        self.object.member(field)
    }

    /// A text that is not empty; numbers count as their digits.
    pub fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        match self.object.member(field) {
            Value::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// A whole number.
    pub fn count(&self, field: &str) -> Option<i64> {
        self.object.member(field).as_number().and_then(crate::value::Decimal::to_i64)
    }

    /// A time local to the account, as the instants it may mean.
    pub fn moment(&self, field: &str, zone: &TimeZone) -> Option<Moment> {
        Moment::parse(self.object.member(field).as_text()?, zone)
    }

    /// The rows of a list.
    pub fn rows(&self, field: &str) -> impl Iterator<Item = Row> + '_ {
        let items = self.object.member(field).as_list().unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_object)
            .map(|object| Row { object: object.clone(), misfits: Vec::new() })
    }
}

/// A time local to the account. In the hour that autumn repeats it means one of two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The instant; of two the earlier one, of a skipped time the one after the gap.
    pub at: Timestamp,
    /// The latest instant it may mean.
    pub latest: Timestamp,
}

impl Moment {
    /// A local time as the CRM writes it, `YYYY-MM-DD HH:MM:SS`, or a day alone.
    pub fn parse(text: &str, zone: &TimeZone) -> Option<Self> {
        let local: DateTime = text.trim().parse().ok()?;
        let ambiguous = zone.to_ambiguous_timestamp(local);
        let at = ambiguous.compatible().ok()?;
        let repeated = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let latest = if repeated { ambiguous.later().ok()? } else { at };
        Some(Moment { at, latest })
    }

    /// Whether it may lie at or after a boundary. In doubt it does: an hour too early is better than missed.
    pub fn may_be_since(&self, boundary: Timestamp) -> bool {
        self.latest >= boundary
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::*;

    #[test]
    fn local_times_are_told_apart_around_daylight_saving() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let at = |text: &str| Moment::parse(text, &zone).map(|moment| moment.at.to_string());
        assert_eq!(at("2026-09-16 14:25:31").unwrap(), "2026-09-16T18:25:31Z");
        assert_eq!(at("2026-11-01 01:30:00").unwrap(), "2026-11-01T05:30:00Z", "the earlier of two");
        let twice = Moment::parse("2026-11-01 01:30:00", &zone).unwrap();
        assert_eq!(twice.latest.to_string(), "2026-11-01T06:30:00Z");
        assert!(
            twice.may_be_since(twice.latest) && !twice.may_be_since("2026-11-01T06:30:01Z".parse().unwrap())
        );
        let once = Moment::parse("2026-09-16 14:25:31", &zone).unwrap();
        assert_eq!(once.at, once.latest);
        assert_eq!(at("2026-03-08 02:30:00").unwrap(), "2026-03-08T07:30:00Z", "moved forward");
        assert_eq!(at("2026-11-01").unwrap(), "2026-11-01T04:00:00Z");
        for bad in ["", "0000-00-00 00:00:00", "soon", "2026-13-01 00:00:00"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}

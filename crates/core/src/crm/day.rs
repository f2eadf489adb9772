//! Days, as the CRM counts them: in the account's zone.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::value::Value;

/// The day of an instant, or that a text names: `2026-09-16`, a time with or without offset, or `9/16/2026`.
pub(crate) fn day(value: &Value, zone: &TimeZone) -> Option<Date> {
    match value {
        Value::Instant(instant) => Some(instant.in_zone(zone.clone()).zoned().date()),
        Value::Text(text) => read(text.trim(), zone),
        _ => None,
    }
}

fn read(text: &str, zone: &TimeZone) -> Option<Date> {
    if text.contains('/') {
        return american(text);
    }
    // A time with an offset may lie on another day in the account's zone; without one it is the account's.
    if text.len() > 10
        && let Ok(at) = text.parse::<Timestamp>()
    {
        return Some(at.to_zoned_datetime(zone.clone()).date());
    }
    match text.len() {
        10 => text.parse().ok(),
        11.. => text.parse::<DateTime>().map(|local| local.date()).ok(),
        _ => None,
    }
}

/// `9/16/2026`, the month first.
fn american(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let good = digits(month, 1..=2) && digits(day, 1..=2) && digits(year, 4..=4) && parts.next().is_none();
    good.then(|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())?
}

/// As the CRM takes it: `09/16/2026`.
pub(super) fn written(day: Date) -> String {
    format!("{:02}/{:02}/{:04}", day.month(), day.day(), day.year())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]
    use super::*;
    use crate::value::Instant;
    use proptest::prelude::*;

    fn new_york() -> TimeZone {
        TimeZone::get("America/New_York").unwrap()
    }

    fn read_as(text: &str) -> Option<String> {
        day(&Value::text(text), &new_york()).map(written)
    }

    #[test]
    fn days_are_the_accounts() {
        for (text, day) in [
            ("2026-09-16", "09/16/2026"),
            (" 2026-09-16 ", "09/16/2026"),
            ("2026-09-16 23:59:59", "09/16/2026"),
            ("2026-09-16T23:59:59", "09/16/2026"),
            ("2026-09-17T03:59:59Z", "09/16/2026"),
            ("2026-09-17T04:00:00Z", "09/17/2026"),
            ("2026-09-16T23:30:00-07:00", "09/17/2026"),
            ("9/6/2026", "09/06/2026"),
            ("09/16/2026", "09/16/2026"),
            ("02/29/2028", "02/29/2028"),
        ] {
            assert_eq!(read_as(text).as_deref(), Some(day), "{text}");
        }
        for text in [
            "",
            "today",
            "09/16/26",
            "16/09/2026",
            "2026-13-01",
            "02/29/2026",
            "20260916",
            "9/16",
            "9/16/2026/1",
            "+9/16/2026",
        ] {
            assert_eq!(read_as(text), None, "{text}");
        }
        let midnight: Timestamp = "2026-09-17T03:00:00Z".parse().unwrap();
        let instant = Value::Instant(Instant::new(midnight, TimeZone::UTC));
        assert_eq!(day(&instant, &new_york()).map(written).as_deref(), Some("09/16/2026"));
        assert_eq!(day(&Value::from(20_260_916_i64), &new_york()), None);
    }

    proptest! {
        /// What is written is read as the same day, in any form.
        #[test]
        fn days_survive(days in -20_000_i32..40_000) {
            let date = Date::new(1970, 1, 1).unwrap().checked_add(jiff::Span::new().days(days)).unwrap();
            for text in [written(date), date.to_string(), format!("{date} 12:00:00")] {
                prop_assert_eq!(day(&Value::text(text), &new_york()), Some(date));
            }
        }
    }
}

//! Dates in headers.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use std::time::Duration;

/// Longer waits are not believed: the number also has to stay clear of the calendar's end.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The server's own clock: its `Date` header.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(text(headers, &DATE)?)
}

/// How long the server asks to wait, at most seven days. A date is held against the server's own `Date`, so that a
/// wrong clock on either side does no harm, and against `now` only where there is none.
pub fn retry_after(headers: &HeaderMap, now: impl FnOnce() -> Timestamp) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // Only digits: what does not fit is too long in any case.
        let wait = value.parse().map_or(LONGEST_WAIT, Duration::from_secs);
        return Some(wait.min(LONGEST_WAIT));
    }
    let until = http_date(value)?;
    let wait = until.duration_since(date(headers).unwrap_or_else(now));
    // A date that has passed means: now.
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO).min(LONGEST_WAIT))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// The three forms a recipient must read: the fixed one, that of RFC 850, and C's `asctime`.
fn http_date(value: &str) -> Option<Timestamp> {
    static FIXED: DateTimeParser = DateTimeParser::new();
    if let Ok(at) = FIXED.parse_timestamp(value) {
        return Some(at);
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|form| {
        let civil = strtime::parse(form, value).ok()?.to_datetime().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn now() -> Timestamp {
        "1994-11-06T08:49:37Z".parse().unwrap()
    }

    fn wait(value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds() {
        assert_eq!(wait("0", None), Some(0));
        assert_eq!(wait(" 120 ", None), Some(120));
        assert_eq!(wait("99999999999999999999999", None), Some(LONGEST_WAIT.as_secs()));
    }

    #[test]
    fn dates_in_each_form() {
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT", None), Some(60));
        assert_eq!(wait("Sunday, 06-Nov-94 08:50:37 GMT", None), Some(60));
        assert_eq!(wait("Sun Nov  6 08:50:37 1994", None), Some(60));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(0), "passed");
        assert_eq!(wait("Thu, 31 Dec 9998 23:59:59 GMT", None), Some(LONGEST_WAIT.as_secs()));
    }

    #[test]
    fn the_servers_own_clock_goes_first() {
        let value = "Sun, 06 Nov 1994 10:00:30 GMT";
        assert_eq!(wait(value, Some("Sun, 06 Nov 1994 10:00:00 GMT")), Some(30));
        assert_eq!(wait(value, Some("yesterday")), Some(70 * 60 + 53));
    }

    #[test]
    fn nonsense_is_no_wish() {
        for value in ["", "-5", "1.5", "120, 60", "soon", "Sun, 06 Nov"] {
            assert_eq!(wait(value, None), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(value in "[ -~]{0,40}") {
            let wait = wait(&value, None);
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT.as_secs()));
        }
    }
}
